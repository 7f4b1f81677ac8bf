"""`tradeoff mock`: a mock interview of 25 minutes in the terminal."""

import argparse
import sys
from datetime import UTC, datetime

from tradeoff.cli.console import UNREADABLE, Commands, survive_any_console


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "mock",
        help="a mock interview of 25 minutes; --list shows the cases, --tries the earlier ones",
        description="What you say is kept beside the answers of tradeoff drill, as it is said, "
        "with a transcript at the end. Ctrl-C or Ctrl-D ends it and loses nothing. Nothing leaves "
        "this machine.",
    )
    parser.add_argument("--case", metavar="NAME", help="as --list names it (else one is drawn)")
    parser.add_argument("--seed", type=int, metavar="N", help="draws the same numbers again")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", dest="listed", help="the cases, by industry")
    what.add_argument("--tries", action="store_true", help="earlier tries, with their scores")
    parser.set_defaults(run=mock)


def mock(chosen: argparse.Namespace) -> int:
    """Hold an interview or list what there is; the exit code is 2 where it cannot be done."""
    from tradeoff.interview import mocks
    from tradeoff.interview.mocks.screens import terminal

    survive_any_console()
    if chosen.listed:
        for name, industry in mocks.industries().items():
            print(f"{name:20} {industry}")
        return 0
    if chosen.tries:
        print(terminal.table(mocks.tries()))
        return 0
    now = datetime.now(UTC)
    try:
        case = mocks.choose(chosen.case, chosen.seed, now)
    except ValueError as error:
        print(f"tradeoff mock: {error}", file=sys.stderr)
        return UNREADABLE
    terminal.run(case, mocks.Keeper(case.name, now))
    return 0
