"""Tries kept: one a file in the learner's folder, and a transcript to read beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tradeoff.interview import kept
from tradeoff.interview.kept import Kept
from tradeoff.interview.mocks.talk.session import FACT, PASS, Mock
from tradeoff.interview.mocks.talk.transcript import transcript

VERSION = 1


def folder() -> Path:
    """Where tries are."""
    return kept.folder() / "mocks"


class Keeper:
    """Writes one try, as often as something is said: `Mock(..., keep=Keeper(...))`.

    Attributes
    ----------
    path : the file with the data; the transcript has the same name and ends in .md.
    """

    def __init__(self, case: str, started: datetime, place: Path | None = None) -> None:
        where = place or folder()
        stem = f"{started:%Y-%m-%d-%H%M%S}-{case}"
        path, count = where / f"{stem}.json", 1
        while path.exists():  # two tries within a second
            count += 1
            path = where / f"{stem}-{count}.json"
        self._kept = Kept(path, {}, VERSION)

    @property
    def path(self) -> Path:
        return self._kept.path

    @property
    def transcript(self) -> Path:
        return self.path.with_suffix(".md")

    @property
    def notes(self) -> list[str]:
        """Sentences for the candidate when something could not be saved."""
        return self._kept.notes

    def __call__(self, mock: Mock) -> None:
        content = as_data(mock)
        self._kept.update(lambda _: {"version": VERSION, **content})
        if mock.over:
            _write(self.transcript, transcript(mock))


def as_data(mock: Mock) -> dict[str, Any]:
    """A try as plain data: what was said, the design, the rubric."""
    result = mock.result if mock.over and mock.answered else None
    return {
        "case": mock.case.name,
        "seed": mock.case.seed,
        "started": mock.started.isoformat(),
        "stage": mock.stage.value,
        "quit_at": mock.quit_at,
        "skipped": list(mock.skipped),
        "entries": [asdict(entry) for entry in mock.entries],
        "design": None if mock.proposed is None else mock.proposed.sketch.facts(),
        "seconds": round(max((entry.at_seconds for entry in mock.entries), default=0.0), 1),
        "percent": None if result is None else result.percent,
        "judged_percent": None if result is None else result.judged_percent,
        "rubric": [] if result is None else [asdict(item) for item in result.items],
        "repeat": [] if result is None else list(result.repeat),
    }


@dataclass(frozen=True)
class Try:
    """An earlier try, as the list shows it.

    `percent` is None when it did not come to an end, or nothing was `answered`.
    """

    case: str
    seed: int
    started: datetime
    stage: str
    quit_at: str
    percent: int | None
    judged_percent: int | None
    answered: bool
    path: Path


def tries(place: Path | None = None) -> list[Try]:
    """Earlier tries, the newest first; a file that cannot be read is passed over."""
    where, found = place or folder(), []
    if not where.is_dir():
        return []
    for path in sorted(where.glob("*.json")):
        try:
            found.append(_try(Kept(path, {}, VERSION).read(), path))
        except (KeyError, ValueError, TypeError):
            continue
    return sorted(found, key=lambda one: one.started, reverse=True)


def _try(content: Mapping[str, Any], path: Path) -> Try:
    answered = any(one["key"] != FACT and one["said"] != PASS for one in content["entries"])
    return Try(
        str(content["case"]),
        int(content["seed"]),
        datetime.fromisoformat(content["started"]),
        str(content["stage"]),
        str(content["quit_at"]),
        content["percent"] if answered else None,
        content["judged_percent"] if answered else None,
        answered,
        path.with_suffix(".md"),
    )


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError:
        return  # the data file's own notes say that the folder cannot be written
