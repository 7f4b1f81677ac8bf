"""What runs a pipeline: its constants, and how its nodes are paid for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tradeoff.model.quantities import check_fields
from tradeoff.model.rhythm import Rhythm

# Every field of an engine that is a number; sweeps and columns read the same list.
NUMBERS = (
    "events_per_second_per_slot",
    "slots_per_node",
    "node_usd_per_hour",
    "start_up_seconds",
    "overhead_seconds",
    "latency_floor_seconds",
    "minimum_billed_seconds",
    "minimum_nodes",
    "standby_nodes",
    "stateful_slowdown",
    "state_index_overhead",
    "state_copies",
    "state_bytes_per_node",
    "state_usd_per_gb_month",
    "operations_usd_per_day",
)


class Billing(StrEnum):
    """When a node costs money."""

    EPHEMERAL = "ephemeral"  # a cluster is started for each run and paid from start to end
    WARM = "warm"  # a pool stands ready; only busy seconds are paid
    ALWAYS_ON = "always on"  # paid around the clock


@dataclass(frozen=True)
class Engine:
    """Constants of one engine; the catalogue holds them with range and source.

    Attributes
    ----------
    rhythms : the modes it can run.
    start_up_seconds : before each run: 0 where the cluster is already up.
    overhead_seconds : planning, listing, committing: once a batch.
    latency_floor_seconds : per event: poll, network buffer, sink flush (streaming only).
    events_per_second_per_slot : relaying events of work 1, stateless, on one slot (core).
    stateful_slowdown : how much slower an event is when it reads and updates kept state;
        applies where state outlives a run (micro-batch, streaming).
    state_index_overhead : keys, index and metadata as a ratio of the values' bytes.
    state_copies : the local copy plus snapshots and replicas of it.
    state_bytes_per_node : local state that one node holds; a cluster whose nodes hold less than
        the state needs more of them.
    standby_nodes : nodes kept free, when there is state, to take over that of a lost one.
    operations_usd_per_day : people's time to run one pipeline, by rhythm.
    """

    name: str
    rhythms: tuple[Rhythm, ...]
    billing: Billing
    events_per_second_per_slot: float
    slots_per_node: float = 16.0
    node_usd_per_hour: float = 12.0
    start_up_seconds: float = 0.0
    overhead_seconds: float = 0.0
    latency_floor_seconds: float = 0.0
    minimum_billed_seconds: float = 0.0
    minimum_nodes: int = 1
    standby_nodes: int = 0
    stateful_slowdown: float = 1.0
    state_index_overhead: float = 1.0
    state_copies: float = 3.0
    state_bytes_per_node: float = 64e9
    state_usd_per_gb_month: float = 0.1
    operations_usd_per_day: float = 0.0

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "rhythms", tuple(Rhythm(rhythm) for rhythm in self.rhythms))
            object.__setattr__(self, "billing", Billing(self.billing))
        except ValueError as error:
            raise ValueError(
                f"{error}: rhythms are {[r.value for r in Rhythm]}, "
                f"billings {[b.value for b in Billing]}"
            ) from None
        if not self.rhythms:
            raise ValueError("rhythms must name at least one mode")
        check_fields(self, *NUMBERS)
