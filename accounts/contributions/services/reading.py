"""Reads a contribution register out of a spreadsheet: cells become typed values or problems; nothing is judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from accounts.contributions import refusals, sheets
from fundcenter import spreadsheets
from fundcenter.office.refusals import Problem, Refusal, Refused
from fundcenter.spreadsheets import CellProblem, Column, Table

# Past this no amount is a wage; it also keeps sums within numeric(18,2).
AMOUNT_BOUND = 10**9

Row = tuple[int, str | None, date | None, str | None, str | None, Any, Any, Any]


@dataclass
class Reading:
    """Rows for the staging table, and what was wrong in cells: ``problems`` is complete once ``rows`` is used up."""

    table: Table
    problems: list[Problem] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """One tuple a row, in the order of sheets.REGISTER; a cell that cannot be read is None and a problem."""
        # An employer and a month stand in every row of a file that has few of them: each is read once.
        employer = _remembering(partial(self._read, sheets.EMPLOYER, _account))
        month = _remembering(partial(self._read, sheets.MONTH, spreadsheets.as_month))
        member = partial(self._read, sheets.MEMBER, _account)
        name = partial(self._read, sheets.NAME, _text)
        base, own, theirs = (
            partial(self._read, column, _amount)
            for column in (sheets.BASE, sheets.AMOUNT_EMPLOYER, sheets.AMOUNT_MEMBER)
        )
        for row, values in self.table.rows:
            yield (
                row, employer(row, values[0]), month(row, values[1]), member(row, values[2]), name(row, values[3]),
                base(row, values[4]), own(row, values[5]), theirs(row, values[6]),
            )  # fmt: skip

    def _read(self, column: Column, read: Callable[[Any], Any], row: int, value: Any) -> Any:
        result = read(value)
        if type(result) is CellProblem:
            self.problems.append(_problem(result.code, row, column.title, result.found))
            return None
        return result

    def titles(self) -> Mapping[str, str]:
        """Our heading → the file's own, for marking its cells."""
        return {
            column.title: self.table.columns[column.field].title
            for column in sheets.REGISTER
            if column.field in self.table.columns
        }


def read_register(content: bytes, name: str) -> Reading:
    """Refused: no spreadsheet, or one that may do harm. Missing columns and formulas are problems of the file."""
    try:
        table = spreadsheets.read(content, name, sheets.REGISTER)
    except spreadsheets.FileRefused as refused:
        raise Refused(
            [Refusal(refused.code, str(refused).replace("{", "{{").replace("}", "}}")).problem()]
        ) from refused
    reading = Reading(table)
    for wrong in (*table.missing, *table.duplicated):
        reading.problems.append(_problem(wrong.code, table.header_row, wrong.title, ""))
    places = {found.index: field for field, found in table.columns.items()}
    titles = {column.field: column.title for column in sheets.REGISTER}
    for row, place in sorted(table.formulas):
        if place in places and row > (table.header_row or 0) and (table.control is None or row != table.control[0]):
            reading.problems.append(_problem("formula_cell", row, titles[places[place]], ""))
    return reading


def _problem(code: str, row: int | None, column: str, found: str) -> Problem:
    return refusals.BY_CODE[code].problem(row=row, column=column, found=found)


def _remembering(read: Callable[[int, Any], Any]) -> Callable[[int, Any], Any]:
    known: dict[Any, Any] = {}

    def look(row: int, value: Any) -> Any:
        if value in known:
            return known[value]
        result = read(row, value)
        if result is not None:
            known[value] = result
        return result

    return look


def _account(value: Any) -> str | CellProblem:
    if type(value) is str and len(value) == sheets.ACCOUNT_DIGITS and value.isascii() and value.isdigit():
        return value
    return spreadsheets.as_account(value, sheets.ACCOUNT_DIGITS)


def _text(value: Any) -> str | CellProblem:
    return spreadsheets.as_text(value) or CellProblem("cell_empty")


def _amount(value: Any) -> Decimal | str | CellProblem:
    # PostgreSQL reads the text; fifteen digits are what the cell shows.
    if type(value) is float and -AMOUNT_BOUND < value < AMOUNT_BOUND:
        return f"{value:.15g}"
    number = spreadsheets.as_number(value)
    if isinstance(number, Decimal) and abs(number) >= AMOUNT_BOUND:
        return CellProblem("number_malformed", str(value)[:40])
    return number
