"""The lessons where people use them: the real JupyterLab in headless Chromium, by key and mouse.

Each lesson is run once, from top to bottom, and each of its calculators is tried. What one shows is
held against a fresh call of the model in this process. Screenshots go to pytest's temporary folder,
or to the folder named in TRADEOFF_SCREENSHOTS, which gets pictures of whole lessons, too.
"""

import os
import re
import sys
import time
from pathlib import Path

import browsing
import pytest
from browsing import scroll_to, wait
from tradeoff import calculators, course

pytest.importorskip("playwright.sync_api", reason="python -m pip install playwright")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="python -m pip install axe-playwright-python"
)
pytestmark = pytest.mark.skipif(browsing.CHROMIUM is None, reason=browsing.NO_CHROMIUM)

LESSONS = sorted(path.name for path in (course.home() / "lessons").glob("[0-9]*.ipynb"))
SHOTS = os.environ.get("TRADEOFF_SCREENSHOTS")
PANEL = ".jp-WindowedPanel-outer"

# What a reader sees of a picture, in no order and to a thousandth of a pixel: ticks that come back
# are drawn after the others, and a billionth of a pixel beside where they were.
SEEN = """svg => [...svg.querySelectorAll("text, path, rect, line, g[transform]")].map(each =>
    [each.tagName, each.tagName === "text" ? each.textContent : "",
     ...["d", "transform", "fill", "stroke", "opacity", "x2", "y2", "width", "height"]
        .map(name => each.getAttribute(name))].join("|")
        .replace(/-?\\d+\\.\\d+(e-?\\d+)?/g, number => +(+number).toFixed(3) || 0)).sort()"""
# The picture that Vega draws at one go from a chart and its rows.
DRAWN = """async ([spec, rows]) => {
    const room = document.body.appendChild(document.createElement("div"));
    for (const source of spec.data) if (source.name in rows) source.values = rows[source.name];
    const options = { mode: "vega", renderer: "svg", actions: false };
    const { finalize } = await tradeoffEmbed(room, spec, options);
    const seen = (SEEN)(room.querySelector("svg.marks"));
    finalize();
    room.remove();
    return seen;
}""".replace("SEEN", SEEN)
TEXT_OF = """html => {
    const room = document.createElement("div");
    room.innerHTML = html;
    return room.textContent;
}"""


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    folder = Path(SHOTS) if SHOTS else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the course, laid as `tradeoff open` lays it."""
    folder = tmp_path_factory.mktemp("course")
    course.copy_to(folder)
    return folder


@pytest.fixture(scope="module")
def lab(folder):
    """JupyterLab on the copy, and the browser: one of each for all lessons."""
    with browsing.jupyterlab(folder) as address, browsing.chromium() as browser:
        yield address, browser


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request, lab, folder, shots):
    """The lesson in a page, once all its cells ran."""
    name = f"lessons/{request.param}"
    page = browsing.open_notebook(lab[1], lab[0], name, height=1100)
    try:
        yield Lesson(page, request.param, browsing.run_all(page, folder / name))
    finally:
        page.screenshot(path=shots / f"{request.param[:2]}_at_the_end.png")
        browsing.close(page)


class Lesson:
    """A lesson that ran; `book` is the notebook as JupyterLab saved it."""

    def __init__(self, page, name, book):
        self.page, self.number, self.book = page, name[:2], book
        code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
        called = re.findall(r"^calculators\.(\w+)\(", code, re.MULTILINE)
        self.names = [name for name in called if name != "classify"]
        self.quizzes = called.count("classify")
        assert self.names, "a lesson without a calculator"

    def calculators(self):
        """Its calculators, each in view and reset. A second view of one counts as one more."""
        for number in range(len(self.names)):
            found = scroll_to(
                self.page, self.page.locator(".tradeoff-calculator:has(code)"), number
            )
            found.locator("svg.marks").wait_for()
            yield Shown(self.page, found)


class Shown:
    """A calculator in the page, and what it must show."""

    def __init__(self, page, found):
        self.page, self.found = page, found
        self.picture = found.locator("svg.marks")
        self.name = re.match(r"calculators\.(\w+)", self.code)[1]
        make = getattr(calculators, self.name)
        self.module = sys.modules[make.__module__]
        self.spec = make()._view.spec
        self.settings_of = {each.description: name for name, each in make()._controls.items()}

    @property
    def code(self):
        return self.found.locator("code").text_content()

    @property
    def settings(self):
        """The settings that the line to share says."""
        return eval(self.code.replace(f"calculators.{self.name}", "Settings"), vars(self.module))

    @property
    def seen(self):
        return self.picture.evaluate(SEEN)

    def reset(self):
        self.found.get_by_role("button", name="Reset").click()
        wait(lambda: self.settings == self.module.Settings(), 10, f"{self.name} does not reset")
        return self.agrees()

    def agrees(self):
        """The sentence and the picture are those of a fresh call of the model; its outcome."""
        # Asked anew each time: while a slider is dragged the settings still move.
        outcome = wait(self.answered, 60, f"{self.name} does not say what the model says")
        end = time.monotonic() + 60  # engines may be running beside it
        while not isinstance(outcome, ValueError) and self.seen != self.drawn(outcome):
            assert time.monotonic() < end, f"{self.code} draws another picture"
            time.sleep(0.05)
            outcome = wait(self.answered, 60, f"{self.name} does not say what the model says")
        if isinstance(outcome, ValueError):
            return None
        # Words of the rows stand in the picture, so that the check above compares no bare axes.
        words = {each for rows in outcome.rows.values() for row in rows for each in row.values()}
        assert words & set(self.picture.locator("text").all_text_contents())
        return outcome

    def drawn(self, outcome):
        """The picture of an outcome as Vega draws it at one go."""
        return self.page.evaluate(DRAWN, [self.spec, outcome.rows])

    def answered(self):
        """The model's answer to the settings, or its refusal, once the page says it; else None."""
        try:
            outcome = self.module.solve(self.settings)
        except ValueError as error:
            said = self.found.get_by_role("status").text_content()
            return error if said == str(error) else None
        said = self.found.locator(".widget-html-content:has([role=status])")
        wanted = self.page.evaluate(TEXT_OF, outcome.meaning)
        return outcome if said.count() and said.text_content() == wanted else None

    def controls(self):
        """Role and label of each control."""
        for role in ("slider", "checkbox", "combobox"):
            for control in self.found.get_by_role(role).all():
                if control.get_attribute("aria-disabled") != "true" and control.is_enabled():
                    yield role, control

    def sliders(self):
        return [control for role, control in self.controls() if role == "slider"]


def press(role, control):
    """Move a control by one step, away from the end if it is there."""
    control.focus()
    if role == "checkbox":
        control.press("Space")
    elif role == "combobox":
        last = control.evaluate("list => list.selectedIndex === list.length - 1")
        control.press("ArrowUp" if last else "ArrowDown")
    else:
        last = control.evaluate("it => it.ariaValueNow === it.ariaValueMax")
        control.press("ArrowLeft" if last else "ArrowRight")


def track(handle):
    return handle.locator("xpath=ancestor::div[contains(@class, 'noUi-base')]")


def middle(element):
    box = element.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_lesson_runs_without_an_error(lesson):
    problems = [
        (cell.id, output.get("text") or output.get("evalue"))
        for cell in lesson.book.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert problems == []
    for _ in lesson.calculators():
        assert lesson.page.locator(".jupyter-widgets-error, .lm-Widget-error").count() == 0


def test_each_control_moves_by_keyboard(lesson):
    for shown in lesson.calculators():
        shown.reset()
        moved = set()
        for role, control in shown.controls():
            label = control.get_attribute("aria-label") or control.evaluate(
                "it => it.labels[0].textContent"
            )
            before = shown.code
            press(role, control)
            wait(lambda: shown.code != before, 10, f"{label} does not move")  # noqa: B023
            shown.agrees()
            moved.add(label)
            shown.reset()
        assert moved <= set(shown.settings_of)
        assert len(moved) >= len(shown.settings_of) - len(shown.module.solve(shown.settings).idle)


def test_a_slider_and_each_preset_move_by_mouse(lesson):
    for shown in lesson.calculators():
        shown.reset()
        handle = shown.sliders()[0]
        base = track(handle)
        x, y = middle(handle)
        left, width = base.bounding_box()["x"], base.bounding_box()["width"]
        to = left + width * (0.25 if x > left + width / 2 else 0.75)
        before = shown.code
        lesson.page.mouse.move(x, y)
        lesson.page.mouse.down()
        lesson.page.mouse.move(to, y, steps=8)
        lesson.page.mouse.up()
        wait(lambda: shown.code != before, 10, f"{shown.name} does not move")  # noqa: B023
        assert middle(handle)[0] == pytest.approx(to, abs=width / 4)
        shown.agrees()
        for name, settings in shown.module.PRESETS.items():
            shown.found.get_by_role("button", name=name, exact=True).click()
            wait(lambda: shown.settings == settings, 10, f"{name} is not set")  # noqa: B023
            assert shown.agrees().meaning == shown.module.solve(settings).meaning


def test_a_change_sends_little_and_leaves_nothing(lesson, record_property):
    """Two hundred changes: no widget more, no element more, none of them over 10 KB."""
    shown = next(lesson.calculators())
    page, handle = lesson.page, shown.sliders()[0]
    shown.reset()
    press("slider", handle)  # the first change draws what no later one has to
    shown.reset()
    before, held = elements(page), nodes_held(page)
    page.wire.clear()
    sizes = []
    handle.focus()
    first = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemin")
    there, back = ("ArrowRight", "ArrowLeft") if first else ("ArrowLeft", "ArrowRight")
    for number in range(200):
        came, code = len(page.wire), shown.code
        page.keyboard.press(back if number % 2 else there)
        wait(lambda: shown.code != code, 5, "a press changes nothing", 0.005)  # noqa: B023
        sizes.append(sum(size for _, size, _ in page.wire[came:]))
    shown.agrees()
    assert sum(opened for *_, opened in page.wire) == 0  # no new widget
    assert sum(sizes) / len(sizes) < 10_000
    assert elements(page) <= before
    grown = nodes_held(page) - held
    record_property("nodes_grown", grown)
    assert grown < 200 * 4  # a picture of some twenty marks would add thousands if it kept them


def elements(page):
    return page.evaluate("document.querySelectorAll('*').length")


def nodes_held(page):
    """How many nodes the browser holds for the page, those out of sight and not freed included."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return next(int(each["value"]) for each in metrics if each["name"] == "Nodes")


def test_a_drag_ends_at_the_value_it_was_let_go_at(lesson, record_property):
    """Three seconds at sixty moves a second: nothing queues behind the hand."""
    shown = next(lesson.calculators())
    page, handle = lesson.page, shown.sliders()[0]
    shown.reset()
    base = track(handle).bounding_box()
    page.mouse.move(*middle(handle))
    page.mouse.down()
    began = time.monotonic()
    for move in range(180):
        share = abs((move / 45) % 2 - 1)  # back and forth, to end where it counts
        page.mouse.move(base["x"] + base["width"] * share, base["y"] + 2)
        time.sleep(max(0.0, began + move / 60 - time.monotonic()))
    page.mouse.move(base["x"] + base["width"] * 0.4, base["y"] + 2)
    page.mouse.up()
    released = time.monotonic()
    label = handle.get_attribute("aria-label")
    said = handle.get_attribute("aria-valuetext")
    seen = None
    while time.monotonic() - released < 2 and (now := shown.seen) != seen:
        seen, settled = now, time.monotonic()
        page.wait_for_timeout(50)
    record_property("milliseconds_after_release", round((settled - released) * 1000))
    shown.agrees()
    control = calculators_control(shown, label)
    chosen = getattr(shown.settings, shown.settings_of[label])
    assert next(text for text, value in control.options if value == chosen) == said


def calculators_control(shown, label):
    return getattr(calculators, shown.name)()._controls[shown.settings_of[label]]


def test_a_question_opens_by_keyboard(lesson):
    question = scroll_to(lesson.page, lesson.page.locator("summary"))
    opened = lesson.page.locator("details", has=question).first
    for key in ("Enter", "Space"):
        for state in (True, False):
            question.focus()
            lesson.page.keyboard.press(key)
            assert opened.evaluate("it => it.open") is state


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_serious_for_a_screen_reader_in_a_theme(lesson, shots, theme):
    page = lesson.page
    browsing.set_theme(page, theme)
    for number, shown in enumerate(lesson.calculators()):
        shown.found.screenshot(
            path=shots / f"{lesson.number}_{number}_{shown.name}_{theme.lower()}.png"
        )
        assert serious(page) == []
        inks = page.locator(".jp-OutputArea-output svg text").evaluate_all(
            "texts => [...new Set(texts.map(text => getComputedStyle(text).fill))]"
        )
        assert inks
        bright = [sum(map(int, re.findall(r"\d+", ink)[:3])) > 382 for ink in inks]
        assert all(bright) if theme == "Dark" else not any(bright)
    for number in range(lesson.quizzes):
        scroll_to(page, page.locator(".tradeoff-calculator:not(:has(code))"), number)
        assert serious(page) == []
    if SHOTS:
        picture_all(page, shots, f"{lesson.number}_{theme.lower()}")


def serious(page):
    """What axe-core finds serious or critical in the calculators now in the page."""
    found = axe.Axe().run(page, context=".tradeoff-calculator").response["violations"]
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def picture_all(page, shots, name):
    panel = page.locator(PANEL)
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    for number in range(80):
        page.wait_for_timeout(400)
        page.screenshot(path=shots / f"{name}_page_{number:02}.png")
        if panel.evaluate(
            "p => { const y = p.scrollTop; p.scrollBy(0, 960); return p.scrollTop == y }"
        ):
            break
