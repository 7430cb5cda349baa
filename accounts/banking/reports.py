"""How the bank's holders and documents are shown elsewhere."""

from collections.abc import Iterable, Mapping

from django.urls import reverse

from accounts.banking.models import BankAccount, Receipt
from fundcenter.office.registry import Label


def bank_account_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    return {account.pk: Label(account.number, account.bank) for account in BankAccount.objects.filter(pk__in=list(ids))}


def receipt_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    receipts = Receipt.objects.filter(pk__in=list(ids))
    return {r.pk: Label(r.number, "银行到账", reverse("admin:banking_receipt_change", args=[r.pk])) for r in receipts}
