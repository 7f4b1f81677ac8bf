"""From key press to changed picture, in JupyterLab: a calculator beside the usual ways.

    pytest tests/benchmarks/test_bench_calculators.py --benchmark-enable -n 0

The usual way is `ipywidgets.interact` on a function that returns an Altair chart; the next best is
Altair's `JupyterChart`, whose chart is replaced. Each shows the same chart of the same model and is
moved by the same keys, in turn, so that a busy machine slows all alike. A picture counts as changed
once the page holds the bill that a fresh call of the model finds. Times, ratios, bytes on the wire
and what a change leaves behind stand in `extra_info`.
"""

import time
from inspect import cleandoc

import browsing
import nbformat
import numpy as np
import pytest
from tradeoff import calculators
from tradeoff.calculators.redesign import Settings, solve
from tradeoff.model import words

pytest.importorskip("playwright.sync_api", reason="python -m pip install playwright")
pytestmark = pytest.mark.skipif(browsing.CHROMIUM is None, reason=browsing.NO_CHROMIUM)

REDESIGN = {"every": "1 h", "incremental": True, "marketing_apart": True}
CELLS = {
    "prepare": f"""
        import altair as alt
        import ipywidgets as widgets
        from tradeoff import calculators, charts
        from tradeoff.calculators.redesign import NODES, Settings, solve

        alt.renderers.enable("jupyter", offline=True, embed_options={{"renderer": "svg"}})
        alt.JupyterChart.enable_offline()
        redesign = {REDESIGN}

        def slider():
            return widgets.SelectionSlider(options=NODES, description="Nodes")

        def picture(nodes):
            chart = charts.needs_and_cost("needs", "bills")
            chart.datasets = solve(Settings(nodes=nodes, **redesign)).rows
            return chart
        """,
    "calculator": "calculators.redesign(**redesign)",
    "interact": "widgets.interact(picture, nodes=slider());",
    "jupyter_chart": """
        held = alt.JupyterChart(picture(1), embed_options={"renderer": "svg"})
        nodes = slider()
        nodes.observe(lambda change: setattr(held, "chart", picture(change.new)), "value")
        widgets.VBox([nodes, held])
        """,
}
CALCULATORS = [name for name in calculators.__all__ if name not in ("Calculator", "classify")]
WAYS = [name for name in CELLS if name != "prepare"]

# Notes when the page first holds the wanted bill in the given cell's picture.
WATCH = """() => {
    addEventListener("keydown", () => { window.pressed = performance.now(); }, { capture: true });
    new MutationObserver(() => {
        if (window.took !== null || !window.cell) return;
        const texts = [...window.cell.querySelectorAll("svg.marks text")];
        if (texts.some(text => text.textContent === window.wanted))
            window.took = performance.now() - window.pressed;
    }).observe(document.body, { subtree: true, childList: true, attributes: true,
                                characterData: true });
}"""


def bill(nodes):
    found = solve(Settings(nodes=nodes, **REDESIGN))
    return words.usd(round(found.cost_usd_per_day))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a folder with two notebooks, and the browser."""
    folder = tmp_path_factory.mktemp("bench")
    write(folder / "ways.ipynb", CELLS.values())
    calls = [f"calculators.{name}()" for name in CALCULATORS]
    write(folder / "all.ipynb", ["from tradeoff import calculators", *calls])
    with browsing.jupyterlab(folder) as address, browsing.chromium() as browser:
        yield folder, address, browser


def write(path, cells):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cleandoc(c)) for c in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, path)


@pytest.fixture
def page(lab):
    """The notebook of all ways, run."""
    folder, address, browser = lab
    page = browsing.open_notebook(browser, address, "ways.ipynb", height=2400)
    browsing.run_all(page, folder / "ways.ipynb")
    page.evaluate(WATCH)
    yield page
    browsing.close(page)


def press(page, way, key, wanted):
    """Milliseconds from the key press to the changed picture, and bytes on the wire."""
    cell = page.locator(".jp-CodeCell").nth(list(CELLS).index(way))
    handle = cell.get_by_role("slider").last
    handle.focus()
    cell.evaluate("(cell, wanted) => Object.assign(window, { cell, wanted, took: null })", wanted)
    page.wire.clear()
    page.keyboard.press(key)
    page.wait_for_function("window.took !== null", polling=20)
    quiet(page)
    return page.evaluate("window.took"), sum(size for _, size, _ in page.wire)


def quiet(page, seconds=0.15):
    """Wait until nothing has come over the wire for a while."""
    while page.wire and time.monotonic() - page.wire[-1][0] < seconds:
        page.wait_for_timeout(50)


def test_a_key_press_beside_the_usual_ways(page, benchmark):
    presses = 2 if benchmark.disabled else 60
    times, sizes = {way: [] for way in WAYS}, {way: [] for way in WAYS}

    def all_presses():
        for number in range(presses):
            there = number % 2 == 0
            for way in WAYS:
                key, nodes = ("ArrowRight", 2) if there else ("ArrowLeft", 1)
                milliseconds, size = press(page, way, key, bill(nodes))
                times[way].append(milliseconds)
                sizes[way].append(size)

    benchmark.pedantic(all_presses, rounds=1)
    for way in WAYS:
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            took, ours = np.quantile(times[way], share), np.quantile(times["calculator"], share)
            benchmark.extra_info[f"{way}_{name}_ms"] = round(took, 1)
            benchmark.extra_info[f"{way}_{name}_times_slower"] = round(took / ours, 1)
        benchmark.extra_info[f"{way}_kb_a_change"] = round(np.median(sizes[way]) / 1000, 1)
    assert max(sizes["calculator"]) < 10_000
    if not benchmark.disabled:
        assert np.median(times["calculator"]) < np.median(times["interact"])


def test_a_calculator_after_the_pages_first(lab, benchmark):
    """From Shift+Enter to the picture in the page, one calculator after the other."""
    _, address, browser = lab
    page = browsing.open_notebook(browser, address, "all.ipynb", height=6000)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-CodeCell").nth(1).click()
    seconds = {}

    def show_all():
        for number, name in enumerate(CALCULATORS, start=1):
            pictures = page.locator(".tradeoff-calculator svg.marks")
            began = time.perf_counter()
            page.keyboard.press("Shift+Enter")
            pictures.nth(number - 1).wait_for(state="attached")
            seconds[name] = time.perf_counter() - began
            page.wait_for_timeout(500)

    benchmark.pedantic(show_all, rounds=1)
    for name, took in seconds.items():
        benchmark.extra_info[f"{name}_seconds"] = round(took, 2)
    assert len(seconds) == len(CALCULATORS)
    browsing.close(page)
