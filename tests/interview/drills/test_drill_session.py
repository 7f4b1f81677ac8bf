"""The drill and the diagnostic without a screen: states, what is kept, what is asked next."""

import json
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from drill_bank import DAY, MINUTE, NOW, bank, question, review, right_place
from fsrs import Rating
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tradeoff.interview import bank as course_bank
from tradeoff.interview.drills import Diagnostic, Session, State, Store
from tradeoff.interview.drills.diagnostic import NOT_REACHED
from tradeoff.interview.drills.judging import Effort, Unreadable
from tradeoff.interview.drills.store import Review


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "drills.json")


def number_question():
    return next(each for each in course_bank.questions() if each.number)


def test_a_choice_is_asked_judged_kept_and_followed_by_the_next(store):
    session = Session(store, NOW, 1, count=2, questions=bank())
    assert (session.state, session.number) == (State.ASKING, 1)
    session.answer(right_place(session), NOW + MINUTE)
    assert session.state is State.ANSWERED
    (kept,) = Store(store.path).reviews
    assert (kept.judged, kept.rating, kept.seconds) == ("right", Rating.Good, 60)
    assert kept.at == NOW + MINUTE
    assert session.comes_again(NOW + MINUTE) == "in 2 days"
    session.next(NOW + MINUTE)
    assert (session.state, session.number) == (State.ASKING, 2)
    session.give_up(NOW + 2 * MINUTE)
    assert store.reviews[-1].judged == "not known"
    session.next(NOW + 2 * MINUTE)
    assert (session.state, session.asked) == (State.OVER, None)
    assert session.summary(NOW)[:2] == [
        "This drill's 2 questions are answered.",
        "1 of 2 answers were right.",
    ]


def test_an_answer_that_cannot_be_read_is_not_counted_and_may_be_typed_again(store):
    session = Session(store, NOW, 1, questions=[number_question()])
    for text in ("abc", "", "   ", "12 parsecs"):
        with pytest.raises(Unreadable, match="number"):
            session.answer(text, NOW)
        assert session.state is State.ASKING
    assert store.reviews == ()
    session.answer(session.asked.drawn.answer_in_words, NOW)
    assert store.reviews[0].judged == "right"


def test_the_kept_seed_asks_the_same_question_again(store):
    session = Session(store, NOW, 1, questions=[number_question()])
    put = session.asked
    session.answer("1", NOW)
    kept = store.reviews[0]
    assert session.question.asked(kept.seed) == put
    assert kept.answer == "1"


def test_a_question_comes_again_with_fresh_numbers(store):
    put = []
    for days in range(4):
        session = Session(store, NOW + days * DAY, days, questions=[number_question()])
        put.append(session.asked.ask)
        session.give_up(NOW + days * DAY)
    assert len(set(put)) > 1


def test_free_text_waits_for_its_ticks(store):
    asked = question("free-text", rubric=("one", "two", "three"))
    session = Session(store, NOW, 1, questions=[asked])
    session.answer("  my own words\nin two lines ", NOW + MINUTE)
    assert (session.state, session.given) == (State.TICKING, "my own words\nin two lines")
    assert store.reviews == ()
    with pytest.raises(Unreadable):
        session.tick([3], NOW)
    session.tick([0, 2], NOW + 2 * MINUTE)
    (kept,) = store.reviews
    assert (kept.judged, kept.held, kept.rating) == ("partly right", ("one", "three"), Rating.Hard)
    assert kept.answer == "my own words\nin two lines"


def test_what_a_learner_says_of_a_right_answer_changes_its_rating_alone(store):
    session = Session(store, NOW, 1, questions=bank())
    session.answer(right_place(session), NOW)
    for effort, rating in ((Effort.EASY, 4), (Effort.GUESSED, 2), (Effort.KNOWN, 3)):
        session.effort(effort)
        assert [each.rating for each in Store(store.path).reviews] == [rating]


def test_of_a_wrong_answer_there_is_no_effort_to_tell(store):
    session = Session(store, NOW, 1, questions=bank())
    session.answer(right_place(session, right=False), NOW)
    with pytest.raises(ValueError, match="right"):
        session.effort(Effort.EASY)


def test_what_was_wrong_comes_again_in_the_same_drill_after_ten_minutes(store):
    session = Session(store, NOW, 1, count=20, questions=bank())
    missed = session.question.id
    session.give_up(NOW)
    session.next(NOW + MINUTE)
    assert session.question.id != missed
    session.answer(right_place(session), NOW + 10 * MINUTE)
    session.next(NOW + 10 * MINUTE)
    assert session.question.id == missed
    assert session.asked_before == 1


def test_lesson_and_objective_choose_and_unknown_ones_are_named(store):
    session = Session(store, NOW, 1, objective="trigger", questions=bank())
    assert {each.objective for each in session.questions} == {"trigger"}
    assert {each.lesson for each in Session(store, NOW, 1, lesson=3, questions=bank()).questions} \
        == {3}  # fmt: skip
    with pytest.raises(ValueError, match="1 to 6"):
        Session(store, NOW, 1, lesson=9)
    with pytest.raises(ValueError, match="frontier"):
        Session(store, NOW, 1, lesson=1, objective="trigger")
    with pytest.raises(ValueError, match="no question on that yet"):
        Session(store, NOW, 1, lesson=5, questions=bank())
    with pytest.raises(ValueError, match="at least one"):
        Session(store, NOW, 1, count=0)


def test_the_same_seed_asks_the_same(tmp_path):
    def asked(seed):
        session = Session(Store(tmp_path / f"{seed}.json"), NOW, seed, questions=bank())
        (tmp_path / f"{seed}.json").unlink(missing_ok=True)
        return session.question.id, session.asked.order

    assert asked(1) == asked(1)
    assert len({asked(seed) for seed in range(8)}) > 1


def test_two_drills_at_once_do_not_lose_each_others_answers(store):
    one = Session(store, NOW, 1, questions=bank())
    other = Session(Store(store.path), NOW, 2, questions=bank())
    for session in (one, other):
        session.give_up(NOW)
    assert len(Store(store.path).reviews) == 2


class Anything(RuleBasedStateMachine):
    """Whatever a screen calls in whatever order: refused, or done and kept."""

    @initialize(seed=st.integers(0, 99), count=st.integers(1, 6))
    def start(self, seed, count):
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name, "drills.json"))
        questions = [*bank(each=1), question("a-text", rubric=("one", "two")), number_question()]
        self.session = Session(self.store, NOW, seed, count=count, questions=questions)
        self.now = NOW

    @rule(text=st.sampled_from(["1", "2", "x", "", "3 s", "words"]))
    def answer(self, text):
        self._do(State.ASKING, lambda: self.session.answer(text, self.now))

    @rule()
    def give_up(self):
        self._do(State.ASKING, lambda: self.session.give_up(self.now))

    @rule(places=st.lists(st.integers(-1, 2)))
    def tick(self, places):
        self._do(State.TICKING, lambda: self.session.tick(places, self.now))

    @rule(effort=st.sampled_from(Effort))
    def effort(self, effort):
        self._do(State.ANSWERED, lambda: self.session.effort(effort))

    @precondition(lambda self: self.session.state is State.ANSWERED)
    @rule(minutes=st.integers(0, 60 * 24 * 5))
    def next(self, minutes):
        self.now += timedelta(minutes=minutes)
        self.session.next(self.now)

    @precondition(lambda self: self.session.state is State.ANSWERED)
    @rule()
    def stop(self):
        self.session.stop()

    def _do(self, state, act):
        before, kept = self.session.state, len(self.session.reviews)
        try:
            act()
        except ValueError:  # Unreadable is one
            assert (self.session.state, len(self.session.reviews)) == (before, kept)
        else:
            assert before is state

    def teardown(self):
        if hasattr(self, "session"):
            on_disk = json.loads(self.store.path.read_text()) if self.session.reviews else {}
            rows = on_disk.get("reviews", [])
            assert [Review.of(row) for row in rows] == self.session.reviews
            assert len(rows) <= self.session.count
            assert (self.session.asked is None) == (self.session.state is State.OVER)
            self.folder.cleanup()


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=25, deadline=None)


# --- the diagnostic ---


def test_the_diagnostic_asks_one_question_an_objective_lessons_in_turn(store):
    session = Diagnostic(store, NOW, 1, questions=bank())
    asked = []
    while session.state is not State.OVER:
        asked.append((session.question.lesson, session.question.objective))
        session.answer(right_place(session), NOW)
        session.next(NOW)
    assert len(set(asked)) == len(asked) == len(session.objectives) == session.count
    assert [lesson for lesson, _ in asked[:3]] == [1, 2, 3]
    assert set(session.results().values()) == {"right"}
    assert session.summary(NOW)[0] == "Each objective was asked for once."
    assert {each.asked_by for each in store.reviews} == {"diagnostic"}


def test_it_ends_after_ten_minutes_but_cuts_no_answer_off(store):
    session = Diagnostic(store, NOW, 1, questions=bank())
    session.answer(right_place(session), NOW + 9 * MINUTE)
    session.next(NOW + 9 * MINUTE)
    assert session.left(NOW + 9 * MINUTE) == MINUTE
    session.answer(right_place(session, right=False), NOW + 14 * MINUTE)
    assert store.reviews[-1].judged == "wrong"
    session.next(NOW + 14 * MINUTE)
    assert session.state is State.OVER
    assert session.summary(NOW)[0] == "The ten minutes are over."
    found = list(session.results().values())
    assert (found[:2], set(found[2:])) == (["right", "wrong"], {NOT_REACHED})


def test_it_asks_the_middle_difficulty_quick_ones_and_unseen_first(store):
    questions = [
        question("a-text", difficulty=2, rubric=("one",)),
        *(question(f"choice-{each}", difficulty=each) for each in (1, 2, 3)),
    ]
    assert Diagnostic(store, NOW, 1, questions=questions).question.id == "choice-2"
    store.keep(review("choice-2"))
    assert Diagnostic(store, NOW, 1, questions=questions).question.id in ("choice-1", "choice-3")


def test_of_the_courses_bank_it_reaches_every_objective(store):
    session = Diagnostic(store, NOW, 1)
    wanted = {(each.lesson, each.objective) for each in course_bank.questions()}
    assert set(session.objectives) == wanted
