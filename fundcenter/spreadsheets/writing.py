"""Workbooks that we write. Text is always text: nothing in them is a formula or a link, whatever it begins with."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from io import BytesIO
from os import PathLike
from tempfile import TemporaryDirectory
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fundcenter import months
from fundcenter.spreadsheets.cells import as_text
from fundcenter.spreadsheets.files import LIMITS, Limits
from fundcenter.spreadsheets.sheets import opened
from fundcenter.spreadsheets.tables import Column

# The formats of a kind of column; "@" keeps what is typed over a text cell a text too.
_KINDS: Mapping[str, dict[str, Any]] = {
    "text": {"num_format": "@"},
    "account": {"num_format": "@"},
    "month": {"num_format": "@", "align": "center"},
    "number": {"align": "right"},
    "money": {"num_format": "#,##0.00", "align": "right"},
    "ratio": {"num_format": "0.00%", "align": "right"},
    "date": {"num_format": "yyyy-mm-dd", "align": "center"},
}
_QUOTED = ("=", "+", "-", "@", "\t")  # what Excel would calculate when such a text is edited or saved as .csv
_WIDEST = 60

REASON = "错误原因"


def write_table(
    target: str | PathLike[str] | IO[bytes],
    *,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    head: Sequence[tuple[str, Any]] = (),
    total: Sequence[Any] | None = None,
    widths: Mapping[str, float] | None = None,
) -> None:
    """A table to work with and to print on A4: title, `head` (label and value), header, rows, 合计.

    Values in the order of `columns`, by kind: text str, money and number and ratio Decimal or int, month and date
    date; None is blank. `total` likewise, without its first value, which says 合计. `widths` by field, in characters;
    else by content, a Chinese character counting two. `read` finds everything again, `head` as title_cells.
    """
    with _workbook(target) as book:
        styles = _Styles(book)
        sheet = book.add_worksheet()
        measured = [_width(column.title) for column in columns]
        sheet.merge_range(0, 0, 0, max(len(columns) - 1, 1), "")
        sheet.write_string(0, 0, title, styles.of(bold=True, font_size=16, align="center"))
        for at, (label, value) in enumerate(head, 1):
            sheet.write_string(at, 0, label, styles.of(bold=True))
            sheet.write_string(at, 1, as_text(value), styles.of(num_format="@"))
        header = len(head) + 1
        for at, column in enumerate(columns):
            sheet.write_string(header, at, column.title, styles.header)
        row = header
        for row, values in enumerate(rows, header + 1):
            _write_row(sheet, row, columns, values, styles, measured)
        if total is not None:
            _write_row(sheet, row + 1, columns, ["合计", *total[1:]], styles, measured, bold=True, top=1)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, (widths or {}).get(column.field) or min(measured[at] + 2, _WIDEST))
        _for_paper(sheet, header, wide=sum(measured) > 90)


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
    with opened(content, name, limits) as source, _workbook(target) as book:
        styles = _Styles(book)
        sheet = book.add_worksheet()
        measured: dict[int, int] = defaultdict(int)
        headings: list[str] = []
        kept = range(source.width)
        reason_at = source.first_column + source.width
        row = 0
        for row, cells in enumerate(source.rows, 1):
            if row == header_row:
                headings = [as_text(cell) for cell in cells]
                kept = range(source.width - (headings[-1] == REASON))
                reason_at = source.first_column + len(kept)
                sheet.write_string(row - 1, reason_at, REASON, styles.header)
            found = problems.get(row, ())
            if header_row and row > header_row and not found:
                sheet.set_row(row - 1, None, None, {"hidden": any(problems)})
            faulty = {heading for heading, _ in found if heading}
            for at in kept:
                style = {"bg_color": "#FFC7CE"} if headings and headings[at] in faulty else {}
                _write_as_read(sheet, row - 1, source.first_column + at, cells[at], styles, style)
                measured[source.first_column + at] = max(measured[source.first_column + at], _width(as_text(cells[at])))
            if found:
                message = "；".join(message for _, message in found)
                sheet.write_string(row - 1, reason_at, message, styles.of(font_color="#C00000", num_format="@"))
                measured[reason_at] = max(measured[reason_at], _width(message))
        for at, width in measured.items():
            sheet.set_column(at, at, min(width + 2, _WIDEST))
        if header_row and row > header_row:
            sheet.autofilter(header_row - 1, source.first_column, row - 1, reason_at)
            if any(problems):
                sheet.filter_column(reason_at, "x == NonBlanks")
            sheet.freeze_panes(header_row, 0)
        if None in problems:
            _file_problems(book.add_worksheet("文件问题"), [message for _, message in problems[None]], styles)
    return target.getvalue()


# --- cells ------------------------------------------------------------------------------------------------------------


class _Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.header = self.of(
            bold=True,
            bg_color="#E8EEF4",
            border=1,
            border_color="#B8C4D0",
            align="center",
            valign="vcenter",
            text_wrap=True,
        )

    def of(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]


def _write_row(
    sheet: Worksheet,
    row: int,
    columns: Sequence[Column],
    values: Sequence[Any],
    styles: _Styles,
    measured: list[int],
    **style: Any,
) -> None:
    for at, (column, value) in enumerate(zip(columns, values, strict=True)):
        if column.kind == "month" and value is not None:
            value = months.text(value)
        shown = _write(sheet, row, at, value, styles, {**_KINDS[column.kind], **style})
        measured[at] = max(measured[at], _width(shown))


def _write(sheet: Worksheet, row: int, at: int, value: Any, styles: _Styles, style: dict[str, Any]) -> str:
    """Writes a value by its type and returns about what will be seen of it."""
    match value:
        case None:
            sheet.write_blank(row, at, None, styles.of(**style))
            return ""
        case str():
            quoted = {"quote_prefix": True} if value.startswith(_QUOTED) else {}
            sheet.write_string(row, at, value, styles.of(**style, **quoted))
            return value
        case date():
            sheet.write_datetime(row, at, value, styles.of(**style))
            return "0000-00-00"
        case int() | Decimal():
            sheet.write_number(row, at, value, styles.of(**style))
            return f"{value:,.2f}"
    raise TypeError(f"{value!r} in row {row + 1}")


def _write_as_read(sheet: Worksheet, row: int, at: int, cell: Any, styles: _Styles, style: dict[str, Any]) -> None:
    match cell:
        case "":
            if style:
                sheet.write_blank(row, at, None, styles.of(**style))
        case bool():
            sheet.write_boolean(row, at, cell, styles.of(**style))
        case str():
            _write(sheet, row, at, cell, styles, {"num_format": "@", **style})
        case float() if cell.is_integer() and abs(cell) >= 10**11:  # General would show an account as 3.6E+11
            sheet.write_number(row, at, cell, styles.of(num_format="0", **style))
        case int() | float():
            sheet.write_number(row, at, cell, styles.of(**style))
        case date():
            _write(sheet, row, at, cell, styles, {**_KINDS["date"], **style})


def _file_problems(sheet: Worksheet, messages: Iterable[str], styles: _Styles) -> None:
    sheet.write_string(0, 0, "文件问题", styles.header)
    for at, message in enumerate(messages, 1):
        sheet.write_string(at, 0, message, styles.of(num_format="@", text_wrap=True))
    sheet.set_column(0, 0, 100)


def _width(text: str) -> int:
    """In half-width characters."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


# --- the workbook -----------------------------------------------------------------------------------------------------


@contextmanager
def _workbook(target: str | PathLike[str] | IO[bytes]) -> Iterator[Workbook]:
    """Row by row in constant memory. The rows wait in a folder of ours alone, which goes whatever happens."""
    with TemporaryDirectory() as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(target, options) as book:
            book.formats[0].set_font_name("宋体")
            yield book


def _for_paper(sheet: Worksheet, header: int, *, wide: bool) -> None:
    sheet.freeze_panes(header + 1, 0)
    sheet.repeat_rows(header)
    sheet.set_paper(9)  # A4
    if wide:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&C第 &P 页，共 &N 页")
