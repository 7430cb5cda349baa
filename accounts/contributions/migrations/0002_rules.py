"""Kinds of vouchers, what blocks what, and how a monthly contribution is rounded: each side half up to whole yuan, the
default of collection rules until a centre's own resolution replaces it by another row."""

from datetime import date

from django.db import migrations

SQL = """
alter table contributions_contributionrule add constraint contributions_rule_no_overlap
  exclude using gist (daterange(valid_from, valid_to) with &&);
"""


KINDS = (("remittance", "汇缴", "批"), ("refund", "错缴退回", "批"), ("refund_payment", "退款支付", "记"))
BATCH, REFUND = "contributions.batch", "contributions.refund"
# A refund changes what a register rests on, and a register what a refund may take.
BLOCKING = ((BATCH, REFUND), (REFUND, BATCH), (REFUND, REFUND))


def add(apps, schema_editor):
    for code, name, word in KINDS:
        apps.get_model("ledger", "Kind").objects.create(code=code, name=name, word=word)
    for kind, blocked_by in BLOCKING:
        apps.get_model("ledger", "Blocking").objects.create(kind=kind, blocked_by=blocked_by)
    apps.get_model("contributions", "ContributionRule").objects.create(
        valid_from=date(2018, 7, 1),
        amount_rounding="yuan",
        document_number="建金〔2018〕45号",
        article="月缴存额取整为本中心约定",
    )


class Migration(migrations.Migration):
    dependencies = [("contributions", "0001_initial"), ("ledger", "0002_chart")]
    operations = [
        migrations.RunSQL(SQL),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
