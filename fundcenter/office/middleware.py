"""What stands around each request: a session that ends in time, the second factor, and the person's branches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.views.debug import SafeExceptionReporterFilter

from fundcenter.office.services.signing_in import client_address
from fundcenter.scope import acting_as

Next = Callable[[HttpRequest], HttpResponse]
SEEN_EVERY = 60  # seconds: a page costs no write of the session each time
API = "/api/v"  # programs, which follow no redirect to a page


class SessionLimits:
    """A session ends after half an hour without a page and, whatever happens, after twelve hours (settings)."""

    def __init__(self, get_response: Next):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (why := _over(request)):
            asked = request.get_full_path() if request.method == "GET" else ""
            logout(request)
            if not request.path.startswith(API):
                query = {"ended": why} | ({"next": asked} if asked else {})
                return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode(query)}")
        return self.get_response(request)


def _over(request: HttpRequest) -> str:
    """Why this session is over: idle, old; empty while it lasts. A session that does not say since when is old."""
    now, session = int(time.time()), request.session
    if now - session.get("began", 0) > settings.SESSION_ABSOLUTE_SECONDS:
        return "old"
    if now - session.get("seen", 0) > settings.SESSION_IDLE_SECONDS:
        return "idle"
    # A page that asks by itself how far a job is (office.js) is nobody at work.
    if now - session["seen"] > SEEN_EVERY and "X-Polled" not in request.headers:
        session["seen"] = now
    return ""


class SecondFactorGate:
    """Whoever needs a second factor sees no page of the business before the code; all else is shut, not listed."""

    def __init__(self, get_response: Next):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated or user.is_verified() or not user.needs_second_factor():
            return self.get_response(request)
        gate = reverse("admin:second_factor")
        if request.path in (gate, reverse("admin:logout")):
            return self.get_response(request)
        if request.path.startswith(API):
            return JsonResponse({"detail": "须先输入动态口令。"}, status=403)
        asked = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return HttpResponseRedirect(f"{gate}?{urlencode({'next': asked})}")


class ScopeMiddleware:
    """Puts the person who signed in, and their branches, around each request."""

    def __init__(self, get_response: Next):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        with acting_as(user, address=client_address(request), verb=_verb(request)):
            response = self.get_response(request)
            if response.streaming:
                # Its rows would be fetched after the scope has ended, and there would be none.
                raise RuntimeError("响应须在操作人范围内生成完毕，不得流式输出")
            return response


def _verb(request: HttpRequest) -> str:
    """What a request that may change something is for, as history keeps it: the verb in its address, or its page's name."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return ""
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return ""
    return str(found.kwargs.get("verb") or (found.url_name or "").rpartition("_")[2])


class NothingShown(SafeExceptionReporterFilter):
    """Error reports name files, lines and variables, and show neither a variable's value nor what was posted.

    Django hides what a decorator names; here whatever nobody thought of is hidden too.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        posted = getattr(request, "POST", None) or {}
        return dict.fromkeys(posted, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
