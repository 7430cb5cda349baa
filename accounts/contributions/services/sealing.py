"""封存 and 启封: whom an employer stops paying for, and whom it pays for again. No money moves.

封存 from month M: the register of M no longer asks for the member, who stays with the employer; the balance stays and bears
interest. 启封 from month M: M is due again, and the months between are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from accounts.contributions import queries, refusals, sheets
from accounts.contributions.models import SEALINGS, Sealing, SealingRow
from accounts.ledger.services import posting, underway
from accounts.parties.queries import EMPLOYER, MEMBER, STRANGERS
from accounts.parties.services import members
from fundcenter.office.models import Role, User
from fundcenter.office.services import intake
from fundcenter.office.services.moves import move, require_role


def _post(sealing: Sealing, *, by: User, on: date) -> int:
    underway.ask(sealing)
    members.change(posting.Rows(queries.SEALING_CHANGES, {"batch": sealing.pk}))
    underway.end(sealing)
    return sealing.row_count


CHANGES = intake.Intake(
    columns=sheets.SEALING,
    readers={
        "change": intake.choice("change", dict(SEALINGS), refusals.SEALING_UNKNOWN),
        "reason": intake.text("reason", 100),
    },
    rows=SealingRow,
    joins=(EMPLOYER, MEMBER),
    lookups=(STRANGERS,),
    refusals=refusals.OVER_SEALING,
    hold=queries.SEALING_HOLD,
    post=_post,
)


def upload(content: bytes, name: str, *, by: User, on: date, **how: Any) -> Sealing:
    """Take a sheet in and check all of it; see office.services.intake.upload."""
    return intake.upload(Sealing, CHANGES, content, name, by=by, on=on, **how)


def type_in(values: Sequence[Mapping[str, Any]], *, by: User, on: date) -> Sealing:
    """The same for members typed into a form; see office.services.intake.type_in."""
    return intake.type_in(Sealing, CHANGES, values, by=by, on=on)


def submit(sealing: Sealing, *, by: User, on: date, opinion: str = "") -> None:
    """Hand it to the reviewer. Refused: a register of the same employer is under way, which still counts the member."""
    require_role(by, Role.CLERK)
    with transaction.atomic():
        move(sealing, verb="submit", by=by, opinion=opinion)
        intake.ask_again(sealing, CHANGES, on)
        underway.begin(sealing, posting.Rows(queries.SEALING_HOLDERS, {"batch": sealing.pk}))


def approve(sealing: Sealing, *, by: User, on: date, opinion: str = "", at_once: bool = False) -> int | None:
    """Approve, once: the accounts are sealed or open again from their months on; returns how many.

    Many rows are left to a job and None is returned; see office.services.intake.approve.
    Source: 《住房公积金管理条例》第十五条.
    """
    return intake.approve(sealing, CHANGES, by=by, on=on, opinion=opinion, at_once=at_once)


def withdraw(sealing: Sealing, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes it back; it blocks nobody any more."""
    with transaction.atomic():
        intake.withdraw(sealing, by=by, on=on, opinion=opinion)
        underway.end(sealing)
