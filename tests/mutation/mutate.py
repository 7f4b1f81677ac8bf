"""Mutation testing: does an assignment's check notice every small change to its solution?

    uv run --no-project --python .venv --with "mutmut>=3.8,<4" tests/mutation/mutate.py NAME

from the root of a checkout whose tests have run once (they bring `.venv`); NAME is one of the five
assignments. It takes one core for one to ten minutes. mutmut changes the functions of
`solutions/NAME` one place at a time. A change is killed when the check of its function no longer
gives full marks (`full_marks.py`), or when it never ends. One that survives must stand in
`survivors.csv` with the reason: equivalent, or inside the tolerance that the task states. Exit code
1: one survives without a row, or a row's no longer does.

mutmut rather than cosmic-ray: it forks, so imports and drawn cases are paid once (0.1 s a change,
not 2 s), and it also changes arguments, assignments, strings and conditional expressions, of which
these functions are made. It needs Linux or macOS.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import solved
from solved import Mutant

HERE = Path(__file__).resolve().parent
CONFIGURATION = """\
[tool.mutmut]
source_paths = ["solution.py"]
timeout_constant = 4.0
timeout_multiplier = 8.0
use_git_change_detection = false
"""
DEAD = {"killed", "timeout"}


def mutmut(folder: Path, environment: dict[str, str], *words: str) -> str:
    """Call mutmut there and return what it prints; a terminal is shown how far a run has come."""
    command = shutil.which("mutmut")
    if command is None:
        sys.exit(f"no mutmut here; start this as its first lines say:\n\n{__doc__}")
    shown = words[0] == "run" and sys.stdout.isatty()
    done = subprocess.run(
        [command, *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=not shown,
        encoding="utf-8",
    )
    if done.returncode:
        sys.exit(f"mutmut {words[0]} failed\n{done.stdout or ''}{done.stderr or ''}")
    return done.stdout or ""


def tried(assignment: str) -> Iterator[tuple[str, Mutant]]:
    """Each mutant of a solution and its status in mutmut's words."""
    environment = {
        "ASSIGNMENT": assignment,
        "OPENBLAS_NUM_THREADS": "1",  # threads do not outlive a fork
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(HERE.parent),
        "PYTHONUTF8": "1",
    }
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
        (folder / "solution.py").write_text(solved.module(assignment), encoding="utf-8")
        shutil.copy(HERE / "full_marks.py", folder / "test_full_marks.py")
        mutmut(folder, environment, "run", "--max-children", "1")
        for line in mutmut(folder, environment, "results", "--all", "true").splitlines():
            mutant, _, status = line.strip().partition(": ")
            function = mutant.removeprefix("solution.x_").partition("__mutmut_")[0]
            alive = status not in DEAD
            diff = mutmut(folder, environment, "show", mutant).splitlines() if alive else []
            was, becomes = (_changed(diff, sign) for sign in "-+")
            yield status, Mutant(assignment, function, was, becomes)


def _changed(diff: list[str], sign: str) -> str:
    lines = [line[1:].strip() for line in diff if line.startswith(sign)]
    return "\n".join(lines[1:])  # the first names the file


def main() -> int:
    names = solved.names()
    parser = argparse.ArgumentParser(description="Try every small change to a solution.")
    parser.add_argument("assignment", metavar="NAME", choices=names, help=", ".join(names))
    assignment = parser.parse_args().assignment
    began = time.monotonic()
    results = list(tried(assignment))
    whys = {mutant: why for mutant, why in solved.explained() if mutant.assignment == assignment}
    alive = Counter(mutant for status, mutant in results if status not in DEAD)

    print(f"{'function':28}{'changes':>8}{'killed':>8}{'endless':>8}{'alive':>8}")
    for function in dict.fromkeys(mutant.function for _, mutant in results):
        of_it = [status for status, mutant in results if mutant.function == function]
        killed, endless = of_it.count("killed"), of_it.count("timeout")
        rest = len(of_it) - killed - endless
        print(f"{function:28}{len(of_it):8}{killed:8}{endless:8}{rest:8}")
    unexplained = [mutant for mutant in alive.elements() if mutant not in whys]
    dead = len(results) - alive.total()
    print(
        f"{assignment}: {dead} of {len(results)} killed ({dead / len(results):.1%}), "
        f"{alive.total() - len(unexplained)} explained, {len(unexplained)} unexplained; "
        f"{time.monotonic() - began:.0f} s"
    )
    for mutant in unexplained:
        was, becomes = (lines.replace("\n", "\n    ") for lines in (mutant.was, mutant.becomes))
        print(f"\nsurvives in {mutant.function}:\n  - {was}\n  + {becomes}")
    gone = [mutant for mutant in whys if mutant not in alive]
    for mutant in gone:
        print(f"\nno longer survives, delete its row: {mutant.function}: {mutant.becomes}")
    return int(bool(unexplained or gone))


if __name__ == "__main__":
    sys.exit(main())
