"""What the code declares and the book must know: the kinds of vouchers, and which kind of document waits for which."""

from typing import Any

from django.apps import apps
from django.db import transaction

from accounts.ledger.models import Blocking, Kind
from accounts.ledger.vouchers import TEMPLATES


@transaction.atomic
def write_declared(**_: Any) -> None:
    """After every migrate, as the owner. A kind stays although no template names it any more: its vouchers do."""
    kinds = [Kind(code=template.kind, name=template.name, word=template.word) for template in TEMPLATES]
    Kind.objects.bulk_create(kinds, update_conflicts=True, unique_fields=["code"], update_fields=["name", "word"])
    Blocking.objects.all().delete()
    Blocking.objects.bulk_create(
        Blocking(kind=model._meta.label_lower, blocked_by=other)
        for model in apps.get_models()
        for other in getattr(model, "waits_for", ())
    )
