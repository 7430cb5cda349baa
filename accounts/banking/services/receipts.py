"""到账: money that arrives goes into the payer's suspense (暂存款) at once."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction

from accounts.banking import queries
from accounts.banking.models import BankAccount, Receipt
from accounts.banking.refusals import AMOUNT_NOT_POSITIVE, BANK_ACCOUNT_KNOWN, BY_CONSTRAINT, NO_ACCOUNT, RECEIPT_KNOWN
from accounts.banking.vouchers import RECEIPT
from accounts.ledger.models import Holder
from accounts.ledger.services import posting
from fundcenter import money
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse


@dataclass(frozen=True)
class Arrival:
    """One line of the bank's notice: who paid, how much (yuan), under which reference, when."""

    payer: Holder
    amount: Decimal
    reference: str
    arrived_on: date


def receive(*arrivals: Arrival, on: date, cashier: User) -> list[Receipt]:
    """Take these arrivals into the books on the day ``on``, all of them or none.

    Prepared by the system from the bank's notice, reviewed by the cashier who releases it. Refused: not positive or
    finer than a fen, a reference already known, a closed day. Source: 财会字〔1999〕33号, JGJ/T 474-2019.
    """
    require_role(cashier, Role.CASHIER)
    bank_account = BankAccount.objects.filter(purpose=BankAccount.Purpose.COLLECTION).first()
    if bank_account is None:
        raise Refused([NO_ACCOUNT.problem()])
    wrong = [a for a in arrivals if a.amount <= 0 or a.amount != money.round_half_up(a.amount)]
    known = Receipt.objects.filter(bank_account=bank_account, reference__in=[a.reference for a in arrivals])
    problems = [AMOUNT_NOT_POSITIVE.problem(found=str(arrival.amount)) for arrival in wrong]
    problems += [RECEIPT_KNOWN.problem(found=receipt.reference, number=receipt.number) for receipt in known]
    if problems:
        raise Refused(problems)
    system = User.objects.system()
    with constraints_refuse(BY_CONSTRAINT):
        receipts = Receipt.objects.bulk_create(
            Receipt(
                branch=arrival.payer.branch, state=Receipt.machine.initial, maker=system, made_on=on,
                bank_account=bank_account, holder=arrival.payer, amount=arrival.amount, reference=arrival.reference,
                arrived_on=arrival.arrived_on,
            )
            for arrival in arrivals
        )  # fmt: skip
        move(*receipts, verb="post", by=cashier)
        slips = posting.Rows(queries.RECEIPT_SLIPS, {"receipts": [receipt.pk for receipt in receipts]})
        posting.post(RECEIPT, slips=slips, on=on, prepared_by=system, reviewed_by=cashier)
        with connection.cursor() as cursor:
            cursor.execute(queries.RECEIPTS_POSTED, slips.params)
    return list(Receipt.objects.filter(pk__in=slips.params["receipts"]).select_related("voucher").order_by("id"))


def open_bank_account(*, bank: str, number: str, by: User) -> BankAccount:
    """Register a collection account (归集户) with an entrusted bank: a holder of the city, fit for every branch.

    Refused: the account is known.
    """
    require_role(by, Role.MANAGER)
    if BankAccount.objects.filter(number=number).exists():
        raise Refused([BANK_ACCOUNT_KNOWN.problem(found=number)])
    with transaction.atomic():
        account = BankAccount.objects.create(
            holder=Holder.objects.create(kind="bank_account"),
            purpose=BankAccount.Purpose.COLLECTION, bank=bank, number=number,
        )  # fmt: skip
        audit.record("open_bank_account", account)
    return account
