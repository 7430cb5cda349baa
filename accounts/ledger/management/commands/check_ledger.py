"""查账."""

from collections.abc import Iterator
from typing import Any

from accounts.ledger.services.checking import check_ledger
from fundcenter.office.management.verb import VerbCommand, whole_city


class Command(VerbCommand):
    help = "重放全部账目，核对凭证、编号、余额、积数、日结与单据"

    def verb(self, **_: Any) -> dict[str, Any]:
        with whole_city():
            verdict = check_ledger()
        return {
            "refused": bool(verdict.problems),
            "ok": not verdict.problems,
            "vouchers": verdict.vouchers,
            "entries": verdict.entries,
            "problems": list(verdict.problems),
        }

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"凭证 {result['vouchers']} 张，分录 {result['entries']} 条，{'账实相符' if result['ok'] else '发现问题：'}"
        yield from result["problems"]
