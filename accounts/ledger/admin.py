"""Vouchers on screen and on paper."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.ledger.calc import VoucherNumber, voucher_number
from accounts.ledger.models import Voucher
from accounts.ledger.reports import is_large, source_of, voucher_lines, voucher_paper
from fundcenter import clock, months
from fundcenter.office.admin.lists import BranchFilter, DayFilter, Hit, PersonFilter, holder_filter
from fundcenter.office.admin.papers import print_later, print_now
from fundcenter.office.admin.records import RecordAdmin, figure
from fundcenter.office.admin.site import site
from fundcenter.office.services import jobs

LINES_A_PAGE = 100
MONTHS_SEARCHED = 12


def _numbered(asked: VoucherNumber) -> Q:
    """Every part of the number's key is given, so that each month costs one look into its index."""
    latest = months.first(clock.today())
    span = [asked.month] if asked.month else [months.shift(latest, -back) for back in range(MONTHS_SEARCHED)]
    return Q(month__in=span, word=asked.word, number=asked.number)


@admin.register(Voucher, site=site)
class VoucherAdmin(RecordAdmin):
    page_template = "ledger/voucher.html"
    list_display = ("date", "shown_number", "summary", "kind", "shown_amount", "prepared_by", "reviewed_by")
    list_display_links = ("shown_number",)
    list_filter = (
        ("date", DayFilter), "kind", holder_filter("单位", "employer", "entry__holder"), ("prepared_by", PersonFilter),
        ("branch", BranchFilter),
    )  # fmt: skip
    list_select_related = ("kind", "prepared_by", "reviewed_by")
    search_fields = ("summary",)
    search_help_text = "凭证号（记-000123）或摘要开头"
    ordering = ("-date", "-id")
    sortable_by = ("shown_amount",)
    total_columns = (("shown_amount", "amount"),)
    empty_list = "没有符合条件的凭证。凭证由业务单据复核入账时生成。"

    @admin.display(description="凭证号")
    def shown_number(self, voucher: Voucher) -> str:
        return str(voucher)

    @admin.display(description="金额", ordering="amount")
    def shown_amount(self, voucher: Voucher) -> str:
        return figure(voucher.amount)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = term.strip()
        if asked := voucher_number(typed):
            return queryset.filter(_numbered(asked)), False
        return (queryset.filter(summary__startswith=typed) if typed else queryset), False

    def hits(self, request: HttpRequest, typed: str, most: int) -> list[Hit]:
        """By number: 记-000123, of a month when one is said, otherwise of the last twelve."""
        asked = voucher_number(typed)
        if asked is None:
            return []
        found = self.get_queryset(request).filter(_numbered(asked)).select_related("branch").order_by("-month")
        return [
            Hit("记账凭证", str(each), f"{each.date} {each.branch.name}", each.summary, self.url_of(each))
            for each in found[:most]
        ]

    def get_urls(self) -> list[URLPattern]:
        pdf = self.admin_site.admin_view(self.pdf)
        return [path("<int:object_id>/pdf/", pdf, name="ledger_voucher_pdf"), *super().get_urls()]

    def page_context(self, request: HttpRequest, found: Voucher) -> dict[str, Any]:
        after = int(request.GET["after"]) if request.GET.get("after", "").isdigit() else 0
        lines = voucher_lines(found, after=after, most=LINES_A_PAGE + 1)
        more = len(lines) > LINES_A_PAGE
        own = reverse("admin:ledger_voucher_change", args=[found.pk])
        return {
            "title": f"记账凭证 {found}",
            "lines": lines[:LINES_A_PAGE],
            "pager": {
                "next_url": f"{own}?after={lines[LINES_A_PAGE - 1]['id']}" if more else "",
                "previous_url": own if after else "",
            },
            "source": source_of(found),
            "reversed_by": Voucher.objects.filter(reverses=found).first(),
            "is_large": is_large(found),
            "jobs": [(job, jobs.shown_note(job)) for job in jobs.asked(found, "print", 1)],
            "month_url": reverse("admin:office_branch_change", args=[found.branch_id]),
            "pdf_url": reverse("admin:ledger_voucher_pdf", args=[found.pk]),
        }

    def pdf(self, request: HttpRequest, object_id: int) -> HttpResponse:
        voucher = self.find(request, str(object_id))
        back = reverse("admin:ledger_voucher_change", args=[voucher.pk])
        if is_large(voucher):
            return print_later(request, voucher, f"{voucher} {voucher.date}", back=back)
        return print_now(request, lambda: voucher_paper(voucher), voucher, back=back)
