"""What is read out of the book: detail ledgers with running balances, month totals, vouchers with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, DecimalField, F, Max, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.ledger import queries
from accounts.ledger.models import Balance, Entry, Voucher
from accounts.ledger.refusals import MONTH_EMPTY
from fundcenter import money, months, scope
from fundcenter.office.models import Branch
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import Label, registry
from fundcenter.office.services.issuing import Paper
from fundcenter.papers import LINES_AT_ONCE, Sheet

LINES_AT_COUNTER = 150  # printed in about a second; what has more is a job


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
    entries = _entries(voucher).filter(id__gt=after).select_related("account", "holder").order_by("id")
    rows = list(entries[:most] if most else entries)
    labels = _labels((entry.account.holder_kind, entry.holder_id) for entry in rows)
    return [
        {
            "id": entry.pk, "summary": voucher.summary, "account_code": entry.account_id, "account_name": entry.account.name,
            "holder": labels.get(entry.holder_id), "debit": entry.debit, "credit": entry.credit,
        }
        for entry in rows
    ]  # fmt: skip


def _entries(voucher: Voucher) -> QuerySet[Entry]:
    first = voucher.pk << Entry.LINE_BITS
    return Entry.objects.filter(date=voucher.date, id__gt=first, id__lt=first + (1 << Entry.LINE_BITS))


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
    return _sources_of([voucher]).get(voucher.pk)


def _sources_of(vouchers: Iterable[Voucher]) -> dict[int, Label]:
    """The documents of several vouchers, by the voucher's key; one question a kind."""
    by_kind: dict[str, dict[int, int]] = {}
    for voucher in vouchers:
        if voucher.kind_id in registry.sources:
            by_kind.setdefault(voucher.kind_id, {})[int(voucher.source)] = voucher.pk
    return {
        keys[source]: label for kind, keys in by_kind.items() for source, label in registry.sources[kind](keys).items()
    }


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


def voucher_paper(voucher: Voucher) -> Paper:
    """记账凭证 on paper, with every line of it."""
    return Paper(
        kind="voucher", title="记账凭证", subject=f"{voucher} {voucher.date}",
        facts=(("凭证号", str(voucher)), ("记账日期", str(voucher.date)), ("金额（元）", money.grouped(voucher.amount))),
        sheets=lambda: [_voucher_sheet(voucher, source_of(voucher))], size=_entries(voucher).count(),
    )  # fmt: skip


def is_large(voucher: Voucher) -> bool:
    """Whether its printing would keep a clerk waiting."""
    return _entries(voucher)[: LINES_AT_COUNTER + 1].count() > LINES_AT_COUNTER


def _voucher_sheet(voucher: Voucher, source: Label | None) -> Sheet:
    context = {
        "branch_name": voucher.branch.name, "word": voucher.word, "number": voucher.number, "date": voucher.date,
        "attachments": voucher.attachments, "total": voucher.amount,
        "reverses": str(voucher.reverses) if voucher.reverses else None,
        "prepared_by": voucher.prepared_by.name, "reviewed_by": voucher.reviewed_by.name,
        "source": f"{source.name} {source.number}" if source else "",
    }  # fmt: skip
    return Sheet("papers/voucher.html", {"voucher": context}, _printed_lines(voucher))


def _printed_lines(voucher: Voucher) -> Iterator[tuple[Any, ...]]:
    """The summary, which is the voucher's, stands once; 〃 keeps the lines low, and so the pages few."""
    after, summary = 0, voucher.summary
    while lines := voucher_lines(voucher, after=after, most=LINES_AT_ONCE):
        for line in lines:
            holder = str(line["holder"] or "")
            yield summary, line["account_code"], line["account_name"], holder, line["debit"], line["credit"]
            summary = "〃"
        after = lines[-1]["id"]


def month_vouchers(branch: Branch, month: date) -> Paper:
    """全月记账凭证: a cover, and every voucher of the branch's month in the order of its numbers. Refused: there is none."""
    vouchers = Voucher.objects.visible().filter(branch=branch, month=month)
    words = vouchers.order_by("word").values("word").annotate(
        first=Min("number"), last=Max("number"), count=Count("pk"), amount=Sum("amount")
    )  # fmt: skip
    if not words:
        raise Refused([MONTH_EMPTY.problem(branch=branch.name, month=months.text(month))])
    count, amount = sum(row["count"] for row in words), sum(row["amount"] for row in words)
    cover = {"branch_name": branch.name, "month": month, "words": words, "count": count, "amount": amount}

    def sheets() -> Iterator[Sheet]:
        yield Sheet("papers/cover.html", cover)
        found = vouchers.select_related("branch", "reverses", "prepared_by", "reviewed_by").order_by("word", "number")
        sources = _sources_of(found)
        yield from (_voucher_sheet(voucher, sources.get(voucher.pk)) for voucher in found)

    return Paper(
        kind="vouchers", title="全月记账凭证", subject=f"{branch.name} {months.text(month)}",
        facts=(("月份", months.text(month)), ("凭证张数", str(count)), ("金额合计（元）", money.grouped(amount))),
        sheets=sheets, size=_month_lines(branch, month),
    )  # fmt: skip


def _month_lines(branch: Branch, month: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(queries.MONTH_LINES, {"branch": branch.pk, "month": month})
        return int(cursor.fetchone()[0])


def month_accounts(branch: Branch, month: date) -> list[dict[str, Any]]:
    """科目余额 of a branch's month: opening, debit, credit and closing of each account that moved or stood, each balance
    on the account's own side."""
    with connection.cursor() as cursor:
        cursor.execute(queries.MONTH_ACCOUNTS, {"branch": branch.pk, "first": month, "last": months.last_day(month)})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def month_kinds(branch: Branch, month: date) -> list[dict[str, Any]]:
    """How many vouchers of each kind a branch's month has, and what they come to."""
    found: Any = Voucher.objects.visible().filter(branch=branch, month=month)
    return list(
        found.values(name=F("kind__name")).annotate(count=Count("pk"), amount=Sum("amount")).order_by("kind_id")
    )
