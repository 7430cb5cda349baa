"""汇缴: the clerk uploads and mends, the reviewer decides, on one page each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.contributions.forms import TemplateForm, UploadForm
from accounts.contributions.models import Batch, RegisterRow
from accounts.contributions.refusals import BY_CODE
from accounts.contributions.reports import register_rows, registers_of, sums_of, vouchers_preview
from accounts.contributions.services import remittance
from accounts.contributions.services.templates import annotated, register_template
from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.models import Kind
from accounts.parties.models import Employer
from fundcenter import clock, months
from fundcenter.office.admin.documents import DocumentAdmin, Verb
from fundcenter.office.admin.records import DayFilter, actor, chip, download, figure
from fundcenter.office.admin.site import site
from fundcenter.office.models import Role
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit, files

PROBLEMS_A_PAGE = 50
ROWS_A_PAGE = 100


def approve(batch: Batch, **given: Any) -> None:
    remittance.approve(batch, on=clock.today(), **given)


@admin.register(Batch, site=site)
class BatchAdmin(DocumentAdmin):
    page_template = "contributions/batch.html"
    list_display = ("shown_number", "file", "shown_rows", "shown_total", "shown_state", "maker", "made_at", "checker")
    list_filter = ("state", ("made_on", DayFilter))
    list_select_related = ("file", "maker", "checker", "branch")
    ordering = ("-id",)
    total_columns = (("shown_total", "total"),)
    empty_list = "还没有汇缴批次。点“上传清册”，选择单位交来的汇缴清册。"
    verbs = {
        "submit": Verb(remittance.submit, (Role.CLERK,), "{number} 已提交复核。", primary=True),
        "approve": Verb(approve, (Role.REVIEWER,), "{number} 已入账。", primary=True, danger=True),
        "return": Verb(remittance.give_back, (Role.REVIEWER,), "{number} 已退回经办。"),
        "withdraw": Verb(remittance.withdraw, (Role.CLERK,), "{number} 已撤回。"),
    }

    @admin.display(description="批次", ordering="id")
    def shown_number(self, batch: Batch) -> str:
        return batch.number

    @admin.display(description="行数")
    def shown_rows(self, batch: Batch) -> str:
        return figure(batch.row_count)

    @admin.display(description="合计金额", ordering="total")
    def shown_total(self, batch: Batch) -> str:
        return figure(batch.total)

    @admin.display(description="状态", ordering="state")
    def shown_state(self, batch: Batch) -> str:
        return chip(batch.state, batch.state_label)

    def get_urls(self) -> list[URLPattern]:
        def at(route: str, view: Any, name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"contributions_batch_{name}")

        return [
            at("upload/", self.upload, "upload"),
            at("template/", self.template, "template"),
            at("<int:object_id>/confirm/", require_POST(self.confirm), "confirm"),
            at("<int:object_id>/source/", self.source, "source"),
            at("<int:object_id>/annotated/", self.annotated, "annotated"),
            at("<int:object_id>/register/<int:register_id>/", self.register, "register"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        actions = []
        if actor(request).holds(Role.CLERK):
            actions = [{"label": "上传清册", "url": reverse("admin:contributions_batch_upload"), "primary": True}]
        return super().changelist_view(request, {"list_actions": actions, **(extra_context or {})})

    def upload(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST or None, request.FILES or None)
        refused: Any = ()
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                batch = remittance.upload(file.read(), file.name, by=actor(request), on=clock.today())
            except Refused as said:
                refused = said.problems
            else:
                return HttpResponseRedirect(self.url_of(batch))
        return self.render(
            request, "contributions/upload.html", title="上传汇缴清册", form=form, refused=refused,
            template_form=TemplateForm(initial={"month": months.text(months.first(clock.today()))}),
            template_url=reverse("admin:contributions_batch_template"),
        )  # fmt: skip

    def template(self, request: HttpRequest) -> HttpResponse:
        form = TemplateForm(request.GET)
        if form.is_valid():
            employer = Employer.objects.visible().filter(number=form.cleaned_data["employer"]).first()
            if employer is not None:
                month = form.cleaned_data["month"]
                content = register_template(employer, month, on=clock.today())
                return download(content, f"汇缴清册 {employer.name} {months.text(month)}.xlsx")
            form.add_error("employer", "没有这个单位账号，或该单位不属于您的机构；请核对。")
        return self.render(
            request, "contributions/upload.html", title="上传汇缴清册", form=UploadForm(), template_form=form,
            template_url=reverse("admin:contributions_batch_template"),
        )  # fmt: skip

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        own, registers = self.url_of(found), registers_of(found)
        start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
        problems = remittance.problems_of(found, start, PROBLEMS_A_PAGE)
        names = dict(
            RegisterRow.objects.filter(batch=found, row__in={p.row for p in problems if p.row}).values_list(
                "row", "name"
            )
        )
        counts = remittance.problem_counts(found)
        preview = found.state in ("checked", "submitted", "returned")
        context = super().page_context(request, found)
        return {
            **context,
            "title": f"汇缴批次 {found.number}",
            "registers": registers,
            "sums": sums_of(registers),
            "problems": [{**p.as_json(), "found": p.found, "name": names.get(p.row or 0)} for p in problems],
            "problem_count": sum(counts.values()),
            "problem_rows": remittance.problem_row_count(found),
            "problems_next_url": f"{own}?from={start + PROBLEMS_A_PAGE}" if len(problems) == PROBLEMS_A_PAGE else "",
            "confirmable": [
                {"code": code, "label": BY_CODE[code].title, "count": count}
                for code, count in counts.items()
                if BY_CODE[code].confirmable and code not in found.confirmed and found.state == "refused"
            ],
            "confirm_url": reverse("admin:contributions_batch_confirm", args=[found.pk]),
            "annotated_url": reverse("admin:contributions_batch_annotated", args=[found.pk]),
            "source_url": reverse("admin:contributions_batch_source", args=[found.pk]),
            "upload_url": reverse("admin:contributions_batch_upload"),
            "checks": self._checks(found, registers),
            "vouchers_preview": vouchers_preview(registers) if preview else [],
            "vouchers_count": len(registers),
            "word": Kind.objects.get(pk=REMITTANCE.kind).word,
            "post_on": clock.today(),
            "decides": any(verb["name"] == "approve" for verb in context["verbs"]),
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
                "text": "、".join(BY_CODE[code].title for code in batch.confirmed) or "无",
            },
        ]

    def confirm(self, request: HttpRequest, object_id: int) -> HttpResponse:
        batch = self.find(request, str(object_id))
        try:
            remittance.confirm(batch, request.POST.getlist("confirm"), by=actor(request), on=clock.today())
        except Refused as refused:
            for problem in refused.problems:
                messages.error(request, problem.message)
        return HttpResponseRedirect(self.url_of(batch))

    def source(self, request: HttpRequest, object_id: int) -> HttpResponse:
        batch = self.find(request, str(object_id))
        audit.record("download_source", batch)
        return download(files.load(batch.file), batch.file.name, "application/octet-stream")

    def annotated(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The uploaded workbook again, with a column that says what is wrong in each row."""
        batch = self.find(request, str(object_id))
        audit.record("download_annotated", batch)
        return download(annotated(batch), f"{batch.file.name.rsplit('.', 1)[0]}（错误原因）.xlsx")

    def register(self, request: HttpRequest, object_id: int, register_id: int) -> HttpResponse:
        """The rows of one employer's register, page by page, beside the month before."""
        batch = self.find(request, str(object_id))
        register = batch.registers.select_related("employer").filter(pk=register_id).first()
        if register is None:
            raise Http404("没有找到这份清册。")
        after = int(request.GET["after"]) if request.GET.get("after", "").isdigit() else 0
        rows = register_rows(register, after=after, most=ROWS_A_PAGE + 1)
        own = reverse("admin:contributions_batch_register", args=[batch.pk, register.pk])
        return self.render(
            request, "contributions/register.html", title=f"{register.employer.name} {months.text(register.month)}",
            object=register, batch=batch, batch_url=self.url_of(batch), employer=register.employer,
            rows=rows[:ROWS_A_PAGE],
            next_url=f"{own}?after={rows[ROWS_A_PAGE - 1]['row']}" if len(rows) > ROWS_A_PAGE else "",
            previous_url=own if after else "",
        )  # fmt: skip
