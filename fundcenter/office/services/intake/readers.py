"""How the cells of a kind of column are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fundcenter import spreadsheets
from fundcenter.identifiers import clean, holds_id
from fundcenter.office.refusals import Refusal
from fundcenter.spreadsheets import CellProblem, Column

ACCOUNT_DIGITS = 12
ID_LENGTH = 18
# Past this no amount is a wage; it also keeps sums within numeric(18,2).
AMOUNT_BOUND = 10**9
RATIO_BOUND = 100


@dataclass(frozen=True)
class Reader:
    """How a cell is read and under which names and types it is staged. One cell may become several columns."""

    staged: tuple[tuple[str, str], ...]
    read: Callable[[Any], Any]
    """A value (a tuple where several columns are staged), or CellProblem."""
    refusals: tuple[Refusal, ...] = ()
    """What it says beyond the usual of a cell: whoever uses the reader has its refusals with it."""
    choices: tuple[str, ...] = ()
    """The words that may stand there: a form and a blank workbook offer them."""
    check: str = ""
    """The check digit that a browser may look at while it is typed; static/office.js has it."""


def usual_reader(column: Column) -> Reader:
    """How a column of this kind is read wherever it stands."""
    one = column.field
    match column.kind:
        case "account":
            return Reader(((one, "text"),), _account)
        case "month":
            return Reader(((one, "date"),), spreadsheets.as_month)
        case "date":
            return Reader(((one, "date"),), spreadsheets.as_date)
        case "money" | "number":
            return Reader(((one, "numeric"),), _amount)
        case "ratio":
            return Reader(((one, "numeric"),), _ratio)
        case _:
            return Reader(((one, "text"),), _text)


def text(field: str, most: int) -> Reader:
    """A text of at most so many characters."""

    def read(value: Any) -> str | CellProblem:
        found = _text(value)
        too_long = isinstance(found, str) and len(found) > most
        return CellProblem("text_too_long", str(found)[:40]) if too_long else found

    return Reader(((field, "text"),), read)


def choice(
    field: str, choices: Mapping[str, str], refusal: Refusal, synonyms: Mapping[str, str] | None = None
) -> Reader:
    """One of these: ``choices`` are labels by code, and either is understood; the code is staged."""
    by_word = {clean(word): code for code, label in choices.items() for word in (code, label, f"{code}{label}")}
    by_word |= {clean(word): code for word, code in (synonyms or {}).items()}

    def read(value: Any) -> str | CellProblem:
        written = spreadsheets.as_text(value)
        code = by_word.get(clean(written))
        return code or CellProblem(refusal.code if written else "cell_empty", written[:40])

    return Reader(((field, "text"),), read, refusals=(refusal,), choices=tuple(choices.values()))


def _account(value: Any) -> str | CellProblem:
    if type(value) is str and len(value) == ACCOUNT_DIGITS and value.isascii() and value.isdigit():
        return value
    return _nobody(spreadsheets.as_account(value, ACCOUNT_DIGITS))


def _text(value: Any) -> str | CellProblem:
    return _nobody(spreadsheets.as_text(value) or CellProblem("cell_empty"))


def _nobody(read: str | CellProblem) -> str | CellProblem:
    """Nobody's ID number is staged in clear because it was typed into the wrong column."""
    misplaced = isinstance(read, str) and len(read) >= ID_LENGTH and holds_id(read)
    return CellProblem("id_misplaced", str(read)) if misplaced else read


def _amount(value: Any) -> Decimal | str | CellProblem:
    # PostgreSQL reads the text; fifteen digits are what the cell shows.
    if type(value) is float and -AMOUNT_BOUND < value < AMOUNT_BOUND:
        return f"{value:.15g}"
    number = spreadsheets.as_number(value)
    if isinstance(number, Decimal) and abs(number) >= AMOUNT_BOUND:
        return CellProblem("number_malformed", str(value)[:40])
    return number


def _ratio(value: Any) -> Decimal | CellProblem:
    ratio = spreadsheets.as_ratio(value)
    if isinstance(ratio, Decimal) and abs(ratio) >= RATIO_BOUND:
        return CellProblem("number_malformed", str(value)[:40])
    return ratio
