"""A believable city to try things in."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from demo import city
from fundcenter import clock
from fundcenter.office.management.verb import VerbCommand
from fundcenter.office.models import Branch


class Command(VerbCommand):
    help = "建立一座演示城市：13 个分支机构、人员、单位、职工和若干月的汇缴"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--members", type=int, required=True, help="职工人数")
        parser.add_argument("--employers", type=int, help="单位个数（默认每 40 人一个，至少 13 个）")
        parser.add_argument("--months", type=int, default=3, help="已汇缴的月数（默认 3）")
        parser.add_argument("--seed", type=int, default=1, help="随机种子（默认 1）")

    def verb(self, members: int, employers: int | None, months: int, seed: int, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        if Branch.objects.exists():
            raise CommandError("此处已有一座城市；请用另一个 FUNDCENTER_HOME，演示数据不与已有数据混放。")
        say = (lambda line: self.stderr.write(line)) if _["json"] else (lambda line: self.stdout.write(line))
        founded = city.build(
            members=members, employers=employers or max(13, members // 40), months_paid=months, seed=seed,
            today=clock.today(), say=say,
        )  # fmt: skip
        return founded.as_json()

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"下一个汇缴月份：{result['month']}；单位 {len(result['employers'])} 个"
        for person in result["persons"]:
            yield f"  {person['username']:<20} {person['role']:<10} {person['branch']:<3} {person['name']}"
        yield f"口令（演示用，各人相同）：{result['persons'][0]['password']}"
