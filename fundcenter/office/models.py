"""The office: branches, the people who work there, and what every business document has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import pghistory
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django_otp.models import Device, ThrottlingMixin

from fundcenter import clock, scope
from fundcenter.identifiers import grouped
from fundcenter.office.states import DEAD
from fundcenter.states import Machine


@models.CharField.register_lookup
class StartsWith(models.Lookup):
    """Prefix search by ``^@``: under row security LIKE finds no index, because it could leak what it compares."""

    lookup_name = "startswith"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", (*left_params, *right_params)


M = TypeVar("M", bound=models.Model)


class BranchQuerySet(models.QuerySet[M]):
    """The first wall: what the person acting may see. Row security stands behind it for whoever forgets."""

    def visible(self) -> Self:
        branches = scope.visible_branches()
        # One equality lets PostgreSQL walk (branch, …) indexes in order; row security alone does not.
        return self.filter(branch_id=branches[0]) if len(branches) == 1 else self.filter(branch_id__in=branches)


def remembered(*fields: str, term: str) -> Callable[[type[M]], type[M]]:
    """变更历史 of master data: what these fields of a row were before each change, by whom and by which verb.

    Only changes are kept, and of them the old row: what it became is the next one's old row, or the row itself. So
    opening 350,000 accounts writes no history. Triggers of statements, not of rows: office_history in sql/10_scope.sql.
    """

    def remember(model: type[M]) -> type[M]:
        wrapped: type[M] = pghistory.track(
            pghistory.UpdateEvent("change", row=pghistory.Old, level=pghistory.Statement),
            fields=list(fields),
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,  # type: ignore[arg-type]  # its documentation allows it
            append_only=True,
            obj_field=pghistory.ObjForeignKey(related_name="history"),
            model_name=f"{model.__name__}History",
            attrs={
                "__doc__": f"{term}变更: what a row was before a change.",
                "pgh_id": models.BigAutoField(primary_key=True),
            },
            meta={"verbose_name": f"{term}变更", "verbose_name_plural": f"{term}变更"},
        )(model)
        return wrapped

    return remember


@remembered("code", "name", "division_code", term="分支机构")
class Branch(models.Model):
    """分支机构: keeps its own members and employers; the books are the city's."""

    code = models.CharField("机构代码", max_length=2, unique=True)
    name = models.CharField("机构名称", max_length=30, unique=True)
    division_code = models.CharField("行政区划代码", max_length=6)

    class Meta:
        verbose_name = verbose_name_plural = "分支机构"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """岗位. What each one may do: docs/manual.zh-CN.md; source: GB/T 51271, 会计法 第三十五条."""

    CLERK = "clerk", "经办"
    REVIEWER = "reviewer", "复核"
    APPROVER = "approver", "审批"
    ACCOUNTANT = "accountant", "会计"
    CASHIER = "cashier", "出纳"
    AUDITOR = "auditor", "稽核"
    MANAGER = "manager", "主任"
    ADMIN = "admin", "系统管理"


# Whoever does the centre's business; the system's administrators set up people and parameters and see none of it.
BUSINESS = tuple(role for role in Role if role is not Role.ADMIN)


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def system(self) -> User:
        """The preparer of what the machine makes by itself; nobody can sign in as it."""
        return self.get(username="system")


@remembered("username", "name", "branch", "roles", "is_active", term="人员")
class User(AbstractBaseUser):
    """人员: a person of the centre. Without a branch: the centre itself, which sees every branch."""

    username = models.CharField("登录名", max_length=40, unique=True)
    name = models.CharField("姓名", max_length=50)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name="所属机构")
    roles = ArrayField(models.CharField(max_length=12, choices=Role), verbose_name="岗位", default=list)
    is_active = models.BooleanField("在岗", default=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        verbose_name = verbose_name_plural = "人员"
        ordering = ["username"]
        constraints = [
            # 会计法 第三十五条: whoever keeps the cash neither keeps the accounts nor audits them.
            models.CheckConstraint(
                name="office_user_cashier_alone",
                condition=~(
                    Q(roles__contains=[Role.CASHIER])
                    & (Q(roles__contains=[Role.ACCOUNTANT]) | Q(roles__contains=[Role.AUDITOR]))
                ),
                violation_error_message="出纳不得兼任会计或稽核（会计法第三十五条）",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        return self.is_active and bool(self.roles)

    def holds(self, *roles: str) -> bool:
        """Whether the person holds one of these roles."""
        return self.is_active and not set(roles).isdisjoint(self.roles)

    def role_labels(self) -> str:
        return "、".join(Role(role).label for role in self.roles)

    def branch_ids(self) -> tuple[int, ...]:
        if self.branch_id:
            return (self.branch_id,)
        return tuple(Branch.objects.order_by("id").values_list("id", flat=True))

    otp_device: Any = None

    def is_verified(self) -> bool:
        """Whether this session has shown a second factor; django-otp's middleware says which."""
        return self.otp_device is not None

    def needs_second_factor(self) -> bool:
        """Whether a password alone does not let this person in."""
        return self.holds(*settings.SECOND_FACTOR_ROLES)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Every session of a person ends when password, roles or branch change, or when the person leaves."""
        what = "|".join((self.password, ",".join(sorted(self.roles)), str(self.branch_id), str(self.is_active)))
        return salted_hmac("fundcenter.session", what, secret=secret, algorithm="sha256").hexdigest()

    # Rights are roles, and each admin page and verb names the roles it is for; Django's permission tables stay empty.
    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class SecondFactor(ThrottlingMixin, Device):
    """动态口令: the app or token that shows a person six digits (TOTP, RFC 6238). One a person.

    Its secret is sealed with the key of personal numbers, which is not in the database: neither the program's role nor
    a copy of the tables shows it. After wrong codes it waits 1, 2, 4, 8 … seconds.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor", verbose_name="人员")
    secret_sealed = models.TextField("密钥（密文）")
    last_step = models.BigIntegerField("用过的最后时段", default=-1)
    enrolled_at = models.DateTimeField("登记时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "动态口令"

    def get_throttle_factor(self) -> int:
        return 1


class ApiToken(models.Model):
    """接口令牌: with it a program acts as a person of a branch. Of its secret only the SHA-256 is kept; see services/tokens.py."""

    class Verb(models.TextChoices):
        READ = "read", "查询"
        UPLOAD = "upload", "上传"

    person = models.ForeignKey(User, models.PROTECT, verbose_name="代表", related_name="+")
    # Where the person belonged when it was made: a token does not move to another branch with them.
    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", db_index=False)
    name = models.CharField("名称", max_length=60)
    sha256 = models.CharField("令牌指纹", max_length=64, unique=True)
    verbs = ArrayField(models.CharField(max_length=12, choices=Verb), verbose_name="权限")
    made_by = models.ForeignKey(User, models.PROTECT, verbose_name="发放人", related_name="+", db_index=False)
    made_at = models.DateTimeField("发放时间", default=clock.now)
    expires_on = models.DateField("有效期至")
    last_used_at = models.DateTimeField("最近使用", null=True)
    revoked_at = models.DateTimeField("停用时间", null=True)
    revoked_by = models.ForeignKey(
        User, models.PROTECT, verbose_name="停用人", related_name="+", db_index=False, null=True
    )

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "接口令牌"
        constraints = [
            # Whoever hands a token out would hold the secret of what they themselves may do.
            models.CheckConstraint(name="office_apitoken_two_people", condition=~Q(person=F("made_by"))),
        ]

    def __str__(self) -> str:
        return self.name

    def verb_labels(self) -> str:
        return "、".join(self.Verb(verb).label for verb in self.verbs)


class StoredFile(models.Model):
    """文件: an uploaded file. Its content lies encrypted on disk under its hash; its name is never trusted."""

    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构")
    sha256 = models.CharField("文件指纹", max_length=64)
    name = models.CharField("文件名", max_length=200)
    size = models.PositiveIntegerField("字节数")
    uploaded_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    uploaded_at = models.DateTimeField("上传时间", default=clock.now)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "文件"

    def __str__(self) -> str:
        return self.name


class IssuedPaper(models.Model):
    """出具记录: one printing of a paper, by the number at its foot. Only ever added to; see services/issuing.py.

    ``facts`` is all that the public page shows to whoever has the number: no ID number, no whole name of a person.
    """

    number = models.CharField("验证码", max_length=16, unique=True)
    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", db_index=False)
    kind = models.CharField("种类", max_length=40)
    title = models.CharField("名称", max_length=60)
    document = models.CharField("对象", max_length=60)
    subject = models.CharField("内容", max_length=200)
    facts = models.JSONField("可公开核对的事项")
    sha256 = models.CharField("文件指纹", max_length=64)
    issued_by = models.ForeignKey(User, models.PROTECT, verbose_name="出具人", related_name="+", db_index=False)
    issued_at = models.DateTimeField("出具时间", default=clock.now)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "出具记录"
        # The list, newest first.
        indexes = [models.Index(fields=["branch", "-id"], name="office_issuedpaper_branch")]

    def __str__(self) -> str:
        return grouped(self.number)


class Document(models.Model):
    """业务单据: what every business document has. Its moves are the table ``machine``; see services/moves.py."""

    machine: ClassVar[Machine]
    prefix: ClassVar[str]
    rights: ClassVar[str] = "select, insert, update"
    """What the program may do with the table; migrate grants it and puts the wall of the branches before it."""

    waits_for: ClassVar[tuple[str, ...]] = ()
    """The kinds of documents that, unfinished about the same holder, keep this one from being submitted or approved."""

    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构")
    state = models.CharField("状态", max_length=12)
    made_on = models.DateField("业务日期", default=clock.today)
    made_at = models.DateTimeField("受理时间", default=clock.now)
    maker = models.ForeignKey(User, models.PROTECT, verbose_name="经办", related_name="+")
    checker = models.ForeignKey(User, models.PROTECT, verbose_name="复核", related_name="+", null=True, blank=True)
    checked_at = models.DateTimeField("复核时间", null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(name="%(app_label)s_%(class)s_two_people", condition=~Q(maker=F("checker"))),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Printed number: letters of the kind, month, serial. Derived, so that it can neither double nor drift."""
        return f"{self.prefix}{self.made_on:%Y%m}-{self.pk:06d}"

    @classmethod
    def key_in(cls, number: str) -> int | None:
        """The primary key that a printed number names, or None when it names no document of this kind."""
        head, dash, serial = number.strip().upper().partition("-")
        good = dash and head.startswith(cls.prefix) and serial.isascii() and serial.isdigit()
        return int(serial) if good else None

    @property
    def label(self) -> str:
        return document_label(self)

    @property
    def state_label(self) -> str:
        return self.machine.labels[self.state]


class FileDocument(Document):
    """来表单据: a document whose rows came in by a file, or by a form where there is no file. See services/intake.py."""

    file = models.ForeignKey(StoredFile, models.PROTECT, verbose_name="原表", related_name="+", null=True)
    sha256 = models.CharField("文件指纹", max_length=64, blank=True)
    confirmed = ArrayField(models.CharField(max_length=40), verbose_name="已确认的提示", default=list)
    row_count = models.PositiveIntegerField("行数", default=0)
    error_count = models.PositiveIntegerField("问题数", default=0)

    objects = BranchQuerySet.as_manager()

    class Meta(Document.Meta):
        abstract = True
        constraints = [
            *Document.Meta.constraints,
            # The same file from two browsers at once: one lives, the other is refused.
            models.UniqueConstraint(
                fields=["branch", "sha256"],
                condition=~Q(sha256="") & ~Q(state__in=DEAD),
                name="%(app_label)s_%(class)s_file",
            ),
        ]
        indexes = [
            models.Index(fields=["branch", "-id"], name="%(app_label)s_%(class)s_list"),
            # What waits: the work queue and the count beside the menu.
            models.Index(fields=["branch", "id"], condition=Q(state="submitted"), name="%(app_label)s_%(class)s_wait"),
        ]


class DocumentRow(models.Model):
    """来表行: one row of a FileDocument as the file or form has it, with what was recognised. Written once.

    A concrete one adds ``batch``, its document, and a nullable column for everything that is staged: what could not be
    read is null, and a problem.
    """

    rights: ClassVar[str] = "select, insert"

    id = models.BigAutoField(primary_key=True)
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, db_constraint=False, verbose_name="机构")
    row = models.PositiveIntegerField("行号")

    objects = BranchQuerySet.as_manager()

    class Meta:
        abstract = True
        # The rows of a document's page, of its checks and of its approval.
        constraints = [models.UniqueConstraint(fields=["batch", "row"], name="%(app_label)s_%(class)s_row")]


class RowProblem(models.Model):
    """来表问题: one place where a refusal applies. The sentence is made from the refusal and ``args`` when it is read."""

    document = models.CharField("单据", max_length=60)
    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    row = models.PositiveIntegerField("行号", null=True)
    column = models.CharField("列", max_length=40, blank=True)
    code = models.CharField("代码", max_length=40)
    found = models.CharField("填写", max_length=80, blank=True)
    args = models.JSONField("参数", default=dict)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "来表问题"
        # The problems of a document's page, in the order of its rows.
        indexes = [models.Index(fields=["document", "row", "id"], name="office_rowproblem_document")]


def document_label(document: models.Model) -> str:
    """How trails name a document: model and key, such as ``contributions.batch:12``."""
    return f"{document._meta.label_lower}:{document.pk}"


class Opinion(models.Model):
    """意见: the business signature of one move of a document."""

    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构")
    document = models.CharField("单据", max_length=60)
    verb = models.CharField("动作", max_length=12)
    verb_label = models.CharField("办理", max_length=12)
    role = models.CharField("岗位", max_length=40)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", default=clock.now)
    text = models.CharField("意见", max_length=500, blank=True)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "意见"
        ordering = ["id"]
        # The timeline of a document's page.
        indexes = [models.Index(fields=["document", "id"], name="office_opinion_document")]


class AuditEvent(models.Model):
    """审计事件: who did or looked at what, when and from where. Only ever added to."""

    at = models.DateTimeField("时间", default=clock.now)
    person = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="+", null=True, db_index=False)
    branch = models.ForeignKey(Branch, models.PROTECT, verbose_name="机构", null=True, db_index=False)
    verb = models.CharField("动作", max_length=40)
    document = models.CharField("对象", max_length=60, blank=True)
    address = models.CharField("来源地址", max_length=45, blank=True)
    detail = models.JSONField("详情", default=dict)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "审计事件"
        indexes = [
            # The auditor reads newest first, by branch, of one person, or of one verb.
            models.Index(fields=["branch", "-id"], name="office_auditevent_branch"),
            models.Index(fields=["person", "-id"], name="office_auditevent_person"),
            models.Index(fields=["verb", "-id"], name="office_auditevent_verb"),
            models.Index(fields=["at"], name="office_auditevent_at"),
        ]


class Job(models.Model):
    """任务: work too large for a request, done by the worker in somebody's name. Its counts are written while it runs."""

    class State(models.TextChoices):
        WAITING = "waiting", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        REFUSED = "refused", "未办成"
        BROKEN = "broken", "出错"

    branch = models.ForeignKey(Branch, models.PROTECT, db_index=False, verbose_name="机构")
    kind = models.CharField("种类", max_length=60)
    document = models.CharField("单据", max_length=60)
    title = models.CharField("任务", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+", db_index=False)
    on = models.DateField("业务日期")
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField("已办", default=0)
    total = models.PositiveIntegerField("共", default=0)
    note = models.CharField("说明", max_length=200, blank=True)
    # What it needs besides its document, such as the month of a branch's papers; and the file that it made.
    args = models.JSONField("参数", default=dict)
    file = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name="结果文件", related_name="+", db_index=False, null=True
    )
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    asked_at = models.DateTimeField("提交时间", default=clock.now)
    started_at = models.DateTimeField("开始时间", null=True)
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任务"
        ordering = ["-id"]
        indexes = [
            # The list; what runs now (every home page); the bar on a document's page.
            models.Index(fields=["branch", "-id"], name="office_job_branch"),
            models.Index(fields=["branch", "id"], condition=Q(ended_at=None), name="office_job_running"),
            models.Index(fields=["document", "-id"], name="office_job_document"),
        ]

    def __str__(self) -> str:
        return self.title


class DatedRule(models.Model):
    """有时效的规定: a figure set by a resolution, in force from one day to another. Never a constant in code."""

    valid_from = models.DateField("生效日")
    valid_to = models.DateField("失效日（不含）", null=True, blank=True)
    document_number = models.CharField("文号", max_length=60)
    article = models.CharField("条款", max_length=60, blank=True)

    class Meta:
        abstract = True
        ordering = ["-valid_from"]

    @classmethod
    def in_force(cls, on: Any) -> Q:
        return Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))
