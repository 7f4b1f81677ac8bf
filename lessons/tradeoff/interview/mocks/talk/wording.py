"""Words for learners: dollars so that no page takes two dollar signs for mathematics."""

from __future__ import annotations

import re

DOLLARS = re.compile(r"\$(\d+(?:,\d{3})*(?:\.\d+)?)")


def plain(text: str) -> str:
    """The text with "$1,160" said as "1,160 USD"."""
    return DOLLARS.sub(r"\1 USD", text)


def span(seconds: float) -> str:
    """Minutes and seconds of a clock: "24:05", and "-1:10" beyond the end."""
    whole = round(abs(seconds))
    return f"{'-' if seconds <= -0.5 else ''}{whole // 60}:{whole % 60:02d}"
