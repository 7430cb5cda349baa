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
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, Q

from fundcenter import spreadsheets
from fundcenter.identifiers import clean, holds_id, veiled
from fundcenter.office import refusals
from fundcenter.office.models import FileDocument, Role, RowProblem, User, document_label
from fundcenter.office.refusals import CELL_REFUSALS, JOB_REFUSALS, Problem, Refusal, Refused, RowRefusal
from fundcenter.office.registry import JobKind
from fundcenter.office.services import audit, files, jobs
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse
from fundcenter.office.states import DEAD
from fundcenter.spreadsheets import CellProblem, Column, Table

ACCOUNT_DIGITS = 12
ID_LENGTH = 18
# Past this no amount is a wage; it also keeps sums within numeric(18,2).
AMOUNT_BOUND = 10**9
RATIO_BOUND = 100
BLANK = CellProblem("cell_empty")
# So many rows are staged between two looks at the clock.
ROWS_BETWEEN = 500

Document = TypeVar("Document", bound=FileDocument)


@dataclass(frozen=True)
class Reader:
    """How a cell is read and under which names and types it is staged. One cell may become several columns."""

    staged: tuple[tuple[str, str], ...]
    read: Callable[[Any], Any]
    """A value (a tuple where several columns are staged), or CellProblem."""
    refusals: tuple[Refusal, ...] = ()
    """What it says beyond the usual of a cell: whoever uses the reader has its refusals with it."""
    choices: tuple[str, ...] = ()
    """The words that may stand there: a form and a blank workbook offer them."""
    check: str = ""
    """The check digit that a browser may look at while it is typed; static/office.js has it."""


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
    post: Callable[..., Any] | None = None
    """What approval does: ``post(document, by=, on=)``, in the transaction that moves the document."""

    @cached_property
    def by_code(self) -> dict[str, Refusal]:
        of_readers = (refusal for reader in self.readers.values() for refusal in reader.refusals)
        return {refusal.code: refusal for refusal in (*CELL_REFUSALS, *JOB_REFUSALS, *of_readers, *self.refusals)}

    def reader(self, column: Column) -> Reader:
        return self.readers.get(column.field) or usual_reader(column)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The words that may stand in a column, for those columns that have such."""
        return {column.field: words for column in self.columns if (words := self.reader(column).choices)}

    def cell_problem(self, code: str, row: int | None, column: str, found: str) -> Problem:
        """What a reader found, quoted without anybody's long number: an ID may stand in the column of amounts."""
        return self.by_code[code].problem(row=row, column=column, found=veiled(found))


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
            return Reader(((one, "numeric"),), _ratio)
        case _:
            return Reader(((one, "text"),), _text)


def text(field: str, most: int) -> Reader:
    """A text of at most so many characters."""

    def read(value: Any) -> str | CellProblem:
        found = _text(value)
        too_long = isinstance(found, str) and len(found) > most
        return CellProblem("text_too_long", str(found)[:40]) if too_long else found

    return Reader(((field, "text"),), read)


def choice(
    field: str, choices: Mapping[str, str], refusal: Refusal, synonyms: Mapping[str, str] | None = None
) -> Reader:
    """One of these: ``choices`` are labels by code, and either is understood; the code is staged."""
    by_word = {clean(word): code for code, label in choices.items() for word in (code, label, f"{code}{label}")}
    by_word |= {clean(word): code for word, code in (synonyms or {}).items()}

    def read(value: Any) -> str | CellProblem:
        written = spreadsheets.as_text(value)
        code = by_word.get(clean(written))
        return code or CellProblem(refusal.code if written else "cell_empty", written[:40])

    return Reader(((field, "text"),), read, refusals=(refusal,), choices=tuple(choices.values()))


def _account(value: Any) -> str | CellProblem:
    if type(value) is str and len(value) == ACCOUNT_DIGITS and value.isascii() and value.isdigit():
        return value
    return _nobody(spreadsheets.as_account(value, ACCOUNT_DIGITS))


def _text(value: Any) -> str | CellProblem:
    return _nobody(spreadsheets.as_text(value) or CellProblem("cell_empty"))


def _nobody(read: str | CellProblem) -> str | CellProblem:
    """Nobody's ID number is staged in clear because it was typed into the wrong column."""
    misplaced = isinstance(read, str) and len(read) >= ID_LENGTH and holds_id(read)
    return CellProblem("id_misplaced", str(read)) if misplaced else read


def _amount(value: Any) -> Decimal | str | CellProblem:
    # PostgreSQL reads the text; fifteen digits are what the cell shows.
    if type(value) is float and -AMOUNT_BOUND < value < AMOUNT_BOUND:
        return f"{value:.15g}"
    number = spreadsheets.as_number(value)
    if isinstance(number, Decimal) and abs(number) >= AMOUNT_BOUND:
        return CellProblem("number_malformed", str(value)[:40])
    return number


def _ratio(value: Any) -> Decimal | CellProblem:
    ratio = spreadsheets.as_ratio(value)
    if isinstance(ratio, Decimal) and abs(ratio) >= RATIO_BOUND:
        return CellProblem("number_malformed", str(value)[:40])
    return ratio


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
            result: Any = BLANK if value is None or value == "" else convert(value)
            if type(result) is CellProblem:
                if required or result.code != "cell_empty":
                    self.problems.append(self.intake.cell_problem(result.code, row, title, result.found))
                staged.extend(nothing)
            elif single:
                if known is not None:
                    known[value] = result
                staged.append(result)
            else:
                staged.extend(result)

        return read


def _read_file(intake: Intake, content: bytes, name: str) -> tuple[Reading, Table]:
    """Refused: no spreadsheet, or one that may do harm. Missing columns and formulas are problems of the file."""
    try:
        table = spreadsheets.read(content, name, intake.columns)
    except spreadsheets.FileRefused as refused:
        raise _file_refused(refused) from refused
    reading = Reading(intake, table.rows)
    for wrong in (*table.missing, *table.duplicated):
        reading.problems.append(intake.cell_problem(wrong.code, table.header_row, wrong.title, ""))
    titles = {table.columns[c.field].index: c.title for c in intake.columns if c.field in table.columns}
    control_row = table.control[0] if table.control else None
    for row, place in sorted(table.formulas):
        if place in titles and row > (table.header_row or 0) and row != control_row:
            reading.problems.append(intake.cell_problem("formula_cell", row, titles[place], ""))
    return reading, table


# --- taking in --------------------------------------------------------------------------------------------------------


def upload(
    kind: type[Document], intake: Intake, content: bytes, name: str, *, by: User, on: date, confirm: Iterable[str] = (),
    at_once: bool = False,
) -> Document:  # fmt: skip
    """Take a file in and check all of it. The document is afterwards checked, or refused with all problems of all rows.

    A large file is kept and left to a job, the document meanwhile ``staged``; ``at_once``: the caller waits, however long.
    Refused (nothing is kept): no spreadsheet, or the same file as a document that lives.
    """
    branch_id = _may_take_in(by)
    sha256 = files.fingerprint(content)
    if first := kind._default_manager.filter(branch=branch_id, sha256=sha256).exclude(state__in=DEAD).first():
        raise Refused([refusals.FILE_SAME.problem(number=first.number, state=first.state_label)])
    if _is_large(kind, at_once, size=len(content)):
        _refuse_at_the_door(content, name)
        reading = None
    else:
        reading = _read_file(intake, content, name)[0]
    by_job = reading is None or _is_large(kind, at_once, rows=len(reading.source))
    with _constraints_refuse(kind, intake):
        document = _create(
            kind, branch_id=branch_id, made_on=on, maker=by, sha256=sha256,
            file=files.store(content, name, branch_id=branch_id, by=by), confirmed=_confirmable(intake, confirm),
        )  # fmt: skip
        audit.record("upload", document)
        if reading is None or by_job:
            jobs.defer(document, "check", by=by, on=on, subject=document.file.name if document.file else "")
        else:
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
    allowed = _confirmable(intake, codes)
    with _constraints_refuse(type(document), intake):
        document.confirmed = sorted({*document.confirmed, *allowed})
        document.save(update_fields=["confirmed"])
        audit.record("confirm", document, codes=allowed)
        if _is_large(type(document), False, rows=document.row_count):
            move(document, verb="recheck", by=by)
            jobs.defer(document, "check", by=by, on=on)
        else:
            _recall(document, intake)
            _check(document, intake, on)


def approve(
    document: FileDocument, intake: Intake, *, by: User, on: date, opinion: str = "", at_once: bool = False
) -> Any:
    """Approve, and do what follows from it (``intake.post``), once, dated ``on``.

    Many rows are left to a job, the document meanwhile ``posting``, and None is returned; ``at_once``: the caller waits.
    Refused: nothing is done. Where a job is refused, the document is submitted again, with the reason.
    """
    require_role(by, Role.REVIEWER)
    with constraints_refuse(intake.by_constraint):
        if _is_large(type(document), at_once, rows=document.row_count):
            move(document, verb="queue", by=by, opinion=opinion)
            ask_again(document, intake, on)
            jobs.defer(document, "post", by=by, on=on)
            return None
        move(document, verb="approve", by=by, opinion=opinion)
        return _post(document, intake, by=by, on=on)


def _post(document: FileDocument, intake: Intake, *, by: User, on: date) -> Any:
    if intake.post is None:
        raise NotImplementedError(f"{type(document).__name__} declares nothing that approval does")
    ask_again(document, intake, on)
    return intake.post(document, by=by, on=on)


def _confirmable(intake: Intake, codes: Iterable[str]) -> list[str]:
    """Of these codes those that a clerk may confirm; to confirm another would let the row through that it stands for."""
    return sorted({code for code in codes if code in intake.by_code and intake.by_code[code].confirmable})


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


def _constraints_refuse(kind: type[FileDocument], intake: Intake) -> AbstractContextManager[None]:
    return constraints_refuse({f"{kind._meta.db_table}_file": refusals.FILE_JUST_UPLOADED, **intake.by_constraint})


def _create(kind: type[Document], **fields: Any) -> Document:
    document = kind(state=kind.machine.initial, **fields)
    document.save(force_insert=True)
    return document


def _is_large(kind: type[FileDocument], at_once: bool, *, rows: int = 0, size: int = 0) -> bool:
    """Whether this is for a job: a file is known by its size before its rows are."""
    return not at_once and jobs.known(kind, "check") and (rows > settings.JOB_ROWS or size > settings.JOB_BYTES)


def _refuse_at_the_door(content: bytes, name: str) -> None:
    """What needs no reading is said at once, also of a large file. Refused: no spreadsheet, or one that may do harm."""
    try:
        spreadsheets.sniff(content, name)
    except spreadsheets.FileRefused as refused:
        raise _file_refused(refused) from refused


def _file_refused(refused: spreadsheets.FileRefused) -> Refused:
    return Refused([Refusal(refused.code, refused.message.replace("{", "{{").replace("}", "}}")).problem()])


def _may_take_in(by: User) -> int:
    require_role(by, Role.CLERK)
    if by.branch_id is None:
        raise Refused([refusals.NO_BRANCH.problem()])
    return by.branch_id


def _own(document: FileDocument) -> dict[str, Any]:
    return {"batch": document.pk, "branch": document.branch_id, "made_on": document.made_on}


@dataclass
class _Way:
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


def _stage(document: FileDocument, intake: Intake, reading: Reading, way: _Way | None = None) -> None:
    way = way or _Way(intake, len(reading.source))
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
                    if count % ROWS_BETWEEN == 0:
                        way.staged(count)
        if not count and not reading.problems:
            reading.problems.append(refusals.FILE_EMPTY.problem())
        cursor.execute("analyze staged_row")
        cursor.execute(intake.recognise, _own(document))
        cursor.execute("drop table staged_row")
        cursor.execute("analyze batch_row")
        way.ran_one()
        for statement in (*intake.prepare, intake.keep):
            cursor.execute(statement, _own(document))
            way.ran_one()
    document.row_count = count
    document.save(update_fields=["row_count"])
    _keep_problems(document, reading.problems)


def _keep_problems(document: FileDocument, problems: Iterable[Problem]) -> None:
    RowProblem.objects.bulk_create(
        RowProblem(
            document=document.label, branch_id=document.branch_id, row=problem.row, column=problem.column,
            code=problem.code, found=problem.found[:80], args=problem.args,
        )
        for problem in problems
    )  # fmt: skip


def _recall(document: FileDocument, intake: Intake) -> None:
    with connection.cursor() as cursor:
        cursor.execute(intake.recall, _own(document))
        cursor.execute("analyze batch_row")


def _check(document: FileDocument, intake: Intake, on: date, way: _Way | None = None) -> None:
    """Every statement over every row of ``batch_row``; the outcome moves the document."""
    way = way or _Way(intake, document.row_count)
    own = {**_own(document), "on": on, "document": document.label, **intake.terms(on)}
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from office_rowproblem where document = %s and code = any(%s)",
            [document.label, [refusal.code for refusal in (refusals.CHECK_BROKEN, *intake.refusals)]],
        )
        for statement in intake.lookups:
            cursor.execute(statement, own)
            way.ran_one()
        for refusal in intake.refusals:
            way.ran_one(found=_find(cursor, refusal, own))
        cursor.execute(f"drop table {', '.join(('batch_row', *intake.tables))}")
    warnings = [refusal.code for refusal in intake.refusals if refusal.warning]
    errors = _problems(document).exclude(code__in=[*document.confirmed, *warnings]).count()
    move(document, verb="refuse" if errors else "check", by=document.maker, error_count=errors)


def _find(cursor: CursorWrapper, refusal: RowRefusal, own: Mapping[str, Any]) -> int:
    cursor.execute(
        f"""
        insert into office_rowproblem (document, branch_id, row, "column", code, found, args)
        select %(document)s, %(branch)s, p.row, p.col, %(code)s, coalesce(left(p.found, 80), ''), p.args
          from ({refusal.find}) p(row, col, found, args) order by p.row""",
        {**own, "code": refusal.code},
    )
    return int(cursor.rowcount)


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


def problems_after(
    document: FileDocument, intake: Intake, after: tuple[int | None, int] | None, most: int
) -> list[tuple[tuple[int | None, int], Problem]]:
    """At most ``most`` problems after the one at (row, id), each with its place: a page that costs what it holds."""
    by_code, problems = intake.by_code, _problems(document)
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


# --- what is large: the same, by a job --------------------------------------------------------------------------------


def jobs_of(kind: type[FileDocument], intake: Intake) -> dict[str, JobKind]:
    """For ``registry.jobs``: with them, large files and large approvals of this kind of document are left to the worker."""
    found = {
        jobs.kind_of(kind, "check"): JobKind(
            title="校验", run=lambda document, **given: _check_by_job(document, intake, **given), fail=_check_failed
        )
    }
    if intake.post is not None:
        found[jobs.kind_of(kind, "post")] = JobKind(
            title=kind.machine.labels["posting"].removesuffix("中"),
            run=lambda document, **given: _post_by_job(document, intake, **given),
            fail=_post_failed,
        )
    return found


def _check_by_job(document: FileDocument, intake: Intake, *, by: User, on: date, progress: jobs.Progress) -> str:
    """Stage and check a document as its clerk. A second run finds it checked."""
    require_role(by, Role.CLERK)
    reading = None
    if not document.row_count and document.file is not None:
        progress(0, 0, "正在读取表格")
        try:
            reading = _read_file(intake, files.load(document.file), document.file.name)[0]
        except Refused as refused:
            said = "；".join(problem.message for problem in refused.problems)
            reading = Reading(intake, (), [refusals.FILE_UNREADABLE.problem(said=said)])
    with constraints_refuse(intake.by_constraint):
        if not jobs.hold(document, "staged"):
            return "单据已另行办理"
        way = _Way(intake, len(reading.source) if reading else document.row_count, progress)
        if reading is None:
            _recall(document, intake)
        else:
            _stage(document, intake, reading, way)
        _check(document, intake, on, way)
    return document.state_label if document.state == "checked" else f"发现 {document.error_count:,} 处问题"


def _check_failed(document: FileDocument, reason: str, *, by: User) -> None:
    _keep_problems(document, [refusals.CHECK_BROKEN.problem(said=reason)])
    move(document, verb="refuse", by=by, error_count=document.error_count + 1)


def _post_by_job(document: FileDocument, intake: Intake, *, by: User, on: date, progress: jobs.Progress) -> str:
    """Do what was approved, as the reviewer who approved it. A second run finds it done; the ledger takes no source twice."""
    require_role(by, Role.REVIEWER)
    progress(0, 0, f"正在办理 {document.row_count:,} 行")
    with constraints_refuse(intake.by_constraint):
        if not jobs.hold(document, "posting"):
            return "单据已另行办理"
        move(document, verb="post", by=User.objects.system())
        _post(document, intake, by=by, on=on)
    return document.state_label


def _post_failed(document: FileDocument, reason: str, *, by: User) -> None:
    move(document, verb="fail", by=by, opinion=reason[:500], checker=None, checked_at=None)


# --- the ways back ----------------------------------------------------------------------------------------------------


def give_back(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """Return a submitted document to its clerk, with the reason."""
    require_role(by, Role.REVIEWER)
    move(document, verb="return", by=by, opinion=opinion)


def withdraw(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes the document back; the file may be uploaded again."""
    require_role(by, Role.CLERK)
    move(document, verb="withdraw", by=by, opinion=opinion)
