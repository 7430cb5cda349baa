"""The system user prepares what the machine makes by itself. It has no password and no role: nobody signs in as it."""

from django.contrib.auth.hashers import make_password
from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("office", "User").objects.create(
        username="system", name="系统", password=make_password(None), roles=[]
    )


class Migration(migrations.Migration):
    dependencies = [("office", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
