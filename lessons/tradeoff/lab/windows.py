"""A real stream out of order through event-time windows: what is lost against what is held.

The stream is a week of flights (`data.flights`). An event's time is the *scheduled* departure, and
the pipeline sees it when the aircraft leaves; both in minutes since the week's first midnight. So
delays put it out of order, an early departure comes before its own time, and a cancelled flight
never comes. The result wanted: departures per window of scheduled time and key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import words
from tradeoff.simulate.windows import MORE_THAN, Result, TumblingCount

RESULT = ["window_start", "key", "count"]
SNAPSHOT_EVERY = 100  # events between two measurements of the snapshot's size


def flight_events(key: str = "origin") -> pd.DataFrame:
    """The flights that left, in the order in which they were seen to.

    Columns event_time and seen (whole minutes since the first midnight) and key, a column of
    `data.flights` or several of them joined by a +, such as "origin+carrier".
    """
    flown = data.flights().dropna(subset=["departure"])
    start = flown["scheduled_departure"].min().normalize()
    minutes = {
        name: (flown[column] - start) // pd.Timedelta(minutes=1)
        for name, column in (("event_time", "scheduled_departure"), ("seen", "departure"))
    }
    parts = [flown[name] for name in key.split("+")]
    keys = parts[0].str.cat(pd.concat(parts[1:], axis=1), sep=" ") if parts[1:] else parts[0]
    events = pd.DataFrame({**minutes, "key": keys})
    return events.sort_values("seen", kind="stable", ignore_index=True)


def batch_counts(events: pd.DataFrame, window: int) -> pd.DataFrame:
    """The same counts by DuckDB, in one GROUP BY over all the input; ordered by window and key."""
    with duckdb.connect() as connection:
        connection.register("events", events)
        return connection.execute(
            "SELECT (event_time // $1 * $1)::BIGINT AS window_start, key, count(*) AS count "
            "FROM events GROUP BY ALL ORDER BY ALL",
            [window],
        ).df()


def lateness(events: pd.DataFrame, window: int) -> pd.Series:
    """For each event, how far the newest event time before it was past its window's end, minutes.

    Those above a watermark are the events that this watermark loses, so its quantiles choose one;
    below 0 the window had not ended.
    """
    ends = events["event_time"] // window * window + window
    return events["event_time"].cummax().shift(fill_value=events["event_time"].iloc[0]) - ends


@dataclass(frozen=True)
class Passed:
    """What became of a stream.

    Attributes
    ----------
    results : columns window_start, key, count, and wait (minutes from the window's end until the
        result was there; NaN where only the end of the input closed it).
    late : events dropped.
    held, windows : entries and open windows after each event, weighted by `lasting` (minutes until
        the next event) for means over time.
    snapshot_bytes : the largest snapshot seen, at each hundredth event.
    """

    results: pd.DataFrame
    late: int
    held: np.ndarray
    windows: np.ndarray
    lasting: np.ndarray
    snapshot_bytes: int

    @property
    def held_mean(self) -> float:
        return float(np.average(self.held, weights=self.lasting))

    @property
    def windows_mean(self) -> float:
        return float(np.average(self.windows, weights=self.lasting))

    @property
    def counts(self) -> pd.DataFrame:
        """The results as `batch_counts` gives them."""
        ordered = self.results[RESULT].sort_values(RESULT[:2], ignore_index=True)
        return ordered.astype({"window_start": "int64", "count": "int64"})


def stream(
    events: pd.DataFrame, window: int, watermark: float | None, boundary: str = MORE_THAN
) -> Passed:
    """Feed the events one by one, in the order seen, through a `TumblingCount`."""
    operator = TumblingCount(window, watermark, boundary)
    results: list[tuple[float, str, int, float]] = []
    held, windows, snapshot_bytes = [], [], 0
    for number, (time, seen, key) in enumerate(_rows(events)):
        for start, name, count in operator.update(time, key):
            results.append((start, name, count, seen - (start + window)))
        held.append(operator.held)
        windows.append(len(operator.open_windows))
        if number % SNAPSHOT_EVERY == 0:
            snapshot_bytes = max(snapshot_bytes, len(operator.snapshot()))
    results += [(*result, np.nan) for result in operator.flush()]
    lasting = np.diff(events["seen"].to_numpy(), append=events["seen"].iloc[-1])
    return Passed(
        pd.DataFrame(results, columns=[*RESULT, "wait"]),
        operator.late,
        np.array(held),
        np.array(windows),
        lasting,
        snapshot_bytes,
    )


def timeline(events: pd.DataFrame, passed: Passed) -> pd.DataFrame:
    """What was held through the week, one row for ten minutes in which an event was seen.

    Columns when (New York's clock) and entries.
    """
    start = data.flights()["scheduled_departure"].min().normalize()
    when = start + pd.to_timedelta(events["seen"] // 10 * 10, unit="min")
    return (
        pd.DataFrame({"when": when, "entries": passed.held}).groupby("when", as_index=False).last()
    )


def wrong(results: pd.DataFrame, truth: pd.DataFrame) -> int:
    """How many of the truth's windows and keys have another count, or none, in the results."""
    found = results.groupby(RESULT[:2])["count"].sum()
    wanted = truth.set_index(RESULT[:2])["count"]
    return int((found.reindex(wanted.index, fill_value=0) != wanted).sum())


def sweep(events: pd.DataFrame, window: int, watermarks: Sequence[float | None]) -> pd.DataFrame:
    """One row a watermark (minutes; None is none): what it loses, holds and makes wait.

    Columns watermark, says (the same in words), late_events, late_percent, wrong_counts,
    wrong_percent, held_mean, held_max, windows_mean, snapshot_bytes, wait_minutes (median).
    """
    truth = batch_counts(events, window)
    rows = []
    for watermark in watermarks:
        passed = stream(events, window, watermark)
        off = wrong(passed.results, truth)
        rows.append(
            {
                "watermark": watermark,
                "says": "none" if watermark is None else words.duration(60 * watermark),
                "late_events": passed.late,
                "late_percent": 100 * passed.late / len(events),
                "wrong_counts": off,
                "wrong_percent": 100 * off / len(truth),
                "held_mean": passed.held_mean,
                "held_max": int(passed.held.max()),
                "windows_mean": passed.windows_mean,
                "snapshot_bytes": passed.snapshot_bytes,
                "wait_minutes": passed.results["wait"].median(),
            }
        )
    return pd.DataFrame(rows)


# --- a crash --------------------------------------------------------------------------------------

# How many events apart the state, the offset and the sink's length are saved; None is never.
SAVED = {
    "one snapshot of all three": (500, 500, 500),
    "the offset runs ahead": (500, 50, 500),
    "the offset lags behind": (50, 500, 50),
    "the sink left out": (500, 500, None),
}


def crash(
    events: pd.DataFrame, window: int, watermark: float, saved: str, at: int, folder: Path
) -> pd.DataFrame:
    """Stop after `at` events, start again from the files, run to the end; return what is written.

    The first run's memory is given up; what it saved and the sink, two files in `folder`, remain.
    A restart restores the state, cuts the sink to the length saved (if any was) and reads on from
    the offset. `saved` names how often each is saved, one of `SAVED`; those saved at the same
    event are saved together, by replacing one file.

    Returns the sink's rows: columns window_start, key, count.

    Raises ValueError for an unknown `saved`, or a crash outside the events.
    """
    if saved not in SAVED:
        raise ValueError(f"saved must be one of {list(SAVED)}, got {saved!r}")
    if not 0 < at < len(events):
        raise ValueError(f"at must be from 1 to {len(events) - 1}, got {at!r}")
    sink, store = folder / "sink.jsonl", folder / "saved.json"
    sink.write_text("", encoding="utf-8")
    rows = list(_rows(events))
    operator = TumblingCount(window, watermark)
    kept: dict[str, Any] = {"state": operator.snapshot(), "offset": 0, "sink_length": 0}
    _replace(store, kept)
    for number, (time, _, key) in enumerate(rows[:at], start=1):
        _append(sink, operator.update(time, key))
        due = [every is not None and number % every == 0 for every in SAVED[saved]]
        if any(due):
            now = operator.snapshot(), number, sink.stat().st_size
            kept |= {
                name: value for name, value, is_due in zip(kept, now, due, strict=True) if is_due
            }
            _replace(store, kept)

    del operator  # the crash
    kept = json.loads(store.read_text(encoding="utf-8"))
    operator = TumblingCount(window, watermark)
    operator.restore(kept["state"])
    if SAVED[saved][2]:
        with sink.open("r+b") as file:
            file.truncate(kept["sink_length"])
    for time, _, key in rows[kept["offset"] :]:
        _append(sink, operator.update(time, key))
    _append(sink, operator.flush())
    lines = sink.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines], columns=RESULT)


def crashes(
    events: pd.DataFrame, window: int, watermark: float, at: int, folder: Path
) -> pd.DataFrame:
    """One row a way of `SAVED`: counted events, and windows that are wrong, after a crash.

    Columns saved, counted, difference (from a run without a crash), written_twice and wrong_counts.
    """
    whole = stream(events, window, watermark).counts
    rows = []
    for number, saved in enumerate(SAVED):
        place = folder / str(number)
        place.mkdir()
        written = crash(events, window, watermark, saved, at, place)
        counted = int(written["count"].sum())
        rows.append(
            {
                "saved": saved,
                "counted": counted,
                "difference": counted - int(whole["count"].sum()),
                "written_twice": int(written.duplicated(RESULT[:2]).sum()),
                "wrong_counts": wrong(written, whole),
            }
        )
    return pd.DataFrame(rows)


def _replace(store: Path, kept: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    beside = store.with_suffix(".new")
    beside.write_text(json.dumps(kept), encoding="utf-8")
    os.replace(beside, store)


def _append(sink: Path, results: Iterable[Result]) -> None:
    lines = [json.dumps(result) + "\n" for result in results]
    if lines:
        with sink.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)


def _rows(events: pd.DataFrame) -> Iterator[tuple[int, int, str]]:
    columns = (events[name].tolist() for name in ("event_time", "seen", "key"))
    return zip(*columns, strict=True)
