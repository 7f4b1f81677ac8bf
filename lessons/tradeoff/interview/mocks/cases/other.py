"""Cases of state and cost, and those in which none of the four dimensions fails."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.mocks.cases.sizes import millions, round_usd, sized_work
from tradeoff.interview.mocks.truth import estimates
from tradeoff.interview.mocks.truth.board import Path, Sketch, evaluated
from tradeoff.interview.mocks.truth.case import Case, Unsuitable, case
from tradeoff.interview.mocks.truth.estimates import usd
from tradeoff.interview.mocks.truth.facts import facts
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.model import Consumer, State, engine, words

MENU = ("spark_ephemeral", "spark_streaming", "flink")


@case("advertising", "state", "bound the state")
def ad_clicks(rng: np.random.Generator) -> Case:
    """Deduplication that never forgets a click."""
    late = float(rng.choice([1, 2, 6])) * 3_600
    clicks = millions(rng, 120, 400)
    new = clicks * rng.uniform(0.3, 0.6)
    window = 3_600.0
    work = sized_work(
        "clicks",
        clicks,
        rng.uniform(8, 16),
        peak_factor=2.2,
        fixed_seconds=300.0,
        fixed_seconds_incremental=float(rng.integers(2, 6)),
        bytes_per_event=300.0,
        state=State(
            new,
            1.0,
            float(rng.choice([50, 80, 100])),
            window,
            None,
            new_keys_per_day=float(f"{new:.2g}"),
        ),
    )
    bidding = Consumer("campaign control", 2, float(rng.integers(3, 6)) * 60)
    path = Path(
        "spark_streaming", "micro-batch", 60.0, int(rng.integers(3, 5)), ("campaign control",)
    )
    problem = Problem(work, (bidding,), Sketch((path,)), MENU, 1e9, late_seconds=late)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(1.25 * bill))
    memory = path.nodes * engine("spark_streaming").state_bytes_per_node
    first, full = estimates.state_after(problem, 30, memory)
    if not 10 <= full <= 120:
        raise Unsuitable("it fills too soon or too late for the story")
    return Case(
        "An ad exchange counts clicks once: micro-batches drop those that were seen already. Every "
        "few weeks the job runs out of memory, and the team restarts it with an empty state. They "
        "ask for nodes with twice the memory. One of them suggests Flink, which keeps its state on "
        "disk. What would you do?",
        problem,
        facts(
            problem,
            "clicks",
            f"It dies about every {words.duration(full * 86_400)}. Just after a restart clicks "
            "are counted twice for a while. Traffic is flat.",
            logic="An identifier for each click that was seen, to drop its repeats. Repeats come "
            "within an hour of the first.",
        ),
        (
            first,
            estimates.peak_rate(work, "clicks"),
            estimates.bill(problem),
        ),
        ("state", "late", "readers"),
        ("size-of-state", "watermark", "diagnosis"),
        f"Keys come every day and none is ever dropped: after 30 days there are "
        f"{first.drawn.answer:,.0f} GB, and what the cluster holds is full after "
        f"{full:.0f} days. State fails; latency and throughput are fine.",
        (
            "Memory is cheap. Why not nodes with twice as much?",
            "Twice the memory is full after about twice the days: state without a bound outgrows "
            "any cluster. A bound ends the growth.",
        ),
    )


@case("ticketing", "cost", "less often")
def ticket_sales(rng: np.random.Generator) -> Case:
    """A trigger far below what the reader tolerates, on nodes paid by the busy second."""
    work = sized_work(
        "tickets",
        millions(rng, 1, 4),
        rng.uniform(0.3, 1.2),
        peak_factor=2.2,
        fixed_seconds=120.0,
        fixed_seconds_incremental=float(rng.integers(2, 6)),
    )
    need = float(rng.choice([5, 6, 8, 10])) * 60
    sales = Consumer("the sales desk", 2, need)
    every = float(rng.choice([20, 30]))
    path = Path("spark_warm", "micro-batch", every, 1, ("the sales desk",))
    menu = ("spark_ephemeral", "spark_warm", "spark_streaming", "flink")
    problem = Problem(work, (sales,), Sketch((path,)), menu, 1e9)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(0.4, 0.5) * bill))
    now = estimates.today(problem)
    return Case(
        "A ticket shop shows its sales desk what is left of each event. It works. The desk is "
        "happy, nobody is paged, and the bill is the highest of all pipelines of that size. The "
        "platform team wants it down. A colleague says: nightly batch, it is only a dashboard. "
        "And you?",
        problem,
        facts(
            problem,
            "sales",
            "It was built for the opening night of a festival and then kept. The trigger was set "
            f"to {words.duration(every)} because lower sounded better.",
            logic="Nothing: seats are counted by event and overwritten.",
        ),
        (
            estimates.busy_share(problem, "sales"),
            estimates.bill(problem),
            estimates.peak_rate(work, "sales"),
        ),
        ("readers", "budget", "today", "cost"),
        ("trigger", "premium", "diagnosis"),
        f"Everybody is served, at {usd(now.cost_usd_per_day)} a day where "
        f"{usd(problem.budget_usd_per_day)} are allowed: cost fails. The desk tolerates "
        f"{words.duration(need)}, and each run pays its overhead anew.",
        (
            "Somebody on the desk says: we had it every half minute, do not take that away.",
            f"They named {words.duration(need)} as what they act on. Below it more runs buy "
            "nothing, and each pays its overhead: the half minute costs "
            f"{usd(now.cost_usd_per_day)} a day.",
        ),
    )


@case("agriculture", "cost", "batch")
def soil_sensors(rng: np.random.Generator) -> Case:
    """A stream whose results are read a few times a day."""
    work = sized_work(
        "readings",
        millions(rng, 20, 90),
        rng.uniform(2.0, 5.0),
        peak_factor=1.3,
        fixed_seconds=float(rng.integers(3, 7)) * 60,
        fixed_seconds_incremental=float(rng.integers(10, 40)),
        bytes_per_event=150.0,
    )
    agronomy = Consumer("agronomy", 4, float(rng.choice([9, 10, 12])) * 3_600)
    water = Consumer("the water desk", 4, float(rng.choice([5, 6])) * 3_600)
    path = Path("flink", "streaming", None, int(rng.integers(3, 5)), ("agronomy", "the water desk"))
    problem = Problem(work, (agronomy, water), Sketch((path,)), MENU, 1e9)
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(170, 220)))
    now = estimates.today(problem)
    return Case(
        "A farming cooperative streams readings of soil sensors through Flink into a table. It was "
        "built by a team that has left. It runs well. The new management asks what it is for, and "
        "why it costs what it costs. You have one week.",
        problem,
        facts(
            problem,
            "readings",
            "It has run for two years without an incident. Pumps are set by hand, in the morning "
            "and in the evening.",
            value="Nothing below some hours: water is switched twice a day.",
            logic="Nothing: readings are converted, checked and averaged by field when read.",
        ),
        (
            estimates.bill(problem),
            estimates.peak_rate(work, "readings"),
        ),
        ("readers", "value", "cost", "budget"),
        ("premium", "value-of-latency", "diagnosis"),
        f"Results are {words.duration(now.latency_worst_seconds)} old and nobody needs them within "
        f"{words.duration(water.freshness_seconds or 0)}: {usd(now.cost_usd_per_day)} a day pay "
        "for freshness that nobody uses. Cost fails.",
        (
            "The architect says: going from streaming back to batch is a step back.",
            "It is a step to what the readers need. A latency without a dollar value is a feature "
            "nobody uses; should pumps be switched by the data one day, one adds a path for them.",
        ),
    )


@case("games", "cost", "fewer nodes")
def game_events(rng: np.random.Generator) -> Case:
    """A micro-batch cluster sized for a launch that is over."""
    peak = float(rng.choice([2.0, 2.4]))
    work = sized_work(
        "game events",
        millions(rng, 150, 500),
        rng.uniform(16, 30),
        peak_factor=peak,
        fixed_seconds=300.0,
        fixed_seconds_incremental=float(rng.integers(2, 6)),
        bytes_per_event=250.0,
    )
    live = Consumer("live operations", 2, float(rng.integers(3, 6)) * 60)
    path = Path(
        "spark_streaming", "micro-batch", 60.0, int(rng.integers(12, 21)), ("live operations",)
    )
    problem = Problem(work, (live,), Sketch((path,)), MENU, 1e9)
    lean = problem.but(today=Sketch((path.but(nodes=int(np.ceil(work.peak_factor * 1.2)) + 1),)))
    least = evaluated(lean, lean.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(1.0, 1.2) * least))
    now = estimates.today(problem)
    return Case(
        "A games studio feeds its live operations from micro-batches, a minute apart. Finance has "
        "found the cluster in the cloud bill. The proposal on the table: drop it, and run a batch "
        "every hour. Live operations say they would be blind. Find a way.",
        problem,
        facts(
            problem,
            "game events",
            "The cluster was sized for the launch in the spring: several times today's "
            "players, expected and never seen since. Nobody has touched it.",
            logic="Nothing: events are counted by minute and shard, and overwritten.",
        ),
        (
            estimates.busy_share(problem, "events"),
            estimates.bill(problem),
            estimates.peak_rate(work, "events"),
        ),
        ("volume", "readers", "today", "cost", "budget"),
        ("premium", "smallest-change", "latency-and-throughput"),
        f"At its peak a run uses {now.utilisation_peak:.0%} of its interval on {path.nodes} nodes "
        f"that are paid around the clock: {usd(now.cost_usd_per_day)} a day, and cost fails. "
        "The freshness is needed, the size is not.",
        (
            "And when the next launch comes?",
            "Nodes are a number: they are added for the launch and taken away after it. Sizing "
            "for a peak of peaks pays for it every day.",
        ),
    )


@case("health care", "none", "do nothing")
def hospital_beds(rng: np.random.Generator) -> Case:
    """An hourly batch that does what it must."""
    work = sized_work(
        "admissions",
        millions(rng, 3, 12),
        rng.uniform(1.0, 4.0),
        read_hours=rng.uniform(0.1, 0.4),
        peak_factor=1.8,
        fixed_seconds=300.0,
        fixed_seconds_incremental=float(rng.integers(10, 40)),
        bytes_per_event=1_000.0,
    )
    beds = Consumer("bed management", 3, float(rng.choice([84, 90, 96])) * 60)
    reports = Consumer("reporting", 4, deadline_hour=6.0)
    path = Path("spark_ephemeral", "batch", 3_600.0, 1, ("bed management", "reporting"))
    problem = Problem(work, (beds, reports), Sketch((path,)), MENU, 1e9)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(1.15, 1.4) * bill))
    now = estimates.today(problem)
    return Case(
        "A group of hospitals plans its beds from a table that an hourly batch builds. A vendor "
        "has shown the board a live dashboard, on Kafka and Flink. The board wants it, and asks "
        "you to plan the migration of the pipeline.",
        problem,
        facts(
            problem,
            "admission events",
            "Nothing is wrong that anybody can name. The job has not failed for months. The "
            "dashboard of the vendor was shown with another hospital's data.",
            value="None has been found below an hour: beds are assigned at the turn of each hour.",
            logic="Nothing: beds are counted by ward, and overwritten.",
        ),
        (
            estimates.oldest(problem, "an admission"),
            estimates.bill(problem),
            estimates.busy_share(problem, "events"),
        ),
        ("readers", "value", "history", "cost"),
        ("diagnosis", "value-of-latency", "ask-first"),
        f"The oldest event is {words.duration(now.latency_worst_seconds)} old where "
        f"{words.duration(beds.freshness_seconds or 0)} are needed, a run uses "
        f"{now.utilisation_peak:.0%} of its hour, and the bill is within its budget: "
        "none of the four fails.",
        (
            "The board is not used to hearing no. What do you offer?",
            "The price of the wish: what a stream costs over today, a year, beside what anybody "
            "would do with fresher beds. If a decision turns up that cannot wait an hour, the "
            "answer changes.",
        ),
    )


@case("gig work", "none", "idempotent sink")
def gig_payouts(rng: np.random.Generator) -> Case:
    """Payouts that are sent twice whenever a micro-batch is repeated."""
    work = sized_work(
        "payouts",
        millions(rng, 2, 12),
        rng.uniform(2.0, 6.0),
        peak_factor=2.4,
        fixed_seconds=120.0,
        fixed_seconds_incremental=float(rng.integers(2, 6)),
        bytes_per_event=600.0,
    )
    workers = Consumer("each worker", 2, float(rng.integers(4, 9)) * 60)
    every = float(rng.choice([60, 90, 120]))
    path = Path("spark_streaming", "micro-batch", every, 1, ("each worker",))
    problem = Problem(work, (workers,), Sketch((path,)), MENU, 1e9, side_effects=True)
    bill = evaluated(problem, problem.today).usd_per_day
    problem = problem.but(budget_usd_per_day=round_usd(rng.uniform(1.2, 1.5) * bill))
    now = estimates.today(problem)
    return Case(
        "A platform for short jobs pays its workers minutes after a shift: micro-batches call the "
        "bank for each payout. On some days workers are paid twice. The bank says it has a queue "
        "that gives exactly-once delivery, if only you move to Kafka and Flink. What is your plan?",
        problem,
        facts(
            problem,
            "payouts",
            "Payouts were doubled on the days on which the job was restarted: twice for a deploy, "
            "once when a node was lost. On all other days each was paid once.",
            sink="The batch in flight is repeated from its checkpoint, and calls the bank again "
            "for the payouts that it had sent before it failed. The bank takes a reference with "
            "each call; today it is a new one for each attempt.",
            logic="Nothing: each payout is worked out from its shift.",
        ),
        (
            estimates.oldest(problem, "a payout"),
            estimates.peak_rate(work, "payouts"),
            estimates.bill(problem),
        ),
        ("sink", "history", "readers"),
        ("delivery", "when-micro-batch", "diagnosis"),
        f"The oldest payout is {words.duration(now.latency_worst_seconds)} old, within its limit; "
        "it keeps up, remembers nothing, and is within budget. None of the four fails: a repeated "
        "batch repeats its calls, and the sink must bear that.",
        (
            "Exactly-once is in the brochure of the queue. Why not buy it?",
            "It holds inside the system, not for a call to a bank. After a restart the call is "
            "made again whatever the engine is; a reference that stays the same lets the bank "
            "drop the second one.",
        ),
    )
