"""汇缴: an employer's register is uploaded, checked, submitted, reviewed, and becomes its members' money.

One file, one decision: everything is checked before anything is posted, and all of it is posted or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Count

from accounts.contributions import queries, refusals
from accounts.contributions.calc import ROUNDING_UNITS
from accounts.contributions.models import Batch, ContributionRule, RowProblem
from accounts.contributions.refusals import BY_CODE, BY_CONSTRAINT, RegisterRefusal
from accounts.contributions.services.reading import Reading, read_register
from accounts.contributions.states import LIVING
from accounts.contributions.terms import contribution_terms
from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.models import Voucher
from accounts.ledger.services import posting
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.services import audit, files
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse


def upload(content: bytes, name: str, *, by: User, on: date, confirm: Iterable[str] = ()) -> Batch:
    """Take a file in and check all of it. The batch is afterwards checked, or refused with every problem of every row.

    Refused (nothing is kept): not a spreadsheet, or the same file as a batch that lives.
    """
    require_role(by, Role.CLERK)
    if by.branch_id is None:
        raise Refused([refusals.NO_BRANCH.problem()])
    sha256 = files.fingerprint(content)
    if first := Batch.objects.visible().filter(sha256=sha256, state__in=LIVING).first():
        raise Refused([refusals.FILE_SAME.problem(number=first.number, state=first.state_label)])
    reading = read_register(content, name)
    with constraints_refuse(BY_CONSTRAINT):
        batch = Batch.objects.create(
            branch_id=by.branch_id, state=Batch.machine.initial, made_on=on, maker=by, sha256=sha256,
            file=files.store(content, name, branch_id=by.branch_id, by=by), confirmed=sorted(set(confirm)),
        )  # fmt: skip
        audit.record("upload", batch, rows=None)
        _stage(batch, reading)
        _check(batch, on)
    return batch


def confirm(batch: Batch, codes: Iterable[str], *, by: User, on: date) -> None:
    """The clerk says that these problems are meant so, and everything is checked again."""
    with transaction.atomic():
        allowed = {code for code in codes if code in BY_CODE and BY_CODE[code].confirmable}
        batch.confirmed = sorted({*batch.confirmed, *allowed})
        batch.save(update_fields=["confirmed"])
        audit.record("confirm", batch, codes=sorted(allowed))
        with connection.cursor() as cursor:
            cursor.execute(queries.RECALL, {"batch": batch.pk})
            cursor.execute("analyze batch_row")
        _check(batch, on)


def submit(batch: Batch, *, by: User, opinion: str = "") -> None:
    """Hand a checked batch to the reviewer. Refused: suspense has become short, a month was posted meanwhile."""
    require_role(by, Role.CLERK)
    _ask_again(batch)
    move(batch, verb="submit", by=by, opinion=opinion)


def approve(batch: Batch, *, by: User, on: date, opinion: str = "") -> list[Voucher]:
    """Approve and post, once: one voucher for each register, dated ``on``. Refused: nothing is posted.

    Source: 《住房公积金管理条例》第十九条; 财会字〔1999〕33号.
    """
    require_role(by, Role.REVIEWER)
    with constraints_refuse(BY_CONSTRAINT):
        move(batch, verb="approve", by=by, opinion=opinion)
        _ask_again(batch)
        vouchers = posting.post(
            REMITTANCE,
            slips=posting.Rows(queries.REMITTANCE_SLIPS, {"batch": batch.pk}),
            details=posting.Rows(queries.REMITTANCE_DETAILS, {"batch": batch.pk}),
            on=on, prepared_by=batch.maker, reviewed_by=by,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(queries.REGISTERS_POSTED, {"batch": batch.pk})
    return vouchers


def give_back(batch: Batch, *, by: User, opinion: str = "") -> None:
    """Return a submitted batch to its clerk, with the reason."""
    require_role(by, Role.REVIEWER)
    move(batch, verb="return", by=by, opinion=opinion)


def withdraw(batch: Batch, *, by: User, opinion: str = "") -> None:
    """The clerk takes the batch back; the file may be uploaded again."""
    require_role(by, Role.CLERK)
    move(batch, verb="withdraw", by=by, opinion=opinion)


def problems_of(batch: Batch, first: int = 0, most: int | None = None) -> list[Problem]:
    """The batch's problems in the order of its rows; those of the whole file first."""
    rows = RowProblem.objects.filter(batch=batch).order_by("row", "id")[first : first + most if most else None]
    return [
        Problem(BY_CODE[row.code], row.row, row.column, row.found, row.args, confirmed=row.code in batch.confirmed)
        for row in rows
    ]


def problem_counts(batch: Batch) -> dict[str, int]:
    """How often each refusal applies."""
    rows = RowProblem.objects.filter(batch=batch).values_list("code").annotate(Count("id")).order_by("code")
    return dict(rows)


def problem_row_count(batch: Batch) -> int:
    return RowProblem.objects.filter(batch=batch, row__isnull=False).values("row").distinct().count()


def _stage(batch: Batch, reading: Reading) -> None:
    with connection.cursor() as cursor:
        cursor.execute(queries.STAGE)
        count = 0
        with cursor.copy(queries.COPY_STAGED) as copy:
            if not reading.problems:
                for row in reading.rows():
                    copy.write_row(row)
                    count += 1
        if not count and not reading.problems:
            reading.problems.append(refusals.FILE_EMPTY.problem())
        cursor.execute("analyze staged_row")
        own = {"batch": batch.pk, "branch": batch.branch_id}
        cursor.execute(queries.RECOGNISE, own)
        cursor.execute("drop table staged_row")
        cursor.execute("analyze batch_row")
        cursor.execute(queries.MAKE_REGISTERS, own)
        cursor.execute(queries.KEEP_ROWS, own)
    Batch.objects.filter(pk=batch.pk).update(row_count=count)
    RowProblem.objects.bulk_create(
        RowProblem(
            batch=batch, branch_id=batch.branch_id, row=problem.row, column=problem.column, code=problem.code,
            found=problem.found[:80],
        )
        for problem in reading.problems
    )  # fmt: skip


def _check(batch: Batch, on: date) -> None:
    """Every statement over every row of ``batch_row``; the outcome moves the batch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from contributions_rowproblem where batch_id = %s and code = any(%s)",
            [batch.pk, [refusal.code for refusal in refusals.OVER_ROWS]],
        )
        cursor.execute(queries.STRANGERS, {"batch": batch.pk})
        for refusal in refusals.OVER_ROWS:
            _find(cursor, refusal, batch, on)
        cursor.execute("drop table stranger, batch_row")
        cursor.execute("select coalesce(sum(total), 0) from contributions_register where batch_id = %s", [batch.pk])
        (total,) = cursor.fetchone()
    errors = RowProblem.objects.filter(batch=batch).exclude(code__in=batch.confirmed).count()
    move(batch, verb="refuse" if errors else "check", by=batch.maker, error_count=errors, total=total)


def _find(cursor: CursorWrapper, refusal: RegisterRefusal, batch: Batch, on: date) -> None:
    cursor.execute(
        queries.KEEP_PROBLEMS.format(find=refusal.find),
        {"batch": batch.pk, "branch": batch.branch_id, "code": refusal.code, **_rounding(on)},
    )


def _rounding(on: date) -> dict[str, Any]:
    rounding = contribution_terms(on).amount_rounding
    digits = -int(ROUNDING_UNITS[rounding].as_tuple().exponent)
    return {"digits": digits, "rounding_label": ContributionRule.Rounding(rounding).label}


def _ask_again(batch: Batch) -> None:
    """What may have changed since the upload: asked without keeping it, so that the batch stays as it was."""
    found: list[Problem] = []
    with connection.cursor() as cursor:
        for refusal in refusals.OVER_ROWS:
            if refusal.volatile:
                cursor.execute(refusal.find, {"batch": batch.pk})
                found += [
                    refusal.problem(row=row, column=column, found=text or "", **json.loads(args))
                    for row, column, text, args in cursor.fetchall()
                ]
    if found:
        raise Refused(found)
