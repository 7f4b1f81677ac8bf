"""Answers to lesson 5's exercise: right in other styles, and wrong ones of the field."""

from assignments.bank import Wrong

RIGHT = {
    "standard library only": {
        "outgrew_window": """
            from statistics import median

            def outgrew_window(runs, run_window_hours):
                rows = runs.to_dict("records")
                took = [(run["end"] - run["start"]).total_seconds() / 3600 for run in rows]
                read = [run["rows_read"] for run in rows]
                if median(took[-28:]) <= run_window_hours:
                    return False
                return median(took[-28:]) / median(read[-28:]) * median(read[:28]) <= (
                    run_window_hours
                )
        """,
        "rereads_source": """
            from statistics import median

            def rereads_source(runs):
                ratios = []
                for read, new in zip(list(runs["rows_read"])[-28:], list(runs["rows_new"])[-28:]):
                    ratios.append(read / new)
                return median(ratios) > 2
        """,
        "slowest_stage": """
            def slowest_stage(runs):
                stages = {}
                for stage in ("read", "transform", "write"):
                    stages[stage] = 0.0
                    for seconds in list(runs[stage + "_seconds"])[-28:]:
                        stages[stage] += seconds
                return max(stages, key=stages.get)
        """,
        "paths_by_tier": """
            def paths_by_tier(consumers):
                paths = {}
                for name, age in zip(consumers["name"], consumers["freshness_seconds"]):
                    tier = 1 if age <= 10 else 2 if age <= 900 else 3 if age <= 7200 else 4
                    paths.setdefault(tier, []).append(name)
                return tuple(tuple(reversed(path)) for path in paths.values())
        """,
        "failing_dimension": """
            from statistics import median

            def failing_dimension(runs, consumers, limits):
                rows = runs.to_dict("records")
                now = rows[-28:]
                hours = median((run["end"] - run["start"]).total_seconds() / 3600 for run in now)
                bill = median(run["cost_usd"] for run in now) * (24 / limits["interval_hours"])
                age = 3600 * (hours + limits["interval_hours"])
                first, last = rows[0], rows[-1]
                days = (last["start"] - first["start"]).total_seconds() / 86400
                a_day = (last["state_bytes"] - first["state_bytes"]) / days
                left = limits["state_limit_bytes"] - last["state_bytes"]
                tests = [
                    ("throughput", hours > limits["run_window_hours"]),
                    ("latency", min(consumers["freshness_seconds"]) < age),
                    ("cost", bill > limits["budget_usd_per_day"]),
                    ("state", a_day * 30 > left),
                ]
                return next((name for name, fails in tests if fails), "none")
        """,
    },
    "vectorised, and other but equivalent rules": {
        "outgrew_window": """
            import numpy as np

            def outgrew_window(runs, run_window_hours):
                hours = ((runs["end"] - runs["start"]) / np.timedelta64(1, "h")).to_numpy()
                rows = runs["rows_new"].to_numpy(float)
                now, then = np.median(hours[-28:]), np.median(rows[:28]) / np.median(rows[-28:])
                return np.logical_and(now > run_window_hours, now * then <= run_window_hours)
        """,
        "rereads_source": """
            def rereads_source(runs):
                recent = runs.iloc[-28:]
                return recent["rows_read"].gt(2 * recent["rows_new"]).mean() > 0.5
        """,
        "slowest_stage": """
            import numpy as np

            def slowest_stage(runs):
                columns = ["read_seconds", "transform_seconds", "write_seconds"]
                middle = runs[columns].tail(28).median()
                return np.array(["read", "transform", "write"])[middle.to_numpy().argmax()]
        """,
        "paths_by_tier": """
            def paths_by_tier(consumers):
                edges = [0, 10, 900, 7200, float("inf")]
                tier = pd.cut(consumers["freshness_seconds"], edges, labels=False)
                return consumers.groupby(tier)["name"].apply(list).tolist()
        """,
    },
    "one's own helper": {
        "failing_dimension": """
            def typical(series):
                return series.iloc[-28:].quantile(0.5)

            def failing_dimension(runs, consumers, limits):
                took = typical((runs["end"] - runs["start"]).dt.total_seconds())
                if took / 3600 > limits["run_window_hours"]:
                    return "throughput"
                if (consumers["freshness_seconds"] < limits["interval_hours"] * 3600 + took).any():
                    return "latency"
                if typical(runs["cost_usd"]) / limits["interval_hours"] * 24 > (
                    limits["budget_usd_per_day"]
                ):
                    return "cost"
                span = (runs["start"].max() - runs["start"].min()).total_seconds()
                growth = runs["state_bytes"].iloc[-1] - runs["state_bytes"].iloc[0]
                ahead = runs["state_bytes"].iloc[-1] + growth / span * 30 * 86_400
                return "state" if ahead > limits["state_limit_bytes"] else "none"
        """,
    },
}

HOURS = 'hours = (runs["end"] - runs["start"]).dt.total_seconds() / 3600'

# The reference with one step exchanged: (what stands there, what a misconception puts there).
FAILING = """
    def failing_dimension(runs, consumers, limits):
        recent = runs.tail(28)
        hours = (recent["end"] - recent["start"]).dt.total_seconds() / 3600
        run_hours = hours.median()
        if run_hours > limits["run_window_hours"]:
            return "throughput"
        age_seconds = (limits["interval_hours"] + run_hours) * 3600
        if consumers["freshness_seconds"].min() < age_seconds:
            return "latency"
        runs_per_day = 24 / limits["interval_hours"]
        if recent["cost_usd"].median() * runs_per_day > limits["budget_usd_per_day"]:
            return "cost"
        days = (runs["start"].iloc[-1] - runs["start"].iloc[0]) / pd.Timedelta(days=1)
        state = runs["state_bytes"]
        in_30_days = state.iloc[-1] + 30 * (state.iloc[-1] - state.iloc[0]) / days
        return "state" if in_30_days > limits["state_limit_bytes"] else "none"
"""


def failing(*steps: tuple[str, str]) -> dict[str, str]:
    source = FAILING
    for right, wrong in steps:
        assert right in source, right
        source = source.replace(right, wrong)
    return {"failing_dimension": source}


def said(name: str, words: str) -> dict[str, str]:
    return {name: f"the answers of somebody who {words}"}


def outgrew(rule: str, words: str) -> Wrong:
    source = f"""
        def outgrew_window(runs, run_window_hours):
            {HOURS}
            rows = runs["rows_new"]
            return bool({rule})
    """
    return Wrong({"outgrew_window": source}, {"outgrew_window": words}, keeps=0.75)


def rereads(rule: str, words: str) -> Wrong:
    source = f"""
        def rereads_source(runs):
            recent = runs.tail(28)
            return bool({rule})
    """
    return Wrong({"rereads_source": source}, {"rereads_source": words}, keeps=0.75)


def slowest(rule: str, words: str) -> Wrong:
    source = f"""
        def slowest_stage(runs):
            stages = runs[["read_seconds", "transform_seconds", "write_seconds"]]
            return {rule}
    """
    return Wrong({"slowest_stage": source}, {"slowest_stage": words}, keeps=0.75)


def paths(rule: str, words: str) -> Wrong:
    source = f"""
        def paths_by_tier(consumers):
            return {rule}
    """
    return Wrong({"paths_by_tier": source}, {"paths_by_tier": words}, keeps=0.75)


def by(key: str) -> str:
    return f'[group["name"].tolist() for _, group in consumers.groupby({key})]'


WRONG = {
    "a bad night is a trend": outgrew(
        "hours.max() > run_window_hours", "takes the longest run for the typical one"
    ),
    "slow is outgrown": outgrew(
        "hours.tail(28).median() > run_window_hours", "blames volume for every run that is too long"
    ),
    "growth is a fault": outgrew(
        "rows.tail(28).median() > 1.5 * rows.head(28).median()", "takes growth for a fault"
    ),
    "the mean over a growing series": outgrew(
        "hours.mean() > run_window_hours", "averages over the whole history"
    ),
    "then for now": outgrew("hours.head(28).median() > run_window_hours", "the window is"),
    "the last run stands for all": outgrew(
        "hours.iloc[-1] > run_window_hours and "
        "hours.iloc[-1] * rows.head(28).median() / rows.iloc[-1] <= run_window_hours",
        "takes the last run for what every recent one does",
    ),
    "the first run stands for then": outgrew(
        "hours.tail(28).median() > run_window_hours and hours.tail(28).median()"
        " * rows.iloc[0] / rows.tail(28).median() <= run_window_hours",
        "takes the first run for what every one did then",
    ),
    "minutes for hours": outgrew(
        "hours.tail(28).median() * 60 > run_window_hours", "the window is"
    ),
    "reading much is rereading": rereads(
        'recent["rows_read"].median() > 10_000_000', "takes reading much for reading twice"
    ),
    "written for arrived": rereads(
        '(recent["rows_read"] > 2 * recent["rows_written"]).mean() > 0.5',
        "compares rows read with rows written",
    ),
    "slow reads for rereads": rereads(
        'recent["read_seconds"].sum() > recent["transform_seconds"].sum()'
        ' and recent["read_seconds"].sum() > recent["write_seconds"].sum()',
        "takes slow reading for reading twice",
    ),
    "one backfill for every run": rereads(
        '(runs["rows_read"] / runs["rows_new"]).max() > 2', "takes one run that read old rows"
    ),
    "what was mended still counts": slowest(
        'stages.sum().idxmax().removesuffix("_seconds")', "adds up the whole history"
    ),
    "it is always the transform": slowest('"transform"', "blames the transform"),
    "the fastest for the slowest": slowest(
        'stages.tail(28).sum().idxmin().removesuffix("_seconds")', "of a recent run's seconds"
    ),
    "the column's name for the stage's": slowest("stages.tail(28).sum().idxmax()", "wanted one of"),
    "a deadline is a tier": paths(by('consumers["deadline_hour"].fillna(24) <= 6'), "a tier"),
    "every deadline its path": paths(
        by('consumers["deadline_hour"].fillna(24)'), "gives every deadline a path of its own"
    ),
    "a wish is a need": paths(by('consumers["asks_for"]'), "by the words consumers ask in"),
    "a path for each consumer": paths(
        '[[name] for name in consumers["name"]]', "builds each consumer a path of their own"
    ),
    "one path for everyone": paths('[consumers["name"].tolist()]', "builds one path for all"),
    "whoever has no deadline is forgotten": paths(
        by('consumers["deadline_hour"]'), "each consumer belongs to one path"
    ),
    "lateness is latency": Wrong(
        failing(
            (
                'if run_hours > limits["run_window_hours"]:\n            return "throughput"',
                "if 0: 0",
            ),
            (
                'return "latency"',
                'return "latency"\n        if run_hours > limits["run_window_hours"]:\n'
                '            return "throughput"',
            ),
        ),
        said("failing_dimension", "takes the symptom, late data, for the cause"),
    ),
    "the worst run decides": Wrong(
        failing(("recent = runs.tail(28)", "recent = runs"), ("hours.median()", "hours.max()")),
        said("failing_dimension", "takes the longest run for the typical one"),
    ),
    "the run is the age": Wrong(
        failing(('(limits["interval_hours"] + run_hours)', "run_hours")),
        said("failing_dimension", "takes the time of a run for the age of an event"),
    ),
    "a run's bill is a day's": Wrong(
        failing((" * runs_per_day", "")),
        said("failing_dimension", "compares one run's bill with a day's budget"),
    ),
    "full is growing": Wrong(
        failing(("in_30_days > limits", "state.iloc[-1] > 0.9 * limits")),
        said("failing_dimension", "takes state that is nearly full for state that grows"),
    ),
    "state forgotten": Wrong(
        failing(
            (
                'return "state" if in_30_days > limits["state_limit_bytes"] else "none"',
                'return "none"',
            )
        ),
        said("failing_dimension", "waits until the state is over its limit"),
    ),
    "a deadline is a freshness": Wrong(
        failing(
            (
                'consumers["freshness_seconds"].min() < age_seconds',
                'consumers["deadline_hour"].min() * 3600 < age_seconds',
            )
        ),
        {"failing_dimension": "the freshest need is"},
    ),
    "the mean over all runs": Wrong(
        failing(("recent = runs.tail(28)", "recent = runs"), ("hours.median()", "hours.mean()")),
        {"failing_dimension": "averages over the whole history"},
    ),
    "streaming fixes slow": Wrong(
        {
            "smallest_change": """
                def smallest_change(workload, consumers, engines):
                    offer = engines[-1]
                    needed = workload.narrowed(max(consumer.share for consumer in consumers))
                    for nodes in range(3, 33):
                        stream = Design(needed, offer, "streaming", Cadence.per_event(), nodes,
                                        consumers=consumers)
                        if evaluate(stream).serves:
                            return [stream.facts()]
            """
        },
        {"smallest_change": "streams everything, for everyone"},
        keeps=0.4,
    ),
    "the first consumer is all": Wrong(
        {
            "smallest_change": """
                def smallest_change(workload, consumers, engines):
                    path = Design(workload, engines[0], "batch", Cadence.every("1 h"), 1,
                                  consumers=consumers[:1])
                    return [path.facts()]
            """
        },
        {"smallest_change": "Is every consumer served"},
        keeps=0.2,
    ),
}
