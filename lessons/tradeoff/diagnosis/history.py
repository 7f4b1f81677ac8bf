"""A run history as the diagnosis needs it: known columns, one row a run, and what was set aside.

Columns under other names are guessed from a table of aliases and confirmed by what they hold; every
guess is said. Rows that cannot be right are set aside, counted and shown, never silently dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

NUMBERS = (
    "rows_new",
    "rows_read",
    "rows_written",
    "read_seconds",
    "transform_seconds",
    "write_seconds",
    "cost_usd",
    "pages",
    "state_bytes",
)
DOCUMENTED = ("run_date", "start", "end", *NUMBERS)

# Names seen in the wild, in the normal form of `_normal`. `duration` stands in for an end.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "start": (
        *("started_at", "start_time", "start_date", "start_ts", "begin", "begin_time"),
        *("run_start", "started", "starttime", "launched_at"),
    ),
    "end": (
        *("ended_at", "end_time", "end_date", "end_ts", "finished_at", "completed_at"),
        *("run_end", "finished", "finish_time", "endtime", "completion_time"),
    ),
    "duration": (
        *("duration", "run_time", "runtime", "elapsed", "elapsed_time", "execution_time"),
        *("run_duration", "wall_time", "took"),
    ),
    "rows_new": ("new_rows", "rows_arrived", "arrived", "events_new", "new_events", "records_new"),
    "rows_read": (
        *("read_rows", "rows_in", "records_read", "input_rows", "rows_scanned", "events_read"),
        *("num_input_rows", "rows", "row_count", "records", "rows_processed"),
    ),
    "rows_written": (
        *("written_rows", "rows_out", "records_written", "output_rows", "rows_affected"),
        *("rows_inserted",),
    ),
    "read_seconds": ("read", "read_time", "extract", "extract_time", "read_duration"),
    "transform_seconds": (
        *("transform", "transform_time", "compute", "compute_time", "transform_duration"),
        *("processing_time",),
    ),
    "write_seconds": ("write", "write_time", "load", "load_time", "write_duration"),
    "cost_usd": ("cost", "usd", "dollars", "cost_dollars", "price_usd", "spend_usd"),
    "pages": ("alerts", "incidents", "on_call_pages", "pages_count"),
    "state_bytes": ("state_size", "state_size_bytes", "checkpoint_bytes"),
    "status": ("state", "result", "outcome", "run_status"),
}
SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millis", "milliseconds"), 1e-3),
    **dict.fromkeys(("m", "min", "mins", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hours"), 3600.0),
}
TIMED = ("duration", "read_seconds", "transform_seconds", "write_seconds")
SUCCESS = frozenset(
    {"success", "succeeded", "ok", "passed", "pass", "done", "finished", "complete"}
)
SUCCESS_OR_UNKNOWN = SUCCESS | {"completed", "true", "1", ""}
OFFSET = re.compile(r"\s*(?:Z|[+-]\d{2}:?\d{2})$")
THOUSANDS = r"\d{1,3}(,\d{3})+(\.\d+)?"
PARSED = 0.9  # a guessed column must hold what its name promises in this share of its rows


class HistoryError(ValueError):
    """The history cannot be diagnosed; the message says what it lacks and what it has."""


@dataclass(frozen=True)
class Aside:
    """Rows of the export that were set aside for one reason.

    `rows` are their places in the export, the first data row being 1.
    """

    reason: str
    rows: tuple[int, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.rows[:5])) + (", …" if len(self.rows) > 5 else "")
        what = "row" if len(self.rows) == 1 else "rows"
        return f"{len(self.rows)} {what} set aside, {self.reason} ({what} {shown})"


@dataclass(frozen=True)
class History:
    """Clean runs, oldest first, and how they were found.

    Attributes
    ----------
    runs : columns start, end (UTC), hour (of the local clock at the start, 0 to 24), day (midnight
        of the local day, no zone), seconds (end less start), and those of `NUMBERS` that the
        export has; missing values are NaN.
    given : rows of the export. `aside` says which of them are not in `runs`, and why.
    said : how columns were understood, one sentence each.
    """

    runs: pd.DataFrame
    given: int
    aside: tuple[Aside, ...] = ()
    said: tuple[str, ...] = field(default=())

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there with some value in them."""
        return all(name in self.runs and self.runs[name].notna().any() for name in columns)


def history(runs: pd.DataFrame, columns: Mapping[str, str] | None = None) -> History:
    """Understand a table of runs; `columns` names its column for a documented one, by hand.

    Raises HistoryError when start, or both end and duration, cannot be found, when two columns
    could be the same one, or when no row is left; the message names the columns.
    """
    if not isinstance(runs, pd.DataFrame):
        raise TypeError(f"runs must be a DataFrame, got {type(runs).__name__}: see read_runs(path)")
    if runs.empty:
        raise HistoryError("the history has no rows")
    export = runs.reset_index(drop=True)
    found, said = _named(export, columns or {})
    table, bad = pd.DataFrame(index=export.index), _Bad(len(export))
    wall = pd.Series(pd.NaT, index=export.index)
    for name in ("start", "end"):
        if name in found:
            table[name], local = _times(export[found[name][0]])
            if name == "start":
                wall = local
    for name, (column, factor) in found.items():
        if name in NUMBERS or name == "duration":
            given = export[column]
            table[name] = _numbers(given) * factor
            bad.mark(f"{column} is not a number", _filled(given) & table[name].isna())
            bad.mark(f"{column} is negative", table[name] < 0)
    if "status" in found:
        status = export[found["status"][0]].fillna("").astype(str).str.strip().str.lower()
        bad.mark("the run did not succeed", ~status.isin(SUCCESS_OR_UNKNOWN))
    if "end" not in table:
        table["end"] = table["start"] + pd.to_timedelta(table["duration"], unit="s")
    for name in ("start", "end"):
        source = found.get(name, found.get("duration", ("", 1.0)))[0]
        given = export[source]
        bad.mark(f"{source} is empty", ~_filled(given))
        bad.mark(f"{source} is not a time", _filled(given) & table[name].isna())
    bad.mark("end is before start", table["end"] < table["start"])
    table["seconds"] = (table["end"] - table["start"]).dt.total_seconds()
    table["hour"] = wall.dt.hour + wall.dt.minute / 60
    table["day"] = wall.dt.normalize()
    fine = table[~bad.any()]
    again = fine.duplicated(["start"], keep="last")
    bad.mark("another row has the same start", again.reindex(export.index, fill_value=False))
    clean = table[~bad.any()].sort_values("start", kind="stable").reset_index(drop=True)
    aside = bad.rows()
    if clean.empty:
        raise HistoryError("no row is left: " + "; ".join(map(str, aside)))
    kept = [*("start", "end", "hour", "day", "seconds"), *(n for n in NUMBERS if n in clean)]
    if "duration" in found and "end" in found:
        said += _hold_against_end(found["duration"][0], clean)
    guessed = tuple(runs.attrs.get("said", ()))  # by the reader of the file
    return History(clean[kept], len(export), aside, (*guessed, *said))


class _Bad:
    """Which rows are set aside: each for the first reason that was found."""

    def __init__(self, rows: int) -> None:
        self.reasons = np.full(rows, "", dtype=object)

    def mark(self, reason: str, rows: pd.Series) -> None:
        self.reasons[np.asarray(rows, dtype=bool) & (self.reasons == "")] = reason

    def any(self) -> np.ndarray:
        return np.asarray(self.reasons != "")

    def rows(self) -> tuple[Aside, ...]:
        reasons = dict.fromkeys(self.reasons[self.any()].tolist())
        return tuple(
            Aside(reason, tuple((np.flatnonzero(self.reasons == reason) + 1).tolist()))
            for reason in reasons
        )


def _normal(name: object) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _named(
    export: pd.DataFrame, by_hand: Mapping[str, str]
) -> tuple[dict[str, tuple[str, float]], list[str]]:
    """The export's column and its factor for each documented one, and the guesses in words."""
    known = (*DOCUMENTED, "duration", "status")
    for name, column in by_hand.items():
        if name not in known:
            raise HistoryError(f"there is no column {name!r}: known are {', '.join(known)}")
        if column not in export:
            raise HistoryError(f"{column!r}, named for {name}, is not among {_listed(export)}")
    found = {name: (column, 1.0) for name, column in by_hand.items()}
    found |= {
        name: (name, 1.0) for name in (*NUMBERS, "start", "end", "status") if name in export
    } | found
    said: list[str] = []
    for name, aliases in ALIASES.items():
        if name in found:
            continue
        taken = {column for column, _ in found.values()}
        guesses = [
            (str(column), factor)
            for column in export.columns
            if str(column) not in taken and (factor := _factor(column, name, aliases))
        ]
        fit = [guess for guess in guesses if _confirmed(export[guess[0]], name)]
        said += [
            f"did not take column `{column}` as {name}: it does not hold {_promise(name)}"
            for column, _ in guesses
            if not _confirmed(export[column], name)
        ]
        if len(fit) > 1:
            both = " and ".join(f"`{column}`" for column, _ in fit)
            raise HistoryError(f"{both} could each be {name}: say which (columns={{...}})")
        for column, factor in fit:
            found[name] = column, factor
            scaled = "" if factor == 1.0 else f", times {factor:g} to have seconds"
            said.append(f"took column `{column}` as {name}{scaled}")
    lacking = [] if "start" in found else ["start"]
    if "end" not in found and "duration" not in found:
        lacking.append("end (or a duration)")
    if lacking:
        raise HistoryError(
            f"the history lacks {' and '.join(lacking)}: it has {_listed(export)}. Name them by "
            f"hand, or as documented: {', '.join(DOCUMENTED)}"
        )
    return found, said


def _listed(export: pd.DataFrame) -> str:
    return ", ".join(map(str, export.columns))


def _factor(column: object, name: str, aliases: tuple[str, ...]) -> float:
    """What turns the column into the documented unit; 0 when its name is no alias."""
    normal = _normal(column)
    if normal in aliases or normal == name:
        return 1.0
    if name in TIMED:
        stem, _, unit = normal.rpartition("_")
        if unit in SECONDS and (stem in aliases or f"{stem}_seconds" == name):
            return SECONDS[unit]
    return 0.0


def _promise(name: str) -> str:
    if name in ("start", "end"):
        return "times"
    return "words" if name == "status" else "numbers of at least 0"


def _confirmed(given: pd.Series, name: str) -> bool:
    filled = given[_filled(given)]
    if filled.empty:
        return False
    if name == "status":
        words = filled.astype(str).str.strip().str.lower()
        return bool(words.isin(SUCCESS_OR_UNKNOWN).any())
    if name in ("start", "end"):
        return bool(_times(filled)[0].notna().mean() >= PARSED)
    return bool((_numbers(filled) >= 0).mean() >= PARSED)


def _filled(given: pd.Series) -> pd.Series:
    empty = given.isna()
    if pd.api.types.is_numeric_dtype(given) or pd.api.types.is_datetime64_any_dtype(given):
        return ~empty
    if pd.api.types.is_object_dtype(given) or pd.api.types.is_string_dtype(given):
        empty |= given.astype(str).str.strip().isin(("", "None", "NaN", "nan", "null"))
    return ~empty


def _numbers(given: pd.Series) -> pd.Series:
    if pd.api.types.is_timedelta64_dtype(given):
        return given.dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(given):
        text = given.astype(str).str.strip().str.removeprefix("$")
        plain = text.where(~text.str.fullmatch(THOUSANDS), text.str.replace(",", ""))
        given = pd.to_numeric(plain, errors="coerce")
    numbers = given.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), index=given.index)


def _times(given: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The instants in UTC, and what the clock on the wall showed (no zone)."""
    if pd.api.types.is_datetime64_any_dtype(given):
        if given.dt.tz is None:
            return given.dt.tz_localize("UTC"), given
        return given.dt.tz_convert("UTC"), given.dt.tz_localize(None)
    if pd.api.types.is_numeric_dtype(given):  # seconds or milliseconds since 1970
        scale = 1e-3 if given.abs().median() > 1e11 else 1.0
        instants = pd.Timestamp(0, tz="UTC") + pd.to_timedelta(given * scale, unit="s")
        return instants, instants.dt.tz_localize(None)
    text = given.astype("str").str.strip()
    instants = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    clock = text.str.replace(OFFSET, "", regex=True)
    return instants, pd.to_datetime(clock, format="ISO8601", errors="coerce")


def _hold_against_end(column: str, clean: pd.DataFrame) -> list[str]:
    """A duration beside an end must say the same; it is not used, and a difference is said."""
    off = (clean["duration"] - clean["seconds"]).abs() > 0.02 * clean["seconds"] + 2
    if off.mean() <= 0.05:
        return []
    return [
        f"`{column}` differs from end less start in {off.sum()} of {len(clean)} rows: the latter "
        "is used"
    ]
