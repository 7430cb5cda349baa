"""Drops each wall in turn and shows which test notices: ``python -m tests.attacks.drop_each_wall [part of a wall's name]``.

A wall is a right withheld, a constraint, a trigger, a policy, or a check inside the door. Each is taken away in a database of
its own (conftest executes $DROPPED_WALL as superuser after migrate) and the attacks are run until one of them gets in. The
comparison with the reviewed catalogue is left out: it would notice everything and prove nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import tests.home  # noqa: F401  the tests' own city

ROOT = Path(__file__).resolve().parents[2]
DOOR = (ROOT / "accounts/ledger/sql/20_ledger_post.sql").read_text()
BOOKS = ("ledger_voucher", "ledger_entry", "ledger_balance", "ledger_series", "ledger_daytotal", "ledger_dayclose")
RUN = [
    sys.executable,
    "-m",
    "pytest",
    "-x",
    "-q",
    "tests/attacks",
    "tests/ledger",
    "--deselect",
    "tests/attacks/test_catalogue.py",
]


def walls() -> Iterator[tuple[str, str]]:
    """(name, the SQL that takes it away)."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fundcenter.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from fundcenter import database

    call_command("migrate", verbosity=0)
    with database.connect_superuser(settings.SERVER, settings.SERVER.dbname) as db:
        for table in BOOKS:
            for right in ("insert", "update", "delete", "truncate"):
                yield f"right: {right} on {table}", f"grant {right} on {table} to fc_app"
        for table, name in db.execute(
            "select conrelid::regclass::text, conname from pg_constraint c join pg_class t on t.oid = c.conrelid "
            "where t.relname like 'ledger%' and not t.relispartition and c.contype in ('c', 'u') order by 1, 2"
        ):
            yield f"constraint: {name}", f"alter table {table} drop constraint {name} cascade"
        for table, name in db.execute(
            "select tgrelid::regclass::text, tgname from pg_trigger g join pg_class t on t.oid = g.tgrelid "
            "where not tgisinternal and t.relname like 'ledger%' order by 1, 2"
        ):
            yield f"trigger: {name} on {table}", f"drop trigger if exists {name} on {table}"
        for table, name in db.execute(
            "select tablename, policyname from pg_policies where 'fc_app' = any(roles) order by 1, 2"
        ):
            yield f"policy: {name} on {table}", f"alter policy {name} on {table} using (true)"
        for (function,) in db.execute(
            "select oid::regprocedure::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by 1"
        ):
            yield f"search_path: {function}", f"alter function {function} reset search_path"
    for check in re.finditer(r"raise sqlstate '(FC\d+)'", DOOR):
        mutant = DOOR[: check.start()] + "null" + DOOR[check.end() :]
        signature = "ledger_post(ledger_slip[], ledger_line[], date, bigint, bigint)"
        yield (
            f"check in the door: {check[1]} at {check.start()}",
            f"{mutant}; alter function {signature} owner to fc_door",
        )


def notices(sql: str) -> str:
    """The first test that fails without this wall, or an empty string."""
    done = subprocess.run(RUN, cwd=ROOT, env={**os.environ, "DROPPED_WALL": sql}, capture_output=True, text=True)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else "" if done.returncode == 0 else f"exit {done.returncode}"


def main() -> None:
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    unnoticed = 0
    for name, sql in [wall for wall in walls() if part in wall[0]]:
        test = notices(sql)
        unnoticed += not test
        print(f"{name:<70} {test or 'NOBODY NOTICES'}", flush=True)
    print(f"unnoticed: {unnoticed}")


if __name__ == "__main__":
    main()
