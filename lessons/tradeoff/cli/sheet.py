"""`tradeoff sheet`: the cheat sheet for an interview, as a page to print."""

import argparse
import sys
from pathlib import Path

from tradeoff.cli.console import UNREADABLE, Commands, survive_any_console


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "sheet",
        help="write the cheat sheet for an interview: one page, HTML or PDF",
        description="Exit code: 0 the page is written, 2 it is not. A PDF is printed by Chromium, "
        "Chrome or Edge, whichever is here; the HTML prints from any browser.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="SHEET.html|.pdf")
    parser.add_argument(
        "--paper", choices=("a4", "letter"), help="for a PDF A4, else what the browser prints on"
    )
    parser.set_defaults(run=write_sheet)


def write_sheet(chosen: argparse.Namespace) -> int:
    """Write the page and say where; the file is there whole, or as it was."""
    from tradeoff.interview import sheet

    survive_any_console()
    try:
        sheet.write(chosen.out, chosen.paper)
    except (sheet.SheetError, OSError) as error:
        print(f"tradeoff sheet: {error}", file=sys.stderr)
        return UNREADABLE
    print(f"The cheat sheet is in {chosen.out.absolute()}")
    return 0
