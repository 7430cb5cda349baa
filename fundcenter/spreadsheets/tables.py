"""A sheet as a table: where its header stands, which column is which, what stands above and below the rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Literal

from fundcenter.identifiers import clean
from fundcenter.spreadsheets.files import LIMITS, FileRefused, Limits
from fundcenter.spreadsheets.sheets import Cell, Formulas, Row, opened

_HEADER_WITHIN = 15  # rows
_CONTROL = ("合计", "总计", "小计")

Values = tuple[Cell | None, ...]  # in the order of the declared columns; None where the file has no such column


@dataclass(frozen=True)
class Column:
    """`title` heads the column in our own files, `synonyms` in those of others. `kind` says how it is written, `repeats`
    that many rows have the same value, which is then read once and may stand above the header instead."""

    field: str
    title: str
    synonyms: tuple[str, ...] = ()
    kind: Literal["text", "account", "number", "money", "ratio", "month", "date"] = "text"
    required: bool = True
    repeats: bool = False


@dataclass(frozen=True)
class Found:
    index: int  # from 0, column A
    title: str  # as the file has it


@dataclass(frozen=True)
class HeaderProblem:
    code: Literal["header_missing", "header_doubled"]
    field: str
    title: str  # ours of a missing column, the file's of a doubled one


@dataclass(frozen=True)
class Table:
    """`rows` carry the row number that Excel shows. A column of the file that nobody declared is left out.

    What stands above the header under the name of a column that `repeats` (单位账号：010000000146) stands in for one that
    the file lacks: it is the value of every row. Of another column it says nothing: 经办人 there is whoever filled the
    sheet in, and 单位名称 whose sheet it is. `title_cells` has all that stands there, by its label.
    """

    title_cells: Mapping[str, Cell]
    header_row: int | None  # as seen in Excel; None: no row of the first 15 has two of the columns, so no rows either
    columns: Mapping[str, Found]  # by field
    rows: Sequence[tuple[int, Values]]
    control: tuple[int, Values] | None  # the last row, if it begins with 合计, 总计 or 小计
    missing: tuple[HeaderProblem, ...]
    duplicated: tuple[HeaderProblem, ...]
    formulas: Formulas  # (row as seen in Excel, column as in Found.index)


def read(content: bytes, name: str, columns: Sequence[Column], limits: Limits = LIMITS) -> Table:
    """The table in an .xlsx, .xls or .csv. FileRefused: all of `sniff`'s, file_empty, sheet_too_wide, rows_too_many.

    Values are raw (`Cell`), and of a formula there is none but in the row of sums: a room turns those it needs into numbers
    and accounts, when it needs them.
    """
    fields = _fields_by_heading(columns)
    repeating = {column.field for column in columns if column.repeats}
    with opened(content, name, limits) as sheet:
        top = list(islice(sheet.rows, _HEADER_WITHIN))
        matches = [_match(row, fields) for row in top]
        header = max(range(len(top)), key=lambda row: len(matches[row]), default=0)
        found = matches[header] if matches else {}
        if len(found) < 2:
            return Table({}, None, {}, (), None, _missing(columns, ()), (), sheet.formulas)

        title_cells = _title_cells(top[:header])
        labelled = {fields[key]: value for label, value in title_cells.items() if (key := heading(label)) in fields}
        above = {field: value for field, value in labelled.items() if field in repeating}
        # Each row is prolonged by what stands above, so that one itemgetter picks all values.
        constants = tuple(above.get(column.field) for column in columns)
        sources = [found[c.field][0] if c.field in found else sheet.width + i for i, c in enumerate(columns)]
        pick = itemgetter(*sources)
        present = [places[0] for places in found.values()]

        calculated: dict[int, set[int]] = {}
        for in_row, place in sheet.formulas:
            calculated.setdefault(in_row, set()).add(place - sheet.first_column)

        rows: list[tuple[int, Values]] = []
        last: Row = ()
        for number, row in enumerate(chain(top[header + 1 :], sheet.rows), header + 2):
            if not _blank(row, present):
                last = row
                if number in calculated:
                    row = tuple("" if place in calculated[number] else cell for place, cell in enumerate(row))
                rows.append((number, pick(row + constants)))
                if len(rows) > limits.rows:
                    raise FileRefused("rows_too_many", f"表格超过 {limits.rows:,} 行，请分成几个文件", most=limits.rows)

    titles = top[header]
    control = (rows.pop()[0], pick(last + constants)) if _is_control(last) else None
    return Table(
        title_cells=title_cells,
        header_row=header + 1,
        columns={field: Found(sheet.first_column + i, str(titles[i])) for field, (i, *_) in found.items()},
        control=control,
        rows=rows,
        missing=_missing(columns, found.keys() | above.keys()),
        duplicated=tuple(
            HeaderProblem("header_doubled", field, str(titles[i]))
            for field, (_, *again) in found.items()
            for i in again
        ),
        formulas=sheet.formulas,
    )


# --- headings ---------------------------------------------------------------------------------------------------------

_NOISE = re.compile(r"[*:]|\((?:单位:)?(?:人民币)?(?:元|%|必填|选填)\)")


def heading(text: Cell) -> str:
    """The form in which headings are compared: without spaces, （元）, （必填）, * and colon."""
    return _NOISE.sub("", clean(str(text))).lower()


def _fields_by_heading(columns: Sequence[Column]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for column in columns:
        for title in (column.title, *column.synonyms):
            if fields.setdefault(heading(title), column.field) != column.field:
                raise ValueError(f"{title} is the heading of both {fields[heading(title)]} and {column.field}")
    return fields


def _match(row: Sequence[Cell], fields: Mapping[str, str]) -> dict[str, list[int]]:
    """Where in the row each field is named: once, if all is well."""
    found: dict[str, list[int]] = {}
    for index, cell in enumerate(row):
        if (key := heading(cell)) in fields:
            found.setdefault(fields[key], []).append(index)
    return found


def _missing(columns: Sequence[Column], given: Iterable[str]) -> tuple[HeaderProblem, ...]:
    return tuple(
        HeaderProblem("header_missing", column.field, column.title)
        for column in columns
        if column.required and column.field not in given
    )


# --- what isn't a row -------------------------------------------------------------------------------------------------

_LABELLED = re.compile(r"\s*([^:：]{1,20}?)\s*[:：]\s*(.*?)\s*", re.DOTALL)
_NEXT_LABEL = re.compile(r"\s+(?=[^\s:：\d]{2,10}[:：])")


def _title_cells(rows: Iterable[Sequence[Cell]]) -> dict[str, Cell]:
    """Label and value, in one cell (单位账号：0100… 单位名称：甲) or in neighbouring ones (缴存月份 | 2026-03)."""
    pairs: dict[str, Cell] = {}
    for row in rows:
        label = None  # one that waits for its value in the next cell
        for cell in chain.from_iterable(_parts(cell) for cell in row if not _is_blank(cell)):
            found = _LABELLED.fullmatch(cell) if isinstance(cell, str) else None
            if found and found[2]:
                pairs[found[1]], label = found[2], None
            elif found:
                label = found[1]
            elif label:
                pairs[label], label = cell, None
            else:
                label = str(cell).strip()
    return pairs


def _parts(cell: Cell) -> list[Cell]:
    return [*_NEXT_LABEL.split(cell)] if isinstance(cell, str) else [cell]


def _is_control(row: Iterable[Cell]) -> bool:
    first = next((cell for cell in row if not _is_blank(cell)), None)
    return isinstance(first, str) and clean(first).startswith(_CONTROL)


def _blank(row: Sequence[Cell], places: Iterable[int]) -> bool:
    return all(_is_blank(row[place]) for place in places)


def _is_blank(cell: Cell) -> bool:
    return isinstance(cell, str) and not clean(cell)
