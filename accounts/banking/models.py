"""Entrusted banks: the centre's accounts with them, and the money that arrives."""

from decimal import Decimal
from typing import ClassVar

from django.db import models

from accounts.banking.states import RECEIPT
from accounts.ledger.models import Holder, Voucher, money
from fundcenter.office.models import BranchQuerySet, Document


class BankAccount(models.Model):
    """银行账户: an account of the fund with an entrusted bank (受委托银行). The city's, so a holder without a branch."""

    class Purpose(models.TextChoices):
        COLLECTION = "collection", "归集户"

    holder = models.OneToOneField(Holder, models.PROTECT, primary_key=True, verbose_name="户")
    purpose = models.CharField("用途", max_length=12, choices=Purpose)
    bank = models.CharField("开户银行", max_length=60)
    number = models.CharField("账号", max_length=32, unique=True)
    ledger_account = models.CharField("科目", max_length=12, default="10101")

    class Meta:
        verbose_name = verbose_name_plural = "银行账户"

    def __str__(self) -> str:
        return f"{self.bank} {self.number}"


class Receipt(Document):
    """银行到账: money that arrived on a collection account for a payer, put into the payer's suspense (暂存款)."""

    machine = RECEIPT
    prefix: ClassVar[str] = "DZ"

    bank_account = models.ForeignKey(BankAccount, models.PROTECT, verbose_name="收款账户", db_index=False)
    holder = models.ForeignKey(Holder, models.PROTECT, verbose_name="付款单位", related_name="+")
    amount = money("金额")
    reference = models.CharField("银行流水号", max_length=60)
    arrived_on = models.DateField("到账日期")
    voucher = models.OneToOneField(Voucher, models.PROTECT, null=True, verbose_name="凭证", related_name="+")

    objects = BranchQuerySet.as_manager()

    class Meta(Document.Meta):
        verbose_name = verbose_name_plural = "银行到账"
        constraints = [
            *Document.Meta.constraints,
            # A bank line is known by account and reference: the same notice twice is the same money once.
            models.UniqueConstraint(fields=["bank_account", "reference"], name="banking_receipt_reference"),
            models.CheckConstraint(name="banking_receipt_positive", condition=models.Q(amount__gt=Decimal(0))),
        ]
        indexes = [models.Index(fields=["branch", "-id"], name="banking_receipt_list")]
