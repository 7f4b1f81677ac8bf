"""A real broker: what it acknowledged survives a kill; a cluster that is there is left clean."""

import json
import time

import pytest
from tradeoff import data
from tradeoff.lab.systems import kafka, needs
from tradeoff.lab.systems.processes import LabError

lacks = needs.lacks(*kafka.NEEDS)
pytestmark = pytest.mark.skipif(bool(lacks), reason=f"no Kafka: {lacks}")


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def messages(broker, topic, count):
    """The first messages of a topic, as (key, value); fails when they do not come."""
    from confluent_kafka import Consumer

    reader = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": broker.named("reader"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    reader.subscribe([topic])
    found, end = [], time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        found += [(each.key(), each.value()) for each in reader.consume(count - len(found), 1)]
    reader.close()
    assert len(found) == count
    return found


def test_orders_become_messages_with_their_number_as_key(broker):
    topic = broker.create_topic("as-messages", partitions=2)
    orders = data.orders("2026-03-02", 500)
    begun = time.time()
    committed = kafka.play(broker, topic, orders, seconds=0.5)
    assert list(committed.index) == list(orders["order_id"])
    assert begun <= committed.min() <= committed.max() <= time.time()
    assert committed.max() - committed.min() > 0.4
    sent = {int(key): json.loads(value) for key, value in messages(broker, topic, 500)}
    for row in orders.to_dict("records"):
        order = sent[row["order_id"]]
        assert order.pop("committed") == committed[row["order_id"]]
        assert order == row | {"order_timestamp": row["order_timestamp"].value // 1_000}
    assert all(count > 100 for count in broker.end_offsets(topic).values())
    assert broker.topic_bytes(topic) > 500 * 50


def test_what_was_acknowledged_survives_a_kill_of_the_broker(broker):
    topic = broker.create_topic("before-the-kill")
    kafka.send(broker, topic, [(str(number), b"kept") for number in range(100)])
    broker.stop()
    broker.start()
    assert [value for _, value in messages(broker, topic, 100)] == [b"kept"] * 100


def test_a_cluster_that_is_there_keeps_nothing_of_the_block(broker):
    with kafka.open_broker(address=broker.address) as guest:
        topic = guest.create_topic("orders")
        assert topic.endswith("-orders")
        kafka.send(guest, topic, [("1", b"{}")])
        messages(guest, topic, 1)
        assert guest.topic_bytes(topic) is None
        with pytest.raises(LabError, match="only a running broker of the lab"):
            guest.stop()
    assert topic not in broker.admin.list_topics(timeout=30).topics
    groups = broker.admin.list_consumer_groups().result(30).valid
    assert guest.named("reader") not in {each.group_id for each in groups}


def test_a_topic_that_is_there_is_named_in_the_error(broker):
    broker.create_topic("twice")
    with pytest.raises(LabError, match="'twice' already exists"):
        broker.create_topic("twice")
