"""A party's branch is its holder's: the key over both columns follows when the door moves the holder."""

from django.db import migrations

SQL = """
create sequence parties_employer_number_seq;
create sequence parties_member_number_seq;
alter table parties_employer add constraint parties_employer_holder foreign key (holder_id, branch_id)
  references ledger_holder (id, branch_id) on update cascade;
alter table parties_member add constraint parties_member_holder foreign key (holder_id, branch_id)
  references ledger_holder (id, branch_id) on update cascade;
"""


class Migration(migrations.Migration):
    dependencies = [("parties", "0001_initial")]
    operations = [migrations.RunSQL(SQL)]
