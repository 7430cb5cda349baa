"""What the home page shows of any kind of document: what waits for a person, and what they began."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

from fundcenter.office.models import Document, Role, User
from fundcenter.office.registry import Work, WorkQueue


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
