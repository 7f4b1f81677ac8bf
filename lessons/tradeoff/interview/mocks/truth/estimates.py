"""Numbers to estimate, each computed by the model from figures that the question gives."""

from __future__ import annotations

from dataclasses import replace

from tradeoff.interview.mocks.truth.board import Path, design
from tradeoff.interview.mocks.truth.case import Estimate
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.interview.numbers import Drawn
from tradeoff.model import Billing, Evaluation, State, Workload, evaluate, words
from tradeoff.model import state as state_model
from tradeoff.model.columns import columns_of
from tradeoff.model.timing import fixed_per_run, seconds_per_event

WITHIN = 0.15


def usd(amount: float) -> str:
    """Dollars in a text that JupyterLab does not take for mathematics: "5,768 USD"."""
    return f"{amount:,.0f} USD" if amount >= 10 else f"{amount:,.2f} USD"


def as_shown(amount: float) -> float:
    """Dollars rounded as `usd` shows them: differences are taken of these."""
    return round(amount, 0 if abs(amount) >= 10 else 2)


def usd_parts(whole: float, *parts: float) -> list[str]:
    """Parts of an amount, the largest first, in digits with which they add up to `usd(whole)`.

    What rounding leaves goes into the largest part, where it is least.
    """
    digits = 0 if whole >= 10 else 2
    rest = [round(part, digits) for part in parts[1:]]
    shown = [as_shown(whole) - sum(rest), *rest]
    return [f"{part:,.{digits}f} USD" for part in shown]


def today(problem: Problem) -> Evaluation:
    """Today's path, evaluated."""
    return evaluate(design(problem, problem.today.paths[0]))


def fixed_and_rate(problem: Problem, path: Path) -> tuple[float, float]:
    """Seconds of a run that volume does not change, and rows a second beyond them."""
    columns = columns_of([design(problem, path)])
    return float(fixed_per_run(columns)[0]), float(1.0 / seconds_per_event(columns)[0])


def run_length(problem: Problem, things: str) -> Estimate:
    """How long one run of today takes."""
    path, found = problem.today.paths[0], today(problem)
    fixed, rate = fixed_and_rate(problem, path)
    rows, answer = found.rows_read_per_run, found.run_mean_seconds
    unit, size = ("h", 3_600.0) if answer >= 7_200 else ("min", 60.0)
    said = f"{words.count(rows)} {things} at {words.count(rate)} a second"
    return Estimate(
        f"One run reads {said} (reading, working and writing together), after "
        f"{words.duration(fixed)} that volume does not change. How long does it take?",
        Drawn(
            {},
            answer / size,
            unit,
            WITHIN,
            f"{words.count(rows)} / {words.count(rate)} per second = "
            f"{words.duration(rows / rate)}, and {words.duration(fixed)} before it: "
            f"{words.duration(answer)}",
        ),
        "latency-and-throughput",
    )


def peak_rate(work: Workload, things: str) -> Estimate:
    """Events a second in the busiest hour."""
    day, times = words.count(work.events_per_day), f"{work.peak_factor:.2g}"
    return Estimate(
        f"{day} {things} a day, and the busiest hour carries {times} times the mean. "
        f"How many {things} a second is that at the peak?",
        Drawn(
            {},
            work.peak_events_per_second,
            "events/s",
            WITHIN,
            f"{day} / 86,400 s = {words.count(work.events_per_second)} a second, "
            f"times {times} at the peak",
        ),
        "ask-first",
    )


def oldest(problem: Problem, thing: str) -> Estimate:
    """How old the unluckiest event is today."""
    path, found = problem.today.paths[0], today(problem)
    assert path.interval_seconds is not None
    every, longest = (
        words.duration(path.interval_seconds),
        words.duration(found.run_longest_seconds),
    )
    answer = found.latency_worst_seconds
    unit, size = ("h", 3_600.0) if answer >= 7_200 else ("min", 60.0)
    return Estimate(
        f"It runs every {every}, and its longest run takes {longest}. How old is {thing} that "
        "only just missed a run, when somebody can see it?",
        Drawn(
            {},
            answer / size,
            unit,
            WITHIN,
            f"it waits {every} for the next run and {longest} for that run to end",
        ),
        "latency-and-throughput",
    )


def bill(problem: Problem) -> Estimate:
    """What today's pipeline costs a day."""
    path, found = problem.today.paths[0], today(problem)
    engine = problem.engine(path.engine)
    hours, price = found.node_hours_per_day, engine.node_usd_per_hour
    people = found.operations_usd_per_day
    said = f"{price:.3g} USD a node-hour, and {people:.2g} USD a day of people's time"
    nodes = f"{path.nodes} node{'s' if path.nodes > 1 else ''}"
    if engine.billing is Billing.ALWAYS_ON:
        extra = (
            f", and {usd(found.state_usd_per_day)} for its state" if found.state_usd_per_day else ""
        )
        asks = f"It holds {nodes} around the clock at {said}{extra}."
        because = f"{nodes} x 24 h x {price:.3g} USD"
    else:
        each = hours * 3_600 / path.nodes * (path.interval_seconds or 0) / 86_400
        runs = f"{86_400 / (path.interval_seconds or 1):,.0f} runs a day"
        one = words.duration(each)
        asks = f"{runs.capitalize()} of {one} on the average keep {nodes} busy, at {said}."
        if path.interval_seconds == 86_400:
            asks = f"One run a day of {one} keeps {nodes} busy, at {said}."
        because = f"{words.count(hours)} node-hours x {price:.3g} USD"
    whole = found.cost_usd_per_day
    run, rest = usd_parts(whole, hours * price, whole - hours * price)
    return Estimate(
        f"{asks} What does a day cost?",
        Drawn({}, whole, "USD/day", WITHIN, f"{because} = {run}, and {rest} beside"),
        "premium",
    )


def busy_share(problem: Problem, things: str) -> Estimate:
    """How much of its interval a run uses at the peak."""
    path, found = problem.today.paths[0], today(problem)
    fixed, rate = fixed_and_rate(problem, path)
    assert path.interval_seconds is not None
    every = words.duration(path.interval_seconds)
    rows = problem.work.peak_events_per_second * path.interval_seconds
    return Estimate(
        f"At the peak {words.count(rows)} {things} arrive within {every}. A run works off "
        f"{words.count(rate)} a second, after {words.duration(fixed)} that volume does not "
        f"change. What share of its {every} does that run need, in per cent?",
        Drawn(
            {},
            100 * found.utilisation_peak,
            "%",
            WITHIN,
            f"{words.duration(rows / rate)} and {words.duration(fixed)} of {every}",
        ),
        "latency-and-throughput",
    )


def state_after(problem: Problem, days: int, memory_bytes: float) -> tuple[Estimate, float]:
    """How large unbounded state is after some days; and days until it fills the memory."""
    path = problem.today.paths[0]
    engine, state = problem.engine(path.engine), problem.work.state
    assert state is not None
    held = evaluate(design(problem, path), horizon_days=days)
    each = state_model.entry_bytes(state, engine)
    entries = held.state_local_bytes / each
    full = state_model.full_after_days(
        _endless(state), problem.work.events_per_day, engine, memory_bytes, 3_650
    )
    return (
        Estimate(
            f"It started with {words.count(state.keys)} keys and gets "
            f"{words.count(state.new_keys_per_day)} new ones a day. A key takes "
            f"{words.size(each)} with its index, and none is ever dropped. "
            f"How large is the state after {days} days (one copy)?",
            Drawn(
                {},
                held.state_local_bytes / 1e9,
                "GB",
                WITHIN,
                f"{words.count(entries)} keys x {words.size(each)}",
            ),
            "size-of-state",
        ),
        full or 3_650.0,
    )


def _endless(state: State) -> State:
    return replace(state, watermark_seconds=None)
