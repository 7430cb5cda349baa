"""单位 and 职工 on screen."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.ledger.reports import balance_column, balance_of, detail_ledger
from accounts.parties.models import Employer, Member, Party
from accounts.parties.reports import statement_pdf
from fundcenter import clock, identifiers, months, vault
from fundcenter.office.admin.records import RecordAdmin, actor, chip, figure, pdf_response
from fundcenter.office.admin.site import site
from fundcenter.office.registry import registry
from fundcenter.office.services import audit

LINES_A_PAGE = 50
ACCOUNT_DIGITS = 12


class PartyAdmin(RecordAdmin):
    """What both have: search by account number, name or pinyin initials, and a detail ledger read backwards by key."""

    ledger_account: str
    ordering = ("-holder",)
    list_display_links = ("number",)
    # The box itself; get_search_results decides by what was typed which index answers.
    search_fields = ("number",)
    search_help_text = "账号、名称开头或拼音首字母"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = identifiers.clean(term)
        return (queryset.filter(self.question(typed)) if typed else queryset), False

    def question(self, typed: str) -> Q:
        if typed.isdigit():
            return Q(number=typed) if len(typed) == ACCOUNT_DIGITS else Q(number__startswith=typed)
        return Q(initials__startswith=typed.upper()) if typed.isascii() else Q(name__startswith=typed)

    def ledger(self, request: HttpRequest, party: Party) -> dict[str, Any]:
        """A page of the detail ledger; ``before`` in the address is the last line of the page before."""
        lines = detail_ledger(
            party.pk, self.ledger_account, before=_line(request.GET.get("before")), most=LINES_A_PAGE + 1
        )
        page, own = lines[:LINES_A_PAGE], request.path
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
    list_filter = ("state", "nature")
    empty_list = "没有符合条件的单位。可按单位账号、名称开头或拼音首字母查找。"

    @admin.display(description="比例（单位＋个人）")
    def shown_ratios(self, employer: Employer) -> str:
        return f"{employer.ratio_employer * 100:.0f}%＋{employer.ratio_member * 100:.0f}%"

    @admin.display(description="状态")
    def shown_state(self, employer: Employer) -> str:
        return chip(employer.state, employer.get_state_display())

    @admin.display(description="暂存款")
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
            "members_url": f"{reverse('admin:parties_member_changelist')}?employer__holder__exact={found.pk}",
            **self.ledger(request, found),
            **registry.panel(found),
        }


@admin.register(Member, site=site)
class MemberAdmin(PartyAdmin):
    page_template = "parties/member.html"
    ledger_account = "201"
    list_display = ("number", "name", "id_mask", "employer", "shown_base", "shown_balance", "shown_state")
    list_filter = ("state",)
    list_select_related = ("employer",)
    search_help_text = "账号、证件号码、姓名或拼音首字母"
    empty_list = "没有符合条件的职工。可按个人账号、证件号码（全号）、姓名开头或拼音首字母查找。"

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
        return [path("<int:object_id>/statement/", statement, name="parties_member_statement"), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "employer__holder__exact" or super().lookup_allowed(lookup, value, request)

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
            "facts": [
                ("证件类型", found.get_id_type_display()), ("性别", found.sex), ("出生日期", found.birth_date),
                ("手机", found.phone_mask), ("开户日期", found.opened_on), ("起缴年月", months.text(found.first_month)),
            ],
            **self.ledger(request, found),
            **registry.panel(found),
        }  # fmt: skip

    def statement(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """个人明细对账单 as PDF, from the beginning of the interest year to today."""
        member = self.find(request, str(object_id))
        audit.record("print_statement", member)
        content = statement_pdf(member, until=clock.today(), printed_by=actor(request))
        return pdf_response(content, f"对账单 {member.number} {member.name}.pdf")

    def question(self, typed: str) -> Q:
        if identifiers.id_number_problem(typed) is None:
            return Q(id_index=vault.blind_index(Member.IdType.RESIDENT, typed))
        return super().question(typed)
