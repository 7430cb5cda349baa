"""Backups of the embedded cluster, and the way back to a moment.

A backup is the cluster as pg_basebackup reads it and the uploaded files; from the first one on PostgreSQL also keeps its log
(`database.archive`), segment by segment and at least once a minute, so that a city can be brought back to any moment after a
backup's end. Keys never lie in a backup: whoever finds one reads no ID number in it. They are copied elsewhere.

Django is not known here: what a disaster leaves may have no database to start (`python -m fundcenter.backup restore …`).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from fundcenter import clock, database
from fundcenter.database import DatabaseProblem

Say = Callable[[str], None]
MANIFEST, CLUSTER, FILES = "manifest.json", "cluster.tar.gz", "files"
KEPT = 7
CHUNK = 1 << 20
CHANGED = ("pii", "files", "index")  # the keys that `rotate_keys` changes and that something is sealed with
NOT_OURS = (
    "DATABASE_URL 所指的服务器不由本系统备份。请运维：①用该服务器自己的工具做基础备份和连续归档（PostgreSQL 17 及以下可用 "
    "pgBackRest；18 用 pg_basebackup 加 archive_command 或 pg_receivewal），定期演练恢复到指定时刻；②备份 {files}；"
    "③把 {keys} 另存他处，不与前两者放在一起；恢复后执行 manage.py migrate、check_ledger、check_files 核对"
)


def _embedded() -> None:
    if os.environ.get("DATABASE_URL"):
        home = database.home()
        raise DatabaseProblem(NOT_OURS.format(files=home / "files", keys=home / "keys"))


# --- taking -----------------------------------------------------------------------------------------------------------


def take(to: Path, *, keys_to: Path | None = None, keep: int = KEPT) -> dict[str, Any]:
    """One more backup in this folder; the oldest beyond ``keep`` go, and with them the log that only they need."""
    _embedded()
    to, home = to.absolute(), database.home()
    _apart(to, home, "备份", "数据目录")
    if keys_to is not None:
        _apart(keys_to.absolute(), to, "密钥", "备份")
        _apart(keys_to.absolute(), home, "密钥", "数据目录")
    with database._lock(home / "backup.lock"):  # two at once would tidy each other away
        return _taken(to, home, keys_to, keep)


def _taken(to: Path, home: Path, keys_to: Path | None, keep: int) -> dict[str, Any]:
    wal = database.archive_from_now()
    stamp = f"{datetime.now(clock.CHINA):%Y%m%dT%H%M%S}"
    new = to / f"{stamp}.new"
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in to.glob("*.new"):
        shutil.rmtree(left)
    new.mkdir(mode=0o700)
    begun = datetime.now(clock.CHINA)
    digest = _base_backup(new / CLUSTER)
    ended = datetime.now(clock.CHINA)
    # After the cluster: a file is whole on the disk before its row is written, so every row of the backup has its file.
    count = _copy_files(home / "files", new / FILES, _latest(to))
    manifest = {
        "city": (home / "city").read_text().strip(), "tree": os.environ.get("FUNDCENTER_PG") or "pginstall18",
        "begun": begun.isoformat(), "ended": ended.isoformat(), "sha256": digest, "wal": str(wal),
        "first_segment": _first_segment(new / CLUSTER), "keys": _fingerprints(home / "keys"), "files": count,
    }  # fmt: skip
    (new / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2))
    _settle(new)
    new.rename(to / stamp)
    database._sync(to)
    keys = _copy_keys(home / "keys", keys_to.absolute() / stamp) if keys_to else ""
    _forget(to, wal, max(1, keep))
    return {
        "backup": str(to / stamp), "ended": ended.isoformat(timespec="seconds"), "wal": str(wal), "files": count,
        "bytes": (to / stamp / CLUSTER).stat().st_size, "keys": keys, "same_disk": to.stat().st_dev == home.stat().st_dev,
    }  # fmt: skip


def take_files(to: Path) -> dict[str, Any]:
    """Files that were uploaded since the last backup, into it: cheap enough for every few minutes."""
    _embedded()
    latest = _latest(to.absolute())
    if latest is None:
        raise DatabaseProblem(f"{to} 中还没有备份：请先做一次完整备份")
    return {"backup": str(latest), "files": _copy_files(database.home() / "files", latest / FILES, None)}


def _apart(one: Path, other: Path, name: str, where: str) -> None:
    """Together they would be worth no more than one: a lost disk takes both, a thief has both."""
    one, other = one.resolve(), other.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise DatabaseProblem(
            f"{name}（{one}）不得与{where}（{other}）放在一起：一起丢失则无从恢复，一起被盗则密文形同明文。请另选位置"
        )


def _base_backup(path: Path) -> str:
    """The cluster, compressed, and its fingerprint."""
    digest = hashlib.sha256()
    process = database.stream(
        "pg_basebackup", "-D", "-", "-Ft", "-X", "fetch", "-c", "fast", "--compress=client-gzip:1"
    )
    output, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
    with path.open("xb") as file:
        while chunk := output.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    said = errors.read().decode(errors="replace").strip()
    if process.wait():
        raise DatabaseProblem(f"备份未完成：{said}")
    return digest.hexdigest()


def _first_segment(path: Path) -> str:
    """The first segment of the log that this backup needs, as its label says."""
    with tarfile.open(path) as tar:
        label = tar.extractfile("backup_label")
        text = label.read().decode() if label else ""
    return text.partition("(file ")[2].partition(")")[0]


def _copy_files(source: Path, target: Path, former: Path | None) -> int:
    """Files are never changed but by a change of keys: what the former backup has as well is linked, not copied."""
    count = 0
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        name, found = path.relative_to(source), path.stat()
        if not path.is_file() or path.name.startswith("tmp"):
            continue
        copy, old = target / name, former / FILES / name if former else None
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        count += 1
        if _same(copy, found):
            continue
        copy.unlink(missing_ok=True)
        if old and _same(old, found):
            os.link(old, copy)
        else:
            shutil.copy2(path, copy)
    return count


def _same(path: Path, found: os.stat_result) -> bool:
    with contextlib.suppress(OSError):
        there = path.stat()
        return (there.st_size, there.st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    return False


def copy_keys(to: Path) -> str:
    """The keys as they are now, elsewhere: before anything is sealed with a new one, it must not be in one place only."""
    home = database.home()
    _apart(to.absolute(), home, "密钥", "数据目录")
    return _copy_keys(home / "keys", to.absolute() / f"{datetime.now(clock.CHINA):%Y%m%dT%H%M%S}")


def _copy_keys(source: Path, target: Path) -> str:
    target.mkdir(mode=0o700, parents=True)
    for path in sorted(source.iterdir()):
        if not path.name.startswith("."):
            shutil.copy2(path, target / path.name)
    _settle(target)
    return str(target)


def _fingerprints(keys: Path) -> dict[str, list[str]]:
    """Which keys a backup needs, told without telling them: of secrets as long as these a hash says nothing."""
    return {
        path.name: [hashlib.sha256(one.encode()).hexdigest()[:16] for one in path.read_text().strip().split(",")]
        for path in sorted(keys.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }


def _settle(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_nlink == 1:
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
    database._sync(folder)


def _backups(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """What this folder has, oldest first; or the backup that it is itself."""
    found = [folder] if (folder / MANIFEST).is_file() else sorted(p.parent for p in folder.glob(f"*/{MANIFEST}"))
    return [(path, json.loads((path / MANIFEST).read_text())) for path in found if path.suffix != ".new"]


def _latest(folder: Path) -> Path | None:
    backups = _backups(folder)
    return backups[-1][0] if backups else None


def _forget(folder: Path, wal: Path, keep: int) -> None:
    backups = _backups(folder)
    for path, _ in backups[:-keep]:
        shutil.rmtree(path)
    oldest = backups[-keep:][0][1]["first_segment"]
    for segment in wal.glob("*.gz"):
        # A name is timeline, then place; only the place says how old.
        if oldest and segment.name[8:24] < oldest[8:24] and ".history" not in segment.name:
            segment.unlink()


# --- the way back -----------------------------------------------------------------------------------------------------


def restore(
    source: Path, to: Path, *, keys: Path | None = None, at: datetime | None = None, wal: Path | None = None
) -> dict[str, Any]:
    """A new home with the city as it was: at this moment, or as late as the log goes. The old home is not touched."""
    _embedded()
    source, to = source.absolute(), to.absolute()
    backup, manifest = _fitting(source, at)
    if to.exists() and any(path.name != "keys" for path in to.iterdir()):
        raise DatabaseProblem(f"{to} 不是空目录：只恢复到新的数据目录")
    _fitting_keys(manifest, keys, to / "keys")
    if _digest(backup / CLUSTER) != manifest["sha256"]:
        raise DatabaseProblem(f"{backup / CLUSTER} 与备份时的指纹不符：文件已损坏，请用另一份备份")
    log = wal or Path(manifest["wal"])
    with _living_in(to, manifest["tree"]), _or_nothing(to, keep_keys=keys is None):
        if keys is not None:
            _lay_keys(manifest, keys, to / "keys")
        if (backup / FILES).is_dir():
            shutil.copytree(backup / FILES, to / FILES)
        _unpack(backup / CLUSTER, log, at)
        reached = _recover(at)
    unfinished = [name for name in CHANGED if "," in (to / "keys" / name).read_text()]
    return {
        "home": str(to), "backup": str(backup), "reached": reached, "files": manifest["files"], "unfinished": unfinished
    }  # fmt: skip


def _fitting(source: Path, at: datetime | None) -> tuple[Path, dict[str, Any]]:
    backups = _backups(source)
    if not backups:
        raise DatabaseProblem(f"{source} 中没有备份")
    early = [(p, m) for p, m in backups if at is None or datetime.fromisoformat(m["ended"]) <= at]
    if not early:
        first = datetime.fromisoformat(backups[0][1]["ended"])
        raise DatabaseProblem(f"最早只能恢复到第一份备份完成之时：{first:%Y-%m-%d %H:%M:%S}")
    return early[-1]


def _keys_folder(manifest: dict[str, Any], keys: Path) -> Path:
    """The folder with the keys of this backup: what was given, or one of the copies in it."""
    for folder in (keys, *sorted((p for p in keys.glob("*") if p.is_dir()), reverse=True)):
        if folder.is_dir() and not _lacking_keys(manifest, folder):
            return folder
    lacking = "、".join(_lacking_keys(manifest, keys))
    raise DatabaseProblem(f"{keys} 中没有这份备份的密钥（不符或缺少：{lacking}）；轮换密钥以前的备份须用当时的密钥")


def _lay_keys(manifest: dict[str, Any], keys: Path, target: Path) -> None:
    """The keys of the backup, and before each what it was changed for since: the log may hold what those have sealed."""
    own = _keys_folder(manifest, keys)
    later = sorted(
        (p for p in keys.glob("*") if p.is_dir() and p.parent == own.parent and p.name > own.name), reverse=True
    )
    _copy_keys(own, target)
    for name in CHANGED:
        lists = [
            (folder / name).read_text().strip().split(",") for folder in (*later, own) if (folder / name).is_file()
        ]
        (target / name).write_text(",".join(dict.fromkeys(one for each in lists for one in each)) + "\n")


def _lacking_keys(manifest: dict[str, Any], folder: Path) -> list[str]:
    there = _fingerprints(folder) if folder.is_dir() else {}
    return [name for name, marks in manifest["keys"].items() if set(marks) - set(there.get(name, []))]


def _fitting_keys(manifest: dict[str, Any], keys: Path | None, own: Path) -> None:
    if keys is None and not own.is_dir():
        raise DatabaseProblem(f"备份中没有密钥：请用 --keys 指明另存的密钥目录，或先把它放到 {own}")
    if keys is not None and own.exists():
        raise DatabaseProblem(f"{own} 已存在：不要再用 --keys")
    _keys_folder(manifest, keys or own)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _living_in(home: Path, tree: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("FUNDCENTER_HOME", "FUNDCENTER_PG")}
    os.environ |= {"FUNDCENTER_HOME": str(home), "FUNDCENTER_PG": tree}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def _or_nothing(home: Path, *, keep_keys: bool) -> Iterator[None]:
    """What cannot be restored leaves nothing behind, so that the same folder may be tried again."""
    try:
        yield
    except BaseException:
        cluster = database._cluster()
        with contextlib.suppress(DatabaseProblem):
            database.stop()
        if cluster.base != home.resolve():
            shutil.rmtree(cluster.base, ignore_errors=True)
        for path in home.iterdir():
            if path.name == "keys" and keep_keys:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        raise


def _unpack(content: Path, log: Path, at: datetime | None) -> None:
    """The data folder of the home in force, with what PostgreSQL reads at its first start: where the log is, and how far."""
    cluster = database._cluster()
    new = cluster.base / f"{cluster.data.name}.restored"
    shutil.rmtree(new, ignore_errors=True)
    with tarfile.open(content) as tar:
        # Debian 12's Python 3.11.2 does not know the filter yet; the archive is one that we made.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(new, filter="data")
        else:
            tar.extractall(new)  # noqa: S202
    where = shlex.quote(str(log)).replace("%", "%%")
    fetch = f"test -f {where}/%f.gz && gzip -dc {where}/%f.gz > %p".replace("'", "''")
    with (new / "postgresql.auto.conf").open("a") as file:
        file.write(f"restore_command = '{fetch}'\nhot_standby = off\nrecovery_target_action = 'promote'\n")
        if at is not None:
            file.write(f"recovery_target_time = '{at.isoformat()}'\n")
    (new / "recovery.signal").touch()
    for path in (new, *new.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, cluster.uid, cluster.gid)
    new.rename(cluster.data)
    database._sync(cluster.base)


RECOVERY_SETTINGS = ("restore_command", "hot_standby", "recovery_target_action", "recovery_target_time")


def _recover(at: datetime | None) -> str:
    """Start, play the log, and be an ordinary server again. Says up to which transaction it came."""
    try:
        there = database.ensure()
    except DatabaseProblem as problem:
        if at and "recovery ended before configured recovery target was reached" in _log():
            raise DatabaseProblem(
                f"归档的日志到不了 {at:%Y-%m-%d %H:%M:%S}：不给 --at 则恢复到日志所及的最后一刻"
            ) from problem
        raise DatabaseProblem(f"{problem}\n{_log()[-1000:]}") from problem
    with database.connect_superuser(there, autocommit=True) as postgres:
        while postgres.execute("select pg_is_in_recovery()").fetchone() == (True,):
            time.sleep(1)
        for name in RECOVERY_SETTINGS:
            postgres.execute(f"alter system reset {name}")
        postgres.execute("select pg_reload_conf()")
    with database.connect_owner(there) as owner:
        last = owner.execute("select max(at) from office_auditevent").fetchone()
    return str(last[0].isoformat(timespec="seconds")) if last and last[0] else ""


def _log() -> str:
    """What the server of the home in force has said, since it lives."""
    return "".join(
        path.read_text(errors="replace") for path in sorted((database._cluster().base / "log").glob("*.log"))
    )


def moment(text: str) -> datetime:
    """``2026-03-16 17:30`` is Beijing time unless it says otherwise. ValueError for anything else."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=clock.CHINA)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m fundcenter.backup", description="数据库起不来时也能恢复")
    restoring = parser.add_subparsers(dest="verb", required=True).add_parser("restore", help="恢复到新的数据目录")
    add_restore_arguments(restoring)
    said = parser.parse_args(arguments)
    try:
        done = restore(said.source, said.to, keys=said.keys, at=said.at, wal=said.wal)
    except DatabaseProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(
        f"已恢复到 {done['home']}（取自 {done['backup']}）。请以 FUNDCENTER_HOME={done['home']} 启动并执行 check_ledger"
    )
    return 0


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", type=Path, required=True, help="备份所在目录")
    parser.add_argument("--to", type=Path, required=True, help="新的数据目录（FUNDCENTER_HOME）")
    parser.add_argument("--keys", type=Path, help="另存的密钥目录（省略则用新目录中已放好的 keys）")
    parser.add_argument("--at", type=moment, help="恢复到的时刻，如 2026-03-16T17:30；省略则到日志所及的最后一刻")
    parser.add_argument("--wal", type=Path, help="日志归档目录（省略则用备份时的）")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
