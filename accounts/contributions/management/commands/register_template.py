"""清册模板: the pre-filled register of an employer's month."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.contributions.services.templates import register_template
from accounts.parties.models import Employer
from fundcenter import clock, months
from fundcenter.office.management.verb import VerbCommand, whole_city


class Command(VerbCommand):
    help = "生成预填的汇缴清册，发给单位填报"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("employer", help="单位账号")
        parser.add_argument("month", type=months.parse, help="缴存月份 2026-03")
        parser.add_argument("--out", type=Path, required=True, help="写到哪个 .xlsx 文件")

    def verb(self, employer: str, month: date, out: Path, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with whole_city():
            found = Employer.objects.visible().filter(number=employer).first()
            if found is None:
                raise CommandError(f"没有单位账号 {employer}。")
            out.write_bytes(register_template(found, month, on=clock.today()))
        return {"employer": employer, "month": months.text(month), "file": str(out)}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"清册模板：{result['file']}"
