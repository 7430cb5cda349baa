"""The bench's own city: a home and cluster of its own with fsync on, and a database that is thrown away afterwards.

People are made by set-based SQL as the superuser, in the shape of the rooms' tables; names and ID numbers are dummies.
Importing this module chooses the home, so it comes before any settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["FUNDCENTER_HOME"] = str(ROOT / "var" / "bench")
os.environ["FUNDCENTER_TODAY"] = "2026-12-31"
os.environ["DJANGO_SETTINGS_MODULE"] = "fundcenter.settings"
for name in ("DATABASE_URL", "FUNDCENTER_PG_FSYNC", "DEMO"):
    os.environ.pop(name, None)

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.ledger.services.posting import Rows, post  # noqa: E402
from accounts.ledger.vouchers import Line, Template  # noqa: E402
from fundcenter import database  # noqa: E402
from fundcenter.office.models import Branch, Role, User  # noqa: E402
from fundcenter.scope import acting_as  # noqa: E402

TODAY = date(2026, 12, 31)
BRANCHES = 13
# A city of 350,000 members has 6,034 employers that pay; others keep the proportion.
MEMBERS, EMPLOYERS = 350_000, 6_034

# An employer's size falls with its number: the largest has about 4,500 of 350,000 members, most have 30 to 60. A member's
# number follows the employer's, as they opened together, but for three in ten who have since gone elsewhere.
PEOPLE = """
insert into ledger_holder (id, kind, branch_id)
select e, 'employer', 1 + e %% %(branches)s from generate_series(1, %(employers)s) e order by e;
create table bench_member as
select %(employers)s + m as id,
       1 + floor(%(employers)s * power((case when m %% 10 < 3 then hashint8(m)::bigint + 2147483648 end / 4294967296.0), 2))::bigint as moved,
       1 + floor(%(employers)s * power((m - 1) / %(members)s::float8, 2))::bigint as first
  from generate_series(1, %(members)s) m;
alter table bench_member add employer bigint;
update bench_member set employer = coalesce(moved, first);
insert into ledger_holder (id, kind, branch_id)
select id, 'member', 1 + employer %% %(branches)s from bench_member order by id;
insert into ledger_holder (id, kind) values (%(employers)s + %(members)s + 1, 'bank_account');
select setval('ledger_holder_id_seq', max(id)) from ledger_holder;
insert into parties_employer (holder_id, branch_id, initials, opened_on, opened_by_id, opening_checked_by_id, number, name,
  credit_code, nature, industry, address, legal_person, contact, phone, pay_day, ratio_employer, ratio_member, first_month, state)
select id, branch_id, 'dw' || id, '2020-01-01', %(maker)s, %(checker)s, lpad(id::text, 12, '0'), '单位' || id,
       lpad(id::text, 18, '0'), 'private', 'A', '', '', '', '', 15, 0.12, 0.12, '2020-01-01', 'normal'
  from ledger_holder where kind = 'employer' order by id;
insert into parties_member (holder_id, branch_id, initials, opened_on, opened_by_id, opening_checked_by_id, number, name,
  employer_id, id_type, id_sealed, id_index, id_mask, sex, birth_date, phone_sealed, phone_mask, base, first_month, state)
select m.id, h.branch_id, 'zg' || m.id, '2020-01-01', %(maker)s, %(checker)s, lpad(m.id::text, 12, '0'), '职工' || m.id,
       m.employer, '01', repeat('x', 80), decode(md5(m.id::text), 'hex'), '3623**********0000', '', null, '', '',
       3000 + m.id %% 9000, '2020-01-01', 'normal'
  from bench_member m join ledger_holder h using (id) order by id;
drop table bench_member;
insert into office_storedfile (branch_id, sha256, name, size, uploaded_by_id, uploaded_at)
values (1, repeat('0', 64), 'bench.xlsx', 0, %(maker)s, now())
"""
# One file of the whole city's registers; {where} leaves branches out.
STAGE = """
with batch as (
  insert into contributions_batch (branch_id, state, made_on, made_at, maker_id, checker_id, file_id, sha256, confirmed,
    row_count, total, error_count)
  values (1, 'submitted', %(on)s, now(), %(maker)s, null, 1, md5(%(on)s::text), '{{}}', 0, 0, 0) returning id),
register as (
  insert into contributions_register (batch_id, branch_id, employer_id, month, member_count, total, is_posted)
  select batch.id, min(m.branch_id), m.employer_id, date_trunc('month', %(on)s::date), count(*),
         sum(2 * round(m.base * 0.12)), false
    from parties_member m, batch {where} group by batch.id, m.employer_id order by m.employer_id
  returning id, batch_id, employer_id)
insert into contributions_registerrow (batch_id, branch_id, row, employer_number, month, member_number, name, base,
  amount_employer, amount_member, register_id, employer_id, member_id)
select r.batch_id, m.branch_id, 1 + row_number() over (order by m.employer_id, m.holder_id), lpad(m.employer_id::text, 12, '0'),
       date_trunc('month', %(on)s::date), m.number, m.name, m.base, round(m.base * 0.12), round(m.base * 0.12), r.id,
       m.employer_id, m.holder_id
  from parties_member m join register r on r.employer_id = m.employer_id
 order by m.employer_id, m.holder_id
"""

# What the entrusted bank brings in: the counter's two lines, as accounts.banking.vouchers.RECEIPT has them.
RECEIPT = Template(
    kind="receipt",
    lines=(
        Line("借", "10101", holder="bank_account", amount="amount"),
        Line("贷", "21901", holder="payer", amount="amount"),
    ),
)


@dataclass
class City:
    members: int
    employers: int
    maker: User
    checker: User

    @property
    def bank_account(self) -> int:
        return self.employers + self.members + 1

    def superuser(self) -> psycopg.Connection[Any]:
        return database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"], autocommit=True)

    def owner(self) -> psycopg.Connection[Any]:
        return database.connect_owner(settings.SERVER, connection.settings_dict["NAME"], autocommit=True)

    def app(self) -> psycopg.Connection[Any]:
        """Signed in as the program, with the whole city in scope, without Django."""
        server = settings.SERVER
        there = server.connect(server.app_user, server.app_password, connection.settings_dict["NAME"], autocommit=True)
        there.execute("select set_config('app.branches', %s, false)", [",".join(map(str, range(1, BRANCHES + 1)))])
        return there

    def stage(self, on: date, *, without_branch: int | None = None) -> int:
        """A submitted file with every register of the month; returns its batch."""
        where = f"where m.branch_id <> {without_branch:d}" if without_branch else ""
        with self.superuser() as postgres:
            postgres.execute(STAGE.format(where=where), {"on": on, "maker": self.maker.pk})
            postgres.execute("analyze contributions_register, contributions_registerrow")
            (batch,) = postgres.execute("select max(id) from contributions_batch").fetchone()
        return int(batch)

    def fund(self, amount: int, on: date) -> None:
        """Money for every employer's suspense, through the door."""
        slips = Rows(
            "select e.holder_id as key, e.branch_id as branch, '到账' as summary, 1 as attachments, e.holder_id as payer, "
            "%(bank)s::bigint as bank_account, %(amount)s::numeric as amount from parties_employer e",
            {"bank": self.bank_account, "amount": amount},
        )
        with acting_as(self.maker):
            post(RECEIPT, slips=slips, on=on, prepared_by=self.maker, reviewed_by=self.checker)

    def settle(self) -> None:
        """Before each measurement: nobody pays for what another has left behind."""
        with self.superuser() as postgres:
            postgres.execute("vacuum (analyze)")
            postgres.execute("checkpoint")


@contextmanager
def opened(members: int = MEMBERS) -> Iterator[City]:
    """A fresh database of that many members; dropped at the end."""
    server, name = settings.SERVER, f"bench_{os.getpid()}"
    with database.connect_superuser(server, autocommit=True) as postgres:
        postgres.execute("alter system set autovacuum = off")  # it would strike one side of a comparison
        postgres.execute("select pg_reload_conf()")
        for (left,) in postgres.execute("select datname from pg_database where datname ^@ 'bench_'").fetchall():
            postgres.execute(f'drop database "{left}" with (force)')
    database.prepare(name, server)
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        yield _people(members)
    finally:
        connection.close()
        with database.connect_superuser(server, autocommit=True) as postgres:
            postgres.execute(f'drop database "{name}" with (force)')


def _people(members: int) -> City:
    Branch.objects.bulk_create(
        Branch(id=i, code=f"{i:02d}", name=f"分中心{i}", division_code="361100") for i in range(1, BRANCHES + 1)
    )
    maker, checker = (User.objects.create_user(f"bench{i}", name=f"计时{i}", roles=[Role.MANAGER]) for i in (1, 2))
    city = City(members, max(BRANCHES, round(members * EMPLOYERS / MEMBERS)), maker, checker)
    given = {
        "branches": BRANCHES,
        "employers": city.employers,
        "members": members,
        "maker": maker.pk,
        "checker": checker.pk,
    }
    with city.superuser() as postgres, psycopg.ClientCursor(postgres) as cursor:
        cursor.execute(PEOPLE, given)
        postgres.execute("vacuum (analyze)")
    return city
