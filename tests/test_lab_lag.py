"""The lag experiment on real processes and files: small, and with faults."""

import sqlite3
import subprocess
import sys
import time

import pytest
from tradeoff.lab import lag, lag_worker
from tradeoff.scenarios import lag_signals


def wait_for(reached, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.01)


def test_a_killed_consumer_goes_on_where_it_had_committed():
    with lag.Queue() as queue:
        queue.consume("one", wait_seconds=0.002, most_events=25)
        queue.produce(400)
        wait_for(lambda: queue.committed("one") > 100)
        in_flight = queue.kill_at_work("one")
        before = queue.committed("one")
        assert 0 <= in_flight <= 25
        wait_for(lambda: queue.end_offset() > before + 100)
        assert queue.committed("one") == before
        queue.consume("one")
        wait_for(lambda: queue.end_offset() - queue.committed("one") < 100)
        queue.kill("one")
        account = queue.account("one")
    assert account["events_counted"] == account["events_in_log"] == account["committed_offset"]
    assert account["amounts_equal"]
    # What had been sent and not committed is sent again: no transaction takes a message back.
    assert account["messages_sent_twice"] == in_flight


def test_the_experiment_shows_the_pictures_and_loses_nothing():
    said = []
    seen = lag.three_consumers(
        500, kill_seconds=1, restart_seconds=3.5, every_seconds=0.05, progress=said.append
    )
    found = lag_signals.verdicts(seen.samples, *seen.window)
    assert found.loc["killed", "state"] == "dead"
    assert found.loc["slow", "state"] == "slow"
    assert found.loc["healthy", "state"] == "healthy"
    assert found.loc["killed", "commits_per_second"] == 0
    assert found.loc["killed", "lag_per_second"] == pytest.approx(500, rel=0.2)
    assert 0 < found.loc["slow", "lag_per_second"] < found.loc["killed", "lag_per_second"]
    assert seen.killed_seconds < seen.restarted_seconds < seen.caught_up_seconds
    assert (seen.accounts["events_counted"] == seen.accounts["events_in_log"]).all()
    assert seen.accounts["amounts_equal"].all()
    assert len(said) == 3
    steps = seen.samples.groupby("consumer")["committed_offset"].diff().dropna()
    assert (steps >= 0).all()


def interrupted(seen):
    with lag.Queue() as queue:
        queue.consume("one")
        queue.produce(100)
        seen.extend([queue.folder, *queue._processes.values()])
        raise KeyboardInterrupt


def test_an_interrupt_leaves_no_process_and_no_file():
    seen = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(seen)
    folder, *processes = seen
    assert len(processes) == 2
    assert all(process.poll() is not None for process in processes)
    assert not folder.exists()


def test_a_worker_ends_when_its_parent_is_gone(tmp_path):
    lag_worker.create_log(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-I", lag_worker.__file__, str(tmp_path), "--produce", "10"],
        stdin=subprocess.PIPE,
    )
    try:
        assert worker.poll() is None
        worker.stdin.close()
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.wait()


def test_a_process_that_ends_by_itself_is_reported():
    with lag.Queue() as queue:
        queue.consume("one")
        queue._processes["one"].kill()
        queue._processes["one"].wait()
        with pytest.raises(lag.LagError, match="'one' ended by itself"):
            queue.check()


def test_a_consumer_that_cannot_start_is_reported():
    with lag.Queue() as queue:
        (queue.folder / "one.sqlite").write_bytes(b"not a database at all, though a file" * 40)
        with pytest.raises(lag.LagError, match="'one' ended by itself"):
            queue.consume("one")


def test_the_log_takes_an_offset_once(tmp_path):
    lag_worker.create_log(tmp_path)
    log = lag_worker.connect(tmp_path / lag_worker.LOG)
    log.execute("INSERT INTO events VALUES (1, 5)")
    with pytest.raises(sqlite3.IntegrityError):
        log.execute("INSERT INTO events VALUES (1, 6)")
    log.close()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda queue: queue.produce(0), "events_per_second must be"),
        (lambda queue: queue.produce(float("nan")), "events_per_second must be"),
        (lambda queue: queue.consume("producer"), "name must be"),
        (lambda queue: queue.consume("a/b"), "name must be"),
        (lambda queue: queue.consume("one", wait_seconds=-1), "wait_seconds must be"),
        (lambda queue: queue.consume("one", most_events=0), "most_events at least 1"),
    ],
)
def test_bad_input_is_refused_with_its_reason(call, said):
    with lag.Queue() as queue, pytest.raises(ValueError, match=said):
        call(queue)


def test_a_name_runs_once():
    with lag.Queue() as queue:
        queue.consume("one")
        with pytest.raises(ValueError, match="runs already"):
            queue.consume("one")


@pytest.mark.parametrize(
    "options",
    [{"slow_share": 1.2}, {"kill_seconds": 5, "restart_seconds": 5.2}, {"every_seconds": 0}],
)
def test_an_experiment_that_shows_nothing_is_refused(options):
    with pytest.raises(ValueError, match="must be"):
        lag.three_consumers(**options)
