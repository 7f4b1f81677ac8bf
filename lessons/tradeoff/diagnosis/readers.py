"""Run histories from what tools leave behind; each reader returns a table that `diagnose` takes.

What a reader had to guess stands in the table's `attrs["said"]`, and so in the diagnosis's notes.
Nothing is sent anywhere. Parquet and zstd are read by DuckDB, loaded only then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tradeoff.diagnosis.history import HistoryError

AIRFLOW = frozenset({"task_id", "start_date", "end_date"})
# Words in a task's name that tell its stage.
STAGE_WORDS = {
    "read": ("extract", "read", "ingest", "pull", "fetch", "download", "source"),
    "transform": ("transform", "join", "aggregate", "clean", "compute", "enrich", "dbt", "model"),
    "write": ("load", "write", "publish", "export", "insert", "save", "upload", "sink"),
}
SPARK_LOG = re.compile(r"^events_\d+_|^(?:app|local|application)[-_]\d+")
SPARK_EVENTS = (
    "SparkListenerApplicationStart",
    "SparkListenerApplicationEnd",
    "SparkListenerTaskEnd",
    "SparkListenerJobEnd",
)


def read_runs(path: str | Path, dag_id: str | None = None) -> pd.DataFrame:
    """A run history from a file or a folder, whichever of the formats it is.

    CSV or Parquet with one row a run; an Airflow task-instance export (the REST API's JSON, or
    CSV); one or more dbt `run_results*.json`; one or more Spark event logs, plain or zstd. `dag_id`
    says which DAG of an Airflow export that has several.

    Raises HistoryError naming the path when it is missing or is none of these.
    """
    path = Path(path)
    if not path.exists():
        raise HistoryError(f"{path} does not exist")
    if path.is_dir():
        results = sorted(path.rglob("run_results*.json"))
        logs = sorted(one for one in path.rglob("*") if one.is_file() and _is_spark(one))
        if bool(results) == bool(logs):
            both = "both" if results else "neither"
            raise HistoryError(f"{path} holds {both} dbt run_results*.json and Spark event logs")
        return read_dbt(results) if results else read_spark(logs)
    if path.suffix.lower() in (".parquet", ".pq"):
        return read_parquet(path)
    if _is_spark(path):
        return read_spark([path])
    if path.suffix.lower() == ".json":
        content = _json(path)
        if isinstance(content, dict) and "task_instances" in content:
            return read_airflow(path, dag_id)
        if isinstance(content, dict) and "results" in content and "metadata" in content:
            return read_dbt([path])
        raise HistoryError(
            f"{path} is neither an Airflow export (task_instances) nor dbt run results "
            "(metadata, results) nor a Spark event log"
        )
    table = read_csv(path)
    return read_airflow(path, dag_id) if set(table.columns) >= AIRFLOW else table


def read_csv(path: Path) -> pd.DataFrame:
    """One row a run; columns as `data.order_runs` documents them, or under other names."""
    try:
        return pd.read_csv(path, sep=None, engine="python", dtype="str", encoding="utf-8-sig")
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise HistoryError(f"{path} cannot be read as CSV: {error}") from error


def read_parquet(path: Path) -> pd.DataFrame:
    """One row a run, as `read_csv`, with the types that Parquet kept."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.read_parquet(str(path)).df()
    except duckdb.Error as error:
        raise HistoryError(f"{path} cannot be read as Parquet: {error}") from error


def read_airflow(path: Path, dag_id: str | None = None) -> pd.DataFrame:
    """Airflow's task instances, gathered to one row a DAG run.

    A run lasts from its first task's start to its last task's end and has succeeded when all its
    tasks have (or were skipped). Seconds a stage are the tasks' durations, where each task's name
    tells read, transform or write. Rows are not in such an export.

    Raises HistoryError when columns are missing, or when several DAGs are in it and none is named.
    """
    if path.suffix.lower() == ".json":
        tasks = pd.DataFrame(_json(path)["task_instances"])
    else:
        tasks = read_csv(path)
    run = next((name for name in ("dag_run_id", "run_id") if name in tasks), None)
    lacking = sorted(AIRFLOW - set(tasks.columns)) + ([] if run else ["dag_run_id"])
    if lacking or run is None:
        raise HistoryError(f"{path} lacks {', '.join(lacking)}: it has {', '.join(tasks.columns)}")
    if dag_id is not None:
        tasks = tasks[tasks["dag_id"] == dag_id]
    elif "dag_id" in tasks and tasks["dag_id"].nunique() > 1:
        names = ", ".join(sorted(tasks["dag_id"].unique()))
        raise HistoryError(f"{path} has several DAGs ({names}): name one")
    for name in ("start_date", "end_date"):
        tasks[name] = pd.to_datetime(tasks[name], format="ISO8601", utc=True, errors="coerce")
    tasks["seconds"] = (tasks["end_date"] - tasks["start_date"]).dt.total_seconds()
    state = tasks["state"].fillna("") if "state" in tasks else pd.Series("", index=tasks.index)
    tasks["good"] = state.isin(("success", "skipped", ""))
    grouped = tasks.groupby(run, sort=False)
    runs = pd.DataFrame({"start": grouped["start_date"].min(), "end": grouped["end_date"].max()})
    # A task without an end has not ended, and neither has its run.
    unended = grouped["end_date"].apply(lambda ends: ends.isna().any()) & grouped["good"].all()
    runs.loc[unended, "end"] = pd.NaT
    runs["status"] = grouped["good"].all().map({True: "success", False: "failed"})
    said = _stages(tasks, run, runs)
    if "try_number" in tasks:
        again = int((pd.to_numeric(tasks["try_number"], errors="coerce") > 1).sum())
        if again:
            said.append(f"{again} tasks were retried: the export times their last try only")
    return _table(runs.reset_index(drop=True), said)


def _stages(tasks: pd.DataFrame, run: str, runs: pd.DataFrame) -> list[str]:
    """Put seconds a stage into `runs` where task names tell them; what was guessed, in words."""
    names = sorted(tasks["task_id"].unique())
    stage_of = {name: _stage(name) for name in names}
    unknown = [name for name, stage in stage_of.items() if stage is None]
    if unknown:
        return [f"no seconds by stage: {', '.join(unknown)} tell no stage by their names"]
    for stage in STAGE_WORDS:
        mine = tasks[tasks["task_id"].map(stage_of) == stage].groupby(run)["seconds"].sum()
        runs[f"{stage}_seconds"] = mine.reindex(runs.index).fillna(0.0)
    return [
        f"took {', '.join(name for name in names if stage_of[name] == stage)} as {stage}"
        for stage in STAGE_WORDS
        if stage in stage_of.values()
    ]


def _stage(task: str) -> str | None:
    parts = re.split(r"[^a-z0-9]+", task.lower())
    found = {stage for stage, hints in STAGE_WORDS.items() if any(part in hints for part in parts)}
    return found.pop() if len(found) == 1 else None


def read_dbt(paths: Sequence[Path]) -> pd.DataFrame:
    """dbt's run results, one file an invocation and one row a file.

    A run lasts from the invocation's start until the file was written, and has failed when one of
    its nodes has. rows_written is the sum of rows_affected where the adapter tells it. dbt does not
    see rows read or stages: the database does all three.
    """
    rows = []
    for path in paths:
        content = _json(path)
        try:
            meta, results = content["metadata"], content["results"]
            end = pd.to_datetime(meta["generated_at"], utc=True)
            start = meta.get("invocation_started_at")
            if start is None:  # before dbt 1.10
                start = end - pd.Timedelta(seconds=content["elapsed_time"])
            bad = {one["status"] for one in results} & {"error", "fail", "runtime error"}
            told = [
                one["adapter_response"]["rows_affected"]
                for one in results
                if (one.get("adapter_response") or {}).get("rows_affected", -1) >= 0
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise HistoryError(f"{path} is not dbt's run results: {error!r} is missing") from error
        rows.append(
            {
                "start": pd.to_datetime(start, utc=True),
                "end": end,
                "status": "failed" if bad else "success",
                "rows_written": float(sum(told)) if told else None,
            }
        )
    table = pd.DataFrame(rows)
    if table["rows_written"].isna().all():
        table = table.drop(columns="rows_written")
    return _table(table, ["dbt knows no rows read and no stages: they are not in the history"])


def read_spark(paths: Sequence[Path]) -> pd.DataFrame:
    """Spark event logs, one row an application.

    rows_read and rows_written are the tasks' records. A stage of Spark reads and transforms at
    once, so seconds by stage are not told. Files of one rolling log belong together. A log without
    an end is of an application that still runs or was killed.
    """
    rows: dict[str, dict[str, Any]] = {}
    for path in paths:
        rolling = path.parent.name.startswith("eventlog_v2_")
        row = rows.setdefault(
            path.parent.name if rolling else path.name,
            {"start": None, "end": None, "rows_read": 0, "rows_written": 0, "status": "success"},
        )
        for event in _spark_events(path):
            _count(event, row)
    if not any(row["start"] for row in rows.values()):
        raise HistoryError(f"no application starts in {', '.join(map(str, paths))}")
    table = pd.DataFrame(list(rows.values()))
    for name in ("start", "end"):
        table[name] = pd.to_datetime(table[name], unit="ms", utc=True)
    said = ["a Spark stage reads and transforms at once: no seconds by stage"]
    return _table(table.sort_values("start", ignore_index=True), said)


def _count(event: dict[str, Any], row: dict[str, Any]) -> None:
    kind = event["Event"].removeprefix("SparkListener")
    if kind == "ApplicationStart":
        row["start"] = event["Timestamp"]
    elif kind == "ApplicationEnd":
        row["end"] = event["Timestamp"]
        if event.get("ExitCode"):
            row["status"] = "failed"
    elif kind == "JobEnd" and event["Job Result"]["Result"] != "JobSucceeded":
        row["status"] = "failed"
    elif kind == "TaskEnd" and event["Task End Reason"]["Reason"] == "Success":
        metrics = event.get("Task Metrics") or {}
        row["rows_read"] += metrics.get("Input Metrics", {}).get("Records Read", 0)
        row["rows_written"] += metrics.get("Output Metrics", {}).get("Records Written", 0)


def _is_spark(path: Path) -> bool:
    return SPARK_LOG.match(path.name) is not None and path.suffix.lower() != ".crc"


def _spark_events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for line in _lines(path):
            if any(name in line[:60] for name in SPARK_EVENTS):
                yield json.loads(line)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise HistoryError(f"{path} is not a Spark event log: {error}") from error


def _lines(path: Path) -> Iterable[str]:
    if path.suffix not in (".zstd", ".zst"):
        with path.open(encoding="utf-8") as file:
            yield from file
        return
    import duckdb

    whole = (
        "select line from read_csv(?, compression = 'zstd', header = false, auto_detect = false, "
        "columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', "
        "max_line_size = 200000000, strict_mode = false)"
    )
    try:
        with duckdb.connect() as connection:
            for (line,) in connection.execute(whole, [str(path)]).fetchall():
                yield line or ""
    except duckdb.Error as error:
        raise HistoryError(f"{path} cannot be unpacked: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HistoryError(f"{path} cannot be read as JSON: {error}") from error


def _table(runs: pd.DataFrame, said: Sequence[str]) -> pd.DataFrame:
    runs.attrs["said"] = tuple(said)
    return runs
