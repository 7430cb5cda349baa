"""A believable city, opened and paid month by month by the same services as users call."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterable
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
from accounts.parties.models import Employer
from accounts.parties.services.opening import NewEmployer, NewMember, open_employers, open_members
from demo import organisations
from demo.people import Person, people
from fundcenter import months
from fundcenter.office.models import Branch, Role, User
from fundcenter.office.services.files import fingerprint
from fundcenter.office.states import DEAD
from fundcenter.scope import acting_as

Say = Callable[[str], None]
PERSONS_FILE = "demo.json"
HEADER = ("单位账号", "缴存月份", "个人账号", "姓名", "缴存基数", "单位月缴存额", "个人月缴存额")


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
    with acting_as(User.objects.get(username="zhuren")):
        if not BankAccount.objects.exists():
            open_bank_account(bank="中国工商银行上饶分行营业部", number="1512200009024500018")
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
    with acting_as(clerk), transaction.atomic():
        if Employer.objects.visible().exists():
            return
        numbers = open_employers(
            (
                NewEmployer(
                    branch=branch, name=company.name, credit_code=company.credit_code, nature=company.nature,
                    industry=company.industry, ratio_employer=company.ratio, ratio_member=company.ratio,
                    first_month=on, pay_day=company.pay_day, address=company.address,
                    legal_person=company.legal_person, contact=company.contact, phone=company.phone,
                )
                for company in companies
            ),
            on=on, prepared_by=clerk, reviewed_by=reviewer,
        )  # fmt: skip
        open_members(
            (
                NewMember(number, person.name, person.id_number, base, first_month=on, phone=person.phone)
                for number, wages in zip(numbers, bases, strict=True)
                for base, person in zip(wages, staff, strict=False)
            ),
            on=on, prepared_by=clerk, reviewed_by=reviewer,
        )  # fmt: skip


def pay_month(branch: Branch, month: date, *, on: date) -> None:
    """Every employer of the branch pays: money arrives, one file with all registers is uploaded, reviewed and posted."""
    clerk, reviewer, cashier = (_of(branch, role) for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER))
    with acting_as(clerk):
        rows = register_rows_of(branch, month, on=on)
    fund(month, rows, on=on, cashier=cashier)
    batch = take_in(_as_csv(rows, month), f"汇缴清册 {branch.name} {month:%Y-%m}.csv", clerk=clerk, on=on)
    settle(batch, clerk=clerk, reviewer=reviewer, on=on)


def take_in(content: bytes, name: str, *, clerk: User, on: date) -> Batch:
    """Upload a file, or find the batch that it already is."""
    with acting_as(clerk):
        known = (
            Batch.objects.visible()
            .filter(
                sha256=fingerprint(content),
            )
            .exclude(state__in=DEAD)
            .first()
        )
        return known or remittance.upload(content, name, by=clerk, on=on)


def settle(batch: Batch, *, clerk: User, reviewer: User, on: date, said: str = "", answered: str = "") -> None:
    """Bring a checked batch to its vouchers, from wherever it stands."""
    if batch.state == "checked":
        with acting_as(clerk):
            remittance.submit(batch, by=clerk, on=on, opinion=said)
    if batch.state == "submitted":
        with acting_as(reviewer):
            remittance.approve(batch, by=reviewer, on=on, opinion=answered)


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


def _as_csv(rows: Iterable[Due], month: date) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    when = months.text(month)
    writer.writerows((employer, when, *rest) for employer, *rest in rows)
    return text.getvalue().encode("utf-8-sig")


def _employers() -> list[dict[str, Any]]:
    with acting_as(User.objects.system()):
        counted = Employer.objects.visible().values_list("number", "branch__code").annotate(Count("members"))
        return [{"account": number, "branch": code, "members": n} for number, code, n in counted.order_by("number")]
