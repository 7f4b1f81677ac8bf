"""`tradeoff open`: the course in JupyterLab."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tradeoff import course
from tradeoff.cli.console import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("open", help="open the course in JupyterLab")
    parser.add_argument(
        "--folder", type=Path, help="work on a copy there (an installed course: ./tradeoff-course)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("jupyterlab", nargs="*", help="after --: arguments for JupyterLab itself")
    parser.set_defaults(run=_opened)


def _opened(chosen: argparse.Namespace) -> int:
    try:
        return open_course(chosen.folder, not chosen.no_browser, chosen.jupyterlab)
    except OSError as error:
        print(f"tradeoff: the course cannot be opened: {error}", file=sys.stderr)
        return 1


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
    if lessons := course.lessons():
        command.append(f"--LabApp.default_url=/lab/tree/{lessons[0]}")
    command.append("--log-level=ERROR")  # or its log pushes these two lines out of sight
    if not browser:
        command.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # root in a container: JupyterLab would refuse to start
    print(f"The course is in {folder}")
    print("To stop it: File > Shut Down in JupyterLab, or Ctrl-C here, twice.", flush=True)
    return _run([*command, *jupyterlab], folder)


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
