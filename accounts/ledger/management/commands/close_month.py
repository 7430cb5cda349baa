"""月结."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from typing import Any

from accounts.ledger.services.closing import close_month
from fundcenter import months
from fundcenter.office.management.verb import VerbCommand, acting, refusal, sentence
from fundcenter.office.refusals import Refused


class Command(VerbCommand):
    help = "全市月结：各机构均已日结到月末后方可"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", type=months.parse, help="月份 2026-03")
        parser.add_argument("--as", dest="accountant", required=True, help="会计的登录名")

    def verb(self, month: date, accountant: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with acting(accountant) as by:
            try:
                close_month(months.last_day(month), by=by)
            except Refused as refused:
                return {"closed": None, **refusal(refused)}
        return {"closed": months.text(month), "problems": []}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["closed"]:
            yield f"{result['closed']} 已月结"
        yield from map(sentence, result["problems"])
