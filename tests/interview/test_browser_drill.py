"""A drill in the real JupyterLab, by the keyboard alone, light and dark; then the file it kept.

A session without a screen, of the same seed, tells what the page must ask and what is right.
Screenshots go to pytest's temporary folder, or to the folder named in TRADEOFF_SCREENSHOTS.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import browsing
import nbformat
import pytest
from browsing import wait
from fsrs import Rating
from tradeoff.interview.drills import Session, State, Store

pytest.importorskip("playwright.sync_api", reason="python -m pip install playwright")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="python -m pip install axe-playwright-python"
)
pytestmark = pytest.mark.skipif(browsing.CHROMIUM is None, reason=browsing.NO_CHROMIUM)

SEED, COUNT = 5, 12
CODE = f"from tradeoff.interview import drill\n\ndrill(lesson=1, seed={SEED}, questions={COUNT})"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
SHOTS = os.environ.get("TRADEOFF_SCREENSHOTS")
WORDS = "Latency is what one event waits.\nThroughput is how many pass."


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param


@pytest.fixture
def page(tmp_path, monkeypatch, theme):
    """A notebook with the drill, run; its answers are kept in `tmp_path`."""
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "own" / "progress.json"))
    folder = tmp_path / "course"
    folder.mkdir()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)], metadata=KERNEL)
    nbformat.write(book, folder / "drill.ipynb")
    with browsing.jupyterlab(folder) as address, browsing.chromium() as browser:
        page = browsing.open_notebook(browser, address, "drill.ipynb", height=1100)
        if theme == "dark":
            page.get_by_role("menuitem", name="Settings", exact=True).click()
            page.get_by_text("Theme", exact=True).hover()
            page.get_by_text("JupyterLab Dark", exact=True).click()
            page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
        browsing.run_all(page, folder / "drill.ipynb")
        page.locator(".tradeoff-drill form").wait_for()
        yield page
        browsing.close(page)


class Keyboard:
    """A learner who has no mouse, beside a session that knows what must be shown."""

    def __init__(self, page, session, shots):
        self.page, self.session, self.shots = page, session, shots
        self.drill = page.locator(".tradeoff-drill")
        self.pictured = set()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def walk_in(self):
        """Tab from the cell into the drill, to the first thing that takes an answer."""
        self.press("Escape")
        self._tab("Tab", "[data-focus]")

    def walk_to(self, button, key="Shift+Tab"):
        """Tab, back unless told, to a button, and press it."""
        self._tab(key, button)
        self.press("Enter")

    def _tab(self, key, selector):
        there = f"document.activeElement.matches('.tradeoff-drill {selector}')"
        for _ in range(60):
            if self.page.evaluate(there):
                return
            self.press(key)
        raise AssertionError(f"{key} does not lead to {selector}")

    def wait_for(self, selector, name):
        """Wait until it is shown and the keyboard is where it should be; check it, picture it."""
        self.drill.locator(selector).first.wait_for()
        focused = "document.activeElement.matches('.tradeoff-drill [data-focus]')"
        wait(lambda: self.page.evaluate(focused), 10, f"{name}: the keyboard is elsewhere")
        if name not in self.pictured:
            self.pictured.add(name)
            self.page.screenshot(path=self.shots / f"drill_{name}.png")
            assert self.violations() == [], name

    def violations(self):
        """What axe-core finds serious or critical in the drill."""
        found = axe.Axe().run(self.page, context=".tradeoff-drill").response["violations"]
        return [
            (each["id"], node["html"][:200], node["failureSummary"])
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    @property
    def said(self):
        """What a screen reader is told."""
        return self.drill.get_by_role("status").text_content()

    def choose(self, now):
        places = enumerate(self.session.asked.choices, 1)
        right = str(next(place for place, choice in places if choice.right))
        self.press(right, "Enter")
        self.session.answer(right, now)
        self.wait_for(".td-verdict", "a_choice_judged")
        self.press("Tab", "Enter")  # it was easy
        self.drill.locator("[data-act=effort-easy][aria-pressed=true]").wait_for()

    def estimate(self, now):
        self.page.keyboard.type("soon")
        self.press("Enter")
        self.wait_for(".td-problem", "a_number_that_cannot_be_read")
        assert "'soon' is not a number" in self.said
        right = self.session.asked.drawn.answer_in_words
        self.page.keyboard.type(right)  # over what was typed: it is selected
        self.press("Enter")
        self.session.answer(right, now)
        self.wait_for(".td-verdict", "a_number_judged")
        assert self.session.asked.drawn.because in self.drill.locator(".td-verdict").inner_text()

    def explain(self, now):
        self.page.keyboard.type(WORDS)
        self.press("Control+Enter")
        self.session.answer(WORDS, now)
        self.wait_for("input[type=checkbox]", "free_text_beside_a_strong_answer")
        assert self.drill.locator(".td-own").inner_text() == WORDS
        self.press("Space", "Enter")
        self.session.tick([0], now)
        self.wait_for(".td-verdict", "free_text_judged")


def test_a_drill_by_the_keyboard_alone(page, tmp_path, theme):
    shots = Path(SHOTS or tmp_path / "screenshots") / theme
    shots.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    beside = Store(tmp_path / "beside.json")
    session = Session(beside, now, SEED, lesson=1, count=COUNT)
    by_key = Keyboard(page, session, shots)
    by_key.walk_in()
    answered = []
    ways = {"choices": by_key.choose, "number": by_key.estimate, "rubric": by_key.explain}
    while session.state is not State.OVER and set(answered) != set(ways):
        way = session.question.answered_by
        by_key.wait_for("form", f"asks_{way}")
        shown = by_key.drill.locator(".td-ask").inner_text()
        assert " ".join(shown.split()) == " ".join(session.asked.ask.split())
        ways[way](now)
        assert session.judged.verdict in by_key.said.lower() or "points" in by_key.said
        answered.append(way)
        if set(answered) != set(ways):
            by_key.press("Enter")
            session.next(now)
            by_key.drill.locator(".td-verdict").wait_for(state="detached")
    kept = Store(tmp_path / "own" / "drills.json").reviews
    assert [(each.question, each.seed) for each in kept] == [
        (each.question, each.seed) for each in beside.reviews
    ]
    for review, way in zip(kept, answered, strict=True):
        if way == "choices":
            assert (review.judged, review.rating) == ("right", Rating.Easy)
        elif way == "number":
            assert (review.judged, review.rating) == ("right", Rating.Good)
        else:
            assert (review.answer, len(review.held)) == (WORDS, 1)
    assert set(answered) == set(ways)

    by_key.walk_to("[data-act=view-readiness]")
    by_key.wait_for("table", "readiness")
    by_key.walk_to("[data-act=view-plan]", "Tab")
    by_key.wait_for("input[type=date]", "no_plan_yet")
    day = now.astimezone().date() + timedelta(days=7)
    page.keyboard.type(f"{day:%m%d%Y}")
    by_key.press("Enter")
    by_key.wait_for("table", "plan")
    assert "7 days until the interview" in by_key.said
    assert Store(tmp_path / "own" / "drills.json").interview == day
