"""How rows come in, from a file or a form: read, staged, recognised, judged, kept. One and many are the same.

A kind of document declares an ``Intake``: its columns, three statements and its refusals. Everything is checked before
anything is decided, and all problems of all rows are said at once.

The walk: cells become values or problems (``Reading``); COPY brings them into ``staged_row``, a table of the session's own,
because COPY refuses tables under row security; ``recognise`` makes ``batch_row`` of it, with names and numbers turned into
holders, again the session's own so that its statistics are exact; each refusal is one statement over ``batch_row``; ``keep``
stores the rows, under row security, with the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Count

from fundcenter import spreadsheets
from fundcenter.office import refusals
from fundcenter.office.models import FileDocument, Role, RowProblem, User, document_label
from fundcenter.office.refusals import CELL_REFUSALS, Problem, Refusal, Refused, RowRefusal
from fundcenter.office.services import audit, files
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse
from fundcenter.office.states import DEAD
from fundcenter.spreadsheets import CellProblem, Column, Table

ACCOUNT_DIGITS = 12
# Past this no amount is a wage; it also keeps sums within numeric(18,2).
AMOUNT_BOUND = 10**9

Document = TypeVar("Document", bound=FileDocument)


@dataclass(frozen=True)
class Reader:
    """How a cell is read and under which names and types it is staged. One cell may become several columns."""

    staged: tuple[tuple[str, str], ...]
    read: Callable[[Any], Any]
    """A value (a tuple where several columns are staged), or CellProblem."""


@dataclass(frozen=True)
class Intake:
    """What a kind of document declares.

    ``recognise`` creates ``batch_row`` from ``staged_row``, ``recall`` creates it from the rows kept, ``keep`` stores it;
    parameters: batch, branch. ``prepare`` runs once, before ``keep`` (registers of a file); ``lookups`` before every check,
    each creating one of ``tables`` (numbers that other branches know). ``readers`` replaces the usual reader of a column; ``terms`` are parameters of the refusals by the rules of a day.
    """

    columns: tuple[Column, ...]
    recognise: str
    recall: str
    keep: str
    refusals: tuple[RowRefusal, ...]
    prepare: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    terms: Callable[[date], Mapping[str, Any]] = lambda on: {}
    by_constraint: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def by_code(self) -> dict[str, Refusal]:
        return {refusal.code: refusal for refusal in (*CELL_REFUSALS, *self.refusals)}

    def reader(self, column: Column) -> Reader:
        return self.readers.get(column.field) or usual_reader(column)


# --- reading ----------------------------------------------------------------------------------------------------------


def usual_reader(column: Column) -> Reader:
    """How a column of this kind is read wherever it stands."""
    one = column.field
    match column.kind:
        case "account":
            return Reader(((one, "text"),), _account)
        case "month":
            return Reader(((one, "date"),), spreadsheets.as_month)
        case "date":
            return Reader(((one, "date"),), spreadsheets.as_date)
        case "money" | "number":
            return Reader(((one, "numeric"),), _amount)
        case "ratio":
            return Reader(((one, "numeric"),), spreadsheets.as_ratio)
        case _:
            return Reader(((one, "text"),), _text)


def _account(value: Any) -> str | CellProblem:
    if type(value) is str and len(value) == ACCOUNT_DIGITS and value.isascii() and value.isdigit():
        return value
    return spreadsheets.as_account(value, ACCOUNT_DIGITS)


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


@dataclass
class Reading:
    """Rows for the staging table, and what was wrong in cells: ``problems`` is complete once ``rows`` is used up."""

    intake: Intake
    source: Sequence[tuple[int, tuple[Any, ...]]]
    problems: list[Problem] = field(default_factory=list)

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
            result = convert(value)
            if type(result) is CellProblem:
                if required or result.code != "cell_empty":
                    self.problems.append(_cell_problem(result.code, row, title, result.found))
                staged.extend(nothing)
            elif single:
                if known is not None:
                    known[value] = result
                staged.append(result)
            else:
                staged.extend(result)

        return read


def _cell_problem(code: str, row: int | None, column: str, found: str) -> Problem:
    return refusals.BY_CELL_CODE[code].problem(row=row, column=column, found=found)


def _read_file(intake: Intake, content: bytes, name: str) -> tuple[Reading, Table]:
    """Refused: no spreadsheet, or one that may do harm. Missing columns and formulas are problems of the file."""
    try:
        table = spreadsheets.read(content, name, intake.columns)
    except spreadsheets.FileRefused as refused:
        raise Refused(
            [Refusal(refused.code, refused.message.replace("{", "{{").replace("}", "}}")).problem()]
        ) from refused
    reading = Reading(intake, table.rows)
    for wrong in (*table.missing, *table.duplicated):
        reading.problems.append(_cell_problem(wrong.code, table.header_row, wrong.title, ""))
    titles = {table.columns[c.field].index: c.title for c in intake.columns if c.field in table.columns}
    control_row = table.control[0] if table.control else None
    for row, place in sorted(table.formulas):
        if place in titles and row > (table.header_row or 0) and row != control_row:
            reading.problems.append(_cell_problem("formula_cell", row, titles[place], ""))
    return reading, table


# --- taking in --------------------------------------------------------------------------------------------------------


def upload(
    kind: type[Document], intake: Intake, content: bytes, name: str, *, by: User, on: date, confirm: Iterable[str] = ()
) -> Document:
    """Take a file in and check all of it. The document is afterwards checked, or refused with all problems of all rows.

    Refused (nothing is kept): no spreadsheet, or the same file as a document that lives.
    """
    branch_id = _may_take_in(by)
    sha256 = files.fingerprint(content)
    if first := kind._default_manager.filter(branch=branch_id, sha256=sha256).exclude(state__in=DEAD).first():
        raise Refused([refusals.FILE_SAME.problem(number=first.number, state=first.state_label)])
    reading = _read_file(intake, content, name)[0]
    just_uploaded = {f"{kind._meta.db_table}_file": refusals.FILE_JUST_UPLOADED}
    with constraints_refuse({**just_uploaded, **intake.by_constraint}):
        document = _create(
            kind, branch_id=branch_id, made_on=on, maker=by, sha256=sha256,
            file=files.store(content, name, branch_id=branch_id, by=by), confirmed=sorted(set(confirm)),
        )  # fmt: skip
        audit.record("upload", document)
        _stage(document, intake, reading)
        _check(document, intake, on)
    return document


def type_in(
    kind: type[Document], intake: Intake, values: Sequence[Mapping[str, Any]], *, by: User, on: date, **fields: Any
) -> Document:
    """The same for rows typed into a form: values by field, as text. Refused with what is wrong: nothing is kept."""
    branch_id = _may_take_in(by)
    rows = [(n, tuple(one.get(c.field, "") for c in intake.columns)) for n, one in enumerate(values, start=1)]
    with constraints_refuse(intake.by_constraint):
        document = _create(kind, branch_id=branch_id, made_on=on, maker=by, **fields)
        audit.record("type_in", document)
        _stage(document, intake, Reading(intake, rows))
        _check(document, intake, on)
        if document.state == "refused":
            raise Refused(problems_of(document, intake))
    return document


def confirm(document: FileDocument, intake: Intake, codes: Iterable[str], *, by: User, on: date) -> None:
    """The clerk says that these problems are meant so, and everything is checked again."""
    require_role(by, Role.CLERK)
    if by.pk != document.maker_id:
        raise Refused([refusals.NOT_MAKER.problem(number=document.number, maker=document.maker.name, verb="确认")])
    allowed = {code for code in codes if code in intake.by_code and intake.by_code[code].confirmable}
    with transaction.atomic():
        document.confirmed = sorted({*document.confirmed, *allowed})
        document.save(update_fields=["confirmed"])
        audit.record("confirm", document, codes=sorted(allowed))
        with connection.cursor() as cursor:
            cursor.execute(intake.recall, _own(document))
            cursor.execute("analyze batch_row")
        _check(document, intake, on)


def ask_again(document: FileDocument, intake: Intake, on: date) -> None:
    """What may have changed since the document was checked: asked without keeping it, so that it stays as it was."""
    found: list[Problem] = []
    with connection.cursor() as cursor:
        for refusal in intake.refusals:
            if refusal.volatile:
                cursor.execute(refusal.find, {**_own(document), "on": on, **intake.terms(on)})
                found += [
                    refusal.problem(row=row, column=column, found=text or "", **json.loads(args))
                    for row, column, text, args in cursor.fetchall()
                ]
    blocking = [problem for problem in found if problem.severity == "error" and problem.code not in document.confirmed]
    if blocking:
        raise Refused(blocking)


def _create(kind: type[Document], **fields: Any) -> Document:
    document = kind(state=kind.machine.initial, **fields)
    document.save(force_insert=True)
    return document


def _may_take_in(by: User) -> int:
    require_role(by, Role.CLERK)
    if by.branch_id is None:
        raise Refused([refusals.NO_BRANCH.problem()])
    return by.branch_id


def _own(document: FileDocument) -> dict[str, Any]:
    return {"batch": document.pk, "branch": document.branch_id, "made_on": document.made_on}


def _stage(document: FileDocument, intake: Intake, reading: Reading) -> None:
    staged = [("row", "int"), *(pair for column in intake.columns for pair in intake.reader(column).staged)]
    names = ", ".join(name for name, _ in staged)
    with connection.cursor() as cursor:
        cursor.execute(f"create temp table staged_row ({', '.join(f'{n} {t}' for n, t in staged)}) on commit drop")
        count = 0
        with cursor.copy(f"copy staged_row ({names}) from stdin") as copy:
            if not reading.problems:
                for row in reading.rows():
                    copy.write_row(row)
                    count += 1
        if not count and not reading.problems:
            reading.problems.append(refusals.FILE_EMPTY.problem())
        cursor.execute("analyze staged_row")
        cursor.execute(intake.recognise, _own(document))
        cursor.execute("drop table staged_row")
        cursor.execute("analyze batch_row")
        for statement in (*intake.prepare, intake.keep):
            cursor.execute(statement, _own(document))
    document.row_count = count
    document.save(update_fields=["row_count"])
    RowProblem.objects.bulk_create(
        RowProblem(
            document=document.label, branch_id=document.branch_id, row=problem.row, column=problem.column,
            code=problem.code, found=problem.found[:80],
        )
        for problem in reading.problems
    )  # fmt: skip


def _check(document: FileDocument, intake: Intake, on: date) -> None:
    """Every statement over every row of ``batch_row``; the outcome moves the document."""
    own = {**_own(document), "on": on, "document": document.label, **intake.terms(on)}
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from office_rowproblem where document = %s and code = any(%s)",
            [document.label, [refusal.code for refusal in intake.refusals]],
        )
        for statement in intake.lookups:
            cursor.execute(statement, own)
        for refusal in intake.refusals:
            _find(cursor, refusal, own)
        cursor.execute(f"drop table {', '.join(('batch_row', *intake.tables))}")
    warnings = [refusal.code for refusal in intake.refusals if refusal.warning]
    errors = _problems(document).exclude(code__in=[*document.confirmed, *warnings]).count()
    move(document, verb="refuse" if errors else "check", by=document.maker, error_count=errors)


def _find(cursor: CursorWrapper, refusal: RowRefusal, own: Mapping[str, Any]) -> None:
    cursor.execute(
        f"""
        insert into office_rowproblem (document, branch_id, row, "column", code, found, args)
        select %(document)s, %(branch)s, p.row, p.col, %(code)s, coalesce(left(p.found, 80), ''), p.args
          from ({refusal.find}) p(row, col, found, args) order by p.row""",
        {**own, "code": refusal.code},
    )


# --- problems ---------------------------------------------------------------------------------------------------------


def _problems(document: FileDocument) -> Any:
    return RowProblem.objects.filter(document=document_label(document))


def problems_of(document: FileDocument, intake: Intake, first: int = 0, most: int | None = None) -> list[Problem]:
    """The document's problems in the order of its rows; those of the whole file last."""
    by_code = intake.by_code
    return [
        Problem(by_code[row.code], row.row, row.column, row.found, row.args, confirmed=row.code in document.confirmed)
        for row in _problems(document).order_by("row", "id")[first : first + most if most else None]
    ]


def problem_counts(document: FileDocument) -> dict[str, int]:
    """How often each refusal applies."""
    return dict(_problems(document).values_list("code").annotate(Count("id")).order_by("code"))


def problem_row_count(document: FileDocument) -> int:
    return int(_problems(document).filter(row__isnull=False).values("row").distinct().count())


def annotated(document: FileDocument, intake: Intake) -> bytes:
    """The uploaded workbook again, as .xlsx, with a column that says what is wrong in each row."""
    if document.file is None:
        raise ValueError(f"{document.number} 没有原表")
    content, name = files.load(document.file), document.file.name
    _, table = _read_file(intake, content, name)
    titles = {c.title: table.columns[c.field].title for c in intake.columns if c.field in table.columns}
    by_row: dict[int | None, list[tuple[str | None, str]]] = {}
    for problem in problems_of(document, intake):
        by_row.setdefault(problem.row, []).append((titles.get(problem.column), problem.message))
    return spreadsheets.annotate(content, name, by_row, header_row=table.header_row)


# --- the ways back ----------------------------------------------------------------------------------------------------


def give_back(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """Return a submitted document to its clerk, with the reason."""
    require_role(by, Role.REVIEWER)
    move(document, verb="return", by=by, opinion=opinion)


def withdraw(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes the document back; the file may be uploaded again."""
    require_role(by, Role.CLERK)
    move(document, verb="withdraw", by=by, opinion=opinion)
