"""The limits that a centre starts with until its own resolutions replace them by other rows. collection.md A4: the ratios
are those of the regulation and of 建金〔2016〕74号; the bases are an example (three times 8,111.25, cut to the yuan)."""

from datetime import date
from decimal import Decimal

from django.db import migrations

SQL = """
alter table parties_contributionlimit add constraint parties_limit_no_overlap exclude using gist (
  int8range(coalesce(branch_id, 0), coalesce(branch_id, 0), '[]') with &&, daterange(valid_from, valid_to) with &&);
"""
LIMITS = {
    "base_floor": Decimal("1850.00"),
    "base_cap": Decimal("24333.00"),
    "ratio_floor": Decimal("0.05"),
    "ratio_ceiling": Decimal("0.12"),
}
SPANS = (
    (date(2018, 7, 1), date(2025, 7, 1), "基数为示例：历年标准请由本中心补录"),
    (date(2025, 7, 1), None, "基数为示例：请按本中心公布的标准录入"),
)


def add(apps, schema_editor):
    for valid_from, valid_to, article in SPANS:
        apps.get_model("parties", "ContributionLimit").objects.create(
            valid_from=valid_from, valid_to=valid_to, document_number="建金〔2018〕45号", article=article, **LIMITS
        )


class Migration(migrations.Migration):
    dependencies = [("parties", "0002_keys")]
    operations = [
        migrations.RunSQL(SQL),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
