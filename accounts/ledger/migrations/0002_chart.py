"""The chart of accounts (财会字〔1999〕33号, 财会字〔2000〕12号; second level the centre's) and the kinds of vouchers."""

import csv
from pathlib import Path

from django.db import migrations

# Each room brings the kinds of its own vouchers.
KINDS = (("reversal", "红字冲销", "记"),)


def fill(apps, schema_editor):
    Account, Kind = (
        apps.get_model("ledger", "Account"),
        apps.get_model("ledger", "Kind"),
    )
    with Path(__file__).with_name("chart_of_accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parents = {row["parent"] for row in rows}
    sides = {"借": "debit", "贷": "credit"}
    Account.objects.bulk_create(
        Account(
            code=row["code"],
            name=row["name"],
            type=row["type"],
            normal_side=sides[row["normal_side"]],
            parent_id=row["parent"] or None,
            holder_kind=row["holder_kind"] or None,
            is_stored=row["stored"] == "yes",
            is_leaf=row["code"] not in parents,
        )
        for row in rows
    )
    Kind.objects.bulk_create(Kind(code=code, name=name, word=word) for code, name, word in KINDS)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
