"""日结."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from accounts.ledger.services.closing import close_day
from fundcenter.office.management.verb import VerbCommand, acting, refusal, sentence
from fundcenter.office.models import Branch
from fundcenter.office.refusals import Refused


class Command(VerbCommand):
    help = "一个机构的日结：此日及以前不再记账"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("branch", help="机构代码，如 10")
        parser.add_argument("day", type=date.fromisoformat, help="结至哪一天 2026-03-16")
        parser.add_argument("--as", dest="accountant", required=True, help="会计的登录名")

    def verb(self, branch: str, day: date, accountant: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        found = Branch.objects.filter(code=branch).first()
        if found is None:
            raise CommandError(f"没有机构代码 {branch}。")
        with acting(accountant) as by:
            try:
                digest = close_day(found, day, by=by)
            except Refused as refused:
                return {"closed": None, **refusal(refused)}
        return {"closed": day.isoformat(), "branch": branch, "digest": digest, "problems": []}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["closed"]:
            yield f"机构 {result['branch']} 已结至 {result['closed']}，摘要 {result['digest']}"
        yield from map(sentence, result["problems"])
