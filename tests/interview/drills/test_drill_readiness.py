"""Readiness: a figure only where it rests on enough, and the words it rests on."""

import pytest
from drill_bank import DAY, NOW, question, review
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.interview import bank
from tradeoff.interview.drills.readiness import ago, readiness, until

OWN = [question(f"own-{difficulty}-{each}", difficulty=difficulty) for difficulty in (1, 2, 3)
       for each in range(2)]  # fmt: skip


def of(said, now=NOW, own=OWN):
    (found,) = readiness(own, said, now)
    return found


def test_no_figure_without_enough_answers():
    assert of([]).percent is None
    assert of([]).rests_on == "0 of 6 questions"
    two = of([review("own-1-0"), review("own-1-0"), review("own-2-0")])
    assert (two.percent, two.answered) == (None, 2)
    assert "too few" in two.said
    assert of([review(each) for each in ("own-1-0", "own-2-0", "own-3-0")]).percent is not None


def test_an_objective_of_two_questions_needs_both():
    own = OWN[:2]
    assert of([review("own-1-0")], own=own).percent is None
    assert of([review("own-1-0"), review("own-1-1")], own=own).percent == 100


def test_it_says_what_it_rests_on():
    said = [review(f"own-{difficulty}-{each}") for difficulty in (1, 2) for each in range(2)]
    found = of(said, NOW + 2 * DAY)
    assert found.rests_on == "4 of 6 questions, last seen 2 days ago; no judgement question yet"
    assert of([review("own-3-1")]).rests_on.endswith("no recall or application question yet")
    assert of([review(each.id) for each in OWN]).rests_on == "6 of 6 questions, last seen today"


def test_it_fades_with_time_and_comes_back_with_a_review():
    said = [review(each.id) for each in OWN]
    later = [of(said, NOW + days * DAY).estimate for days in (0, 2, 8, 30)]
    assert later == sorted(later, reverse=True)
    assert later[0] == 1.0
    assert later[2] < 0.9
    again = [*said, *(review(each.id, at=NOW + 8 * DAY) for each in OWN)]
    assert of(again, NOW + 8 * DAY).estimate == 1.0


def test_the_last_answer_counts_and_a_wrong_one_counts_nothing():
    said = [review(each.id) for each in OWN]
    assert of([*said, review("own-1-0", share=0.0)]).estimate == pytest.approx(5 / 6)
    assert of([review(each.id, share=0.0) for each in OWN]).percent == 0


def test_easy_questions_say_nothing_of_hard_ones():
    easy = of([review("own-1-0"), review("own-1-1")])
    hard = of([review("own-3-0"), review("own-3-1")])
    assert easy.estimate == pytest.approx(2 / 6)
    assert hard.estimate == pytest.approx((2 + 4 * 2 / 3) / 6)


@given(st.lists(st.tuples(st.sampled_from(OWN), st.sampled_from([0, 0.25, 0.5, 1])), max_size=30),
       st.integers(0, 100))  # fmt: skip
def test_it_is_a_chance_whatever_was_answered(given_, days):
    said = [review(each.id, share=share) for each, share in given_]
    found = of(said, NOW + days * DAY)
    assert 0 <= found.estimate <= 1
    better = [*said, *(review(each.id, at=NOW + days * DAY) for each in OWN)]
    assert of(better, NOW + days * DAY).estimate == 1


def test_every_objective_of_the_bank_is_there_once():
    found = readiness(bank.questions(), [], NOW)
    asked = {(each.lesson, each.objective) for each in bank.questions()}
    assert {(one.lesson, one.objective) for one in found} == asked
    assert len(found) == len(asked)
    assert all(one.means for one in found)


def test_days_are_those_of_a_calendar():
    assert [ago(NOW - days * DAY, NOW) for days in (0, 1, 2)] == [
        "today",
        "yesterday",
        "2 days ago",
    ]
    assert [until(NOW + days * DAY, NOW) for days in (1, 3)] == ["tomorrow", "in 3 days"]
    assert until(NOW, NOW) == "now"
    assert until(NOW + DAY / 144, NOW) == "in 10 min"
