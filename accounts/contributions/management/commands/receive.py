"""银行到账: an employer's money arrives and goes into its suspense."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.banking.services.receipts import Arrival, receive
from accounts.parties.models import Employer
from fundcenter.office.management.verb import VerbCommand, acting, refusal, sentence
from fundcenter.office.refusals import NOT_YOURS, Refused


def amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


class Command(VerbCommand):
    help = "登记单位缴款到账，记入单位暂存款（21901）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("employer", help="单位账号")
        parser.add_argument("amount", type=amount, help="金额（元）")
        parser.add_argument("--on", required=True, type=date.fromisoformat, help="到账并记账的日期 2026-03-16")
        parser.add_argument("--reference", required=True, help="银行流水号")
        parser.add_argument("--as", dest="cashier", required=True, help="出纳的登录名")

    def verb(self, employer: str, amount: Decimal, on: date, reference: str, cashier: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with acting(cashier) as by:
            payer = Employer.objects.visible().filter(number=employer).select_related("holder").first()
            try:
                if payer is None:
                    raise Refused([NOT_YOURS.problem(what=f"单位账号 {employer}")])
                arrival = Arrival(payer.holder, amount, reference, arrived_on=on)
                (receipt,) = receive(arrival, on=on, cashier=by)
            except Refused as refused:
                return {"receipt": None, **refusal(refused)}
            return {
                "receipt": receipt.number, "employer": employer, "amount": receipt.amount,
                "voucher": str(receipt.voucher), "problems": [],
            }  # fmt: skip

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["receipt"]:
            yield f"到账 {result['receipt']}：单位 {result['employer']}，{result['amount']} 元，凭证 {result['voucher']}"
        yield from map(sentence, result["problems"])
