"""What an answer must look like before it is worth judging: plain data of a stated form.

A verdict is written for well-formed answers only; a form stands in front of it and turns away
the rest with words a learner understands ("wanted True or False").
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """The wanted form in words, and whether an answer (JSON data) has it."""

    words: str
    accepts: Callable[[Any], bool]


ANYTHING = Form("plain data", lambda answer: True)
TRUE_OR_FALSE = Form("True or False", lambda answer: isinstance(answer, bool))
NUMBER = Form(
    "a finite number",
    lambda answer: (
        isinstance(answer, int | float) and not isinstance(answer, bool) and math.isfinite(answer)
    ),
)
TEXT = Form("a string", lambda answer: isinstance(answer, str))


def one_of(*words: str) -> Form:
    """One of these strings."""
    return Form(
        "one of " + ", ".join(map(repr, words)),
        lambda answer: isinstance(answer, str) and answer in words,
    )


def list_of(form: Form) -> Form:
    """A list, possibly empty, of answers of one form; a tuple, array or Series arrives as one."""
    return Form(
        f"a list, each item {form.words}",
        lambda answer: isinstance(answer, list) and all(map(form.accepts, answer)),
    )


def mapping(**forms: Form) -> Form:
    """A dictionary with exactly these keys, each value of its form."""
    return Form(
        "a dictionary with " + ", ".join(f"{key!r}: {form.words}" for key, form in forms.items()),
        lambda answer: (
            isinstance(answer, dict)
            and answer.keys() == forms.keys()
            and all(form.accepts(answer[key]) for key, form in forms.items())
        ),
    )


def mapping_to(form: Form) -> Form:
    """A dictionary from any strings to values of one form."""
    return Form(
        f"a dictionary, each value {form.words}",
        lambda answer: isinstance(answer, dict) and all(map(form.accepts, answer.values())),
    )
