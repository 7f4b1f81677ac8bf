"""The page of an interview without a browser: what its buttons and lines do."""

import pytest
from candidates import Clock, answered
from tradeoff.interview import mock
from tradeoff.interview.mocks import tries
from tradeoff.interview.mocks.screens.widget import Interview
from tradeoff.interview.mocks.talk.tries import folder


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))


@pytest.fixture
def page():
    page = Interview("insurance-claims", 1, Clock())
    button(page, "Start the clock").click()
    return page


def controls(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from controls(child)


def shown(page):
    found = (getattr(one, "value", "") for one in controls(page))
    return "".join(one for one in found if isinstance(one, str))


def button(page, text):
    return next(one for one in controls(page.answers) if getattr(one, "description", "") == text)


def hand_in(page, text="", ticks=(), turn=None):
    """What the page's script sends on Enter, or on the button."""
    turn = page.clock.turn if turn is None else turn
    page._handed_in({"turn": turn, "text": text, "ticks": list(ticks)})


def to_the_board(page):
    button(page, "Go on to the numbers").click()
    while page.mock.prompt.kind != "board":
        said = answered(page.mock)
        if page.mock.prompt.kind == "number":
            hand_in(page, said)
        else:
            button(page, dict(page.mock.prompt.options)[said]).click()


def test_nothing_runs_and_nothing_is_kept_before_the_start():
    page = mock("hospital-beds", 1)
    assert page.mock is None
    assert not folder().exists()
    with pytest.raises(ValueError, match="no case 'piano'"):
        mock("piano")


def test_a_question_by_number_and_in_words(page):
    hand_in(page, "1")
    assert "claim events a day" in shown(page.answers)
    hand_in(page, "who plays the piano?")
    assert "I cannot place that question" in shown(page.answers)
    assert "(asked)" in shown(page.answers)


def test_a_question_comes_with_what_answers_it(page):
    came = []
    page.answers.observe(lambda change: came.append(change["new"][0]), "children")
    for one in controls(page):
        if hasattr(one, "value"):
            one.observe(lambda change: came.append(change["owner"]), "value")
    button(page, "Go on to the numbers").click()
    asks = page.mock.prompt.says
    (box,) = (one for one in came if asks in shown(one))
    assert box is page.answers.children[0]
    assert any("mock-line" in one._dom_classes for one in box.children)


def test_what_an_old_page_hands_in_is_not_an_answer(page):
    old = page.clock.turn
    hand_in(page, "1")
    hand_in(page, "2", turn=old)
    assert len(page.mock.entries) == 1


def test_what_cannot_be_read_is_said_and_costs_nothing(page):
    button(page, "Go on to the numbers").click()
    before = page.mock.prompt
    hand_in(page, "a while")
    assert "not a number" in page._error.value
    hand_in(page, "  ")
    assert "skip this stage" in page._error.value
    assert page.mock.prompt is before


def test_the_board_is_evaluated_as_it_is_drawn(page):
    to_the_board(page)
    board = page.whiteboard
    assert "Not served: the fraud desk." in board.said
    button(page, "A path of its own for the fraud desk").click()
    board.fields[1, "engine"].value = "spark_streaming"
    assert board.fields[1, "rhythm"].value == "micro-batch"
    board.fields[1, "every"].value = "3 min"
    assert "Every limit is kept." in board.said
    board.fields[1, "every"].value = "soon"
    assert "not a number" in board.said
    board.fields[1, "every"].value = "3 min"
    board.fields[1, "engine"].value = "flink"
    assert board.fields[1, "every"].disabled
    board.fields[1, "nodes"].value = 1
    assert "at least 3 nodes" in board.said
    board.fields[1, "engine"].value = "spark_streaming"
    board.propose.click()
    assert len(page.mock.proposed.sketch.paths) == 2
    assert page.mock.prompt.kind == "text"


def test_pause_skip_and_end(page):
    page.pause.click()
    assert page.mock.paused
    assert not page.clock.running
    page.pause.click()
    assert page.clock.running
    page.skip.click()
    assert page.mock.stage == "estimate"
    page.quit.click()
    assert page.mock.over
    assert "nothing answered" in page._head.value
    assert "Model answer" not in shown(page)
    button(page, "Show the model answer").click()
    assert "Model answer" in shown(page)
    (one,) = tries()
    assert one.quit_at == "estimate"
    button(page, "Another interview").click()
    assert "Earlier tries" in page._head.value


def test_what_is_typed_is_text_not_markup(page):
    hand_in(page, "<img src=x onerror=alert(1)>")
    page.quit.click()
    assert "<img" not in shown(page)
    button(page, "Show the model answer").click()
    assert "<img" not in shown(page)
