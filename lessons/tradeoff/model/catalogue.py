"""Engines and workloads of the course, built from `data/constants.csv` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tradeoff import data
from tradeoff.model.engine import Billing, Engine
from tradeoff.model.rhythm import Rhythm
from tradeoff.model.workload import FLAT, State, Workload, day_curve

Constants = Mapping[tuple[str, str], float]

# Which rows of the table make up an engine or a workload: later subjects override earlier ones.
_ENGINES: Mapping[str, tuple[tuple[str, ...], tuple[Rhythm, ...], Billing]] = {
    "spark_ephemeral": (
        ("node", "state", "spark", "spark_ephemeral"),
        (Rhythm.BATCH,),
        Billing.EPHEMERAL,
    ),
    "spark_warm": (
        ("node", "state", "spark", "spark_warm"),
        (Rhythm.BATCH, Rhythm.MICRO_BATCH),
        Billing.WARM,
    ),
    "spark_streaming": (
        ("node", "state", "spark", "spark_streaming"),
        (Rhythm.MICRO_BATCH,),
        Billing.ALWAYS_ON,
    ),
    "flink": (("node", "state", "flink"), (Rhythm.STREAMING,), Billing.ALWAYS_ON),
    "low_latency": (("node", "state", "low_latency"), (Rhythm.STREAMING,), Billing.ALWAYS_ON),
}
ENGINES = tuple(_ENGINES)
_WORKLOADS: Mapping[str, tuple[str, ...]] = {
    "routes": ("day", "routes"),
    "orders": ("day", "orders"),
    "nightly_100gb": ("analytics", "nightly_100gb"),
    "hourly_4gb": ("analytics", "hourly_4gb"),
    "billion": ("day", "analytics", "billion"),
    "clicks": ("day", "analytics", "clicks"),
    "low_volume": ("day", "analytics", "low_volume"),
    "relay": ("day", "relay"),
}
WORKLOADS = tuple(_WORKLOADS)
_STATE_FIELDS = ("keys", "values_per_key", "bytes_per_value", "window_seconds", "watermark_seconds")


@cache
def _mids() -> Constants:
    table = data.constants()
    keys = zip(table["subject"], table["field"], strict=True)
    return dict(zip(keys, table["mid"].tolist(), strict=True))


def constants() -> Constants:
    """The mid value of every constant, by (subject, field): a copy to change and pass on."""
    return dict(_mids())


def constant(subject: str, field: str, constants: Constants | None = None) -> float:
    """The mid value of one constant. Raises KeyError naming what the table has."""
    values = _mids() if constants is None else constants
    try:
        return values[subject, field]
    except KeyError:
        known = sorted(name for owner, name in values if owner == subject)
        raise KeyError(
            f"no constant {field!r} of {subject!r}; it has {known or 'nothing'}"
        ) from None


def engine(name: str, constants: Constants | None = None) -> Engine:
    """One of `ENGINES` by name; `constants` replaces the table's mid values.

    Raises KeyError for an unknown name, naming the known ones.
    """
    if name not in _ENGINES:
        raise KeyError(f"unknown engine {name!r}; known are {', '.join(ENGINES)}")
    values = _mids() if constants is None else constants
    subjects, rhythms, billing = _ENGINES[name]
    fields = _fields(subjects, values)
    fields["node_usd_per_hour"] *= fields.pop("price_factor", 1.0)
    return Engine(name=name, rhythms=rhythms, billing=billing, **fields)


def workload(name: str, constants: Constants | None = None) -> Workload:
    """One of `WORKLOADS` by name, at the table's mid volume; `.at(...)` moves it.

    Raises KeyError for an unknown name, naming the known ones.
    """
    fields = _fields(_subjects(name), _mids() if constants is None else constants)
    fields.pop("nodes", None)
    peak = fields.pop("peak_factor", None)
    kept = {field: fields.pop(field) for field in _STATE_FIELDS if field in fields}
    return Workload(
        name=name,
        curve=FLAT if peak is None else day_curve(peak),
        state=State(**kept) if kept else None,
        **fields,
    )


def cluster(name: str, constants: Constants | None = None) -> int:
    """Nodes of a named workload's cluster in the text.

    Raises KeyError for an unknown name, and for one that has no cluster.
    """
    fields = _fields(_subjects(name), _mids() if constants is None else constants)
    return int(fields["nodes"])


def sources(name: str) -> dict[str, tuple[str, str]]:
    """For an engine or a workload by name: the constant that each of its fields comes from.

    Raises KeyError for an unknown name.
    """
    subjects = _ENGINES[name][0] if name in _ENGINES else _subjects(name)
    return {field: (owner, field) for owner in subjects for at, field in _mids() if at == owner}


def _subjects(workload_name: str) -> tuple[str, ...]:
    if workload_name not in _WORKLOADS:
        raise KeyError(f"unknown workload {workload_name!r}; known are {', '.join(WORKLOADS)}")
    return _WORKLOADS[workload_name]


def _fields(subjects: tuple[str, ...], constants: Constants) -> dict[str, Any]:
    return {
        field: value
        for subject in subjects
        for (owner, field), value in constants.items()
        if owner == subject
    }
