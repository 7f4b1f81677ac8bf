"""The misconceptions behind wrong answers to lesson 4's exercise, as functions that have them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pandas as pd

from tradeoff.checks.assignment import Misconception
from tradeoff.scenarios import late_streams
from tradeoff.scenarios.late_streams import COUNTS, EVENTS, RULES, Puzzle
from tradeoff.scenarios.remembering import entries_after, local_bytes
from tradeoff.scenarios.transforms import STATEFUL, STATELESS

Facts = dict[str, Any]


def _said(stateful: bool) -> str:
    return STATEFUL if stateful else STATELESS


def _decided(transform: Facts) -> bool:
    return bool(transform["decided_by"] == "earlier events")


def _fed(transform: Facts) -> bool:
    return bool(transform["table"] == "change stream")


def _wider(transform: Facts) -> bool:
    order = ("row", "file")
    result, event = transform["result_for"], transform["event"]
    return result not in order or order.index(result) > order.index(event)


def _stateful(transform: Facts) -> bool:
    return _decided(transform) or _fed(transform) or _wider(transform)


CLASSIFY = (
    Misconception(
        "the keyword decides",
        "goes by the operation's name: joins, counts and DISTINCT are stateful, all else is not",
        lambda transform: _said(transform["operation"] in ("join", "count", "distinct", "top-n")),
    ),
    Misconception(
        "memory is state",
        "calls whatever needs memory stateful, even a copy of a constant table",
        lambda transform: _said(transform["memory_bytes"] > 0),
    ),
    Misconception(
        "much memory is state",
        "calls stateful what needs much memory, and nothing else",
        lambda transform: _said(transform["memory_bytes"] > 1e6),
    ),
    Misconception(
        "elsewhere is nowhere",
        "calls it stateless once its state is kept in Redis",
        lambda transform: _said(_stateful(transform) and transform["kept_in"] != "Redis"),
    ),
    Misconception(
        "a lookup is a lookup",
        "calls a lookup stateless although a change stream feeds its table",
        lambda transform: _said(_decided(transform) or _wider(transform)),
    ),
    Misconception(
        "one row in, one row out",
        "forgets that a filter may look at earlier events",
        lambda transform: _said(_fed(transform) or _wider(transform)),
    ),
    Misconception(
        "every aggregate is stateful",
        "calls an aggregate inside one file stateful although the file is the event",
        lambda transform: _said(
            _decided(transform) or _fed(transform) or transform["result_for"] != "row"
        ),
    ),
    Misconception(
        "every table is state",
        "calls a lookup in a constant table stateful",
        lambda transform: _said(_stateful(transform) or transform["table"] is not None),
    ),
)


def _all_copies(state: Facts) -> float:
    return local_bytes(state) * float(state["copies"])


def _values(state: Facts) -> float:
    return float(state["values"] * state["bytes_each"])


def _one_window(state: Facts, days: float) -> float:
    if not state["per_window"]:
        return entries_after(state, days)
    return entries_after(state | {"watermark_hours": 0.0}, days)


def _each_key_everywhere(state: Facts, days: float) -> float:
    if not state["per_window"]:
        return entries_after(state, days)
    window = state["window_hours"]
    begun = max(1.0, days * 24 / window)
    if state["watermark_hours"] is None:
        return float(state["keys"] * begun)
    open_at_most = math.ceil((window + state["watermark_hours"]) / window)
    return float(state["keys"] * min(open_at_most, begun))


def _each_event(state: Facts, days: float) -> float:
    kept = days
    if state["watermark_hours"] is not None:
        kept = min(days, (state["window_hours"] + state["watermark_hours"]) / 24)
    return float(state["events_per_day"] * kept)


def _from_the_start(state: Facts, days: float) -> float:
    """As if full at once; what nothing bounds is taken as it is."""
    return entries_after(state, days if state["watermark_hours"] is None else 1e4)


def _hours_for_days(state: Facts, days: float) -> float:
    late = state["watermark_hours"]
    longer = {"window_hours": 24 * state["window_hours"], "watermark_hours": late and 24 * late}
    return entries_after(state | longer, days)


def _no_new_users(state: Facts, days: float) -> float:
    if state["new_keys_per_day"] in (0, state["events_per_day"]):
        return entries_after(state, days)
    return float(state["keys"])


def _with(
    entries: Callable[[Facts, float], float] = entries_after,
    each: Callable[[Facts], float] = _all_copies,
) -> Callable[..., float]:
    return lambda state, days: entries(state, days) * each(state)


STATE_BYTES = (
    Misconception(
        "values alone",
        "counts the values alone, without index and copies",
        _with(each=_values),
    ),
    Misconception(
        "one copy", "counts one copy, and forgets snapshots and replicas", _with(each=local_bytes)
    ),
    Misconception(
        "no index",
        "forgets that keys and index take room",
        _with(each=lambda state: _values(state) * float(state["copies"])),
    ),
    Misconception(
        "one window at a time",
        "holds one window at a time, whatever the watermark keeps open",
        _with(_one_window),
    ),
    Misconception(
        "each key everywhere",
        "expects each key in each window, however few events there are",
        _with(_each_key_everywhere),
    ),
    Misconception(
        "each event is kept",
        "takes each event for an entry, where a count is one number a key",
        _with(_each_event),
    ),
    Misconception(
        "full from the start",
        "takes the state as full from the first day",
        _with(_from_the_start),
    ),
    Misconception(
        "new users forgotten",
        "leaves out the keys that are added every day",
        _with(_no_new_users),
    ),
    Misconception(
        "hours for days",
        "takes hours of window and watermark for days",
        _with(_hours_for_days),
    ),
)


def _lasts(
    entries: Callable[[Facts, float], float] = entries_after,
    each: Callable[[Facts], float] = local_bytes,
) -> Callable[..., float | None]:
    """The day on which entries of a size fill the memory, by halving; None: not in ten years."""

    def answer(state: Facts, memory_bytes: float) -> float | None:
        fit = memory_bytes / each(state)
        low, high = 0.0, 3650.0
        if entries(state, high) <= fit:
            return None
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if entries(state, middle) <= fit else (low, middle)
        return high

    return answer


def _watermark_saves(state: Facts, memory_bytes: float) -> float | None:
    if state["watermark_hours"] is not None:
        return None
    return _lasts()(state, memory_bytes)


def _only_a_watermark(state: Facts, memory_bytes: float) -> float | None:
    """Without one, as much is added every day as on the first."""
    if state["watermark_hours"] is not None:
        return _lasts()(state, memory_bytes)
    day = max(1.0, state["window_hours"] / 24) if state["per_window"] else 1.0
    return memory_bytes / local_bytes(state) / entries_after(state, day) * day


def _always_ends(state: Facts, memory_bytes: float) -> float:
    found = _lasts()(state, memory_bytes)
    return 3650.0 if found is None else found


MEMORY_ENDS = (
    Misconception(
        "copies fill it",
        "lets all copies fill the memory that holds one of them",
        _lasts(each=_all_copies),
    ),
    Misconception("no index", "forgets that keys and index take room", _lasts(each=_values)),
    Misconception(
        "a watermark is enough",
        "trusts that a watermark saves the memory, however long it is",
        _watermark_saves,
    ),
    Misconception(
        "only a watermark is a bound",
        "lets memory end wherever there is no watermark, though the keys are a bound",
        _only_a_watermark,
    ),
    Misconception(
        "the silent are the old",
        "lets a watermark forget users who keep coming",
        _lasts(_no_new_users),
    ),
    Misconception(
        "each event is kept",
        "takes each event for an entry, where a count is one number a key",
        _lasts(_each_event),
    ),
    Misconception(
        "one window at a time",
        "holds one window at a time, whatever the watermark keeps open",
        _lasts(_one_window),
    ),
    Misconception(
        "each key everywhere",
        "expects each key in each window, however few events there are",
        _lasts(_each_key_everywhere),
    ),
    Misconception(
        "it always ends",
        "gives a day for every state, also where what is kept is bounded",
        _always_ends,
    ),
)


Row = tuple[int, int, str]  # event time, seen, key
Rule = Callable[[float, int, int, int], bool]  # newest, start, window, watermark


def _past_the_end(newest: float, start: int, window: int, watermark: int) -> bool:
    return newest - (start + window) > watermark


def _operator(
    *,
    time: Callable[[Row], int] = lambda row: row[0],
    clock: Callable[[Row, float], float] = lambda row, newest: max(row[0], newest),
    start: Callable[[int, int], int] = lambda time, window: time // window * window,
    closed: Rule = _past_the_end,
    drop: Callable[[Row, float, int, int], bool] | None = None,
    reopens: bool = False,
    flush: bool = False,
) -> Callable[..., dict[str, Any]]:
    """A windowed count with one of its steps exchanged."""

    def answer(events: pd.DataFrame, window: int, watermark: int | None) -> dict[str, Any]:
        open_counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        emitted: list[tuple[int, str, int]] = []
        newest, late = -math.inf, 0

        def put_out(begin: int) -> None:
            emitted.extend((begin, key, count) for key, count in open_counts.pop(begin).items())

        rows = zip(*(events[name].tolist() for name in ("event_time", "seen", "key")), strict=True)
        for row in rows:
            begin = start(time(row), window)
            if watermark is not None and not reopens:
                too_late = (
                    closed(newest, begin, window, watermark)
                    if drop is None
                    else drop(row, newest, window, watermark)
                )
                if too_late:
                    late += 1
                    continue
            open_counts[begin][row[2]] += 1
            newest = clock(row, newest)
            if watermark is not None:
                for done in [at for at in open_counts if closed(newest, at, window, watermark)]:
                    put_out(done)
        if flush:
            for begin in list(open_counts):
                put_out(begin)
        held = sum(map(len, open_counts.values()))
        return {"emitted": emitted, "held": held, "late": late}

    return answer


def _late_ones_count(events: pd.DataFrame, window: int, watermark: int | None) -> dict[str, Any]:
    """The true operator's windows, each with all its events in it."""
    true = late_streams.counted(events, window, watermark)
    closed = {start for start, _, _ in true.emitted}
    emitted = [entry for entry in _batch(events, window) if entry[0] in closed]
    return {"emitted": emitted, "held": true.held, "late": true.late}


def _batch(events: pd.DataFrame, window: int) -> list[tuple[int, str, int]]:
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for time, key in zip(events["event_time"].tolist(), events["key"].tolist(), strict=True):
        counts[time // window * window, key] += 1
    return [(start, key, count) for (start, key), count in counts.items()]


WINDOWED_COUNT = (
    Misconception(
        "processing time for event time",
        "counts by the time at which events are seen, not at which they happened",
        _operator(time=lambda row: row[1], clock=lambda row, newest: max(row[1], newest)),
    ),
    Misconception(
        "closed on the boundary",
        "closes a window whose end is exactly the watermark behind, as Spark does",
        _operator(
            closed=lambda newest, start, window, watermark: newest - (start + window) >= watermark
        ),
    ),
    Misconception(
        "the event for its window",
        "drops an event that is more than the watermark behind, though its window is still open",
        _operator(drop=lambda row, newest, window, watermark: newest - row[0] > watermark),
    ),
    Misconception(
        "behind is late",
        "calls late whatever comes behind a newer event, whatever the watermark",
        _operator(drop=lambda row, newest, window, watermark: row[0] < newest),
    ),
    Misconception(
        "the clock moves the watermark",
        "lets the clock move the watermark, not the newest event time",
        _operator(clock=lambda row, newest: max(row[1], newest)),
    ),
    Misconception(
        "the last for the newest",
        "measures from the last event rather than the newest, so that a late one turns time back",
        _operator(clock=lambda row, newest: row[0]),
    ),
    Misconception(
        "a closed window opens again",
        "lets a late event open its window again, and puts out a second count",
        _operator(reopens=True),
    ),
    Misconception(
        "closed from its start",
        "measures from a window's start instead of its end",
        _operator(closed=lambda newest, start, window, watermark: newest - start > watermark),
    ),
    Misconception(
        "the end belongs to it",
        "puts an event on the boundary of two windows into the earlier one",
        _operator(start=lambda time, window: -(-time // window) * window - window),
    ),
    Misconception(
        "the end of input closes all",
        "puts out the windows that are still open when the input stops",
        _operator(flush=True),
    ),
    Misconception(
        "late ones still count",
        "adds late events to counts that had gone out before they came",
        _late_ones_count,
    ),
    Misconception(
        "a batch count",
        "drops nothing and puts out everything: the answer of a batch job",
        lambda events, window, watermark: {
            "emitted": _batch(events, window),
            "held": 0,
            "late": 0,
        },
    ),
)


def _chosen(rule: str = RULES[0], of: str | None = None) -> Callable[..., int | None]:
    return lambda **given: late_streams.smallest(Puzzle(**given, best=None), rule, of)


def _closest(
    events: pd.DataFrame, window: int, watermarks: list[int], most_lost: float, of: str
) -> int:
    lost = late_streams.shares(events, window, watermarks, of)
    return min(zip(lost, watermarks, strict=True), key=lambda pair: abs(pair[0] - most_lost))[1]


def _first_listed(
    events: pd.DataFrame, window: int, watermarks: list[int], most_lost: float, of: str
) -> int | None:
    lost = late_streams.shares(events, window, watermarks, of)
    pairs = zip(watermarks, lost, strict=True)
    return next((watermark for watermark, share in pairs if share <= most_lost), None)


CHOOSE_WATERMARK = (
    Misconception(
        "closed on the boundary",
        "loses an event whose window's end is exactly the watermark behind",
        _chosen("newest at the end"),
    ),
    Misconception(
        "the event for its window",
        "measures lateness from the event, though its window may still be open",
        _chosen("newest past the event"),
    ),
    Misconception(
        "late by the clock",
        "measures lateness by the clock, from the window's end to when the event is seen",
        _chosen("clock past the end"),
    ),
    Misconception(
        "delay for lateness",
        "takes an event's delay on the clock for its lateness behind the newest",
        _chosen("clock past the event"),
    ),
    Misconception(
        "events for counts",
        "takes the share of events lost for the share of counts that are wrong",
        _chosen(of=EVENTS),
    ),
    Misconception(
        "counts for events",
        "takes the share of wrong counts for the share of events lost",
        _chosen(of=COUNTS),
    ),
    Misconception(
        "the longest is safest",
        "takes the longest watermark on offer, whatever it makes wait and hold",
        lambda **given: max(given["watermarks"]),
    ),
    Misconception(
        "closest to the target",
        "takes the watermark whose loss is closest to the target, be it above",
        _closest,
    ),
    Misconception(
        "the first that will do",
        "takes the first on the list that will do, not the smallest",
        _first_listed,
    ),
    Misconception(
        "the best of a bad lot",
        "gives the longest watermark where none on the list loses few enough",
        lambda **given: (
            max(given["watermarks"]) if (found := _chosen()(**given)) is None else found
        ),
    ),
)
