"""Changing keys: a new first key, everything under it, the old one gone. Cut off at any moment, and taken up by the next call.

The key's file is the whole memory of it: ``new,old`` means begun and not ended. Work that is done is told by opening it with
the new key alone, so nothing else need be remembered. What is sealed stays readable throughout, servers keep running
(`database.Keyring` reads a changed file anew). Only the blind index can be of one key alone: it is changed while nobody is in.

Runs as the owner: every branch, whatever the program may write.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from fundcenter import backup, database, vault
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import Refusal, Refused
from fundcenter.office.registry import Sealed, registry
from fundcenter.office.services import audit
from fundcenter.office.services.moves import require_role

PURPOSES = {"pii": "个人信息", "files": "上传文件", "index": "盲索引", "django": "会话签名"}
BATCH = 1000
SOMEBODY_IN = Refusal(
    "somebody_in", "还有 {count} 个程序连着数据库：盲索引密钥只能在停止服务后轮换，请先停止网站和任务进程。"
)
Say = Callable[[str], None]


def rotate(purpose: str, *, by: User, say: Say, batch: int = BATCH, keys_to: Path | None = None) -> dict[str, Any]:
    """Change the key of this purpose; ``keys_to`` gets a copy of old and new before the new one is used. Refused: nothing is begun."""
    require_role(by, Role.ADMIN)
    if purpose == "index" and (others := _others()):
        raise Refused([SOMEBODY_IN.problem(count=others)])
    resumed = len(_keys(purpose)) > 1
    audit.record("rotate_keys", purpose=PURPOSES[purpose], state="继续" if resumed else "开始")
    if purpose in backup.CHANGED:
        _begin(purpose)
    copied = backup.copy_keys(keys_to) if keys_to else ""
    changed = {"pii": _columns, "files": _files, "index": _index, "django": _sessions}[purpose](say, batch)
    audit.record("rotate_keys", purpose=PURPOSES[purpose], rows=changed, state="完成")
    return {"purpose": purpose, "resumed": resumed, "changed": changed, "keys": copied}


def _keys(purpose: str) -> list[str]:
    return database.key(purpose).split(",")


def _begin(purpose: str) -> None:
    """A new key before the old one: made now, unless the call that was cut off has made it."""
    keys = _keys(purpose)
    if len(keys) == 1:
        database.replace_key(purpose, secrets.token_urlsafe(32), *keys)


def _end(purpose: str) -> None:
    database.replace_key(purpose, _keys(purpose)[0])


# --- columns ----------------------------------------------------------------------------------------------------------


def _columns(say: Say, batch: int) -> int:
    # Whoever sealed with the old key alone did so in a transaction that is older than this moment.
    _wait_for_older(say)
    return _until_nothing_is_left(
        "pii", lambda: sum(_column(sealed, batch, say) for sealed in registry.sealed if sealed.column)
    )


def _until_nothing_is_left(purpose: str, once_through: Callable[[], int]) -> int:
    changed = 0
    while found := once_through():
        changed += found
    _end(purpose)
    return changed


def _column(sealed: Sealed, batch: int, say: Say) -> int:
    changed = 0
    for rows in _batches(sealed, batch, sealed.column):
        fresh = [
            (key, old, new.decode()) for key, old in rows if (new := vault.renewed("pii", old.encode())) is not None
        ]
        if not fresh:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            # Whoever wrote another number meanwhile did so under the new key already.
            cursor.execute(
                f"update {sealed.table} t set {sealed.column} = f.new "
                f"from unnest(%s::bigint[], %s::text[], %s::text[]) f(key, old, new) "
                f"where t.{sealed.key} = f.key and t.{sealed.column} = f.old",
                [list(column) for column in zip(*fresh, strict=True)],
            )
            changed += cursor.rowcount
        say(f"{sealed.table}.{sealed.column}：已换 {changed}")
    return changed


def _batches(sealed: Sealed, batch: int, *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """Rows that hold something, by key, each batch a query of its own."""
    after = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {', '.join((sealed.key, *columns))} from {sealed.table} "
                f"where {sealed.key} > %s and {sealed.column} <> '' order by {sealed.key} limit %s",
                [after, batch],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _wait_for_older(say: Say) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_current_xact_id()::text::bigint")
        (mine,) = cursor.fetchone()
        told = time.monotonic()
        while True:
            cursor.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            if cursor.fetchone()[0] > mine:
                return
            if time.monotonic() - told > 10:
                say("等待更早开始的事务结束……")
                told = time.monotonic()
            time.sleep(1)


def check(batch: int = BATCH) -> tuple[int, list[str]]:
    """How many sealed texts there are, and which do not open with our keys or are not found by their index."""
    count, problems = 0, []
    index_keys = _keys("index")
    for sealed in registry.sealed:
        closed = lost = 0
        for rows in _batches(sealed, batch, sealed.column, sealed.index or "null::bytea") if sealed.column else ():
            count += len(rows)
            for _, token, index in rows:
                try:
                    text = vault.open_text(token)
                except vault.Unreadable:
                    closed += 1
                    continue
                right = index is None or bytes(index) in {vault.index_under(k, sealed.kind, text) for k in index_keys}
                lost += not right
        if closed:
            problems.append(f"{sealed.table}.{sealed.column}：{closed} 项不能解密，缺少当时的密钥")
        if lost:
            problems.append(f"{sealed.table}.{sealed.index}：{lost} 项与密钥不符，请执行 rotate_keys --purpose index")
    return count, problems


# --- the blind index --------------------------------------------------------------------------------------------------


def _others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and usename = %s "
            "and pid <> pg_backend_pid()",
            [database.APP],
        )
        return int(cursor.fetchone()[0])


def _index(say: Say, batch: int) -> int:
    key = _keys("index")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from axes_accessattempt"
        )  # login names, hashed with the old key; forgotten in minutes anyway
    changed = 0
    for sealed in registry.sealed:
        if not sealed.index:
            continue
        if not sealed.column:
            with connection.cursor() as cursor:
                cursor.execute(f"update {sealed.table} set {sealed.index} = null where {sealed.index} is not null")
                changed += cursor.rowcount
            continue
        for rows in _batches(sealed, batch, sealed.column, sealed.index):
            fresh = [
                (row, new)
                for row, token, old in rows
                if (new := vault.index_under(key, sealed.kind, vault.open_text(token))) != bytes(old or b"")
            ]
            if not fresh:
                continue
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"update {sealed.table} t set {sealed.index} = f.new "
                    f"from unnest(%s::bigint[], %s::bytea[]) f(key, new) where t.{sealed.key} = f.key",
                    [list(column) for column in zip(*fresh, strict=True)],
                )
                changed += cursor.rowcount
            say(f"{sealed.table}.{sealed.index}：已换 {changed}")
    _end("index")
    return changed


# --- files and sessions -----------------------------------------------------------------------------------------------


def _files(say: Say, batch: int) -> int:
    _wait_for_older(say)

    def once_through() -> int:
        changed = 0
        for path in sorted(Path(settings.FILES_DIR).glob("??/*")):
            fresh = vault.renewed("files", path.read_bytes()) if len(path.name) == 64 else None
            if fresh is None:
                continue
            temporary = path.with_name(f"tmp{path.name[:16]}")
            with temporary.open("wb") as file:
                file.write(fresh)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
            temporary.replace(path)
            changed += 1
            if changed % batch == 0:
                say(f"文件：已换 {changed}")
        return changed

    return _until_nothing_is_left("files", once_through)


def _sessions(say: Say, batch: int) -> int:
    """Nothing is kept under this key but sessions, and they end: everybody signs in anew."""
    database.replace_key("django", secrets.token_urlsafe(32))
    with connection.cursor() as cursor:
        cursor.execute("delete from django_session")
        say("请重启网站和任务进程，使新的签名密钥生效。")
        return int(cursor.rowcount)
