"""The micro-batch path killed in the middle of its batches, and started again each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradeoff.lab.systems.micro_batch import PATH, Loop, MicroBatch, following, measured
from tradeoff.lab.systems.micro_batch.loop import PHASES

if TYPE_CHECKING:
    from tradeoff.lab.systems.postgres import Source


@dataclass(frozen=True)
class Kill:
    """A SIGKILL, and what the server said of the loop just before.

    Attributes
    ----------
    phase : where it was asked for. transaction : the sink connection's state: "idle", or "idle in
        transaction" with rows written and not committed.
    committed : whether the batch's transaction had been committed.
    confirmed : whether the slot had been told of all that was committed.
    """

    phase: str
    transaction: str
    committed: bool
    confirmed: bool


def kill_and_restart(
    source: Source,
    orders: pd.DataFrame,
    kills: int = 20,
    *,
    window: str = "1h",
    watermark: str | None = None,
    path: str = PATH,
) -> tuple[MicroBatch, list[Kill]]:
    """Kill the loop so many times, in each of the `PHASES` in turn, and start it again each time.

    Each kill hits a batch with orders in it: those that have just come, and those of the batch
    before where that was lost.
    """
    parts = np.array_split(np.arange(len(orders)), kills + 1)
    hit = []
    with following(source, window=window, watermark=watermark, path=path) as loop:
        loop.kill()
        for number, part in enumerate(parts[:-1]):
            phase = PHASES[number % len(PHASES)]
            before = _batch(loop)
            loop.start(pause=phase)
            source.play(orders.iloc[part], 0.02)
            loop.wait_until_paused()
            after = _batch(loop)
            hit.append(Kill(phase, _transaction(loop), after > before, _confirmed(loop)))
            loop.kill()
        loop.start()
        source.play(orders.iloc[parts[-1]], 0.02)
        loop.finish()
        return measured(loop, orders, window=window), hit


def _batch(loop: Loop) -> int:
    rows = loop.source.execute("SELECT batch FROM mart.checkpoint WHERE path = %s", [loop.path])
    return int(rows[0][0])


def _transaction(loop: Loop) -> str:
    rows = loop.source.execute(
        "SELECT state FROM pg_stat_activity WHERE application_name = %s", [loop.slot]
    )
    return ", ".join(str(state) for (state,) in rows)


def _confirmed(loop: Loop) -> bool:
    rows = loop.source.execute(
        "SELECT confirmed_flush_lsn >= lsn FROM mart.checkpoint, pg_replication_slots "
        "WHERE path = %s AND slot_name = %s",
        [loop.path, loop.slot],
    )
    return bool(rows[0][0])
