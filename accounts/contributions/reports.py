"""What the pages, papers and queues of this room show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet, Sum
from django.urls import reverse
from django.utils.http import urlencode

from accounts.contributions import queries
from accounts.contributions.calc import ROUNDING_UNITS, monthly_amount
from accounts.contributions.models import Batch, Change, Refund, Register, Sealing
from accounts.contributions.terms import contribution_terms
from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.models import Account, Voucher
from accounts.ledger.reports import branch_totals, day_total, month_accounts, month_kinds, month_totals
from accounts.parties.models import Employer, Member
from fundcenter import charts, clock, identifiers, money, months, scope
from fundcenter.office.models import Branch, Role, User
from fundcenter.office.registry import Chart, Figure, Label
from fundcenter.office.reports import document_queue, subject_of_rows
from fundcenter.office.services.issuing import Paper
from fundcenter.papers import Sheet

MONTHS_LOOKED_BACK = 240
MONTHS_SHOWN = 24


def url_of(batch: Batch) -> str:
    return reverse("admin:contributions_batch_change", args=[batch.pk])


def register_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    """Where a remittance's voucher comes from: the batch of its register."""
    found = Register.objects.filter(pk__in=list(ids)).select_related("batch")
    return {register.pk: Label(register.batch.number, "汇缴批次", url_of(register.batch)) for register in found}


def registers_of(batch: Batch) -> list[dict[str, Any]]:
    """One line an employer and month: heads, sum, suspense, and what changed against the month before."""
    with connection.cursor() as cursor:
        cursor.execute(queries.REGISTERS_SHOWN, {"batch": batch.pk})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["employer_url"] = reverse("admin:parties_employer_change", args=[row["employer_id"]])
        row["rows_url"] = reverse("admin:contributions_batch_register", args=[batch.pk, row["id"]])
        row["voucher_url"] = (
            reverse("admin:ledger_voucher_change", args=[row["voucher_id"]]) if row["voucher_id"] else ""
        )
    return rows


def sums_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns = ("members", "total", "suspense", "short", "members_change", "total_change")
    return {column: sum((row[column] or 0 for row in rows), Decimal(0)) for column in columns}


def vouchers_preview(rows: list[dict[str, Any]], most: int = 3) -> list[dict[str, Any]]:
    """The vouchers that approval will make, in the words of the template, a line a side."""
    names = dict(
        Account.objects.filter(code__in=[line.account for line in REMITTANCE.lines]).values_list("code", "name")
    )
    return [
        {
            "summary": f"汇缴 {months.text(row['month'])} {row['employer']}",
            "lines": [
                {
                    "account": f"{line.account} {names[line.account]}",
                    "holder": row["employer"] if line.each == "slip" else f"{row['members']} 人",
                    "debit": row["total"] if line.side == "借" else None,
                    "credit": row["total"] if line.side == "贷" else None,
                }
                for line in REMITTANCE.lines
            ],
        }
        for row in rows[:most]
    ]


def refund_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    """Where a refund's vouchers come from."""
    found = Refund.objects.filter(pk__in=list(ids))
    return {
        refund.pk: Label(refund.number, "错缴退回", reverse("admin:contributions_refund_change", args=[refund.pk]))
        for refund in found
    }


def batch_subjects(batches: Sequence[Batch]) -> Mapping[int, str]:
    """Whose registers each batch has: the first employer's name; the file's where no employer was recognised."""
    counted = Register.objects.filter(batch__in=[batch.pk for batch in batches]).values_list("batch")
    registers = {batch: (first, count) for batch, first, count in counted.annotate(Min("id"), Count("id"))}
    first_ones = Register.objects.filter(pk__in=[first for first, _ in registers.values()])
    names = dict(first_ones.values_list("batch", "employer__name"))
    return {
        batch.pk: f"{names[batch.pk]}{f' 等 {registers[batch.pk][1]} 份' if registers[batch.pk][1] > 1 else ''}"
        if batch.pk in names
        else str(batch.file)
        for batch in batches
    }


def _batch_subject(batch: Batch) -> str:
    return batch_subjects([batch])[batch.pk]


BATCHES = document_queue(Batch, {"submitted": (Role.REVIEWER,)}, _batch_subject)
SEALINGS = document_queue(Sealing, {"submitted": (Role.REVIEWER,)}, subject_of_rows)
REFUNDS = document_queue(
    Refund,
    {"submitted": (Role.REVIEWER,), "posted": (Role.CASHIER,)},
    lambda refund: refund.employer.name if refund.employer else str(refund.file),
)


def in_arrears(employers: QuerySet[Employer], *, on: date) -> QuerySet[Employer]:
    """Those of them that let the month before ``on`` end without a posted register; see employer_months."""
    month = months.shift(on, -1)
    paid = Register.objects.filter(employer=OuterRef("pk"), month=month, is_posted=True)
    return employers.filter(~Exists(paid), state="normal", first_month__lte=month)


def figures(user: User) -> Iterable[Figure]:
    """今日汇缴: what the branch has posted today, what waits, and who has not paid."""
    posted = day_total("remittance", clock.today())
    waiting = Batch.objects.visible().filter(state="submitted").aggregate(total=Sum("total"))
    yield Figure("今日汇缴入账", posted, "元", url=reverse("admin:contributions_batch_changelist"))
    yield Figure(
        "待复核汇缴", waiting["total"] or Decimal(0), "元",
        url=f"{reverse('admin:contributions_batch_changelist')}?state__exact=submitted",
    )  # fmt: skip
    late = in_arrears(Employer.objects.visible(), on=clock.today()).count()
    yield Figure(
        "上月欠缴单位", Decimal(late), "个", f"{months.text(months.shift(clock.today(), -1))} 月末仍未入账",
        url=f"{reverse('admin:parties_employer_changelist')}?arrears=last_month",
    )  # fmt: skip


def contribution_charts(user: User) -> Iterable[Chart]:
    """近 12 个月汇缴额, and for who sees several branches this month's by branch; in 万元, with their figures as tables."""
    this_month = months.first(clock.today())
    span = [months.shift(this_month, back) for back in range(-11, 1)]
    sums = month_totals("remittance", span[0])
    points = [(f"{month.month}月", _in_ten_thousands(sums.get(month, Decimal(0)))) for month in span]
    yield Chart(
        "近 12 个月汇缴额", "万元", charts.bars(points, width=480, height=150, unit="万元"),
        [(months.text(month), money.grouped(sums.get(month, Decimal(0)))) for month in span],
    )  # fmt: skip
    if len(scope.visible_branches()) > 1:
        by_branch = branch_totals("remittance", this_month)
        points = [(name.removesuffix("分中心"), _in_ten_thousands(total)) for name, total in by_branch]
        yield Chart(
            f"{months.text(this_month)} 各机构汇缴额", "万元",
            charts.bars(points, width=480, height=150, unit="万元", highlight_last=False),
            [(name, money.grouped(total)) for name, total in by_branch],
        )  # fmt: skip


def _in_ten_thousands(amount: Decimal) -> Decimal:
    return (amount / 10000).quantize(Decimal("0.01"))


def register_rows(register: Register, *, after: int, most: int) -> list[dict[str, Any]]:
    """Rows of a register after a row number, each beside the same member's last month."""
    with connection.cursor() as cursor:
        cursor.execute(
            queries.REGISTER_ROWS,
            {"batch": register.batch_id, "register": register.pk, "after": after, "most": most},
        )
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["member_url"] = reverse("admin:parties_member_change", args=[row["member_id"]]) if row["member_id"] else ""
        row["type"] = Change(row["type"]).label if row["type"] else ""
        row["change"] = row["total"] - row["last_total"] if row["last_total"] is not None else None
    return rows


def remittance_paper(register: Register) -> Paper:
    """汇缴书 of a posted register: last month, what came, went and changed, this month; both sides; the total. It proves.

    Layout: 汇缴书 as the offices use it, both sides beside each other.
    """
    employer, voucher = register.employer, register.voucher
    if voucher is None:
        raise ValueError(f"register {register.pk} is not posted")
    with connection.cursor() as cursor:
        cursor.execute(
            queries.REMITTANCE_PROOF,
            {"batch": register.batch_id, "register": register.pk, "employer": employer.pk, "month": register.month},
        )
        lines = [(title, heads, own, theirs, own + theirs) for title, heads, own, theirs in cursor.fetchall()]
    last, more, fewer, changed, now = (Decimal(line[4]) for line in lines)
    if last + more - fewer + changed != now or (lines[4][1], now) != (register.member_count, register.total):
        raise ValueError(f"register {register.pk} does not prove: {lines}")
    return Paper(
        kind="remittance", title="住房公积金汇缴书", subject=f"{months.text(register.month)} {employer.name}",
        facts=(
            ("缴款单位", identifiers.mask_name(employer.name)), ("缴存月份", months.text(register.month)),
            ("人数", str(register.member_count)), ("金额（元）", money.grouped(register.total)),
            ("凭证号", f"{voucher} {voucher.date}"),
        ),
        sheets=lambda: [
            Sheet("papers/remittance.html", {"register": register, "voucher": voucher, "lines": lines, "total": now})
        ],
    )  # fmt: skip


def month_report(branch: Branch, month: date) -> Paper:
    """机构月报: contributions by the employers' nature, vouchers by kind, the accounts. All of it from the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(queries.MONTH_BY_NATURE, {"branch": branch.pk, "month": month})
        found = {nature: rest for nature, *rest in cursor.fetchall()}
    natures = [(label, *found.get(code, (0, 0, Decimal(0)))) for code, label in Employer.Nature.choices]
    accounts, kinds = month_accounts(branch, month), month_kinds(branch, month)
    sums = [sum((row[at] for row in natures), Decimal(0)) for at in (1, 2, 3)]
    context = {
        "branch": branch, "month": month, "natures": natures, "nature_sums": sums, "kinds": kinds, "accounts": accounts,
        "kind_sums": [sum(row[name] for row in kinds) for name in ("count", "amount")],
        "debit": sum((row["debit"] for row in accounts), Decimal(0)),
        "credit": sum((row["credit"] for row in accounts), Decimal(0)),
        "is_over": month < months.first(clock.today()),
    }  # fmt: skip
    return Paper(
        kind="month", title="机构月报", subject=f"{branch.name} {months.text(month)}",
        facts=(
            ("月份", months.text(month)), ("汇缴单位", str(sums[0])), ("汇缴人次", str(sums[1])),
            ("汇缴额（元）", money.grouped(sums[2])),
        ),
        sheets=lambda: [Sheet("papers/month.html", context)],
    )  # fmt: skip


def member_panel(member: Member) -> dict[str, Any]:
    """缴至年月, months in a row, and the monthly contribution by the rule in force."""
    with connection.cursor() as cursor:
        cursor.execute(queries.PAID_MONTHS, {"member": member.pk, "most": MONTHS_LOOKED_BACK})
        paid = [month for (month,) in cursor.fetchall()]
    terms = contribution_terms(clock.today())
    sides = [
        monthly_amount(base=member.base, ratio=ratio, rounding=terms.amount_rounding)
        for ratio in (member.employer.ratio_employer, member.employer.ratio_member)
    ]
    in_a_row = 0
    while in_a_row < len(paid) and paid[in_a_row] == months.shift(paid[0], -in_a_row):
        in_a_row += 1
    return {
        "paid_up_to": paid[0] if paid else None,
        "months_in_a_row": in_a_row,
        "monthly_amount": sum(sides),
        "begin": (_sealing_link(member),),
    }


def _sealing_link(member: Member) -> tuple[str, str]:
    """封存 or, where that is done, 启封: its form, filled with whom it is about."""
    change = Change.UNSEAL if member.state == "sealed" else Change.SEAL
    known = {
        "employer_number": member.employer.number,
        "member_number": member.number,
        "name": member.name,
        "change": change.label,
    }
    return str(change.label), f"{reverse('admin:contributions_sealing_form')}?{urlencode(known)}"


@dataclass(frozen=True)
class Month:
    """One month of an employer: what came of it, and where that is to be seen. Amounts in yuan."""

    month: date
    state: str
    members: int
    total: Decimal
    batch: Batch | None = None
    voucher: Voucher | None = None

    LABELS: ClassVar[Mapping[str, str]] = {
        "posted": "已缴", "late": "欠缴", "due": "待缴", "underway": "办理中", "excused": "缓缴", "stopped": "未缴",
    }  # fmt: skip

    @property
    def label(self) -> str:
        return self.LABELS[self.state]

    @property
    def url(self) -> str:
        return url_of(self.batch) if self.batch else ""


def employer_months(employer: Employer, *, on: date) -> list[Month]:
    """The employer's months, newest first, from its first one or MONTHS_SHOWN back to this one, or further if it paid ahead.

    欠缴: a month that has ended without a posted register, of an employer that is neither deferred nor sealed nor closed;
    its heads and amount are those that its register would ask for, at today's bases and ratios. Source: 《住房公积金管理条例》第二十条.
    """
    newest = max(months.first(on), months.shift(_next_month(employer), -1))
    first = max(employer.first_month, months.shift(newest, 1 - MONTHS_SHOWN))
    span = [months.shift(newest, -back) for back in range(months.between(first, newest))]
    posted = Register.objects.filter(employer=employer, is_posted=True, month__in=span)
    paid = {register.month: register for register in posted.select_related("batch", "voucher")}
    unit = ROUNDING_UNITS[contribution_terms(on).amount_rounding]
    with connection.cursor() as cursor:
        cursor.execute(queries.REGISTERS_UNDERWAY, {"employer": employer.pk, "months": span})
        underway = {month: rest for month, *rest in cursor.fetchall()}
        open_months = [month for month in span if month not in paid and month not in underway]
        cursor.execute(
            queries.MONTHS_DUE,
            {"employer": employer.pk, "months": open_months, "digits": -int(unit.as_tuple().exponent)},
        )
        due = {month: (members, amount) for month, members, amount in cursor.fetchall()}
    batches = Batch.objects.in_bulk([batch for *_, batch in underway.values()])

    def shown(month: date) -> Month:
        if found := paid.get(month):
            return Month(month, "posted", found.member_count, found.total, found.batch, found.voucher)
        if month in underway:
            members, total, batch = underway[month]
            return Month(month, "underway", members, total, batches[batch])
        return Month(month, _unpaid(employer, month, on), *due[month])

    return [shown(month) for month in span]


def _unpaid(employer: Employer, month: date, on: date) -> str:
    if employer.state == "normal":
        return "late" if months.last_day(month) < on else "due"
    return "excused" if employer.state == "deferred" else "stopped"


def employer_panel(employer: Employer) -> dict[str, Any]:
    """The employer's months as a calendar and a table, and what it owes."""
    shown = employer_months(employer, on=clock.today())
    by_year: dict[int, dict[int, Month]] = {}
    for each in shown:
        by_year.setdefault(each.month.year, {})[each.month.month] = each
    late = [each for each in shown if each.state == "late"]
    return {
        "months": shown,
        "paid_up_to": next((each.month for each in shown if each.state == "posted"), None),
        "calendar": [(year, [of.get(month) for month in range(1, 13)]) for year, of in by_year.items()],
        "late_months": len(late),
        "late_total": sum((each.total for each in late), Decimal(0)),
        "template_url": f"{reverse('admin:contributions_batch_template')}?employer={employer.number}"
        f"&month={months.text(_next_month(employer))}",
    }


def _next_month(employer: Employer) -> date:
    last = Register.objects.filter(employer=employer, is_posted=True).aggregate(last=Max("month"))["last"]
    return months.shift(last, 1) if last else employer.first_month
