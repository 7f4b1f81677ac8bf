"""Lesson 3's experiment: a healthy, a slow and a killed consumer of one durable queue, measured.

    seen = three_consumers()                   # about 11 s; four processes, gone when it returns
    seen.samples                               # end offset, committed offset and lag over time
    lag_signals.verdicts(seen.samples, *seen.window)    # told apart from the samples alone
    seen.accounts                              # what each has done, against the log itself

The queue is an append-only SQLite log on disk (`lag_worker`), written by one process and read by
the others, each at its own committed offset, as consumer groups read a partition.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from tradeoff.lab import lag_worker

HEALTHY, SLOW, KILLED = "healthy", "slow", "killed"
READY_SECONDS = 30.0
PATIENCE_SECONDS = 60.0


class LagError(RuntimeError):
    """A process of the experiment ended by itself, or did not get ready or catch up in time."""


class Queue:
    """A durable queue in a temporary folder, with its producer and its consumers as processes.

    Use it in a `with` statement: at its end, or at an interrupt, all processes and files are gone.
    """

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(
            prefix="tradeoff-lag-", ignore_cleanup_errors=True
        )
        self.folder = Path(self._temporary.name)
        lag_worker.create_log(self.folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._files: dict[str, sqlite3.Connection] = {}
        self._log = lag_worker.connect(self.folder / lag_worker.LOG)

    def __enter__(self) -> Queue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in list(self._processes):
            self.kill(name)
        for connection in (self._log, *self._files.values()):
            connection.close()
        self._temporary.cleanup()

    def produce(self, events_per_second: float) -> None:
        """Start the producer; `kill("producer")` ends it."""
        if not 0 < events_per_second <= 50_000:
            raise ValueError(
                "events_per_second must be a number above 0 and at most 50000, "
                f"got {events_per_second!r}"
            )
        self._start("producer", "--produce", str(events_per_second))

    def consume(self, name: str, wait_seconds: float = 0.0, most_events: int = 100) -> None:
        """Start a consumer, or start it again where it had committed.

        `wait_seconds` is what it waits for each event, as for a slow database behind it;
        `most_events` the most that it takes in one commit. Returns when it is ready.
        """
        if not name.isidentifier() or name in ("producer", "log"):
            raise ValueError(
                f"name must be an identifier and not 'producer' or 'log', got {name!r}"
            )
        if not 0 <= wait_seconds <= 10 or most_events < 1:
            raise ValueError(
                "wait_seconds must be from 0 to 10 and most_events at least 1, "
                f"got {wait_seconds!r} and {most_events!r}"
            )
        self._start(
            name, "--consume", name, "--wait", str(wait_seconds), "--most", str(int(most_events))
        )
        messages = self.folder / f"{name}.messages"  # made when its own file is ready
        deadline = time.monotonic() + READY_SECONDS
        while not messages.exists():
            self.check()
            if time.monotonic() > deadline:
                raise LagError(f"consumer {name!r} was not ready within {READY_SECONDS:g} s")
            time.sleep(0.01)
        if name not in self._files:
            self._files[name] = lag_worker.connect(self.folder / f"{name}.sqlite")

    def kill(self, name: str) -> None:
        """End a process without a word of warning (SIGKILL; TerminateProcess on Windows)."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()

    def kill_at_work(self, name: str) -> int:
        """Kill a consumer that has messages out for events it has not committed.

        Returns how many such events were in flight; 0 if it was too quick to be caught.
        """
        deadline = time.monotonic() + READY_SECONDS
        while self.messages(name) <= self.committed(name) and time.monotonic() < deadline:
            time.sleep(0.001)
        self.kill(name)
        return self.messages(name) - self.committed(name)

    def check(self) -> None:
        """Raise LagError if a process that should run has ended."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise LagError(f"{name!r} ended by itself with exit code {process.returncode}")

    def end_offset(self) -> int:
        """Offset of the newest event in the log; 0 while it is empty."""
        [last] = self._log.execute("SELECT coalesce(max(log_offset), 0) FROM events").fetchone()
        return int(last)

    def committed(self, name: str) -> int:
        """The offset up to which a consumer's work is committed."""
        [offset] = self._files[name].execute("SELECT committed FROM progress").fetchone()
        return int(offset)

    def messages(self, name: str) -> int:
        """Messages a consumer has sent, those sent twice included."""
        return (self.folder / f"{name}.messages").stat().st_size // lag_worker.MESSAGE.size

    def account(self, name: str) -> dict[str, object]:
        """What a consumer has done, held against the log up to its committed offset."""
        committed, events, amount = (
            self._files[name]
            .execute("SELECT committed, events, amount_cents FROM progress")
            .fetchone()
        )
        logged, logged_amount = self._log.execute(
            "SELECT count(*), coalesce(sum(amount_cents), 0) FROM events WHERE log_offset <= ?",
            (committed,),
        ).fetchone()
        written = (self.folder / f"{name}.messages").read_bytes()
        sent = np.frombuffer(written, dtype="<i8", count=len(written) // lag_worker.MESSAGE.size)
        return {
            "consumer": name,
            "committed_offset": committed,
            "events_in_log": logged,
            "events_counted": events,
            "amounts_equal": amount == logged_amount,
            "messages_sent_twice": len(sent) - len(np.unique(sent)),
        }

    def _start(self, name: str, *arguments: str) -> None:
        if name in self._processes:
            raise ValueError(f"{name!r} runs already")
        script = str(Path(lag_worker.__file__))
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-I", script, str(self.folder), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@dataclass(frozen=True)
class Lags:
    """What `three_consumers` saw.

    Attributes
    ----------
    samples : consumer, seconds (since the producer started), end_offset, committed_offset, lag.
    killed_seconds, restarted_seconds, caught_up_seconds : of the killed consumer; it has caught up
        when its lag is what it was at most before the kill.
    in_flight : events it had worked on, and not committed, when it was killed.
    accounts : one row a consumer, see `Queue.account`.
    events_per_second, wait_seconds : as asked for; the wait for each event by consumer.
    """

    samples: pd.DataFrame = field(repr=False)
    killed_seconds: float
    restarted_seconds: float
    caught_up_seconds: float
    in_flight: int
    accounts: pd.DataFrame = field(repr=False)
    events_per_second: float
    wait_seconds: dict[str, float]

    @property
    def window(self) -> tuple[float, float]:
        """While one consumer was dead: half a second after the kill until the restart."""
        return self.killed_seconds + 0.5, self.restarted_seconds


def three_consumers(
    events_per_second: float = 2000.0,
    *,
    slow_share: float = 0.6,
    kill_seconds: float = 3.0,
    restart_seconds: float = 7.0,
    every_seconds: float = 0.1,
    progress: Callable[[str], None] | None = None,
) -> Lags:
    """Run a producer and three consumers; kill one at work, restart it, wait until it caught up.

    The slow one can work through `slow_share` of what arrives; the other two through five times as
    much as arrives. Raises LagError when a process fails or the killed one does not catch up
    within a minute, ValueError for numbers that make no experiment.
    """
    if not 0 < slow_share < 1:
        raise ValueError(f"slow_share must be between 0 and 1, got {slow_share!r}")
    if not 0 < kill_seconds < restart_seconds - 0.5 or not 0 < every_seconds <= 1:
        raise ValueError(
            "kill_seconds must be above 0 and half a second before restart_seconds, and "
            f"every_seconds above 0 and at most 1, got {kill_seconds!r}, {restart_seconds!r} "
            f"and {every_seconds!r}"
        )
    quick = 1 / (5 * events_per_second)
    waits = {HEALTHY: quick, SLOW: 1 / (slow_share * events_per_second), KILLED: quick}
    say = progress or (lambda text: None)
    rows: list[dict[str, object]] = []
    with Queue() as queue:
        for name, wait in waits.items():
            queue.consume(name, wait)
        queue.produce(events_per_second)
        started = time.monotonic()

        def watch(until: Callable[[float, int], bool]) -> None:
            """Sample every consumer until told to stop, by the time and the killed one's lag."""
            while True:
                queue.check()
                lags = {}
                for name in waits:
                    committed, end = queue.committed(name), queue.end_offset()
                    lags[name] = end - committed
                    seconds = time.monotonic() - started
                    rows.append(
                        {"consumer": name, "seconds": seconds, "end_offset": end}
                        | {"committed_offset": committed, "lag": end - committed}
                    )
                if until(seconds, lags[KILLED]):
                    return
                time.sleep(every_seconds)

        watch(lambda seconds, _: seconds >= kill_seconds)
        usual = max(int(str(row["lag"])) for row in rows if row["consumer"] == KILLED)
        in_flight = queue.kill_at_work(KILLED)
        killed = time.monotonic() - started
        say(f"{killed:.1f} s: killed, with {in_flight} events in flight")
        watch(lambda seconds, _: seconds >= restart_seconds)
        restarted = time.monotonic() - started
        queue.consume(KILLED, waits[KILLED])
        say(f"{restarted:.1f} s: started again")
        enough = max(usual, events_per_second / 5)
        watch(lambda seconds, lag: lag <= enough or seconds > restarted + PATIENCE_SECONDS)
        caught_up = time.monotonic() - started
        if caught_up > restarted + PATIENCE_SECONDS:
            raise LagError(f"the killed consumer did not catch up within {PATIENCE_SECONDS:g} s")
        say(f"{caught_up:.1f} s: caught up")
        watch(lambda seconds, _: seconds >= caught_up + 1)
        accounts = pd.DataFrame([queue.account(name) for name in waits])
    return Lags(
        samples=pd.DataFrame(rows),
        killed_seconds=killed,
        restarted_seconds=restarted,
        caught_up_seconds=caught_up,
        in_flight=in_flight,
        accounts=accounts.set_index("consumer"),
        events_per_second=events_per_second,
        wait_seconds=waits,
    )
