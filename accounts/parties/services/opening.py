"""开户 over sets: employers and members are opened by the same statements, one or 350,000 of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import connection

from accounts.parties import queries
from accounts.parties.calc import pinyin_initials
from accounts.parties.models import Member
from accounts.parties.refusals import BY_CONSTRAINT, CREDIT_CODE_CHECKSUM, EMPLOYER_UNKNOWN, ID_CHECKSUM
from fundcenter import identifiers, vault
from fundcenter.office.models import Branch, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit
from fundcenter.office.services.refusing import constraints_refuse


@dataclass(frozen=True)
class NewEmployer:
    """单位开户 of one employer. Ratios are fractions."""

    branch: Branch
    name: str
    credit_code: str
    nature: str
    industry: str
    ratio_employer: Decimal
    ratio_member: Decimal
    first_month: date
    pay_day: int = 15
    address: str = ""
    legal_person: str = ""
    contact: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class NewMember:
    """个人开户 of one member. Base in yuan a month."""

    employer_number: str
    name: str
    id_number: str
    base: Decimal
    first_month: date
    phone: str = ""
    id_type: str = Member.IdType.RESIDENT


def open_employers(rows: Iterable[NewEmployer], *, on: date, prepared_by: User, reviewed_by: User) -> list[str]:
    """Open these employers' accounts; returns their numbers in the order given. Refused: nothing is opened."""
    rows = list(rows)
    wrong = [
        CREDIT_CODE_CHECKSUM.problem(row=place, found=row.credit_code, name=row.name)
        for place, row in enumerate(rows, start=1)
        if identifiers.credit_code_problem(row.credit_code)
    ]
    if wrong:
        raise Refused(wrong)
    with constraints_refuse(BY_CONSTRAINT), connection.cursor() as cursor:
        cursor.execute(queries.STAGE_EMPLOYERS)
        with cursor.copy(
            "copy opening_employer (place, branch_id, name, initials, credit_code, nature, industry, address, legal_person, "
            "contact, phone, pay_day, ratio_employer, ratio_member, first_month) from stdin"
        ) as copy:
            for place, row in enumerate(rows):
                copy.write_row(
                    (place, row.branch.pk, row.name, pinyin_initials(row.name), row.credit_code, row.nature, row.industry,
                     row.address, row.legal_person, row.contact, row.phone, row.pay_day, row.ratio_employer,
                     row.ratio_member, row.first_month)
                )  # fmt: skip
        cursor.execute(queries.NUMBER_EMPLOYERS)
        cursor.execute(queries.OPEN_EMPLOYERS, {"on": on, "maker": prepared_by.pk, "checker": reviewed_by.pk})
        cursor.execute("select number from opening_employer order by place")
        numbers = [number for (number,) in cursor.fetchall()]
        cursor.execute("drop table opening_employer")
        audit.record("open_employers", count=len(numbers))
    return numbers


def open_members(rows: Iterable[NewMember], *, on: date, prepared_by: User, reviewed_by: User) -> list[str]:
    """Open these members' accounts; returns their numbers in the order given. Refused: nothing is opened.

    ID numbers are sealed here and never written in clear: index and mask stand beside the sealed text.
    """
    wrong = []
    with constraints_refuse(BY_CONSTRAINT), connection.cursor() as cursor:
        cursor.execute(queries.STAGE_MEMBERS)
        with cursor.copy(
            "copy opening_member (place, employer_number, name, initials, id_type, id_sealed, id_index, id_mask, sex, "
            "birth_date, phone_sealed, phone_mask, base, first_month) from stdin"
        ) as copy:
            for place, row in enumerate(rows, start=1):
                resident = row.id_type == Member.IdType.RESIDENT
                if resident and identifiers.id_number_problem(row.id_number):
                    wrong.append(ID_CHECKSUM.problem(row=place, column="证件号码", name=row.name))
                    continue
                copy.write_row(
                    (place, row.employer_number, row.name, pinyin_initials(row.name), row.id_type,
                     vault.seal_text(row.id_number), vault.blind_index(row.id_type, row.id_number),
                     identifiers.mask_id(row.id_number), identifiers.id_sex(row.id_number) if resident else "",
                     identifiers.id_birth_date(row.id_number) if resident else None,
                     vault.seal_text(row.phone) if row.phone else "",
                     identifiers.mask_phone(row.phone) if row.phone else "", row.base, row.first_month)
                )  # fmt: skip
        cursor.execute("analyze opening_member")
        cursor.execute(queries.NUMBER_MEMBERS, {"prefix": settings.MEMBER_ACCOUNT_PREFIX})
        cursor.execute(queries.EMPLOYERS_NOT_FOUND)
        wrong += [EMPLOYER_UNKNOWN.problem(column="单位账号", found=number) for (number,) in cursor.fetchall()]
        if wrong:
            raise Refused(wrong)
        cursor.execute(queries.OPEN_MEMBERS, {"on": on, "maker": prepared_by.pk, "checker": reviewed_by.pk})
        cursor.execute("select number from opening_member order by place")
        numbers = [number for (number,) in cursor.fetchall()]
        cursor.execute("drop table opening_member")
        audit.record("open_members", count=len(numbers))
    return numbers
