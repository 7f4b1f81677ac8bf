"""The command `tradeoff`: open the course, and say what this machine lacks for each part of it."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tradeoff import course


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
    environment = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"}
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
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return doctor()
    try:
        return open_course(chosen.folder, not chosen.no_browser, chosen.jupyterlab)
    except OSError as error:
        print(f"tradeoff: the course cannot be opened: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
