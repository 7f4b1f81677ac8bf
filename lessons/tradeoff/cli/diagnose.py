"""`tradeoff diagnose`: what a run history says of its pipeline."""

import argparse
import sys
from pathlib import Path

from tradeoff.cli.console import (
    CANNOT_TELL,
    FAILS,
    NOTHING_FAILS,
    UNREADABLE,
    Commands,
    survive_any_console,
)


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "diagnose",
        help="what a pipeline's run history says: what fails, and the smallest change",
        description="Exit code: 0 nothing fails, 1 a dimension fails, 2 the files cannot be used, "
        "3 the history cannot tell. Nothing leaves this machine.",
    )
    parser.add_argument(
        "runs",
        type=Path,
        help="CSV or Parquet, an Airflow task-instance export, dbt run_results.json or Spark event "
        "logs (a file, or a folder of them)",
    )
    parser.add_argument(
        "--consumers", type=Path, help="CSV: name, freshness_seconds; deadline_hour, share"
    )
    parser.add_argument("--window", type=float, metavar="HOURS", help="the longest a run may take")
    parser.add_argument(
        "--interval", type=float, metavar="HOURS", help="between starts (else from the history)"
    )
    parser.add_argument("--budget", type=float, metavar="USD", help="a day")
    parser.add_argument("--state-limit", type=float, metavar="BYTES")
    parser.add_argument(
        "--column",
        type=_column,
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="a documented column's name in your file, where the guess is wrong",
    )
    parser.add_argument("--dag", help="which DAG of an Airflow export that has several")
    parser.add_argument("--name", help="what the pipeline is called")
    parser.add_argument("--out", type=Path, metavar="MEMO.html", help="write the memo there")
    parser.add_argument("--markdown", action="store_true", help="print the memo as Markdown")
    parser.set_defaults(run=diagnose_runs)


def _column(text: str) -> tuple[str, str]:
    name, given, column = text.partition("=")
    if not given:
        raise argparse.ArgumentTypeError(f"say NAME=COLUMN, as in rows_read=n_in, not {text!r}")
    return name, column


def diagnose_runs(chosen: argparse.Namespace) -> int:
    """Print what a run history says of its pipeline; the exit code says whether something fails.

    Only the files named are read and written; nothing leaves the machine.
    """
    from tradeoff import memo
    from tradeoff.diagnosis import HistoryError, diagnose, read_runs

    try:
        found = diagnose(
            read_runs(chosen.runs, dag_id=chosen.dag),
            read_runs(chosen.consumers) if chosen.consumers else None,
            name=chosen.name or chosen.runs.stem,
            columns=dict(chosen.column),
            run_window_hours=chosen.window,
            interval_hours=chosen.interval,
            budget_usd_per_day=chosen.budget,
            state_limit_bytes=chosen.state_limit,
        )
        if chosen.out:
            chosen.out.write_text(memo.html(found), encoding="utf-8")
    except (HistoryError, ValueError, OSError) as error:
        print(f"tradeoff diagnose: {error}", file=sys.stderr)
        return UNREADABLE
    survive_any_console()
    print(memo.markdown(found) if chosen.markdown else memo.text(found), end="")
    if found.fails is None:
        return CANNOT_TELL
    return NOTHING_FAILS if found.fails == "none" else FAILS
