"""Transforms to classify: does the output depend on one event, or on more than one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tradeoff.model import claims

STATELESS, STATEFUL = "stateless", "stateful"


@dataclass(frozen=True)
class Transform:
    """A transform and its class.

    Attributes
    ----------
    name : what it does, as one would say it in a design review.
    verdict : `STATELESS` or `STATEFUL`, in a stream.
    why : the reason for the verdict.
    not_because : the reason why the other answer is wrong.
    holds : what the state consists of and what bounds it; for a stateless one, how it recovers.
    """

    name: str
    verdict: str
    why: str
    not_because: str
    holds: str

    def said_of(self, answer: str) -> str:
        """Whether an answer is right, and why. Raises ValueError for any other answer."""
        if answer not in (STATELESS, STATEFUL):
            raise ValueError(f"answer must be {STATELESS!r} or {STATEFUL!r}, got {answer!r}")
        if answer == self.verdict:
            return f"Right: {self.verdict}. {self.why} {self.holds}"
        return f"Not {answer}. {self.not_because} {self.why}"


TRANSFORMS = (
    Transform(
        "keep orders above $50 (a filter)",
        STATELESS,
        "The event alone decides whether it stays.",
        "Nothing of an earlier order is needed: drop the memory and the answer is the same.",
        "Recovery: replay what was in flight.",
    ),
    Transform(
        "keep four of twenty columns (a projection)",
        STATELESS,
        "Each output row is a function of one input row.",
        "Reshaping looks at one row at a time; nothing is combined.",
        "Recovery: replay what was in flight.",
    ),
    Transform(
        "parse JSON, cast text to a number",
        STATELESS,
        "One event goes in, the same event in other types comes out.",
        "A schema is configuration, not history: it does not change with the events.",
        "Recovery: replay what was in flight.",
    ),
    Transform(
        "hash the e-mail address, drop the name (redaction)",
        STATELESS,
        "The same field gives the same hash whatever came before.",
        "A fixed salt is configuration. (A new token a person, remembered, would be state.)",
        "Recovery: replay what was in flight.",
    ),
    Transform(
        "add the country's name from a file of 250 countries (a static lookup)",
        STATELESS,
        "The table is constant and does not come from the events.",
        "It sits in memory, but it is a copy: any worker can load it again from its file.",
        "Recovery: load the file, replay what was in flight.",
    ),
    Transform(
        "add the price from a table that a change stream keeps up to date",
        STATEFUL,
        "The output depends on which price changes came before the event.",
        "That it is a lookup does not help: this table is built from a stream.",
        "Holds one row a product, bounded by the catalogue; old versions too, where late events "
        "need the price of their time.",
    ),
    Transform(
        "count orders by customer since the start (GROUP BY)",
        STATEFUL,
        "The result depends on all events of that customer so far.",
        "An update adds one to a number, and that number has to be kept.",
        "Holds one entry a customer, for ever: bounded by keys only, and keys grow.",
    ),
    Transform(
        "count page views in windows of five minutes",
        STATEFUL,
        "The result depends on which events fall into the window.",
        "A short window is still more than one event.",
        "Holds one entry a page and open window; the watermark closes windows.",
    ),
    Transform(
        "match clicks with the impressions of the last hour (stream-stream join)",
        STATEFUL,
        "An event waits for its partner, so both sides are held until they match.",
        "A match cannot be made from one event, and its partner may come later.",
        "Holds both streams for the hour, plus the allowed lateness.",
    ),
    Transform(
        "drop repeated events by their id (deduplication)",
        STATEFUL,
        "To know a repeat one must remember the ids already seen.",
        "It looks like a filter, yet the decision needs earlier events.",
        "Holds each id; with a time to live those of its span, without one all of them.",
    ),
    Transform(
        "group a visitor's clicks into sessions with a gap of 30 minutes",
        STATEFUL,
        "A session is open until no event has come for the gap.",
        "A click alone does not say whether it begins a session or goes on with one.",
        "Holds the open sessions; gap and watermark close them.",
    ),
    Transform(
        "SELECT DISTINCT country",
        STATEFUL,
        "It is a deduplication: the values given out must be remembered.",
        "It reads like a projection, but the second row of a country must vanish.",
        "Holds one entry a value: 250 here, without bound for DISTINCT on an id.",
    ),
    Transform(
        "let at most 100 requests a second and client through (rate limiting)",
        STATEFUL,
        "Whether a request passes depends on how many came before it in that second.",
        "It is a filter whose predicate looks at other events.",
        "Holds one counter a client, dropped after a second of silence.",
    ),
    Transform(
        "let one request in ten through, by a hash of its id (sampling)",
        STATELESS,
        "The id alone decides, so the same request meets the same fate on every worker.",
        "Taking every tenth by a counter would keep state; the hash needs none.",
        "Recovery: replay what was in flight.",
    ),
    Transform(
        "the ten best-selling products of the day (top-N)",
        STATEFUL,
        "A rank compares a product with all the others.",
        "Ten rows come out, but those that may still overtake them have to be kept too.",
        "Holds the counts of all products of the day, not ten of them.",
    ),
    Transform(
        "the highest temperature a sensor has ever sent (running maximum)",
        STATEFUL,
        "The result depends on all earlier readings, through one number.",
        "One number a key is little state, and still it must survive a crash.",
        "Holds one number a sensor: the cheapest kind, for no reading is kept.",
    ),
    Transform(
        "count the rows of each arriving file (COUNT per file, file = event)",
        STATELESS,
        "Here the file is the event, and its count depends on it alone.",
        "COUNT aggregates inside one input; across files it would be state.",
        "Recovery: read the file again. What the event is decides the class.",
    ),
)


def premiums(events_per_day: Sequence[float]) -> pd.DataFrame:
    """What each class costs as a stream, over the text's nightly run at the same volume.

    The text's analytics work, without state and with its weekly features per user, on Flink sized
    for its peak. Columns events_per_day, batch_usd, stateless_usd, stateless_premium, stateful_usd,
    stateful_premium (USD a day; ratios).
    """
    text = claims.Scenarios()
    with_state = text.workload("billion")
    without = with_state.at(with_state.events_per_day, state=None)
    rows = []
    for events in events_per_day:
        row = {
            "events_per_day": events,
            "batch_usd": text.nightly("billion", events).cost_usd_per_day,
        }
        for kind, work in ((STATELESS, without), (STATEFUL, with_state)):
            usd = text.streaming(work.at(events)).cost_usd_per_day
            row |= {f"{kind}_usd": usd, f"{kind}_premium": usd / row["batch_usd"]}
        rows.append(row)
    return pd.DataFrame(rows)
