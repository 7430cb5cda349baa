"""单位信息变更: what an employer said of itself is said anew. Its ratios, its credit code and its branch are others' business."""

from __future__ import annotations

from datetime import date

from django.db import connection

from accounts.ledger.services.process import Process
from accounts.parties import queries, refusals, sheets
from accounts.parties.models import EmployerChange, EmployerChangeRow
from accounts.parties.services import cells
from fundcenter.office.models import User
from fundcenter.office.services import intake


def _carry_out(change: EmployerChange, *, by: User, on: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(queries.CHANGE_EMPLOYERS, {"batch": change.pk})
        return cursor.rowcount


CHANGES = Process(
    EmployerChange,
    intake.Intake(
        columns=sheets.EMPLOYER_CHANGE,
        readers=cells.PARTICULARS,
        rows=EmployerChangeRow,
        joins=(queries.EMPLOYER,),
        values=queries.EMPLOYER_CHANGE_VALUES,
        lookups=(queries.STRANGE_EMPLOYERS,),
        refusals=refusals.OVER_EMPLOYER_CHANGES,
        hold=queries.EMPLOYER_CHANGE_HOLD,
        post=_carry_out,
    ),
    holders=queries.EMPLOYER_CHANGE_HOLDERS,
)
