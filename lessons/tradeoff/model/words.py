"""Numbers as people say them: 18 M, 4 min, $40."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """11 h, 3.5 min, 1 min, 80 s, 250 ms: one unit, three significant digits at most."""
    if seconds == 60:
        return "1 min"
    for size, unit in ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")):
        if abs(seconds) >= size * (2 if unit in ("days", "min") else 1):
            return f"{_short(seconds / size)} {unit}"
    if seconds == 0:
        return "0 s"
    return f"{_short(seconds * 1e3)} ms" if abs(seconds) >= 1e-3 else f"{_short(seconds * 1e6)} µs"


def count(number: float) -> str:
    """18 M, 4.5 K, 950."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(number) >= size:
            return f"{_short(number / size)} {letter}"
    return _short(number)


def size(number_of_bytes: float) -> str:
    """4.8 GB, 800 MB (decimal units)."""
    for scale, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(number_of_bytes) >= scale:
            return f"{_short(number_of_bytes / scale)} {unit}"
    return f"{_short(number_of_bytes)} B"


def usd(amount: float) -> str:
    """$40, $2,130, $0.35."""
    sign = "-" if amount < 0 else ""
    amount = abs(amount)
    if amount >= 100 or amount == int(amount):
        return f"{sign}${amount:,.0f}"
    return f"{sign}${amount:,.2f}" if amount >= 0.01 else f"{sign}${amount:.2g}"


def clock(hour: float) -> str:
    """6:00, 13:05, or 3:10 the day after: an hour counted from midnight."""
    minutes = math.ceil(hour * 60 - 1e-6)
    days, minutes = divmod(minutes, 24 * 60)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return text if not days else f"{text} {'the day after' if days == 1 else f'{days} days later'}"


def _short(number: float) -> str:
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{min(digits, 2)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
