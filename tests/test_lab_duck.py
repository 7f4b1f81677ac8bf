"""The orders pipeline on DuckDB: what each way of running it reads, writes and leaves behind."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab import duck

DAY = "2026-04-25"
MIDNIGHT = pd.Timestamp(DAY)
HOURS = duck.hours_of(DAY)
HOURLY = "FROM mart.fact_hourly_orders ORDER BY ALL"
DAILY = "FROM mart.fact_daily_orders ORDER BY ALL"


@pytest.fixture
def shop():
    """A warehouse in memory with one day of 20,000 orders."""
    with duck.open_warehouse() as warehouse:
        warehouse.load_orders(DAY, 20_000)
        yield warehouse


def run_all_hours(warehouse, day=DAY):
    return [warehouse.hourly_overwrite(hour) for hour in duck.hours_of(day)]


def an_order(timestamp, order_id=1, product_id=1, region="north", amount_cents=100):
    return pd.DataFrame(
        {
            "order_id": [order_id],
            "order_timestamp": pd.Series([timestamp]).astype("datetime64[us]"),
            "product_id": [product_id],
            "region": [region],
            "amount_cents": [amount_cents],
        }
    )


# --- the source -----------------------------------------------------------------------------------


def test_the_warehouse_stores_exactly_the_stream(shop):
    stored = shop.sql("FROM raw.orders ORDER BY order_id")
    expected = data.orders(DAY, 20_000).astype({"region": "str"})
    pd.testing.assert_frame_equal(stored, expected, check_dtype=False)


def test_loading_a_day_again_replaces_it_alone(shop):
    shop.load_orders("2026-04-26", 3_000)
    before = shop.sql("FROM raw.orders ORDER BY order_id")
    shop.append_orders(an_order(MIDNIGHT, order_id=-1))
    load = shop.load_orders(DAY, 20_000, chunk_rows=7_000)
    assert load.rows_written == 20_000
    assert load.generate_seconds > 0
    assert load.write_seconds > 0
    pd.testing.assert_frame_equal(shop.sql("FROM raw.orders ORDER BY order_id"), before)


def test_a_load_reports_progress_and_leaves_nothing_when_it_is_broken_off(shop):
    seen = []
    shop.load_orders("2026-05-01", 5_000, chunk_rows=1_000, progress=lambda *now: seen.append(now))
    done = [rows for rows, _ in seen]
    assert done == sorted(done)
    assert len(done) >= 4
    assert seen[-1] == (5_000, 5_000)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.load_orders("2026-05-02", 5_000, chunk_rows=1_000, progress=stop)
    days = shop.sql("SELECT DISTINCT CAST(order_timestamp AS DATE) AS day FROM raw.orders")
    assert set(days["day"].dt.day) == {25, 1}


def test_text_progress_ends_its_line_once(capsys):
    duck.text_progress(500, 1_000)
    duck.text_progress(1_000, 1_000)
    assert capsys.readouterr().out == "\r500 of 1,000 orders\r1,000 of 1,000 orders\n"


def test_orders_lacking_a_column_are_refused(shop):
    with pytest.raises(ValueError, match=r"lacks \['region'\]"):
        shop.append_orders(an_order(MIDNIGHT).drop(columns="region"))


def test_the_facts_agree_with_pandas(shop):
    shop.nightly_insert(DAY)
    stream = data.orders(DAY, 20_000).merge(data.products(), on="product_id")
    expected = (
        stream.astype({"region": "str"})
        .groupby(["category", "region"], as_index=False)
        .agg(orders=("amount_cents", "size"), cents=("amount_cents", "sum"))
    )
    facts = shop.sql(DAILY)
    assert facts["order_date"].unique().tolist() == [MIDNIGHT]
    assert facts[["category", "region", "orders"]].values.tolist() == (
        expected[["category", "region", "orders"]].values.tolist()
    )
    assert (facts["revenue"] * 100).round().astype("int64").tolist() == expected["cents"].tolist()


# --- nightly against hourly -----------------------------------------------------------------------


def test_the_hours_rolled_up_are_the_nightly_row_for_row(shop):
    shop.nightly_insert(DAY)
    run_all_hours(shop)
    rollup = shop.rollup_daily(DAY)
    comparison = shop.compare(DAY)
    assert comparison.equal
    assert comparison.nightly_rows == comparison.rollup_rows == rollup.rows_written == 72
    assert shop.sql("SELECT sum(orders) FROM mart.fact_daily_rollup").iloc[0, 0] == 20_000


@settings(max_examples=25, deadline=None)
@given(
    offsets=st.lists(
        st.one_of(
            st.integers(0, 86_400_000_000 - 1),
            # On the hour, and a microsecond before it.
            st.builds(
                lambda hour, before: hour * 3_600_000_000 - before,
                st.integers(1, 23),
                st.integers(0, 1),
            ),
        ),
        min_size=1,
        max_size=60,
    ),
    order=st.permutations(HOURS),
    reruns=st.lists(st.sampled_from(HOURS), max_size=6),
    seed=st.integers(0, 2**20),
)
def test_any_split_of_a_day_into_hours_equals_the_nightly(offsets, order, reruns, seed):
    rng = np.random.default_rng(seed)
    count = len(offsets)
    orders = pd.DataFrame(
        {
            "order_id": np.arange(count),
            "order_timestamp": np.datetime64(DAY, "us")
            + np.array(offsets, dtype="timedelta64[us]"),
            "product_id": rng.integers(1, 1001, count),
            "region": rng.choice(list(data.REGIONS), count),
            "amount_cents": rng.integers(1, 1_000_000, count),
        }
    )
    with duck.open_warehouse(threads=1) as shop:
        shop.append_orders(orders)
        shop.append_orders(an_order(MIDNIGHT - pd.Timedelta(microseconds=1), order_id=-1))
        shop.append_orders(an_order(MIDNIGHT + pd.Timedelta(days=1), order_id=-2))
        nightly = shop.nightly_insert(DAY)
        runs = {hour: shop.hourly_overwrite(hour) for hour in order}
        for hour in reruns:
            shop.hourly_overwrite(hour)
        shop.rollup_daily(DAY)
        assert shop.compare(DAY).equal
        assert nightly.rows_matched == count
        per_hour = pd.Series(offsets).floordiv(3_600_000_000).value_counts()
        for number, hour in enumerate(HOURS):
            assert runs[hour].rows_matched == per_hour.get(number, 0)
        cents = shop.sql("SELECT CAST(sum(revenue) * 100 AS BIGINT) FROM mart.fact_daily_orders")
        assert cents.iloc[0, 0] == orders["amount_cents"].sum()


def test_an_order_on_the_hour_belongs_to_the_hour_it_starts():
    seven, eight = HOURS[7], HOURS[8]
    microsecond = pd.Timedelta(microseconds=1)
    with duck.open_warehouse() as shop:
        for number, timestamp in enumerate(
            [seven - microsecond, seven, eight - microsecond, eight]
        ):
            shop.append_orders(an_order(timestamp, order_id=number))
        assert shop.hourly_overwrite(seven).rows_matched == 2
        facts = shop.sql(HOURLY)
        assert facts["hour_ts"].tolist() == [seven]
        assert facts["orders"].tolist() == [2]
        run_all_hours(shop)
        facts = shop.sql(HOURLY)
        assert facts["hour_ts"].tolist() == [HOURS[6], seven, eight]
        assert facts["orders"].tolist() == [1, 2, 1]


def test_a_rerun_of_the_nightly_insert_doubles_the_day(shop):
    shop.nightly_insert(DAY)
    once = shop.sql(DAILY)
    run_all_hours(shop)
    shop.rollup_daily(DAY)
    shop.nightly_insert(DAY)
    twice = shop.sql(DAILY)
    assert twice["orders"].sum() == 2 * once["orders"].sum() == 40_000
    comparison = shop.compare(DAY)
    assert not comparison.equal
    assert len(comparison.only_in_nightly) == 72  # the second copy: EXCEPT ALL counts duplicates
    assert comparison.only_in_rollup.empty


def test_overwriting_the_day_repairs_it(shop):
    shop.nightly_insert(DAY)
    once = shop.sql(DAILY)
    shop.nightly_insert(DAY)
    run = shop.daily_overwrite(DAY)
    pd.testing.assert_frame_equal(shop.sql(DAILY), once)
    assert (run.rows_read, run.rows_written) == (20_000, 72)


def test_a_rerun_of_an_hour_changes_nothing(shop):
    run_all_hours(shop)
    before = shop.sql(HOURLY)
    first, again = shop.hourly_overwrite(HOURS[5]), shop.hourly_overwrite(HOURS[5])
    assert first.rows_written == again.rows_written > 0
    pd.testing.assert_frame_equal(shop.sql(HOURLY), before)


@settings(max_examples=10, deadline=None)
@given(hour=st.integers(0, 23), late=st.integers(1, 5), seed=st.integers(0, 1000))
def test_late_orders_change_their_own_hour_alone(hour, late, seed):
    with duck.open_warehouse(threads=1) as shop:
        shop.load_orders(DAY, 2_000)
        run_all_hours(shop)
        shop.nightly_insert(DAY)
        before = shop.sql(HOURLY)
        arriving = data.late_orders(DAY, 3, late, seed=seed, start_hour=hour, hours=1)
        assert shop.append_orders(arriving) == late

        for other in HOURS[:hour] + HOURS[hour + 1 :]:
            shop.hourly_overwrite(other)
        pd.testing.assert_frame_equal(shop.sql(HOURLY), before)

        shop.hourly_overwrite(HOURS[hour])
        after = shop.sql(HOURLY)
        elsewhere = before["hour_ts"] != HOURS[hour]
        pd.testing.assert_frame_equal(
            after[after["hour_ts"] != HOURS[hour]].reset_index(drop=True),
            before[elsewhere].reset_index(drop=True),
        )
        assert after["orders"].sum() == before["orders"].sum() + late

        # The nightly table never hears of them.
        shop.rollup_daily(DAY)
        comparison = shop.compare(DAY)
        missing = (
            comparison.only_in_rollup["orders"].sum() - comparison.only_in_nightly["orders"].sum()
        )
        assert missing == late


def test_an_hour_that_lost_its_orders_loses_its_partition(shop):
    shop.hourly_overwrite(HOURS[9])
    shop.load_orders(DAY, 1)
    shop.hourly_overwrite(HOURS[9])
    assert shop.sql(HOURLY).empty


def test_doubles_would_break_the_proof(shop):
    """Why revenue is DECIMAL: the same sums in DOUBLE differ between a day and its 24 hours."""
    query = """
        WITH hourly AS (
            SELECT date_trunc('hour', order_timestamp) AS hour_ts, region,
                   sum(amount_cents / 100) AS revenue
            FROM raw.orders GROUP BY ALL)
        SELECT region, sum(revenue) AS revenue FROM hourly GROUP BY ALL
        EXCEPT ALL
        SELECT region, sum(amount_cents / 100) FROM raw.orders GROUP BY ALL"""
    assert not shop.sql(query).empty


# --- what a run read, and what it took ------------------------------------------------------------


def test_rows_read_are_what_the_scan_went_through():
    events = 1_000_000
    with duck.open_warehouse() as shop:
        for day in ("2026-04-24", DAY, "2026-04-26"):
            shop.load_orders(day, events)
        nightly = shop.nightly_insert(DAY)
        hourly = run_all_hours(shop)
        counts = data.orders(DAY, events)["order_timestamp"].dt.hour.value_counts().sort_index()
    assert nightly.rows_matched == events
    # The days before and after lie in blocks of their own, but for the edges.
    assert events <= nightly.rows_read < 1.3 * events
    assert [run.rows_matched for run in hourly] == counts.tolist()
    blocks = 122_880  # rows in a block, a row group of DuckDB
    for run in hourly:
        assert run.rows_matched <= run.rows_read <= run.rows_matched + 2 * blocks
        assert run.rows_read < events / 3


def test_orders_out_of_time_order_make_an_hour_read_everything():
    shuffled = data.orders(DAY, 300_000).sample(frac=1, random_state=1)
    with duck.open_warehouse() as shop:
        shop.append_orders(shuffled)
        run = shop.hourly_overwrite(HOURS[9])
    assert run.rows_read == 300_000
    assert run.rows_matched < 6_000


def test_an_hour_without_orders_reads_and_writes_nothing(shop):
    run = shop.hourly_overwrite("2026-04-27 05:00")
    assert (run.rows_read, run.rows_matched, run.rows_written) == (0, 0, 0)
    assert run.seconds > 0


def test_a_rollup_reads_facts_not_orders(shop):
    run_all_hours(shop)
    rows = len(shop.sql(HOURLY))
    run = shop.rollup_daily(DAY)
    assert run.rows_read == run.rows_matched == rows


def test_runs_become_a_tidy_frame(shop):
    runs = [shop.nightly_insert(DAY), shop.hourly_overwrite(HOURS[3])]
    frame = duck.as_frame(runs)
    assert frame["name"].tolist() == ["nightly insert", "hourly overwrite"]
    assert frame["partition"].tolist() == [MIDNIGHT, HOURS[3]]
    stages = frame[["read_seconds", "transform_seconds", "write_seconds"]]
    assert (stages > 0).all(axis=None)
    assert stages.sum(axis=1).to_numpy() == pytest.approx(frame["seconds"].to_numpy())


# --- files, and two at once -----------------------------------------------------------------------


def test_a_file_keeps_its_tables_and_reruns_stay_safe_in_it(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duck.open_warehouse(path, products=data.make_products(seed=3)) as shop:
        shop.load_orders(DAY, 5_000)
        run_all_hours(shop)
        before = shop.sql(HOURLY)
    with duck.open_warehouse(path) as shop:
        run_all_hours(shop)
        shop.nightly_insert(DAY)
        shop.rollup_daily(DAY)
        pd.testing.assert_frame_equal(shop.sql(HOURLY), before)
        assert shop.compare(DAY).equal
        names = shop.sql("SELECT name FROM dim.product ORDER BY product_id")["name"].tolist()
        assert names == data.make_products(seed=3)["name"].tolist()


def test_a_second_process_is_told_that_the_file_is_taken(tmp_path):
    path = tmp_path / "shop.duckdb"
    program = (
        "import sys; from tradeoff.lab import duck\n"
        "try: duck.open_warehouse(sys.argv[1])\n"
        "except duck.WarehouseError as error: print(error)"
    )
    with duck.open_warehouse(path):
        told = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
    assert f"cannot open the warehouse {path}" in told.stdout
    assert "One process at a time" in told.stdout


def test_a_path_that_cannot_be_a_file_is_a_clear_error(tmp_path):
    with pytest.raises(duck.WarehouseError, match="cannot open the warehouse"):
        duck.open_warehouse(tmp_path / "missing" / "shop.duckdb")


@pytest.mark.parametrize("again", [False, True], ids=["first run", "rerun"])
def test_a_run_overtaken_by_another_of_its_hour_fails_without_a_trace(shop, monkeypatch, again):
    """Two runs interleaved: the other one works while the first is about to commit."""
    if again:
        shop.hourly_overwrite(HOURS[9])
    measure = duck._Profile.of_last_statement
    outcome = []

    def measure_while_another_runs(cursor):
        monkeypatch.setattr(duck._Profile, "of_last_statement", measure)
        try:
            outcome.append(shop.hourly_overwrite(HOURS[9]))
        except duck.WarehouseError as error:
            outcome.append(error)
        return measure(cursor)

    monkeypatch.setattr(duck._Profile, "of_last_statement", measure_while_another_runs)
    try:
        outcome.append(shop.hourly_overwrite(HOURS[9]))
    except duck.WarehouseError as error:
        outcome.append(error)

    lost = [one for one in outcome if isinstance(one, duck.WarehouseError)]
    assert len(lost) == 1
    assert "another run wrote the partition 2026-04-25 09:00:00" in str(lost[0])
    facts = shop.sql(HOURLY)
    shop.hourly_overwrite(HOURS[9])
    pd.testing.assert_frame_equal(shop.sql(HOURLY), facts)
    assert facts["orders"].sum() == shop.hourly_overwrite(HOURS[9]).rows_matched


def test_threads_that_run_the_same_hours_leave_a_correct_table(shop):
    workers = 4
    start = Barrier(workers)

    def work():
        refused = 0
        start.wait()
        for hour in HOURS[:8]:
            try:
                shop.hourly_overwrite(hour)
            except duck.WarehouseError:
                refused += 1
        return refused

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        refused = sum(future.result() for future in futures)
    assert refused < workers * 8
    facts = shop.sql(HOURLY)
    for hour in HOURS[:8]:
        shop.hourly_overwrite(hour)
    pd.testing.assert_frame_equal(shop.sql(HOURLY), facts)


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hour",
    ["2026-04-25 07:30", "2026-04-25T07:00Z", "seven", None, 7, pd.NaT, "2026-04-25 07:00:01"],
)
def test_an_hour_must_be_a_full_hour(shop, hour):
    with pytest.raises(ValueError, match="hour must be a full UTC hour"):
        shop.hourly_overwrite(hour)


def test_a_day_must_be_a_day(shop):
    for run in (shop.nightly_insert, shop.daily_overwrite, shop.rollup_daily, shop.compare):
        with pytest.raises(ValueError, match="day must be a date"):
            run("2026-04-25 07:00")


def test_two_empty_tables_prove_nothing(shop):
    with pytest.raises(ValueError, match="neither daily table has 2026-04-25"):
        shop.compare(DAY)


@pytest.mark.parametrize(
    ("name", "value"), [("memory_limit", "plenty"), ("threads", 0), ("memory_limit", "1GB'; --")]
)
def test_a_setting_duckdb_refuses_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be what DuckDB takes"):
        duck.open_warehouse(**{name: value})


def test_settings_reach_duckdb():
    with duck.open_warehouse(memory_limit="512MiB", threads=1) as shop:
        settings = shop.sql("SELECT current_setting('memory_limit'), current_setting('threads')")
    assert settings.iloc[0].tolist() == ["512.0 MiB", 1]


def test_the_package_does_not_load_the_engine_by_itself():
    program = "import sys, tradeoff.data, tradeoff.lab; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
