"""A diagnosis as a decision memo on one page: HTML to print, Markdown for a pull request.

The HTML stands alone: no script, no network, pictures as inline SVG with a title and a description.
Shape, dash and words carry every meaning that colour does.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

import numpy as np
import pandas as pd

from tradeoff.diagnosis import Diagnosis
from tradeoff.diagnosis.advice import usd
from tradeoff.diagnosis.options import Option
from tradeoff.diagnosis.questions import RECENT
from tradeoff.model import words

# Okabe and Ito's colours; dark enough on paper.
BLUE, VERMILLION, GREEN, INK, FAINT = "#0072B2", "#D55E00", "#009E73", "#222222", "#8a8a8a"
WIDTH, HEIGHT = 640, 190
MOST_LINES = 4  # of what would change the answer, and of notes on the data
FOUR = ("volume", "rereading", "freshness", "stage")


def html(diagnosis: Diagnosis) -> str:
    """The memo as one self-contained HTML page that prints on one sheet of A4 or Letter."""
    found = diagnosis
    parts = [
        f"<h1>{escape(_title(found))}</h1>",
        f'<p class="about">{escape(_about(found))}</p>',
        f'<p class="headline"><strong>{escape(found.headline)}</strong></p>',
        f'<p class="headline">{escape(found.recommendation)}</p>',
        _list(_build(found)),
        _picture(found),
        "<h2>Four questions</h2>",
        _rows(
            (),
            [
                (_strong(one.question), _strong(one.verdict), escape(one.says))
                for one in map(found.findings.__getitem__, FOUR)
            ],
            "questions",
        ),
    ]
    if len(found.options) > 1:
        parts += ["<h2>Options, smallest change first</h2>", _options(found)]
    elif found.unpriced:
        parts += ["<h2>Options</h2>", f"<p>None is priced: {escape(found.unpriced)}.</p>"]
    if found.would_change:
        parts += ["<h2>What would change the answer</h2>", _list(found.would_change)]
    for heading, lines in (("Taken for granted", found.assumed), ("The data", _data(found))):
        if lines:
            said = escape(_upper("; ".join(lines)))
            parts.append(f'<p class="small"><strong>{heading}.</strong> {said}.</p>')
    return document(_title(found), STYLE, "\n".join(parts))


def document(title: str, style: str, body: str) -> str:
    """A self-contained HTML page. `body` and `style` are HTML and CSS already, `title` is text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def text(diagnosis: Diagnosis) -> str:
    """The memo in brief, for a terminal: what fails, what to do, and the answers behind it."""
    found = diagnosis
    lines = [_title(found), _about(found), "", found.headline, found.recommendation]
    lines += [f"  - {_upper(path)}" for path in _build(found)] + [""]
    for topic in FOUR:
        one = found.findings[topic]
        lines += [f"{one.question} {one.verdict.upper()}", f"  {one.says}"]
    lines += [""] + [f"{one.name:26} {usd(one):>12}  {_serves(one)[0]}" for one in found.options]
    lines += [f"note: {one}" for one in found.notes]
    return "\n".join(lines) + "\n"


def markdown(diagnosis: Diagnosis) -> str:
    """The memo as Markdown for a pull request: the same words and tables, no picture."""
    found = diagnosis
    lines = [
        f"## {_title(found)}",
        _about(found),
        f"**{found.headline}**",
        found.recommendation,
        *(["\n".join(f"- {_upper(path)}" for path in _build(found))] if _build(found) else []),
        "### Four questions",
        _pipes(
            ("question", "answer", "why"),
            [
                (one.question, one.verdict, one.says)
                for one in map(found.findings.__getitem__, FOUR)
            ],
        ),
    ]
    if len(found.options) > 1:
        rows = [
            (f"**{one.name}**" if one is found.smallest else one.name, usd(one), *_serves(one))
            for one in found.options
        ]
        lines += [
            "### Options, smallest change first",
            _pipes(("option", "USD a day", "serves everyone", "how, or what it misses"), rows),
        ]
    elif found.unpriced:
        lines += ["### Options", f"None is priced: {found.unpriced}."]
    for heading, said in (
        ("When", [one.says for one in found.dates]),
        ("What would change the answer", found.would_change),
        ("Taken for granted", found.assumed),
        ("The data", _data(found)),
    ):
        if said:
            lines += [f"### {heading}", "\n".join(f"- {_upper(one)}" for one in said)]
    return "\n\n".join(lines) + "\n"


# --- words ----------------------------------------------------------------------------------------


def _build(found: Diagnosis) -> tuple[str, ...]:
    """The paths of the smallest change; nothing when it keeps what is there."""
    chosen = found.smallest
    return chosen.paths if chosen is not None and chosen.touches else ()


def _title(found: Diagnosis) -> str:
    return f"Decision memo: {found.name}"


def _about(found: Diagnosis) -> str:
    runs = found.history.runs
    first, last = (_date(runs["day"].iloc[place]) for place in (0, -1))
    every = words.duration(found.limits.interval_hours * 3600)
    aside = sum(len(one.rows) for one in found.history.aside)
    left_out = f", {aside} row{'s' * (aside > 1)} set aside" if aside else ""
    count = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    return f"{count} from {first} to {last}, one every {every}{left_out}."


def _date(day: pd.Timestamp) -> str:
    return f"{day.day} {day:%B %Y}"


def _serves(option: Option) -> tuple[str, str]:
    if option.serves:
        return "yes", option.how
    if not option.missed:
        return "depends", f"{option.how}. Not on every reading of the history"
    return "no", f"{option.how}. Misses: " + "; ".join(option.missed)


def _data(found: Diagnosis) -> list[str]:
    notes = found.notes
    if len(notes) <= MOST_LINES:
        return notes
    return [*notes[: MOST_LINES - 1], f"{len(notes) - MOST_LINES + 1} more notes: see the table"]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- HTML -----------------------------------------------------------------------------------------


def _strong(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def _list(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "<ul>" + "".join(f"<li>{escape(_upper(one))}</li>" for one in lines) + "</ul>"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
    """A table; the cells are HTML already."""
    top = "<tr>" + "".join(f'<th scope="col">{one}</th>' for one in head) + "</tr>" if head else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{name}">{top}{body}</table>'


def _options(found: Diagnosis) -> str:
    rows = []
    for one in found.options:
        served, how = _serves(one)
        chosen = one is found.smallest
        how = "as above" if chosen and _build(found) else how
        name = f"<strong>▸ {escape(one.name)}</strong>" if chosen else escape(one.name)
        mark = {"yes": "✓ all", "no": "✗ no", "depends": "? depends"}[served]
        rows.append((name, usd(one), mark, escape(how)))
    return _rows(("change", "USD a day", "serves", "how, and what it misses"), rows, "options")


def _pipes(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


STYLE = f"""
@page {{ size: auto; margin: 11mm; }}
body {{ margin: 0; background: #fff; color: {INK}; font: 13px/1.38 system-ui, sans-serif; }}
main {{ max-width: 46rem; margin: 0 auto; padding: 1rem; }}
h1 {{ font-size: 1.45em; margin: 0; }}
h2 {{ font-size: 1.02em; margin: .75em 0 .2em; border-bottom: 1px solid #ccc; }}
p {{ margin: .35em 0; }} ul {{ margin: .2em 0; padding-left: 1.2em; }}
.about {{ color: #555; }} .headline {{ font-size: 1.1em; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ text-align: left; vertical-align: top; padding: .12em .7em .12em 0; }}
th {{ font-weight: normal; color: #555; }}
.small {{ color: #444; font-size: .93em; }}
td:not(:last-child), th {{ white-space: nowrap; }}
svg {{ display: block; width: 100%; height: auto; margin: .4em 0 0; }}
@media print {{ body {{ font-size: 8.6pt; line-height: 1.3; }}
main {{ max-width: none; padding: 0; }} svg {{ max-height: 46mm; }}
h2, tr, li, svg {{ break-inside: avoid; }} }}
"""


# --- the picture ----------------------------------------------------------------------------------


def _picture(found: Diagnosis) -> str:
    """Run time over the calendar with the limits on it, and its trend carried on."""
    runs = found.history.runs
    origin = runs["day"].iloc[0]
    days = ((runs["day"] - origin) / pd.Timedelta(days=1) + runs["hour"] / 24).to_numpy()
    hours = runs["seconds"].to_numpy() / 3600
    limits = [one for one in found.dates if one.hours <= 4 * float(np.median(hours[-RECENT:]))]
    ahead = 0.12 * max(days[-1] - days[0], 1.0)
    carried = np.linspace(found.trend.since, days[-1] + ahead, 60)
    curve = found.trend.at(carried) if found.trend.lines else np.zeros(0)
    top = max([float(np.quantile(hours, 0.98)), *(one.hours for one in limits), *curve.tolist()])
    axis = _Axis(days[0], days[-1] + ahead, _nice(top * 1.05))
    marks = [axis.frame(origin)]
    shown = np.minimum(hours, axis.top)
    dots = "".join(
        f'<circle cx="{axis.x(day):.1f}" cy="{axis.y(hour):.1f}" r="1.5"/>'
        for day, hour in zip(days, shown, strict=True)
    )
    marks.append(f'<g fill="{BLUE}" fill-opacity=".55">{dots}</g>')
    if len(curve):
        path = " ".join(
            f"{axis.x(day):.1f},{axis.y(min(hour, axis.top)):.1f}"
            for day, hour in zip(carried.tolist(), curve.tolist(), strict=True)
        )
        marks.append(
            f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.6" '
            'stroke-dasharray="2 3"/>'
        )
    for one in limits:
        y = axis.y(one.hours)
        label = escape(f"{_upper(one.limit)}: {one.hours:.3g} h")
        marks.append(
            f'<line x1="{axis.left}" x2="{axis.right}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{VERMILLION}" stroke-width="1.3" stroke-dasharray="7 4"/>'
            f'<text x="{axis.left + 5}" y="{y - 4:.1f}" >{label}</text>'
        )
    now = found.then.hours_now
    described = (
        f"{len(runs)} dots, one a run, from {_date(origin)} to {_date(runs['day'].iloc[-1])}. "
        + (f"A run now takes {now.mid:.1f} hours at the median. " if now else "")
        + " ".join(f"{_upper(one.says)}." for one in found.dates)
    )
    above = int((hours > axis.top).sum())
    edge = [f"{above} longer run{'s' * (above > 1)} at the upper edge"] if above else []
    dates = [one.says for one in found.dates if one.when != "can't tell"]
    caption = "; ".join([*edge, found.trend.says, *dates])
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMinYMid" role="img" '
        f'aria-labelledby="pt pd" '
        f'font-family="system-ui, sans-serif" font-size="10.5" fill="{INK}">'
        f'<title id="pt">Run time of each run, in hours</title><desc id="pd">{escape(described)}'
        f"</desc>{''.join(marks)}</svg>"
        f'<p class="about">Hours a run; dotted: trend. {escape(_upper(caption))}.</p>'
    )


class _Axis:
    """Where a day and an hour lie on the picture."""

    left, right, above, below = 34.0, WIDTH - 6.0, 8.0, HEIGHT - 20.0

    def __init__(self, first: float, last: float, top: float) -> None:
        self.first, self.last, self.top = first, max(last, first + 1e-9), top

    def x(self, day: float) -> float:
        return self.left + (day - self.first) / (self.last - self.first) * (self.right - self.left)

    def y(self, hours: float) -> float:
        return self.below - hours / self.top * (self.below - self.above)

    def frame(self, origin: pd.Timestamp) -> str:
        """Grid lines with their hours, and dates below."""
        step = self.top / 4
        lines = []
        for hours in np.arange(0, self.top + step / 2, step):
            y = self.y(float(hours))
            lines.append(
                f'<line x1="{self.left}" x2="{self.right}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{FAINT}" stroke-opacity=".35"/>'
                f'<text x="{self.left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{hours:g} h</text>'
            )
        for day, text in self._dates(origin):
            x = self.x(day)
            lines.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self.below}" y2="{self.below + 4}" '
                f'stroke="{FAINT}"/><text x="{x:.1f}" y="{HEIGHT - 5}" text-anchor="middle">'
                f"{text}</text>"
            )
        return "".join(lines)

    def _dates(self, origin: pd.Timestamp) -> list[tuple[float, str]]:
        """Days to mark: firsts of months over a long time, else days, with their words."""
        first, last = (origin + pd.Timedelta(days=day) for day in (self.first, self.last))
        months = pd.date_range(first, last, freq="MS", normalize=True)
        long = len(months) >= 5
        marks = months if long else pd.date_range(first, last, freq="D", normalize=True)
        marks = marks[marks >= first][:: ceil(len(marks) / 7)]
        return [
            ((when - origin) / pd.Timedelta(days=1), f"{when:%b %Y}" if long else _day(when))
            for when in marks
            if self.x((when - origin) / pd.Timedelta(days=1)) < self.right - 20
        ]


def _day(when: pd.Timestamp) -> str:
    return f"{when.day} {when:%b}"


def _nice(top: float) -> float:
    """The next number of which a quarter is short to write."""
    size = 10.0 ** floor(log10(max(top, 1e-6)))
    return next(
        size * one
        for one in (1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0)
        if size * one >= top
    )
