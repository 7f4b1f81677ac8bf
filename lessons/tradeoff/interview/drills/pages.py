"""What the drill's widget shows, as HTML: a page a state.

A page is made of plain forms. Its buttons and forms name in `data-act` what they ask of the
widget; the element with `data-focus` takes the keyboard when the page is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from itertools import groupby

from tradeoff.interview.drills.diagnostic import NOT_REACHED, Diagnostic
from tradeoff.interview.drills.judging import Effort
from tradeoff.interview.drills.plan import LESSONS, Plan
from tradeoff.interview.drills.readiness import Readiness
from tradeoff.interview.drills.session import Session
from tradeoff.interview.drills.terminal import HOW_READY, verdict

VIEWS = {"drill": "Drill", "readiness": "Readiness", "plan": "Plan"}
SIGNS = {"right": "✓", "partly right": "◐", "wrong": "✗", "not known": "–", NOT_REACHED: "–"}


def frame(view: str, inner: str, notes: Sequence[str] = ()) -> str:
    """A page: the views to choose from, sentences for the learner, and the view itself."""
    buttons = "".join(
        f'<button type="button" data-act="view-{name}"{_pressed(name == view)}'
        f"{_focus(name == view == 'readiness')}>{label}</button>"
        for name, label in VIEWS.items()
    )
    said = "".join(f'<p class="td-note">{escape(note)}</p>' for note in notes)
    return f'<div class="td-views" role="group" aria-label="Views">{buttons}</div>{said}{inner}'


def asking(session: Session, where: str, typed: str = "", problem: str = "") -> str:
    """The question, and what takes its answer.

    `typed` stands in it already; `problem` says why it could not be read.
    """
    asked, way = session.put, session.question.answered_by
    expected = f'<span class="td-hint">{escape(session.expected)}</span>'
    if way == "choices":
        rows = "".join(
            f'<label class="td-row"><input type="radio" name="answer" value="{place}" required'
            f"{' checked' if typed == str(place) else ''}{_focus(place == 1)}> "
            f"<span><b>{place}.</b> {escape(choice.says)}</span></label>"
            for place, choice in enumerate(asked.choices, 1)
        )
        keys = "Arrows or the number's key choose, Enter hands in."
        field = (
            f'<fieldset><legend class="td-ask">{escape(asked.ask)}</legend>{rows}'
            f'<span class="td-hint">{keys}</span></fieldset>'
        )
    elif way == "number":
        unit = session.put.drawn.unit if session.put.drawn else ""
        field = (
            f'<p class="td-ask">{escape(asked.ask)}</p><label>Your answer'
            f'{f", in {escape(unit)}" if unit else ""} <input type="text" name="answer" '
            f'autocomplete="off" value="{escape(typed)}"{_focus()}></label>{expected}'
        )
    else:
        field = (
            f'<p class="td-ask">{escape(asked.ask)}</p><label>Your answer '
            f'<textarea name="answer" rows="6"{_focus()}>{escape(typed)}</textarea></label>'
            f'{expected} <span class="td-hint">Ctrl+Enter hands in.</span>'
        )
    wrong = (
        f'<p class="td-problem">{escape(problem)} This does not count; answer again.</p>'
        if problem
        else ""
    )
    return (
        f'<form data-act="answer">{_where(where)}{field}{wrong}<div class="td-buttons">'
        f'<button type="submit" class="td-main">Hand in</button>{_button("give-up", NOT_KNOWN)}'
        f"{_button('stop', 'End the drill')}</div></form>"
    )


NOT_KNOWN = "I don't know"


def ticking(session: Session, where: str) -> str:
    """The learner's words beside a strong answer, and the points to tick."""
    points = "".join(
        f'<label class="td-row"><input type="checkbox" name="point" value="{place}"'
        f"{_focus(place == 0)}> <span>{escape(point)}</span></label>"
        for place, point in enumerate(session.put.rubric)
    )
    return (
        f'<form data-act="tick">{_where(where)}<p class="td-ask">{escape(session.put.ask)}</p>'
        f"{_beside(session)}"
        "<fieldset><legend><b>Which of these points did your answer hold?</b></legend>"
        f'{points}<span class="td-hint">Space ticks, Enter hands in; none is an answer, too.</span>'
        '</fieldset><div class="td-buttons">'
        '<button type="submit" class="td-main">Hand in the ticks</button></div></form>'
    )


def answered(session: Session, where: str, comes_again: str, effort: Effort) -> str:
    """The verdict, the way on, and what a strong and a weak answer are."""
    asked, review = session.put, session.reviews[-1]
    mark = f"{SIGNS[review.judged]} {verdict(session)}"
    kind = review.judged.replace(" ", "-")
    said = ""
    if review.share >= 1:
        said = "".join(
            f'<button type="button" data-act="effort-{each}"{_pressed(each is effort)}>{label}'
            "</button>"
            for each, label in ((Effort.EASY, "It was easy"), (Effort.GUESSED, "I guessed"))
        )
    parts = [
        f'{_where(where)}<p class="td-ask">{escape(asked.ask)}</p>',
        f'<p class="td-verdict td-{kind}">{escape(mark)}</p>',
        f'<div class="td-buttons"><button type="button" class="td-main" data-act="next"{_focus()}>'
        f"Next</button>{said}{_button('stop', 'End the drill')}"
        f'<span class="td-hint">It comes again {escape(comes_again)}.</span></div>',
        _choices(session) if asked.choices else "",
        _beside(session),
        _points(session) if asked.rubric and review.answer else "",
        f'<p class="td-label">A weak answer</p><p>{escape(asked.weak)}</p>',
        f'<p class="td-label">Why it is weak</p><p>{escape(asked.weak_because)}</p>',
        '<p class="td-label">You may be asked next</p>',
        f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in asked.follow_ups)}</ul>",
        f'<p class="td-label">Source</p><p>{_linked(asked.source)}</p>' if asked.source else "",
    ]
    return "".join(parts)


def over(session: Session, sentences: Sequence[str], made: Plan | None = None) -> str:
    """How it went, and what one may do next."""
    said = "".join(f"<p>{escape(each)}</p>" for each in sentences)
    results = ""
    if isinstance(session, Diagnostic):
        rows = "".join(
            f'<tr><td class="td-{kind.replace(" ", "-")}">{SIGNS[kind]} {kind}</td>'
            f"<td>{lesson}</td><td>{name}</td></tr>"
            for (lesson, name), kind in sorted(session.results().items())
        )
        results = (
            "<table><thead><tr><th>Answer</th><th>Lesson</th><th>Objective</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )
    return (
        f'{said}<div class="td-buttons"><button type="button" class="td-main" '
        f'data-act="start-drill"{_focus()}>Another drill</button>'
        f"{_button('start-diagnostic', DIAGNOSTIC)}"
        f"{_button('view-plan', 'Make a plan') if made is None else ''}</div>{results}"
        f"{_planned(made) if made else ''}"
    )


DIAGNOSTIC = "Ten-minute diagnostic"


def readiness_page(found: Iterable[Readiness], kept: str) -> str:
    """An objective a row: the figure with its bar, what it rests on; where answers are `kept`."""
    rows = []
    for lesson, own in groupby(found, key=lambda one: one.lesson):
        name = f"Lesson {lesson}. {LESSONS[lesson]}" if lesson < 6 else LESSONS[lesson]
        rows.append(f'<tr><th colspan="3" scope="rowgroup">{name}</th></tr>')
        rows += [_ready(one) for one in own]
    return (
        "<table><thead><tr><th>Objective</th><th>Ready</th><th>It rests on</th></tr></thead>"
        f'<tbody>{"".join(rows)}</tbody></table><p class="td-hint">'
        f'{escape(HOW_READY)}</p><p class="td-hint">{escape(kept)}</p>'
        f'<div class="td-buttons">{_button("start-diagnostic", DIAGNOSTIC)}</div>'
    )


def _ready(one: Readiness) -> str:
    figure = "too few<br>answers"
    if one.percent is not None:
        bar = f'<span class="td-bar" aria-hidden="true"><i style="width:{one.percent}%"></i></span>'
        figure = f"{bar}{one.percent} %"
    return (
        f"<tr><td><b>{one.objective}</b><br>{escape(one.means)}</td>"
        f'<td class="td-figure">{figure}</td><td>{escape(one.rests_on)}</td></tr>'
    )


def plan_page(day: date | None, minutes: float, made: Plan | None, problem: str = "") -> str:
    """The day of the interview and the minutes a day, and the plan for them."""
    wrong = f'<p class="td-problem">{escape(problem)}</p>' if problem else ""
    return (
        '<form data-act="plan"><div class="td-buttons"><label>Day of the interview '
        f'<input type="date" name="day" required value="{day or ""}"{_focus()}>'
        f'</label><label>Minutes a day <input type="number" name="minutes" min="5" max="600" '
        f'step="5" required value="{minutes:g}"></label>'
        f'<button type="submit" class="td-main">Make the plan</button></div>{wrong}</form>'
        f"{_planned(made) if made else ''}"
    )


def _planned(made: Plan) -> str:
    days = "".join(
        f"<tr><td><b>{escape(made.title(day).partition(':')[0])}</b><br>"
        f"{escape(made.title(day).partition(': ')[2])}</td><td>"
        f"{_list(task.said for task in day.tasks) or 'nothing'}</td></tr>"
        for day in made.days
    )
    left = _list(task.said for task in made.left_out)
    return (
        f'<p class="td-label">{escape(made.head)}</p>'
        f"<table><thead><tr><th>Day</th><th>To do</th></tr></thead><tbody>{days}</tbody></table>"
        f'<p class="td-label">{escape(made.rest)}</p>{left}'
        f'<p class="td-hint">{escape(made.rests_on)}</p>'
    )


def _list(items: Iterable[str]) -> str:
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{rows}</ul>" if rows else ""


def _where(said: str) -> str:
    return f'<p class="td-where">{escape(said)}</p>'


def _beside(session: Session) -> str:
    """A strong answer; beside it the learner's own, if it was in words."""
    strong = f'<p class="td-label">A strong answer</p><p>{escape(session.put.strong)}</p>'
    own = session.given or (session.judged.answer if session.judged else "")
    if not own or session.question.answered_by == "choices":
        return f"<div>{strong}</div>"
    words = f'<p class="td-label">Your answer</p><p class="td-own">{escape(own)}</p>'
    if session.question.answered_by == "number":
        return f"<div>{words}{strong}</div>"
    return f'<div class="td-beside"><div>{words}</div><div>{strong}</div></div>'


def _choices(session: Session) -> str:
    """Each choice with why it is right or wrong, the learner's own marked."""
    chosen = session.reviews[-1].answer
    rows = "".join(
        f'<li class="td-{"right" if each.right else "wrong"}">{"✓" if each.right else "✗"} '
        f"{escape(each.says)}{' <b>(your answer)</b>' if each.says == chosen else ''}"
        f'<br><span class="td-why">{escape(each.why)}</span></li>'
        for each in session.put.choices
    )
    return f'<p class="td-label">The choices</p><ol>{rows}</ol>'


def _points(session: Session) -> str:
    held = session.reviews[-1].held
    rows = "".join(
        f"<li>{'✓' if point in held else '✗'} {escape(point)}</li>" for point in session.put.rubric
    )
    return f'<p class="td-label">Points it should hold</p><ul class="td-points">{rows}</ul>'


def _linked(source: str) -> str:
    if source.startswith(("https://", "http://")):
        address = escape(source)
        return f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'
    return escape(source)


def _button(act: str, label: str) -> str:
    return f'<button type="button" data-act="{act}">{escape(label)}</button>'


def _focus(here: bool = True) -> str:
    return " data-focus" if here else ""


def _pressed(yes: bool) -> str:
    return f' aria-pressed="{str(yes).lower()}"'
