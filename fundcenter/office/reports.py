"""What the office says in words: what waits for a person, 变更历史 of a row, what a verb of the audit is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.urls import reverse

from fundcenter import money
from fundcenter.office.models import AuditEvent, Document, Role, User
from fundcenter.office.registry import Work, WorkQueue, registry


def document_queue(
    kind: type[Document], waiting: Mapping[str, tuple[Role, ...]], subject: Callable[[Any], str]
) -> WorkQueue:
    """The work queue of a kind of document: by state, the roles it waits for; never one's own work."""
    manager: Any = kind._default_manager
    options = kind._meta

    def decidable(user: User) -> Any:
        states = [state for state, roles in waiting.items() if user.holds(*roles)]
        return manager.visible().filter(state__in=states).exclude(maker=user) if states else manager.none()

    def work(document: Any) -> Work:
        return Work(
            title=f"{options.verbose_name} {document.number}",
            subject=subject(document),
            url=reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[document.pk]),
            amount=getattr(document, "total", None),
            by=document.maker.name,
            since=document.made_at,
            state=document.state,
            state_label=document.state_label,
        )

    def latest(rows: Any, order: str, most: int) -> list[Work]:
        return [work(document) for document in rows.select_related("maker").order_by(order)[:most]]

    return WorkQueue(
        waiting=lambda user, most: latest(decidable(user), "id", most),
        count=lambda user: decidable(user).count(),
        mine=lambda user, most: latest(manager.visible().filter(maker=user), "-id", most),
    )


def and_more(first: str | None, count: int) -> str:
    """Whom so many rows are about: the first one's name, and whether there are more."""
    return f"{first or '—'}{' 等' if count > 1 else ''}"


def subject_of_rows(document: Any, field: str = "name") -> str:
    """Whom a document of rows is about, as a queue says it; ``field`` of the row has the name."""
    return and_more(document.rows.order_by("row").values_list(field, flat=True).first(), document.row_count)


# --- the trails -------------------------------------------------------------------------------------------------------

NOTHING = "（空）"
RATE_PLACES = 6


@dataclass(frozen=True)
class Change:
    """One change of a row: which fields, what they were and became, who did it by which verb."""

    at: datetime
    by: str
    verb: str
    lines: tuple[tuple[str, str, str], ...]


def history_of(row: Any, most: int = 200) -> list[Change]:
    """变更历史 of a remembered row, newest first. Of what happened in a branch out of sight it says nothing."""
    kept = list(row.history.order_by("-pgh_id")[:most])
    contexts = [old.pgh_context or {} for old in kept]
    names = dict(User.objects.filter(pk__in={c.get("person") for c in contexts}).values_list("pk", "name"))
    changes, later = [], row
    for old, context in zip(kept, contexts, strict=True):
        by = names.get(context.get("person", 0), "数据库所有者")
        verb = context.get("verb", "")
        changes.append(Change(old.pgh_created_at, by, registry.verbs.get(verb, verb), tuple(_lines(old, later))))
        later = old
    return changes


def _lines(before: Any, after: Any) -> Any:
    for field in before._meta.fields:
        if field.name.startswith("pgh_") or getattr(before, field.attname) == getattr(after, field.attname):
            continue
        yield str(field.verbose_name), _shown(before, field), _shown(after, field)


def _shown(row: Any, field: Any) -> str:
    """A value as a reader knows it: choices by their names, keys by what they point at, ratios as per cent."""
    value = getattr(row, field.attname)
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(field, models.ForeignKey):
        try:
            return str(getattr(row, field.name))
        except ObjectDoesNotExist:
            return f"不属于您的机构（{value}）"
    if isinstance(field, ArrayField):
        labels = dict(field.base_field.flatchoices)
        return "、".join(labels.get(one, str(one)) for one in value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    match value:
        case bool():
            return "是" if value else "否"
        case Decimal() if field.decimal_places == RATE_PLACES:
            return f"{(value * 100).normalize():f}%"
        case Decimal():
            return money.grouped(value)
        case date():
            return value.isoformat()
    return str(value)


def verb_label(event: AuditEvent) -> str:
    """The verb in Chinese: a move is called as its button, everything else as its room says (registry.verbs)."""
    machine = getattr(_model(event.document), "machine", None)
    if machine and event.verb in machine.moves:
        return str(machine.moves[event.verb].label)
    return registry.verbs.get(event.verb, event.verb)


def subject_of(event: AuditEvent) -> tuple[str, str, int]:
    """What the event was about: its kind in Chinese, and the model's label and key for a link."""
    model = _model(event.document)
    label, _, key = event.document.partition(":")
    return (str(model._meta.verbose_name), label, int(key)) if model and key.isdigit() else (event.document, "", 0)


def _model(document: str) -> type[models.Model] | None:
    try:
        return apps.get_model(document.partition(":")[0]) if document else None
    except (LookupError, ValueError):
        return None


DETAILS = {
    "reason": "原因", "words": "说明", "person": "人员", "fields": "项目", "count": "数量", "documents": "单据", "codes": "提示",
    "day": "日期", "month": "月份", "digest": "摘要值", "purpose": "密钥", "rows": "行数", "what": "内容", "to": "位置",
    "paper": "验证码",
}  # fmt: skip


def detail_text(event: AuditEvent) -> str:
    """What else the event says: 原因：…；说明：…"""

    def said(value: Any) -> str:
        return "、".join(map(_field_name, value)) if isinstance(value, list) else str(value)

    return "；".join(f"{DETAILS.get(key, key)}：{said(value)}" for key, value in event.detail.items())


def _field_name(name: Any) -> str:
    """Of a person's form: what a changed field is called."""
    try:
        return str(getattr(User._meta.get_field(str(name)), "verbose_name", name))
    except FieldDoesNotExist:
        return {"password1": "口令", "password2": "口令（重复）"}.get(str(name), str(name))
