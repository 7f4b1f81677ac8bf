"""Answers to lesson 3's assignment: right in other styles, and wrong ones of the field."""

from assignments.bank import Wrong

RIGHT = {
    "standard library and loops": {
        "price": """
            from math import fsum

            def price(design, prices):
                paid = []
                if design["billing"] == "always on":
                    paid.append(24 * 60)
                else:
                    for _ in range(design["runs_per_day"]):
                        if design["billing"] == "ephemeral":
                            paid.append(design["start_up_minutes"])
                        paid.append(design["run_minutes"])
                a_minute = prices["node_usd_per_hour"] / 60
                people = prices["batch_people_usd_per_day"]
                if design["rhythm"] == "streaming":
                    people = people + people
                elif design["rhythm"] == "micro-batch":
                    people = people * 5 / 4
                return {
                    "compute": fsum(minutes * design["nodes"] * a_minute for minutes in paid),
                    "state": design["state_nodes"] * a_minute * 1440
                    + design["state_gb"] * prices["state_usd_per_gb_month"] * 12 / 364.8,
                    "operations": people,
                }
        """,
        "price_three_ways": """
            def price_three_ways(pipeline, prices):
                (x1, x2), (y1, y2) = pipeline["trial_events"], pipeline["trial_minutes"]

                def run(events):
                    return y1 + (events - x1) * (y2 - y1) / (x2 - x1)

                hour, people = prices["node_usd_per_hour"], prices["batch_people_usd_per_day"]
                bills = {}
                for name, runs in [("hourly", 24), ("nightly", 1)]:
                    total = people
                    for _ in range(runs):
                        minutes = pipeline["start_up_minutes"]
                        minutes += run(pipeline["events_per_day"] / runs)
                        total += pipeline["nodes"] * minutes / 60 * hour
                    bills[name] = total
                around_the_clock = pipeline["stream_nodes"] + pipeline["state_nodes"]
                stored = pipeline["state_gb"] * prices["state_usd_per_gb_month"] / 30.4
                bills["streaming"] = around_the_clock * 24 * hour + stored + 2 * people
                return bills
        """,
        "break_even": """
            def break_even(slow, fast, threshold_seconds, times_a_year):
                premium = fast["usd_per_day"] - slow["usd_per_day"]
                if premium <= 0:
                    return 0
                begins = max(threshold_seconds, fast["latency_seconds"])
                if slow["latency_seconds"] <= begins:
                    return None
                seconds_a_day = (slow["latency_seconds"] - begins) * times_a_year / 365
                return premium / seconds_a_day * 60
        """,
        "decide": """
            def decide(designs, need):
                best, least = None, float("inf")
                for row in designs.to_dict("records"):
                    if need["limit_seconds"] and row["latency_seconds"] > need["limit_seconds"]:
                        continue
                    late = max(0, row["latency_seconds"] - need["threshold_seconds"]) / 60
                    lost = late * need["usd_per_minute"] * need["times_a_year"]
                    lost = min(lost, need["most_usd_per_year"] or lost)
                    if row["usd_per_day"] * 365 + lost < least:
                        best, least = row["name"], row["usd_per_day"] * 365 + lost
                return best
        """,
        "slow_or_dead": """
            def slow_or_dead(samples):
                rows = [row for row in samples.to_dict("records") if row["seconds"] >= 300]
                commits = {row["committed_offset"] for row in rows}
                waiting = [row["end_offset"] - row["committed_offset"] for row in rows]
                if len(commits) == 1 and all(waiting):
                    return "dead"
                if (waiting[-1] - waiting[0]) * 10 > rows[-1]["end_offset"] - rows[0]["end_offset"]:
                    return "slow"
                return "healthy"
        """,
    },
    "vectorised": {
        "price": """
            import numpy as np

            def price(design, prices):
                facts = pd.Series(design)
                billing = ["always on", "ephemeral", "warm"]
                runs = facts["runs_per_day"] * np.array([facts["run_minutes"]] * 3, float)
                minutes = runs + facts["runs_per_day"] * np.array([0, facts["start_up_minutes"], 0])
                minutes[0] = 1440
                hours = pd.Series(minutes / 60, index=billing)[facts["billing"]]
                node = prices["node_usd_per_hour"]
                people = pd.Series({"streaming": 2, "micro-batch": 1.25}).get(facts["rhythm"], 1)
                return {
                    "compute": np.float64(hours * node * facts["nodes"]),
                    "state": np.dot(
                        [facts["state_nodes"], facts["state_gb"]],
                        [24 * node, prices["state_usd_per_gb_month"] / 30.4],
                    ),
                    "operations": np.float64(prices["batch_people_usd_per_day"] * people),
                }
        """,
        "price_three_ways": """
            import numpy as np

            def price_three_ways(pipeline, prices):
                millions = np.array(pipeline["trial_events"]) / 1e6
                slope, fixed = np.polyfit(millions, pipeline["trial_minutes"], 1)
                runs = pd.Series({"nightly": 1, "hourly": 24})
                each = pipeline["start_up_minutes"] + fixed
                minutes = runs * each + slope * pipeline["events_per_day"] / 1e6
                node, people = prices["node_usd_per_hour"], prices["batch_people_usd_per_day"]
                bills = (minutes / 60 * pipeline["nodes"] * node + people).to_dict()
                stored = pipeline["state_gb"] * prices["state_usd_per_gb_month"] / 30.4
                nodes = pipeline["stream_nodes"] + pipeline["state_nodes"]
                return bills | {"streaming": nodes * 24 * node + stored + 2 * people}
        """,
        "decide": """
            import numpy as np

            def decide(designs, need):
                limit = need["limit_seconds"] or np.inf
                most = need["most_usd_per_year"] or np.inf
                late = designs["latency_seconds"].to_numpy()
                rate = need["usd_per_minute"] * need["times_a_year"] / 60
                lost = np.minimum(rate * np.maximum(late - need["threshold_seconds"], 0), most)
                sums = np.where(late <= limit, designs["usd_per_day"] * 365 + lost, np.inf)
                return designs["name"].iloc[sums.argmin()] if np.isfinite(sums).any() else None
        """,
        "slow_or_dead": """
            import numpy as np

            def slow_or_dead(samples):
                recent = samples.tail(31)
                offsets = recent[["end_offset", "committed_offset"]].diff().sum()
                waits = (recent["end_offset"] > recent["committed_offset"]).all()
                slopes = np.polyfit(
                    recent["seconds"], recent[["end_offset", "committed_offset"]], 1
                )[0]
                if waits and offsets["committed_offset"] == 0:
                    return "dead"
                return np.where(slopes[1] < 0.9 * slopes[0] - 1e-6, "slow", "healthy").item()
        """,
    },
    "other but equivalent rules": {
        "break_even": """
            from tradeoff.model import break_even_usd_per_minute

            def break_even(slow, fast, threshold_seconds, times_a_year):
                found = break_even_usd_per_minute(
                    fast["usd_per_day"] - slow["usd_per_day"],
                    max(slow["latency_seconds"], fast["latency_seconds"]),
                    fast["latency_seconds"],
                    threshold_seconds,
                )
                return None if found is None else found * 365 / times_a_year
        """,
        "decide": """
            from tradeoff.model import cost_of_latency

            def decide(designs, need):
                \"\"\"Value less premium over the cheapest that will do.\"\"\"
                table = designs.sort_values("usd_per_day").set_index("name")
                table = table[table["latency_seconds"] <= (need["limit_seconds"] or 1e12)]
                if table.empty:
                    return None

                def lost(seconds):
                    once = cost_of_latency(
                        seconds, need["usd_per_minute"], need["threshold_seconds"]
                    )
                    return min(once * need["times_a_year"], need["most_usd_per_year"] or 1e15)

                base = table.iloc[0]
                value = lost(base["latency_seconds"]) - table["latency_seconds"].map(lost)
                premium = 365 * (table["usd_per_day"] - base["usd_per_day"])
                return (value - premium).idxmax()
        """,
        "price_three_ways": """
            def price_three_ways(pipeline, prices):
                rates = [y / x for x, y in zip(pipeline["trial_events"], pipeline["trial_minutes"])]
                x = pipeline["trial_events"]
                fixed = (rates[0] - rates[1]) / (1 / x[0] - 1 / x[1])
                work = (rates[1] - fixed / x[1]) * pipeline["events_per_day"]
                hour = pipeline["nodes"] * prices["node_usd_per_hour"] / 60
                people = prices["batch_people_usd_per_day"]
                foot = fixed + pipeline["start_up_minutes"]
                stream = {
                    **{"rhythm": "streaming", "billing": "always on", "runs_per_day": 0},
                    **{"run_minutes": 0, "start_up_minutes": 0},
                    **{name: pipeline[name] for name in ("state_nodes", "state_gb")},
                    "nodes": pipeline["stream_nodes"],
                }
                return {
                    "nightly": people + hour * (work + foot),
                    "hourly": people + hour * (work + 24 * foot),
                    "streaming": sum(price(stream, prices).values()),
                }
        """,
        "slow_or_dead": """
            def slow_or_dead(samples):
                now = samples.set_index("seconds").loc[300:]
                per_second = (now.iloc[-1] - now.iloc[0]) / 300
                waits = now["end_offset"].sub(now["committed_offset"]).min() > 0
                if waits and now["committed_offset"].nunique() == 1:
                    return "dead"
                kept = per_second["committed_offset"] >= 0.9 * per_second["end_offset"]
                return "healthy" if kept else "slow"
        """,
    },
}

# The reference with one step exchanged: (what stands there, what a misconception puts there).
PRICE = """
    def price(design, prices):
        node = prices["node_usd_per_hour"]
        run, start = design["run_minutes"], design["start_up_minutes"]
        if design["billing"] == "always on":
            hours = 24.0
        elif design["billing"] == "ephemeral":
            hours = design["runs_per_day"] * (start + run) / 60
        else:
            hours = design["runs_per_day"] * run / 60
        stored = design["state_gb"] * prices["state_usd_per_gb_month"] / 30.4
        factor = {"batch": 1.0, "micro-batch": 1.25, "streaming": 2.0}[design["rhythm"]]
        return {
            "compute": design["nodes"] * hours * node,
            "state": design["state_nodes"] * 24 * node + stored,
            "operations": prices["batch_people_usd_per_day"] * factor,
        }
"""
WAYS = """
    def price_three_ways(pipeline, prices):
        (few, many), (short, long) = pipeline["trial_events"], pipeline["trial_minutes"]
        each = (long - short) / (many - few)
        fixed = short - few * each
        start, day = pipeline["start_up_minutes"], pipeline["events_per_day"]
        node, people = prices["node_usd_per_hour"], prices["batch_people_usd_per_day"]
        bills = {}
        for name, runs in (("nightly", 1), ("hourly", 24)):
            minutes = runs * (start + fixed + each * day / runs)
            bills[name] = pipeline["nodes"] * minutes / 60 * node + people
        stored = pipeline["state_gb"] * prices["state_usd_per_gb_month"] / 30.4
        state = 24 * pipeline["state_nodes"] * node + stored
        bills["streaming"] = 24 * pipeline["stream_nodes"] * node + state + 2 * people
        return bills
"""
BREAK_EVEN = """
    def break_even(slow, fast, threshold_seconds, times_a_year):
        premium = 365 * (fast["usd_per_day"] - slow["usd_per_day"])
        if premium <= 0:
            return 0.0
        late, soon = slow["latency_seconds"], fast["latency_seconds"]
        saved = max(late - threshold_seconds, 0) / 60 - max(soon - threshold_seconds, 0) / 60
        return premium / (saved * times_a_year) if saved > 0 else None
"""
DECIDE = """
    def decide(designs, need):
        everything = designs
        if need["limit_seconds"] is not None:
            designs = designs[designs["latency_seconds"] <= need["limit_seconds"]]
        if designs.empty:
            return None
        minutes = (designs["latency_seconds"] - need["threshold_seconds"]).clip(lower=0) / 60
        lost = minutes * need["usd_per_minute"] * need["times_a_year"]
        if need["most_usd_per_year"] is not None:
            lost = lost.clip(upper=need["most_usd_per_year"])
        together = 365 * designs["usd_per_day"] + lost
        return designs.loc[together.idxmin(), "name"]
"""
CONSUMER = """
    def slow_or_dead(samples):
        recent = samples[samples["seconds"] >= 300]
        first, last = recent.iloc[0], recent.iloc[-1]
        arrived = last["end_offset"] - first["end_offset"]
        committed = last["committed_offset"] - first["committed_offset"]
        lag = last["end_offset"] - last["committed_offset"]
        if committed == 0 and lag > 0:
            return "dead"
        return "slow" if arrived - committed > 0.1 * arrived else "healthy"
"""
SOURCES = {
    "price": PRICE,
    "price_three_ways": WAYS,
    "break_even": BREAK_EVEN,
    "decide": DECIDE,
    "slow_or_dead": CONSUMER,
}


def but(
    name: str,
    words: str,
    *steps: tuple[str, str],
    breaks: tuple[str, ...] = (),
    keeps: float = 0.9,
) -> Wrong:
    """The reference of `name` with steps exchanged; `words` stand in its message."""
    source = SOURCES[name]
    for right, wrong in steps:
        assert right in source, right
        source = source.replace(right, wrong)
    return Wrong({name: source}, {name: words, **dict.fromkeys(breaks, "")}, keeps=keeps)


def somebody(name: str, words: str, *steps: tuple[str, str], breaks: tuple[str, ...] = ()) -> Wrong:
    return but(name, f"the answers of somebody who {words}", *steps, breaks=breaks)


THREE = ("price_three_ways",)
WRONG = {
    "compute hours only": somebody(
        "price",
        "compares compute alone",
        ('design["state_nodes"] * 24 * node + stored', "0.0"),
        ('prices["batch_people_usd_per_day"] * factor', "0.0"),
        breaks=THREE,
    ),
    "an idle cluster costs nothing": somebody(
        "price",
        "pays an always-on cluster only for the minutes in which it is busy",
        ("hours = 24.0", 'hours = design["runs_per_day"] * run / 60'),
        breaks=THREE,
    ),
    "everything runs all day": somebody(
        "price",
        "pays every design around the clock",
        ('if design["billing"] == "always on":', "if True:"),
        breaks=THREE,
    ),
    "a cluster starts for nothing": somebody(
        "price", "forgets that a started cluster is paid", ("(start + run)", "run"), breaks=THREE
    ),
    "a warm pool starts cold": somebody(
        "price",
        "starts a cluster for each run where a pool stands ready",
        ('design["runs_per_day"] * run / 60', 'design["runs_per_day"] * (start + run) / 60'),
    ),
    "one run is a day": somebody(
        "price",
        "takes one run for a day of them",
        ('design["runs_per_day"] *', "1 *"),
        breaks=THREE,
    ),
    "a bill without state": somebody(
        "price",
        "forgets what state costs",
        ('design["state_nodes"] * 24 * node + stored', "0.0"),
        breaks=THREE,
    ),
    "state is gigabytes": somebody(
        "price",
        "pays the gigabytes of state",
        ('design["state_nodes"] * 24 * node + stored', "stored"),
        breaks=THREE,
    ),
    "a month's price is a day's": somebody(
        "price", "pays a month of storage each day", (" / 30.4", ""), breaks=THREE
    ),
    "people cost the same": somebody(
        "price", "gives every rhythm a batch's people", ("* factor", ""), breaks=THREE
    ),
    "minutes for hours": but(
        "price", "compute is", ("(start + run) / 60", "(start + run)"), breaks=THREE
    ),
    "one node is the cluster": but(
        "price", "node-hours of compute", ('design["nodes"] * hours', "hours"), breaks=THREE
    ),
    "the sum for the parts": Wrong(
        {
            "price_three_ways": """
                def price_three_ways(pipeline, prices):
                    return sum(price(pipeline, prices).values())
            """
        },
        {"price_three_ways": "What does a run cost before its first event"},
        keeps=0.0,
    ),
    "time is proportional to events": somebody(
        "price_three_ways",
        "takes a run's time for proportional to its events",
        ("each = (long - short) / (many - few)", "each = long / many"),
        ("fixed = short - few * each", "fixed = 0.0"),
    ),
    "trials that had started start for nothing": somebody(
        "price_three_ways", "forgets that a started cluster is paid", ("(start + fixed", "(fixed")
    ),
    "small runs add up to a large one": somebody(
        "price_three_ways",
        "thinks 24 small runs cost what one large run does",
        ("runs * (start + fixed + each * day / runs)", "start + fixed + each * day"),
    ),
    "an hourly run reads the day": somebody(
        "price_three_ways", "lets every hourly run read the whole day", ("day / runs", "day")
    ),
    "three bills of compute": somebody(
        "price_three_ways",
        "compares compute alone",
        (" + state + 2 * people", ""),
        (" * node + people", " * node"),
    ),
    "a stream without state": somebody(
        "price_three_ways", "forgets what state costs", ("+ state + 2", "+ 2")
    ),
    "a stream with a batch's people": somebody(
        "price_three_ways", "gives every rhythm a batch's people", ("2 * people", "people")
    ),
    "a stream on the batch's nodes": somebody(
        "price_three_ways",
        "gives the stream the batch's nodes",
        ('24 * pipeline["stream_nodes"]', '24 * pipeline["nodes"]'),
    ),
    "the whole bill has to be earned": somebody(
        "break_even",
        "holds the value against the whole bill",
        ('(fast["usd_per_day"] - slow["usd_per_day"])', 'fast["usd_per_day"]'),
    ),
    "every minute costs": somebody(
        "break_even",
        "counts every minute saved, those that cost nothing included",
        ("threshold_seconds, 0", "0, 0"),
    ),
    "the threshold comes off the saving": somebody(
        "break_even",
        "takes the threshold off the minutes saved",
        (
            "max(late - threshold_seconds, 0) / 60 - max(soon - threshold_seconds, 0) / 60",
            "(late - soon - threshold_seconds) / 60",
        ),
    ),
    "late every day": somebody(
        "break_even",
        "lets lateness cost something every day",
        ("saved * times_a_year", "saved * 365"),
    ),
    "seconds are minutes": somebody("break_even", "takes seconds for minutes", (" / 60", "")),
    "streams are never late": somebody(
        "break_even",
        "takes the faster design's latency for zero",
        (" - max(soon - threshold_seconds, 0) / 60", ""),
    ),
    "never is nothing": somebody(
        "break_even",
        "says 0 dollars where no price of a minute would do",
        ("else None", "else 0.0"),
    ),
    "a day's premium, a year's value": but(
        "break_even", "the premium is", ("premium = 365 * ", "premium = ")
    ),
    "a negative price": but(
        "break_even",
        "Which part of the faster bill",
        ("if premium <= 0:\n            return 0.0", "if 0: 0"),
    ),
    "streaming by default": somebody(
        "decide",
        "builds the freshest design, whatever it costs",
        ('together = 365 * designs["usd_per_day"] + lost', 'together = designs["latency_seconds"]'),
    ),
    "cheap is best": somebody("decide", "builds the cheapest design that will do", (" + lost", "")),
    "a wish is a need": Wrong(
        {
            "decide": """
                def decide(designs, need):
                    return {
                        "daily": "nightly",
                        "hourly": "hourly",
                        "every few minutes": "micro-batch",
                        "real time": "streaming",
                    }[need["asks_for"]]
            """
        },
        {"decide": "builds what is asked for in words"},
        keeps=0.2,
    ),
    "nightly or streaming": somebody(
        "decide",
        "compares the two ends only",
        (
            "        minutes = (",
            '        ends = designs["usd_per_day"].agg(["idxmin", "idxmax"]).unique()\n'
            "        designs = designs.loc[ends]\n        minutes = (",
        ),
    ),
    "the stream must earn its whole bill": somebody(
        "decide",
        "holds the value against the whole bill",
        (
            'together = 365 * designs["usd_per_day"] + lost\n'
            '        return designs.loc[together.idxmin(), "name"]',
            'order = designs.sort_values("usd_per_day").index\n'
            "        value = lost[order[0]] - lost[order]\n"
            '        pays = order[value > 365 * designs["usd_per_day"][order]]\n'
            '        return designs.loc[pays[-1] if len(pays) else order[0], "name"]',
        ),
    ),
    "no minute is free": somebody(
        "decide",
        "charges every minute, those below the threshold included",
        (' - need["threshold_seconds"]', ""),
    ),
    "an outage a day": somebody(
        "decide", "lets lateness cost something every day", ('need["times_a_year"]', "365")
    ),
    "more than all is lost": somebody(
        "decide",
        "charges more than there is to lose",
        ('if need["most_usd_per_year"] is not None', "if False"),
    ),
    "too late, but cheap": somebody(
        "decide",
        "builds a design that is too late to be of use",
        ('if need["limit_seconds"] is not None', "if False"),
    ),
    "a bill a day, a loss a year": but(
        "decide",
        "For each design that is usable",
        ('365 * designs["usd_per_day"]', 'designs["usd_per_day"]'),
    ),
    "the limit itself is too late": but(
        "decide",
        "the others are beyond the limit",
        ('designs["latency_seconds"] <=', 'designs["latency_seconds"] <'),
        keeps=0.95,
    ),
    "something must be built": but(
        "decide", "no design is within", ("return None", 'return everything["name"].iloc[0]')
    ),
    "dead is a lag that stands still": somebody(
        "slow_or_dead",
        "takes a lag that stands still for a dead consumer",
        (
            "if committed == 0 and lag > 0:",
            "if lag > 0 and abs(arrived - committed) <= 0.1 * arrived:",
        ),
    ),
    "a growing lag is death": somebody(
        "slow_or_dead",
        "takes every lag that grows for a dead consumer",
        ('"slow"', '"dead"'),
        ("if committed == 0 and lag > 0", "if False"),
    ),
    "a growing lag is slowness": somebody(
        "slow_or_dead",
        "takes every lag that grows for a slow consumer",
        ("if committed == 0 and lag > 0", "if False"),
    ),
    "a large lag is slowness": somebody(
        "slow_or_dead",
        "takes a large lag for one that grows",
        ("arrived - committed > 0.1 * arrived", "lag > 10_000"),
    ),
    "quiet is dead": somebody(
        "slow_or_dead", "calls a consumer dead that has nothing to read", (" and lag > 0", "")
    ),
    "ten minutes are now": somebody(
        "slow_or_dead",
        "looks at all ten minutes",
        ('samples[samples["seconds"] >= 300]', "samples"),
    ),
    "two samples are a trend": somebody(
        "slow_or_dead",
        "judges by the last two samples",
        ('samples[samples["seconds"] >= 300]', "samples.tail(2)"),
    ),
}
