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


@dataclass(frozen=True)
class JobKind:
    """后台任务: what is too large for a request. See services/jobs.py.

    ``run(document, by=, on=, progress=)``, with what else was asked, does it in the name of the person who asked and says in a
    few words what came of it, and beside the words gives the stored file that it made, if any; it may run twice. Refused, or broken, ``fail(document, reason, by=)`` brings the document back, in the system's name.
    """

    title: str
    run: Callable[..., Any]
    fail: Callable[..., None]


@dataclass(frozen=True)
class MonthPaper:
    """月度资料: a paper of a branch's month. ``paper(branch, month)`` says what is on it (services/issuing.py); what is large
    is left to the worker."""

    title: str
    paper: Callable[[Any, date], Any]
    large: bool = False


@dataclass(frozen=True)
class Sealed:
    """A column of ciphertext; beside it, where there is one, its blind index and the kind that it was computed with.

    Without a column: an index alone, which a change of the index key can only forget.
    """

    table: str
    column: str
    key: str = "id"
    index: str = ""
    kind: str = "id"


Labels = Callable[[Iterable[int]], Mapping[int, Label]]
ClosingCheck = Callable[[int, date], Iterable[Any]]


@dataclass
class Registry:
    queues: dict[str, WorkQueue] = field(default_factory=dict)
    holders: dict[str, Labels] = field(default_factory=dict)
    sources: dict[str, Labels] = field(default_factory=dict)
    seekers: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    """By kind of holder: the keys of those, in scope, that an account number, a name or initials name."""
    figures: list[Callable[[Any], Iterable[Figure]]] = field(default_factory=list)
    charts: list[Callable[[Any], Iterable[Chart]]] = field(default_factory=list)
    panels: dict[str, list[Callable[[Any], Mapping[str, Any]]]] = field(default_factory=dict)
    """What rooms above add to a lower room's page and papers, by model label: more context for its template."""
    list_filters: dict[str, list[Any]] = field(default_factory=dict)
    """What rooms above let a lower room's list be filtered by, by model label."""
    menu: list[MenuEntry] = field(default_factory=list)
    jobs: dict[str, JobKind] = field(default_factory=dict)
    """By model label and verb: ``contributions.batch:post``. A kind of document without any does everything at once."""
    month_papers: dict[str, MonthPaper] = field(default_factory=dict)
    closing_checks: list[ClosingCheck] = field(default_factory=list)
    ledger_checks: list[str] = field(default_factory=list)
    verbs: dict[str, str] = field(default_factory=dict)
    """What the audit's verbs are called; those of a document's moves stand in its ``states.py``."""
    sealed: list[Sealed] = field(default_factory=list)
    """Columns that hold ciphertext, so that keys can be changed."""

    def panel(self, row: Any) -> dict[str, Any]:
        """All that rooms above have to say of this row."""
        return {
            name: value for panel in self.panels.get(row._meta.label_lower, ()) for name, value in panel(row).items()
        }


registry = Registry()
