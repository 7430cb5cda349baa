"""查账: replays the whole book and says where it and its promises part."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from accounts.ledger import queries
from fundcenter import scope
from fundcenter.office.models import Branch
from fundcenter.office.registry import registry


@dataclass(frozen=True)
class Verdict:
    vouchers: int
    entries: int
    problems: tuple[str, ...]


def check_ledger() -> Verdict:
    """Check every voucher, number, balance, accumulator, close and document link, over every branch.

    Raises ValueError when the scope is not the whole city: a check over a part would say that all is well.
    """
    if set(scope.current().branches) != set(Branch.objects.values_list("id", flat=True)):
        raise ValueError("查账须对全市各机构进行")
    # One snapshot for all statements, so that postings under way neither wait nor confuse.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("set local statement_timeout = 0")
        problems: list[str] = []
        for statement in (*queries.REPLAY, *registry.ledger_checks):
            cursor.execute(statement)
            problems += [sentence for (sentence,) in cursor.fetchall()]
        cursor.execute(queries.COUNTS)
        vouchers, entries = cursor.fetchone()
    return Verdict(vouchers, entries, tuple(problems))
