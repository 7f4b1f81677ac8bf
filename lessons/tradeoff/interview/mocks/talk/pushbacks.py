"""What the interviewer says against a proposal: chosen by what was proposed, answered by the model.

Each case ends with two to four of them. They are put in the order: what the design does not do,
what it costs, the fashion, the case's own, the brute force.
"""

from __future__ import annotations

from tradeoff.interview.mocks.talk.points import Point, Question
from tradeoff.interview.mocks.talk.wording import plain
from tradeoff.interview.mocks.truth import remedies
from tradeoff.interview.mocks.truth.board import Board, described, touched
from tradeoff.interview.mocks.truth.case import Case
from tradeoff.interview.mocks.truth.changes import changes
from tradeoff.interview.mocks.truth.estimates import usd
from tradeoff.interview.mocks.truth.remedies import REMEDIES, Remedy
from tradeoff.model import words

MOST = 3
PROPOSED = ("more nodes", "more often", "incremental", "micro-batch", "streaming", "batch")
DEARER = 1.25  # times another bill


def pushbacks(case: Case, board: Board) -> tuple[Question, ...]:
    """Two or three push-backs on a design."""
    found = [
        _misses(case, board),
        _dearer(case, board),
        _streamed(case, board),
        _not_streamed(case, board),
        _not_micro_batch(case, board),
        _own(case),
        _larger(case, board),
        _way_there(board),
    ]
    return tuple(one for one in found if one is not None)[:MOST]


def closing(case: Case) -> Question:
    """The last question: what would change your answer?"""
    moved = changes(case)
    strong = " ".join(f"{one.moved[:1].upper()}{one.moved[1:]}: {one.says}" for one in moved)
    return Question(
        "what would change it",
        "Last question. What would change your answer?",
        plain(strong),
        tuple(Point("change", plain(f"Names it: {one.moved}, and what follows.")) for one in moved),
    )


def why(case: Case) -> Question:
    """Asked with the design: why this one."""
    right = case.right
    rest = "nothing is changed" if not right.option.touches else REMEDIES[right.name]
    # The one that comes closest among those that somebody would propose; not more runs for a bill.
    proposed = [name for name in PROPOSED if (case.fails, name) != ("cost", "more often")]
    others = [one for one in case.remedies if one is not right and one.name in proposed]
    rejected = min(others, key=lambda one: (one.used, one.usd_per_day))
    return Question(
        "why this one",
        "In two or three sentences: what do you change, what do you leave alone, and why?",
        plain(
            f"{case.because} So: {rest} ({described(right.sketch)}). It is the smallest change "
            f"that serves everyone. Not this one: {REMEDIES[rejected.name]} "
            f"({_against(case, rejected)})."
        ),
        (
            Point("failing", "Says which dimension fails, with a figure, before what to build."),
            Point("smallest", "Says what stays as it is, not only what changes."),
            Point("smallest", "Rejects one other change, with its reason."),
        ),
    )


def _against(case: Case, one: Remedy) -> str:
    if one.option.missed:
        return one.option.missed[0]
    return f"{usd(one.usd_per_day)} a day, where {usd(case.right.usd_per_day)} do"


def _misses(case: Case, board: Board) -> Question | None:
    if board.serves:
        return None
    right = case.right
    return Question(
        "what it misses",
        plain(f"I see a problem on your board: {board.missed[0]}. What do you do about it?"),
        plain(
            f"Admit it, name the limit, and change the least that keeps it: "
            f"{REMEDIES[right.name]} ({described(right.sketch)}) serves everyone at "
            f"{usd(right.usd_per_day)} a day."
        ),
        (
            Point("consumers", "Says who or what is not served, by how much."),
            Point("smallest", "Gives a change that the model finds to serve everyone."),
        ),
    )


def _dearer(case: Case, board: Board) -> Question | None:
    right = case.right
    if board.usd_per_day <= DEARER * right.usd_per_day or not board.serves:
        return None
    return Question(
        "a smaller bill",
        f"Finance asks: {usd(board.usd_per_day)} a day, is there nothing that costs less?",
        plain(
            f"There is: {REMEDIES[right.name]} ({described(right.sketch)}) keeps every limit at "
            f"{usd(right.usd_per_day)} a day. The rest of the bill buys nothing that anybody needs."
        ),
        (Point("cost", "Names the cheaper design, with its bill."),),
    )


def _streams(board: Board) -> bool:
    return any(path.rhythm == "streaming" for path in board.sketch.paths)


def _streamed(case: Case, board: Board) -> Question | None:
    if not _streams(board) or case.right.name == "streaming":
        return None
    right = case.right
    times = board.usd_per_day / case.now.usd_per_day
    return Question(
        "who needs seconds",
        "You stream it. Who acts on a result that is a second old, and what is it worth?",
        plain(
            f"Nobody named one: {_needs(case)} The stream costs {times:.2g} times today's bill; "
            f"{REMEDIES[right.name]} serves at {usd(right.usd_per_day)} a day."
        ),
        (
            Point("consumers", "Goes back to what each consumer needs."),
            Point("cost", "Holds the premium against a value in dollars."),
        ),
    )


def _needs(case: Case) -> str:
    said = []
    for one in case.problem.consumers:
        if one.deadline_hour is not None:
            said.append(f"{one.name} needs yesterday by {words.clock(one.deadline_hour)}")
        else:
            said.append(f"{one.name} needs {words.duration(one.freshness_seconds or 0)}")
    return "; ".join(said) + "."


def _not_streamed(case: Case, board: Board) -> Question | None:
    stream = case.remedy("streaming")
    if _streams(board) or stream is None or case.right.name == "streaming":
        return None
    today = case.now.usd_per_day
    missed = f" It also does not do: {stream.option.missed[0]}." if stream.option.missed else ""
    if stream.option.missed and "budget" in stream.option.missed[0]:
        missed = f" The budget is {usd(case.problem.budget_usd_per_day)}."
    times = f"{stream.usd_per_day / today:.2g} times today's {usd(today)}"
    if stream.usd_per_day < DEARER * today:  # today's bill is what fails, and no measure
        times = f"where {usd(case.right.usd_per_day)} do"
    return Question(
        "why not stream",
        "The CTO says: move it all to Kafka and Flink now, and we have peace for years. Why not?",
        plain(
            f"Everything on Flink costs {usd(stream.usd_per_day)} a day, {times}, and people who "
            f"run it. Nobody needs what it buys: {_needs(case)}{missed}"
        ),
        (
            Point("cost", "Puts a number on the stream: its bill, or how many times another bill."),
            Point("consumers", "Says that no consumer's need asks for it."),
        ),
    )


def _not_micro_batch(case: Case, board: Board) -> Question | None:
    if case.right.name != "streaming" or not _streams(board):
        return None
    cheaper = case.now
    least = min(one.used for one in case.remedies if one.name in ("more often", "micro-batch"))
    return Question(
        "why not micro-batch",
        "Micro-batches are cheaper, and the team knows them. Why do you pay for a stream?",
        plain(
            f"They cost {usd(cheaper.usd_per_day)} a day, the stream "
            f"{usd(case.right.usd_per_day)}. At their best trigger they are still {least:.2g} "
            f"times too old. {case.fact('value').says}"
        ),
        (
            Point("cost", "States the premium of the stream over micro-batches."),
            Point("change", "Holds it against what the latency is worth."),
        ),
    )


def _own(case: Case) -> Question | None:
    if case.twist is None:
        return None
    asks, strong = case.twist
    return Question(
        "the case's own",
        asks,
        strong,
        (Point("smallest", "Gives the reason of the strong answer, in whatever words."),),
    )


def _larger(case: Case, board: Board) -> Question | None:
    larger = case.remedy("more nodes")
    kind = remedies.called(board.sketch, case.problem)
    if larger is None or case.right.name == "more nodes" or kind == "more nodes":
        return None
    return Question(
        "why not more nodes",
        "Why not simply a larger cluster?",
        plain(f"The best a larger cluster does: {_against(case, larger)}."),
        (Point("smallest", "Says what more nodes do not shorten, or what they cost."),),
    )


def _way_there(board: Board) -> Question:
    if touched(board.sketch, board.problem.today):
        return Question(
            "the way there",
            "How do you get there without a bad day for anybody?",
            "Run the new one beside the old one into tables of its own, compare rows for some "
            "days, switch the consumers one by one, and keep the old one until nobody reads it.",
            (Point("smallest", "Runs both side by side, compares, and can go back."),),
        )
    limit = max(board.limits, key=lambda one: one.used if one.kept else 0.0)
    return Question(
        "how you notice",
        "You leave it as it is. How do you notice when that stops being right?",
        f"Watch the figure that is nearest to its limit: {limit.of} uses {limit.used:.0%} of it. "
        "Alert before it is reached, and come back then.",
        (Point("smallest", "Names the figure to watch, and the limit at which to act."),),
    )
