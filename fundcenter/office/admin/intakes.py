"""The pages of a document whose rows come in by a file or a form: upload, form, problems, confirmation, workbooks back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from fundcenter import clock, spreadsheets
from fundcenter.office.admin.documents import DocumentAdmin, Verb
from fundcenter.office.admin.lists import BranchFilter, DayFilter, PersonFilter, StateFilter
from fundcenter.office.admin.records import actor, chip, download, figure
from fundcenter.office.forms import beside_fields, row_form
from fundcenter.office.models import FileDocument, Role
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.registry import registry
from fundcenter.office.reports import and_more
from fundcenter.office.services import audit, files
from fundcenter.office.services import intake as intakes

PROBLEMS_A_PAGE = 50
ROWS_A_PAGE = 100


class UploadForm(forms.Form):
    file = forms.FileField(
        label="表格文件", error_messages={"required": "请选择要上传的表格文件。", "empty": "这个文件是空的。"}
    )
    file.widget.attrs["accept"] = ".xlsx,.xls,.csv"


class Process(Protocol):
    """What a room's process has: the rows that it takes in, and the services behind upload, form and buttons."""

    @property
    def intake(self) -> intakes.Intake: ...
    @property
    def upload(self) -> Callable[..., Any]: ...
    @property
    def type_in(self) -> Callable[..., Any]: ...
    @property
    def submit(self) -> Callable[..., Any]: ...
    @property
    def approve(self) -> Callable[..., Any]: ...
    @property
    def withdraw(self) -> Callable[..., Any]: ...


def intake_verbs(process: Process, *, done: str) -> dict[str, Verb]:
    """The usual buttons."""
    return {
        "submit": Verb(process.submit, (Role.CLERK,), "{number} 已提交复核。", primary=True),
        "approve": Verb(process.approve, (Role.REVIEWER,), done, primary=True, danger=True),
        "return": Verb(intakes.give_back, (Role.REVIEWER,), "{number} 已退回经办。"),
        "withdraw": Verb(process.withdraw, (Role.CLERK,), "{number} 已撤回。"),
    }


class IntakeAdmin(DocumentAdmin):
    """The pages of a ``process``."""

    process: ClassVar[Process]
    upload_label: ClassVar[str] = "上传"
    upload_template: ClassVar[str] = "office/upload.html"
    form_label: ClassVar[str] = "填写"
    form_template: ClassVar[str] = "office/form.html"
    form_groups: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    """(heading, fields): how the form is laid out, where a kind of document has one."""
    page_template = "office/intake.html"
    hint: ClassVar[str] = ""
    """A sentence beside form and upload: what an empty cell means, where it means more than that nothing is known."""
    row_cells: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    """(title, field, kind) of the rows shown on the document's page; a room that shows them otherwise leaves it out.

    A kind of holder (``member``, ``employer``) is an account number that leads to the account of the row's ``<kind>_id``.
    """
    row_name: ClassVar[str] = "name"
    """The field of a row with the name that it is known by: in lists, and beside row numbers in the table of problems."""
    list_display: Any = ("shown_number", "file", "shown_rows", "shown_state", "maker", "made_at", "checker")
    list_filter: ClassVar[Any] = (
        ("state", StateFilter),
        ("made_on", DayFilter),
        ("maker", PersonFilter),
        ("branch", BranchFilter),
    )
    list_select_related: ClassVar[Any] = ("file", "maker", "checker", "branch")
    ordering = ("-id",)

    @admin.display(description="编号", ordering="id")
    def shown_number(self, document: FileDocument) -> str:
        return document.number

    @admin.display(description="户名")
    def shown_subject(self, document: Any) -> str:
        return and_more(document.first_name, document.row_count)

    @admin.display(description="行数")
    def shown_rows(self, document: FileDocument) -> str:
        return figure(document.row_count)

    @admin.display(description="状态", ordering="state")
    def shown_state(self, document: FileDocument) -> str:
        return chip(document.state, document.state_label)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        found = super().get_queryset(request)
        if "shown_subject" not in self.list_display:
            return found
        first = self.rows_of(models.OuterRef("pk")).order_by("row").values(self.row_name)[:1]
        return found.annotate(first_name=models.Subquery(first))

    def name_of(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def at(self, route: str, view: Any, page: str) -> URLPattern:
        """One more page of this kind, behind the sign-in."""
        return path(route, self.admin_site.admin_view(view), name=self.name_of(page))

    def page_url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.name_of(page)}", args=args)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.at("upload/", self.upload, "upload"),
            *([self.at("form/", self.fill_in, "form")] if self.form_groups else []),
            self.at("blank/", self.blank, "blank"),
            self.at("<int:object_id>/confirm/", require_POST(self.confirm), "confirm"),
            self.at("<int:object_id>/source/", self.source, "source"),
            self.at("<int:object_id>/annotated/", self.annotated, "annotated"),
            *super().get_urls(),
        ]

    def list_actions(self) -> list[dict[str, Any]]:
        typed = [{"label": self.form_label, "url": self.page_url("form"), "primary": False}] if self.form_groups else []
        return [*typed, {"label": self.upload_label, "url": self.page_url("upload"), "primary": True}]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        actions = self.list_actions() if actor(request).holds(Role.CLERK) else []
        return super().changelist_view(request, {"list_actions": actions, **(extra_context or {})})

    def upload(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST or None, request.FILES or None)
        refused: Iterable[Problem] = ()
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                document = self.process.upload(file.read(), file.name, by=actor(request), on=clock.today())
            except Refused as said:
                refused = said.problems
            else:
                return HttpResponseRedirect(self.url_of(document))
        return self.upload_page(request, form=form, refused=refused)

    def upload_page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """The upload's page; ``columns`` says what the file needs."""
        context = {
            "form": UploadForm(), "title": self.upload_label, "columns": self.process.intake.columns, "hint": self.hint,
            "blank_url": self.page_url("blank"), **context,
        }  # fmt: skip
        return self.render(request, self.upload_template, **context)

    @method_decorator([never_cache, sensitive_post_parameters()])
    def fill_in(self, request: HttpRequest) -> HttpResponse:
        """A file of one row: what is wrong stands beside the field that it is about, and nothing typed is lost."""
        form = self.form_of_row(request)
        refused: Iterable[Problem] = ()
        if form.is_valid():
            try:
                document = self.process.type_in([self.typed(form)], by=actor(request), on=clock.today())
            except Refused as said:
                refused = beside_fields(form, self.process.intake, said.problems)
            else:
                return HttpResponseRedirect(self.url_of(document))
        groups = [(heading, [form[name] for name in names]) for heading, names in self.form_groups]
        context = {"form": form, "groups": groups, "refused": refused, "hint": self.hint, **self.form_context(request)}
        return self.render(request, self.form_template, title=self.form_label, **context)

    def form_of_row(self, request: HttpRequest) -> forms.Form:
        initial = {**self.form_initial(request), **request.GET.dict()}
        return row_form(self.process.intake)(request.POST or None, initial=initial)

    def typed(self, form: forms.Form) -> dict[str, Any]:
        """What the form says, by field; a field left out is an empty cell."""
        return form.cleaned_data

    def form_initial(self, request: HttpRequest) -> dict[str, Any]:
        """What is mostly so, or stands already, by field; what the address says of a field goes before it."""
        return {}

    def form_context(self, request: HttpRequest) -> dict[str, Any]:
        """What a room says beside its form, such as the limits in force."""
        return {}

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
        problems = intakes.problems_of(found, self.process.intake, start, PROBLEMS_A_PAGE)
        counts, by_code = intakes.problem_counts(found), self.process.intake.by_code
        names = self.row_names(found, {problem.row for problem in problems if problem.row})
        context = super().page_context(request, found)
        return {
            **context,
            **self._rows_shown(request, found),
            "title": f"{self.opts.verbose_name} {found.number}",
            "problems": [
                {**p.as_json(), "found": p.found, "name": names.get(p.row or 0), "confirmed": p.confirmed}
                for p in problems
            ],
            "problem_count": sum(counts.values()),
            "problem_rows": intakes.problem_row_count(found),
            "problems_next_url": f"{self.url_of(found)}?from={start + PROBLEMS_A_PAGE}"
            if len(problems) == PROBLEMS_A_PAGE
            else "",
            "confirmable": [
                {"code": code, "label": by_code[code].title, "count": count}
                for code, count in counts.items()
                if by_code[code].confirmable and code not in found.confirmed and found.state == "refused"
            ],
            "confirm_url": self.page_url("confirm", found.pk),
            "annotated_url": self.page_url("annotated", found.pk) if found.file_id else "",
            "source_url": self.page_url("source", found.pk) if found.file_id else "",
            "upload_url": self.page_url("upload"),
            "decides": any(verb["name"] == "approve" for verb in context["verbs"]),
        }

    def blank(self, request: HttpRequest) -> HttpResponse:
        """The empty workbook with the headings as we write them; account and ID columns are text."""
        workbook = io.BytesIO()
        title = str(self.opts.verbose_name)
        spreadsheets.write_table(
            workbook, title=title, columns=self.process.intake.columns, rows=(), choices=self.process.intake.choices
        )
        return download(workbook.getvalue(), f"{title}模板.xlsx")

    def rows_context(self, request: HttpRequest, document: Any) -> dict[str, Any]:
        """A page of the document's rows, by key."""
        if not self.row_cells:
            return {}
        fields = [field for _, field, _ in self.row_cells]
        labels = {
            f.name: dict(f.flatchoices) for f in self.process.intake.rows._meta.fields if f.name in fields and f.choices
        }
        holders = [kind for *_, kind in self.row_cells if kind in registry.holders]
        rows, next_url = self.page_of_rows(request, document, *fields, *(f"{kind}_id" for kind in holders))
        accounts = {kind: registry.holders[kind]({r[f"{kind}_id"] for r in rows} - {None}) for kind in holders}

        def cell(row: dict[str, Any], field: str, kind: str) -> tuple[str, Any, str]:
            if kind in accounts:
                label = accounts[kind].get(row[f"{kind}_id"])
                return "account", row[field], label.url if label else ""
            return kind, labels.get(field, {}).get(row[field], row[field]), ""

        return {
            "row_titles": [(title, "account" if kind in accounts else kind) for title, _, kind in self.row_cells],
            "rows": [(row["row"], [cell(row, field, kind) for _, field, kind in self.row_cells]) for row in rows],
            "rows_next_url": next_url,
        }

    def page_of_rows(self, request: HttpRequest, document: Any, *fields: str) -> tuple[list[dict[str, Any]], str]:
        """These fields of the rows after the one that the address names, a page of them, and where the next one is."""
        after = int(request.GET["row"]) if request.GET.get("row", "").isdigit() else 0
        found = self.rows_of(document).filter(row__gt=after).order_by("row")
        rows = list(found.values("row", *fields)[: ROWS_A_PAGE + 1])
        more = len(rows) > ROWS_A_PAGE
        return rows[:ROWS_A_PAGE], f"{self.url_of(document)}?row={rows[ROWS_A_PAGE - 1]['row']}" if more else ""

    def _rows_shown(self, request: HttpRequest, document: Any) -> dict[str, Any]:
        """The rows; a single one, such as a form's, is shown as a list of its values instead of a table."""
        context = self.rows_context(request, document)
        if document.row_count == 1 and context.get("rows"):
            ((_, cells),) = context["rows"]
            context["only_row"] = [
                (title, *cell) for (title, _), cell in zip(context["row_titles"], cells, strict=True)
            ]
        return context

    def rows_of(self, document: Any) -> models.QuerySet[Any]:
        """The rows of the document; a room may add columns that ``row_cells`` names."""
        rows: Any = self.process.intake.rows._default_manager
        return rows.filter(batch=document)

    def row_names(self, document: Any, rows: set[int]) -> dict[int, str | None]:
        return dict(self.rows_of(document).filter(row__in=rows).values_list("row", self.row_name))

    def confirm(self, request: HttpRequest, object_id: int) -> HttpResponse:
        document = self.find(request, str(object_id))
        codes = request.POST.getlist("confirm")
        try:
            intakes.confirm(document, self.process.intake, codes, by=actor(request), on=clock.today())
        except Refused as refused:
            for problem in refused.problems:
                messages.error(request, problem.message)
        return HttpResponseRedirect(self.url_of(document))

    def source(self, request: HttpRequest, object_id: int) -> HttpResponse:
        document = self.find(request, str(object_id))
        audit.record("download_source", document)
        return download(files.load(document.file), document.file.name, "application/octet-stream")

    def annotated(self, request: HttpRequest, object_id: int) -> HttpResponse:
        document = self.find(request, str(object_id))
        try:
            workbook = intakes.annotated(document, self.process.intake)
        except Refused as unreadable:
            messages.error(request, str(unreadable))
            return HttpResponseRedirect(self.url_of(document))
        audit.record("download_annotated", document)
        return download(workbook, f"{document.file.name.rsplit('.', 1)[0]}（错误原因）.xlsx")
