"""What people do with a document of rows: take it in, confirm, decide, give back, withdraw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from fundcenter.office import refusals
from fundcenter.office.models import FileDocument, Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit, files, jobs
from fundcenter.office.services.intake.checking import ask_again, check, parameters_of, recall, stage
from fundcenter.office.services.intake.declaring import Intake
from fundcenter.office.services.intake.problems import problems_of
from fundcenter.office.services.intake.reading import Reading, read_file, refuse_at_the_door
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse
from fundcenter.office.states import DEAD

Document = TypeVar("Document", bound=FileDocument)


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
        refuse_at_the_door(content, name)
        reading = None
    else:
        reading = read_file(intake, content, name)[0]
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
            stage(document, intake, reading)
            check(document, intake, on)
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
        stage(document, intake, Reading(intake, rows))
        check(document, intake, on)
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
            recall(document, intake)
            check(document, intake, on)


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
        return post(document, intake, by=by, on=on)


def post(document: FileDocument, intake: Intake, *, by: User, on: date) -> Any:
    if intake.hold:
        with connection.cursor() as cursor:
            cursor.execute(intake.hold, parameters_of(document))
    ask_again(document, intake, on)
    return intake.post(document, by=by, on=on)


def give_back(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """Return a submitted document to its clerk, with the reason."""
    require_role(by, Role.REVIEWER)
    move(document, verb="return", by=by, opinion=opinion)


def withdraw(document: FileDocument, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes the document back; the file may be uploaded again."""
    require_role(by, Role.CLERK)
    move(document, verb="withdraw", by=by, opinion=opinion)


def _confirmable(intake: Intake, codes: Iterable[str]) -> list[str]:
    """Of these codes those that a clerk may confirm; to confirm another would let the row through that it stands for."""
    return sorted({code for code in codes if code in intake.by_code and intake.by_code[code].confirmable})


def _constraints_refuse(kind: type[FileDocument], intake: Intake) -> AbstractContextManager[None]:
    return constraints_refuse({f"{kind._meta.db_table}_file": refusals.FILE_JUST_UPLOADED, **intake.by_constraint})


def _create(kind: type[Document], **fields: Any) -> Document:
    document = kind(state=kind.machine.initial, **fields)
    document.save(force_insert=True)
    return document


def _is_large(kind: type[FileDocument], at_once: bool, *, rows: int = 0, size: int = 0) -> bool:
    """Whether this is for a job: a file is known by its size before its rows are."""
    return not at_once and jobs.known(kind, "check") and (rows > settings.JOB_ROWS or size > settings.JOB_BYTES)


def _may_take_in(by: User) -> int:
    require_role(by, Role.CLERK)
    if by.branch_id is None:
        raise Refused([refusals.NO_BRANCH.problem()])
    return by.branch_id
