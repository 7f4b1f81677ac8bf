"""The micro-batch exercise's truths against loops that are run event by event and batch by batch,
and against the model; and what a rule on one number earns."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tradeoff.checks import authoring, micro_batch
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import judge, sheet
from tradeoff.checks.record import answers, copies
from tradeoff.model import Cadence, evaluate
from tradeoff.scenarios import triggers

NAME = "micro_batch"
SEEDS = ("public", "2026")

DAY = 86_400.0


def run_loop(
    interval_seconds: float | None,
    overhead_seconds: float,
    seconds_per_event: float,
    events_per_second: float,
    batches: int = 400,
) -> list[tuple[float, float]]:
    """(start, end) of each batch; batch n holds what arrived since batch n - 1 was started."""
    ran, start, before = [], 0.0, -(interval_seconds or 0.0)
    for _ in range(batches):
        held = (start - before) * events_per_second
        end = start + overhead_seconds + held * seconds_per_event
        ran.append((start, end))
        before, start = start, max(end, start + (interval_seconds or 0.0))
    return ran


def ages(ran: list[tuple[float, float]], places: int = 400) -> np.ndarray:
    """How old events are when their batch ends, of events that arrive evenly in one period."""
    (before, _), (start, end) = ran[-2:]
    arrived = before + (start - before) * (np.arange(places) + 0.5) / places
    return end - arrived


@pytest.mark.parametrize("seed", SEEDS)
def test_latencies_are_those_of_a_loop_that_runs(seed: str) -> None:
    for case in sheet(NAME, "latencies", seed).cases:
        ran = run_loop(**case.arguments)
        if case.truth is None:
            took = [end - start for start, end in ran]
            assert all(later > earlier for earlier, later in zip(took, took[1:], strict=False))
            continue
        found = ages(ran)
        assert median(found) == pytest.approx(case.truth["p50_seconds"], rel=0.003)
        assert max(found) == pytest.approx(case.truth["worst_seconds"], rel=0.003)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pool_is_paid_for_what_a_running_loop_is_busy(seed: str) -> None:
    for case in sheet(NAME, "cost_per_day", seed).cases:
        loop = {key: case.arguments[key] for key in case.arguments if "second" in key}
        full = case.arguments["nodes"] * case.arguments["usd_per_node_hour"]
        share = 1.0
        if case.arguments["billing"] == "busy seconds":
            ran = run_loop(**loop)
            (start, end), (following, _) = ran[-2:]
            share = (end - start) / (following - start)
        assert case.truth == pytest.approx(24 * full * share, rel=0.003)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chosen_trigger_serves_and_no_larger_one_does(seed: str) -> None:
    for case in sheet(NAME, "choose_trigger", seed).cases:
        given = case.arguments
        batch = given["overhead_seconds"], given["seconds_per_event"]
        rate = max(given["events_per_hour"]) / 3_600
        limit = given["tolerance_seconds"]
        for interval in given["intervals"]:
            worst = max(ages(run_loop(interval, *batch, rate)))
            assert abs(worst / limit - 1) > 0.02
            if case.truth is None or interval > case.truth:
                assert worst > limit
            elif interval == case.truth:
                assert worst < limit


@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_rhythm_is_the_slowest_that_serves(seed: str) -> None:
    for case in sheet(NAME, "right_rhythm", seed).cases:
        facts = case.arguments["situation"]
        snapshot = facts["state_bytes"] / facts["snapshot_bytes_per_second"]
        batch = (
            facts["overhead_seconds"] + snapshot,
            facts["seconds_per_event"],
            facts["events_per_second"],
        )
        need = facts["freshness_seconds"]
        hourly = max(ages(run_loop(3_600.0, *batch)))
        fastest = max(ages(run_loop(None, *batch)))
        assert min(abs(hourly / need - 1), abs(fastest / need - 1)) > 0.02
        rhythm = "hourly batch" if hourly <= need else "micro-batch"
        assert case.truth == (rhythm if fastest <= need else "streaming")


@pytest.mark.parametrize("seed", SEEDS)
def test_logs_hold_together(seed: str) -> None:
    seen = {"lost": 0, "counted_twice": 0, "mailed_twice": 0, "nothing": 0}
    for case in sheet(NAME, "replayed", seed).cases:
        log = case.arguments["log"]
        rows = log.to_dict("records")
        for row, following in zip(rows, rows[1:], strict=False):
            resumes = row["last_order"] + 1 if row["offset_saved"] else row["first_order"]
            assert following["first_order"] == resumes
            assert row["mailed"] <= row["last_order"] - row["first_order"] + 1
        assert rows[-1]["result_written"]
        assert rows[-1]["offset_saved"]
        times = pd.Series(0, index=range(rows[0]["first_order"], log["last_order"].max() + 1))
        mails = times.copy()
        for row in rows:
            times.loc[row["first_order"] : row["last_order"]] += row["result_written"]
            mails.loc[row["first_order"] : row["first_order"] + row["mailed"] - 1] += 1
        assert case.truth["lost"] == times.index[times == 0].tolist()
        assert case.truth["counted_twice"] == times.index[times > 1].tolist()
        twice = mails.index[mails > 1].tolist()
        keyed = case.arguments["mail_sink"] == "keyed"
        assert case.truth["mailed_twice"] == ([] if keyed else twice)
        for name, orders in case.truth.items():
            seen[name] += bool(orders)
        seen["nothing"] += not any(case.truth.values())
    assert min(seen.values()) >= 2, seen


def test_the_task_speaks_of_the_model_s_loop() -> None:
    """The busiest hour of the model's pipeline is the task's: same period, same run."""
    for every in ("2 s", "30 s", "4 min"):
        design = triggers.pipeline(86.4e6, "1 min").but(cadence=Cadence.every(every))
        found, work = evaluate(design), design.workload
        each = work.work_per_event / design.engine.events_per_second_per_slot
        each /= design.engine.slots_per_node * design.nodes
        rate = max(work.curve) * work.events_per_day / DAY
        interval = float(pd.Timedelta(every).total_seconds())
        ran = run_loop(interval, design.engine.overhead_seconds, each, rate)
        assert max(ages(ran)) == pytest.approx(found.latency_worst_seconds, rel=0.01)


def numbers(arguments: dict[str, Any]) -> dict[str, float]:
    """Every number and word a rule could look at, one at a time."""
    found: dict[str, float] = {}
    for name, value in {**arguments, **arguments.get("situation", {})}.items():
        if isinstance(value, str):
            found[name] = float(sum(map(ord, value)))
        elif isinstance(value, int | float) or value is None:
            found[name] = -1.0 if value is None else float(value)
        elif isinstance(value, list):
            found |= {f"most {name}": max(value), f"least {name}": min(value)}
        elif isinstance(value, pd.DataFrame):
            for column in value:
                found |= {f"mean {column}": value[column].mean(), f"all {column}": len(value)}
    return found


def best_rule(behaviour: str, column: str) -> Callable[..., Any]:
    """Two answers, one on each side of the threshold that is right most often on three seeds."""
    cases = [case for seed in ("a", "b", "c") for case in sheet(NAME, behaviour, seed).cases]
    values = np.array([numbers(case.arguments)[column] for case in cases])
    truths = [str(case.truth) for case in cases]
    labels = {str(case.truth): case.truth for case in cases}
    common = sorted(labels, key=truths.count)[-6:]
    best: tuple[float, float, str, str] = (-1.0, 0.0, "", "")
    for threshold in np.unique(np.quantile(values, np.linspace(0, 0.97, 40))):
        above = values > threshold
        for low in common:
            for high in common:
                right = np.mean(np.where(above, high, low) == truths)
                best = max(best, (float(right), float(threshold), low, high))
    _, threshold, low, high = best
    return lambda **given: labels[high if numbers(given)[column] > threshold else low]


@pytest.mark.parametrize("behaviour", [each.name for each in find(NAME).behaviours])
def test_a_rule_on_one_number_earns_little(behaviour: str) -> None:
    asked = sheet(NAME, behaviour, "2026")
    for column in numbers(asked.cases[0].arguments):
        rule = best_rule(behaviour, column)
        given = list(answers(rule, copies(case.arguments for case in asked.cases)))
        assert judge(asked, given).score < 0.4, column


def test_the_tolerances_are_those_the_tasks_state() -> None:
    assert micro_batch.TOLERANCE == 0.02
    case = next(case for case in sheet(NAME, "latencies", "public").cases if case.truth)
    for factor, right in ((1.019, True), (0.981, True), (1.021, False), (0.979, False)):
        near = {name: value * factor for name, value in case.truth.items()}
        assert micro_batch._latencies_verdict(case, near).right is right


# --- what the notebook says -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def solved() -> dict[str, Any]:
    root = Path(__file__).resolve().parents[1]
    return authoring.functions(authoring.Draft(NAME, root).notebook("solutions"))


def test_worked_examples(solved: dict[str, Any]) -> None:
    latencies, cost = solved["latencies"], solved["cost_per_day"]
    assert latencies(60, 5, 0.001, 500) == pytest.approx({"p50_seconds": 65, "worst_seconds": 95})
    assert latencies(2, 5, 0.001, 500) == pytest.approx({"p50_seconds": 15, "worst_seconds": 20})
    assert latencies(60, 5, 0.001, 2_000) is None
    for interval, billing, usd in (
        (60, "always on", 1_152),
        (60, "busy seconds", 672),
        (2, "busy seconds", 1_152),
        (None, "busy seconds", 1_152),
    ):
        assert cost(interval, 5, 0.001, 500, 4, 12, billing) == pytest.approx(usd)
    choose, events = solved["choose_trigger"], [1_000] * 23 + [360_000]
    assert choose(300, [30.0, 300.0, 240.0], 5, 0.001, events) == 240.0
    assert choose(10, [2.0, 9.0], 5, 0.001, events) is None
    assert latencies(300, 5, 0.001, 100)["worst_seconds"] == pytest.approx(335)
    assert latencies(240, 5, 0.001, 100)["worst_seconds"] == pytest.approx(269)
    assert latencies(2, 5, 0.001, 100)["worst_seconds"] == pytest.approx(2 * 5.6, rel=0.01)
    facts = {"overhead_seconds": 5, "seconds_per_event": 0.001, "events_per_second": 500}
    facts |= {"state_bytes": 0, "snapshot_bytes_per_second": 1e9}
    rhythms = {7_200: "hourly batch", 3_600: "micro-batch", 10: "streaming"}
    for need, rhythm in rhythms.items():
        assert solved["right_rhythm"](facts | {"freshness_seconds": need}) == rhythm
    large = facts | {"state_bytes": 10e9, "freshness_seconds": 30}
    assert solved["right_rhythm"](large) == "streaming"
    assert solved["right_rhythm"](large | {"state_bytes": 0}) == "micro-batch"
    log = pd.DataFrame(
        {
            "attempt": [1, 2, 3],
            "first_order": [1, 4, 4],
            "last_order": [3, 7, 8],
            "mailed": [3, 2, 5],
            "result_written": [True, False, True],
            "offset_saved": [True, False, True],
        }
    )
    assert solved["replayed"](log, "appends")["mailed_twice"] == [4, 5]
    assert not any(solved["replayed"](log, "keyed").values())
    doubled = log.assign(result_written=True)
    assert solved["replayed"](doubled, "keyed")["counted_twice"] == [4, 5, 6, 7]
    lost = log.assign(offset_saved=True, first_order=[1, 4, 8], mailed=[3, 2, 1])
    assert solved["replayed"](lost, "keyed")["lost"] == [4, 5, 6, 7]


def test_figures_of_the_written_answers() -> None:
    """Run whole: its own cells compute what its written answers say."""
    root = Path(__file__).resolve().parents[1]
    book = authoring.Draft(NAME, root).notebook("solutions")
    space: dict[str, Any] = {}
    for cell in book.cells:
        if cell.cell_type == "code" and not cell.id.startswith("check-"):
            exec(cell.source, space)
    batch, offered = space["batch"], space["offered"]
    busiest = max(space["events_per_hour"]) / 3_600
    assert space["chosen"] == 240.0
    ages = space["latencies"](240.0, events_per_second=busiest, **batch)
    assert round(ages["worst_seconds"]) == 247
    assert round(ages["p50_seconds"]) == 127
    assert space["latencies"](30.0, events_per_second=busiest, **batch)["worst_seconds"] < 300
    assert min(offered) == 30.0

    def bill(every: float | None, price: float, billing: str) -> int:
        return round(
            space["cost_per_day"](
                every, **space["mean"], nodes=4, usd_per_node_hour=price, billing=billing
            )
        )

    assert bill(240.0, 13.20, "busy seconds") == 37
    assert bill(30.0, 13.20, "busy seconds") == 296
    assert bill(240.0, 12.0, "always on") == bill(30.0, 12.0, "always on") == 1_152
    assert bill(0.2, 13.20, "busy seconds") == 1_267
    assert round(space["latencies"](0.2, **space["mean"])["worst_seconds"]) == 14
    assert space["replayed"](space["night"], "appends")["mailed_twice"] == [5, 6, 7, 8, 9]
    assert not space["replayed"](space["night"], "appends")["lost"]
    words = " ".join(cell.source for cell in book.cells if cell.id.startswith("answer-"))
    for figure in ("247 s", "127 s", "37", "296 dollars", "1,152", "1,267", "14 s", "5 to 9"):
        assert figure in words
