"""States of consumers whose offsets are made up, so that the truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.scenarios.lag_signals import STATES, verdicts


def samples(arrivals, commits, seconds=10.0, behind=0.0, every=0.1, name="one", jitter=0.0):
    """A consumer that starts `behind` events late and commits at most what has arrived."""
    time = np.arange(0, seconds, every)
    end = np.floor(5_000 + arrivals * time)
    noise = np.random.default_rng(1).uniform(-jitter, jitter, len(time))
    committed = np.minimum(np.floor(5_000 - behind + commits * time + noise), end)
    return pd.DataFrame(
        {"consumer": name, "seconds": time, "end_offset": end, "committed_offset": committed}
    ).assign(lag=end - committed)


def state(*arguments, **options):
    return verdicts(samples(*arguments, **options), 0, 10).loc["one", "state"]


def test_states_of_the_lesson():
    assert state(2000, 2000, jitter=100) == "healthy"
    assert state(2000, 1200) == "slow"
    assert state(2000, 0, behind=10) == "dead"
    assert state(2000, 8000, behind=90_000) == "catching up"
    assert state(0, 0) == "idle"


def test_a_lag_that_stands_still_is_not_a_dead_consumer():
    found = verdicts(samples(2000, 2000, behind=50_000), 0, 10).loc["one"]
    assert found["state"] == "healthy"
    assert found["lag"] == 50_000
    assert abs(found["lag_per_second"]) < 1


def test_dead_with_no_arrivals_is_dead_while_events_wait():
    assert state(0, 0, behind=10) == "dead"
    assert state(0, 500, behind=90_000) == "catching up"


@given(
    st.floats(10, 1e5),
    st.floats(0, 3),
    st.floats(0.05, 0.5),
)
def test_slopes_add_up_and_the_state_follows_from_them(arrivals, share, tolerance):
    table = samples(arrivals, share * arrivals, behind=40 * arrivals)
    found = verdicts(table, 0, 10, tolerance).loc["one"]
    assert found["state"] in STATES
    assert found["lag_per_second"] == pytest.approx(
        found["arrivals_per_second"] - found["commits_per_second"], abs=1e-6 * arrivals
    )
    assert (found["state"] == "dead") == (
        table["committed_offset"].iloc[0] == table["committed_offset"].iloc[-1]
    )
    if share > 1 + 2 * tolerance and share * arrivals > 20:
        assert found["state"] in ("catching up", "healthy")
    if found["state"] == "slow":
        assert share < 1


def test_consumers_are_told_apart_within_one_table():
    table = pd.concat([samples(2000, 1200, name="a"), samples(2000, 0, behind=1, name="b")])
    assert verdicts(table, 2, 8)["state"].to_dict() == {"a": "slow", "b": "dead"}


@pytest.mark.parametrize(
    ("window", "tolerance", "said"),
    [((0, 0.2), 0.1, "must hold 5 samples of 'one'"), ((0, 10), 1.0, "tolerance must be")],
)
def test_what_cannot_be_judged_is_refused(window, tolerance, said):
    with pytest.raises(ValueError, match=said):
        verdicts(samples(10, 10), *window, tolerance)
