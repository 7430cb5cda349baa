"""Seeing another branch, with the program's credential and the scope of one branch: rows, leaks, and what must be public."""

import contextlib
import hashlib
import itertools
from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps

from tests.attacks.scene import NOTHING, Attack, Scene

REFUSED = "42501"
WALLED = sorted(
    model._meta.db_table
    for model in apps.get_models()
    if any(field.name == "branch" for field in model._meta.local_fields)
)
# Tables with a branch that every clerk may read, and what may be added for another branch: each with its reason.
SEEN_BY_ALL = {
    "ledger_period": "up to where each branch is closed is no secret, and the city closes together",
    "office_user": "names appear on vouchers and opinions; a sign-in looks them up before any branch is known",
}
LEFT_BY_ALL = {"office_auditevent": "whoever acts leaves a trail, also where they act in vain"}
NUMBERS = itertools.count(1)


def anything(kind: str, length: int | None) -> str:
    """A value for a column of this kind that no other row has, as far as the kind allows."""
    number = next(NUMBERS)
    plain = {
        "boolean": "false", "date": "current_date", "timestamp with time zone": "now()", "jsonb": "'{}'", "ARRAY": "'{}'",
        "smallint": "1", "numeric": "1", "uuid": "gen_random_uuid()", "bytea": f"decode('{number:08x}', 'hex')",
    }  # fmt: skip
    if kind in ("text", "character varying"):
        return f"'{str(number)[-(length or 9) :]}'"
    return plain.get(kind) or str(10**6 + number)


@pytest.fixture(scope="module")
def full(scene: Scene) -> Iterator[Scene]:
    """In every table with a branch there is now a row of the attacker's branch and one of the other."""
    run, added = scene.superuser.execute, []
    run("set session_replication_role = replica")
    for table in WALLED:
        columns = run(
            "select column_name, data_type, character_maximum_length from information_schema.columns where table_schema = 'public' and table_name = %s "
            "and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and column_name <> 'branch_id'",
            [table],
        ).fetchall()
        for branch in (scene.names["mine"], scene.names["theirs"]):
            if run(f"select from {table} where branch_id = %s", [branch]).rowcount:
                continue
            names = ", ".join(f'"{name}"' for name, *_ in columns)
            values = ", ".join(anything(kind, length) for _, kind, length in columns)
            run(f"insert into {table} (branch_id, {names}) values (%s, {values})", [branch])
            added.append((table, branch))
    run("reset session_replication_role; analyze")
    scene.moved()
    yield scene
    run("set session_replication_role = replica")
    for table, branch in added:
        run(f"delete from {table} where branch_id = %s", [branch])
    run("reset session_replication_role")
    scene.moved()


@pytest.mark.parametrize("table", [table for table in WALLED if table not in SEEN_BY_ALL])
def test_a_table_shows_and_takes_only_the_own_branch(full: Scene, table: str) -> None:
    tries = {
        "read": f"select * from {table} where branch_id = :theirs",
        "count": f"select 1 from {table} where branch_id <> :mine having count(*) > 0",
        "change": f"update {table} set branch_id = branch_id where branch_id = :theirs",
        "take": f"update {table} set branch_id = :mine where branch_id = :theirs",
        "remove": f"delete from {table} where branch_id = :theirs",
        "lock": f"select * from {table} where branch_id = :theirs for update",
    }
    answers = {what: full.attempt(sql) for what, sql in tries.items()}
    assert set(answers.values()) <= {NOTHING, REFUSED}, answers
    assert full.attempt(f"update {table} set branch_id = :theirs where branch_id = :mine") == REFUSED
    if table not in LEFT_BY_ALL:
        assert full.attempt(f"insert into {table} (branch_id) values (:theirs)") == REFUSED
    assert full.moved() == []


@pytest.mark.parametrize("table", SEEN_BY_ALL)
def test_what_all_may_see_only_these_tables_show(full: Scene, table: str) -> None:
    assert full.attempt(f"select * from {table} where branch_id = :theirs") != NOTHING


LEAKS = [
    Attack("a voucher by its key", "select * from ledger_voucher where id = :their_latest", NOTHING),
    Attack("entries by their key", "select * from ledger_entry where id between :their_latest::bigint << 24 and :their_latest::bigint << 24 | 9", NOTHING),
    Attack("entries by their year", "select * from ledger_entry_2026", REFUSED),
    Attack("a balance by its holder", "select * from ledger_balance where holder_id = :their_member", NOTHING),
    Attack("a holder by its key", "select * from ledger_holder where id = :their_member", NOTHING),
    Attack("a member by the holder", "select * from parties_member where holder_id = :their_member", NOTHING),
    Attack("the numbers given", "select * from ledger_series", REFUSED),
    Attack("the numbers given, by the function", "select * from ledger_number_series() where branch_id <> :mine", NOTHING),
    Attack("a subselect", "select 1 where (select amount from ledger_voucher where id = :their_latest) is not null", NOTHING),
    Attack("an EXISTS", "select 1 where exists (select from parties_member where branch_id = :theirs)", NOTHING),
    Attack("a join from a row of one's own", "select v.* from ledger_voucher o join ledger_voucher v on v.branch_id <> o.branch_id", NOTHING),
    Attack("what a crossing of one's own brought to the other branch", "select * from ledger_entry where voucher_id = :crossed and branch_id <> :mine", NOTHING),
    Attack("a view of one's own", "create temp view v as select * from ledger_voucher; select * from v where branch_id = :theirs", NOTHING),
    Attack("a copy of one's own", "create temp table t as select * from ledger_entry; select * from t where branch_id = :theirs", NOTHING),
    Attack("a definer function of one's own",
           "create function pg_temp.f() returns setof public.ledger_voucher language sql security definer as 'select * from public.ledger_voucher'; "
           "select * from pg_temp.f() where branch_id = :theirs", NOTHING),
    Attack("a sample", "select * from ledger_voucher tablesample system (100) where branch_id = :theirs", NOTHING),
    Attack("places on the disk",
           "select * from ledger_voucher where ctid = any(array(select format('(0,%s)', i)::tid from generate_series(1, 99) i)) and branch_id = :theirs", NOTHING),
    Attack("RETURNING of an update", "update parties_member set name = name where branch_id = :theirs returning *", NOTHING),
    Attack("ON CONFLICT with a row out of sight",
           "insert into banking_receipt select * from banking_receipt on conflict (id) do update set reference = excluded.reference "
           "where banking_receipt.branch_id = :theirs", NOTHING),
    Attack("an error of a division", "select * from ledger_voucher where case when branch_id = :theirs then 1 / (id - id) else 0 end = 1", NOTHING),
    Attack("an error of a division by the amount", "select * from ledger_voucher where branch_id = :theirs and 1 / (amount - amount) = 1", NOTHING),
    Attack("an error of a cast", "select * from parties_member where case when branch_id = :theirs then name::int end = 1", NOTHING),
    Attack("the values most common", "select * from pg_stats where tablename = any(array['ledger_voucher', 'ledger_entry', 'ledger_balance', "
           "'ledger_holder', 'parties_member', 'parties_employer', 'banking_receipt', 'ledger_series', 'ledger_entry_2026'])", NOTHING),
    Attack("branch of a number by a pattern", "select * from parties_branch_of('employer', array['%', '', null])", NOTHING),
    Attack("branch of a number of another kind", "select * from parties_branch_of('user', array(select username from office_user))", NOTHING),
    Attack("branch of every number there is not", "select * from parties_branch_of('member', null)", NOTHING),
    Attack("the other branch's sequence of keys", "select currval('ledger_voucher_id_seq')", REFUSED),
]  # fmt: skip


@pytest.mark.parametrize("attack", LEAKS, ids=str)
def test_nothing_of_another_branch(full: Scene, attack: Attack) -> None:
    assert full.attempt(attack.sql) in attack.answers


def test_a_function_of_ones_own_never_meets_a_row_of_another_branch(full: Scene) -> None:
    """The cheapest of functions still comes after the wall, because it isn't leakproof."""
    heard: list[str] = []
    with full.raw(full.names["mine"]) as reader:
        reader.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        reader.execute(
            "create function pg_temp.tell(text, bigint) returns bool language plpgsql cost 0.0000000001 as "
            "$$ begin raise notice '% of %', $1, $2; return true; end $$"
        )
        for table in ("ledger_voucher", "ledger_entry", "ledger_balance", "parties_member", "ledger_holder"):
            reader.execute(f"select from {table} t where pg_temp.tell('{table}', branch_id)")
    assert {line.rpartition(" ")[2] for line in heard} == {str(full.names["mine"]), "<NULL>"}


def test_copy_out_brings_only_the_own_branch(full: Scene) -> None:
    with full.raw(full.names["mine"]) as reader, reader.cursor() as cursor:
        with cursor.copy("copy (select branch_id from ledger_entry) to stdout") as out:
            assert {row[0] for row in out.rows()} == {str(full.names["mine"])}
        with cursor.copy("copy ledger_balance (branch_id) to stdout") as out:
            assert {row[0] for row in out.rows()} == {str(full.names["mine"])}


def test_a_prepared_statement_obeys_the_scope_of_its_moment(full: Scene) -> None:
    with full.raw(full.names["theirs"]) as reader:
        reader.execute("prepare p as select distinct branch_id from ledger_voucher")
        for _ in range(7):  # past the moment at which a generic plan is kept
            reader.execute("execute p")
        reader.execute("select set_config('app.branches', %s, false)", [str(full.names["mine"])])
        assert reader.execute("execute p").fetchall() == [(full.names["mine"],)]
        reader.execute("select set_config('app.branches', '', false)")
        assert reader.execute("execute p").fetchall() == []


@pytest.mark.parametrize("table", [table for table in WALLED if table not in SEEN_BY_ALL])
def test_without_a_scope_a_table_is_empty(full: Scene, table: str) -> None:
    with full.raw() as reader, contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        assert reader.execute(f"select branch_id from {table} where branch_id is not null").fetchall() == []


def test_whose_number_this_is_tells_the_branch_and_no_more(full: Scene) -> None:
    (number,) = full.superuser.execute(
        full.filled("select number from parties_member where holder_id = :their_member")
    ).fetchone()
    with full.raw(full.names["mine"]) as reader:
        found = reader.execute("select * from parties_branch_of('member', %s)", [[number]])
        assert [column.name for column in found.description] == ["number", "branch_id"]
        assert found.fetchall() == [(number, full.names["theirs"])]


def test_the_digest_of_another_branch_is_the_digest_of_nothing(full: Scene) -> None:
    with full.raw(full.names["mine"]) as reader:
        said = reader.execute(full.filled("select ledger_digest(:theirs, '-infinity', '2026-03-16')")).fetchone()
    assert said == (hashlib.sha256(b"").hexdigest(),)
