"""What is read out of the book: detail ledgers with running balances, month totals, vouchers with their lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import DecimalField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.ledger import queries
from accounts.ledger.models import Balance, Entry, Voucher
from fundcenter import months, papers, scope
from fundcenter.office.models import Branch
from fundcenter.office.registry import Label, registry


@dataclass(frozen=True)
class LedgerLine:
    """One line of a detail ledger (明细账), with the balance after it on the account's own side."""

    id: int
    date: date
    summary: str
    voucher_id: int
    voucher: str
    debit: Decimal
    credit: Decimal
    balance: Decimal

    @property
    def voucher_url(self) -> str:
        return reverse("admin:ledger_voucher_change", args=[self.voucher_id])


def detail_ledger(
    holder_id: int, account: str, *, before: tuple[date, int] | None = None, most: int | None = None,
    since: date | None = None, until: date | None = None,
) -> list[LedgerLine]:  # fmt: skip
    """A holder's lines on one account, newest first, at most ``most`` of them, older than the line (date, id) ``before``.

    The balance is carried backwards from today's, so that a page costs what the page holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            queries.DETAIL_LEDGER,
            {"holder": holder_id, "account": account, "before_date": before[0] if before else None,
             "before_id": before[1] if before else None, "most": most, "since": since, "until": until},
        )  # fmt: skip
        return [LedgerLine(*row) for row in cursor.fetchall()]


def balance_of(holder_id: int, account: str) -> tuple[Decimal, Decimal]:
    """(amount, of it frozen); zero for who has never had an entry."""
    found = Balance.objects.filter(holder_id=holder_id, account_id=account).values_list("amount", "frozen").first()
    return found or (Decimal("0.00"), Decimal("0.00"))


def balance_column(account: str) -> Any:
    """Each row's balance on an account, for lists of holders: a subquery by key, for the rows of the page alone."""
    row = Balance.objects.filter(holder_id=OuterRef("pk"), account_id=account).values("amount")
    return Coalesce(Subquery(row), Decimal("0.00"), output_field=DecimalField(max_digits=18, decimal_places=2))


def voucher_lines(voucher: Voucher, *, after: int = 0, most: int | None = None) -> list[dict[str, Any]]:
    """The lines of a voucher in their order, with each holder's name as the room that opened it tells."""
    first = voucher.pk << Entry.LINE_BITS
    entries = Entry.objects.filter(date=voucher.date, id__gt=max(first, after), id__lt=first + (1 << Entry.LINE_BITS))
    entries = entries.select_related("account", "holder").order_by("id")
    rows = list(entries[:most] if most else entries)
    labels = _labels((entry.account.holder_kind, entry.holder_id) for entry in rows)
    return [
        {
            "id": entry.pk, "summary": voucher.summary, "account_code": entry.account_id, "account_name": entry.account.name,
            "holder": labels.get(entry.holder_id), "debit": entry.debit, "credit": entry.credit,
        }
        for entry in rows
    ]  # fmt: skip


def _labels(holders: Iterable[tuple[str | None, int | None]]) -> dict[int | None, Label]:
    by_kind: dict[str, set[int]] = {}
    for kind, holder_id in holders:
        if kind and holder_id:
            by_kind.setdefault(kind, set()).add(holder_id)
    found: dict[int | None, Label] = {}
    for kind, ids in by_kind.items():
        found.update(registry.holders[kind](ids).items())
    return found


def source_of(voucher: Voucher) -> Label | None:
    """The document that a voucher comes from, with its page."""
    labels = registry.sources.get(voucher.kind_id)
    return labels([int(voucher.source)]).get(int(voucher.source)) if labels else None


def month_totals(kind: str, since: date) -> dict[date, Decimal]:
    """Sum of the vouchers of a kind by month, of the branches in scope."""
    rows = Voucher.objects.visible().filter(month__gte=since, kind_id=kind).values_list("month").annotate(Sum("amount"))
    return dict(rows)


def branch_totals(kind: str, month: date) -> list[tuple[str, Decimal]]:
    """Sum of a month's vouchers of a kind by branch in scope, in the branches' order; zero where there are none."""
    sums = Voucher.objects.visible().filter(month=month, kind_id=kind).values_list("branch").annotate(Sum("amount"))
    found = dict(sums)
    branches = Branch.objects.filter(pk__in=scope.visible_branches())
    return [(branch.name, found.get(branch.pk, Decimal("0.00"))) for branch in branches]


def day_total(kind: str, day: date) -> Decimal:
    """Sum of a day's vouchers of a kind, of the branches in scope."""
    found = Voucher.objects.visible().filter(date=day, kind_id=kind).aggregate(total=Sum("amount"))
    return found["total"] or Decimal("0.00")


def since_default(today: date) -> date:
    """Statements begin with the interest year: 1 July."""
    return months.shift(months.first(months.interest_year_end(today)), -11)


def voucher_pdf(voucher: Voucher) -> bytes:
    """记账凭证 on paper, with every line of it."""
    source = source_of(voucher)
    context = {
        "voucher": {
            "branch_name": voucher.branch.name, "word": voucher.word, "number": voucher.number, "date": voucher.date,
            "summary": voucher.summary, "attachments": voucher.attachments, "total": voucher.amount,
            "reverses": str(voucher.reverses) if voucher.reverses else None,
            "prepared_by": voucher.prepared_by.name, "reviewed_by": voucher.reviewed_by.name,
            "source": f"{source.name} {source.number}" if source else "",
            "lines": [
                (line["summary"], line["account_code"], line["account_name"], str(line["holder"] or ""),
                 line["debit"], line["credit"])
                for line in voucher_lines(voucher)
            ],
        },
    }  # fmt: skip
    return papers.render("papers/voucher.html", context)
