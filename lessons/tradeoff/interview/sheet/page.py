"""The cheat sheet as HTML: a fragment for a notebook's cell, a document that prints on one page.

The fragment brings its own styles, takes its ink from the page around it (JupyterLab's dark theme
or light), and falls into one column where it is narrow. Names carry every meaning that colour does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from tradeoff import memo
from tradeoff.interview.sheet import contents
from tradeoff.interview.sheet.contents import Group, Table
from tradeoff.interview.sheet.figures import Figure, Figures

# As CSS names it, and the room above and below a row: A4 is taller.
PAPERS = {None: ("auto", ".2em"), "a4": ("A4", ".34em"), "letter": ("Letter", ".24em")}


def document(paper: str | None = None) -> str:
    """The sheet as one self-contained HTML page.

    Parameters
    ----------
    paper : "a4" or "letter" fixes the size it prints on; None leaves that to the browser's dialog,
        and either holds it on one page. Raises KeyError for another.
    """
    size, row = PAPERS[paper]
    style = (
        f"@page {{ size: {size}; margin: 9mm; }}\n{DOCUMENT_STYLE}"
        f"@media print {{ main :is(.tradeoff-sheet, #outweighs) {{ --row: {row}; }} }}\n"
    )
    return memo.document(contents.TITLE, style, fragment(top=1))


def fragment(top: int = 2) -> str:
    """The sheet as an HTML element with its styles. `top` is the level of its heading."""
    words = _Words(Figures(), top)
    parts = [
        f"<header><h{top}>{contents.TITLE}</h{top}>",
        f"<ol>{words.items(contents.ANSWER)}</ol>",
        f"<p>{words.said(contents.TERMS)}</p></header>",
        words.table(contents.DIMENSIONS),
        '<div class="columns"><div>',
        *map(words.table, contents.TABLES),
        "</div><div>",
        *words.section("Rules of thumb", f"<ul>{words.items(contents.RULES)}</ul>"),
        *words.section("Two cases to know by heart", *map(words.group, contents.CASES)),
        *words.section("Questions to ask", *map(words.group, contents.QUESTIONS), name="questions"),
        "</div></div>",
        f"<footer>{FOOTER}</footer>",
    ]
    return (
        f'<style>{FONTS}{STYLE}</style><article class="tradeoff-sheet">{"".join(parts)}</article>'
    )


FOOTER = (
    "Made from data/claims.csv and the model's answers of the day. On a screen, point at a figure "
    "to see its claim."
)


class _Words:
    """Turns the sheet's words into HTML, with the figures of now."""

    def __init__(self, figures: Figures, top: int) -> None:
        self.figures, self.below = figures, f"h{top + 1}"

    def said(self, text: str) -> str:
        parts = re.split(r"\{(.+?)\}|\*\*(.+?)\*\*", text)
        html = [escape(parts[0])]
        for figure, strong, plain in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            if strong is not None:
                html.append(f"<strong>{self.said(strong)}</strong>")
            else:
                html.append(_span(self.figures[figure]))
            html.append(escape(plain))
        return "".join(html)

    def items(self, lines: Iterable[str]) -> str:
        return "".join(f"<li>{self.said(line)}</li>" for line in lines)

    def table(self, table: Table) -> str:
        head = "".join(
            f'<th scope="col">{self.said(one)}</th>' if one else "<td></td>" for one in table.head
        )
        rows = "".join(
            f'<tr><th scope="row">{self.said(first)}</th>'
            + "".join(f"<td>{self.said(cell)}</td>" for cell in cells)
            + "</tr>"
            for first, *cells in table.rows
        )
        note = f'<p class="note">{self.said(table.note)}</p>' if table.note else ""
        return (
            f'<section class="{table.name}"><table><caption><{self.below}>{table.title}'
            f"</{self.below}></caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{note}</section>"
        )

    def section(self, title: str, *inside: str, name: str = "") -> list[str]:
        heading = f"<{self.below}>{title}</{self.below}>"
        return [f'<section class="{name}">', heading, "<div>", *inside, "</div></section>"]

    def group(self, group: Group) -> str:
        title = f"<p><strong>{self.said(group.title)}</strong></p>"
        return f"<div>{title}<ul>{self.items(group.lines)}</ul></div>"


def _span(figure: Figure) -> str:
    about = f' title="{escape(figure.about)}"' if figure.about else ""
    return (
        f'<span class="{figure.kind}" data-{figure.kind}="{figure.source}"{about}>'
        f"{escape(figure.says)}</span>"
    )


# One page everywhere asks for letters of one width: Arial's, which Helvetica and Liberation Sans
# share. A Linux without them has DejaVu, wider, and so set smaller.
FONTS = "".join(
    f'@font-face {{ font-family: "{name}"; font-weight: {weight}; src: local("{local}"); '
    f"size-adjust: {size}; }}\n"
    for name, weight, local, size in (
        ("sheet-narrow", 400, "DejaVu Sans Condensed", "95%"),
        ("sheet-narrow", 700, "DejaVu Sans Condensed Bold", "95%"),
        ("sheet-wide", 400, "DejaVu Sans", "86%"),
        ("sheet-wide", 700, "DejaVu Sans Bold", "86%"),
    )
)
# Sizes are in em: the page prints at DOCUMENT_STYLE's size, and follows the text around it in a
# notebook. The id, which nothing has, makes each rule outweigh JupyterLab's for tables and lists.
STYLE = """
:is(.tradeoff-sheet, #outweighs) {
& { --line: color-mix(in srgb, currentColor 28%, transparent); --row: .2em;
  font-family: Arial, Helvetica, "Liberation Sans", sheet-narrow, sheet-wide, sans-serif;
  line-height: 1.27; max-width: 76em; }
* { box-sizing: border-box; text-wrap: pretty; }
:is(h1, h2, h3, p, ul, ol, li, table, caption) { margin: 0; padding: 0; }
:is(ul, ol) { list-style: none; }
header > :first-child { font-size: 1.9em; line-height: 1.1; font-weight: 700; }
header ol { display: flex; flex-wrap: wrap; gap: 0 1.1em; margin: .3em 0 .35em; font-weight: 700;
  counter-reset: step; }
header li { counter-increment: step; }
header li::before { content: counter(step) "\\2002"; font-weight: 400; }
section { margin-top: .8em; break-inside: avoid; }
section > :is(h2, h3), caption > * { font-size: 1.12em; line-height: 1.2; font-weight: 700;
  text-align: left; padding-bottom: .15em; border-bottom: 2px solid currentColor; }
.columns { display: grid; column-gap: 1.6em; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(24em, 100%), 1fr)); }

table { width: 100%; border: 0; border-collapse: collapse; table-layout: auto;
  font-size: 1em; }
caption { caption-side: top; color: inherit; }
tr { background: none; border: 0; border-bottom: 1px solid var(--line); }
th, td { padding: var(--row) .6em var(--row) 0; border: 0; max-width: none; text-align: left;
  vertical-align: baseline; white-space: normal; font-weight: 400; }
tr > :last-child { padding-right: 0; }
thead th { font-size: .9em; }
tbody th { white-space: nowrap; padding-right: 1em; }
.micro-batch thead :nth-child(2) { width: 33%; }
.state thead :nth-child(2) { width: 36%; }
.daily-cost tr > :not(:first-child) { text-align: right; }
.dimensions tr > :first-child { padding-left: .5em; font-weight: 700;
  border-left: .5em solid transparent; }
.dimensions tbody tr:nth-child(1) th { border-left-color: #0072B2; }
.dimensions tbody tr:nth-child(2) th { border-left-color: #D55E00; }
.dimensions tbody tr:nth-child(3) th { border-left-color: #009E73; }
.dimensions tbody tr:nth-child(4) th { border-left-color: #CC79A7; }
.note { padding-top: .25em; font-size: .9em; }

section > div > ul > li { padding: var(--row) 0; border-bottom: 1px solid var(--line); }
section > div > div { margin-top: .3em; }
section > div > div li { padding: .06em 0 .06em .8em; text-indent: -.8em; }
section > div > div li::before { content: "\\2013"; display: inline-block;
  width: .8em; text-indent: 0; }
.questions > div { display: grid; column-gap: 1.2em; grid-template-columns: 1fr 1fr; }
:is(.claim, .model) { font-weight: 700; font-variant-numeric: tabular-nums; }
:is(.claim, .model, .given) { white-space: nowrap; }
footer { margin-top: .8em; font-size: .85em; }
@media (max-width: 32em) { :is(th, td, span) { white-space: normal !important; } }
}
"""
# Outweighs the fragment's own styles, which follow.
DOCUMENT_STYLE = f"""
body {{ margin: 0; background: #fff; color: {memo.INK}; font-size: 15px; }}
main {{ padding: 1.5rem; }}
main :is(.tradeoff-sheet, #outweighs) {{ margin: 0 auto; }}
@media print {{
body {{ font-size: 8.4pt; }} main {{ padding: 0; }}
main :is(.tradeoff-sheet, #outweighs) {{ max-width: none; }}
main :is(.tradeoff-sheet, #outweighs) .columns {{ grid-template-columns: 1fr 1fr; }}
}}
"""
