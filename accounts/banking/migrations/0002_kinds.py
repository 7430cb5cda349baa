"""The kind of voucher that a bank receipt makes."""

from django.db import migrations


def fill(apps, schema_editor):
    apps.get_model("ledger", "Kind").objects.create(code="receipt", name="银行到账", word="记")


class Migration(migrations.Migration):
    dependencies = [("banking", "0001_initial"), ("ledger", "0002_chart")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
