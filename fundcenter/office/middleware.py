"""Puts the person who signed in, and their branches, around each request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from fundcenter.scope import acting_as


class ScopeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        with acting_as(user, address=request.META.get("REMOTE_ADDR")):
            response = self.get_response(request)
            if response.streaming:
                # Its rows would be fetched after the scope has ended, and there would be none.
                raise RuntimeError("响应须在操作人范围内生成完毕，不得流式输出")
            return response
