"""The count on Kafka Streams killed at chosen moments, and started again with what it left.

killed = kafka_kills.kill(broker, orders, [(BEFORE, 40), (BETWEEN, 40), (AFTER, 40)])
contract.differing(killed.table, contract.facts(orders, "5min"))          # nothing
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tradeoff.lab.systems import kafka, kafka_streams
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.kafka.results import read_all
from tradeoff.lab.systems.kafka_streams import AFTER, BEFORE, BETWEEN, OrderCount
from tradeoff.lab.systems.processes import LabError, scratch


@dataclass(frozen=True, eq=False)
class Killed:
    """What `kill` saw, and what is left at the end.

    Attributes
    ----------
    kills : one row a kill: phase, results (the program had made in that run), on_log (of them, on
        the broker's log at the kill), open (whether a transaction lay there uncommitted), restored
        (seconds from starting again until it ran).
    table : the result after the last restart.
    """

    kills: pd.DataFrame
    table: pd.DataFrame = field(repr=False)


def kill(
    broker: Broker,
    orders: pd.DataFrame,
    moments: Sequence[tuple[str, int]],
    *,
    window: str = "5min",
    commit_seconds: float = 0.1,
    name: str = "killed-count",
) -> Killed:
    """Kill the count (SIGKILL) at each of these moments, start it again, and let it finish.

    A moment is a phase and a number of results, as `OrderCount.running` takes them. That a kill hit
    its phase is read from the broker: before the write the result is not on its log; between write
    and commit it is, in an open transaction; after the commit no transaction is open.

    Raises LabError when a kill did not hit its phase or the orders do not suffice for all moments.
    """
    rows = []
    with scratch() as folder:
        topic = broker.create_topic(f"{name}-orders")
        counting = OrderCount(
            broker, topic, folder, name=name, window=window, commit_seconds=commit_seconds
        )
        kafka.play(broker, topic, orders)
        for phase, at in moments:
            earlier = len(read_all(broker, counting.counts, "read_uncommitted"))
            started = time.monotonic()
            with counting.running(phase, at) as program:
                restored = time.monotonic() - started
                program.wait_for(counting.mark.exists, kafka_streams.READY_SECONDS)
                found = evidence(counting, phase, earlier)
                program.kill()
            rows.append({"phase": phase, **found, "restored": restored})
        with counting.running() as program:
            counting.wait(program)
        return Killed(pd.DataFrame(rows), counting.table())


def evidence(
    counting: OrderCount, phase: str, earlier: int, seconds: float = 10.0
) -> dict[str, Any]:
    """What the broker's log holds of the run that has paused; raises LabError for another phase.

    `earlier` results lay on it before that run. So long is waited for what is still on its way.
    """
    broker, topic = counting.broker, counting.counts
    end = time.monotonic() + seconds
    while True:
        results = int(counting.mark.read_text("utf-8") or 0)
        on_log = len(read_all(broker, topic, "read_uncommitted")) - earlier
        opened = broker.end_offsets(topic) != broker.end_offsets(topic, committed_only=True)
        expected = {
            BEFORE: on_log == results - 1,
            BETWEEN: on_log == results and opened,
            AFTER: on_log == results and not opened,
        }
        if expected[phase]:
            return {"results": results, "on_log": on_log, "open": opened}
        if time.monotonic() > end:
            raise LabError(
                f"not {phase}: {on_log} of {results} results on the log, transaction open: {opened}"
            )
        time.sleep(0.05)
