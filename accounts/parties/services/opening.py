"""开户: employers and members come in by a form or a file, are checked, reviewed, and have accounts. One or 350,000 of them
take the same way, and there is no other: the demo's city and the tests' came to their accounts by it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

from django.conf import settings
from django.db import connection

from accounts.ledger.services.process import Process
from accounts.parties import queries, refusals, sheets
from accounts.parties.models import (
    Employer,
    EmployerOpening,
    EmployerOpeningRow,
    Member,
    MemberOpening,
    MemberOpeningRow,
)
from accounts.parties.services import cells
from fundcenter import months, spreadsheets
from fundcenter.office.models import FileDocument, User
from fundcenter.office.services import intake, personal


def _opens(accounts: str) -> Callable[..., int]:
    """What approval does: a holder and an account for every row, by one statement; returns how many."""

    def carry_out(document: FileDocument, *, by: User, on: date) -> int:
        with connection.cursor() as cursor:
            cursor.execute(accounts, {"batch": document.pk, "on": on, "prefix": settings.MEMBER_ACCOUNT_PREFIX})
            return cursor.rowcount

    return carry_out


EMPLOYERS = Process(
    EmployerOpening,
    intake.Intake(
        columns=sheets.EMPLOYER_OPENING,
        readers={
            **cells.PARTICULARS,
            "credit_code": cells.CREDIT_CODE,
            "nature": intake.choice("nature", dict(Employer.Nature.choices), refusals.NATURE_UNKNOWN),
            "industry": intake.choice("industry", dict(Employer.Industry.choices), refusals.INDUSTRY_UNKNOWN),
        },
        rows=EmployerOpeningRow,
        values=queries.EMPLOYER_VALUES,
        lookups=(queries.LIMITS,),
        refusals=refusals.OVER_EMPLOYERS,
        by_constraint=refusals.BY_CONSTRAINT,
        post=_opens(queries.OPEN_EMPLOYERS),
    ),
)
MEMBERS = Process(
    MemberOpening,
    intake.Intake(
        columns=sheets.MEMBER_OPENING,
        readers={
            "name": cells.with_initials(personal.name("name")),
            "id_type": intake.choice(
                "id_type", dict(Member.IdType.choices), refusals.ID_TYPE_UNKNOWN, {"身份证": Member.IdType.RESIDENT}
            ),
            "id": personal.id_number("id"),
            "sex": intake.choice("sex", {"男": "男", "女": "女"}, refusals.SEX_UNKNOWN, {"男性": "男", "女性": "女"}),
            "phone": personal.phone("phone"),
            "card": personal.card("card"),
            "bank": intake.text("bank", 60),
        },
        rows=MemberOpeningRow,
        joins=(queries.EMPLOYER,),
        values=queries.MEMBER_VALUES,
        lookups=(queries.STRANGE_EMPLOYERS, queries.LIMITS),
        refusals=refusals.OVER_MEMBERS,
        by_constraint=refusals.BY_CONSTRAINT,
        post=_opens(queries.OPEN_MEMBERS),
    ),
    holders=queries.MEMBER_OPENING_HOLDERS,
)


def member_template(employer: Employer, first_month: date) -> bytes:
    """The sheet that an employer's new members are entered in: its account above the header, IDs and cards as text."""
    workbook = io.BytesIO()
    above = ("employer_number", "first_month")
    spreadsheets.write_table(
        workbook,
        title="住房公积金个人开户清册",
        head=[("单位账号", employer.number), ("单位名称", employer.name), ("起缴年月", months.text(first_month))],
        columns=[column for column in sheets.MEMBER_OPENING if column.field not in above],
        rows=(),
        choices=MEMBERS.intake.choices,
    )
    return workbook.getvalue()
