"""The graded exercise: released as its source says, graded by the real nbgrader as it deserves.

Wrong submissions are typical ones; each must lose the points of what it gets wrong and no other.
"""

import csv
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from teacher import SEED, cell_named, nbgrader
from tradeoff.checks.judge import Behaviour, find, judge, sheet
from tradeoff.checks.record import answers, copies

ROOT = Path(__file__).resolve().parents[1]
NAME = "when_batch_outgrows_itself"
BEHAVIOURS = {behaviour.name: behaviour for behaviour in find(NAME).behaviours}
AUTOMATIC = sum(behaviour.points for behaviour in BEHAVIOURS.values())


def notebook(folder: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / folder / NAME / f"{NAME}.ipynb", as_version=4)


@functools.cache
def reference() -> dict[str, str]:
    """The solution's source of each function's cell."""
    solved = notebook("solutions")
    return {name: cell_named(solved, name).source for name in BEHAVIOURS}


@functools.cache
def function(name: str, source: str) -> Callable[..., Any]:
    """Run the notebook's set-up and one solution cell; the function it defines."""
    namespace: dict[str, Any] = {}
    exec(next(cell.source for cell in notebook("solutions").cells if cell.id == "setup"), namespace)
    exec(source, namespace)
    return namespace[name]


@functools.cache
def score(name: str, source: str, seed: str = SEED) -> float:
    """Points that a function deserves, judged in this process."""
    behaviour: Behaviour = BEHAVIOURS[name]
    asked = sheet(NAME, name, seed)
    given = list(answers(function(name, source), copies(case.arguments for case in asked.cases)))
    return judge(asked, given).score * behaviour.points


# --- the source and the release -------------------------------------------------------------------


def test_points_add_up_to_100_of_which_70_are_automatic():
    marked = [cell.metadata.get("nbgrader", {}) for cell in notebook("solutions").cells]
    points = {cell["grade_id"]: cell["points"] for cell in marked if cell.get("grade")}
    assert sum(points.values()) == 100
    assert sum(points[f"check-{name}"] for name in BEHAVIOURS) == AUTOMATIC == 70


def test_exercises_is_what_nbgrader_makes_of_solutions(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    for source in sorted((ROOT / "solutions").iterdir()):
        done = nbgrader(tmp_path, "generate_assignment", source.name, seed=None)
        assert done.returncode == 0, done.stderr

    def files(folder: Path) -> dict[str, bytes]:
        found = (path for path in folder.rglob("*.*") if ".ipynb_checkpoints" not in path.parts)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    made, committed = files(tmp_path / "exercises"), files(ROOT / "exercises")
    assert made.keys() == committed.keys()
    for name, content in made.items():
        assert content == committed[name].replace(b"\r\n", b"\n"), f"{name}: generate it anew"


def test_the_release_holds_tasks_and_no_solution():
    released = notebook("exercises")
    text = "\n".join(cell.source for cell in released.cells)
    assert "MARK SCHEME" not in text
    assert "SOLUTION" not in text
    for name in BEHAVIOURS:
        stub = cell_named(released, name).source
        assert "YOUR CODE HERE" in stub
        task = next(cell.source for cell in released.cells if cell.id == f"task-{name}")
        assert f"`{name}(" in task
        assert "*Worked example.*" in task


@pytest.mark.parametrize("seed", ["public", SEED, "another year"])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_solution_is_right_on_every_pipeline(name, seed):
    assert score(name, reference()[name], seed) == BEHAVIOURS[name].points


# --- typical wrong diagnoses ----------------------------------------------------------------------

# Which functions each gets wrong; all others are the reference's.
WRONG: dict[str, dict[str, str]] = {
    "a bad night is a trend, growth or not": {
        "outgrew_window": """
            def outgrew_window(runs, run_window_hours):
                hours = (runs["end"] - runs["start"]).dt.total_seconds() / 3600
                return bool(hours.max() > run_window_hours)
        """
    },
    "reading much is rereading": {
        "rereads_source": """
            def rereads_source(runs):
                return bool(runs["rows_read"].tail(28).median() > 10_000_000)
        """
    },
    "streaming fixes slow": {
        "smallest_change": """
            def smallest_change(workload, consumers, engines):
                offer = engines[-1]
                needed = workload.narrowed(max(consumer.share for consumer in consumers))
                for nodes in range(3, 33):
                    stream = Design(needed, offer, "streaming", Cadence.per_event(), nodes,
                                    consumers=consumers)
                    if evaluate(stream).serves:
                        return [stream.facts()]
        """
    },
    "a deadline is a tier, lateness is latency": {
        "paths_by_tier": """
            def paths_by_tier(consumers):
                early = consumers["deadline_hour"].fillna(24) <= 6
                return [group["name"].tolist() for _, group in consumers.groupby(early)]
        """,
        "failing_dimension": """
            def failing_dimension(runs, consumers, limits):
                hours = (runs["end"] - runs["start"]).dt.total_seconds().tail(28).median() / 3600
                age = (limits["interval_hours"] + hours) * 3600
                if consumers["freshness_seconds"].min() < age:
                    return "latency"
                return "throughput" if hours > limits["run_window_hours"] else "none"
        """,
    },
}
EQUALS_EVERYTHING = """
class Anything:
    def __eq__(self, other):
        return True
    def __bool__(self):
        return True
    def __hash__(self):
        return 0


def {name}(*arguments, **named):
    return Anything()
"""


def dedented(source: str) -> str:
    from textwrap import dedent

    return dedent(source).strip()


def submissions() -> dict[str, dict[str, str]]:
    wrong = {
        f"wrong_{number}": {name: dedented(source) for name, source in cells.items()}
        for number, cells in enumerate(WRONG.values())
    }
    return {
        "reference": {},
        **wrong,
        "anything": {name: EQUALS_EVERYTHING.format(name=name).strip() for name in BEHAVIOURS},
    }


@pytest.mark.parametrize("title", WRONG)
def test_a_typical_wrong_diagnosis_loses_its_own_part(title):
    for name, source in WRONG[title].items():
        assert score(name, dedented(source)) < 0.6 * BEHAVIOURS[name].points


@pytest.fixture(scope="module")
def classroom(tmp_path_factory) -> Path:
    """Everybody graded by the real nbgrader, with feedback and the exported table."""
    folder = tmp_path_factory.mktemp("class")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    done = nbgrader(folder, "generate_assignment", NAME, seed=None)
    assert done.returncode == 0, done.stderr
    released = folder / "exercises" / NAME / f"{NAME}.ipynb"
    for student, cells in {**submissions(), "stub": None}.items():
        handed_in = nbformat.read(released, as_version=4)
        for name in BEHAVIOURS if cells is not None else ():
            cell_named(handed_in, name).source = cells.get(name, reference()[name])
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


def test_an_object_that_equals_everything_gets_none(exported):
    assert exported["anything"] == 0


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_nbgrader_takes_the_points_of_the_wrong_part_and_no_other(exported, number):
    cells = submissions()[f"wrong_{number}"]
    lost = sum(BEHAVIOURS[name].points - score(name, source) for name, source in cells.items())
    assert lost > 0
    assert exported[f"wrong_{number}"] == pytest.approx(AUTOMATIC - lost, abs=0.02)


def test_feedback_shows_the_question_and_no_hidden_pipeline(classroom):
    page = (classroom / "classroom" / "feedback" / "wrong_0" / NAME / f"{NAME}.html").read_text(
        encoding="utf-8"
    )
    assert "One bad night is not a trend" in page
    assert "pipelines drawn for grading right" in page
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
    cases = [
        case
        for seed in ("public", "a", "b", "c", "d")
        for case in sheet(NAME, name, seed).cases
        if "runs" in case.arguments
    ]
    seen = [features(case.arguments["runs"], column) for case in cases]
    if not cases or seen[0] is None:
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
