"""Trail of verbs: who did or looked at what."""

from typing import Any

from django.db import models

from fundcenter import scope
from fundcenter.office.models import AuditEvent, document_label


def record(verb: str, document: models.Model | None = None, **detail: Any) -> None:
    """Add an event in the name of the person acting. Detail must hold nothing personal."""
    acting = scope.current()
    AuditEvent.objects.create(
        person_id=acting.person_id,
        branch_id=getattr(document, "branch_id", None) or acting.single_branch,
        verb=verb,
        document=document_label(document) if document is not None else "",
        address=acting.address or "",
        detail=detail,
    )
