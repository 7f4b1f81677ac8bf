"""The learner's answers: one file, `drills.json`, in the learner's own folder, and its export.

    {"version": 1, "interview": "2026-12-05" or null, "reviews": [{"id": ..., "at": ..., ...}, ...]}

Reviews are all there is: when a question comes again, levels and readiness follow from them, so
two kernels' files merge by joining their reviews, and a newer scheduler reads the same file. One
of a question that the bank no longer has, or not yet, is kept and counts for nothing.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fsrs import Rating

from tradeoff.interview import kept
from tradeoff.interview.kept import Content, Kept

FILE = "drills.json"


@dataclass(frozen=True)
class Review:
    """One answer to one question.

    Attributes
    ----------
    at : when, in UTC. seconds : from the question to the answer.
    question, seed : `bank` asks it again, with the same numbers, by `asked(seed)`.
    answer : as given; "" for "I don't know". held : the rubric's points that were ticked.
    judged : "right", "partly right", "wrong" or "not known". share : of the points, 0 to 1.
    rating : as FSRS counts: 1 Again, 2 Hard, 3 Good, 4 Easy.
    asked_by : "drill" or "diagnostic". id : names the review, so that files can be joined.
    """

    at: datetime
    question: str
    seed: int
    answer: str
    judged: str
    share: float
    rating: Rating
    seconds: float = 0.0
    held: tuple[str, ...] = ()
    asked_by: str = "drill"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def as_json(self) -> Content:
        own = {"at": self.at.isoformat(), "rating": int(self.rating), "held": list(self.held)}
        return asdict(self) | own

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Review:
        """Raises ValueError, TypeError or KeyError for a row that is no review."""
        known = {each.name for each in fields(cls)}
        return cls(
            **{name: value for name, value in row.items() if name in known}
            | {
                "at": datetime.fromisoformat(row["at"]).astimezone(UTC),
                "share": float(row["share"]),
                "rating": Rating(row["rating"]),
                "held": tuple(row.get("held", ())),
            }
        )


class Store:
    """What the learner has answered so far; `drills.json` in the learner's folder unless named."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = Kept(
            path or kept.folder() / FILE, {"interview": None, "reviews": []}, check=_check
        )
        self._content = self._file.read()

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def notes(self) -> list[str]:
        """Sentences for the learner: a file set aside, answers that cannot be saved."""
        return self._file.notes

    @property
    def reviews(self) -> tuple[Review, ...]:
        """All that can be read, oldest first, as of the last `keep` or `refresh`."""
        found = []
        for row in self._content["reviews"]:
            try:
                found.append(Review.of(row))
            except (ValueError, TypeError, KeyError):
                continue  # of a hand or a version that is not ours: kept, and not counted
        return tuple(sorted(found, key=lambda review: review.at))

    @property
    def interview(self) -> date | None:
        """The day of the interview, if the learner has named it."""
        try:
            return date.fromisoformat(self._content["interview"])
        except (ValueError, TypeError, KeyError):
            return None

    def refresh(self) -> None:
        """Read what other kernels have written since."""
        self._content = self._file.read()

    def keep(self, review: Review) -> None:
        """Write a review, in place of the one of the same id if there is one."""
        row = review.as_json()

        def join(content: Content) -> Content:
            others = [each for each in content["reviews"] if each.get("id") != review.id]
            return {**content, "reviews": [*others, row]}

        self._content = self._file.update(join)

    def set_interview(self, day: date | None) -> None:
        """Keep the day of the interview."""
        said = None if day is None else day.isoformat()
        self._content = self._file.update(lambda content: {**content, "interview": said})


def _check(content: Content) -> None:
    if not all(isinstance(each, dict) for each in content["reviews"]):
        raise TypeError("reviews must be a list of objects")


def export(path: str | Path, store: Store | None = None) -> Path:
    """Write every review to a table, `.csv`, or to `.json`; returns where.

    Raises ValueError for another ending, OSError where it cannot be written.
    """
    target = Path(path).expanduser()
    rows = [review.as_json() for review in (store or Store()).reviews]
    match target.suffix.lower():
        case ".json":
            target.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        case ".csv":
            with open(target, "w", encoding="utf-8", errors="replace", newline="") as file:
                table = csv.DictWriter(file, [each.name for each in fields(Review)])
                table.writeheader()
                table.writerows({**row, "held": " | ".join(row["held"])} for row in rows)
        case _:
            raise ValueError(f"an export ends in .csv or .json, got {target.name!r}")
    return target
