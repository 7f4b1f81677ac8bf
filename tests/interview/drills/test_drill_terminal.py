"""The drill at a terminal: typed, piped, ended by every key that ends a program."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
from drill_bank import NOW, bank, question, right_place
from tradeoff import cli
from tradeoff.interview.drills import Diagnostic, Session, Store, readiness, terminal

TEXT = question("free-text", rubric=("a first point", "a second point"))


class Typist:
    """Types its lines; a callable is asked what to type. Ends like Ctrl-D, or as told."""

    def __init__(self, *lines, end=EOFError):
        self.lines, self.end, self.screen = list(lines), end, []

    def read(self, prompt):
        if not self.lines:
            raise self.end
        line = self.lines.pop(0)
        return line() if callable(line) else line

    def write(self, text):
        self.screen.append(text)

    @property
    def seen(self):
        return "\n".join(self.screen)


def run(session, typist, minutes=1):
    now = [NOW]

    def clock():
        now[0] += timedelta(minutes=minutes)
        return now[0]

    terminal.run(session, typist.read, typist.write, clock)
    return " ".join(typist.seen.split())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "drills.json")


def test_a_choice_from_the_question_to_the_next(store):
    session = Session(store, NOW, 1, count=2, questions=bank())
    typist = Typist("7", lambda: right_place(session), "e", "?", "")
    seen = run(session, typist)
    assert "Question 1 of 2 · lesson 1 · latency-and-throughput · define and contrast" in seen
    assert "'7' is none of the choices: give a number from 1 to 2. That does not count" in seen
    assert "Right. so it is" in seen
    assert "It comes again in 2 days." in seen
    assert "It comes again in 8 days." in seen  # it was easy
    for part in ("A strong answer: This.", "A weak answer: That.", "Why it is weak: It is not"):
        assert part in seen
    assert "Not known yet. Right is " in seen
    assert ", yes: so it is" in seen
    assert seen.endswith("1 of 2 answers were right. The next question is due in 7 min.")
    assert [each.rating for each in store.reviews] == [4, 1]


def test_free_text_with_the_rubric(store):
    session = Session(store, NOW, 1, count=1, questions=[TEXT])
    typist = Typist("one line", "another", "", "9", "x", "2", "")
    seen = run(session, typist)
    assert seen.index("A strong answer") < seen.index("1. a first point")
    assert seen.count("That does not count as an answer") == 2
    assert "1 of 2 points." in seen
    (kept,) = store.reviews
    assert (kept.answer, kept.held) == ("one line\nanother", ("a second point",))


def test_not_knowing_a_free_answer_needs_no_empty_line(store):
    session = Session(store, NOW, 1, count=1, questions=[TEXT])
    seen = run(session, Typist("?", ""))
    assert "Which of these points" not in seen
    assert store.reviews[0].judged == "not known"


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
@pytest.mark.parametrize("lines", [[], ["?"], ["?", ""], ["?", "", "q"], ["?", "q"]])
def test_every_way_to_end_keeps_what_was_judged(store, lines, end):
    session = Session(store, NOW, 1, questions=bank())
    seen = run(session, Typist(*lines, end=end))
    assert "You ended the drill. Every answer that was judged is kept." in seen
    assert len(Store(store.path).reviews) == lines.count("?")


def test_a_broken_file_is_told_of(tmp_path):
    (tmp_path / "drills.json").write_text("{")
    session = Session(Store(tmp_path / "drills.json"), NOW, 1, questions=bank())
    assert "set aside" in run(session, Typist())


def test_the_diagnostic_tells_the_time_and_each_objective(store):
    session = Diagnostic(store, NOW, 1, questions=bank())
    seen = run(session, Typist(*["?", ""] * 8), minutes=1)
    assert "9 min left" in seen
    assert "The ten minutes are over." in seen
    outcome = terminal.outcome(session)
    assert outcome.count("not known") == len(store.reviews)
    assert "not reached   lesson 3, operations" in outcome


def test_readiness_as_a_table(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    session = Session(store, NOW, 1, count=4, questions=bank(each=1, lessons=[1]))
    run(session, Typist(*[lambda: right_place(session), ""] * 4))
    shown = terminal.table(readiness(bank(each=1, lessons=[1]), store.reviews, NOW))
    assert shown.startswith("Lesson 1\n     ?   latency-and-throughput ")
    assert "of 3 questions, last seen today" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_lines_fit_the_terminal(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "44")
    typist = Typist("?", "")
    run(Session(store, NOW, 1), typist)
    assert max(map(len, typist.seen.splitlines())) <= 44


# --- the command ---


@pytest.fixture
def own(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))
    return tmp_path


def piped(text, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "tradeoff.cli", "drill", *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | {"TERM": "dumb", "PYTHONIOENCODING": "utf-8"},
    )


def test_it_works_piped(own):
    done = piped("?\n\n?\n", "--lesson", "1", "--questions", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Question 2 of 3" in done.stdout
    assert len(Store(own / "drills.json").reviews) == 2


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_ends_it_with_a_sentence(own):
    command = [sys.executable, "-u", "-m", "tradeoff.cli", "drill", "--lesson", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as drill:
        drill.stdin.write("?\n")
        drill.stdin.flush()
        while "It comes again" not in drill.stdout.readline():
            pass
        time.sleep(0.2)  # it reads by now
        drill.send_signal(signal.SIGINT)
        said, errors = drill.communicate(timeout=30)
    assert "Every answer that was judged is kept." in said
    assert (drill.returncode, errors) == (0, "")
    assert len(Store(own / "drills.json").reviews) == 1


def test_readiness_plan_and_export_are_printed(own, capsys):
    assert cli.main(["drill", "--readiness", "--lesson", "2"]) == 0
    assert "0 of" in capsys.readouterr().out
    assert cli.main(["drill", "--interview", "2999-01-01"]) == 2
    assert "a plan reaches 366 days ahead" in capsys.readouterr().err
    assert cli.main(["drill", "--interview", "2000-01-01"]) == 2
    assert "no day is left" in capsys.readouterr().err
    week = (datetime.now().date() + timedelta(days=7)).isoformat()
    assert cli.main(["drill", "--interview", week]) == 0
    made = capsys.readouterr().out
    assert made.startswith("7 days until the interview on ")
    assert cli.main(["drill", "--interview"]) == 0
    assert capsys.readouterr().out == made
    with pytest.raises(SystemExit):
        cli.main(["drill", "--interview", "soon"])
    assert "say the day as in 2026-12-05, not 'soon'" in capsys.readouterr().err
    table = own / "answers.csv"
    assert cli.main(["drill", "--export", str(table)]) == 0
    assert f"0 answers are in {table}" in capsys.readouterr().out
    assert table.read_text("utf-8").startswith("at,question,seed,answer,judged")


def test_what_cannot_be_done_is_a_sentence(own, capsys):
    wrong = ["--lesson 9", "--objective beauty", "--questions 0", "--export answers.xlsx"]
    for arguments in map(str.split, [*wrong, "--export /no/such/folder/answers.csv"]):
        assert cli.main(["drill", *arguments]) == 2
        said = capsys.readouterr().err
        assert said.startswith("tradeoff drill: ")
        assert "Traceback" not in said
