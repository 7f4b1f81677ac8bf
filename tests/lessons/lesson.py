"""What holds of every lesson: it runs whole and in silence, has its parts, and leaves nothing out.

`tests/lessons/facts/N.csv` lists what the course's text teaches on the lesson's subject, a fact a
row: where (heading and row of the text), fact (in our words), cell (the id of the cell that teaches
it), says (a phrase that stands in that cell, or in what it prints).
"""

import re
import tempfile
from functools import cache
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from tradeoff import course
from tradeoff.model import claims

FOLDER = course.home() / "lessons"
FACTS = Path(__file__).parent / "facts"
PARTS = (
    *("After this lesson you can", "Predict", "Your turn", "Daily life", "interview"),
    *("**Weak.**", "**Strong.**", "Check yourself", "Takeaways", "Where next"),
)


@cache
def executed(name):
    """A lesson after all its cells ran, in a folder that holds nothing of the course."""
    book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as elsewhere:
        NotebookClient(book, timeout=120, resources={"metadata": {"path": elsewhere}}).execute()
        assert list(Path(elsewhere).iterdir()) == []  # and leaves nothing behind
    return book


def prose(book):
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def shown(cell):
    """What a cell says: its source, and the text of its outputs once it ran."""
    outputs = (
        output.get("text") or "\n".join(map(str, output.get("data", {}).values()))
        for output in cell.get("outputs", ())
    )
    return "\n".join([cell.source, *outputs])


class Lesson:
    """Subclass it as `TestLessonN` with `name`, the notebook's file name without its ending."""

    name: str

    @pytest.fixture
    def book(self):
        return nbformat.read(FOLDER / f"{self.name}.ipynb", as_version=4)

    @pytest.fixture
    def run(self):
        return executed(self.name)

    def test_every_cell_runs_in_silence(self, run):
        noise = [
            (cell.id, output.get("text") or output.get("evalue"))
            for cell in run.cells
            for output in cell.get("outputs", ())
            if output.output_type == "error" or output.get("name") == "stderr"
        ]
        assert noise == []
        assert all(cell.execution_count for cell in run.cells if cell.cell_type == "code")

    def test_every_chart_is_drawn_and_described(self, run):
        calls = [
            cell
            for cell in run.cells
            if cell.cell_type == "code" and re.search(r"^charts\.", cell.source, re.MULTILINE)
        ]
        assert calls
        for cell in calls:
            [picture] = [
                output for output in cell.outputs if output.output_type == "execute_result"
            ]
            assert "<svg" in picture.data["text/html"], cell.id
            assert 'aria-label=""' not in picture.data["text/html"], cell.id

    def test_it_shows_a_calculator(self, run):
        assert any(
            "application/vnd.jupyter.widget-view+json" in output.get("data", {})
            for cell in run.cells
            if "calculators." in cell.source
            for output in cell.get("outputs", ())
        )

    def test_it_has_its_parts(self, book):
        said = prose(book)
        assert [part for part in PARTS if part not in said] == []

    def test_it_tells_as_much_as_it_computes(self, book):
        kinds = [cell.cell_type for cell in book.cells]
        assert kinds.count("markdown") >= 0.8 * kinds.count("code")
        words = re.sub(r"```.*?```", "", prose(book), flags=re.DOTALL).split()
        assert 1_600 <= len(words) <= 3_000

    def test_no_dollars_become_mathematics(self, book):
        """JupyterLab typesets what stands between two of a paragraph, escaped or not."""
        said = re.sub(r"```.*?```|`[^`]*`", "", prose(book), flags=re.DOTALL)
        assert [part for part in re.split(r"\n\s*\n", said) if part.count("$") > 1] == []

    def test_every_question_has_its_answer(self, book):
        said = prose(book)
        answers = re.findall(
            r"<details><summary>(.+?)</summary>\n\n(.+?)\n</details>", said, re.DOTALL
        )
        assert len(answers) == said.count("<details>") >= 5
        assert all(len(answer.split()) >= 5 for _, answer in answers)

    def test_claims_named_exist_and_hold(self, book):
        named = set(re.findall(r"\bC\d+[a-z]?\b", prose(book)))
        table = claims.report()
        assert named
        for name in named:
            found = table[table["id"].str.fullmatch(rf"{name}[a-z]?")]
            assert len(found), name
            assert found["holds"].all(), name

    def test_it_leaves_out_no_fact_of_the_text(self, run):
        facts = pd.read_csv(FACTS / f"{int(self.name[:2])}.csv", dtype=str)
        assert facts.columns.tolist() == ["where", "fact", "cell", "says"]
        assert len(facts) >= 40
        assert not facts.isna().any(axis=None)
        assert not facts["fact"].duplicated().any()
        cells = {cell.id: re.sub(r"\s+", " ", shown(cell)) for cell in run.cells}
        missing = [
            (row.cell, row.says)
            for row in facts.itertuples()
            if re.sub(r"\s+", " ", row.says) not in cells.get(row.cell, "")
        ]
        assert missing == []
