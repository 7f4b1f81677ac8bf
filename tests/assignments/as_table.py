"""The bank of wrong answers as a table: what each earns, and the sentence that its author reads.

    python3 lessons/start.py run python tests/assignments/as_table.py [NAME ...]

Points are those of a secret seed; the sentence is the self-study report's, on the public one. A
minute or two for all five.
"""

import functools
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TRADEOFF_STATE"] = str(Path(tempfile.mkdtemp(prefix="tradeoff-"), "progress.json"))

from teacher import SEED  # noqa: E402
from test_assignments import NAMES, banked, notebook, score  # noqa: E402
from tradeoff import checks  # noqa: E402
from tradeoff.checks import authoring, memory, shrink  # noqa: E402
from tradeoff.checks.assignment import find  # noqa: E402

NAMED = "These are the answers of somebody who "
# The sentence is asked for, not the smallest case.
shrink.smallest = functools.partial(shrink.smallest, seconds=0.2)


def rows(name):
    """Answer, behaviour, points kept and points there are, and what the report says of it."""
    for title, wrong in banked(name, "WRONG").items():
        made = authoring.functions(notebook("solutions", name), wrong.sources())
        for behaviour in wrong.loses or wrong.functions:
            memory._latest.clear()
            points = find(name).behaviour(behaviour).points
            kept = points * score(name, behaviour, made[behaviour], SEED)
            said = repr(checks.grade(name, made[behaviour], behaviour))
            sentence = next((line for line in said.splitlines() if NAMED in line), "")
            yield title, behaviour, kept, points, sentence.replace(NAMED, "… ").strip()


for assignment in sys.argv[1:] or NAMES:
    print(f"\n## {assignment}\n\n| answer | function | keeps | of | named |\n|---|---|---|---|---|")
    for title, behaviour, kept, points, sentence in rows(assignment):
        print(f"| {title} | `{behaviour}` | {kept:.1f} | {points:g} | {sentence} |", flush=True)
