"""The parties: employers and members. Each is a holder of the book; its key is the holder's."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.ledger.models import Holder, money
from accounts.parties.states import EMPLOYER_STATES, MEMBER_STATES
from fundcenter import vault
from fundcenter.office.models import Branch, BranchQuerySet, User


def ratio(name: str) -> models.DecimalField:
    """A fraction: 0.120000 is 12 %."""
    return models.DecimalField(name, max_digits=9, decimal_places=6)


class Party(models.Model):
    """What employers and members have in common: the branch that serves them and who opened the account."""

    holder = models.OneToOneField(Holder, models.PROTECT, primary_key=True, db_constraint=False, verbose_name="户")
    # The same as the holder's: a foreign key over (holder, branch) in sql/ keeps it so when a holder moves.
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    initials = models.CharField("拼音首字母", max_length=160, blank=True)
    opened_on = models.DateField("开户日期")
    opened_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name="开户经办")
    opening_checked_by = models.ForeignKey(
        User, models.PROTECT, db_index=False, related_name="+", verbose_name="开户复核"
    )

    objects = BranchQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_two_people", condition=~Q(opened_by=models.F("opening_checked_by"))
            ),
        ]


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

    number = models.CharField("单位账号", max_length=12, unique=True)
    name = models.CharField("单位名称", max_length=100)
    credit_code = models.CharField("统一社会信用代码", max_length=18, unique=True)
    nature = models.CharField("单位性质", max_length=12, choices=Nature)
    industry = models.CharField("所属行业", max_length=1)
    address = models.CharField("地址", max_length=120, blank=True)
    legal_person = models.CharField("法定代表人", max_length=50, blank=True)
    contact = models.CharField("经办人", max_length=50, blank=True)
    phone = models.CharField("联系电话", max_length=20, blank=True)
    pay_day = models.PositiveSmallIntegerField("发薪日", default=15)
    ratio_employer = ratio("单位缴存比例")
    ratio_member = ratio("个人缴存比例")
    first_month = models.DateField("首次汇缴年月")
    state = models.CharField("状态", max_length=8, choices=list(EMPLOYER_STATES.items()), default="normal")

    class Meta(Party.Meta):
        verbose_name = verbose_name_plural = "单位"
        constraints = [
            *Party.Meta.constraints,
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
            models.Index(fields=["branch", "initials"], name="parties_employer_initials"),
        ]

    def __str__(self) -> str:
        return self.name


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
    base = money("缴存基数")
    first_month = models.DateField("起缴年月")
    state = models.CharField("状态", max_length=8, choices=list(MEMBER_STATES.items()), default="normal")

    class Meta(Party.Meta):
        verbose_name = verbose_name_plural = "职工"
        constraints = [
            *Party.Meta.constraints,
            # One person has one account in the centre that is not closed, whichever branch keeps it. GB/T 51271.
            models.UniqueConstraint(fields=["id_index"], condition=~Q(state="closed"), name="parties_member_person"),
            models.CheckConstraint(name="parties_member_base", condition=Q(base__gt=Decimal(0))),
        ]
        indexes = [
            # The list of a branch and its search by name or initials; the members of an employer.
            models.Index(fields=["branch", "name", "holder"], name="parties_member_name"),
            models.Index(fields=["branch", "initials"], name="parties_member_initials"),
            models.Index(fields=["employer", "holder"], name="parties_member_employer"),
        ]

    def __str__(self) -> str:
        return self.name
