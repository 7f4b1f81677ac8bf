"""What an author runs before an assignment goes out; `tradeoff assignment NAME` prints it.

Each check returns complaints in plain sentences, none when all is well. It needs a checkout: the
solutions are in no wheel.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils  # type: ignore[import-untyped]

from tradeoff.checks import mistakes, scan
from tradeoff.checks.assignment import Assignment, Behaviour, Case, find
from tradeoff.checks.judge import PUBLIC_SEED, Judgement, judge, sheet, verdict
from tradeoff.checks.nbgrader import CheckQuestions, asked
from tradeoff.checks.record import answers, copies
from tradeoff.checks.shrink import no_files

SEEDS = (PUBLIC_SEED, "one class", "another class")
POINTS = 100
DRAWN = 60  # plain pipelines a behaviour's strategy is tried on
WORDS = 20  # an explanation has at least as many


@dataclass(frozen=True)
class Draft:
    """An assignment's folder in a checkout."""

    name: str
    root: Path

    @property
    def assignment(self) -> Assignment:
        return find(self.name)

    def notebook(self, folder: str) -> NotebookNode:
        """The one of `solutions` or `exercises`. Raises OSError when there is none."""
        path = self.root / folder / self.name / f"{self.name}.ipynb"
        return nbformat.read(path, as_version=4)


def cell_named(book: NotebookNode, name: str) -> NotebookNode | None:
    """The cell with this grade_id."""
    for cell in book.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name:
            return cell
    return None


def functions(book: NotebookNode, replaced: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a notebook's code defines, up to its last answer cell; its checks are not run.

    `replaced` puts other source in the answer cells of these names. A cell that fails is left, as
    in a notebook, and the next one run.
    """
    sources = dict(replaced or {})
    last = max((i for i, cell in enumerate(book.cells) if _is_answer(cell)), default=-1)
    namespace: dict[str, Any] = {"__name__": "submission"}
    for cell in book.cells[: last + 1]:
        if cell.cell_type != "code" or asked(cell) is not None:
            continue
        source = sources.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            exec(compile(source, f"<{cell.id}>", "exec"), namespace)
    return namespace


def _is_answer(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and utils.is_solution(cell))


def judged(
    assignment: str, behaviour: str, function: Callable[..., Any], seed: str = PUBLIC_SEED
) -> Judgement:
    """Try a function on the cases of one seed, in this process. Raises CannotJudge."""
    paper = sheet(assignment, behaviour, seed)
    return judge(paper, list(answers(function, copies(case.arguments for case in paper.cases))))


def no_stray_file(draft: Draft) -> Iterator[str]:
    for folder in ("solutions", "exercises"):
        place = draft.root / folder / draft.name
        found = {
            path.relative_to(place).as_posix()
            for path in place.rglob("*")
            if path.is_file() and ".ipynb_checkpoints" not in path.parts
        }
        if missing := {f"{draft.name}.ipynb"} - found:
            yield f"{folder}/{draft.name} lacks {', '.join(missing)}"
        if stray := found - {f"{draft.name}.ipynb"}:
            yield f"{folder}/{draft.name} has files besides its notebook: {', '.join(stray)}"


def cells_and_behaviours_agree(draft: Draft) -> Iterator[str]:
    book = draft.notebook("solutions")
    try:
        CheckQuestions().preprocess(book, {})
    except (ValueError, LookupError) as error:
        yield str(error)
    questions = [question for cell in book.cells if (question := asked(cell)) is not None]
    named = {question.behaviour for question in questions}
    for behaviour in draft.assignment.behaviours:
        if behaviour.name not in named:
            yield f"no cell ends in checks.grade({draft.name!r}, {behaviour.name})"
        cell = cell_named(book, behaviour.name)
        if cell is None or not _is_answer(cell):
            yield f"no answer cell is named {behaviour.name!r}"
    for question in questions:
        if question.assignment != draft.name:
            yield f"a cell asks for assignment {question.assignment!r}"


def points_add_up(draft: Draft) -> Iterator[str]:
    marked = [cell.metadata.get("nbgrader", {}) for cell in draft.notebook("solutions").cells]
    total = sum(cell["points"] for cell in marked if cell.get("grade"))
    if total != POINTS:
        yield f"the points of all cells add up to {total:g}, not {POINTS}"


def every_task_is_stated(draft: Draft) -> Iterator[str]:
    tasks = {cell.id: cell.source for cell in draft.notebook("exercises").cells}
    for behaviour in draft.assignment.behaviours:
        text = tasks.get(f"task-{behaviour.name}")
        if text is None:
            yield f"no cell has the id 'task-{behaviour.name}'"
            continue
        if f"`{behaviour.name}(" not in text:
            yield f"the task of {behaviour.name} does not show its signature"
        if "*Worked example.*" not in text:
            yield f"the task of {behaviour.name} has no *Worked example.*"


def every_check_has_its_hint(draft: Draft) -> Iterator[str]:
    for behaviour in draft.assignment.behaviours:
        if "?" not in behaviour.question:
            yield f"{behaviour.name} has no question for a hint"
        if len(behaviour.explanation.split()) < WORDS:
            yield f"the explanation of {behaviour.name} has fewer than {WORDS} words"


def prose_has_a_rubric(draft: Draft) -> Iterator[str]:
    for cell in draft.notebook("solutions").cells:
        marks = cell.metadata.get("nbgrader", {})
        if not (marks.get("grade") and marks.get("solution")):
            continue
        for wanted in ("=== BEGIN MARK SCHEME ===", "*Comments:*"):
            if wanted not in cell.source:
                yield f"the written answer {marks['grade_id']} has no {wanted}"


def the_stub_scores_nothing(draft: Draft) -> Iterator[str]:
    released = draft.notebook("exercises")
    left = functions(released)
    for behaviour in draft.assignment.behaviours:
        cell = cell_named(released, behaviour.name)
        if cell is None or "YOUR CODE HERE" not in cell.source:
            yield f"the released cell of {behaviour.name} is no stub"
        function = left.get(behaviour.name)
        if callable(function):
            for seed in SEEDS:
                if (found := judged(draft.name, behaviour.name, function, seed)).right:
                    yield f"the stub of {behaviour.name} is right on {found.right} pipelines"


def the_solution_scores_all(draft: Draft) -> Iterator[str]:
    solved = functions(draft.notebook("solutions"))
    for behaviour in draft.assignment.behaviours:
        function = solved.get(behaviour.name)
        if not callable(function):
            yield f"the solution defines no function {behaviour.name}"
            continue
        for seed in SEEDS:
            found = judged(draft.name, behaviour.name, function, seed)
            if not found.passed:
                wrong = next(each for each in found.findings if not each.verdict.right)
                yield (
                    f"the solution of {behaviour.name} is right on {found.right} of {found.total} "
                    f"pipelines of seed {seed!r}; on a case of {wrong.case.label!r}: "
                    f"{wrong.verdict.said}"
                )


def the_solution_uses_no_reference(draft: Draft) -> Iterator[str]:
    for folder in ("solutions", "exercises"):
        code = [cell for cell in draft.notebook(folder).cells if cell.cell_type == "code"]
        sources = [cell.source for cell in code]
        found = scan.uses(sources, draft.assignment.allows, draft.assignment.forbids)
        for cell, sentences in zip(code, found, strict=True):
            for sentence in sentences:
                yield f"{folder}, cell {cell.id}: {sentence}: a learner would be reported"


def misconceptions_are_wrong_and_told_apart(draft: Draft) -> Iterator[str]:
    for behaviour in draft.assignment.behaviours:
        paper = sheet(draft.name, behaviour.name, PUBLIC_SEED)
        for name, theirs in mistakes.mistaken(paper).items():
            given = [each.answer for each in theirs]
            raised = next((each["raised"] for each in given if "raised" in each), None)
            if raised is not None:
                yield f"{behaviour.name}: the misconception {name!r} raised {raised}"
                continue
            found = judge(paper, given)
            match = mistakes.named(found)
            if found.passed:
                yield f"{behaviour.name}: the misconception {name!r} is right on every pipeline"
            elif match is None:
                yield f"{behaviour.name}: the misconception {name!r} would not be named"
            elif match.misconception.name != name:
                yield f"{behaviour.name}: {name!r} looks like {match.misconception.name!r}"


def plain_pipelines_are_sound(draft: Draft) -> Iterator[str]:
    """The solution is right on cases of each `small` strategy."""
    solved = functions(draft.notebook("solutions"))
    for behaviour in draft.assignment.behaviours:
        if behaviour.small is None:
            continue
        wrong = _wrong_on_plain(behaviour, solved[behaviour.name])
        if wrong:
            yield f"the solution of {behaviour.name} is wrong on a plain pipeline of {wrong[0]}"


def _wrong_on_plain(behaviour: Behaviour, function: Callable[..., Any]) -> list[str]:
    from hypothesis import HealthCheck, Phase, given, settings

    assert behaviour.small is not None
    wrong: list[str] = []

    @settings(
        database=None,
        derandomize=True,
        max_examples=DRAWN,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(behaviour.small())
    def try_on(case: Case) -> None:
        (answer,) = answers(function, copies([case.arguments]))
        found = verdict(behaviour, case, answer)
        if not found.right:
            wrong.append(f"{case.label!r}: true is {case.truth!r}, {answer}; {found.said}")

    with no_files():
        try_on()
    return wrong


def the_release_is_up_to_date(draft: Draft) -> Iterator[str]:
    """Regenerated in a folder of its own, the exercise is the one that stands in exercises/."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        there = Path(folder)
        shutil.copy(draft.root / "nbgrader_config.py", there)
        shutil.copytree(draft.root / "solutions" / draft.name, there / "solutions" / draft.name)
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", "generate_assignment", draft.name],
            cwd=there,
            env={key: value for key, value in os.environ.items() if key != "TRADEOFF_SEED"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            yield f"nbgrader can't release it: {done.stderr.strip().splitlines()[-1:]}"
            return
        path = Path("exercises") / draft.name / f"{draft.name}.ipynb"
        kept = draft.root / path
        made = (there / path).read_bytes().replace(b"\r\n", b"\n")
        if not kept.is_file() or kept.read_bytes().replace(b"\r\n", b"\n") != made:
            yield (
                f"{path.as_posix()} is out of date: run "
                f"nbgrader generate_assignment {draft.name} --force"
            )


CHECKS: dict[str, Callable[[Draft], Iterator[str]]] = {
    "no stray file": no_stray_file,
    "cells and behaviours agree": cells_and_behaviours_agree,
    f"points add up to {POINTS}": points_add_up,
    "every task is stated": every_task_is_stated,
    "every check has its hint": every_check_has_its_hint,
    "written answers have a rubric": prose_has_a_rubric,
    "the stub scores 0": the_stub_scores_nothing,
    "the solution gets full marks on three seeds": the_solution_scores_all,
    "nothing in it would be reported": the_solution_uses_no_reference,
    "misconceptions are wrong and told apart": misconceptions_are_wrong_and_told_apart,
    "plain pipelines are sound": plain_pipelines_are_sound,
    "regenerating exercises/ changes nothing": the_release_is_up_to_date,
}


def complaints(draft: Draft, check: str) -> list[str]:
    """What one of `CHECKS` finds, the check's own failures included."""
    try:
        return list(CHECKS[check](draft))
    except Exception as error:
        return [f"it failed: {type(error).__name__}: {error}"]


def names(root: Path) -> list[str]:
    """The assignments that have a solution."""
    return sorted(path.name for path in (root / "solutions").iterdir() if path.is_dir())


def examine(root: Path, chosen: list[str]) -> int:
    """Print what each check finds of each assignment (all without a name); 0 if all is well."""
    bad = 0
    for name in chosen or names(root):
        print(name)
        for title in CHECKS:
            found = complaints(Draft(name, root), title)
            bad += bool(found)
            print(f"  {'✗' if found else '✓'} {title}", flush=True)
            for sentence in found:
                print(f"      {sentence}")
    return int(bad > 0)
