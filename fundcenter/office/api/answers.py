"""What is said when the answer is no, always in the same form; and the forms that answers share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from fundcenter import identifiers, money, months
from fundcenter.office.refusals import Problem, Refusal, Refused
from fundcenter.spreadsheets import LIMITS

logger = logging.getLogger("django.request")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKBOOK = {(200, XLSX): OpenApiTypes.BINARY}
PAGE, PAGE_MOST = 50, 200
BIGGEST_KEY = 2**63 - 1

FILE_TOO_LARGE = Refusal("file_too_large", f"文件超过 {LIMITS.bytes // 2**20} MB 的上限，未予读取；请分成几个文件。")
INTERNAL = Refusal(
    "internal", "系统出错，可能没有办成；请先查询现状，没有办成的再办，办成的不会重复；仍不行请告知系统管理员。"
)
BODY_MALFORMED = Refusal("body_malformed", "请求的内容不完好，不能读取；请按接口说明的格式发送。")
BODY_TOO_LARGE = Refusal("body_too_large", "请求的内容过大，未予读取。")
NOTHING_HERE = Refusal("not_found", "没有这个接口地址；请核对接口说明。")
PARAMETER_WRONG = "parameter_wrong"

# A refusal that is not named here is one of the content: 422.
STATUS = {
    "role_missing": 403, "own_work": 403, "not_maker": 403, "no_branch": 403,
    "not_yours": 404, "not_found": 404,
    "file_same": 409, "already_moved": 409, "illegal_move": 409,
    "file_too_large": 413, "body_too_large": 413,
    "body_malformed": 400,
    "internal": 500,
    "disk_full": 507,
}  # fmt: skip


# How every operation can be refused.
USUAL = {
    "400": "参数或内容不合格式",
    "401": "没有令牌，或令牌无效、到期、停用",
    "403": "令牌没有此项权限，或所代表的人员没有此项岗位",
    "404": "没有，或不属于本机构",
    "429": "请求过于频繁，Retry-After 是应等待的秒数",
}


class ProblemSerializer(serializers.Serializer):
    """问题"""

    row = serializers.IntegerField(allow_null=True, help_text="行号，与 Excel 所见相同；全表的问题为 null")
    column = serializers.CharField(help_text="列名或参数名", allow_blank=True)
    code = serializers.CharField(help_text="代码，不随措辞变化")
    severity = serializers.CharField(help_text="error 阻止受理，warning 不阻止")
    message = serializers.CharField(help_text="说明何处不对、如何更正")


class ErrorSerializer(serializers.Serializer):
    """未予办理"""

    code = serializers.CharField(help_text="代码，不随措辞变化")
    message = serializers.CharField(help_text="说明")
    problems = ProblemSerializer(many=True)
    upload = serializers.CharField(required=False, help_text="仅 file_same：同一文件先前的批次编号")


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "example": "1102.04"})
class AmountField(serializers.Field):
    """An amount of an answer: yuan with two decimals, as a string."""

    def to_representation(self, amount: Decimal) -> str:
        return money.text(amount)


@extend_schema_field({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "example": "0.12"})
class RateField(serializers.Field):
    """A fraction, as a string without zeros at its end."""

    def to_representation(self, rate: Decimal) -> str:
        return f"{rate.normalize():f}"


@extend_schema_field({"type": "string", "pattern": "^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$", "example": "2026-03"})
class MonthField(serializers.Field):
    """A month: 2026-03. Of a caller also as the house reads months elsewhere."""

    def to_representation(self, month: date) -> str:
        return months.text(month)

    def to_internal_value(self, written: Any) -> date:
        try:
            return months.parse(str(written)[:20])
        except ValueError:
            raise serializers.ValidationError("不是年月；请写成 2026-03。") from None


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as it goes out: what a clerk typed into the wrong column must not carry an ID number out with it."""
    said = problem.as_json()
    return said | {"message": identifiers.veiled(said["message"])}


def refused(problems: Iterable[Problem], **more: Any) -> Response:
    said = [problem_json(problem) for problem in problems]
    code = said[0]["code"]
    return _no(STATUS.get(code, 422), code, said[0]["message"], said, **more)


def error(raised: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to what was raised, whatever it was. What nobody foresaw is logged and says nothing of itself."""
    match raised:
        case Refused(problems=(Problem(refusal=Refusal(code="file_same"), args={"number": first}), *_) as problems):
            return refused(problems, upload=first)
        case Refused():
            return refused(raised.problems)
        case Http404() | NotFound():
            return refused([NOTHING_HERE.problem()])
        case RequestDataTooBig():
            return refused([BODY_TOO_LARGE.problem()])
        case ParseError() | SuspiciousOperation() | UnreadablePostError():
            return refused([BODY_MALFORMED.problem()])
        case ValidationError():
            said = list(_wrong_parameters(raised.detail))
            return _no(400, PARAMETER_WRONG, said[0]["message"], said)
        case APIException():
            return _said_by_framework(raised)
    request = context["request"]._request
    logger.error("接口出错：%s", request.path, exc_info=raised, extra={"status_code": 500, "request": request})
    got_request_exception.send(sender=None, request=request)
    return refused([INTERNAL.problem()])


def _said_by_framework(raised: APIException) -> Response:
    response = _no(raised.status_code, str(raised.get_codes()), str(raised.detail), [])
    if challenge := getattr(raised, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(raised, "wait", None):
        response["Retry-After"] = str(wait)
    return response


def _wrong_parameters(detail: Any, column: str = "") -> Iterable[dict[str, Any]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # An index is a place in a list: the list's own name says more.
            yield from _wrong_parameters(
                inner, name if isinstance(name, str) and name != "non_field_errors" else column
            )
    elif isinstance(detail, list):
        for inner in detail:
            yield from _wrong_parameters(inner, column)
    else:
        message = f"{column}：{detail}" if column else str(detail)
        yield Refusal(PARAMETER_WRONG, "{text}").problem(column=column, text=message).as_json()


def _no(status: int, code: str, message: str, problems: Sequence[Mapping[str, Any]], **more: Any) -> Response:
    return Response({"code": code, "message": message, "problems": problems, **more}, status=status)


# --- pages ------------------------------------------------------------------------------------------------------------


class Page(serializers.Serializer):
    """How many, and from where on. By key, so that a page costs the same wherever it is."""

    limit = serializers.IntegerField(
        min_value=1, max_value=PAGE_MOST, default=PAGE, help_text=f"每页条数，至多 {PAGE_MOST}"
    )


def page_of(line: type[serializers.Serializer]) -> Any:
    """The form of a page of these lines."""
    return inline_serializer(
        f"{line.__name__.removesuffix('Serializer')}Page",
        {
            "results": line(many=True),
            "next": serializers.CharField(allow_null=True, help_text="下一页的地址；没有更多为 null"),
        },
    )


def page(
    rows: Sequence[Any], line: type[serializers.Serializer], limit: int, after: Callable[[Any], str]
) -> dict[str, Any]:
    """A page of ``rows``, of which one more than ``limit`` was read; ``after`` gives the address of what follows a row."""
    more = after(rows[limit - 1]) if len(rows) > limit else None
    return {"results": line(rows[:limit], many=True).data, "next": more}


def beyond(request: Request, name: str, key: Callable[[Any], object]) -> Callable[[Any], str]:
    """For ``page``: the request's own address, from a row's key on."""

    def address(row: Any) -> str:
        query = request._request.GET.copy()
        query[name] = str(key(row))
        return f"{request.path}?{query.urlencode()}"

    return address


def given(query: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    """What a caller has given, read by its form. ValidationError says all that is wrong with it."""
    asked = query(data=data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def workbook(content: bytes, name: str) -> HttpResponse:
    disposition = content_disposition_header(True, name) or "attachment"
    return HttpResponse(content, content_type=XLSX, headers={"Content-Disposition": disposition})
