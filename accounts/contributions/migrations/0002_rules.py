"""How a monthly contribution is rounded: each side half up to whole yuan, the
default of collection rules until a centre's own resolution replaces it by another row."""

from datetime import date

from django.db import migrations

SQL = """
alter table contributions_contributionrule add constraint contributions_rule_no_overlap
  exclude using gist (daterange(valid_from, valid_to) with &&);
"""


def add(apps, schema_editor):
    apps.get_model("contributions", "ContributionRule").objects.create(
        valid_from=date(2018, 7, 1),
        amount_rounding="yuan",
        document_number="建金〔2018〕45号",
        article="月缴存额取整为本中心约定",
    )


class Migration(migrations.Migration):
    dependencies = [("contributions", "0001_initial")]
    operations = [
        migrations.RunSQL(SQL),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
