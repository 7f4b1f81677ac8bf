"""What the constants' ranges do to an answer: quantiles, who wins how often, what moves the bill.

Every constant of the catalogue is low, mid, high. A field of a design that still holds the
catalogue's mid is taken as uncertain over that range; one that was set by hand is taken as known,
and so is the volume.
Draws are triangular between low and high with the mode at mid, and belong to the constant: two
designs that share it (a node's price) share its draws, so they can be compared draw by draw.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import catalogue
from tradeoff.model.columns import columns_of, derived, figures_of
from tradeoff.model.design import Design, Plan
from tradeoff.model.evaluate import evaluate
from tradeoff.model.quantities import QUANTITIES, Quantity, check
from tradeoff.model.sweep import CHUNK_ROWS, serves
from tradeoff.model.workload import day_curve

SAMPLES = 2000
SEED = 0
QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
# A plan that serves everyone in fewer of the draws is not offered as the one of least regret.
SERVING_SHARE = 0.9
_SAMPLES = Quantity("draws", least=10, most=1_000_000, whole=True)
_SEED = Quantity("seed", least=0, most=2**32, whole=True)
Key = tuple[str, str]


def uncertain(design: Design, samples: int = SAMPLES, seed: int = SEED) -> pd.DataFrame:
    """The figures of one design under its constants' ranges: one row a figure, p05, p50, p95.

    The same seed gives the same table. Column `mid` is `evaluate`'s figure, for comparison.

    Raises what `quantities.check` raises for samples and seed.
    """
    figures = _sampled(design, _draws(_keys(design), samples, seed), samples)
    mids = evaluate(design).figures
    rows = {
        name: {
            "mid": float(mids[name]),
            **{label: np.quantile(1.0 * values, share) for label, share in QUANTILES.items()},
        }
        for name, values in figures.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("figure")


def compare_uncertain(
    plans: Sequence[Plan | Design], samples: int = SAMPLES, seed: int = SEED
) -> pd.DataFrame:
    """One row a plan: its bill's quantiles, how often it serves, wins, and what it would regret.

    ====================== ==================================================================
    p05, p50, p95          USD a day over the draws
    serves                 share of the draws in which every consumer and window is met
    wins                   share in which it serves and no serving plan is cheaper
    regret_usd_per_day     mean of its bill less the cheapest serving plan's, over the draws in
                           which some plan serves; a draw in which the plan itself does not
                           serve counts with the dearest serving plan's bill
    least_regret           True for the plan to take: the least regret among those that serve in
                           at least 90 % of the draws (none, if none does)
    ====================== ==================================================================

    Raises ValueError for no plans, and what `quantities.check` raises.
    """
    if not plans:
        raise ValueError("compare_uncertain needs at least one plan")
    named = [plan if isinstance(plan, Plan) else Plan(plan.name, [plan]) for plan in plans]
    keys = {key for plan in named for path in plan.paths for key in _keys(path)}
    draws = _draws(keys, samples, seed)
    bills, served = [], []
    for plan in named:
        paths = [(path, _sampled(path, draws, samples)) for path in plan.paths]
        bills.append(sum(figures["cost_usd_per_day"] for _, figures in paths))
        served.append(np.logical_and.reduce([_served(*pair) for pair in paths]))
    bill, good = np.array(bills), np.array(served)
    some = good.any(axis=0)
    least = np.where(good, bill, np.inf).min(axis=0)
    dearest = np.where(good, bill, -np.inf).max(axis=0)
    wins = good & (bill <= least * (1 + 1e-12))
    regret = np.where(good, bill, np.maximum(dearest, bill))[:, some] - least[some]
    table = pd.DataFrame(
        {
            "plan": [plan.name for plan in named],
            **{label: np.quantile(bill, share, axis=1) for label, share in QUANTILES.items()},
            "serves": good.mean(axis=1),
            "wins": wins.mean(axis=1),
            "regret_usd_per_day": regret.mean(axis=1) if some.any() else np.zeros(len(named)),
        }
    )
    offered = table["regret_usd_per_day"].where(table["serves"] >= SERVING_SHARE)
    table["least_regret"] = offered.eq(offered.min())
    return table


def tornado(design: Design | Plan, figure: str = "cost_usd_per_day") -> pd.DataFrame:
    """How far each constant alone moves one figure: a row a constant, the widest swing first.

    Columns: constant ("subject.field"), unit, low and high (its range), at_low and at_high (the
    figure there), mid (the figure now), swing (their largest less their smallest). Figures of a
    plan's paths are added, which is meant for bills. Constants that move nothing are left out.

    Raises KeyError for an unknown figure.
    """
    paths = design.paths if isinstance(design, Plan) else (design,)
    now = sum(_figure(path, figure) for path in paths)
    ranges = _ranges()
    rows = []
    for key in sorted({key for path in paths for key in _keys(path)}):
        low, _, high, unit = ranges[key]
        ends = np.zeros(2)
        for path in paths:
            draws = {key: np.array([low, high])} if key in _keys(path) else {}
            ends += _sampled(path, draws, 2)[figure]
        swing = max(*ends, now) - min(*ends, now)
        if swing > 1e-9 * max(1.0, abs(now)):
            rows.append(
                {
                    "constant": ".".join(key),
                    "unit": unit,
                    **{"low": low, "high": high, "at_low": ends[0], "at_high": ends[1]},
                    **{"mid": now, "swing": swing},
                }
            )
    columns = ["constant", "unit", "low", "high", "at_low", "at_high", "mid", "swing"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("swing", ascending=False, ignore_index=True, kind="stable")


def _figure(design: Design, figure: str) -> float:
    figures = evaluate(design).figures
    if figure not in figures:
        raise KeyError(f"no figure {figure!r}; there are {', '.join(sorted(figures))}")
    return float(figures[figure])


def _keys(design: Design) -> set[Key]:
    """The constants that this design still holds at the catalogue's mid, and that can move."""
    return {key for _, key in _uncertain_fields(design)}


def _uncertain_fields(design: Design) -> Iterator[tuple[str, Key]]:
    """Fields of the design (columns of the model) with the constant each comes from."""
    now = {name: column[0] for name, column in columns_of([design]).items()}
    now["peak_factor"] = design.workload.peak_factor
    for owner, builds, known in (
        (design.engine.name, catalogue.engine, catalogue.ENGINES),
        (design.workload.name, catalogue.workload, catalogue.WORKLOADS),
    ):
        if owner not in known:
            continue
        built: Any = builds(owner)
        for field, key in catalogue.sources(owner).items():
            if field == "events_per_day":
                continue  # a volume is what one asks about, not what one is unsure of
            if field == "price_factor":
                same = built.node_usd_per_hour == design.engine.node_usd_per_hour
            elif field in now:
                stated = getattr(built, field, None)
                stated = getattr(built.state, field, None) if stated is None else stated
                same = stated is not None and math.isclose(now[field], stated, rel_tol=1e-12)
            else:
                same = False
            if same:
                yield field, key


def _ranges() -> dict[Key, tuple[float, float, float, str]]:
    """Low, mid, high and unit of every constant."""
    table = data.constants()
    rows = (table[name].tolist() for name in ("subject", "field", "low", "mid", "high", "unit"))
    return {(subject, field): tuple(rest) for subject, field, *rest in zip(*rows, strict=True)}


def _draws(keys: set[Key], samples: int, seed: int) -> dict[Key, np.ndarray]:
    """Triangular draws of each constant; a constant's stream depends on its name and the seed."""
    count = int(check("samples", samples, _SAMPLES))
    check("seed", seed, _SEED)
    ranges = _ranges()
    drawn = {}
    for key in keys:
        low, mid, high, _ = ranges[key]
        if low == high:
            continue
        name = hashlib.blake2b(f"{seed}/{key}".encode(), digest_size=8).digest()
        rng = np.random.default_rng(int.from_bytes(name, "big"))
        drawn[key] = rng.triangular(low, mid, high, count)
        quantity = QUANTITIES.get(key[1])
        if quantity is not None and quantity.whole:
            drawn[key] = np.rint(drawn[key])
    return drawn


def _sampled(
    design: Design, draws: Mapping[Key, np.ndarray], samples: int
) -> dict[str, np.ndarray]:
    """All figures of one design, one row a draw."""
    base = {name: np.repeat(column, samples) for name, column in columns_of([design]).items()}
    curves = np.array([design.workload.curve])
    price = base["node_usd_per_hour"]
    for field, key in _uncertain_fields(design):
        if key not in draws:
            continue
        if field == "peak_factor":
            curves = _curves(draws[key])
        elif field == "price_factor" or field == "node_usd_per_hour":
            price = price * draws[key] / catalogue.constant(*key)
        else:
            base[field] = draws[key]
    columns = derived({**base, "node_usd_per_hour": price})
    parts = []
    for start in range(0, samples, CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        chunk = {name: column[rows] for name, column in columns.items()}
        parts.append(figures_of(chunk, curves if len(curves) == 1 else curves[rows], 1))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _curves(peaks: np.ndarray) -> np.ndarray:
    """Day curves of many peaks, between curves made at 33 of them (they move smoothly)."""
    knots = np.linspace(peaks.min(), peaks.max(), 33)
    made = np.array([day_curve(peak) for peak in knots])
    return np.column_stack([np.interp(peaks, knots, made[:, hour]) for hour in range(24)])


def _served(design: Design, figures: Mapping[str, np.ndarray]) -> np.ndarray:
    return serves(figures, design.consumers, design.run_window_hours)
