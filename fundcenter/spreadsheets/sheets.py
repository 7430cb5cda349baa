"""The raw cells of the one sheet that counts: the first that one can see and that has a value in it."""

import csv
import marshal
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from fundcenter.spreadsheets.compound import CompoundFile, first_sheet
from fundcenter.spreadsheets.files import MB, FileRefused, Limits, decoded, entry_key, not_a_table, sniff

# What calamine and csv give: an empty cell is "", as is an error value such as #N/A; a number is a float.
Cell = str | float | int | bool | date | datetime

Row = tuple[Cell, ...]
Formulas = frozenset[tuple[int, int]]  # (row as seen in Excel, column from 0)
_Place = tuple[int, Callable[[], Formulas]]  # the index of a sheet, and how to find its formulas


@dataclass(frozen=True)
class Sheet:
    rows: Iterator[Row]  # from row 1 of Excel on, all `width` long, beginning with `first_column` (from 0)
    first_column: int
    width: int
    formulas: Formulas


@contextmanager
def opened(content: bytes, name: str, limits: Limits) -> Iterator[Sheet]:
    """The sheet, while the block lasts. FileRefused: all of `sniff`'s, file_empty, sheet_too_wide."""
    kind = sniff(content, name, limits)
    if kind == "csv":
        yield _csv_sheet(decoded(content, name), name, limits)
        return
    with _well_formed(name):
        place = _in_xlsx(content) if kind == "xlsx" else _in_xls(content)
    if place is None:
        raise _no_data(name)
    index, find_formulas = place
    with _parser(content, index, limits) as process:
        with _well_formed(name):  # calamine gives a formula's cached result and no sign of it; look while it works
            formulas = find_formulas()
        frames = _frames(process, name)
        extent = next(frames)
        if extent is None:
            raise _no_data(name)
        first, last = extent
        _check_width(last + 1, limits)
        yield Sheet(_rows(frames), first, last - first + 1, formulas)


# --- .xlsx and .xls: the parser's process -----------------------------------------------------------------------------

_CHILD = Path(__file__).with_name("child.py")


@contextmanager
def _parser(content: bytes, sheet_index: int, limits: Limits) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", str(_CHILD), str(limits.memory), str(limits.seconds), str(sheet_index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with suppress(BrokenPipeError), _pipe(process.stdin) as stdin:
                stdin.write(content)  # if it is dead already, its missing frames will say so
            yield process
        finally:
            process.kill()


def _frames(process: subprocess.Popen[bytes], name: str) -> Iterator[Any]:
    """What the child sends, up to its empty tuple."""
    stdout = _pipe(process.stdout)
    while True:
        size = stdout.read(4)
        frame = stdout.read(int.from_bytes(size, "little"))
        if not frame:
            # By signal: out of memory (calamine aborts) or of time. Otherwise it met something it can't read.
            raise _too_large() if process.wait() < 0 else not_a_table(name)
        message = marshal.loads(frame)  # noqa: S302 - our own child wrote it
        if message == ():
            return
        yield message


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    return cast(IO[bytes], stream)  # there is one: the child was started with PIPE


def _rows(blocks: Iterator[tuple[bool, list[Row]]]) -> Iterator[Row]:
    for has_dates, block in blocks:
        yield from (tuple(map(_dated, row)) for row in block) if has_dates else block


def _dated(cell: Any) -> Cell:
    if type(cell) is not tuple:
        return cell
    return datetime.fromisoformat(cell[0]) if "T" in cell[0] else date.fromisoformat(cell[0])


# --- which sheet, and where its formulas are --------------------------------------------------------------------------


def _in_xls(content: bytes) -> _Place | None:
    found = first_sheet(CompoundFile(content).workbook())
    return found and (found[0], lambda: found[1])


_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)[\s>]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")


def _in_xlsx(content: bytes) -> _Place | None:
    with ZipFile(BytesIO(content)) as package:
        entries = {entry_key(entry.filename): entry for entry in package.infolist()}
        links = _small_xml(package, entries["xl/_rels/workbook.xml.rels"]).iterfind("{*}Relationship")
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        for index, sheet in enumerate(_small_xml(package, entries["xl/workbook.xml"]).iterfind("{*}sheets/{*}sheet")):
            target = next(targets[value] for key, value in sheet.items() if key.endswith("}id"))
            part = entries.get(entry_key(target[1:] if target.startswith("/") else f"xl/{target}"))
            seen = sheet.get("state", "visible") == "visible"
            if part and seen and _contains(package, part, _VALUE):
                return index, partial(_formulas, content, part)
    return None


def _small_xml(package: ZipFile, part: ZipInfo) -> ElementTree.Element:
    if part.file_size > 4 * MB:
        raise ValueError(f"{part.filename} of {part.file_size} bytes")
    return ElementTree.fromstring(package.read(part))  # noqa: S314 - expat has no outside entities and limits the inner


def _contains(package: ZipFile, part: ZipInfo, tag: re.Pattern[bytes]) -> bool:
    tail = b""
    with package.open(part) as stream:
        while piece := stream.read(MB):
            if tag.search(tail + piece):
                return True
            tail = piece[-64:]
    return False


def _formulas(content: bytes, part: ZipInfo) -> Formulas:
    """The cells of the sheet that are calculated; those of an array formula all, though only the first says so."""
    with ZipFile(BytesIO(content)) as package:
        if not _contains(package, part, _FORMULA):
            return frozenset()
        with package.open(part) as stream:
            return _formulas_of(stream)


def _formulas_of(stream: IO[bytes]) -> Formulas:
    found: set[tuple[int, int]] = set()
    row, anchor, beyond = 0, "", 0  # a cell may leave out where it is: it then follows the one before

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, anchor, beyond
        match tag.rpartition(":")[2]:
            case "c" if "r" in attributes:
                anchor, beyond = attributes["r"], 0
            case "c":
                beyond += 1
            case "row":
                row, anchor, beyond = int(attributes.get("r", row + 1)), "", 0
            case "f" if attributes.get("t") == "array":
                found.update(_area(attributes["ref"]))
            case "f":
                at_row, column = _place(anchor) if anchor else (row, -1)
                found.add((at_row, column + beyond))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.ParseFile(stream)
    return frozenset(found)


def _area(reference: str) -> list[tuple[int, int]]:
    first, _, last = reference.partition(":")
    (top, left), (bottom, right) = _place(first), _place(last or first)
    if (bottom - top + 1) * (right - left + 1) > 10_000_000:
        raise ValueError(f"an array formula over {reference}")
    return [(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]


def _place(reference: str) -> tuple[int, int]:
    """B7 → (7, 1)"""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"not a cell: {reference}")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column - 1


# --- .csv -------------------------------------------------------------------------------------------------------------


def _csv_sheet(text: str, name: str, limits: Limits) -> Sheet:
    try:
        delimiter = max(",;\t", key=lambda candidate: _regularity(text, candidate))
        width = max((len(row) for row in _csv_rows(text, delimiter)), default=0)
    except csv.Error as error:
        raise not_a_table(name) from error
    if not width:
        raise _no_data(name)
    _check_width(width, limits)
    rows = ((*row, *[""] * (width - len(row))) for row in _csv_rows(text, delimiter))
    return Sheet(rows, 0, width, frozenset())


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The records, each one row of Excel however many lines it has, without the empty cells at its end."""
    for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
        while row and not row[-1]:
            row.pop()
        yield row


def _regularity(text: str, delimiter: str) -> int:
    """How many delimiters stand in those of the first rows that have equally many: a comma within an amount or a name
    comes and goes, the delimiter is in every row."""
    widths = Counter(len(row) for row in islice(csv.reader(StringIO(text[:MB], newline=""), delimiter=delimiter), 15))
    return max(((width - 1) * count for width, count in widths.items()), default=0)


# --- refusals ---------------------------------------------------------------------------------------------------------


@contextmanager
def _well_formed(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # zipfile, zlib, expat and struct all raise their own over a foreign file
        raise not_a_table(name) from error


def _check_width(columns: int, limits: Limits) -> None:
    if columns > limits.columns:
        raise FileRefused(
            "sheet_too_wide", f"表格有 {columns} 列，上限 {limits.columns} 列", columns=columns, most=limits.columns
        )


def _no_data(name: str) -> FileRefused:
    return FileRefused("file_empty", f"“{name}”没有数据")


def _too_large() -> FileRefused:
    return FileRefused(
        "file_too_large", "表格展开后过大，无法读取：数据区以外很远的行或列里可能有内容，请删除后重新上传"
    )
