"""`tradeoff assignment` and `tradeoff results`: for authors and teachers."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tradeoff import course
from tradeoff.cli.console import UNREADABLE, Commands, survive_any_console

if TYPE_CHECKING:
    import pandas as pd


def add(commands: Commands) -> None:
    author = commands.add_parser(
        "assignment",
        help="check an assignment as its author (in a checkout)",
        description="Exit code: 0 all is well, 1 something is not, 2 there is nothing to check.",
    )
    author.add_argument("names", nargs="*", metavar="NAME", help="without one, every assignment")
    author.set_defaults(run=lambda chosen: check_assignments(chosen.names))
    results = commands.add_parser(
        "results", help="what a class got right and wrong, check by check (after autograde)"
    )
    results.add_argument("name", metavar="NAME", help="the assignment")
    results.add_argument(
        "--folder",
        type=Path,
        default=Path("classroom"),
        help="where nbgrader's folders are (else ./classroom)",
    )
    results.add_argument("--out", type=Path, metavar="PICTURE.svg", help="draw it there")
    results.add_argument("--csv", type=Path, metavar="TABLE.csv", help="a row a student and check")
    results.set_defaults(
        run=lambda chosen: class_results(chosen.name, chosen.folder, chosen.out, chosen.csv)
    )


def check_assignments(names: Sequence[str]) -> int:
    """Print what an author has to mend before an assignment goes out."""
    root = course.checkout()
    if root is None:
        print("tradeoff assignment: solutions are only in a checkout", file=sys.stderr)
        return UNREADABLE
    from tradeoff.checks import authoring

    if unknown := set(names) - set(authoring.names(root)):
        print(
            f"tradeoff assignment: solutions/ has no {', '.join(sorted(unknown))}; "
            f"it has {', '.join(authoring.names(root))}",
            file=sys.stderr,
        )
        return UNREADABLE
    survive_any_console()
    return authoring.examine(root, list(names))


def class_results(name: str, folder: Path, picture: Path | None, table: Path | None) -> int:
    """Print how many students are in which state for each check, and which misconceptions."""
    from tradeoff.checks import results

    try:
        found, order = results.read(folder / "autograded", name), results.order(name)
        summary = results.by_check(found, order)
        if table:
            found.to_csv(table, index=False)
        if picture:
            _draw_results(results.counted(found), order, found["student"].nunique(), picture)
    except (LookupError, OSError) as error:
        print(f"tradeoff results: {error}", file=sys.stderr)
        return UNREADABLE
    survive_any_console()
    print(f"{name}: {found['student'].nunique()} students")
    shares = summary["share"].map("{:.0%}".format)
    print(summary.assign(share=shares).to_string(index=False, max_colwidth=70))
    return 0


def _draw_results(counts: "pd.DataFrame", order: list[str], students: int, picture: Path) -> None:
    import vl_convert

    from tradeoff.charts.results import class_results as chart

    title = f"{students} students, check by check"
    svg = vl_convert.vegalite_to_svg(chart(counts, order, title).to_dict())
    # A picture on its own takes its ink from nowhere, and has no page behind it.
    picture.write_text(
        svg.replace("<svg ", '<svg style="color: #222; background: #fff" ', 1), "utf-8"
    )
