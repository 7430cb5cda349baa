"""归集户: the account with an entrusted bank that employers pay into."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from accounts.banking.services.receipts import open_bank_account
from fundcenter.office.management.verb import VerbCommand, acting, refusal, sentence
from fundcenter.office.refusals import Refused


class Command(VerbCommand):
    help = "登记受委托银行的归集户；登记以后才能登记到账"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("bank", help="开户银行")
        parser.add_argument("number", help="账号")
        parser.add_argument("--as", dest="manager", required=True, help="主任的登录名")

    def verb(self, bank: str, number: str, manager: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with acting(manager) as by:
            try:
                account = open_bank_account(bank=bank, number=number, by=by)
            except Refused as refused:
                return {"account": None, **refusal(refused)}
        return {"account": str(account), "problems": []}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["account"]:
            yield f"已登记归集户 {result['account']}"
        yield from map(sentence, result["problems"])
