"""The one admin site: its frame (menu, branch, business day), the home page, and the demo's switcher of persons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

import django_otp
import segno
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from fundcenter import clock, identifiers
from fundcenter.office.admin.lists import Hit
from fundcenter.office.admin.records import RecordAdmin, actor
from fundcenter.office.models import BUSINESS, User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.registry import MenuEntry, registry
from fundcenter.office.services import audit, jobs, signing_in

SECTIONS = ("归集", "提取", "贷款", "资金核算", "预算绩效", "报表", "稽核", "系统")
HOME_ROWS = 8
HOME_JOBS = 5
HITS_A_KIND = 8
# What may stand in an address, which browsers remember: no ID number.
IMPERSONAL = re.compile(r"[0-9]{1,14}|[A-Za-z]+|.*[^\x00-\x7f].*")


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
        return [
            path("second-factor/", self.second_factor, name="second_factor"),
            path("search/", self.admin_view(self.search), name="search"),
            *mine,
            *super().get_urls(),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        return actor(request).is_verified() or not actor(request).needs_second_factor()

    @method_decorator([never_cache, sensitive_post_parameters()])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """The second page of the sign-in: six digits, or at the first time the device's enrolment."""
        if not request.user.is_authenticated:
            return HttpResponseRedirect(reverse("admin:login"))
        person, asked = actor(request), request.POST.get("next") or request.GET.get("next") or ""
        inside = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
        home = asked if inside else reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(home)
        factor = signing_in.demo_factor(person) if settings.DEMO else signing_in.factor_of(person)
        refused: tuple[Problem, ...] = ()
        if request.method == "POST":
            try:
                verified = signing_in.verify(person, request.POST.get("code", ""))
            except Refused as said:
                refused = said.problems
            else:
                request.session.cycle_key()
                django_otp.login(request, verified)
                return HttpResponseRedirect(home)
        context = {
            "site_header": self.site_header, "site_title": self.site_title, "title": "动态口令", "next": home,
            "refused": refused, "demo_code": signing_in.demo_code(person) if settings.DEMO else "",
        }  # fmt: skip
        if not factor.confirmed:
            secret = signing_in.shown_secret(factor)
            context |= {"secret": secret, "qr": _qr(secret, person.username)}
        return TemplateResponse(request, "office/second_factor.html", context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response: HttpResponse = super().password_change(request, {"title": "修改口令", **(extra_context or {})})
        if isinstance(response, HttpResponseRedirect):
            audit.record("change_password")
        return response

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if request.user.is_authenticated:
            context |= {
                "centre": settings.CENTRE_NAME,
                "menu": list(self._menu(request)),
                "today": clock.today(),
                "may_search": actor(request).holds(*BUSINESS),
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
            "jobs": list(self._jobs(request)),
            "charts": [chart for charts in registry.charts for chart in charts(actor(request))],
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, self.index_template, context)

    @method_decorator(sensitive_post_parameters())
    def search(self, request: HttpRequest) -> HttpResponse:
        """The box in the header: straight to the one thing that was meant, otherwise a few of each kind.

        It is posted, so that an ID number stands in no address; what is none goes on to an address of its own, to which
        the browser's way back leads.
        """
        posted = request.method == "POST"
        typed = (request.POST if posted else request.GET).get("q", "").strip()
        found = list(self._found(request, typed)) if typed else []
        hits = [hit for _, hits, _ in found for hit in hits]
        if len(hits) == 1:
            return HttpResponseRedirect(hits[0].url)
        if posted and IMPERSONAL.fullmatch(identifiers.clean(typed)) and identifiers.veiled(typed) == typed:
            return HttpResponseRedirect(f"{reverse('admin:search')}?{urlencode({'q': typed})}")
        context = {
            **self.each_context(request), "title": "查找", "found": found,
            "typed": "" if posted else identifiers.veiled(typed), "asked": bool(typed),
        }  # fmt: skip
        request.current_app = self.name
        return TemplateResponse(request, "office/search.html", context)

    def _found(self, request: HttpRequest, typed: str) -> Iterator[tuple[str, list[Hit], str]]:
        """By kind of thing that this person may look at: the first few, and where there are more the list of all."""
        for model_admin in self._registry.values():
            if isinstance(model_admin, RecordAdmin) and model_admin.has_view_permission(request):
                hits = model_admin.hits(request, typed, HITS_A_KIND + 1)
                if hits:
                    more_url = model_admin.more_url(typed) if len(hits) > HITS_A_KIND else ""
                    yield str(model_admin.opts.verbose_name), hits[:HITS_A_KIND], more_url

    def _jobs(self, request: HttpRequest) -> Iterator[dict[str, Any]]:
        """运行中的任务 of the branches that this person sees, each with the way to its document."""
        if actor(request).holds(*BUSINESS):
            for job in jobs.running(HOME_JOBS):
                yield {
                    "job": job,
                    "note": jobs.shown_note(job),
                    "url": reverse("admin:office_job_change", args=[job.pk]),
                }

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
        if person.needs_second_factor():
            django_otp.login(request, signing_in.demo_factor(person))
        return HttpResponseRedirect(reverse("admin:index"))


def _qr(secret: str, username: str) -> str:
    """What an authenticator app scans, as SVG without style or script: the policy of our pages allows neither."""
    issuer = quote(settings.CENTRE_NAME)
    uri = f"otpauth://totp/{issuer}:{quote(username)}?secret={secret}&issuer={issuer}&digits={signing_in.DIGITS}"
    picture = segno.make(uri, error="m").svg_inline(scale=4, border=3, svgclass=None, lineclass=None, light="#fff")
    return mark_safe(picture)  # noqa: S308 - made here, of modules alone


site = FundSite()
