"""The best rule that looks at one column, or one argument, of a behaviour's cases and no more.

A rule is a decision tree of depth two over what can be read off the column: levels, spread and
change of numbers, which words stand there and how often. It is fitted to cases of other seeds.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from tradeoff.checks.assignment import Case
from tradeoff.checks.judge import sheet

SEEDS = ("public", "a", "b")
CUTS = 16  # thresholds tried of each figure
MOST_WORDS = 12
RARE = 0.05  # answers given to fewer cases are not learned

Columns = dict[str, Any]
Rule = Callable[..., Any]


def columns(arguments: dict[str, Any]) -> Columns:
    """Every number, word, list and table's column among the arguments, by a name of its own."""
    return dict(_columns(arguments))


def _columns(arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in arguments.items():
        match value:
            case pd.DataFrame():
                yield from ((f"{name}.{column}", value[column]) for column in value)
                if {"start", "end"} <= set(value):
                    seconds = (value["end"] - value["start"]).dt.total_seconds()
                    yield f"{name}.hours", seconds / 3600
            case dict():
                yield from ((f"{name}.{key}", item) for key, item in value.items())
            case _ if value is None or isinstance(value, bool | int | float | str | list):
                yield name, value


def figures(value: Any, words: list[str]) -> list[float]:
    """What can be read off a column; of words, which of the known ones it holds."""
    if isinstance(value, list):
        value = pd.Series(value, dtype=None if value else float)
    if not isinstance(value, pd.Series):
        said = [float(value == word) for word in words]
        number = -1.0 if value is None or isinstance(value, str) else float(value)
        return [number, float(value is None), *said]
    if value.dtype.kind in "iufb":
        return _of_numbers(value.to_numpy(dtype=float))
    shares = [float((value == word).mean()) for word in words]
    return [float(len(value)), float(value.nunique()), *shares]


def _of_numbers(values: np.ndarray) -> list[float]:
    missing, values = np.isnan(values).mean(), values[~np.isnan(values)]
    if not len(values):
        return [missing, *[-1.0] * 16]
    part = max(1, min(28, len(values) // 2))
    then, now = values[:part], values[-part:]
    middle = values[len(values) // 2]
    levels = [np.median(now), np.median(then), now.mean(), now.max(), now.min(), values[-1]]
    whole = [values.mean(), values.max(), float(len(values)), float(len(np.unique(values)))]
    moved = [values[-1] - middle, middle - values[0]]
    ratios = [
        (now.std(), now.mean()),
        (np.median(now), np.median(then)),
        (values.max(), np.median(values)),
        (values[-1] - middle, values[-1] - values[0]),
    ]
    shares = [float(above / below) if below else -1.0 for above, below in ratios]
    return [float(each) for each in (missing, *levels, *whole, *moved, *shares)]


def words_in(value: Any) -> set[str]:
    """The words that stand in a column."""
    return {item for item in (value if pd.api.types.is_list_like(value) else [value]) if _is(item)}


def _is(item: Any) -> bool:
    return isinstance(item, str)


def labels(cases: tuple[Case, ...] | list[Case]) -> dict[str, Any]:
    """The answers that are true of several cases, by their JSON."""
    said = [json.dumps(case.truth, sort_keys=True, default=str) for case in cases]
    often = {each for each in said if said.count(each) >= max(2, RARE * len(said))}
    return {text: case.truth for text, case in zip(said, cases, strict=True) if text in often}


def rules(assignment: str, behaviour: str) -> dict[str, Rule]:
    """The best rule on each column of a behaviour; none where hardly two cases have one answer."""
    if not labels(sheet(assignment, behaviour, SEEDS[0]).cases):
        return {}  # and no need to draw the others, which can take long
    cases = [case for seed in SEEDS for case in sheet(assignment, behaviour, seed).cases]
    if not (answers := labels(cases)):
        return {}
    said = [json.dumps(case.truth, sort_keys=True, default=str) for case in cases]
    hit = np.array([[text == each for each in answers] for text in said], dtype=float)
    seen = [columns(case.arguments) for case in cases]
    shared = [name for name in seen[0] if all(name in each for each in seen)]
    return {
        name: _rule(name, [each[name] for each in seen], hit, list(answers.values()))
        for name in shared
    }


def _rule(name: str, values: list[Any], hit: np.ndarray, answers: list[Any]) -> Rule:
    words = sorted(set().union(*map(words_in, values)))
    words = words if len(words) <= MOST_WORDS else []  # names, of which no rule speaks
    table = np.array([figures(value, words) for value in values])
    splits = [
        (figure, cut)
        for figure in range(table.shape[1])
        for cut in np.unique(np.quantile(table[:, figure], np.linspace(0, 1, CUTS + 2)))[:-1]
    ] or [(0, np.inf)]
    below = np.array([table[:, figure] <= cut for figure, cut in splits], dtype=float)
    one = below @ hit  # of each answer, the cases below a split
    both = np.einsum("sc,cl,tc->stl", below, hit, below, optimize=True)
    total = hit.sum(axis=0)

    def best(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        right = low.max(axis=2) + high.max(axis=2)
        return right.argmax(axis=1), right.max(axis=1)

    under = both, one[:, None] - both
    over = one[None] - both, total - one[:, None] - one[None] + both
    (first, gained), (second, won) = best(*under), best(*over)
    root = int((gained + won).argmax())
    inner = {True: int(first[root]), False: int(second[root])}
    leaves = {
        (side, low): int(part[0 if low else 1][root, inner[side]].argmax())
        for side, part in ((True, under), (False, over))
        for low in (True, False)
    }

    def rule(**arguments: Any) -> Any:
        found = figures(columns(arguments)[name], words)
        side = bool(found[splits[root][0]] <= splits[root][1])
        figure, cut = splits[inner[side]]
        return answers[leaves[side, bool(found[figure] <= cut)]]

    return rule
