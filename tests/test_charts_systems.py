"""The picture of all systems: each label has a place of its own; a record says that it is one."""

import itertools

import pytest
from browsing import CHROMIUM, NO_CHROMIUM, chromium
from hypothesis import given
from hypothesis import strategies as st
from tradeoff import charts, data
from tradeoff.charts import theme
from tradeoff.charts.systems import Box, Scale, _dense, _thread, placed
from tradeoff.lab.systems import side_by_side


def picture(rows):
    return charts.systems(rows, side_by_side.curves(rows), side_by_side.stated(), "recorded run")


def test_a_record_says_so_with_its_day_and_machine():
    recorded = data.lab_run()
    spec = picture(recorded).to_dict()
    said = spec["title"]["subtitle"][0]
    assert said.startswith("Recorded run, ")
    for column in ("machine", "measured_on"):
        assert recorded[column].iloc[0] in said
        assert recorded[column].iloc[0] in spec["description"]
    assert all(system in spec["description"] for system in recorded["system"])


def test_one_system_is_drawn_too():
    recorded = data.lab_run()
    for row in range(len(recorded)):
        page = theme.drawn(picture(recorded.iloc[[row]]).to_dict())["text/html"]
        assert f">{recorded['system'].iloc[row]}<" in page


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_no_label_lies_on_another_in_a_browser():
    page_text = theme.drawn(picture(data.lab_run()).to_dict())["text/html"]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content(page_text)
        found = page.locator("svg text").evaluate_all(
            "all => all.map(text => [text.textContent, text.getBoundingClientRect()])"
        )
    texts = [(said, Box(at["left"], at["top"], at["right"], at["bottom"])) for said, at in found]
    names = {*data.lab_run()["system"], "1 day", "10 K"}
    assert names <= {said for said, _ in texts}
    # Lines of the title stand close: their boxes hold room for accents.
    body = [(said, box.grown(-1)) for said, box in texts if len(said) < 40]
    meeting = [
        (one[0], other[0])
        for one, other in itertools.combinations(body, 2)
        if one[1].meets(other[1])
    ]
    assert meeting == []


def parts(mark, label):
    """A thread in small boxes; none where the label is beside its mark."""
    ends = _thread(mark, label, point=True)
    return [Box(*at, *at).grown(0.5) for at in _dense(ends)] if ends else []


def test_a_thread_goes_around_the_names_that_are_there():
    other, mark = Box(70, 122, 82, 134), Box(100, 100, 112, 112)
    walls = [Box(0, 90, 98, 113), Box(114, 90, 680, 113), Box(60, 60, 160, 98)]
    there, label = placed([other, mark], [(50, 13), (30, 13)], [mark, *walls], [], (680, 460))
    assert there.meets(Box(100, 113, 112, 134))  # just below the mark
    assert label.bottom < 60  # above it all, though there is room below, behind the name
    assert parts(mark, label)


def test_no_name_covers_a_thread_that_is_there():
    mark, other = Box(100, 100, 112, 112), Box(80, 80, 92, 92)
    below = Box(0, 113, 680, 460)
    walls = [below, Box(0, 60, 92, 113), Box(120, 60, 680, 113)]  # too narrow for its label
    label, later = placed([mark, other], [(30, 13), (10, 13)], [mark, *walls], [], (680, 460))
    assert any(part.meets(Box(102, 80, 112, 92)) for part in parts(mark, label))
    assert not any(part.meets(later) for part in parts(mark, label))


@given(
    st.lists(
        st.tuples(st.floats(0, 640), st.floats(0, 440), st.integers(20, 140)),
        min_size=1,
        max_size=14,
    )
)
def test_labels_keep_apart_wherever_the_marks_are(points):
    marks = [Box(left, top, left + 12, top + 12) for left, top, _ in points]
    sizes = [(width, 13) for *_, width in points]
    found = placed(marks, sizes, marks, [], (680, 460))
    assert not any(one.meets(other) for one, other in itertools.combinations(found, 2))
    assert not any(label.meets(mark) for label in found for mark in marks)
    for number, (mark, label) in enumerate(zip(marks, found, strict=True), start=1):
        assert not any(later.meets(part) for later in found[number:] for part in parts(mark, label))
    for label, (width, height) in zip(found, sizes, strict=True):
        assert (label.right - label.left, label.bottom - label.top) == pytest.approx(
            (width, height)
        )
        assert min(label.left, label.top) >= 0
        assert label.right <= 680
        assert label.bottom <= 460


def test_a_label_stands_beside_its_mark_unless_something_is_there():
    mark = Box(100, 100, 112, 112)
    size, within = [(50, 13)], (680, 460)
    [right] = placed([mark], size, [mark], [], within)
    assert (right.left, (right.top + right.bottom) / 2) == (114, 106)
    [other] = placed([mark], size, [mark], [Box(130, 0, 132, 460)], within)
    assert not other.meets(Box(130, 0, 132, 460))
    with pytest.raises(ValueError, match="no room"):
        placed([mark], [(800, 13)], [mark], [], within)


@given(st.floats(-6, 5))
def test_a_scale_goes_there_and_back(power):
    scale = Scale(1e-6, 2e5, 680)
    assert scale.value(scale.at(10**power)) == pytest.approx(10**power)
    assert scale.at(0) == 0
    assert scale.at(1e9) == 680
