from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundcenter import charts

SVG = "{http://www.w3.org/2000/svg}"
# What the CSP lets through; and no id, two charts stand on one page.
ATTRIBUTES = {
    *("role", "width", "height", "viewBox", "font-family", "font-size", "text-anchor", "fill"),
    *("stroke", "stroke-width", "stroke-opacity", "x", "y", "x1", "x2", "y1", "y2", "rx"),
}
amounts = st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=2)
labels = st.text(alphabet="2026-0312月鄱阳<>&\"'/", max_size=40)


def drawn(points, **options):
    return ElementTree.fromstring(charts.bars(points, **{"width": 430, "height": 130, "unit": "万元"} | options))


def heights(chart):
    return [Decimal(bar.get("height")) for bar in chart.iter(f"{SVG}rect")]


def texts(chart):
    return [text.text for text in chart.iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_amounts_and_the_last_is_dark():
    chart = drawn([("1月", Decimal("50")), ("2月", Decimal("100")), ("3月", Decimal("200"))])
    first, second, third = heights(chart)
    assert (second, third) == (2 * first, 4 * first)
    fills = [bar.get("fill") for bar in chart.iter(f"{SVG}rect")]
    assert fills == [charts.PLAIN[0]] * 2 + [charts.HIGHLIGHT[0]]
    fills = [bar.get("fill") for bar in drawn([("1月", Decimal(1))] * 3, highlight_last=False).iter(f"{SVG}rect")]
    assert set(fills) == {charts.PLAIN[0]}


def test_what_a_reader_hears_and_what_a_bar_says():
    chart = drawn([("2月", Decimal("1102.04")), ("3月", Decimal("1286.43"))], title="近 2 个月汇缴额")
    assert chart.get("role") == "img"
    assert chart.find(f"{SVG}title").text == "近 2 个月汇缴额（万元），2月：1,102.04 至 3月：1,286.43"
    assert [bar.find(f"{SVG}title").text for bar in chart.iter(f"{SVG}rect")] == [
        "2月：1,102.04 万元",
        "3月：1,286.43 万元",
    ]


def test_no_data_says_so():
    chart = drawn([])
    assert texts(chart) == ["暂无数据"]
    assert chart.find(f"{SVG}title").text == "柱状图（万元）：暂无数据"


def test_a_negative_bar_hangs_below_zero():
    chart = drawn([("1月", Decimal(10)), ("2月", Decimal(-10))])
    up, down = chart.iter(f"{SVG}rect")
    assert Decimal(up.get("y")) + Decimal(up.get("height")) == Decimal(down.get("y"))
    assert down.get("fill") == charts.HIGHLIGHT_NEGATIVE[0]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (["1286.43", "1102.04"], ["0", "500", "1,000", "1,500"]),
        (["0", "0"], ["0", "1"]),
        (["15.2"], ["0", "5", "10", "15", "20"]),
        (["-3", "-7.5"], ["-8", "-6", "-4", "-2", "0"]),
        (["-400", "1205.77"], ["-500", "0", "500", "1,000", "1,500"]),
        (["1481481468148.08"], ["0", "500,000,000,000", "1,000,000,000,000", "1,500,000,000,000"]),
        (["0.0012"], ["0.0000", "0.0005", "0.0010", "0.0015"]),
    ],
)
def test_the_axis_has_round_numbers(points, expected):
    chart = drawn([("", Decimal(amount)) for amount in points])
    assert [text for text in texts(chart) if text and text != "万元"] == expected


def test_labels_that_would_touch_are_thinned_out_from_the_last():
    chart = drawn([(f"2024-{n:02d}", Decimal(n)) for n in range(1, 37)], width=320)
    shown = [text for text in texts(chart) if text and text.startswith("2024-")]
    assert shown[0] == "2024-36"
    assert 4 <= len(shown) <= 8


def test_markup_in_a_label_stays_text():
    svg = charts.bars([("<script>alert(1)</script>", Decimal(1))], width=900, height=130, unit="<b>", title="&")
    assert "<script" not in svg
    assert "<b>" not in svg
    assert "<script>alert(1)</script>" in texts(ElementTree.fromstring(svg))


@given(st.lists(st.tuples(labels, amounts), max_size=40), st.integers(200, 900), st.integers(90, 400))
def test_every_chart_is_whole(points, width, height):
    chart = drawn(points, width=width, height=height)
    assert {name for element in chart.iter() for name in element.keys()} <= ATTRIBUTES  # noqa: SIM118
    assert {element.tag.removeprefix(SVG) for element in chart.iter()} <= {"svg", "title", "text", "line", "rect"}
    assert len(heights(chart)) == len(points)
    for bar in chart.iter(f"{SVG}rect"):
        x, y, w, h = (Decimal(bar.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + w <= width
        assert charts.TOP - 1 <= y <= y + h <= height - charts.BOTTOM + 1


@given(st.lists(amounts, min_size=1))
def test_ticks_cover_every_amount_from_zero(values):
    ticks = charts._ticks(values)
    assert 0 in ticks
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values)
    assert 2 <= len(ticks) <= 7
    steps = {after - before for before, after in pairwise(ticks)}
    assert len(steps) == 1
    assert steps.pop().normalize().as_tuple().digits in [(1,), (2,), (5,)]
