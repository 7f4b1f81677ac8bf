"""dbt's microbatch model: right, repeatable, late orders within its lookback and not beyond."""

import pandas as pd
import pytest
from tradeoff import data
from tradeoff.lab.systems import dbt, needs
from tradeoff.lab.systems.contract import differing, facts
from tradeoff.lab.systems.processes import LabError

DAY = "2026-04-25"
NEXT = "2026-04-26"
lacks = needs.lacks(*dbt.NEEDS)
pytestmark = pytest.mark.skipif(bool(lacks), reason=f"no dbt: {lacks}")


def hours(first, last):
    return list(pd.date_range(first, last, freq="1h"))


def placed(hour, events, first_id):
    """Late orders of one hour of the day."""
    late = data.late_orders(DAY, 2, events, start_hour=hour, hours=1)
    return late.assign(order_id=range(first_id, first_id + events))


def test_a_day_by_the_hour_and_what_becomes_of_late_orders():
    orders = data.orders(DAY, 6_000, start_hour=14, hours=10)
    with dbt.open_project(f"{DAY} 14:00", lookback=2) as project:
        project.land(orders)
        project.land(orders.head(100))  # delivered twice
        first = project.run(f"{NEXT} 00:00")
        assert list(first.batches["start"]) == hours(f"{DAY} 14:00", f"{DAY} 23:00")
        assert first.batches["rows"].sum() == len(orders) + 100
        assert 0 < first.batches["seconds"].sum() <= first.model_seconds < first.seconds
        assert differing(project.table(), facts(orders)).empty

        plain, table = project.without_dbt(first.batches["start"])
        assert differing(project.table(), table).empty
        # Compiling, logging and a table of its own for each batch: many times the query itself.
        assert first.batches["seconds"].median() > 2 * plain["seconds"].median()

        within, beyond = placed(22, 30, first_id=1), placed(15, 40, first_id=100)
        project.land(pd.concat([within, beyond]))
        with_late = facts(pd.concat([orders, within]))
        for _ in range(2):  # the second run reads as much, and changes nothing
            run = project.run(f"{NEXT} 00:00")
            assert list(run.batches["start"]) == hours(f"{DAY} 21:00", f"{DAY} 23:00")
            assert differing(project.table(), with_late).empty

        backfill = project.run(f"{NEXT} 00:00", start=f"{DAY} 15:00", end=f"{DAY} 16:00")
        assert list(backfill.batches["start"]) == hours(f"{DAY} 15:00", f"{DAY} 15:00")
        every = facts(pd.concat([orders, within, beyond]))
        assert differing(project.table(), every).empty
        assert not differing(with_late, every).empty


def test_a_run_as_the_lab_reports_it():
    orders = data.orders(DAY, 2_000, start_hour=6, hours=3)
    run = dbt.measure(orders)
    assert run.wrong_rows(orders).empty
    assert run.rows_read == len(orders)
    assert run.engine.startswith("dbt 1.10")
    assert min(run.seconds, run.stages["start"]) > 0


def test_bad_arguments_and_a_failing_run_are_told():
    with pytest.raises(ValueError, match="lookback"), dbt.open_project(DAY, lookback=-1):
        pass
    with dbt.open_project(DAY) as project:
        with pytest.raises(ValueError, match="both ends"):
            project.run(DAY, start=DAY)
        orders = data.orders(DAY, 50, start_hour=0, hours=1)
        changed = orders.tail(1).assign(region="elsewhere")
        told = f"order {changed['order_id'].item()} lands with other contents"
        with pytest.raises(ValueError, match=told):
            project.land(pd.concat([orders, changed]))
        with pytest.raises(LabError, match="orders-"):  # nothing has landed
            project.run(f"{DAY} 01:00")
        project.land(orders)
        project.land(orders.tail(1))
        with pytest.raises(ValueError, match=told):
            project.land(changed)
