"""The interview without a screen: its stages, its clock, its questions, its rubric."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from candidates import START, Clock, answered, fashionable, perfect, streamed
from hypothesis import given
from hypothesis import strategies as st
from tradeoff.interview.mocks import CASES, Mock, draw
from tradeoff.interview.mocks.screens.showing import shown
from tradeoff.interview.mocks.talk.pushbacks import pushbacks
from tradeoff.interview.mocks.talk.rubric import DIMENSIONS, MODEL, OWN, design_items
from tradeoff.interview.mocks.talk.session import MINUTES, MINUTES_OF, PASS, STAGES, Stage, verdict
from tradeoff.interview.mocks.truth.board import Sketch, evaluated
from tradeoff.interview.mocks.truth.case import NOT_KNOWN, NOT_PLACED
from tradeoff.interview.mocks.truth.estimates import usd, usd_parts
from tradeoff.interview.mocks.truth.pricing import prices
from tradeoff.interview.mocks.truth.remedies import MARGIN, called
from tradeoff.interview.numbers.drawn import UnitError

drawn = cache(draw)


@pytest.fixture
def case():
    return drawn("closing-logistics", 1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def mock(case):
    return Mock(case, START)


def after(seconds):
    return START + timedelta(seconds=seconds)


def to(mock, stage, clock):
    """Answer rightly until a stage begins."""
    while mock.stage is not stage:
        prompt = mock.prompt
        if prompt.kind == "facts":
            mock.go_on(clock())
        elif prompt.kind == "board":
            mock.draw(mock.case.right.sketch)
            mock.propose(clock())
        elif prompt.kind == "text":
            mock.answer("because of the window", clock())
        elif prompt.kind == "ticks":
            mock.ticks([True] * len(prompt.options), clock())
        else:
            mock.answer(answered(mock), clock())
    return mock


def test_the_planned_minutes_are_the_interviews():
    assert sum(MINUTES_OF.values()) == MINUTES == 25


def test_prompts_unfold_stage_by_stage(mock, clock):
    seen = []
    while not mock.over:
        seen.append(mock.stage)
        to(mock, STAGES[STAGES.index(mock.stage) + 1], clock)
    assert seen == list(STAGES[:-1])
    with pytest.raises(ValueError, match="over"):
        _ = mock.prompt


def test_facts_are_told_by_key_and_by_words_and_what_is_unknown_is_said(mock):
    assert "M delivery events a day" in mock.ask("volume", after(1)).says
    assert mock.ask("What are you allowed to pay for it?", after(2)).says
    assert "740" in mock.ask("what is the budget", after(3)).says or "USD" in mock.entries[-1].reply
    assert mock.ask("who plays the piano", after(4)).says == NOT_PLACED
    assert mock.ask("forecast", after(5)).says == NOT_KNOWN
    assert [fact.key for fact in mock.told][0] == "volume"
    assert mock.prompt.kind == "facts"
    assert {fact.key for fact in mock.not_asked} <= set(mock.case.matters) - {"volume"}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How fresh must results be, and what does it cost today?", ["readers", "cost"]),
        ("Is exactly-once needed?", ["sink"]),
        ("Do late events matter?", ["late"]),
        ("How many claims arrive on a normal day?", ["volume"]),
        ("Who uses the table?", ["readers"]),
        ("What latency do they need?", ["readers"]),
        ("How often does the job run now?", ["today"]),
        ("How many nodes has the cluster?", ["today"]),
        ("How long does a run take?", ["today"]),
        ("How much money may we spend, what is the budget?", ["budget"]),
        ("Does each run read everything again?", ["reads"]),
        ("Which step is the bottleneck?", ["stages"]),
        ("Is there any state to remember?", ["state"]),
        ("What if a run crashes halfway?", ["sink"]),
        ("Do you have Kafka or Flink already?", ["platform"]),
        ("What went wrong lately?", ["history"]),
        ("Is there a night window and a deadline?", ["window", "readers"]),
        ("Does the schema change?", ["schema"]),
        ("How much will it grow next year?", ["forecast"]),
        ("What is it worth to the business?", ["value"]),
        ("Where does the time go?", ["stages"]),
        ("Who reads the result?", ["readers"]),
        ("What does it read, only new rows?", ["reads"]),
        ("Who reads the result, and is it needed every minute?", ["readers"]),
        ("How fresh is it, and how does it run now?", ["readers", "today"]),
        ("Who plays the piano?", []),
        ("Can you sing?", []),
    ],
)
def test_a_question_in_free_words_is_told_what_it_asks_and_no_more(question, told):
    case = drawn("insurance-claims", 1)
    assert [fact.key for fact in case.asked(question)] == told


def test_orders_are_events_in_one_case_and_out_of_order_in_another():
    asked = {name: drawn(name, 1).asked("Is it in order?") for name in ("food-orders", "ad-clicks")}
    assert [fact.key for fact in asked["ad-clicks"]] == ["late"]
    (fact,) = drawn("food-orders", 1).asked("How many orders are there a day?")
    assert fact.key == "volume"


def test_pauses_do_not_count(mock):
    mock.pause(after(60))
    assert mock.paused
    assert mock.seconds_used(after(600)) == 60
    mock.pause(after(700))
    mock.resume(after(900))
    mock.resume(after(930))
    assert mock.seconds_left(after(960)) == MINUTES * 60 - 120
    assert mock.seconds_left(after(960 + MINUTES * 60)) == -120


def test_the_clock_stands_in_the_review(mock, clock):
    to(mock, Stage.REVIEW, clock)
    used = mock.seconds_used(clock())
    mock.resume(clock())
    assert mock.seconds_used(after(9_999)) == used


def test_a_number_that_cannot_be_read_costs_nothing(mock, clock):
    to(mock, Stage.ESTIMATE, clock)
    before = mock.prompt
    with pytest.raises(UnitError):
        mock.answer("rather long", clock())
    with pytest.raises(UnitError):
        mock.answer("3 USD", clock())
    assert mock.prompt is before
    assert "Let us go on with" in mock.answer("10.9 h", clock()).says
    assert mock.prompt is not before


def test_a_choice_that_is_not_offered_costs_nothing(mock, clock):
    to(mock, Stage.ESTIMATE, clock)
    while mock.prompt.kind != "choice":
        mock.answer(answered(mock), clock())
    with pytest.raises(ValueError, match="choose one of"):
        mock.answer("5", clock())
    mock.answer("4", clock())


def test_who_does_not_know_may_say_so(mock, clock):
    to(mock, Stage.ESTIMATE, clock)
    while mock.stage is Stage.ESTIMATE:
        mock.answer(PASS, clock())
    assert mock.result.of("quantified") == 0
    assert mock.said_to("fails") == ""
    assert "You said nothing" in mock.result.items[0].says


def test_what_the_model_refuses_leaves_the_board_as_it_was(mock):
    (path,) = mock.case.problem.today.paths
    for wrong in (
        Sketch((path.but(consumers=("dispatch",)),)),
        Sketch((path, path)),
        Sketch((path.but(engine="flink"),)),
        Sketch((path.but(engine="flink", rhythm="streaming", interval_seconds=None, nodes=1),)),
        Sketch((path.but(engine="abacus"),)),
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            mock.draw(wrong)
    assert mock.sketch == mock.case.problem.today


def test_a_skipped_stage_is_not_come_back_to(mock, clock):
    mock.skip(clock())
    assert mock.stage is Stage.ESTIMATE
    mock.skip(clock())
    mock.skip(clock())
    assert mock.stage is Stage.PRICE
    while not mock.over:
        mock.skip(clock())
    assert mock.skipped == ["clarify", "estimate", "design", "price", "defend"]
    assert mock.result.percent == 0
    assert len(mock.result.repeat) > 3


def test_quitting_keeps_everything(case, clock):
    kept = []
    mock = Mock(case, START, keep=lambda one: kept.append((one.stage, len(one.entries))))
    mock.ask("volume", clock())
    to(mock, Stage.DESIGN, clock)
    said = len(mock.entries)
    mock.quit(clock())
    assert mock.over
    assert mock.quit_at == "design"
    assert len(mock.entries) == said
    assert kept[-1] == (Stage.OVER, said)
    assert len({count for _, count in kept}) == said, "kept after everything that is said"
    assert 0 < mock.result.percent < 60


def dollars(text):
    return [float(one.replace(",", "")) for one in re.findall(r"([\d,]+(?:\.\d+)?) USD", text)]


@pytest.mark.parametrize("name", list(CASES))
def test_sums_shown_are_sums_of_what_is_shown(name):
    case = drawn(name, 2)
    whole, *parts = dollars(case.fact("cost").says)
    assert whole == sum(parts)
    for one in case.remedies:
        paths = [dollars(dict(path.figures)["a day"])[0] for path in shown(one.board)]
        assert dollars(verdict(one.board))[0] == sum(paths), one.name
        a_year = prices(case, one.board)[0]
        bills, apart = dollars(a_year.asks), dollars(a_year.drawn.because)[0]
        assert apart == (bills[0] if len(bills) == 1 else abs(bills[0] - bills[1]))


def test_of_two_paths_the_bill_is_the_sum_of_their_whole_dollars():
    case = drawn("insurance-claims", 1)
    for nodes in range(2, 24):
        kept, own = case.right.sketch.paths
        board = evaluated(case.problem, Sketch((kept.but(nodes=nodes), own)))
        assert board.usd_per_day == sum(round(one.cost_usd_per_day) for one in board.found)
        assert board.usd_per_day == pytest.approx(
            sum(one.cost_usd_per_day for one in board.found), abs=1
        )


@given(parts=st.lists(st.floats(0, 1e4), min_size=2, max_size=4))
def test_parts_of_an_amount_add_up_as_they_are_shown(parts):
    whole = sum(parts)
    found = [dollars(one)[0] for one in usd_parts(whole, *sorted(parts, reverse=True))]
    assert sum(found) == pytest.approx(dollars(usd(whole))[0])
    assert found == pytest.approx(sorted(parts, reverse=True), abs=2.5)


@pytest.mark.parametrize("name", list(CASES))
def test_push_backs_follow_from_the_proposal(name):
    case = drawn(name, 1)
    boards = {
        "right": case.right.board,
        "today": case.now,
        "stream": Mock(case, START).draw(streamed(case)),
    }
    asked = {which: [one.key for one in pushbacks(case, board)] for which, board in boards.items()}
    for keys in asked.values():
        assert 2 <= len(keys) == len(set(keys)) <= 3
    assert "what it misses" not in asked["right"]
    assert ("what it misses" in asked["today"]) == (not case.now.serves)
    if case.right.name != "streaming":
        assert "who needs seconds" in asked["stream"]
    else:
        assert "why not micro-batch" in asked["right"]


@pytest.mark.parametrize("name", ["game-events", "energy-meters"])
def test_a_stream_is_not_measured_by_a_bill_that_is_too_large_itself(name):
    case = drawn(name, 3)
    found = next(one for one in pushbacks(case, case.right.board) if one.key == "why not stream")
    assert f"where {usd(case.right.usd_per_day)} do" in found.strong
    assert "times today's" not in found.strong


@pytest.mark.parametrize("name", list(CASES))
def test_strong_answers_hold_figures_and_points(name):
    case = drawn(name, 1)
    for one in pushbacks(case, case.right.board):
        assert one.points
        assert one.strong.endswith(".")
        assert "$" not in one.asks + one.strong
        assert {point.dimension for point in one.points} <= set(DIMENSIONS)


def test_the_rubric_says_who_judged_what(case):
    result = perfect(case).result
    assert {one.by for one in result.items} == {MODEL, OWN}
    for name in DIMENSIONS:
        assert any(one.by == MODEL for one in result.items if one.dimension == name), name
    assert result.judged_percent == 100


def test_ticks_cannot_make_up_for_what_the_model_judged(case):
    bad = fashionable(case)
    best = replace(
        bad.result,
        items=tuple(replace(one, earned=1.0) if one.by == OWN else one for one in bad.result.items),
    )
    assert best.percent < 80
    assert best.judged_percent == bad.result.judged_percent


def test_a_larger_change_that_serves_earns_half(clock):
    case = drawn("energy-meters", 1)
    mock = to(Mock(case, START), Stage.DESIGN, clock)
    mock.draw(case.remedy("incremental, more often").sketch)
    mock.propose(clock())
    smallest = next(one for one in mock.result.items if one.weight == 3)
    assert smallest.earned == 0.5
    assert "larger than need be" in smallest.says


def smallest(case, sketch):
    return design_items(case, evaluated(case.problem, sketch))[0]


def test_the_same_schedule_by_another_name_is_the_same_change():
    case = drawn("ticket-sales", 3)
    (path,) = case.problem.today.paths
    batch = Sketch((path.but(rhythm="batch", interval_seconds=300.0),))
    board = evaluated(case.problem, batch)
    assert board.serves
    assert board.usd_per_day < case.right.usd_per_day
    assert {item.earned for item in design_items(case, board)} == {1.0}
    assert called(batch, case.problem) == "less often"
    unchanged = Sketch((path.but(rhythm="batch"),))
    assert called(unchanged, case.problem) == "as batch"


@pytest.mark.parametrize("name", list(CASES))
def test_what_serves_as_small_and_as_cheap_as_the_right_answer_earns_all(name):
    """Over every kind of change of every case, by what it touches and what it costs."""
    case = drawn(name, 3)
    right, allowed = case.right, len(set(case.right.option.touches) - {"nodes"})
    for one in case.remedies:
        if not one.serves:
            assert smallest(case, one.sketch).earned == 0
            continue
        beside = {"nodes"} if right.option.touches else set()
        small = len(set(one.option.touches) - beside) <= allowed
        cheap = one.usd_per_day <= (1 + MARGIN) * right.usd_per_day
        assert smallest(case, one.sketch).earned == (1.0 if small and cheap else 0.5), one.name


def test_a_change_of_the_same_size_that_costs_more_earns_half():
    """Micro-batches are right; a stream touches as much, and more money makes it payable."""
    case = drawn("food-orders", 1)
    case = replace(case, problem=case.problem.but(budget_usd_per_day=1e4))
    found = smallest(case, case.remedy("streaming").sketch)
    assert found.earned == 0.5
    assert "costs more than need be: micro-batch does at" in found.says


def test_what_to_repeat_names_the_drills_of_wrong_numbers(case, clock):
    mock = to(Mock(case, START), Stage.ESTIMATE, clock)
    wrong = case.estimates[0]
    mock.answer(f"{5 * wrong.drawn.answer} {wrong.drawn.unit}", clock())
    to(mock, Stage.OVER, clock)
    assert mock.result.of("quantified") < 1
    assert wrong.objective in mock.result.repeat
