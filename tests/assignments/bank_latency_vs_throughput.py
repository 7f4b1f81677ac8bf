"""Answers to lesson 1's exercise: right in other styles, and wrong ones of the field."""

from assignments.bank import Wrong

RIGHT = {
    "standard library only": {
        "latencies": """
            import math
            from statistics import mean, median

            def latencies(log):
                rows = log.to_dict("records")
                seen = [row for row in rows if not math.isnan(row["visible_seconds"])]
                end = max(row["visible_seconds"] for row in seen)
                ages = []
                for row in rows:
                    until = row["visible_seconds"]
                    ages.append((end if math.isnan(until) else until) - row["arrived_seconds"])
                ages.sort()
                return {
                    "p50_seconds": median(ages),
                    "p99_seconds": ages[math.ceil(0.99 * len(ages)) - 1],
                    "processing_seconds": mean(
                        row["done_seconds"] - row["started_seconds"] for row in seen
                    ),
                }
        """,
        "throughput_and_cost": """
            def throughput_and_cost(log, usd_per_hour):
                visible = [each for each in log["visible_seconds"].tolist() if each == each]
                hours = (max(visible) - min(log["arrived_seconds"].tolist())) / 3600
                rate = len(visible) / hours / 3600
                return {
                    "events_per_second": rate,
                    "usd_per_million_events": usd_per_hour / (rate * 3600) * 1_000_000,
                }
        """,
        "fit_overhead": """
            from statistics import mean

            def fit_overhead(batches):
                took = {}
                for events, seconds in zip(batches["events"], batches["seconds"], strict=True):
                    took.setdefault(events, []).append(seconds)
                small, large = min(took), max(took)
                each = (mean(took[large]) - mean(took[small])) / (large - small)
                return {
                    "overhead_seconds": mean(took[small]) - each * small,
                    "seconds_per_event": each,
                }
        """,
        "batch_sizes": """
            def batch_sizes(overhead_seconds, seconds_per_event, events_per_second, within_seconds):
                def took(n):
                    return overhead_seconds + n * seconds_per_event

                def keeps_up(n):
                    return took(n) <= n / events_per_second

                def in_time(n):
                    return (n - 1) / events_per_second + took(n) <= within_seconds

                def first(holds):
                    low, high = 0, 1
                    while not holds(high):
                        low, high = high, 2 * high
                        if high > 1e12:
                            return None
                    while high - low > 1:
                        middle = (low + high) // 2
                        low, high = (low, middle) if holds(middle) else (middle, high)
                    return high

                smallest, too_late = first(keeps_up), first(lambda n: not in_time(n))
                if smallest is None or smallest >= too_late:
                    return None
                return smallest, too_late - 1
        """,
        "frontier": """
            def frontier(designs):
                rows = [row for row in designs.to_dict("records") if row["keeps_up"]]
                places = [(row["latency_seconds"], row["usd_per_million_events"]) for row in rows]
                names = set()
                for row, (late, usd) in zip(rows, places):
                    for other_late, other_usd in places:
                        if other_late <= late and other_usd <= usd:
                            if (other_late, other_usd) != (late, usd):
                                break
                    else:
                        names.add(row["design"])
                return sorted(names, reverse=True)
        """,
        "constraining_dimension": """
            def constraining_dimension(hours, targets):
                rows = hours.to_dict("records")
                peak = max(rows, key=lambda row: row["arrived_events"])
                usd = sum(row["usd"] for row in rows)
                events = sum(row["visible_events"] for row in rows)
                if peak["visible_events"] / peak["arrived_events"] < 0.95:
                    return "throughput"
                if any(row["p99_seconds"] > targets["within_seconds"] for row in rows):
                    return "latency"
                if usd > targets["usd_per_million_events"] * events / 1e6:
                    return "cost"
                return "none"
        """,
    },
    "vectorised": {
        "latencies": """
            def latencies(log):
                arrived, started, done, visible = log.to_numpy().T
                waited = np.where(np.isnan(visible), np.nanmax(visible), visible) - arrived
                p50, p99 = np.percentile(waited, [50, 99], method="hazen")
                return dict(
                    p50_seconds=p50, p99_seconds=p99, processing_seconds=np.nanmean(done - started)
                )
        """,
        "throughput_and_cost": """
            def throughput_and_cost(log, usd_per_hour):
                table = log.to_numpy()
                span = np.nanmax(table) - table[0, 0]
                events = np.isfinite(table[:, 3]).sum()
                return {
                    "usd_per_million_events": usd_per_hour * span * 1e6 / (3600 * events),
                    "events_per_second": events / span,
                }
        """,
        "fit_overhead": """
            def fit_overhead(batches):
                each, overhead = np.polyfit(
                    batches["events"], batches["seconds"], 1, w=1 / batches["seconds"]
                )
                return {"overhead_seconds": overhead, "seconds_per_event": each}
        """,
        "batch_sizes": """
            def batch_sizes(overhead_seconds, seconds_per_event, events_per_second, within_seconds):
                n = np.unique(np.geomspace(1, 1e8, 400_000).round())
                took = overhead_seconds + n * seconds_per_event
                fits = took <= n / events_per_second
                fits &= (n - 1) / events_per_second + took <= within_seconds
                return n[fits][[0, -1]] if fits.any() else None
        """,
        "frontier": """
            def frontier(designs):
                able = designs.query("keeps_up")
                late, usd = able["latency_seconds"].to_numpy(), able["usd_per_million_events"]
                usd = usd.to_numpy()
                no_worse = (late[:, None] <= late) & (usd[:, None] <= usd)
                better = (late[:, None] < late) | (usd[:, None] < usd)
                return able["design"][~(no_worse & better).any(axis=0)]
        """,
        "constraining_dimension": """
            def constraining_dimension(hours, targets):
                peak = hours.nlargest(1, "arrived_events")
                unit = hours["usd"].sum() / hours["visible_events"].sum() * 1e6
                fails = [
                    (peak["visible_events"] < 0.95 * peak["arrived_events"]).all(),
                    hours["p99_seconds"].gt(targets["within_seconds"]).any(),
                    unit > targets["usd_per_million_events"],
                    True,
                ]
                return np.array(["throughput", "latency", "cost", "none"])[np.argmax(fails)]
        """,
    },
    "other but equivalent rules": {
        "latencies": """
            def latencies(log):
                end = log.iloc[:, 3].max()
                ages = log["visible_seconds"].where(log["visible_seconds"].notna(), end)
                ages = ages.sub(log["arrived_seconds"])
                spent = log["done_seconds"].sum() - log["started_seconds"].sum()
                return {
                    "p50_seconds": ages.quantile(0.5, interpolation="lower"),
                    "p99_seconds": ages.quantile(0.99, interpolation="higher"),
                    "processing_seconds": spent / log["done_seconds"].count(),
                }
        """,
        "fit_overhead": """
            def fit_overhead(batches):
                seconds, events = batches["seconds"], batches["events"]
                weight = 1 / seconds**2
                weight /= weight.sum()
                n, t = (events * weight).sum(), (seconds * weight).sum()
                each = (weight * (events - n) * (seconds - t)).sum()
                each /= (weight * (events - n) ** 2).sum()
                return {"overhead_seconds": t - each * n, "seconds_per_event": each}
        """,
        "batch_sizes": """
            from math import ceil, floor, inf

            def batch_sizes(overhead_seconds, seconds_per_event, events_per_second, within_seconds):
                gap = 1 / events_per_second
                spare = gap - seconds_per_event
                smallest = overhead_seconds / spare if spare > 0 else inf
                largest = (within_seconds + gap - overhead_seconds) / (gap + seconds_per_event)
                return None if smallest > largest else [ceil(smallest), floor(largest)]
        """,
        "frontier": """
            def frontier(designs):
                axes = ["latency_seconds", "usd_per_million_events"]
                ordered = designs[designs["keeps_up"]].sort_values(axes)
                names, last, cheapest = [], None, float("inf")
                for row in ordered.to_dict("records"):
                    place = tuple(row[axis] for axis in axes)
                    if place[1] < cheapest or place == last:
                        names.append(row["design"])
                        last, cheapest = place, place[1]
                return names
        """,
        "constraining_dimension": """
            def constraining_dimension(hours, targets):
                over = hours["arrived_events"] - hours["visible_events"]
                if (over > 0.05 * hours["arrived_events"]).any():
                    return "throughput"
                if (hours["p99_seconds"] - targets["within_seconds"]).max() > 0:
                    return "latency"
                spent, events = hours[["usd", "visible_events"]].sum()
                allowed = targets["usd_per_million_events"] / 1e6 * events
                return "none" if spent <= allowed else "cost"
        """,
    },
}


def exchanged(name: str, source: str, keeps: float = 0.6):
    """A maker of wrong answers: the reference with one step exchanged.

    Its message names somebody who has this misconception, or holds the words of a `note`.
    """

    def make(right: str, instead: str, who: str = "", note: str = "", keeps=keeps) -> Wrong:
        assert right in source, right
        said = note or f"the answers of somebody who {who}"
        return Wrong({name: source.replace(right, instead)}, {name: said}, keeps)

    return make


latencies = exchanged(
    "latencies",
    """
    def latencies(log):
        end = log["visible_seconds"].max()
        latency = log["visible_seconds"].fillna(end) - log["arrived_seconds"]
        work = log["done_seconds"] - log["started_seconds"]
        return {
            "p50_seconds": latency.median(),
            "p99_seconds": latency.quantile(0.99),
            "processing_seconds": work.mean(),
        }
    """,
)
metrics = exchanged(
    "throughput_and_cost",
    """
    def throughput_and_cost(log, usd_per_hour):
        seconds = log["visible_seconds"].max() - log["arrived_seconds"].min()
        paid = seconds
        events = log["visible_seconds"].count()
        return {
            "events_per_second": events / seconds,
            "usd_per_million_events": usd_per_hour * paid / 3600 / events * 1e6,
        }
    """,
)
fit = exchanged(
    "fit_overhead",
    """
    def fit_overhead(batches):
        events, seconds = batches["events"].to_numpy(float), batches["seconds"].to_numpy()
        weight = 1 / seconds
        each, overhead = np.polyfit(events, seconds, 1, w=weight)
        return {"overhead_seconds": overhead, "seconds_per_event": each}
    """,
)
sizes = exchanged(
    "batch_sizes",
    """
    def batch_sizes(overhead_seconds, seconds_per_event, events_per_second, within_seconds):
        spare = 1 - events_per_second * seconds_per_event
        if spare <= 0:
            return None
        smallest = max(1, int(np.ceil(events_per_second * overhead_seconds / spare)))
        gap, each, fixed = 1 / events_per_second, seconds_per_event, overhead_seconds
        largest = int((within_seconds - fixed + gap) / (gap + each))
        return [smallest, largest] if smallest <= largest else None
    """,
)
designs = exchanged(
    "frontier",
    """
    def frontier(designs):
        able = designs[designs["keeps_up"]]
        late, usd = able["latency_seconds"].to_numpy(), able["usd_per_million_events"].to_numpy()
        no_worse = (late[:, None] <= late) & (usd[:, None] <= usd)
        better = (late[:, None] < late) | (usd[:, None] < usd)
        beaten = (no_worse & better).any(axis=0)
        return able["design"][~beaten].tolist()
    """,
    keeps=0.55,
)
binds = exchanged(
    "constraining_dimension",
    """
    def constraining_dimension(hours, targets):
        arrived, visible = hours["arrived_events"], hours["visible_events"]
        peak = arrived.idxmax()
        keeps_up = visible[peak] >= 0.95 * arrived[peak]
        late = hours["p99_seconds"].max() > targets["within_seconds"]
        unit = hours["usd"].sum() / visible.sum() * 1e6
        if not keeps_up:
            return "throughput"
        if late:
            return "latency"
        return "cost" if unit > targets["usd_per_million_events"] else "none"
    """,
    keeps=0.95,
)

WRONG = {
    "survivors only": latencies(
        '.fillna(end) - log["arrived_seconds"]',
        '.dropna() - log["arrived_seconds"]',
        "drops the events that are still waiting",
    ),
    "processing is the latency": latencies(
        'latency = log["visible_seconds"].fillna(end) - log["arrived_seconds"]',
        'latency = log["done_seconds"] - log["started_seconds"]',
        "takes processing for the whole latency",
    ),
    "done is visible": latencies(
        'latency = log["visible_seconds"]',
        'latency = log["done_seconds"]',
        "stops the clock when an event is done",
    ),
    "the clock starts with the work": latencies(
        '.fillna(end) - log["arrived_seconds"]',
        ' - log["started_seconds"]',
        "starts the clock when the work starts",
    ),
    "the worst for the 99th percentile": latencies(
        "latency.quantile(0.99)", "latency.max()", "takes the worst event"
    ),
    "95 is near enough to 99": latencies(
        "quantile(0.99)", "quantile(0.95)", note="the 99th percentile of end-to-end latency is"
    ),
    "the mean for the median": latencies(
        "latency.median()", "latency.mean()", "takes the mean latency for the median one"
    ),
    "the commit is work": latencies(
        'work = log["done_seconds"]', 'work = log["visible_seconds"]', "counts the commit as"
    ),
    "the wait is work": latencies(
        'log["done_seconds"] - log["started_seconds"]',
        'log["done_seconds"] - log["arrived_seconds"]',
        "counts the wait before the work as processing",
    ),
    "milliseconds": latencies(
        "latency.median()", "1000 * latency.median()", note="the median end-to-end latency is"
    ),
    "one over latency": metrics(
        "events / seconds,",
        '1 / (log["visible_seconds"] - log["arrived_seconds"]).mean(),',
        "takes one over the latency for throughput",
    ),
    "the busy seconds are the bill": metrics(
        "paid = seconds",
        'paid = (log["done_seconds"] - log["started_seconds"]).sum()',
        "bills only the seconds of work",
    ),
    "what it could do is what it did": metrics(
        'seconds = log["visible_seconds"].max() - log["arrived_seconds"].min()',
        'seconds = (log["done_seconds"] - log["started_seconds"]).sum()',
        "divides by the seconds of work alone",
    ),
    "arrived is done": metrics(
        'log["visible_seconds"].count()', "len(log)", "counts events that arrived"
    ),
    "the clock starts at zero": metrics(
        ' - log["arrived_seconds"].min()', "", "divides by the reading of the clock"
    ),
    "the last arrival ends the log": metrics(
        'log["visible_seconds"].max()',
        'log["arrived_seconds"].max()',
        "stops the clock at the last arrival",
    ),
    "seconds at a price by the hour": metrics(
        "paid / 3600", "paid", "multiplies a price by the hour with seconds"
    ),
    "dollars of one event": metrics(" * 1e6", "", note="the cost of a million events is"),
    "a batch has no overhead": fit(
        "each, overhead = np.polyfit(events, seconds, 1, w=weight)",
        "each, overhead = seconds.sum() / events.sum(), 0.0",
        "divides seconds by events",
    ),
    "the largest batches decide": fit(", w=weight", "", "fits in absolute error"),
    "the smallest batch is the overhead": fit(
        'return {"overhead_seconds": overhead',
        'return {"overhead_seconds": seconds[events == events.min()].mean()',
        "takes the whole smallest batch for overhead",
    ),
    "the mean of seconds per event": fit(
        "each, overhead = np.polyfit(events, seconds, 1, w=weight)",
        "each = (seconds / events).mean(); overhead = (seconds - each * events).mean()",
        "averages seconds per event over all sizes",
    ),
    "the batch is the latency": sizes(
        "(within_seconds - fixed + gap) / (gap + each)",
        "(within_seconds - fixed) / each",
        "takes the time of a batch for the latency",
    ),
    "the wait is the latency": sizes(
        "(within_seconds - fixed + gap) / (gap + each)",
        "within_seconds / gap + 1",
        "counts the wait for company only",
    ),
    "the average event decides": sizes(
        "(within_seconds - fixed + gap) / (gap + each)",
        "(within_seconds - fixed + gap / 2) / (gap / 2 + each)",
        "lets the average event decide",
    ),
    "only the overhead takes time": sizes(
        " / spare", "", "counts only the overhead as the batch's time"
    ),
    "half speed is enough": sizes(
        "events_per_second * overhead_seconds / spare",
        "overhead_seconds / seconds_per_event",
        "takes the half-speed batch for the smallest that keeps up",
    ),
    "every size keeps up": Wrong(
        {
            "batch_sizes": """
                def batch_sizes(
                    overhead_seconds, seconds_per_event, events_per_second, within_seconds
                ):
                    gap = 1 / events_per_second
                    n = (within_seconds - overhead_seconds + gap) / (gap + seconds_per_event)
                    return [1, int(n)] if n >= 1 else None
            """
        },
        {"batch_sizes": "somebody who asks only how late an event may be"},
        keeps=0.2,
    ),
    "bounds that cross": sizes(
        " if smallest <= largest else None",
        "",
        "gives two sizes where the smallest that keeps up is already too late",
        keeps=0.75,
    ),
    "an overloaded design is fast": designs(
        'designs[designs["keeps_up"]]', "designs", "keeps designs that do not keep up"
    ),
    "beaten only when worse in both": designs(
        "beaten = (no_worse & better)",
        "beaten = ((late[:, None] < late) & (usd[:, None] < usd))",
        "calls a design beaten only when another is better in both",
    ),
    "the best weighted sum": designs(
        "beaten = (no_worse & better).any(axis=0)",
        "sums = np.geomspace(1e-6, 1e6, 999)[:, None] * late / late.max() + usd / usd.max()\n"
        "        beaten = (sums > sums.min(axis=1, keepdims=True) * (1 + 1e-9)).all(axis=0)",
        "keeps what is best for some weighted sum",
    ),
    "only the two ends": designs(
        "beaten = (no_worse & better).any(axis=0)",
        "beaten = (late > late.min()) & (usd > usd.min()) | (no_worse & better).any(axis=0)",
        "keeps the fastest and the cheapest",
    ),
    "throughput is the other axis": designs(
        'able["usd_per_million_events"].to_numpy()',
        '-able["events_per_second"].to_numpy()',
        "sets latency against throughput",
    ),
    "equal designs beat each other": designs(
        "beaten = (no_worse & better).any(axis=0)",
        "beaten = no_worse.sum(axis=0) > 1",
        note="you left out",
    ),
    "one of two alike is enough": designs(
        'designs[designs["keeps_up"]]',
        'designs[designs["keeps_up"]].drop_duplicates(designs.columns[1:3])',
        "lets one of two designs beat the other though they are alike",
    ),
    "lateness is latency": binds(
        'if not keeps_up:\n            return "throughput"\n        if late:\n'
        '            return "latency"',
        'if late:\n            return "latency"\n        if not keeps_up:\n'
        '            return "throughput"',
        "takes late events, the symptom of an overload, for the cause",
    ),
    "the night makes up for the peak": binds(
        "visible[peak] >= 0.95 * arrived[peak]",
        "visible.sum() >= 0.95 * arrived.sum()",
        "asks whether it keeps up over the day",
    ),
    "busy machines are overloaded": binds(
        "visible[peak] >= 0.95 * arrived[peak]",
        'hours["busy_share"].max() < 0.75',
        "takes busy machines for a lack of throughput",
    ),
    "the average hour is late enough": binds(
        'hours["p99_seconds"].max()', 'hours["p99_seconds"].mean()', "averages latency over the day"
    ),
    "the mean of the hours' prices": binds(
        'hours["usd"].sum() / visible.sum()',
        '(hours["usd"] / visible).mean()',
        "averages the hours' prices of an event",
    ),
    "the price at the peak": binds(
        'hours["usd"].sum() / visible.sum()',
        'hours["usd"][peak] / visible[peak]',
        "takes the price of an event at the peak",
    ),
    "throughput forgotten": binds(
        "visible[peak] >= 0.95 * arrived[peak]", "True", "looks at latency and cost only"
    ),
    "an hour's bill for the day's": binds(
        'hours["usd"].sum()', 'hours["usd"].mean()', note="over the day a million events cost"
    ),
}
