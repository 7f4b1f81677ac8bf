"""The misconceptions behind wrong answers to lesson 2's exercise, as functions that have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from tradeoff.checks.assignment import Misconception
from tradeoff.scenarios.micro_batches import (
    ALWAYS_ON,
    DAY,
    EFFECTS,
    HOUR,
    HOURLY,
    MICRO_BATCH,
    STREAMING,
    WISHES,
)

Ages = dict[str, float] | None


def _loop(
    interval: float | None, overhead: float, each: float, rate: float
) -> tuple[float, float] | None:
    """Period and run; None when it falls behind."""
    share = each * rate
    if share >= 1:
        return None
    period = max(interval or 0.0, overhead / (1 - share))
    return period, overhead + share * period


def _ages(p50: float, worst: float) -> Ages:
    return {"p50_seconds": p50, "worst_seconds": worst}


def _wait_only(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    found = _loop(interval_seconds, overhead_seconds, seconds_per_event, events_per_second)
    return None if found is None else _ages(found[0] / 2, found[0])


def _average(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    found = _loop(interval_seconds, overhead_seconds, seconds_per_event, events_per_second)
    return None if found is None else _ages(*[found[0] / 2 + found[1]] * 2)


def _half_the_worst(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    found = _loop(interval_seconds, overhead_seconds, seconds_per_event, events_per_second)
    return None if found is None else _ages(sum(found) / 2, sum(found))


def _kept_whatever(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    share, period = seconds_per_event * events_per_second, interval_seconds or 0.0
    run = overhead_seconds + share * period
    return None if share >= 1 else _ages(period / 2 + run, period + run)


def _without_overhead(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    found = _loop(interval_seconds, overhead_seconds, seconds_per_event, events_per_second)
    if found is None:
        return None
    run = seconds_per_event * events_per_second * found[0]
    return _ages(found[0] / 2 + run, found[0] + run)


def _overrun_for_behind(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
) -> Ages:
    found = _loop(interval_seconds, overhead_seconds, seconds_per_event, events_per_second)
    if found is None or (interval_seconds is not None and found[0] > interval_seconds):
        return None
    return _ages(found[0] / 2 + found[1], sum(found))


LATENCIES = (
    Misconception(
        "trigger for latency",
        "takes the trigger for the latency, and forgets that the batch has to run",
        _wait_only,
    ),
    Misconception("average for worst", "takes the average event for the worst", _average),
    Misconception(
        "half the worst",
        "halves the worst for the median, though every event waits for its whole batch",
        _half_the_worst,
    ),
    Misconception(
        "an interval is always kept",
        "believes that an interval is kept, even when its batches outlast it",
        _kept_whatever,
    ),
    Misconception(
        "overhead forgotten", "counts the events and forgets a batch's overhead", _without_overhead
    ),
    Misconception(
        "overrun for falling behind",
        "takes batches that outlast their interval for a loop that never catches up",
        _overrun_for_behind,
    ),
)


def _bill(
    given: dict[str, Any],
    *,
    billing: str | None = None,
    overhead: float = 1.0,
    events: float = 1.0,
    batches: float | None = None,
    capped: bool = True,
) -> float:
    """A day's bill with one mistake in it, by keyword; `overhead`, `events` are factors."""
    fixed, share = (
        given["overhead_seconds"],
        given["seconds_per_event"] * given["events_per_second"],
    )
    seconds = DAY
    if (billing or given["billing"]) != ALWAYS_ON:
        period = given["interval_seconds"] or fixed / (1 - share)
        often = DAY / period if batches is None else batches
        seconds = often * (overhead * fixed + events * share * period)
        seconds = min(DAY, seconds) if capped else seconds
    return float(seconds / HOUR * given["nodes"] * given["usd_per_node_hour"])


COST_PER_DAY = (
    Misconception(
        "busy seconds everywhere",
        "bills busy seconds only, though an always-on cluster is paid while it waits",
        lambda **given: _bill(given, billing="busy seconds"),
    ),
    Misconception(
        "always on everywhere",
        "bills the whole day, though a pool is paid by the busy second",
        lambda **given: _bill(given, billing=ALWAYS_ON),
    ),
    Misconception(
        "overhead forgotten",
        "bills the events and forgets the overhead of each batch",
        lambda **given: _bill(given, overhead=0.0),
    ),
    Misconception(
        "events forgotten",
        "bills the overhead of each batch and forgets the events",
        lambda **given: _bill(given, events=0.0),
    ),
    Misconception(
        "one batch for a day",
        "takes one batch's bill for the day's",
        lambda **given: _bill(given, batches=1.0),
    ),
    Misconception(
        "a day of more than 24 hours",
        "bills batches that outlast their interval for more hours than the day has",
        lambda **given: _bill(given, capped=False),
    ),
)


def _worst(interval: float, given: dict[str, Any], rate: float) -> float | None:
    found = _loop(interval, given["overhead_seconds"], given["seconds_per_event"], rate)
    return None if found is None else sum(found)


def _busiest(given: dict[str, Any]) -> float:
    return float(max(given["events_per_hour"]) / HOUR)


def _serving(given: dict[str, Any], rate: float) -> list[float]:
    worst = {interval: _worst(interval, given, rate) for interval in given["intervals"]}
    limit = given["tolerance_seconds"]
    return [interval for interval, age in worst.items() if age is not None and age <= limit]


def _largest(intervals: Iterable[float]) -> float | None:
    return max(intervals, default=None)


def _mean_rate(**given: Any) -> float | None:
    return _largest(_serving(given, sum(given["events_per_hour"]) / DAY))


def _up_to_tolerance(**given: Any) -> float | None:
    return _largest(each for each in given["intervals"] if each <= given["tolerance_seconds"])


def _half_wait(**given: Any) -> float | None:
    rate, good = _busiest(given), []
    for interval in given["intervals"]:
        found = _loop(interval, given["overhead_seconds"], given["seconds_per_event"], rate)
        if found is not None and found[0] / 2 + found[1] <= given["tolerance_seconds"]:
            good.append(interval)
    return _largest(good)


def _freshest(**given: Any) -> float | None:
    return min(_serving(given, _busiest(given)), default=None)


def _always_some(**given: Any) -> float:
    return max(_serving(given, _busiest(given)), default=min(given["intervals"]))


def _kept(**given: Any) -> float | None:
    share = _busiest(given) * given["seconds_per_event"]
    fixed, limit = given["overhead_seconds"], given["tolerance_seconds"]
    if share >= 1:
        return None
    return _largest(each for each in given["intervals"] if each * (1 + share) + fixed <= limit)


CHOOSE_TRIGGER = (
    Misconception(
        "as long as the tolerance",
        "sets the trigger to what the consumer tolerates, and forgets the run that follows",
        _up_to_tolerance,
    ),
    Misconception("mean for peak", "plans for the mean hour, not for the busiest", _mean_rate),
    Misconception("average for worst", "takes the average event for the worst", _half_wait),
    Misconception(
        "as fresh as possible",
        "takes the smallest interval to be on the safe side, and pays for it",
        _freshest,
    ),
    Misconception("some trigger must do", "picks a trigger even where none serves", _always_some),
    Misconception(
        "an interval is always kept",
        "believes that an interval is kept, even when its batches outlast it",
        _kept,
    ),
)


def _rhythm(
    facts: dict[str, Any],
    *,
    snapshots: bool = True,
    batches: float = 2.0,
    hour: float | None = None,
) -> str:
    """A rhythm with one mistake in it, by keyword; `batches` without a pause are the floor."""
    fixed = facts["overhead_seconds"]
    if snapshots:
        fixed += facts["state_bytes"] / facts["snapshot_bytes_per_second"]
    share, need = (
        facts["events_per_second"] * facts["seconds_per_event"],
        facts["freshness_seconds"],
    )
    if (HOUR * (1 + share) + fixed if hour is None else hour) <= need:
        return HOURLY
    return MICRO_BATCH if batches * fixed / (1 - share) <= need else STREAMING


def _by_volume(situation: dict[str, Any]) -> str:
    rate = situation["events_per_second"]
    return HOURLY if rate < 30 else MICRO_BATCH if rate < 2_000 else STREAMING


def _by_side_effects(situation: dict[str, Any]) -> str:
    return STREAMING if situation["side_effects"] == EFFECTS[1] else _rhythm(situation)


def _by_skill(situation: dict[str, Any]) -> str:
    return {"Flink": STREAMING, "Spark": MICRO_BATCH, "SQL": HOURLY}[situation["team_knows"]]


def _by_tier(situation: dict[str, Any]) -> str:
    need = situation["freshness_seconds"]
    return STREAMING if need <= 10 else MICRO_BATCH if need < HOUR else HOURLY


RIGHT_RHYTHM = (
    Misconception(
        "wish for need",
        "listens to the wish in words, not to the age the consumer can live with",
        lambda situation: WISHES[situation["asks_for"]],
    ),
    Misconception("volume for rhythm", "lets the volume choose, and not the need", _by_volume),
    Misconception(
        "a stream for side effects",
        "streams wherever there are side effects, though a stream replays them too",
        _by_side_effects,
    ),
    Misconception("skill for need", "chooses what the team knows", _by_skill),
    Misconception(
        "tier for rhythm",
        "reads the rhythm off the need alone, whatever a batch takes here",
        _by_tier,
    ),
    Misconception(
        "state forgotten",
        "forgets that each batch writes its state, which may take longer than all the rest",
        lambda situation: _rhythm(situation, snapshots=False),
    ),
    Misconception(
        "one batch is the floor",
        "counts one batch, though an event waits for the one before it too",
        lambda situation: _rhythm(situation, batches=1.0),
    ),
    Misconception(
        "an hour is hourly",
        "takes the hour's wait for the age, and forgets the run that follows",
        lambda situation: _rhythm(situation, hour=HOUR),
    ),
)

Orders = dict[str, list[int]]


def _counts(log: pd.DataFrame) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """How often each order was read, counted and mailed."""
    read: Counter[int] = Counter()
    counted: Counter[int] = Counter()
    mailed: Counter[int] = Counter()
    for row in log.to_dict("records"):
        held = range(row["first_order"], row["last_order"] + 1)
        read.update(held)
        mailed.update(held[: row["mailed"]])
        if row["result_written"]:
            counted.update(held)
    return read, counted, mailed


def _more_than_once(counts: Counter[int]) -> list[int]:
    return sorted(order for order, number in counts.items() if number > 1)


def _orders(
    log: pd.DataFrame,
    mail_sink: str,
    *,
    doubled: str | None = None,
    mails: str | None = None,
    keyed: bool = True,
    lost: str | None = None,
) -> Orders:
    """What became of the orders, with one mistake in it, by keyword: another count's orders."""
    read, counted, mailed = _counts(log)
    counts = {"read": read, "counted": counted, "mailed": mailed}
    gone = sorted(set(read) - set(counted))
    if lost == "died":
        died = log[~(log["result_written"] & log["offset_saved"])]
        gone = sorted(_counts(died)[0])
    again = [] if keyed and mail_sink == "keyed" else _more_than_once(counts[mails or "mailed"])
    return {
        "lost": gone,
        "counted_twice": _more_than_once(counts[doubled or "counted"]),
        "mailed_twice": again,
    }


REPLAYED = (
    Misconception(
        "a checkpoint cures all",
        "believes that a checkpoint makes everything happen once, whatever it covers",
        lambda log, mail_sink: {"lost": [], "counted_twice": [], "mailed_twice": []},
    ),
    Misconception(
        "a killed batch is lost",
        "takes the orders of a batch that died for lost, though it runs again from its offset",
        lambda log, mail_sink: _orders(log, mail_sink, lost="died"),
    ),
    Misconception(
        "all of it was mailed",
        "takes every order that was read twice for mailed twice, however far the mails came",
        lambda log, mail_sink: _orders(log, mail_sink, mails="read"),
    ),
    Misconception(
        "read twice for counted twice",
        "takes every order that was read twice for counted twice, whether or not it was written",
        lambda log, mail_sink: _orders(log, mail_sink, doubled="read"),
    ),
    Misconception(
        "keys forgotten",
        "forgets that a keyed sink drops the order it has seen",
        lambda log, mail_sink: _orders(log, mail_sink, keyed=False),
    ),
    Misconception(
        "mails follow the result",
        "takes the orders counted twice for those mailed twice, as if one commit held both",
        lambda log, mail_sink: _orders(log, mail_sink, mails="counted"),
    ),
)
