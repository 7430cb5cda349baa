"""汇缴: an employer's register is uploaded, checked, submitted, reviewed, and becomes its members' money.

One file, one decision: everything is checked before anything is posted, and all of it is posted or nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection

from accounts.contributions import queries, refusals, sheets
from accounts.contributions.calc import ROUNDING_UNITS
from accounts.contributions.models import Batch, Change, ContributionRule, RegisterRow
from accounts.contributions.terms import contribution_terms
from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.models import Voucher
from accounts.ledger.services import posting
from accounts.ledger.services.process import Process
from accounts.parties.queries import EMPLOYER, LIMITS_OF_MONTHS, MEMBER, STRANGERS
from accounts.parties.services import members
from fundcenter import identifiers, spreadsheets
from fundcenter.office.models import User
from fundcenter.office.services import intake, personal
from fundcenter.spreadsheets import CellProblem


def _terms(on: date) -> dict[str, Any]:
    rounding = contribution_terms(on).amount_rounding
    digits = -int(ROUNDING_UNITS[rounding].as_tuple().exponent)
    return {"digits": digits, "rounding_label": ContributionRule.Rounding(rounding).label}


def _id_number(value: Any) -> tuple[bytes | None, str | None] | CellProblem:
    """Index and mask to compare with the account's; a masked number, as our own exports have it, is compared as it is."""
    number = identifiers.clean(spreadsheets.as_text(value)).upper()
    if not number:
        return CellProblem("cell_empty")
    if "*" in number:
        return None, number[:30]
    return personal.id_index(number), identifiers.mask_id(number)[:30]


def _carry_out(batch: Batch, *, by: User, on: date) -> list[Voucher]:
    """One voucher for each register; what it says of members' accounts (启封, 封存, 基数变更) holds from its month.

    Source: 《住房公积金管理条例》第十九条; 财会字〔1999〕33号.
    """
    vouchers = posting.post(
        REMITTANCE,
        slips=posting.Rows(queries.REMITTANCE_SLIPS, {"batch": batch.pk}),
        details=posting.Rows(queries.REMITTANCE_DETAILS, {"batch": batch.pk}),
        on=on, prepared_by=batch.maker, reviewed_by=by,
    )  # fmt: skip
    members.change(posting.Rows(queries.REGISTER_CHANGES, {"batch": batch.pk}))
    with connection.cursor() as cursor:
        cursor.execute(queries.REGISTERS_POSTED, {"batch": batch.pk})
    return vouchers


REGISTERS = Process(
    Batch,
    intake.Intake(
        columns=sheets.REGISTER,
        readers={
            "id_number": intake.Reader((("id_index", "bytea"), ("id_mask", "text")), _id_number),
            "change": intake.choice("change", dict(Change.choices), refusals.CHANGE_UNKNOWN),
        },
        rows=RegisterRow,
        joins=(EMPLOYER, MEMBER),
        prepare=(queries.MAKE_REGISTERS, queries.TOTAL),
        kept_with=(queries.REGISTER,),
        lookups=(STRANGERS, LIMITS_OF_MONTHS),
        refusals=refusals.OVER_ROWS,
        terms=_terms,
        by_constraint=refusals.BY_CONSTRAINT,
        post=_carry_out,
    ),
    holders=queries.REGISTER_HOLDERS,
)
