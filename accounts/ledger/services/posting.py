"""The only callers of the door: ``post`` and ``reverse``. One voucher and a city's month go the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from accounts.ledger import refusals
from accounts.ledger.models import Voucher
from accounts.ledger.vouchers import Template
from fundcenter.office.models import User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.registry import registry


@dataclass(frozen=True)
class Rows:
    """A set of document rows: a SELECT and its parameters, by name."""

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


NO_ROWS = Rows("select null::bigint as key where false")
NO_LINES = "select null::ledger_line where false"
SLIPS = "array(select row(kind, source, branch, summary, attachments, reverses)::ledger_slip from slip order by place)"
CALL = "select v.* from ledger_post({slips}, array({lines}), %(on)s, %(prepared_by)s, %(reviewed_by)s) v"


def post(
    template: Template, *, slips: Rows, details: Rows = NO_ROWS, on: date, prepared_by: User, reviewed_by: User
) -> list[Voucher]:
    """Post one voucher for each row of ``slips``, all of them or none.

    ``slips`` yields key (bigint, the thing that happens once: with the kind it becomes the voucher's source), branch,
    summary, attachments, and the columns that the template's lines name; ``details`` yields key and the columns of the
    lines ``each="detail"``. Amounts in yuan with at most two decimals; nothing is rounded here.
    Raises Refused, with every holder or slip that was wrong, and nothing is posted. Source: 财会字〔1999〕33号.
    """
    # A detail finds its slip by bisection, not by a join: rows that came in a moment ago are in no statistics yet, and the
    # planner, expecting one of them, would look through all slips for each.
    head = f"""
      with slip as materialized (select q.*, '{template.kind}' as kind, q.key::text as source, null::bigint as reverses,
                                        row_number() over (order by q.key)::int as place from ({slips.sql}) q),
           known as materialized (select array_agg(key order by key) as keys from slip),
           detail as (select d.*, width_bucket(d.key, known.keys) as place from ({details.sql}) d cross join known
                       where d.key = known.keys[width_bucket(d.key, known.keys)])"""
    lines = " union all ".join(
        f"select row(place, '{line.account}', {line.holder or 'null'}, {line.amount if line.side == '借' else '0'}, "
        f"{line.amount if line.side == '贷' else '0'}, null, {line.employer or 'null'}, null)::ledger_line from {line.each}"
        for line in template.lines
    )
    return _through_the_door(head, lines, {**slips.params, **details.params}, on, prepared_by, reviewed_by)


def reverse(vouchers: Iterable[Voucher], *, on: date, prepared_by: User, reviewed_by: User) -> list[Voucher]:
    """Post the red-letter reversal (红字冲销) of these vouchers, each once; the door takes the lines from the originals.

    Raises Refused: already reversed, itself a reversal, or a holder whose balance would go below zero.
    """
    head = """
      with slip as materialized (
        select 'reversal' as kind, v.id::text as source, v.branch_id as branch, v.attachments, v.id as reverses,
               left('冲销 ' || v.word || '-' || lpad(v.number::text, 6, '0') || ' ' || v.summary, 200) as summary,
               row_number() over (order by v.id)::int as place
          from ledger_voucher v where v.id = any(%(originals)s))"""
    their_lines = """
      select row(s.place, e.account_id, e.holder_id, -e.debit, -e.credit, e.branch_id, e.employer_id, null)::ledger_line
        from slip s join ledger_voucher v on v.id = s.reverses
        join ledger_entry e on e.date = v.date and e.id between v.id << 24 and (v.id << 24 | 16777215)"""
    params = {"originals": [voucher.pk for voucher in vouchers]}
    return _through_the_door(head, NO_LINES, params, on, prepared_by, reviewed_by, explain=their_lines)


def _through_the_door(
    head: str, lines: str, params: Mapping[str, Any], on: date, prepared_by: User, reviewed_by: User, explain: str = ""
) -> list[Voucher]:
    everything = {**params, "on": on, "prepared_by": prepared_by.pk, "reviewed_by": reviewed_by.pk}
    try:
        with transaction.atomic():
            return list(Voucher.objects.raw(head + CALL.format(slips=SLIPS, lines=lines), everything))
    except DatabaseError as error:
        problems = _explain(error, head, explain or lines, everything)
        if problems is None:
            raise
        raise Refused(problems) from error


def _explain(error: DatabaseError, head: str, lines: str, params: Mapping[str, Any]) -> list[Problem] | None:
    """Who broke the rule that the door named: asked over the same set, after the rollback."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    if (constraint := cause.diag.constraint_name) in refusals.BY_CONSTRAINT:
        return [refusals.BY_CONSTRAINT[constraint].problem()]
    rule = refusals.BY_SQLSTATE.get(cause.sqlstate or "")
    if rule is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"{head}, line as (select (l).* from ({lines}) x(l)) {rule.find}", params)
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for one in found:
        if "holder_kind" in one:
            one["holder"] = str(registry.holders[one.pop("holder_kind")]([one["holder"]])[one["holder"]])
    return [rule.refusal.problem(on=params["on"], **one) for one in found or [{"found": ""}]]
