"""A warehouse's bill: by hand, against the model, and where the two must differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.lab.systems.warehouse import Warehouse
from tradeoff.model import Cadence, Design, Rhythm, Workload, evaluate
from tradeoff.model.cost import bill_of_runs

BARE = Warehouse(node_usd_per_hour=3.6, start_up_seconds=0, suspend_after_seconds=0)


def test_bills_by_hand():
    # 40 minutes a night, against all day: the text's 36 to 1.
    night = BARE.day(2_400, "24h")
    assert (night.resumes, night.billed_seconds) == (1, 2_400)
    assert night.compute_usd == pytest.approx(2.4)
    assert 86_400 / night.billed_seconds == 36
    # 2 s an hour: a minute each is billed.
    hours = BARE.day(2, "1h")
    assert (hours.runs, hours.resumes) == (24, 24)
    assert (hours.up_seconds, hours.billed_seconds) == (48, 24 * 60)
    # A warehouse that waits 10 minutes before it suspends: 2 s cost 602.
    idle = Warehouse(start_up_seconds=0, suspend_after_seconds=600)
    assert idle.day(2, "1h").billed_seconds == 24 * 602
    # Every 5 minutes it never suspends: one resume, the whole day but for the end's cut.
    busy = idle.day(2, "5min")
    assert (busy.resumes, busy.up_seconds) == (1, 86_400)


def test_start_up_is_paid_and_waited_for():
    slow = Warehouse(start_up_seconds=30, suspend_after_seconds=100)
    bill = slow.day(10, "1h")
    assert bill.latest_seconds == 40
    assert bill.up_seconds == 24 * 140


def test_a_long_run_makes_the_next_one_wait():
    lengths = [5_000.0, 10.0] + [10.0] * 22
    bill = BARE.day(lengths, "1h")
    assert bill.latest_seconds == 5_000
    assert bill.resumes == 23  # the second hour's run finds it up
    assert bill.up_seconds == sum(lengths)
    assert BARE.day([10.0, 5_000.0, 10.0] + [10.0] * 21, "1h").latest_seconds == 5_000


def test_the_minimum_is_billed_at_each_resume_even_twice_a_minute():
    # The rule taken at its word: a suspended warehouse that resumes starts a new minute.
    assert BARE.day(1, 30).billed_seconds == 2_880 * 60
    assert Warehouse(start_up_seconds=0, suspend_after_seconds=60).day(1, 30).billed_seconds == (
        86_400
    )


@given(
    run=st.floats(0.1, 3_000),
    hours=st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
    nodes=st.integers(1, 8),
    suspend=st.sampled_from([0.0, 60.0, 300.0]),
)
def test_it_is_the_models_bill_of_runs_that_long(run, hours, nodes, suspend):
    warehouse = Warehouse(nodes=nodes, suspend_after_seconds=suspend)
    bill = warehouse.day(run, hours * 3_600)
    whole = warehouse.start_up_seconds + run + suspend
    known = bill_of_runs(warehouse.engine(), Rhythm.BATCH, nodes, whole, 24 / hours)
    assert bill.compute_usd == pytest.approx(known)


@pytest.mark.parametrize("events", [20_000, 5_000_000, 200_000_000])
@pytest.mark.parametrize("hours", [1, 6, 24])
def test_it_is_what_evaluate_says(events, hours):
    warehouse = Warehouse(suspend_after_seconds=0)
    workload = Workload("orders", events_per_day=events, work_per_event=100)
    design = Design(
        workload, warehouse.engine(), Rhythm.BATCH, Cadence.every(hours * 3_600), incremental=True
    )
    said = evaluate(design)
    rate = warehouse.engine().events_per_second_per_slot * warehouse.engine().slots_per_node / 100
    run = events * hours / 24 / rate
    assert warehouse.day(run, hours * 3_600).compute_usd == pytest.approx(said.compute_usd_per_day)


def test_what_is_asked_must_make_sense():
    with pytest.raises(ValueError, match="must hold 24 runs"):
        BARE.day([1.0] * 23, "1h")
    with pytest.raises(ValueError, match="at least 0"):
        BARE.day(-1.0, "1h")
    with pytest.raises(ValueError, match="do not fit"):
        BARE.day(4_000, "1h")
    with pytest.raises(ValueError, match="suspend_after_seconds"):
        Warehouse(suspend_after_seconds=-1)
    with pytest.raises(ValueError, match="nodes"):
        Warehouse(nodes=0)
