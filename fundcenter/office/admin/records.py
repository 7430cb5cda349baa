"""How rows are shown: lists, and pages that only read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header

from fundcenter import money, scope
from fundcenter.office import reports
from fundcenter.office.admin.lists import COUNT_LIMIT, CappedPaginator, Hit, KeyedList
from fundcenter.office.models import BUSINESS, Role, User
from fundcenter.office.registry import registry

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def actor(request: HttpRequest) -> User:
    """Who signed in; the site lets nobody else come this far."""
    return cast(User, request.user)


def holds(request: HttpRequest, *roles: Role) -> bool:
    """Whether somebody signed in who holds one of these roles."""
    return request.user.is_authenticated and request.user.holds(*roles)


def figure(amount: Decimal | int) -> str:
    """A figure of a list: money with its fen, a count without. The stylesheet puts it right, and in red below zero."""
    text = money.grouped(amount) if isinstance(amount, Decimal) else f"{amount:,}"
    return format_html('<span class="num{}">{}</span>', " neg" if amount < 0 else "", text)


def chip(state: str, label: str) -> str:
    """A state of a list; the stylesheet knows its colour."""
    return format_html('<span class="chip" data-state="{}">{}</span>', state, label)


class ListAdmin(admin.ModelAdmin):
    """A list read by key, with its sums under it."""

    actions = None
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    change_list_template = "office/list.html"
    sortable_by: ClassVar[Any] = ()
    empty_list: ClassVar[str] = "没有符合条件的记录。"
    total_columns: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(name in list_display, field): the money columns whose sums stand under the list."""

    def dress(self, rows: list[Any]) -> None:
        """Put beside the rows of a page what their columns show of other tables, by one question for all of them."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyedList]:
        return KeyedList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"count_limit": COUNT_LIMIT, "empty_list": self.empty_list, **(extra_context or {})}
        return super().changelist_view(request, context)


class RecordAdmin(ListAdmin):
    """A list and a page of rows that only services change: no adding, no editing, no deleting here.

    ``viewers``: the roles that may look. ``page_template`` and ``page_context`` make the page.
    """

    viewers: ClassVar[tuple[Role, ...]] = BUSINESS
    page_template: ClassVar[str]
    list_select_related: ClassVar[Any] = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        queryset: Any = super().get_queryset(request)
        return queryset.visible()

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*super().get_list_filter(request), *registry.list_filters.get(self.opts.label_lower, ()))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Who sees several branches sees whose each row is."""
        shown = super().get_list_display(request)
        several = len(scope.visible_branches()) > 1 and "branch" not in shown
        return (*shown, "branch") if several and hasattr(self.model, "branch") else shown

    def get_list_select_related(self, request: HttpRequest) -> Any:
        return (*self.list_select_related, *(["branch"] if "branch" in self.get_list_display(request) else []))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, *self.viewers)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def hits(self, request: HttpRequest, typed: str, most: int) -> list[Hit]:
        """What the header's search box finds here, at most so many; nothing where numbers and names mean nothing."""
        return []

    def more_url(self, typed: str) -> str:
        """The list of all that the header's search box finds here."""
        return f"{reverse(f'admin:{self.opts.app_label}_{self.opts.model_name}_changelist')}?{urlencode({'q': typed})}"

    def url_of(self, found: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[found.pk])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.find(request, object_id)
        return self.page(request, found)

    def page(self, request: HttpRequest, found: Any, **more: Any) -> TemplateResponse:
        context = {"title": str(found), "object": found, **self.page_context(request, found), **more}
        return self.render(request, self.page_template, **context)

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """The row, if it is there, in scope, and this person may look. Otherwise 404: not even that it exists."""
        found = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if found is None:
            raise Http404(f"没有找到{self.opts.verbose_name} {object_id}，或它不属于您的机构。")
        return found

    def render(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        return render_page(self, request, template, **context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """变更历史 of what is remembered; of anything else there is no such page."""
        return history_page(self, request, self.find(request, object_id))

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        return {}


def render_page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, template: str, **context: Any
) -> TemplateResponse:
    site = model_admin.admin_site
    request.current_app = site.name
    own = {"opts": model_admin.opts, "model_admin": model_admin}
    return TemplateResponse(request, template, {**site.each_context(request), **own, **context})


def history_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, found: Any) -> HttpResponse:
    """变更历史: before and after of each change, newest first."""
    if not hasattr(found, "history"):
        raise Http404(f"{model_admin.opts.verbose_name}没有变更历史。")
    context = {"object": found, "changes": reports.history_of(found), "title": f"{found} 变更历史"}
    return render_page(model_admin, request, "office/history.html", **context)


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A paper, shown in the browser under this name."""
    return _file_response(content, name, "application/pdf", "inline")


def download(content: bytes, name: str, content_type: str = XLSX) -> HttpResponse:
    """A file to keep."""
    return _file_response(content, name, content_type, "attachment")


def _file_response(content: bytes, name: str, content_type: str, disposition: str) -> HttpResponse:
    header = content_disposition_header(disposition == "attachment", name) or disposition
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": header})
