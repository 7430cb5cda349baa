"""What a kind of document declares of its rows, and the statements that follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django.db import models

from fundcenter.identifiers import veiled
from fundcenter.office.models import DocumentRow
from fundcenter.office.refusals import CELL_REFUSALS, JOB_REFUSALS, Problem, Refusal, RowRefusal
from fundcenter.office.services.intake.readers import Reader, usual_reader
from fundcenter.spreadsheets import Column


@dataclass(frozen=True)
class Join:
    """A column that a row gets from another table: a number that was written becomes the holder that has it.

    ``beside``: what else of that table ``batch_row`` has, to be compared with and not kept; so that each refusal looks through
    one table instead of joining a city's members again.
    """

    column: str
    value: str
    sql: str
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Intake:
    """What a kind of document declares.

    ``rows`` is the model of its rows: every column of it that is staged, or named in ``joins`` or ``values``, is recognised
    into ``batch_row`` and kept. ``joins`` (over ``s``, the staged row) find holders, ``values`` are expressions for what is
    not kept as it was staged; ``kept_with`` are joins over ``r``, the recognised row, made when it is kept. ``prepare`` runs
    once, before that (registers of a file); ``lookups`` before every check, each creating a temporary table that refusals
    read (numbers that other branches know). ``hold`` locks what approval changes and no constraint guards, in the order of its keys, before it
    asks again. Parameters of all of them: batch, document, branch, made_on. ``readers`` replaces the usual reader of a column;
    ``terms`` are parameters of the refusals by the rules of a day.
    """

    columns: tuple[Column, ...]
    rows: type[DocumentRow]
    refusals: tuple[RowRefusal, ...]
    post: Callable[..., Any]
    """What approval does: ``post(document, by=, on=)``, in the transaction that moves the document."""
    joins: tuple[Join, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    kept_with: tuple[Join, ...] = ()
    prepare: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    hold: str = ""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    terms: Callable[[date], Mapping[str, Any]] = lambda on: {}
    by_constraint: Mapping[str, Refusal] = field(default_factory=dict)

    @cached_property
    def staged(self) -> list[tuple[str, str]]:
        """Name and type of every column of ``staged_row`` after the number of the row."""
        return [pair for column in self.columns for pair in self.reader(column).staged]

    @cached_property
    def _recognised(self) -> dict[str, str]:
        """Each column of ``batch_row`` and what it comes from."""
        found = {join.column: join.value for join in self.joins} | dict(self.values)
        staged = {name for name, _ in self.staged}
        columns = {"row": "s.row"}
        for one in self.rows._meta.concrete_fields:
            if one.column in found:
                columns[one.column] = found[one.column]
            elif one.column in staged:
                columns[one.column] = _fitting(one)
        return columns

    @cached_property
    def recognise(self) -> str:
        """Creates ``batch_row`` of ``staged_row``."""
        values = ", ".join(f"{value} as {name}" for name, value in (*self._recognised.items(), *self._beside))
        joins = " ".join(join.sql for join in self.joins)
        return f"create temp table batch_row on commit drop as select {values} from staged_row s {joins}"

    @property
    def _beside(self) -> list[tuple[str, str]]:
        return [pair for join in self.joins for pair in join.beside.items()]

    @cached_property
    def keep(self) -> str:
        """Stores ``batch_row`` with the document, under row security."""
        names = ", ".join((*self._recognised, *(join.column for join in self.kept_with)))
        values = ", ".join((*(f"r.{name}" for name in self._recognised), *(join.value for join in self.kept_with)))
        joins = " ".join(join.sql for join in self.kept_with)
        return (
            f"insert into {self.rows._meta.db_table} (batch_id, branch_id, {names}) "
            f"select %(batch)s, %(branch)s, {values} from batch_row r {joins} order by r.row"
        )

    @cached_property
    def recall(self) -> str:
        """Creates ``batch_row`` of the rows kept, beside what stands now."""
        values = ", ".join((*(f"s.{name}" for name in self._recognised), *(f"{v} as {n}" for n, v in self._beside)))
        joins = " ".join(join.sql for join in self.joins)
        return (
            f"create temp table batch_row on commit drop as select {values} "
            f"from {self.rows._meta.db_table} s {joins} where s.batch_id = %(batch)s"
        )

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """What a check has made and takes away: ``batch_row``, and what its lookups create."""
        return "batch_row", *re.findall(r"create temp table (\w+)", " ".join(self.lookups))

    @cached_property
    def by_code(self) -> dict[str, Refusal]:
        of_readers = (refusal for reader in self.readers.values() for refusal in reader.refusals)
        return {refusal.code: refusal for refusal in (*CELL_REFUSALS, *JOB_REFUSALS, *of_readers, *self.refusals)}

    def reader(self, column: Column) -> Reader:
        return self.readers.get(column.field) or usual_reader(column)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The words that may stand in a column, for those columns that have such."""
        return {column.field: words for column in self.columns if (words := self.reader(column).choices)}

    def cell_problem(self, code: str, row: int | None, column: str, found: str) -> Problem:
        """What a reader found, quoted without anybody's long number: an ID may stand in the column of amounts."""
        return self.by_code[code].problem(row=row, column=column, found=veiled(found))


def _fitting(column: models.Field[Any, Any]) -> str:
    """The staged value as its column takes it: no longer than that, and an empty text where it takes no null."""
    name = f"s.{column.column}"
    if not isinstance(column, models.CharField):
        return name
    cut = name if column.choices else f"left({name}, {column.max_length})"
    return cut if column.null else f"coalesce({cut}, '')"
