"""The teacher's loop with the real nbgrader, on a small assignment and many submissions.

One release, one autograde run over all submissions, one feedback run, one export; the tests below
read what came out. The expected points are computed from the cases, never from a grading run.
"""

import csv
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from assignments import nightly
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from teacher import SEED, cell_named, nbgrader
from tradeoff.checks import Assignment, Misconception
from tradeoff.checks import nbgrader as steps
from tradeoff.checks.judge import PUBLIC_SEED, generator, sheet
from tradeoff.checks.nbgrader import CheckQuestions
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "assignments.nightly:ASSIGNMENT"  # tests/ is on the path
SECONDS = '4 if "record" in cell.source else 60'  # short only where the endless loops are

REFERENCE = {
    "misses_deadline": """
        def misses_deadline(runs, deadline_hour):
            ### BEGIN SOLUTION
            return bool((runs["end_hour"] > deadline_hour).any())
            ### END SOLUTION
    """,
    "slowest_stage": """
        def slowest_stage(seconds):
            ### BEGIN SOLUTION
            return max(seconds, key=seconds.get)
            ### END SOLUTION
    """,
    "backlog_rows": """
        def backlog_rows(arrived, read):
            ### BEGIN SOLUTION
            return arrived - read
            ### END SOLUTION
    """,
}
POINTS = {"misses_deadline": 12.0, "slowest_stage": 12.0, "backlog_rows": 6.0}
FULL = dict(POINTS)
ZERO = dict.fromkeys(POINTS, 0.0)


def code(source: str) -> str:
    return dedent(source).strip()


def nbgrader_cell(source: str, name: str, **metadata: Any) -> nbformat.NotebookNode:
    kind = {"grade": False, "solution": False, "locked": False, "task": False, **metadata}
    cell = new_code_cell(code(source), id=name.replace("_", "-"))
    cell.metadata.nbgrader = {"schema_version": 3, "grade_id": name, "cell_type": "code", **kind}
    return cell


def source_notebook() -> nbformat.NotebookNode:
    cells = [
        new_markdown_cell("# Nightly", id="title"),
        nbgrader_cell("from tradeoff import checks", "setup", locked=True),
    ]
    for name, source in REFERENCE.items():
        check = f'checks.grade("{ASSIGNMENT}", {name})'
        cells += [
            nbgrader_cell(source, name, solution=True),
            nbgrader_cell(check, f"check_{name}", grade=True, locked=True, points=POINTS[name]),
        ]
    prose = new_markdown_cell("Because the worst night decides.", id="prose")
    prose.metadata.nbgrader = {
        **{"schema_version": 3, "grade_id": "prose", "cell_type": "markdown", "points": 10},
        **{"grade": True, "solution": True, "locked": False, "task": False},
    }
    kernel = {"name": "a-kernel-of-its-own", "display_name": "Nightly", "language": "python"}
    return new_notebook(cells=[*cells, prose], metadata={"kernelspec": kernel})


@dataclass(frozen=True)
class Submission:
    """What a learner wrote, and the points each behaviour deserves (None: the teacher's to set)."""

    expected: dict[str, float | None]
    answers: dict[str, str]
    edit: Callable[[nbformat.NotebookNode], None] = lambda notebook: None


def with_one(name: str, source: str, points: float | None = 0.0, **more: Any) -> Submission:
    """Right in everything but one function."""
    return Submission({**FULL, name: points}, {**REFERENCE, name: source}, **more)


def add_cell(source: str, position: int | None = None) -> Callable[[nbformat.NotebookNode], None]:
    def edit(notebook: nbformat.NotebookNode) -> None:
        where = len(notebook.cells) if position is None else position
        notebook.cells.insert(where, new_code_cell(code(source)))

    return edit


def tampered(notebook: nbformat.NotebookNode) -> None:
    """Every graded cell answers for itself, is worth a fortune and claims to be something else.

    The last one is no longer code.
    """
    for number, name in enumerate(POINTS):
        cell = cell_named(notebook, f"check_{name}")
        cell.source = "1000.0"
        cell.metadata.nbgrader.points = 1000
        cell.metadata.nbgrader[("solution", "task", "locked")[number]] = number < 2
        cell.metadata.nbgrader.schema_version = number + 2
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def duplicated(notebook: nbformat.NotebookNode) -> None:
    notebook.cells += json.loads(json.dumps(notebook.cells[2:4]), object_hook=nbformat.from_dict)
    notebook.cells[-1].id, notebook.cells[-2].id = "copy-one", "copy-two"
    unknown = nbgrader_cell("30.0", "check_bonus", grade=True, locked=True, points=30)
    notebook.cells.append(unknown)


def deleted(notebook: nbformat.NotebookNode) -> None:
    graded = [cell_named(notebook, f"check_{name}") for name in POINTS]
    notebook.cells = [cell for cell in notebook.cells if cell not in graded]


def visible_answers(name: str) -> str:
    """A function that has learned every public case by heart."""
    cases = sheet(ASSIGNMENT, name, PUBLIC_SEED).cases
    table = {repr(case.arguments["seconds"]): case.truth for case in cases}
    return f"def {name}(seconds):\n    return {table!r}.get(repr(seconds), 'read')"


def half_right(name: str, right: Callable[[dict[str, Any]], bool]) -> float:
    """Points of a function that is right exactly on the cases for which `right` holds."""
    drawn = sheet(ASSIGNMENT, name, SEED)
    share = sum(right(case.arguments) for case in drawn.cases) / len(drawn.cases)
    constant = {"misses_deadline": 1 / 2, "slowest_stage": 1 / 3}[name]
    return round(POINTS[name] * max(0.0, (share - constant) / (1 - constant)), 2)


def forged(name: str, answers: list[Any], silent: bool = True) -> str:
    """A function that displays a record of its own making, with the cell's true ticket.

    `silent` keeps the recorder's own record from being displayed after it.
    """
    return f"""
        import sys
        import IPython.display

        shown = []
        show = IPython.display.display
        if {silent}:
            IPython.display.display = lambda *given, **named: None

        def {name}(**arguments):
            frame = sys._getframe()
            while "supplied" not in frame.f_locals:
                frame = frame.f_back
            ticket = frame.f_locals["supplied"]["cell"]
            record = {{"cell": ticket, "found": True, "answers": {answers!r}}}
            if not shown:
                shown.append(record)
                show({{"application/vnd.tradeoff.answers+json": record}}, raw=True)
    """


def reordered(*, first: bool) -> Callable[[nbformat.NotebookNode], None]:
    """Moves the graded cells, backwards, before the functions or behind all else."""

    def edit(notebook: nbformat.NotebookNode) -> None:
        graded = [cell_named(notebook, f"check_{name}") for name in reversed(POINTS)]
        others = [cell for cell in notebook.cells if cell not in graded]
        notebook.cells = graded + others if first else others + graded

    return edit


# Right on 20 of 30 three-way choices: half of what lies above the constant answer's third.
FORGED = [
    {"returned": case.truth if i < 20 else "none of these"}
    for i, case in enumerate(sheet(ASSIGNMENT, "slowest_stage", SEED).cases)
]


SUBMISSIONS = {
    "reference": Submission(FULL, REFERENCE),
    "stub": Submission(ZERO, {}),
    "other_style": Submission(
        FULL,
        {
            "misses_deadline": """
                import numpy as np

                def misses_deadline(runs, deadline_hour):
                    runs["end_hour"] -= deadline_hour
                    late = np.any(runs.pop("end_hour").to_numpy() > 0)
                    runs.drop(runs.index, inplace=True)
                    return late
            """,
            "slowest_stage": """
                import numpy as np

                def slowest_stage(seconds):
                    name = np.array(list(seconds))[np.argmax(list(seconds.values()))]
                    seconds.clear()
                    return name
            """,
            "backlog_rows": "import numpy as np\nbacklog_rows = lambda arrived, read: "
            "np.int32(arrived - read)",
        },
    ),
    "warns": with_one(
        "slowest_stage",
        """
            import sys
            import warnings

            def slowest_stage(seconds):
                warnings.warn("deprecated", DeprecationWarning)
                print("looking at", seconds)
                print("looking at", seconds, file=sys.stderr)
                return max(seconds, key=seconds.get)

            warnings.warn("also outside", UserWarning)
        """,
        12.0,
    ),
    "half": Submission(
        {
            "misses_deadline": half_right("misses_deadline", lambda a: a["deadline_hour"] > 6),
            "slowest_stage": half_right(
                "slowest_stage", lambda a: a["seconds"]["write"] < max(a["seconds"].values())
            ),
            "backlog_rows": 6.0,
        },
        {
            "misses_deadline": """
                def misses_deadline(runs, deadline_hour):
                    late = bool((runs["end_hour"] > deadline_hour).any())
                    return late if deadline_hour > 6 else not late
            """,
            "slowest_stage": """
                def slowest_stage(seconds):
                    return "read" if seconds["read"] > seconds["transform"] else "transform"
            """,
            "backlog_rows": REFERENCE["backlog_rows"],
        },
    ),
    "shortcuts": Submission(
        {**ZERO, "backlog_rows": 6.0},
        {
            **REFERENCE,
            "misses_deadline": "def misses_deadline(runs, deadline_hour): return True",
            "slowest_stage": visible_answers("slowest_stage"),
        },
    ),
    "equal": Submission(
        ZERO,
        {
            name: f"""
                class Equal:
                    __eq__ = __lt__ = __gt__ = __contains__ = lambda self, other: True
                    __hash__ = lambda self: 0
                    __bool__ = lambda self: True

                def {name}(**arguments):
                    return Equal()
            """
            for name in POINTS
        },
    ),
    "wrong_types": Submission(
        ZERO,
        {
            "misses_deadline": "def misses_deadline(runs, deadline_hour): return 'yes'",
            "slowest_stage": "def slowest_stage(seconds): return seconds",
            "backlog_rows": "def backlog_rows(arrived, read): print(arrived - read)",
        },
    ),
    "fails": Submission(
        ZERO,
        {
            "misses_deadline": "def misses_deadline(runs, deadline_hour): return runs['load']",
            "slowest_stage": "def slowest_stage(seconds): raise SystemExit(12.0)",
            "backlog_rows": "backlog_rows = 12.0",
        },
    ),
    "loops": with_one(
        "misses_deadline",
        """
            def misses_deadline(runs, deadline_hour):
                while True:
                    pass
        """,
    ),
    "stubborn": with_one(
        "misses_deadline",
        """
            def misses_deadline(runs, deadline_hour):
                while True:
                    try:
                        while True:
                            pass
                    except BaseException:
                        continue
        """,
    ),
    "dies": with_one("slowest_stage", "import os\ndef slowest_stage(seconds): os._exit(0)"),
    "our_fault": with_one("backlog_rows", "def backlog_rows(arrived, read): return 0", None),
    "forges": Submission(  # its silence also costs it the cell after
        {"misses_deadline": 12.0, "slowest_stage": 6.0, "backlog_rows": 0.0},
        {**REFERENCE, "slowest_stage": forged("slowest_stage", FORGED)},
    ),
    "forges_twice": with_one("slowest_stage", forged("slowest_stage", FORGED, silent=False), 0.0),
    "forges_points": with_one(
        "backlog_rows", forged("backlog_rows", [{"returned": 1, "points": 6.0}] * 24)
    ),
    "forges_too_many": with_one("backlog_rows", forged("backlog_rows", [{"returned": 1}] * 1000)),
    "replays": Submission(
        {**ZERO, "misses_deadline": 12.0},
        {
            **REFERENCE,
            "misses_deadline": """
                import IPython.display

                shown = []
                show = IPython.display.display

                def show_the_first_again(data, **how):
                    shown.append(data)
                    show(shown[0], **how)

                IPython.display.display = show_the_first_again

                def misses_deadline(runs, deadline_hour):
                    return bool((runs["end_hour"] > deadline_hour).any())
            """,
        },
    ),
    "patches": Submission(
        ZERO,
        {},
        add_cell(
            """
                import builtins
                from tradeoff import checks
                from tradeoff.checks import judge, record

                checks.grade = lambda *given: 12.0
                judge._verdict = lambda *given: judge.Verdict(True)
                record.answers = lambda function, frozen: [{"returned": True} for _ in frozen]
                builtins.callable = lambda thing: True
                builtins.abs = lambda number: 0
            """,
            2,
        ),
    ),
    "transforms": Submission(
        ZERO,
        REFERENCE,
        add_cell("get_ipython().input_transformers_cleanup.append(lambda lines: ['12.0'])", 2),
    ),
    "transforms_tree": Submission(
        ZERO,
        {},
        add_cell(
            """
                import ast

                class Full(ast.NodeTransformer):
                    def visit_Expr(self, node):
                        return ast.copy_location(ast.Expr(ast.Constant(12.0)), node)

                get_ipython().ast_transformers.append(Full())
            """,
            2,
        ),
    ),
    "handles": Submission(
        ZERO,
        {},
        add_cell(
            """
                import sys
                from IPython.display import display

                def handled(shell, kind, error, traceback, tb_offset=None):
                    display(12.0)

                get_ipython().set_custom_exc((Exception,), handled)
                sys.excepthook = lambda *given: display(12.0)
            """,
            2,
        ),
    ),
    "malformed": Submission(  # here, too, silence costs it the cell after
        {"misses_deadline": 12.0, "slowest_stage": 0.0, "backlog_rows": 0.0},
        {
            **REFERENCE,
            "slowest_stage": forged("slowest_stage", FORGED).replace(
                '"found": True', '"found": "yes"'
            ),
        },
    ),
    "reorders": Submission(FULL, REFERENCE, reordered(first=False)),
    "reorders_early": Submission(ZERO, REFERENCE, reordered(first=True)),
    "peeks": with_one(
        "slowest_stage",
        """
            from tradeoff.scenarios import faults

            def slowest_stage(seconds):
                return max(seconds, key=seconds.get)
        """,
        12.0,
    ),
    "peeks_elsewhere": Submission(FULL, REFERENCE, add_cell("import tradeoff.diagnosis", 2)),
    "peeks_in_hiding": Submission(
        FULL,
        REFERENCE,
        add_cell("import pkgutil\npkgutil.resolve_name('tradeoff' + '.scenarios.faults')", 2),
    ),
    "practises": Submission(  # a scratch cell with the arguments of an example is no peeking
        FULL,
        REFERENCE,
        add_cell(f"checks.arguments({ASSIGNMENT!r}, 'slowest_stage', 0)\nchecks.progress()"),
    ),
    "runs_instead": Submission(
        ZERO,
        REFERENCE,
        add_cell(
            """
                shell = get_ipython()
                run_cell = shell.run_cell
                shell.run_cell = lambda raw, **how: run_cell("12.0")
                run_cell_async = shell.run_cell_async
                shell.run_cell_async = lambda raw, **how: run_cell_async("12.0")
            """,
            2,
        ),
    ),
    "tampers": Submission(ZERO, {}, tampered),
    "tampers_right": Submission(FULL, REFERENCE, tampered),
    "duplicates": Submission(FULL, REFERENCE, duplicated),
    "deletes": Submission(FULL, REFERENCE, deleted),
    "leaks": Submission(
        ZERO,
        {
            "misses_deadline": """
                def misses_deadline(runs, deadline_hour):
                    print(runs)
                    raise ValueError(runs.to_string())
            """,
        },
        add_cell(
            """
                import linecache
                print(In, linecache.cache)
                raise ValueError(str(In))
            """
        ),
    ),
}


@dataclass(frozen=True)
class Course:
    folder: Path
    log: str
    """What autograde told the teacher."""
    grades: dict[str, dict[str, tuple[float | None, bool]]]
    """Student, behaviour: automatic points, whether the teacher must look."""

    def feedback(self, student: str) -> str:
        page = self.folder / "classroom" / "feedback" / student / "nightly" / "nightly.html"
        return page.read_text(encoding="utf-8")


def hand_in(folder: Path, student: str, submission: Submission) -> None:
    notebook = nbformat.read(folder / "exercises" / "nightly" / "nightly.ipynb", as_version=4)
    for name, source in submission.answers.items():
        cell_named(notebook, name).source = code(source)
    submission.edit(notebook)
    where = folder / "classroom" / "submitted" / student / "nightly"
    where.mkdir(parents=True)
    (where / "nightly.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")


def grades(folder: Path) -> dict[str, dict[str, tuple[float | None, bool]]]:
    with Gradebook(f"sqlite:///{folder / 'classroom' / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                grade.name.removeprefix("check_"): (grade.auto_score, grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions("nightly")
        }


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with this project's configuration and the assignment released."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"\nc.Execute.timeout_func = lambda cell: {SECONDS}\n")
    (folder / "solutions" / "nightly").mkdir(parents=True)
    (folder / "solutions" / "nightly" / "nightly.ipynb").write_text(
        nbformat.writes(source_notebook()), encoding="utf-8"
    )
    done = nbgrader(folder, "generate_assignment", "nightly", seed=None)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def course(released: Path) -> Course:
    for student, submission in SUBMISSIONS.items():
        hand_in(released, student, submission)
    broken = released / "classroom" / "submitted" / "a_broken_file" / "nightly"
    broken.mkdir(parents=True)
    (broken / "nightly.ipynb").write_text("{ not a notebook", encoding="utf-8")
    graded = nbgrader(released, "autograde", "nightly")
    assert graded.returncode == 1, "nbgrader reports the broken file with its exit code"
    shown = nbgrader(released, "generate_feedback", "nightly")
    assert shown.returncode == 0, shown.stderr
    return Course(released, graded.stderr, grades(released))


# Scores. Every submission is a case of its own, so a failure names the learner.


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_points_are_what_the_answers_deserve(course: Course, student: str) -> None:
    found = {name: points for name, (points, _) in course.grades[student].items()}
    assert {name: found[name] for name in POINTS} == SUBMISSIONS[student].expected


def test_only_our_own_fault_waits_for_the_teacher(course: Course) -> None:
    waiting = {
        (student, name)
        for student, behaviours in course.grades.items()
        for name, (_, by_hand) in behaviours.items()
        if by_hand and name != "prose" and student != "a_broken_file"
    }
    assert waiting == {("our_fault", "backlog_rows")}
    assert "our_fault, check_backlog_rows: could not be judged: the verdict" in course.log
    assert "ZeroDivisionError" in course.log
    assert "your teacher sets the points" in course.feedback("our_fault")
    assert "ZeroDivisionError" not in course.feedback("our_fault")


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("forges_twice", "more than one record"),
        ("forges_too_many", "more answers than were asked for"),
        ("replays", "not this cell's own"),
        ("transforms", "no record"),
        ("fails", "no function named backlog_rows"),
        ("malformed", "the record of answers is malformed"),
        ("transforms_tree", "no record"),
        ("reorders_early", "no function named misses_deadline"),
        ("stubborn", "ended the kernel or could not be stopped"),
        ("dies", "ended the kernel or could not be stopped"),
        ("loops", "24 not reached before the time was up"),
    ],
)
def test_learner_and_teacher_read_why_there_are_no_points(
    course: Course, student: str, words: str
) -> None:
    assert words in course.feedback(student)
    if "not reached" not in words:
        assert words in course.log


LOOKED_AT = re.compile(r"(\w+), \w+: look at this by hand: (.+)")


def test_the_teacher_is_told_who_used_what_knows_the_answers(course: Course) -> None:
    told: dict[str, list[str]] = {}
    for student, sentence in LOOKED_AT.findall(course.log):
        told.setdefault(student, []).append(sentence)
    assert told.pop("peeks") == ["imports tradeoff.scenarios.faults"]
    assert told.pop("peeks_elsewhere") == ["another cell imports tradeoff.diagnosis"]
    (hidden,) = told.pop("peeks_in_hiding")
    assert hidden.startswith("the kernel had loaded tradeoff.scenarios")
    assert "another cell imports tradeoff.checks.judge" in told.pop("patches")
    forgers = {"forges", "forges_twice", "forges_points", "forges_too_many", "malformed"}
    assert set(told) == forgers, "nobody honest is reported"
    assert told["forges"] == ["reaches into the interpreter by sys._getframe"]


def test_what_was_reported_is_a_comment_and_costs_nothing(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.folder / 'classroom' / 'gradebook.db'}") as gradebook:
        comment = gradebook.find_comment("slowest_stage", "nightly", "nightly", "peeks")
        assert "imports tradeoff.scenarios.faults" in comment.comment
        honest = gradebook.find_comment("slowest_stage", "nightly", "nightly", "reference")
        assert honest.comment is None
    assert "No points were taken for this" in course.feedback("peeks")


def test_a_broken_file_stops_nobody_else_and_the_teacher_is_told(course: Course) -> None:
    assert "for student 'a_broken_file'" in course.log
    assert course.log.count("There was an error processing assignment '") == 1


def test_feedback_shows_the_smallest_visible_case_and_the_question(course: Course) -> None:
    page = course.feedback("shortcuts")
    visible = sheet(ASSIGNMENT, "misses_deadline", PUBLIC_SEED).cases
    smallest = min(
        (case for case in visible if not case.truth), key=lambda case: case.size
    ).arguments["runs"]
    assert smallest["pipeline"][0] in page
    assert "Which night decides: the average one or the worst?" in page
    assert "12 of 24 cases drawn for grading right" in page


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_feedback_holds_no_hidden_input_and_no_source_of_a_check(
    course: Course, student: str
) -> None:
    page = course.feedback(student)
    hidden = sheet(ASSIGNMENT, "misses_deadline", SEED).cases
    for case in hidden:
        assert case.arguments["runs"]["pipeline"][0] not in page
    assert SEED not in page
    assert "_late_verdict" not in page


def test_the_released_cell_is_back_after_grading(course: Course) -> None:
    where = course.folder / "classroom" / "autograded" / "reference" / "nightly" / "nightly.ipynb"
    graded = cell_named(nbformat.read(where, as_version=4), "check_slowest_stage")
    assert graded.source == f'checks.grade("{ASSIGNMENT}", slowest_stage)'
    (output,) = graded.outputs
    assert output.data["text/plain"] == "12"


def test_points_by_hand_reach_the_exported_table(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.folder / 'classroom' / 'gradebook.db'}") as gradebook:
        where = ("nightly", "nightly", "our_fault")
        for name, points in (("check_backlog_rows", 5.0), ("prose", 8.0)):
            grade = gradebook.find_grade(name, *where)
            grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()
    done = nbgrader(course.folder, "export", "--to=classroom/grades.csv", seed=None)
    assert done.returncode == 0, done.stderr
    with (course.folder / "classroom" / "grades.csv").open(encoding="utf-8", newline="") as table:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(table)}
    assert rows["our_fault"] == 12.0 + 12.0 + 5.0 + 8.0
    assert rows["reference"] == 30.0
    assert rows["stub"] == 0.0


def test_without_a_seed_grading_stops_with_one_sentence(released: Path) -> None:
    hand_in(released, "nobody", SUBMISSIONS["stub"])
    done = nbgrader(released, "autograde", "nightly", "--student=nobody", seed=None)
    shutil.rmtree(released / "classroom" / "submitted" / "nobody")
    assert done.returncode == 1
    assert "TRADEOFF_SEED" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (released / "classroom" / "autograded" / "nobody").exists()


def test_everything_nbgrader_makes_lives_in_one_folder(course: Course) -> None:
    found = {path.name for path in course.folder.iterdir()}
    assert found == {"nbgrader_config.py", "solutions", "exercises", "classroom"}


def test_the_released_notebook_holds_no_solution(released: Path) -> None:
    text = (released / "exercises" / "nightly" / "nightly.ipynb").read_text(encoding="utf-8")
    assert "arrived - read" not in text
    assert "NotImplementedError" in text


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda cell: cell.update(source="assert slowest_stage"), "does not end in checks.grade"),
        (lambda cell: cell.metadata.nbgrader.update(points=5), "is worth 5 points"),
        (
            lambda cell: cell.update(source=f'checks.grade("{ASSIGNMENT}", backlog_rows)'),
            "is worth 12.0 points, backlog_rows 6.0",
        ),
        (
            lambda cell: cell.update(source=f'checks.grade("{ASSIGNMENT}", misses_deadline)'),
            "asks misses_deadline again",
        ),
        (
            lambda cell: cell.update(source=f'checks.grade("{ASSIGNMENT}", fastest)'),
            "not for 'fastest'",
        ),
    ],
)
def test_a_cell_that_disagrees_with_its_behaviour_is_not_released(
    edit: Callable[[nbformat.NotebookNode], None], complaint: str
) -> None:
    notebook = source_notebook()
    edit(cell_named(notebook, "check_slowest_stage"))
    with pytest.raises((ValueError, LookupError), match=complaint):
        CheckQuestions().preprocess(notebook, {})


def test_a_notebook_that_was_not_run_is_left_to_the_teacher(course: Course) -> None:
    hand_in(course.folder, "unrun", SUBMISSIONS["reference"])
    nbgrader(course.folder, "autograde", "nightly", "--student=unrun", "--no-execute")
    unrun = grades(course.folder)["unrun"]
    assert {name: unrun[name] for name in POINTS} == dict.fromkeys(POINTS, (None, True))


# What one behaviour builds on, and what misconception is behind the answers: in the feedback.


def shown(student: str, behaviours: dict[str, list[Any]], assignment: str) -> dict[str, Any]:
    """What Judge makes of recorded answers (to hidden and visible cases alike), by behaviour."""
    check = steps.Judge(seed=SEED)
    resources: Any = {
        "nbgrader": {"assignment": "nightly", "notebook": "nightly", "student": student},
        "recorded": {f"check_{name}" for name in behaviours},
    }
    cells = []
    for name, given in behaviours.items():
        source = f'checks.grade("{assignment}", {name})'
        cell = nbgrader_cell(source, f"check_{name}", grade=True, locked=True, points=POINTS[name])
        record = {"cell": check._ticket(resources, cell), "found": True, "answers": given}
        data = {"application/vnd.tradeoff.answers+json": record}
        cell.outputs = [nbformat.v4.new_output("display_data", data)]
        cells.append(cell)
    book, _ = check.preprocess(new_notebook(cells=cells), resources)
    return {name: cell.outputs[0] for name, cell in zip(behaviours, book.cells, strict=True)}


def given_by(assignment: str, name: str, function: Callable[[dict[str, Any]], Any]) -> list[Any]:
    drawn = (*sheet(assignment, name, SEED).cases, *sheet(assignment, name, PUBLIC_SEED).cases)
    return [{"returned": function(case.arguments)} for case in drawn]


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> str:
    late, slow, backlog = nightly.ASSIGNMENT.behaviours
    mistake = Misconception("mean", "takes the mean for the worst", mean_is_late)
    parts = (
        replace(late, misconceptions=(mistake,)),
        replace(slow, needs=("misses_deadline",)),
        backlog,
    )
    monkeypatch.setattr(nightly, "GRADED", Assignment("GRADED", parts), raising=False)
    return "assignments.nightly:GRADED"


def mean_is_late(runs: Any, deadline_hour: int) -> bool:
    return bool(runs["end_hour"].mean() > deadline_hour - 1.5)


def test_feedback_names_the_misconception_and_what_was_not_reached(building: str) -> None:
    wrong = given_by(building, "misses_deadline", lambda given: mean_is_late(**given))
    reads = given_by(building, "slowest_stage", lambda given: "read")
    found = shown("somebody", {"misses_deadline": wrong, "slowest_stage": reads}, building)
    late, slow = found["misses_deadline"], found["slowest_stage"]
    assert "the answers of somebody who takes the mean for the worst" in late.data["text/html"]
    assert late.metadata.tradeoff.misconception == "mean"
    assert late.metadata.tradeoff.state == "failed"
    assert slow.metadata.tradeoff.state == "not reached"
    assert "builds on misses_deadline" in slow.data["text/html"]
    assert "Where do the seconds go" not in slow.data["text/html"]


def test_not_reached_keeps_the_points_its_answers_deserve(building: str) -> None:
    wrong = given_by(building, "misses_deadline", lambda given: True)

    def half(given: dict[str, Any]) -> str:
        seconds = given["seconds"]
        return "read" if seconds["read"] > seconds["transform"] else "transform"

    some = given_by(building, "slowest_stage", half)
    found = shown("somebody", {"misses_deadline": wrong, "slowest_stage": some}, building)
    expected = half_right(
        "slowest_stage", lambda a: a["seconds"]["write"] < max(a["seconds"].values())
    )
    slow = found["slowest_stage"]
    assert slow.metadata.tradeoff.state == "not reached"
    # Named GRADED it draws other cases than ASSIGNMENT does, of the same make: a third is written.
    assert float(slow.data["text/plain"]) == pytest.approx(expected, abs=0.01)
    right = given_by(building, "slowest_stage", lambda g: max(g["seconds"], key=g["seconds"].get))
    found = shown("somebody", {"misses_deadline": wrong, "slowest_stage": right}, building)
    assert found["slowest_stage"].metadata.tradeoff.state == "passed"


# What an assignment forbids, and what its kernel had loaded.


def told(sources: list[str], loaded: list[str], assignment: str = "state_and_watermarks") -> Any:
    """What Report says of a notebook with these cells and one graded cell's record."""
    check = f'checks.grade("{assignment}", windowed_count)'
    graded = nbgrader_cell(check, "check-x", grade=True, locked=True, points=18)
    data = {"application/vnd.tradeoff.answers+json": {"loaded": loaded}}
    graded.outputs = [nbformat.v4.new_output("display_data", data)]
    own = [nbgrader_cell(source, f"own_{i}", solution=True) for i, source in enumerate(sources)]
    resources: Any = {"nbgrader": {"student": "somebody"}}
    _, resources = steps.Report().preprocess(new_notebook(cells=[*own, graded]), resources)
    return resources["reported"]


def test_what_an_assignment_forbids_is_told_where_it_stands() -> None:
    source = "from tradeoff.simulate.windows import TumblingCount"
    assert told(["pass", source], []) == {
        "own_1": ["imports tradeoff.simulate.windows.TumblingCount"]
    }
    assert told(["pass", source], [], "micro_batch") == {}


def test_what_the_kernel_had_loaded_is_told_unless_a_cell_of_ones_own_explains_it() -> None:
    loaded = ["tradeoff.checks", "tradeoff.checks.micro_batch", "tradeoff.scenarios"]
    loaded += ["tradeoff.scenarios.micro_batches"]
    (said,) = told(["pass"], ["tradeoff.model", "tradeoff.simulate.windows"])["own_0"]
    assert said == "the kernel had loaded tradeoff.simulate.windows"
    assert told(["pass"], loaded) != {}, "a graded cell only records"
    assert told(["checks.progress()"], loaded) == {}


# A variant for each student.


def hidden(student: str, *, variants: bool) -> list[Any]:
    step = steps.Judge(seed=SEED, variants=variants)
    question = steps.Asked(ASSIGNMENT, "backlog_rows", "backlog_rows")
    drawn, visible = step._sheets(question, {"nbgrader": {"student": student}})
    assert visible is sheet(ASSIGNMENT, "backlog_rows", PUBLIC_SEED)
    return [case.arguments["arrived"] for case in drawn.cases]


def test_each_student_can_have_a_variant_of_their_own() -> None:
    ann, ben = hidden("ann", variants=True), hidden("ben", variants=True)
    assert ann != ben
    assert ann == hidden("ann", variants=True)
    assert hidden("ann", variants=False) == hidden("ben", variants=False)
    bits = generator(steps.variant(SEED, "ann"), "nightly").bit_generator.random_raw()
    assert int(bits) == 2812544142006045441, "a variant can be graded again next year"


@pytest.mark.parametrize(("said", "wanted"), [("1", True), ("0", False), (None, False)])
def test_variants_are_asked_for_by_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, wanted: bool
) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    monkeypatch.delenv("TRADEOFF_VARIANTS", raising=False)
    if said is not None:
        monkeypatch.setenv("TRADEOFF_VARIANTS", said)
    monkeypatch.setattr("os.environ", dict(os.environ))  # it changes PATH
    config = PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path)).load_config()
    assert config.Record.variants is config.Judge.variants is wanted
