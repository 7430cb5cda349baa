"""How the cells of this room are read, in whatever kind of document they stand."""

from __future__ import annotations

import re
from typing import Any

from accounts.parties import refusals
from accounts.parties.calc import pinyin_initials
from accounts.parties.models import Employer
from fundcenter import identifiers, spreadsheets
from fundcenter.office.services import intake, personal
from fundcenter.spreadsheets import CellProblem

# A long name that is read in several ways has more: of its later readings the end is lost, which nobody types.
INITIALS_KEPT = Employer._meta.get_field("initials").max_length


def with_initials(reader: intake.Reader) -> intake.Reader:
    """A name is found by its pinyin initials too; they are staged beside it."""

    def read(value: Any) -> tuple[str, str] | CellProblem:
        found = reader.read(value)
        return found if isinstance(found, CellProblem) else (found, pinyin_initials(found)[:INITIALS_KEPT])

    return intake.Reader((*reader.staged, ("initials", "text")), read, refusals=reader.refusals)


def _credit_code(value: Any) -> str | CellProblem:
    code = identifiers.clean(spreadsheets.as_text(value)).upper()
    if not code:
        return CellProblem("cell_empty")
    return CellProblem("credit_code_checksum", code[:40]) if identifiers.credit_code_problem(code) else code


def _pay_day(value: Any) -> int | CellProblem:
    day = spreadsheets.as_number(value)
    if isinstance(day, CellProblem):
        return day
    return (
        int(day)
        if 1 <= day <= 31 and day == int(day)
        else CellProblem("pay_day_malformed", spreadsheets.as_text(value)[:40])
    )


def _bank_account(value: Any) -> str | CellProblem:
    number = spreadsheets.as_account(value, 0)
    if isinstance(number, CellProblem):
        return number
    # Eighteen digits are an account as well as somebody's ID number in the wrong column.
    if identifiers.holds_id(number):
        return CellProblem("id_misplaced", number)
    good = re.fullmatch(r"[0-9][0-9-]{6,30}[0-9]", number)
    return number if good else CellProblem("bank_account_malformed", number[:40])


CREDIT_CODE = intake.Reader((("credit_code", "text"),), _credit_code, (refusals.CREDIT_CODE_CHECKSUM,))
# What an employer says of itself, when its account is opened and when that changes.
PARTICULARS = {
    "name": with_initials(intake.text("name", 100)),
    "address": intake.text("address", 120),
    "legal_person": personal.name("legal_person"),
    "contact": personal.name("contact"),
    "phone": personal.telephone("phone"),
    "pay_day": intake.Reader((("pay_day", "int"),), _pay_day, (refusals.PAY_DAY_MALFORMED,)),
    "bank": intake.text("bank", 60),
    "bank_account": intake.Reader((("bank_account", "text"),), _bank_account, (refusals.BANK_ACCOUNT_MALFORMED,)),
}
