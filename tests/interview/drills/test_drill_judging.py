"""What an answer is worth, and what FSRS hears of it."""

import pytest
from drill_bank import CHOICES, question
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.interview import bank
from tradeoff.interview.drills import judging
from tradeoff.interview.drills.judging import Effort, Unreadable

QUESTIONS = bank.questions()


def of(way):
    return [each for each in QUESTIONS if each.answered_by == way]


@pytest.mark.parametrize("asked", [each.asked(5) for each in of("choices")], ids=lambda a: a.id)
def test_a_choice_is_judged_by_its_number_or_letter_as_shown(asked):
    for place, choice in enumerate(asked.choices):
        for said in (str(place + 1), "abcdef"[place], f" {place + 1}. ", "ABCDEF"[place]):
            judged = judging.judge(asked, said)
            assert (judged.answer, judged.share) == (choice.says, float(choice.right))
            assert judged.because == choice.why
            assert judged.verdict == ("right" if choice.right else "wrong")


@pytest.mark.parametrize("said", ["0", "3", "c", "yes", "1 2", "-1", "١"])
def test_what_is_none_of_the_choices_is_not_wrong(said):
    asked = question("two-choices", choices=CHOICES).asked(1)
    with pytest.raises(Unreadable, match="from 1 to 2"):
        judging.judge(asked, said)


@pytest.mark.parametrize("asked", [each.asked(7) for each in of("number")], ids=lambda a: a.id)
def test_a_number_is_judged_within_the_tolerance_that_is_said(asked):
    drawn = asked.drawn
    assert f"{drawn.within:.0%}" in judging.expected(asked)
    assert drawn.unit in judging.expected(asked)
    right = judging.judge(asked, drawn.answer_in_words)
    assert right.verdict == "right"
    assert drawn.answer_in_words in right.because
    assert drawn.because in right.because
    far = f"{drawn.answer * (1 + 3 * drawn.within):.6f} {drawn.unit}".replace("times", "")
    assert judging.judge(asked, far).verdict == "wrong"


@given(st.text(alphabet=st.characters(exclude_categories=["N"]), min_size=1))
def test_a_text_without_a_digit_is_no_number_and_not_wrong(text):
    asked = of("number")[0].asked(1)
    with pytest.raises(Unreadable):
        judging.judge(asked, text)


@pytest.mark.parametrize("asked", [each.asked(5) for each in of("rubric")], ids=lambda a: a.id)
def test_free_text_is_worth_the_share_of_its_ticked_points(asked):
    points = len(asked.rubric)
    for ticked in range(points + 1):
        judged = judging.judge_ticks(asked, " my words ", range(ticked))
        assert judged.share == ticked / points
        assert judged.held == asked.rubric[:ticked]
        assert judged.answer == "my words"
        wanted = "right" if ticked == points else "partly right" if ticked else "wrong"
        assert judged.verdict == wanted


def test_a_point_that_is_not_there_cannot_be_ticked():
    asked = question("free-text", rubric=("one", "two")).asked(1)
    for places in ([2], [-1], [0, 5]):
        with pytest.raises(Unreadable, match="1 to 2"):
            judging.judge_ticks(asked, "words", places)
    assert judging.judge_ticks(asked, "words", [1, 1]).share == 0.5


@pytest.mark.parametrize("asked", [each.asked(1) for each in QUESTIONS[:40]], ids=lambda a: a.id)
def test_not_knowing_is_worth_nothing_and_shows_the_number(asked):
    judged = judging.not_known(asked)
    assert (judged.verdict, judged.share, judged.answer) == ("not known", 0.0, "")
    assert asked.drawn is None or asked.drawn.answer_in_words in judged.because


@pytest.mark.parametrize(
    ("share", "effort", "rating"),
    [
        (0.0, Effort.KNOWN, Rating.Again),
        (0.49, Effort.EASY, Rating.Again),
        (0.5, Effort.KNOWN, Rating.Hard),
        (0.99, Effort.EASY, Rating.Hard),
        (1.0, Effort.GUESSED, Rating.Hard),
        (1.0, Effort.KNOWN, Rating.Good),
        (1.0, Effort.EASY, Rating.Easy),
    ],
)
def test_the_rule_from_share_and_effort_to_rating(share, effort, rating):
    assert judging.rating(share, effort) is rating
