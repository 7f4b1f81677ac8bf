"""The widget without a browser: its session, its pages, what a button asks for."""

import re
from datetime import date, timedelta
from html import escape
from html.parser import HTMLParser

import pytest
from drill_bank import NOW, bank, question, right_place
from tradeoff import interview
from tradeoff.interview import bank as course_bank
from tradeoff.interview.drills import Diagnostic, Session, State, Store
from tradeoff.interview.drills.widget import Drill

TEXT = question("free-text", rubric=("a first point", "a second point"))
NUMBER = next(each for each in course_bank.questions() if each.number)
VOID = {"input", "br"}


@pytest.fixture(autouse=True)
def own(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))
    return tmp_path


class Page(HTMLParser):
    """The tags of a page, which must be well nested, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def acts(self):
        return [attributes["data-act"] for _, attributes in self.tags if "data-act" in attributes]

    @property
    def focus(self):
        return [attributes for _, attributes in self.tags if "data-focus" in attributes]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def shown(widget):
    page = Page(widget.page["html"])
    assert len(page.focus) == 1, "exactly one thing takes the keyboard"
    return page


def made(questions, count=5, diagnostic=False, minutes=0):
    store, now = Store(), [NOW]

    def clock():
        now[0] += timedelta(minutes=minutes)
        return now[0]

    def start(as_diagnostic, at, seed):
        kind = Diagnostic if as_diagnostic else Session
        more = {} if as_diagnostic else {"count": count}
        return kind(store, at, seed, questions=questions, **more)

    return Drill(start, 1, diagnostic, clock)


def test_a_choice_through_all_its_pages():
    widget = made(bank())
    page = shown(widget)
    assert page.acts == ["view-drill", "view-readiness", "view-plan", "answer", "give-up", "stop"]
    assert "1. " in page.text
    widget.do("answer", {"answer": [right_place(widget.session)]})
    page = shown(widget)
    assert page.focus[0]["data-act"] == "next"
    for part in ("✓ Right. so it is", "(your answer)", "it is not so", "It comes again in 2 days"):
        assert part in page.text
    widget.do("effort-easy")
    assert shown(widget).text.count("It comes again in 8 days") == 1
    assert Store().reviews[0].rating == 4
    widget.do("effort-easy")  # taken back
    assert Store().reviews[0].rating == 3
    widget.do("next")
    assert "Question 2 of 5" in shown(widget).text


def test_what_cannot_be_read_stays_in_its_field_with_what_is_expected():
    widget = made([NUMBER])
    assert f"Up to {widget.session.asked.drawn.within:.0%}" in shown(widget).text
    assert f"in {widget.session.asked.drawn.unit}" in shown(widget).text
    widget.do("answer", {"answer": ['so "on" <b>']})
    page = shown(widget)
    assert page.focus[0]["value"] == 'so "on" <b>'
    assert "This does not count; answer again." in page.text
    assert "is not a number" in widget.page["said"]
    widget.do("answer", {"answer": [widget.session.asked.drawn.answer_in_words]})
    assert widget.session.asked.drawn.because in shown(widget).text


def test_free_text_beside_the_strong_answer_with_its_points():
    widget = made([TEXT])
    widget.do("answer", {"answer": ["<script>alert(1)</script>\nmy words"]})
    page = shown(widget)
    assert "script" not in [tag for tag, _ in page.tags]
    assert escape("<script>alert(1)</script>\nmy words") in widget.page["html"]
    assert [each["value"] for tag, each in page.tags if each.get("name") == "point"] == ["0", "1"]
    widget.do("tick", {"point": ["1"]})
    assert "◐ 1 of 2 points." in shown(widget).text
    assert "✗ a first point✓ a second point" in shown(widget).text


def test_no_tick_is_an_answer_too():
    widget = made([TEXT])
    widget.do("answer", {"answer": ["words"]})
    widget.do("tick", {})
    assert "✗ 0 of 2 points." in shown(widget).text


@pytest.mark.parametrize("asked", course_bank.questions(), ids=lambda one: one.id)
def test_every_question_of_the_bank_makes_sound_pages(asked):
    widget = made([asked])
    put = widget.session.asked
    assert " ".join(put.ask.split()) in shown(widget).text
    if asked.rubric:
        widget.do("answer", {"answer": ["words"]})
        shown(widget)
        widget.do("tick", {"point": ["0"]})
    else:
        widget.do("give-up")
    text = shown(widget).text
    for part in (put.strong, put.weak, put.weak_because, *put.follow_ups, put.source):
        assert " ".join(part.split()) in text


def test_what_is_typed_outlives_a_look_at_the_plan():
    widget = made([TEXT])
    widget.do("view-plan", {"answer": ["half a sentence"]})
    widget.do("view-drill")
    assert "half a sentence</textarea>" in widget.page["html"]
    widget.do("answer", {"answer": ["whole"]})
    widget.do("tick", {})
    assert Store().reviews[0].answer == "whole"


def test_a_page_that_was_followed_by_another_asks_for_nothing():
    widget = made(bank())
    step = widget.page["step"]
    widget._heard({"act": "give-up", "fields": {}, "step": step})
    widget._heard({"act": "give-up", "fields": {}, "step": step})  # a key pressed twice
    assert len(Store().reviews) == 1
    assert widget.session.state is State.ANSWERED


def test_readiness_and_plan_are_views():
    widget = made(bank())
    widget.do("view-readiness")
    assert "too fewanswers" in shown(widget).text
    assert "0 of 12 questions" in shown(widget).text
    widget.do("view-plan")
    assert "td-problem" not in widget.page["html"]  # no day yet is no mistake
    widget.do("plan", {"day": ["2026-12-05"], "minutes": ["30"]})
    assert "7 days until the interview on Saturday 5 December, 30 minutes a day." \
        in shown(widget).text  # fmt: skip
    assert Store().interview == date(2026, 12, 5)
    widget.do("plan", {"day": ["2026-11-28"], "minutes": ["30"]})
    assert "No day is left before the interview" in shown(widget).text


def test_the_diagnostic_ends_with_its_results_and_the_plan():
    widget = made(bank(), diagnostic=True, minutes=1)
    assert "min left" in shown(widget).text
    widget.session.store.set_interview(date(2026, 12, 5))
    while widget.session.state is not State.OVER:
        widget.do("give-up" if widget.session.state is State.ASKING else "next")
    page = shown(widget)
    assert "The ten minutes are over." in page.text
    assert "not reached" in page.text
    assert "until the interview on Saturday 5 December" in page.text
    widget.do("start-drill")
    assert type(widget.session) is Session


def test_it_ends_and_starts_another():
    widget = made(bank(), count=1)
    widget.do("give-up")
    widget.do("next")
    assert shown(widget).focus[0]["data-act"] == "start-drill"
    widget.do("start-drill")
    assert "Question 1 of 1" in shown(widget).text


def test_a_broken_file_is_told_of_on_the_page(own):
    (own / "drills.json").write_text("{")
    assert "set aside" in shown(made(bank())).text


def test_the_public_name_and_its_value_without_a_browser():
    widget = interview.drill(lesson=1, seed=3, questions=2)
    assert isinstance(widget.session, Session)
    assert widget.session.question.lesson == 1
    assert widget.session.asked.ask in repr(widget)
    assert re.match(r"Question 1 of 2 · lesson 1", repr(widget))
    again = interview.drill(lesson=1, seed=3, questions=2)
    assert again.session.asked == widget.session.asked
    with pytest.raises(ValueError, match="lesson must be"):
        interview.drill(lesson=7)
    widget.do("stop")
    assert "You ended the drill." in repr(widget)
    diagnostic = interview.drill(lesson=2, diagnostic=True).session
    assert {each.lesson for each in diagnostic.questions} == {2}
    widget.do("start-diagnostic")
    assert len({each.lesson for each in widget.session.questions}) > 1


def test_public_names_are_told_apart():
    assert {"drill", "mock", "cheat_sheet"} <= set(dir(interview))
    with pytest.raises(AttributeError, match="no attribute 'quiz'"):
        _ = interview.quiz
