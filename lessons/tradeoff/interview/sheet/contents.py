"""The words of the cheat sheet. What stands in braces is a figure: see `figures`.

No number is typed here: a digit outside braces fails a test, but for the name of a tier.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: its first column names the rows. `note` stands below it, `name` is its CSS class."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Lines that belong together, under a word or two."""

    title: str
    lines: tuple[str, ...]


TITLE = "Batch, micro-batch or streaming?"
ANSWER = (
    "Name what fails",
    "Quantify it",
    "Smallest change",
    "Price it",
    "What would change my answer",
)
TERMS = (
    "**Rhythm**: batch, micro-batch, streaming. **Cadence**: how often it runs. **Tier**: a "
    "consumer's need, 1 up to {=tier_1}, 2 up to {=tier_2}, 3 hourly, 4 daily."
)

DIMENSIONS = Table(
    "dimensions",
    "Which dimension fails?",
    ("Dimension", "What fails", "How it shows", "First remedy"),
    (
        (
            "Latency",
            "Data is older than the tier allows",
            "Stale, though every run ends in time",
            "Run more often; a path for the urgent",
        ),
        (
            "Throughput",
            "A run outgrows its window, or its nodes",
            "Run time or lag climbs with volume",
            "Read only what is new, then run more often",
        ),
        (
            "State",
            "Keys or windows pile up, never freed",
            "Memory and restarts grow, traffic does not",
            "A watermark, a shorter window, fewer keys",
        ),
        (
            "Cost",
            "Paying for freshness nobody acts on",
            "Idle nodes; the bill outruns the volume",
            "The longest interval that serves",
        ),
    ),
)

WORKLOADS = Table(
    "workloads",
    "Named workloads",
    ("Workload", "Throughput, running", "Worst latency"),
    (
        ("Nightly Spark, {C4a: 100 GB}", "{C4a}", "{C4b}"),
        ("Hourly batch, {C4c: 4 GB}", "{C4c}", "{C4d}"),
        ("Structured Streaming, {C4e: 1 min}", "{C4e}", "{C4f}"),
        ("Flink on Kafka", "{C4g} a slot", "{C4h}"),
        ("Custom C++ path", "lower in total", "{C4i}"),
    ),
    "Orders of magnitude. Flink's row is light work; the batch rows do {=work} as much for each. "
    "At its highest rate a trigger's latency comes near two intervals.",
)

MICRO_BATCH = Table(
    "micro-batch",
    "Streaming and micro-batch",
    ("", "Streaming", "Micro-batch"),
    (
        ("Starts", "on each event", "on a trigger, the one knob"),
        (
            "Overhead",
            "for each event",
            "shared; {C7a: 1 min} of {C7a: 60 K}/min is {C7a} a batch, seen in {C7b}",
        ),
        (
            "Latency",
            "{C6a}",
            "{C6b: 10 s} trigger {C6b}, {C9: 1 min} {C9}, {C6c: 5 min} {C6c}",
        ),
        ("State", "live, with snapshots", "saved batch by batch; rerun one"),
        ("Engines", "Flink, Kafka Streams", "Structured Streaming, dbt incremental"),
    ),
)

DAILY_COST = Table(
    "daily-cost",
    "Daily cost",
    ("On {C12a: 4 nodes}", "Node-hours", "USD a day", "Model"),
    (
        ("Nightly Spark, {C12a: 40 min}", "{C12a bare}", "{C12b bare}", "{C12b model bare}"),
        ("Hourly Spark, {C12c: 5 min} a run", "{C12c bare}", "{C12d bare}", "{C12d model bare}"),
        ("Always on, {C12e: 1-min} trigger", "{C12e bare}", "{C12f bare}", "{C12f model bare}"),
        (
            "Flink, always on, with state",
            "{=flink_node_hours} + {=state_nodes} state node",
            "{C12g bare}",
            "{C12g model bare}",
        ),
    ),
    "All-in teaching prices, {=node_price} USD a node-hour: use your own. Always on is {C11} the "
    "machine hours of {C11: 40 min} a day.",
)

STATE = Table(
    "state",
    "Stateless and stateful",
    ("", "Stateless", "Stateful"),
    (
        (
            "Transforms",
            "filter, project, look up, cast, redact",
            "GROUP BY, window, stream join, deduplicate, sessions",
        ),
        ("Grows with", "the batch in hand", "keys × window"),
        ("Crash", "replay a batch or two", "restore a consistent snapshot"),
        ("New schema", "mostly just deploy", "migrate the state, too"),
        ("Over batch", "{C16} from {C16: 1 B} a day", "{C17}"),
    ),
    "Fewer events, larger premium: a cluster that never sleeps has a floor. Stateless at {=clicks} "
    "a day: {=clicks_premium}.",
)

TABLES = (WORKLOADS, MICRO_BATCH, DAILY_COST, STATE)

RULES = (
    "A batch cannot beat its interval: **worst age = interval + run time**.",
    "**Throughput = n ÷ (overhead + n × time per event)**. {C3a: 10 M} events in one "
    "{C3a: 5-minute} batch: {C3b}, and {C3a} old.",
    "Hourly will do: **batch**. Under {=tier_2}: **micro-batch**. Seconds: **streaming**.",
    "Take the **longest interval that serves**. Paid per busy second, {C8: 30 s} instead of "
    "{C8: 4 min} is said to cost {C8}, and cannot pass {C8: 8}×. Always on: the same.",
    "In doubt start at {C9: 1 min}: {C9} at worst.",
    "Streaming costs **{C10}** batch for stateful logic: machines that never sleep, state, and "
    "{C14} the engineering.",
    "{C5a: 1 B} events a day, {=billion_rate}: {C5a bare} USD nightly, {C5b bare} as a stream: "
    "{C5c}.",
    "**State** = keys × values × bytes: {C13a: 1 M} × {C13a: 100} × {C13a: 8 B} = {C13a}. "
    "Hot, with index, snapshots and copies: {C13b} that.",
    "A {C15: 10-min} **watermark** holds the first {C15: 5-min} window until event time passes "
    "{C15}. Without a watermark, for ever.",
    "Stream only if a year of lower latency is worth more than the **premium** over the next "
    "slower design.",
    "Lag grows and commits go on: **slow**. The committed offset is stuck: **dead**.",
)

CASES = (
    Group(
        "Routes, due by {=deadline}",
        (
            "{C1a: 18 M} events a day take {C1a}, {C1b: 80 M} take {C1b}: throughput fails.",
            "Incremental and hourly: each run has {C21a} of the day, {C21b model} on average, at "
            "{C22} the cost. Every {C2: 5} min on a warm pool: {C2}.",
        ),
    ),
    Group(
        "Orders, two consumers",
        (
            "{C18a: 4 M} a day take {C18a} and {C18c}; {C18b: 18 M} take {C18b}.",
            "All to Flink: {C19} today's run. Instead: hourly for the executives, a "
            "{C20: 1-min} path for marketing ({C20}), one family of tables.",
        ),
    ),
)

QUESTIONS = (
    Group(
        "Before a rhythm",
        (
            "How old may data be, for whom?",
            "How many events/s, at peak?",
            "What may a million events cost?",
            "Which is firm, which can give?",
        ),
    ),
    Group(
        "Before a stream",
        (
            "What does a minute late cost?",
            "From which age on?",
            "What is the premium a year?",
            "Does the delay cost more?",
        ),
    ),
    Group(
        "Before keeping state",
        (
            "How many keys, growing how?",
            "How long is a window, and how long is it kept?",
            "How late may an event come?",
            "What becomes of it in a restart?",
        ),
    ),
    Group(
        "Before a migration",
        (
            "Window outgrown? **More often**",
            "Old data reread? **Incremental**",
            "Consumers differ? **Split by tier**",
            "Slow I/O? **Not the engine**",
        ),
    ),
)
