"""Lists: read by key, counted up to a limit, with the sums of what is shown; and the filters that clerks ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import lookup_spawns_duplicates
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, Sum
from django.http import HttpRequest
from django.utils.timezone import make_aware

from fundcenter import clock, identifiers, months, scope
from fundcenter.office.models import Branch, User
from fundcenter.office.registry import registry

COUNT_LIMIT = 10_000
AFTER, BEFORE = "after", "before"


@dataclass(frozen=True)
class Hit:
    """What the search box in the header found: which kind of thing, its number and name, and what tells it from others."""

    kind: str
    number: str
    name: str
    note: str
    url: str


class CappedPaginator(Paginator):
    """Counts to 10,000 and no further: past that a list asks for a narrower question."""

    @cached_property
    def count(self) -> int:
        rows = cast("models.QuerySet[Any]", self.object_list).order_by().values("pk")
        return min(rows[: COUNT_LIMIT + 1].count(), COUNT_LIMIT)


class KeyedList(ChangeList):
    """A list read by key: the address names the row that a page follows (``after``) or precedes (``before``).

    So the two-hundredth page costs what the first does. A column that may be sorted by (``sortable_by``) is sorted while
    the list has fewer rows than COUNT_LIMIT; it must not hold null.
    """

    model_admin: Any
    next_key: Any = None
    previous_key: Any = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet[Any]:
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = self.paginator.count
        self.is_bounded = self.result_count < COUNT_LIMIT
        if not self.is_bounded and ORDER_VAR in self.params:
            self.queryset = self.queryset.order_by(
                *(self.model_admin.get_ordering(request) or self.opts.ordering or ["-pk"])
            )
        self.full_result_count, self.show_full_result_count, self.show_admin_actions = None, False, False
        self.can_show_all = self.multi_page = False
        self.result_list = self._page(request.GET.get(AFTER), request.GET.get(BEFORE))
        self.model_admin.dress(self.result_list)

    def _page(self, after: str | None, before: str | None) -> list[Any]:
        rows, most = self.queryset, self.list_per_page
        beyond = self._beyond(after or before, forward=bool(after))
        if beyond is None:
            after = before = None
        else:
            rows = rows.filter(beyond)
        found = list((rows.reverse() if before and not after else rows)[: most + 1])
        page, more = found[:most], len(found) > most
        if before and not after:
            page.reverse()
            has_next, has_previous = True, more
        else:
            has_next, has_previous = more, bool(after)
        self.next_key = page[-1].pk if page and has_next else None
        self.previous_key = page[0].pk if page and has_previous else None
        return page

    def _beyond(self, key: str | None, *, forward: bool) -> Q | None:
        """Rows after (before) the row with this key, in the list's order; None when there is no such row."""
        order = [(name.removeprefix("-"), name.startswith("-")) for name in self.queryset.query.order_by]
        here = None
        if key and key.isascii() and key.isdigit():
            here = self.root_queryset.filter(pk=int(key)).values_list(*(name for name, _ in order)).first()
        if here is None:
            return None
        beyond, same = Q(), Q()
        for (name, descends), value in zip(order, here, strict=True):
            way = "lt" if descends == forward else "gt"
            beyond |= same & Q(**{f"{name}__{way}": value})
            if not same:
                # Implied by the rest; it alone lets an index begin at the page.
                start = Q(**{f"{name}__{way}e": value})
            same &= Q(**{name: value})
        return start & beyond

    @cached_property
    def page_sums(self) -> dict[str, Decimal]:
        """By name of the column: 本页合计."""
        return {
            name: sum((getattr(row, field) for row in self.result_list), Decimal(0))
            for name, field in self.model_admin.total_columns
        }

    @cached_property
    def sums(self) -> dict[str, Decimal]:
        """总合计 of the whole result, where it has an end in sight and more than one page."""
        columns = self.model_admin.total_columns
        if not columns or not self.is_bounded or self.next_key == self.previous_key:
            return {}
        found = self.queryset.order_by().aggregate(**{name: Sum(field) for name, field in columns})
        return {name: amount or Decimal(0) for name, amount in found.items()}

    def foot(self) -> Iterator[tuple[str, list[Decimal | None]]]:
        """The lines under the list: what they are called, and a figure or nothing for each column but the first."""
        for label, sums in ((f"本页合计（{len(self.result_list)}）", self.page_sums), ("总合计", self.sums)):
            if sums:
                yield label, [sums.get(str(name)) for name in self.list_display[1:]]


class TypedFilter(admin.SimpleListFilter):
    """A filter that is typed into: a number, a name, an amount."""

    template = "office/filter_typed.html"
    example: ClassVar[str] = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        self.others = _others(changelist, (str(self.parameter_name),))
        yield {"query_string": changelist.get_query_string(remove=[str(self.parameter_name)])}


def holder_filter(title: str, kind: str, lookup: str) -> type[TypedFilter]:
    """By whom a row is about: those of this kind of holder that an account number, a name or initials name.

    ``lookup`` is the way from the list's model to the holder's key.
    """

    class HolderFilter(TypedFilter):
        example = "账号、名称或拼音首字母"

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any] | None:
            typed = identifiers.clean(self.value() or "")
            if not typed:
                return None
            asked = {f"{lookup}__in": registry.seekers[kind](typed)}
            if not lookup_spawns_duplicates(queryset.model._meta, lookup):
                return queryset.filter(**asked)
            return queryset.filter(pk__in=queryset.model._default_manager.filter(**asked).values("pk"))

    return type("HolderFilter", (HolderFilter,), {"title": title, "parameter_name": kind})


class StateFilter(admin.FieldListFilter):
    """By state, in the words of the kind's table of moves: asking the rows which there are would read all of them."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.name, self.labels = f"{field_path}__exact", model.machine.labels
        super().__init__(field, request, params, model, model_admin, field_path)

    def expected_parameters(self) -> Any:
        return [self.name]

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        chosen = (self.used_parameters.get(self.name) or [None])[-1]  # type: ignore[index]
        for state, label in ((None, "全部"), *self.labels.items()):
            query = changelist.get_query_string({self.name: state})
            yield {"selected": state == chosen, "query_string": query, "display": label}


class PersonFilter(admin.RelatedFieldListFilter):
    """By a person of the branches in scope, whoever looks first."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        mine = cast(User, request.user)
        people = User.objects.filter(branch_id__in=scope.visible_branches()).exclude(pk=mine.pk)
        named = people.order_by("branch_id", "pk").values_list("pk", "name", "branch__name")
        several = len(scope.visible_branches()) > 1
        rest = [(pk, f"{name}（{branch}）" if several else name) for pk, name, branch in named]
        return [(mine.pk, f"{mine.name}（本人）"), *rest]

    @property
    def include_empty_choice(self) -> bool:
        return False


class BranchFilter(admin.RelatedFieldListFilter):
    """By branch, for who sees several."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return list(Branch.objects.filter(pk__in=scope.visible_branches()).values_list("pk", "name"))

    @property
    def include_empty_choice(self) -> bool:
        return False


class DayFilter(admin.FieldListFilter):
    """From one day to another, both included. Today, this month and their like are counted from the business day."""

    template = "office/filter_days.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.since_name, self.until_name = f"{field_path}__since", f"{field_path}__until"
        super().__init__(field, request, params, model, model_admin, field_path)
        asked: dict[str, Any] = self.used_parameters
        self.typed = {name: str((asked.get(name) or [""])[-1]) for name in self.expected_parameters()}
        self.days: dict[str, date] = {}
        for name, text in self.typed.items():
            try:
                self.days |= {name: date.fromisoformat(identifiers.clean(text))} if text else {}
            except ValueError:
                messages.error(request, f"“{identifiers.veiled(text)}”不是日期，请写成 2026-03-01。")

    def expected_parameters(self) -> Any:
        return [self.since_name, self.until_name]

    @property
    def since(self) -> str:
        return self.typed[self.since_name]

    @property
    def until(self) -> str:
        return self.typed[self.until_name]

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        self.others = _others(changelist, self.expected_parameters())
        today = clock.today()
        month = months.first(today)
        spans: Mapping[str, tuple[date | None, date | None]] = {
            "全部": (None, None),
            "今天": (today, today),
            "近 7 天": (today - timedelta(days=6), today),
            "本月": (month, months.last_day(month)),
            "上月": (months.shift(month, -1), months.last_day(months.shift(month, -1))),
            "本年": (date(today.year, 1, 1), date(today.year, 12, 31)),
        }
        chosen = False
        for name, (since, until) in spans.items():
            here = (str(since or ""), str(until or "")) == (self.since, self.until)
            chosen |= here
            asked = {self.since_name: since, self.until_name: until}
            yield {"selected": here, "query_string": changelist.get_query_string(asked), "display": name}
        if not chosen:
            yield {"selected": True, "query_string": "", "display": f"{self.since} 至 {self.until}".strip()}

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        asked: dict[str, Any] = {}
        if since := self.days.get(self.since_name):
            asked[f"{self.field_path}__gte"] = self._begins(since)
        if until := self.days.get(self.until_name):
            asked[f"{self.field_path}__lt"] = self._begins(until + timedelta(days=1))
        return queryset.filter(**asked)

    def _begins(self, day: date) -> date:
        is_moment = isinstance(self.field, models.DateTimeField)
        return make_aware(datetime.combine(day, time.min)) if is_moment else day


def _others(changelist: ChangeList, own: Any) -> list[tuple[str, str]]:
    """The rest of the address, which a filter's form sends along."""
    return [(name, value) for name, values in changelist.filter_params.items() if name not in own for value in values]
