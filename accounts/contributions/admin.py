"""汇缴: the clerk uploads and mends, the reviewer decides, on one page each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from accounts.contributions.forms import TemplateForm
from accounts.contributions.models import Batch, Refund, Register, Sealing
from accounts.contributions.reports import (
    batch_subjects,
    in_arrears,
    register_rows,
    registers_of,
    remittance_paper,
    sums_of,
    vouchers_preview,
)
from accounts.contributions.services import refunding, remittance, sealing
from accounts.contributions.services.templates import register_template
from accounts.contributions.vouchers import REMITTANCE
from accounts.parties.models import Employer
from fundcenter import clock, months
from fundcenter.office.admin.documents import Verb
from fundcenter.office.admin.intakes import IntakeAdmin, intake_verbs
from fundcenter.office.admin.lists import holder_filter
from fundcenter.office.admin.papers import print_now
from fundcenter.office.admin.records import download, figure
from fundcenter.office.admin.site import site
from fundcenter.office.models import Role
from fundcenter.office.registry import registry

ROWS_A_PAGE = 100


class ArrearsFilter(admin.SimpleListFilter):
    """Of employers: who let the last month end without paying."""

    title, parameter_name = "汇缴", "arrears"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("last_month", "上月欠缴")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return in_arrears(queryset, on=clock.today()) if self.value() else queryset


registry.list_filters.setdefault("parties.employer", []).append(ArrearsFilter)


@admin.register(Batch, site=site)
class BatchAdmin(IntakeAdmin):
    process = remittance.REGISTERS
    upload_label = "上传清册"
    upload_template = "contributions/upload.html"
    page_template = "contributions/batch.html"
    list_display = (
        "shown_number", "shown_subject", "shown_rows", "shown_total", "shown_state", "maker", "made_at", "checker",
    )  # fmt: skip
    list_filter = (*IntakeAdmin.list_filter, holder_filter("单位", "employer", "registers__employer"))
    sortable_by = ("shown_total",)
    total_columns = (("shown_total", "total"),)
    empty_list = "还没有汇缴批次。点“上传清册”，选择单位交来的汇缴清册。"
    verbs = intake_verbs(remittance.REGISTERS, done="{number} 已入账。")

    @admin.display(description="单位或原表")
    def shown_subject(self, batch: Any) -> str:
        return format_html('<span title="{}">{}</span>', batch.file, batch.subject)

    def dress(self, rows: list[Any]) -> None:
        subjects = batch_subjects(rows)
        for batch in rows:
            batch.subject = subjects[batch.pk]

    @admin.display(description="合计金额", ordering="total")
    def shown_total(self, batch: Batch) -> str:
        return figure(batch.total)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.at("template/", self.template, "template"),
            self.at("<int:object_id>/register/<int:register_id>/", self.register, "register"),
            self.at("<int:object_id>/register/<int:register_id>/pdf/", self.register_pdf, "register_pdf"),
            *super().get_urls(),
        ]

    def upload_page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        form = TemplateForm(initial={"month": months.text(months.first(clock.today()))})
        return super().upload_page(
            request, **{"template_form": form, "template_url": self.page_url("template"), **context}
        )

    def template(self, request: HttpRequest) -> HttpResponse:
        """The pre-filled register of an employer's month."""
        form = TemplateForm(request.GET)
        if form.is_valid():
            employer = Employer.objects.visible().filter(number=form.cleaned_data["employer"]).first()
            if employer is not None:
                month = form.cleaned_data["month"]
                content = register_template(employer, month, on=clock.today())
                return download(content, f"汇缴清册 {employer.name} {months.text(month)}.xlsx")
            form.add_error("employer", "没有这个单位账号，或该单位不属于您的机构；请核对。")
        return self.upload_page(request, template_form=form)

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        registers = registers_of(found)
        preview = found.state in ("checked", "submitted", "returned")
        return {
            **super().page_context(request, found),
            "registers": registers,
            "sums": sums_of(registers),
            "checks": self._checks(found, registers),
            "vouchers_preview": vouchers_preview(registers) if preview else [],
            "vouchers_count": len(registers),
            "word": REMITTANCE.word,
            "post_on": clock.today(),
        }

    def _checks(self, batch: Batch, registers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the reviewer is asked to look at, and how it stands."""
        enough = sum(row["short"] == 0 for row in registers)
        return [
            {"label": "单位暂存款足额", "ok": enough == len(registers), "text": f"{enough} / {len(registers)}"},
            {"label": "校验问题", "ok": batch.error_count == 0, "text": f"{batch.error_count} 处"},
            {
                "label": "已确认的提示",
                "ok": not batch.confirmed,
                "text": "、".join(self.process.intake.by_code[code].title for code in batch.confirmed) or "无",
            },
        ]

    def register(self, request: HttpRequest, object_id: int, register_id: int) -> HttpResponse:
        """The rows of one employer's register, page by page, beside the month before."""
        batch, register = self._register(request, object_id, register_id)
        after = int(request.GET["after"]) if request.GET.get("after", "").isdigit() else 0
        rows = register_rows(register, after=after, most=ROWS_A_PAGE + 1)
        own = self.page_url("register", batch.pk, register.pk)
        return self.render(
            request, "contributions/register.html", title=f"{register.employer.name} {months.text(register.month)}",
            pdf_url=self.page_url("register_pdf", batch.pk, register.pk) if register.is_posted else "",
            object=register, batch=batch, batch_url=self.url_of(batch), employer=register.employer,
            rows=rows[:ROWS_A_PAGE],
            next_url=f"{own}?after={rows[ROWS_A_PAGE - 1]['row']}" if len(rows) > ROWS_A_PAGE else "",
            previous_url=own if after else "",
        )  # fmt: skip

    def register_pdf(self, request: HttpRequest, object_id: int, register_id: int) -> HttpResponse:
        """汇缴书 of one employer's register, once it is posted."""
        batch, register = self._register(request, object_id, register_id)
        if not register.is_posted:
            raise Http404("这份清册还没有入账，不能出具汇缴书。")
        back = self.page_url("register", batch.pk, register.pk)
        return print_now(request, lambda: remittance_paper(register), register, back=back)

    def _register(self, request: HttpRequest, object_id: int, register_id: int) -> tuple[Batch, Register]:
        batch = self.find(request, str(object_id))
        register = (
            batch.registers.select_related("employer", "voucher", "branch", "batch").filter(pk=register_id).first()
        )
        if register is None:
            raise Http404("没有找到这份清册。")
        return batch, register


@admin.register(Sealing, site=site)
class SealingAdmin(IntakeAdmin):
    process = sealing.SEALINGS
    verbs = intake_verbs(sealing.SEALINGS, done="{number} 已办理。")
    upload_label, form_label = "上传封存启封清册", "办理一名职工"
    empty_list = "还没有封存启封。点“办理一名职工”逐人填写，或“上传封存启封清册”成批办理。"
    row_cells = (
        ("个人账号", "member_number", "member"), ("姓名", "name", "text"), ("变更类型", "change", "text"),
        ("生效年月", "month", "month"), ("变更原因", "reason", "text"), ("单位账号", "employer_number", "employer"),
        ("单位名称", "employer__name", "text"),
    )  # fmt: skip
    form_groups = (("职工", ("employer_number", "member_number", "name")), ("变更", ("change", "month", "reason")))

    def form_initial(self, request: HttpRequest) -> dict[str, Any]:
        return {"month": months.text(clock.today())}


@admin.register(Refund, site=site)
class RefundAdmin(IntakeAdmin):
    process = refunding.REFUNDS
    upload_label = "上传退回清单"
    row_cells = (
        ("个人账号", "member_number", "member"), ("姓名", "name", "text"), ("错缴年月", "month", "month"),
        ("退回单位额", "amount_employer", "money"), ("退回个人额", "amount_member", "money"), ("原因", "reason", "text"),
    )  # fmt: skip
    list_display = (
        "shown_number",
        "employer",
        "shown_rows",
        "shown_total",
        "shown_state",
        "maker",
        "made_at",
        "checker",
    )
    list_filter = (*IntakeAdmin.list_filter, holder_filter("单位", "employer", "employer"))
    list_select_related = ("employer", "maker", "checker")
    sortable_by = ("shown_total",)
    total_columns = (("shown_total", "total"),)
    empty_list = "还没有错缴退回。点“上传退回清单”，选择单位申请退回的清单。"
    verbs = {
        **intake_verbs(refunding.REFUNDS, done="{number} 已退至单位暂存款。"),
        "pay": Verb(refunding.pay, (Role.CASHIER,), "{number} 已付款。", primary=True, danger=True),
    }

    @admin.display(description="退回合计", ordering="total")
    def shown_total(self, refund: Refund) -> str:
        return figure(refund.total)

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        url = reverse("admin:parties_employer_change", args=[found.employer_id]) if found.employer_id else ""
        return {
            **super().page_context(request, found),
            "facts": [("单位", found.employer, url), ("行数", found.row_count, "")],
            "vouchers": [voucher for voucher in (found.voucher, found.payment) if voucher],
        }
