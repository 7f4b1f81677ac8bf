"""Every answer kept: joined between kernels, read by other versions, exported."""

import csv
import json
from datetime import date

import pytest
from drill_bank import DAY, MINUTE, NOW, bank, review
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.interview.drills import Review, Store, export, readiness, schedule


@pytest.fixture
def path(tmp_path):
    return tmp_path / "drills.json"


def test_it_stands_in_the_learners_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))
    Store().keep(review("a-question"))
    assert (tmp_path / "drills.json").exists()


@given(
    answer=st.text(),
    share=st.floats(0, 1),
    rating=st.sampled_from(Rating),
    seconds=st.floats(0, 1e6),
    held=st.lists(st.text()).map(tuple),
    at=st.timedeltas(-1000 * DAY, 1000 * DAY).map(lambda ahead: NOW + ahead),
)
def test_a_review_is_read_as_it_was_written(answer, share, rating, seconds, held, at):
    written = Review(at, "a-question", 3, answer, "right", share, rating, seconds, held)
    assert Review.of(json.loads(json.dumps(written.as_json()))) == written


def test_two_kernels_lose_nothing(path):
    one, other = Store(path), Store(path)
    one.keep(review("first"))
    other.keep(review("second", at=NOW + MINUTE))
    one.keep(review("third", at=NOW + 2 * MINUTE))
    assert [each.question for each in one.reviews] == ["first", "second", "third"]
    other.refresh()
    assert other.reviews == one.reviews == Store(path).reviews


def test_a_review_of_the_same_id_takes_the_place_of_the_former(path):
    store = Store(path)
    store.keep(review("first", id="x", rating=Rating.Good))
    store.keep(review("first", id="x", rating=Rating.Easy))
    assert [each.rating for each in Store(path).reviews] == [Rating.Easy]


def test_reviews_come_oldest_first_whatever_the_order_of_writing(path):
    store = Store(path)
    for days in (3, 1, 2):
        store.keep(review(f"day-{days}", at=NOW + days * DAY))
    assert [each.question for each in store.reviews] == ["day-1", "day-2", "day-3"]


def test_what_is_unknown_is_kept_and_counts_for_nothing(path):
    odd = {"id": "from another version", "at": "soon", "rating": "superb"}
    gone = review("no-longer-in-the-bank").as_json() | {"mood": "good"}
    path.write_text(json.dumps({"version": 1, "reviews": [odd, gone], "theme": "dark"}))
    store = Store(path)
    store.keep(review("a-question"))
    content = json.loads(path.read_text())
    assert content["reviews"][:2] == [odd, gone]
    assert content["theme"] == "dark"
    assert [each.question for each in store.reviews] == ["no-longer-in-the-bank", "a-question"]
    assert all(one.answered == 0 for one in readiness(bank(), store.reviews, NOW))


def test_the_day_of_the_interview_is_kept(path):
    store = Store(path)
    assert store.interview is None
    store.set_interview(date(2026, 12, 5))
    store.keep(review("first"))
    assert Store(path).interview == date(2026, 12, 5)


def test_export_as_table_and_as_json(path, tmp_path):
    store = Store(path)
    store.keep(review("first", held=("a point", "another")))
    store.keep(review("second", share=0.0, at=NOW + MINUTE))
    with open(export(tmp_path / "all.csv", store), encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    rows = json.loads(export(tmp_path / "all.json", store).read_text("utf-8"))
    assert [row["question"] for row in table] == [row["question"] for row in rows]
    assert table[0]["held"] == "a point | another"
    assert [row["rating"] for row in table] == ["3", "1"]
    assert tuple(map(Review.of, rows)) == store.reviews
    with pytest.raises(ValueError, match=r"\.csv or \.json"):
        export(tmp_path / "all.xlsx", store)


def test_a_right_answer_waits_longer_each_time_and_a_wrong_one_comes_soon():
    said, at, waits = [], NOW, []
    for _ in range(4):
        said.append(review("one", at=at))
        due = schedule.cards(said)["one"].due
        waits.append(due - at)
        at = due
    assert waits == sorted(waits)
    assert waits[0] >= DAY
    said.append(review("one", share=0.0, at=at))
    assert schedule.cards(said)["one"].due == at + schedule.SOON


def test_the_longest_due_come_first():
    ages = {"late": 9, "later": 5, "not": 0}
    said = [review(name, at=NOW - days * DAY) for name, days in ages.items()]
    assert schedule.due(schedule.cards(said), NOW) == ["late", "later"]
