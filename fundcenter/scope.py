"""Who is acting, and which branches PostgreSQL lets them see.

Row security reads the session setting ``app.branches``. It is set on the connection as it is opened and whenever the
person changes, and taken back in ``finally``. It is never transaction-local: admin lists are rendered after the commit
and would see nothing. For the same reason a scope never begins inside a transaction: a rollback would bring the old
setting back while Python believed in the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class Person(Protocol):
    pk: Any

    def branch_ids(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Scope:
    """The person acting, the branches they may see, where the request came from and what it is for."""

    person_id: int
    branches: tuple[int, ...]
    address: str | None = None
    verb: str = ""
    token_id: int | None = None
    """The 接口令牌 that acts for the person, when it is not the person who sits there."""

    @property
    def single_branch(self) -> int | None:
        return self.branches[0] if len(self.branches) == 1 else None


class NoScope(RuntimeError):
    """Work was asked for that would silently run over nothing, because nobody is acting."""


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_doing: ContextVar[str] = ContextVar("doing", default="")


def current() -> Scope:
    """The scope in force. Raises NoScope: jobs and commands must fail instead of working on nothing."""
    scope = _scope.get()
    if scope is None:
        raise NoScope("没有操作人：请在 acting_as() 之内执行")
    return scope


def acting() -> Scope | None:
    """The scope in force, if somebody acts."""
    return _scope.get()


def visible_branches() -> tuple[int, ...]:
    """The branches in force, none when nobody is acting: the first wall's half of what row security does."""
    scope = _scope.get()
    return scope.branches if scope else ()


@contextmanager
def acting_as(
    person: Person, *, address: str | None = None, verb: str = "", token_id: int | None = None
) -> Iterator[Scope]:
    """Everything inside is done by this person and sees their branches alone; history says which verb it was."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            raise RuntimeError(
                "acting_as() must begin outside a transaction: a rollback would undo the session setting"
            )
    scope = Scope(person.pk, person.branch_ids(), address, verb or _doing.get(), token_id)
    token = _scope.set(scope)
    try:
        _tell_open_connections()
        yield scope
    finally:
        _scope.reset(token)
        _tell_open_connections()


@contextmanager
def doing(verb: str) -> Iterator[None]:
    """Whoever acts inside does this: how history names what commands and jobs have changed."""
    token = _doing.set(verb)
    try:
        yield
    finally:
        _doing.reset(token)


def _tell_open_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            try:
                _tell(connection)
            except Exception:
                # A connection whose scope is unknown must not be used again.
                connection.close()


def _tell(connection: BaseDatabaseWrapper) -> None:
    scope = _scope.get()
    branches = ",".join(map(str, visible_branches()))
    # The name is pghistory's: its triggers keep this text with every change. Its own context manager would put it before
    # every statement that goes through Django, and only there; a session's setting also reaches COPY and raw cursors.
    context = json.dumps({"person": scope.person_id, "verb": scope.verb}) if scope else ""
    with connection.connection.cursor() as cursor:
        cursor.execute(
            "select set_config('app.branches', %s, false), set_config('pghistory.context_metadata', %s, false)",
            [branches, context],
        )


def _on_connect(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    _tell(connection)


connection_created.connect(_on_connect, dispatch_uid="fundcenter.scope")
