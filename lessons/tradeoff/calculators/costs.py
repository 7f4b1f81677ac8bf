"""Lesson 3's cost calculator: one workload at four rhythms, each bill in its three parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps, choice
from tradeoff.model import Evaluation, Workload, constant, day_curve, evaluate, words, workload
from tradeoff.scenarios import orders, premium
from tradeoff.scenarios.worth import DAYS_PER_YEAR, said_usd

WORKLOADS = {
    "joins and counts (analytics)": "clicks",
    "orders by category and region": "orders",
    "delivery routes": "routes",
    "relay: filter and forward": "relay",
}
UNITS = {
    "USD a day (total)": "day",
    "USD a year (total)": "year",
    "USD per million events": "million events",
}
NODE_PRICE = constant("node", "node_usd_per_hour")
PEOPLE_PRICE = constant("node", "operations_usd_per_day")
LIST_PRICE = 0.68
EVENTS_PER_DAY = tuple(
    number * 10**power for power in (6, 7, 8, 9) for number in (1, 2, 3, 5, 8)
) + (10**10,)
PEAK_FACTORS = (1, 1.5, 2, 2.2, 3, 4, 6, 8, 12)
SIZED = 0  # of nodes: as many as the peak asks for
NODES = (SIZED, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256)
USERS = (0, *(number * 10**power for power in (4, 5, 6, 7, 8) for number in (1, 3)))
START_UP_SECONDS = (2, 10, 30, 60, 120, 190, 300, 480, 600)
NODE_USD_PER_HOUR = (0.1, 0.2, 0.35, 0.5, LIST_PRICE, 1, 2, 3, 5, 8, 10, 12, 15, 20, 25)
OPERATIONS_USD_PER_DAY = (0, 1, 2, 4, 7, 10, 20, 50, 100, 200, 400, 800)
SOURCE = (
    f"Prices are inputs. They start at {words.usd(NODE_PRICE)} a node-hour, all-in, and "
    f"{words.usd(PEOPLE_PRICE)} a day of people's time, as the text's bills imply "
    "(data/constants.csv, November 2026). A bare 16-core machine on demand: about "
    f"{words.usd(LIST_PRICE)} (c5.4xlarge, the example in AWS's Auto Scaling "
    "guide, read November 2026)."
)


@dataclass(frozen=True)
class Settings:
    """What is priced. `nodes` 0 sizes each design for its peak; `users` 0 keeps no state.

    `operations_usd_per_day` is people's time for one batch pipeline; `start_up_seconds` what a
    cluster for one batch run takes; `per` the unit: "day", "year" or "million events".
    """

    workload: str = "clicks"
    events_per_day: float = 1e9
    peak_factor: float = 2.2
    nodes: int = SIZED
    users: float = 1e6
    start_up_seconds: float = 480
    node_usd_per_hour: float = NODE_PRICE
    operations_usd_per_day: float = PEOPLE_PRICE
    per: str = "day"

    def __post_init__(self) -> None:
        if self.workload not in WORKLOADS.values():
            raise ValueError(
                f"workload must be one of {list(WORKLOADS.values())}, got {self.workload!r}"
            )
        if self.per not in UNITS.values():
            raise ValueError(f"per must be one of {list(UNITS.values())}, got {self.per!r}")
        if not 0 <= self.users <= 1e15:
            raise ValueError(f"users must be a number of at least 0, got {self.users!r}")

    def work(self) -> Workload:
        """The workload priced, with the state that a fresh design keeps."""
        state = premium.counts_per_user(self.users) if self.users else None
        curve = day_curve(self.peak_factor)
        return workload(self.workload).at(self.events_per_day, curve=curve, state=state)


@dataclass(frozen=True)
class Outcome:
    """What the model says of a setting: the evaluation of each design, by its name."""

    settings: Settings
    found: dict[str, Evaluation]

    @property
    def factor(self) -> float:
        """From USD a day to the unit shown."""
        if self.settings.per == "year":
            return DAYS_PER_YEAR
        if self.settings.per == "million events":
            return 1e6 / self.settings.events_per_day
        return 1.0

    @property
    def premium_usd_per_day(self) -> float:
        """What the stream costs more than the nightly run."""
        return premium.premium(self.found[premium.STREAMING], self.found[premium.NIGHTLY])

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        parts, totals = [], []
        for name, one in self.found.items():
            plan = f"{name}: {_nodes(one)}, ≤ {words.duration(one.latency_worst_seconds)}"
            for part in charts.PARTS:
                usd = one.figures[f"{part}_usd_per_day"] * self.factor
                parts.append({"plan": plan, "part": part, "amount": _rounded(usd)})
            usd = one.cost_usd_per_day * self.factor
            says = f"{said_usd(usd)}, {said_ratio(self.ratio(name))}{_trouble(one)}"
            totals.append({"plan": plan, "amount": _rounded(usd), "says": says})
        [unit] = [said for said, per in UNITS.items() if per == self.settings.per]
        said = f"{unit}; behind each bar its ratio to the nightly run"
        return {"parts": parts, "totals": totals, "unit": [{"says": said}]}

    def ratio(self, name: str) -> float:
        """A design's bill over the nightly one's."""
        return self.found[name].cost_usd_per_day / self.found[premium.NIGHTLY].cost_usd_per_day

    @property
    def meaning(self) -> str:
        stream = self.found[premium.STREAMING]
        total = stream.cost_usd_per_day
        per = "a " + self.settings.per if self.settings.per != "million events" else "per million"
        shares = ", ".join(
            f"{part} {stream.figures[f'{part}_usd_per_day'] / total:.0%}" for part in charts.PARTS
        )
        others = "; ".join(
            f"{name} {said_ratio(self.ratio(name))}"
            for name in (premium.HOURLY, premium.MICRO_BATCH)
        )
        late = [name for name, one in self.found.items() if _trouble(one)]
        warning = f" <b>Does not keep up at its peak: {', '.join(late)}.</b>" if late else ""
        return (
            f'<div role="status"><b>{said_usd(total * self.factor)} {per}</b> for the stream, '
            f"<b>{said_ratio(self.ratio(premium.STREAMING))}</b> the nightly run "
            f"({said_usd(self.found[premium.NIGHTLY].cost_usd_per_day * self.factor)}); {others}. "
            f"Its bill: {shares}. The premium over nightly: "
            f"{said_usd(self.premium_usd_per_day * DAYS_PER_YEAR)} a year.{warning}"
            f"<br><small>{SOURCE}</small></div>"
        )

    @property
    def idle(self) -> tuple[str, ...]:
        return ()


def _nodes(found: Evaluation) -> str:
    """The nodes bought, and those that state asks for beside them: a standby first of all."""
    nodes, more = found.design.nodes, int(found.state_nodes)
    said = f"{nodes} node{'' if nodes == 1 else 's'}"
    if not more:
        return said
    return (
        f"{said} + {more} {'standby' if more == found.design.engine.standby_nodes else 'for state'}"
    )


def _trouble(found: Evaluation) -> str:
    if not found.keeps_up:
        return ", falls behind"
    return ", late at the peak" if found.utilisation_peak > 1 + 1e-9 else ""


def said_ratio(times: float) -> str:
    return f"{times:.1f} ×" if times < 10 else f"{times:,.0f} ×"


def _rounded(amount: float) -> float:
    return float(f"{amount:.5g}")


def solve(settings: Settings) -> Outcome:
    """Evaluate a setting. Raises ValueError, a sentence, where the model has no answer."""
    designs = premium.designs(
        settings.work(),
        nodes=settings.nodes or None,
        node_usd_per_hour=settings.node_usd_per_hour,
        operations_usd_per_day=settings.operations_usd_per_day,
        start_up_seconds=settings.start_up_seconds,
    )
    return Outcome(settings, {name: evaluate(design) for name, design in designs.items()})


PRESETS = {
    "The text's table": Settings(
        events_per_day=premium.TABLE_EVENTS_PER_DAY,
        nodes=4,
        start_up_seconds=premium.TABLE_START_UP_SECONDS,
    ),
    "A billion a day": Settings(),
    "A billion, no state": Settings(users=0),
    "Orders today, 18 M": Settings(workload="orders", events_per_day=orders.EVENTS_NOW),
    "List price, real people": Settings(node_usd_per_hour=LIST_PRICE, operations_usd_per_day=200),
}


def costs(**settings: Any) -> Calculator:
    """The cost calculator, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.costs",
        Settings(**settings),
        PRESETS,
        {
            "workload": choice("Work on each event", WORKLOADS),
            "events_per_day": Steps("Events a day", EVENTS_PER_DAY, words.count),
            "peak_factor": Steps("Peak over the mean", PEAK_FACTORS, "{:g} ×".format),
            "nodes": Steps("Nodes, each design", NODES, _say_nodes),
            "users": Steps("Users with state", USERS, _say_users),
            "start_up_seconds": Steps("Start-up, a run", START_UP_SECONDS, words.duration),
            "node_usd_per_hour": Steps("Node, an hour", NODE_USD_PER_HOUR, words.usd),
            "operations_usd_per_day": Steps("People, a day", OPERATIONS_USD_PER_DAY, words.usd),
            "per": choice("Show", UNITS),
        },
        solve,
        charts.bills_in_parts("parts", "totals", "unit"),
    )


def _say_nodes(nodes: int) -> str:
    return str(nodes) if nodes else "for the peak"


def _say_users(users: float) -> str:
    return words.count(users) if users else "none: no state"
