"""`tradeoff doctor`: what this machine has and lacks for each part of the course."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata

from tradeoff import course
from tradeoff.cli.console import Commands
from tradeoff.interview.sheet.browser import browser


def add(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="what this machine has and lacks for each part")
    parser.set_defaults(run=lambda chosen: doctor())


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
    lab = [each for each in requirements if _extra(each) == "lab"]
    lessons = f"{len(course.lessons())} in {course.home()}" if course.lessons() else None
    parts = {
        COURSE: [
            Item("Python", sys.version.split()[0], "install Python 3.11 or newer"),
            Item("lessons", lessons, "fetch the course anew: its notebooks are gone"),
            *(_package(each) for each in runtime if each not in grading),
        ],
        "Grading": [_package(each) for each in grading],
        "The lab of real engines (optional)": [
            *(_package(each) for each in lab),
            _program("Java 17+", _java(), "default-jdk", "openjdk", "scoop install openjdk"),
            _program("Maven", _which("mvn"), "maven", "maven", "scoop install maven"),
            _program("C++ compiler", _which("g++", "clang++"), "g++", "gcc", "scoop install gcc"),
        ],
    }
    if course.checkout():
        named = {_name(each) for each in lab}
        tools = [each for each in requirements if _extra(each) == "dev"]
        parts["Tests"] = [_package(each) for each in tools if _name(each) not in named]
        parts["Tests"].append(
            _program("Chromium", browser(), "chromium", "--cask chromium", "scoop install chromium")
        )
    return parts


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0]


def _extra(requirement: str) -> str:
    """The extra that a requirement belongs to, "" for those of the course itself."""
    found = re.search(r"extra == ['\"](\w+)", requirement)
    return found[1] if found else ""


def _package(requirement: str) -> Item:
    specifier = requirement.partition(";")[0].strip()
    name = _name(requirement)
    if course.checkout():
        command = {"lab": " lab", "dev": " test"}.get(_extra(requirement), "")
        advice = "python3 lessons/start.py" + command
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
            print(f"  {item.name:23} {found}")
    return int(not all(item.found for item in parts[COURSE]))
