"""Cases whose results are too old for somebody."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.mocks.cases.sizes import millions, round_usd, sized_work
from tradeoff.interview.mocks.truth import estimates
from tradeoff.interview.mocks.truth.board import Path, Sketch, evaluated
from tradeoff.interview.mocks.truth.case import Case, case
from tradeoff.interview.mocks.truth.estimates import usd
from tradeoff.interview.mocks.truth.facts import facts
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.model import Consumer, State, words

MENU = ("spark_ephemeral", "spark_streaming", "flink")


@case("travel", "latency", "more often")
def hotel_prices(rng: np.random.Generator) -> Case:
    """Runs twice or four times a day, for somebody who needs hours, not days."""
    work = sized_work(
        "bookings",
        millions(rng, 8, 30),
        rng.uniform(2.0, 5.0),
        read_hours=rng.uniform(0.2, 0.5),
        fixed_seconds=float(rng.integers(3, 9)) * 60,
        fixed_seconds_incremental=float(rng.integers(10, 40)),
        bytes_per_event=800.0,
    )
    pricing = Consumer("the pricing team", 3, float(rng.choice([102, 105, 108, 111])) * 60)
    path = Path(
        "spark_ephemeral",
        "batch",
        float(rng.choice([6, 8, 12])) * 3_600,
        int(rng.integers(1, 4)),
        ("the pricing team",),
    )
    problem = Problem(work, (pricing,), Sketch((path,)), MENU, 1e9)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(bill + rng.uniform(70, 110)))
    now = estimates.today(problem)
    every = words.duration(path.interval_seconds or 0)
    return Case(
        "A travel site sets hotel prices from its bookings. The bookings table is built by a batch "
        "job, and prices follow demand too late. The new head of product wants real-time prices: "
        "a stream from the booking system into the price engine. Where do you start?",
        problem,
        facts(
            problem,
            "bookings",
            f"Nothing broke. Runs take {words.duration(now.run_mean_seconds)} and succeed. A "
            "competitor changes prices every other hour, and the pricing team now wants to follow.",
            logic="Nothing: bookings are counted by hotel and night.",
        ),
        (
            estimates.oldest(problem, "a booking"),
            estimates.bill(problem),
            estimates.run_length(problem, "bookings"),
        ),
        ("readers", "today", "reads", "budget"),
        ("diagnosis", "smallest-change", "ask-first"),
        f"Runs fit with ease; a booking is up to {words.duration(now.latency_worst_seconds)} old "
        f"because the job runs every {every}. Latency fails, and the cadence alone mends it.",
        (
            "The head of product says: if we change it at all, let us do it right, in real time.",
            "Prices are changed every other hour, so nobody uses what is fresher. A stream's "
            "premium buys nothing until a decision waits for it.",
        ),
    )


@case("insurance", "latency", "split")
def insurance_claims(rng: np.random.Generator) -> Case:
    """A nightly batch for finance, and a desk that needs a small part within minutes."""
    share = float(rng.choice([0.03, 0.04, 0.05, 0.06]))
    work = sized_work(
        "claims",
        millions(rng, 15, 60),
        rng.uniform(32, 44),
        read_hours=rng.uniform(0.3, 0.8),
        write_hours=rng.uniform(0.2, 0.4),
        fixed_seconds=float(rng.integers(5, 12)) * 60,
        fixed_seconds_incremental=float(rng.integers(10, 40)),
        bytes_per_event=1_200.0,
    )
    finance = Consumer("finance", 4, deadline_hour=7.0)
    desk = Consumer("the fraud desk", 2, float(rng.integers(4, 9)) * 60, share=share)
    nodes = int(rng.integers(10, 13))
    path = Path("spark_ephemeral", "batch", 86_400.0, nodes, ("finance", "the fraud desk"))
    problem = Problem(
        work,
        (finance, desk),
        Sketch((path,)),
        MENU,
        1e9,
        start_hour=1,
        run_window_hours=7.0,
    )
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(bill + rng.uniform(330, 400)))
    now = estimates.today(problem)
    return Case(
        "An insurer settles claims. A nightly batch rates every claim event and writes the books. "
        "The fraud desk reads the same table, and finds its cases a day late. The architecture "
        "board has a plan: one streaming pipeline for everybody. You are the reviewer.",
        problem,
        facts(
            problem,
            "claim events",
            "The batch has never missed its deadline. The fraud desk was founded in spring; before "
            "it, finance was the only reader.",
            value="Nobody has put dollars on it. The desk says that after ten minutes the money "
            "is paid out.",
            logic="Nothing that outlives a run: claims are rated one by one and summed.",
        ),
        (
            estimates.oldest(problem, "a claim event"),
            estimates.bill(problem),
            estimates.peak_rate(work.narrowed(share), "fraud-desk events"),
        ),
        ("readers", "today", "budget"),
        ("diagnosis", "smallest-change", "when-micro-batch"),
        f"Finance is served. The fraud desk needs {words.duration(desk.freshness_seconds or 0)} "
        f"and gets {words.duration(now.latency_worst_seconds)}: latency fails, for one of two "
        f"consumers, who reads {share:.0%} of the events.",
        (
            "Two pipelines, twice the trouble. Why not one that is fast enough for both?",
            "It would carry all events at the freshness that only a small part needs. Two paths "
            "fail apart, and each is priced at what its reader needs; both write one family of "
            "tables.",
        ),
    )


@case("food delivery", "latency", "micro-batch")
def food_orders(rng: np.random.Generator) -> Case:
    """Everybody needs minutes, of all events: no batch starts that fast, no stream is needed."""
    work = sized_work(
        "orders",
        millions(rng, 6, 40),
        rng.uniform(4.0, 9.0),
        peak_factor=float(rng.choice([2.4, 2.8, 3.0])),
        fixed_seconds=float(rng.integers(3, 9)) * 60,
        fixed_seconds_incremental=float(rng.integers(2, 8)),
        bytes_per_event=700.0,
    )
    floor = Consumer("the courier desk", 2, float(rng.integers(3, 7)) * 60)
    kitchens = Consumer("kitchen display", 2, float(rng.integers(8, 13)) * 60)
    nodes = int(rng.integers(1, 3))
    names = (floor.name, kitchens.name)
    path = Path("spark_ephemeral", "batch", 3_600.0, nodes, names)
    problem = Problem(work, (floor, kitchens), Sketch((path,)), MENU, 1e9)
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(640, 780)))
    now = estimates.today(problem)
    return Case(
        "A food delivery service shows open orders by district to its courier desk and its "
        "kitchens. The table behind it is built every hour. Couriers wait at the wrong doors. One "
        "engineer wants to run the batch every two minutes, another wants Flink. Your turn.",
        problem,
        facts(
            problem,
            "order events",
            "The service went from one city to many. Dispatching was done by telephone; now it is "
            "done from this table.",
            logic="Nothing: orders are counted by district, and the counts are overwritten.",
        ),
        (
            estimates.oldest(problem, "an order"),
            estimates.peak_rate(work, "events"),
            estimates.bill(problem),
        ),
        ("readers", "platform", "budget", "today"),
        ("when-micro-batch", "trigger", "diagnosis"),
        f"Both desks need minutes and get {words.duration(now.latency_worst_seconds)}: latency "
        "fails for everybody. A cluster that takes minutes to start cannot run every few minutes; "
        "a micro-batch on one that stands can.",
        (
            "Why not event by event, if you pay for an always-on cluster anyway?",
            "Nobody acts within seconds. A micro-batch shares its overhead, reruns from its "
            "checkpoint, and needs fewer nodes than a stream's minimum.",
        ),
    )


@case("payments", "latency", "streaming")
def card_fraud(rng: np.random.Generator) -> Case:
    """A decision within two or three seconds: below what a micro-batch can do."""
    keys = millions(rng, 4, 20)
    work = sized_work(
        "payments",
        millions(rng, 40, 120),
        rng.uniform(2.0, 4.0),
        peak_factor=float(rng.choice([2.0, 2.4])),
        fixed_seconds=120.0,
        fixed_seconds_incremental=float(rng.integers(1, 4)),
        bytes_per_event=400.0,
        state=State(keys, 20.0, 8.0, 3_600.0, 300.0, new_keys_per_day=keys / 400),
    )
    need = float(rng.choice([2.0, 2.5, 3.0]))
    block = Consumer("the payment gate", 1, need)
    every = float(rng.choice([30, 60]))
    path = Path(
        "spark_streaming",
        "micro-batch",
        every,
        int(rng.integers(2, 4)),
        (block.name,),
        watermark_seconds=300.0,
    )
    problem = Problem(work, (block,), Sketch((path,)), MENU, 1e9, late_seconds=300.0)
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(1_900, 2_400)))
    now = estimates.today(problem)
    loss = float(rng.integers(9, 16)) * 1_000
    return Case(
        "A payment provider scores each card payment. Micro-batches write the scores, and the "
        "payment gate looks them up before it lets money go. Fraud gets through. Finance has "
        "heard that streaming is a fashion that costs ten times as much, and asks you for "
        "something cheap.",
        problem,
        facts(
            problem,
            "payments",
            "The gate used to hold payments for a minute. The card schemes now demand an answer "
            f"within {words.duration(need)}. Payments without a score in time are let through.",
            value=f"Fraud that gets through for want of a score costs about {usd(loss)} a day.",
            logic="A rolling hour of features for each card.",
        ),
        (
            estimates.oldest(problem, "a payment"),
            estimates.peak_rate(work, "payments"),
            estimates.bill(problem),
        ),
        ("readers", "value", "platform", "budget", "state"),
        ("when-micro-batch", "value-of-latency", "premium"),
        f"The gate needs {words.duration(need)} and gets "
        f"{words.duration(now.latency_worst_seconds)}: latency fails. A micro-batch's own "
        "overhead is longer than the need, so no trigger does it; and the latency has a value of "
        f"{usd(loss)} a day.",
        (
            "Finance asks: is a trigger of one second not good enough?",
            "A batch's overhead alone takes seconds, so the loop would run without a pause and "
            "still be late. Only an engine that handles each event as it comes gets below it.",
        ),
    )
