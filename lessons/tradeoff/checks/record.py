"""The learner's side of a check: call the function, keep its answers as plain data, judge nothing.

Runs in the learner's kernel, where nothing can be trusted; so it holds no truth and no seed, and
what it writes down is only ever read as answers. The judge decides elsewhere what they are worth.
"""

import contextlib
import io
import json
import math
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ANSWERS = "application/vnd.tradeoff.answers+json"
"""Media type of the one output that a recording cell displays."""

LONGEST_ANSWER = 100_000
"""Characters of JSON; a diagnosis is far shorter."""


def plain(value: Any) -> Any:
    """`value` as JSON data: None, booleans, finite numbers, strings, lists, dictionaries.

    A dictionary's keys are strings. NumPy scalars become Python's; tuples, arrays, Series and Index
    objects become lists. Whatever else is found becomes ``{"not_data": name of its type}``, so an
    object's own idea of equality never reaches the judge.
    """
    try:
        data = _plain(value)
        return data if len(json.dumps(data)) <= LONGEST_ANSWER else _not_data("too long an answer")
    except RecursionError:
        return _not_data("too deeply nested an answer")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and abs(int.__int__(value)) < 2**63:
        return int.__int__(value)
    if isinstance(value, float) and math.isfinite(value):
        return float.__float__(value)
    if isinstance(value, float):
        return _not_data(repr(float.__float__(value)))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str.__str__(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) or _is_column(value):
        return [_plain(item) for item in value.tolist()]
    return _not_data(type(value).__name__)


def _is_column(value: Any) -> bool:
    import pandas as pd

    return isinstance(value, pd.Series | pd.Index)


def _not_data(what: str) -> dict[str, str]:
    return {"not_data": what}


def copies(arguments: Iterable[dict[str, Any]]) -> list[bytes]:
    """Each case's arguments frozen, so that every call thaws its own and may change it freely."""
    return [pickle.dumps(each, protocol=pickle.HIGHEST_PROTOCOL) for each in arguments]


def answers(function: Callable[..., Any], frozen: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Call `function` once a case and yield ``{"returned": data}`` or ``{"raised": words}``.

    An exception is an answer too; only an interrupt ends the recording. What the function prints
    or warns is dropped: it neither costs nor earns points.
    """
    for each in frozen:
        arguments = pickle.loads(each)
        with _quiet():
            try:
                answer = {"returned": plain(function(**arguments))}
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # SystemExit and the like are the function's own doing
                answer = {"raised": _in_words(error)}
        yield answer


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    nowhere = _Nowhere()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


def _in_words(error: BaseException) -> str:
    try:
        said = f"{type(error).__name__}: {error}"
    except Exception:  # an exception whose own __str__ fails
        said = type(error).__name__
    return said[:300]


def supply(path: Path, cell: str, arguments: Iterable[dict[str, Any]]) -> None:
    """Write what `record` needs to a file of its own; called by the judge's side."""
    path.write_bytes(pickle.dumps({"cell": cell, "cases": copies(arguments)}))


def record(path: str, function: str, namespace: dict[str, Any]) -> None:
    """Read the supplied file once, delete it, and display the answers of the named function.

    An interrupt (the cell's time is up) still shows what was answered before it.
    """
    from IPython.display import display

    file = Path(path)
    supplied = pickle.loads(file.read_bytes())
    file.unlink()
    answered: list[dict[str, Any]] = []
    found = callable(namespace.get(function))
    try:
        if found:
            answered.extend(answers(namespace[function], supplied["cases"]))
    finally:
        loaded = sorted(name for name in sys.modules if name.startswith("tradeoff."))
        written = {
            **{"cell": supplied["cell"], "found": found, "answers": answered},
            "loaded": loaded,
        }
        display({ANSWERS: written}, raw=True)
