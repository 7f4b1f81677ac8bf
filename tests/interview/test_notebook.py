"""`lessons/before_an_interview.ipynb` runs whole, has its parts, and is right about its files."""

import json
import os
import re

import nbformat
import pytest
from nbclient import NotebookClient
from tradeoff import course

NAME = "before_an_interview"
PATH = course.home() / "lessons" / f"{NAME}.ipynb"
CALLS = (
    *("interview.drill(diagnostic=True)", "interview.drill()"),
    *("interview.mock()", "interview.cheat_sheet()"),
)


@pytest.fixture(scope="module")
def book():
    return nbformat.read(PATH, as_version=4)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A learner's folder with nothing in it so far."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def run(own, tmp_path_factory):
    """The notebook after all its cells ran, in a folder that holds nothing of the course."""
    book, elsewhere = nbformat.read(PATH, as_version=4), tmp_path_factory.mktemp("elsewhere")
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(elsewhere)}})
    client.execute(env=os.environ | {"TRADEOFF_STATE": str(own / "progress.json")})
    assert list(elsewhere.iterdir()) == []
    return book


def test_every_cell_runs_in_silence(run):
    noise = [
        (cell.id, output.get("text") or output.get("evalue"))
        for cell in run.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert noise == []
    assert all(cell.execution_count for cell in run.cells if cell.cell_type == "code")


def test_it_has_a_cell_for_each_use(run):
    for call in CALLS:
        [cell] = [cell for cell in run.cells if cell.source == call]
        [shown] = [one for one in cell.outputs if one.output_type == "execute_result"]
        kind = "text/html" if "sheet" in call else "application/vnd.jupyter.widget-view+json"
        assert kind in shown.data, call


def test_readiness_and_plan_are_shown(run):
    said = "\n".join(
        output.get("text") or "".join(output.get("data", {}).get("text/plain", ""))
        for cell in run.cells
        for output in cell.get("outputs", ())
    )
    assert "too few answers" in said
    assert "question" in said


def test_looking_at_it_answers_nothing(run, own):
    """Whoever only runs the cells has no answers on disk."""
    kept = [json.loads(path.read_text("utf-8")) for path in own.rglob("*.json")]
    assert [content for content in kept if content.get("reviews")] == []


def test_its_words_are_for_somebody_in_a_hurry(book):
    prose = "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    words = re.sub(r"```.*?```", "", prose, flags=re.DOTALL).split()
    assert 300 <= len(words) <= 800
    assert "$" not in prose
    for part in ("You have a week", "You have an evening", "Export", "Delete", "Where next"):
        assert part in prose


def test_what_it_says_of_export_and_deletion_holds(book, tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "own" / "progress.json"))
    monkeypatch.chdir(tmp_path)
    from tradeoff.interview import drills

    store = drills.Store()
    store.set_interview(None)
    store.set_interview(None)  # leaves a copy of the file before
    (store.path.parent / "mocks").mkdir()
    (store.path.parent / "mocks" / "try.json").write_text("{}", "utf-8")
    (store.path.parent / "progress.json").write_text("{}", "utf-8")
    [cell] = [cell for cell in book.cells if cell.id == "keep-or-delete"]
    export, delete = re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)
    exec(export, {"drills": drills})
    assert (tmp_path / "answers.csv").is_file()
    exec(delete, {"drills": drills})
    # The course's own progress is another matter, and stays.
    assert [path.name for path in (tmp_path / "own").iterdir() if "drills" in path.name] in (
        [],
        ["drills.json.lock"],
    )
    assert not (tmp_path / "own" / "mocks").exists()
    assert (tmp_path / "own" / "progress.json").is_file()
    assert drills.Store().reviews == ()


def test_tradeoff_open_lays_it_beside_the_lessons(tmp_path):
    course.copy_to(tmp_path)
    assert (tmp_path / "lessons" / PATH.name).read_bytes() == PATH.read_bytes()
    assert course.lessons()[0] == "lessons/01_latency_vs_throughput.ipynb"  # opened first
