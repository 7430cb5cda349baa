"""How parties and their openings are shown where nobody knows them: beside entries, in searches and queues, on papers."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.urls import reverse

from accounts.ledger.reports import balance_of, detail_ledger, since_default
from accounts.parties.models import Employer, EmployerChange, EmployerOpening, Member, MemberOpening
from fundcenter import identifiers, money
from fundcenter.office.models import Role
from fundcenter.office.registry import Label, registry
from fundcenter.office.reports import document_queue, subject_of_rows
from fundcenter.office.services.issuing import Paper
from fundcenter.papers import Sheet


def employer_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    rows = Employer.objects.filter(pk__in=list(ids)).values_list("pk", "number", "name")
    return {pk: Label(number, name, reverse("admin:parties_employer_change", args=[pk])) for pk, number, name in rows}


def member_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    rows = Member.objects.filter(pk__in=list(ids)).values_list("pk", "number", "name")
    return {pk: Label(number, name, reverse("admin:parties_member_change", args=[pk])) for pk, number, name in rows}


EMPLOYER_OPENINGS = document_queue(EmployerOpening, {"submitted": (Role.REVIEWER,)}, subject_of_rows)
MEMBER_OPENINGS = document_queue(MemberOpening, {"submitted": (Role.REVIEWER,)}, subject_of_rows)
EMPLOYER_CHANGES = document_queue(
    EmployerChange, {"submitted": (Role.REVIEWER,)}, lambda change: subject_of_rows(change, "employer__name")
)


def statement_paper(member: Member, *, until: date) -> Paper:
    """住房公积金个人明细对账单: the member's ledger since the beginning of the interest year, with running balance."""
    since = since_default(until)
    newest_first = detail_ledger(member.pk, "201", since=since, until=until)
    lines = newest_first[::-1]
    debit, credit = sum((x.debit for x in lines), Decimal(0)), sum((x.credit for x in lines), Decimal(0))
    closing = lines[-1].balance if lines else balance_of(member.pk, "201")[0]
    employer = member.employer
    context = {
        "member": {
            "name": member.name, "number": member.number, "id_mask": member.id_mask, "state": member.get_state_display(),
            "employer_name": employer.name, "employer_number": employer.number, "base": member.base,
            "ratio_employer": employer.ratio_employer, "ratio_member": employer.ratio_member,
            "paid_up_to": registry.panel(member).get("paid_up_to"),
        },
        "period_from": since, "period_to": until, "opening": closing - credit + debit,
        "lines": [(x.date, x.voucher, x.summary, x.debit, x.credit, x.balance) for x in lines],
        "totals": {"count": len(lines), "debit": debit, "credit": credit, "closing": closing},
    }  # fmt: skip
    return Paper(
        kind="statement", title="住房公积金个人明细对账单", subject=f"{member.number} {member.name}",
        facts=(
            ("姓名", identifiers.mask_name(member.name)), ("个人账号", f"尾号 {member.number[-4:]}"),
            ("对账期间", f"{since} 至 {until}"), ("余额（元）", money.grouped(closing)),
        ),
        sheets=lambda: [Sheet("papers/statement.html", context)],
    )  # fmt: skip
