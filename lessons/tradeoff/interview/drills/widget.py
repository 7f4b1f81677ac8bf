"""The drill in a notebook: `interview.drill()`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from tradeoff.interview.bank import Question
from tradeoff.interview.drills import pages
from tradeoff.interview.drills.diagnostic import Diagnostic
from tradeoff.interview.drills.judging import Effort, Unreadable
from tradeoff.interview.drills.plan import MINUTES_A_DAY, Plan, plan
from tradeoff.interview.drills.readiness import readiness
from tradeoff.interview.drills.session import COUNT, Session, State
from tradeoff.interview.drills.store import Store
from tradeoff.interview.drills.wording import heading, verdict

Fields = dict[str, list[str]]


class Drill(anywidget.AnyWidget):
    """A session on a page; `session` is its value, with a browser or without.

    Parameters
    ----------
    start : makes a session, now and with a seed: a drill, or with True a diagnostic.
    seed : of the first session; each further one takes the next number.

    Attributes
    ----------
    session : the drill or the diagnostic. view : "drill", "readiness" or "plan".
    """

    _esm = Path(__file__).with_name("widget.js")
    _css = Path(__file__).with_name("widget.css")
    page = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        start: Callable[[bool, datetime, int], Session],
        seed: int,
        diagnostic: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._start, self._seed, self._clock = start, seed, clock
        self.session = start(diagnostic, clock(), seed)
        self.view, self._step = "drill", 0
        self._typed, self._effort = "", Effort.KNOWN
        self._minutes = float(MINUTES_A_DAY)
        self.on_msg(lambda _, said, __: self._heard(said))
        self._show()

    def __repr__(self) -> str:
        if self.session.state is State.OVER:
            return "\n".join(self.session.summary(self._clock()))
        return f"{heading(self.session, self._clock())}\n{self.session.put.ask}"

    def _heard(self, said: dict[str, Any]) -> None:
        """Do what the page asks for; a page that was followed by another asks for nothing."""
        if said.get("step") == self._step:
            self.do(str(said["act"]), said.get("fields") or {})

    def do(self, act: str, fields: Fields | None = None) -> None:
        """Do what a button or a form of the page says in its `data-act`."""
        fields, now, session, problem = fields or {}, self._clock(), self.session, ""
        kind, _, name = act.partition("-")
        self._typed = fields.get("answer", [self._typed])[0]
        try:
            if act == "answer":
                session.answer(self._typed, now)
            elif act == "tick":
                session.tick(map(int, fields.get("point", [])), now)
            elif act == "give-up":
                session.give_up(now)
            elif kind == "effort":
                again = self._effort is Effort(name)  # pressed once more: taken back
                self._effort = Effort.KNOWN if again else Effort(name)
                session.effort(self._effort)
            elif act == "next":
                session.next(now)
                self._typed, self._effort = "", Effort.KNOWN
            elif act == "stop":
                session.stop()
            elif kind == "start":
                self._seed += 1
                self.session = self._start(name == "diagnostic", now, self._seed)
                self.view, self._typed, self._effort = "drill", "", Effort.KNOWN
            elif kind == "view":
                self.view = name
                session.store.refresh()
            elif act == "plan":
                self._minutes = float(fields["minutes"][0])
                session.store.set_interview(date.fromisoformat(fields["day"][0]))
        except Unreadable as error:
            problem = f"{str(error).rstrip('.')}."
        self._show(problem)

    def _show(self, problem: str = "") -> None:
        inner, said = getattr(self, f"_{self.view}_page")(problem)
        self._step += 1
        html = pages.frame(self.view, inner, self.session.store.notes)
        self.page = {"html": html, "said": said, "step": self._step}

    def _drill_page(self, problem: str) -> tuple[str, str]:
        session, now = self.session, self._clock()
        if session.state is State.OVER:
            made = self._planned()[0] if isinstance(session, Diagnostic) else None
            sentences = session.summary(now)
            return pages.over(session, sentences, made), " ".join(sentences)
        where = heading(session, now)
        if session.state is State.ASKING:
            page = pages.asking(session, where, self._typed, problem)
            return page, problem or f"{where}. {session.put.ask}"
        if session.state is State.TICKING:
            return pages.ticking(session, where), "A strong answer is shown. Tick your points."
        again = session.comes_again(now)
        page = pages.answered(session, where, again, self._effort)
        return page, f"{verdict(session)} It comes again {again}."

    def _readiness_page(self, _: str) -> tuple[str, str]:
        session = self.session
        found = readiness(session.bank, session.store.reviews, self._clock())
        kept = f"Your answers are in {session.store.path}. drills.export(FILE) writes a table."
        return pages.readiness_page(found, kept), "Readiness of each objective."

    def _plan_page(self, _: str) -> tuple[str, str]:
        made, problem = self._planned()
        day = self.session.store.interview
        page = pages.plan_page(day, self._minutes, made, problem if day else "")
        return page, made.head if made else problem

    def _planned(self) -> tuple[Plan | None, str]:
        store, bank = self.session.store, self.session.bank
        try:
            return plan(None, self._minutes, store=store, now=self._clock(), questions=bank), ""
        except ValueError as error:
            said = str(error)
            return None, f"{said[0].upper()}{said[1:]}."


def drill(
    lesson: int | None = None,
    objective: str | None = None,
    questions: int = COUNT,
    *,
    diagnostic: bool = False,
    seed: int | None = None,
    bank: Sequence[Question] | None = None,
) -> Drill:
    """Drill interview questions: what is due, then what is new, as hard as you are ready for.

    Parameters
    ----------
    lesson : 1 to 5, or 6 for the neighbouring subjects; all unless given.
    objective : one of `interview.bank.OBJECTIVES`; all unless given.
    questions : how many at most.
    diagnostic : ask for each objective once, for ten minutes.
    seed : draws the same order and numbers again.
    bank : questions in place of the course's.

    Raises ValueError, naming what there is, for a lesson or an objective without questions.
    """
    store = Store()

    def start(as_diagnostic: bool, now: datetime, number: int) -> Session:
        if as_diagnostic:
            only = lesson if diagnostic else None  # from a button it is about all
            return Diagnostic(store, now, number, lesson=only, questions=bank)
        return Session(
            store,
            now,
            number,
            count=questions,
            lesson=lesson,
            objective=objective,
            questions=bank,
        )

    return Drill(start, int(datetime.now(UTC).timestamp()) if seed is None else seed, diagnostic)
