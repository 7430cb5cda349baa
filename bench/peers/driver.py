"""What the peers do, in a process of their own venv: bench/peers/__init__.py starts it, orders it line by line, and waits.

Its lines of JSON: the database; what there is to post; then orders. An order is answered by the seconds that it took and the
number of rows that there are now, the first two lines by that number alone. Whatever a program would have at hand (people, accounts, amounts) is made ready outside
the time.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(sys.stdin.readline())}},
    INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak", "filed"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    DEFAULT_CURRENCY="CNY",
    HORDAK_INTERNAL_CURRENCY="CNY",
    CURRENCIES=["CNY"],
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.transaction import atomic  # noqa: E402
from filed.models import Contribution, Employer, Member  # noqa: E402
from hordak.models import Account, AccountType, Leg, Transaction  # noqa: E402
from import_export.fields import Field  # noqa: E402
from import_export.formats.base_formats import XLSX  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402
from import_export.widgets import CachedForeignKeyWidget, DecimalWidget, ForeignKeyWidget  # noqa: E402
from moneyed import Money  # noqa: E402


class ContributionResource(ModelResource):
    """As its documentation shows it: a field a column, people found by number, an earlier row of the same key found again."""

    employer = Field("employer", "单位账号", ForeignKeyWidget(Employer, "number"))
    month = Field("month", "缴存月份")
    member = Field("member", "个人账号", ForeignKeyWidget(Member, "number"))
    base = Field("base", "缴存基数", DecimalWidget())
    amount_employer = Field("amount_employer", "单位月缴存额", DecimalWidget())
    amount_member = Field("amount_member", "个人月缴存额", DecimalWidget())

    class Meta:
        model = Contribution
        fields = ("employer", "month", "member", "base", "amount_employer", "amount_member")
        import_id_fields = ("month", "member")


class BulkResource(ContributionResource):
    """With all that it offers for speed; what is there already is not looked for, a constraint refuses it."""

    employer = Field("employer", "单位账号", CachedForeignKeyWidget(Employer, "number"))
    member = Field("member", "个人账号", CachedForeignKeyWidget(Member, "number"))

    class Meta:
        use_bulk = True
        skip_diff = True
        force_init_instance = True


class Books:
    """A liability account for each employer's suspense and each member, and the month that is posted again and again."""

    def __init__(self, month: list[list[Any]], people: list[list[str]]) -> None:
        call_command("migrate", run_syncdb=True, verbosity=0)
        for model, numbers in zip((Employer, Member), people, strict=True):
            model.objects.bulk_create(model(number=number) for number in numbers)
        holders = [holder for employer, members in month for holder in (employer, *(member for member, _ in members))]
        accounts = Account.objects.bulk_create(
            Account(
                name=str(holder), type=AccountType.liability, currencies=["CNY"], lft=1, rght=2, level=0, tree_id=tree
            )
            for tree, holder in enumerate(holders, start=1)
        )
        of = dict(zip(holders, accounts, strict=True))
        self.month = [
            (of[employer], [(of[member], Decimal(amount)) for member, amount in members]) for employer, members in month
        ]

    def loop(self) -> None:
        """Leg by leg, as its documentation posts a transaction; the month at once or not at all, as ours."""
        with atomic():
            for employer, members in self.month:
                voucher = Transaction.objects.create(date=date(2026, 12, 31), description=f"汇缴 {employer.name}")
                total = sum(amount for _, amount in members)
                Leg.objects.create(transaction=voucher, account=employer, debit=Money(total, "CNY"))
                for member, amount in members:
                    Leg.objects.create(transaction=voucher, account=member, credit=Money(amount, "CNY"))

    def bulk(self) -> None:
        """As its own benchmark command posts: all transactions, then all legs."""
        vouchers, legs = [], []
        for employer, members in self.month:
            voucher = Transaction(date=date(2026, 12, 31), description=f"汇缴 {employer.name}")
            vouchers.append(voucher)
            total = sum(amount for _, amount in members)
            legs.append(Leg(transaction=voucher, account=employer, debit=Money(total, "CNY")))
            legs += [
                Leg(transaction=voucher, account=member, credit=Money(amount, "CNY")) for member, amount in members
            ]
        with atomic():
            Transaction.objects.bulk_create(vouchers)
            Leg.objects.bulk_create(legs)


def imported(sheet: str, resource: type[ModelResource]) -> None:
    """What its admin does with a file: reads it and tries it, rolled back; confirmed, reads it again and imports it."""
    for dry_run in (True, False):
        dataset = XLSX().create_dataset(Path(sheet).read_bytes())
        resource().import_data(dataset, dry_run=dry_run, raise_errors=True)


def main() -> None:
    answer(0)
    books = Books(**json.loads(sys.stdin.readline()))
    answer(0)
    for line in sys.stdin:
        order = json.loads(line)
        begun = time.perf_counter()
        match order:
            case ["loop"]:
                books.loop()
            case ["bulk"]:
                books.bulk()
            case ["import", sheet]:
                imported(sheet, ContributionResource)
            case ["import in bulk", sheet]:
                imported(sheet, BulkResource)
        seconds = time.perf_counter() - begun
        answer([seconds, Leg.objects.count() + Contribution.objects.count()])


def answer(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
