"""What the interviewer knows of a pipeline: the facts that every case has, out of its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from tradeoff.interview.mocks.truth.board import Path, design, evaluated
from tradeoff.interview.mocks.truth.case import NOT_KNOWN, Fact
from tradeoff.interview.mocks.truth.estimates import fixed_and_rate, today, usd, usd_parts
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.model import Billing, Consumer, engine, words
from tradeoff.model.stages import stage_seconds

# What the platform's engines are called, and what billing means.
CALLED = {
    "spark_ephemeral": "Spark on a cluster that is started for each run",
    "spark_warm": "Spark on a warm pool, paid by the busy second",
    "spark_streaming": "Spark micro-batches on a cluster that is always on",
    "flink": "Flink, event by event, on a cluster that is always on",
}

# Stems by which a question in free words is told; one with a space at its end is a whole word.
WORDS: Mapping[str, tuple[str, ...]] = {
    "volume": ("volume", "throughput", "peak", "rate", "traffic", "load"),
    "readers": (
        *("reads ", "consumer", "reader", "user", "stakeholder", "dashboard", "uses "),
        *("fresh", "latency", "stale", "old", "tier", "deadline", "sla", "target"),
    ),
    "today": ("current", "cadence", "schedul", "interval", "trigger", "frequen", "node", "cluster"),
    "reads": ("increment", "full", "reread", "filter", "everything"),
    "stages": ("stage", "slow", "bottleneck", "transform", "write", "reading", "profile"),
    "cost": ("cost", "bill", "price", "dollar", "usd", "pay", "paid", "expens"),
    "budget": ("budget", "afford", "allow", "approv"),
    "window": ("window", "overnight", "night"),
    "state": ("state", "key", "remember", "join", "memory", "cardinality", "dedup", "forget"),
    "late": ("late ", "later ", "lateness", "disorder", "watermark", "ttl"),
    "sink": (
        *("sink", "effect", "idempoten", "exactly", "once ", "twice", "duplicate", "replay"),
        *("restart", "repeat", "rerun", "retr", "crash", "fail"),
    ),
    "platform": ("platform", "engine", "offer", "tool", "kafka", "flink", "spark", "team", "skill"),
    "history": ("history", "symptom", "problem", "wrong", "incident", "complain"),
    "value": ("value", "worth", "revenue", "loss", "business", "impact"),
    "forecast": ("forecast", "grow", "future", "expect"),
    "schema": ("schema", "evolution", "column", "contract", "quality"),
}
# What is said in questions of other things, too.
HINTS: Mapping[str, tuple[str, ...]] = {
    "volume": ("event", "row", "data", "many "),
    "readers": ("need", "share", "result"),
    "today": ("today", "now ", "run", "often ", "long ", "pipeline"),
    "reads": ("read", "query", "new ", "only ", "source"),
    "stages": ("spen", "time "),
    "cost": ("spen",),
    "budget": ("limit", "may "),
    "window": ("fit",),
    "late": ("order", "arriv", "delay"),
    "history": ("chang", "since", "happen"),
    "value": ("minute", "delay"),
    "forecast": ("next", "year"),
}


def facts(
    problem: Problem,
    things: str,
    history: str,
    *,
    value: str = "",
    sink: str = "Its table is overwritten by key or partition: a rerun changes nothing.",
    logic: str = "",
) -> tuple[Fact, ...]:
    """The facts of a case.

    Parameters
    ----------
    things : what an event is called, in the plural.
    history : what has happened lately. value : what lateness costs; "" where nobody knows.
    sink : what a rerun does. logic : what the transform remembers, said before its figures.
    """
    path, found = problem.today.paths[0], today(problem)
    board = evaluated(problem, problem.today)
    work = problem.work
    compute, people, state = usd_parts(
        board.usd_per_day,
        found.compute_usd_per_day,
        found.operations_usd_per_day,
        found.state_usd_per_day,
    )
    told = {
        "volume": (
            f"How many {things} are there, and at the peak?",
            f"{words.count(work.events_per_day)} {things} a day, about "
            f"{words.size(work.bytes_per_event)} each. The busiest hour carries "
            f"{work.peak_factor:.2g} times the mean.",
        ),
        "readers": (
            "Who reads the result, and how fresh must it be for each?",
            " ".join(reader(one) for one in problem.consumers),
        ),
        "today": ("How does it run today?", _runs(problem, path)),
        "history": ("What has changed, and what is seen?", history),
        "cost": (
            "What does it cost?",
            f"{usd(board.usd_per_day)} a day: {compute} for "
            f"{words.count(found.node_hours_per_day)} node-hours, {people} for people's time"
            + (f", {state} for its state" if found.state_usd_per_day >= 1 else "")
            + ".",
        ),
        "budget": (
            "What is the budget?",
            f"Up to {usd(problem.budget_usd_per_day)} a day, all paths together. "
            "Beyond that somebody has to be asked, and will say no.",
        ),
        "reads": ("Does a run read only what is new?", _reads(problem, path, things)),
        "stages": ("Where does a run spend its time?", _stages(problem, path)),
        "state": ("What does it remember between events?", _state(problem, path, logic)),
        "late": (
            "How late can events come?",
            f"Up to {words.duration(problem.late_seconds)} late, and those must count."
            if problem.late_seconds is not None
            else f"They come in order, within seconds. Late {things} are not an issue here.",
        ),
        "sink": ("What happens when a run fails and is repeated?", sink),
        "platform": ("What does the platform offer?", _platform(problem)),
    }
    if problem.run_window_hours is not None:
        hours = f"{problem.run_window_hours:g} h"
        told["window"] = (
            "Is there a run window?",
            f"A daily run may take {hours}: then others need the machines. Shorter runs through "
            "the day start clusters of their own and are not bound by it.",
        )
    # Orders are events in one case, and out of order in another.
    called = tuple(word.rstrip("s") for word in things.split())
    hints = {**HINTS, "volume": (*HINTS["volume"], *called)}
    known = [
        Fact(key, asks, WORDS[key], says, hints=hints.get(key, ()))
        for key, (asks, says) in told.items()
    ]
    unknown = {
        "value": ("What is a minute of latency worth?", value),
        "forecast": ("How will the volume grow?", ""),
        "schema": ("How often does the schema change?", ""),
    }
    known += [
        Fact(key, asks, WORDS[key], says or NOT_KNOWN, bool(says), hints.get(key, ()))
        for key, (asks, says) in unknown.items()
    ]
    return tuple(known)


def reader(one: Consumer) -> str:
    """A consumer and its need."""
    needs = []
    if one.deadline_hour is not None:
        needs.append(f"all of yesterday by {words.clock(one.deadline_hour)}")
    else:
        needs.append(f"each event within {words.duration(one.freshness_seconds or 0)}")
    share = "" if one.share == 1 else f" and reads {one.share:.0%} of the events"
    return f"{one.name[:1].upper()}{one.name[1:]}: needs {' and '.join(needs)}{share}."


def _runs(problem: Problem, path: Path) -> str:
    found = today(problem)
    nodes = f"{path.nodes} node{'s' if path.nodes > 1 else ''}"
    where = f"{CALLED[path.engine]}, {nodes}"
    if path.interval_seconds is None:
        return f"{where}. It is busy {found.utilisation_peak:.0%} of the time at its peak."
    every = "once a day" if path.interval_seconds >= 86_400 else ""
    every = every or f"every {words.duration(path.interval_seconds)}"
    at = f" from {problem.start_hour}:00" if path.interval_seconds >= 86_400 else ""
    longest = words.duration(found.run_longest_seconds)
    typical = words.duration(found.run_mean_seconds)
    took = f"takes {typical}" if longest == typical else f"takes {typical}, at the peak {longest}"
    return f"{where}. It runs {every}{at}, and a run {took}."


def _reads(problem: Problem, path: Path, things: str) -> str:
    fixed, rate = fixed_and_rate(problem, path)
    if path.interval_seconds is None:
        return f"It is a stream: each of the {things} is read once, as it comes."
    said = (
        f"Yes. {words.duration(fixed)} of a run do not change with volume"
        if path.incremental
        else f"No: each run reads a whole day of {things}, however often it runs. "
        f"{words.duration(fixed)} of it do not change with volume"
    )
    if not path.incremental:
        fresh, _ = fixed_and_rate(problem, path.but(incremental=True))
        said += f"; a run that reads only what is new would keep {words.duration(fresh)} of that"
    return f"{said}. The rest goes at {words.count(rate)} {things} a second."


def _stages(problem: Problem, path: Path) -> str:
    if path.interval_seconds is None:
        return "It reads, works and writes at the same time; the work is the slowest of the three."
    found = today(problem)
    parts = stage_seconds(design(problem, path), found.rows_read_per_run)
    whole = sum(parts.values())
    # The model counts what volume does not change as transform; more nodes do not shorten it.
    fixed, _ = fixed_and_rate(problem, path)
    shares = {"start-up and fixed work": fixed, **parts, "transform": parts["transform"] - fixed}
    said = [f"{100 * took / whole:.0f} % in {name}" for name, took in shares.items() if took]
    others = "" if parts["read"] or parts["write"] else "; reading and writing hardly count"
    return f"Of a typical run {', '.join(said)}{others}. Only the transform is shared among nodes."


def _state(problem: Problem, path: Path, logic: str) -> str:
    state = problem.work.state
    if state is None:
        return logic or "Nothing that outlives a run: a join with a reference table, and counts."
    grows = f", {words.count(state.new_keys_per_day)} new a day" if state.new_keys_per_day else ""
    window = words.duration(state.window_seconds) if state.window_seconds else "no window"
    kept = (
        f"the watermark is {words.duration(path.watermark_seconds)}"
        if path.watermark_seconds is not None
        else "there is no watermark and no time to live: nothing is ever dropped"
    )
    if path.rhythm == "batch":
        kept = "a batch keeps none of it between runs"
    each = words.size(state.values_per_key * state.bytes_per_value)
    return (
        f"{logic} {words.count(state.keys)} keys{grows}, {each} of values for each. The logic "
        f"looks back {window}; {kept}."
    ).strip()


def _platform(problem: Problem) -> str:
    said = []
    for name in problem.engines:
        made = engine(name)
        own = []
        if made.start_up_seconds >= 60:
            own.append(f"{words.duration(made.start_up_seconds)} to start")
        if made.overhead_seconds:
            own.append(f"{words.duration(made.overhead_seconds)} of overhead a batch")
        if made.latency_floor_seconds:
            own.append(f"{words.duration(made.latency_floor_seconds)} at least an event")
        if made.minimum_nodes > 1:
            own.append(f"{made.minimum_nodes:g} nodes at least")
        if made.billing is not Billing.EPHEMERAL or made.node_usd_per_hour:
            own.append(f"{made.node_usd_per_hour:.3g} USD a node-hour")
        said.append(f"{CALLED[name]} ({', '.join(own)})")
    return "; ".join(said) + "."
