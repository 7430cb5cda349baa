"""How cells with somebody's numbers are read: nothing of them is staged in clear, only index, mask and sealed text.

A reader knows the number, not whose it is. What it finds wrong it says itself, but for an ID number: whether eighteen
digits are due depends on the kind of document beside it, so what is wrong is staged, and the room asks.
"""

from __future__ import annotations

from typing import Any

from fundcenter import identifiers, spreadsheets, vault
from fundcenter.office.refusals import Refusal
from fundcenter.office.services.intake import Reader
from fundcenter.spreadsheets import CellProblem

NAME_MALFORMED = Refusal(
    "name_malformed", "“{found}”不像姓名；应为 2 至 50 个字，可含间隔号“·”，不含数字和其他符号。", "GB/T 51271-2017 3.2"
)
PHONE_MALFORMED = Refusal(
    "phone_malformed", "“{found}”不是手机号码；应为 1 开头的 11 位数字，请核对后重新填写。", "JGJ/T 320-2014"
)
TELEPHONE_MALFORMED = Refusal(
    "phone_malformed", "“{found}”不是电话号码；请填写手机，或带区号的座机，如 0793-8220000。", "JGJ/T 320-2014"
)
CARD_CHECKSUM = Refusal(
    "card_checksum",
    "银行卡号“{found}”不正确（应为 12 至 19 位，校验位不符）；请对照银行卡核对后重新填写。",
    "ISO/IEC 7812-1",
)


def id_index(number: str) -> bytes:
    """What an ID number of whatever kind is found by, since it is stored sealed."""
    return vault.blind_index("id", number)


def name(field: str) -> Reader:
    """A person's name, as identifiers.person_name keeps it."""
    return Reader(((field, "text"),), read_name, refusals=(NAME_MALFORMED,))


def read_name(value: Any) -> str | CellProblem:
    written = spreadsheets.as_text(value)
    if not written:
        return CellProblem("cell_empty")
    try:
        return identifiers.person_name(written)
    except ValueError:
        return CellProblem("name_malformed", written[:40])


def id_number(field: str) -> Reader:
    """An ID number: its index, mask and sealed text; what a resident's says (birth, sex) and what is wrong with one."""

    def read(value: Any) -> tuple[Any, ...] | CellProblem:
        number = spreadsheets.as_account(value, 0)
        if isinstance(number, CellProblem):
            return number
        number = number.upper()
        problem = identifiers.id_number_problem(number)
        birth, sex = (None, None) if problem else (identifiers.id_birth_date(number), identifiers.id_sex(number))
        return (
            id_index(number), identifiers.mask_id(number), vault.seal_text(number), birth, sex, problem,
            identifiers.id_area_known(number),
        )  # fmt: skip

    staged = (
        ("index", "bytea"), ("mask", "text"), ("sealed", "text"), ("birth", "date"), ("sex", "text"), ("problem", "text"),
        ("area_known", "bool"),
    )  # fmt: skip
    return Reader(tuple((f"{field}_{part}", kind) for part, kind in staged), read, check="id")


def phone(field: str) -> Reader:
    """A person's mobile, sealed and masked."""
    return _sealed(field, identifiers.is_mobile, identifiers.mask_phone, PHONE_MALFORMED)


def card(field: str) -> Reader:
    """A person's bank card, sealed and masked."""
    return _sealed(field, identifiers.is_card, identifiers.mask_card, CARD_CHECKSUM, check="card")


def telephone(field: str, most: int = 20) -> Reader:
    """An office's telephone, in clear, of at most so many signs: it is printed on its letters."""

    def read(value: Any) -> str | CellProblem:
        number = spreadsheets.as_account(value, 0)
        good = isinstance(number, CellProblem) or (identifiers.is_telephone(number) and len(number) <= most)
        return number if good else CellProblem("phone_malformed", str(number)[:40])

    return Reader(((field, "text"),), read, refusals=(TELEPHONE_MALFORMED,))


def _sealed(field: str, good: Any, mask: Any, refusal: Refusal, check: str = "") -> Reader:
    def read(value: Any) -> tuple[str, str] | CellProblem:
        number = spreadsheets.as_account(value, 0)
        if isinstance(number, CellProblem):
            return number
        if not good(number):
            return CellProblem(refusal.code, mask(number))
        return vault.seal_text(number), mask(number)

    return Reader(((f"{field}_sealed", "text"), (f"{field}_mask", "text")), read, refusals=(refusal,), check=check)
