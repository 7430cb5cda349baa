"""银行到账 on screen."""

import re
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.banking.models import Receipt
from accounts.banking.reports import payer_of, receipt_paper
from fundcenter import identifiers
from fundcenter.office.admin.documents import DocumentAdmin
from fundcenter.office.admin.lists import BranchFilter, DayFilter, StateFilter, holder_filter
from fundcenter.office.admin.papers import print_now
from fundcenter.office.admin.records import chip, figure
from fundcenter.office.admin.site import site
from fundcenter.office.registry import registry

# With its fen: a bank's reference has no point.
AMOUNT = re.compile(r"[0-9][0-9,]{0,17}\.[0-9]{2}")


@admin.register(Receipt, site=site)
class ReceiptAdmin(DocumentAdmin):
    page_template = "banking/receipt.html"
    list_display = ("shown_number", "arrived_on", "shown_payer", "reference", "shown_amount", "shown_state", "checker")
    list_display_links = ("shown_number",)
    list_filter = (
        ("state", StateFilter),
        ("arrived_on", DayFilter),
        holder_filter("付款单位", "employer", "holder"),
        ("branch", BranchFilter),
    )
    list_select_related = ("checker", "holder")
    search_fields = ("reference",)
    search_help_text = "银行流水号开头，或金额：2130.00"
    ordering = ("-id",)
    sortable_by = ("shown_amount",)
    total_columns = (("shown_amount", "amount"),)
    empty_list = "没有符合条件的到账。"

    @admin.display(description="到账编号", ordering="id")
    def shown_number(self, receipt: Receipt) -> str:
        return receipt.number

    @admin.display(description="付款单位")
    def shown_payer(self, receipt: Any) -> str:
        return receipt.payer.name if receipt.payer else self.admin_site.empty_value_display

    def dress(self, rows: list[Any]) -> None:
        by_kind: dict[str, set[int]] = {}
        for receipt in rows:
            by_kind.setdefault(receipt.holder.kind, set()).add(receipt.holder_id)
        labels = {pk: label for kind, ids in by_kind.items() for pk, label in registry.holders[kind](ids).items()}
        for receipt in rows:
            receipt.payer = labels.get(receipt.holder_id)

    @admin.display(description="金额", ordering="amount")
    def shown_amount(self, receipt: Receipt) -> str:
        return figure(receipt.amount)

    @admin.display(description="状态")
    def shown_state(self, receipt: Receipt) -> str:
        return chip(receipt.state, receipt.state_label)

    def get_urls(self) -> list[URLPattern]:
        pdf = self.admin_site.admin_view(self.pdf)
        return [path("<int:object_id>/pdf/", pdf, name="banking_receipt_pdf"), *super().get_urls()]

    def pdf(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """缴款凭证, once the money is in the books."""
        receipt = self.find(request, str(object_id))
        if receipt.voucher_id is None:
            raise Http404(f"到账 {receipt.number} 还没有入账，不能出具缴款凭证。")
        return print_now(request, lambda: receipt_paper(receipt), receipt, back=self.url_of(receipt))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = identifiers.clean(term)
        if AMOUNT.fullmatch(typed):
            return queryset.filter(amount=Decimal(typed.replace(",", ""))), False
        return (queryset.filter(reference__startswith=typed) if typed else queryset), False

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        return {
            "payer": payer_of(found),
            "pdf_url": reverse("admin:banking_receipt_pdf", args=[found.pk]) if found.voucher_id else "",
            "voucher_url": reverse("admin:ledger_voucher_change", args=[found.voucher_id]) if found.voucher_id else "",
            **super().page_context(request, found),
        }
