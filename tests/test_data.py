"""The tables hold what their README says; the order stream keeps its promises at any volume."""

import datetime
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.data import tables

DAY = "2026-04-25"
TABLES = {
    "products.csv": data.products,
    "consumers.csv": data.consumers,
    "order_runs.csv": data.order_runs,
    "constants.csv": data.constants,
    "claims.csv": data.claims,
    "flights.csv": data.flights,
}
RUNS_HEADER = (
    "run_date,start,end,rows_new,rows_read,rows_written,"
    "read_seconds,transform_seconds,write_seconds,cost_usd,pages"
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A data folder of the test's own, to damage."""
    monkeypatch.setattr(tables, "folder", lambda: tmp_path)
    return tmp_path


# --- tables ---------------------------------------------------------------------------------------


def test_products_file_is_what_its_generator_draws():
    drawn = data.make_products().to_csv(index=False, lineterminator="\n")
    # git may check text files out with the line ends of the system.
    stored = (data.folder() / "products.csv").read_bytes().replace(b"\r\n", b"\n")
    assert stored == drawn.encode()


def test_products_survive_the_file():
    pd.testing.assert_frame_equal(data.products(), data.make_products())


def test_the_catalogue_is_a_catalogue():
    catalogue = data.products()
    assert catalogue["product_id"].tolist() == list(range(1, 1001))
    assert catalogue["category"].nunique() == 12
    assert catalogue["name"].is_unique
    assert set(catalogue["price_cents"] % 100) == {49, 99}
    # Log-normal: the logarithm of price over median spreads as stated, and is symmetric.
    medians = catalogue["category"].map({name: usd for name, (usd, _) in data.CATALOGUE.items()})
    spread = np.log(catalogue["price_cents"] / 100 / medians)
    assert spread.std() == pytest.approx(data.PRICE_SPREAD, rel=0.1)
    assert spread.mean() == pytest.approx(0, abs=0.06)


def test_another_seed_draws_another_catalogue():
    assert not data.make_products(seed=1).equals(data.make_products(seed=2))


def test_consumers_need_different_freshness():
    consumers = data.consumers().set_index("name")
    assert consumers["tier"].to_dict() == {"executive dashboard": 4, "marketing dashboard": 2}
    assert consumers.loc["executive dashboard", "deadline_hour"] == 6
    assert math.isnan(consumers.loc["marketing dashboard", "deadline_hour"])
    assert consumers.loc["marketing dashboard", "freshness_seconds"] == 15 * 60


def test_order_runs_are_read_in_the_shops_zone_across_summer_time(elsewhere):
    (elsewhere / "order_runs.csv").write_text(
        RUNS_HEADER
        + "\n2026-03-06,2026-03-07T02:00:00-08:00,2026-03-07T05:00:00-08:00,1,2,3,4,5,6,7,0"
        + "\n2026-03-08,2026-03-09T02:00:00-07:00,2026-03-09T05:00:00-07:00,1,2,3,4,5,6,7.5,1\n",
        encoding="utf-8",
    )
    runs = data.order_runs()
    assert runs["start"].dt.hour.tolist() == [2, 2]
    assert str(runs["start"].dt.tz) == data.SHOP_ZONE
    assert runs["run_date"].dtype == "datetime64[us]"
    assert runs["run_date"][1] == pd.Timestamp("2026-03-08")
    assert runs["rows_read"].dtype == "int64"
    assert runs["cost_usd"].tolist() == [7, 7.5]


def test_every_constant_stands_once_and_within_its_range():
    constants = data.constants()
    assert not constants.duplicated(["subject", "field"]).any()
    assert constants["low"].le(constants["mid"]).all()
    assert constants["mid"].le(constants["high"]).all()


def test_every_claim_stands_once_with_a_range_and_a_known_kind():
    claims = data.claims()
    assert claims["id"].is_unique
    assert claims["low"].le(claims["high"]).all()
    assert set(claims["kind"]) == {"output", "conditional", "calibration", "identity"}
    # A conditional claim is true under a reading only, so it states one.
    assert (claims.loc[claims["kind"] == "conditional", "reading"] != "").all()


def test_flights_are_the_week_that_the_readme_says():
    table = data.flights()
    assert len(table) == 6_673
    assert table["delay_minutes"].isna().sum() == 494
    assert table["departure"].isna().equals(table["delay_minutes"].isna())
    assert table["scheduled_departure"].is_monotonic_increasing
    assert table["scheduled_departure"].dtype == table["departure"].dtype == "datetime64[us]"
    days = table["scheduled_departure"].dt.date.unique().tolist()
    assert days == [*pd.date_range("2013-06-25", "2013-07-01").date]
    assert set(table["origin"]) == {"EWR", "JFK", "LGA"}
    assert table["carrier"].str.len().eq(2).all()
    assert not table.duplicated(["scheduled_departure", "carrier", "flight", "origin"]).any()
    flown = table.dropna()
    delay = (flown["departure"] - flown["scheduled_departure"]).dt.total_seconds() / 60
    assert delay.tolist() == flown["delay_minutes"].tolist()
    assert -15 < delay.min() < 0 < delay.median() < 899 == delay.max()
    assert (data.folder() / "flights.csv").stat().st_size < 500_000


def test_a_schedule_must_be_a_local_time(elsewhere):
    header = "scheduled_departure,delay_minutes,carrier,flight,origin,destination"
    (elsewhere / "flights.csv").write_text(f"{header}\n2013-06-25,1,AA,7,JFK,LAX\n", "utf-8")
    with pytest.raises(data.DataError, match="column scheduled_departure must be local time"):
        data.flights()


@pytest.mark.parametrize("filename", TABLES)
def test_a_missing_file_is_one_clear_error(elsewhere, filename):
    with pytest.raises(data.DataError, match=f"{filename} is missing.*columns") as caught:
        TABLES[filename]()
    assert str(elsewhere) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "starts with"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"product_id,name,price_cents\n1,Kite,99\n", "starts with 'product_id,name"),
        (b"product_id,category,name,price_cents\n", "no rows"),
        (b"product_id,category,name,price_cents\n1,toys,Kite\n", "row 2 has 3 fields"),
        (b"product_id,category,name,price_cents\n1,toys,Kite,99\n2,toys,Top,99,1\n", "row 3 has 5"),
        (b"product_id,category,name,price_cents\n1,toys,Kite,99,1\n", "row 2 has 5 fields"),
        (b"product_id,category,name,price_cents\n1,toys,Kite,9.5\n", "column price_cents must be"),
        (b"product_id,category,name,price_cents\n1,toys,Kite,\n", "column price_cents must be"),
        (b"product_id,category,name,price_cents\n5000000000,toys,Kite,9\n", "column product_id"),
        (b"product_id,category,name,price_cents\n1, ,Kite,99\n", "column category must be"),
    ],
)
def test_a_damaged_file_is_one_clear_error(elsewhere, content, complaint):
    (elsewhere / "products.csv").write_bytes(content)
    with pytest.raises(data.DataError, match=complaint) as caught:
        data.products()
    assert "products.csv" in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "inf", "", "cheap"])
def test_a_measure_must_be_a_finite_number(elsewhere, value):
    (elsewhere / "order_runs.csv").write_text(
        f"{RUNS_HEADER}\n2026-03-08,2026-03-09T02:00:00-07:00,2026-03-09T05:00:00-07:00,"
        f"1,2,3,4,5,6,{value},1\n",
        encoding="utf-8",
    )
    with pytest.raises(data.DataError, match=r"order_runs\.csv, column cost_usd"):
        data.order_runs()


def test_an_installed_wheel_is_preferred_to_a_folder_that_happens_to_be_there(
    tmp_path, monkeypatch
):
    module = tmp_path / "lib" / "site-packages" / "tradeoff" / "data" / "tables.py"
    module.parent.mkdir(parents=True)
    module.touch()
    monkeypatch.setattr(tables, "__file__", str(module))
    assert data.folder() == tmp_path.resolve() / "lib" / "data"  # laid out like a checkout
    installed = module.parents[1] / "_course" / "data"
    shutil.copytree(tmp_path / "lib" / "site-packages" / "tradeoff", installed)
    assert data.folder() == installed.resolve()


# --- the order stream -----------------------------------------------------------------------------


def test_the_day_curve_has_mean_one_and_an_evening_peak():
    assert len(data.DAY_CURVE) == 24
    assert math.fsum(data.DAY_CURVE) == pytest.approx(24, abs=1e-12)
    assert max(data.DAY_CURVE) == pytest.approx(2.0)
    assert 18 <= data.DAY_CURVE.index(max(data.DAY_CURVE)) <= 22
    assert min(data.DAY_CURVE) > 0


def test_an_order_has_the_stated_columns():
    stream = data.orders(DAY, 5_000)
    assert tuple(stream.columns) == data.ORDER_COLUMNS
    assert stream.dtypes.astype(str).to_dict() == {
        "order_id": "int64",
        "order_timestamp": "datetime64[us]",
        "product_id": "int32",
        "region": "category",
        "amount_cents": "int32",
    }
    assert len(stream) == 5_000
    assert stream["order_id"].is_unique
    assert stream["order_timestamp"].is_monotonic_increasing
    assert stream["order_timestamp"].dt.normalize().unique().tolist() == [pd.Timestamp(DAY)]


def test_an_amount_is_one_to_five_times_the_price():
    catalogue = data.products()
    stream = data.orders(DAY, 20_000).merge(catalogue, on="product_id", validate="many_to_one")
    pieces, rest = stream["amount_cents"].divmod(stream["price_cents"])
    assert len(stream) == 20_000
    assert (rest == 0).all()
    shares = pieces.value_counts(normalize=True).sort_index()
    assert shares.index.tolist() == [1, 2, 3, 4, 5]
    assert shares.to_numpy() == pytest.approx(data.QUANTITY_SHARES, abs=0.015)


@pytest.mark.parametrize(("day", "peak_hour"), [("2026-07-01", 3), ("2026-01-15", 4)])
def test_hours_follow_the_curve_on_the_shops_clock(day, peak_hour):
    stream = data.orders(day, 240_000)
    hours = stream["order_timestamp"].dt.tz_localize("UTC").dt.tz_convert(data.SHOP_ZONE).dt.hour
    per_hour = hours.value_counts().sort_index()
    # A count of n orders scatters by its square root.
    expected = np.array(data.DAY_CURVE) * 10_000
    assert (np.abs(per_hour.to_numpy() - expected) < 5 * np.sqrt(expected)).all()
    assert stream["order_timestamp"].dt.hour.mode()[0] == peak_hour


def test_regions_and_products_are_skewed():
    stream = data.orders(DAY, 100_000)
    regions = stream["region"].value_counts(normalize=True)
    for region, share in data.REGIONS.items():
        assert regions[region] == pytest.approx(share, abs=0.01)
    ranked = stream["product_id"].value_counts()
    # Zipf: on a log-log plot of sales against rank the head is a line of slope -0.9.
    slope, _ = np.polyfit(np.log(np.arange(1, 51)), np.log(ranked.to_numpy()[:50]), 1)
    assert slope == pytest.approx(-data.POPULARITY_EXPONENT, abs=0.05)
    # The best sellers are the same products on another day, and are not simply the first ids.
    other = data.orders("2026-05-01", 100_000)["product_id"].value_counts()
    assert other.index[:3].tolist() == ranked.index[:3].tolist()
    assert ranked.index[:3].tolist() != [1, 2, 3]


@settings(max_examples=25, deadline=None)
@given(
    events=st.integers(1, 3_000),
    chunk_rows=st.integers(1, 4_000),
    cuts=st.sets(st.integers(1, 23)),
    seed=st.integers(0, 2**40),
)
def test_any_split_of_the_day_gives_the_same_orders(events, chunk_rows, cuts, seed):
    whole = data.orders(DAY, events, seed=seed)
    assert len(whole) == events
    chunks = list(data.order_chunks(DAY, events, seed=seed, chunk_rows=chunk_rows))
    assert all(len(chunk) >= chunk_rows for chunk in chunks[:-1])
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), whole)
    edges = [0, *sorted(cuts), 24]
    parts = [
        data.orders(DAY, events, seed=seed, start_hour=start, hours=end - start)
        for start, end in zip(edges[:-1], edges[1:], strict=True)
    ]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    for part, start, end in zip(parts, edges[:-1], edges[1:], strict=True):
        assert part["order_timestamp"].dt.hour.between(start, end - 1).all()


def test_a_chunk_is_bounded():
    sizes = [len(chunk) for chunk in data.order_chunks(DAY, 300_000, chunk_rows=20_000)]
    assert sum(sizes) == 300_000
    assert max(sizes) < 20_000 + 300_000 / 600


def test_days_and_seeds_differ_and_ids_never_meet():
    today, tomorrow = data.orders(DAY, 500), data.orders("2026-04-26", 500)
    assert not set(today["order_id"]) & set(tomorrow["order_id"])
    assert not today["amount_cents"].equals(tomorrow["amount_cents"])
    assert not today.equals(data.orders(DAY, 500, seed=7))


def test_orders_come_from_the_given_catalogue():
    catalogue = pd.DataFrame({"product_id": [7], "price_cents": [100]})
    stream = data.orders(DAY, 200, products=catalogue)
    assert set(stream["product_id"]) == {7}
    assert set(stream["amount_cents"]) <= {100, 200, 300, 400, 500}


@settings(max_examples=25, deadline=None)
@given(
    hours_late=st.floats(1, 48),
    events=st.integers(1, 50),
    start_hour=st.integers(0, 23),
    data_hours=st.data(),
)
def test_a_late_order_arrives_in_a_later_hour(hours_late, events, start_hour, data_hours):
    hours = data_hours.draw(st.integers(1, 24 - start_hour))
    late = data.late_orders(DAY, hours_late, events, start_hour=start_hour, hours=hours)
    assert len(late) == events
    assert late["order_timestamp"].dt.normalize().eq(pd.Timestamp(DAY)).all()
    assert late["order_timestamp"].dt.hour.between(start_hour, start_hour + hours - 1).all()
    assert (late["arrival_timestamp"].dt.floor("h") > late["order_timestamp"].dt.floor("h")).all()
    assert late["arrival_timestamp"].is_monotonic_increasing
    assert not set(late["order_id"]) & set(data.orders(DAY, 1000)["order_id"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"events": 0}, ValueError, r"events must be a whole number from 1 to 500000000, got 0"),
        ({"events": 10**9}, ValueError, "events must be .* got 1000000000"),
        ({"events": 2.5}, TypeError, r"events must be .* got 2\.5"),
        ({"events": True}, TypeError, "events must be .* got True"),
        ({"day": "yesterday"}, ValueError, "day must be a date from 1970 to 2199.*got 'yesterday'"),
        ({"day": "2026-04-25 07:00"}, ValueError, "day must be a date"),
        ({"day": "2026-04-25T00:00Z"}, ValueError, "day must be a date"),
        ({"day": "1969-12-31"}, ValueError, "day must be a date"),
        ({"day": 20_568}, ValueError, "day must be a date"),
        ({"day": None}, ValueError, "day must be a date"),
        ({"seed": -1}, ValueError, "seed must be a whole number of at least 0, got -1"),
        ({"start_hour": 24}, ValueError, "start_hour must be a whole number from 0 to 23, got 24"),
        ({"start_hour": 20, "hours": 5}, ValueError, "hours must be .* from 1 to 4, got 5"),
        ({"products": pd.DataFrame({"product_id": [1]})}, ValueError, "products must be a table"),
        ({"products": data.make_products().head(0)}, ValueError, "products must be .* got 0 rows"),
    ],
)
def test_a_bad_argument_is_named(arguments, error, message):
    arguments = {"day": DAY, "events": 10, **arguments}
    for draw in (data.orders, data.order_chunks):
        with pytest.raises(error, match=message):
            draw(**arguments)
    with pytest.raises(error, match=message):
        data.late_orders(hours_late=2, **arguments)


@pytest.mark.parametrize("hours_late", [0.5, 0, -1, math.nan, math.inf, "3", True])
def test_hours_late_must_be_a_number_of_at_least_one(hours_late):
    with pytest.raises((ValueError, TypeError), match="hours_late must be a number"):
        data.late_orders(DAY, hours_late)


def test_chunk_rows_are_checked_at_the_call():
    with pytest.raises(ValueError, match="chunk_rows must be .* got 0"):
        data.order_chunks(DAY, 10, chunk_rows=0)


@pytest.mark.parametrize(
    "day", [DAY, datetime.date(2026, 4, 25), pd.Timestamp(DAY), np.datetime64(DAY)]
)
def test_a_day_may_be_any_date(day):
    assert data.as_day(day) == pd.Timestamp(DAY)
    assert data.as_day(day).unit == "us"


def test_a_course_copy_reads_its_own_tables(tmp_path, monkeypatch):
    shutil.copytree(data.folder(), tmp_path / "data")
    text = (tmp_path / "data" / "consumers.csv").read_text(encoding="utf-8")
    edited = text.replace("marketing dashboard", "campaign desk")
    (tmp_path / "data" / "consumers.csv").write_text(edited, encoding="utf-8")
    monkeypatch.setenv("TRADEOFF_DATA", str(tmp_path / "data"))
    assert "campaign desk" in set(data.consumers()["name"])
