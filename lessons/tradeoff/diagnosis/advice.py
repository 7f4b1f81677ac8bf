"""From findings to advice: today's pipeline among its options, the headline, the doubts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tradeoff.diagnosis import causes
from tradeoff.diagnosis.options import CLUSTER, QUERY, Option, Workshop, smallest
from tradeoff.diagnosis.questions import DAY_HOURS, DIMENSIONS, clock, date, unmet
from tradeoff.diagnosis.rhythm import NOT_NEEDED
from tradeoff.model import Consumer, engine, words

if TYPE_CHECKING:
    from tradeoff.diagnosis.verdict import Diagnosis

KEEP = "Keep as it is"
UNDO = "Undo what slowed it"
BOUND = "Bound the state"
POOL_SECONDS = (60, 120, 240, 360, 480, 600, 900, 1800, 3600)


def limits_of_a_run(found: Diagnosis) -> list[tuple[str, float]]:
    """Hours that a run may take, by the limit that says so: window, deadlines, freshness."""
    window = "the run window" if found.limits.window_given else "the next run's start"
    limits = [(window, found.limits.run_window_hours)]
    for one in found.served:
        need = (one.consumer.freshness_seconds or math.inf) / 3600 - found.limits.interval_hours
        if 0 < need < found.limits.run_window_hours:
            limits.append((f"the freshness of {one.consumer.name}", need))
        due = one.consumer.deadline_hour
        if due is not None and one.complete_hour is not None and found.then.hours_now:
            left = due - (one.complete_hour.mid - found.then.hours_now.mid)
            if 0 < left < found.limits.run_window_hours:
                limits.append((f"the {clock(due)} deadline of {one.consumer.name}", left))
    return limits


def options_of(found: Diagnosis) -> list[Option]:
    """Today's pipeline as measured, what would mend its cause, and the ladder of redesigns."""
    if found.then.hours_now is None:
        return []
    keep = _keep(found)
    mended = [*_undone(found, keep), *_bounded(found, keep)]
    workshop = found.workshop
    ladder = workshop.ladder(found.rereads) if workshop else []
    if found.instead is not None:
        ladder = [found.instead, *ladder]
        if found.findings["rhythm"].verdict == "yes":
            ladder = [_no_dearer(one, found.instead) for one in ladder]
    grows = found.checks["state"].side == "above"
    if grows:  # no schedule bounds what the logic remembers
        ladder = [replace(one, missed=(*one.missed, "its state still grows")) for one in ladder]
    return [keep, *mended, *ladder]


def _no_dearer(option: Option, batch: Option) -> Option:
    """An option that still pays for what nobody needs misses the point."""
    likely, least = option.usd_per_day[1], batch.usd_per_day[1]
    if not likely >= NOT_NEEDED * least:
        return option
    return replace(
        option, missed=(*option.missed, f"{words.usd(likely)} a day for what nobody needs")
    )


def _keep(found: Diagnosis) -> Option:
    above = [name for name in DIMENSIONS if found.checks[name].side == "above"]
    open_ = any(one.side in ("borderline", "can't tell") for one in found.checks.values())
    usd = _bill_today(found)
    now = found.then.hours_now
    run = words.duration(now.mid * 3600) if now else "?"
    return Option(
        KEEP,
        (),
        (usd, usd, usd),
        tuple(_missed_today(found)),
        (f"every {words.duration(found.limits.interval_hours * 3600)}, typical run {run}",),
        sure=not open_,
        room=None if above else _room_today(found),
        gives=min(limits_of_a_run(found), key=lambda one: one[1])[0],
    )


def _missed_today(found: Diagnosis) -> list[str]:
    missed = []
    if found.findings["peak"].verdict == "yes":
        missed.append(found.checks["throughput"].says)
    elif found.checks["throughput"].side == "above" and found.then.hours_now:
        run = words.duration(found.then.hours_now.mid * 3600)
        missed.append(
            f"a run of {run} (window {words.duration(found.limits.run_window_hours * 3600)})"
        )
    for one in found.served:
        if one.state == "above":
            complete = one.complete_hour.mid if one.complete_hour else None
            missed += unmet(one.consumer, one.age_hours.mid, complete)
    others = [found.checks[name] for name in ("cost", "state")]
    return missed + [check.says for check in others if check.side == "above"]


def _bill_today(found: Diagnosis) -> float:
    """USD a day: what typical runs cost, and the model's price of people; NaN if unknown."""
    assert found.then.hours_now is not None
    if found.fit and found.fit.always_on:
        return found.fit.usd_around_the_clock
    if found.history.has("cost_usd"):
        each = float(found.then.recent["cost_usd"].median())
    elif found.fit:
        each = found.then.hours_now.mid * found.fit.usd_per_hour
    else:
        return math.nan
    people = engine("spark_ephemeral").operations_usd_per_day
    return each * DAY_HOURS / found.limits.interval_hours + people


def _room_today(found: Diagnosis) -> float | None:
    """How many times today's rows a run could read and still keep every limit of its time."""
    if found.fit is None or found.then.hours_now is None:
        return None
    allowed = min(hours for _, hours in limits_of_a_run(found)) * 3600
    fixed, run = found.fit.fixed_seconds.high, found.then.hours_now.mid * 3600
    return max(1.0, (allowed - fixed) / (run - fixed)) if run > fixed else None


def _undone(found: Diagnosis, keep: Option) -> list[Option]:
    """What is won when slower runs at the same volume become as fast as they were."""
    then = found.then
    if not found.slowed or then.hours_then is None or then.hours_now is None:
        return []
    rows = 1.0
    if then.rows_now and then.rows_then:
        rows = max(1.0, then.rows_now.mid / then.rows_then.mid)
    hours = then.hours_then.mid * rows
    missed = []
    for one in found.served:
        longer = hours - then.hours_now.mid
        complete = one.complete_hour.mid + longer if one.complete_hour else None
        missed += unmet(one.consumer, one.age_hours.mid + longer, complete)
    usd = keep.usd_per_day[1] * hours / then.hours_now.mid
    return [
        Option(
            UNDO,
            (),
            (usd, usd, usd),
            tuple(missed),
            (f"runs of {words.duration(hours * 3600)} again",),
        )
    ]


def _bounded(found: Diagnosis, keep: Option) -> list[Option]:
    if found.checks["state"].side != "above":
        return []
    others = [says for says in keep.missed if says != found.checks["state"].says]
    return [
        Option(
            BOUND,
            (QUERY,),
            keep.usd_per_day,
            tuple(others),
            ("a window and a watermark (or a time to live) for what the logic remembers",),
        )
    ]


# --- words ---------------------------------------------------------------------------------------


def headline(found: Diagnosis) -> str:
    """What is the matter, in one sentence with its figures."""
    volume = found.findings["volume"].figures
    fails = found.fails
    if fails is None:
        return f"Not decided: {_lower(found.findings['dimension'].says)}"
    if fails == "none":
        return f"Nothing fails: {_lower(found.findings['dimension'].says)}"
    if found.cause == causes.STREAM:
        return _unneeded(found)
    if found.cause == causes.PEAK:
        return f"Under-provisioned at the peak: {_lower(found.findings['peak'].says)}"
    if fails != "throughput":
        return f"{fails.capitalize()} fails: {found.checks[fails].says}."
    since = next((one for one in found.dates if one.hours == found.limits.run_window_hours), None)
    passed = f", since {since.since}" if since and since.since else ""
    if "slower_since_run" in volume:
        jumped = found.history.runs["day"].iloc[int(volume["slower_since_run"])]
        passed = f", since {date(jumped)}"
    run, window = volume["run_hours_now"], volume["window_hours"]
    said = f"{words.duration(run * 3600)} of a {words.duration(window * 3600)} window{passed}"
    if found.outgrown:
        grew = f"from {words.count(volume['rows_then'])} to {words.count(volume['rows_now'])}"
        return f"Volume outgrew the run window: a run takes {said}. Rows a run went {grew}."
    if found.slowed:
        times = volume["run_hours_now"] / volume["run_hours_then"]
        return f"Runs became {times:.1f} times slower at the same volume: {said}."
    return f"Runs do not fit their window: {said}."


def _unneeded(found: Diagnosis) -> str:
    assert found.instead is not None
    assert found.instead.plan is not None
    (path,) = found.instead.plan.paths
    every = words.duration(path.cadence.interval_seconds)
    today, batch = found.options[0].usd_per_day[1], found.instead.usd_per_day[1]
    return (
        f"Streaming nobody needs: batch every {every} serves everyone for "
        f"{words.usd(_round(today - batch))} a day less ({usd(found.instead)} in place of "
        f"{words.usd(_round(today))})."
    )


def recommendation(found: Diagnosis) -> str:
    """What to do and what it costs beside today, or what to find out first."""
    chosen = found.smallest
    if found.fails is None:
        lacking = [one.says for one in found.checks.values() if one.side == "can't tell"]
        lacking += [one.says for one in found.checks.values() if one.side == "borderline"]
        return f"Change nothing yet; first settle this: {'; '.join(lacking)}."
    if chosen is None:
        if found.unpriced:
            return f"No change is recommended: {found.unpriced}."
        return "No kind of change that the model knows serves every consumer within the limits."
    if chosen.name == KEEP:
        room = _room_said(chosen.room)
        a_day = f" at {usd(chosen)} a day" if math.isfinite(chosen.usd_per_day[1]) else ""
        return f"Change nothing: today's pipeline serves everyone{a_day}{room}."
    today = usd(found.options[0])
    if chosen.name == BOUND:
        return f"Smallest change: {_lower(chosen.name)}; what that costs is not priced."
    return (
        f"Smallest change that serves every consumer: {_lower(chosen.name)}, {usd(chosen)} a day "
        f"(today: {today})."
    )


def _room_said(room: float | None) -> str:
    if room is None:
        return ""
    return f", with room for {room:.1f} times today's rows" if room < 8 else ", with ample room"


def usd(option: Option) -> str:
    """$460, $155 to $164, or words when the history knows no cost."""
    least, likely, most = option.usd_per_day
    if not math.isfinite(likely):
        return "unknown"
    if most - least < 0.05 * likely:
        return words.usd(_round(likely))
    return f"{words.usd(_round(least))} to {words.usd(_round(most))}"


def _round(usd: float) -> float:
    return float(f"{usd:.3g}") if usd < 1000 else float(round(usd, -1))


def would_change(found: Diagnosis) -> list[str]:
    """What would make another option the right one, one sentence each."""
    chosen, workshop = found.smallest, found.workshop
    if chosen is None or workshop is None:
        return []
    said: list[str] = []
    if chosen.name == UNDO:
        said += _if_not_found(found)
    if chosen.plan is not None:
        said += _kept_fixed(found, workshop, chosen)
    if chosen.room is not None and chosen.room < 8:
        rows = words.count(workshop.fit.rows_per_day * chosen.room)
        said.append(
            f"More than {chosen.room:.1f} times today's rows ({rows} a day): the first miss is "
            f"{chosen.gives}."
        )
    said += _freshest(found, workshop, chosen)
    if chosen.plan is not None:
        said += _warm(workshop, chosen)
    if found.rereads is None:
        said.append(f"Whether a run rereads its source: {_lower(found.findings['rereading'].says)}")
    return said


def _if_not_found(found: Diagnosis) -> list[str]:
    """What to do when the cause of slower runs cannot be found."""
    second = smallest([one for one in found.options if one.name not in (KEEP, UNDO)])
    if second is None:
        return ["No cause found: no redesign in the model serves every consumer."]
    does = f"{_lower(second.name)} ({second.how}) serves everyone at {usd(second)} a day"
    return [f"No cause found: {does}."]


def _kept_fixed(found: Diagnosis, workshop: Workshop, chosen: Option) -> list[str]:
    """How much of the fixed part an incremental run may keep before another choice is better."""
    assert chosen.plan is not None
    rivals = [one for one in found.options if one.serves and one.plan and one is not chosen]
    dearer = [one for one in rivals if one.usd_per_day[1] > chosen.usd_per_day[1]]
    rival = min(dearer, key=lambda one: one.usd_per_day[1], default=None)
    most = workshop.most_fixed_seconds(chosen.plan, rival.usd_per_day[1] if rival else math.inf)
    if most is None:
        return []
    kept, whole = words.duration(most[0]), words.duration(workshop.fit.fixed_seconds.mid)
    then = "a need is missed"
    if not most[1] and rival:
        then = f"{_lower(rival.name)} ({usd(rival)}) costs less"
    return [
        f"An incremental run that keeps more than {kept} of the {whole} that do not grow with "
        f"rows: then {then}. Measure one before you build."
    ]


def _freshest(found: Diagnosis, workshop: Workshop, chosen: Option) -> list[str]:
    """What the freshest consumers cost: the smallest change for the others alone."""
    if not found.consumers or chosen.name == KEEP:
        return []
    tier = min(one.tier for one in found.consumers)
    fresh = [one for one in found.consumers if one.tier == tier]
    others = workshop.without(fresh)
    if not others.consumers:
        return []
    option = smallest(others.ladder(found.rereads))
    if option is None or option.usd_per_day[1] >= 0.95 * chosen.usd_per_day[1]:
        return []
    names = _names(fresh)
    need = words.duration(min(one.freshness_seconds or math.inf for one in fresh))
    return [
        f"{names} giving up {need}: {_lower(option.name)} serves the others at {usd(option)} a day."
    ]


def _warm(workshop: Workshop, chosen: Option) -> list[str]:
    design = workshop.other("spark_warm")
    option = workshop.best(
        "warm", (CLUSTER,), design, nodes=range(1, 9), interval_seconds=POOL_SECONDS
    )
    if not option.serves or option.usd_per_day[1] >= 0.95 * chosen.usd_per_day[1]:
        return []
    return [
        f"A pool of warm nodes paid by the busy second: one path for all, {option.how}, at "
        f"{usd(option)} a day."
    ]


def _names(consumers: Sequence[Consumer]) -> str:
    return " and ".join(one.name for one in consumers)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
