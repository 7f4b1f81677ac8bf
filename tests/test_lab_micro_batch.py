"""The micro-batch loop: each order once, whatever happens to it; and it leaves nothing behind."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab import micro_batch, order_log, trigger_loop
from tradeoff.model import evaluate

QUICK = {"seconds": 1.2, "orders_per_second": 200}


@pytest.fixture(scope="module")
def two():
    return micro_batch.run(["200 ms", micro_batch.ASAP, micro_batch.ONCE], **QUICK)


def test_every_trigger_gives_the_recounts_result(two):
    facts = [one.facts for one in two.values()]
    assert all(one.exact for one in two.values())
    assert facts[0].equals(facts[1])
    assert facts[0].equals(facts[2])


def test_the_result_is_what_pandas_makes_of_the_orders(two):
    one = two["200 ms"]
    orders = data.orders(order_log.DAY, one.orders)
    expected = orders.groupby("region", observed=True)["amount_cents"].agg(["count", "sum"])
    found = one.facts.set_index("region")
    assert found["orders"].to_dict() == expected["count"].to_dict()
    assert found["revenue_cents"].to_dict() == expected["sum"].to_dict()


def test_ages_lie_between_a_run_and_an_interval_more(two):
    ages = two["200 ms"].ages
    assert len(ages) == two["200 ms"].orders
    assert (ages["age_seconds"] > 0).all()
    assert ages["age_seconds"].median() < 0.4
    assert ages["age_seconds"].max() > 0.1


def test_batches_account_for_every_order_and_start_after_one_another(two):
    for one in two.values():
        assert one.batches["events"].sum() == one.orders
        ends, starts = one.batches["end_seconds"], one.batches["start_seconds"]
        assert (starts.to_numpy()[1:] >= ends.to_numpy()[:-1] - 1e-3).all()
        assert (one.batches["seconds"] > 0).all()


def test_a_timed_loop_starts_on_multiples_of_its_interval(two):
    starts = two["200 ms"].batches["start_seconds"].to_numpy()
    phase = np.diff(starts) / 0.2
    assert np.abs(phase - np.rint(phase)).mean() < 0.25
    assert (np.rint(phase) >= 1).all()


def test_without_a_trigger_there_are_many_more_batches_and_once_has_one(two):
    assert len(two[micro_batch.ASAP].batches) > 3 * len(two["200 ms"].batches)
    assert len(two[micro_batch.ONCE].batches) == 1
    shares = micro_batch.compared(two.values()).set_index("trigger")
    assert shares.loc[micro_batch.ASAP, "busy_share"] > shares.loc["200 ms", "busy_share"]


def test_the_loop_as_a_design_has_its_own_overhead(two):
    asap, once = two[micro_batch.ASAP], two[micro_batch.ONCE]
    design = micro_batch.as_design(asap, once, "1 s")
    found = evaluate(design)
    assert design.engine.overhead_seconds == asap.batches["seconds"].median()
    assert 1 < found.latency_worst_seconds < 1.5
    table = micro_batch.beside_model([two["200 ms"]], [micro_batch.as_design(asap, once, "200 ms")])
    assert table["figure"].tolist() == ["p50", "worst"]
    expected = 100 * (table["predicted_seconds"] / table["measured_seconds"] - 1)
    np.testing.assert_allclose(table["error_percent"], expected)


def test_a_killed_loop_loses_and_repeats_nothing():
    killed = micro_batch.kill_and_restart("100 ms", kills=3, seconds=1.5, orders_per_second=300)
    assert len(killed.kills) == 3
    assert list(killed.kills) == sorted(killed.kills)
    assert killed.exact
    assert killed.facts["orders"].sum() == killed.orders


def test_a_kill_before_the_checkpoint_repeats_side_effects_but_not_the_result():
    mailed = micro_batch.kill_before_checkpoint("100 ms", batch=3, seconds=1.0)
    assert mailed.replayed > 0
    assert mailed.counted == mailed.keyed == mailed.orders
    assert mailed.appended == mailed.orders + mailed.replayed
    table = mailed.table.set_index("sink")
    assert table["twice"].tolist() == [0, mailed.replayed, 0]
    assert (table["missing"] == 0).all()


def test_a_loop_that_ends_before_its_batch_is_an_error():
    with pytest.raises(micro_batch.LoopError, match="mailed, not committed"):
        micro_batch.kill_before_checkpoint("100 ms", batch=999, seconds=0.3)


def test_a_loop_that_fails_says_what_it_said(monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no such log')", encoding="utf-8")
    monkeypatch.setattr(trigger_loop, "__file__", str(broken))
    with pytest.raises(micro_batch.LoopError, match="no such log"):
        micro_batch.run(["100 ms"], seconds=0.2)


def test_processes_and_folders_are_gone_after_an_interrupt(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started = []

    def interrupted(shop):
        started.extend(shop._consumers)
        raise KeyboardInterrupt

    monkeypatch.setattr(order_log.Shop, "let_arrive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        micro_batch.run(["100 ms", micro_batch.ASAP], seconds=0.5)
    assert len(started) == 2
    assert all(consumer._process.poll() is not None for consumer in started)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_after_a_run(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    micro_batch.run([micro_batch.ASAP], seconds=0.2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"triggers": []}, "triggers"),
        ({"triggers": ["1 ms"]}, "interval_seconds"),
        ({"triggers": ["2 min"]}, "interval_seconds"),
        ({"triggers": ["soon"]}, "interval_seconds"),
        ({"triggers": ["1 s"], "seconds": 0}, "seconds"),
        ({"triggers": ["1 s"], "orders_per_second": -1}, "orders_per_second"),
        ({"triggers": ["1 s"], "seconds": 1e-6}, "gave no order"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        micro_batch.run(**arguments)


@pytest.mark.parametrize("kills", [0, 21, 1.5])
def test_kills_are_a_small_whole_number(kills):
    with pytest.raises(ValueError, match="kills"):
        micro_batch.kill_and_restart(kills=kills)


# --- the loop itself, in this process -------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    with closing(sqlite3.connect(tmp_path / trigger_loop.LOG)) as log:
        log.execute(order_log.LOG_SCHEMA)
        log.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, 0)",
            [(at, 100 + at, "east" if at % 3 else "west", at) for at in range(1, 31)],
        )
        log.commit()
    return tmp_path


def facts(folder: Path):
    with closing(sqlite3.connect(folder / "one.sqlite")) as sink:
        return sink.execute("SELECT * FROM facts ORDER BY region").fetchall()


def test_a_batch_that_dies_in_its_transaction_leaves_no_trace_and_is_run_again(folder, monkeypatch):
    def die(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(trigger_loop.time, "sleep", die)
    loop = trigger_loop.Loop(folder, "one", False, 1)
    with closing(loop), pytest.raises(KeyboardInterrupt):
        loop.run_batch()
    assert facts(folder) == []
    trigger_loop.main([str(folder), "one", "--once"])
    assert facts(folder) == [("east", 20, 300), ("west", 10, 165)]


def test_a_restarted_loop_goes_on_from_its_checkpoint(folder):
    trigger_loop.main([str(folder), "one", "--once"])
    again = trigger_loop.Loop(folder, "one", False, None)
    with closing(again):
        assert again.position == 30
        assert not again.run_batch()
    assert facts(folder) == [("east", 20, 300), ("west", 10, 165)]


@given(
    cuts=st.lists(st.integers(0, 40), max_size=5),
    amounts=st.lists(
        st.tuples(st.sampled_from(["north", "south"]), st.integers(0, 10**6)), max_size=40
    ),
)
def test_totals_of_parts_add_up_to_the_totals_of_all(cuts, amounts):
    rows = [(at, at, region, cents) for at, (region, cents) in enumerate(amounts)]
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    summed: dict[str, list[int]] = {}
    for first, last in zip(edges, edges[1:], strict=False):
        for region, (count, cents) in trigger_loop.totals(rows[first:last]).items():
            had = summed.setdefault(region, [0, 0])
            had[0] += count
            had[1] += cents
    assert summed == dict(trigger_loop.totals(rows))
