"""The board, changed by one thing at a time."""

import pytest
from tradeoff.interview.mocks import draw
from tradeoff.interview.mocks.screens import drawing
from tradeoff.interview.mocks.screens.showing import shown, whole
from tradeoff.interview.mocks.truth.board import described, evaluated, touched
from tradeoff.interview.mocks.truth.remedies import called


@pytest.fixture(scope="module")
def problem():
    return draw("insurance-claims", 1).problem


def change(problem, *changes):
    sketch = problem.today
    for place, name, said in changes:
        sketch = drawing.changed(problem, sketch, place, name, said)
        evaluated(problem, sketch)
    return sketch


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ([], "do nothing"),
        ([(0, "nodes", "20")], "more nodes"),
        ([(0, "nodes", "2")], "fewer nodes"),
        ([(0, "every", "1 h")], "more often"),
        ([(0, "incremental", "no")], "full read"),
        ([(0, "engine", "flink")], "streaming"),
        ([(0, "rhythm", "micro-batch"), (0, "every", "4 min")], "micro-batch"),
    ],
)
def test_a_change_is_called_by_its_kind(problem, changes, kind):
    assert called(change(problem, *changes), problem) == kind


def test_engine_and_rhythm_follow_each_other_and_the_way_back_is_whole(problem):
    streamed = change(problem, (0, "rhythm", "streaming"))
    (path,) = streamed.paths
    assert (path.engine, path.interval_seconds, path.incremental) == ("flink", None, True)
    back = drawing.changed(problem, streamed, 0, "rhythm", "batch")
    assert back.paths[0].engine == "spark_ephemeral"
    assert touched(back, problem.today) == {"interval"}


def test_split_and_join_are_each_others_way_back(problem):
    two = drawing.split(problem, problem.today, "the fraud desk")
    assert [path.consumers for path in two.paths] == [("finance",), ("the fraud desk",)]
    assert called(two, problem) == "split"
    assert drawing.join(problem, two, "the fraud desk") == problem.today
    with pytest.raises(ValueError, match="path of its own"):
        drawing.split(problem, two, "finance")
    with pytest.raises(ValueError, match="consumers are"):
        drawing.split(problem, two, "nobody")


@pytest.mark.parametrize(
    ("place", "name", "said"),
    [
        (0, "every", "soon"),
        (0, "every", "-4 min"),
        (0, "nodes", "1.5"),
        (0, "nodes", "0"),
        (0, "engine", "abacus"),
        (0, "rhythm", "waltz"),
        (0, "incremental", "perhaps"),
        (0, "colour", "blue"),
        (3, "nodes", "2"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(problem, place, name, said):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        drawing.changed(problem, problem.today, place, name, said)


def test_the_board_is_shown_in_the_models_words(problem):
    board = evaluated(problem, problem.today)
    (one,) = shown(board)
    assert "the fraud desk needs events within" in one.sentence
    assert "Not served: the fraud desk." in whole(board)
    assert "$" not in whole(board) + one.sentence + one.title
    assert "spark_ephemeral" in described(board.sketch)


def test_a_path_that_serves_does_not_deny_what_the_whole_board_misses():
    board = draw("ticket-sales", 3).now
    (one,) = shown(board)
    assert "serves every consumer, but not within the budget, at 122 USD a day" in one.sentence
    assert "Missed: it costs 122 USD a day, the budget is 50 USD" in whole(board)
    twice = draw("gig-payouts", 1).now
    assert "serves every consumer, but not within all limits, at" in shown(twice)[0].sentence
    case = draw("insurance-claims", 1)
    poor = case.problem.but(budget_usd_per_day=100.0)
    for one in shown(evaluated(poor, case.right.sketch)):
        assert "serves every consumer, but all paths together not within the budget" in one.sentence
    for one in shown(case.right.board):
        assert "serves every consumer at" in one.sentence


def test_a_watermark_that_drops_what_must_count_is_missed():
    problem = draw("ad-clicks", 1).problem
    short = drawing.changed(problem, problem.today, 0, "watermark", "1 min")
    assert any("watermark" in said for said in evaluated(problem, short).missed)
    late = f"{problem.late_seconds} s"
    assert evaluated(problem, drawing.changed(problem, problem.today, 0, "watermark", late)).serves
