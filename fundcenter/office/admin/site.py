"""The one admin site: its frame (menu, branch, business day), the home page, and the demo's switcher of persons."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.http import require_POST

from fundcenter import clock
from fundcenter.office.admin.records import actor
from fundcenter.office.models import User
from fundcenter.office.registry import MenuEntry, registry

SECTIONS = ("归集", "提取", "贷款", "资金核算", "预算绩效", "报表", "稽核", "系统")
HOME_ROWS = 8


class FundSite(admin.AdminSite):
    site_header = site_title = settings.CENTRE_NAME
    index_title = "工作台"
    index_template = "office/home.html"
    login_template = "office/login.html"
    enable_nav_sidebar = False
    empty_value_display = "—"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        mine: list[URLPattern | URLResolver] = []
        if settings.DEMO:
            mine = [path("switch/", require_POST(self.admin_view(self.switch)), name="switch")]
        return mine + super().get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if request.user.is_authenticated:
            context |= {
                "centre": settings.CENTRE_NAME,
                "menu": list(self._menu(request)),
                "today": clock.today(),
                "switch_persons": self._persons() if settings.DEMO else (),
            }
        return context

    def _menu(self, request: HttpRequest) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Sections in the order of the business, each line with what waits behind it for this person."""
        seen = [entry for entry in registry.menu if not entry.roles or actor(request).holds(*entry.roles)]
        seen.sort(key=lambda entry: (SECTIONS.index(entry.section), entry.order))
        for section, entries in groupby(seen, key=lambda entry: entry.section):
            yield section, [self._line(request, entry) for entry in entries]

    def _line(self, request: HttpRequest, entry: MenuEntry) -> dict[str, Any]:
        url = reverse(entry.url_name)
        waiting = registry.queues[entry.queue].count(actor(request)) if entry.queue else 0
        return {"name": entry.name, "url": url, "here": request.path.startswith(url), "waiting": waiting}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """工作台: what waits for me, what I began, today's figures."""
        waiting = [work for queue in registry.queues.values() for work in queue.waiting(actor(request), HOME_ROWS)]
        mine = [work for queue in registry.queues.values() for work in queue.mine(actor(request), HOME_ROWS)]
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "waiting": sorted(waiting, key=lambda work: work.since)[:HOME_ROWS],
            "waiting_count": sum(queue.count(actor(request)) for queue in registry.queues.values()),
            "mine": sorted(mine, key=lambda work: work.since, reverse=True)[:HOME_ROWS],
            "figures": [figure for figures in registry.figures for figure in figures(actor(request))],
            "charts": [chart for charts in registry.charts for chart in charts(actor(request))],
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, self.index_template, context)

    def _persons(self) -> list[User]:
        return list(
            User.objects.filter(is_active=True).exclude(roles=[]).select_related("branch").order_by("branch_id", "pk")
        )

    def switch(self, request: HttpRequest) -> HttpResponse:
        """Demo only: become another person, so that one visitor plays clerk and reviewer."""
        person = next((p for p in self._persons() if p.username == request.POST.get("username")), None)
        if person is None:
            raise Http404
        login(request, person, backend="django.contrib.auth.backends.ModelBackend")
        return HttpResponseRedirect(reverse("admin:index"))


site = FundSite()
