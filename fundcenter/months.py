"""Months: a month is the `date` of its first day. Whatever day a function here is given, its month is meant."""

import calendar
import re
import unicodedata
from datetime import date

# The separator stands or falls with the digits: 2026-3 is March, but 20263 could be anything and is refused.
_MONTH = re.compile(r"((?:19|20)\d\d)(?:[-/.]|年)(\d{1,2})(?:月份?)?|((?:19|20)\d\d)(\d\d)", re.ASCII)


def parse(value: str | date | int | float) -> date:
    """The month that someone wrote: 2026-03, 2026/3, 2026.03, 202603, 2026年3月, 2026年03月份, full-width digits,
    a date or datetime, the number 202603 as int or float. ValueError for anything else."""
    if isinstance(value, date):
        return first(value)
    written = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    found = _MONTH.fullmatch("".join(unicodedata.normalize("NFKC", written).split()))
    if found is None:
        raise ValueError(f"not a month: {value!r}")
    year, month = (int(part) for part in found.groups() if part)
    return date(year, month, 1)


def text(month: date) -> str:
    """2026-03"""
    return f"{month.year}-{month.month:02d}"


def chinese(month: date) -> str:
    """2026年3月"""
    return f"{month.year}年{month.month}月"


def first(day: date) -> date:
    """The month of a day (or datetime)."""
    return date(day.year, day.month, 1)


def last_day(month: date) -> date:
    return date(month.year, month.month, calendar.monthrange(month.year, month.month)[1])


def shift(month: date, n: int) -> date:
    """The month `n` months later, earlier if negative."""
    year, index = divmod(_index(month) + n, 12)
    return date(year, index + 1, 1)


def between(first: date, last: date) -> int:
    """How many months from `first` to `last`, both included; 0 if `last` is earlier."""
    return max(0, _index(last) - _index(first) + 1)


def interest_year_end(day: date) -> date:
    """结息日: the 30 June on or after `day`. The central bank's date; the 条例, art. 21, only names the rate."""
    return date(day.year + (day.month > 6), 6, 30)


def _index(month: date) -> int:
    return month.year * 12 + month.month - 1
