"""Contributions: an uploaded file (汇缴批次), the registers in it (汇缴清册, one an employer and month) and their rows."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.contributions.states import BATCH, REFUND, SEALING
from accounts.ledger.models import Voucher, money
from accounts.parties.models import Employer, Member
from fundcenter.office.models import Branch, BranchQuerySet, DatedRule, DocumentRow, FileDocument, remembered


@remembered("valid_from", "valid_to", "document_number", "article", "amount_rounding", term="缴存规定")
class ContributionRule(DatedRule):
    """缴存规定: how a monthly contribution is computed, from a day on. 建金〔2018〕45号; rounding is the centre's."""

    class Rounding(models.TextChoices):
        YUAN = "yuan", "四舍五入到元"
        FEN = "fen", "四舍五入到分"

    amount_rounding = models.CharField("月缴存额取整", max_length=4, choices=Rounding)

    class Meta(DatedRule.Meta):
        verbose_name = verbose_name_plural = "缴存规定"


class Change(models.TextChoices):
    """变更类型: what a register says of a member's account, from its month on."""

    NEW = "new", "新增"
    UNSEAL = "unseal", "启封"
    SEAL = "seal", "封存"
    BASE = "base", "基数变更"


class Batch(FileDocument):
    """汇缴批次: one uploaded file, one decision. Checked as a whole, posted as a whole or not at all."""

    machine = BATCH
    prefix: ClassVar[str] = "HJ"
    # A refund changes what a register rests on, and a register what a refund may take; a sealing, who owes the month.
    waits_for: ClassVar[tuple[str, ...]] = ("contributions.refund", "contributions.sealing")

    total = money("合计金额")

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "汇缴批次"


class Register(models.Model):
    """汇缴清册: one employer's month inside a batch; it becomes one voucher."""

    rights: ClassVar[str] = "select, insert, update"

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="registers", verbose_name="批次")
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    employer = models.ForeignKey(Employer, models.PROTECT, db_index=False, verbose_name="单位")
    month = models.DateField("缴存月份")
    member_count = models.PositiveIntegerField("人数")
    total = money("合计")
    voucher = models.OneToOneField(Voucher, models.PROTECT, null=True, verbose_name="凭证", related_name="+")
    is_posted = models.BooleanField("已入账", default=False)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "汇缴清册"
        ordering = ["id"]
        constraints = [
            # An employer's month is paid once; a reversed register no longer counts.
            models.UniqueConstraint(
                fields=["employer", "month"], condition=Q(is_posted=True), name="contributions_register_month"
            ),
        ]


class RegisterRow(DocumentRow):
    """清册行: one member's line as the file has it, with what was recognised. Holds no ID number, only index and mask."""

    batch = models.ForeignKey(Batch, models.PROTECT, db_index=False, db_constraint=False, verbose_name="批次")
    employer_number = models.CharField("单位账号", max_length=40, null=True)
    month = models.DateField("缴存月份", null=True)
    member_number = models.CharField("个人账号", max_length=40, null=True)
    name = models.CharField("姓名", max_length=100, null=True)
    id_index = models.BinaryField("证件号码盲索引", null=True)
    id_mask = models.CharField("证件号码", max_length=30, null=True)
    base = models.DecimalField("缴存基数", max_digits=24, decimal_places=6, null=True)
    ratio_employer = models.DecimalField("单位比例", max_digits=9, decimal_places=6, null=True)
    ratio_member = models.DecimalField("个人比例", max_digits=9, decimal_places=6, null=True)
    amount_employer = models.DecimalField("单位月缴存额", max_digits=24, decimal_places=6, null=True)
    amount_member = models.DecimalField("个人月缴存额", max_digits=24, decimal_places=6, null=True)
    total = models.DecimalField("合计", max_digits=24, decimal_places=6, null=True)
    change = models.CharField("变更类型", max_length=8, choices=Change, blank=True)
    change_reason = models.CharField("变更原因", max_length=100, blank=True)
    register = models.ForeignKey(
        Register, models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="rows"
    )
    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, null=True, db_index=False, db_constraint=False)

    class Meta(DocumentRow.Meta):
        verbose_name = verbose_name_plural = "清册行"
        constraints: ClassVar[list[models.BaseConstraint]] = []
        indexes = [
            # Every check and the rows of one register's page.
            models.Index(fields=["batch", "register", "row"], name="contributions_row_batch"),
        ]


SEALING_CHANGES = [(change.value, str(change.label)) for change in (Change.SEAL, Change.UNSEAL)]


class Sealing(FileDocument):
    """封存启封: members whom their employer stops paying for, and those whom it pays for again. No money moves."""

    machine = SEALING
    prefix: ClassVar[str] = "FQ"
    waits_for: ClassVar[tuple[str, ...]] = ("contributions.batch",)

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "封存启封"


class SealingRow(DocumentRow):
    """封存启封行: one member, what happens to the account, from which month on, and why."""

    batch = models.ForeignKey(Sealing, models.PROTECT, db_index=False, db_constraint=False, related_name="rows")
    employer_number = models.CharField("单位账号", max_length=40, null=True)
    member_number = models.CharField("个人账号", max_length=40, null=True)
    name = models.CharField("姓名", max_length=100, null=True)
    change = models.CharField("变更类型", max_length=8, choices=SEALING_CHANGES, null=True)
    month = models.DateField("生效年月", null=True)
    reason = models.CharField("变更原因", max_length=100, null=True)
    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, null=True, db_index=False, db_constraint=False)

    class Meta(DocumentRow.Meta):
        verbose_name = verbose_name_plural = "封存启封行"


class Refund(FileDocument):
    """错缴退回: money paid for the wrong person, month or amount goes back to the employer, and from there to its bank."""

    machine = REFUND
    prefix: ClassVar[str] = "CT"
    waits_for: ClassVar[tuple[str, ...]] = ("contributions.batch", "contributions.refund")

    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, verbose_name="单位")
    total = money("退回合计")
    voucher = models.OneToOneField(Voucher, models.PROTECT, null=True, verbose_name="冲减凭证", related_name="+")
    payment = models.OneToOneField(Voucher, models.PROTECT, null=True, verbose_name="付款凭证", related_name="+")

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "错缴退回"


class RefundRow(DocumentRow):
    """错缴退回行: one member's month and what of each side goes back."""

    batch = models.ForeignKey(Refund, models.PROTECT, db_index=False, db_constraint=False, related_name="rows")
    employer_number = models.CharField("单位账号", max_length=40, null=True)
    member_number = models.CharField("个人账号", max_length=40, null=True)
    name = models.CharField("姓名", max_length=100, null=True)
    month = models.DateField("错缴年月", null=True)
    amount_employer = models.DecimalField("退回单位额", max_digits=24, decimal_places=6, null=True)
    amount_member = models.DecimalField("退回个人额", max_digits=24, decimal_places=6, null=True)
    reason = models.CharField("原因", max_length=200, null=True)
    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, null=True, db_index=False, db_constraint=False)

    class Meta(DocumentRow.Meta):
        verbose_name = verbose_name_plural = "错缴退回行"
        indexes = [
            # What of a member's month has gone back already.
            models.Index(fields=["member", "month"], name="contributions_refundrow_member"),
        ]
