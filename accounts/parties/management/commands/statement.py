"""对账单: a member's statement as PDF."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.parties.models import Member
from accounts.parties.reports import statement_paper
from fundcenter import clock
from fundcenter.office.management.verb import VerbCommand, whole_city
from fundcenter.office.models import User
from fundcenter.office.services.issuing import issue


class Command(VerbCommand):
    help = "生成个人明细对账单（PDF）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("member", help="个人账号")
        parser.add_argument("--out", type=Path, required=True, help="写到哪个 .pdf 文件")

    def verb(self, member: str, out: Path, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with whole_city():
            found = Member.objects.visible().filter(number=member).select_related("employer").first()
            if found is None:
                raise CommandError(f"没有个人账号 {member}。")
            paper = statement_paper(found, until=clock.today())
            issued = issue(paper, found, by=User.objects.system())
            out.write_bytes(issued.content)
        return {"member": member, "file": str(out), "number": str(issued.record)}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"对账单：{result['file']}"
