"""Vouchers on screen and on paper."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.ledger.models import Voucher
from accounts.ledger.reports import is_large, source_of, voucher_lines, voucher_paper
from fundcenter.office.admin.papers import print_later, print_now
from fundcenter.office.admin.records import DayFilter, RecordAdmin, figure
from fundcenter.office.admin.site import site
from fundcenter.office.services import jobs

LINES_A_PAGE = 100


@admin.register(Voucher, site=site)
class VoucherAdmin(RecordAdmin):
    page_template = "ledger/voucher.html"
    list_display = ("date", "shown_number", "summary", "kind", "shown_amount", "prepared_by", "reviewed_by")
    list_display_links = ("shown_number",)
    list_filter = (("date", DayFilter), "kind")
    list_select_related = ("kind", "prepared_by", "reviewed_by")
    search_fields = ("summary__startswith",)
    search_help_text = "摘要开头，如 汇缴 2026-03"
    ordering = ("-date", "-id")
    total_columns = (("shown_amount", "amount"),)
    empty_list = "没有符合条件的凭证。凭证由业务单据复核入账时生成。"

    @admin.display(description="凭证号")
    def shown_number(self, voucher: Voucher) -> str:
        return str(voucher)

    @admin.display(description="金额", ordering="amount")
    def shown_amount(self, voucher: Voucher) -> str:
        return figure(voucher.amount)

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
