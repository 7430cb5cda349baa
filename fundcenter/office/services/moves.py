"""How a document moves: by its table of states, by conditional UPDATE, with an opinion and an audit event."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from fundcenter import clock
from fundcenter.office.models import Document, Opinion, Role, User
from fundcenter.office.refusals import (
    ALREADY_MOVED,
    ILLEGAL_MOVE,
    NOT_MAKER,
    OPINION_MISSING,
    OWN_WORK,
    ROLE_MISSING,
    Problem,
    Refused,
)
from fundcenter.office.services import audit
from fundcenter.states import Move


def require_role(user: User, *roles: Role) -> None:
    """Refuse whoever holds none of these roles."""
    if not user.holds(*roles):
        wanted = "或".join(role.label for role in roles)
        raise Refused([ROLE_MISSING.problem(roles=wanted, held=user.role_labels() or "无")])


@transaction.atomic
def move(*documents: Document, verb: str, by: User, opinion: str = "", **fields: Any) -> None:
    """Carry out one move of these documents (of one kind and state table), all or none.

    The UPDATE names the states it may leave from, so of two people at the same instant one changes a row and the
    other none, and is told who got there first and when. Inside the caller's transaction: a posting that fails takes
    the move back with it.
    """
    kind, machine = type(documents[0]), documents[0].machine
    rule = machine.moves[verb]
    if rule.opinion_required and not opinion.strip():
        raise Refused([OPINION_MISSING.problem(verb=rule.label)])
    if wrong := [problem for document in documents if (problem := _not_for(by, document, rule))]:
        raise Refused(wrong)
    if rule.checks:
        fields |= {"checker": by, "checked_at": clock.now()}
    asked = kind._default_manager.filter(pk__in=[document.pk for document in documents])
    changed = asked.filter(state__in=machine.sources(verb)).update(state=machine.target(verb), **fields)
    if changed != len(documents):
        late = set(asked.exclude(state=machine.target(verb)).values_list("pk", flat=True)) if changed else None
        raise Refused([_who_was_first(d, rule.label) for d in documents if late is None or d.pk in late])
    for document in documents:
        document.state = machine.target(verb)
        for name, value in fields.items():
            setattr(document, name, value)
    Opinion.objects.bulk_create(
        Opinion(
            branch_id=document.branch_id, document=document.label, verb=verb, verb_label=rule.label,
            role=by.role_labels(), by=by, text=opinion.strip(),
        )
        for document in documents
    )  # fmt: skip
    one = documents[0] if len(documents) == 1 else None
    audit.record(verb, one, **({} if one else {"documents": [document.label for document in documents]}))


def _not_for(by: User, document: Document, rule: Move) -> Problem | None:
    if rule.by_maker and by.pk != document.maker_id:
        return NOT_MAKER.problem(number=document.number, maker=document.maker.name, verb=rule.label)
    if rule.checks and by.pk == document.maker_id:
        return OWN_WORK.problem(number=document.number)
    return None


def _who_was_first(document: Document, verb_label: str) -> Problem:
    document.refresh_from_db()
    last = Opinion.objects.filter(document=document.label).select_related("by").last()
    state = document.state_label
    if last is None:
        return ILLEGAL_MOVE.problem(number=document.number, state=state, verb=verb_label)
    at = timezone.localtime(last.at)
    return ALREADY_MOVED.problem(
        number=document.number, by=last.by.name, at=f"{at:%Y-%m-%d %H:%M:%S}", verb=last.verb_label, state=state
    )
