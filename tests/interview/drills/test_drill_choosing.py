"""The next question: due before new, the weakest objective, as hard as the learner is ready for."""

from collections import Counter

import numpy as np
import pytest
from drill_bank import DAY, MINUTE, NOW, Learner, bank, question, review
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.interview.drills import Session, Store, readiness
from tradeoff.interview.drills.choosing import choose, levels, objective, staircase

RNG = np.random.default_rng(1)
answers = st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0.0, 0.4, 0.5, 0.75, 1.0])))


def test_what_is_due_comes_before_anything_new():
    questions = bank()
    late, later = questions[5].id, questions[9].id
    said = [review(late, at=NOW - 5 * DAY), review(later, at=NOW - 9 * DAY)]
    assert choose(questions, said, NOW, RNG).id == later


def test_due_questions_of_other_lessons_are_not_asked():
    said = [review("classify-1-0", share=0.0, at=NOW - DAY)]
    assert choose(bank(lessons=[1]), said, NOW, RNG).lesson == 1


@given(answers, st.integers(1, 3))
def test_the_level_stays_between_1_and_3(given_, start):
    assert staircase(given_, start) in (1, 2, 3)


def test_the_level_rises_after_two_full_answers_running_and_falls_after_one_wrong():
    assert staircase([(1, 1.0)]) == 1
    assert staircase([(1, 1.0), (1, 1.0)]) == 2
    assert staircase([(1, 1.0), (1, 0.6), (1, 1.0)]) == 1
    assert staircase([(1, 1.0)] * 4) == 2  # easier than the level: no proof of more
    assert staircase([(3, 1.0)] * 4) == 3
    assert staircase([(2, 0.0)], start=2) == 1
    assert staircase([(3, 0.0)], start=2) == 2  # harder than the level: no proof of less
    assert staircase([(2, 0.6)], start=2) == 2


def test_an_objective_begins_where_all_answers_together_stand():
    questions = bank()
    said = [review(f"frontier-1-{each}", at=NOW + each * MINUTE) for each in range(2)]
    found = levels(questions, said)
    assert found[2, "trigger"] == 2
    assert found[1, "frontier"] == 2
    wrong = [*said, review("trigger-2-0", share=0.0, at=NOW + 3 * MINUTE)]
    assert levels(questions, wrong)[2, "trigger"] == 1
    assert set(found) == {objective(each) for each in questions}


def test_new_questions_are_of_the_weakest_objective_not_twice_running():
    questions = bank(lessons=[1])
    names = ["latency-and-throughput", "frontier", "ask-first"]
    said = [
        review(f"{name}-1-{each}", share=float(name != "ask-first"), at=NOW + each * MINUTE)
        for name in names
        for each in range(2)
    ]
    first = choose(questions, said, NOW + 3 * MINUTE, RNG)
    assert first.objective == "ask-first"
    second = choose(questions, said, NOW + 3 * MINUTE, RNG, last=objective(first))
    assert second.objective != "ask-first"


def test_a_drill_of_one_lesson_knows_the_level_that_the_others_made():
    questions = bank()
    said = [review(f"trigger-{1 + each // 2}-{each % 2}", at=NOW) for each in range(4)]
    own = [each for each in questions if each.lesson == 1]
    assert choose(own, said, NOW, RNG, bank=questions).difficulty == 3
    assert choose(own, said, NOW, RNG).difficulty == 1


def test_when_all_is_known_what_falls_due_soonest_is_asked_once():
    questions = [question("one"), question("two")]
    said = [review("two", at=NOW - MINUTE), review("one", at=NOW)]
    assert choose(questions, said, NOW, RNG).id == "two"
    assert choose(questions, said, NOW, RNG, asked=["two"]).id == "one"
    assert choose(questions, said, NOW, RNG, asked=["two", "one"]) is None


def drilled(tmp_path, ability, seed, count=60):
    store = Store(tmp_path / f"{ability}-{seed}.json")
    session = Session(store, NOW, seed, count=count, questions=bank(each=6))
    now, asked = Learner(ability, np.random.default_rng(seed)).drill(session, NOW)
    return store, now, asked


@pytest.mark.parametrize("seed", range(5))
def test_a_weak_learner_is_not_drowned_in_hard_questions(tmp_path, seed):
    _, _, asked = drilled(tmp_path, 1.0, seed)  # right in 50, 27 and 12 of a hundred
    found = Counter(each.difficulty for each in asked)
    assert found[3] <= 0.1 * len(asked)
    assert found[1] >= 0.6 * len(asked)


@pytest.mark.parametrize("seed", range(5))
def test_a_strong_learner_is_not_kept_at_easy_ones(tmp_path, seed):
    _, _, asked = drilled(tmp_path, 6.0, seed)  # right in 99, 98 and 95 of a hundred
    found = Counter(each.difficulty for each in asked)
    assert found[1] <= 0.1 * len(asked)
    assert found[3] >= 0.7 * len(asked)


def test_the_middle_one_is_asked_the_middle_most(tmp_path):
    found = Counter()
    for seed in range(5):
        found += Counter(each.difficulty for each in drilled(tmp_path, 2.9, seed)[2])
    assert found.most_common(1)[0][0] == 2


def test_every_objective_is_met_early(tmp_path):
    _, _, asked = drilled(tmp_path, 2.0, 1, count=30)
    new = list(dict.fromkeys(each.objective for each in asked))
    assert len(new) == len({each.objective for each in bank()})


@pytest.mark.parametrize("ability", [0.5, 2.0, 3.5, 6.0])
def test_readiness_is_close_to_the_true_chance(tmp_path, ability):
    """Over all objectives and learners, the estimate is about the learner's chance in the bank."""
    estimated, true = [], []
    for seed in range(5):
        store, now, _ = drilled(tmp_path, ability, seed)
        learner = Learner(ability, RNG)
        estimated += [one.estimate for one in readiness(bank(each=6), store.reviews, now)]
        true += [learner.chance(each) for each in bank(each=6)]
    assert abs(np.mean(estimated) - np.mean(true)) < 0.15
    assert np.mean(estimated) < np.mean(true) + 0.05  # errs to the safe side
