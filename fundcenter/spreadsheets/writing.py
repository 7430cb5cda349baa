"""Workbooks that we write. Text is always text: nothing in them is a formula or a link, whatever it begins with."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from io import BytesIO
from os import PathLike
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fundcenter.spreadsheets.cells import as_text
from fundcenter.spreadsheets.files import LIMITS, Limits
from fundcenter.spreadsheets.sheets import opened
from fundcenter.spreadsheets.tables import Column

# How a kind of column looks. "@" keeps text a text also when it is typed over.
_KINDS: Mapping[str, dict[str, Any]] = {
    "text": {"num_format": "@"},
    "account": {"num_format": "@"},
    "month": {"num_format": "yyyy-mm", "align": "center"},
    "number": {"align": "right"},
    "money": {"num_format": "#,##0.00", "align": "right"},
    "ratio": {"num_format": "0.00%", "align": "right"},
    "date": {"num_format": "yyyy-mm-dd", "align": "center"},
}
# And a cell of somebody else's. An account that became a number would show as 3.6E+11 in a column of no format.
_AS_READ: Mapping[str, dict[str, Any]] = {
    "text": _KINDS["text"],
    "number": {},
    "long": {"num_format": "0"},
    "date": _KINDS["date"],
}
_HEADER: Mapping[str, Any] = {
    "bold": True,
    "bg_color": "#E8EEF4",
    "border": 1,
    "border_color": "#B8C4D0",
    "align": "center",
    "valign": "vcenter",
    "text_wrap": True,
}
_CALCULATED = ("=", "+", "-", "@", "\t")
_WIDEST = 60
_CHOSEN_WITHIN = 2000  # rows of a sheet to be filled in

REASON = "错误原因"


def write_table(
    target: str | PathLike[str] | IO[bytes],
    *,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    head: Sequence[tuple[str, str]] = (),
    total: Sequence[Any] | None = None,
    widths: Mapping[str, float] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """A table to work with and to print on A4: title, `head` (label and value), header, rows, 合计.

    Values in the order of `columns`, by kind: text str, money and number and ratio Decimal or int, month and date
    date; None is blank. `total` likewise, without its first value, which says 合计. `widths` by field, in characters;
    else by content, a Chinese character counting two. `choices` by field: what the cells below may be chosen from. Cells
    that nobody has filled yet have the kind of their column too, so that an account typed there stays text.
    `read` finds everything again, `head` as title_cells.
    """
    with _workbook(target) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, max(len(columns) - 1, 1), "")
        sheet.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 16, "align": "center"}))
        label_pen, value_pen = _pen(book, bold=True), _pen(book, **_KINDS["text"])
        for at, (label, value) in enumerate(head, 1):
            _write(sheet, at, 0, label, label_pen)
            _write(sheet, at, 1, value, value_pen)
        header = len(head) + 1
        header_pen = _pen(book, **_HEADER)
        for at, column in enumerate(columns):
            _write(sheet, header, at, column.title, header_pen)

        widest = [_width(column.title) for column in columns]
        row = header
        pens = [_pen(book, **_KINDS[column.kind]) for column in columns]
        for row, values in enumerate(rows, header + 1):
            _write_row(sheet, row, values, pens, widest)
        if total is not None:
            pens = [_pen(book, bold=True, top=1, **_KINDS[column.kind]) for column in columns]
            _write_row(sheet, row + 1, ("合计", *total[1:]), pens, widest)
        for at, column in enumerate(columns):
            width = (widths or {}).get(column.field) or min(widest[at] + 2, _WIDEST)
            sheet.set_column(at, at, width, _pen(book, **_KINDS[column.kind]).plain)
            if words := (choices or {}).get(column.field):
                allowed = {"validate": "list", "source": list(words), "error_type": "warning"}
                sheet.data_validation(header + 1, at, header + _CHOSEN_WITHIN, at, allowed)
        _for_paper(sheet, header, wide=sum(widest) > 90)


def annotate(
    content: bytes,
    name: str,
    problems: Mapping[int | None, Sequence[tuple[str | None, str]]],
    *,
    header_row: int | None,
    limits: Limits = LIMITS,
) -> bytes:
    """The clerk's own sheet as .xlsx, cell by cell, with a last column 错误原因 and only its faulty rows shown.

    `problems` by row as seen in Excel (None: of the whole file, on a sheet of their own): heading as the file has it
    (None: of the whole row), message. `header_row` as in Table. An earlier 错误原因 gives way, so that a file can go
    round until it is right.
    """
    target = BytesIO()
    faulty_rows = problems.keys() - {None}
    with opened(content, name, limits) as source, _workbook(target) as book:
        sheet = book.add_worksheet()
        pens = {kind: _pen(book, **style) for kind, style in _AS_READ.items()}
        faulty_pens = {kind: _pen(book, bg_color="#FFC7CE", **style) for kind, style in _AS_READ.items()}
        header_pen, reason_pen = _pen(book, **_HEADER), _pen(book, font_color="#C00000", **_KINDS["text"])
        headings: list[str] = []
        kept = source.width  # how many columns stay
        widest = [0] * (source.width + 1)
        row = 0
        for row, cells in enumerate(source.rows, 1):
            if row == header_row:
                headings = [as_text(cell) for cell in cells]
                kept -= headings[-1] == REASON
                _write(sheet, row - 1, source.first_column + kept, REASON, header_pen)
            found = problems.get(row, ())
            if header_row and row > header_row and faulty_rows and not found:
                sheet.set_row(row - 1, None, None, {"hidden": True})
            faulty = {heading for heading, _ in found}
            for at, cell in enumerate(cells[:kept]):
                wrong = headings and headings[at] in faulty
                shown = _write_as_read(sheet, row - 1, source.first_column + at, cell, faulty_pens if wrong else pens)
                widest[at] = max(widest[at], _width(shown))
            if found:
                reasons = "；".join(message for _, message in found)
                _write(sheet, row - 1, source.first_column + kept, reasons, reason_pen)
                widest[kept] = max(widest[kept], _width(reasons))
        for at, width in enumerate(widest, source.first_column):
            sheet.set_column(at, at, min(width + 2, _WIDEST))
        if header_row and row > header_row:
            sheet.freeze_panes(header_row, 0)
            sheet.autofilter(header_row - 1, source.first_column, row - 1, source.first_column + kept)
            if faulty_rows:
                sheet.filter_column(source.first_column + kept, "x == NonBlanks")
        if None in problems:
            _write_file_problems(book, [message for _, message in problems[None]])
    return target.getvalue()


# --- cells ------------------------------------------------------------------------------------------------------------


class _Pen(NamedTuple):
    plain: Format
    quoted: Format  # of a text that Excel would calculate when it is edited or saved as .csv


def _pen(book: Workbook, **style: Any) -> _Pen:
    return _Pen(book.add_format(style), book.add_format({"quote_prefix": True, **style}))


def _write_row(sheet: Worksheet, row: int, values: Sequence[Any], pens: Sequence[_Pen], widest: list[int]) -> None:
    for at, (value, pen) in enumerate(zip(values, pens, strict=True)):
        shown = _write(sheet, row, at, value, pen)
        widest[at] = max(widest[at], _width(shown))


def _write(sheet: Worksheet, row: int, at: int, value: Any, pen: _Pen) -> str:
    """Writes a value by its type and returns about what will be seen of it."""
    match value:
        case str():
            sheet.write_string(row, at, value, pen.quoted if value.startswith(_CALCULATED) else pen.plain)
            return value
        case int() | Decimal():
            sheet.write_number(row, at, value, pen.plain)
            return f"{value:,.2f}"
        case date():
            sheet.write_datetime(row, at, value, pen.plain)
            return "0000-00-00"
        case None:
            sheet.write_blank(row, at, None, pen.plain)
            return ""
    raise TypeError(f"{value!r} in row {row + 1}")


def _write_as_read(sheet: Worksheet, row: int, at: int, cell: Any, pens: Mapping[str, _Pen]) -> str:
    match cell:
        case "":
            return _write(sheet, row, at, None, pens["number"])
        case str():
            return _write(sheet, row, at, cell, pens["text"])
        case bool():
            sheet.write_boolean(row, at, cell, pens["number"].plain)
        case int() | float():
            sheet.write_number(row, at, cell, pens["long" if cell >= 10**11 and cell == cell // 1 else "number"].plain)
        case date():
            return _write(sheet, row, at, cell, pens["date"])
    return as_text(cell)


def _write_file_problems(book: Workbook, messages: Iterable[str]) -> None:
    sheet = book.add_worksheet("文件问题")
    sheet.set_column(0, 0, 100)
    _write(sheet, 0, 0, "文件问题", _pen(book, **_HEADER))
    pen = _pen(book, text_wrap=True, **_KINDS["text"])
    for at, message in enumerate(messages, 1):
        _write(sheet, at, 0, message, pen)


def _width(text: str) -> int:
    """In half-width characters."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


# --- the workbook -----------------------------------------------------------------------------------------------------


@contextmanager
def _workbook(target: str | PathLike[str] | IO[bytes]) -> Iterator[Workbook]:
    """Row by row in constant memory. The rows wait in a folder of ours alone, which goes whatever happens."""
    with TemporaryDirectory() as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        book = Workbook(target, options)
        book.formats[0].set_font_name("宋体")
        yield book
        book.close()  # only now does the file come to be, so a failure leaves none


def _for_paper(sheet: Worksheet, header: int, *, wide: bool) -> None:
    sheet.freeze_panes(header + 1, 0)
    sheet.repeat_rows(header)
    sheet.set_paper(9)  # A4
    if wide:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&C第 &P 页，共 &N 页")
