"""The whiteboard as controls: a row of them for each path, evaluated at every change."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

from tradeoff.interview.mocks.screens import drawing
from tradeoff.interview.mocks.screens.showing import shown, whole
from tradeoff.interview.mocks.talk.session import Mock
from tradeoff.interview.mocks.truth.board import Board, Path, Sketch
from tradeoff.interview.mocks.truth.facts import CALLED
from tradeoff.model import Rhythm, words

LABEL, CONTROL = "130px", "430px"
OWN, JOINED = "A path of its own for {}", "{} back to path 1"


class Whiteboard(widgets.VBox):
    """Controls for the session's sketch.

    Parameters
    ----------
    mock : the session. redrawn : called when paths came or went, and other controls stand there.

    Attributes
    ----------
    fields : the controls by (place of the path, name of the field), to read and to set.
    said : what the model says of the board, as HTML.
    """

    def __init__(self, mock: Mock, redrawn: Callable[[], None]) -> None:
        self._mock, self._redrawn = mock, redrawn
        self.fields: dict[tuple[int, str], Any] = {}
        self._setting = False
        self._paths, self._said = widgets.VBox(), widgets.HTML()
        sink = widgets.Checkbox(
            value=mock.case.problem.today.idempotent_sink,
            description="Idempotent sink: an event written twice counts once",
            indent=False,
            layout=widgets.Layout(width="auto"),
        )
        sink.observe(lambda change: self._sink(change["new"]), "value")
        self.sink = sink
        reset = widgets.Button(description="Start from today's pipeline", layout=_auto())
        reset.on_click(lambda _: self._draw(mock.case.problem.today, rebuild=True))
        self.propose = widgets.Button(
            description="Propose this design", button_style="primary", layout=_auto()
        )
        super().__init__(
            [self._paths, sink, self._said, widgets.HBox([self.propose, reset])],
            layout=widgets.Layout(width="100%"),
        )
        self._rebuild()

    @property
    def said(self) -> str:
        return str(self._said.value)

    def _rebuild(self) -> None:
        sketch = self._sketch
        self.fields = {}
        self._paths.children = [self._row(place, path) for place, path in enumerate(sketch.paths)]
        self._show(self._mock.board)

    @property
    def _sketch(self) -> Sketch:
        assert self._mock.sketch is not None
        return self._mock.sketch

    def _row(self, place: int, path: Path) -> widgets.VBox:
        problem = self._mock.case.problem
        engines = {CALLED[name]: name for name in problem.engines}
        controls = {
            "engine": _list("Engine", engines, path.engine),
            "rhythm": _list("Rhythm", {each.value: each.value for each in Rhythm}, path.rhythm),
            "every": _text("A run every", _every(path)),
            "nodes": widgets.BoundedIntText(
                value=path.nodes, min=1, max=1_000, description="Nodes", **_look()
            ),
            "incremental": _list(
                "A run reads", {"only what is new": "yes", "everything": "no"}, _flag(path)
            ),
        }
        if problem.work.state is not None:
            controls["watermark"] = _text("Watermark or TTL", _watermark(path))
        for name, control in controls.items():
            self.fields[place, name] = control
            control.observe(self._changed(place, name), "value")
        title = f"<b>Path {place + 1}</b>, for {escape(' and '.join(path.consumers))}"
        grid = widgets.Layout(grid_template_columns=f"repeat(auto-fit, minmax({CONTROL}, 1fr))")
        return widgets.VBox(
            [
                widgets.HTML(title),
                widgets.GridBox(list(controls.values()), layout=grid),
                widgets.HBox(self._splits(place, path), layout=widgets.Layout(flex_flow="wrap")),
            ]
        )

    def _splits(self, place: int, path: Path) -> list[widgets.Button]:
        buttons = []
        for name in path.consumers:
            if len(path.consumers) > 1:
                button = widgets.Button(description=OWN.format(name), layout=_auto())
                button.on_click(lambda _, who=name: self._divide(who, drawing.split))
                buttons.append(button)
            elif place:
                button = widgets.Button(description=JOINED.format(name), layout=_auto())
                button.on_click(lambda _, who=name: self._divide(who, drawing.join))
                buttons.append(button)
        return buttons

    def _divide(self, consumer: str, how: Callable[..., Sketch]) -> None:
        self._draw(how(self._mock.case.problem, self._sketch, consumer), rebuild=True)
        self._paths.children[-1].add_class("mock-here")  # where the cursor goes
        self._redrawn()

    def _changed(self, place: int, name: str) -> Callable[[Any], None]:
        def heard(change: Any) -> None:
            if self._setting:
                return
            try:
                said = str(change["new"])
                new = drawing.changed(self._mock.case.problem, self._sketch, place, name, said)
            except ValueError as error:
                self._complain(error)
                return
            self._draw(new)

        return heard

    def _sink(self, idempotent: bool) -> None:
        self._draw(Sketch(self._sketch.paths, idempotent))

    def _draw(self, sketch: Sketch, rebuild: bool = False) -> None:
        try:
            board = self._mock.draw(sketch)
        except ValueError as error:
            self._complain(error)
            return
        if rebuild:
            self._rebuild()
        self._align()
        self._show(board)

    def _align(self) -> None:
        """Set the controls to the sketch: a change of engine moves others, too."""
        self._setting = True
        try:
            self.sink.value = self._sketch.idempotent_sink
            for place, path in enumerate(self._sketch.paths):
                streams = path.rhythm == Rhythm.STREAMING
                values = {
                    "engine": path.engine,
                    "rhythm": path.rhythm,
                    "every": _every(path),
                    "nodes": path.nodes,
                    "incremental": _flag(path),
                    "watermark": _watermark(path),
                }
                for name, value in values.items():
                    if (place, name) in self.fields:
                        self.fields[place, name].value = value
                for name in ("every", "incremental"):
                    self.fields[place, name].disabled = streams
        finally:
            self._setting = False

    def _complain(self, error: ValueError) -> None:
        """Say why, and show what the board still says: what is proposed is what is seen."""
        self._align()
        self._said.value = f'<div role="status">{escape(str(error))}</div>'

    def _show(self, board: Board) -> None:
        names = [name for name, _ in shown(board)[0].figures]
        head = "".join(f"<th>{escape(name)}</th>" for name in ("path", *names))
        rows, sentences = [], []
        for number, one in enumerate(shown(board), 1):
            cells = "".join(f"<td>{escape(figure)}</td>" for _, figure in one.figures)
            rows.append(f"<tr><td>{number}</td>{cells}</tr>")
            sentences.append(f"<p>{escape(one.sentence)}</p>")
        self._said.value = (
            f'<div role="status"><table class="mock-figures"><tr>{head}</tr>{"".join(rows)}</table>'
            f"{''.join(sentences)}<p><b>{escape(whole(board))}</b></p></div>"
        )


def _every(path: Path) -> str:
    return "" if path.interval_seconds is None else words.duration(path.interval_seconds)


def _watermark(path: Path) -> str:
    return "none" if path.watermark_seconds is None else words.duration(path.watermark_seconds)


def _flag(path: Path) -> str:
    return "yes" if path.incremental else "no"


def _look() -> dict[str, Any]:
    return {
        "style": {"description_width": LABEL},
        "layout": widgets.Layout(width=CONTROL, max_width="100%"),
    }


def _auto() -> widgets.Layout:
    return widgets.Layout(width="auto")


def _list(label: str, values: dict[str, str], value: str) -> widgets.Dropdown:
    return widgets.Dropdown(options=list(values.items()), value=value, description=label, **_look())


def _text(label: str, value: str) -> widgets.Text:
    return widgets.Text(value=value, description=label, continuous_update=False, **_look())
