"""What runs would cost on a warehouse that suspends itself, such as Snowflake's; priced, not run.

    warehouse = Warehouse(suspend_after_seconds=60)
    warehouse.day(run_seconds=2400, every="24h")          # the nightly run
    warehouse.day(run_seconds=2.0, every="1h")            # the hour: 24 times a minute and more

Snowflake is a service: nothing of it runs in this lab. Its rule of billing is replayed here on
runs measured elsewhere or assumed: compute is paid by the second while the warehouse is up, at
least a minute from each resume (docs.snowflake.com, "Overview of warehouses"), and it stays up for
a while after the last query. The prices are the model's (`data/constants.csv`), not a list price.
The model prices a run's own seconds with the same minimum (`model.cost.bill_of_runs`); the time up
after a run is what the replay adds, and what makes frequent short runs dear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tradeoff.model import Billing, Cadence, Engine, Rhythm
from tradeoff.model.catalogue import constant
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, check


@dataclass(frozen=True)
class Bill:
    """A day of runs: resumes, seconds up, seconds billed (of one node), USD of all nodes.

    latest_seconds : the longest a run took from its trigger, waiting and start-up included.
    """

    runs: int
    resumes: int
    up_seconds: float
    billed_seconds: float
    compute_usd: float
    latest_seconds: float


@dataclass(frozen=True)
class Warehouse:
    """How a warehouse is set.

    Attributes
    ----------
    nodes : of its size. node_usd_per_hour : for each, while it is up.
    start_up_seconds : from a query that finds it suspended until it works; paid.
    suspend_after_seconds : idle time until it suspends itself.
    minimum_billed_seconds : billed from each resume, at least.
    """

    nodes: int = 1
    node_usd_per_hour: float = field(default_factory=lambda: constant("node", "node_usd_per_hour"))
    start_up_seconds: float = field(
        default_factory=lambda: constant("spark_warm", "start_up_seconds")
    )
    suspend_after_seconds: float = 60.0
    minimum_billed_seconds: float = field(
        default_factory=lambda: constant("spark_ephemeral", "minimum_billed_seconds")
    )

    def __post_init__(self) -> None:
        for name in ("nodes", "node_usd_per_hour", "start_up_seconds", "minimum_billed_seconds"):
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if not 0 <= self.suspend_after_seconds < float("inf"):
            raise ValueError(
                "suspend_after_seconds must be finite and at least 0, got "
                f"{self.suspend_after_seconds!r}"
            )

    def day(self, run_seconds: float | Sequence[float], every: Any) -> Bill:
        """A day of runs, one at each trigger, the first at its start.

        Parameters
        ----------
        run_seconds : what a run takes once the warehouse is up; a sequence holds one a run, as
            measured. every : between triggers: seconds, a Timedelta, or text such as "1h".

        A run that finds the one before still going waits for it. What is up at the day's end is
        paid until it suspends, unless the next day's first trigger comes first.

        Raises ValueError for a negative duration, for runs that do not fit into a day, for a number
        of them that is not the day's, or an interval that `Cadence.every` does not take.
        """
        interval = Cadence.every(every).interval_seconds
        count = int(DAY_SECONDS // interval)
        each = [run_seconds] * count if isinstance(run_seconds, int | float) else list(run_seconds)
        if len(each) != count or not count:
            raise ValueError(f"run_seconds must hold {count} runs, one every {interval:g} s of a "
                             f"day, got {len(each)}")  # fmt: skip
        if not min(each) >= 0:
            raise ValueError(f"run_seconds must be at least 0, got {min(each)!r}")
        periods: list[list[float]] = []  # [resumed, last busy] of each time it was up
        latest = 0.0
        for number, length in enumerate(each):
            trigger = number * interval
            if not periods or trigger > periods[-1][1] + self.suspend_after_seconds:
                periods.append([trigger, trigger + self.start_up_seconds])
            begins = max(trigger, periods[-1][1])
            periods[-1][1] = begins + length
            latest = max(latest, begins + length - trigger)
        if periods[-1][1] > DAY_SECONDS:
            raise ValueError(
                f"the day's runs end {periods[-1][1] - DAY_SECONDS:,.0f} s after it: they do not "
                "fit. Run less often, or on more nodes"
            )
        ups = [busy + self.suspend_after_seconds - resumed for resumed, busy in periods]
        ups[-1] = min(ups[-1], DAY_SECONDS - periods[-1][0])
        billed = sum(max(up, self.minimum_billed_seconds) for up in ups)
        usd = self.nodes * billed / HOUR_SECONDS * self.node_usd_per_hour
        return Bill(count, len(periods), sum(ups), billed, usd, latest)

    def engine(self) -> Engine:
        """The same as an engine of the model, which pays a pool's busy seconds and the minimum.

        It knows no time up after a run: set `suspend_after_seconds` to 0, or add it to the run's
        seconds, to compare. Its throughput is that of the catalogue's Spark.
        """
        return Engine(
            "warehouse",
            (Rhythm.BATCH,),
            Billing.WARM,
            events_per_second_per_slot=constant("spark", "events_per_second_per_slot"),
            slots_per_node=constant("node", "slots_per_node"),
            node_usd_per_hour=self.node_usd_per_hour,
            start_up_seconds=self.start_up_seconds,
            minimum_billed_seconds=self.minimum_billed_seconds,
        )
