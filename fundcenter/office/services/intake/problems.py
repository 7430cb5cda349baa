"""What is wrong with a document's rows: kept, counted, shown, and written into the workbook that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from fundcenter import spreadsheets
from fundcenter.office.models import FileDocument, RowProblem, document_label
from fundcenter.office.refusals import Problem
from fundcenter.office.services import files
from fundcenter.office.services.intake.declaring import Intake
from fundcenter.office.services.intake.reading import read_file


def keep_problems(document: FileDocument, problems: Iterable[Problem]) -> None:
    RowProblem.objects.bulk_create(
        RowProblem(
            document=document.label, branch_id=document.branch_id, row=problem.row, column=problem.column,
            code=problem.code, found=problem.found[:80], args=problem.args,
        )
        for problem in problems
    )  # fmt: skip


def problems_in(document: FileDocument) -> Any:
    return RowProblem.objects.filter(document=document_label(document))


def problems_of(document: FileDocument, intake: Intake, first: int = 0, most: int | None = None) -> list[Problem]:
    """The document's problems in the order of its rows; those of the whole file last."""
    by_code = intake.by_code
    return [
        Problem(by_code[row.code], row.row, row.column, row.found, row.args, confirmed=row.code in document.confirmed)
        for row in problems_in(document).order_by("row", "id")[first : first + most if most else None]
    ]


def problems_after(
    document: FileDocument, intake: Intake, after: tuple[int | None, int] | None, most: int
) -> list[tuple[tuple[int | None, int], Problem]]:
    """At most ``most`` problems after the one at (row, id), each with its place: a page that costs what it holds."""
    by_code, problems = intake.by_code, problems_in(document)
    row, last = after or (0, 0)
    found = []
    if row is not None:
        beyond = problems.filter(Q(row__gt=row) | Q(id__gt=last), row__gte=row)
        found = list(beyond.order_by("row", "id")[:most])
        last = 0
    if len(found) < most:
        found += problems.filter(row=None, id__gt=last).order_by("id")[: most - len(found)]
    return [
        ((one.row, one.pk),
         Problem(by_code[one.code], one.row, one.column, one.found, one.args, confirmed=one.code in document.confirmed))
        for one in found
    ]  # fmt: skip


def problem_counts(document: FileDocument) -> dict[str, int]:
    """How often each refusal applies."""
    return dict(problems_in(document).values_list("code").annotate(Count("id")).order_by("code"))


def problem_row_count(document: FileDocument) -> int:
    return int(problems_in(document).filter(row__isnull=False).values("row").distinct().count())


def annotated(document: FileDocument, intake: Intake) -> bytes:
    """The uploaded workbook again, as .xlsx, with a column that says what is wrong in each row."""
    if document.file is None:
        raise ValueError(f"{document.number} 没有原表")
    content, name = files.load(document.file), document.file.name
    _, table = read_file(intake, content, name)
    titles = {c.title: table.columns[c.field].title for c in intake.columns if c.field in table.columns}
    by_row: dict[int | None, list[tuple[str | None, str]]] = {}
    for problem in problems_of(document, intake):
        by_row.setdefault(problem.row, []).append((titles.get(problem.column), problem.message))
    return spreadsheets.annotate(content, name, by_row, header_row=table.header_row)
