"""The one book of the city: chart of accounts, holders, vouchers, entries, balances, closings.

A voucher's row means that it is posted. The program may read these tables and nothing more; sql/ledger_post.sql writes.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now

from fundcenter.office.models import Branch, BranchQuerySet, User


def money(name: str, **options: object) -> models.DecimalField:
    return models.DecimalField(name, max_digits=18, decimal_places=2, default=Decimal(0), **options)  # type: ignore[arg-type]


class Account(models.Model):
    """科目: an account of the chart. Source: 财会字〔1999〕33号 and 财会字〔2000〕12号; second level is the centre's."""

    class Side(models.TextChoices):
        DEBIT = "debit", "借"
        CREDIT = "credit", "贷"

    code = models.CharField("科目代码", max_length=12, primary_key=True)
    name = models.CharField("科目名称", max_length=60)
    type = models.CharField("类别", max_length=6)
    normal_side = models.CharField("余额方向", max_length=6, choices=Side)
    parent = models.ForeignKey("self", models.PROTECT, null=True, verbose_name="上级科目", db_index=False)
    holder_kind = models.CharField("户的种类", max_length=12, null=True)
    is_stored = models.BooleanField("按户存余额", default=False)
    is_leaf = models.BooleanField("末级", default=True)
    is_open = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "会计科目"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Holder(models.Model):
    """户: whose money an entry moves. What it is called is known to the room that opened it (registry.holders)."""

    kind = models.CharField("种类", max_length=12)
    # A holder without a branch is the city's, such as a bank account, and fits every branch.
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, verbose_name="机构", db_index=False)

    class Meta:
        verbose_name = verbose_name_plural = "户"
        constraints = [
            # Rooms that copy the branch (members, employers) hold the copy true by a key over both columns.
            models.UniqueConstraint(fields=["id", "branch"], name="ledger_holder_branch"),
        ]


class Kind(models.Model):
    """凭证种类: what makes a voucher, and the word its numbers run under."""

    code = models.CharField("代码", max_length=20, primary_key=True)
    name = models.CharField("名称", max_length=30)
    # 批 for kinds born of files and jobs, 记 for the counters, so that nobody waits for a run's numbers.
    word = models.CharField("凭证字", max_length=2)
    crosses_branches = models.BooleanField("可跨机构", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "凭证种类"

    def __str__(self) -> str:
        return self.name


class Period(models.Model):
    """账期: up to where a branch's days and months are closed. The door reads it FOR SHARE, closing updates it."""

    branch = models.OneToOneField(Branch, models.PROTECT, primary_key=True, verbose_name="机构")
    day_closed = models.DateField("日结至", null=True)
    month_closed = models.DateField("月结至", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "账期"


class Series(models.Model):
    """凭证编号: the last number given, gapless per branch, month and word."""

    pk = models.CompositePrimaryKey("branch_id", "month", "word")
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False)
    month = models.DateField("月份")
    word = models.CharField("凭证字", max_length=2)
    last = models.BigIntegerField("末号")

    class Meta:
        verbose_name = verbose_name_plural = "凭证编号"


class Voucher(models.Model):
    """记账凭证: one balanced event in the books, numbered at posting, never changed afterwards."""

    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", db_index=False)
    date = models.DateField("记账日期")
    month = models.DateField("月份")
    word = models.CharField("字", max_length=2)
    number = models.BigIntegerField("号")
    kind = models.ForeignKey(Kind, models.PROTECT, verbose_name="种类", db_index=False)
    source = models.CharField("来源", max_length=60)
    summary = models.CharField("摘要", max_length=200)
    attachments = models.PositiveSmallIntegerField("附件张数", default=0)
    amount = money("金额")
    prepared_by = models.ForeignKey(User, models.PROTECT, verbose_name="制单", related_name="+", db_index=False)
    reviewed_by = models.ForeignKey(User, models.PROTECT, verbose_name="复核", related_name="+", db_index=False)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, verbose_name="冲销", related_name="reversed_by")
    posted_at = models.DateTimeField("入账时间", db_default=Now())

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "记账凭证"
        constraints = [
            models.UniqueConstraint(fields=["branch", "month", "word", "number"], name="ledger_voucher_number"),
            # What happens once posts once, however often a job or a browser tries again.
            models.UniqueConstraint(fields=["kind", "source"], name="ledger_voucher_source"),
            models.CheckConstraint(
                name="ledger_voucher_two_people", condition=~models.Q(prepared_by=models.F("reviewed_by"))
            ),
        ]
        indexes = [
            # The list of vouchers: newest first, of one branch.
            models.Index(fields=["branch", "-date", "-id"], name="ledger_voucher_list"),
        ]

    def __str__(self) -> str:
        return f"{self.word}-{self.number:06d}"


class Entry(models.Model):
    """分录: one line of a voucher; all of them together are the general ledger and every detail ledger.

    Partitioned by year of ``date``, so the table's true key is (id, date). ``id`` is the voucher's id × 2²⁴ plus the
    line's place, which makes a voucher's lines a range of the key.
    """

    id = models.BigIntegerField(primary_key=True)
    date = models.DateField("记账日期")
    voucher = models.ForeignKey(Voucher, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="凭证")
    branch = models.ForeignKey(Branch, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="机构")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="科目")
    holder = models.ForeignKey(
        Holder,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        verbose_name="户",
        related_name="entries",
    )
    # 201 is kept by employer and member: the employer of that day. Source: 财会字〔1999〕33号.
    employer = models.ForeignKey(
        Holder, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, verbose_name="单位", related_name="+"
    )
    debit = money("借方")
    credit = money("贷方")
    value_date = models.DateField("起息日")

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "分录"

    LINE_BITS = 24


class Balance(models.Model):
    """余额: what a holder has on an account that keeps a balance per holder, on the account's own side.

    ``product`` (积数, yuan × days) is Σ amount × days from each value date to ``counts_to``, both included: it needs no
    order, so a back-dated entry is just another entry. Source: 银发〔2005〕129号.
    """

    pk = models.CompositePrimaryKey("holder_id", "account_id")
    holder = models.ForeignKey(Holder, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="户")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="科目")
    branch = models.ForeignKey(Branch, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name="机构")
    amount = money("余额")
    frozen = money("其中冻结")
    product = models.DecimalField("积数", max_digits=24, decimal_places=2, default=Decimal(0))
    counts_to = models.DateField("积数算至")
    opening = money("上年结转基数")
    withdrawn = money("本年支出")

    class Meta:
        verbose_name = verbose_name_plural = "余额"


class DayTotal(models.Model):
    """日终累计: cumulative debit and credit of an account in a branch at a day's close."""

    pk = models.CompositePrimaryKey("branch_id", "date", "account_id")
    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", db_index=False)
    date = models.DateField("日期")
    account = models.ForeignKey(Account, models.PROTECT, verbose_name="科目", db_index=False)
    debit = money("累计借方")
    credit = money("累计贷方")

    class Meta:
        verbose_name = verbose_name_plural = "日终累计"


class DayClose(models.Model):
    """日结: one branch's close of a day, with the digest of its vouchers chained to the close before."""

    pk = models.CompositePrimaryKey("branch_id", "date")
    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", db_index=False)
    date = models.DateField("日期")
    vouchers = models.BigIntegerField("凭证数")
    digest = models.CharField("摘要值", max_length=64)
    closed_by = models.ForeignKey(User, models.PROTECT, verbose_name="结账人", related_name="+", db_index=False)
    closed_at = models.DateTimeField("结账时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "日结"


class OpenDocument(models.Model):
    """在途单据: an unfinished document and a holder that it is about. It is gone when the document ends."""

    holder = models.ForeignKey(Holder, models.PROTECT, db_index=False, db_constraint=False, verbose_name="户")
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    kind = models.CharField("单据种类", max_length=40)
    document = models.CharField("单据", max_length=60)
    number = models.CharField("单据编号", max_length=30)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "在途单据"
        constraints = [models.UniqueConstraint(fields=["holder", "document"], name="ledger_opendocument_once")]
        # A document that ends takes its rows away.
        indexes = [models.Index(fields=["document"], name="ledger_opendocument_document")]


class Blocking(models.Model):
    """在途冲突: which kind of document waits until which other kind, about the same holder, has ended."""

    kind = models.CharField("单据种类", max_length=40)
    blocked_by = models.CharField("被何种单据阻止", max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = "在途冲突"
        constraints = [models.UniqueConstraint(fields=["kind", "blocked_by"], name="ledger_blocking_once")]
