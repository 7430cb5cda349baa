from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundcenter import months

MARCH = date(2026, 3, 1)
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31))


@pytest.mark.parametrize(
    "written",
    [
        "2026-03", "2026-3", "202603", "2026年3月", "2026年03月份", "2026/3", "2026.03", 202603, 202603.0,
        "２０２６年３月", "２０２６－０３", " 2026 年 3 月 ", date(2026, 3, 18), datetime(2026, 3, 31, 23, 59),
    ],
)  # fmt: skip
def test_every_way_to_write_a_month(written):
    assert months.parse(written) == MARCH


@pytest.mark.parametrize(
    "written",
    ["", "2026", "20263", "2026-13", "2026-00", "202613", "3月", "03-2026", "2026-03-18", "1026-03", "2026-03x", 202613,
     202603.5, float("nan"), float("inf"), 46082, None],
)  # fmt: skip
def test_what_is_no_month(written):
    with pytest.raises(ValueError, match="month"):
        months.parse(written)


@given(days)
def test_what_is_written_is_read(day):
    month = months.first(day)
    assert months.parse(months.text(month)) == months.parse(months.chinese(month)) == month
    assert months.parse(int(f"{day:%Y%m}")) == month
    assert type(months.parse(datetime(day.year, day.month, day.day))) is date


def test_writing():
    assert months.text(MARCH) == "2026-03"
    assert months.chinese(MARCH) == "2026年3月"


def test_last_day():
    assert months.last_day(date(2026, 2, 1)) == date(2026, 2, 28)
    assert months.last_day(date(2028, 2, 10)) == date(2028, 2, 29)


@pytest.mark.parametrize(("n", "shifted"), [(0, (2026, 3)), (9, (2026, 12)), (10, (2027, 1)), (-3, (2025, 12))])
def test_shift(n, shifted):
    assert months.shift(MARCH, n) == date(*shifted, 1)


@given(days, st.integers(0, 600))
def test_between_counts_both_ends(day, n):
    last = months.shift(day, n)
    assert months.between(day, last) == n + 1
    assert months.shift(last, -n) == months.first(day)


def test_between_of_an_empty_span():
    assert months.between(MARCH, date(2026, 2, 1)) == months.between(MARCH, date(2025, 1, 1)) == 0


@pytest.mark.parametrize(
    ("day", "year"), [("2025-06-30", 2025), ("2025-07-01", 2026), ("2025-12-31", 2026), ("2026-01-01", 2026)]
)
def test_interest_year_end(day, year):
    assert months.interest_year_end(date.fromisoformat(day)) == date(year, 6, 30)
