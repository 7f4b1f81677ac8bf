"""Batches of known content through Spark's micro-batch path: their cost, and their watermark.

    batches = sweep(source, [200, 2_000, 20_000], repeats=5)
    fit_overhead(batches["events"], batches["seconds"])

A batch is a file: the files lie there in order before the query starts, which takes one at a time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tradeoff import data
from tradeoff.lab.systems.held_out import interleaved, pieces
from tradeoff.lab.systems.kafka import message
from tradeoff.lab.systems.postgres import Source
from tradeoff.lab.systems.processes import scratch
from tradeoff.lab.systems.spark.streaming import Query, Run, forget, run_all

DAY = "2026-04-25"
WINDOW, WATERMARK = "5min", "10min"
WARM = 4  # batches before those of a sweep: the first ones load classes and compile


def sweep(
    source: Source,
    events: Sequence[int],
    repeats: int = 5,
    *,
    watermark: str | None = None,
    window: str = "1h",
) -> pd.DataFrame:
    """What batches of so many orders take, one after the other, sizes interleaved.

    Returns a row a batch, columns as `streaming.Run.batches`; `seconds` is all of it, from
    asking what is new to the checkpoint's commit. Raises as `streaming.run_all`.
    """
    sizes = [max(events) // 10] * WARM + interleaved(events, repeats)
    with scratch() as made:
        folder = _laid(made, pieces(DAY, sizes))
        run = _one_file_a_batch(source, folder, "spark sweep", window, watermark)
    batches = run.batches[run.batches["batch"].between(WARM, len(sizes) - 1)]
    return batches.reset_index(drop=True)


def watermark_boundary(source: Source) -> pd.DataFrame:
    """Which orders a 5-minute count with a 10-minute watermark drops, tried pair by pair.

    Each of five batches brings pairs of orders of different age; the first three also bring a newer
    order than any before. Two orders of a pair are alike and share a group with nobody else.

    What is found: Spark closes windows as a whole, by one watermark for all partitions. Batch n
    sees the newest event time of the batches up to n - 1, and drops by what batch n - 1 saw: an
    order is counted while its window ends after `watermark_before`.

    Returns
    -------
    A row a pair: batch, event_time, window_end, newest (event time in this batch or before),
    watermark (that Spark reports for the batch) and watermark_before (for the batch before),
    counted (orders in the result: 2 or 0), reported_dropped (by Spark for the whole batch, which
    counts groups and not orders: it adds up a task's orders before it looks at their age).
    """
    noon = pd.Timestamp(f"{DAY} 12:00")
    minutes = pd.Timedelta("1min")
    clock = [noon, noon + 20 * minutes, noon + 40 * minutes, None, None]
    # Minutes around 10, 15, 30, 35 and 50: a window is 5 minutes long.
    ages = [minutes * age for age in (9, 10, 11, 14, 15, 16, 29, 30, 31, 34, 35, 36, 49, 50, 51)]
    tried, laid, newest = [], [], noon
    for batch, moved in enumerate(clock):
        newest = newest if moved is None else moved
        rows = [{"batch": batch, "event_time": newest - age, "newest": newest} for age in ages]
        tried += rows
        stamps = [newest, *(row["event_time"] for row in rows for _ in range(2))]
        names = ["clock", *(f"{batch} {at}" for at in range(len(rows)) for _ in range(2))]
        orders = data.orders(DAY, len(stamps))
        laid.append(
            orders.assign(
                order_timestamp=pd.Series(stamps, dtype="datetime64[us]"),
                product_id=orders["product_id"].iloc[0],
                region=names,
            )
        )
    with scratch() as made:
        folder = _laid(made, laid)
        run = _one_file_a_batch(source, folder, "spark watermark", WINDOW, WATERMARK)
    frame = pd.DataFrame(tried)
    names = [f"{row['batch']} {at % len(ages)}" for at, row in enumerate(tried)]
    batches = run.batches.set_index("batch")
    return frame.assign(
        window_end=frame["event_time"].dt.floor(WINDOW) + pd.Timedelta(WINDOW),
        watermark=frame["batch"].map(batches["watermark"]),
        watermark_before=(frame["batch"] - 1).map(batches["watermark"]),
        counted=run.table.groupby("region")["orders"].sum().reindex(names, fill_value=0).to_numpy(),
        reported_dropped=frame["batch"].map(batches["dropped"]),
    )


def _one_file_a_batch(
    source: Source, folder: Path, path: str, window: str, watermark: str | None
) -> Run:
    forget(source, path)
    query = Query(
        folder, trigger_seconds=None, limit=1, window=window, watermark=watermark, path=path
    )
    [run] = run_all(source, [query])
    return run


def _laid(folder: Path, pieces: Sequence[pd.DataFrame]) -> Path:
    """A file a piece; Spark takes files by the time they were last changed."""
    for number, piece in enumerate(pieces):
        rows = piece.to_dict("records")
        path = folder / f"{number:06}.jsonl"
        path.write_bytes(b"".join(message(row, 0.0) + b"\n" for row in rows))
        os.utime(path, (number + 1, number + 1))
    return folder
