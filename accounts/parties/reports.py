"""How parties and their openings are shown where nobody knows them: beside entries, in searches and queues, on papers."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.ledger.reports import balance_of, detail_ledger, since_default
from accounts.parties.models import Employer, EmployerChange, EmployerOpening, Member, MemberOpening
from fundcenter import identifiers, money
from fundcenter.office.models import Role
from fundcenter.office.registry import Label, registry
from fundcenter.office.reports import document_queue, subject_of_rows
from fundcenter.office.services import personal
from fundcenter.office.services.issuing import Paper
from fundcenter.papers import Sheet


def employer_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    rows = Employer.objects.filter(pk__in=list(ids)).values_list("pk", "number", "name")
    return {pk: Label(number, name, reverse("admin:parties_employer_change", args=[pk])) for pk, number, name in rows}


def member_labels(ids: Iterable[int]) -> Mapping[int, Label]:
    rows = Member.objects.filter(pk__in=list(ids)).values_list("pk", "number", "name")
    return {pk: Label(number, name, reverse("admin:parties_member_change", args=[pk])) for pk, number, name in rows}


ACCOUNT_DIGITS, CREDIT_CODE_LENGTH = 12, 18


def _by_number(typed: str) -> Q:
    return Q(number=typed) if len(typed) == ACCOUNT_DIGITS else Q(number__startswith=typed)


def _by_initials(typed: str) -> Q:
    """In every reading of the name; that a further one is not empty lets its index, which holds only those, be used."""
    initials = typed.upper()
    second = Q(initials_second__gt="", initials_second__startswith=initials)
    third = Q(initials_third__gt="", initials_third__startswith=initials)
    return Q(initials__startswith=initials) | second | third


def employer_question(typed: str) -> Q:
    """By account number, credit code, initials, or any part of the name: most begin with the name of the town."""
    if typed.isascii() and len(typed) == CREDIT_CODE_LENGTH:
        return Q(credit_code=typed.upper())
    if typed.isdigit():
        return _by_number(typed)
    return _by_initials(typed) if typed.isascii() and typed.isalpha() else Q(name__contains=typed)


def member_question(typed: str) -> Q:
    """By account number, full ID number, initials, or the beginning of the name."""
    # Letters and digits together are no account, no name and no initials: a passport, or an ID number that ends with X.
    mixed = typed.isascii() and not typed.isdigit() and not typed.isalpha()
    if mixed or identifiers.id_number_problem(typed) is None:
        return Q(id_index=personal.id_index(typed))
    if typed.isdigit():
        return _by_number(typed)
    return _by_initials(typed) if typed.isascii() else Q(name__startswith=typed)


def employers_meant(typed: str) -> Any:
    """The keys of the employers in scope that this number or name means; for filters of any room."""
    return Employer.objects.visible().filter(employer_question(typed)).values("pk")


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
