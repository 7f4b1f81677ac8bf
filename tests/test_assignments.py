"""The graded exercises: released as their sources say, graded as the answers deserve.

Nothing here but the last part names an assignment: a new one is tested as soon as it has a folder
in solutions/, and its bank of right and wrong answers as soon as tests/assignments/ holds it.
"""

import csv
import functools
import importlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
from assignments.bank import Wrong, sources
from teacher import SEED, cell_named, nbgrader
from tradeoff import checks
from tradeoff.checks import authoring, memory
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import PUBLIC_SEED, judge, sheet
from tradeoff.checks.nbgrader import Judge, Record, Report
from tradeoff.checks.record import answers, copies

ROOT = Path(__file__).resolve().parents[1]
NAMES = authoring.names(ROOT)
FEWEST_WRONG = 12  # wrong answers a bank holds


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner's memory of its own for every test."""
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))
    monkeypatch.setattr(memory, "_latest", {})
    monkeypatch.setattr(memory, "_state", {})


@functools.cache
def notebook(folder: str, name: str) -> nbformat.NotebookNode:
    return authoring.Draft(name, ROOT).notebook(folder)


def bank(name: str) -> ModuleType:
    return importlib.import_module(f"assignments.bank_{name}")


def entries(table: str) -> list[Any]:
    """(assignment, title) of every entry of the banks' RIGHT or WRONG."""
    return [pytest.param(n, title, id=f"{n}: {title}") for n in NAMES for title in banked(n, table)]


def banked(name: str, table: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = getattr(bank(name), table)
    except (ImportError, AttributeError):
        return {}  # `test_every_assignment_has_a_bank` says so
    return found


def touched(name: str, replaced: set[str]) -> list[str]:
    """Behaviours that answer cells of these names can change: their own, and their callers'."""
    book, asked = notebook("solutions", name), [each.name for each in find(name).behaviours]
    found = set(replaced)
    while True:
        calls = re.compile(rf"\b({'|'.join(map(re.escape, sorted(found)))})\b")
        more = {each for each in asked if calls.search(cell_named(book, each).source)}
        if more <= found:
            return [each for each in asked if each in found]
        found |= more


def score(name: str, behaviour: str, function: Callable[..., Any], seed: str) -> float:
    """The share of a behaviour's points that a function deserves."""
    return authoring.judged(name, behaviour, function, seed).score


# --- what an author checks ------------------------------------------------------------------------


@pytest.mark.parametrize("check", authoring.CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_an_author_has_nothing_to_mend(name: str, check: str) -> None:
    assert authoring.complaints(authoring.Draft(name, ROOT), check) == []


def test_no_exercise_is_left_without_its_solution() -> None:
    assert sorted(path.name for path in (ROOT / "exercises").iterdir()) == NAMES


def test_the_release_holds_no_solution() -> None:
    for name in NAMES:
        text = "\n".join(cell.source for cell in notebook("exercises", name).cells)
        assert "MARK SCHEME" not in text
        assert "SOLUTION" not in text


# --- the bank -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_dollars_become_mathematics(name: str) -> None:
    """JupyterLab typesets what stands between two of a paragraph, escaped or not."""
    cells = notebook("exercises", name).cells
    said = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    paragraphs = re.split(r"\n\s*\n", re.sub(r"`[^`]*`", "", said))
    assert [part for part in paragraphs if part.count("$") > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_assignment_has_a_bank(name: str) -> None:
    wrong = bank(name).WRONG
    assert len(wrong) >= FEWEST_WRONG
    assert len(bank(name).RIGHT) >= 2
    broken = {behaviour for each in wrong.values() for behaviour in each.loses or each.functions}
    assert broken == {behaviour.name for behaviour in find(name).behaviours}


@pytest.mark.parametrize(("name", "style"), entries("RIGHT"))
def test_every_right_answer_gets_full_marks(name: str, style: str) -> None:
    written = sources(banked(name, "RIGHT")[style])
    made = authoring.functions(notebook("solutions", name), written)
    for behaviour in touched(name, set(written)):
        for seed in (PUBLIC_SEED, SEED):
            found = authoring.judged(name, behaviour, made[behaviour], seed)
            wrong = [each.verdict.said for each in found.findings if not each.verdict.right]
            assert wrong == [], f"{behaviour}, {style}"


@pytest.mark.parametrize(("name", "title"), entries("WRONG"))
def test_a_wrong_answer_loses_its_own_points_and_no_other(name: str, title: str) -> None:
    wrong: Wrong = banked(name, "WRONG")[title]
    made = authoring.functions(notebook("solutions", name), wrong.sources())
    loses = wrong.loses or dict.fromkeys(wrong.functions, "")
    for behaviour in touched(name, set(wrong.functions) | set(loses)):
        for seed in (PUBLIC_SEED, SEED):
            share = score(name, behaviour, made[behaviour], seed)
            if behaviour in loses:
                assert share <= wrong.keeps, f"{behaviour} keeps {share:.0%} on {seed!r}"
            else:
                assert share == 1.0, f"{behaviour} keeps {share:.0%} on {seed!r}"
    for behaviour, words in loses.items():
        memory._latest.clear()
        message = repr(checks.grade(name, made[behaviour], behaviour))
        assert words in message, message


@pytest.mark.parametrize("name", NAMES)
def test_answers_learned_by_heart_earn_next_to_nothing(name: str) -> None:
    def key(arguments: dict[str, Any]) -> str:
        return repr([getattr(each, "to_csv", each.__repr__)() for each in arguments.values()])

    for behaviour in find(name).behaviours:
        cases = sheet(name, behaviour.name, PUBLIC_SEED).cases
        table = {key(case.arguments): case.truth for case in cases}

        def by_heart(table: Any = table, other: Any = cases[0].truth, **given: Any) -> Any:
            return table.get(key(given), other)

        assert score(name, behaviour.name, by_heart, PUBLIC_SEED) > 0.9, behaviour.name
        assert score(name, behaviour.name, by_heart, SEED) <= 0.1, behaviour.name


@pytest.mark.parametrize("folder", ["solutions", "exercises"])
@pytest.mark.parametrize("name", NAMES)
def test_the_judge_gives_all_or_nothing_outside_the_kernel(name: str, folder: str) -> None:
    """Record, Report and Judge on the whole notebook, as nbgrader runs them; no gradebook."""
    book = nbformat.from_dict(notebook(folder, name))
    where = {"assignment": name, "notebook": name, "student": "somebody"}
    resources: dict[str, Any] = {"nbgrader": where, "metadata": {"path": ""}}
    record = Record(seed=SEED, timeout=300, kernel_name="python3", shutdown_kernel="immediate")
    for step in (record, Report(), Judge(seed=SEED)):
        book, resources = step.preprocess(book, resources)
    for behaviour in find(name).behaviours:
        (output,) = cell_named(book, f"check-{behaviour.name}").outputs
        full = behaviour.points if folder == "solutions" else 0
        assert float(output.data["text/plain"]) == full, behaviour.name
    assert resources["reported"] == {}


# --- lesson 5's, by the real nbgrader -------------------------------------------------------------

NAME = "when_batch_outgrows_itself"
BEHAVIOURS = {behaviour.name: behaviour for behaviour in find(NAME).behaviours}
AUTOMATIC = 70
TYPICAL = "a bad night is a trend"


def submissions() -> dict[str, dict[str, str]]:
    return {
        "reference": {},
        "wrong": bank(NAME).WRONG[TYPICAL].sources(),
    }


@pytest.fixture(scope="module")
def classroom(tmp_path_factory) -> Path:
    """Everybody graded by the real nbgrader, with feedback and the exported table."""
    folder = tmp_path_factory.mktemp("class")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    done = nbgrader(folder, "generate_assignment", NAME, seed=None)
    assert done.returncode == 0, done.stderr
    released = folder / "exercises" / NAME / f"{NAME}.ipynb"
    solved = nbformat.read(folder / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    for student, cells in {**submissions(), "stub": None}.items():
        handed_in = nbformat.read(released, as_version=4)
        for name in BEHAVIOURS if cells is not None else ():
            reference = cell_named(solved, name).source
            cell_named(handed_in, name).source = cells.get(name, reference)
        where = folder / "classroom" / "submitted" / student / NAME
        where.mkdir(parents=True)
        (where / released.name).write_text(nbformat.writes(handed_in), encoding="utf-8")
    for command in (["autograde", NAME], ["generate_feedback", NAME]):
        done = nbgrader(folder, *command)
        assert done.returncode == 0, done.stderr
    done = nbgrader(folder, "export", "--to=classroom/grades.csv", seed=None)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def exported(classroom) -> dict[str, float]:
    with (classroom / "classroom" / "grades.csv").open(encoding="utf-8", newline="") as table:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(table)}


def test_the_reference_gets_every_automatic_point(exported):
    assert exported["reference"] == AUTOMATIC


def test_the_untouched_stub_gets_none(exported):
    assert exported["stub"] == 0


def test_nbgrader_takes_what_this_process_would(exported: dict[str, float]) -> None:
    lost = 0.0
    for name, source in submissions()["wrong"].items():
        made = authoring.functions(notebook("solutions", NAME), {name: source})
        lost += BEHAVIOURS[name].points * (1 - score(NAME, name, made[name], SEED))
    assert lost > 0
    assert exported["wrong"] == pytest.approx(AUTOMATIC - lost, abs=0.02)


def test_feedback_shows_the_question_and_no_hidden_pipeline(classroom):
    page = (classroom / "classroom" / "feedback" / "wrong" / NAME / f"{NAME}.html").read_text(
        encoding="utf-8"
    )
    assert "One bad night is not a trend" in page
    assert "pipelines drawn for grading right" in page
    assert "somebody who takes the longest run for the typical one" in page
    assert "_outgrew_verdict" not in page


# --- one column is not a diagnosis ----------------------------------------------------------------

COLUMNS = ("hours", "rows_new", "rows_read", "rows_written", "read_seconds", "transform_seconds")
COLUMNS += ("write_seconds", "cost_usd", "pages", "state_bytes")


def features(runs, column) -> np.ndarray | None:
    """What a rule on one column could look at: levels, spread and change."""
    if column == "hours":
        values = (runs["end"] - runs["start"]).dt.total_seconds().to_numpy()
    elif column in runs:
        values = runs[column].to_numpy(float)
    else:
        return None
    now, then = values[-28:], values[:28]
    return np.array(
        [
            np.median(now),
            now.mean(),
            now.max(),
            now.std() / max(now.mean(), 1e-9),
            np.median(now) / max(np.median(then), 1e-9),
            values.max() / max(np.median(values), 1e-9),
            values[-1] / max(values[0], 1e-9),
        ]
    )


def best_rule(name: str, column: str) -> Callable[..., Any] | None:
    """The threshold on one feature of one column that is right most often on five other seeds."""
    if "runs" not in sheet(NAME, name, "public").cases[0].arguments:
        return None
    cases = [
        case for seed in ("public", "a", "b", "c", "d") for case in sheet(NAME, name, seed).cases
    ]
    seen = [features(case.arguments["runs"], column) for case in cases]
    if seen[0] is None:
        return None
    table, truths = np.array(seen), np.array([str(case.truth) for case in cases])
    labels = {str(case.truth): case.truth for case in cases}
    best = (0.0, 0, 0.0, "", "")
    for feature in range(table.shape[1]):
        for threshold in np.quantile(table[:, feature], np.linspace(0.03, 0.97, 32)):
            above = table[:, feature] > threshold
            for low in labels:
                for high in labels:
                    share = (np.where(above, high, low) == truths).mean()
                    best = max(best, (share, feature, threshold, low, high))
    _, feature, threshold, low, high = best

    def rule(runs, **others):
        return labels[high if features(runs, column)[feature] > threshold else low]

    return rule


@pytest.mark.parametrize("column", COLUMNS)
def test_a_rule_on_one_column_gets_at_most_40_percent(column):
    earned = 0.0
    for name, behaviour in BEHAVIOURS.items():
        rule = best_rule(name, column)
        if rule is not None:
            asked = sheet(NAME, name, SEED)
            given = list(answers(rule, copies(case.arguments for case in asked.cases)))
            earned += judge(asked, given).score * behaviour.points
    assert earned <= 0.4 * AUTOMATIC
