"""Scripted candidates: one who says what the model says, one who streams whatever comes."""

from datetime import UTC, datetime, timedelta

from tradeoff.interview.mocks import Mock
from tradeoff.interview.mocks.truth.board import Path, Sketch
from tradeoff.model import engine

START = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that goes on by so many seconds each time it is asked."""

    def __init__(self, step=20.0):
        self.now, self.step = START, timedelta(seconds=step)

    def __call__(self):
        self.now += self.step
        return self.now


def perfect(case):
    """The right answer to everything; a finished Mock."""
    return _hold(case, case.right.sketch, case.fails, ticks=True)


def fashionable(case):
    """ "Move it all to Kafka and Flink": numbers done well, the rest by fashion."""
    right = case.right.name == "streaming"
    return _hold(case, streamed(case), "latency", ticks=right)


def streamed(case):
    """All consumers on one stream, as small as it may be and still serve, if any is."""
    found = case.remedy("streaming")
    if found is not None:
        return found.sketch
    names = case.problem.names
    return Sketch((Path("flink", "streaming", None, int(engine("flink").minimum_nodes), names),))


def answered(mock):
    """The right answer to a number or a choice, as one would type it."""
    key = mock.prompt.key
    if mock.prompt.kind == "number":
        place = int(key.split()[1]) - 1
        some = mock.case.estimates if key.startswith("number") else mock._prices
        return some[place].drawn.answer_in_words
    return mock._truth(key)


def _hold(case, sketch, fails, ticks):
    clock = Clock()
    mock = Mock(case, clock())
    for key in case.matters:
        mock.ask(key, clock())
    mock.go_on(clock())
    while not mock.over:
        prompt = mock.prompt
        if prompt.kind == "board":
            mock.draw(sketch)
            mock.propose(clock())
        elif prompt.kind == "ticks":
            mock.ticks([ticks] * len(prompt.options), clock())
        elif prompt.kind == "text":
            mock.answer("It is said here, in my own words.", clock())
        elif prompt.key == "fails":
            mock.answer(fails, clock())
        else:
            mock.answer(answered(mock), clock())
    return mock
