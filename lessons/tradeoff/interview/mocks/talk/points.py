"""Free-text answers: what a strong one holds, point by point, ticked by the candidate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One thing a strong answer says, and the dimension of the rubric that it counts for."""

    dimension: str
    says: str


@dataclass(frozen=True)
class Question:
    """A question answered in free words: what is asked, a strong answer, and its points."""

    key: str
    asks: str
    strong: str
    points: tuple[Point, ...]
