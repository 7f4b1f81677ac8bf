"""Lesson 4's exercise: classify, size the state, count in windows, choose the watermark."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Verdict, strategy_in
from tradeoff.checks.forms import NUMBER, Form, list_of, mapping, one_of
from tradeoff.checks.state_and_watermarks import mistakes
from tradeoff.model import words
from tradeoff.model.quantities import DAY_SECONDS
from tradeoff.scenarios import late_streams, remembering
from tradeoff.scenarios.late_streams import COUNTS, EVENTS, RULES
from tradeoff.scenarios.transforms import STATEFUL, STATELESS

TOLERANCE = 0.05  # of bytes and of days; the task says so

NUMBER_OR_NONE = Form(
    "a finite number, or None", lambda answer: answer is None or NUMBER.accepts(answer)
)
WHOLE = Form("a whole number", lambda answer: NUMBER.accepts(answer) and answer == int(answer))
ENTRY = Form(
    "(window_start, key, count)",
    lambda answer: (
        isinstance(answer, list)
        and len(answer) == 3
        and WHOLE.accepts(answer[0])
        and isinstance(answer[1], str)
        and WHOLE.accepts(answer[2])
    ),
)


def _classify_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(42):
        verdict = (STATELESS, STATEFUL)[number % 2]
        facts, label = remembering.transform(rng, verdict, number // 2)
        cases.append(Case({"transform": facts}, verdict, label, float(facts["memory_bytes"])))
    return cases


def _classify_verdict(case: Case, answer: Any) -> Verdict:
    facts = case.arguments["transform"]
    table = f"its table comes from a {facts['table']}" if facts["table"] else "it joins no table"
    return Verdict(
        answer == case.truth,
        f"one event is a {facts['event']}, a result is for a {facts['result_for']}; "
        f"{facts['decided_by']} decide; {table}",
    )


def _bytes_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(35):
        kind = remembering.SIZES[number % len(remembering.SIZES)]
        state, days = remembering.sized(rng, kind)
        held = remembering.entries_after(state, days)
        truth = held * remembering.local_bytes(state) * state["copies"]
        cases.append(Case({"state": state, "days": days}, truth, kind, truth))
    return cases


def _bytes_verdict(case: Case, answer: Any) -> Verdict:
    state = case.arguments["state"]
    each = remembering.local_bytes(state)
    held = case.truth / each / state["copies"]
    return Verdict(
        _near(answer, case.truth),
        f"after {words.duration(case.arguments['days'] * DAY_SECONDS)} about {words.count(held)} "
        f"entries are held; one takes {each:,.0f} bytes with its index; times {state['copies']} "
        f"for the copies that is {words.size(case.truth)}",
    )


def _near(answer: float, truth: float) -> bool:
    return abs(answer - truth) <= TOLERANCE * abs(truth)


def _ends_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(36):
        kind = remembering.ENDS[number % len(remembering.ENDS)]
        state, memory, days = remembering.ending(rng, kind)
        cases.append(Case({"state": state, "memory_bytes": memory}, days, kind, memory))
    return cases


def _ends_verdict(case: Case, answer: Any) -> Verdict:
    state, memory = case.arguments["state"], case.arguments["memory_bytes"]
    fit = memory / remembering.local_bytes(state)
    said = f"one copy of about {words.count(fit)} entries fits into the memory; "
    if case.truth is None:
        return Verdict(answer is None, said + "it never holds as many")
    return Verdict(
        answer is not None and _near(answer, case.truth),
        f"{said}that many are held after {case.truth:,.1f} days",
    )


def _count_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(28):
        kind = ("drawn", "drawn", "few", "flights")[number % 4]
        if kind == "flights":
            events = late_streams.flown(
                int(rng.integers(7)), 1, late_streams.AIRPORTS[: int(rng.integers(1, 4))]
            )
            window, watermark = 60, int(rng.choice([0, 10, 30, 60, 120]))
        else:
            size = int(rng.integers(12, 30) if kind == "few" else rng.integers(80, 250))
            events = late_streams.drawn(rng, size, rate=float(rng.choice([0.5, 1, 2])))
            window, watermark = int(rng.choice([5, 10, 15])), int(rng.choice([0, 5, 10, 20, 30]))
        never = number % 9 == 8
        allowed = None if never else watermark
        given = {"events": events, "window": window, "watermark": allowed}
        truth = late_streams.counted(events, window, allowed).facts()
        label = {"drawn": "a drawn stream", "few": "a few events", "flights": "a day of flights"}
        said = f"{label[kind]}{', no watermark' if never else ''}"
        cases.append(Case(given, truth, said, float(len(events))))
    return cases


def _count_verdict(case: Case, answer: Any) -> Verdict:
    truth = case.truth
    given = Counter((start, key) for start, key, _ in answer["emitted"])
    twice = [pair for pair, number in given.items() if number > 1]
    if twice:
        start, key = min(twice)
        return Verdict(False, f"the count of {key!r} in the window from {start:g} came out twice")
    got = {(start, key): count for start, key, count in answer["emitted"]}
    wanted = {(start, key): count for start, key, count in truth["emitted"]}
    right = got == wanted and all(answer[name] == truth[name] for name in ("held", "late"))
    said = (
        f"{len(got)} counts are emitted of {sum(got.values()):g} events, true are {len(wanted)} of "
        f"{sum(wanted.values())}; held {answer['held']:g}, true {truth['held']}; late "
        f"{answer['late']:g}, true {truth['late']}"
    )
    differ = sorted(
        pair for pair in got.keys() | wanted.keys() if got.get(pair) != wanted.get(pair)
    )
    if differ:
        start, key = differ[0]
        said += (
            f"; first difference: {key!r} from {start:g} has {got.get(differ[0], 'no count')}, "
            f"true is {wanted.get(differ[0], 'no count')}"
        )
    return Verdict(right, said)


TRAPS = (*RULES[1:], "share")


def _choose_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(30):
        of, other = ((EVENTS, COUNTS), (COUNTS, EVENTS))[number % 2]
        trap = TRAPS[number // 2 % len(TRAPS)]
        place = {3: "none", 7: "none", 11: "first", 14: "none", 18: "none", 22: "first"}.get(
            number, "middle"
        )
        real = number % 3 == 0
        drawn = late_streams.puzzle(rng, of, place, other if trap == "share" else trap, real)
        given = {
            "events": drawn.events,
            "window": drawn.window,
            "watermarks": drawn.watermarks,
            "most_lost": drawn.most_lost,
            "of": drawn.of,
        }
        label = f"{'a day of flights' if real else 'a drawn stream'}, the share of {of}"
        cases.append(Case(given, drawn.best, label, float(len(drawn.events))))
    return cases


def _choose_verdict(case: Case, answer: Any) -> Verdict:
    given = case.arguments
    offered = sorted(given["watermarks"])
    lost = late_streams.shares(given["events"], given["window"], offered, given["of"])
    each = ", ".join(f"{of} min {share:.1%}" for of, share in zip(offered, lost, strict=True))
    return Verdict(
        answer == case.truth,
        f"at most {given['most_lost']:.1%} of the {given['of']} may be lost; {each}",
    )


_small = partial(strategy_in, f"{__name__}.small")


ASSIGNMENT = Assignment(
    "state_and_watermarks",
    (
        Behaviour(
            "classify",
            10,
            "Could each result be made from one event and from things that no event changes? What "
            "one event is, what decides, and where a table comes from answer that; its name in SQL "
            "and where its memory lies do not.",
            _classify_cases,
            _classify_verdict,
            one_of(STATELESS, STATEFUL),
            misconceptions=mistakes.CLASSIFY,
            small=_small("classify"),
            explanation=(
                "Three facts each make it stateful: earlier events decide, the table is kept up to "
                "date by a change stream, or a result is made for more than one event holds (a "
                "row is less than a file, a file less than a key, a window or a session). "
                "Otherwise one event is enough. The operation's name, the bytes in memory and the "
                "store's address decide nothing."
            ),
        ),
        Behaviour(
            "state_bytes",
            14,
            "What is one entry, how many are held at that time, and how many bytes are all copies "
            "of them? How many windows are open at once, which keys occur in one, and has anything "
            "been forgotten yet?",
            _bytes_cases,
            _bytes_verdict,
            NUMBER,
            misconceptions=mistakes.STATE_BYTES,
            small=_small("state_bytes"),
            explanation=(
                "Entries first. Windows: keys seen in one window, times the windows open, which is "
                "ceil((window + watermark) / window) at most and never more than have begun. Keys: "
                "those seen in window + watermark, or since the start when either nothing is "
                "forgotten or less time has passed. Then values x bytes x (1 + index) x copies. "
                "`state.over_time` of the model counts the same entries."
            ),
        ),
        Behaviour(
            "memory_ends",
            12,
            "Which entries does one copy hold, and do they stop growing before they fill it? A "
            "watermark can be too long, keys alone can be a bound, and users who keep coming are "
            "never forgotten.",
            _ends_cases,
            _ends_verdict,
            NUMBER_OR_NONE,
            needs=("state_bytes",),
            misconceptions=mistakes.MEMORY_ENDS,
            small=_small("memory_ends"),
            explanation=(
                "State never shrinks here, so halve an interval of days: memory lasts as long as "
                "`state_bytes` with one copy is below it. If it still fits after ten years, it "
                "never runs out: either windows close, or keys are forgotten, or there are no more "
                "keys. Copies lie elsewhere and do not fill this memory."
            ),
        ),
        Behaviour(
            "windowed_count",
            18,
            "When this event comes, is its window's end more than the watermark behind the newest "
            "event time so far? And after it has come, which windows are? Only event times move a "
            "watermark; nothing else closes a window, the end of the input neither.",
            _count_cases,
            _count_verdict,
            mapping(emitted=list_of(ENTRY), held=WHOLE, late=WHOLE),
            misconceptions=mistakes.WINDOWED_COUNT,
            small=_small("windowed_count"),
            explanation=(
                "Go through the events as they come and keep the newest event time. An event is "
                "late if newest - end of its window > watermark: count it as late, nothing more. "
                "Otherwise add one to its window and key, raise newest, and emit and forget every "
                "window whose end is now more than the watermark behind. On the boundary itself a "
                "window is still open."
            ),
        ),
        Behaviour(
            "choose_watermark",
            16,
            "Which events would each watermark lose, by the newest event time when they come? Is "
            "the share one of events, or of counts that lose at least one? And is a smaller "
            "watermark on the list enough?",
            _choose_cases,
            _choose_verdict,
            NUMBER_OR_NONE,
            needs=("windowed_count",),
            misconceptions=mistakes.CHOOSE_WATERMARK,
            small=_small("choose_watermark"),
            explanation=(
                "Lateness of an event is the newest event time so far minus the end of its window; "
                "a watermark loses those above it. Its share of events is the mean of that; its "
                "share of counts is that of the (window, key) pairs with at least one late event. "
                "Try the watermarks from the smallest; None if the largest still loses too much."
            ),
        ),
    ),
    lesson=4,
    forbids=("tradeoff.simulate.windows", "tradeoff.lab.windows"),  # the operator of part 4
)
