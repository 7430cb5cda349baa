"""汇缴 for programs: a register is uploaded, followed, mended and submitted. Who approves it is a person, on screen."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contributions.models import Batch, Register
from accounts.contributions.services import remittance
from accounts.contributions.services.templates import register_template
from accounts.parties.api import find as find_party
from accounts.parties.models import Employer
from fundcenter import clock, months
from fundcenter.office.api.answers import (
    BIGGEST_KEY,
    FILE_TOO_LARGE,
    PAGE_MOST,
    WORKBOOK,
    AmountField,
    ErrorSerializer,
    MonthField,
    Page,
    ProblemSerializer,
    beyond,
    given,
    page,
    page_of,
    problem_json,
    workbook,
)
from fundcenter.office.api.views import ApiView
from fundcenter.office.refusals import NOT_YOURS, Refused
from fundcenter.office.services import audit, intake, jobs
from fundcenter.spreadsheets import LIMITS

MB = 1024 * 1024

INTAKE = remittance.REGISTERS.intake
CONFIRMABLE = [refusal.code for refusal in INTAKE.refusals if refusal.confirmable]
PLACE = re.compile(r"^[0-9]{0,9}\.[0-9]{1,18}\Z")
LONGEST_NUMBER = 20
NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="批次编号，如 HJ202603-000187")
EMPLOYER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="单位账号，12 位数字")
REFUSED = OpenApiResponse(ErrorSerializer, description="不予办理：code 和 problems 说明原因")
TAG = "汇缴"


def find(number: str) -> Batch:
    """The batch of this printed number. Refused alike whether there is none or it is another branch's."""
    key = Batch.key_in(number) if len(number) <= LONGEST_NUMBER else None
    batch = Batch.objects.visible().filter(pk=key).select_related("maker", "file").first() if key else None
    if batch is None or batch.number != number.upper():
        raise Refused([NOT_YOURS.problem(what=f"批次 {number[:19]}")])
    return batch


# --- what is asked ----------------------------------------------------------------------------------------------------


class UploadSerializer(serializers.Serializer):
    """要上传的清册"""

    file = serializers.FileField(
        allow_empty_file=True, help_text=f"汇缴清册，.xlsx、.xls 或 .csv，至多 {LIMITS.bytes // 2**20} MB"
    )
    confirm = serializers.ListField(
        child=serializers.ChoiceField(CONFIRMABLE),
        required=False,
        default=list,
        help_text="确认属实、不再阻止的提示代码",
    )


class ConfirmSerializer(serializers.Serializer):
    """要确认的提示"""

    codes = serializers.ListField(
        child=serializers.ChoiceField(CONFIRMABLE),
        allow_empty=False,
        min_length=1,
        help_text="确认属实、不再阻止的提示代码",
    )


class SubmitSerializer(serializers.Serializer):
    """提交"""

    opinion = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text="意见")


class ProblemsQuery(Page):
    after = serializers.RegexField(PLACE, required=False, help_text="自这一处之后；取自上一页的 next")

    def validate_after(self, text: str) -> tuple[int | None, int]:
        row, _, key = text.partition(".")
        return int(row) if row else None, int(key)


class RegistersQuery(Page):
    after = serializers.IntegerField(
        min_value=1, max_value=BIGGEST_KEY, required=False, help_text="自这份清册之后；取自上一页的 next"
    )


class MonthQuery(serializers.Serializer):
    month = MonthField(help_text="缴存月份，如 2026-03")


# --- what is answered -------------------------------------------------------------------------------------------------


class RegisterSerializer(serializers.Serializer):
    """清册：一个单位的一个月"""

    employer = serializers.CharField(help_text="单位账号", source="employer.number")
    month = MonthField(help_text="缴存月份")
    members = serializers.IntegerField(help_text="人数", source="member_count")
    total = AmountField(help_text="合计（元）")
    voucher = serializers.SerializerMethodField(help_text="凭证字号；未入账为 null")
    voucher_id = serializers.IntegerField(help_text="凭证的标识；未入账为 null", allow_null=True)

    def get_voucher(self, register: Register) -> str | None:
        return str(register.voucher) if register.voucher else None


class ProgressSerializer(serializers.Serializer):
    """后台任务的进度"""

    state = serializers.CharField(help_text="waiting 排队中，running 进行中")
    done = serializers.IntegerField(help_text="已办")
    total = serializers.IntegerField(help_text="共；0 为尚不知道")
    note = serializers.CharField(help_text="说明")


class BatchSerializer(serializers.Serializer):
    """汇缴批次：一个上传的文件"""

    upload = serializers.CharField(help_text="批次编号", source="number")
    state = serializers.CharField(
        help_text="、".join(f"{state} {label}" for state, label in Batch.machine.labels.items())
    )
    rows = serializers.IntegerField(help_text="行数", source="row_count")
    errors = serializers.IntegerField(help_text="阻止受理的问题数", source="error_count")
    total = AmountField(help_text="合计金额（元）")
    confirmed = serializers.ListField(child=serializers.CharField(), help_text="已确认的提示代码")
    progress = serializers.SerializerMethodField(help_text="正在检查或入账时的进度；没有任务为 null")

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, batch: Batch) -> dict[str, Any] | None:
        job = jobs.of(batch)
        return ProgressSerializer(jobs.as_json(job)).data if job else None


class UploadedSerializer(BatchSerializer):
    """汇缴批次，连同它的问题和清册"""

    problems = ProblemSerializer(many=True, help_text=f"问题，至多 {PAGE_MOST} 处")
    problems_next = serializers.CharField(allow_null=True, help_text="其余问题的地址；没有更多为 null")
    registers = RegisterSerializer(many=True, help_text=f"清册，至多 {PAGE_MOST} 份")
    registers_next = serializers.CharField(allow_null=True, help_text="其余清册的地址；没有更多为 null")


def problem_lines(batch: Batch, after: tuple[int | None, int] | None, most: int) -> list[dict[str, Any]]:
    return [
        {**problem_json(problem), "place": f"{row or ''}.{key}"}
        for (row, key), problem in intake.problems_after(batch, INTAKE, after, most)
    ]


def register_lines(batch: Batch, after: int, most: int) -> list[Register]:
    return list(batch.registers.filter(pk__gt=after).select_related("employer", "voucher").order_by("pk")[:most])


def told(number: str) -> dict[str, Any]:
    """How a batch stands, and how far a job has come with it."""
    return BatchSerializer(find(number)).data


def told_whole(batch: Batch) -> dict[str, Any]:
    """What ``manage.py remit`` prints of a batch, of its problems and registers the first page."""
    own = reverse("api-upload", args=[batch.number])
    problems = page(
        problem_lines(batch, None, PAGE_MOST + 1), ProblemSerializer, PAGE_MOST,
        lambda line: f"{own}/problems?after={line['place']}",
    )  # fmt: skip
    registers = page(
        register_lines(batch, 0, PAGE_MOST + 1), RegisterSerializer, PAGE_MOST,
        lambda register: f"{own}/registers?after={register.pk}",
    )  # fmt: skip
    return {
        **told(batch.number),
        "problems": problems["results"], "problems_next": problems["next"],
        "registers": registers["results"], "registers_next": registers["next"],
    }  # fmt: skip


# --- endpoints --------------------------------------------------------------------------------------------------------


class RegisterUploadView(ApiView):
    parser_classes = (MultiPartParser,)
    body_limit = LIMITS.bytes + MB
    too_large = FILE_TOO_LARGE
    cost = 10

    @extend_schema(
        operation_id="upload_register",
        summary="上传汇缴清册并检查",
        description="答复列出所有行的所有问题。state 为 refused 的可更正后重新上传，为 checked 的可提交复核；"
        "大文件由后台任务检查，state 为 staged，请稍后再查询。",
        tags=[TAG],
        request={"multipart/form-data": UploadSerializer},
        responses={201: UploadedSerializer, 409: REFUSED, 413: REFUSED, 422: REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = given(UploadSerializer, request.data)
        file = asked["file"]
        batch = remittance.REGISTERS.upload(
            file.read(), file.name, by=request.user, on=clock.today(), confirm=asked["confirm"]
        )
        headers = {"Location": reverse("api-upload", args=[batch.number])}
        return Response(told_whole(batch), status=201, headers=headers)


class UploadView(ApiView):
    @extend_schema(
        operation_id="upload",
        summary="一个批次的状态和进度",
        tags=[TAG],
        parameters=[NUMBER],
        responses=BatchSerializer,
    )
    def get(self, request: Request, number: str) -> Response:
        return Response(told(number))


class ProblemsView(ApiView):
    @extend_schema(
        operation_id="upload_problems",
        summary="一个批次的问题，按行的次序，全表的在后",
        tags=[TAG],
        parameters=[NUMBER, ProblemsQuery],
        responses=page_of(ProblemSerializer),
    )
    def get(self, request: Request, number: str) -> Response:
        asked = given(ProblemsQuery, request.query_params)
        lines = problem_lines(find(number), asked.get("after"), asked["limit"] + 1)
        return Response(page(lines, ProblemSerializer, asked["limit"], beyond(request, "after", lambda x: x["place"])))


class RegistersView(ApiView):
    @extend_schema(
        operation_id="upload_registers",
        summary="一个批次的清册，每个单位每月一份",
        tags=[TAG],
        parameters=[NUMBER, RegistersQuery],
        responses=page_of(RegisterSerializer),
    )
    def get(self, request: Request, number: str) -> Response:
        asked = given(RegistersQuery, request.query_params)
        lines = register_lines(find(number), asked.get("after", 0), asked["limit"] + 1)
        return Response(page(lines, RegisterSerializer, asked["limit"], beyond(request, "after", lambda x: x.pk)))


class AnnotatedView(ApiView):
    @extend_schema(
        operation_id="upload_annotated",
        summary="原表加一列“错误原因”",
        tags=[TAG],
        parameters=[NUMBER],
        responses=WORKBOOK,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        batch = find(number)
        if batch.file is None:
            raise Refused([NOT_YOURS.problem(what=f"批次 {batch.number} 的原表")])
        audit.record("download_annotated", batch)
        return workbook(intake.annotated(batch, INTAKE), f"{batch.number} 错误原因.xlsx")


class SubmitView(ApiView):
    @extend_schema(
        operation_id="submit_upload",
        summary="提交复核",
        description="复核与入账由另一人在后台办理，接口不能代为同意。",
        tags=[TAG],
        parameters=[NUMBER],
        request=SubmitSerializer,
        responses={200: UploadedSerializer, 409: REFUSED, 422: REFUSED},
    )
    def post(self, request: Request, number: str) -> Response:
        batch, asked = find(number), given(SubmitSerializer, request.data)
        remittance.REGISTERS.submit(batch, by=request.user, on=clock.today(), opinion=asked["opinion"])
        return Response(told_whole(batch))


class ConfirmView(ApiView):
    @extend_schema(
        operation_id="confirm_upload",
        summary="确认提示属实，重新检查",
        tags=[TAG],
        parameters=[NUMBER],
        request=ConfirmSerializer,
        responses={200: UploadedSerializer, 409: REFUSED, 422: REFUSED},
    )
    def post(self, request: Request, number: str) -> Response:
        batch, asked = find(number), given(ConfirmSerializer, request.data)
        intake.confirm(batch, INTAKE, asked["codes"], by=request.user, on=clock.today())
        return Response(told_whole(batch))


class TemplateView(ApiView):
    @extend_schema(
        operation_id="employer_template",
        summary="一个单位某月的汇缴清册模板，原样交回即可",
        tags=[TAG],
        parameters=[EMPLOYER, MonthQuery],
        responses=WORKBOOK,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        month = given(MonthQuery, request.query_params)["month"]
        employer = find_party(Employer.objects.visible().select_related("branch"), number, "单位账号")
        content = register_template(employer, month, on=clock.today())
        return workbook(content, f"汇缴清册 {employer.name} {months.text(month)}.xlsx")
