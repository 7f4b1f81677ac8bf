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

PAPERS = {"a4": "A4", "letter": "Letter"}  # as CSS names them


def document(paper: str | None = None) -> str:
    """The sheet as one self-contained HTML page.

    Parameters
    ----------
    paper : "a4" or "letter" fixes the size it prints on; None leaves that to the browser's dialog,
        and either holds it on one page. Raises KeyError for another.
    """
    size = PAPERS[paper] if paper else "auto"
    style = f"@page {{ size: {size}; margin: 9mm; }}\n{DOCUMENT_STYLE}"
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
    return f'<style>{STYLE}</style><article class="tradeoff-sheet">{"".join(parts)}</article>'


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


# Sizes are in em: the page prints at DOCUMENT_STYLE's size, and follows the text around it in a
# notebook. Fonts of one width, so that it takes one page everywhere. JupyterLab styles tables by
# row, hence the long selectors for them.
STYLE = """
.tradeoff-sheet { --line: color-mix(in srgb, currentColor 28%, transparent); --row: .2em;
  font-family: Arial, Helvetica, "Liberation Sans", "DejaVu Sans Condensed", sans-serif;
  font-size-adjust: .519; line-height: 1.27; max-width: 76em; }
.tradeoff-sheet * { box-sizing: border-box; text-wrap: pretty; }
.tradeoff-sheet :is(h1, h2, h3, p, ul, ol, li, table, caption) { margin: 0; padding: 0; }
.tradeoff-sheet :is(ul, ol) { list-style: none; }
.tradeoff-sheet header > :first-child { font-size: 1.9em; line-height: 1.1; font-weight: 700; }
.tradeoff-sheet header ol { display: flex; flex-wrap: wrap; gap: 0 1.1em; margin: .3em 0 .35em;
  font-weight: 700; counter-reset: step; }
.tradeoff-sheet header li { counter-increment: step; }
.tradeoff-sheet header li::before { content: counter(step) "\\2002"; font-weight: 400; }
.tradeoff-sheet section { margin-top: .8em; break-inside: avoid; }
.tradeoff-sheet section > :is(h2, h3), .tradeoff-sheet caption > * { font-size: 1.12em;
  line-height: 1.2; font-weight: 700; text-align: left; padding-bottom: .15em;
  border-bottom: 2px solid currentColor; }
.tradeoff-sheet .columns { display: grid; column-gap: 1.6em; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(24em, 1fr)); }

.tradeoff-sheet table { width: 100%; border: 0; border-collapse: collapse; font-size: 1em; }
.tradeoff-sheet caption { caption-side: top; color: inherit; }
.tradeoff-sheet table > :is(thead, tbody) > tr:nth-child(n) { background: none; border: 0;
  border-bottom: 1px solid var(--line); }
.tradeoff-sheet table > * > tr > :is(th, td) { border: 0; padding: var(--row) .6em var(--row) 0;
  max-width: none; text-align: left; vertical-align: top; white-space: normal; font-weight: 400; }
.tradeoff-sheet table > * > tr > :last-child { padding-right: 0; }
.tradeoff-sheet table > thead > tr > th { font-size: .9em; }
.tradeoff-sheet table > tbody > tr > th { white-space: nowrap; padding-right: 1em; }
.tradeoff-sheet .micro-batch thead :nth-child(2) { width: 33%; }
.tradeoff-sheet .state thead :nth-child(2) { width: 36%; }
.tradeoff-sheet .daily-cost table > * > tr > :not(:first-child) { text-align: right; }
.tradeoff-sheet .dimensions table > * > tr > :first-child { padding-left: .5em; font-weight: 700;
  border-left: .5em solid transparent; }
.tradeoff-sheet .dimensions tbody > tr:nth-child(1) > th { border-left-color: #0072B2; }
.tradeoff-sheet .dimensions tbody > tr:nth-child(2) > th { border-left-color: #D55E00; }
.tradeoff-sheet .dimensions tbody > tr:nth-child(3) > th { border-left-color: #009E73; }
.tradeoff-sheet .dimensions tbody > tr:nth-child(4) > th { border-left-color: #CC79A7; }
.tradeoff-sheet .note { padding-top: .25em; font-size: .9em; }

.tradeoff-sheet section > div > ul > li { padding: var(--row) 0;
  border-bottom: 1px solid var(--line); }
.tradeoff-sheet section > div > div { margin-top: .3em; }
.tradeoff-sheet section > div > div li { padding: .06em 0 .06em .8em; text-indent: -.8em; }
.tradeoff-sheet section > div > div li::before { content: "\\2013"; display: inline-block;
  width: .8em; text-indent: 0; }
.tradeoff-sheet .questions > div { display: grid; column-gap: 1.2em;
  grid-template-columns: 1fr 1fr; }
.tradeoff-sheet :is(.claim, .model) { font-weight: 700; font-variant-numeric: tabular-nums; }
.tradeoff-sheet :is(.claim, .model, .given) { white-space: nowrap; }
.tradeoff-sheet footer { margin-top: .8em; font-size: .85em; }
"""
# Outweighs the fragment's own styles, which follow. A4 is taller than Letter: more room a row.
DOCUMENT_STYLE = f"""
body {{ margin: 0; background: #fff; color: {memo.INK}; font-size: 15px; }}
main {{ padding: 1.5rem; }}
main .tradeoff-sheet {{ margin: 0 auto; }}
@media print {{
body {{ font-size: 8.4pt; }} main {{ padding: 0; }}
main .tradeoff-sheet {{ max-width: none; }}
main .tradeoff-sheet .columns {{ grid-template-columns: 1fr 1fr; }}
}}
@media print and (min-height: 270mm) {{ main .tradeoff-sheet {{ --row: .27em; }} }}
"""
