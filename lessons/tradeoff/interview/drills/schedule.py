"""When each question comes again: FSRS, told of every review in order.

A wrong answer comes again after ten minutes, a right one after days that grow with each success.
Nothing random is added to the days: the same reviews give the same schedule in every kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from fsrs import Card, Rating, Scheduler

from tradeoff.interview.drills.store import Review

SOON = timedelta(minutes=10)
SCHEDULER = Scheduler(learning_steps=[SOON], relearning_steps=[SOON], enable_fuzzing=False)


def cards(reviews: Iterable[Review]) -> dict[str, Card]:
    """What FSRS holds of each question, by its id, after reviews given oldest first."""
    found: dict[str, Card] = {}
    for review in reviews:
        before = found.get(review.question) or Card(card_id=0, due=review.at)
        found[review.question] = reviewed(before, review.rating, review.at)
    return found


def reviewed(card: Card, rating: Rating, at: datetime) -> Card:
    """The card after one more review (`at` in UTC)."""
    return SCHEDULER.review_card(card, rating, at)[0]


def due(known: Mapping[str, Card], now: datetime) -> list[str]:
    """Questions whose time has come, the longest due first."""
    ready = [name for name, card in known.items() if card.due <= now]
    return sorted(ready, key=lambda name: known[name].due)


def retrievability(card: Card, now: datetime) -> float:
    """FSRS's chance, 0 to 1, that the question would be known now, if it was known last time."""
    return float(SCHEDULER.get_card_retrievability(card, now))
