"""错缴退回: what was paid wrongly goes back into the employer's suspense, and from there to its bank."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from accounts.contributions import queries, refusals, sheets
from accounts.contributions.models import Refund, RefundRow
from accounts.contributions.vouchers import REFUND, REFUND_PAYMENT
from accounts.ledger.models import Voucher
from accounts.ledger.services import posting
from accounts.ledger.services.process import Process
from accounts.parties.queries import EMPLOYER, MEMBER, STRANGERS
from fundcenter.office.models import Role, User
from fundcenter.office.services import intake
from fundcenter.office.services.moves import move, require_role


def _carry_out(refund: Refund, *, by: User, on: date) -> Voucher:
    """借 201 职工 / 贷 21901 单位. Refused: a balance that no longer suffices, by name."""
    (refund.voucher,) = posting.post(
        REFUND,
        slips=posting.Rows(queries.REFUND_SLIPS, {"batch": refund.pk}),
        details=posting.Rows(queries.REFUND_DETAILS, {"batch": refund.pk}),
        on=on, prepared_by=refund.maker, reviewed_by=by,
    )  # fmt: skip
    refund.save(update_fields=["voucher"])
    return refund.voucher


REFUNDS = Process(
    Refund,
    intake.Intake(
        columns=sheets.REFUND,
        rows=RefundRow,
        joins=(EMPLOYER, MEMBER),
        prepare=(queries.REFUND_HEAD,),
        lookups=(STRANGERS, queries.REFUND_PAID),
        refusals=refusals.OVER_REFUND,
        post=_carry_out,
    ),
    holders=queries.REFUND_HOLDERS,
)


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
