"""银行到账 on screen."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.banking.models import Receipt
from accounts.banking.reports import payer_of, receipt_paper
from fundcenter.office.admin.documents import DocumentAdmin
from fundcenter.office.admin.papers import print_now
from fundcenter.office.admin.records import DayFilter, chip, figure
from fundcenter.office.admin.site import site


@admin.register(Receipt, site=site)
class ReceiptAdmin(DocumentAdmin):
    page_template = "banking/receipt.html"
    list_display = ("shown_number", "arrived_on", "reference", "shown_amount", "shown_state", "checker")
    list_display_links = ("shown_number",)
    list_filter = (("arrived_on", DayFilter),)
    list_select_related = ("checker",)
    search_fields = ("reference__startswith",)
    search_help_text = "银行流水号开头"
    ordering = ("-id",)
    total_columns = (("shown_amount", "amount"),)
    empty_list = "没有符合条件的到账。"

    @admin.display(description="到账编号", ordering="id")
    def shown_number(self, receipt: Receipt) -> str:
        return receipt.number

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

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        return {
            "payer": payer_of(found),
            "pdf_url": reverse("admin:banking_receipt_pdf", args=[found.pk]) if found.voucher_id else "",
            "voucher_url": reverse("admin:ledger_voucher_change", args=[found.voucher_id]) if found.voucher_id else "",
            **super().page_context(request, found),
        }
