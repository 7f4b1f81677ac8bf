"""How old events are when they become visible: exact quantiles over the slots' mixture."""

from __future__ import annotations

import numpy as np

from tradeoff.model.timing import Columns, Slots

QUANTILES = {"p50": 0.5, "p95": 0.95}


def latencies(columns: Columns, found: Slots) -> dict[str, np.ndarray]:
    """Best, mean, median, 95th percentile and worst end-to-end latency, event-weighted (s)."""
    streaming = columns["streaming"]
    mean = (found.weight * (found.low + found.high) / 2).sum(axis=1)
    empty = found.weight == 0  # an hour without events has none that is lucky or unlucky
    quantiles = np.empty((len(QUANTILES), len(streaming)))
    batches = ~streaming
    if batches.any():
        quantiles[:, batches] = _uniform_quantiles(
            found.low[batches], found.high[batches], found.weight[batches]
        )
    if streaming.any():
        assert found.tail_seconds is not None
        assert found.tail_share is not None
        assert found.drift_seconds is not None
        parts = (found.low, found.tail_seconds, found.tail_share, found.weight, found.drift_seconds)
        low, tail, share, weight, drift = (array[streaming] for array in parts)
        mean[streaming] = (weight * (low + drift / 2 + share * tail)).sum(axis=1)
        quantiles[:, streaming] = _tail_quantiles(low, tail, share, weight, drift)
    return {
        "latency_best_seconds": np.where(empty, np.inf, found.low).min(axis=1),
        "latency_mean_seconds": mean,
        **{f"latency_{name}_seconds": quantiles[i] for i, name in enumerate(QUANTILES)},
        "latency_worst_seconds": np.where(empty, 0.0, found.high).max(axis=1),
    }


def _uniform_quantiles(low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Quantiles of a mixture of uniforms, exactly: its distribution is linear between edges.

    Between the last slot's low and the first slot's high every slot contributes, so the
    distribution is one line there; beyond it is concave up to the end, and Newton's steps from the
    line's end arrive. Most rows need no more; the others are solved edge by edge.
    """
    width = np.maximum(high - low, 1e-9)
    density = weight / width
    slope, offset = density.sum(axis=1), (density * low).sum(axis=1)
    total = weight.sum(axis=1)
    latest_low, ends = low.max(axis=1), low + width
    first_end = ends.min(axis=1)
    found = np.empty((len(QUANTILES), len(low)))
    for i, quantile in enumerate(QUANTILES.values()):
        line = (quantile * total + offset) / slope
        beyond = np.flatnonzero((line > first_end) & (first_end >= latest_low))
        if len(beyond):
            left = (1.0 - quantile) * total[beyond]
            line[beyond] = _from_the_right(ends[beyond], density[beyond], first_end[beyond], left)
        found[i] = line
    rest = np.flatnonzero((found < latest_low).any(axis=0) | (first_end < latest_low))
    if len(rest):
        found[:, rest] = _edge_by_edge(low[rest], width[rest], density[rest])
    return found


def _from_the_right(
    ends: np.ndarray, density: np.ndarray, start: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """Where so much weight is `left` to the right, beyond every slot's low, from `start` on."""
    at = start.copy()
    for _ in range(ends.shape[1] + 1):  # a step passes at least one edge, or arrives
        ahead = np.maximum(ends - at[:, None], 0.0)
        excess = (density * ahead).sum(axis=1) - left
        if (excess <= 1e-14).all():
            break
        at += np.maximum(excess, 0.0) / (density * (ahead > 0)).sum(axis=1)
    return at


def _edge_by_edge(low: np.ndarray, width: np.ndarray, density: np.ndarray) -> np.ndarray:
    edges = np.concatenate([low, low + width], axis=1)
    steps = np.concatenate([density, -density], axis=1)
    # Neighbours in a sweep mostly share one order of edges; rows that do not are sorted singly.
    order = np.argsort(edges[0])
    edges, steps = edges.take(order, axis=1), steps.take(order, axis=1)
    gaps = np.diff(edges, axis=1)
    unsorted = np.flatnonzero((gaps < 0).any(axis=1))
    if len(unsorted):
        own = np.argsort(edges[unsorted], axis=1)
        edges[unsorted] = np.take_along_axis(edges[unsorted], own, 1)
        steps[unsorted] = np.take_along_axis(steps[unsorted], own, 1)
        gaps[unsorted] = np.diff(edges[unsorted], axis=1)
    slope = np.cumsum(steps, axis=1)[:, :-1]
    mass = np.zeros_like(edges)
    np.cumsum(np.maximum(slope, 0.0) * gaps, axis=1, out=mass[:, 1:])
    rows = np.arange(len(edges))
    found = []
    for quantile in QUANTILES.values():
        target = quantile * mass[:, -1]
        right = np.clip((mass < target[:, None]).sum(axis=1), 1, edges.shape[1] - 1)
        below, above = mass[rows, right - 1], mass[rows, right]
        share = np.where(above > below, (target - below) / np.maximum(above - below, 1e-300), 0.0)
        start = edges[rows, right - 1]
        found.append(start + share * (edges[rows, right] - start))
    return np.array(found)


def _tail_quantiles(
    low: np.ndarray, tail: np.ndarray, share: np.ndarray, weight: np.ndarray, drift: np.ndarray
) -> np.ndarray:
    """Quantiles of a mixture of `low`, or with probability `share` `low` + exponential(tail).

    Under overload a slot's `low` moves evenly over its `drift`.
    """
    moving = drift.any(axis=1)
    width = np.maximum(drift[moving], 1e-9)
    result = []
    for quantile in QUANTILES.values():
        lower = low.min(axis=1)
        upper = (low + drift + tail * 20.0).max(axis=1)
        for _ in range(60):
            middle = (lower + upper) / 2
            over = middle[:, None] - low
            below = np.where(over >= 0, 1.0 - share * np.exp(-np.maximum(over, 0.0) / tail), 0.0)
            if len(width):  # the same, averaged over the drift
                past = np.maximum(over[moving], 0.0)
                risen = np.minimum(past, width)
                mean_tail = tail[moving] / width
                beyond = np.exp(-(past - risen) / tail[moving]) * -np.expm1(-risen / tail[moving])
                below[moving] = risen / width - share[moving] * mean_tail * beyond
            enough = (weight * below).sum(axis=1) >= quantile
            lower, upper = np.where(enough, lower, middle), np.where(enough, middle, upper)
        result.append(upper)
    return np.array(result)
