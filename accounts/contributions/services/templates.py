"""The pre-filled register that a clerk sends to an employer; it comes back unchanged and goes through."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import connection

from accounts.contributions import queries, sheets
from accounts.contributions.calc import ROUNDING_UNITS
from accounts.contributions.terms import contribution_terms
from accounts.parties.models import Employer
from fundcenter import months, spreadsheets
from fundcenter.office.models import Branch

Due = tuple[str, str, str, Decimal, Decimal, Decimal]


def register_rows_of(branch: Branch, month: date, *, on: date, employer: Employer | None = None) -> list[Due]:
    """What is due for a month: employer, member, name, base and both sides, of one employer or of the whole branch."""
    rounding = ROUNDING_UNITS[contribution_terms(on).amount_rounding]
    with connection.cursor() as cursor:
        cursor.execute(
            queries.REGISTER_DUE,
            {"employer": employer.pk if employer else None, "branch": branch.pk, "month": month,
             "digits": -int(rounding.as_tuple().exponent)},
        )  # fmt: skip
        return cursor.fetchall()


def register_template(employer: Employer, month: date, *, on: date) -> bytes:
    """The register of this employer's active members for a month, as .xlsx; amounts by the rule in force ``on``."""
    return write_register(employer, month, register_rows_of(employer.branch, month, on=on, employer=employer))


def write_register(employer: Employer, month: date, rows: Iterable[Due]) -> bytes:
    """A register as the centre hands it out: employer and month above the header, account numbers as text, a control row."""
    due = list(rows)
    lines = [(number, name, base, own, theirs, own + theirs, None) for _, number, name, base, own, theirs in due]
    total_own = sum((row[4] for row in due), Decimal(0))
    total_theirs = sum((row[5] for row in due), Decimal(0))
    workbook = io.BytesIO()
    spreadsheets.write_table(
        workbook,
        title=f"住房公积金汇缴清册（{months.chinese(month)}）",
        head=[
            (sheets.EMPLOYER.title, employer.number),
            ("单位名称", employer.name),
            (sheets.MONTH.title, months.text(month)),
        ],
        columns=sheets.REGISTER_SHOWN,
        rows=lines,
        total=("合计", None, None, total_own, total_theirs, total_own + total_theirs, None),
    )
    return workbook.getvalue()
