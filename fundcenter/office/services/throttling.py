"""How often somebody may ask. Counted in the database: a cache of the process would allow it once for each worker."""

from __future__ import annotations

import secrets
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.db import connection

from fundcenter.office import queries

SWEEP_ONE_IN = 100


def take(key: str, allowance: tuple[int, int], *, cost: int = 1) -> int:
    """Count a request of this key. Returns 0, or after how many seconds there will be room; then it was not counted.

    ``allowance``: so many in so many seconds, all at once or evenly as it refills.

    Right across threads and processes, by one statement. Not inside a transaction: a rollback would forget the request.
    """
    asked: dict[str, Any] = {"key": key, "cost": cost, "most": allowance[0], "seconds": allowance[1]}
    with connection.cursor() as cursor:
        if secrets.randbelow(SWEEP_ONE_IN) == 0:
            cursor.execute(queries.FORGET_REQUESTS)
        cursor.execute(queries.TAKE_REQUEST, asked)
        if cursor.fetchone():
            return 0
        cursor.execute(queries.WAIT_FOR_REQUEST, asked)
        found = cursor.fetchone()
        return int(found[0]) if found else 1


def neighbourhood(address: str | None) -> str:
    """An address as failures are counted: of IPv6 its /64, which one subscriber has whole."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(parsed.exploded[:19]) if isinstance(parsed, IPv6Address) else str(parsed)
