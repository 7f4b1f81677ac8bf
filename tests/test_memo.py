"""The decision memo: one page, by itself, in the diagnosis's own figures."""

import re
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from tradeoff import data, memo
from tradeoff.diagnosis import diagnose
from tradeoff.interview.sheet.browser import browser
from tradeoff.model import Consumer
from tradeoff.scenarios import faults


def generated(*cause):
    drawn = faults.history(np.random.default_rng(5), *cause)
    return diagnose(drawn.runs, drawn.consumers, name=drawn.label, **drawn.limits)


CASES = {
    "orders": lambda: diagnose(
        data.order_runs(), data.consumers(), run_window_hours=7, name="nightly orders"
    ),
    "healthy": lambda: diagnose(
        data.order_runs().head(200), data.consumers().head(1), run_window_hours=7, name="orders"
    ),
    "slowed": lambda: generated("slowed", True, "read", "none"),
    "state": lambda: generated("fits", False, "write", "state"),
    "cost": lambda: generated("fits", True, "transform", "cost"),
    "latency": lambda: generated("fits", False, "write", "latency"),
    "unpriced": lambda: diagnose(data.order_runs()[["start", "end"]], [Consumer("a", 4)]),
    "three nights": lambda: diagnose(data.order_runs().head(3)),
    "one night": lambda: diagnose(data.order_runs().head(1)),
}


@pytest.fixture(scope="module", params=CASES)
def found(request):
    return CASES[request.param]()


class Page(HTMLParser):
    """Tags that are closed in order, what they refer to, and the text between them."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_stands_alone(found):
    source = memo.html(found)
    page = Page(source)
    assert page.open == []
    assert page.links == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import|nan\b", source)


def test_the_picture_has_a_title_and_says_in_words_what_it_shows(found):
    source = memo.html(found)
    assert 'role="img"' in source
    assert re.search(r'<title id="pt">.+?</title><desc id="pd">\d+ dots', source)
    coordinates = [float(number) for number in re.findall(r' (?:c?[xy][12]?)="([^"]+)"', source)]
    assert np.isfinite(coordinates).all()
    assert min(coordinates) >= 0
    assert max(coordinates) <= memo.WIDTH


def test_the_figures_are_the_diagnosis(found):
    text = " ".join("".join(Page(memo.html(found)).text).split())
    plain = memo.markdown(found)
    for wanted in (found.headline, found.recommendation, *found.would_change):
        said = wanted[:1].upper() + wanted[1:]
        assert said in text
        assert said in plain
    for topic in memo.FOUR:
        assert found.findings[topic].says in text
        assert found.findings[topic].says in plain
    for option in found.options[1:]:
        assert option.name in text
        assert all(missed in plain for missed in option.missed)


def test_tables_in_markdown_have_as_many_cells_in_every_row(found):
    for block in memo.markdown(found).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1


def test_names_are_text_and_not_markup():
    needs = [Consumer("<script>alert(1)</script> | team", 4)]
    hostile = diagnose(data.order_runs().head(60), needs, name="a <b>& | c", run_window_hours=3.5)
    source = memo.html(hostile)
    assert "script" not in Page(source).tags
    assert "a &lt;b&gt;&amp; | c" in source
    test_tables_in_markdown_have_as_many_cells_in_every_row(hostile)


def test_rows_set_aside_and_guesses_are_on_the_page():
    runs = data.order_runs().head(60).rename(columns={"rows_read": "rows_in"})
    runs.loc[4, "rows_in"] = -1
    found = diagnose(runs)
    for source in (memo.html(found), memo.markdown(found), memo.text(found)):
        assert "rows_in is negative (row 5)" in source
        assert "1 row set aside" in source
        assert "as rows_read" in source


CHROMIUM = browser()


@pytest.mark.skipif(
    not CHROMIUM, reason="prints with Chromium: `tradeoff doctor` says how to get it"
)
@pytest.mark.parametrize("size", ["A4", "Letter"])
@pytest.mark.parametrize("case", ["orders", "slowed", "state"])
def test_it_prints_on_one_sheet(tmp_path, case, size):
    source = memo.html(CASES[case]())
    assert "size: auto" in source
    page = tmp_path / "memo.html"
    page.write_text(source.replace("size: auto", f"size: {size}"), encoding="utf-8")
    subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"),
            *(f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'memo.pdf'}"),
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "memo.pdf").read_bytes())) == 1
