"""The drill in a terminal: lines in, lines out; it needs no cursor, no colour and no mouse.

Ctrl-C, Ctrl-D or the end of what is piped in ends it: what was judged is kept, and a sentence says
so.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from tradeoff.interview.drills.diagnostic import Diagnostic
from tradeoff.interview.drills.judging import Effort, Unreadable
from tradeoff.interview.drills.readiness import Readiness
from tradeoff.interview.drills.session import Session, State
from tradeoff.interview.drills.wording import HOW_READY, heading, verdict

NARROWEST, WIDEST = 30, 92
EFFORTS = {"e": Effort.EASY, "g": Effort.GUESSED}
QUIT = ("q", "quit")


class _Ended(Exception):
    """The learner asked to end."""


def run(
    session: Session,
    read: Callable[[str], str] = input,
    write: Callable[[str], None] = print,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Put the session's questions until it is over, then say how it went."""
    screen = _Screen(read, write)
    for note in session.store.notes:
        screen.say(note)
    try:
        while session.state is not State.OVER:
            _one(session, screen, clock)
    except (EOFError, KeyboardInterrupt, _Ended):
        screen.line()
        session.stop()
        session.store.refresh()  # writes what Ctrl-C kept from being written
    screen.line()
    for sentence in session.summary(clock()):
        screen.say(sentence)


def _one(session: Session, screen: _Screen, clock: Callable[[], datetime]) -> None:
    asked = session.put
    _ask(session, screen, clock())
    while session.state is State.ASKING:
        _answer(session, screen, clock)
    screen.line()
    if session.judged:
        screen.say(verdict(session))
        _right_choice(session, screen)
        screen.line()
    screen.say(f"A strong answer: {asked.strong}")
    if not session.judged:
        _tick(session, screen, clock)
    screen.line()
    screen.say(f"A weak answer: {asked.weak}")
    screen.say(f"Why it is weak: {asked.weak_because}")
    screen.line()
    screen.say("You may be asked next:")
    for each in asked.follow_ups:
        screen.say(each, "  - ")
    if asked.source:
        screen.say(f"Source: {asked.source}")
    _go_on(session, screen, clock)


def _ask(session: Session, screen: _Screen, now: datetime) -> None:
    screen.line()
    screen.say(heading(session, now))
    screen.line()
    screen.say(session.put.ask)
    screen.line()
    for place, choice in enumerate(session.put.choices, 1):
        screen.say(choice.says, f"  {place}. ")
    screen.say(f"{session.expected} Type ? if you don't know, q to end.")


def _answer(session: Session, screen: _Screen, clock: Callable[[], datetime]) -> None:
    text = screen.paragraph() if session.put.question.answered_by == "rubric" else screen.ask()
    if text == "?":
        session.give_up(clock())
        return
    try:
        session.answer(text, clock())
    except Unreadable as error:
        screen.again(error)


def _right_choice(session: Session, screen: _Screen) -> None:
    """After a wrong one: which is right, and why."""
    for place, choice in enumerate(session.put.choices, 1):
        if choice.right and session.reviews[-1].share < 1:
            screen.say(f"Right is {place}, {choice.says.rstrip('.')}: {choice.why}")


def _tick(session: Session, screen: _Screen, clock: Callable[[], datetime]) -> None:
    """Ask which points the free text held, until that can be read."""
    screen.line()
    screen.say("Which of these points did yours hold?")
    for place, point in enumerate(session.put.rubric, 1):
        screen.say(point, f"  {place}. ")
    screen.say("Type their numbers, such as 1 3; Enter alone for none.")
    while not session.judged:
        try:
            session.tick(places(screen.ask()), clock())
        except Unreadable as error:
            screen.again(error)
    screen.line()
    screen.say(verdict(session))


def _go_on(session: Session, screen: _Screen, clock: Callable[[], datetime]) -> None:
    right = session.reviews[-1].share >= 1
    screen.line()
    screen.say(f"It comes again {session.comes_again(clock())}.")
    screen.say(
        "Enter for the next; e first if it was easy, g if you guessed; q to end."
        if right
        else "Enter for the next, q to end."
    )
    said = screen.ask().lower()
    if right and said in EFFORTS:
        session.effort(EFFORTS[said])
        screen.say(f"It comes again {session.comes_again(clock())}.")
    session.next(clock())


def places(text: str) -> list[int]:
    """ "1 3" or "1,3" as places from 0. Raises Unreadable."""
    try:
        return [int(each) - 1 for each in text.replace(",", " ").split()]
    except ValueError:
        raise Unreadable(f"{text!r} is no list of numbers, such as 1 3") from None


def table(found: Iterable[Readiness]) -> str:
    """Readiness as lines of text, an objective each."""
    lines = []
    lesson = 0
    width = _width()
    for one in found:
        if one.lesson != lesson:
            lesson = one.lesson
            lines.append(f"\nLesson {lesson}" if lesson < 6 else "\nNeighbouring subjects")
        figure = "   ?" if one.percent is None else f"{one.percent:3} %"
        named = f"  {figure:5}  {one.objective:24} "
        lines.append(
            textwrap.fill(
                one.rests_on, width, initial_indent=named, subsequent_indent=" " * len(named)
            )
        )
    return "\n".join([*lines, "", textwrap.fill(HOW_READY, width)]).lstrip("\n")


def _width() -> int:
    """Columns of the terminal that text is wrapped to."""
    return max(min(shutil.get_terminal_size((80, 24)).columns, WIDEST), NARROWEST)


class _Screen:
    """Lines out, wrapped to the terminal's width, and lines in."""

    def __init__(self, read: Callable[[str], str], write: Callable[[str], None]) -> None:
        self._read, self._write = read, write
        self._width = _width()

    def line(self) -> None:
        self._write("")

    def say(self, text: str, before: str = "") -> None:
        indent = " " * len(before)
        self._write(
            textwrap.fill(text, self._width, initial_indent=before,
                          subsequent_indent=indent, break_on_hyphens=False)
        )  # fmt: skip

    def again(self, error: Unreadable) -> None:
        """Say what is expected of an answer that could not be read."""
        self.say(f"{str(error).rstrip('.')}. That does not count as an answer; type it again.")

    def ask(self) -> str:
        """One line. Raises _Ended for q."""
        text = self._read("> ").strip()
        if text.lower() in QUIT:
            raise _Ended
        return text

    def paragraph(self) -> str:
        """Lines until an empty one; a lone ? needs none after it."""
        self.say("End with an empty line.")
        lines: list[str] = []
        while text := self.ask():
            lines.append(text)
            if lines == ["?"]:
                break
        return "\n".join(lines)


def outcome(diagnostic: Diagnostic) -> str:
    """The diagnostic's verdict on each objective, a line each."""
    return "\n".join(
        f"  {verdict:12}  lesson {lesson}, {name}"
        for (lesson, name), verdict in sorted(diagnostic.results().items())
    )
