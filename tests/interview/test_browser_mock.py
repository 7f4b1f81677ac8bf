"""The mock interview in the real JupyterLab, by keyboard alone, from the first key to the score.

Screenshots go to pytest's temporary folder, or to the folder named in TRADEOFF_SCREENSHOTS.
"""

import os
import re
from pathlib import Path

import browsing
import nbformat
import pytest
from browsing import wait
from tradeoff.interview.mocks import draw

pytest.importorskip("playwright.sync_api", reason="python -m pip install playwright")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="python -m pip install axe-playwright-python"
)
pytestmark = pytest.mark.skipif(browsing.CHROMIUM is None, reason=browsing.NO_CHROMIUM)

SHOTS = os.environ.get("TRADEOFF_SCREENSHOTS")
CASE, SEED = "hospital-beds", 1
NAME = "mock.ipynb"
HERE = ".tradeoff-mock"
FOCUS = """() => (document.activeElement.closest("input, textarea, select, button")?.textContent
    || document.activeElement.tagName)
    .replaceAll("\\u00a0", " ")"""  # a list's options have no-break spaces


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interview")
    code = f'from tradeoff import interview\n\ninterview.mock("{CASE}", seed={SEED})'
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, folder / NAME)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEOFF_STATE", str(folder / "state" / "progress.json"))
        with browsing.jupyterlab(folder) as address, browsing.chromium() as browser:
            page = browsing.open_notebook(browser, address, NAME, height=1000)
            browsing.run_all(page, folder / NAME)
            page.locator(f"{HERE} select").wait_for()
            yield page
            browsing.close(page)


@pytest.fixture
def shoot(page, tmp_path):
    place = Path(SHOTS) if SHOTS else tmp_path
    place.mkdir(parents=True, exist_ok=True)
    return lambda name: page.screenshot(path=str(place / f"mock_{name}.png"))


def focused(page, text):
    """Wait until the cursor is in something of this text or kind."""
    wait(lambda: text in page.evaluate(FOCUS), 30, f"the cursor does not come to {text!r}")


def tab_to(page, text, key="Tab"):
    for _ in range(40):
        if text in page.evaluate(FOCUS):
            return
        page.keyboard.press(key)
    raise AssertionError(f"Tab does not reach {text!r}")


def asked(page, text):
    """Wait until this is what is asked."""
    found = page.locator(f"{HERE} p[role=status]").get_by_text(text)
    found.first.wait_for()


def typed(page, text):
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_an_interview_by_keyboard_alone(page, folder, shoot):
    case = draw(CASE, SEED)
    page.locator(f"{HERE} select").focus()
    shoot("0_welcome")
    tab_to(page, "Start the clock")
    page.keyboard.press("Enter")

    focused(page, "INPUT")
    typed(page, "1")
    page.get_by_text("admission events a day").first.wait_for()
    focused(page, "INPUT")
    typed(page, "who plays the piano?")
    page.get_by_text("I cannot place that question").first.wait_for()
    shoot("1_clarify")

    clock = page.locator(f"{HERE} [role=timer]")
    assert re.fullmatch(r"2[45]:\d\d left", clock.inner_text())
    tab_to(page, "Pause the clock", "Shift+Tab")
    page.keyboard.press("Enter")
    wait(lambda: "clock stands" in clock.inner_text(), 10, "it does not pause")
    page.keyboard.press("Enter")
    wait(lambda: "clock stands" not in clock.inner_text(), 10, "it does not go on")
    tab_to(page, "Go on to the numbers")
    page.keyboard.press("Enter")

    asked(page, case.estimates[0].asks[:40])
    focused(page, "INPUT")
    typed(page, "a while")
    page.locator(f"{HERE} [role=alert]").wait_for()
    shoot("2_not_a_number")
    page.keyboard.press("Control+a")
    for place, one in enumerate(case.estimates):
        asked(page, one.asks[:40])
        focused(page, "INPUT")
        typed(page, one.drawn.answer_in_words)
        if place == 1:
            shoot("2_estimate")
    for one in case.problem.consumers:
        asked(page, f"Which freshness tier does {one.name}")
        focused(page, "tier 1")
        tab_to(page, f"tier {one.tier}")
        page.keyboard.press("Enter")
    asked(page, "which dimension fails")
    focused(page, "latency")
    tab_to(page, "none of the four")
    page.keyboard.press("Enter")

    asked(page, "The board is yours")
    focused(page, "Spark on a cluster")
    shoot("3_board")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    typed(page, "4 h")
    page.get_by_text("Not served: bed management").wait_for()
    shoot("3_board_missed")
    page.keyboard.press("Control+a")
    typed(page, "1 h")
    page.get_by_text("Every limit is kept.").wait_for()
    tab_to(page, "A path of its own for bed management")
    page.keyboard.press("Enter")
    page.get_by_text("Path 2").first.wait_for()
    focused(page, "Spark on a cluster")
    tab_to(page, "Start from today's pipeline")
    page.keyboard.press("Enter")
    page.get_by_text("Every limit is kept.").wait_for()
    tab_to(page, "Propose this design", "Shift+Tab")
    page.keyboard.press("Enter")

    def said(text):
        focused(page, "TEXTAREA")
        page.keyboard.type(text)
        tab_to(page, "Say it")
        page.keyboard.press("Enter")

    asked(page, "In two or three sentences")
    said("Nothing fails, so nothing is changed.")
    for what in ("a year", "How many times"):
        asked(page, what)
        focused(page, "INPUT")
        typed(page, "1")
    for what in ("CTO", "board is not used", "larger cluster"):
        asked(page, what)
        said("Nobody needs it.")
    shoot("4_defend")
    asked(page, "The volume becomes")
    focused(page, "yes")
    page.keyboard.press("Enter")
    asked(page, "What would change your answer?")
    said("A decision that cannot wait an hour.")

    for _ in range(5):
        page.get_by_text("A strong answer.").wait_for()
        before = page.locator(f"{HERE} .mock-answer").inner_text()
        focused(page, "INPUT")
        page.keyboard.press("Space")
        tab_to(page, "Next")
        page.keyboard.press("Enter")
        wait(
            lambda before=before: page.locator(f"{HERE} .mock-answer").inner_text() != before,
            15,
            "the review stands still",
        )
    page.get_by_text("Rubric").first.wait_for()
    shoot("5_report")
    score = page.locator(f"{HERE} h3").first.inner_text()
    assert re.search(r"Health care: \d+ %", score)
    (kept,) = (folder / "state" / "mocks").glob("*.md")
    assert "Nothing fails, so nothing is changed." in kept.read_text("utf-8")


def test_nothing_that_axe_finds_wrong(page, shoot):
    found = axe.Axe().run(page, context=HERE)
    serious = [one for one in found.response["violations"] if one["impact"] != "minor"]
    assert not serious, [(one["id"], one["nodes"][0]["html"]) for one in serious]
