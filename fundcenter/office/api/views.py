"""The view that every endpoint is."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ParseError, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fundcenter.office.api import answers
from fundcenter.office.api.authentication import TokenAuthentication, TokenMay
from fundcenter.office.refusals import Refusal, Refused
from fundcenter.office.services import throttling

KB = 1024
LONGEST_LENGTH = 20


class Json(JSONParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:  # brackets within brackets, deeper than Python follows
            raise ParseError from error


class Whatever(BaseContentNegotiation):
    """JSON, whatever the caller would rather have; what is no JSON (a workbook) says so itself."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Schema(AutoSchema):
    """Says of every operation how it can be refused; docstrings are for those who write the house, not for callers."""

    def get_description(self) -> str:
        return ""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, said in answers.USUAL.items():
            usual = OpenApiResponse(answers.ErrorSerializer, description=said)
            bodies.setdefault(status, self._get_response_for_code(usual, status))
        return bodies


class ApiView(APIView):
    """Whatever happens inside, the answer is written while the token's person acts, and afterwards nobody does."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (TokenMay,)
    parser_classes: tuple[type, ...] = (Json,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = Whatever
    http_method_names: ClassVar[list[str]] = ["get", "post", "head"]
    schema = Schema()
    body_limit: ClassVar[int] = 64 * KB
    too_large: ClassVar[Refusal] = answers.BODY_TOO_LARGE
    cost: ClassVar[int] = 1
    """How many of the token's allowance of requests one takes."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with ExitStack() as answering:
            request.answering = answering  # type: ignore[attr-defined]
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response):
                response.render()
            response["Cache-Control"] = "no-store"
            return response

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if request.auth is None:
            return
        if wait := throttling.take(f"token {request.auth.pk}", settings.API_ALLOWANCES["requests"], cost=self.cost):
            raise Throttled(wait)
        if _length(request) > self.body_limit:
            raise Refused([self.too_large.problem()])

    def get_exception_handler(self) -> Any:
        return answers.error


def _length(request: Request) -> int:
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said) if said.isdecimal() and len(said) < LONGEST_LENGTH else 0


@extend_schema(exclude=True)
class Nothing(ApiView):
    """Every address under the API that is none: said in JSON too."""

    def get(self, request: Request, **_: Any) -> Response:
        raise NotFound

    post = get
