"""Two reviewers approve the same document at the same instant, again and again: one posts it, the other is told so."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import psycopg
from django.db import connection

from accounts.contributions.models import Batch
from accounts.contributions.services import remittance
from accounts.ledger.services.checking import check_ledger
from bench.city import EMPLOYERS, MEMBERS, City, opened
from bench.posting import ON
from bench.report import Options, Table, percentile
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import ALREADY_MOVED, Refused
from fundcenter.scope import acting_as

MONTHS = 84  # from 2020-01 on, when the city's employers begin
WON, TOLD, OTHERWISE, FAILED = range(1, 5)

# Submitted batches of one register and one row each: every employer's months, one after the other.
SUBMITTED = """
create temp table race as
select row_number() over (order by month, employer) as id, employer, member, branch_id, month::date
  from (select e.holder_id as employer, e.branch_id, min(m.holder_id) as member
          from parties_employer e join parties_member m on m.employer_id = e.holder_id group by e.holder_id, e.branch_id) p,
       generate_series(date '2020-01-01', date '2026-12-01', interval '1 month') month
 order by month, employer limit %(races)s;
insert into contributions_batch (id, branch_id, state, made_on, made_at, maker_id, sha256, confirmed, row_count, error_count, total)
select id, branch_id, 'submitted', %(on)s, now(), %(maker)s, '', '{}', 1, 0, 200 from race;
insert into contributions_register (id, batch_id, branch_id, employer_id, month, member_count, total, is_posted)
select id, id, branch_id, employer, month, 1, 200, false from race;
insert into contributions_registerrow (batch_id, branch_id, row, month, amount_employer, amount_member, change, change_reason,
  register_id, employer_id, member_id)
select id, branch_id, 2, month, 100, 100, '', '', id, employer, member from race;
drop table race;
"""
# What the books say, whatever the reviewers were told: vouchers, batches with other than one, members' money.
BOOKED = """
select (select count(*) from ledger_voucher where kind_id = 'remittance'),
       (select count(*) from contributions_batch b where state <> 'posted' or 1 <> (
          select count(*) from ledger_voucher v where v.kind_id = 'remittance' and v.source = b.id::text)),
       (select coalesce(sum(amount), 0) from ledger_balance where account_id = '201')
"""


def races(options: Options) -> list[Table]:
    """So many documents, two reviewers each, released together."""
    employers = -(-options.races // MONTHS) * 2  # twice as many, as some have no members
    with opened(max(1_000, employers * MEMBERS // EMPLOYERS)) as city:
        with city.superuser() as postgres:
            people = {"races": options.races, "on": ON, "maker": city.maker.pk}
            with psycopg.ClientCursor(postgres) as cursor:
                cursor.execute(SUBMITTED, people)
        reviewers = [User.objects.create_user(f"reviewer{i}", name=f"复核{i}", roles=[Role.REVIEWER]) for i in (1, 2)]
        city.settle()
        fork = multiprocessing.get_context("fork")
        outcomes = [fork.Array("b", options.races, lock=False) for _ in reviewers]
        waits = [fork.Array("d", options.races, lock=False) for _ in reviewers]
        together = fork.Barrier(len(reviewers), timeout=60)
        connection.close()
        runners = [
            fork.Process(target=_reviewer, args=(city, who.pk, options.races, together, outcomes[i], waits[i]))
            for i, who in enumerate(reviewers)
        ]
        begun = time.perf_counter()
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()
        took = time.perf_counter() - begun
        city.use()
        with city.superuser() as postgres:
            vouchers, doubled, money = postgres.execute(BOOKED).fetchone() or (0, 0, 0)
        with acting_as(city.maker):
            # The bench's employers have their money without receipts, which the check rightly misses.
            problems = [said for said in check_ledger().problems if "的到账 " not in said]
    pairs = list(zip(*outcomes, strict=True))
    said = [sum(outcome == what for pair in pairs for outcome in pair) for what in (TOLD, OTHERWISE, FAILED)]
    one_each = sum(pair.count(WON) == 1 for pair in pairs)
    found = (one_each, said[0], vouchers, doubled, money, problems)
    if found != (options.races, options.races, options.races, 0, 200 * options.races, []):
        raise RuntimeError(f"a race went wrong: {found}, of the losers {said}")
    first = sum(pair[0] == WON for pair in pairs)
    rows = [
        ["races", f"{options.races:,}"],
        ["with exactly one winner", f"{one_each:,} ({first:,} and {len(pairs) - first:,})"],
        ["losers told who was first, when, and the state", f"{said[0]:,}"],
        ["losers told otherwise, errors", f"{said[1]:,}, {said[2]:,}"],
        ["documents without voucher, or with two", f"{doubled:,}"],
        ["races per second", f"{options.races / took:,.0f}"],
        ["winner waits, p50 and p99 ms", _percentiles(waits, outcomes, WON)],
        ["loser waits, p50 and p99 ms", _percentiles(waits, outcomes, TOLD)],
    ]
    return [
        Table(
            "Two reviewers approve the same document at the same instant",
            ["", ""],
            rows,
            "Two processes, released together by a barrier before each call of `remittance.REGISTERS.approve`. Afterwards the books hold (`check_ledger`).",
        )
    ]


def _percentiles(waits: Any, outcomes: Any, what: int) -> str:
    taken = [
        wait
        for mine, said in zip(waits, outcomes, strict=True)
        for wait, one in zip(mine, said, strict=True)
        if one == what
    ]
    return ", ".join(f"{percentile(taken, p) * 1e3:.1f}" for p in (50, 99))


def _reviewer(city: City, person: int, count: int, together: Any, outcomes: Any, waits: Any) -> None:
    city.use()
    who = User.objects.get(pk=person)
    with acting_as(who):
        for race in range(count):
            batch = Batch.objects.select_related("maker", "branch").get(pk=race + 1)
            together.wait()
            begun = time.perf_counter()
            outcomes[race] = _outcome(batch, who)
            waits[race] = time.perf_counter() - begun


def _outcome(batch: Batch, who: User) -> int:
    try:
        return WON if len(remittance.REGISTERS.approve(batch, by=who, on=ON)) == 1 else FAILED
    except Refused as refused:
        (problem,) = refused.problems
        in_words = problem.refusal is ALREADY_MOVED and batch.number in problem.message
        return TOLD if in_words else OTHERWISE
    except Exception:
        return FAILED


BENCHMARKS = {"races": races}
