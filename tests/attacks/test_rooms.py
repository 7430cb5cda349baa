"""The walls of every room's tables, each run into once: rights withheld, keys and checks, histories, functions for one question.

What there must be is the reviewed list (catalogue.txt); whether it is there is tried, not read: a row twice, a row that points
to nothing, a value that the check forbids. Where a wall would hide behind another (a guard that refuses even the owner), the
other one is put aside in a transaction that is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.attacks.scene import Scene
from tests.attacks.test_catalogue import REVIEWED
from tests.attacks.test_reading import anything
from tests.city import credit_code

REFUSED, KEPT = "42501", "P0001"
ROOMS = ("office_", "ledger_", "banking_", "parties_", "contributions_")
LIST = REVIEWED.read_text(encoding="utf-8").splitlines()
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


def listed(kind: str, pattern: str) -> list[re.Match[str]]:
    """The facts of this kind about tables of our rooms."""
    found = (re.fullmatch(pattern, line.removeprefix(f"{kind}: ")) for line in LIST if line.startswith(f"{kind}: "))
    return [one for one in found if one and one["table"].startswith(ROOMS)]


PARTS = [one["table"] for one in listed("part", r"(?P<table>\w+) .*")]
TABLES = sorted({one["table"] for one in listed("key", r"(?P<table>\w+) .*")})


# Rights ---------------------------------------------------------------------------------------------------------------


def granted(role: str) -> dict[str, set[str]]:
    return {
        one["table"]: set(one["rights"].split(","))
        for one in listed("may", rf"{role} (?P<rights>[A-Z,]+) table (?P<table>\w+)")
    }


COLUMNS = {
    (one["table"], one["column"]) for one in listed("may", r"fc_app UPDATE column (?P<table>\w+)\.(?P<column>\w+)")
}
TRIES = {
    "SELECT": "select 1 from {0} limit 0",
    "INSERT": "insert into {0} select * from {0} where false",
    "UPDATE": "update {0} set {1} = default where false",
    "DELETE": "delete from {0} where false",
    "TRUNCATE": "truncate {0}",
}
# The door writes the books and reads what it needs for that; what it may not do there is a wall as well.
BOOKS = sorted(table for table in TABLES if table.startswith("ledger_") and table not in PARTS)
WITHHELD = [
    (role, right, table)
    for role, tables in (("fc_app", TABLES), ("fc_door", BOOKS))
    for table in tables
    for right in RIGHTS
    if right not in granted(role).get(table, set())
]


@pytest.mark.parametrize(("role", "right", "table"), WITHHELD, ids=[f"{r} of {t} by {who}" for who, r, t in WITHHELD])
def test_a_right_withheld(scene: Scene, role: str, right: str, table: str) -> None:
    columns = scene.superuser.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [table],
    )
    column = next(name for (name,) in columns if (table, name) not in COLUMNS)
    sql = TRIES[right].format(table, f'"{column}"')
    if right == "INSERT" and "SELECT" not in granted(role).get(table, set()):
        sql = (
            f"insert into {table} default values"  # what may not be read has no wall of rows that would answer the same
        )
    assert said(scene, sql, role=role)[0] == REFUSED


def said(scene: Scene, sql: str, *, role: str = "postgres", aside: str = "") -> tuple[str, str]:
    """The SQLSTATE and the constraint that the role meets; ``aside`` puts the walls in front of it away for the moment."""
    with scene.superuser.transaction(force_rollback=True):
        if aside:
            scene.superuser.execute(aside)
        scene.superuser.execute(f"set local role {role}")
        try:
            with scene.superuser.transaction():
                scene.superuser.execute(scene.filled(sql))
                scene.superuser.execute("set constraints all immediate")
        except psycopg.Error as error:
            return error.sqlstate or str(error), error.diag.constraint_name or ""
    return "done", ""


# Keys and checks ------------------------------------------------------------------------------------------------------


# Two rows would be one too many.
ONE_ROW = ("office_clock", "contributions_contributionrule")


@pytest.fixture(scope="module")
def furnished(scene: Scene) -> Iterator[Scene]:
    """Every table of every room has two rows at least: invented ones where the scene has none. Foreign keys look away."""
    run, added = scene.superuser.execute, []
    run("set session_replication_role = replica")
    for table in TABLES:
        if table in PARTS:
            continue
        (rows,) = run(f"select count(*) from {table}").fetchone()
        columns = run(
            "select column_name, data_type, character_maximum_length from information_schema.columns "
            "where table_schema = 'public' and table_name = %s "
            "and is_nullable = 'NO' and column_default is null and is_identity = 'NO'",
            [table],
        ).fetchall()
        for _ in range((1 if table in ONE_ROW else 2) - rows):
            names = ", ".join(f'"{name}"' for name, *_ in columns)
            values = ", ".join(anything(kind, length) for _, kind, length in columns)
            added.append((table, run(f"insert into {table} ({names}) values ({values}) returning ctid").fetchone()))
    run("reset session_replication_role")
    scene.moved()
    yield scene
    run("set session_replication_role = replica")
    for table, place in added:
        run(f"delete from {table} where ctid = %s", place)
    run("reset session_replication_role")


UNIQUE = [
    *listed("key", r"(?P<table>\w+) (?P<name>\w+) UNIQUE \((?P<columns>[^)]+)\)"),
    *listed("unique", r"(?P<name>\w+) ON (?P<table>\w+) USING btree \((?P<columns>[^)]+)\)(?: WHERE .*)?"),
]
# What an index is about, where the scene has nothing of it.
MADE_SO = {
    "contributions_register_month": {"is_posted": "true"},
    "parties_employeropening_file": {"sha256": "'x'"},
    "parties_memberopening_file": {"sha256": "'x'"},
}


@pytest.mark.parametrize(
    "key", [one for one in UNIQUE if one["name"] != "ledger_holder_branch"], ids=lambda one: one["name"]
)
def test_no_row_twice(furnished: Scene, key: re.Match[str]) -> None:
    """All rows of the table are given the same key; where all are without, an invented one."""
    table, same = key["table"], {}
    for column in key["columns"].split(", "):
        first = f"(select {column} from {table} where {column} is not null limit 1)"
        same[column] = f"coalesce({first}, '1')" if column.endswith("_id") else first
    same |= MADE_SO.get(key["name"], {})
    sql = f"update {table} set {', '.join(f'{column} = {value}' for column, value in same.items())}"
    assert said(furnished, sql, aside="set local session_replication_role = replica") == ("23505", key["name"])


FOREIGN = listed("key", r"(?P<table>\w+) (?P<name>\w+) FOREIGN KEY \((?P<columns>[^)]+)\) REFERENCES .*")


# Keys of several columns that would speak first of one of them.
FIRST = {"parties_employer": "parties_employer_holder", "parties_member": "parties_member_holder"}


# Whoever points to the row would speak first where its own key is changed.
UNREFERENCED = """
do $$ declare k record; begin
  for k in select conname, conrelid::regclass as t from pg_constraint
            where contype = 'f' and confrelid = '{table}'::regclass and conrelid <> confrelid and conparentid = 0 loop
    execute format('alter table %s drop constraint %I', k.t, k.conname);
  end loop;
end $$"""


@pytest.mark.parametrize("key", FOREIGN, ids=lambda one: one["name"])
def test_no_row_points_to_nothing(furnished: Scene, key: re.Match[str]) -> None:
    table, column = key["table"], key["columns"].split(", ")[0]
    sql = f"update {table} set {column} = '99999' where ctid = (select max(ctid) from {table})"
    aside = f"alter table {table} disable trigger user; {UNREFERENCED.format(table=table)}"
    if table in FIRST and FIRST[table] != key["name"]:
        aside += f"; alter table {table} drop constraint {FIRST[table]}"
    assert said(furnished, sql, aside=aside) == ("23503", key["name"])


CHECKS = listed("key", r"(?P<table>\w+) (?P<name>\w+) (?:CHECK|EXCLUDE USING gist) \((?P<what>.*)\)")
NOT_NEGATIVE = re.compile(r'\(("?\w+"?) >= 0\)')
TWO_PEOPLE = re.compile(r"\(NOT \(\(?(\w+) = (\w+)\).*\)")
# What each of the others forbids. {0} is its table.
FORBIDDEN = {
    "banking_receipt_positive": "update {0} set amount = 0",
    "contributions_rule_no_overlap": "insert into {0} (valid_from, document_number, article, amount_rounding) "
    "select valid_from + 1, document_number, article, amount_rounding from {0}",
    "ledger_entry_bounded": "update {0} set debit = 1e13, credit = 0",
    "ledger_entry_one_side": "update {0} set debit = 5, credit = 5",
    "ledger_entry_value_date": "update {0} set value_date = date + 2",
    "office_clock_one_check": "update {0} set one = false",
    "office_user_cashier_alone": "update {0} set roles = '{{cashier,auditor}}'",
    "parties_limit_no_overlap": "update {0} set branch_id = null, valid_from = '2026-01-01', valid_to = '2026-12-31'",
    "parties_limit_order": "update {0} set base_floor = base_cap + 1",
    "parties_employer_ratios": "update {0} set ratio_member = 0.13",
    "parties_member_base": "update {0} set base = 0",
    "parties_member_sealed": "update {0} set state = 'sealed', sealed_month = null",
}


def forbidden(check: re.Match[str]) -> str:
    if found := NOT_NEGATIVE.fullmatch(check["what"]):
        return f"update {{0}} set {found[1]} = -1"
    if found := TWO_PEOPLE.fullmatch(check["what"]):
        return f"update {{0}} set {found[1]} = {found[2]} where {found[2]} is not null" if "checker" not in found[2] else (
            f"update {{0}} set {found[2]} = {found[1]}")  # fmt: skip
    return FORBIDDEN[check["name"]]


# Of the entries' parts one stands for all: the year in which the scene posts.
TRIED = [
    check for check in CHECKS if not check["table"].startswith("ledger_entry_") or check["table"].endswith("_2026")
]


@pytest.mark.parametrize("check", TRIED, ids=lambda one: f"{one['name']} of {one['table']}")
def test_no_value_that_a_check_forbids(furnished: Scene, check: re.Match[str]) -> None:
    sql = forbidden(check).format(check["table"])
    answer = said(furnished, sql, aside="set local session_replication_role = replica")
    assert answer == ("23P01" if "EXCLUDE" in check[0] else "23514", check["name"])


# Histories ------------------------------------------------------------------------------------------------------------

REMEMBERED = listed("trigger", r"(?P<table>\w+) pgtrigger_change_update_\w+ .*")
CHANGES = {
    "office_branch": "name = name || '。'", "office_user": "name = name || '。'", "parties_employer": "name = name || '。'",
    "parties_member": "base = base + 1", "contributions_contributionrule": "valid_to = '2099-12-31'",
}  # fmt: skip


@pytest.mark.parametrize("table", [one["table"] for one in REMEMBERED])
@pytest.mark.parametrize("shadowed", [False, True], ids=["", "shadowed"])
def test_a_change_is_remembered(scene: Scene, table: str, shadowed: bool) -> None:
    """Also where the session has a temporary table of the history's name in the way."""
    with scene.superuser.transaction(force_rollback=True):
        run = scene.superuser.execute
        if shadowed:
            run(
                f"create temp table {table}history (like public.{table}history including all); grant all on pg_temp.{table}history to public"
            )
            run("set local search_path = pg_temp, public")
        (before,) = run(f"select count(*) from public.{table}history").fetchone()
        done = run(f"update public.{table} set {CHANGES[table]} where ctid = (select ctid from public.{table} limit 1)")
        assert done.rowcount == 1
        assert run(f"select count(*) from public.{table}history").fetchone() == (before + 1,)


@pytest.mark.parametrize(
    "table", [one["table"] for one in listed("trigger", r"(?P<table>\w+) pgtrigger_append_only_\w+ .*")]
)
@pytest.mark.parametrize("sql", ["update {0} set pgh_label = 'x'", "delete from {0}"], ids=["UPDATE", "DELETE"])
def test_a_history_is_not_rewritten(furnished: Scene, table: str, sql: str) -> None:
    assert said(furnished, sql.format(table), role="fc_owner")[0] == KEPT


# Functions that answer one question with another's rights --------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    function: str
    shadow: str
    """A table of the name that it reads, empty and in the way."""
    ask: str
    columns: str = ""
    """Of a table that the program may not even look at."""


QUESTIONS = [
    Question("office_token", "office_apitoken", "select 1 from public.office_token(repeat('f', 64))"),
    Question("parties_branch_of", "parties_member",
             "select 1 from public.parties_branch_of('member', array(select number from public.parties_member))"),
    Question("parties_branch_of employers", "parties_employer",
             "select 1 from public.parties_branch_of('employer', array(select number from public.parties_employer))"),
    Question("parties_ids_in_use", "parties_member",
             "select 1 from public.parties_ids_in_use(array(select id_index from public.parties_member))"),
    Question("parties_credit_codes_in_use", "parties_employer",
             f"select 1 from public.parties_credit_codes_in_use(array['{credit_code(1)}'])"),
    Question("ledger_number_series", "ledger_series", "select 1 from public.ledger_number_series()",
             "branch_id bigint, month date, word varchar, last bigint"),
    Question("office_today", "office_clock", "select 1 where public.office_today() = '2026-03-16'"),
    Question("ledger_digest", "ledger_voucher",
             "select 1 where public.ledger_digest(:mine, '-infinity', '2026-03-16') <> encode(sha256(''), 'hex')"),
    Question("ledger_open_period", "ledger_period",
             "with new as (insert into public.office_branch (code, name, division_code) values ('98', '新设', '361100') returning id) "
             "select 1 from new"),
]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.function)
def test_a_question_is_answered_from_the_real_table(scene: Scene, question: Question) -> None:
    """The program has an empty temporary table of that name first on its path, and is answered all the same."""
    token = (
        "insert into office_apitoken (person_id, branch_id, name, sha256, verbs, made_by_id, made_at, expires_on) "
        "values (:maker, :mine, 'x', repeat('f', 64), '{upload}', :manager, now(), '2099-12-31')"
    )
    with scene.raw(scene.names["mine"], autocommit=False) as program:
        program.execute(scene.filled(token))
        program.execute(
            f"create temp table {question.shadow} ({question.columns or f'like public.{question.shadow}'}); "
            f"grant all on pg_temp.{question.shadow} to public; set local search_path = pg_temp, public"
        )
        assert program.execute(scene.filled(question.ask)).fetchall() != []
        if question.function == "ledger_open_period":
            opened = "select from public.ledger_period p join public.office_branch b on b.id = p.branch_id where b.code = '98'"
            assert program.execute(opened).rowcount == 1
        program.rollback()
    assert scene.moved() == []


def test_every_check_and_history_of_the_list_is_tried() -> None:
    assert len(CHECKS) > 50 and len(UNIQUE) >= 30 and len(FOREIGN) > 60
    assert {one["table"] for one in REMEMBERED} == set(CHANGES)
    for check in CHECKS:
        forbidden(check)
