"""The interview in a terminal by a script, what is kept of it, and the command."""

import json
import re

import pytest
from candidates import START, Clock, perfect
from tradeoff import cli
from tradeoff.interview.mocks import CASES, Keeper, choose, draw, tries
from tradeoff.interview.mocks.screens import terminal
from tradeoff.interview.mocks.talk.session import Mock
from tradeoff.interview.mocks.talk.tries import folder

SHAPE = [
    "# Mock interview: insurance-claims",
    "## Clarify",
    "## Estimate",
    "## Design",
    "## Price",
    "## Defend",
    "## Rubric",
    "### Named the dimension that fails",
    "### Put numbers on it",
    "### Chose the smallest change",
    "### Priced it",
    "### Served consumers by tier",
    "### Said what would change the answer",
    "## Model answer",
    "### Every kind of change, at its best",
    "## What to repeat",
]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))


class Typist:
    """Types the lines of a script; what was written is kept."""

    def __init__(self, lines):
        self.lines, self.written = list(lines), []

    def read(self, mark):
        self.written.append(mark)
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        self.written.append(line)
        return line

    def write(self, text):
        self.written.append(text)

    @property
    def text(self):
        return "\n".join(self.written)


def script(case):
    """A whole interview that goes well, as it is typed."""
    answers = [one.drawn.answer_in_words for one in case.estimates]
    tiers = [str(one.tier) for one in case.problem.consumers]
    own = case.right.sketch.paths[1]
    return [
        *("2", "what may it cost?", "who plays the piano", "time", "pause", "", "done"),
        *answers,
        *tiers,
        "latency",
        *("split the fraud desk", "engine spark_streaming", f"nodes {own.nodes}"),
        *(f"every {own.interval_seconds:g} s", "nodes many", "show", "propose"),
        *("Finance is served.", "The desk gets a path of its own.", ""),
        *("about 10", "about 10"),
        *("A stream costs a multiple.", ""),
        *("One path for both pays for all.", ""),
        *("Nodes do not shorten a day.", ""),
        "no",
        *("If all needed minutes.", ""),
        *("1 2", "1 2", "1", "1", "1 2"),
    ]


def test_a_full_run_and_its_transcript():
    case = draw("insurance-claims", 1)
    typist, clock = Typist(script(case)), Clock()
    keeper = Keeper(case.name, START)
    mock = terminal.run(case, keeper, typist.read, typist.write, clock)
    assert mock.over
    assert not mock.quit_at, typist.text[-2000:]
    assert not typist.lines
    assert mock.result.of("smallest") > 0.8
    text = keeper.transcript.read_text("utf-8")
    found = [line.split(":")[0] if line[:3] == "###" else line for line in text.splitlines()]
    found = [line for line in found if line.startswith("#")]
    assert found == SHAPE
    for said in ("who plays the piano", "Finance is served.\nThe desk gets", "Interviewer.", "(0:"):
        assert said in text
    assert "judged by the model" in text
    assert "ticked by you" in text
    assert "$" not in text
    assert "nodes must be a whole number" in typist.text
    assert "The clock stands." in typist.text
    assert len(re.findall(r"^\| ", text, re.M)) == 2 + len(case.remedies)


def test_what_is_kept_is_data_too_and_the_list_shows_it():
    case = draw("insurance-claims", 1)
    typist = Typist(script(case))
    keeper = Keeper(case.name, START)
    terminal.run(case, keeper, typist.read, typist.write, Clock())
    kept = json.loads(keeper.path.read_text("utf-8"))
    assert kept["version"] == 1
    assert (kept["case"], kept["seed"], kept["stage"]) == ("insurance-claims", 1, "over")
    assert kept["percent"] > 50
    assert len(kept["design"]["paths"]) == 2
    assert [entry["stage"] for entry in kept["entries"]][0] == "clarify"
    (one,) = tries()
    assert one.percent == kept["percent"]
    assert one.path == keeper.transcript
    assert f"{one.percent} %" in terminal.table([one])


def test_an_interview_that_breaks_off_is_kept_as_it_stood():
    case = draw("hospital-beds", 1)
    typist = Typist(["1", "done", "1 h"])
    keeper = Keeper(case.name, START)
    mock = terminal.run(case, keeper, typist.read, typist.write, Clock())
    assert mock.quit_at == "estimate"
    text = keeper.transcript.read_text("utf-8")
    assert "before its end" in text
    assert "**You** (0:" in text
    assert tries()[0].quit_at == "estimate"


def test_a_killed_process_has_lost_nothing_said():
    case = draw("hospital-beds", 1)
    keeper = Keeper(case.name, START)
    mock = Mock(case, START, keeper)
    mock.ask("volume", START)
    (one,) = tries()
    assert (one.percent, one.stage) == (None, "clarify")
    assert "broken off" in terminal.table([one])
    assert "admission events a day" in keeper.path.read_text("utf-8")


def test_two_tries_within_a_second_are_two_files_and_a_broken_one_is_passed_over():
    for _ in range(2):
        case = draw("hospital-beds", 1)
        mock = Mock(case, START, Keeper(case.name, START))
        mock.quit(START)
    assert len(tries()) == 2
    (folder() / "zzz.json").write_text("{", "utf-8")
    assert len(tries()) == 2


def test_a_case_not_tried_yet_is_preferred_and_one_only_looked_at_is_not_tried():
    *names, looked_at, last = list(CASES)
    for name in [*names, looked_at]:
        mock = Mock(draw(name, 1), START, Keeper(name, START))
        mock.ask("volume", START)
        if name != looked_at:
            mock.go_on(START)
            mock.answer(mock.case.estimates[0].drawn.answer_in_words, START)
        mock.quit(START)
    assert {choose(None, seed, START).name for seed in range(8)} == {looked_at, last}


@pytest.mark.parametrize("before", [[], ["1"], ["1", "done", "?"]])
@pytest.mark.parametrize("wish", ["no", "yes", None])
def test_who_quits_with_nothing_answered_gets_no_score_and_is_asked_about_the_answer(before, wish):
    case = draw("hospital-beds", 1)
    keeper = Keeper(case.name, START)
    typist = Typist([*before, "quit", *([wish] if wish else [])])
    mock = terminal.run(case, keeper, typist.read, typist.write, Clock())
    assert not mock.answered
    assert terminal.SPOIL in typist.text
    assert ("## Model answer" in typist.text) == (wish == "yes")
    assert "What to repeat" not in typist.text
    assert "% in all" not in typist.text
    (one,) = tries()
    assert (one.percent, one.judged_percent, one.answered) == (None, None, False)
    assert "nothing answered" in terminal.table([one])
    assert "Nothing was answered: no score." in keeper.transcript.read_text("utf-8")


def test_who_quits_after_the_design_began_sees_the_report():
    case = draw("hospital-beds", 1)
    numbers = [one.drawn.answer_in_words for one in case.estimates]
    typist = Typist(["done", *numbers, *("3", "4", "none"), "quit"])
    mock = terminal.run(case, None, typist.read, typist.write, Clock())
    assert mock.quit_at == "design"
    assert terminal.SPOIL not in typist.text
    assert "## Model answer" in typist.text


@pytest.mark.parametrize("name", list(CASES))
def test_every_case_is_told_without_a_loose_end(name):
    """A perfect interview's transcript: no placeholder, no None, no infinity, no dollar sign."""
    from tradeoff.interview.mocks.talk.transcript import transcript

    text = transcript(perfect(draw(name, 5)))
    assert not re.search(r"\bNone\b(?! of| has)|\binf\b|\bnan\b|\{|\$|  \w", text), text


def test_skip_and_quit_are_words_of_any_prompt():
    case = draw("hospital-beds", 1)
    typist = Typist(["skip", "help", "skip", "skip", "quit"])
    mock = terminal.run(case, None, typist.read, typist.write, Clock())
    assert mock.skipped == ["clarify", "estimate", "design"]
    assert mock.quit_at == "price"


def test_what_a_slip_of_the_hand_types_loses_nothing():
    case = draw("insurance-claims", 1)
    answers = [one.drawn.answer_in_words for one in case.estimates]
    typist = Typist(
        [
            *("", "1, 2 and 3", "99", "done"),
            *(answers + ["?"] * (len(case.problem.consumers) + 1)),
            *("help", "split Fraud Desk", "propose"),
            *("", "I give the desk a path.", ""),
            "skip",
            *("?", "skip"),
            *("all", "1 9", "1"),
        ]
    )
    mock = terminal.run(case, None, typist.read, typist.write, Clock())
    assert [fact.key for fact in mock.told] == ["volume", "readers", "today"]
    assert typist.text.count(terminal.HOW_TO_ASK) == 2
    assert terminal.BOARD_HELP.split(" | ")[0] in typist.text.split("board> ")[1]
    assert len(mock.proposed.sketch.paths) == 2
    assert mock.said_to("why this one") == "I give the desk a path."
    assert typist.text.count("Give numbers from 1 to 3") == 2
    assert mock.over
    assert not mock.quit_at
    assert not typist.lines


def test_ticks_are_corrected_by_going_back():
    case = draw("insurance-claims", 1)
    *before, _, _, _, _, _ = script(case)
    ticks = ["back", "1", "back", "2", "1 2", "1", "1", "1", "back", "2", ""]
    typist = Typist([*before, *ticks])
    mock = terminal.run(case, None, typist.read, typist.write, Clock())
    assert not typist.lines
    assert not mock.quit_at
    assert "nothing to go back to" in typist.text
    first, *_, last = mock.points.values()
    assert [ticked for _, ticked in first] == [False, True, False]
    assert [ticked for _, ticked in last] == [False, True, False]


def test_the_command_lists_and_refuses(capsys):
    assert cli.main(["mock", "--list"]) == 0
    assert "closing-logistics" in capsys.readouterr().out
    assert cli.main(["mock", "--tries"]) == 0
    assert "No tries yet." in capsys.readouterr().out
    assert cli.main(["mock", "--case", "piano"]) == 2
    assert "no case 'piano'" in capsys.readouterr().err
    assert cli.main(["mock", "--seed", "-1"]) == 2
