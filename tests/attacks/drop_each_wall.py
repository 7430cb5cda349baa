"""Drops each wall in turn and shows which test notices: ``python -m tests.attacks.drop_each_wall [--again] [--likely] [--trust]
[part of a name]``.

A wall is a right withheld, a key, a check, a trigger, a policy, a definer function's search path, or a check inside the door.
Each is taken away in a copy of one migrated database, and the tests of the rooms are run, likely ones first, until one fails.
The comparison with the reviewed catalogue is left out: it would notice everything and prove nothing.

Tests are collected once; every wall has a process of its own, forked from there. What was found is kept in var/test/walls.json
until ``--again``, so that a run may be stopped and gone on with; ``--likely`` leaves those for later that the likely tests do not
notice, as each of them takes all tests. First all tests are run with every wall standing, unless ``--trust``. At the end
docs/walls.md is written, if every wall was tried.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tests.home  # noqa: F401  the tests' own city, before any settings are read

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "test" / "walls.json"
PAGE = ROOT / "docs" / "walls.md"
SQL = ROOT / "accounts" / "ledger" / "sql"
ROOMS = "'^(office|ledger|banking|parties|contributions)_'"
POSTED = "'^ledger_(voucher|entry|balance|series|daytotal|dayclose|period)$'"
TESTS = [
    "tests/attacks", "tests/ledger", "tests/office/test_history.py", "tests/office/test_audit.py", "tests/parties", "tests/contributions",
    "tests/acceptance",
]  # fmt: skip
# Where a wall of this kind is likely to be missed first.
LIKELY = {
    "right": ("test_rooms", "test_writing"),
    "constraint": ("test_rooms", "test_belts", "test_door"),
    "trigger": ("test_rooms", "test_belts", "test_door", "test_history"),
    "policy": ("test_reading", "test_writing", "test_audit", "test_history"),
    "search_path": ("test_rooms", "test_writing", "test_door"),
    "check": ("test_door", "test_races", "test_closing"),
}
# What no behaviour shows, and why it stands all the same: (part of the wall's name, the reason).
REASONS: list[tuple[str, str]] = [
    (
        "search_path: ledger_open_year",
        "closing a day and `migrate` alone call it: inside the one it inherits a path that is pinned, and the program may not execute it",
    ),
]

RIGHTS = """
select format('right: %%s of %%s by %%s', r, c.oid::regclass, role), format('grant %%s on %%s to %%s', r, c.oid::regclass, role)
  from pg_class c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) with ordinality as u(r, place),
       unnest(array['fc_app', 'fc_door']) role
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not has_table_privilege(role, c.oid, r)
   and case role when 'fc_app' then c.relname ~ %(rooms)s else c.relname ~ %(posted)s end
 order by role, c.relname, place
"""
CONSTRAINTS = """
select format('constraint: %%s on %%s', conname, conrelid::regclass), format('alter table %%s drop constraint %%I cascade', conrelid::regclass, conname)
  from pg_constraint c join pg_class t on t.oid = c.conrelid
 where c.connamespace = 'public'::regnamespace and t.relname ~ %(rooms)s and not t.relispartition and c.contype in ('c', 'u', 'x', 'f')
 order by t.relname, conname
"""
INDEXES = """
select format('constraint: %%s on %%s', i.indexrelid::regclass, i.indrelid::regclass), format('drop index %%s', i.indexrelid::regclass)
  from pg_index i join pg_class t on t.oid = i.indrelid
 where t.relnamespace = 'public'::regnamespace and t.relname ~ %(rooms)s and i.indisunique
   and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x')) order by 1
"""
TRIGGERS = """
select format('trigger: %%s on %%s', tgname, tgrelid::regclass), format('drop trigger %%I on %%s', tgname, tgrelid::regclass)
  from pg_trigger g join pg_class t on t.oid = g.tgrelid
 where not tgisinternal and t.relnamespace = 'public'::regnamespace and t.relname ~ %(rooms)s order by t.relname, tgname
"""
# What a policy lets see, and what it lets be written, where the program may write at all.
POLICIES = """
select format('policy: %%s on %%s, %%s', policyname, tablename, what), format('alter policy %%I on %%I %%s (true)', policyname, tablename, what)
  from pg_policies, unnest(array['using', 'with check']) what
 where roles = '{fc_app}' and case what when 'using' then qual else with_check end is distinct from null
   and case what when 'using' then qual else with_check end <> 'true'
   and (what = 'using' or has_any_column_privilege('fc_app', tablename::regclass, 'INSERT')
                       or has_any_column_privilege('fc_app', tablename::regclass, 'UPDATE'))
 order by tablename, policyname, what
"""
PATHS = """
select format('search_path: %%s', oid::regprocedure), format('alter function %%s reset search_path', oid::regprocedure)
  from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by 1
"""
RAISED = re.compile(r"raise (?:sqlstate '(?P<state>\w+)'|exception '(?P<words>[^']*)'[^;]*)")


def in_the_database(postgres: object) -> Iterator[tuple[str, str]]:
    """(name, the SQL that takes it away)."""
    for ask in (RIGHTS, CONSTRAINTS, INDEXES, TRIGGERS, POLICIES, PATHS):
        yield from postgres.execute(
            ask.replace("%(rooms)s", ROOMS).replace("%(posted)s", POSTED).replace("%%", "%")
        ).fetchall()


def in_the_functions() -> Iterator[tuple[str, str]]:
    """Every refusal written in the door, in closing and in opening a year, replaced by nothing."""
    for file in ("15_years.sql", "20_ledger_post.sql", "30_closing.sql"):
        text = (SQL / file).read_text()
        for check in RAISED.finditer(text):
            line = text[: check.start()].count("\n") + 1
            yield (
                f"check: {check['state'] or check['words']} at {file}:{line}",
                f"{text[: check.start()]}null{text[check.end() :]}",
            )


REST = (2, 9)
NONE = ("nothing: ", "select 1")


def likely(item: pytest.Item, name: str) -> tuple[int, int]:
    """Tests that name what is missing come first, then those of files where such a wall is usually missed."""
    kind, _, what = name.partition(": ")
    words = re.findall(r"\w+", what)
    if kind in ("right", "constraint"):
        aimed = what.removesuffix(f" on {words[-1]}") in item.nodeid
    elif kind == "check":
        aimed = False
    else:
        aimed = any(word in item.nodeid for word in words if len(word) > 8)
    files = [place for place, file in enumerate(LIKELY.get(kind, ())) if f"/{file}.py" in item.nodeid]
    return (0 if aimed and files else 1 if aimed else 2, files[0] if files else 9)


@contextmanager
def migrated() -> Iterator[str]:
    """A database as ``migrate`` makes it, which is never entered again: the others are its copies."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fundcenter.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from fundcenter import database

    name, before = f"walls_{os.getpid()}", connection.settings_dict["NAME"]
    database.prepare(name)
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        connection.close()
        connection.settings_dict["NAME"] = before
        yield name
    finally:
        with database.connect_superuser(settings.SERVER, autocommit=True) as postgres:
            postgres.execute(f'drop database "{name}" with (force)')


class Walls:
    """A pytest plugin: instead of running the tests once, runs them for each wall until one fails."""

    def __init__(self, walls: list[tuple[str, str]], found: dict[str, str], *, likely: bool) -> None:
        self.walls, self.found, self.likely = walls, found, likely
        self.failed = ""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if "--trust" not in sys.argv and (said := self._without(session, *NONE)):
            raise pytest.UsageError(f"fails with every wall standing: {said}")
        for place, (name, sql) in enumerate(self.walls, 1):
            begun = time.monotonic()
            said = self._without(session, name, sql)
            if said or not self.likely:
                self.found[name] = said
                KEPT.write_text(json.dumps(self.found, ensure_ascii=False, indent=0))
            said = said or ("later" if self.likely else "NOBODY NOTICES")
            print(f"{place}/{len(self.walls)} {time.monotonic() - begun:5.1f} s  {name:<70} {said}", flush=True)
        return True

    def _without(self, session: pytest.Session, name: str, sql: str) -> str:
        """The first test that fails without this wall, or an empty string."""
        from django.conf import settings

        from fundcenter import database

        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.environ["DROPPED_WALL"] = sql
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            said = "the run itself failed"
            try:
                items = sorted(session.items, key=lambda item: likely(item, name))
                if self.likely and name != NONE[0]:
                    items = [item for item in items if likely(item, name) < REST]
                for item, following in zip(items, [*items[1:], None], strict=True):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if self.failed:
                        break
                said = self.failed
            finally:
                os.write(writing, said.encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        with database.connect_superuser(settings.SERVER, autocommit=True) as postgres:
            postgres.execute(f'drop database if exists "test_main_{child}" with (force)')
        return said

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def reason(name: str) -> str:
    return next((why for part, why in REASONS if part in name), "")


def page(walls: list[str], found: dict[str, str]) -> str:
    """docs/walls.md"""
    kinds = list(dict.fromkeys(name.partition(":")[0] for name in walls))
    every = Counter(name.partition(":")[0] for name in walls)
    noticed = Counter(name.partition(":")[0] for name in walls if found[name])
    rows = [f"| {TITLES[kind]} | {every[kind]} | {noticed[kind]} |" for kind in kinds]
    files = Counter(found[name].partition("::")[0] for name in walls if found[name])
    by_file = "、".join(f"`{file}` {count}" for file, count in files.most_common()).replace("、", ", ")
    left = [f"- `{name}`: {reason(name) or 'NO REASON GIVEN'}" for name in walls if not found[name]]
    return PREFACE.format(
        rows="\n".join(rows),
        noticed=sum(noticed.values()),
        every=len(walls),
        by_file=by_file,
        left="\n".join(left) or "None.",
    )


TITLES = {
    "right": "right withheld", "constraint": "key or check of a table", "trigger": "trigger", "policy": "policy, each side of it",
    "search_path": "definer function's search path", "check": "refusal inside the door, closing, opening a year",
}  # fmt: skip
PREFACE = """\
# Walls, and what notices when one is missing

Written by `python -m tests.attacks.drop_each_wall`; never edited by hand. Each wall of the database was taken away by itself,
in a database of its own, and the tests of the rooms were run against it until one failed by what then happened. That the
catalogue differs from the reviewed list (`tests/attacks/test_catalogue.py`) notices every one of them too, and is not counted.
The queue's own tables (procrastinate_*), Django's and axes' have no walls of ours; NOT NULL and the keys of rows are not tried.

| walls | there are | noticed by behaviour |
|---|---|---|
{rows}
| **all** | **{every}** | **{noticed}** |

First to notice: {by_file}.

## Noticed by no behaviour

{left}
"""


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    found: dict[str, str] = {} if "--again" in sys.argv or not KEPT.exists() else json.loads(KEPT.read_text())
    os.chdir(ROOT)
    with migrated() as template:
        from django.conf import settings

        from fundcenter import database

        with database.connect_superuser(settings.SERVER, template) as postgres:
            walls = [*in_the_database(postgres), *in_the_functions()]
        os.environ["COPIED_DATABASE"] = template
        todo = [wall for wall in walls if wall[0] not in found and all(word in wall[0] for word in words)]
        options = ["-q", "-p", "no:cacheprovider", "--deselect", "tests/attacks/test_catalogue.py"]
        if pytest.main([*options, *TESTS], plugins=[Walls(todo, found, likely="--likely" in sys.argv)]):
            return 1
    names = [name for name, _ in walls]
    if all(name in found for name in names):
        PAGE.write_text(page(names, found), encoding="utf-8")
    open_ = [name for name in names if not found.get(name, "-") and not reason(name)]
    print(f"{len(names)} walls, {len(found)} tried; not noticed and without a reason: {len(open_)}")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
