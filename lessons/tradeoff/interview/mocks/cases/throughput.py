"""Cases whose work does not fit the time it has."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.mocks.cases.sizes import millions, round_usd, sized_work
from tradeoff.interview.mocks.truth import estimates
from tradeoff.interview.mocks.truth.board import Path, Sketch, evaluated
from tradeoff.interview.mocks.truth.case import Case, case
from tradeoff.interview.mocks.truth.facts import facts
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.model import Consumer, cluster, words, workload
from tradeoff.scenarios import orders

MENU = ("spark_ephemeral", "spark_streaming", "flink")


@case("logistics", "throughput", "incremental, more often")
def closing_logistics(rng: np.random.Generator) -> Case:
    """The course's closing case: routes for the morning, at some 80 M events."""
    work = workload("routes").at(millions(rng, 74, 84))
    dispatch = Consumer("dispatch", 4, deadline_hour=6.0)
    finance = Consumer("finance", 4)
    path = Path(
        "spark_ephemeral",
        "batch",
        86_400.0,
        cluster("routes"),
        ("dispatch", "finance"),
        incremental=False,
    )
    problem = Problem(
        work,
        (dispatch, finance),
        Sketch((path,)),
        MENU,
        1e9,
        start_hour=orders.START_HOUR,
        run_window_hours=orders.RUN_WINDOW_HOURS,
    )
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(1.4 * bill))
    then = estimates.today(problem.but(events_per_day=18e6))
    now = estimates.today(problem)
    return Case(
        "A delivery company plans tomorrow's routes in a nightly batch. The company grew. Routes "
        "are not there when drivers leave, and the bill has tripled in a year. Product proposes "
        "to move everything to Kafka and Flink. You are asked to redesign it without that.",
        problem,
        facts(
            problem,
            "delivery events",
            f"Two years ago it was 18 M events and {words.duration(then.run_mean_seconds)} a "
            f"night; now a run takes {words.duration(now.run_mean_seconds)}. The code is the "
            "same. On call is paged most mornings.",
            logic="Nothing: a run joins a day of events with the map and the vehicles.",
        ),
        (
            estimates.run_length(problem, "events"),
            estimates.bill(problem),
            estimates.oldest(problem, "an event"),
        ),
        ("volume", "readers", "reads", "window", "budget"),
        ("diagnosis", "smallest-change", "frontier"),
        f"A night's {words.count(work.events_per_day)} events take "
        f"{words.duration(now.run_mean_seconds)} and the window is 7 h: throughput per run fails, "
        "not the latency that anybody asked for.",
        (
            "Operations now ask for a view that is ten minutes old at most. Does your design go "
            "to the bin?",
            "No. Operations get a path of their own (micro-batches from the change stream), both "
            "feed one curated family of events, and the routes stay as they are: a path a tier.",
        ),
    )


@case("energy", "throughput", "incremental")
def energy_meters(rng: np.random.Generator) -> Case:
    """An hourly job that reads the whole day each time, and no longer fits its hour."""
    work = sized_work(
        "meters",
        millions(rng, 30, 90),
        rng.uniform(1.5, 2.5),
        read_hours=rng.uniform(0.7, 0.9),
        write_hours=rng.uniform(0.1, 0.15),
        peak_factor=float(rng.choice([1.4, 1.5, 1.6])),
        fixed_seconds=float(rng.integers(4, 9)) * 60,
        fixed_seconds_incremental=float(rng.integers(10, 40)),
        bytes_per_event=200.0,
    )
    desk = Consumer("the grid desk", 3, float(rng.choice([96, 99, 102])) * 60)
    billing = Consumer("billing", 4)
    nodes = int(rng.integers(3, 6))
    path = Path(
        "spark_ephemeral",
        "batch",
        3_600.0,
        nodes,
        ("the grid desk", "billing"),
        incremental=False,
    )
    problem = Problem(work, (desk, billing), Sketch((path,)), MENU, 1e9)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(bill))
    now = estimates.today(problem)
    return Case(
        "A grid operator collects meter readings. An hourly job turns them into load by district. "
        "Since spring it is never done when the next run is due. The team wants a cluster twice "
        "as large, or Flink. What do you do?",
        problem,
        facts(
            problem,
            "meter readings",
            "Meters were rolled out to a new region in spring. Since then runs pile up, and the "
            "desk sees load that is older every hour.",
            logic="Nothing: a run sums readings by district and quarter of an hour.",
        ),
        (
            estimates.run_length(problem, "readings"),
            estimates.bill(problem),
            estimates.peak_rate(work, "readings"),
        ),
        ("readers", "reads", "stages", "today"),
        ("diagnosis", "smallest-change"),
        f"Each hourly run reads a whole day and takes {words.duration(now.run_mean_seconds)}: more "
        "than its hour. Reading alone takes most of it, so nodes do not help: throughput fails.",
        (
            "The vendor says: twice the nodes, half the time. Why not simply that?",
            "Only the transform is shared among nodes. Reading a day stays as long as it is, "
            "so no number of nodes brings the run below the hour at that budget.",
        ),
    )


@case("video", "throughput", "more nodes")
def video_viewing(rng: np.random.Generator) -> Case:
    """A half-hourly job that fits but for the evening."""
    peak = float(rng.choice([2.8, 3.0, 3.2]))
    nodes = int(rng.integers(2, 4))
    # At the peak the transform alone keeps today's nodes busy for this share of the time.
    load = rng.uniform(1.3, 1.45)
    work = sized_work(
        "viewing",
        millions(rng, 150, 400),
        24 * nodes * load / peak,
        peak_factor=peak,
        fixed_seconds=float(rng.integers(5, 15)) * 60,
        fixed_seconds_incremental=float(rng.integers(20, 60)),
        bytes_per_event=300.0,
    )
    content = Consumer("the content team", 3, float(rng.choice([66, 69, 72])) * 60)
    path = Path("spark_ephemeral", "batch", 1_800.0, nodes, ("the content team",))
    problem = Problem(work, (content,), Sketch((path,)), MENU, 1e9)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(1.7 * bill))
    now = estimates.today(problem)
    return Case(
        "A video service counts what is watched, title by title, every half hour. By day all is "
        "well. Every evening the numbers lag, and they catch up in the night. Somebody "
        "proposes to rebuild it as a stream, because streams have no backlog. What do you say?",
        problem,
        facts(
            problem,
            "viewing events",
            "Nothing was changed. Evenings grew with the new sports rights; mornings did not. "
            "From early evening no run is done when the next is due, and in the night the job is "
            "on time again.",
            logic="Nothing: a run counts views by title.",
        ),
        (
            estimates.peak_rate(work, "events"),
            estimates.busy_share(problem, "events"),
            estimates.bill(problem),
        ),
        ("volume", "readers", "today", "reads", "budget"),
        ("diagnosis", "smallest-change", "latency-and-throughput"),
        f"At the peak a run needs {now.utilisation_peak:.0%} of its half hour: throughput "
        "fails, for some hours of the day. The work is in the transform, and that nodes share.",
        (
            "By day those nodes have little to do. Why pay for the evening around the clock?",
            "One does not: the cluster is started for each run, and more nodes make a run shorter. "
            "What they add is their own start-up, run by run; a schedule that adds them for the "
            "evening saves that, too.",
        ),
    )
