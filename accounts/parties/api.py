"""单位 and 职工 for programs: read, of the token's own branch. Of an ID number only the mask goes out, never more."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ledger.reports import LedgerLine, balance_column, balance_of, detail_ledger
from accounts.parties.models import Employer, Member, Party
from fundcenter.office.api.answers import (
    BIGGEST_KEY,
    AmountField,
    MonthField,
    Page,
    RateField,
    beyond,
    given,
    page,
    page_of,
)
from fundcenter.office.api.views import ApiView
from fundcenter.office.refusals import NOT_YOURS, Refused
from fundcenter.office.registry import registry

P = TypeVar("P", bound=Party)

ACCOUNT = re.compile(r"^[0-9]{12}\Z")
LINE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,19}\Z")

NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="账号，12 位数字")


def find(parties: QuerySet[P], number: str, what: str) -> P:
    """The party of this number. Refused alike whether there is none or it is another branch's."""
    found = parties.filter(number=number).first() if ACCOUNT.match(number) else None
    if found is None:
        raise Refused([NOT_YOURS.problem(what=f"{what} {number[:19]}")])
    return found


# --- what is asked ----------------------------------------------------------------------------------------------------


class PartiesQuery(Page):
    number = serializers.RegexField(r"^[0-9]{1,12}\Z", required=False, help_text="账号，或其开头几位")
    name = serializers.CharField(required=False, max_length=100, help_text="名称的开头")
    after = serializers.RegexField(ACCOUNT, required=False, help_text="自这个账号之后；取自上一页的 next")


class MembersQuery(PartiesQuery):
    employer = serializers.RegexField(ACCOUNT, required=False, help_text="单位账号")


class LedgerQuery(Page):
    before = serializers.RegexField(LINE, required=False, help_text="自这一行之前；取自上一页的 next")

    def validate_before(self, text: str) -> tuple[date, int]:
        day, line = text.split(".")
        try:
            return date.fromisoformat(day), min(int(line), BIGGEST_KEY)
        except ValueError:
            raise serializers.ValidationError("没有这一天。") from None


def listed(parties: QuerySet[Any], everyone: QuerySet[Any], asked: dict[str, Any]) -> list[Any]:
    """The page asked for and one row more, in the order of (name, key): the order in which the branch's index has them."""
    if number := asked.get("number"):
        parties = parties.filter(number=number) if ACCOUNT.match(number) else parties.filter(number__startswith=number)
    if name := asked.get("name"):
        parties = parties.filter(name__startswith=name)
    if after := asked.get("after"):
        last = everyone.filter(number=after).values_list("name", "pk").first()
        if last is None:
            raise serializers.ValidationError({"after": [f"没有账号 {after}，或它不属于您的机构。"]})
        parties = parties.filter(Q(name__gt=last[0]) | Q(pk__gt=last[1]), name__gte=last[0])
    return list(parties.order_by("name", "pk")[: asked["limit"] + 1])


# --- what is answered -------------------------------------------------------------------------------------------------


class EmployerLineSerializer(serializers.Serializer):
    """单位"""

    number = serializers.CharField(help_text="单位账号")
    name = serializers.CharField(help_text="单位名称")
    state = serializers.CharField(help_text="状态：normal 正常，deferred 缓缴，sealed 封存，closed 销户")
    ratio_employer = RateField(help_text="单位缴存比例")
    ratio_member = RateField(help_text="个人缴存比例")
    suspense = AmountField(help_text="暂存款余额（元）")


class EmployerSerializer(EmployerLineSerializer):
    """单位"""

    credit_code = serializers.CharField(help_text="统一社会信用代码")
    nature = serializers.CharField(help_text="单位性质", source="get_nature_display")
    pay_day = serializers.IntegerField(help_text="发薪日")
    first_month = MonthField(help_text="首次汇缴年月")
    opened_on = serializers.DateField(help_text="开户日期")


class MemberLineSerializer(serializers.Serializer):
    """职工"""

    number = serializers.CharField(help_text="个人账号")
    name = serializers.CharField(help_text="姓名")
    id_mask = serializers.CharField(help_text="证件号码，只留头尾")
    employer = serializers.CharField(help_text="单位账号", source="employer.number")
    state = serializers.CharField(help_text="状态：normal 正常，sealed 封存，closed 销户")
    base = AmountField(help_text="缴存基数（元）")
    balance = AmountField(help_text="余额（元）")


class MemberSerializer(MemberLineSerializer):
    """职工"""

    employer_name = serializers.CharField(help_text="单位名称", source="employer.name")
    ratio_employer = RateField(help_text="单位缴存比例", source="employer.ratio_employer")
    ratio_member = RateField(help_text="个人缴存比例", source="employer.ratio_member")
    frozen = AmountField(help_text="余额中冻结的（元）")
    available = AmountField(help_text="余额中可用的（元）")
    first_month = MonthField(help_text="起缴年月")
    paid_up_to = MonthField(help_text="缴至年月；未曾缴存为 null", allow_null=True)
    opened_on = serializers.DateField(help_text="开户日期")


class LedgerLineSerializer(serializers.Serializer):
    """明细账的一行"""

    date = serializers.DateField(help_text="记账日期")
    voucher = serializers.IntegerField(help_text="凭证的标识", source="voucher_id")
    voucher_number = serializers.CharField(help_text="凭证字号", source="voucher")
    summary = serializers.CharField(help_text="摘要")
    debit = AmountField(help_text="借方（元）")
    credit = AmountField(help_text="贷方（元）")
    balance = AmountField(help_text="该行之后的余额（元）")


# --- endpoints --------------------------------------------------------------------------------------------------------


class EmployersView(ApiView):
    @extend_schema(
        operation_id="employers",
        summary="本机构的单位",
        tags=["单位与职工"],
        parameters=[PartiesQuery],
        responses=page_of(EmployerLineSerializer),
    )
    def get(self, request: Request) -> Response:
        asked, everyone = given(PartiesQuery, request.query_params), Employer.objects.visible()
        rows = listed(everyone.annotate(suspense=balance_column("21901")), everyone, asked)
        return Response(page(rows, EmployerLineSerializer, asked["limit"], beyond(request, "after", _number)))


class EmployerView(ApiView):
    @extend_schema(
        operation_id="employer",
        summary="一个单位",
        tags=["单位与职工"],
        parameters=[NUMBER],
        responses=EmployerSerializer,
    )
    def get(self, request: Request, number: str) -> Response:
        found = find(Employer.objects.visible().annotate(suspense=balance_column("21901")), number, "单位账号")
        return Response(EmployerSerializer(found).data)


class MembersView(ApiView):
    @extend_schema(
        operation_id="members",
        summary="本机构的职工",
        tags=["单位与职工"],
        parameters=[MembersQuery],
        responses=page_of(MemberLineSerializer),
    )
    def get(self, request: Request) -> Response:
        asked, everyone = given(MembersQuery, request.query_params), Member.objects.visible()
        members = everyone.select_related("employer").annotate(balance=balance_column("201"))
        if number := asked.get("employer"):
            members = members.filter(employer=find(Employer.objects.visible(), number, "单位账号"))
        rows = listed(members, everyone, asked)
        return Response(page(rows, MemberLineSerializer, asked["limit"], beyond(request, "after", _number)))


class MemberView(ApiView):
    @extend_schema(
        operation_id="member",
        summary="一名职工",
        tags=["单位与职工"],
        parameters=[NUMBER],
        responses=MemberSerializer,
    )
    def get(self, request: Request, number: str) -> Response:
        found: Any = find(Member.objects.visible().select_related("employer"), number, "个人账号")
        found.balance, found.frozen = balance_of(found.pk, "201")
        found.available = found.balance - found.frozen
        found.paid_up_to = registry.panel(found).get("paid_up_to")
        return Response(MemberSerializer(found).data)


class MemberLedgerView(ApiView):
    @extend_schema(
        operation_id="member_ledger",
        summary="一名职工的明细账，新的在前，每行带余额",
        tags=["单位与职工"],
        parameters=[NUMBER, LedgerQuery],
        responses=page_of(LedgerLineSerializer),
    )
    def get(self, request: Request, number: str) -> Response:
        asked = given(LedgerQuery, request.query_params)
        member = find(Member.objects.visible(), number, "个人账号")
        lines = detail_ledger(member.pk, "201", before=asked.get("before"), most=asked["limit"] + 1)
        return Response(page(lines, LedgerLineSerializer, asked["limit"], beyond(request, "before", _place)))


def _number(party: Any) -> str:
    return str(party.number)


def _place(line: LedgerLine) -> str:
    return f"{line.date}.{line.id}"
