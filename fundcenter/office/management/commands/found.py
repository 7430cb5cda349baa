"""开办: an empty database becomes a centre that somebody can sign in to."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from fundcenter.office.management.verb import VerbCommand, refusal, sentence
from fundcenter.office.models import Branch, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import founding
from fundcenter.scope import acting_as


class Command(VerbCommand):
    help = "开办：设立分支机构和第一名系统管理，其余人员由系统管理在屏幕上录入；以后也用它增设机构"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--branch", nargs=3, action="append", default=[], metavar=("代码", "名称", "行政区划代码"),
            help="一个分支机构，如 01 市直分中心 361100；可以重复",
        )  # fmt: skip
        parser.add_argument("--admin", nargs=2, metavar=("登录名", "姓名"), help="第一名系统管理，口令只显示这一次")

    def verb(self, branch: list[list[str]], admin: list[str] | None, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        branches = [Branch(code=code, name=name, division_code=division) for code, name, division in branch]
        with acting_as(User.objects.system()):
            try:
                founding.open_branches(branches)
                password = founding.first_administrator(*admin) if admin else None
            except Refused as refused:
                return {"branches": [], "password": None, **refusal(refused)}
        return {"branches": [one.code for one in branches], "password": password, "problems": []}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["branches"]:
            yield f"已设立机构 {'、'.join(result['branches'])}"
        if result["password"]:
            yield f"系统管理的口令（只显示这一次，请登录后修改）：{result['password']}"
        yield from map(sentence, result["problems"])
