"""Answers to lesson 2's exercise: right in other styles, and wrong ones of the field."""

from assignments.bank import Sources, Wrong

RIGHT: dict[str, Sources] = {
    "loops, standard library only": {
        "latencies": """
            def latencies(interval_seconds, overhead_seconds, seconds_per_event, events_per_second):
                # Batch after batch: what arrived while the last one ran is in the next.
                period = interval_seconds or overhead_seconds
                for _ in range(2000):
                    run = overhead_seconds + seconds_per_event * events_per_second * period
                    period = run if interval_seconds is None else max(interval_seconds, run)
                    if period > 1e7:
                        return None
                return {"worst_seconds": period + run, "p50_seconds": 0.5 * period + run}
        """,
        "cost_per_day": """
            def cost_per_day(interval_seconds, overhead_seconds, seconds_per_event,
                             events_per_second, nodes, usd_per_node_hour, billing):
                busy = 86_400
                if billing != "always on":
                    clock, busy = 0.0, 0.0
                    period = interval_seconds or 0.0
                    run = overhead_seconds + period * events_per_second * seconds_per_event
                    if run >= period:
                        busy = 86_400
                    else:
                        while clock + period <= 86_400:
                            clock, busy = clock + period, busy + run
                        busy *= 86_400 / clock
                return busy / 3600 * nodes * usd_per_node_hour
        """,
        "choose_trigger": """
            def choose_trigger(tolerance_seconds, intervals, overhead_seconds, seconds_per_event,
                               events_per_hour):
                busiest = 0
                for events in events_per_hour:
                    if events > busiest:
                        busiest = events
                best = None
                for interval in intervals:
                    run = overhead_seconds + interval * busiest * seconds_per_event / 3600
                    # A trigger that is not kept is none.
                    if run <= interval and interval + run <= tolerance_seconds:
                        if best is None or interval > best:
                            best = interval
                return best
        """,
        "right_rhythm": """
            def right_rhythm(situation):
                need = situation["freshness_seconds"]
                work = situation["events_per_second"] * situation["seconds_per_event"]
                fixed = situation["state_bytes"] / situation["snapshot_bytes_per_second"]
                fixed += situation["overhead_seconds"]
                rhythms = [("hourly batch", 3600.0), ("micro-batch", fixed / (1 - work))]
                for rhythm, period in rhythms:
                    if period + fixed + work * period <= need:
                        return rhythm
                return "streaming"
        """,
        "replayed": """
            from collections import Counter

            def replayed(log, mail_sink):
                seen, written, sent = set(), Counter(), Counter()
                for row in log.to_dict("records"):
                    ids = list(range(row["first_order"], row["last_order"] + 1))
                    seen |= set(ids)
                    sent.update(ids[:row["mailed"]])
                    if row["result_written"]:
                        written.update(ids)
                twice = [i for i, times in sent.items() if times >= 2]
                return {
                    "mailed_twice": twice[::-1] if mail_sink != "keyed" else (),
                    "lost": list(seen - set(written)),
                    "counted_twice": [i for i in written if written[i] >= 2],
                }
        """,
    },
    "vectorised": {
        "latencies": """
            import numpy as np

            def latencies(interval_seconds, overhead_seconds, seconds_per_event, events_per_second):
                left = 1 - seconds_per_event * events_per_second
                if left <= 0:
                    return None
                period = np.nanmax([overhead_seconds / left, interval_seconds or np.nan])
                waits = np.array([0.5, 1.0]) * period
                return dict(zip(["p50_seconds", "worst_seconds"],
                                waits + overhead_seconds + (1 - left) * period))
        """,
        "choose_trigger": """
            import numpy as np

            def choose_trigger(tolerance_seconds, intervals, overhead_seconds, seconds_per_event,
                               events_per_hour):
                share = pd.Series(events_per_hour).max() * seconds_per_event / 3600
                offered = pd.Series(intervals)
                if share >= 1:
                    return None
                period = offered.clip(lower=overhead_seconds / (1 - share))
                good = offered[period * (1 + share) + overhead_seconds <= tolerance_seconds]
                return good.max() if len(good) else None
        """,
        "replayed": """
            import numpy as np

            def replayed(log, mail_sink):
                ids = np.arange(log["first_order"].min(), log["last_order"].max() + 1)
                after = ids[:, None] >= log["first_order"].to_numpy()
                held = after & (ids[:, None] <= log["last_order"].to_numpy())
                ends = (log["first_order"] + log["mailed"]).to_numpy()
                written = (held & log["result_written"].to_numpy()).sum(axis=1)
                sent = (after & (ids[:, None] < ends)).sum(axis=1)
                if mail_sink == "keyed":
                    sent = np.minimum(sent, 1)
                return {"lost": ids[written == 0], "counted_twice": ids[written > 1],
                        "mailed_twice": ids[sent > 1]}
        """,
    },
    "pandas, and other but equivalent rules": {
        "cost_per_day": """
            def cost_per_day(interval_seconds, overhead_seconds, seconds_per_event,
                             events_per_second, nodes, usd_per_node_hour, billing):
                everything = 24 * nodes * usd_per_node_hour
                if billing == "always on" or interval_seconds is None:
                    return everything
                batches = 86_400 / interval_seconds
                busy = batches * overhead_seconds + 86_400 * events_per_second * seconds_per_event
                return min(everything, busy / 86_400 * everything)
        """,
        "choose_trigger": """
            def choose_trigger(tolerance_seconds, intervals, overhead_seconds, seconds_per_event,
                               events_per_hour):
                # The longest period the tolerance allows, solved for once.
                share = max(events_per_hour) / 3600 * seconds_per_event
                longest = (tolerance_seconds - overhead_seconds) / (1 + share)
                if share >= 1 or longest < overhead_seconds / (1 - share):
                    return None
                return next((each for each in sorted(intervals, reverse=True) if each <= longest),
                            None)
        """,
        "right_rhythm": """
            def right_rhythm(situation):
                s = pd.Series(situation)
                fixed = s["overhead_seconds"] + s["state_bytes"] / s["snapshot_bytes_per_second"]
                work = s["events_per_second"] * s["seconds_per_event"]
                # The longest period that serves, against an hour and against the loop's own.
                longest = (s["freshness_seconds"] - fixed) / (1 + work)
                if longest >= 3600:
                    return "hourly batch"
                return "micro-batch" if longest >= fixed / (1 - work) else "streaming"
        """,
        "replayed": """
            def replayed(log, mail_sink):
                log = log.assign(order=[
                    list(range(a, b + 1)) for a, b in zip(log["first_order"], log["last_order"])
                ]).explode("order").reset_index(drop=True)
                log["order"] = log["order"].astype(int)
                log["sent"] = log["order"] - log["first_order"] < log["mailed"]
                times = log.groupby("order")[["result_written", "sent"]].sum()
                sent = times["sent"] if mail_sink == "appends" else times["sent"] * 0
                return {
                    "lost": times.index[times["result_written"] == 0],
                    "counted_twice": times.index[times["result_written"] > 1],
                    "mailed_twice": times.index[sent > 1].tolist(),
                }
        """,
    },
}


def said(words: str) -> str:
    return f"the answers of somebody who {words}"


LATENCIES = """
    def latencies(interval_seconds, overhead_seconds, seconds_per_event, events_per_second):
        share = seconds_per_event * events_per_second
        if share >= 1:
            return None
        period = max(interval_seconds or 0, overhead_seconds / (1 - share))
        run = overhead_seconds + share * period
        return {"p50_seconds": period / 2 + run, "worst_seconds": period + run}
"""
COST = """
    def cost_per_day(interval_seconds, overhead_seconds, seconds_per_event, events_per_second,
                     nodes, usd_per_node_hour, billing):
        share = seconds_per_event * events_per_second
        day, batches = 24.0, 0.0
        if billing == "busy seconds":
            period = interval_seconds or overhead_seconds / (1 - share)
            batches = 86400 / period
            busy = batches * (overhead_seconds + share * period)
            day = min(24.0, busy / 3600)
        return day * nodes * usd_per_node_hour
"""
CHOOSE = """
    def choose_trigger(tolerance_seconds, intervals, overhead_seconds, seconds_per_event,
                       events_per_hour):
        rate = max(events_per_hour) / 3600
        share = seconds_per_event * rate
        serving = []
        for interval in intervals:
            if share >= 1:
                continue
            period = max(interval, overhead_seconds / (1 - share))
            run = overhead_seconds + share * period
            if period + run <= tolerance_seconds:
                serving.append(interval)
        return max(serving, default=None)
"""
RHYTHM = """
    def right_rhythm(situation):
        s = situation
        fixed = s["overhead_seconds"] + s["state_bytes"] / s["snapshot_bytes_per_second"]
        share = s["events_per_second"] * s["seconds_per_event"]
        if 3600 + fixed + 3600 * share <= s["freshness_seconds"]:
            return "hourly batch"
        if 2 * fixed / (1 - share) <= s["freshness_seconds"]:
            return "micro-batch"
        return "streaming"
"""
REPLAYED = """
    def replayed(log, mail_sink):
        first, last = log["first_order"].min(), log["last_order"].max()
        read, counted, mailed = {}, {}, {}
        for i in range(first, last + 1):
            read[i] = counted[i] = mailed[i] = 0
        for row in log.itertuples():
            for place, i in enumerate(range(row.first_order, row.last_order + 1)):
                read[i] += 1
                counted[i] += row.result_written
                mailed[i] += place < row.mailed
        lost = [i for i in counted if counted[i] == 0]
        doubled = [i for i in counted if counted[i] > 1]
        again = [i for i in mailed if mailed[i] > 1]
        if mail_sink == "keyed":
            again = []
        return {"lost": lost, "counted_twice": doubled, "mailed_twice": again}
"""
SOURCES = {
    "latencies": LATENCIES,
    "cost_per_day": COST,
    "choose_trigger": CHOOSE,
    "right_rhythm": RHYTHM,
    "replayed": REPLAYED,
}


def but(
    name: str, words: str, *steps: tuple[str, str], also: tuple[str, ...] = (), keeps: float = 0.8
) -> Wrong:
    """The right answer with steps exchanged: (what stands there, what a misconception puts there).

    `also`: behaviours whose own function calls this one, and so are wrong as well.
    """
    source = SOURCES[name]
    for right, wrong in steps:
        assert right in source, right
        source = source.replace(right, wrong)
    return Wrong({name: source}, {name: words, **dict.fromkeys(also, "")}, keeps)


CALLERS = ("choose_trigger", "right_rhythm")
WRONG = {
    "the trigger is the latency": but(
        "latencies",
        said("takes the trigger for the latency"),
        ("period / 2 + run", "period / 2"),
        ("period + run", "period"),
        also=CALLERS,
    ),
    "the average is the worst": but(
        "latencies",
        said("takes the average event for the worst"),
        ('"worst_seconds": period + run', '"worst_seconds": period / 2 + run'),
        also=CALLERS,
    ),
    "the median is half the worst": but(
        "latencies",
        said("halves the worst for the median"),
        ("period / 2 + run", "(period + run) / 2"),
    ),
    "an interval is always kept": but(
        "latencies",
        said("believes that an interval is kept"),
        ("max(interval_seconds or 0, overhead_seconds / (1 - share))", "interval_seconds or 0"),
        also=CALLERS,
        keeps=0.95,
    ),
    "a batch has no overhead": but(
        "latencies",
        said("counts the events and forgets a batch's overhead"),
        ("run = overhead_seconds + share * period", "run = share * period"),
        also=CALLERS,
        keeps=0.99,
    ),
    "an overrun never catches up": but(
        "latencies",
        said("takes batches that outlast their interval for a loop that never catches up"),
        (
            "run = overhead_seconds",
            "if interval_seconds and period > interval_seconds:\n"
            "            return None\n"
            "        run = overhead_seconds",
        ),
    ),
    "every loop keeps up": but(
        "latencies",
        "it falls further behind with every batch",
        ("if share >= 1:", "if share == 1:"),
        also=("choose_trigger",),
        keeps=0.95,
    ),
    "milliseconds for seconds": but(
        "latencies",
        "within 2% is right",
        ("period / 2 + run", "1000 * (period / 2 + run)"),
        ("period + run", "1000 * (period + run)"),
        also=CALLERS,
    ),
    "a waiting cluster is free": but(
        "cost_per_day",
        said("bills busy seconds only, though an always-on cluster is paid"),
        ('billing == "busy seconds"', "True"),
    ),
    "a pool never rests": but(
        "cost_per_day",
        said("bills the whole day, though a pool is paid by the busy second"),
        ('billing == "busy seconds"', "False"),
    ),
    "overhead is free": but(
        "cost_per_day",
        said("bills the events and forgets the overhead"),
        ("(overhead_seconds + share * period)", "share * period"),
    ),
    "events are free": but(
        "cost_per_day",
        said("bills the overhead of each batch and forgets the events"),
        ("(overhead_seconds + share * period)", "overhead_seconds"),
    ),
    "one batch is the day": but(
        "cost_per_day",
        said("takes one batch's bill for the day's"),
        ("batches * (", "1 * ("),
    ),
    "a day of more than 24 hours": but(
        "cost_per_day",
        said("bills batches that outlast their interval for more hours than the day has"),
        ("min(24.0, busy / 3600)", "busy / 3600"),
        keeps=0.95,
    ),
    "one node pays for all": but("cost_per_day", "a node is paid", ("day * nodes *", "day *")),
    "the tolerance is the trigger": but(
        "choose_trigger",
        said("sets the trigger to what the consumer tolerates"),
        ("period + run <= tolerance_seconds", "interval <= tolerance_seconds"),
    ),
    "the mean hour": but(
        "choose_trigger",
        said("plans for the mean hour"),
        ("max(events_per_hour) / 3600", "sum(events_per_hour) / 86400"),
    ),
    "the average event": but(
        "choose_trigger",
        said("takes the average event for the worst"),
        ("period + run <=", "period / 2 + run <="),
    ),
    "to be on the safe side": but(
        "choose_trigger",
        said("takes the smallest interval to be on the safe side"),
        ("max(serving", "min(serving"),
    ),
    "there is always a trigger": but(
        "choose_trigger",
        said("picks a trigger even where none serves"),
        ("default=None", "default=min(intervals)"),
        keeps=0.9,
    ),
    "the trigger is kept at any speed": but(
        "choose_trigger",
        said("believes that an interval is kept"),
        ("max(interval, overhead_seconds / (1 - share))", "interval"),
        keeps=0.9,
    ),
    "the list is in order": but(
        "choose_trigger",
        "it serves, and so does a larger one",
        ("max(serving, default=None)", "serving[-1] if serving else None"),
        keeps=0.9,
    ),
    "they asked for real time": Wrong(
        {
            "right_rhythm": """
                def right_rhythm(situation):
                    wishes = {"real time": "streaming", "every few minutes": "micro-batch"}
                    return wishes.get(situation["asks_for"], "hourly batch")
            """
        },
        {"right_rhythm": said("listens to the wish in words")},
        keeps=0.4,
    ),
    "many events need a stream": Wrong(
        {
            "right_rhythm": """
                def right_rhythm(situation):
                    if situation["events_per_second"] >= 2000:
                        return "streaming"
                    return "micro-batch" if situation["events_per_second"] >= 30 else "hourly batch"
            """
        },
        {"right_rhythm": said("lets the volume choose")},
        keeps=0.4,
    ),
    "side effects need a stream": but(
        "right_rhythm",
        said("streams wherever there are side effects"),
        (
            "s = situation",
            's = situation\n        if s["side_effects"] == "a mail for each event":'
            '\n            return "streaming"',
        ),
    ),
    "we know Flink": Wrong(
        {
            "right_rhythm": """
                def right_rhythm(situation):
                    known = {"Flink": "streaming", "Spark": "micro-batch", "SQL": "hourly batch"}
                    return known[situation["team_knows"]]
            """
        },
        {"right_rhythm": said("chooses what the team knows")},
        keeps=0.4,
    ),
    "the tier is the rhythm": Wrong(
        {
            "right_rhythm": """
                def right_rhythm(situation):
                    need = situation["freshness_seconds"]
                    if need >= 3600:
                        return "hourly batch"
                    return "micro-batch" if need > 10 else "streaming"
            """
        },
        {"right_rhythm": said("reads the rhythm off the need alone")},
    ),
    "state is free": but(
        "right_rhythm",
        said("forgets that each batch writes its state"),
        (' + s["state_bytes"] / s["snapshot_bytes_per_second"]', ""),
        keeps=0.9,
    ),
    "one overhead is the floor": but(
        "right_rhythm",
        said("counts one batch"),
        ("2 * fixed", "fixed"),
        keeps=0.9,
    ),
    "an hour's wait is an hour's age": but(
        "right_rhythm",
        said("takes the hour's wait for the age"),
        ("3600 + fixed + 3600 * share", "3600"),
        keeps=0.9,
    ),
    "a checkpoint makes all of it exact": Wrong(
        {
            "replayed": """
                def replayed(log, mail_sink):
                    return {"lost": [], "counted_twice": [], "mailed_twice": []}
            """
        },
        {"replayed": said("believes that a checkpoint makes everything happen once")},
        keeps=0.1,
    ),
    "a killed batch is lost": but(
        "replayed",
        said("takes the orders of a batch that died for lost"),
        (
            "lost = [i for i in counted if counted[i] == 0]",
            'died = log[~(log["result_written"] & log["offset_saved"])]\n'
            "        lost = sorted({i for row in died.itertuples()"
            " for i in range(row.first_order, row.last_order + 1)})",
        ),
    ),
    "the whole batch was mailed": but(
        "replayed",
        said("takes every order that was read twice for mailed twice"),
        ("if mailed[i] > 1", "if read[i] > 1"),
        keeps=0.9,
    ),
    "read twice is counted twice": but(
        "replayed",
        said("takes every order that was read twice for counted twice"),
        ("if counted[i] > 1", "if read[i] > 1"),
    ),
    "a key changes nothing": but(
        "replayed",
        said("forgets that a keyed sink drops the order it has seen"),
        ('mail_sink == "keyed"', "False"),
        keeps=0.9,
    ),
    "mails follow the result": but(
        "replayed",
        said("takes the orders counted twice for those mailed twice"),
        ("if mailed[i] > 1", "if counted[i] > 1"),
    ),
    "the last order is not in it": but(
        "replayed", "you have", ("row.last_order + 1", "row.last_order"), keeps=0.4
    ),
}
