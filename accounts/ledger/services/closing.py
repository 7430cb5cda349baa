"""结账: a branch's day, then the city's month. Closed takes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from accounts.ledger.refusals import BY_SQLSTATE
from fundcenter.office.models import Branch, Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import audit
from fundcenter.office.services.moves import require_role


def close_day(branch: Branch, day: date, *, by: User) -> str:
    """Close the day, and every day before it; returns its digest. Refused: unfinished business, or nothing to close.

    Source: 《会计基础工作规范》; what must be finished is asked of every room (registry.closing_checks).
    """
    require_role(by, Role.ACCOUNTANT, Role.MANAGER)
    if unfinished := [problem for check in registry.closing_checks for problem in check(branch.pk, day)]:
        raise Refused(unfinished)
    digest = _call("select ledger_close_day(%s, %s, %s)", [branch.pk, day, by.pk], found=branch.name)
    audit.record("close_day", branch, day=day.isoformat(), digest=digest)
    return digest


def close_month(last_day: date, *, by: User) -> None:
    """Close a month of the whole city. Refused: not a month's last day, or a branch has not closed that day."""
    require_role(by, Role.ACCOUNTANT, Role.MANAGER)
    _call("select ledger_close_month(%s)", [last_day], found=f"{last_day:%Y年%m月}")
    audit.record("close_month", month=f"{last_day:%Y-%m}")


def _call(sql: str, params: list[Any], *, found: str) -> str:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()[0]
    except DatabaseError as error:
        cause = error.__cause__
        rule = BY_SQLSTATE.get((cause.sqlstate or "") if isinstance(cause, psycopg.Error) else "")
        if rule is None:
            raise
        raise Refused([rule.refusal.problem(found=found)]) from error
