"""Lesson 5 where people use it: the real JupyterLab in headless Chromium, by keyboard and mouse.

Screenshots go to pytest's temporary folder, or to the folder named in TRADEOFF_SCREENSHOTS.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from tradeoff import calculators, course
from tradeoff.calculators.redesign import EVERY, PRESETS, solve
from tradeoff.cli import BROWSERS
from tradeoff.model import words

sync_api = pytest.importorskip("playwright.sync_api", reason="python -m pip install playwright")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", *BROWSERS))),
    None,
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium (see `tradeoff doctor`)"
)

LESSON = "lessons/05_when_batch_outgrows_itself.ipynb"
CHROMIUM_FLAGS = [
    "--no-sandbox",  # root in a container
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    named = os.environ.get("TRADEOFF_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the course, on a free port of this machine alone."""
    folder = tmp_path_factory.mktemp("course")
    course.copy_to(folder)
    settings = tmp_path_factory.mktemp("settings")
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(NO_NEWS, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--log-level=CRITICAL"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}"),
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path_factory.mktemp("workspaces")),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    with subprocess.Popen(command, cwd=folder, env=environment) as server:
        try:
            wait(lambda: answers(f"{address}/api"), 60, "JupyterLab does not answer")
            yield address, folder
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def page(lab, shots):
    """The lesson, opened and run from top to bottom."""
    address, folder = lab
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.set_default_timeout(30_000)
        page.frames_bytes = []
        page.on("websocket", lambda socket: count_bytes(socket, page.frames_bytes))
        page.goto(f"{address}/lab/tree/{LESSON}")
        # Without a kernel that is up, JupyterLab drops what it is asked to run.
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        try:
            wait(lambda: saved_results(page, folder / LESSON), 180, "the lesson does not end")
        finally:
            page.screenshot(path=shots / "after_run.png")
        page.keyboard.press("Control+b")  # room for the notebook
        yield page
        browser.close()


def wait(condition, seconds, otherwise):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, otherwise
        time.sleep(0.2)
    return found


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def count_bytes(socket, frames):
    for event in ("framesent", "framereceived"):
        socket.on(event, lambda payload: frames.append(len(payload)))


def saved_results(page, path):
    """The notebook as saved, once each of its code cells has run; until then None."""
    if page.locator("#jp-main-statusbar").get_by_text("| Idle").count() == 0:
        return None
    page.keyboard.press("Control+s")
    time.sleep(1)
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    return book if all(cell.execution_count for cell in code) else None


@pytest.fixture
def calculator(page):
    """The calculator, in view and reset."""
    found = page.locator(".tradeoff-calculator")
    wait(lambda: scrolled_to(page, found), 30, "the calculator is not in the page")
    found.get_by_role("button", name="Reset").click()
    shows(found, PRESETS["Today, 18 M"])
    return found


def scrolled_to(page, found):
    """Whether the calculator is in view; JupyterLab draws a cell when one scrolls there."""
    if found.count():
        found.scroll_into_view_if_needed()
        return True
    page.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollBy(0, 600)")
    return False


def shows(calculator, settings):
    """Wait until sentence and picture show what a fresh call of the model says; return it."""
    outcome = solve(settings)
    bill = words.usd(round(outcome.cost_usd_per_day))
    status = calculator.get_by_role("status")
    sync_api.expect(status).to_contain_text(re.compile(rf"^{re.escape(bill)} a day"))
    consumers = {one.name for path in outcome.plan.paths for one in path.consumers}
    rows = [row for row in outcome.needs if row["need"] in consumers]
    for row in rows:
        sync_api.expect(calculator.locator("svg text", has_text=row["says"]).first).to_be_visible()
    sync_api.expect(
        calculator.locator("svg text", has_text=re.compile(rf"^{re.escape(bill)}$")).first
    ).to_be_visible()
    return outcome


def slider(calculator, label):
    return calculator.get_by_role("slider", name=label)


def test_the_lesson_runs_without_an_error(page, lab):
    book = saved_results(page, lab[1] / LESSON)
    problems = [
        (cell.id, output.get("text") or output.get("evalue"))
        for cell in book.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert problems == []
    assert page.locator(".jp-OutputArea-output .jupyter-widgets-error").count() == 0


def test_a_slider_moves_by_keyboard(page, calculator, shots, record_property):
    calculator.get_by_role("button", name="The redesign").click()
    before = shows(calculator, PRESETS["The redesign"])
    handle = slider(calculator, "Nodes")
    handle.focus()
    page.frames_bytes.clear()
    watch(page, calculator)
    page.keyboard.press("ArrowRight")
    expected = calculators.redesign(every="1 h", incremental=True, marketing_apart=True, nodes=2)
    after = shows(calculator, expected.settings)
    assert after.cost_usd_per_day != pytest.approx(before.cost_usd_per_day)
    assert handle.get_attribute("aria-valuetext") == "2"
    sync_api.expect(calculator.locator("code")).to_have_text(expected.code)
    page.wait_for_timeout(500)
    record_property("milliseconds", round(page.evaluate("window.drawnAfter")))
    record_property("bytes", sum(page.frames_bytes))
    assert sum(page.frames_bytes) < 10_000
    page.screenshot(path=shots / "calculator_keyboard.png")


def watch(page, calculator):
    """Note in the page how many milliseconds after the key press the picture last changed."""
    calculator.locator("svg.marks").evaluate(
        """picture => {
            let pressed;
            addEventListener("keydown", () => { pressed = performance.now(); },
                             { once: true, capture: true });
            new MutationObserver(() => { window.drawnAfter ??= performance.now() - pressed; })
                .observe(picture, { subtree: true, childList: true, attributes: true });
        }"""
    )


def test_a_slider_moves_by_mouse(page, calculator, shots):
    calculator.get_by_role("checkbox", name="Incremental").check()
    handle = slider(calculator, "A run every")
    box = handle.bounding_box()
    track = calculator.locator(".widget-hslider", has_text="A run every").locator(".noUi-base")
    width = track.bounding_box()["width"]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + width / 4, y, steps=8)
    page.mouse.move(x + width / 2, y, steps=8)
    page.mouse.up()
    chosen = handle.get_attribute("aria-valuetext")
    assert chosen in EVERY[5:15]  # about the middle
    shows(calculator, calculators.redesign(every=chosen, incremental=True).settings)
    page.screenshot(path=shots / "calculator_mouse.png")


def test_every_control_has_a_name(calculator):
    for role in ("slider", "checkbox", "combobox", "button"):
        for control in calculator.get_by_role(role).all():
            assert control.get_attribute("aria-label") or control.evaluate(
                "control => control.labels?.[0]?.textContent || control.textContent"
            )


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_question_opens_by_keyboard(page, key):
    page.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
    question = page.locator("summary", has_text="B. Eight nodes")
    wait(lambda: scrolled_to(page, question), 30, "the question is not in the page")
    opened = page.locator("details", has=question)
    question.focus()
    page.keyboard.press(key)
    sync_api.expect(opened).to_have_attribute("open", "")
    page.keyboard.press(key)
    sync_api.expect(opened).not_to_have_attribute("open", "")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_whole_lesson_is_pictured(page, shots, theme):
    """Screenshots for people to look at, and the one thing of them that a machine can check."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item", has_text="Theme").first.hover()
    page.locator(".lm-Menu-item", has_text=f"JupyterLab {theme}").first.click()
    wait(lambda: theme_is(page, theme), 20, f"no {theme} theme")
    panel = page.locator(".jp-WindowedPanel-outer")
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    for number in range(60):
        page.wait_for_timeout(400)
        page.screenshot(path=shots / f"{theme.lower()}_{number:02}.png")
        if panel.evaluate(
            "p => { const y = p.scrollTop; p.scrollBy(0, 780); return p.scrollTop == y }"
        ):
            break
    inks = page.locator(".jp-OutputArea-output svg.marks text").evaluate_all(
        "texts => [...new Set(texts.map(text => getComputedStyle(text).fill))]"
    )
    assert inks
    bright = [sum(map(int, re.findall(r"\d+", ink)[:3])) > 382 for ink in inks]
    assert all(bright) if theme == "Dark" else not any(bright)


def theme_is(page, theme):
    light = page.evaluate("document.body.dataset.jpThemeLight")
    return light == ("true" if theme == "Light" else "false")
