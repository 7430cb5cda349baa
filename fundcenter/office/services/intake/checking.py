"""Rows are staged, recognised and kept; every refusal is asked over all of them, and again before what was checked is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from fundcenter import spreadsheets
from fundcenter.office import refusals
from fundcenter.office.models import FileDocument
from fundcenter.office.refusals import Problem, Refused, RowRefusal
from fundcenter.office.services import jobs
from fundcenter.office.services.intake.declaring import Intake
from fundcenter.office.services.intake.problems import keep_problems, problems_in
from fundcenter.office.services.intake.reading import Reading
from fundcenter.office.services.moves import move

# So many rows are staged between two looks at the clock.
ROWS_BETWEEN = 500


def parameters_of(document: FileDocument) -> dict[str, Any]:
    return {
        "batch": document.pk, "document": document.label, "branch": document.branch_id, "made_on": document.made_on,
    }  # fmt: skip


@dataclass
class Way:
    """How far an intake has come: half of the way are its rows, the other half the statements over all of them."""

    intake: Intake
    rows: int
    progress: jobs.Progress = jobs.silent
    ran: int = 0
    found: int = 0

    def staged(self, count: int) -> None:
        self.progress(count, 2 * self.rows, f"已读入 {count:,} / {self.rows:,} 行")

    def ran_one(self, found: int = 0) -> None:
        own = self.intake
        statements = 2 + len(own.prepare) + len(own.lookups) + len(own.refusals)
        self.ran, self.found = self.ran + 1, self.found + found
        done = self.rows + self.rows * self.ran // statements
        self.progress(
            done, 2 * self.rows, f"{self.rows:,} 行，已校验 {self.ran} / {statements} 项 · 发现 {self.found:,} 处问题"
        )


def stage(document: FileDocument, intake: Intake, reading: Reading, way: Way | None = None) -> None:
    way = way or Way(intake, len(reading.source))
    staged = [("row", "int"), *intake.staged]
    names = ", ".join(name for name, _ in staged)
    with connection.cursor() as cursor:
        cursor.execute(f"create temp table staged_row ({', '.join(f'{n} {t}' for n, t in staged)}) on commit drop")
        count = 0
        with cursor.copy(f"copy staged_row ({names}) from stdin") as copy:
            for row in reading.rows():
                copy.write_row(row)
                count += 1
                if count % ROWS_BETWEEN == 0:
                    way.staged(count)
        if not count and not reading.problems:
            reading.problems.append(refusals.FILE_EMPTY.problem())
        reading.problems += _control_problems(cursor, reading)
        cursor.execute("analyze staged_row")
        cursor.execute(intake.recognise, parameters_of(document))
        cursor.execute("drop table staged_row")
        cursor.execute("analyze batch_row")
        way.ran_one()
        for statement in (*intake.prepare, intake.keep):
            cursor.execute(statement, parameters_of(document))
            way.ran_one()
    document.row_count = count
    document.save(update_fields=["row_count"])
    keep_problems(document, reading.problems)


def _control_problems(cursor: CursorWrapper, reading: Reading) -> list[Problem]:
    """Where the file's own last row has other sums than its rows, which says that a row was lost or changed."""
    if reading.control is None:
        return []
    row, values = reading.control
    unread = {problem.column for problem in reading.problems}
    stated = [
        (column, number)
        for column, value in zip(reading.intake.columns, values, strict=True)
        if column.kind == "money"
        and column.title not in unread
        and isinstance(number := spreadsheets.as_number(value), Decimal)
    ]
    if not stated:
        return []
    cursor.execute(f"select {', '.join(f'sum({column.field})' for column, _ in stated)} from staged_row")
    return [
        refusals.CONTROL_TOTAL_WRONG.problem(
            row=row, column=column.title, found=f"{number:,.2f}", sum=f"{found or 0:,.2f}"
        )
        for (column, number), found in zip(stated, cursor.fetchone(), strict=True)
        if number != (found or 0)
    ]


def recall(document: FileDocument, intake: Intake) -> None:
    with connection.cursor() as cursor:
        cursor.execute(intake.recall, parameters_of(document))
        cursor.execute("analyze batch_row")


def check(document: FileDocument, intake: Intake, on: date, way: Way | None = None) -> None:
    """Every statement over every row of ``batch_row``; the outcome moves the document."""
    way = way or Way(intake, document.row_count)
    own = {**parameters_of(document), "on": on, **intake.terms(on)}
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from office_rowproblem where document = %s and code = any(%s)",
            [document.label, [refusal.code for refusal in (refusals.CHECK_BROKEN, *intake.refusals)]],
        )
        for statement in intake.lookups:
            cursor.execute(statement, own)
            way.ran_one()
        for refusal in intake.refusals:
            way.ran_one(found=find(cursor, refusal, own))
        cursor.execute(f"drop table {', '.join(intake.tables)}")
    warnings = [refusal.code for refusal in intake.refusals if refusal.warning]
    errors = problems_in(document).exclude(code__in=[*document.confirmed, *warnings]).count()
    move(document, verb="refuse" if errors else "check", by=document.maker, error_count=errors)


def find(cursor: CursorWrapper, refusal: RowRefusal, own: Mapping[str, Any]) -> int:
    cursor.execute(
        f"""
        insert into office_rowproblem (document, branch_id, row, "column", code, found, args)
        select %(document)s, %(branch)s, p.row, p.col, %(code)s, coalesce(left(p.found, 80), ''), p.args
          from ({refusal.find}) p(row, col, found, args) order by p.row""",
        {**own, "code": refusal.code},
    )
    return int(cursor.rowcount)


def ask_again(document: FileDocument, intake: Intake, on: date) -> None:
    """What may have changed since the document was checked: asked without keeping it, so that it stays as it was."""
    found: list[Problem] = []
    with connection.cursor() as cursor:
        for refusal in intake.refusals:
            if refusal.volatile:
                cursor.execute(refusal.find, {**parameters_of(document), "on": on, **intake.terms(on)})
                found += [
                    refusal.problem(row=row, column=column, found=text or "", **json.loads(args))
                    for row, column, text, args in cursor.fetchall()
                ]
    blocking = [problem for problem in found if problem.severity == "error" and problem.code not in document.confirmed]
    if blocking:
        raise Refused(blocking)
