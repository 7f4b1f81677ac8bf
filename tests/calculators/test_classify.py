"""The quiz: every answer has its own reason, and only the right ones count."""

import pytest
from tradeoff import calculators
from tradeoff.scenarios.transforms import STATEFUL, STATELESS, TRANSFORMS

STATELESS_OF_THE_TEXT = ("filter", "projection", "static lookup", "cast text", "redaction")
STATEFUL_OF_THE_TEXT = ("GROUP BY", "in windows of", "stream-stream", "dedup", "sessions")


def test_it_asks_for_the_text_s_ten_and_for_trickier_ones():
    assert len({one.name for one in TRANSFORMS}) == len(TRANSFORMS) >= 16
    for words, verdict in ((STATELESS_OF_THE_TEXT, STATELESS), (STATEFUL_OF_THE_TEXT, STATEFUL)):
        for word in words:
            found = [one for one in TRANSFORMS if word in one.name]
            assert [one.verdict for one in found] == [verdict], word


def test_each_answer_has_a_reason_of_its_own():
    said = [one.said_of(answer) for one in TRANSFORMS for answer in (STATELESS, STATEFUL)]
    assert len(set(said)) == len(said)
    for one in TRANSFORMS:
        other = STATEFUL if one.verdict == STATELESS else STATELESS
        assert one.said_of(one.verdict).startswith(f"Right: {one.verdict}.")
        assert one.not_because in one.said_of(other)
        assert one.said_of(other).startswith(f"Not {other}.")
        assert len(one.not_because.split()) >= 6
    with pytest.raises(ValueError, match="answer must be 'stateless' or 'stateful'"):
        TRANSFORMS[0].said_of("depends")


def test_answering_counts_and_explains():
    quiz = calculators.classify()
    assert (quiz.right, quiz.said) == (0, {})
    for number, one in enumerate(TRANSFORMS, start=1):
        other = STATEFUL if one.verdict == STATELESS else STATELESS
        quiz.choices[one.name].value = other
        assert quiz.right == number - 1
        quiz.choices[one.name].value = one.verdict
        assert quiz.right == number
        assert one.why in quiz.said[one.name]
        assert f"{number} of {len(TRANSFORMS)}" in quiz._score.value
    quiz.choices[TRANSFORMS[0].name].value = "choose"
    assert quiz.right == len(TRANSFORMS) - 1
    assert TRANSFORMS[0].name not in quiz.said
