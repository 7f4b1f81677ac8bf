"""Events committed in batches: the same result at every size, honest clocks, durable commits."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tradeoff.lab import commits

STORES = tuple(commits.STORES)


@pytest.fixture(params=STORES)
def bench(request):
    with commits.open_bench(request.param, events=2_000) as opened:
        yield opened


def rows(bench):
    found = bench._connection.execute(
        "SELECT a.event, a.cents, v.usd FROM arrived a JOIN visible v USING (event) ORDER BY 1"
    ).fetchall()
    return pd.DataFrame(found, columns=["event", "cents", "usd"])


@pytest.mark.parametrize("size", [1, 7, 100, 400])
def test_every_batch_size_makes_the_same_result(bench, size):
    for first in range(0, 400, size):
        batch = bench.run(first, min(size, 400 - first))
        assert batch.events == min(size, 400 - first)
        assert batch.seconds > 0
    made = rows(bench)
    assert bench.visible() == 400
    assert made["event"].tolist() == list(range(400))
    np.testing.assert_allclose(made["usd"], made["cents"] / 100, rtol=0, atol=1e-12)
    assert made["cents"].nunique() > 300


def test_both_stores_hold_the_same_events():
    with commits.open_bench("sqlite", 50) as one, commits.open_bench("duckdb", 50) as other:
        for bench in (one, other):
            bench.run(0, 50)
        pd.testing.assert_frame_equal(rows(one), rows(other))


def test_the_stages_put_together_by_hand_do_what_run_does(bench):
    bench.write(bench.transform(bench.read(100, 20)))
    assert rows(bench)["event"].tolist() == list(range(100, 120))


def test_measure_takes_turns_and_reports_the_mean_batch(bench):
    said = []
    table = bench.measure([1, 50, 2_000], seconds=0.3, progress=said.append)
    assert table["events"].tolist() == [1, 50, 2_000]
    assert (table["batches"] >= 1).all()
    stages = table[["read_seconds", "transform_seconds", "write_seconds"]].sum(axis=1)
    np.testing.assert_allclose(table["seconds"], stages)
    np.testing.assert_allclose(table["events_per_second"], table["events"] / table["seconds"])
    # Each had about a third of the time, so small batches were run more often.
    used = table["batches"] * table["seconds"]
    assert (used >= 0.1).all()
    assert used.sum() < 0.3 + 3 * table["seconds"].max() + 0.5
    warm_up = commits._WARM_UP
    assert bench.visible() == (table["batches"] * table["events"]).sum() + warm_up
    assert said == []  # nothing to say within the first second


def test_measure_tells_about_every_second(bench):
    said = []
    bench.measure([1], seconds=1.2, progress=said.append)
    assert said
    assert all("batches" in line for line in said)


def test_one_commit_for_a_thousand_events_beats_a_thousand_commits(bench):
    """The point of it all, with room for any disk."""
    table = bench.measure([1, 1_000], seconds=0.4).set_index("events")
    assert table["events_per_second"][1_000] > 10 * table["events_per_second"][1]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda bench: bench.run(0, 0), "events must be"),
        (lambda bench: bench.run(-1, 5), "first must be"),
        (lambda bench: bench.run(1_999, 2), "there are 2,000"),
        (lambda bench: bench.measure([]), "at least one"),
        (lambda bench: bench.measure([1, 1]), "different"),
        (lambda bench: bench.measure([1, 2_001]), "at most 2,000"),
        (lambda bench: bench.measure([1], seconds=0), "seconds must be"),
        (lambda bench: bench.follow(3_000, 1), "the source has 2,000"),
        (lambda bench: bench.follow(-1, 1), "events_per_second must be"),
        (lambda bench: bench.follow(10, 1, every_seconds=0), "every_seconds must be"),
        (lambda bench: bench.follow(10, 1, at_most=0), "at_most must be"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(bench, call, said):
    with pytest.raises(ValueError, match=said):
        call(bench)
    assert bench.visible() == 0


def test_unknown_store_and_size_are_refused():
    with pytest.raises(ValueError, match="store must be one of sqlite, duckdb"):
        commits.open_bench("postgres")
    with pytest.raises(ValueError, match="events must be"):
        commits.open_bench("sqlite", 0)


@pytest.mark.parametrize("store", STORES)
def test_closing_removes_its_folder_also_after_an_error(store):
    bench = commits.open_bench(store, 10)
    path = bench._path
    assert path.exists()

    def interrupted():
        with bench:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not path.parent.exists()
    bench.close()


# --- a live pipeline ------------------------------------------------------------------------------


def test_a_timed_loop_shows_events_after_the_next_tick(bench):
    log = bench.follow(500, 0.6, every_seconds=0.2)
    assert len(log) == 300
    assert log.notna().all(axis=None)
    assert (log["started_seconds"] >= log["arrived_seconds"]).all()
    assert (log["visible_seconds"] > log["started_seconds"]).all()
    # Everything that had arrived when a batch began was in that batch or in one before.
    begun = log.groupby("batch")["started_seconds"].first()
    for batch, start in begun.items():
        assert (log.loc[log["batch"] > batch, "arrived_seconds"] > start - 1 / 500).all()
    assert 3 <= log["batch"].nunique() <= 4
    assert log["visible_seconds"].is_monotonic_increasing
    assert bench.visible() == 300


def test_event_by_event_a_batch_holds_one(bench):
    log = bench.follow(20, 0.5, at_most=1).dropna()
    assert log["batch"].is_unique
    assert len(log) >= 5
    assert bench.visible() == len(log)


def test_a_loop_that_is_too_slow_leaves_events_waiting(bench):
    log = bench.follow(100_000, 0.02, at_most=1)
    assert len(log) == 2_000
    seen = log["visible_seconds"].notna()
    assert 0 < seen.sum() < 2_000
    assert seen.sum() == bench.visible()
    assert commits.four_metrics(log, 12)["waiting_events"] == 2_000 - seen.sum()


def test_the_four_metrics_of_a_log_by_hand():
    log = pd.DataFrame(
        {
            "event": [0, 1, 2, 3],
            "arrived_seconds": [0.0, 1.0, 2.0, 3.0],
            "batch": [0.0, 0.0, 1.0, np.nan],
            "started_seconds": [1.5, 1.5, 3.0, np.nan],
            "visible_seconds": [2.0, 2.0, 4.0, np.nan],
            "transform_seconds": [1e-6, 1e-6, 4e-6, np.nan],
        }
    )
    found = commits.four_metrics(log, 3_600)
    assert found == pytest.approx(
        {
            "end_to_end_p50_seconds": 1.5,  # of 2, 1, 2 and, still waiting, 1
            "end_to_end_worst_seconds": 2.0,
            "processing_us": 2.0,
            "events_per_second": 3 / 4,
            "busy_events_per_second": 3 / 1.5,
            "busy_share": 1.5 / 4,
            "usd_per_million_always_on": 4 / 3 * 1e6,
            "usd_per_million_busy": 1.5 / 3 * 1e6,
            "waiting_events": 1.0,
        }
    )
    with pytest.raises(ValueError, match="became visible"):
        commits.four_metrics(log.tail(1), 12)


# --- faults ---------------------------------------------------------------------------------------

CHILD = """
import sys
from tradeoff.lab import commits
with commits.open_bench("sqlite", 5_000, folder=sys.argv[1]) as bench:
    for first in range(0, 5_000, 10):
        bench.run(first, 10)
        print(first + 10, flush=True)
"""


def test_a_killed_writer_leaves_whole_batches_and_all_it_reported(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        reported = [int(child.stdout.readline()) for _ in range(20)][-1]
    finally:
        child.kill()
        child.communicate()
    reader = sqlite3.connect(Path(tmp_path) / "events.db")
    try:
        [(count, last)] = reader.execute("SELECT count(*), max(event) FROM visible").fetchall()
    finally:
        reader.close()
    assert count >= reported == 200
    assert count % 10 == 0
    assert last == count - 1
