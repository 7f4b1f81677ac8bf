"""Arguments, answers and tables in print: plain data for a reader, not for a machine.

Floats have six digits, dataclasses only what differs from their defaults, a long dictionary has a
line a key, and of a long table stand the rows where something happens.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from textwrap import fill, indent
from typing import Any

import numpy as np
import pandas as pd

WIDTH = 92  # characters of a line
ALL_ROWS = 12  # a table of so many is shown whole
DAY = 24  # and so is one with a row an hour, if something happens throughout
COLUMNS = 12


def short(value: Any, longest: int = 400) -> str:
    """A value on one line, of at most so many characters: cut behind a comma, if it must be."""
    text = _flat(value)
    if len(text) <= longest:
        return text
    return text[: text.rfind(", ", 0, longest) + 1 or longest] + " …"


def told_apart(first: Any, second: Any) -> tuple[str, str]:
    """Both as `short` has them; with all digits where six would make different values alike."""
    here, there = short(first), short(second)
    if here == there and first != second:
        return repr(first), repr(second)
    return here, there


def literal(value: Any, room: int = WIDTH) -> str:
    """A value as one would write it, in lines of about `room` characters."""
    flat = _flat(value)
    if len(flat) <= room:
        return flat
    match value:
        case dict():
            parts = [(f"{_flat(key)}: ", item) for key, item in value.items()]
            return _lines("{", parts, "}", room)
        case list() | tuple() if any(isinstance(item, str | list | dict) for item in value):
            return _lines("[", [("", item) for item in value], "]", room)
        case list() | tuple() if any(map(is_dataclass, value)):
            items = [short(item, room - 8) for item in value]
            closed = [f"{item})" if item.endswith("…") else item for item in items]
            return "[\n" + "".join(f"    {item},\n" for item in closed) + "]"
        case list() | tuple():
            inside = fill(flat[1:-1], room - 4, break_long_words=False)
            return f"[\n{indent(inside, '    ')},\n]"
    if is_dataclass(value):
        parts = [(f"{name}=", item) for name, item in _telling_fields(value)]
        return _lines(f"{type(value).__name__}(", parts, ")", room)
    return short(value)


def call(function: str, arguments: Mapping[str, Any]) -> str:
    """``function(name=value, …)``; of a table, which is shown by itself, only the name."""
    flat = ", ".join(
        f"{name}={'…' if isinstance(value, pd.DataFrame) else _flat(value)}"
        for name, value in arguments.items()
    )
    line = f"{function}({flat})"
    if len(line) <= WIDTH:
        return line
    parts = [(f"{name}=", value) for name, value in arguments.items()]
    return _lines(f"{function}(", parts, ")", WIDTH)


def _lines(begin: str, parts: list[tuple[str, Any]], end: str, room: int) -> str:
    inside = ""
    for name, value in parts:
        text = "…" if isinstance(value, pd.DataFrame) else literal(value, room - len(name) - 5)
        inside += f"{name}{text},\n"
    return f"{begin}\n{indent(inside, '    ')}{end}"


def _flat(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        value = value.value
    match value:
        case float():
            return _number(value)
        case dict():
            inside = ", ".join(f"{_flat(key)}: {_flat(item)}" for key, item in value.items())
            return f"{{{inside}}}"
        case list():
            return f"[{', '.join(map(_flat, value))}]"
        case tuple():
            return f"({', '.join(map(_flat, value))}{',' * (len(value) == 1)})"
    if is_dataclass(value):
        inside = ", ".join(f"{name}={_flat(item)}" for name, item in _telling_fields(value))
        return f"{type(value).__name__}({inside})"
    return repr(value)


def _number(value: float) -> str:
    exact = repr(value)
    if len(exact) <= 9 and "e" not in exact:
        return exact
    if 1e-4 <= abs(value) < 1e15:
        return np.format_float_positional(value, 6, fractional=False, trim="0")
    return f"{value:.6g}"


def _telling_fields(value: Any) -> list[tuple[str, Any]]:
    pairs = [(field, getattr(value, field.name)) for field in fields(value) if field.repr]
    return [(field.name, item) for field, item in pairs if not _is_default(field, item)]


def _is_default(field: Field[Any], item: Any) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return default is not MISSING and type(item) is type(default) and bool(item == default)


# --- tables ---------------------------------------------------------------------------------------


def size(table: pd.DataFrame) -> str:
    rows, columns = table.shape
    return f"{rows} row{'s' * (rows != 1)} of {columns} column{'s' * (columns != 1)}"


def excerpt(table: pd.DataFrame) -> pd.DataFrame:
    """The rows to show, in words, ``⋮`` where some are left out.

    Of a long table the first and last two and those that break the pattern of the rows before, if
    these are few; otherwise all hours of a day, or the first and last four.
    """
    count = len(table)
    kept = list(range(count))
    if count > ALL_ROWS:
        told = _telling_rows(table)
        if len(told) <= ALL_ROWS:
            kept = told
        elif count > DAY:
            kept = [*range(4), *range(count - 4, count)]
    words = pd.DataFrame(
        {str(name): _words(table.iloc[kept, number]) for number, name in enumerate(table.columns)},
        index=table.index[kept].map(str),
        dtype=object,
    )
    gap = pd.DataFrame([["⋮"] * words.shape[1]], columns=words.columns, index=["⋮"])
    cuts = [i for i in range(1, len(kept)) if kept[i] - kept[i - 1] > 1]
    edges = list(zip([0, *cuts], [*cuts, len(kept)], strict=True))
    pieces = [words.iloc[first:last] for first, last in edges]
    return pd.concat([piece for each in pieces for piece in (each, gap)][:-1])


def _telling_rows(table: pd.DataFrame) -> list[int]:
    """Rows that go on otherwise than the two before, with the row before them; first and last."""
    odd = np.zeros(len(table), dtype=bool)
    for _, column in table.items():
        if column.dtype.kind == "M":
            column = column.astype("int64")
        if column.dtype.kind in "iufb":
            step = np.diff(column.to_numpy(dtype=float))
            same = np.isclose(step[1:], step[:-1], rtol=1e-9, atol=1e-9, equal_nan=True)
            odd[2:] |= ~same
        else:
            odd[1:] |= (column.iloc[1:].to_numpy() != column.iloc[:-1].to_numpy()).astype(bool)
    last = len(table) - 1
    found = {0, 1, last - 1, last}
    for row in np.flatnonzero(odd).tolist():
        found |= {row - 1, row}
    return sorted(found)


def _words(column: pd.Series) -> list[str]:
    if column.dtype.kind == "M":
        minutes = column.dt.strftime("%Y-%m-%d %H:%M")  # so that a row fits the page
        return minutes.fillna("NaT").tolist()
    return ["NaN" if _is_missing(item) else _word(item) for item in column.tolist()]


def _is_missing(item: Any) -> bool:
    return item is pd.NaT or (isinstance(item, float) and math.isnan(item))


def _word(item: Any) -> str:
    return item if isinstance(item, str) else _flat(item)


def as_text(table: pd.DataFrame) -> str:
    return excerpt(table).to_string(max_cols=COLUMNS, line_width=110)


def as_html(table: pd.DataFrame) -> str:
    page = excerpt(table).to_html(max_cols=COLUMNS, border=0, justify="right")
    # nbgrader's feedback page has no padding of its own for cells.
    for tag in ("td", "th"):
        page = page.replace(f"<{tag}>", f'<{tag} style="padding:0 .5em;text-align:right">')
    return page
