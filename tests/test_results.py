"""A class's results: the table, the picture and the command."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from tradeoff import cli
from tradeoff.charts.results import class_results
from tradeoff.checks import results
from tradeoff.checks.assignment import find

NAME = "when_batch_outgrows_itself"
CHECKS = [behaviour.name for behaviour in find(NAME).behaviours]

# Student: what each check came to, in the order of the notebook.
CLASS = {
    "ann": [("passed", 1.0, "")] * 6,
    "ben": [("failed", 0.2, "worst for typical"), *[("passed", 1.0, "")] * 5],
    "cem": [("failed", 0.2, "worst for typical"), *[("failed", 0.5, "")] * 3,
            ("not reached", 0.5, ""), ("could not be judged", 0.0, "")],
    "dee": [("failed", 0.7, "too long means outgrown"), *[("passed", 1.0, "")] * 5],
}  # fmt: skip


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    for student, outcomes in CLASS.items():
        cells = [new_code_cell("import pandas", outputs=[])]
        for (state, share, misconception), name in zip(outcomes, CHECKS, strict=True):
            maximum = find(NAME).behaviour(name).points
            note = {
                **{"behaviour": name, "state": state, "points": share * maximum},
                **{"maximum": maximum, "misconception": misconception},
            }
            output = new_output("execute_result", {"text/plain": "1"}, metadata={"tradeoff": note})
            cells.append(new_code_cell("checks.grade()", outputs=[output]))
        where = tmp_path / "classroom" / "autograded" / student / NAME
        where.mkdir(parents=True)
        (where / f"{NAME}.ipynb").write_text(nbformat.writes(new_notebook(cells=cells)), "utf-8")
    broken = tmp_path / "classroom" / "autograded" / "eve" / NAME
    broken.mkdir(parents=True)
    (broken / f"{NAME}.ipynb").write_text("{", "utf-8")
    return tmp_path / "classroom"


@pytest.fixture
def found(classroom: Path) -> pd.DataFrame:
    return results.read(classroom / "autograded", NAME)


def test_every_check_of_every_student_is_a_row(found: pd.DataFrame) -> None:
    assert len(found) == len(CLASS) * len(CHECKS)
    assert set(found["student"]) == set(CLASS)


def test_the_table_counts_states_and_misconceptions(found: pd.DataFrame) -> None:
    table = results.by_check(found, results.order(NAME)).set_index("behaviour")
    assert list(table.index) == CHECKS
    first = table.loc["outgrew_window"]
    assert (first["passed"], first["failed"], first["not reached"]) == (1, 3, 0)
    assert first["misconceptions"] == "worst for typical (2), too long means outgrown (1)"
    assert first["share"] == pytest.approx((1.0 + 0.2 + 0.2 + 0.7) / 4)
    assert table.loc["failing_dimension", "not reached"] == 1
    assert table.loc["smallest_change", "could not be judged"] == 1
    assert (table[list(results.STATES)].sum(axis=1) == len(CLASS)).all()


def test_the_picture_holds_every_outcome_once(found: pd.DataFrame) -> None:
    chart = class_results(results.counted(found), CHECKS, "4 students").to_dict()
    (rows,) = chart["datasets"].values()
    drawn = {(row["behaviour"], row["outcome"]): row["students"] for row in rows}
    assert len(drawn) == len(rows)
    assert drawn["outgrew_window", "failed: worst for typical"] == 2
    assert sum(drawn.values()) == len(found)
    assert "outgrew_window: failed: worst for typical, 2" in chart["description"]
    assert "Most trouble: outgrew_window" in chart["description"]


def test_the_command_prints_draws_and_saves(
    classroom: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, table = classroom / "class.svg", classroom / "class.csv"
    asked = ["results", NAME, "--folder", str(classroom), "--out", str(picture)]
    assert cli.main([*asked, "--csv", str(table)]) == 0
    said = capsys.readouterr().out
    assert f"{NAME}: 4 students" in said
    assert "worst for typical (2)" in said
    assert "failed: worst for typical, 2" in picture.read_text("utf-8")
    assert len(pd.read_csv(table)) == len(CLASS) * len(CHECKS)


def test_where_nothing_was_graded_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["results", NAME, "--folder", str(tmp_path)]) == 2
    assert "autograde it first" in capsys.readouterr().err


# --- the author's command


def test_the_authors_command_says_what_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    from tradeoff import course
    from tradeoff.checks import authoring

    for folder in ("solutions", "exercises"):
        book = json.loads((root / folder / NAME / f"{NAME}.ipynb").read_text("utf-8"))
        marked = [cell for cell in book["cells"] if cell["metadata"].get("nbgrader")]
        task = next(cell for cell in book["cells"] if cell["id"] == "task-slowest_stage")
        task["source"] = "Find the slowest stage."
        for cell in marked:
            if cell["metadata"]["nbgrader"]["grade_id"] == "answer-case":
                cell["metadata"]["nbgrader"]["points"] = 11
            if cell["metadata"]["nbgrader"]["grade_id"] == "slowest_stage":
                cell["source"] = (
                    "from tradeoff.scenarios import faults\ndef slowest_stage(runs):\n"
                    "    return 'read'"
                )
        (tmp_path / folder / NAME).mkdir(parents=True)
        (tmp_path / folder / NAME / f"{NAME}.ipynb").write_text(json.dumps(book), "utf-8")
    (tmp_path / "solutions" / NAME / "draft.py").write_text("", "utf-8")
    slow = {"regenerating exercises/ changes nothing", "plain pipelines are sound"}
    kept = {title: check for title, check in authoring.CHECKS.items() if title not in slow}
    monkeypatch.setattr(authoring, "CHECKS", kept)
    monkeypatch.setattr(authoring, "SEEDS", ("public",))
    monkeypatch.setattr(course, "checkout", lambda: tmp_path)
    assert cli.main(["assignment", NAME]) == 1
    said = capsys.readouterr().out
    for sentence in (
        f"solutions/{NAME} has files besides its notebook: draft.py",
        "the points of all cells add up to 101, not 100",
        "the task of slowest_stage does not show its signature",
        "the task of slowest_stage has no *Worked example.*",
        "the stub of slowest_stage is right on",
        "the released cell of slowest_stage is no stub",
        "the solution of slowest_stage is right on 14 of 42 pipelines",
        "imports tradeoff.scenarios.faults: a learner would be reported",
    ):
        assert sentence in said, said
    assert "✓ every check has its hint" in said


def test_the_authors_command_needs_a_checkout_and_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tradeoff import course

    assert cli.main(["assignment", "no_such_exercise"]) == 2
    assert "solutions/ has no no_such_exercise; it has" in capsys.readouterr().err
    monkeypatch.setattr(course, "checkout", lambda: None)
    assert cli.main(["assignment"]) == 2
    assert "only in a checkout" in capsys.readouterr().err
