"""记账凭证 for programs: read, of the token's own branch."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ledger.models import Voucher
from accounts.ledger.reports import source_of, voucher_lines
from fundcenter.office.api.answers import BIGGEST_KEY, AmountField, Page, beyond, given, page
from fundcenter.office.api.views import ApiView
from fundcenter.office.refusals import NOT_YOURS, Refused

LONGEST = 19  # of what a caller asked for, in the answer that there is none


class VoucherLineSerializer(serializers.Serializer):
    """分录"""

    account_code = serializers.CharField(help_text="科目代码")
    account_name = serializers.CharField(help_text="科目名称")
    holder = serializers.SerializerMethodField(help_text="户：账号和名称；不按户核算的科目、不属于本机构的户为 null")
    debit = AmountField(help_text="借方（元）")
    credit = AmountField(help_text="贷方（元）")

    def get_holder(self, line: dict[str, Any]) -> str | None:
        return str(line["holder"]) if line["holder"] else None


class VoucherSerializer(serializers.Serializer):
    """记账凭证"""

    id = serializers.IntegerField(help_text="凭证的标识")
    number = serializers.CharField(help_text="凭证字号，如 批-000431", source="__str__")
    date = serializers.DateField(help_text="记账日期")
    kind = serializers.CharField(help_text="凭证种类", source="kind.name")
    branch = serializers.CharField(help_text="机构代码", source="branch.code")
    summary = serializers.CharField(help_text="摘要")
    amount = AmountField(help_text="金额（元）")
    prepared_by = serializers.CharField(help_text="制单", source="prepared_by.name")
    reviewed_by = serializers.CharField(help_text="复核", source="reviewed_by.name")
    reverses = serializers.IntegerField(help_text="所冲销凭证的标识", source="reverses_id", allow_null=True)
    source = serializers.SerializerMethodField(help_text="来源单据的编号")

    def get_source(self, voucher: Voucher) -> str | None:
        source = source_of(voucher)
        return source.number if source else None


class VoucherPageSerializer(VoucherSerializer):
    """记账凭证，连同一页分录"""

    lines = VoucherLineSerializer(many=True, help_text="分录")
    next = serializers.CharField(allow_null=True, help_text="下一页分录的地址；没有更多为 null")


class LinesQuery(Page):
    after = serializers.IntegerField(
        min_value=1, max_value=BIGGEST_KEY, required=False, help_text="自这条分录之后；取自上一页的 next"
    )


class VoucherView(ApiView):
    @extend_schema(
        operation_id="voucher",
        summary="凭证及其分录",
        tags=["资金核算"],
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH, description="凭证的标识"), LinesQuery],
        responses=VoucherPageSerializer,
    )
    def get(self, request: Request, id: int) -> Response:
        asked = given(LinesQuery, request.query_params)
        found = Voucher.objects.visible().select_related("kind", "branch", "prepared_by", "reviewed_by")
        voucher: Any = found.filter(pk=id).first()
        if voucher is None:
            raise Refused([NOT_YOURS.problem(what=f"凭证 {str(id)[:LONGEST]}")])
        lines = voucher_lines(voucher, after=asked.get("after", 0), most=asked["limit"] + 1)
        shown = page(lines, VoucherLineSerializer, asked["limit"], beyond(request, "after", lambda line: line["id"]))
        return Response({**VoucherSerializer(voucher).data, "lines": shown["results"], "next": shown["next"]})
