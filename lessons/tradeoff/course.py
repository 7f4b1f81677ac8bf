"""Where the course's files are, and the learner's own copy of them.

In a checkout the course is the repository itself. An installed wheel carries it in
`tradeoff/_course`, where nobody should work: `copy_to` lays it in a folder of the learner's and
brings that folder up to date later without losing a line of theirs.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
MANIFEST = ".tradeoff-course.json"


def checkout() -> Path | None:
    """The repository this package runs from, or None if it runs from an installed wheel."""
    root = PACKAGE.parents[1]
    return root if (root / "lessons" / PACKAGE.name / "course.py").is_file() else None


def home() -> Path:
    """The folder that holds `lessons/`, `exercises/` and `data/`."""
    return checkout() or PACKAGE / "_course"


def files(root: Path) -> dict[str, Path]:
    """What a learner gets: the notebooks, the exercises and the tables, by relative POSIX path."""
    found = [*root.glob("lessons/*.ipynb"), *root.glob("exercises/**/*"), *root.glob("data/**/*")]
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(found)
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }


def lessons() -> list[str]:
    """The notebooks of the course as it is here, in their order, by relative POSIX path."""
    return [name for name in files(home()) if name.startswith("lessons/")]


@dataclass
class Copied:
    """What `copy_to` did, as relative paths: laid new, updated, and put beside a changed file."""

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)


def copy_to(folder: Path, root: Path | None = None) -> Copied:
    """Lay the course from `root` (default: this package's own) in `folder`, or bring it up to date.

    A manifest in `folder` keeps the hash of each file as the course gave it. A file that still has
    that hash is the course's and is updated. Any other is the learner's and stays; if the course
    has a newer version than the one given, that one is laid beside it as `NAME.new.ipynb`, once.
    A file the learner deleted comes back. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given, done = _read_manifest(folder), Copied()
    for name, source in files(root or home()).items():
        content, target = source.read_bytes(), folder / name
        latest, before = _hash(content), given.get(name)
        now = _hash(target.read_bytes()) if target.exists() else None
        if now is None:
            _write(target, content)
            done.new.append(name)
        elif now == before != latest:
            _write(target, content)
            done.updated.append(name)
        elif latest not in (now, before):
            beside = _free_name(target, (before, latest))
            _write(beside, content)
            done.beside[name] = beside.relative_to(folder).as_posix()
        given[name] = latest
    _write(folder / MANIFEST, json.dumps(given, indent=1).encode())
    return done


def _free_name(target: Path, ours: tuple[str | None, ...]) -> Path:
    """NAME.new.ipynb, or NAME.new2.ipynb … if the learner has worked in the former, too."""
    number = 1
    while True:
        path = target.with_suffix(f".new{number if number > 1 else ''}{target.suffix}")
        if not path.exists() or _hash(path.read_bytes()) in ours:
            return path
        number += 1


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        given = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # with nothing known, every file counts as the learner's
    return given if isinstance(given, dict) else {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all: half a file would pass for the learner's work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
