"""A believable city, opened and paid month by month by the same services as users call."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Count

from accounts.banking.models import BankAccount, Receipt
from accounts.banking.services.receipts import Arrival, open_bank_account, receive
from accounts.contributions.models import Batch
from accounts.contributions.services import remittance
from accounts.contributions.services.templates import Due, register_rows_of
from accounts.ledger.services.process import Process
from accounts.parties.models import Employer, EmployerOpening, MemberOpening
from accounts.parties.services import opening
from demo import organisations
from demo.people import Person, people
from fundcenter import months
from fundcenter.office.models import Branch, Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services.files import fingerprint
from fundcenter.office.services.intake import problems_of
from fundcenter.office.states import DEAD
from fundcenter.scope import acting_as

Say = Callable[[str], None]
PERSONS_FILE = "demo.json"
HEADER = ("单位账号", "缴存月份", "个人账号", "姓名", "缴存基数", "单位月缴存额", "个人月缴存额")
EMPLOYER_HEADER = (
    "单位名称", "统一社会信用代码", "单位性质", "所属行业", "比例", "发薪日", "首次汇缴年月", "地址", "法定代表人", "经办人",
    "联系电话",
)  # fmt: skip
MEMBER_HEADER = ("单位账号", "起缴年月", "姓名", "证件号码", "缴存基数", "手机")
PROBLEMS_TOLD = 10
# How a clerk and a reviewer bring a kind of document about: taken in, submitted, approved.
PROCESSES: dict[type[Any], Process[Any]] = {
    process.kind: process for process in (remittance.REGISTERS, opening.EMPLOYERS, opening.MEMBERS)
}


@dataclass
class City:
    """What a visitor needs of a demo city."""

    persons: list[dict[str, str]]
    employers: list[dict[str, Any]]
    month: date

    def as_json(self) -> dict[str, Any]:
        return {"persons": self.persons, "employers": self.employers, "month": months.text(self.month)}


def persons_file() -> Path:
    return Path(settings.HOME, PERSONS_FILE)


def build(*, members: int, employers: int, months_paid: int, seed: int, today: date, say: Say) -> City:
    """Found the city on ``today`` with so many months already paid; the next one to be paid is this month.

    Every step looks first whether it was done, so that a city whose founding was cut off is finished by the next call.
    """
    this_month = months.first(today)
    first_month = months.shift(this_month, -months_paid)
    persons = _open_office(seed)
    say(f"{len(organisations.BRANCHES)} 个分支机构，{len(persons)} 名工作人员")
    manager = User.objects.get(username="zhuren")
    with acting_as(manager):
        if not BankAccount.objects.exists():
            open_bank_account(bank="中国工商银行上饶分行营业部", number="1512200009024500018", by=manager)
    companies = organisations.organisations(employers, members, seed=seed)
    somebody = people(members, seed=seed, on=today, area_codes=organisations.COUNTY_CODES)
    rng = Random(seed)
    for branch in Branch.objects.order_by("code"):
        own = [company for company in companies if company.branch == branch.code]
        _open_parties(branch, own, list(islice(somebody, sum(company.size for company in own))), rng, on=first_month)
        say(f"{branch.name}：单位 {len(own)} 个，职工 {sum(company.size for company in own)} 人")
    for month in (months.shift(first_month, n) for n in range(months_paid)):
        for branch in Branch.objects.order_by("code"):
            pay_month(branch, month, on=min(month.replace(day=20), today))
        say(f"{months.text(month)} 已汇缴")
    return City(persons, _employers(), this_month)


def _open_office(seed: int) -> list[dict[str, str]]:
    staff = organisations.staff(seed=seed)
    file = persons_file()
    if not file.exists():
        # One password for all, hashed once: a city of persons would otherwise take minutes.
        password = f"gjj-{secrets.token_hex(4)}"
        persons = [
            {
                "username": one.username, "name": one.name, "role": one.role, "branch": one.branch or "",
                "password": password,
            }
            for one in staff
        ]  # fmt: skip
        whole = file.with_suffix(".new")
        whole.touch(mode=0o600)
        whole.write_text(json.dumps(persons, ensure_ascii=False))
        whole.rename(file)
    persons = json.loads(file.read_text())
    hashed = make_password(persons[0]["password"])
    with transaction.atomic():
        if not Branch.objects.exists():
            for one in organisations.BRANCHES:
                Branch.objects.create(code=one.code, name=f"{one.name}分中心", division_code=one.division_code)
            branches = {branch.code: branch for branch in Branch.objects.all()}
            User.objects.bulk_create(
                User(
                    username=one.username, name=one.name, roles=[one.role], password=hashed,
                    branch=branches[one.branch] if one.branch else None,
                )
                for one in staff
            )  # fmt: skip
    return persons


def _of(branch: Branch, role: Role) -> User:
    return User.objects.get(branch=branch, roles__contains=[role])


def _open_parties(branch: Branch, companies: Any, persons: list[Person], rng: Random, *, on: date) -> None:
    clerk, reviewer = _of(branch, Role.CLERK), _of(branch, Role.REVIEWER)
    staff = iter(persons)
    # Drawn also when the accounts stand already: the next branch's figures follow from it.
    bases = [[organisations.base(rng, company) for _ in range(company.size)] for company in companies]
    of_employers = _as_csv(EMPLOYER_HEADER, (
        (company.name, company.credit_code, company.nature, company.industry, f"{company.ratio:%}", company.pay_day,
         months.text(on), company.address, company.legal_person, company.contact, company.phone)
        for company in companies
    ))  # fmt: skip
    opened = take_in(of_employers, f"单位开户 {branch.name}.csv", clerk=clerk, on=on, kind=EmployerOpening)
    settle(opened, clerk=clerk, reviewer=reviewer, on=on)
    with acting_as(clerk):
        numbers = list(
            Employer.objects.visible().filter(opening=opened).order_by("opening_row").values_list("number", flat=True)
        )
    of_members = _as_csv(MEMBER_HEADER, (
        (number, months.text(on), person.name, person.id_number, base, person.phone)
        for number, wages in zip(numbers, bases, strict=True)
        for base, person in zip(wages, staff, strict=False)
    ))  # fmt: skip
    opened = take_in(of_members, f"个人开户清册 {branch.name}.csv", clerk=clerk, on=on, kind=MemberOpening)
    settle(opened, clerk=clerk, reviewer=reviewer, on=on)


def pay_month(branch: Branch, month: date, *, on: date) -> None:
    """Every employer of the branch pays: money arrives, one file with all registers is uploaded, reviewed and posted."""
    clerk, reviewer, cashier = (_of(branch, role) for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER))
    with acting_as(clerk):
        rows = register_rows_of(branch, month, on=on)
    fund(month, rows, on=on, cashier=cashier)
    when = months.text(month)
    content = _as_csv(HEADER, ((employer, when, *rest) for employer, *rest in rows))
    batch = take_in(content, f"汇缴清册 {branch.name} {month:%Y-%m}.csv", clerk=clerk, on=on)
    settle(batch, clerk=clerk, reviewer=reviewer, on=on)


def take_in(content: bytes, name: str, *, clerk: User, on: date, kind: type[Any] = Batch) -> Any:
    """Upload a file, or find the document that it already is. Refused: with its problems; nothing of a demo is wrong."""
    process = PROCESSES[kind]
    with acting_as(clerk):
        known = kind.objects.visible().filter(sha256=fingerprint(content)).exclude(state__in=DEAD).first()
        document = known or process.upload(content, name, by=clerk, on=on, at_once=True)
        if document.state == "refused":
            raise Refused(problems_of(document, process.intake, most=PROBLEMS_TOLD))
        return document


def settle(document: Any, *, clerk: User, reviewer: User, on: date, said: str = "", answered: str = "") -> None:
    """Bring a checked document to its end, from wherever it stands."""
    process = PROCESSES[type(document)]
    if document.state == "checked":
        with acting_as(clerk):
            process.submit(document, by=clerk, on=on, opinion=said)
    if document.state == "submitted":
        with acting_as(reviewer):
            process.approve(document, by=reviewer, on=on, opinion=answered, at_once=True)


def fund(month: date, rows: Iterable[Due], *, on: date, cashier: User) -> None:
    """Let each employer's money for these rows arrive."""
    due: dict[str, Decimal] = {}
    for employer, _, _, _, own, theirs in rows:
        due[employer] = due.get(employer, Decimal(0)) + own + theirs
    with acting_as(cashier):
        if Receipt.objects.visible().filter(reference=f"GH{month:%Y%m}{next(iter(due))}").exists():
            return
        payers = {e.number: e.holder for e in Employer.objects.visible().select_related("holder")}
        receive(
            *(
                Arrival(payers[number], amount, f"GH{month:%Y%m}{number}", arrived_on=on)
                for number, amount in due.items()
            ),
            on=on, cashier=cashier,
        )  # fmt: skip


def _as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _employers() -> list[dict[str, Any]]:
    with acting_as(User.objects.system()):
        counted = Employer.objects.visible().values_list("number", "branch__code").annotate(Count("members"))
        return [{"account": number, "branch": code, "members": n} for number, code, n in counted.order_by("number")]
