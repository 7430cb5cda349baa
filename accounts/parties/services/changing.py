"""单位信息变更: what an employer said of itself is said anew. Its ratios, its credit code and its branch are others' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction

from accounts.ledger.services import posting, underway
from accounts.parties import queries, refusals, sheets
from accounts.parties.models import EmployerChange, EmployerChangeRow
from accounts.parties.services import cells
from fundcenter.office.models import Role, User
from fundcenter.office.services import intake
from fundcenter.office.services.moves import move, require_role


def _post(change: EmployerChange, *, by: User, on: date) -> int:
    underway.ask(change)
    with connection.cursor() as cursor:
        cursor.execute(queries.CHANGE_EMPLOYERS, {"batch": change.pk})
        changed = cursor.rowcount
    underway.end(change)
    return changed


CHANGES = intake.Intake(
    columns=sheets.EMPLOYER_CHANGE,
    readers=cells.PARTICULARS,
    rows=EmployerChangeRow,
    joins=(queries.EMPLOYER,),
    values=queries.EMPLOYER_CHANGE_VALUES,
    lookups=(queries.STRANGE_EMPLOYERS,),
    refusals=refusals.OVER_EMPLOYER_CHANGES,
    hold=queries.EMPLOYER_CHANGE_HOLD,
    post=_post,
)


def upload(content: bytes, name: str, *, by: User, on: date, **how: Any) -> EmployerChange:
    """Take a sheet in and check all of it; see office.services.intake.upload."""
    return intake.upload(EmployerChange, CHANGES, content, name, by=by, on=on, **how)


def type_in(values: Sequence[Mapping[str, Any]], *, by: User, on: date) -> EmployerChange:
    """The same for employers typed into a form; see office.services.intake.type_in."""
    return intake.type_in(EmployerChange, CHANGES, values, by=by, on=on)


def submit(change: EmployerChange, *, by: User, on: date, opinion: str = "") -> None:
    """Hand it to the reviewer. Refused: another change of the same employer is under way, or came between."""
    require_role(by, Role.CLERK)
    with transaction.atomic():
        move(change, verb="submit", by=by, opinion=opinion)
        intake.ask_again(change, CHANGES, on)
        underway.begin(change, posting.Rows(queries.EMPLOYER_CHANGE_HOLDERS, {"batch": change.pk}))


def approve(change: EmployerChange, *, by: User, on: date, opinion: str = "", at_once: bool = False) -> int | None:
    """Approve, once: the employers are called and paid as it says from now on; returns how many. History keeps what was.

    Many rows are left to a job and None is returned; see office.services.intake.approve.
    Source: 《住房公积金管理条例》第十四条.
    """
    return intake.approve(change, CHANGES, by=by, on=on, opinion=opinion, at_once=at_once)


def withdraw(change: EmployerChange, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes it back; it blocks nobody any more."""
    with transaction.atomic():
        intake.withdraw(change, by=by, on=on, opinion=opinion)
        underway.end(change)
