"""`tradeoff lab`: every system of the lessons on this machine."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tradeoff.cli.console import UNREADABLE, Commands, survive_any_console

PREDICTED = """\
predicted: from runs of at most a third of the orders, as an overhead a run and a cost an order. It
is far off where an order does not cost the same at every size: a small table in C++ stays in the
processor's cache, and a JVM has not warmed up yet."""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "lab", help="which real engines can run here; --run measures them side by side"
    )
    parser.add_argument(
        "--run",
        dest="run_these",
        nargs="*",
        metavar="NAME",
        help="these systems; without a name, all that can",
    )
    parser.add_argument(
        "--orders", type=int, default=300_000, help="of the largest busy run (300000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=12.0, help="that orders arrive in a paced run (12)"
    )
    parser.add_argument("--out", type=Path, metavar="TABLE.csv", help="write every figure there")
    parser.set_defaults(
        run=lambda chosen: lab(chosen.run_these, chosen.orders, chosen.seconds, chosen.out)
    )


def lab(names: Sequence[str] | None, orders: int, seconds: float, out: Path | None) -> int:
    """Print which of the lab's systems can run here, or run some and print what they did."""
    from tradeoff.lab.systems import side_by_side
    from tradeoff.lab.systems.processes import LabError

    survive_any_console()
    if names is None:
        table = side_by_side.available()
        here = table["lacks"].mask(table["runs_here"], "runs here")
        fetches = table["fetches_mb"].map(lambda mb: f"{mb} MB" if mb else "")
        shown = table[["system", "rhythm"]].assign(here=here, downloads_once=fetches)
        print(shown.to_string(index=False, justify="left", max_colwidth=100))
        print(
            "\nThese run with: tradeoff lab --run [NAME ...]. Snowflake is a service: not run, but"
        )
        print("priced by tradeoff.lab.systems.warehouse.")
        return 0
    try:
        rows = side_by_side.run(names or None, orders=orders, seconds=seconds, progress=print)
        if out:
            rows.to_csv(out, index=False)
    except (LabError, ValueError, OSError) as error:
        print(f"tradeoff lab: {error}", file=sys.stderr)
        return UNREADABLE
    print(side_by_side.shown(rows).to_string(index=False))
    print(f"\n{rows['machine'].iloc[0]}")
    print(PREDICTED)
    return 0
