"""The mock interview in a terminal: lines in, lines out; no cursor, no colour, no mouse.

Ctrl-C, Ctrl-D or the end of what is piped in ends it; what was said is kept.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tradeoff.interview.mocks.screens import drawing
from tradeoff.interview.mocks.screens.showing import shown, whole
from tradeoff.interview.mocks.talk import transcript
from tradeoff.interview.mocks.talk.session import GUIDE, MINUTES, MINUTES_OF, PASS, Mock, Stage
from tradeoff.interview.mocks.talk.tries import Keeper, Try
from tradeoff.interview.mocks.talk.wording import span
from tradeoff.interview.mocks.truth.board import Board, Sketch
from tradeoff.interview.mocks.truth.case import Case
from tradeoff.interview.mocks.truth.problem import Problem

WIDEST = 92
HELP = (
    "At any prompt: time, pause, skip (leave this stage; nobody comes back to it), quit, help; "
    "? if you do not know an answer."
)
BACK = "back"
SPOIL = "Show the model answer? You would know this case then. yes or no: "
HOW_TO_ASK = "Ask by number or in your own words; done to go on."
BOARD_HELP = (
    "every 1 h | nodes 4 | incremental yes | engine flink | rhythm streaming | watermark 1 h | "
    "sink idempotent | split CONSUMER | join CONSUMER | path 2 (which one you change) | show | "
    "reset | propose"
)


class _Ended(Exception):
    """The candidate asked to end."""


class _Skipped(Exception):
    """The candidate leaves a stage."""


def run(
    case: Case,
    keeper: Keeper | None = None,
    read: Callable[[str], str] = input,
    write: Callable[[str], None] = print,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Mock:
    """Hold one interview; the session as it ended."""
    keep: Callable[[Mock], None] = keeper or (lambda _: None)
    mock = Mock(case, clock(), keep)
    screen = _Screen(mock, read, write, clock)
    screen.say(f"Mock interview: {case.name} ({case.industry}), seed {case.seed}.")
    screen.say(f"You have {MINUTES} minutes. {HELP}")
    stage: Stage | None = None
    try:
        while not mock.over:
            if mock.stage is not stage:
                stage = mock.stage
                _heading(mock, screen)
            try:
                ASK[mock.prompt.kind](mock, screen)
            except _Skipped:
                mock.skip(clock())
    except (EOFError, KeyboardInterrupt, _Ended):
        mock.quit(clock())
        screen.line()
        screen.say("Ended here. Everything you said is kept.")
    if not mock.quit_early or screen.hears(SPOIL, "y", "yes"):
        _report(mock, screen)
    elif keeper is not None:
        screen.say("The transcript ends with the model answer.")
    if keeper is not None:
        screen.line()
        for note in keeper.notes:
            screen.say(note)
        screen.say(f"Kept: {keeper.transcript}")
    return mock


def _report(mock: Mock, screen: _Screen) -> None:
    screen.line()
    for line in transcript.report(mock):
        if line not in transcript.HEADER:
            bullet = "- " if line.startswith(("| ", "- ")) else ""
            screen.say(line.removeprefix("- "), bullet)


def table(found: Iterable[Try]) -> str:
    """Earlier tries, a line each."""
    lines = [
        f"  {one.started:%Y-%m-%d %H:%M}  {score(one):29}  {one.case} (seed {one.seed})"
        f"\n    {one.path}"
        for one in found
    ]
    return "\n".join(["Earlier tries, the newest first:", *lines] if lines else ["No tries yet."])


def score(one: Try) -> str:
    """How an earlier try ended, in a few words."""
    if one.percent is None:
        if one.quit_at and not one.answered:
            return "nothing answered"
        return f"broken off ({one.stage})"
    score = f"{one.percent} % (model {one.judged_percent} %)"
    return f"{score}, ended early" if one.quit_at else score


def _heading(mock: Mock, screen: _Screen) -> None:
    screen.line()
    planned = MINUTES_OF.get(mock.stage.value)
    about = f", about {planned} minutes" if planned else ""
    left = f" [{span(mock.seconds_left(screen.clock()))} left]" if mock.timed else ""
    screen.say(f"== {mock.stage.value.capitalize()}{about}{left} ==")
    screen.say(GUIDE[mock.stage.value])


def _facts(mock: Mock, screen: _Screen) -> None:
    prompt = mock.prompt
    if not mock.entries:
        screen.line()
        screen.say(f"Interviewer: {prompt.says}")
        screen.line()
        for place, (_, asks) in enumerate(prompt.options, 1):
            screen.say(asks, f"  {place:2}. ")
        screen.say(HOW_TO_ASK)
    while not (said := screen.ask()):
        screen.say(HOW_TO_ASK)
    if said.lower() == "done":
        mock.go_on(screen.clock())
        return
    menu = {str(place): key for place, (key, _) in enumerate(prompt.options, 1)}
    numbers = re.sub(r",|\band\b", " ", said).split()
    asked = [menu[one] for one in numbers] if numbers and set(numbers) <= set(menu) else [said]
    for each in asked:
        screen.say(f"Interviewer: {mock.ask(each, screen.clock()).says}")


def _plain(mock: Mock, screen: _Screen) -> None:
    """A number or a choice."""
    prompt = mock.prompt
    screen.line()
    screen.say(f"Interviewer: {prompt.says}")
    for place, (key, text) in enumerate(prompt.options, 1):
        screen.say(text, f"  {key if key.isdigit() else place}. ")
    _answer(mock, screen, screen.ask())


def _text(mock: Mock, screen: _Screen) -> None:
    screen.line()
    screen.say(f"Interviewer: {mock.prompt.says}")
    _answer(mock, screen, screen.paragraph())


def _answer(mock: Mock, screen: _Screen, said: str) -> None:
    try:
        reply = mock.answer(said, screen.clock())
    except ValueError as error:
        screen.say(f"{str(error).rstrip('.')}. That does not count as an answer.")
    else:
        if reply.says != "Go on.":
            screen.say(f"Interviewer: {reply.says}")


def _ticks(mock: Mock, screen: _Screen) -> None:
    prompt = mock.prompt
    screen.line()
    screen.say(f"You were asked: {prompt.says}")
    screen.say(f"You said: {mock.said_to(prompt.key)}")
    screen.say(f"A strong answer: {mock.question(prompt.key).strong}")
    for place, (_, text) in enumerate(prompt.options, 1):
        screen.say(text, f"  {place}. ")
    offered = {str(place) for place in range(1, len(prompt.options) + 1)}
    while True:
        said = screen.ask("Which did you say? Numbers, Enter for none, back for the one before: ")
        if said.lower() == BACK:
            try:
                mock.back()
            except ValueError as error:
                screen.say(f"{error}.".capitalize())
                continue
            return
        wanted = set(said.replace(",", " ").split())
        if wanted <= offered:
            if mock.is_last and screen.hears("Enter for your result, or back: ", BACK):
                continue
            break
        screen.say(f"Give numbers from 1 to {len(offered)}, such as 1, or Enter alone for none.")
    mock.ticks([place in wanted for place in sorted(offered, key=int)], screen.clock())


def _board(mock: Mock, screen: _Screen) -> None:
    screen.line()
    screen.say(f"Interviewer: {mock.prompt.says}")
    screen.say(f"Platform: {', '.join(mock.case.problem.engines)}.")
    screen.say(BOARD_HELP)
    _show(mock.board, screen)
    place = 0
    while True:
        said = screen.ask("board> ", BOARD_HELP)
        word, _, rest = said.partition(" ")
        if word == "propose":
            screen.say(f"On the board: {mock.propose(screen.clock()).says}")
            return
        if word == "path" and rest.isdigit() and mock.sketch is not None:
            place = min(int(rest), len(mock.sketch.paths)) - 1
            screen.say(f"You change path {place + 1}.")
            continue
        try:
            board = mock.draw(_drawn(mock, place, word, rest.strip()))
        except ValueError as error:
            screen.say(f"{error}. {BOARD_HELP}" if not said else str(error))
            continue
        if word == "split":
            place = len(board.sketch.paths) - 1
            screen.say(f"You change path {place + 1} now.")
        place = min(place, len(board.sketch.paths) - 1)
        _show(board, screen)


def _drawn(mock: Mock, place: int, word: str, rest: str) -> Sketch:
    problem, sketch = mock.case.problem, mock.sketch
    assert sketch is not None
    if word in ("show", ""):
        return sketch
    if word == "reset":
        return problem.today
    if word == "split":
        return drawing.split(problem, sketch, _consumer(problem, rest))
    if word == "join":
        return drawing.join(problem, sketch, _consumer(problem, rest))
    if word == "sink":
        return replace(sketch, idempotent_sink=rest.startswith("idem"))
    return drawing.changed(problem, sketch, place, word, rest)


def _consumer(problem: Problem, said: str) -> str:
    """The consumer that was typed, with or without its article."""
    bare = said.lower().removeprefix("the ")
    return next((one for one in problem.names if one.lower().removeprefix("the ") == bare), said)


def _show(board: Board, screen: _Screen) -> None:
    for one in shown(board):
        screen.line()
        screen.say(one.title)
        screen.say(", ".join(f"{name} {figure}" for name, figure in one.figures), "  ")
        screen.say(one.sentence, "  ")
    screen.say(whole(board))


ASK: dict[str, Callable[[Mock, _Screen], None]] = {
    "facts": _facts,
    "number": _plain,
    "choice": _plain,
    "text": _text,
    "board": _board,
    "ticks": _ticks,
}


def _row(text: str) -> str:
    """A row of the transcript's table as a sentence."""
    name, design, bill, verdict = text.strip("| ").split(" | ")
    return f"{name}: {design}. {bill}; {verdict}."


class _Screen:
    """Lines out, wrapped to the terminal's width; lines in, words for the clock taken out."""

    def __init__(
        self,
        mock: Mock,
        read: Callable[[str], str],
        write: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._mock, self._read, self._write, self.clock = mock, read, write, clock
        self._width = max(30, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))

    def line(self) -> None:
        self._write("")

    def say(self, text: str, before: str = "") -> None:
        if text.startswith("| "):
            text = _row(text)
        if not text:
            self._write("")
            return
        indent = " " * len(before)
        self._write(
            textwrap.fill(
                text,
                self._width,
                initial_indent=before,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
        )

    def ask(self, mark: str = "> ", help_too: str = "") -> str:
        """One line; `help_too` is what help says beside the common words.

        Raises _Ended for quit and _Skipped for skip.
        """
        while True:
            said = self._read(mark).strip()
            word = said.lower()
            if word == "quit":
                raise _Ended
            if word == "skip":
                raise _Skipped
            if word == "help":
                for each in filter(None, (HELP, help_too)):
                    self.say(each)
            elif word == "time":
                self.say(self._time())
            elif word == "pause":
                self._pause()
            else:
                return said

    def hears(self, question: str, *words: str) -> bool:
        """Whether the answer is one of these words; the end of what is typed is none."""
        try:
            return self._read(question).strip().lower() in words
        except (EOFError, KeyboardInterrupt):
            return False

    def paragraph(self) -> str:
        """Lines until an empty one; a lone ? needs none after it."""
        self.say("End with an empty line.")
        lines: list[str] = []
        while (text := self.ask()) or not lines:
            if not text:
                self.say("Say something, or ? if you do not know.")
                continue
            lines.append(text)
            if lines == [PASS]:
                break
        return "\n".join(lines)

    def _pause(self) -> None:
        self._mock.pause(self.clock())
        self.say(f"The clock stands. {self._time()} Enter to go on.")
        self._read("")
        self._mock.resume(self.clock())
        self.say("The clock runs.")

    def _time(self) -> str:
        left = self._mock.seconds_left(self.clock())
        return f"{span(left)} left." if left >= 0 else f"{span(-left)} over time."
