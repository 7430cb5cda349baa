"""单位 and 职工 on screen, and how their accounts are opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.ledger.reports import balance_column, balance_of, detail_ledger
from accounts.parties.models import (
    Employer,
    EmployerChange,
    EmployerOpening,
    Member,
    MemberOpening,
    Party,
)
from accounts.parties.reports import employer_question, member_question, statement_paper
from accounts.parties.services import changing, opening, unmasking
from accounts.parties.sheets import PARTICULARS
from accounts.parties.terms import contribution_limits
from fundcenter import clock, identifiers, money, months
from fundcenter.office.admin.intakes import IntakeAdmin, intake_verbs
from fundcenter.office.admin.lists import BranchFilter, Hit, holder_filter
from fundcenter.office.admin.papers import print_now
from fundcenter.office.admin.records import RecordAdmin, actor, chip, download, figure
from fundcenter.office.admin.site import site
from fundcenter.office.models import Role
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry

LINES_A_PAGE = 50
# Where what an employer gets back is paid to.
ACCOUNT_FIELDS = ("bank", "bank_account")


class PartyAdmin(RecordAdmin):
    """What both have: search by account number, name or pinyin initials, and a detail ledger read backwards by key."""

    ledger_account: str
    ordering = ("-holder",)
    list_display_links = ("number",)
    # The box itself; ``question`` decides by what was typed which index answers.
    search_fields = ("number",)
    question: ClassVar[Callable[[str], Q]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = identifiers.clean(term)
        return (queryset.filter(type(self).question(typed)) if typed else queryset), False

    def hits(self, request: HttpRequest, typed: str, most: int) -> list[Hit]:
        """By account number, name, initials, and whatever else numbers one of these."""
        meant = self.model.objects.visible().filter(type(self).question(identifiers.clean(typed)))
        return [
            Hit(str(self.opts.verbose_name), found.number, found.name, self.told_apart_by(found), self.url_of(found))
            for found in meant.select_related(*self.list_select_related)[:most]
        ]

    def told_apart_by(self, found: Any) -> str:
        raise NotImplementedError

    def ledger(self, request: HttpRequest, party: Party) -> dict[str, Any]:
        """A page of the detail ledger; ``before`` in the address is the last line of the page before."""
        lines = detail_ledger(
            party.pk, self.ledger_account, before=_line(request.GET.get("before")), most=LINES_A_PAGE + 1
        )
        page, own = lines[:LINES_A_PAGE], reverse(f"admin:parties_{self.opts.model_name}_change", args=[party.pk])
        return {
            "entries": page,
            "totals": {"debit": sum(line.debit for line in page), "credit": sum(line.credit for line in page)},
            "older_url": f"{own}?before={page[-1].date}.{page[-1].id}" if len(lines) > LINES_A_PAGE else "",
            "newer_url": own if "before" in request.GET else "",
        }


def _line(text: str | None) -> tuple[date, int] | None:
    """A line's place as an address names it: 2026-03-16.123456."""
    day, _, serial = (text or "").partition(".")
    try:
        return date.fromisoformat(day), int(serial)
    except ValueError:
        return None


@admin.register(Employer, site=site)
class EmployerAdmin(PartyAdmin):
    page_template = "parties/employer.html"
    ledger_account = "21901"
    list_display = ("number", "name", "nature", "shown_ratios", "pay_day", "shown_suspense", "shown_state")
    list_filter = ("state", "nature", ("branch", BranchFilter))
    question = employer_question
    search_help_text = "账号、名称、信用代码或拼音首字母"
    sortable_by = ("shown_suspense",)
    total_columns = (("shown_suspense", "suspense"),)
    empty_list = "没有符合条件的单位。可按单位账号、名称、统一社会信用代码或拼音首字母查找。"

    @admin.display(description="比例（单位＋个人）")
    def shown_ratios(self, employer: Employer) -> str:
        return f"{employer.ratio_employer * 100:.0f}%＋{employer.ratio_member * 100:.0f}%"

    @admin.display(description="状态")
    def shown_state(self, employer: Employer) -> str:
        return chip(employer.state, employer.get_state_display())

    def told_apart_by(self, found: Employer) -> str:
        return f"{found.get_nature_display()} · {found.get_state_display()}"

    @admin.display(description="暂存款", ordering="suspense")
    def shown_suspense(self, employer: Any) -> str:
        return figure(employer.suspense)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(suspense=balance_column("21901"))

    def page_context(self, request: HttpRequest, found: Employer) -> dict[str, Any]:
        amount, _ = balance_of(found.pk, self.ledger_account)
        return {
            "title": found.name,
            "suspense": amount,
            "member_count": Member.objects.filter(employer=found, state="normal").count(),
            "members_url": f"{reverse('admin:parties_member_changelist')}?employer={found.number}",
            "open_member_url": f"{reverse('admin:parties_memberopening_form')}?employer_number={found.number}",
            "member_sheet_url": f"{reverse('admin:parties_memberopening_blank')}?employer={found.number}",
            "may_open": actor(request).holds(Role.CLERK) and found.state in ("normal", "deferred"),
            "change_url": f"{reverse('admin:parties_employerchange_form')}?employer_number={found.number}"
            if actor(request).holds(Role.CLERK) and found.state != "closed"
            else "",
            **self.ledger(request, found),
            **registry.panel(found),
        }


@admin.register(Member, site=site)
class MemberAdmin(PartyAdmin):
    page_template = "parties/member.html"
    ledger_account = "201"
    list_display = ("number", "name", "id_mask", "employer", "shown_base", "shown_balance", "shown_state")
    list_filter = ("state", holder_filter("单位", "employer", "employer"), ("branch", BranchFilter))
    list_select_related = ("employer",)
    question = member_question
    search_help_text = "账号、姓名或拼音首字母"
    total_columns = (("shown_balance", "balance"),)
    empty_list = "没有符合条件的职工。可按个人账号、姓名开头或拼音首字母查找；证件号码（全号）请在页面顶部查找。"

    def told_apart_by(self, found: Member) -> str:
        return f"{found.id_mask} · {found.employer.name} · {found.get_state_display()}"

    @admin.display(description="缴存基数", ordering="base")
    def shown_base(self, member: Member) -> str:
        return figure(member.base)

    @admin.display(description="状态")
    def shown_state(self, member: Member) -> str:
        return chip(member.state, member.get_state_display())

    @admin.display(description="余额")
    def shown_balance(self, member: Any) -> str:
        return figure(member.balance)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(balance=balance_column("201"))

    def get_urls(self) -> list[URLPattern]:
        statement = self.admin_site.admin_view(self.statement)
        unmask = require_POST(self.admin_site.admin_view(self.unmask))
        return [
            path("<int:object_id>/statement/", statement, name="parties_member_statement"),
            path("<int:object_id>/unmask/", unmask, name="parties_member_unmask"),
            *super().get_urls(),
        ]

    def page_context(self, request: HttpRequest, found: Member) -> dict[str, Any]:
        amount, frozen = balance_of(found.pk, self.ledger_account)
        return {
            "title": found.name,
            "employer": found.employer,
            "employer_url": reverse("admin:parties_employer_change", args=[found.employer_id]),
            "balance": amount,
            "frozen": frozen,
            "available": amount - frozen,
            "statement_url": reverse("admin:parties_member_statement", args=[found.pk]),
            "unmask_url": reverse("admin:parties_member_unmask", args=[found.pk])
            if actor(request).holds(*unmasking.ROLES)
            else "",
            "unmask_numbers": unmasking.NUMBERS,
            "unmask_reasons": unmasking.REASONS,
            "facts": [
                ("证件类型", found.get_id_type_display()), ("性别", found.sex), ("出生日期", found.birth_date),
                ("手机", found.phone_mask), ("银行卡", f"{found.bank} {found.card_mask}".strip()),
                ("参加工作", found.hired_on), ("开户日期", found.opened_on), ("起缴年月", months.text(found.first_month)),
                *([("封存年月", months.text(found.sealed_month))] if found.sealed_month else []),
            ],
            "may_begin": actor(request).holds(Role.CLERK) and found.state != "closed",
            **self.ledger(request, found),
            **registry.panel(found),
        }  # fmt: skip

    @method_decorator([never_cache, sensitive_post_parameters()])
    def unmask(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """查看全号: the page once more, with the number in it, this time only."""
        member = self.find(request, str(object_id))
        typed = {name: request.POST.get(name, "") for name in ("what", "reason", "words")}
        try:
            number = unmasking.unmask(member, by=actor(request), **typed)
        except Refused as refused:
            return self.page(request, member, refused=refused.problems, unmask_typed=typed)
        return self.page(request, member, unmasked=number, unmasked_what=unmasking.NUMBERS[typed["what"]])

    def statement(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """个人明细对账单 as PDF, from the beginning of the interest year to today."""
        member = self.find(request, str(object_id))
        back = reverse("admin:parties_member_change", args=[member.pk])
        return print_now(request, lambda: statement_paper(member, until=clock.today()), member, back=back)


class OpeningAdmin(IntakeAdmin):
    """What both openings have: a form and a file, the limits in force, and once it is opened the account of each row."""

    account_model: ClassVar[type[Party]]
    page_template = "parties/opening.html"
    form_template = "parties/opening_form.html"
    list_display = ("shown_number", "shown_subject", "shown_rows", "shown_state", "maker", "made_at", "checker")

    def rows_context(self, request: HttpRequest, document: Any) -> dict[str, Any]:
        context = super().rows_context(request, document)
        shown = [row for row, _ in context["rows"]]
        url = f"admin:parties_{self.account_model._meta.model_name}_change"
        found = document.accounts.filter(opening_row__in=shown).values_list("opening_row", "number", "pk")
        accounts = {row: ("account", number, reverse(url, args=[pk])) for row, number, pk in found}
        if accounts:
            context["row_titles"].insert(0, ("账号", "account"))
            context["rows"] = [(row, [accounts[row], *cells]) for row, cells in context["rows"]]
        return context

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        facts = [("户数", found.row_count, ""), *((name, value, "") for name, value in _limits(found.made_on, found))]
        return {**super().page_context(request, found), "facts": facts}

    def form_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"limits": _limits(clock.today(), actor(request))}


def _limits(on: date, of: Any) -> list[tuple[str, str]]:
    """The limits in force where this person works or this document is, as a clerk reads them; none when there are none."""
    try:
        limits = contribution_limits(on, of.branch_id)
    except LookupError:
        return []
    return [
        ("缴存基数", f"{money.grouped(limits.base_floor)} 至 {money.grouped(limits.base_cap)} 元"),
        ("缴存比例", f"{limits.ratio_floor * 100:.0f}% 至 {limits.ratio_ceiling * 100:.0f}%"),
        ("依据", limits.document_number),
    ]


@admin.register(EmployerOpening, site=site)
class EmployerOpeningAdmin(OpeningAdmin):
    process = opening.EMPLOYERS
    verbs = intake_verbs(opening.EMPLOYERS, done="{number} 已开户。")
    upload_label, form_label = "上传单位开户表", "登记一个单位"
    empty_list = "还没有单位开户。点“登记一个单位”逐户填写，或“上传单位开户表”成批办理。"
    account_model = Employer
    row_cells = (
        ("单位名称", "name", "text"), ("统一社会信用代码", "credit_code", "text"), ("单位比例", "ratio_employer", "ratio"),
        ("个人比例", "ratio_member", "ratio"), ("首次汇缴", "first_month", "month"), ("发薪日", "pay_day", "text"),
        ("单位性质", "nature", "text"), ("所属行业", "industry", "text"), ("法定代表人", "legal_person", "text"),
        ("经办人", "contact", "text"), ("联系电话", "phone", "text"), ("开户银行", "bank", "text"),
        ("银行账号", "bank_account", "text"), ("地址", "address", "text"),
    )  # fmt: skip
    form_groups = (
        ("单位", ("name", "credit_code", "nature", "industry", "legal_person", "address")),
        ("缴存", ("ratio_employer", "ratio_member", "first_month", "pay_day")),
        ("联系与账户", ("contact", "phone", "bank", "bank_account")),
    )

    def form_initial(self, request: HttpRequest) -> dict[str, Any]:
        return {"first_month": months.text(clock.today()), "pay_day": "15"}


@admin.register(MemberOpening, site=site)
class MemberOpeningAdmin(OpeningAdmin):
    process = opening.MEMBERS
    verbs = intake_verbs(opening.MEMBERS, done="{number} 已开户。")
    upload_label, form_label = "上传个人开户清册", "登记一名职工"
    empty_list = "还没有个人开户。点“登记一名职工”逐人填写，或“上传个人开户清册”成批办理。"
    account_model = Member
    row_cells = (
        ("姓名", "name", "text"), ("证件号码", "id_mask", "text"), ("性别", "sex_known", "text"),
        ("出生日期", "birth_known", "date"), ("缴存基数", "base", "money"), ("起缴年月", "first_month", "month"),
        ("单位", "employer__name", "text"), ("手机", "phone_mask", "text"), ("证件类型", "id_type", "text"),
        ("银行卡号", "card_mask", "text"), ("开户行", "bank", "text"), ("参加工作", "hired_on", "date"),
    )  # fmt: skip
    form_groups = (
        ("单位与缴存", ("employer_number", "first_month", "base")),
        ("职工", ("name", "id_type", "id", "sex", "birth_date", "phone", "hired_on")),
        ("本人银行卡", ("card", "bank")),
    )

    def rows_of(self, document: Any) -> QuerySet[Any]:
        return (
            super()
            .rows_of(document)
            .annotate(sex_known=Coalesce("id_sex", "sex"), birth_known=Coalesce("id_birth", "birth_date"))
        )

    def form_initial(self, request: HttpRequest) -> dict[str, Any]:
        return {"first_month": months.text(clock.today()), "id_type": Member.IdType.RESIDENT.label}

    def blank(self, request: HttpRequest) -> HttpResponse:
        """The empty sheet; with ?employer= that employer's own, its account already in it."""
        number = request.GET.get("employer", "")
        employer = Employer.objects.visible().filter(number=number).first() if number else None
        if employer is None:
            return super().blank(request)
        content = opening.member_template(employer, months.first(clock.today()))
        return download(content, f"个人开户清册 {employer.name}.xlsx")


@admin.register(EmployerChange, site=site)
class EmployerChangeAdmin(IntakeAdmin):
    process = changing.CHANGES
    verbs = intake_verbs(changing.CHANGES, done="{number} 已变更。")
    page_template = "parties/employer_change.html"
    upload_label, form_label = "上传单位信息变更表", "变更一个单位"
    hint = "留空的栏保持原值，与现登记相同的不算变更。"
    empty_list = (
        "还没有单位信息变更。点“变更一个单位”逐户填写，或“上传单位信息变更表”成批办理；也可从单位页面点“变更信息”。"
    )
    list_display = ("shown_number", "shown_subject", "shown_rows", "shown_state", "maker", "made_at", "checker")
    row_name = "employer__name"
    form_groups = (
        ("单位", ("employer_number", "name", "legal_person", "address")),
        ("联系与发薪", ("contact", "phone", "pay_day")),
        ("退款付至的账户", ("bank", "bank_account")),
    )

    def form_of_row(self, request: HttpRequest) -> forms.Form:
        form = super().form_of_row(request)
        if "employer_number" in request.GET:
            # What stands below is this employer's: under another number it would become another's.
            form.fields["employer_number"].widget.attrs["readonly"] = True
        for column in PARTICULARS:
            form.fields[column.field].show_hidden_initial = True
        return form

    def typed(self, form: forms.Form) -> dict[str, Any]:
        """Only what was typed over: another's change while the form lay open is not turned back by what stood in it before."""
        return {
            name: value for name, value in form.cleaned_data.items() if name in {*form.changed_data, "employer_number"}
        }

    def form_initial(self, request: HttpRequest) -> dict[str, Any]:
        fields = [column.field for column in PARTICULARS]
        found = Employer.objects.visible().filter(number=request.GET.get("employer_number", "")).values(*fields)
        return dict(found.first() or {})

    def rows_context(self, request: HttpRequest, document: Any) -> dict[str, Any]:
        whose = ("employer_id", "employer_number", "employer__name", "before")
        rows, next_url = self.page_of_rows(request, document, *whose, *(column.field for column in PARTICULARS))
        return {
            "changes": [
                {
                    "row": row["row"], "number": row["employer_number"], "name": row["employer__name"],
                    "url": reverse("admin:parties_employer_change", args=[row["employer_id"]]) if row["employer_id"] else "",
                    "lines": [
                        (column.title, row["before"][column.field], row[column.field], column.field in ACCOUNT_FIELDS)
                        for column in PARTICULARS
                        if row[column.field] is not None
                    ],
                }
                for row in rows
            ],
            "rows_next_url": next_url,
        }  # fmt: skip

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        accounts = self.rows_of(found).filter(Q(bank__isnull=False) | Q(bank_account__isnull=False)).count()
        return {
            **super().page_context(request, found),
            "accounts_change": accounts,
            "facts": [("户数", found.row_count, ""), ("改银行账户", f"{accounts} 户", "")],
        }
