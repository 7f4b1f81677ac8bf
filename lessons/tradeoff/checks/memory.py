"""What a learner has tried and reached, kept in one small file of their account.

The file stands in Jupyter's own data folder (or where TRADEOFF_STATE says), so a new kernel, a new
copy of the course or a deleted one loses nothing, and no folder of the learner's is littered.
Where it can't be written, what this kernel saw is remembered until it ends.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tradeoff.checks.judge import Judgement

HONEST_TRIES = 3  # open a solution
MOST_TRIES = 20  # remembered
Entry = dict[str, Any]

_latest: dict[tuple[str, str], bool] = {}
"""Whether each behaviour passed when it was last checked in this process."""
_state: dict[str, dict[str, Entry]] = {}
_unsaved = False
"""Whether the file could not be written: then this kernel's own knowledge is all there is."""


def place() -> Path:
    """Where the file is."""
    if named := os.environ.get("TRADEOFF_STATE"):
        return Path(named)
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "tradeoff" / "progress.json"


def remember(assignment: str, judgement: Judgement) -> None:
    """Keep the best points of a check, and, if it was an honest try that failed, its answers.

    A try is honest when it answered some case in the wanted form and not every case alike: an
    untouched stub and a constant are none.
    """
    behaviour = judgement.sheet.behaviour
    _latest[assignment, behaviour.name] = judgement.passed
    if os.environ.get("NBGRADER_EXECUTION"):
        return  # nbgrader is at work, not a learner
    state = _load()
    entry = state.setdefault(assignment, {}).setdefault(
        behaviour.name, {"score": 0.0, "passed": False, "tries": []}
    )
    entry["score"] = max(entry["score"], round(judgement.score, 4))
    entry["passed"] = entry["passed"] or judgement.passed
    given = [json.dumps(each.answer, sort_keys=True) for each in judgement.findings]
    if not judgement.passed and _honest(judgement, given):
        mark = hashlib.blake2b("\n".join(given).encode(), digest_size=8).hexdigest()
        if mark not in entry["tries"]:
            entry["tries"] = [*entry["tries"], mark][-MOST_TRIES:]
    _save(state)


def _honest(judgement: Judgement, given: list[str]) -> bool:
    form = judgement.sheet.behaviour.form
    answered = any(
        isinstance(each.answer, dict)
        and "returned" in each.answer
        and form.accepts(each.answer["returned"])
        for each in judgement.findings
    )
    return answered and len(set(given)) > 1


def failed_lately(assignment: str, needs: tuple[str, ...]) -> list[str]:
    """Those of the needed behaviours whose last check in this kernel failed."""
    return [name for name in needs if _latest.get((assignment, name)) is False]


def entry(assignment: str, behaviour: str) -> Entry:
    """Of one behaviour: `score` in [0, 1] and `passed` at best, `tries` (marks of failing ones)."""
    empty: Entry = {"score": 0.0, "passed": False, "tries": []}
    return _load().get(assignment, {}).get(behaviour, empty)


def _load() -> dict[str, dict[str, Entry]]:
    """What the file says now: another kernel may have written it since."""
    global _state
    if _unsaved:
        return _state
    try:
        on_disk = json.loads(place().read_text(encoding="utf-8"))
        _state = {
            name: {each: _sound(found) for each, found in behaviours.items()}
            for name, behaviours in on_disk.items()
        }
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        pass  # no file yet, or one that was edited: what this kernel knows still counts
    return _state


def _sound(found: Any) -> Entry:
    return {
        "score": min(1.0, max(0.0, float(found["score"]))),
        "passed": bool(found["passed"]),
        "tries": [str(each) for each in found["tries"]],
    }


def _save(state: dict[str, dict[str, Entry]]) -> None:
    global _state, _unsaved
    _state = state
    path = place()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(state, indent=1), encoding="utf-8")
        os.replace(part, path)
        _unsaved = False
    except OSError:
        _unsaved = True
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def is_open(assignment: str, behaviour: str) -> bool:
    """Whether the learner has passed this check, or tried honestly often enough."""
    known = entry(assignment, behaviour)
    return bool(known["passed"]) or len(known["tries"]) >= HONEST_TRIES
