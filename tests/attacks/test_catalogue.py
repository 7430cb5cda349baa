"""Who may do what, and what holds it: the catalogue against a list that somebody has read (catalogue.txt).

A wall that is missing shows in no other test until somebody attacks that very place. So rights, walls, guards, keys and
definer functions are compared whole, one fact a line, and every change of them passes a reader's eyes.
"""

import difflib
import os
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from fundcenter import database

REVIEWED = Path(__file__).with_name("catalogue.txt")
REWRITE = (
    f"UPDATE_CATALOGUE=1 .venv/bin/python -m pytest {REVIEWED.parent.relative_to(settings.BASE_DIR)}/test_catalogue.py"
)

# Rights are listed for everybody but the owner of the thing. PUBLIC is everybody who can sign in.
FACTS = """
with
ours(oid, name, kind, acl, owner) as (
  select c.oid, c.relname, case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end,
         c.relacl, c.relowner
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')),
granted(what, acl, owner) as (
  select kind || ' ' || name, acl, owner from ours
  union all select format('column %s.%s', o.name, a.attname), a.attacl, o.owner
    from ours o join pg_attribute a on a.attrelid = o.oid
  union all select 'function ' || oid::regprocedure, coalesce(proacl, acldefault('f', proowner)), proowner
    from pg_proc where pronamespace = 'public'::regnamespace
  union all select 'schema ' || nspname, nspacl, nspowner from pg_namespace where nspname !~ '^(pg_|information_schema|snap)'
  union all select 'database', coalesce(datacl, acldefault('d', datdba)), datdba from pg_database where datname = current_database()
  union all select 'type ' || oid::regtype, typacl, typowner from pg_type where typnamespace = 'public'::regnamespace
  -- and what anybody has given our roles elsewhere: in PostgreSQL's own catalogue, on languages, on parameters
  union all select 'function ' || oid::regprocedure, proacl, proowner from pg_proc
    where pronamespace <> 'public'::regnamespace and proacl::text ~ 'fc_'
  union all select 'table ' || oid::regclass, relacl, relowner from pg_class
    where relnamespace <> 'public'::regnamespace and relacl::text ~ 'fc_'
  union all select 'language ' || lanname, lanacl, lanowner from pg_language where lanacl::text ~ 'fc_'
  union all select 'parameter ' || parname, paracl, 10 from pg_parameter_acl where paracl::text ~ 'fc_'),
facts(fact) as (
  select format('may: %s %s %s%s', case r.grantee when 0 then 'PUBLIC' else pg_get_userbyid(r.grantee) end,
                string_agg(r.privilege_type, ',' order by r.privilege_type), what, case when r.is_grantable then ' and pass it on' else '' end)
    from granted, aclexplode(acl) r where r.grantee <> owner group by r.grantee, what, r.is_grantable
  union all
  select format('may by default: %s %s', d.defaclobjtype, d.defaclacl) from pg_default_acl d
  union all
  select format('role: %s %s', rolname, concat_ws(' ', case when rolcanlogin then 'login' end, case when rolsuper then 'SUPERUSER' end,
                case when rolbypassrls then 'BYPASSRLS' end, case when rolcreaterole then 'CREATEROLE' end,
                case when rolcreatedb then 'CREATEDB' end, case when rolreplication then 'REPLICATION' end,
                case when rolinherit then 'inherit' end, array_to_string(rolconfig, ' ')))
    from pg_roles where rolname in ('fc_app', 'fc_door', 'fc_owner')
  union all
  select format('member: %s of %s%s%s%s', pg_get_userbyid(member), pg_get_userbyid(roleid), case when inherit_option then ' inherit' end,
                case when set_option then ' set' end, case when admin_option then ' admin' end)
    from pg_auth_members where pg_get_userbyid(member) ~ '^fc_' or pg_get_userbyid(roleid) ~ '^fc_'
  union all
  select format('setting: %s in %s: %s', case setrole when 0 then 'all' else pg_get_userbyid(setrole) end,
                case when setdatabase = 0 then 'every database' else 'this database' end, setconfig)
    from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase
   where s.setdatabase = 0 or d.datname = current_database()
  union all
  select format('owner: %s %s is of %s', kind, name, pg_get_userbyid(owner)) from ours where pg_get_userbyid(owner) <> 'fc_owner'
  union all
  select format('definer: %s is of %s, %s', oid::regprocedure, pg_get_userbyid(proowner), array_to_string(proconfig, ', '))
    from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
  union all
  select format('function: %s, %s%s', oid::regprocedure, coalesce(array_to_string(proconfig, ', '), 'NO SEARCH PATH'),
                case when proleakproof then ', LEAKPROOF' end)
    from pg_proc where pronamespace = 'public'::regnamespace and not prosecdef
  union all
  select format('trigger: %s %s%s', tgrelid::regclass, replace(substring(pg_get_triggerdef(oid) from 'TRIGGER (.*)'), 'public.', ''),
                case tgenabled when 'O' then '' else ' NOT ENABLED: ' || tgenabled::text end)
    from pg_trigger where not tgisinternal
  union all
  select format('key off: %s %s', conrelid::regclass, conname) from pg_trigger t join pg_constraint c on c.oid = t.tgconstraint
   where t.tgisinternal and t.tgenabled <> 'O' group by 1
  union all
  select format('wall: %s%s', oid::regclass, case when relforcerowsecurity then ' (also for the owner)' end)
    from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity
  union all
  select format('no wall, though it has a branch: %s', c.oid::regclass)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'branch_id' and not a.attisdropped
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity
  union all
  select format('policy: %s %s%s for %s to %s using %s check %s', polrelid::regclass, polname, case when polpermissive then '' else ' RESTRICTIVE' end,
                case polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
                array(select case r when 0 then 'PUBLIC' else pg_get_userbyid(r) end from unnest(polroles) r order by 1),
                regexp_replace(coalesce(pg_get_expr(polqual, polrelid), '-'), '\\s+', ' ', 'g'),
                regexp_replace(coalesce(pg_get_expr(polwithcheck, polrelid), '-'), '\\s+', ' ', 'g'))
    from pg_policy
  union all
  select format('key: %s %s %s%s', conrelid::regclass, conname, replace(pg_get_constraintdef(oid), 'public.', ''),
                case when convalidated then '' else ' NOT VALIDATED' end)
    from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'x', 'c', 'f')
  union all
  select 'unique: ' || replace(replace(pg_get_indexdef(i.indexrelid), 'CREATE UNIQUE INDEX ', ''), 'public.', '')
    from pg_index i join pg_class c on c.oid = i.indexrelid
   where c.relnamespace = 'public'::regnamespace and i.indisunique
     and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x'))
  union all
  select format('column: %s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then '' else ' or null' end,
                case when a.attidentity <> '' then ' identity' end)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^ledger_' and not c.relispartition
  union all
  select format('part: %s %s', oid::regclass, pg_get_expr(relpartbound, oid))
    from pg_class where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
  union all
  select format('rule: %s %s', ev_class::regclass, rulename) from pg_rewrite join pg_class c on c.oid = ev_class
   where c.relnamespace = 'public'::regnamespace and rulename <> '_RETURN'
  union all
  select format('extension: %s', extname) from pg_extension
  union all
  select format('event trigger: %s', evtname) from pg_event_trigger
)
select fact from facts
"""


# The one expression of the wall, exactly; any other one shows as it is.
MINE = (
    "(branch_id = ANY (( SELECT (string_to_array(current_setting('app.branches'::text, true), ','::text))::bigint[] "
    "AS string_to_array)::bigint[]))"
)


def read() -> list[str]:
    with database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"]) as superuser:
        return sorted(fact.replace(MINE, "(own branch)") for (fact,) in superuser.execute(FACTS))


@pytest.fixture(scope="module")
def facts(django_db_setup: None) -> list[str]:
    return read()


def test_the_catalogue_is_the_one_that_was_read(facts: list[str]) -> None:
    if os.environ.get("UPDATE_CATALOGUE"):
        REVIEWED.write_text("\n".join(facts) + "\n", encoding="utf-8")
    reviewed = REVIEWED.read_text(encoding="utf-8").splitlines()
    changes = [
        change
        for change in difflib.unified_diff(reviewed, facts, n=0, lineterm="")
        if not change.startswith(("---", "+++", "@@"))
    ]
    assert not changes, (
        "the database is no longer the one that was read. - was there, + is new:\n  "
        + "\n  ".join(changes)
        + f"\nWhen all of this is meant: {REWRITE}\nand read the difference once more before it goes in."
    )


def told(facts: list[str], kind: str) -> list[str]:
    return [fact.removeprefix(f"{kind}: ") for fact in facts if fact.startswith(f"{kind}: ")]


# What no reading may let pass ------------------------------------------------------------------------------------------


def test_every_function_looks_into_temporary_tables_last(facts: list[str]) -> None:
    """Else a caller's temporary table is read in place of ours, by a definer function with the definer's rights."""
    definers, others = told(facts, "definer"), told(facts, "function")
    assert definers
    assert [one for one in definers if "search_path=public, pg_temp" not in one] == []
    # What pghistory brings for the caller's own rights: a trigger that only says no, and one that asks for its context.
    theirs = ("pgtrigger_append_only_", "_pgh_attach_context()")
    assert [one for one in others if "search_path=public, pg_temp" not in one and not one.startswith(theirs)] == []


def test_the_program_owns_nothing_and_writes_no_book(facts: list[str]) -> None:
    books = ("voucher", "entry", "balance", "series", "period", "daytotal", "dayclose", "account", "kind")
    rights = [fact for fact in told(facts, "may") if any(f" ledger_{book}" in fact for book in books)]
    written = [
        fact
        for fact in rights
        if set(fact.split()[1].split(","))
        & {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"}
    ]
    assert [fact for fact in written if not fact.startswith("fc_door ")] == []
    assert [fact for fact in written if "DELETE" in fact or "TRUNCATE" in fact] == []
    assert [fact for fact in told(facts, "owner") if "fc_app" in fact] == []
    assert [fact for fact in told(facts, "definer") if "is of fc_app" in fact] == []


def test_the_program_reads_histories_and_trails_and_rewrites_none(facts: list[str]) -> None:
    written = [
        fact
        for fact in told(facts, "may")
        if any(fact.endswith(kept) for kept in ("history", "_auditevent", "_opinion", "_storedfile"))
        and set(fact.split()[1].split(",")) & {"UPDATE", "DELETE", "TRUNCATE"}
    ]
    assert written == []
    assert [fact for fact in told(facts, "may") if fact.endswith("history") and fact.split()[1] != "SELECT"] == []


def test_every_part_of_the_entries_is_guarded_and_closed_to_all(facts: list[str]) -> None:
    """Statement triggers are not inherited, and a part is a table of its own: without a wall, so without rights."""
    parts = [part.split()[0] for part in told(facts, "part")]
    assert len(parts) >= 4
    for table in ("ledger_entry", "ledger_voucher", "ledger_daytotal", "ledger_dayclose", *parts):
        guards = [guard for guard in told(facts, "trigger") if guard.startswith(f"{table} ledger_")]
        assert len(guards) == 2, (table, guards)
        assert not any("NOT ENABLED" in guard for guard in guards)
    assert [fact for fact in told(facts, "may") for part in parts if part in fact] == []


def test_a_table_with_a_branch_has_a_wall_or_a_reason(facts: list[str]) -> None:
    parts = {part.split()[0] for part in told(facts, "part")}
    reasons = {
        "ledger_series": "the program may not read it",
        "ledger_period": "every clerk sees up to where each branch is closed",
        "office_user": "a sign-in comes before any branch",
    }
    open_tables = set(told(facts, "no wall, though it has a branch"))
    assert open_tables - parts == set(reasons)


def test_the_list_can_be_read(facts: list[str]) -> None:
    assert len(set(facts)) == len(facts)
    assert not [fact for fact in facts if "\n" in fact]


def test_no_role_of_ours_is_mighty(facts: list[str]) -> None:
    for role in told(facts, "role"):
        assert not any(
            might in role for might in ("SUPERUSER", "BYPASSRLS", "REPLICATION", "CREATEDB", "CREATEROLE")
        ), role
    assert [one for one in told(facts, "member") if one.startswith(("fc_app", "fc_door"))] == []


@pytest.mark.django_db(transaction=True)
def test_migrate_puts_the_walls_up_anew(facts: list[str]) -> None:
    """What was granted by hand, or by a version that thought otherwise, falls when the walls are put up."""
    with database.connect_owner(settings.SERVER, connection.settings_dict["NAME"]) as owner:
        owner.execute(
            "grant all on ledger_entry_2026, ledger_series to fc_app; grant update (amount) on ledger_balance to public; "
            "grant all on sequence ledger_voucher_id_seq to fc_app; grant all on function ledger_open_year(int) to fc_app; "
            "create policy more on ledger_voucher for select to fc_app using (true); "
            "alter policy branch on ledger_entry using (true); alter table ledger_balance disable row level security; "
            "alter function ledger_keep() reset search_path"
        )
    assert read() != facts
    call_command("migrate", verbosity=0)
    assert read() == facts


def test_the_list_notices_what_is_taken_away(django_db_setup: None) -> None:
    """Each of these was once, somewhere, a hole: in a transaction that is taken back, the facts must differ."""
    holes = [
        "grant insert on ledger_entry_2026 to fc_app",
        "grant update (amount) on ledger_balance to fc_app",
        "grant select on ledger_series to public",
        "grant usage on sequence ledger_voucher_id_seq to fc_app",
        "grant create on schema public to fc_door",
        "grant execute on function ledger_open_year(int) to public",
        "grant execute on function pg_read_file(text) to fc_app",
        "grant fc_door to fc_app",
        "alter role fc_app bypassrls",
        "alter role fc_app set row_security = off",
        "alter table ledger_entry_2026 disable trigger ledger_keep",
        "drop trigger ledger_only_door on ledger_voucher",
        "alter table ledger_voucher disable trigger all",
        "alter table ledger_balance disable row level security",
        "alter policy branch on ledger_voucher using (true)",
        "create policy more on ledger_voucher for select to fc_app using (true)",
        "alter function office_today() set search_path = public",
        "alter function ledger_digest(bigint, date, date) security definer",
        "alter table ledger_voucher drop constraint ledger_voucher_source",
        "alter table ledger_voucher alter column reviewed_by_id drop not null",
        "alter table ledger_entry alter column debit type numeric",
        "alter default privileges for role fc_owner grant all on tables to fc_app",
        "create rule nothing as on insert to ledger_voucher do instead nothing",
        "create view public.v as select * from ledger_voucher; grant select on public.v to fc_app",
        "create table public.t (branch_id bigint)",
        "alter table ledger_voucher owner to fc_app",
    ]
    with database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"]) as superuser:
        whole = sorted(superuser.execute(FACTS).fetchall())
        for hole in holes:
            with superuser.transaction(force_rollback=True):
                superuser.execute(hole)
                assert sorted(superuser.execute(FACTS).fetchall()) != whole, hole
        with pytest.raises(psycopg.errors.UndefinedTable):
            superuser.execute("select from public.t")
