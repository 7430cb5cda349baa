"""汇缴: upload a register, and with ``--approve-as`` submit, review and post it."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.contributions.models import Batch
from accounts.contributions.services import remittance
from fundcenter import clock
from fundcenter.office.management.verb import VerbCommand, acting, refusal, sentence
from fundcenter.office.refusals import Refused
from fundcenter.office.services.intake import problems_of


class Command(VerbCommand):
    help = "上传汇缴清册并检查；给出 --approve-as 时提交复核并入账"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="清册文件（.xlsx .xls .csv）")
        parser.add_argument("--as", dest="clerk", required=True, help="经办的登录名")
        parser.add_argument("--approve-as", dest="reviewer", help="复核的登录名")
        parser.add_argument(
            "--queue", action="store_true", help="大批量交后台任务办理，不等结果（状态 staged、posting）"
        )
        parser.add_argument("--confirm", nargs="+", default=[], metavar="CODE", help="确认属实、不再阻止的提示代码")

    def verb(  # type: ignore[override]
        self, file: Path, clerk: str, reviewer: str | None, confirm: list[str], queue: bool, **_: Any
    ) -> dict[str, Any]:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"不能读取文件 {file}：{error.strerror}") from error
        with acting(clerk) as by:
            try:
                batch = remittance.REGISTERS.upload(
                    content, file.name, by=by, on=clock.today(), confirm=confirm, at_once=not queue
                )
                if reviewer and batch.state == "checked":
                    remittance.REGISTERS.submit(batch, by=by, on=clock.today())
            except Refused as refused:
                return {"upload": None, "state": "refused", "rows": 0, **refusal(refused), "registers": []}
            checked = self._result(batch)
        if not reviewer or batch.state != "submitted":
            return checked
        with acting(reviewer) as by:
            try:
                mine = Batch.objects.visible().get(pk=batch.pk)
                remittance.REGISTERS.approve(mine, by=by, on=clock.today(), at_once=not queue)
            except Batch.DoesNotExist:
                raise CommandError(f"{by.name}看不到批次 {batch.number}：不属于同一机构。") from None
            except Refused as refused:
                return {**checked, **refusal(refused)}
            return self._result(Batch.objects.get(pk=batch.pk))

    def _result(self, batch: Batch) -> dict[str, Any]:
        registers = batch.registers.select_related("employer", "voucher")
        return {
            "upload": batch.number,
            "state": batch.state,
            "rows": batch.row_count,
            "refused": batch.state == "refused",
            "problems": [problem.as_json() for problem in problems_of(batch, remittance.REGISTERS.intake)],
            "registers": [
                {
                    "employer": register.employer.number,
                    "month": f"{register.month:%Y-%m}",
                    "members": register.member_count,
                    "total": register.total,
                    "voucher": str(register.voucher) if register.voucher else None,
                }
                for register in registers
            ],
        }

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"批次 {result['upload'] or '（未受理）'}：{result['rows']} 行，{_STATES.get(result['state'], result['state'])}"
        for problem in result["problems"]:
            yield sentence(problem)
        for register in result["registers"]:
            voucher = f"，凭证 {register['voucher']}" if register["voucher"] else ""
            yield f"  单位 {register['employer']} {register['month']}：{register['members']} 人，{register['total']} 元{voucher}"


_STATES = Batch.machine.labels
