# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["dbt-core==1.10.*", "dbt-duckdb==1.10.*", "duckdb<2"]
# ///
"""One `dbt run` of dbt_project, its clock set to a moment of the shop's simulated day.

    python dbt_run.py FOLDER AS_OF --begin T --lookback N [--from T --to T]

FOLDER holds landing/ (Parquet) and gets warehouse.duckdb and run.json: what dbt says of each batch.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import dbt.task.run
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).resolve().parent / "dbt_project"


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path)
    words.add_argument("as_of", type=datetime.fromisoformat)
    words.add_argument("--begin", required=True)
    words.add_argument("--lookback", type=int, default=1)
    words.add_argument("--from", dest="start")
    words.add_argument("--to", dest="end")
    given = words.parse_args()
    folder = given.folder

    os.environ["SHOP_WAREHOUSE"] = str(folder / "warehouse.duckdb")
    os.environ["SHOP_LANDING"] = (folder / "landing").as_posix()
    # A run goes up to the hour that dbt's clock stands in. Ours is the shop's.
    clock = given.as_of.replace(tzinfo=UTC)
    dbt.task.run.get_invocation_started_at = lambda: clock

    command = ["--quiet", "run", f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}"]
    command += [f"--target-path={folder / 'target'}", f"--log-path={folder / 'logs'}"]
    command += ["--vars", json.dumps({"begin": given.begin, "lookback": given.lookback})]
    if given.start:
        command += ["--event-time-start", given.start, "--event-time-end", given.end]

    seconds = []  # of each batch; run_results.json has only the model's sum

    def note(event) -> None:
        if event.info.name == "LogBatchResult":
            seconds.append(event.data.execution_time)

    result = dbtRunner(callbacks=[note]).invoke(command)
    if not result.success:
        sys.exit(f"dbt failed: {result.exception or 'see above'}")
    results = json.loads((folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    [model] = [each for each in results if each["unique_id"] == "model.shop.fact_orders"]
    done = model["batch_results"]["successful"]
    said = {
        "engine": f"dbt {version('dbt-core')} on DuckDB {version('duckdb')}",
        "model_seconds": model["execution_time"],
        "batches": [
            {"start": start, "seconds": took}
            for (start, _), took in zip(done, seconds, strict=True)
        ],
    }
    (folder / "run.json").write_text(json.dumps(said), "utf-8")


if __name__ == "__main__":
    main()
