"""How parties and their openings are shown where nobody knows them: beside entries, in searches and queues, on papers."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.urls import reverse

from accounts.ledger.reports import balance_of, detail_ledger, since_default
from accounts.parties.models import Employer, EmployerChange, EmployerOpening, Member, MemberOpening
from fundcenter import clock, papers
from fundcenter.office.models import Role, User
from fundcenter.office.registry import Label, registry
from fundcenter.office.reports import document_queue, subject_of_rows


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


def statement_pdf(member: Member, *, until: date, printed_by: User) -> bytes:
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
        "printed_by": printed_by.name, "printed_at": clock.now(),
    }  # fmt: skip
    return papers.render("papers/statement.html", context)
