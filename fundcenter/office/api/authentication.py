"""Who asks: a program with a token, in the name of a person. The session of a browser opens nothing here."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from fundcenter import clock
from fundcenter.office import refusals
from fundcenter.office.models import BUSINESS, ApiToken, User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.services import audit, throttling, tokens
from fundcenter.office.services.signing_in import client_address
from fundcenter.scope import acting_as

logger = logging.getLogger(__name__)

SCHEME = "Bearer"


class TokenAuthentication(BaseAuthentication):
    """Recognises the token and begins to act as its person. ``ApiView`` ends that when the answer is written.

    A token comes after the middleware, which saw nobody: the scope is opened here or every table would look empty.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        address = client_address(request._request)
        try:
            token = tokens.recognise(secret.strip(), on=clock.today())
        except Refused as refused:
            raise _failed(refused.problems[0], address) from refused
        answering: ExitStack = request._request.answering
        verb = "" if request.method in ("GET", "HEAD") else _verb(request)
        answering.enter_context(acting_as(token.person, address=address, verb=verb, token_id=token.pk))
        tokens.note_use(token)
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


def _verb(request: Request) -> str:
    """What the request is for, as history keeps it: its address's last word."""
    return request.path.rpartition("/")[2][:40]


def _failed(problem: Problem, address: str | None) -> Exception:
    """Failures are counted by address, and only failures: behind it there may be others, whose tokens are good."""
    logger.warning("接口令牌不被接受：%s，来自 %s", problem.code, address)
    if wait := throttling.take(f"address {throttling.neighbourhood(address)}", settings.API_ALLOWANCES["failures"]):
        return Throttled(wait)
    audit.record_for(None, "token_refused", address=address, code=problem.code)
    return AuthenticationFailed(problem.message, problem.code)


class TokenMay(BasePermission):
    """Reading is one right, sending another; what the person's role may do, the services ask again."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            missing = refusals.TOKEN_MISSING.problem()
            raise NotAuthenticated(missing.message, missing.code)
        verb = ApiToken.Verb.READ if request.method in ("GET", "HEAD") else ApiToken.Verb.UPLOAD
        if verb not in token.verbs:
            problem = refusals.TOKEN_VERB_MISSING.problem(verb=verb.label)
        elif not token.person.holds(*BUSINESS):
            problem = refusals.TOKEN_PERSON.problem(name=token.person.name)
        else:
            return True
        raise PermissionDenied(problem.message, problem.code)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the description of the API names our tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "由系统管理以 manage.py api_token 发放，代表某一机构的一名人员，只见该机构的数据。",
        }
