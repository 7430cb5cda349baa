"""What other rooms' documents do to members' accounts."""

from django.db import connection

from accounts.ledger.services.posting import Rows
from accounts.parties import queries


def change(rows: Rows) -> None:
    """封存, 启封 and 基数变更 of members, all at once. ``rows``: member, change (``seal``, ``unseal`` or anything else),
    month from which it holds, base in yuan or null for the one that stands.

    The caller has refused what cannot be; history keeps what was. Source: 《住房公积金管理条例》第十五条、第十六条.
    """
    with connection.cursor() as cursor:
        cursor.execute(queries.CHANGE_MEMBERS.format(rows=rows.sql), rows.params)
