"""Answers as candidates type them: read in the unit asked for, or refused with a sentence."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tradeoff.interview import numbers
from tradeoff.interview.numbers import Drawn, drawn
from tradeoff.interview.numbers.drawn import UnitError, parse

DAY = 86_400.0
READ = [
    # one letter, two meanings: the unit asked for decides
    ("5 b", "events", 5e9),
    ("5 b", "bytes", 5.0),
    ("5 B", "GB", 5.0),
    ("5 bn", "bytes", 5e9),
    ("5 m", "s", 300.0),
    ("5 m", "events", 5e6),
    ("5 M/s", "events/s", 5e6),
    ("2 d", "h", 2 * DAY),
    # multiples
    ("80M", "events", 80e6),
    ("80M", "events/day", 80e6 / DAY),
    ("80 M a day", "events/day", 80e6 / DAY),
    ("80 million events per day", "events/s", 80e6 / DAY),
    ("11.6k/s", "events/s", 11_600.0),
    ("700K events per min", "events/s", 700e3 / 60),
    ("100 k eps", "events/s", 100e3),
    ("1e6 events", "events", 1e6),
    ("1.5k nodes", "nodes", 1_500.0),
    # time
    ("1.5 h", "s", 5_400.0),
    ("90 sec", "s", 90.0),
    ("90", "s", 90.0),
    ("90", "min", 5_400.0),
    ("250 ms", "s", 0.25),
    ("20 µs", "ms", 20e-6),
    (".5 s", "s", 0.5),
    ("1 h 15 min", "s", 4_500.0),
    ("1h15m", "min", 4_500.0),
    ("5 minutes and 30 seconds", "s", 330.0),
    ("2 days", "h", 2 * DAY),
    # money
    ("$40", "USD", 40.0),
    ("$ 40", "USD", 40.0),
    ("40$", "USD", 40.0),
    ("-$5", "USD", -5.0),
    ("$2k/day", "USD/day", 2_000 / DAY),
    ("$2k", "USD/day", 2_000 / DAY),
    ("2k$ a day", "USD/day", 2_000 / DAY),
    ("2,000 dollars per day", "USD/day", 2_000 / DAY),
    ("2 000 USD/day", "USD/day", 2_000 / DAY),
    ("2\u202f000 USD daily", "USD/day", 2_000 / DAY),
    ("$14k per week", "USD/day", 2_000 / DAY),
    ("$0.35 per million events", "USD/million events", 0.35e-6),
    ("0.35 USD/M", "USD/million events", 0.35e-6),
    ("$350 per billion events", "USD/million events", 0.35e-6),
    ("0.35", "USD/million events", 0.35e-6),
    # sizes, shares, things
    ("800 MB", "GB", 800e6),
    ("2 gigabytes", "GB", 2e9),
    ("31 outages a year", "outages/year", 31 / (365 * DAY)),
    ("4 GiB", "GB", 4 * 1024.0**3),
    ("40 GB an hour", "GB/h", 40e9 / 3_600),
    ("12 MB/s", "GB/h", 12e6),
    ("36x", "times", 36.0),
    ("36:1", "times", 36.0),
    ("36 to 1", "times", 36.0),
    ("30 %", "times", 0.3),
    ("30", "%", 0.3),
    ("60 per cent", "%", 0.6),
    ("96 node hours a day", "node-hours/day", 96 / DAY),
    ("about 12 nodes", "nodes", 12.0),
    ("~12", "nodes", 12.0),
    ("1,440 batches a day", "runs/day", 1_440 / DAY),
]
REFUSED = [
    ("", "s", "not a number"),
    ("soon", "s", "not a number"),
    ("$", "USD", "not a number"),
    ("4 GB", "s", "not a unit of time"),
    ("5 days", "USD", "not a unit of money"),
    ("12 events", "nodes", "not a unit of nodes"),
    ("40 USD", "USD/day", "not a unit of money over time"),
    ("40 USD/day", "USD", "not a unit of money"),
    ("$3/day", "USD/million events", "not a unit of money for events"),
    ("5 parsecs", "s", "no unit 'parsecs'"),
    ("5 events/fortnight", "events/s", "no unit 'fortnight'"),
    ("1,5 h", "s", "two ways"),
    ("1.2.3", "s", "two ways"),
    ("1,00,000", "events", "two ways"),
    ("1:15", "h", "no unit"),
]


@pytest.mark.parametrize(("text", "unit", "base"), READ)
def test_what_people_type_is_read_in_the_unit_asked_for(text: str, unit: str, base: float) -> None:
    assert parse(text, unit) == pytest.approx(base, rel=1e-12)


@pytest.mark.parametrize(("text", "unit", "says"), REFUSED)
def test_what_cannot_be_read_is_refused_and_says_what_to_type(
    text: str, unit: str, says: str
) -> None:
    with pytest.raises(UnitError, match=says) as refused:
        parse(text, unit)
    if says != "two ways":
        assert f"12 {unit}" in str(refused.value)


UNITS = (
    *("s", "min", "h", "ms", "USD", "USD/day", "USD/year", "USD/million events", "GB", "bytes"),
    *("GB/h", "GB/day", "events", "events/s", "events/day", "nodes", "runs/day", "times", "%", ""),
    *("node-hours/day", "keys", "slots", "windows"),
)
amounts = st.floats(min_value=0.02, max_value=9e8).map(lambda value: float(f"{value:.6g}"))


@given(amounts, st.sampled_from(UNITS))
def test_the_answer_in_words_is_judged_right(amount: float, unit: str) -> None:
    assume(unit != "bytes" or amount >= 1)  # there is no part of a byte
    one = Drawn({}, amount, unit, within=0.02)
    assert one.judge(one.answer_in_words), one.answer_in_words


@given(amounts, st.sampled_from(UNITS), st.floats(min_value=0.01, max_value=0.5))
def test_the_tolerance_is_a_share_of_the_right_answer(
    amount: float, unit: str, within: float
) -> None:
    one = Drawn({}, amount, unit, within=within)
    for side in (-1, 1):
        assert one.judge(f"{amount * (1 + side * within * 0.99):.12f} {unit}")
        assert not one.judge(f"{amount * (1 + side * within * 1.01):.12f} {unit}")


@given(amounts, st.sampled_from(["s", "sec", "min", "h", "hr", "days", "ms"]))
def test_any_unit_of_time_is_as_good_as_another(amount: float, unit: str) -> None:
    seconds = parse(f"{amount} {unit}", "s")
    assert seconds == pytest.approx(amount * drawn.TIME[unit], rel=1e-12)
    assert parse(f"{seconds!r} s", unit) == pytest.approx(seconds, rel=1e-12)


@given(st.integers(min_value=1, max_value=10**12), st.sampled_from(["events", "USD", "bytes"]))
def test_groups_of_three_digits_change_nothing(number: int, unit: str) -> None:
    for grouped in (f"{number:,}", f"{number:_}", f"{number:,}".replace(",", " ")):
        assert parse(f"{grouped} {unit}", unit) == number


@given(st.floats(min_value=0.1, max_value=999), st.sampled_from(sorted(drawn.MULTIPLES)))
def test_a_multiple_counts_with_and_without_a_unit(amount: float, multiple: str) -> None:
    expected = amount * drawn.MULTIPLES[multiple]
    for unit in ("events", "nodes", "USD"):
        for text in (f"{amount}{multiple}", f"{amount} {multiple.upper()} {unit}"):
            assert parse(text, unit) == pytest.approx(expected, rel=1e-12)


@given(st.text(max_size=24), st.sampled_from(UNITS))
def test_no_text_does_more_than_be_refused(text: str, unit: str) -> None:
    try:
        value = parse(text, unit)
    except UnitError:
        return
    assert isinstance(value, float)


def test_every_unit_of_the_table_is_read() -> None:
    for name, (kind, scale) in drawn.UNITS.items():
        asked = next(other for other, (its, _) in drawn.UNITS.items() if its == kind and other)
        assert parse(f"3 {name}", asked if name else "") == pytest.approx(3 * scale)


def test_two_numbers_of_one_name_are_refused() -> None:
    name = next(iter(numbers.NUMBERS))
    with pytest.raises(ValueError, match=name):
        numbers.number(numbers.NUMBERS[name])


@pytest.mark.parametrize("name", sorted(numbers.NUMBERS))
def test_numbers_follow_their_seed_and_differ_between_seeds(name: str) -> None:
    asked = [numbers.draw(name, np.random.default_rng(seed)) for seed in (*range(8), 0)]
    assert asked[0] == asked[-1]
    assert len({tuple(one.given.items()) for one in asked}) > 1
    assert all(np.isfinite(one.answer) and one.because.strip() for one in asked)
    assert all("\n" not in one.because and 0 < one.within <= 0.5 for one in asked)
