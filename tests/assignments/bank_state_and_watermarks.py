"""Answers to lesson 4's exercise: right in other styles, wrong by the field's misconceptions."""

from textwrap import dedent, indent

from assignments.bank import Wrong

RIGHT = {
    "standard library only": {
        "classify": """
            def classify(transform):
                event, result = transform["event"], transform["result_for"]
                alone = result == event or (event, result) == ("file", "row")
                alone = alone and transform["decided_by"] != "earlier events"
                return "stateless" if alone and transform["table"] != "change stream" else (
                    "stateful"
                )
        """,
        "state_bytes": """
            from math import ceil, expm1

            def state_bytes(state, days):
                hours, late = 24 * days, state["watermark_hours"]
                span = hours if late is None else min(hours, late + state["window_hours"])
                entry = state["values"] * state["bytes_each"]
                entry += entry * state["index_overhead"]
                if state["per_window"]:
                    window = state["window_hours"]
                    events = state["events_per_day"] / 24 * window
                    seen = -state["keys"] * expm1(-events / state["keys"])
                    return seen * ceil(span / window - 1e-6) * entry * state["copies"]
                if state["new_keys_per_day"] == state["events_per_day"]:
                    seen = state["new_keys_per_day"] / 24 * span
                else:
                    keys = state["keys"] + state["new_keys_per_day"] * days
                    seen = -keys * expm1(-state["events_per_day"] / 24 * span / keys)
                return seen * entry * state["copies"]
        """,
        "memory_ends": """
            def memory_ends(state, memory_bytes):
                copies = state["copies"]
                days = 0.01
                while state_bytes(state, days) / copies <= memory_bytes:
                    days *= 1.02
                    if days > 3660:
                        return None
                return days / 1.01
        """,
        "windowed_count": """
            from collections import Counter

            def windowed_count(events, window, watermark):
                allowed = float("inf") if watermark is None else watermark
                counts, newest, late = Counter(), None, 0
                for event in events.to_dict("records"):
                    start = event["event_time"] - event["event_time"] % window
                    if newest is not None and start + window + allowed < newest:
                        late += 1
                    else:
                        counts[start, event["key"]] += 1
                        if newest is None or event["event_time"] > newest:
                            newest = event["event_time"]
                edge = newest - window - allowed
                done = [(*pair, n) for pair, n in counts.items() if pair[0] < edge]
                return {"late": late, "held": len(counts) - len(done), "emitted": tuple(done)}
        """,
        "choose_watermark": """
            def choose_watermark(events, window, watermarks, most_lost, of):
                newest, worst, lateness = float("-inf"), {}, []
                for time, key in zip(events["event_time"], events["key"]):
                    newest = max(newest, time)
                    start = time // window
                    lateness.append(newest - (start + 1) * window)
                    pair = start, key
                    worst[pair] = max(worst.get(pair, lateness[-1]), lateness[-1])
                values = lateness if of == "events" else list(worst.values())
                most = most_lost * len(values)
                good = [w for w in watermarks if sum(v > w for v in values) <= most]
                return min(good, default=None)
        """,
    },
    "vectorised": {
        "classify": """
            def classify(transform):
                facts = pd.Series(transform)
                width = pd.Series({"row": 1, "file": 2})
                width = width.reindex([facts["event"], facts["result_for"]]).fillna(9).to_numpy()
                causes = [facts["table"] == "change stream", facts["decided_by"] != "own fields"]
                return "stateful" if any([*causes, width[1] > width[0]]) else "stateless"
        """,
        "windowed_count": """
            import numpy as np

            def windowed_count(events, window, watermark):
                limit = np.inf if watermark is None else watermark
                end = events["event_time"] // window * window + window
                late = events["event_time"].cummax() - end > limit
                kept = events.assign(start=end - window)[~late]
                counts = kept.groupby(["start", "key"]).size().rename("n").reset_index()
                closed = events["event_time"].max() - window - counts["start"] > limit
                emitted = counts[closed].to_numpy().tolist()
                return {"emitted": emitted, "held": (~closed).sum(), "late": late.sum()}
        """,
        "choose_watermark": """
            import numpy as np

            def choose_watermark(events, window, watermarks, most_lost, of):
                times = events["event_time"].to_numpy()
                offered = np.sort(watermarks)
                behind = np.maximum.accumulate(times) - (times // window * window + window)
                late = pd.DataFrame(behind[:, None] > offered[None, :])
                if of == "counts":
                    late = late.groupby([times // window, events["key"].to_numpy()]).max()
                enough = late.mean().to_numpy() <= most_lost
                return offered[enough.argmax()] if enough.any() else None
        """,
    },
    "the model's own arithmetic": {
        "state_bytes": """
            from tradeoff.model import State
            from tradeoff.model.state import over_time

            def state_bytes(state, days):
                entry = state["values"] * state["bytes_each"] * (1 + state["index_overhead"])
                held = over_time(kept(state), state["events_per_day"], [days])[0]
                return held * entry * state["copies"]

            def kept(state):
                window, late = state["window_hours"] * 3600, state["watermark_hours"]
                return State(
                    keys=state["keys"],
                    window_seconds=window,
                    watermark_seconds=None if late is None else late * 3600,
                    pane_seconds=window if state["per_window"] else None,
                    new_keys_per_day=state["new_keys_per_day"],
                )
        """,
        "memory_ends": """
            from dataclasses import replace
            from tradeoff import engine
            from tradeoff.model import State
            from tradeoff.model.state import full_after_days

            def memory_ends(state, memory_bytes):
                window, late = state["window_hours"] * 3600, state["watermark_hours"]
                kept = State(
                    state["keys"],
                    state["values"],
                    state["bytes_each"],
                    window,
                    None if late is None else late * 3600,
                    window if state["per_window"] else None,
                    new_keys_per_day=state["new_keys_per_day"],
                )
                node = replace(engine("flink"), state_index_overhead=state["index_overhead"])
                return full_after_days(kept, state["events_per_day"], node, memory_bytes, 3650)
        """,
    },
    "closed forms, and one call a watermark": {
        "memory_ends": """
            def memory_ends(state, memory_bytes):
                entry = state["values"] * state["bytes_each"] * (1 + state["index_overhead"])
                fit, late = memory_bytes / entry, state["watermark_hours"]
                kept = math.inf if late is None else (state["window_hours"] + late) / 24
                events, new = state["events_per_day"], state["new_keys_per_day"]
                if state["per_window"]:
                    window = state["window_hours"] / 24
                    in_one = state["keys"] * (1 - math.exp(-events * window / state["keys"]))
                    days = fit / in_one * window
                elif new == events:
                    days = fit / new
                elif new:
                    return (fit - state["keys"]) / new
                elif fit >= state["keys"]:
                    return None
                else:
                    days = -math.log(1 - fit / state["keys"]) * state["keys"] / events
                return days if days < kept else None
        """,
        "windowed_count": """
            def windowed_count(events, window, watermark):
                held, emitted, dropped = {}, [], []
                newest = edge = float("-inf")  # windows that end before the edge are closed
                for event in events.itertuples():
                    start = event.event_time // window * window
                    if start + window < edge:
                        dropped.append(event)
                        continue
                    held[start, event.key] = held.get((start, event.key), 0) + 1
                    newest = max(newest, event.event_time)
                    if watermark is not None:
                        edge = newest - watermark
                    for pair in sorted(held):
                        if pair[0] + window < edge:
                            emitted.append([float(pair[0]), pair[1], held.pop(pair)])
                return dict(emitted=emitted, held=float(len(held)), late=len(dropped))
        """,
        "choose_watermark": """
            def choose_watermark(events, window, watermarks, most_lost, of):
                def counts(watermark):
                    done = windowed_count(end_marked, window, watermark)
                    return {(start, key): n for start, key, n in done["emitted"]}, done["late"]

                # An event far in the future closes all windows before it.
                last = events["event_time"].max() + 10 * (max(watermarks) + window)
                row = {"event_time": [last], "seen": [last], "key": ["end"]}
                end_marked = pd.concat([events, pd.DataFrame(row)], ignore_index=True)
                true = events.groupby([events["event_time"] // window * window, "key"]).size()
                best = None
                for watermark in sorted(watermarks, reverse=True):
                    found, late = counts(watermark)
                    wrong = sum(found.get(pair, 0) != n for pair, n in true.items())
                    lost = late / len(events) if of == "events" else wrong / len(true)
                    if lost <= most_lost:
                        best = watermark
                return best
        """,
    },
}


def said(name: str, words: str) -> dict[str, str]:
    return {name: f"the answers of somebody who {words}"}


def exchanged(source: str, steps: tuple[tuple[str, str], ...]) -> str:
    """The source with some steps exchanged: (what stands there, what a misconception puts)."""
    for right, wrong in steps:
        assert right in source, right
        source = source.replace(right, wrong)
    return source


def classified(rule: str, words: str) -> Wrong:
    source = f"""
        def classify(transform):
            size = {{"row": 0, "file": 1}}
            event, result = transform["event"], transform["result_for"]
            several = size.get(result, 2) > size[event]
            remembers = transform["decided_by"] == "earlier events"
            fed = transform["table"] == "change stream"
            return "stateful" if {rule} else "stateless"
    """
    return Wrong({"classify": source}, said("classify", words), keeps=0.8)


SIZE = """
    def state_bytes(state, days):
        window, watermark = state["window_hours"] / 24, state["watermark_hours"]
        kept = math.inf if watermark is None else window + watermark / 24
        if state["per_window"]:
            begun = max(1, round(days / window))
            at_most = math.inf if watermark is None else math.ceil(kept / window - 1e-9)
            entries = min(begun, at_most) * seen(state, min(window, days), days)
        else:
            entries = seen(state, min(kept, days), days)
        entry_bytes = state["values"] * state["bytes_each"] * (1 + state["index_overhead"])
        return entries * entry_bytes * state["copies"]

    def seen(state, span, days):
        keys = state["keys"] + state["new_keys_per_day"] * days
        born = state["new_keys_per_day"] * span
        events = (state["events_per_day"] - state["new_keys_per_day"]) * span
        return born + (keys - born) * (1 - math.exp(-events / keys))
"""


def sized(loses: dict[str, str], *steps: tuple[str, str]) -> Wrong:
    return Wrong({"state_bytes": exchanged(SIZE, steps)}, loses, keeps=0.9)


def both(words: str, memory: str) -> dict[str, str]:
    """`memory_ends` calls `state_bytes`, so it gives the answers of the same mistake."""
    return said("state_bytes", words) | {"memory_ends": memory}


ENDS = """
    def memory_ends(state, memory_bytes):
        one_copy = {**state, "copies": 1}
        fits, too_long = 0.0, 3650.0
        if state_bytes(one_copy, too_long) <= memory_bytes:
            return None
        while too_long - fits > 0.001 * too_long:
            middle = (fits + too_long) / 2
            if state_bytes(one_copy, middle) <= memory_bytes:
                fits = middle
            else:
                too_long = middle
        return too_long
"""


def ended(words: str, *steps: tuple[str, str]) -> Wrong:
    return Wrong({"memory_ends": exchanged(ENDS, steps)}, said("memory_ends", words), keeps=0.9)


def ended_early(rule: str, words: str) -> Wrong:
    """A rule in front of the right answer."""
    start = 'one_copy = {**state, "copies": 1}'
    rule = indent(dedent(rule).strip(), 8 * " ").strip()
    return ended(words, (start, f"{rule}\n        {start}"))


COUNT = """
    def windowed_count(events, window, watermark):
        counts, emitted = {}, []
        newest, late = -math.inf, 0

        def closed(start):
            return watermark is not None and newest - (start + window) > watermark

        for row in events.to_dict("records"):
            time, key = row["event_time"], row["key"]
            start = time // window * window
            if closed(start):
                late += 1
                continue
            of_window = counts.setdefault(start, {})
            of_window[key] = of_window.get(key, 0) + 1
            newest = max(newest, time)
            for done in [start for start in counts if closed(start)]:
                emitted += [(done, key, count) for key, count in counts.pop(done).items()]
        held = sum(len(of_window) for of_window in counts.values())
        return {"emitted": emitted, "held": held, "late": late}
"""


def counted(loses: str | dict[str, str], *steps: tuple[str, str]) -> Wrong:
    if isinstance(loses, str):
        loses = said("windowed_count", loses)
    return Wrong({"windowed_count": exchanged(COUNT, steps)}, loses, keeps=0.6)


CHOOSE = """
    def choose_watermark(events, window, watermarks, most_lost, of):
        starts = events["event_time"] // window * window
        lateness = events["event_time"].cummax() - (starts + window)
        for watermark in sorted(watermarks):
            lost = lateness > watermark
            if of == "counts":
                lost = lost.groupby([starts, events["key"]]).any()
            if lost.mean() <= most_lost:
                return watermark
        return None
"""


def chosen(loses: str | dict[str, str], *steps: tuple[str, str]) -> Wrong:
    if isinstance(loses, str):
        loses = said("choose_watermark", loses)
    return Wrong({"choose_watermark": exchanged(CHOOSE, steps)}, loses, keeps=0.9)


LATENESS = 'events["event_time"].cummax() - (starts + window)'

WRONG = {
    "the keyword decides": classified(
        'transform["operation"] in ("join", "count", "distinct", "top-n")',
        "goes by the operation's name",
    ),
    "memory is state": classified(
        'transform["memory_bytes"] > 0', "calls whatever needs memory stateful"
    ),
    "state in Redis is no state": classified(
        '(several or remembers or fed) and transform["kept_in"] != "Redis"',
        "calls it stateless once its state is kept in Redis",
    ),
    "a lookup is stateless": classified(
        "several or remembers", "calls a lookup stateless although a change stream feeds its table"
    ),
    "a filter is stateless": classified(
        "several or fed", "forgets that a filter may look at earlier events"
    ),
    "what the event is does not matter": classified(
        'result != "row" or remembers or fed', "calls an aggregate inside one file stateful"
    ),
    "a constant table is state": classified(
        'several or remembers or transform["table"]', "calls a lookup in a constant table stateful"
    ),
    "the values are the state": sized(
        both("counts the values alone", "forgets that keys and index take room"),
        (' * (1 + state["index_overhead"])', ""),
        (' * state["copies"]', ""),
    ),
    "one copy is enough to count": sized(
        said("state_bytes", "counts one copy, and forgets snapshots"), (' * state["copies"]', "")
    ),
    "an index is free": sized(
        both("forgets that keys and index take room", "forgets that keys and index take room"),
        (' * (1 + state["index_overhead"])', ""),
    ),
    "one window is open": sized(
        both("holds one window at a time", "holds one window at a time"),
        ("min(begun, at_most)", "1"),
    ),
    "every key is in every window": sized(
        both("expects each key in each window", "expects each key in each window"),
        ("seen(state, min(window, days), days)", 'state["keys"]'),
    ),
    "every event is kept": sized(
        both("takes each event for an entry", "takes each event for an entry"),
        (
            "return entries * entry_bytes",
            'entries = state["events_per_day"] * min(kept, days)\n'
            "        return entries * entry_bytes",
        ),
    ),
    "new keys are forgotten": sized(
        both(
            "leaves out the keys that are added every day",
            "lets a watermark forget users who keep coming",
        ),
        (
            '        keys = state["keys"]',
            '        if state["new_keys_per_day"] < state["events_per_day"]:\n'
            '            state = state | {"new_keys_per_day": 0}\n'
            '        keys = state["keys"]',
        ),
    ),
    "hours for days": sized(
        said("state_bytes", "takes hours of window and watermark for days")
        | {"memory_ends": "fits into the memory"},
        ('state["window_hours"] / 24', 'state["window_hours"]'),
        ("round(days / window)", "math.ceil(days / window - 1e-9)"),
        ("watermark / 24", "watermark"),
    ),
    "copies fill the memory": ended(
        "lets all copies fill the memory", ('{**state, "copies": 1}', "state")
    ),
    "a watermark bounds it": ended_early(
        """
        if state["watermark_hours"] is not None:
            return None
        """,
        "trusts that a watermark saves the memory",
    ),
    "no watermark ends memory": ended_early(
        """
        if state["watermark_hours"] is None:
            day = max(1, state["window_hours"] / 24) if state["per_window"] else 1
            return memory_bytes / state_bytes({**state, "copies": 1}, day) * day
        """,
        "lets memory end wherever there is no watermark",
    ),
    "it always ends": Wrong(
        {
            "memory_ends": exchanged(
                ENDS, (("if state_bytes(one_copy, too_long) <= memory_bytes", "if False"),)
            )
        },
        said("memory_ends", "gives a day for every state"),
        keeps=0.6,
    ),
    "processing time for event time": counted(
        "counts by the time at which events are seen", ('row["event_time"]', 'row["seen"]')
    ),
    "closed on the boundary": counted(
        "closes a window whose end is exactly the watermark behind",
        ("> watermark", ">= watermark"),
    ),
    "the event is late, not its window": counted(
        "drops an event that is more than the watermark behind",
        (
            "if closed(start):\n",
            "if watermark is not None and newest - time > watermark:\n",
        ),
    ),
    "the clock moves the watermark": counted(
        "lets the clock move the watermark", ("max(newest, time)", 'max(newest, row["seen"])')
    ),
    "the last event moves it back": counted(
        "measures from the last event rather than the newest", ("max(newest, time)", "time")
    ),
    "a late event opens its window again": counted(
        "lets a late event open its window again", ("late += 1\n                continue", "pass")
    ),
    "closed from its start": counted(
        "measures from a window's start", ("newest - (start + window)", "newest - start")
    ),
    "off by one window": counted(
        "puts an event on the boundary of two windows into the earlier one",
        ("time // window * window", "(time - 1) // window * window"),
    ),
    "the end of the input closes all": counted(
        "puts out the windows that are still open",
        (
            "        held = sum(",
            "        for start in list(counts):\n"
            "            emitted += [(start, key, n) for key, n in counts.pop(start).items()]\n"
            "        held = sum(",
        ),
    ),
    "all disorder is late": counted(
        "calls late whatever comes behind a newer event",
        ("if closed(start):\n", "if watermark is not None and time < newest:\n"),
    ),
    "keys are forgotten": counted(
        {"windowed_count": "first difference"}, ('row["key"]', 'str(row["key"])[:0]')
    ),
    "a window for each key of its own": counted(
        {"windowed_count": "late"},
        ("newest, late = -math.inf, 0", "newest, late, of_key = -math.inf, 0, {}"),
        (
            "            start = time // window * window\n",
            "            start = time // window * window\n"
            "            newest = of_key.get(key, -math.inf)\n",
        ),
        ("newest = max(newest, time)", "newest = of_key[key] = max(newest, time)"),
    ),
    "a loss on the boundary": chosen(
        "loses an event whose window's end is exactly the watermark behind",
        ("lateness > watermark", "lateness >= watermark"),
    ),
    "lateness from the event": chosen(
        "measures lateness from the event, though its window may still be open",
        (LATENESS, 'events["event_time"].cummax() - events["event_time"]'),
    ),
    "late by the clock": chosen(
        "measures lateness by the clock", (LATENESS, 'events["seen"] - (starts + window)')
    ),
    "delay is lateness": chosen(
        "takes an event's delay on the clock for its lateness",
        (LATENESS, 'events["seen"] - events["event_time"]'),
    ),
    "events for counts": chosen(
        "takes the share of events lost for the share of counts",
        ('of == "counts"', "False"),
    ),
    "counts for events": chosen(
        "takes the share of wrong counts for the share of events", ('of == "counts"', "True")
    ),
    "the mean share for the share of counts": chosen(
        {"choose_watermark": "of the counts may be lost"}, (".any()", ".mean()")
    ),
    "the longest is safest": chosen(
        "takes the longest watermark on offer",
        ("return watermark\n", "return max(watermarks)\n"),
        ("return None", "return max(watermarks)"),
    ),
    "something is better than None": chosen(
        "gives the longest watermark where none", ("return None", "return watermark")
    ),
    "the list is in order": chosen(
        "takes the first on the list that will do", ("sorted(watermarks)", "watermarks")
    ),
}
