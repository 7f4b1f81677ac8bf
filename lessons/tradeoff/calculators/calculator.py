"""What every calculator is: controls and presets, a picture that is sent rows, a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from html import escape
from pathlib import Path
from typing import Any, Protocol

import altair as alt
import anywidget
import ipywidgets as widgets  # type: ignore[import-untyped]

from tradeoff.charts import View

LABEL, CONTROL = "150px", "440px"


class Outcome(Protocol):
    """What a calculator shows of an outcome."""

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The picture's rows, by the name of their data."""

    @property
    def meaning(self) -> str:
        """What this means, in HTML."""

    @property
    def idle(self) -> tuple[str, ...]:
        """Settings that make no difference here; their controls are greyed."""


class Calculator(widgets.VBox):
    """Controls wired to the model and a picture.

    Parameters
    ----------
    call : the code that makes this calculator, for the line to share: "calculators.redesign".
    settings : a frozen dataclass, one field a control; its defaults are what `reset` returns to.
    presets : settings by the name on their button.
    controls : the widget of each field, in order; its value is the field's.
    solve : settings to outcome, by the model alone. A ValueError of it is shown as a sentence.
    chart : the picture, over the named rows of the outcome.

    Attributes
    ----------
    settings, outcome : what the controls say now, and what follows. Assign `settings` to move them.
    """

    def __init__(
        self,
        call: str,
        settings: Any,
        presets: Mapping[str, Any],
        controls: Mapping[str, Any],
        solve: Callable[[Any], Outcome],
        chart: alt.TopLevelMixin,
    ) -> None:
        self._call, self._solve, self._controls = call, solve, dict(controls)
        self._settings_type = type(settings)
        self.outcome = solve(settings)
        self._view = View(chart, self.outcome.rows)
        self._meaning, self._code = widgets.HTML(), widgets.HTML()
        self._moving = False
        for control in self._controls.values():
            control.observe(self._changed, "value")
        buttons = {"Reset": self._settings_type(), **presets}
        grid = widgets.Layout(grid_template_columns=f"repeat(auto-fit, minmax({CONTROL}, 1fr))")
        super().__init__(
            [
                widgets.HBox([self._button(*pair) for pair in buttons.items()]),
                widgets.GridBox(list(self._controls.values()), layout=grid),
                self._view,
                self._meaning,
                self._code,
                Names(),
            ]
        )
        self.add_class("tradeoff-calculator")
        self.settings = settings

    @property
    def settings(self) -> Any:
        return self._settings_type(
            **{name: control.value for name, control in self._controls.items()}
        )

    @settings.setter
    def settings(self, settings: Any) -> None:
        self._moving = True  # one answer to all the controls that move, not one to each
        try:
            for name, value in asdict(settings).items():
                control = self._controls[name]
                if isinstance(control, Steps):
                    control.move(value)
                else:
                    control.value = value
        finally:
            self._moving = False
        self._update()

    @property
    def code(self) -> str:
        """The line that makes this calculator as it stands now."""
        now, plain = self.settings, self._settings_type()
        changed = [
            f"{field.name}={_written(getattr(now, field.name))}"
            for field in fields(now)
            if getattr(now, field.name) != getattr(plain, field.name)
        ]
        return f"{self._call}({', '.join(changed)})"

    def _button(self, name: str, settings: Any) -> widgets.Button:
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: setattr(self, "settings", settings))
        return button

    def _changed(self, _: Any) -> None:
        if not self._moving:
            self._update()

    def _update(self) -> None:
        try:
            self.outcome = self._solve(self.settings)
        except ValueError as error:
            self._meaning.value = f'<div role="status">{escape(str(error))}</div>'
        else:
            self._view.rows = self.outcome.rows  # first: it is what the eye waits for
            self._meaning.value = self.outcome.meaning
            for name, control in self._controls.items():
                control.disabled = name in self.outcome.idle
        self._code.value = f"To share this setting: <code>{escape(self.code)}</code>"


class Names(anywidget.AnyWidget):
    """Unseen: names the sliders of what it stands in for screen readers, keeps lists their keys."""

    _esm = Path(__file__).with_name("names.js")


class Steps(widgets.SelectionSlider):
    """A slider over the given values, each shown as a person says it."""

    def __init__(self, label: str, values: Iterable[Any], say: Callable[[Any], str]) -> None:
        self.options: Any  # the traitlet, which has no types
        self._say = say
        super().__init__(
            options=[(say(value), value) for value in values],
            description=label,
            style={"description_width": LABEL},
            layout=widgets.Layout(width=CONTROL),
        )

    def move(self, value: Any) -> None:
        """Go to a value; a number that no step has gets one. Raises ValueError for other values."""
        known: list[Any] = [option for _, option in self.options]
        if value not in known:
            if isinstance(value, str) or isinstance(known[0], str):
                raise ValueError(f"{self.description!r} has no {value!r}: it has {known}")
            self.options = [(self._say(each), each) for each in sorted([*known, value])]
        self.value = value


def choice(label: str, values: Mapping[str, Any]) -> widgets.Dropdown:
    """A list to choose from; `values` by what is shown."""
    return widgets.Dropdown(
        options=list(values.items()),
        description=label,
        style={"description_width": LABEL},
        layout=widgets.Layout(width=CONTROL),
    )


def tick(label: str) -> widgets.Checkbox:
    """A box to tick."""
    return widgets.Checkbox(
        description=label,
        style={"description_width": LABEL},
        layout=widgets.Layout(width=CONTROL),
    )


def _written(value: Any) -> str:
    """A value as Python code: 18_000_000 rather than 18000000.0."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    return f"{int(value):_}" if whole else repr(value)
