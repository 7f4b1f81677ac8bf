"""Sentences that terminal and widget have in common."""

from __future__ import annotations

from datetime import datetime

from tradeoff.interview.bank import FORMS
from tradeoff.interview.drills.diagnostic import Diagnostic
from tradeoff.interview.drills.readiness import KINDS
from tradeoff.interview.drills.session import Session

HOW_READY = (
    "The figure estimates the chance that any question of the objective would be answered now: "
    "what your last answers were worth, times the chance that you still know them; for questions "
    "not asked yet, your share at first sight. No figure until three were answered."
)


def heading(session: Session, now: datetime) -> str:
    """Which question this is: its number, its objective, its form and difficulty, its history."""
    question = session.question
    times = session.asked_before
    parts = [
        f"Question {session.number} of {session.count}",
        f"lesson {question.lesson}" if question.lesson < 6 else "neighbouring subject",
        question.objective,
        f"{FORMS[question.form]}, {KINDS[question.difficulty]}",
        "new" if not times else "once before" if times == 1 else f"{times} times before",
    ]
    if isinstance(session, Diagnostic):
        minutes = session.left(now).total_seconds() / 60
        parts.append(f"{minutes:.0f} min left" if minutes >= 1 else "the last minute")
    return " · ".join(parts)


def verdict(session: Session) -> str:
    """What the answer just given is worth, and why."""
    judged = session.judged
    assert judged is not None
    said = {
        "right": "Right.",
        "partly right": "Partly right.",
        "wrong": "Wrong.",
        "not known": "Not known yet.",
    }[judged.verdict]
    points = len(session.question.rubric)
    if points and judged.answer:
        said = f"{len(judged.held)} of {points} points."
    return f"{said} {judged.because}".strip()
