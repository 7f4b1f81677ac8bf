"""The four questions to ask of a slow batch, and the dimension that fails, each with its figures.

A verdict is a word when the figures decide, `borderline` when a limit lies within what the figures
can resolve, and `can't tell` when the history lacks what the answer rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeoff.diagnosis import robust
from tradeoff.diagnosis.history import History
from tradeoff.diagnosis.robust import Estimate
from tradeoff.model import Consumer, words
from tradeoff.model.stages import STAGES

RECENT = 28  # runs that stand for "now", and as many at the start for "then"
DAY_HOURS = 24.0
CAN_T_TELL = "can't tell"
BORDERLINE = "borderline"
INCONSISTENT = "inconsistent"
DIMENSIONS = ("throughput", "latency", "cost", "state")

# A run that reads this many rows a row that arrived reads some of them again; below the first it
# does not (late rows and a look-back add a few), in between the figures do not decide.
REREADS_NOT, REREADS = 1.4, 2.0
SPIKE = 1.8  # a run this many times its neighbours' median is a one-off
UNACCOUNTED = 0.1  # share of a run's seconds that its stages may leave out or count twice
STATE_HORIZON_DAYS = 30.0
MOSTLY = 3  # rows that grew g times explain little of a time that grew more than g ** 3 times


@dataclass(frozen=True)
class Limits:
    """What the pipeline is held against; None where nothing limits it.

    `interval_hours` is the time between starts. `window_given` is False when the run window is
    only the time until the next start.
    """

    interval_hours: float
    run_window_hours: float
    window_given: bool
    budget_usd_per_day: float | None = None
    state_limit_bytes: float | None = None


@dataclass(frozen=True)
class Finding:
    """One answer.

    Attributes
    ----------
    question : the question in words.
    verdict : `yes`, `no`, the name of a stage or a dimension, `borderline`, `inconsistent` or
        `can't tell`.
    says : the answer with the figures it rests on, in plain words.
    figures : those figures by name (hours, rows, ratios, shares, USD).
    """

    question: str
    verdict: str
    says: str
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        return self.verdict not in (CAN_T_TELL, BORDERLINE, INCONSISTENT)


@dataclass(frozen=True)
class Then:
    """What "then" and "now" mean: the first runs and the last ones.

    Hours are medians, rows of a run means; `hours_by_row` is the median of hours over rows, now.
    """

    runs: pd.DataFrame
    hours_then: Estimate | None
    hours_now: Estimate | None
    rows_then: Estimate | None
    rows_now: Estimate | None
    hours_by_row: Estimate | None

    @property
    def recent(self) -> pd.DataFrame:
        return self.runs.tail(RECENT)


def then_and_now(history: History, interval_hours: float) -> Then:
    """The last `RECENT` runs, and as many (of a short history at most a third) at its start."""
    runs = history.runs
    some = min(RECENT, len(runs) // 3)
    hours = runs["seconds"].to_numpy() / 3600
    slots = np.floor(runs["hour"].to_numpy() / interval_hours)
    column = next((name for name in ("rows_new", "rows_read") if history.has(name)), None)
    rows = runs[column].to_numpy() if column else np.full(len(runs), np.nan)
    rows = np.where(rows > 0, rows, np.nan)
    return Then(
        runs,
        robust.median(hours[:some], slots[:some]),
        robust.median(hours[-RECENT:], slots[-RECENT:]),
        robust.mean(rows[:some]),
        robust.mean(rows[-RECENT:]),
        robust.median(hours[-RECENT:] / rows[-RECENT:]),
    )


def spikes(runs: pd.DataFrame) -> np.ndarray:
    """Which runs took `SPIKE` times the median of the runs around them, or more."""
    seconds = runs["seconds"]
    around = seconds.rolling(9, center=True, min_periods=1).median()
    return np.asarray(seconds > SPIKE * around.clip(lower=1.0))


OUTGREW = "Volume outgrew the window?"
REREAD = "Runs reread their source?"
FRESHNESS = "Needs differ in freshness?"
STAGE = "Which stage is slowest?"
FAILS = "Which dimension fails?"


def outgrown(then: Then, limits: Limits) -> Finding:
    """Whether recent runs miss the window because volume grew, and not because runs slowed."""
    now, window = then.hours_now, limits.run_window_hours
    if now is None:
        return Finding(OUTGREW, CAN_T_TELL, f"Too few to know a typical one: {_count(then.runs)}.")
    late = float((then.recent["seconds"] > window * 3600).mean())
    figures = {"run_hours_now": now.mid, "window_hours": window, "late_share": late}
    allowed = _hours(window)
    until = f"window of {allowed}" if limits.window_given else f"{allowed} until the next run"
    said = f"A run now takes {_hours(now.mid)} of its {until}"
    fits = now.against(window)
    if then.hours_then:
        figures["run_hours_then"] = then.hours_then.mid
        said += f" ({_hours(then.hours_then.mid)} at the start of the history)"
    if then.rows_now and then.rows_then:
        figures |= {"rows_now": then.rows_now.mid, "rows_then": then.rows_then.mid}
        said += (
            f"; rows a run went from {words.count(then.rows_then.mid)} to "
            f"{words.count(then.rows_now.mid)}"
        )
    if fits == "below":
        return Finding(OUTGREW, "no", f"{said}. {_room(now.mid, window, late)}", figures)
    if fits == "borderline":
        said += f". That is too close to call: {late:.0%} of recent runs did not fit"
        return Finding(OUTGREW, BORDERLINE, f"{said}.", figures)
    return _why_too_long(then, window, said, figures)


def _room(hours: float, window: float, late: float) -> str:
    if late >= 0.1:
        return f"A typical run fits, yet {late:.0%} of recent ones did not."
    return f"It uses {hours / window:.0%} of it."


def _why_too_long(then: Then, window: float, said: str, figures: dict[str, float]) -> Finding:
    """Runs do not fit: would they, at the volume of the start of the history?"""
    if then.hours_now is None or then.hours_then is None:
        few = f"{said}. It does not fit; {_count(then.runs)} do not say since when."
        return Finding(OUTGREW, CAN_T_TELL, few, figures)
    if then.hours_then.against(window) == "above":
        never = f"{said}. It did not fit at the start either: what made it so lies before that"
        return Finding(OUTGREW, CAN_T_TELL, f"{never}.", figures)
    if then.rows_now is None or then.rows_then is None or then.hours_by_row is None:
        blind = "the history has no rows_new or rows_read, so growth cannot be told from slowness"
        return Finding(OUTGREW, CAN_T_TELL, f"{said}. It does not fit; {blind}.", figures)
    # At the old volume a run takes what it took then, or, should it have become slower by the row
    # as well, today's time in proportion to the rows: whichever is longer.
    shrunk = then.hours_by_row.product(then.rows_then)
    at_old = max(shrunk, then.hours_then, key=lambda hours: hours.mid)
    figures["run_hours_at_old_volume"] = at_old.mid
    side = at_old.against(window)
    grew = then.rows_now.mid / then.rows_then.mid
    slower = then.hours_now.mid / then.hours_then.mid
    explained = slower <= max(grew, 1.0) ** MOSTLY
    if side == "borderline" and not explained:
        side = "above"  # whether or not it would just fit, the rows explain little of it
    elif side == "above" and explained:
        side = "borderline"  # what the rows may have done is no proof against them
    if side == "borderline":
        said += f". At the old volume it would take {_hours(at_old.mid)}: too close to call"
        return Finding(OUTGREW, BORDERLINE, f"{said}.", figures)
    if side == "above":
        said += (
            f". Rows are {grew:.2f} times and time is {slower:.1f} times what they were: runs "
            "became slower at the same volume"
        )
        return Finding(OUTGREW, "no", f"{said}{_since(then, figures)}.", figures)
    also = ""
    if slower > 1.2 * grew:
        also = f", though a row now takes {slower / grew:.2g} times as long too"
    said += f". At the old volume it would take {_hours(at_old.mid)}: volume did it{also}"
    return Finding(OUTGREW, "yes", f"{said}.", figures)


def _since(then: Then, figures: dict[str, float]) -> str:
    """The day from which runs take longer, if they jumped; its place goes into `figures`."""
    seconds = then.runs["seconds"].to_numpy()
    place = robust.step(np.log(np.maximum(seconds, 1.0)))
    if place is None:
        return ""
    before, after = np.median(seconds[:place]), np.median(seconds[place:])
    around = np.median(seconds[place : place + 9]) / np.median(seconds[max(0, place - 9) : place])
    if after / before < 1.2 or around < 1.2:
        return ""
    figures["slower_since_run"] = float(place)
    return f", since {date(then.runs['day'].iloc[place])}"


def date(day: pd.Timestamp) -> str:
    """5 March 2026; `%-d` is not known everywhere."""
    return f"{day.day} {day:%B %Y}"


def rereads(then: Then, history: History) -> Finding:
    """Whether a recent run reads a multiple of what arrived since the run before."""
    lacking = [name for name in ("rows_read", "rows_new") if not history.has(name)]
    if lacking:
        return Finding(REREAD, CAN_T_TELL, f"The history has no {' and no '.join(lacking)}.")
    recent = then.recent
    new = recent["rows_new"].to_numpy()
    ratios = np.where(new > 0, recent["rows_read"].to_numpy() / np.maximum(new, 1.0), np.nan)
    ratio = robust.median(ratios)
    if ratio is None:
        return Finding(REREAD, CAN_T_TELL, "Too few recent runs have rows_read and rows_new.")
    figures = {"rows_read_per_row_new": ratio.mid}
    said = f"A run reads {ratio.mid:.2f} rows for each row that arrived since the run before"
    if ratio.against(0.9) == "below":
        said += ": it cannot read less than arrived, so the two columns count different things"
        return Finding(REREAD, INCONSISTENT, f"{said}.", figures)
    if ratio.against(REREADS) == "above":
        return Finding(REREAD, "yes", f"{said}: it reads the same rows again and again.", figures)
    if ratio.against(REREADS_NOT) == "below":
        said += (
            ". At this cadence it reads what is new; whether it would at a shorter one stands in "
            "its query, not in the history"
        )
        return Finding(REREAD, "no", f"{said}.", figures)
    said += ": a look-back for late rows may explain that, and so may rereading"
    return Finding(REREAD, BORDERLINE, f"{said}.", figures)


def slowest_stage(then: Then, history: History) -> Finding:
    """The stage that takes most of the seconds of recent runs."""
    lacking = [f"{stage}_seconds" for stage in STAGES if not history.has(f"{stage}_seconds")]
    if lacking:
        return Finding(STAGE, CAN_T_TELL, f"The history has no {', no '.join(lacking)}.")
    recent = then.recent[[*(f"{stage}_seconds" for stage in STAGES), "seconds"]].dropna()
    if len(recent) < robust.FEWEST:
        return Finding(STAGE, CAN_T_TELL, "Too few recent runs have seconds for all three stages.")
    spent = recent[[f"{stage}_seconds" for stage in STAGES]].to_numpy()
    total = float(np.median(recent["seconds"]))
    seconds = np.median(spent, axis=0)
    shares = dict(zip(STAGES, (seconds / max(total, 1e-9)).tolist(), strict=True))
    left = 1 - float(np.median(spent.sum(axis=1) / np.maximum(recent["seconds"], 1e-9)))
    figures = {**{f"{stage}_share": share for stage, share in shares.items()}, "left_out": left}
    listed = ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items())
    said = f"Of a recent run's time: {listed}"
    if left < -UNACCOUNTED:
        said += ". Together that is more than the run: they overlap, or their unit is another"
        return Finding(STAGE, INCONSISTENT, f"{said}.", figures)
    first, second = sorted(shares, key=lambda stage: -shares[stage])[:2]
    if left > UNACCOUNTED and left > shares[first] - shares[second]:
        said += f". {left:.0%} of it is in no stage, enough to change the order"
        return Finding(STAGE, CAN_T_TELL, f"{said}.", figures)
    places = [STAGES.index(first), STAGES.index(second)]
    wins = float((spent[:, places[0]] > spent[:, places[1]]).mean())
    by_sum = STAGES[int(spent.sum(axis=0).argmax())]
    # A coin would show 25 of 28 once in ten thousand histories.
    if wins < 0.5 + 1.96 * 0.5 / np.sqrt(len(spent)) or by_sum != first:
        return Finding(STAGE, BORDERLINE, f"{said}: {first} and {second} are too close.", figures)
    rest = _hours(total / 3600 * (1 - shares[first]))
    if first == "transform":
        said += f". Even an engine that took no time at all would leave {rest}"
    else:
        said += f". Most is in the {first}: another engine does not shorten that"
    return Finding(STAGE, first, f"{said}.", figures)


@dataclass(frozen=True)
class Served:
    """One consumer: its need, and what it gets today (hours; a deadline in hours from midnight)."""

    consumer: Consumer
    age_hours: Estimate
    complete_hour: Estimate | None

    @property
    def need_hours(self) -> float:
        """The oldest its data may be."""
        return (self.consumer.freshness_seconds or np.inf) / 3600

    @property
    def state(self) -> str:
        """`below` its limits, `above` one of them, or `borderline`."""
        states = [self.age_hours.against(self.need_hours)]
        if self.consumer.deadline_hour is not None and self.complete_hour is not None:
            states.append(self.complete_hour.against(self.consumer.deadline_hour))
        return next((word for word in ("above", "borderline") if word in states), "below")


def served(then: Then, limits: Limits, consumers: Sequence[Consumer]) -> list[Served]:
    """What each consumer gets today: the oldest a row becomes, and when yesterday is complete.

    A row waits up to one interval for the run and then for its end. Yesterday is complete when the
    first run that starts after midnight has ended.
    """
    if then.hours_now is None:
        return []
    recent = then.recent
    first = recent.groupby("day")["hour"].min().to_numpy()
    complete = None
    if limits.interval_hours <= DAY_HOURS and len(first):
        complete = then.hours_now.plus(float(np.median(first)))
    age = then.hours_now.plus(limits.interval_hours)
    return [Served(consumer, age, complete) for consumer in consumers]


def freshness(found: Sequence[Served], named: bool) -> Finding:
    """Whether the consumers fall into more than one tier, and which of them are not served."""
    if not found:
        why = "There are too few runs." if named else "Nobody said who reads the result."
        return Finding(FRESHNESS, CAN_T_TELL, why)
    tiers = sorted({one.consumer.tier for one in found})
    age = found[0].age_hours.mid
    figures = {"tiers": float(len(tiers)), "oldest_row_hours": age}
    needs = ", ".join(
        f"{one.consumer.name} {words.duration(one.consumer.freshness_seconds or np.inf)} (tier "
        f"{one.consumer.tier})"
        for one in sorted(found, key=lambda one: one.consumer.freshness_seconds or 0)
    )
    said = f"Needs: {needs}. Today the oldest row is {_hours(age)} old when it becomes visible"
    return Finding(FRESHNESS, "yes" if len(tiers) > 1 else "no", f"{said}.", figures)


@dataclass(frozen=True)
class Check:
    """One dimension against its limit.

    `side` is `below`, `above`, `borderline`, `can't tell`, or `free` where nothing limits it;
    `used` is the figure over the limit.
    """

    side: str
    says: str = ""
    used: float | None = None


def checks(
    then: Then, history: History, limits: Limits, found: Sequence[Served], named: bool
) -> dict[str, Check]:
    """Each dimension against its limit; `named` is False when nobody said who reads the result."""
    return {
        "throughput": _throughput(then, limits),
        "latency": _latency(found, named),
        "cost": _cost(then, history, limits),
        "state": _state(history, limits),
    }


def fails(found: Mapping[str, Check]) -> Finding:
    """The dimension whose figure is beyond its limit; late data is a symptom of runs too long."""
    figures = {f"{name}_used": one.used for name, one in found.items() if one.used is not None}
    for wanted in ("above", BORDERLINE, CAN_T_TELL):
        those = [name for name in DIMENSIONS if found[name].side == wanted]
        if those:
            said = "; ".join(found[name].says for name in those)
            verdict = those[0] if wanted == "above" else wanted
            return Finding(FAILS, verdict, _sentence(said), figures)
    checked = "; ".join(found[name].says for name in DIMENSIONS if found[name].side == "below")
    return Finding(FAILS, "none", _sentence(checked), figures)


def _throughput(then: Then, limits: Limits) -> Check:
    if then.hours_now is None:
        return Check(CAN_T_TELL, f"{_count(then.runs)} do not show a typical one")
    window = limits.run_window_hours
    side = then.hours_now.against(window)
    used = then.hours_now.mid / window
    return Check(side, f"a run takes {_hours(then.hours_now.mid)} of its {_hours(window)}", used)


def _latency(found: Sequence[Served], named: bool) -> Check:
    if not named:
        return Check(CAN_T_TELL, "nobody said who reads the result and how fresh it must be")
    if not found:
        return Check("free")
    worst = max(found, key=lambda one: ("below", BORDERLINE, "above").index(one.state))
    late = [one for one in found if one.state == worst.state]
    need = min(one.consumer.freshness_seconds or np.inf for one in found) / 3600
    used = max(
        max(
            one.age_hours.mid * 3600 / (one.consumer.freshness_seconds or np.inf),
            one.complete_hour.mid / one.consumer.deadline_hour
            if one.complete_hour is not None and one.consumer.deadline_hour
            else 0.0,
        )
        for one in found
    )
    if worst.state == "below":
        age = worst.age_hours.mid
        said = f"the oldest row is {_hours(age)} old, {_hours(need)} is allowed"
        return Check("below", said, used)
    return Check(worst.state, "; ".join(map(lateness, late)), used)


def lateness(one: Served) -> str:
    """What a consumer needs and gets, in words."""
    need = one.consumer.freshness_seconds or np.inf
    if one.age_hours.against(need / 3600) != "below" or one.complete_hour is None:
        return (
            f"{one.consumer.name} needs rows within {words.duration(need)} and gets them up to "
            f"{_hours(one.age_hours.mid)} old"
        )
    due, complete = one.consumer.deadline_hour or DAY_HOURS, one.complete_hour.mid
    return (
        f"{one.consumer.name} needs yesterday by {clock(due)} and has it complete at "
        f"{clock(complete)}"
    )


def unmet(consumer: Consumer, age_hours: float, complete_hour: float | None) -> list[str]:
    """The consumer's needs that these figures do not meet: "executives at 7:43 (due 6:00)"."""
    missed = []
    need = consumer.freshness_seconds or np.inf
    if age_hours * 3600 > need * (1 + 1e-9):
        missed.append(f"{consumer.name} {_hours(age_hours)} old (needs {words.duration(need)})")
    due = consumer.deadline_hour
    if due is not None and complete_hour is not None and complete_hour > due + 1e-9:
        missed.append(f"{consumer.name} at {clock(complete_hour)} (due {clock(due)})")
    return missed


def clock(hour: float) -> str:
    """6:00, midnight, or 3:10 the day after."""
    return "midnight" if hour == DAY_HOURS else words.clock(hour)


def _cost(then: Then, history: History, limits: Limits) -> Check:
    budget = limits.budget_usd_per_day
    if budget is None:
        return Check("free")
    if not history.has("cost_usd"):
        return Check(CAN_T_TELL, "there is a budget, and the history has no cost_usd")
    costs = then.recent["cost_usd"].dropna().to_numpy()
    if len(costs) < robust.FEWEST:
        return Check(CAN_T_TELL, "too few recent runs have a cost_usd")
    per_day = DAY_HOURS / limits.interval_hours
    # What is paid is the mean; that one-off runs do not decide is what the median is for.
    mean, typical = float(costs.mean()) * per_day, float(np.median(costs)) * per_day
    sides = {mean > budget, typical > budget}
    side = BORDERLINE if len(sides) > 1 else ("above" if typical > budget else "below")
    said = f"a day costs {words.usd(typical)}, the budget is {words.usd(budget)}"
    return Check(side, said, typical / budget)


def _state(history: History, limits: Limits) -> Check:
    limit = limits.state_limit_bytes
    if limit is None:
        return Check("free")
    if not history.has("state_bytes"):
        return Check(CAN_T_TELL, "state has a limit, and the history has no state_bytes")
    runs = history.runs
    days = ((runs["start"] - runs["start"].iloc[0]).dt.total_seconds() / 86_400).to_numpy()
    fitted = robust.line(days, runs["state_bytes"].to_numpy())
    if fitted is None:
        return Check(CAN_T_TELL, "too few runs have state_bytes to see whether it grows")
    now, ahead = fitted.at(days[-1]).mid, fitted.at(days[-1] + STATE_HORIZON_DAYS)
    side = "above" if now > limit else ahead.against(limit)
    said = f"state is at {now / limit:.0%} of its limit"
    pace = fitted.slope.mid
    if pace > 0 and now <= limit < ahead.mid:
        said += f" and reaches it in {words.duration((limit - now) / pace * 86_400)}"
    return Check(side, said, ahead.mid / limit)


def _hours(hours: float) -> str:
    return words.duration(hours * 3600)


def _count(runs: pd.DataFrame) -> str:
    return f"{len(runs)} run{'s' * (len(runs) != 1)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
