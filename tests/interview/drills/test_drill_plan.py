"""The plan: every day within its minutes, what is due first, nothing dropped in silence."""

from datetime import date

import pytest
from drill_bank import DAY, NOW, bank, question, review
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff.interview import drills
from tradeoff.interview.drills import Store
from tradeoff.interview.drills.plan import ASSUMED_MINUTES, LESSON_MINUTES, LESSONS, plan


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "drills.json")


@settings(deadline=None, max_examples=30)
@given(
    days=st.integers(1, 14),
    minutes=st.floats(5, 180),
    answered=st.lists(st.tuples(st.integers(0, 35), st.sampled_from([0.0, 1.0])), max_size=15),
)
def test_no_day_is_overfull_and_nothing_is_lost(tmp_path_factory, days, minutes, answered):
    store = Store(tmp_path_factory.mktemp("own") / "drills.json")
    questions = bank(each=2)
    for place, share in answered:
        store.keep(review(questions[place].id, share=share, at=NOW - DAY))
    made = plan(days, minutes, store=store, now=NOW, questions=questions)
    assert len(made.days) == days
    assert all(day.minutes <= minutes + 1e-6 for day in made.days)
    new = sum(t.questions for t in all_tasks(made) if t.what.startswith("New"))
    assert new == len(questions) - len({place for place, _ in answered})


def all_tasks(made):
    return [*(task for day in made.days for task in day.tasks), *made.left_out]


def test_days_are_the_calendars_until_the_interview(store):
    store.set_interview(date(2026, 12, 2))
    made = plan(store=store, now=NOW, questions=bank(each=1))
    assert [day.on for day in made.days] == [date(2026, 11, 28 + each) for each in range(3)] + [
        date(2026, 12, 1)
    ]
    assert made.head.startswith("4 days until the interview on Wednesday 2 December")


def test_without_a_day_left_or_a_date_it_says_so(store):
    with pytest.raises(ValueError, match="name the day"):
        plan(store=store, now=NOW)
    store.set_interview(NOW.date())
    with pytest.raises(ValueError, match="no day is left"):
        plan(store=store, now=NOW)
    with pytest.raises(ValueError, match="366 days ahead, got 400"):
        plan(400, store=store, now=NOW)
    with pytest.raises(ValueError, match="above 0"):
        plan(3, 0, store=store, now=NOW)


def test_what_is_due_comes_first_on_its_day(store):
    questions = bank(each=2)
    store.keep(review("frontier-1-0", at=NOW - 5 * DAY))
    store.keep(review("frontier-1-1", at=NOW))  # in two days
    made = plan(4, store=store, now=NOW, questions=questions)
    due = [day.tasks[0].what.startswith("Answer what is due") for day in made.days]
    assert due[0]
    assert due[2]
    assert "1 question" in made.days[0].tasks[0].what


def test_new_questions_of_the_weakest_objectives_come_first(store):
    for name in ("frontier", "latency-and-throughput"):
        for each in range(4):
            store.keep(review(f"{name}-2-{each}"))
    made = plan(1, 10, store=store, now=NOW, questions=bank(lessons=[1]))
    first = next(task for task in all_tasks(made) if task.what.startswith("New"))
    assert "ask-first (lesson 1)" in first.what


def test_a_lesson_is_read_where_its_answers_were_weak_for_half_the_day(store):
    store.keep(review("trigger-1-0", share=0.0))
    store.keep(review("frontier-1-0"))
    made = plan(5, 40, store=store, now=NOW, questions=bank())
    read = [task for task in all_tasks(made) if task.what.startswith("Read")]
    assert {task.what for task in read} == {f"Read lesson 2, {LESSONS[2]}"}
    assert [task.minutes for task in read] == [20, 20, 20]
    assert sum(task.minutes for task in read) == LESSON_MINUTES


def test_no_scrap_of_a_lesson_is_left_for_another_day(store):
    store.keep(review("trigger-1-0", share=0.0))
    made = plan(5, 52, store=store, now=NOW, questions=bank())
    read = [task.minutes for task in all_tasks(made) if task.what.startswith("Read")]
    assert read == [26, 34]  # half of 52, then 8 more rather than on a third day


def test_it_says_what_does_not_fit(store):
    questions = bank(each=10)
    short = plan(1, 30, store=store, now=NOW, questions=questions)
    left = sum(task.questions for task in short.left_out)
    assert left == len(questions) - short.days[0].questions
    assert short.rest.startswith(f"Does not fit: {left} questions")
    assert short.rest in short.said
    long = plan(30, 600, store=store, now=NOW, questions=bank(each=1))
    assert (long.left_out, long.rest) == ((), "Everything fits.")


def test_minutes_are_the_learners_own_once_there_are_enough(store):
    questions = bank()
    assert (
        f"{ASSUMED_MINUTES['choices']:g} min a choice,"
        in plan(3, store=store, now=NOW, questions=questions).rests_on
    )
    for each in range(5):
        store.keep(review(questions[each].id, seconds=180.0))
    own = plan(3, store=store, now=NOW, questions=questions).rests_on
    assert "4 min a choice (your own median)" in own


def test_the_package_has_it_for_the_courses_bank(store):
    made = drills.plan(7, store=store, now=NOW)
    assert repr(made) == made.said
    assert made.days[0].questions > 0


def test_a_plan_that_rests_on_nothing_says_so(store):
    said = "Nothing was answered yet"
    made = plan(2, store=store, now=NOW, questions=bank()).said
    assert said in " ".join(made.split())
    assert max(map(len, made.splitlines())) <= 80
    store.keep(review("frontier-1-0"))
    assert said not in " ".join(plan(2, store=store, now=NOW, questions=bank()).said.split())


def test_an_empty_day_says_so(store):
    made = plan(2, store=store, now=NOW, questions=[question("only-one")])
    assert "  - nothing" in made.said
