"""One path from source to consumers, and a plan of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tradeoff.model.engine import Billing, Engine
from tradeoff.model.quantities import HOUR_SECONDS, check_fields
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.tiers import Consumer
from tradeoff.model.workload import Workload


@dataclass(frozen=True)
class Design:
    """How one path is built: workload, engine, nodes, rhythm, cadence, incremental or not.

    Attributes
    ----------
    incremental : each run reads only what arrived since the one before; False reads
        `workload.full_read_days` of events every time.
    start_hour : o'clock of the first run of a day, for intervals above an hour.
    run_window_hours : the longest a run may take because others need the machine; None: no limit
        but the next trigger.
    budget_usd_per_day : what it may cost; None: no limit.
    """

    workload: Workload
    engine: Engine
    rhythm: Rhythm
    cadence: Cadence
    nodes: int = 1
    incremental: bool = True
    consumers: tuple[Consumer, ...] = ()
    start_hour: int = 0
    run_window_hours: float | None = None
    budget_usd_per_day: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        for name, kind in (("workload", Workload), ("engine", Engine), ("cadence", Cadence)):
            if not isinstance(getattr(self, name), kind):
                hint = " (tradeoff.engine(name) looks one up)" if name == "engine" else ""
                raise TypeError(
                    f"{name} must be of class {kind.__name__}{hint}, got {getattr(self, name)!r}"
                )
        try:
            object.__setattr__(self, "rhythm", Rhythm(self.rhythm))
        except ValueError:
            raise ValueError(
                f"rhythm must be one of {[r.value for r in Rhythm]}, got {self.rhythm!r}"
            ) from None
        if self.rhythm not in self.engine.rhythms:
            raise ValueError(
                f"engine {self.engine.name!r} runs {[r.value for r in self.engine.rhythms]}, "
                f"got rhythm {self.rhythm.value!r}"
            )
        if (self.rhythm is Rhythm.STREAMING) != (self.cadence.kind == "per event"):
            raise ValueError(
                "streaming goes with Cadence.per_event() and nothing else does, got "
                f"{self.rhythm.value!r} with {self.cadence.kind!r}"
            )
        if self.rhythm is Rhythm.STREAMING and self.engine.billing is not Billing.ALWAYS_ON:
            raise ValueError(
                f"streaming needs an engine that is always on, got {self.engine.billing.value!r}"
            )
        if not isinstance(self.incremental, bool):
            raise TypeError(f"incremental must be True or False, got {self.incremental!r}")
        if self.rhythm is Rhythm.STREAMING and not self.incremental:
            raise ValueError("a stream reads each event once: incremental must be True")
        check_fields(self, "nodes", "start_hour", "run_window_hours", "budget_usd_per_day")
        object.__setattr__(self, "consumers", tuple(self.consumers))
        if not all(isinstance(consumer, Consumer) for consumer in self.consumers):
            raise TypeError(f"consumers must be Consumer objects, got {self.consumers!r}")
        if not self.name:
            object.__setattr__(self, "name", f"{self.rhythm.value}, {self.cadence}")

    def but(self, **changes: Any) -> Design:
        """This design with some fields changed; `events_per_day` reaches into the workload.

        The name follows the change unless it was chosen by hand.
        """
        if "events_per_day" in changes:
            changes["workload"] = self.workload.at(changes.pop("events_per_day"))
        if self.name == f"{self.rhythm.value}, {self.cadence}":
            changes.setdefault("name", "")
        return replace(self, **changes)

    def facts(self) -> dict[str, Any]:
        """This path as plain data: what `Design.from_facts` reads back.

        `interval_seconds` is None for a stream and for as soon as possible.
        """
        return {
            "engine": self.engine.name,
            "rhythm": self.rhythm.value,
            "interval_seconds": self.cadence.interval_seconds or None,
            "nodes": int(self.nodes),
            "incremental": self.incremental,
            "start_hour": int(self.start_hour),
            "consumers": [consumer.name for consumer in self.consumers],
        }

    @classmethod
    def from_facts(
        cls,
        facts: Mapping[str, Any],
        workload: Workload,
        consumers: Iterable[Consumer],
        engines: Iterable[Engine],
    ) -> Design:
        """A path from plain data, for the named consumers and the share of events they need.

        Raises ValueError or TypeError with a sentence for a missing or unknown field, a consumer
        or an engine that is not on offer, and for what a Design refuses.
        """
        required = {"engine", "rhythm", "interval_seconds", "nodes", "consumers"}
        optional = {"incremental", "start_hour"}
        if not required <= facts.keys() <= required | optional:
            raise ValueError(
                f"a path has the keys {', '.join(sorted(required))} and may have "
                f"{', '.join(sorted(optional))}, got {', '.join(sorted(facts))}"
            )
        offered = {engine.name: engine for engine in engines}
        known = {consumer.name: consumer for consumer in consumers}
        if facts["engine"] not in offered:
            raise ValueError(f"engine must be one of {', '.join(offered)}, got {facts['engine']!r}")
        named = facts["consumers"]
        if not isinstance(named, list | tuple) or not named or not set(named) <= set(known):
            raise ValueError(f"consumers must be names out of {', '.join(known)}, got {named!r}")
        served = tuple(known[name] for name in named)
        interval = facts["interval_seconds"]
        if interval is not None:
            cadence = Cadence.every(interval)
        elif facts["rhythm"] == Rhythm.STREAMING:
            cadence = Cadence.per_event()
        else:
            cadence = Cadence.as_soon_as_possible()
        return cls(
            workload.narrowed(max(consumer.share for consumer in served)),
            offered[facts["engine"]],
            facts["rhythm"],
            cadence,
            nodes=facts["nodes"],
            incremental=facts.get("incremental", True),
            consumers=served,
            start_hour=facts.get("start_hour", 0),
        )

    @property
    def coarse(self) -> bool:
        """True when a run covers several hours of the day's curve."""
        return self.cadence.interval_seconds > HOUR_SECONDS


@dataclass(frozen=True)
class Plan:
    """A named set of paths that together serve the consumers."""

    name: str
    paths: Sequence[Design]

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(self.paths))
        if not self.paths or not all(isinstance(path, Design) for path in self.paths):
            raise TypeError(f"a plan needs at least one Design, got {self.paths!r}")
