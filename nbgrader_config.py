"""nbgrader reads this file when it is run here, at the root of the course.

solutions/ is the one source, exercises/ what is released; everything else nbgrader makes lives in
classroom/, which git ignores. To grade, set TRADEOFF_SEED (see README.md).
"""

import os
import sysconfig
from pathlib import Path

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    IgnorePattern,
    LimitOutput,
    LockCells,
    OverwriteKernelspec,
    SaveCells,
)
from tradeoff.checks.nbgrader import (
    CheckQuestions,
    Judge,
    Record,
    Report,
    Restore,
    SaveGrades,
    stop_without_seed,
    take_seed,
)

c = get_config()  # noqa: F821  (nbgrader provides it)

root = Path(__file__).resolve().parent
classroom = root / "classroom"
classroom.mkdir(exist_ok=True)  # SQLite makes the gradebook, not the folder around it

# nbgrader calls `alembic` by name; this finds it in an environment that is not activated.
os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])

c.CourseDirectory.course_id = "tradeoff"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = "classroom/submitted"
c.CourseDirectory.autograded_directory = "classroom/autograded"
c.CourseDirectory.feedback_directory = "classroom/feedback"
c.CourseDirectory.db_url = f"sqlite:///{(classroom / 'gradebook.db').as_posix()}"
c.ZipCollectApp.downloaded_directory = "classroom/downloaded"

# nbgrader's own steps for releasing, behind a check that cells and behaviours agree.
c.GenerateAssignment.preprocessors = [
    CheckQuestions,
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]

c.Autograde.sanitize_preprocessors = [ClearOutput, Restore, OverwriteKernelspec, CheckCellMetadata]
c.Autograde.autograde_preprocessors = [
    Record,
    Report,
    Judge,
    IgnorePattern,
    LimitOutput,
    SaveGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.Record.seed = c.Judge.seed = take_seed()
# Set to True, or set the environment variable, to draw each student hidden pipelines of their own,
# from the seed and the name of their folder: the same again next year.
c.Record.variants = c.Judge.variants = os.environ.get("TRADEOFF_VARIANTS", "") not in ("", "0")
if not take_seed():
    c.Autograde.pre_convert_hook = stop_without_seed

c.Execute.timeout = 120  # seconds a cell; an endless loop is interrupted, the other cells count
c.Execute.kernel_name = "python3"  # whatever the learner's kernel was called
c.Execute.shutdown_kernel = "immediate"
