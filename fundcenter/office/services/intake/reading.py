"""A file or a form becomes rows for the staging table, and problems of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fundcenter import spreadsheets
from fundcenter.office.refusals import Problem, Refusal, Refused
from fundcenter.office.services.intake.declaring import Intake
from fundcenter.spreadsheets import CellProblem, Column, Table

BLANK = CellProblem("cell_empty")


@dataclass
class Reading:
    """Rows for the staging table, and what was wrong in cells: ``problems`` is complete once ``rows`` is used up."""

    intake: Intake
    source: Sequence[tuple[int, tuple[Any, ...]]]
    problems: list[Problem] = field(default_factory=list)
    control: tuple[int, tuple[Any, ...]] | None = None
    """The last row, where it says the sums (合计)."""
    formulas: frozenset[tuple[int, str]] = frozenset()
    """Row and title of cells that are calculated: a problem already, and empty besides."""

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """One tuple a row: its number, then every staged column; a cell that cannot be read is None and a problem."""
        readers = [self._reader(column) for column in self.intake.columns]
        for row, values in self.source:
            staged: list[Any] = [row]
            for read, value in zip(readers, values, strict=True):
                read(row, value, staged)
            yield tuple(staged)

    def _reader(self, column: Column) -> Callable[[int, Any, list[Any]], None]:
        reader, nothing = self.intake.reader(column), (None,) * len(self.intake.reader(column).staged)
        convert, single, title, required = reader.read, len(nothing) == 1, column.title, column.required
        # An employer or a month stands in every row of a file that has few of them: each is read once.
        known: dict[Any, Any] | None = {} if column.repeats else None

        def read(row: int, value: Any, staged: list[Any]) -> None:
            if known is not None and value in known:
                staged.append(known[value])
                return
            result: Any = BLANK if value is None or value == "" else convert(value)
            if type(result) is CellProblem:
                if (required or result.code != "cell_empty") and (row, title) not in self.formulas:
                    self.problems.append(self.intake.cell_problem(result.code, row, title, result.found))
                staged.extend(nothing)
            elif single:
                if known is not None:
                    known[value] = result
                staged.append(result)
            else:
                staged.extend(result)

        return read


def read_file(intake: Intake, content: bytes, name: str) -> tuple[Reading, Table]:
    """Refused: no spreadsheet, or one that may do harm. Where a heading is missing or doubled, no row means anything."""
    try:
        table = spreadsheets.read(content, name, intake.columns)
    except spreadsheets.FileRefused as refused:
        raise file_refused(refused) from refused
    if headings := (*table.missing, *table.duplicated):
        problems = [intake.cell_problem(wrong.code, table.header_row, wrong.title, "") for wrong in headings]
        return Reading(intake, (), problems), table
    titles = {table.columns[c.field].index: c.title for c in intake.columns if c.field in table.columns}
    control_row = table.control[0] if table.control else None
    formulas = frozenset(
        (row, titles[place])
        for row, place in table.formulas
        if place in titles and row > (table.header_row or 0) and row != control_row
    )
    problems = [intake.cell_problem("formula_cell", row, title, "") for row, title in sorted(formulas)]
    return Reading(intake, table.rows, problems, table.control, formulas), table


def refuse_at_the_door(content: bytes, name: str) -> None:
    """What needs no reading is said at once, also of a large file. Refused: no spreadsheet, or one that may do harm."""
    try:
        spreadsheets.sniff(content, name)
    except spreadsheets.FileRefused as refused:
        raise file_refused(refused) from refused


def file_refused(refused: spreadsheets.FileRefused) -> Refused:
    return Refused([Refusal(refused.code, refused.message.replace("{", "{{").replace("}", "}}")).problem()])
