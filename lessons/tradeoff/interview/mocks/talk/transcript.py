"""A try as Markdown: what was asked and said, the rubric, the model answer, what to repeat."""

from __future__ import annotations

from collections.abc import Iterator

from tradeoff.interview.mocks.talk import answer, rubric
from tradeoff.interview.mocks.talk.session import FACT, MINUTES, STAGES, Mock, verdict
from tradeoff.interview.mocks.talk.wording import span
from tradeoff.interview.mocks.truth.board import described

HEADER = ("| change | design | bill | verdict |", "| --- | --- | --- | --- |")
# Questions whose strong answer the model answer says in its own paragraphs.
SAID = ("why this one", "what would change it")
BY = {rubric.MODEL: "judged by the model", rubric.OWN: "ticked by you"}


def transcript(mock: Mock) -> str:
    """The whole try, ready to read; ends with a line break."""
    lines = [*_head(mock), *_said(mock), *report(mock)]
    return "\n".join(lines) + "\n"


def report(mock: Mock) -> list[str]:
    """How it went: scores, rubric, model answer, what to repeat."""
    if not mock.answered:
        return ["", "## Rubric", "", "Nothing was answered: no score.", *_answer(mock)]
    return [*_scores(mock), *_rubric(mock), *_answer(mock), *_repeat(mock)]


def _head(mock: Mock) -> Iterator[str]:
    case = mock.case
    yield f"# Mock interview: {case.name}"
    yield ""
    yield f"{case.industry}, seed {case.seed}, started {mock.started:%Y-%m-%d %H:%M}"
    if mock.quit_at:
        yield f"\nEnded in the stage {mock.quit_at}, before its end."
    if mock.skipped:
        yield f"\nSkipped: {', '.join(mock.skipped)}."


def _said(mock: Mock) -> Iterator[str]:
    for stage in STAGES[:-1]:
        entries = [entry for entry in mock.entries if entry.stage == stage.value]
        if stage.value == "clarify":
            yield from ("", "## Clarify", "", f"**Interviewer.** {mock.case.opening}")
        elif entries:
            yield from ("", f"## {stage.value.capitalize()}")
        for entry in entries:
            at = span(entry.at_seconds)
            if entry.key == FACT:
                yield from ("", f"**You** ({at}). {entry.said}")
            else:
                yield from ("", f"**Interviewer.** {entry.asked}")
                yield from ("", f"**You** ({at}). {entry.said}")
            if entry.reply and entry.reply != "Go on.":
                yield from ("", f"**Interviewer.** {entry.reply}")


def _scores(mock: Mock) -> Iterator[str]:
    result = mock.result
    yield from ("", "## Rubric", "")
    yield (
        f"{result.percent} % in all; {result.judged_percent} % of what the model judged. "
        "Each dimension counts the same."
    )
    used = max((entry.at_seconds for entry in mock.entries), default=0.0)
    late = f", {span(used - 60 * MINUTES)} over time" if used > 60 * MINUTES else ""
    yield from ("", f"Clock: {span(used)} of {MINUTES}:00{late}, pauses left out.")


def _rubric(mock: Mock) -> Iterator[str]:
    result = mock.result
    for name, title in rubric.DIMENSIONS.items():
        yield from ("", f"### {title}: {100 * result.of(name):.0f} %", "")
        for item in (one for one in result.items if one.dimension == name):
            mark = "yes" if item.earned == 1 else "no" if item.earned == 0 else "in part"
            yield f"- {mark}, {BY[item.by]}: {item.says}"
    if mock.not_asked:
        asks = "; ".join(fact.asks for fact in mock.not_asked)
        yield from ("", f"You did not ask for what decides this case: {asks}")


def _answer(mock: Mock) -> Iterator[str]:
    case = mock.case
    yield from ("", "## Model answer")
    for heading, text in answer.answer(case):
        yield from ("", f"**{heading}.** {text}")
    for key, points in mock.points.items():
        if points and mock.said_to(key) and key not in SAID:
            question = mock.question(key)
            yield from ("", f"**{question.asks}** {question.strong}")
    yield from ("", "### Every kind of change, at its best", "", answer.by_margin(), "")
    yield from HEADER
    for row in answer.considered(case):
        yield f"| {row.name} | {row.design} | {row.bill} | {row.verdict} |"
    if mock.proposed is not None:
        yield from ("", f"Your board: {described(mock.proposed.sketch)}. {verdict(mock.proposed)}")


def _repeat(mock: Mock) -> Iterator[str]:
    repeat = mock.result.repeat
    yield from ("", "## What to repeat", "")
    if not repeat:
        yield "Nothing: try another case."
    for name in repeat:
        yield f"- `tradeoff drill --objective {name}`: {rubric.objective_words(name)}"
