"""The cheat sheet: one page made from the model and the claims, so that it cannot drift from them.

`contents` holds the words, `figures` the numbers in them, `page` the HTML, `files` writes it.
"""

from tradeoff.interview.sheet.files import SheetError, browser, write
from tradeoff.interview.sheet.page import document, fragment

__all__ = ["CheatSheet", "SheetError", "browser", "cheat_sheet", "document", "fragment", "write"]


class CheatSheet:
    """The sheet in a notebook: as the last line of a cell it shows itself."""

    def _repr_html_(self) -> str:
        return fragment()

    def __repr__(self) -> str:
        return "The cheat sheet shows in a notebook; `tradeoff sheet --out sheet.html` writes it."


def cheat_sheet() -> CheatSheet:
    """The cheat sheet, to show in a notebook's cell."""
    return CheatSheet()
