"""What the door costs: posting through it against the same statements bare, for a city's month and for one voucher.

Bare is what a program without a door would send: the owner's own statements into tables of the same columns, primary,
unique and foreign keys, indexes, partitions and fillfactor, without checks, guards or row security. It takes numbers as
a block, writes vouchers and entries and adds to the balances in key order, in one statement, the fastest form found.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from django.db import connection

from accounts.banking.vouchers import RECEIPT
from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.services.posting import Rows, post
from bench.city import BRANCHES, MEMBERS, City, opened
from bench.report import Options, Table, figures, percentile
from fundcenter.scope import acting_as

# The remittance's two sets, as contributions.queries has them.
SLIPS = """
select g.id as key, g.branch_id as branch, '汇缴 ' || to_char(g.month, 'YYYY-MM') || ' ' || e.name as summary,
       1 as attachments, g.employer_id as employer, g.total as total
  from bench_register g join parties_employer e on e.holder_id = g.employer_id
 where g.batch_id = %(batch)s
"""
DETAILS = """
select r.register_id as key, r.member_id as member, r.employer_id as employer, r.amount_employer + r.amount_member as amount
  from bench_registerrow r where r.batch_id = %(batch)s
 order by r.register_id, r.row
"""
RECEIPT_SLIP = """
select %(key)s::bigint as key, %(branch)s::bigint as branch, '到账' as summary, 1 as attachments,
       %(payer)s::bigint as payer, %(bank)s::bigint as bank_account, %(amount)s::numeric as amount
"""

BARE = """
create schema bare;
create sequence bare.voucher_id;
create table bare.ledger_voucher (like ledger_voucher including defaults including indexes);
create table bare.ledger_series (like ledger_series including indexes);
create table bare.ledger_balance (like ledger_balance including indexes) with (fillfactor = 70);
create table bare.ledger_entry (like ledger_entry including defaults including indexes) partition by range (date);
do $$
declare k record;
begin
  for year in 2024..2027 loop
    execute format('create table bare.ledger_entry_%s partition of bare.ledger_entry for values from (%L) to (%L)',
                   year, make_date(year, 1, 1), make_date(year + 1, 1, 1));
  end loop;
  for k in select conrelid::regclass as t, replace(pg_get_constraintdef(oid), 'REFERENCES ledger_', 'REFERENCES bare.ledger_') as key
             from pg_constraint where contype = 'f' and conrelid in ('ledger_voucher'::regclass, 'ledger_series'::regclass) loop
    execute format('alter table bare.%I add %s', k.t, replace(k.key, 'bare.ledger_kind', 'ledger_kind'));
  end loop;
end $$;
insert into bare.ledger_balance select * from ledger_balance order by holder_id;
"""
BARE_MONTH = f"""
with slip as materialized (select nextval('bare.voucher_id') as id, s.* from (select * from ({SLIPS}) s order by key) s),
line as materialized (
  select id, branch, '21901' as account, employer as holder, null::bigint as employer, total as debit, 0 as credit from slip
  union all
  select s.id, s.branch, '201', d.member, d.employer, 0, d.amount from ({DETAILS}) d join slip s on s.key = d.key),
taken as (
  insert into bare.ledger_series as t (branch_id, month, word, last)
  select branch, %(month)s, '批', count(*) from slip group by branch order by branch
  on conflict (branch_id, month, word) do update set last = t.last + excluded.last returning branch_id, last),
voucher as (
  insert into bare.ledger_voucher (id, branch_id, date, month, word, number, kind_id, source, summary, attachments, amount,
    prepared_by_id, reviewed_by_id)
  select s.id, s.branch, %(on)s, %(month)s, '批', t.last + 1 - row_number() over (partition by s.branch order by s.id desc),
         'remittance', s.key::text, s.summary, s.attachments, s.total, %(maker)s, %(checker)s
    from slip s join taken t on t.branch_id = s.branch),
entry as (
  insert into bare.ledger_entry (id, date, voucher_id, branch_id, account_id, holder_id, employer_id, debit, credit, value_date)
  select id << 24 | row_number() over (), %(on)s, id, branch, account, holder, employer, debit, credit, %(on)s from line)
insert into bare.ledger_balance as b (holder_id, account_id, branch_id, amount, frozen, product, counts_to, opening, withdrawn)
select holder, account, branch, amount, 0, amount * (%(year_end)s - %(on)s + 1), %(year_end)s, 0, loss from (
  select holder, account, min(branch) as branch, sum(credit - debit) as amount,
         coalesce(sum(debit) filter (where debit <> 0), 0) as loss
    from (select * from line order by holder, account) l group by holder, account) w
 order by holder, account
on conflict (holder_id, account_id) do update
   set amount = b.amount + excluded.amount,
       product = b.product + excluded.product + excluded.amount * (b.counts_to - excluded.counts_to),
       withdrawn = b.withdrawn + excluded.withdrawn
"""
BARE_SINGLE = """
with taken as (
  insert into bare.ledger_series as t (branch_id, month, word, last) values (%(branch)s, %(month)s, '记', 1)
  on conflict (branch_id, month, word) do update set last = t.last + 1 returning last),
voucher as (
  insert into bare.ledger_voucher (id, branch_id, date, month, word, number, kind_id, source, summary, attachments, amount,
    prepared_by_id, reviewed_by_id)
  select nextval('bare.voucher_id'), %(branch)s, %(on)s, %(month)s, '记', last, 'receipt', %(source)s, '到账', 1, %(amount)s,
         %(maker)s, %(checker)s
    from taken returning *),
entry as (
  insert into bare.ledger_entry (id, date, voucher_id, branch_id, account_id, holder_id, employer_id, debit, credit, value_date)
  select v.id << 24 | l.place, v.date, v.id, v.branch_id, l.account, l.holder, null, l.debit, l.credit, v.date
    from voucher v, (values (1, '10101', %(bank)s, %(amount)s, 0), (2, '21901', %(payer)s, 0, %(amount)s))
         l(place, account, holder, debit, credit)),
balance as (
  insert into bare.ledger_balance as b (holder_id, account_id, branch_id, amount, frozen, product, counts_to, opening, withdrawn)
  values (%(payer)s, '21901', %(branch)s, %(amount)s, 0, %(amount)s * (%(year_end)s - %(on)s + 1), %(year_end)s, 0, 0)
  on conflict (holder_id, account_id) do update
     set amount = b.amount + excluded.amount,
         product = b.product + excluded.product + excluded.amount * (b.counts_to - excluded.counts_to),
         withdrawn = b.withdrawn + excluded.withdrawn)
select * from voucher
"""
DOOR_SINGLE = """
select * from ledger_post(
  array[row('receipt', %(source)s, %(branch)s, '到账', 1, null)::ledger_slip],
  array[row(1, '10101', %(bank)s, %(amount)s, 0, null, null, null)::ledger_line,
        row(1, '21901', %(payer)s, 0, %(amount)s, null, null, null)::ledger_line],
  %(on)s, %(maker)s, %(checker)s)
"""

Leg = Callable[[], object]
ON = date(2026, 12, 31)
SECONDS = 2.0


# The city's month -----------------------------------------------------------------------------------------------------


def month(options: Options) -> list[Table]:
    """350,000 members in 6,034 vouchers."""
    first: dict[str, list[Took]] = {}
    later: dict[str, list[Took]] = {}
    with opened() as city:
        for turn in range(options.passes + 1):
            for leg, took in _month(city, turn).items():
                (later if turn else first).setdefault(leg, []).append(took)
    rows = [
        ["first month, no balances yet", *_against(first)],
        ["every later month", *_against(later)],
    ]
    return [
        Table(
            f"A city's month: {MEMBERS:,} members, {city.employers:,} vouchers",
            ["", "bare s", "door s", "door members/s", "door ÷ bare", "CPU: bare s", "door s", "door ÷ bare"],
            rows,
            f"{options.passes} passes, the first month once. Door: `posting.post`, from the staged rows to the list of vouchers. "
            "CPU: that of the session's server process and of Python, which others on the machine disturb less than the time.",
        )
    ]


def growth(options: Options) -> list[Table]:
    """Whether a member costs the same in a small and in a large city."""
    sizes = [35_000, MEMBERS] + ([1_000_000] if options.full else [])
    took: dict[int, dict[str, list[Took]]] = {size: {} for size in sizes}
    with ExitStack() as stack:
        cities = [stack.enter_context(opened(size)) for size in sizes]
        for turn in range(options.passes + 1):
            for city in cities:
                for leg, one in _month(city, turn).items():
                    if turn:
                        took[city.members].setdefault(leg, []).append(one)
    rows = []
    for size in sizes:
        door, base = took[size]["door"], took[MEMBERS]["door"]
        rows.append(
            [
                f"{size:,}",
                figures([one.seconds for one in door]),
                figures([one.seconds / size * 1e6 for one in door], 1),
                figures([a.seconds / size / (b.seconds / MEMBERS) for a, b in zip(door, base, strict=True)]),
                figures([one.cpu / size * 1e6 for one in door], 1),
                figures([a.cpu / size / (b.cpu / MEMBERS) for a, b in zip(door, base, strict=True)]),
                figures([a.seconds / b.seconds for a, b in zip(door, took[size]["bare"], strict=True)]),
            ]
        )
    return [
        Table(
            "Growth: a later month in cities of different size",
            [
                "members",
                "door s",
                "µs a member",
                f"÷ {MEMBERS:,}'s",
                "CPU µs a member",
                f"÷ {MEMBERS:,}'s",
                "door ÷ bare",
            ],
            rows,
            f"{options.passes} passes, sizes interleaved.",
        )
    ]


class Took:
    """What one leg took: seconds, and seconds of CPU of the server process and this one."""

    def __init__(self, leg: Leg, server: int) -> None:
        cpu, begun = _cpu(server) + time.process_time(), time.perf_counter()
        leg()
        self.seconds, self.cpu = time.perf_counter() - begun, _cpu(server) + time.process_time() - cpu


def _cpu(server: int) -> float:
    return int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9


def _month(city: City, turn: int) -> dict[str, Took]:
    """One month by both ways, in turn first and second."""
    on = date(2025 + turn // 12, 1 + turn % 12, 15)
    batch = city.stage(on.replace(day=1))
    city.use()
    with city.owner() as owner, acting_as(city.maker):
        if not turn:
            owner.execute(BARE)
        connection.ensure_connection()
        legs: dict[str, tuple[Leg, int]] = {
            "door": (lambda: door_month(city, batch, on), connection.connection.info.backend_pid),
            "bare": (lambda: _bare_month(owner, city, batch, on), owner.info.backend_pid),
        }
        took = {}
        for leg in list(legs)[:: 1 if turn % 2 else -1]:
            city.settle()
            took[leg] = Took(*legs[leg])
    return took


def door_month(city: City, batch: int, on: date) -> None:
    slips, details = Rows(SLIPS, {"batch": batch}), Rows(DETAILS, {"batch": batch})
    vouchers = post(REMITTANCE, slips=slips, details=details, on=on, prepared_by=city.maker, reviewed_by=city.checker)
    if not vouchers:
        raise RuntimeError("nothing was posted")


def _bare_month(owner: psycopg.Connection[Any], city: City, batch: int, on: date) -> None:
    # Values go into the text, as Django's do, so that the planner sees them.
    with owner.transaction(), psycopg.ClientCursor(owner) as cursor:
        cursor.execute(BARE_MONTH, {"batch": batch, **_given(city, on)})


def _given(city: City, on: date) -> dict[str, Any]:
    year_end = date(on.year + (on.month > 6), 6, 30)
    people = {"maker": city.maker.pk, "checker": city.checker.pk, "bank": city.bank_account}
    return {"on": on, "month": on.replace(day=1), "year_end": year_end, **people}


def _against(took: dict[str, list[Took]]) -> list[str]:
    bare, door = took["bare"], took["door"]
    return [
        figures([one.seconds for one in bare]),
        figures([one.seconds for one in door]),
        f"{MEMBERS / median(one.seconds for one in door):,.0f}",
        figures([d.seconds / b.seconds for b, d in zip(bare, door, strict=True)]),
        figures([one.cpu for one in bare]),
        figures([one.cpu for one in door]),
        figures([d.cpu / b.cpu for b, d in zip(bare, door, strict=True)]),
    ]


# One voucher ----------------------------------------------------------------------------------------------------------

WAYS = {"bare": "bare statement", "door": "`ledger_post`", "python": "`posting.post`"}
SCENES = {"1 connection": [1], "2, other branches": [1, 2], "2, same branch": [1, 1]}


def singles(options: Options) -> list[Table]:
    """Vouchers of two lines, one call and one commit each, as fast as the callers can."""
    took: dict[tuple[str, str], list[list[Work]]] = {}
    with opened() as city:
        with city.owner() as owner:
            owner.execute(BARE)
        for turn in range(options.passes):
            city.settle()
            for scene, branches in SCENES.items():
                for way in list(WAYS)[:: 1 if turn % 2 else -1]:
                    with _clerks(city, way, branches) as clerks:
                        pass
                    took.setdefault((scene, way), []).append(clerks)
    rows = []
    for scene in SCENES:
        bare = [sum(len(work.waits) for work in clerks) / SECONDS for clerks in took[scene, "bare"]]
        for way, called in WAYS.items():
            works = [work for clerks in took[scene, way] for work in clerks]
            rate = [sum(len(work.waits) for work in clerks) / SECONDS for clerks in took[scene, way]]
            share = figures([one / other for one, other in zip(rate, bare, strict=True)]) if way != "bare" else ""
            waits = [wait for work in works for wait in work.waits]
            p50, p99 = (f"{percentile(waits, p) * 1e3:.2f}" for p in (50, 99))
            cpu = figures([work.server_cpu / len(work.waits) * 1e6 for work in works], 0)
            rows.append([scene, called, figures(rate, 0), share, p50, p99, cpu])
    return [
        Table(
            "Single vouchers of two lines, one call and one commit each",
            ["connections", "way", "per second", "÷ bare", "p50 ms", "p99 ms", "server CPU µs a call"],
            rows,
            f"{options.passes} passes of {SECONDS:.0f} s, a process for each connection. Bare and `ledger_post` are prepared "
            "statements of plain psycopg; `posting.post` is what services call: Django's connection, a transaction, nothing prepared.",
        )
    ]


def counters(options: Options) -> list[Table]:
    """Counters of one branch while the month of all others is posted."""
    own = BRANCHES
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    months: list[float] = []
    with opened() as city:
        for turn in range(options.passes + 1):
            on = date(2025, 1 + turn, 15) if turn < 12 else date(2026, turn - 11, 15)
            batch = city.stage(on.replace(day=1), without=own)
            city.settle()
            with _clerks(city, "python", [own], every=0.01) as clerks:
                time.sleep(4)
            if turn:
                idle.append(clerks[0].waits)
            city.settle()
            with _clerks(city, "python", [own], every=0.01) as clerks, acting_as(city.maker):
                begun = time.perf_counter()
                door_month(city, batch, on)
                took = time.perf_counter() - begun
            if turn:  # the first month makes the balances
                busy.append(clerks[0].waits)
                months.append(took)
    ratio = figures([percentile(b, 99) / percentile(i, 99) for i, b in zip(idle, busy, strict=True)])
    rows = [
        [called, f"{sum(map(len, turns)):,}", *_waits(turns), share]
        for called, turns, share in (("idle", idle, ""), (f"during the month ({figures(months)} s)", busy, ratio))
    ]
    return [
        Table(
            "A branch's counters while the month of the other twelve is posted",
            ["", "vouchers", "p50 ms", "p99 ms", "max ms", "p99 ÷ idle's"],
            rows,
            f"{options.passes} passes. One client of `posting.post`, a voucher due every 10 ms; a wait is counted from when it was "
            "due, so a stall counts for every voucher that it delays. p50, p99 and max are each pass's.",
        )
    ]


def _waits(turns: list[list[float]]) -> list[str]:
    return [figures([percentile(turn, p) * 1e3 for turn in turns]) for p in (50, 99, 100)]


@dataclass(frozen=True)
class Work:
    """What a clerk's process did: how long each voucher took, and the CPU of its server process."""

    waits: list[float]
    server_cpu: float


@contextmanager
def _clerks(city: City, way: str, branches: list[int], every: float = 0) -> Iterator[list[Work]]:
    """A process for each branch named, posting until SECONDS are over, or, ``every`` so often, until the block ends.
    Gives a list that holds, after the block, what each one did."""
    works: list[Work] = []
    connection.close()
    fork = multiprocessing.get_context("fork")
    ready, stop, answers = fork.Barrier(len(branches) + 1), fork.Event(), fork.Queue()
    clerks = [
        fork.Process(target=_clerk, args=(city, way, place, branch, every, ready, stop, answers), daemon=True)
        for place, branch in enumerate(branches)
    ]
    for clerk in clerks:
        clerk.start()
    city.use()
    connection.ensure_connection()
    ready.wait(60)
    yield works
    stop.set()
    works += [answers.get(timeout=60) for _ in clerks]
    for clerk in clerks:
        clerk.join()


def _clerk(city: City, way: str, place: int, branch: int, every: float, ready: Any, stop: Any, answers: Any) -> None:
    city.use()
    payers, given = city.employers_of(branch), {**_given(city, ON), "branch": branch, "amount": Decimal("100.00")}
    waits: list[float] = []
    with acting_as(city.maker):
        call, server = _way(city, way)
        for turn in range(30):  # plans are made and kept
            call({**given, "payer": payers[turn], "source": str(time.time_ns() * 2 + place)})
        ready.wait(60)
        cpu, begun = _cpu(server), time.perf_counter()
        while not (stop.is_set() if every else time.perf_counter() > begun + SECONDS):
            payer = payers[len(waits) * 7919 % len(payers)]
            due = begun + every * (len(waits) + 1) if every else time.perf_counter()
            time.sleep(max(0, due - time.perf_counter()))
            call({**given, "payer": payer, "source": str(time.time_ns() * 2 + place)})
            waits.append(time.perf_counter() - due)
        answers.put(Work(waits, _cpu(server) - cpu))


def _way(city: City, way: str) -> tuple[Callable[[dict[str, Any]], object], int]:
    """How a clerk posts one voucher, and the process id of the server that does it."""
    if way == "python":

        def by_service(one: dict[str, Any]) -> object:
            slip = Rows(RECEIPT_SLIP, {**one, "key": int(one["source"])})
            return post(RECEIPT, slips=slip, on=ON, prepared_by=city.maker, reviewed_by=city.checker)

        connection.ensure_connection()
        return by_service, connection.connection.info.backend_pid
    there, statement = (city.app(), DOOR_SINGLE) if way == "door" else (city.owner(), BARE_SINGLE)
    return lambda one: there.execute(statement, one, prepare=True).fetchone(), there.info.backend_pid


BENCHMARKS = {"month": month, "singles": singles, "growth": growth, "counters": counters}
