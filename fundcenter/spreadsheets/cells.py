"""From a raw cell to a value. What can't be one is a `CellProblem` whose code the room reports beside row and column.

A blank cell is CellProblem("cell_empty"): the room reports it where the column is required and goes on elsewhere.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from fundcenter import months
from fundcenter.identifiers import clean
from fundcenter.spreadsheets.sheets import Cell


@dataclass(frozen=True)
class CellProblem:
    """`code` as in collection.md A5; `found` what stood in the cell, cut to 40 characters."""

    code: str
    found: str = ""


Raw = Cell | None  # None: the file has no such column

_EXACT = 10**15  # a double holds every whole number below it, and Excel shows no more than 15 digits

_ENDS = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$")
_FLOATED = re.compile(r"[0-9]+(?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?)[¥$]?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)元?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})|([0-9]{4})([0-9]{2})([0-9]{2})")
_DATE_SIGNS = str.maketrans({"年": "-", "月": "-", "/": "-", ".": "-", "日": None})


def as_text(value: Raw) -> str:
    """As Excel shows it, without space around: 13812345678.0 is 13812345678. Blank is ""."""
    match value:
        case None:
            return ""
        case str():
            return _ENDS.sub("", value)
        case bool():
            return str(value).upper()
        case int() | float():
            return f"{value:.15g}" if abs(value) >= _EXACT or value != value // 1 else f"{value:.0f}"
        case datetime():
            return value.isoformat(" ")
        case _:
            return value.isoformat()


def as_account(value: Raw, digits: int) -> str | CellProblem:
    """A number that names something: account, ID card, bank card. `account_as_float` if digits are lost.

    Excel keeps 15 digits of a number exactly and only drops the zeros in front, which are put back up to `digits`;
    also in text, where a .csv saved by Excel has lost them. The check digits will tell whether that was right.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value < _EXACT or value != value // 1:
            return _problem("account_as_float", value)
        return f"{value:.0f}".zfill(digits)
    text = clean(as_text(value)).lstrip("'‘’`")
    if not text:
        return CellProblem("cell_empty")
    if _FLOATED.fullmatch(text):
        return _problem("account_as_float", value)
    return text.zfill(digits) if text.isdecimal() else text


def as_number(value: Raw) -> Decimal | CellProblem:
    """1234.5, "1,234.50", "￥1,234.50", "1234.5元", full-width digits; else `number_malformed`. Not rounded.

    Of a float the 15 digits that Excel shows: 639.1 is 639.1, and what 0.1 + 0.2 leaves behind them is no money.
    """
    match value:
        case bool() | date():
            return _problem("number_malformed", value)
        case int() | float():
            number = Decimal(f"{value:.15g}")
            return number if number.is_finite() else _problem("number_malformed", value)
    text = clean(as_text(value))
    if not text:
        return CellProblem("cell_empty")
    found = _NUMBER.fullmatch(text)
    return Decimal(found[1] + found[2].replace(",", "")) if found else _problem("number_malformed", value)


def as_ratio(value: Raw) -> Decimal | CellProblem:
    """12, "12%" and 0.12 are all 0.12: without a sign, what is greater than 1 is a percentage. `number_malformed`."""
    text = clean(value) if isinstance(value, str) else ""
    percent = text.endswith("%")
    number = as_number(text.removesuffix("%") if percent else value)
    if isinstance(number, CellProblem):
        return _problem("number_malformed", value) if percent else number
    return number / 100 if percent or number > 1 else number


def as_month(value: Raw) -> date | CellProblem:
    """The first of the month, of all that `months.parse` reads and of a whole date; else `month_malformed`."""
    try:
        return months.parse(value if isinstance(value, date | int | float) else clean(as_text(value)))
    except ValueError:
        day = as_date(value)
    if isinstance(day, date):
        return months.first(day)
    return day if day.code == "cell_empty" else _problem("month_malformed", value)


def as_date(value: Raw) -> date | CellProblem:
    """A date cell, 2026-03-18, 2026/3/18, 2026.3.18, 2026年3月18日, 20260318; else `date_malformed`."""
    match value:
        case datetime():
            return value.date()
        case date():
            return value
    text = clean(as_text(value))
    if not text:
        return CellProblem("cell_empty")
    if found := _DATE.fullmatch(text.translate(_DATE_SIGNS)):
        with suppress(ValueError):
            return date(*(int(part) for part in found.groups() if part))
    return _problem("date_malformed", value)


def _problem(code: str, value: Raw) -> CellProblem:
    return CellProblem(code, as_text(value)[:40])
