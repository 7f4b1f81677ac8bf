"""The bank of questions: whole, computed, without a typed figure, and judged as it says."""

import copy
import itertools
import pickle
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tradeoff import data, model
from tradeoff.interview import bank, figures, numbers
from tradeoff.interview.bank import FORMS, OBJECTIVES, BankError, Question
from tradeoff.interview.numbers import Drawn
from tradeoff.interview.numbers.drawn import UNITS, UnitError, parse

SEEDS = range(20)
QUESTIONS = bank.questions()
NUMERIC = [question for question in QUESTIONS if question.number]
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.id)
each_numeric = pytest.mark.parametrize("question", NUMERIC, ids=lambda one: one.id)

# Figures that define what is spoken of, and names that hold a digit.
DEFINITIONAL = re.compile(
    r"""
    tier\ [1-4] | tiers\ [1-4]\ (?:and|to)\ [1-4] | lesson\ [1-6] | [Cc]\+\+ | S3 | p50 | p95 | p99
    | Spark\ [34]\.\d | Flink\ [12]\.\d+ | 1-minute | 1\ minute | one-minute
    | 24\ (?:h|hours)\b | 24\ times\ a\ day | 7\ days | 365\ days
    | 60\ (?:s|seconds|minutes|min)\b | 86,400(?:\ seconds)? | 3,600 | 1,440 | 100\ (?:%|per\ cent)
    """,
    re.X,
)
NUMERAL = re.compile(r"\d[\d,.]*(?<![,.])")


def numerals(text: str) -> set[str]:
    """Numbers of a text, those of its placeholders and of definitions left out."""
    bare = re.sub(r"\{[^{}]*\}", " ", text)
    return {found.replace(",", "") for found in NUMERAL.findall(DEFINITIONAL.sub(" ", bare))}


def write(path: Path, **changes: object) -> Path:
    """A file with one question that is fine but for the changes."""
    row: dict[str, object] = {
        "id": "a-question",
        "lesson": 1,
        "objective": "frontier",
        "form": "contrast",
        "difficulty": 1,
        "ask": "Why?",
        "strong": "Because.",
        "weak": "Well.",
        "weak_because": "It says nothing.",
        "follow_ups": ["And then?"],
        "rubric": ["A reason"],
    }
    row = {key: value for key, value in (row | changes).items() if value is not None}
    lines = [f"{key} = {_toml(value)}" for key, value in row.items()]
    path.write_text("[[question]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'


# --- what the file holds ---


def test_every_row_of_the_file_is_a_question() -> None:
    rows = tomllib.loads((data.folder() / "questions.toml").read_text("utf-8"))["question"]
    assert [row["id"] for row in rows] == [question.id for question in QUESTIONS]


ASKED = range(1, 6)  # the lessons
NEIGHBOURS = 6


def test_there_are_enough_of_each_lesson_and_of_the_neighbours() -> None:
    lessons = Counter(question.lesson for question in QUESTIONS)
    assert sum(lessons[lesson] for lesson in ASKED) >= 80
    assert min(lessons[lesson] for lesson in ASKED) >= 18
    assert lessons[NEIGHBOURS] >= 12


@pytest.mark.parametrize("lesson", [*ASKED, NEIGHBOURS])
def test_a_lesson_has_all_forms_and_difficulties_and_ways_to_answer(lesson: int) -> None:
    own = [question for question in QUESTIONS if question.lesson == lesson]
    assert {question.form for question in own} == set(FORMS)
    assert {question.difficulty for question in own} == {1, 2, 3}
    assert {question.answered_by for question in own} == {"rubric", "choices", "number"}


def test_every_objective_has_at_least_two_questions() -> None:
    found = Counter((question.lesson, question.objective) for question in QUESTIONS)
    wanted = {(lesson, name) for lesson in OBJECTIVES for name in OBJECTIVES[lesson]}
    assert {pair: found[pair] for pair in wanted if found[pair] < 2} == {}


def test_no_two_questions_ask_the_same() -> None:
    def said(question: Question) -> frozenset[str]:
        return frozenset(re.findall(r"[a-z]{4,}", question.ask.lower()))

    alike = {}
    for one, other in itertools.combinations(QUESTIONS, 2):
        common = len(said(one) & said(other)) / max(1, len(said(one) | said(other)))
        if common > 0.5:
            alike[one.id, other.id] = round(common, 2)
    assert alike == {}


@each_question
def test_a_question_is_filled_for_any_seed(question: Question) -> None:
    for seed in SEEDS:
        asked = question.asked(seed)
        said = [asked.ask, asked.strong, asked.weak, asked.weak_because]
        said += [*asked.follow_ups, *asked.rubric]
        said += [text for each in asked.choices for text in (each.says, each.why)]
        for text in said:
            assert text.strip()
            assert not re.search(r"[{}]|\bnan\b|\binf\b", text), text
            assert text.count("$") < 2, text  # JupyterLab would typeset what is between
            assert not re.search(r"\b(TODO|TBD|XXX)\b", text), text


@each_question
def test_a_strong_answer_is_spoken_and_a_weak_one_is_shorter(question: Question) -> None:
    asked = question.asked(0)
    sentences = re.split(r"(?<=[.?!:;])\s+", asked.strong)
    assert 3 <= len(sentences) <= 16
    assert 25 <= len(asked.strong.split()) <= 190
    assert len(asked.weak.split()) < len(asked.strong.split())
    assert asked.weak_because.split() != asked.weak.split()


@each_question
def test_no_figure_is_typed(question: Question) -> None:
    asked = set[str]()
    for text in (question.ask, *(each.says for each in question.choices)):
        asked |= numerals(text)
    answers = [question.strong, question.weak, question.weak_because]
    answers += [*question.follow_ups, *question.rubric, *(each.why for each in question.choices)]
    assert {text: numerals(text) - asked for text in answers if numerals(text) - asked} == {}


@each_question
def test_figures_come_from_claims_and_the_model(question: Question) -> None:
    claims = set(data.claims()["id"])
    for name, source in question.figures.items():
        if re.fullmatch(r"C\d+[a-z]?", source):
            assert source in claims
        else:
            # a call or a name of the model, not a figure put in quotes
            assert re.search(r"[a-z_]{3,}[.(]|\d\s*[-+*/]\s*\d", source), f"{name} = {source}"
        assert re.search(r"\w", figures.worded(source))


@each_question
def test_choices_have_one_right_answer_and_a_reason_each(question: Question) -> None:
    if question.choices:
        assert len(question.choices) >= 3
        assert sum(each.right for each in question.choices) == 1
        assert len({each.says for each in question.choices}) == len(question.choices)
        assert len({each.why for each in question.choices}) == len(question.choices)
        assert all(len(each.why.split()) >= 6 for each in question.choices)


def test_the_place_of_a_choice_tells_nothing() -> None:
    many = [question for question in QUESTIONS if len(question.choices) == 4]
    places = Counter(
        [each.right for each in question.asked(seed).choices].index(True)
        for question in many
        for seed in range(40)
    )
    share = [places[place] / sum(places.values()) for place in range(4)]
    assert max(share) < 0.32
    assert min(share) > 0.18


def test_the_length_of_a_choice_tells_nothing() -> None:
    many = [question.choices for question in QUESTIONS if len(question.choices) == 4]
    for place in (0, -1):  # the shortest, the longest
        right = [sorted(choices, key=lambda one: len(one.says))[place].right for choices in many]
        assert 0.1 < sum(right) / len(many) < 0.35


@each_question
def test_neighbours_have_a_source(question: Question) -> None:
    if question.lesson == NEIGHBOURS:
        assert re.fullmatch(r"https://[^\s]+", question.source)


# --- numbers ---


@each_numeric
def test_a_numeric_answer_is_judged_as_it_says(question: Question) -> None:
    for seed in SEEDS:
        drawn = question.asked(seed).drawn
        assert drawn is not None
        assert drawn.judge(drawn.answer_in_words)
        assert drawn.judge(f"{drawn.answer!r} {drawn.unit}")
        assert drawn.judge(repr(drawn.answer))
        for times in (3, 1 / 3):
            assert not drawn.judge(f"{drawn.answer * times!r} {drawn.unit}")


@each_numeric
def test_another_unit_is_accepted_and_a_wrong_one_refused(question: Question) -> None:
    drawn = question.asked(1).drawn
    assert drawn is not None
    base = parse(f"{drawn.answer!r}", drawn.unit)
    top, stroke, per = drawn.unit.lower().partition("/")
    kind = UNITS[top][0]
    for name, (its, scale) in UNITS.items():
        if its == kind and name and not stroke:
            assert drawn.judge(f"{base / scale!r} {name}"), name
        elif its == kind and name and per in ("s", "h", "day", "year", "min"):
            assert drawn.judge(f"{base / scale * 3_600!r} {name}/h"), name
    wrong = "GB" if kind != "size" else "events"
    with pytest.raises(UnitError):
        drawn.judge(f"{drawn.answer!r} {wrong}{stroke}{per}")
    with pytest.raises(UnitError):
        drawn.judge("rather a lot")


@each_numeric
def test_numbers_are_fresh_and_the_ask_says_what_is_given(question: Question) -> None:
    assert len({question.asked(seed).ask for seed in SEEDS}) >= 4
    assert set(re.findall(r"\{(\w+)\}", question.strong))  # what was drawn, not a figure typed
    assert "{answer}" not in question.ask
    assert "{answer}" not in question.weak


def _events(text: str) -> float:
    return parse(text, "events")


def _seconds(text: str) -> float:
    return parse(text, "s")


def _minutes(text: str) -> float:
    return _seconds(text) / 60


def _commit(given: dict[str, str]) -> tuple[float, float]:
    return _seconds(given["overhead"]), _seconds(given["each"])


def _backlog(given: dict[str, str]) -> float:
    rates = [float(rate) for rate in re.findall(r"(\d+) K/s", given["rates"])]
    waiting, capacity = 0.0, float(given["capacity"])
    for rate in rates:
        waiting = max(0.0, waiting + (rate - capacity) * 3_600)
    return waiting / capacity / 60


def _two_batches(given: dict[str, str]) -> float:
    small, large = _events(given["small"]), _events(given["large"])
    each = (_seconds(given["large_took"]) - _seconds(given["small_took"])) / (large - small)
    return (_seconds(given["small_took"]) - small * each) * 1e3


def _shorter_trigger(given: dict[str, str]) -> float:
    rate = _events(given["day"]) / 86_400
    fast, slow = (
        (_seconds(given["fixed"]) + rate * every * _seconds(given["million"]) / 1e6) / every
        for every in (_seconds(given["fast"]), _seconds(given["slow"]))
    )
    return fast / slow


def _least_batch(given: dict[str, str]) -> float:
    overhead, each = _commit(given)
    size = 1.0
    for _ in range(2_000):  # what arrives while a batch runs is the next one
        size = max(1.0, _events(given["rate"]) * (overhead + size * each))
    return size


# A candidate has only what the ask says: by hand, with no call of the model.
BY_HAND: dict[str, Callable[[dict[str, str]], float]] = {
    "worst_age_under_a_schedule": lambda g: _minutes(g["interval"]) + _minutes(g["run"]),
    "throughput_of_a_batch_size": lambda g: (
        _events(g["size"]) / (_commit(g)[0] + _events(g["size"]) * _commit(g)[1])
    ),
    "half_speed_batch": lambda g: _commit(g)[0] / _commit(g)[1],
    "least_batch_that_keeps_up": _least_batch,
    "overhead_from_two_batches": _two_batches,
    "rate_at_the_peak": lambda g: _events(g["day"]) / 86_400 * float(g["factor"]),
    "dollars_for_a_million": lambda g: parse(g["bill"], "USD") / _events(g["day"]) * 1e6,
    "run_at_the_peak_hour": lambda g: (
        _minutes(g["fixed"]) + (_minutes(g["mean"]) - _minutes(g["fixed"])) * float(g["factor"])
    ),
    "wait_behind_a_backlog": _backlog,
    "worst_age_under_a_trigger": lambda g: _seconds(g["every"]) + _seconds(g["run"]),
    "events_that_share_an_overhead": lambda g: _events(g["rate"]) * _seconds(g["every"]) / 60,
    "largest_trigger_that_serves": lambda g: _seconds(g["tolerance"]) - _seconds(g["run"]),
    "price_of_a_shorter_trigger": _shorter_trigger,
    "age_when_batches_outlast_their_trigger": lambda g: 2 * _seconds(g["run"]),
    "rate_at_which_half_goes_into_events": lambda g: (
        _seconds(g["overhead"]) * _events(g["capacity"]) / _seconds(g["every"])
    ),
    "node_hours_on_a_pool": lambda g: (
        float(g["nodes"]) * _seconds(g["run"]) / _seconds(g["every"]) * 24
    ),
    "share_of_overhead": lambda g: (
        100 - 100 * _events(g["events"]) * _seconds(g["million"]) / 1e6 / _seconds(g["run"])
    ),
    "mails_sent_twice": lambda g: float(g["kills"]) * _events(g["rate"]) * _minutes(g["every"]),
    "snapshots_written_whole": lambda g: (
        parse(g["state"], "GB") / 1e9 * 86_400 / _seconds(g["every"])
    ),
}


def test_every_number_of_the_first_two_lessons_is_done_by_hand() -> None:
    assert {one.number for one in NUMERIC if one.lesson <= 2} == set(BY_HAND)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_what_the_ask_says_is_enough_for_the_answer(name: str) -> None:
    question = next(one for one in NUMERIC if one.number == name)
    said = bank.placeholders(question)
    in_ask = set(re.findall(r"\{(\w+)\}", question.ask))
    for seed in SEEDS:
        drawn = numbers.draw(name, np.random.default_rng(seed))
        given = {key: text for key, text in drawn.given.items() if key in in_ask}
        assert set(drawn.given) <= said
        # inside a third of the tolerance, so that rounding on paper decides nothing
        assert BY_HAND[name](given) == pytest.approx(drawn.answer, rel=drawn.within / 3)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_the_weak_answer_of_a_number_is_judged_wrong(name: str) -> None:
    """Where the weak answer begins with a figure, the judge must not take it for right."""
    question = next(one for one in NUMERIC if one.number == name)
    for seed in SEEDS:
        asked = question.asked(seed)
        assert asked.drawn is not None
        figure = re.match(r"(?:Half of )?([\d.,]+ ?[A-Za-zµ%]*)", asked.weak)
        if figure and question.weak.startswith("{"):
            try:
                judged = asked.drawn.judge(figure[1].rstrip(",. "))
            except UnitError:
                continue
            assert not judged, asked.weak


# --- figures drawn for questions without a numeric answer ---


each_given = pytest.mark.parametrize(
    "question", [one for one in QUESTIONS if one.given], ids=lambda one: one.id
)


@each_given
def test_what_is_given_is_fresh_and_all_of_it_is_said(question: Question) -> None:
    assert len({question.asked(seed).ask for seed in SEEDS}) >= 15
    drawn = set(numbers.draw_given(question.given, np.random.default_rng(0)))
    assert drawn <= bank.placeholders(question)


def test_each_given_belongs_to_a_question() -> None:
    assert {one.given for one in QUESTIONS if one.given} == set(numbers.GIVEN)
    assert {one.number for one in NUMERIC} == set(numbers.NUMBERS)


# --- figures, and a file that is not as it must be ---


def test_a_claim_is_said_with_its_range_and_unit() -> None:
    assert figures.worded("C5b") == "2,000 to 10,000 USD a day"
    assert figures.worded("C5c") == "10 to 50 times"
    assert figures.worded("C4a") == "3 M to 8 M events a minute"
    assert figures.worded("C4i") == "at most 1 ms"
    assert figures.worded("C11") == "36 times"
    with pytest.raises(ValueError, match="no claim 'C99'"):
        figures.worded("C99")


def test_every_claim_can_be_said() -> None:
    for name in data.claims()["id"]:
        said = figures.worded(name)
        assert re.match(r"(at most )?\d", said)
        assert "e+" not in said


def test_an_expression_may_use_model_scenarios_and_the_text() -> None:
    premium = model.claims.figures("C5c")[0]
    source = "text.billion_streaming.cost_usd_per_day / text.billion_nightly.cost_usd_per_day"
    assert float(figures.worded(source)) == pytest.approx(premium, rel=0.01)
    assert figures.worded("words.duration(triggers.cadence('4 min').interval_seconds)") == "4 min"
    assert figures.worded("workload('billion').events_per_day") == "1 B"
    assert figures.worded("words.usd(5767.6) + ', ' + words.usd(42.17)") == "5,768 USD, 42 USD"
    assert figures.worded("words.usd(0.35)") == "0.35 USD"


def test_a_sound_question_is_read(tmp_path: Path) -> None:
    (found,) = bank.read(write(tmp_path / "one.toml", figures={"bill": "C5a"}, weak="{bill}?"))
    assert found.answered_by == "rubric"
    asked = found.asked(3)
    assert asked.weak == "150 to 250 USD a day?"
    assert asked.rubric == ("A reason",)
    assert asked.difficulty == 1
    assert copy.copy(asked).strong == pickle.loads(pickle.dumps(asked)).strong == "Because."


CHOICES = [
    {"says": "this", "right": True, "why": "so"},
    {"says": "that", "right": False, "why": "no"},
]
BROKEN: list[tuple[dict[str, object], str]] = [
    ({"id": "Nope"}, "id must be"),
    ({"lesson": 7}, "lesson 7 has no objective"),
    ({"objective": "watermark"}, "no objective 'watermark'"),
    ({"form": "riddle"}, "form must be one of"),
    ({"difficulty": 4}, "difficulty must be 1, 2 or 3"),
    ({"strong": " "}, "strong is empty"),
    ({"strong": None}, "strong"),
    ({"hint": "x"}, "no such field: hint"),
    ({"follow_ups": []}, "needs a follow-up"),
    ({"rubric": None}, "needs one of rubric, choices and number"),
    ({"number": "half_speed_batch"}, "needs one of rubric, choices and number"),
    ({"rubric": None, "number": "of_nothing"}, "no number 'of_nothing'"),
    ({"given": "of_nothing"}, "no given 'of_nothing'"),
    ({"rubric": None, "number": "half_speed_batch", "given": "runs_that_outgrew"}, "without given"),
    ({"rubric": None, "choices": CHOICES[1:] * 2}, "one of them right"),
    ({"rubric": None, "choices": CHOICES[:1]}, "two to six"),
    ({"strong": "It is {bill}."}, "nothing says what {bill} is"),
    ({"figures": {"bill": "C5a"}}, "no text uses the figure 'bill'"),
    ({"lesson": 6, "objective": "flow"}, "needs a source"),
]


@pytest.mark.parametrize(("changes", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_a_question_that_is_not_sound_is_refused(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(BankError, match=re.escape(says)):
        bank.read(write(tmp_path / "one.toml", **changes))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BankError, match=r"none\.toml"):
        bank.read(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[[question]\n", encoding="utf-8")
    with pytest.raises(BankError, match=r"broken\.toml"):
        bank.read(broken)
    twice = write(tmp_path / "twice.toml")
    twice.write_text(twice.read_text("utf-8") * 2, encoding="utf-8")
    with pytest.raises(BankError, match="two questions have this id"):
        bank.read(twice)


def test_a_missing_figure_is_not_judged_right() -> None:
    """The judge compares; it does not take any number near zero for right."""
    one = Drawn({}, 1e-9, "s", within=0.1)
    assert not one.judge("0 s")
    assert one.judge("1 ns")
