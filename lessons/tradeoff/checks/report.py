"""What a learner reads after a check: passed, failed, not reached, or could not be judged, and why.

State is carried by a word and a sign, never by colour alone; the HTML takes its text colour from
the page, so it reads in JupyterLab's light and dark themes and in nbgrader's feedback.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import pandas as pd

from tradeoff.checks.judge import Behaviour, Finding, Judgement
from tradeoff.checks.mistakes import Match
from tradeoff.checks.record import plain
from tradeoff.checks.shown import as_html, as_text, call, short, size, told_apart

State = Literal["passed", "failed", "not reached", "could not be judged"]
SIGNS: dict[State, str] = {
    "passed": "✓",
    "failed": "✗",
    "not reached": "–",
    "could not be judged": "?",
}
# Okabe and Ito's blue, vermillion and reddish purple: told apart under every colour blindness.
COLOURS: dict[State, str] = {
    "passed": "#0072b2",
    "failed": "#d55e00",
    "not reached": "currentColor",
    "could not be judged": "#cc79a7",
}


@dataclass(frozen=True)
class Example:
    """A visible case on which the function is wrong."""

    label: str
    function: str
    arguments: Mapping[str, Any]
    came_back: tuple[str, str]
    """("returned", what) or ("raised", what)."""
    true: str
    why: str
    again: str
    """The line that gives the learner the same arguments to work with."""
    compared: pd.DataFrame | None = None
    """What came back above what is true, a column a key, where both are flat dictionaries."""


@dataclass(frozen=True)
class Report:
    """Shown by Jupyter as HTML, by a terminal as text."""

    name: str
    state: State
    sentences: tuple[str, ...]
    example: Example | None = None
    question: str = ""

    def __repr__(self) -> str:
        lines = [f"{SIGNS[self.state]} {self.name}: {self.state}", *self.sentences]
        if self.example is not None:
            shown = self.example
            lines += ["", f"The smallest example it gets wrong ({shown.label}):", ""]
            lines += [_indented(call(shown.function, shown.arguments))]
            for name, table in _tables(shown.arguments):
                lines += ["", f"    {name}, {size(table)}:", _indented(as_text(table))]
            lines.append("")
            if shown.compared is not None:
                lines += [_indented(as_text(shown.compared)), ""]
            lines += [f"    {term:<10}{words}" for term, words in _answers(shown)]
            lines += ["", "To get the same arguments in a cell of your own:", f"    {shown.again}"]
        if self.question:
            lines += ["", f"Ask yourself: {self.question}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = COLOURS[self.state]
        parts = [
            # The class: dollars are no mathematics here.
            f'<div class="tex2jax_ignore mathjax_ignore" style="border-left:4px solid {colour};'
            'padding:.4em 1em;color:inherit">',
            f"<p><strong>{SIGNS[self.state]} {escape(self.name)}: {self.state}</strong></p>",
            *(f"<p>{escape(sentence)}</p>" for sentence in self.sentences),
        ]
        if self.example is not None:
            shown = self.example
            parts += [
                f"<p>The smallest example it gets wrong ({escape(shown.label)}):</p>",
                f"<pre>{escape(call(shown.function, shown.arguments))}</pre>",
            ]
            for name, table in _tables(shown.arguments):
                parts += [
                    f"<p><code>{escape(name)}</code>, {size(table)}:</p>",
                    _scrolled(table),
                ]
            if shown.compared is not None:
                parts.append(_scrolled(shown.compared))
            rows = "".join(
                '<tr><th style="text-align:left;vertical-align:top;white-space:nowrap;'
                f'padding-right:1em">{term}</th>'
                f'<td style="text-align:left">{escape(words)}</td></tr>'
                for term, words in _answers(shown)
            )
            parts += [
                f'<table style="margin:.8em 0">{rows}</table>',
                "<p>To get the same arguments in a cell of your own: "
                f"<code>{escape(shown.again)}</code></p>",
            ]
        if self.question:
            parts.append(f"<p><em>Ask yourself:</em> {escape(self.question)}</p>")
        return "".join([*parts, "</div>"])


def _answers(shown: Example) -> list[tuple[str, str]]:
    both = () if shown.compared is not None else (shown.came_back, ("true is", shown.true))
    return [(term, words) for term, words in (*both, ("why", shown.why)) if words]


def _tables(arguments: Mapping[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    return [(n, value) for n, value in arguments.items() if isinstance(value, pd.DataFrame)]


def _scrolled(table: pd.DataFrame) -> str:
    return f'<div style="overflow-x:auto;white-space:nowrap;margin:.4em 0">{as_html(table)}</div>'


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def practice(
    assignment: str,
    behaviour: Behaviour,
    visible: Judgement,
    *,
    shrunk: Finding | None = None,
    match: Match | None = None,
    waits_for: Sequence[str] = (),
    solution_open: bool = False,
) -> Report:
    """The report of self-study, on the public cases.

    `shrunk` is a plainer failing case than any public one; `match` the misconception whose answers
    these are; `waits_for` the behaviours it builds on that failed.
    """
    worth = (
        f"On these that is {_points(visible.score * behaviour.points)} of "
        f"{_points(behaviour.points)} points; a teacher grades on others of the same kinds."
    )
    if visible.passed:
        return Report(behaviour.name, "passed", (_tally(visible, "examples"), worth))
    counted = (
        () if match is None else (f"{match.sentence} ({match.alike} of {match.total} answers)",)
    )
    if waits_for:
        return Report(behaviour.name, "not reached", (_not_reached(waits_for), worth, *counted))
    example = _example(assignment, visible)
    if shrunk is not None:
        example = _shown(assignment, behaviour, shrunk, "")
    look = f'checks.solution("{assignment}", "{behaviour.name}")'
    opened = (f"You have tried honestly; if you are stuck: {look}",) if solution_open else ()
    sentences = (_tally(visible, "examples"), worth, *counted, *opened)
    return Report(behaviour.name, "failed", sentences, example, behaviour.question)


def graded(
    assignment: str,
    points: str,
    maximum: float,
    hidden: Judgement,
    visible: Judgement,
    *,
    match: Match | None = None,
    waits_for: Sequence[str] = (),
) -> Report:
    """The report of a graded cell: of the hidden cases only how many were right."""
    passed = hidden.passed and visible.passed
    behaviour = hidden.sheet.behaviour
    earned = f"{points} of {_points(maximum)} points."
    named = () if match is None else (match.sentence,)
    if waits_for and not passed:
        return Report(behaviour.name, "not reached", (earned, _not_reached(waits_for), *named))
    return Report(
        behaviour.name,
        "passed" if passed else "failed",
        (
            earned,
            _both_tallies(hidden, visible),
            *named,
        ),
        _example(assignment, visible),
        "" if passed else behaviour.question,
    )


def _not_reached(waits_for: Sequence[str]) -> str:
    names = " and ".join(waits_for)
    them = "that" if len(waits_for) == 1 else "those"
    are = "is" if len(waits_for) == 1 else "are"
    return f"It builds on {names}, which {are} not right yet: mend {them} first, then check again."


def _tally(judgement: Judgement, what: str) -> str:
    share = f"{judgement.right} of {judgement.total} {what} right"
    if judgement.passed:
        return f"{share}."
    if unanswered := sum(each.answer is None for each in judgement.findings):
        share += f", {unanswered} not reached before the time was up"
    lucky = round(judgement.sheet.base * judgement.total)
    return f"{share}; one answer for all of them would get {lucky}, so points start above that."


def _both_tallies(hidden: Judgement, visible: Judgement) -> str:
    share = (
        f"{hidden.right} of {hidden.total} cases drawn for grading right, {visible.right} of "
        f"{visible.total} examples in the notebook's own check"
    )
    if hidden.passed and visible.passed:
        return f"{share}."
    if unanswered := sum(each.answer is None for each in hidden.findings):
        share += f"; {unanswered} not reached before the time was up"
    lucky = round(hidden.sheet.base * hidden.total)
    return f"{share}. One answer for all those cases would get {lucky}: points start above that."


def _points(number: float) -> str:
    return f"{round(number, 2):g}"


def _example(assignment: str, visible: Judgement) -> Example | None:
    index = visible.smallest_failing
    if index is None:
        return None
    return _shown(assignment, visible.sheet.behaviour, visible.findings[index], f", {index}")


def _shown(assignment: str, behaviour: Behaviour, finding: Finding, number: str) -> Example:
    came_back, true, why = _came_back(finding)
    return Example(
        label=finding.case.label,
        function=behaviour.name,
        arguments=finding.case.arguments,
        came_back=came_back,
        true=true,
        why=why,
        again=f'arguments = checks.arguments("{assignment}", "{behaviour.name}"{number})',
        compared=_compared(finding),
    )


def _compared(finding: Finding) -> pd.DataFrame | None:
    match finding.answer, plain(finding.case.truth):
        case {"returned": dict(given)}, dict(truth) if set(given) == set(truth):
            index, columns = ["returned", "true is"], list(truth)
            both = pd.DataFrame([given, truth], index=index, columns=columns, dtype=object)
            scalars = (str, int, float, bool, type(None))
            if all(isinstance(item, scalars) for each in (given, truth) for item in each.values()):
                return both
    return None


def _came_back(finding: Finding) -> tuple[tuple[str, str], str, str]:
    """What the function did, what is true, and the verdict's words where they add to it."""
    truth = plain(finding.case.truth)
    match finding.answer:
        case {"raised": words}:
            return ("raised", str(words)), short(truth), ""
        case {"returned": {"not_data": what}}:
            return ("returned", f"an object of type {what}"), short(truth), finding.verdict.said
        case {"returned": value}:
            given, true = told_apart(value, truth)
            return ("returned", given), true, finding.verdict.said
    return ("returned", "nothing in time"), short(truth), finding.verdict.said
