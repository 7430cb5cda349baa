"""A city's month from the .xlsx to the balances: uploaded, checked, submitted, approved and posted, against the least that must be done.

The least is what a program without any check would do: calamine reads the workbook, COPY brings the rows in, and the bare
statements of bench/posting.py post them. Memory is Python's, the reading process included, not the server's.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import python_calamine
import xlsxwriter

from accounts.contributions.services import remittance
from bench.city import MEMBERS, City, opened
from bench.posting import BARE, BARE_MONTH, DETAILS, SLIPS
from bench.report import Options, Table, figures
from fundcenter.scope import acting_as

HEADER = ("单位账号", "缴存月份", "个人账号", "姓名", "缴存基数", "单位月缴存额", "个人月缴存额")
ROWS = """
select e.number, m.number, m.name, m.base, round(m.base * e.ratio_employer), round(m.base * e.ratio_member)
  from parties_member m join parties_employer e on e.holder_id = m.employer_id order by e.holder_id, m.holder_id
"""
STAGED = """
create table bare.staged (row bigint generated always as identity, employer text, month text, member text, name text,
  base numeric, amount_employer numeric, amount_member numeric)
"""
COPY = "copy bare.staged (employer, month, member, name, base, amount_employer, amount_member) from stdin"
SLIPS_STAGED = """
select min(s.row) as key, e.branch_id as branch, '汇缴 ' || min(s.month) || ' ' || e.name as summary, 1 as attachments,
       e.holder_id as employer, sum(s.amount_employer + s.amount_member) as total
  from bare.staged s join parties_employer e on e.number = s.employer group by e.holder_id
"""
DETAILS_STAGED = """
select min(s.row) over (partition by s.employer) as key, m.holder_id as member, m.employer_id as employer,
       s.amount_employer + s.amount_member as amount
  from bare.staged s join parties_member m on m.number = s.member
"""
POST = BARE_MONTH.replace(SLIPS, SLIPS_STAGED).replace(DETAILS, DETAILS_STAGED)


def sheet(options: Options) -> list[Table]:
    """350,000 rows and 6,034 employers in one .xlsx."""
    ours: list[Took] = []
    floor: list[Took] = []
    with opened(MEMBERS, branches=1) as city:
        with city.owner() as owner:
            owner.execute(BARE)
            owner.execute(STAGED)
        for turn in range(options.passes + 1):
            month = date(2026, 1 + turn, 1)
            content = workbook(city, month)
            legs = [(ours, lambda: through(city, content)), (floor, lambda: _bare(city, content, month))]  # noqa: B023
            for took, leg in legs[:: 1 if turn % 2 else -1]:
                city.settle()
                with _measured() as one:
                    leg()
                if turn:  # the first month makes the balances
                    took.append(one)
    rows = [
        [called, figures([t.seconds for t in took]), figures([t.megabytes for t in took], 0)]
        for called, took in (("calamine, COPY, bare statements", floor), ("upload, submit, approve", ours))
    ]
    ratio = figures([a.seconds / b.seconds for a, b in zip(ours, floor, strict=True)])
    return [
        Table(
            f"From the .xlsx to the balances: {MEMBERS:,} rows, {city.employers:,} employers in one file",
            ["", "seconds", "peak MB of Python", "÷ floor"],
            [[*rows[0], ""], [*rows[1], ratio]],
            f"{options.passes} passes of later months. Ours reads the file, keeps it encrypted, stores every row, asks all refusals of a "
            "register, asks what may have changed again at submission and at approval, and posts through the door.",
        )
    ]


def workbook(city: City, month: date) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"constant_memory": True})
    page = book.add_worksheet()
    page.write_row(0, 0, HEADER)
    with city.superuser() as postgres:
        for place, (employer, member, name, *amounts) in enumerate(postgres.execute(ROWS), start=1):
            page.write_row(place, 0, [employer, f"{month:%Y-%m}", member, name, *map(float, amounts)])
    book.close()
    return content.getvalue()


def through(city: City, content: bytes) -> None:
    city.use()
    on = date(2026, 12, 31)
    with acting_as(city.maker):
        batch = remittance.REGISTERS.upload(content, "汇缴清册.xlsx", by=city.maker, on=on, at_once=True)
        remittance.REGISTERS.submit(batch, by=city.maker, on=on)
    with acting_as(city.checker):
        vouchers = remittance.REGISTERS.approve(batch, by=city.checker, on=on, at_once=True)
    if len(vouchers) != city.employers:
        raise RuntimeError(f"{len(vouchers)} vouchers of {city.employers} employers")


def _bare(city: City, content: bytes, month: date) -> None:
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    with city.owner() as owner, owner.transaction(), psycopg.ClientCursor(owner) as cursor:
        cursor.execute("truncate bare.staged")
        with cursor.copy(COPY) as copy:
            for row in rows[1:]:
                copy.write_row(row)
        cursor.execute("analyze bare.staged")
        on = date(2026, 12, 31)
        people = {"maker": city.maker.pk, "checker": city.checker.pk}
        cursor.execute(POST, {"on": on, "month": month, "year_end": date(2027, 6, 30), **people})


class Took:
    seconds = 0.0
    megabytes = 0.0


@contextmanager
def _measured() -> Iterator[Took]:
    """How long it takes, and the most memory that this process and its children have meanwhile."""
    took, over = Took(), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            took.megabytes = max(took.megabytes, _megabytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    begun = time.perf_counter()
    try:
        yield took
    finally:
        took.seconds = time.perf_counter() - begun
        over.set()
        watcher.join()


def _megabytes() -> float:
    """Resident memory of this process and its children (Pss, so that shared pages count once)."""
    total = 0
    for pid in (os.getpid(), *_children(os.getpid())):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _children(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except FileNotFoundError:
            continue
    return found


BENCHMARKS = {"sheet": sheet}
