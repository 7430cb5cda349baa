"""A small city for tests, opened by the same services as everyone's: two branches, their people, an employer or two."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from stdnum.cn import ric, uscc

from accounts.banking.services.receipts import Arrival, open_bank_account, receive
from accounts.contributions.models import Batch
from accounts.contributions.services import remittance
from accounts.contributions.services.templates import register_rows_of
from accounts.ledger.models import Balance, Entry, Voucher
from accounts.ledger.services.process import Process
from accounts.parties.models import Employer, Member
from accounts.parties.services import opening
from fundcenter import clock, money, months
from fundcenter.office.models import Branch, Role, SecondFactor, User
from fundcenter.office.refusals import Problem
from fundcenter.office.services import signing_in
from fundcenter.office.services.intake import problems_of
from fundcenter.scope import acting_as

HEADER = ("单位账号", "缴存月份", "个人账号", "姓名", "缴存基数", "单位月缴存额", "个人月缴存额")
TWELVE = Decimal("0.12")


def workbook(header: Sequence[str], rows: Sequence[Sequence[Any]], above: Sequence[Sequence[Any]] = ()) -> bytes:
    """An .xlsx as an employer makes it: numbers are numbers, everything else text."""
    book = openpyxl.Workbook()
    for row in (*above, header, *rows):
        book.active.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def id_number(serial: int) -> str:
    body = f"362330{1970 + serial % 30}0{1 + serial % 9}1{serial % 9}{serial % 1000:03d}"
    return body + ric.calc_check_digit(body + "0")


def credit_code(serial: int) -> str:
    body = f"91361100MA{serial:07d}"
    return body + uscc.calc_check_digit(body)


def second_factor(user: User) -> str:
    """A device for this person, enrolled anew, and the code that it shows now."""
    SecondFactor.objects.filter(user=user).delete()
    factor = signing_in.factor_of(user)
    factor.confirmed = True
    factor.save(update_fields=["confirmed"])
    return f"{TOTP(signing_in._secret(factor)).token():06d}"


def come_in(client: Client, user: User) -> Client:
    """Sign this person in past both pages, for tests of what lies behind them."""
    client.force_login(user)
    if user.needs_second_factor():
        second_factor(user)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = SecondFactor.objects.get(user=user).persistent_id
        session.save()
    return client


@dataclass
class City:
    """`people[branch code][role]`; the centre's are under ``people[""]``."""

    people: dict[str, dict[str, User]] = field(default_factory=dict)
    branches: dict[str, Branch] = field(default_factory=dict)
    serial: int = 0

    @classmethod
    def found(cls) -> City:
        city = cls()
        for code, name, division in (("01", "市直分中心", "361100"), ("10", "鄱阳分中心", "361128")):
            city.branches[code] = Branch.objects.create(code=code, name=name, division_code=division)
            city.people[code] = {
                role: User.objects.create_user(
                    f"{role}{code}", "passw0rd-for-tests", name=f"{name[:2]}{Role(role).label}", roles=[role],
                    branch=city.branches[code],
                )
                for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER)
            }  # fmt: skip
        city.people[""] = {
            role: User.objects.create_user(
                str(role), "passw0rd-for-tests", name=f"中心{Role(role).label}", roles=[role]
            )
            for role in (Role.ACCOUNTANT, Role.AUDITOR, Role.MANAGER, Role.APPROVER, Role.ADMIN)
        }
        with acting_as(city.people[""][Role.MANAGER]):
            open_bank_account(bank="中国工商银行上饶分行", number="1512200009024500001", by=city.manager)
        return city

    def clerk(self, branch: str = "10") -> User:
        return self.people[branch][Role.CLERK]

    def reviewer(self, branch: str = "10") -> User:
        return self.people[branch][Role.REVIEWER]

    def cashier(self, branch: str = "10") -> User:
        return self.people[branch][Role.CASHIER]

    @property
    def manager(self) -> User:
        return self.people[""][Role.MANAGER]

    def employer(
        self, name: str, branch: str = "10", *, ratio: Decimal = TWELVE, first_month: date = date(2026, 3, 1)
    ) -> Employer:
        self.serial += 1
        opened = self.open(branch, opening.EMPLOYERS, [{
            "name": name, "credit_code": credit_code(self.serial), "nature": "public", "industry": "P",
            "ratio_employer": f"{ratio * 100}%", "pay_day": "15", "first_month": months.text(first_month),
        }])  # fmt: skip
        with acting_as(self.clerk(branch)):
            return Employer.objects.get(opening=opened)

    def members(self, employer: Employer, **bases: str) -> list[Member]:
        """``members(employer, 张三="5321.00")`` opens members with these bases."""
        rows = []
        for name, base in bases.items():
            self.serial += 1
            rows.append({
                "employer_number": employer.number, "first_month": months.text(employer.first_month), "name": name,
                "id": id_number(self.serial), "base": base,
            })  # fmt: skip
        opened = self.open(employer.branch.code, opening.MEMBERS, rows)
        with acting_as(self.clerk(employer.branch.code)):
            return list(Member.objects.filter(opening=opened).order_by("opening_row"))

    def open(self, branch: str, process: Process[Any], rows: list[dict[str, str]]) -> Any:
        """Accounts come to be as everybody's do: typed in, submitted, approved by somebody else."""
        clerk, reviewer, on = self.clerk(branch), self.reviewer(branch), clock.today()
        with acting_as(clerk):
            document = process.type_in(rows, by=clerk, on=on)
            process.submit(document, by=clerk, on=on)
        with acting_as(reviewer):
            process.approve(document, by=reviewer, on=on, at_once=True)
        return document

    def register(
        self, employer: Employer, month: str = "2026-03", *, header: Sequence[str] = HEADER, **changes: Any
    ) -> bytes:
        """The employer's register as an .xlsx, as due, with ``changes`` by member name: other cells, or None to leave out."""
        with acting_as(self.clerk(employer.branch.code)):
            due = register_rows_of(employer.branch, months.parse(month), on=clock.today(), employer=employer)
        rows = []
        for number, member, name, base, own, theirs in due:
            row = dict(zip(HEADER, (number, month, member, name, base, own, theirs), strict=True))
            if (change := changes.get(name, {})) is not None:
                rows.append(row | change)
        return workbook(header, [[row[title] for title in header] for row in rows])

    def numbers_of(self, employer: Employer) -> dict[str, str]:
        with acting_as(self.clerk(employer.branch.code)):
            return dict(Member.objects.filter(employer=employer).values_list("name", "number"))

    def remit(self, employer: Employer, content: bytes | None = None, name: str = "清册.xlsx", **given: Any) -> Batch:
        clerk = self.clerk(employer.branch.code)
        with acting_as(clerk):
            return remittance.REGISTERS.upload(
                content or self.register(employer), name, by=clerk, on=clock.today(), **given
            )

    def submit(self, batch: Batch) -> None:
        with acting_as(batch.maker):
            remittance.REGISTERS.submit(batch, by=batch.maker, on=clock.today())

    def approve(self, batch: Batch, *, by: User | None = None) -> list[Voucher]:
        reviewer = by or self.reviewer(batch.branch.code)
        with acting_as(reviewer):
            return remittance.REGISTERS.approve(batch, by=reviewer, on=clock.today())

    def problems(self, batch: Batch) -> list[Problem]:
        with acting_as(batch.maker):
            return problems_of(batch, remittance.REGISTERS.intake)

    def receive(self, employer: Employer, amount: str, reference: str = "") -> Voucher:
        self.serial += 1
        cashier = self.cashier(employer.branch.code)
        with acting_as(cashier):
            arrival = Arrival(employer.holder, Decimal(amount), reference or f"LS{self.serial:08d}", clock.today())
            (receipt,) = receive(arrival, on=clock.today(), cashier=cashier)
        assert receipt.voucher is not None
        return receipt.voucher

    def balance(self, holder_id: int, account: str) -> Decimal:
        with acting_as(self.manager):
            row = Balance.objects.filter(holder_id=holder_id, account_id=account).first()
        return row.amount if row else Decimal("0.00")

    def text(self, voucher: Voucher) -> str:
        """A voucher as an accountant writes it: side, account, holder, amount."""
        with acting_as(self.manager):
            entries = list(
                Entry.objects.filter(voucher=voucher, date=voucher.date).order_by("id").select_related("account")
            )
            names = {e.pk: e.name for e in Employer.objects.all()} | {m.pk: m.name for m in Member.objects.all()}
        return "\n".join(
            f"{'借' if e.debit else '贷'} {e.account.name} {names.get(e.holder_id, '')} {money.grouped(e.debit or e.credit)}"
            for e in entries
        )


def assert_voucher(city: City, voucher: Voucher, text: str) -> None:
    def squeeze(lines: str) -> list[str]:
        return [" ".join(line.split()) for line in lines.strip().splitlines()]

    assert squeeze(city.text(voucher)) == squeeze(text)
