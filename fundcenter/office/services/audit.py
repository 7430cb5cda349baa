"""Trail of verbs: who did or looked at what."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, models

from fundcenter import clock, scope
from fundcenter.office.models import AuditEvent, User, document_label


def record(verb: str, document: models.Model | None = None, **detail: Any) -> None:
    """Add an event in the name of the person acting. Detail must hold nothing personal. The verb's Chinese: registry.verbs."""
    acting = scope.current()
    AuditEvent.objects.create(
        person_id=acting.person_id,
        branch_id=getattr(document, "branch_id", None) or acting.single_branch,
        verb=verb,
        document=document_label(document) if document is not None else "",
        address=acting.address or "",
        detail=detail | ({"token": acting.token_id} if acting.token_id else {}),
    )


def record_for(person: User | None, verb: str, *, address: str | None = None, **detail: Any) -> None:
    """Add an event of somebody who is only coming in or going out: nobody acts yet, and not even its row can be read back."""
    acting = scope.acting()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into office_auditevent (at, person_id, branch_id, verb, document, address, detail) "
            "values (%s, %s, %s, %s, '', %s, %s)",
            [
                clock.now(), person.pk if person else None, person.branch_id if person else None, verb,
                address or (acting.address if acting else "") or "", json.dumps(detail),
            ],
        )  # fmt: skip
