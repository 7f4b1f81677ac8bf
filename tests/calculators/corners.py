"""What holds of every calculator: an answer everywhere, presets, reset, and a line to share."""

import itertools
import json
import math
import re
import sys
from types import ModuleType

import ipywidgets as widgets
from tradeoff import calculators, charts


def ends(control):
    """Both ends of a control; every entry of a list."""
    if isinstance(control, widgets.Checkbox):
        return [False, True]
    values = [value for _, value in control.options]
    return values if isinstance(control, widgets.Dropdown) else [values[0], values[-1]]


def steps(control):
    if isinstance(control, widgets.Checkbox):
        return [False, True]
    return [value for _, value in control.options]


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


def view_of(calculator):
    [view] = [child for child in calculator.children if isinstance(child, charts.View)]
    return view


class CalculatorChecks:
    """Subclass it with `make`, the calculator's function."""

    make: staticmethod

    @property
    def module(self) -> ModuleType:
        # The package's attribute of this name is the function, not the module it stands in.
        return sys.modules[self.make.__module__]

    def answers(self, calculator):
        """The setting has a finite answer, or a plain sentence that says why not."""
        said = text_of(calculator._meaning.value)
        assert len(said) > 20
        assert not re.search(r"\b(nan|inf|infinite|None|Traceback)\b", said), said
        if calculator._meaning.value == calculator.outcome.meaning:
            rows = [row for rows in calculator.outcome.rows.values() for row in rows]
            assert rows
            for value in itertools.chain.from_iterable(row.values() for row in rows):
                assert not isinstance(value, float) or math.isfinite(value), rows
            assert len(json.dumps(calculator.outcome.rows)) < 9_000

    def test_all_pairs_of_extremes_have_an_answer(self):
        calculator = self.make()
        controls = calculator._controls
        plain = self.module.Settings()
        for one, other in itertools.combinations(controls, 2):
            for pair in itertools.product(ends(controls[one]), ends(controls[other])):
                calculator.settings = plain
                controls[one].value, controls[other].value = pair
                self.answers(calculator)

    def test_every_step_of_every_control_has_an_answer(self):
        calculator = self.make()
        for control in calculator._controls.values():
            before = control.value
            for value in steps(control):
                control.value = value
                self.answers(calculator)
            control.value = before

    def test_every_preset_is_one_click(self):
        calculator = self.make()
        assert self.module.PRESETS
        for name, settings in self.module.PRESETS.items():
            [button] = [one for one in calculator.children[0].children if one.description == name]
            button.click()
            assert calculator.settings == settings
            assert calculator.outcome.meaning == self.module.solve(settings).meaning
            self.answers(calculator)

    def test_reset_returns_to_the_defaults(self):
        calculator = self.make()
        for control in calculator._controls.values():
            control.value = ends(control)[-1]
        calculator.children[0].children[0].click()
        assert calculator.settings == self.module.Settings()

    def test_the_line_to_share_makes_the_same_calculator(self):
        calculator = self.make()
        for settings in [self.module.Settings(), *self.module.PRESETS.values()]:
            calculator.settings = settings
            again = eval(calculator.code, {"calculators": calculators})
            assert again.settings == settings
            assert again.outcome.meaning == calculator.outcome.meaning

    def test_a_change_sends_rows_not_the_chart(self):
        calculator = self.make()
        sent = []
        view_of(calculator).observe(lambda change: sent.append(change["name"]))
        for control in calculator._controls.values():
            control.value = ends(control)[-1]
            control.value = ends(control)[0]
        assert set(sent) == {"rows"}

    def test_every_control_is_labelled(self):
        for name, control in self.make()._controls.items():
            assert control.description, name

    def test_the_picture_is_described(self):
        assert len(view_of(self.make()).description) > 40
