"""The mock interview in JupyterLab: what was said, what is asked, a clock; the keyboard is enough.

`mock()` shows a page with a button that starts; nothing runs and nothing is kept before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets  # type: ignore[import-untyped]
import traitlets

from tradeoff.interview import mocks
from tradeoff.interview.mocks.screens.terminal import score
from tradeoff.interview.mocks.screens.whiteboard import Whiteboard
from tradeoff.interview.mocks.talk import transcript
from tradeoff.interview.mocks.talk.session import FACT, GUIDE, MINUTES, MINUTES_OF, PASS, Mock
from tradeoff.interview.mocks.talk.tries import Keeper

STYLE = """<style>
.tradeoff-mock .widget-html-content { line-height: 1.45; }
.tradeoff-mock .mock-talk { max-height: 20em; overflow-y: auto; padding: 8px 8px 0 0;
    border-top: 1px solid var(--jp-border-color1, #888); margin-top: 8px; }
.tradeoff-mock .mock-talk p { margin: 4px 0; max-width: 80ch; }
.tradeoff-mock p, .tradeoff-mock li { max-width: 80ch; }
.tradeoff-mock .mock-exchange { margin-bottom: 10px; }
.tradeoff-mock .mock-you { padding-left: 1.5em; }
.tradeoff-mock table { border-collapse: collapse; }
.tradeoff-mock th, .tradeoff-mock td { text-align: left; padding: 2px 12px 2px 0;
    vertical-align: top; border-bottom: 1px solid var(--jp-border-color2, #999); }
.tradeoff-mock .widget-checkbox label, .tradeoff-mock .widget-label-basic {
    white-space: normal; height: auto; }
</style>"""
DRAW = "one I have not tried"


class Clock(anywidget.AnyWidget):
    """The clock's face; `turn` moves when the cursor is to go to what is asked next."""

    _esm = Path(__file__).with_name("clock.js")
    left = traitlets.Float(MINUTES * 60.0).tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)


class Interview(widgets.VBox):
    """The page of one interview.

    Attributes
    ----------
    mock : the session; None before it is started.
    """

    def __init__(
        self,
        case: str | None = None,
        seed: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if case is not None and case not in mocks.CASES:
            raise ValueError(f"no case {case!r}; there are {', '.join(mocks.CASES)}")
        self._seed, self._now = seed, now
        self.mock: Mock | None = None
        self.keeper: Keeper | None = None
        self.whiteboard: Whiteboard | None = None
        self.clock = Clock()
        self.clock.on_msg(lambda _, content, __: self._handed_in(content))
        self._hears: Callable[[str, list[bool]], None] = lambda _, __: None
        self._head, self._talk = widgets.HTML(), widgets.HTML()
        self._error = widgets.HTML()
        self.answers = widgets.VBox()
        self.answers.add_class("mock-answer")
        self.pause = self._button("Pause the clock", self._pause)
        self.skip = self._button("Skip this stage", self._skip)
        self.quit = self._button("End here", self._quit)
        tools = [self.clock, self.pause, self.skip, self.quit]
        self._tools = widgets.HBox(tools, layout=widgets.Layout(align_items="center"))
        super().__init__(
            [
                widgets.HTML(STYLE),
                self._head,
                self._tools,
                self.answers,
                self._error,
                self._talk,
            ]
        )
        self.add_class("tradeoff-mock")
        self._welcome(case)

    # --- before -----------------------------------------------------------------------------------

    def _welcome(self, case: str | None, again: bool = False) -> None:
        names = {f"{industry}: {name}": name for name, industry in mocks.industries().items()}
        self.chosen = widgets.Dropdown(
            options=[(DRAW, None), *names.items()],
            value=case,
            description="Case",
            style={"description_width": "60px"},
            layout=widgets.Layout(width="420px", max_width="100%"),
        )
        begin = self._button("Start the clock", self._start, style="primary")
        earlier = "".join(
            f"<li>{one.started:%Y-%m-%d %H:%M}, {escape(one.case)}: {escape(score(one))}</li>"
            for one in mocks.tries()[:8]
        )
        self._head.value = (
            f"<h3>Mock interview, {MINUTES} minutes</h3><p>Clarify, estimate, design, price, "
            "defend. Typing and Tab are enough. The clock can be paused; everything you say is "
            "kept on this machine.</p>"
            + (f"<p>Earlier tries:</p><ul>{earlier}</ul>" if earlier else "")
        )
        self._present([self.chosen, begin], focus=again)
        self._tools.layout.display = "none"

    def _start(self) -> None:
        now = self._now()
        try:
            case = mocks.choose(self.chosen.value, self._seed, now)
        except ValueError as error:
            self._complain(error)
            return
        self.keeper = Keeper(case.name, now)
        self.mock = Mock(case, now, self.keeper)
        self._tools.layout.display = ""
        self._show()

    # --- during -----------------------------------------------------------------------------------

    def _show(self) -> None:
        """Everything anew, and the cursor to what is asked."""
        assert self.mock is not None
        mock, now = self.mock, self._now()
        self._error.value = ""
        self._set_clock(now)
        if mock.over:
            self._report()
            return
        planned = MINUTES_OF.get(mock.stage.value)
        about = f", about {planned} minutes" if planned else ""
        self._head.value = (
            f"<h3>{escape(mock.case.industry.capitalize())}: {mock.stage.value}{about}</h3>"
            f"<p>{escape(GUIDE[mock.stage.value])}</p>"
        )
        self._talk.value = self._said()
        makers: dict[str, Callable[[], list[Any]]] = {
            "facts": self._facts,
            "number": self._number,
            "choice": self._choice,
            "text": self._text,
            "board": self._board,
            "ticks": self._ticks,
        }
        self._present(makers[mock.prompt.kind]())

    def _said(self) -> str:
        assert self.mock is not None
        told = [f"<p><b>Interviewer.</b> {escape(self.mock.case.opening)}</p>"]
        above = self.mock.prompt.kind == "facts"  # where the newest exchange stands already
        if above and not self.mock.entries:
            return ""
        for entry in self.mock.entries[:-1] if above else self.mock.entries:
            asked = f"<p><b>Interviewer.</b> {escape(entry.asked)}</p>"
            said = f'<p class="mock-you"><b>You.</b> {escape(entry.said)}</p>'
            reply = f"<p><b>Interviewer.</b> {escape(entry.reply)}</p>"
            told.append(
                f"{asked if entry.key != FACT else ''}{said}"
                f"{reply if entry.reply and entry.reply != 'Go on.' else ''}"
            )
        told.reverse()  # the newest exchange on top: no scrolling to find it
        rows = "".join(f'<div class="mock-exchange">{each}</div>' for each in told)
        return f'<div class="mock-talk" role="log" tabindex="0"><p>So far:</p>{rows}</div>'

    def _facts(self) -> list[Any]:
        assert self.mock is not None
        known = {fact.key for fact in self.mock.told}
        menu = "".join(
            f"<li>{escape(asks)}{' (asked)' if key in known else ''}</li>"
            for key, asks in self.mock.prompt.options
        )
        last = self.mock.entries[-1] if self.mock.entries else None
        says = self.mock.case.opening if last is None else last.reply
        you = "" if last is None else f'<p class="mock-you"><b>You.</b> {escape(last.said)}</p>'
        return [
            widgets.HTML(f"{you}{_status(says)}"),
            self._line("Your question", "its number, or your own words; Enter asks", self._ask),
            self._button("Go on to the numbers", self._go_on),
            widgets.HTML(f"<p>You may ask for these, or for anything else:</p><ol>{menu}</ol>"),
        ]

    def _number(self) -> list[Any]:
        return [
            self._question(),
            self._line(
                "Your answer", "a number with its unit; ? if you do not know; Enter", self._answer
            ),
        ]

    def _choice(self) -> list[Any]:
        assert self.mock is not None
        return [
            self._question(),
            *(
                self._button(text, lambda key=key: self._answer(key))  # type: ignore[misc]
                for key, text in (*self.mock.prompt.options, (PASS, "I do not know"))
            ),
        ]

    def _text(self) -> list[Any]:
        said = widgets.Textarea(
            description="Your answer",
            placeholder="Ctrl and Enter says it, too",
            rows=5,
            style={"description_width": "100px"},
            layout=widgets.Layout(width="720px", max_width="100%"),
        )
        said.add_class("mock-paragraph")
        self._hears = lambda text, _: self._answer(text)
        return [self._question(), said, self._hand_in("Say it")]

    def _board(self) -> list[Any]:
        assert self.mock is not None
        shown = [self._question()]
        self.whiteboard = Whiteboard(self.mock, lambda: self._present(shown))
        self.whiteboard.propose.on_click(lambda _: self._try(lambda: self._propose()))
        shown.append(self.whiteboard)
        return shown

    def _ticks(self) -> list[Any]:
        assert self.mock is not None
        prompt = self.mock.prompt
        question = self.mock.question(prompt.key)
        answers = widgets.HTML(
            f"<p><b>You were asked.</b> {escape(prompt.says)}</p>"
            f'<p class="mock-you"><b>You said.</b> {escape(self.mock.said_to(prompt.key))}</p>'
            f"<p><b>A strong answer.</b> {escape(question.strong)}</p>"
            "<p>Tick what your answer held:</p>"
        )
        boxes = [
            widgets.Checkbox(
                value=False, description=text, indent=False, layout=widgets.Layout(width="auto")
            )
            for _, text in prompt.options
        ]
        self._hears = lambda _, ticks: self._tick(ticks)
        return [answers, *boxes, self._hand_in("Next")]

    def _question(self) -> widgets.HTML:
        assert self.mock is not None
        return widgets.HTML(_status(self.mock.prompt.says))

    def _report(self, spoil: bool = False) -> None:
        """How it went. Who ended before the design is shown the answer when asked for (`spoil`)."""
        import mistune

        assert self.mock is not None
        held_back = self.mock.quit_early and not spoil
        made = mistune.create_markdown(escape=True, plugins=["table"])
        text = "" if held_back else made("\n".join(transcript.report(self.mock)))
        scored = f"{self.mock.result.percent} %" if self.mock.answered else "nothing answered"
        self._head.value = f"<h3>{escape(self.mock.case.industry.capitalize())}: {scored}</h3>"
        self._talk.value = ""
        notes = ""
        if self.keeper is not None:
            said = [*self.keeper.notes, f"Kept: {self.keeper.transcript}"]
            notes = "".join(f"<p>{escape(each)}</p>" for each in said)
        again = self._button("Another interview", self._again)
        show = self._button("Show the model answer", lambda: self._report(spoil=True))
        self._present([again, *([show] if held_back else []), widgets.HTML(f"{text}{notes}")])
        self._tools.layout.display = "none"

    # --- what is done -----------------------------------------------------------------------------

    def _ask(self, said: str) -> None:
        assert self.mock is not None
        options = self.mock.prompt.options
        if not said.strip():
            return
        if said.strip().isdigit() and 1 <= int(said) <= len(options):
            said = options[int(said) - 1][0]
        self.mock.ask(said, self._now())
        self._show()

    def _go_on(self) -> None:
        assert self.mock is not None
        self.mock.go_on(self._now())
        self._show()

    def _answer(self, said: str) -> None:
        assert self.mock is not None
        if not said.strip():
            self._complain(ValueError("say something, or skip this stage"))
            return
        self.mock.answer(said, self._now())
        self._show()

    def _propose(self) -> None:
        assert self.mock is not None
        self.mock.propose(self._now())
        self._show()

    def _tick(self, ticked: list[bool]) -> None:
        assert self.mock is not None
        self.mock.ticks(ticked, self._now())
        self._show()

    def _skip(self) -> None:
        assert self.mock is not None
        self.mock.skip(self._now())
        self._show()

    def _quit(self) -> None:
        assert self.mock is not None
        self.mock.quit(self._now())
        self._show()

    def _pause(self) -> None:
        assert self.mock is not None
        now = self._now()
        if self.mock.paused:
            self.mock.resume(now)
        else:
            self.mock.pause(now)
        self._set_clock(now)

    def _again(self) -> None:
        self.mock, self._seed = None, None
        self._talk.value = ""
        self._welcome(None, again=True)

    def _set_clock(self, now: datetime) -> None:
        assert self.mock is not None
        self.clock.running = not self.mock.paused
        self.clock.left = self.mock.seconds_left(now)
        self.pause.description = "Let the clock run" if self.mock.paused else "Pause the clock"
        self.pause.disabled = not self.mock.timed

    def _present(self, controls: list[Any], focus: bool = True) -> None:
        """Show a question and what it is answered with, and put the cursor there.

        In one box, new each time: a question that came before its field would be answered in the
        field of the one before, and that answer comes too late.
        """
        box = widgets.VBox(controls, layout=widgets.Layout(align_items="flex-start"))
        box.add_class(f"mock-turn-{self.clock.turn + 1}")
        self.answers.children = [box]
        if focus:
            self.clock.turn += 1

    # --- parts ------------------------------------------------------------------------------------

    def _line(self, label: str, hint: str, heard: Callable[[str], None]) -> widgets.Text:
        line = widgets.Text(
            description=label,
            placeholder=hint,
            style={"description_width": "100px"},
            layout=widgets.Layout(width="620px", max_width="100%"),
        )
        line.add_class("mock-line")
        self._hears = lambda text, _: heard(text)
        return line

    def _hand_in(self, text: str) -> widgets.Button:
        """A button that hands in what stands in the fields; the page's script sends it."""
        button = widgets.Button(
            description=text, button_style="primary", layout=widgets.Layout(width="auto")
        )
        button.add_class("mock-hand-in")
        return button

    def _handed_in(self, content: Any) -> None:
        """What the page sends: text and ticks, and of which turn. An old turn's comes too late."""
        if content.get("turn") == self.clock.turn:
            self._try(lambda: self._hears(str(content["text"]), list(content["ticks"])))

    def _button(self, text: str, does: Callable[[], None], style: str = "") -> widgets.Button:
        button = widgets.Button(
            description=text, button_style=style, layout=widgets.Layout(width="auto")
        )
        button.on_click(lambda _: self._try(does))
        return button

    def _try(self, does: Callable[[], None]) -> None:
        """Do it; a sentence that refuses it is shown, and costs nothing."""
        try:
            does()
        except ValueError as error:
            self._complain(error)

    def _complain(self, error: ValueError) -> None:
        self._error.value = f'<div role="alert">{escape(str(error))}</div>'


def _status(says: str) -> str:
    return f'<p role="status"><b>Interviewer.</b> {escape(says)}</p>'


def mock(case: str | None = None, seed: int | None = None) -> Interview:
    """A mock interview of 25 minutes, to be started by its button.

    Parameters
    ----------
    case : a name out of `mocks.CASES`; None: one that was not tried yet, or chosen on the page.
    seed : draws the same numbers again; None: fresh ones.

    Raises ValueError for a case that is not there.
    """
    return Interview(case, seed)
