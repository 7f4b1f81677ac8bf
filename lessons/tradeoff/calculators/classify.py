"""Lesson 4's quiz: is a transform stateful? Each answer, right or wrong, has its reason."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets  # type: ignore[import-untyped]

from tradeoff.calculators.calculator import Names
from tradeoff.scenarios.transforms import STATEFUL, STATELESS, TRANSFORMS, Transform

UNDECIDED = "choose"


class Classify(widgets.VBox):
    """One row a transform: its name, a list to choose from, and what is said of the choice.

    Attributes
    ----------
    choices : the lists, by the transform's name; set a `value` to answer.
    """

    def __init__(self, transforms: tuple[Transform, ...] = TRANSFORMS) -> None:
        self.choices: dict[str, widgets.Dropdown] = {}
        self._transforms = transforms
        self._score = widgets.HTML()
        self._said: dict[str, widgets.HTML] = {}
        rows = [self._row(transform) for transform in transforms]
        super().__init__([*rows, self._score, Names()])
        self.add_class("tradeoff-calculator")
        self._count()

    @property
    def right(self) -> int:
        """How many are answered rightly now."""
        return sum(self.choices[one.name].value == one.verdict for one in self._transforms)

    @property
    def said(self) -> dict[str, str]:
        """What is said of each answer given."""
        return {
            one.name: one.said_of(self.choices[one.name].value)
            for one in self._transforms
            if self.choices[one.name].value != UNDECIDED
        }

    def _row(self, transform: Transform) -> widgets.VBox:
        choice = widgets.Dropdown(
            options=[UNDECIDED, STATELESS, STATEFUL],
            description=transform.name,
            style={"description_width": "480px"},
            layout=widgets.Layout(width="640px", max_width="100%"),
        )
        said = widgets.HTML(layout=widgets.Layout(margin="0 0 0 24px", max_width="640px"))
        self.choices[transform.name], self._said[transform.name] = choice, said
        choice.observe(lambda _: self._answered(transform), "value")
        return widgets.VBox([choice, said])

    def _answered(self, transform: Transform) -> None:
        text = self.said.get(transform.name, "")
        self._said[transform.name].value = f'<div role="status">{escape(text)}</div>'
        self._count()

    def _count(self) -> None:
        self._score.value = (
            f'<div role="status"><b>{self.right} of {len(self._transforms)}</b> are right.</div>'
        )


def classify() -> Classify:
    """The quiz over the course's transforms, nothing answered yet."""
    return Classify()
