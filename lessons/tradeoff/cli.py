"""The command `tradeoff`: open the course, see what lacks, diagnose a pipeline, teach, measure."""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from tradeoff import course

if TYPE_CHECKING:
    import pandas as pd


def open_course(folder: Path | None, browser: bool, jupyterlab: Sequence[str]) -> int:
    """Run JupyterLab on the course until the learner stops it, and return its exit code.

    In a checkout the course is opened in place, unless a `folder` is named; from a wheel, on a
    copy in `folder` (default `./tradeoff-course`).
    """
    if folder is None and (root := course.checkout()):
        folder = root
    else:
        folder = (folder or Path("tradeoff-course")).resolve()
        _report(course.copy_to(folder))
    # Jupyter runs a kernel that says "python" with its own sys.executable: this very Python.
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    if lessons := _lessons():
        command.append(f"--LabApp.default_url=/lab/tree/{lessons[0]}")
    command.append("--log-level=ERROR")  # or its log pushes these two lines out of sight
    if not browser:
        command.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # root in a container: JupyterLab would refuse to start
    print(f"The course is in {folder}")
    print("To stop it: File > Shut Down in JupyterLab, or Ctrl-C here, twice.", flush=True)
    return _run([*command, *jupyterlab], folder)


def _lessons() -> list[str]:
    return [name for name in course.files(course.home()) if name.startswith("lessons/")]


def _report(copied: course.Copied) -> None:
    if copied.new:
        print(f"Laid out {len(copied.new)} new files.")
    if copied.updated:
        print(f"Updated {len(copied.updated)} files that you had not changed.")
    for name, beside in copied.beside.items():
        print(f"You changed {name}: it stays yours, and the newer version is {beside}")


def _run(command: Sequence[str], folder: Path) -> int:
    """Run JupyterLab to its end; Ctrl-C is its own to answer: it asks before it stops."""
    # Without the variable a kernel in the learner's home could stand before this environment's.
    # The tables of the copy are the ones its notebooks read, so that an edit has an effect.
    tables = {"TRADEOFF_DATA": str(folder / "data")} if (folder / "data").is_dir() else {}
    environment = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"} | tables
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code


@dataclass(frozen=True)
class Item:
    """One thing that a part needs: what was found of it, None if nothing, and how to get it."""

    name: str
    found: str | None
    advice: str


COURSE = "The course"


def diagnose() -> dict[str, list[Item]]:
    """What each part of the course needs, and what of it is here. Imports none of it."""
    requirements = metadata.requires("tradeoff") or []
    runtime = [each for each in requirements if "extra ==" not in each]
    grading = [each for each in runtime if each.startswith("nbgrader")]
    lessons = f"{len(_lessons())} in {course.home()}" if _lessons() else None
    parts = {
        COURSE: [
            Item("Python", sys.version.split()[0], "install Python 3.11 or newer"),
            Item("lessons", lessons, "fetch the course anew: its notebooks are gone"),
            *(_package(each) for each in runtime if each not in grading),
        ],
        "Grading": [_package(each) for each in grading],
        "Engines on Java and C++ (optional)": [
            _program("Java 17+", _java(), "default-jdk", "openjdk", "scoop install openjdk"),
            _program("Maven", _which("mvn"), "maven", "maven", "scoop install maven"),
            _program("C++ compiler", _which("g++", "clang++"), "g++", "gcc", "scoop install gcc"),
        ],
    }
    if course.checkout():
        parts["Tests"] = [_package(each) for each in requirements if each not in runtime]
        browser = _which("chromium", "chromium-browser", "google-chrome", "chrome", *BROWSERS)
        parts["Tests"].append(
            _program("Chromium", browser, "chromium", "--cask chromium", "scoop install chromium")
        )
    return parts


# Where a browser is when it is not on the PATH: macOS and Windows.
BROWSERS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)


def _package(requirement: str) -> Item:
    specifier = requirement.partition(";")[0].strip()
    name = re.split(r"[^\w.-]", specifier)[0]
    if course.checkout():
        advice = "python3 lessons/start.py" + (" test" if "extra ==" in requirement else "")
    else:
        advice = f'"{sys.executable}" -m pip install "{specifier}"'
    try:
        return Item(name, metadata.version(name), advice)
    except metadata.PackageNotFoundError:
        return Item(name, None, advice)


def _program(name: str, found: str | None, debian: str, brew: str, windows: str) -> Item:
    install = {"darwin": f"brew install {brew}", "win32": windows}
    return Item(name, found, install.get(sys.platform, f"apt-get install {debian}"))


def _which(*names: str) -> str | None:
    return next((path for path in map(shutil.which, names) if path), None)


def _java() -> str | None:
    """Where Java 17 or newer is. The `java` of a Mac without one is there, and fails."""
    java = shutil.which("java")
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    return java if version and int(version[1]) >= 17 else None


def doctor() -> int:
    """Print what this machine has and lacks; 0 if the course itself works here, else 1."""
    parts = diagnose()
    for part, items in parts.items():
        lacking = [item for item in items if not item.found]
        print(f"\n{part}: {f'{len(lacking)} missing' if lacking else 'ready'}")
        for item in items:
            found = item.found or f"MISSING  get it: {item.advice}"
            print(f"  {item.name:18} {found}")
    return int(not all(item.found for item in parts[COURSE]))


NOTHING_FAILS, FAILS, UNREADABLE, CANNOT_TELL = 0, 1, 2, 3


def diagnose_runs(chosen: argparse.Namespace) -> int:
    """Print what a run history says of its pipeline; the exit code says whether something fails.

    Only the files named are read and written; nothing leaves the machine.
    """
    from tradeoff import memo
    from tradeoff.diagnosis import HistoryError, diagnose, read_runs

    try:
        found = diagnose(
            read_runs(chosen.runs, dag_id=chosen.dag),
            read_runs(chosen.consumers) if chosen.consumers else None,
            name=chosen.name or chosen.runs.stem,
            columns=dict(chosen.column),
            run_window_hours=chosen.window,
            interval_hours=chosen.interval,
            budget_usd_per_day=chosen.budget,
            state_limit_bytes=chosen.state_limit,
        )
        if chosen.out:
            chosen.out.write_text(memo.html(found), encoding="utf-8")
    except (HistoryError, ValueError, OSError) as error:
        print(f"tradeoff diagnose: {error}", file=sys.stderr)
        return UNREADABLE
    _survive_any_console()
    print(memo.markdown(found) if chosen.markdown else memo.text(found), end="")
    if found.fails is None:
        return CANNOT_TELL
    return NOTHING_FAILS if found.fails == "none" else FAILS


def _column(text: str) -> tuple[str, str]:
    name, given, column = text.partition("=")
    if not given:
        raise argparse.ArgumentTypeError(f"say NAME=COLUMN, as in rows_read=n_in, not {text!r}")
    return name, column


def _add_diagnose(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "diagnose",
        help="what a pipeline's run history says: what fails, and the smallest change",
        description="Exit code: 0 nothing fails, 1 a dimension fails, 2 the files cannot be used, "
        "3 the history cannot tell. Nothing leaves this machine.",
    )
    parser.add_argument(
        "runs",
        type=Path,
        help="CSV or Parquet, an Airflow task-instance export, dbt run_results.json or Spark event "
        "logs (a file, or a folder of them)",
    )
    parser.add_argument(
        "--consumers", type=Path, help="CSV: name, freshness_seconds; deadline_hour, share"
    )
    parser.add_argument("--window", type=float, metavar="HOURS", help="the longest a run may take")
    parser.add_argument(
        "--interval", type=float, metavar="HOURS", help="between starts (else from the history)"
    )
    parser.add_argument("--budget", type=float, metavar="USD", help="a day")
    parser.add_argument("--state-limit", type=float, metavar="BYTES")
    parser.add_argument(
        "--column",
        type=_column,
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="a documented column's name in your file, where the guess is wrong",
    )
    parser.add_argument("--dag", help="which DAG of an Airflow export that has several")
    parser.add_argument("--name", help="what the pipeline is called")
    parser.add_argument("--out", type=Path, metavar="MEMO.html", help="write the memo there")
    parser.add_argument("--markdown", action="store_true", help="print the memo as Markdown")
    parser.set_defaults(command="diagnose")


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
    _survive_any_console()
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
    _survive_any_console()
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


def lab(names: Sequence[str] | None, orders: int, seconds: float, out: Path | None) -> int:
    """Print which of the lab's systems can run here, or run some and print what they did."""
    from tradeoff.lab.systems import side_by_side
    from tradeoff.lab.systems.processes import LabError

    _survive_any_console()
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
    return 0


def _add_lab(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "lab", help="which real engines can run here; --run measures them side by side"
    )
    parser.add_argument(
        "--run", nargs="*", metavar="NAME", help="these systems; without a name, all that can"
    )
    parser.add_argument(
        "--orders", type=int, default=300_000, help="of the largest busy run (300000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=12.0, help="that orders arrive in a paced run (12)"
    )
    parser.add_argument("--out", type=Path, metavar="TABLE.csv", help="write every figure there")


def _survive_any_console() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a Windows console may know no arrows
        sys.stdout.reconfigure(errors="replace")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tradeoff", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    opener = commands.add_parser("open", help="open the course in JupyterLab")
    opener.add_argument(
        "--folder", type=Path, help="work on a copy there (an installed course: ./tradeoff-course)"
    )
    opener.add_argument("--no-browser", action="store_true", help="only print the address")
    opener.add_argument("jupyterlab", nargs="*", help="after --: arguments for JupyterLab itself")
    commands.add_parser("doctor", help="what this machine has and lacks for each part")
    _add_diagnose(commands)
    author = commands.add_parser(
        "assignment",
        help="check an assignment as its author (in a checkout)",
        description="Exit code: 0 all is well, 1 something is not, 2 there is nothing to check.",
    )
    author.add_argument("names", nargs="*", metavar="NAME", help="without one, every assignment")
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
    _add_lab(commands)
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return doctor()
    if chosen.command == "diagnose":
        return diagnose_runs(chosen)
    if chosen.command == "assignment":
        return check_assignments(chosen.names)
    if chosen.command == "lab":
        return lab(chosen.run, chosen.orders, chosen.seconds, chosen.out)
    if chosen.command == "results":
        return class_results(chosen.name, chosen.folder, chosen.out, chosen.csv)
    try:
        return open_course(chosen.folder, not chosen.no_browser, chosen.jupyterlab)
    except OSError as error:
        print(f"tradeoff: the course cannot be opened: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
