"""The misconceptions behind wrong answers to lesson 3's assignment, as functions that have them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tradeoff.checks.assignment import Misconception
from tradeoff.model.cost import DAYS_PER_MONTH
from tradeoff.scenarios import bills, offsets

Facts = dict[str, Any]
Bill = dict[str, float]


def _hours(design: Facts, prices: Facts, minutes: float) -> Bill:
    """The right bill, but for the minutes of a day that compute is paid."""
    compute = design["nodes"] * minutes / 60 * prices["node_usd_per_hour"]
    return bills.parts(design, prices) | {"compute": compute}


def _busy_for_bought(design: Facts, prices: Facts) -> Bill:
    if design["billing"] != "always on":
        return bills.parts(design, prices)
    return _hours(design, prices, design["runs_per_day"] * design["run_minutes"])


def _no_start_up(design: Facts, prices: Facts) -> Bill:
    return bills.parts(design | {"start_up_minutes": 0.0}, prices)


def _start_up_for_all(design: Facts, prices: Facts) -> Bill:
    if design["billing"] != "warm":
        return bills.parts(design, prices)
    return bills.parts(design | {"billing": "ephemeral"}, prices)


def _clock_for_all(design: Facts, prices: Facts) -> Bill:
    return _hours(design, prices, 1440)


def _one_run(design: Facts, prices: Facts) -> Bill:
    return bills.parts(design | {"runs_per_day": min(design["runs_per_day"], 1)}, prices)


def _compute_only(design: Facts, prices: Facts) -> Bill:
    return bills.parts(design, prices) | {"state": 0.0, "operations": 0.0}


def _no_state(design: Facts, prices: Facts) -> Bill:
    return bills.parts(design, prices) | {"state": 0.0}


def _state_is_storage(design: Facts, prices: Facts) -> Bill:
    return bills.parts(design | {"state_nodes": 0}, prices)


def _month_for_day(design: Facts, prices: Facts) -> Bill:
    dear = prices["state_usd_per_gb_month"] * (DAYS_PER_MONTH - 1) / DAYS_PER_MONTH
    found = bills.parts(design, prices)
    return found | {"state": found["state"] + design["state_gb"] * dear}


def _people_alike(design: Facts, prices: Facts) -> Bill:
    found = bills.parts(design, prices)
    return found | {"operations": prices["batch_people_usd_per_day"]}


PRICE = (
    Misconception(
        "compute hours only",
        "compares compute alone, and leaves out state and people",
        _compute_only,
    ),
    Misconception(
        "busy for bought",
        "pays an always-on cluster only for the minutes in which it is busy",
        _busy_for_bought,
    ),
    Misconception("the clock for everyone", "pays every design around the clock", _clock_for_all),
    Misconception("start-up forgotten", "forgets that a started cluster is paid", _no_start_up),
    Misconception(
        "start-up for a warm pool",
        "starts a cluster for each run where a pool stands ready",
        _start_up_for_all,
    ),
    Misconception("one run for a day", "takes one run for a day of them", _one_run),
    Misconception("state forgotten", "forgets what state costs", _no_state),
    Misconception(
        "state is storage",
        "pays the gigabytes of state, and not the nodes that stand by for it",
        _state_is_storage,
    ),
    Misconception("a month for a day", "pays a month of storage each day", _month_for_day),
    Misconception("people alike", "gives every rhythm a batch's people", _people_alike),
)


def _three(
    pipeline: Facts,
    prices: Facts,
    *,
    fixed: bool = True,
    start_up: bool = True,
    compute_only: bool = False,
    own_nodes: bool = True,
    state: bool = True,
    people: bool = True,
    work_once: bool = True,
    paid_once: bool = False,
) -> Bill:
    """The three bills with one mistake in them, by keyword."""
    events, minutes = pipeline["trial_events"], pipeline["trial_minutes"]
    each = (minutes[1] - minutes[0]) / (events[1] - events[0])
    foot = minutes[0] - each * events[0]
    if not fixed:
        each, foot = minutes[1] / events[1], 0.0
    day = pipeline["events_per_day"]
    start = pipeline["start_up_minutes"] if start_up else 0.0
    found = {}
    for name, runs in (("nightly", 1), ("hourly", 24)):
        paid = runs * (foot + start) + each * day * (1 if work_once else runs)
        if paid_once:
            paid = foot + start + each * day
        found[name] = pipeline["nodes"] * paid / 60 * prices["node_usd_per_hour"]
    nodes = pipeline["stream_nodes" if own_nodes else "nodes"]
    kept = 24 * pipeline["state_nodes"] * prices["node_usd_per_hour"]
    kept += pipeline["state_gb"] * prices["state_usd_per_gb_month"] / DAYS_PER_MONTH
    found["streaming"] = 24 * nodes * prices["node_usd_per_hour"]
    found["streaming"] += kept if state and not compute_only else 0.0
    for name in found:
        factor = 2 if name == "streaming" and people else 1
        found[name] += 0.0 if compute_only else factor * prices["batch_people_usd_per_day"]
    return found


PRICE_THREE_WAYS = (
    Misconception(
        "the fixed part forgotten",
        "takes a run's time for proportional to its events, and forgets its fixed part",
        lambda pipeline, prices: _three(pipeline, prices, fixed=False),
    ),
    Misconception(
        "start-up forgotten",
        "forgets that a started cluster is paid",
        lambda pipeline, prices: _three(pipeline, prices, start_up=False),
    ),
    Misconception(
        "hourly is nightly",
        "thinks 24 small runs cost what one large run does",
        lambda pipeline, prices: _three(pipeline, prices, paid_once=True),
    ),
    Misconception(
        "hourly is 24 nightlies",
        "lets every hourly run read the whole day",
        lambda pipeline, prices: _three(pipeline, prices, work_once=False),
    ),
    Misconception(
        "compute hours only",
        "compares compute alone, and leaves out state and people",
        lambda pipeline, prices: _three(pipeline, prices, compute_only=True),
    ),
    Misconception(
        "state forgotten",
        "forgets what state costs",
        lambda pipeline, prices: _three(pipeline, prices, state=False),
    ),
    Misconception(
        "people alike",
        "gives every rhythm a batch's people",
        lambda pipeline, prices: _three(pipeline, prices, people=False),
    ),
    Misconception(
        "the batch's nodes",
        "gives the stream the batch's nodes",
        lambda pipeline, prices: _three(pipeline, prices, own_nodes=False),
    ),
)


def _even(
    slow: Facts,
    fast: Facts,
    threshold_seconds: float,
    times_a_year: int,
    *,
    whole_bill: bool = False,
    free: str = "each",
    yearly: bool = True,
    per: float = 60.0,
    fast_late: bool = True,
    never: float | None = None,
) -> float | None:
    """A break-even with one mistake in it, by keyword."""
    premium = fast["usd_per_day"] - (0.0 if whole_bill else slow["usd_per_day"])
    if premium <= 0:
        return 0.0
    late = (slow["latency_seconds"], fast["latency_seconds"] if fast_late else 0.0)
    if free == "each":
        saved = max(late[0] - threshold_seconds, 0) - max(late[1] - threshold_seconds, 0)
    elif free == "saving":
        saved = late[0] - late[1] - threshold_seconds
    else:
        saved = late[0] - late[1]
    if saved <= 0:
        return never
    return premium / (saved / per) * (365 / times_a_year if yearly else 1)


def _even_with(**mistake: Any) -> Any:
    def answers(**given: Any) -> float | None:
        return _even(**given, **mistake)

    return answers


BREAK_EVEN = (
    Misconception(
        "the bill for the premium",
        "holds the value against the whole bill, the batch's part of it included",
        _even_with(whole_bill=True),
    ),
    Misconception(
        "threshold forgotten",
        "counts every minute saved, those that cost nothing included",
        _even_with(free="none"),
    ),
    Misconception(
        "threshold off the saving",
        "takes the threshold off the minutes saved, not off each latency",
        _even_with(free="saving"),
    ),
    Misconception(
        "every day for some days",
        "lets lateness cost something every day",
        _even_with(yearly=False),
    ),
    Misconception("seconds for minutes", "takes seconds for minutes", _even_with(per=1.0)),
    Misconception(
        "a stream is never late",
        "takes the faster design's latency for zero",
        _even_with(fast_late=False),
    ),
    Misconception(
        "never for nothing",
        "says 0 dollars where no price of a minute would do",
        _even_with(never=0.0),
    ),
)


def _fastest(designs: pd.DataFrame, need: Facts) -> str | None:
    usable = bills.yearly(designs, need)
    late = designs.set_index("name")["latency_seconds"]
    return min(usable, key=lambda name: late[name], default=None)


def _as_asked(designs: pd.DataFrame, need: Facts) -> str:
    names = ("nightly", "hourly", "micro-batch", "streaming")
    return dict(zip(bills.WISHES, names, strict=True))[need["asks_for"]]


def _without(part: str) -> Any:
    return lambda designs, need: bills.best(designs, need, part)


DECIDE = (
    Misconception("as fresh as can be", "builds the freshest design, whatever it costs", _fastest),
    Misconception(
        "as cheap as can be",
        "builds the cheapest design that will do, whatever a minute costs",
        _without("lateness"),
    ),
    Misconception("wish for need", "builds what is asked for in words", _as_asked),
    Misconception(
        "nightly or streaming",
        "compares the two ends only, and skips the designs between",
        _without("between"),
    ),
    Misconception(
        "the bill for the premium",
        "holds the value against the whole bill, the batch's part of it included",
        _without("premium"),
    ),
    Misconception(
        "threshold forgotten",
        "charges every minute, those below the threshold included",
        _without("threshold"),
    ),
    Misconception(
        "every day for some days",
        "lets lateness cost something every day",
        _without("occasions"),
    ),
    Misconception(
        "more than there is to lose",
        "charges more than there is to lose",
        _without("most"),
    ),
    Misconception(
        "limit forgotten",
        "builds a design that is too late to be of use",
        _without("limit"),
    ),
)


def _recent(samples: pd.DataFrame, seconds: float = offsets.NOW) -> pd.DataFrame:
    return samples[samples["seconds"] >= samples["seconds"].iloc[-1] - seconds]


def _moved(seen: pd.DataFrame) -> tuple[int, int, int]:
    """Events that arrived, that were committed, and that wait at the end."""
    ends, commits = seen["end_offset"], seen["committed_offset"]
    return (
        int(ends.iloc[-1] - ends.iloc[0]),
        int(commits.iloc[-1] - commits.iloc[0]),
        int(ends.iloc[-1] - commits.iloc[-1]),
    )


def _state(seen: pd.DataFrame) -> str:
    arrived, committed, waiting = _moved(seen)
    if waiting and not committed:
        return "dead"
    return "slow" if arrived - committed > 0.1 * arrived else "healthy"


def _stuck_lag(samples: pd.DataFrame) -> str:
    arrived, committed, waiting = _moved(_recent(samples))
    if arrived - committed > 0.1 * arrived:
        return "slow"
    return "dead" if waiting and abs(arrived - committed) <= 0.1 * arrived else "healthy"


def _growing_is_dead(samples: pd.DataFrame) -> str:
    arrived, committed, _ = _moved(_recent(samples))
    return "dead" if arrived - committed > 0.1 * arrived else "healthy"


def _growing_is_slow(samples: pd.DataFrame) -> str:
    return "slow" if _growing_is_dead(samples) == "dead" else "healthy"


def _large_is_slow(samples: pd.DataFrame) -> str:
    _, committed, waiting = _moved(_recent(samples))
    if waiting and not committed:
        return "dead"
    return "slow" if waiting > 10_000 else "healthy"


def _quiet_is_dead(samples: pd.DataFrame) -> str:
    seen = _recent(samples)
    return _state(seen) if _moved(seen)[1] else "dead"


SLOW_OR_DEAD = (
    Misconception(
        "lag stands still",
        "takes a lag that stands still for a dead consumer; it is the committed offset that "
        "stands still",
        _stuck_lag,
    ),
    Misconception(
        "growing is dead", "takes every lag that grows for a dead consumer", _growing_is_dead
    ),
    Misconception(
        "growing is slow", "takes every lag that grows for a slow consumer", _growing_is_slow
    ),
    Misconception("large is slow", "takes a large lag for one that grows", _large_is_slow),
    Misconception(
        "quiet is dead", "calls a consumer dead that has nothing to read", _quiet_is_dead
    ),
    Misconception(
        "the past for today",
        "looks at all ten minutes, so that what has changed still counts",
        lambda samples: _state(samples),
    ),
    Misconception(
        "one sample for a trend",
        "judges by the last two samples, less than a commit apart",
        lambda samples: _state(samples.tail(2)),
    ),
)
