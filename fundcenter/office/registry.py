"""The one way up: what a lower room must show without knowing who stands above it.

Each app fills this in its ``ready()``, as with Django's admin and system checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Work:
    """One line of a work queue: a document that waits for somebody."""

    title: str
    subject: str
    url: str
    amount: Decimal | None
    by: str
    since: datetime
    state: str = ""
    state_label: str = ""


@dataclass(frozen=True)
class WorkQueue:
    """等待我办理的业务: ``waiting(user)`` counts and lists what that person may decide, ``mine(user)`` what they began."""

    waiting: Callable[[Any, int], list[Work]]
    count: Callable[[Any], int]
    mine: Callable[[Any, int], list[Work]]


@dataclass(frozen=True)
class Label:
    """How a holder or a source is shown: number, name, and its page when there is one."""

    number: str
    name: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


@dataclass(frozen=True)
class Figure:
    """今日数据: one figure of the home page, with the points of its little chart."""

    title: str
    amount: Decimal
    unit: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class MenuEntry:
    """A line of the left menu: (section, order) decide its place, ``roles`` who sees it (empty: all)."""

    section: str
    name: str
    url_name: str
    order: int
    queue: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A small chart of the home page: its SVG, and the figures under it as a table."""

    title: str
    unit: str
    svg: str
    rows: list[tuple[str, str]]


Labels = Callable[[Iterable[int]], Mapping[int, Label]]
ClosingCheck = Callable[[int, date], Iterable[Any]]


@dataclass
class Registry:
    queues: dict[str, WorkQueue] = field(default_factory=dict)
    holders: dict[str, Labels] = field(default_factory=dict)
    sources: dict[str, Labels] = field(default_factory=dict)
    figures: list[Callable[[Any], Iterable[Figure]]] = field(default_factory=list)
    charts: list[Callable[[Any], Iterable[Chart]]] = field(default_factory=list)
    panels: dict[str, list[Callable[[Any], Mapping[str, Any]]]] = field(default_factory=dict)
    """What rooms above add to a lower room's page and papers, by model label: more context for its template."""
    menu: list[MenuEntry] = field(default_factory=list)
    closing_checks: list[ClosingCheck] = field(default_factory=list)
    ledger_checks: list[str] = field(default_factory=list)

    def panel(self, row: Any) -> dict[str, Any]:
        """All that rooms above have to say of this row."""
        return {
            name: value for panel in self.panels.get(row._meta.label_lower, ()) for name, value in panel(row).items()
        }


registry = Registry()
