"""Our posting beside what a Django shop would otherwise take, on the same server, in turn: django-hordak for the month, and
django-import-export for the file.

The peers live in a venv of their own below var/bench and in a process of their own (driver.py), with the Django and psycopg
that we have. Only what a package registry has is measured: pgledger, a ledger in SQL functions, is in none.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from bench.city import ROOT, City, fresh, opened, settle
from bench.posting import door_month
from bench.report import Options, Table, figures
from bench.sheet import through, workbook
from fundcenter.scope import acting_as

Leg = Callable[[], float]  # gives seconds
Order = Callable[..., float]
MEMBERS, ROWS = 20_000, 5_000
HERE, VENV = Path(__file__).parent, ROOT / "var" / "bench" / "peers"
MONTH = """
select employer_id, holder_id, (2 * round(base * 0.12))::text from parties_member order by employer_id, holder_id
"""
PEOPLE = """
select array_agg(number order by holder_id) from parties_employer
union all select array_agg(number order by holder_id) from parties_member
"""
# Called as the tables call them; ours comes first.
POSTING = {"ours": None, "hordak, leg by leg": "loop", "hordak, bulk_create": "bulk"}
FILING = {"ours": None, "import-export": "import", "import-export, in bulk": "import in bulk"}
# By place: ours, hordak, import-export. What is said of hordak and import-export was tried.
BESIDES = {
    "debit equals credit": (
        "held by the door, which counts",
        "held by a trigger, which sums once a leg",
        "no vouchers",
    ),
    "balance": ("kept, with its days for interest", "summed when asked", "none"),
    "overdraft, frozen money": ("refused", "goes through", "not known"),
    "the same source again": ("refused by a unique key", "posted again", "overwrites the row found by its key"),
    "closed day or month": ("refused", "not known", "not known"),
    "what is posted": ("not even the owner alters it", "altered, deleted", "altered, deleted"),
    "branches": ("row security, and the door asks", "not known", "not known"),
    "maker and checker": ("two, or the table refuses", "not known", "one person does both"),
    "voucher numbers": ("without gaps", "none", "none"),
    "account": ("open leaf, its holder's kind and branch", "there, and of the currency", "no accounts"),
    "a row of the file": ("every rule of a register", "no files", "types; employer and member are there"),
}


def peers(options: Options) -> list[Table]:
    """A month of 20,000 members, and a file of 5,000 rows."""
    python = _installed()
    posted: dict[str, list[float]] = {called: [] for called in POSTING}
    filed: dict[str, list[float]] = {called: [] for called in FILING}
    with opened(MEMBERS) as city, opened(ROWS, branches=1) as office, _driver(python, city, office) as order:
        for turn in range(options.passes + 1):
            for took, legs in ((posted, _posting(turn, city, order)), (filed, _filing(turn, office, order))):
                for called in list(took)[:: 1 if turn % 2 else -1]:
                    seconds = legs[called]()
                    if turn:  # the first month makes the balances
                        took[called].append(seconds)
    return [
        Table(
            f"Beside peers: a month of {MEMBERS:,} members in {city.employers:,} vouchers",
            ["", "seconds", "members/s", "÷ ours"],
            _beside(posted, MEMBERS),
            f"{options.passes} passes of later months, in turn; each way posts all vouchers in one transaction. Ours: `posting.post` from rows "
            "staged in the database; at a city's size see “A city's month”. Hordak: from objects that Python has at hand, "
            "nothing is read. Its bulk_create is what its own benchmark does, all transactions and then all legs.",
        ),
        Table(
            f"Beside peers: a file of {ROWS:,} rows, {office.employers:,} employers",
            ["", "seconds", "rows/s", "÷ ours"],
            _beside(filed, ROWS),
            f"{options.passes} passes of later months, in turn. Ours: upload, submit, approve, to the balances. Import-export: what its admin "
            "does with a file, without its pages and its log: read and tried, rolled back; upon confirmation read again and saved. "
            "Each row's employer, member and earlier row are looked for, 14 statements a row in all. In bulk, with all that it offers "
            "for speed, people are read once, an earlier row is left to a unique constraint, and there are no differences to "
            "confirm. It posts nothing.",
        ),
        Table(
            "Beside peers: what each holds and refuses",
            ["", "ours", "django-hordak", "django-import-export"],
            [[about, *said] for about, said in BESIDES.items()],
            "pgledger, a ledger of SQL functions, is in no package registry and so not measured here.",
        ),
    ]


def _beside(took: dict[str, list[float]], count: int) -> list[list[str]]:
    rows = []
    for called, seconds in took.items():
        ratio = figures([theirs / ours for theirs, ours in zip(seconds, took["ours"], strict=True)], 1)
        rate = figures([count / one for one in seconds], 0)
        rows.append([called, figures(seconds), rate, "" if called == "ours" else ratio])
    return rows


def _posting(turn: int, city: City, order: Order) -> dict[str, Leg]:
    on = date(2025 + turn // 12, 1 + turn % 12, 15)
    batch = city.stage(on.replace(day=1))

    def ours() -> float:
        city.settle()
        city.use()
        with acting_as(city.maker):
            connection.ensure_connection()
            begun = time.perf_counter()
            door_month(city, batch, on)
            return time.perf_counter() - begun

    legs = city.members + city.employers
    return {called: partial(order, legs, what) if what else ours for called, what in POSTING.items()}


def _filing(turn: int, office: City, order: Order) -> dict[str, Leg]:
    content = workbook(office, date(2026, 1 + turn, 1))

    def ours() -> float:
        office.settle()
        begun = time.perf_counter()
        through(office, content)
        return time.perf_counter() - begun

    sheets = {}
    for years, what in enumerate(filter(None, FILING.values())):  # months of their own: the same again would be found
        sheets[what] = VENV / f"{what}.xlsx"
        sheets[what].write_bytes(workbook(office, date(2026 + years, 1 + turn, 1)))
    return {
        called: partial(order, office.members, what, str(sheets[what])) if what else ours
        for called, what in FILING.items()
    }


def _installed() -> Path:
    """The Python of the peers' venv, made anew when what it is to hold has changed."""
    lists, stamp = [HERE / "build.txt", HERE / "requirements.txt"], VENV / "stamp"
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in lists) + sys.version.encode()).hexdigest()
    python = VENV / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.create(VENV, clear=True, with_pip=True)
        install = "-m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-build-isolation"
        for file in lists:
            subprocess.run([python, *install.split(), "-r", file], check=True)
        stamp.write_text(wanted)
    return python


@contextmanager
def _driver(python: Path, city: City, office: City) -> Iterator[Order]:
    """Their process, with a database of its own that holds the same people. An order names the rows that it is to make."""
    with fresh(f"bench_{os.getpid()}_peers") as name:
        server = settings.SERVER
        signs_in = {"USER": server.owner_user, "PASSWORD": server.owner_password}
        with subprocess.Popen(
            [python, HERE / "driver.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as driver:
            stdin, stdout = driver.stdin, driver.stdout

            def ask(line: Any) -> Any:
                print(json.dumps(line), file=stdin, flush=True)
                if not (answer := stdout.readline()):
                    raise RuntimeError("the peers' process has ended")
                return json.loads(answer)

            ask({"NAME": name, "HOST": server.host, "PORT": server.port, **signs_in})
            with city.superuser() as postgres:
                month = [
                    (e, [(m, amount) for _, m, amount in rows])
                    for e, rows in groupby(postgres.execute(MONTH), itemgetter(0))
                ]
            with office.superuser() as postgres:
                people = [numbers for (numbers,) in postgres.execute(PEOPLE)]
            there = ask({"month": month, "people": people})

            def order(rows: int, *what: str) -> float:
                nonlocal there
                settle(name)
                seconds, then = ask(what)
                if then - there != rows:
                    raise RuntimeError(f"{what[0]} made {then - there} rows, {rows} were to be made")
                there = then
                return seconds

            yield order


BENCHMARKS = {"peers": peers}
