"""The parties: employers and members. Each is a holder of the book; its key is the holder's."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.ledger.models import Holder, money
from accounts.parties.states import EMPLOYER_CHANGE, EMPLOYER_STATES, MEMBER_STATES, OPENING
from fundcenter import vault
from fundcenter.office.models import Branch, BranchQuerySet, DatedRule, DocumentRow, FileDocument, User, remembered


def reading(place: int) -> models.GeneratedField:
    """What the initials hold at this place of a name that is read in several ways: CX of "ZX CX" at 2.

    A column that the database fills, because a prefix is found by an index only where it begins: an array's index (GIN)
    knows no prefixes, and under row security no operator of an array finds an index at all, nor an expression's.
    """
    cut = models.Func(models.F("initials"), models.Value(" "), models.Value(place), function="split_part")
    return models.GeneratedField(expression=cut, output_field=models.CharField(max_length=160), db_persist=True)


def initials_indexes(model: str) -> list[models.Index]:
    """Search by initials. Few names have more readings than one, and only those are in the further indexes."""
    second, third = Q(initials_second__gt=""), Q(initials_third__gt="")
    return [
        models.Index(fields=["branch", "initials"], name=f"parties_{model}_initials"),
        models.Index(fields=["branch", "initials_second"], condition=second, name=f"parties_{model}_second"),
        models.Index(fields=["branch", "initials_third"], condition=third, name=f"parties_{model}_third"),
    ]


def ratio(name: str) -> models.DecimalField:
    """A fraction: 0.120000 is 12 %."""
    return models.DecimalField(name, max_digits=9, decimal_places=6)


class ContributionLimit(DatedRule):
    """缴存上下限: between which bases and ratios contributions are paid, in the city or, where it says so, in one branch.

    《住房公积金管理条例》第十八条: no side below 5 %; 建金〔2016〕74号: none above 12 %; 建金〔2018〕45号: base at most three
    times the average wage; at least the local minimum wage, which differs by area.
    """

    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, blank=True, db_index=False, verbose_name="适用机构（空为全市）"
    )
    base_floor = money("缴存基数下限")
    base_cap = money("缴存基数上限")
    ratio_floor = ratio("缴存比例下限")
    ratio_ceiling = ratio("缴存比例上限")

    class Meta(DatedRule.Meta):
        verbose_name = verbose_name_plural = "缴存上下限"
        constraints = [
            models.CheckConstraint(
                name="parties_limit_order",
                condition=Q(base_floor__lte=models.F("base_cap")) & Q(ratio_floor__lte=models.F("ratio_ceiling")),
            ),
        ]


class EmployerOpening(FileDocument):
    """单位开户: employers whose accounts one decision opens, typed into a form or from a file. GB/T 51271-2017."""

    machine = OPENING
    prefix: ClassVar[str] = "DK"

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "单位开户"


class MemberOpening(FileDocument):
    """个人开户: members whose accounts one decision opens, typed into a form or from a file. GB/T 51271-2017."""

    machine = OPENING
    prefix: ClassVar[str] = "GK"

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "个人开户"


class Party(models.Model):
    """What employers and members have in common: the branch that serves them, who opened the account and by what row."""

    rights: ClassVar[str] = "select, insert, update"

    holder = models.OneToOneField(Holder, models.PROTECT, primary_key=True, db_constraint=False, verbose_name="户")
    # The same as the holder's: a foreign key over (holder, branch) in sql/ keeps it so when a holder moves.
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    initials = models.CharField("拼音首字母", max_length=160, blank=True)
    initials_second = reading(2)
    initials_third = reading(3)
    opened_on = models.DateField("开户日期")
    opened_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name="开户经办")
    opening_checked_by = models.ForeignKey(
        User, models.PROTECT, db_index=False, related_name="+", verbose_name="开户复核"
    )

    # Empty for what was brought over from an older system.
    opening_row = models.PositiveIntegerField("开户行号", null=True)

    objects = BranchQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_two_people", condition=~Q(opened_by=models.F("opening_checked_by"))
            ),
            # A row opens one account; and the accounts of a document's page, in the order of its rows.
            models.UniqueConstraint(fields=["opening", "opening_row"], name="%(app_label)s_%(class)s_opening"),
        ]


@remembered(
    "branch", "name", "credit_code", "nature", "industry", "address", "legal_person", "contact", "phone", "pay_day",
    "bank", "bank_account", "ratio_employer", "ratio_member", "first_month", "state", term="单位",
)  # fmt: skip
class Employer(Party):
    """缴存单位: pays for its members, both sides' contributions. Its account: 12 digits, collection.md A2."""

    class Nature(models.TextChoices):
        PUBLIC = "public", "国家机关和事业单位"
        STATE = "state_owned", "国有企业"
        COLLECTIVE = "collective", "城镇集体企业"
        FOREIGN = "foreign", "外商投资企业"
        PRIVATE = "private", "城镇私营企业及其他城镇企业"
        SOCIAL = "civil", "民办非企业单位和社会团体"
        OTHER = "other", "其他"

    class Industry(models.TextChoices):
        """GB/T 4754-2017 门类."""

        A = "A", "农、林、牧、渔业"
        B = "B", "采矿业"
        C = "C", "制造业"
        D = "D", "电力、热力、燃气及水生产和供应业"
        E = "E", "建筑业"
        F = "F", "批发和零售业"
        G = "G", "交通运输、仓储和邮政业"
        H = "H", "住宿和餐饮业"
        I = "I", "信息传输、软件和信息技术服务业"  # noqa: E741
        J = "J", "金融业"
        K = "K", "房地产业"
        L = "L", "租赁和商务服务业"
        M = "M", "科学研究和技术服务业"
        N = "N", "水利、环境和公共设施管理业"
        O = "O", "居民服务、修理和其他服务业"  # noqa: E741
        P = "P", "教育"
        Q = "Q", "卫生和社会工作"
        R = "R", "文化、体育和娱乐业"
        S = "S", "公共管理、社会保障和社会组织"
        T = "T", "国际组织"

    opening = models.ForeignKey(EmployerOpening, models.PROTECT, null=True, db_index=False, related_name="accounts")
    number = models.CharField("单位账号", max_length=12, unique=True)
    name = models.CharField("单位名称", max_length=100)
    credit_code = models.CharField("统一社会信用代码", max_length=18)
    nature = models.CharField("单位性质", max_length=12, choices=Nature)
    industry = models.CharField("所属行业", max_length=1, choices=Industry)
    address = models.CharField("地址", max_length=120, blank=True)
    legal_person = models.CharField("法定代表人", max_length=50, blank=True)
    contact = models.CharField("经办人", max_length=50, blank=True)
    phone = models.CharField("联系电话", max_length=20, blank=True)
    bank = models.CharField("开户银行", max_length=60, blank=True, db_default="")
    bank_account = models.CharField("银行账号", max_length=40, blank=True, db_default="")
    pay_day = models.PositiveSmallIntegerField("发薪日", default=15)
    ratio_employer = ratio("单位缴存比例")
    ratio_member = ratio("个人缴存比例")
    first_month = models.DateField("首次汇缴年月")
    state = models.CharField("状态", max_length=8, choices=list(EMPLOYER_STATES.items()), default="normal")

    class Meta(Party.Meta):
        verbose_name = verbose_name_plural = "单位"
        constraints = [
            *Party.Meta.constraints,
            # One employer has one account in the centre that is not closed, whichever branch keeps it.
            models.UniqueConstraint(
                fields=["credit_code"], condition=~Q(state="closed"), name="parties_employer_credit_code"
            ),
            # 《住房公积金管理条例》第十八条: no side below 5 %; 建金〔2016〕74号: none above 12 %.
            models.CheckConstraint(
                name="parties_employer_ratios",
                condition=Q(ratio_employer__range=(Decimal(0), Decimal("0.12")))
                & Q(ratio_member__range=(Decimal(0), Decimal("0.12"))),
            ),
        ]
        indexes = [
            # The list of a branch and its search by name or initials.
            models.Index(fields=["branch", "name", "holder"], name="parties_employer_name"),
            *initials_indexes("employer"),
        ]

    def __str__(self) -> str:
        return self.name


@remembered(
    "branch", "employer", "name", "id_type", "id_mask", "sex", "birth_date", "phone_mask", "bank", "card_mask",
    "hired_on", "base", "first_month", "due_from", "sealed_month", "state", term="职工",
)  # fmt: skip
class Member(Party):
    """缴存职工: one person's account in the centre, kept when the person changes employer. collection.md A2."""

    class IdType(models.TextChoices):
        RESIDENT = "01", "居民身份证"
        OFFICER = "02", "军官证"
        PASSPORT = "03", "护照"
        PERMANENT = "04", "外国人永久居留身份证"
        HONGKONG = "05", "港澳居民来往内地通行证"
        TAIWAN = "06", "台湾居民来往大陆通行证"
        OTHER = "99", "其他"

    opening = models.ForeignKey(MemberOpening, models.PROTECT, null=True, db_index=False, related_name="accounts")
    number = models.CharField("个人账号", max_length=12, unique=True)
    name = models.CharField("姓名", max_length=50)
    employer = models.ForeignKey(Employer, models.PROTECT, db_index=False, related_name="members", verbose_name="单位")
    id_type = models.CharField("证件类型", max_length=2, choices=IdType, default=IdType.RESIDENT)
    id_sealed = models.TextField("证件号码（密文）")
    id_index = models.BinaryField("证件号码盲索引", max_length=vault.BLIND_INDEX_BYTES)
    id_mask = models.CharField("证件号码", max_length=30)
    sex = models.CharField("性别", max_length=1, choices=[("男", "男"), ("女", "女")], blank=True)
    birth_date = models.DateField("出生日期", null=True)
    phone_sealed = models.TextField("手机（密文）", blank=True)
    phone_mask = models.CharField("手机", max_length=20, blank=True)
    bank = models.CharField("开户行", max_length=60, blank=True, db_default="")
    card_sealed = models.TextField("银行卡号（密文）", blank=True, db_default="")
    card_mask = models.CharField("银行卡号", max_length=20, blank=True, db_default="")
    hired_on = models.DateField("参加工作日期", null=True)
    base = money("缴存基数")
    first_month = models.DateField("起缴年月")
    # A month is due from the member when it lies in [due_from, sealed_month).
    due_from = models.DateField("应缴起月")
    sealed_month = models.DateField("封存年月", null=True)
    state = models.CharField("状态", max_length=8, choices=list(MEMBER_STATES.items()), default="normal")

    class Meta(Party.Meta):
        verbose_name = verbose_name_plural = "职工"
        constraints = [
            *Party.Meta.constraints,
            # One person has one account in the centre that is not closed, whichever branch keeps it. GB/T 51271.
            models.UniqueConstraint(fields=["id_index"], condition=~Q(state="closed"), name="parties_member_person"),
            models.CheckConstraint(name="parties_member_base", condition=Q(base__gt=Decimal(0))),
            models.CheckConstraint(
                name="parties_member_sealed",
                condition=Q(state="normal", sealed_month__isnull=True)
                | Q(state="sealed", sealed_month__isnull=False)
                | Q(state="closed"),
            ),
        ]
        indexes = [
            # The list of a branch and its search by name or initials; the members of an employer.
            models.Index(fields=["branch", "name", "holder"], name="parties_member_name"),
            *initials_indexes("member"),
            models.Index(fields=["employer", "holder"], name="parties_member_employer"),
            # The list filtered by a state that few are in.
            models.Index(
                fields=["branch", "state", "holder"], condition=~Q(state="normal"), name="parties_member_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OpeningRow(DocumentRow):
    """What the rows of both openings have in common."""

    initials = models.TextField("拼音首字母", null=True)
    first_month = models.DateField("起缴年月", null=True)

    class Meta(DocumentRow.Meta):
        abstract = True


class ParticularsRow(models.Model):
    """What an employer says of itself, as a form or file has it."""

    name = models.TextField("单位名称", null=True)
    address = models.TextField("地址", null=True)
    legal_person = models.TextField("法定代表人", null=True)
    contact = models.TextField("经办人", null=True)
    phone = models.TextField("联系电话", null=True)
    bank = models.TextField("开户银行", null=True)
    bank_account = models.TextField("银行账号", null=True)
    pay_day = models.PositiveSmallIntegerField("发薪日", null=True)

    class Meta:
        abstract = True


class EmployerOpeningRow(ParticularsRow, OpeningRow):
    """单位开户行: one employer as the form or file has it."""

    batch = models.ForeignKey(
        EmployerOpening, models.PROTECT, db_index=False, db_constraint=False, related_name="rows", verbose_name="单据"
    )
    credit_code = models.TextField("统一社会信用代码", null=True)
    nature = models.CharField("单位性质", max_length=12, choices=Employer.Nature, null=True)
    industry = models.CharField("所属行业", max_length=1, choices=Employer.Industry, null=True)
    ratio_employer = models.DecimalField("单位缴存比例", max_digits=24, decimal_places=6, null=True)
    ratio_member = models.DecimalField("个人缴存比例", max_digits=24, decimal_places=6, null=True)

    class Meta(OpeningRow.Meta):
        verbose_name = verbose_name_plural = "单位开户行"


class MemberOpeningRow(OpeningRow):
    """个人开户行: one member as the form or file has it. Nobody's number in clear: index, mask and sealed text."""

    batch = models.ForeignKey(
        MemberOpening, models.PROTECT, db_index=False, db_constraint=False, related_name="rows", verbose_name="单据"
    )
    employer_number = models.TextField("单位账号", null=True)
    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, db_constraint=False)
    name = models.TextField("姓名", null=True)
    id_type = models.CharField("证件类型", max_length=2, choices=Member.IdType, null=True)
    id_sealed = models.TextField("证件号码（密文）", null=True)
    id_index = models.BinaryField("证件号码盲索引", max_length=vault.BLIND_INDEX_BYTES, null=True)
    id_mask = models.TextField("证件号码", null=True)
    id_birth = models.DateField("证件号码所载出生日期", null=True)
    id_sex = models.CharField("证件号码所载性别", max_length=1, null=True)
    id_problem = models.CharField("证件号码问题", max_length=20, null=True)
    id_area_known = models.BooleanField("证件号码地区有效", null=True)
    sex = models.CharField("性别", max_length=1, null=True)
    birth_date = models.DateField("出生日期", null=True)
    phone_sealed = models.TextField("手机（密文）", null=True)
    phone_mask = models.TextField("手机", null=True)
    base = models.DecimalField("缴存基数", max_digits=24, decimal_places=6, null=True)
    card_sealed = models.TextField("银行卡号（密文）", null=True)
    card_mask = models.TextField("银行卡号", null=True)
    bank = models.TextField("开户行", null=True)
    hired_on = models.DateField("参加工作日期", null=True)

    class Meta(OpeningRow.Meta):
        verbose_name = verbose_name_plural = "个人开户行"


class EmployerChange(FileDocument):
    """单位信息变更: particulars of employers as they are from its approval on. Ratios, credit code and branch are others' business."""

    machine = EMPLOYER_CHANGE
    prefix: ClassVar[str] = "BG"
    waits_for: ClassVar[tuple[str, ...]] = ("parties.employerchange",)

    class Meta(FileDocument.Meta):
        verbose_name = verbose_name_plural = "单位信息变更"


class EmployerChangeRow(ParticularsRow, DocumentRow):
    """单位信息变更行: one employer, what each of its particulars becomes (null: it stays), and what it was when this was checked."""

    batch = models.ForeignKey(
        EmployerChange, models.PROTECT, db_index=False, db_constraint=False, related_name="rows", verbose_name="单据"
    )
    employer_number = models.TextField("单位账号", null=True)
    employer = models.ForeignKey(Employer, models.PROTECT, null=True, db_index=False, db_constraint=False)
    initials = models.TextField("拼音首字母", null=True)
    before = models.JSONField("变更前", null=True)

    class Meta(DocumentRow.Meta):
        verbose_name = verbose_name_plural = "单位信息变更行"
