"""错缴退回: what was paid wrongly goes back into the employer's suspense, and from there to its bank."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction

from accounts.contributions import queries, refusals, sheets
from accounts.contributions.models import Refund, RefundRow
from accounts.contributions.vouchers import REFUND, REFUND_PAYMENT
from accounts.ledger.models import Voucher
from accounts.ledger.services import posting, underway
from accounts.parties.queries import EMPLOYER, MEMBER, STRANGERS
from fundcenter.office.models import Role, User
from fundcenter.office.services import intake
from fundcenter.office.services.moves import move, require_role


def _post(refund: Refund, *, by: User, on: date) -> Voucher:
    underway.ask(refund)
    (refund.voucher,) = posting.post(
        REFUND,
        slips=posting.Rows(queries.REFUND_SLIPS, {"batch": refund.pk}),
        details=posting.Rows(queries.REFUND_DETAILS, {"batch": refund.pk}),
        on=on, prepared_by=refund.maker, reviewed_by=by,
    )  # fmt: skip
    refund.save(update_fields=["voucher"])
    underway.end(refund)
    return refund.voucher


REFUNDS = intake.Intake(
    columns=sheets.REFUND,
    rows=RefundRow,
    joins=(EMPLOYER, MEMBER),
    prepare=(queries.REFUND_HEAD,),
    lookups=(STRANGERS, queries.REFUND_PAID),
    refusals=refusals.OVER_REFUND,
    post=_post,
)


def upload(
    content: bytes, name: str, *, by: User, on: date, confirm: Iterable[str] = (), at_once: bool = False
) -> Refund:
    """Take a refund's sheet in and check all of it; see office.services.intake.upload."""
    refund = intake.upload(Refund, REFUNDS, content, name, by=by, on=on, confirm=confirm, at_once=at_once)
    refund.refresh_from_db(fields=["total", "employer"])
    return refund


def submit(refund: Refund, *, by: User, on: date, opinion: str = "") -> None:
    """Hand it to the reviewer. Refused: an unfinished document about the same employer or member blocks it."""
    require_role(by, Role.CLERK)
    with transaction.atomic():
        move(refund, verb="submit", by=by, opinion=opinion)
        underway.begin(refund, posting.Rows(queries.REFUND_HOLDERS, {"batch": refund.pk}))


def approve(refund: Refund, *, by: User, on: date, opinion: str = "", at_once: bool = False) -> Voucher | None:
    """借 201 职工 / 贷 21901 单位, once, dated ``on``. Refused: a balance that no longer suffices, by name.

    Many rows are left to a job and None is returned; see office.services.intake.approve.
    """
    found: Voucher | None = intake.approve(refund, REFUNDS, by=by, on=on, opinion=opinion, at_once=at_once)
    return found


def pay(refund: Refund, *, by: User, on: date, opinion: str = "") -> Voucher:
    """借 21901 单位 / 贷 10101: the cashier releases the money to the employer's bank. Refused: suspense was used meanwhile."""
    require_role(by, Role.CASHIER)
    with transaction.atomic():
        move(refund, verb="pay", by=by, opinion=opinion)
        (refund.payment,) = posting.post(
            REFUND_PAYMENT, slips=posting.Rows(queries.REFUND_SLIPS, {"batch": refund.pk}),
            on=on, prepared_by=refund.maker, reviewed_by=by,
        )  # fmt: skip
        refund.save(update_fields=["payment"])
    return refund.payment


def withdraw(refund: Refund, *, by: User, on: date, opinion: str = "") -> None:
    """The clerk takes it back; it blocks nobody any more."""
    with transaction.atomic():
        intake.withdraw(refund, by=by, on=on, opinion=opinion)
        underway.end(refund)
