"""在途: what is under way on a holder. One table says which kind waits for which; it is asked at submission and at posting."""

from __future__ import annotations

from django.db import connection

from accounts.ledger import queries
from accounts.ledger.models import OpenDocument
from accounts.ledger.refusals import UNDERWAY
from accounts.ledger.services.posting import Rows
from fundcenter.office.models import Document
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry


def begin(document: Document, holders: Rows) -> None:
    """The document is under way on these holders (a SELECT of ``holder``). Refused: another one blocks it, by name.

    Submissions of a branch pass one after the other here, so that of two that block each other one is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('ledger.underway'), %s)", [document.branch_id])
        cursor.execute(
            queries.BEGIN_UNDERWAY.format(holders=holders.sql),
            {**holders.params, "kind": kind_of(document), "document": document.label, "number": document.number,
             "branch": document.branch_id},
        )  # fmt: skip
    ask(document)


def ask(document: Document) -> None:
    """Refused when an unfinished document of a kind that blocks this one is about the same holder."""
    with connection.cursor() as cursor:
        cursor.execute(queries.BLOCKED, {"kind": kind_of(document), "document": document.label})
        found = cursor.fetchall()
    if found:
        names = {holder: str(registry.holders[kind]([holder])[holder]) for holder, kind, _ in found}
        raise Refused(
            UNDERWAY.problem(found=number, holder=names[holder], number=document.number) for holder, _, number in found
        )


def end(document: Document) -> None:
    """The document has ended, whatever way: it blocks nobody any more."""
    OpenDocument.objects.filter(document=document.label).delete()


def kind_of(document: Document) -> str:
    return document._meta.label_lower
