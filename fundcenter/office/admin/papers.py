"""Papers on screen: what a button prints, 出具记录, and a branch's month (月度资料)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from fundcenter import clock, identifiers, months, scope
from fundcenter.office.admin.lists import DayFilter
from fundcenter.office.admin.records import RecordAdmin, actor, pdf_response
from fundcenter.office.admin.site import site
from fundcenter.office.models import Branch, IssuedPaper
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import issuing, jobs

MONTHS_SHOWN = 24
JOBS_SHOWN = 10


def public_address(request: HttpRequest) -> str:
    """Where a paper's number is answered for: the centre's public address, or the one that this page has."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def print_now(
    request: HttpRequest, paper_of: Callable[[], issuing.Paper], document: models.Model, *, back: str
) -> HttpResponse:
    """The paper, shown in the browser; refused, the page ``back`` with the reason."""
    try:
        paper = paper_of()
        issued = issuing.issue(paper, document, by=actor(request), site=public_address(request))
    except Refused as refused:
        return _said(request, refused, back)
    return pdf_response(issued.content, paper.name)


def print_later(request: HttpRequest, document: models.Model, subject: str, *, back: str, **args: Any) -> HttpResponse:
    """Have the worker print it, and show on the page ``back`` how far it is. Only by POST: a prefetched link asks nobody."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    jobs.defer(
        document, "print", by=actor(request), on=clock.today(), subject=subject, site=public_address(request), **args
    )
    return HttpResponseRedirect(back)


def _said(request: HttpRequest, refused: Refused, back: str) -> HttpResponse:
    for problem in refused.problems:
        messages.error(request, problem.message)
    return HttpResponseRedirect(back)


@admin.register(IssuedPaper, site=site)
class IssuedPaperAdmin(RecordAdmin):
    list_display = ("shown_number", "title", "subject", "branch", "issued_by", "issued_at")
    list_display_links = ("shown_number",)
    list_filter = (("issued_at", DayFilter), "title")
    list_select_related = ("branch", "issued_by")
    search_fields = ("number__startswith",)
    search_help_text = "验证码"
    ordering = ("-id",)
    empty_list = "没有符合条件的出具记录。每打印一次凭证、对账单等，这里记一条。"

    def get_search_results(self, request: HttpRequest, queryset: Any, term: str) -> tuple[Any, bool]:
        typed = identifiers.read_paper_number(term) or term.replace("-", "").upper()
        return super().get_search_results(request, queryset, typed)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        """What whoever holds it is shown."""
        return HttpResponseRedirect(reverse("verify", args=[str(self.find(request, object_id))]))

    @admin.display(description="验证码", ordering="id")
    def shown_number(self, paper: IssuedPaper) -> str:
        return format_html('<span class="fits">{}</span>', paper)


@admin.register(Branch, site=site)
class BranchAdmin(RecordAdmin):
    """月度资料: what a branch prints of its month. Branches themselves change by resolution, not here."""

    page_template = "office/branch.html"
    list_display = ("name", "shown_this_month", "shown_last_month", "code")
    ordering = ("code",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return Branch.objects.filter(pk__in=scope.visible_branches())

    @admin.display(description="本月")
    def shown_this_month(self, branch: Branch) -> str:
        return self._reports(branch, months.first(clock.today()))

    @admin.display(description="上月")
    def shown_last_month(self, branch: Branch) -> str:
        return self._reports(branch, months.shift(clock.today(), -1))

    def _reports(self, branch: Branch, month: date) -> str:
        """What is printed at once, by one button."""
        buttons = [self._button(branch, code, month) for code, kind in registry.month_papers.items() if not kind.large]
        links = ((button["url"], button["title"], months.text(month)) for button in buttons)
        return format_html_join(" ", '<a class="button" href="{}">{} {}</a>', links)

    def get_urls(self) -> list[URLPattern]:
        of_month = self.admin_site.admin_view(self.print)
        name = "office_branch_print"
        return [path("<int:object_id>/<slug:paper>/<str:month>/", of_month, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Whoever has one branch is shown its months."""
        branches = scope.visible_branches()
        if len(branches) == 1 and self.has_view_permission(request):
            return HttpResponseRedirect(_page_of(branches[0]))
        return super().changelist_view(request, {"title": "月度资料", **(extra_context or {})})

    def page_context(self, request: HttpRequest, found: Branch) -> dict[str, Any]:
        this_month = months.first(clock.today())
        span = [months.shift(this_month, -back) for back in range(MONTHS_SHOWN)]
        return {
            "title": f"{found.name} 月度资料",
            "papers": registry.month_papers.values(),
            "months": [(month, [self._button(found, code, month) for code in registry.month_papers]) for month in span],
            "jobs": [(job, jobs.shown_note(job)) for job in jobs.asked(found, "print", JOBS_SHOWN)],
        }

    def _button(self, branch: Branch, code: str, month: date) -> dict[str, Any]:
        url = reverse("admin:office_branch_print", args=[branch.pk, code, months.text(month)])
        return {"url": url, "large": registry.month_papers[code].large, "title": registry.month_papers[code].title}

    def print(self, request: HttpRequest, object_id: int, paper: str, month: str) -> HttpResponse:
        branch, kind = self.find(request, str(object_id)), registry.month_papers.get(paper)
        try:
            wanted = months.parse(month)
        except ValueError:
            raise Http404 from None
        if kind is None:
            raise Http404
        back = _page_of(branch.pk)
        if not kind.large:
            return print_now(request, lambda: kind.paper(branch, wanted), branch, back=back)
        try:
            kind.paper(branch, wanted)
        except Refused as refused:
            return _said(request, refused, back)
        subject = f"{branch.name} {months.text(wanted)} {kind.title}"
        return print_later(request, branch, subject, back=back, paper=paper, month=months.text(wanted))


def _page_of(branch_id: int) -> str:
    return reverse("admin:office_branch_change", args=[branch_id])
