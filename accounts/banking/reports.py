"""How the bank's holders and documents are shown elsewhere."""

from collections.abc import Iterable, Mapping

from django.urls import reverse

from accounts.banking.models import BankAccount, Receipt
from fundcenter import identifiers, money
from fundcenter.office.registry import Label, registry
from fundcenter.office.services.issuing import Paper
from fundcenter.papers import Sheet


def bank_account_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    return {account.pk: Label(account.number, account.bank) for account in BankAccount.objects.filter(pk__in=list(ids))}


def receipt_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    receipts = Receipt.objects.filter(pk__in=list(ids))
    return {r.pk: Label(r.number, "银行到账", reverse("admin:banking_receipt_change", args=[r.pk])) for r in receipts}


def payer_of(receipt: Receipt) -> Label:
    """Whose money arrived, as the room that opened the holder tells."""
    found: Label = registry.holders[receipt.holder.kind]([receipt.holder_id])[receipt.holder_id]
    return found


def receipt_paper(receipt: Receipt) -> Paper:
    """缴款凭证: the centre has this payer's money, and keeps it in suspense until a register says whose it is."""
    payer = payer_of(receipt)
    return Paper(
        kind="receipt", title="住房公积金缴款凭证", subject=f"{receipt.number} {payer.name}",
        facts=(
            ("缴款单位", identifiers.mask_name(payer.name)), ("到账日期", str(receipt.arrived_on)),
            ("金额（元）", money.grouped(receipt.amount)), ("到账编号", receipt.number),
        ),
        sheets=lambda: [Sheet("papers/receipt.html", {"receipt": receipt, "payer": payer})],
    )  # fmt: skip
