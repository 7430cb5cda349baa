"""开户: employers and members come in by a form or a file, are checked, reviewed, and have accounts. One or 350,000 of them
take the same way, and there is no other: the demo's city and the tests' came to their accounts by it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.ledger.services import posting, underway
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
from fundcenter.office.models import Role, User
from fundcenter.office.services import intake, personal
from fundcenter.office.services.moves import move, require_role

Opening = EmployerOpening | MemberOpening


def _post(open_accounts: str) -> Callable[..., int]:
    """What approval does: a holder and an account for every row, by one statement; returns how many."""

    def post(document: Opening, *, by: User, on: date) -> int:
        with connection.cursor() as cursor:
            cursor.execute(open_accounts, {"batch": document.pk, "on": on, "prefix": settings.MEMBER_ACCOUNT_PREFIX})
            opened = cursor.rowcount
        underway.end(document)
        return opened

    return post


EMPLOYERS = intake.Intake(
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
    post=_post(queries.OPEN_EMPLOYERS),
)
MEMBERS = intake.Intake(
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
    post=_post(queries.OPEN_MEMBERS),
)


# --- the verbs --------------------------------------------------------------------------------------------------------


def upload_employers(content: bytes, name: str, *, by: User, on: date, **how: Any) -> EmployerOpening:
    """Take a file of employers in and check all of it; see office.services.intake.upload."""
    return intake.upload(EmployerOpening, EMPLOYERS, content, name, by=by, on=on, **how)


def upload_members(content: bytes, name: str, *, by: User, on: date, **how: Any) -> MemberOpening:
    """Take a file of members in and check all of it; see office.services.intake.upload."""
    return intake.upload(MemberOpening, MEMBERS, content, name, by=by, on=on, **how)


def type_in_employers(values: Sequence[Mapping[str, Any]], *, by: User, on: date) -> EmployerOpening:
    """The same for employers typed into a form; see office.services.intake.type_in."""
    return intake.type_in(EmployerOpening, EMPLOYERS, values, by=by, on=on)


def type_in_members(values: Sequence[Mapping[str, Any]], *, by: User, on: date) -> MemberOpening:
    """The same for members typed into a form; see office.services.intake.type_in."""
    return intake.type_in(MemberOpening, MEMBERS, values, by=by, on=on)


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
        choices=MEMBERS.choices,
    )
    return workbook.getvalue()


def submit(document: Opening, *, by: User, on: date, opinion: str = "") -> None:
    """Hand it to the reviewer. Refused: a number in use meanwhile, an employer that is being closed."""
    require_role(by, Role.CLERK)
    with transaction.atomic():
        move(document, verb="submit", by=by, opinion=opinion)
        intake.ask_again(document, _intake_of(document), on)
        if isinstance(document, MemberOpening):
            underway.begin(document, posting.Rows(queries.MEMBER_OPENING_HOLDERS, {"batch": document.pk}))


def approve(document: Opening, *, by: User, on: date, opinion: str = "", at_once: bool = False) -> int | None:
    """Approve and open an account for every row, once, dated ``on``; returns how many. Refused: nothing is opened.

    Many rows are left to a job and None is returned; see office.services.intake.approve.
    Source: 《住房公积金管理条例》第十四条、第十五条.
    """
    return intake.approve(document, _intake_of(document), by=by, on=on, opinion=opinion, at_once=at_once)


def withdraw(document: Opening, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes it back; its file may be uploaded again, and it blocks nobody any more."""
    with transaction.atomic():
        intake.withdraw(document, by=by, on=on, opinion=opinion)
        underway.end(document)


def _intake_of(document: Opening) -> intake.Intake:
    return EMPLOYERS if isinstance(document, EmployerOpening) else MEMBERS
