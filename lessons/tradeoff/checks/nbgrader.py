"""The steps added to nbgrader's own pipeline; nbgrader_config.py at the root puts them in place.

generate_assignment   CheckQuestions  every graded cell asks one behaviour, at its points
autograde, sanitize   Restore         the notebook gets its graded cells back as released
autograde             Record          runs the notebook; a graded cell only records answers
                      Judge           judges them here, where seed and truth are
                      Report          tells the teacher who used what knows the answers
                      SaveGrades      what could not be judged waits for the teacher
"""

import ast
import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader import utils  # type: ignore[import-untyped]
from nbgrader.api import Gradebook  # type: ignore[import-untyped]
from nbgrader.nbgraderformat import SCHEMA_VERSION  # type: ignore[import-untyped]
from nbgrader.preprocessors import (  # type: ignore[import-untyped]
    Execute,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
)
from traitlets import Bool, Integer, Unicode

from tradeoff.checks import mistakes, report, scan
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import PUBLIC_SEED, CannotJudge, Judgement, Sheet, judge, sheet
from tradeoff.checks.record import ANSWERS, supply

NO_SEED = (
    "Set the environment variable TRADEOFF_SEED to the secret your class's hidden pipelines are "
    "drawn from (any text; keep it, the same text draws the same pipelines again)."
)


@cache
def take_seed() -> str:
    """The teacher's seed, taken out of the environment so that no kernel inherits it.

    Remembered, since nbgrader reads its configuration more than once. Empty when none is set.
    """
    return os.environ.pop("TRADEOFF_SEED", "")


def stop_without_seed(**_: Any) -> None:
    """nbgrader's hook before a submission is graded; anything but SystemExit it would swallow."""
    raise SystemExit(NO_SEED)


def variant(seed: str, student: str) -> str:
    """The seed of one student's own hidden cases: the same next year, from seed and id alone."""
    return json.dumps([seed, student])


@dataclass(frozen=True)
class Asked:
    """What a graded cell asks: the assignment, the behaviour, and the function's name."""

    assignment: str
    behaviour: str
    function: str

    def sheet(self, seed: str) -> Sheet:
        """Raises CannotJudge, also when there is no such behaviour: the cell is ours."""
        try:
            return sheet(self.assignment, self.behaviour, seed)
        except LookupError as error:
            raise CannotJudge(str(error)) from error


def is_automatic(cell: NotebookNode) -> bool:
    """Whether a cell is graded by running it, not by hand."""
    return bool(cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell))


def asked(cell: NotebookNode) -> Asked | None:
    """Read ``checks.grade("assignment", function)`` off the last line of a graded cell."""
    if not is_automatic(cell):
        return None
    try:
        last = ast.parse(cell.source).body[-1:]
    except SyntaxError:
        return None
    match last:
        case [ast.Expr(ast.Call(ast.Attribute(attr="grade") | ast.Name(id="grade"), given, named))]:
            pass
        case _:
            return None
    match [*given, *(each.value for each in named if each.arg == "behaviour")]:
        case [ast.Constant(str(assignment)), ast.Name(function)]:
            return Asked(assignment, function, function)
        case [ast.Constant(str(assignment)), ast.Name(function), ast.Constant(str(behaviour))]:
            return Asked(assignment, behaviour, function)
    return None


class CheckQuestions(NbGraderPreprocessor):
    """Stops generate_assignment when graded cells and the assignment's behaviours disagree."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        seen: set[tuple[str, str]] = set()
        for cell in filter(is_automatic, nb.cells):
            grade_id, points = cell.metadata.nbgrader.grade_id, cell.metadata.nbgrader.points
            question = asked(cell)
            if question is None:
                raise ValueError(
                    f"cell {grade_id!r} is graded but does not end in "
                    'checks.grade("assignment", function)'
                )
            behaviour = find(question.assignment).behaviour(question.behaviour)
            if float(points) != behaviour.points:
                raise ValueError(
                    f"cell {grade_id!r} is worth {points} points, {behaviour.name} "
                    f"{behaviour.points}"
                )
            if (question.assignment, behaviour.name) in seen:
                raise ValueError(f"cell {grade_id!r} asks {behaviour.name} again")
            seen.add((question.assignment, behaviour.name))
        return nb, resources


class Restore(OverwriteCells):
    """nbgrader's OverwriteCells, which also mends what a submission did to its graded cells.

    Copies and cells of unknown name lose their nbgrader metadata (stock nbgrader stops the whole
    class there), changed metadata is set back, deleted graded cells are put back at the end.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        self.notebook_id = resources["nbgrader"]["notebook"]
        self.assignment_id = resources["nbgrader"]["assignment"]
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            released = gradebook.find_notebook(self.notebook_id, self.assignment_id)
            as_released = self._as_released(released)
            sources = {each.name: each for each in released.source_cells}
            found: set[str] = set()
            for cell in reversed(nb.cells):  # of two copies the last counts, as in nbgrader
                given = cell.metadata.pop("nbgrader", {})
                name = given.get("grade_id") if isinstance(given, dict) else None
                if name in found or name not in as_released:
                    if name is not None:
                        self.log.warning("Cell %r is a copy or unknown: not graded", name)
                    continue
                found.add(name)
                cell.metadata.nbgrader = NotebookNode(as_released[name])
            for name, metadata in as_released.items():
                if name in found or not (metadata["grade"] or metadata["task"]):
                    continue
                self.log.warning("Cell %r was missing: put back at the end", name)
                cell = from_dict(
                    self.missing_cell_transform(
                        sources[name],
                        metadata.get("points"),
                        is_solution=metadata["solution"],
                        is_task=metadata["task"],
                    )
                )
                cell.metadata.nbgrader = NotebookNode(metadata)
                nb.cells.append(cell)
        return super().preprocess(nb, resources)

    @staticmethod
    def _as_released(released: Any) -> dict[str, dict[str, Any]]:
        points = {each.name: each.max_score for each in released.grade_cells}
        tasks = {each.name: each.max_score for each in released.task_cells}
        solutions = {each.name for each in released.solution_cells}
        restored: dict[str, dict[str, Any]] = {}
        for each in released.source_cells:
            metadata = {
                "schema_version": SCHEMA_VERSION,
                "grade_id": each.name,
                "grade": each.name in points,
                "solution": each.name in solutions,
                "task": each.name in tasks,
                "locked": each.locked,
                "cell_type": each.cell_type,
                "checksum": each.checksum,
            }
            worth = points.get(each.name, tasks.get(each.name))
            restored[each.name] = metadata | ({} if worth is None else {"points": worth})
        return restored


class _Seeded(NbGraderPreprocessor):
    seed = Unicode("", help="what this class's hidden cases are drawn from").tag(config=True)
    variants = Bool(False, help="whether each student has hidden cases of their own").tag(
        config=True
    )

    def _ticket(self, resources: Any, cell: NotebookNode) -> str:
        """Marks a record as this cell's of this submission; says nothing about the seed."""
        where = resources["nbgrader"]
        parts = [where[key] for key in ("assignment", "notebook", "student")]
        parts.append(cell.metadata.nbgrader.grade_id)
        key = hashlib.blake2b(self.seed.encode()).digest()
        return hashlib.blake2b(json.dumps(parts).encode(), key=key, digest_size=16).hexdigest()

    def _sheets(self, question: Asked, resources: Any) -> tuple[Sheet, Sheet]:
        if not self.seed:
            raise CannotJudge(NO_SEED)
        seed = self.seed
        if self.variants:
            seed = variant(seed, resources["nbgrader"]["student"])
        return question.sheet(seed), question.sheet(PUBLIC_SEED)


class Record(_Seeded, Execute):
    """nbgrader's Execute; a graded cell records its function's answers in place of what it says.

    The inputs reach the kernel only while that cell runs, in a file deleted before the function is
    called, and not through the cell's source: neither `In` nor feedback holds them. A cell that
    ends the kernel, or hangs and can't be interrupted, is left out and the rest run again; after
    `most_restarts` such cells the rest stay as they are.
    """

    most_restarts = Integer(3, help="new kernels one submission may cost").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> Any:
        self._fatal: dict[int, str] = {}
        while True:
            self._running = -1
            try:
                return super().preprocess(nb, resources, km)
            except (DeadKernelError, CellTimeoutError) as error:
                if self._running < 0 or self._running in self._fatal:
                    raise
                self._fatal[self._running] = type(error).__name__
                enough = len(self._fatal) > self.most_restarts
                self.log.warning(
                    "%s: cell %d ended the kernel (%s); %s",
                    resources["nbgrader"]["student"],
                    self._running,
                    type(error).__name__,
                    "leaving the rest" if enough else "running the others without it",
                )
                if enough:
                    for index in range(self._running, len(nb.cells)):
                        self._leave_out(nb.cells[index], "NotRun")
                    return nb, resources

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> Any:
        self._running = index
        if index in self._fatal:
            self._leave_out(cell, self._fatal[index])
            return cell, resources
        question = asked(cell)
        if question is None:
            return super().preprocess_cell(cell, resources, index)
        try:
            hidden, visible = self._sheets(question, resources)
        except CannotJudge:
            return cell, resources  # Judge draws them too, and says so
        released = cell.source
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "supplied"
            cases = (*hidden.cases, *visible.cases)
            supply(path, self._ticket(resources, cell), (case.arguments for case in cases))
            cell.source = (
                '__import__("tradeoff.checks.record", fromlist=["record"])'
                f".record({str(path)!r}, {question.function!r}, globals())"
            )
            try:
                self.execute_cell(cell, index, store_history=False)
            finally:
                cell.source = released
        resources.setdefault("recorded", set()).add(cell.metadata.nbgrader.grade_id)
        return cell, resources

    @staticmethod
    def _leave_out(cell: NotebookNode, why: str) -> None:
        if cell.cell_type == "code":
            cell.outputs = [new_output("error", ename=why, evalue="", traceback=[why])]


class NoRecord(Exception):
    """The submission's own doing: the cell left nothing that can be judged, and earns nothing."""


@dataclass(frozen=True)
class Result:
    """What became of one graded cell: its points in words, and what they rest on, if anything."""

    question: Asked
    state: report.State
    points: str = "0"
    sentence: str = ""
    hidden: Judgement | None = None
    visible: Judgement | None = None


class Judge(_Seeded):
    """Replaces what a graded cell left by the points its answers deserve and a report.

    The report is all that feedback shows of a graded cell: of hidden cases counts, the question and
    a misconception's name only. When the fault is ours no points are set; `SaveGrades` leaves them
    to the teacher.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        # All are judged first: what one builds on may stand after it in a notebook made anew.
        results = [
            (cell, self._result(question, cell, resources))
            for cell in nb.cells
            if (question := asked(cell)) is not None
        ]
        failed = {
            (result.question.assignment, result.question.behaviour)
            for _, result in results
            if result.state == "failed"
        }
        for cell, result in results:
            self._show(cell, result, failed)
        return nb, resources

    def _result(self, question: Asked, cell: NotebookNode, resources: Any) -> Result:
        maximum = float(cell.metadata.nbgrader.points)
        try:
            hidden, visible = self._judge(question, cell, resources)
            points = f"{min(maximum, round(hidden.score * maximum, 2)):g}"
            self._tell(resources, cell, f"{points} of {maximum:g} points")
            passed = hidden.passed and visible.passed
            return Result(
                question,
                "passed" if passed else "failed",
                points,
                hidden=hidden,
                visible=visible,
            )
        except NoRecord as error:
            sentence = f"0 of {maximum:g} points: {error}."
            self._tell(resources, cell, sentence, serious=True)
            return Result(question, "failed", sentence=sentence)
        except CannotJudge as error:
            self._tell(resources, cell, f"could not be judged: {error}", serious=True)
            resources.setdefault("unjudged", set()).add(cell.metadata.nbgrader.grade_id)
            sentence = "This is a fault of the check, not yours: your teacher sets the points."
            return Result(question, "could not be judged", sentence=sentence)

    @staticmethod
    def _show(cell: NotebookNode, result: Result, failed: set[tuple[str, str]]) -> None:
        question, maximum = result.question, float(cell.metadata.nbgrader.points)
        match = None
        if result.hidden is None or result.visible is None:
            shown = report.Report(question.behaviour, result.state, (result.sentence,))
        else:
            match = mistakes.named(result.hidden)
            needs = result.hidden.sheet.behaviour.needs
            shown = report.graded(
                question.assignment,
                result.points,
                maximum,
                result.hidden,
                result.visible,
                match=match,
                waits_for=[name for name in needs if (question.assignment, name) in failed],
            )
        data = {"text/plain": result.points, "text/html": shown._repr_html_()}
        kept = {
            "behaviour": question.behaviour,
            "state": shown.state,
            "points": float(result.points),
            "maximum": maximum,
            "misconception": "" if match is None else match.misconception.name,
        }
        cell.execution_count = None  # it ran outside the learner's history
        cell.outputs = [new_output("execute_result", data, metadata={"tradeoff": kept})]

    def _judge(
        self, question: Asked, cell: NotebookNode, resources: Any
    ) -> tuple[Judgement, Judgement]:
        hidden, visible = self._sheets(question, resources)
        if cell.metadata.nbgrader.grade_id not in resources.get("recorded", ()):
            if any(output.output_type == "error" for output in cell.outputs):
                raise NoRecord("the cell ended the kernel or could not be stopped")
            raise CannotJudge("the notebook was not run by Record")
        answers = self._answers(cell, self._ticket(resources, cell), question)
        if len(answers) > len(hidden.cases) + len(visible.cases):
            raise NoRecord("the record holds more answers than were asked for")
        split = len(hidden.cases)
        try:
            return judge(hidden, answers[:split]), judge(visible, answers[split:])
        except CannotJudge:
            raise
        except Exception as error:
            raise CannotJudge(f"judging failed: {error!r}") from error

    @staticmethod
    def _answers(cell: NotebookNode, ticket: str, question: Asked) -> list[Any]:
        """The answers of the cell's one record, as plain JSON data."""
        records = [
            output.data[ANSWERS] for output in cell.outputs if ANSWERS in output.get("data", {})
        ]
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        if not records and {"ModuleNotFoundError", "ImportError"} & set(errors):
            raise CannotJudge("the kernel could not import tradeoff.checks.record")
        if not records:
            raise NoRecord("the cell left no record of the function's answers")
        if len(records) > 1:
            raise NoRecord("the cell left more than one record of answers")
        match json.loads(json.dumps(records[0])):
            case {"cell": str(cell_ticket), "found": bool(found), "answers": list(answers)}:
                if cell_ticket != ticket:
                    raise NoRecord("the record is not this cell's own")
                if not found:
                    raise NoRecord(f"no function named {question.function} was defined")
                return answers
        raise NoRecord("the record of answers is malformed")

    def _tell(
        self, resources: Any, cell: NotebookNode, sentence: str, *, serious: bool = False
    ) -> None:
        tell = self.log.warning if serious else self.log.info
        student = resources["nbgrader"]["student"]
        tell("%s, %s: %s", student, cell.metadata.nbgrader.grade_id, sentence)


class Report(NbGraderPreprocessor):
    """Tells the teacher which cells use what knows the answers; stands between Record and Judge.

    The points stay as they are. A cell that nbgrader does not know speaks through the notebook's
    first answer cell, since only those carry comments.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        sources = [cell.source for cell in code]
        allows, forbids = self._rules(code)
        own = [cell for cell in nb.cells if utils.is_solution(cell)]
        told: dict[str, list[str]] = resources.setdefault("reported", {})
        for cell, found in zip(code, scan.uses(sources, allows, forbids), strict=True):
            where = cell if cell in own else (own[0] if own else None)
            prefix = "" if where is cell else "another cell "
            self._tell(resources, told, where, [f"{prefix}{each}" for each in found])
        run = [cell.source for cell in code if asked(cell) is None]  # the graded ones only record
        modules = scan.loaded(self._loaded(code), run, allows, forbids)
        if modules and not told:
            found = [f"the kernel had loaded {', '.join(modules)}"]
            self._tell(resources, told, own[0] if own else None, found)
        return nb, resources

    def _tell(
        self,
        resources: Any,
        told: dict[str, list[str]],
        where: NotebookNode | None,
        found: list[str],
    ) -> None:
        name = "the notebook" if where is None else where.metadata.nbgrader.grade_id
        for sentence in found:
            told.setdefault(name, []).append(sentence)
            student = resources["nbgrader"]["student"]
            self.log.warning("%s, %s: look at this by hand: %s", student, name, sentence)

    @staticmethod
    def _rules(code: list[NotebookNode]) -> tuple[set[str], set[str]]:
        """What the assignments that are asked for allow, and what they forbid."""
        allows: set[str] = set()
        forbids: set[str] = set()
        for question in filter(None, map(asked, code)):
            with contextlib.suppress(LookupError):
                found = find(question.assignment)
                allows |= set(found.allows)
                forbids |= set(found.forbids)
        return allows, forbids

    @staticmethod
    def _loaded(code: list[NotebookNode]) -> set[str]:
        """Every module a record names; a forged one can only add or leave out names."""
        records = [
            output.data[ANSWERS]
            for cell in code
            for output in cell.outputs
            if ANSWERS in output.get("data", {})
        ]
        return {
            name
            for each in records
            if isinstance(each, dict) and isinstance(each.get("loaded"), list)
            for name in each["loaded"]
            if isinstance(name, str)
        }


class SaveGrades(SaveAutoGrades):
    """nbgrader's SaveAutoGrades; a cell that could not be judged is marked for manual grading.

    What `Report` found stands in the automatic comment, where grader and student read it.
    """

    def _add_comment(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_comment(cell, resources)
        name = cell.metadata.nbgrader.grade_id
        if found := resources.get("reported", {}).get(name):
            where = (self.notebook_id, self.assignment_id, self.student_id)
            comment = self.gradebook.find_comment(name, *where)
            comment.auto_comment = (
                f"To be looked at by hand: {'; '.join(found)}. Use only what the task allows. "
                "No points were taken for this."
            )
            self.gradebook.db.commit()

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        name = cell.metadata.nbgrader.grade_id
        if name not in resources.get("unjudged", ()):
            super()._add_score(cell, resources)
            return
        where = (self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(name, *where)
        grade.auto_score = None
        grade.needs_manual_grade = True
        self.gradebook.db.commit()
