"""The embedded PostgreSQL survives what a machine does to it, and lets nobody in without a password."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fundcenter import database

CHECKOUT = Path(__file__).resolve().parent.parent
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root has to change the user")


@contextmanager
def living_in(home: Path, **environment: str) -> Iterator[Path]:
    """A home of its own, whose server and data are gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "FUNDCENTER_PG"):
            patch.delenv(name, raising=False)
        for name, value in {"FUNDCENTER_HOME": str(home), "FUNDCENTER_PG_FSYNC": "off", **environment}.items():
            patch.setenv(name, value)
        cluster = database._cluster()
        try:
            yield home
        finally:
            patch.delenv("DATABASE_URL", raising=False)
            patch.setenv("FUNDCENTER_HOME", str(home))
            database.stop()
            for folder in (cluster.base, cluster.socket, home):
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with living_in(tmp_path / "home") as home:
        yield home


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[database.Access]:
    """One city for the tests that break nothing."""
    with living_in(tmp_path_factory.mktemp("city") / "home"):
        yield database.ensure()


def pid_file() -> Path:
    return database._cluster().data / "postmaster.pid"


def kill_server() -> int:
    """The power fails: nothing is tidied up."""
    pid = database._postmaster(database._cluster())
    assert pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while database._postmaster(database._cluster()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return pid


def remember(text: str) -> None:
    with database.connect_owner() as owner:
        owner.execute("create table remembered as select %s::text as text", [text])


def remembered() -> str:
    with database.connect_owner() as owner:
        row = owner.execute("select text from remembered").fetchone()
    assert row
    return str(row[0])


# Starting -------------------------------------------------------------------------------------------------------------


def test_a_second_ensure_is_cheap(city: database.Access) -> None:
    took = []
    for _ in range(5):
        begun = time.monotonic()
        assert database.ensure() == city
        took.append(time.monotonic() - begun)
    assert min(took) < 0.05


def test_six_at_once_make_one_city(home: Path) -> None:
    ask = "from fundcenter import database as d; print(d.ensure().app_password, d._postmaster(d._cluster()))"
    asking = [
        subprocess.Popen([sys.executable, "-c", ask], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    answers = {process.communicate(timeout=60)[0] for process in asking}
    assert [process.returncode for process in asking] == [0] * 6
    assert len(answers) == 1
    pid = int(answers.pop().split()[1])
    assert os.getsid(pid) == pid  # a session of its own: neither ^C nor the end of its starter reaches it


def test_stop_and_start_keep_the_data(home: Path) -> None:
    remember("一")
    assert database.stop()
    assert not database.stop()
    assert not pid_file().exists()
    assert remembered() == "一"


def test_an_interrupted_initdb_is_done_again(home: Path) -> None:
    cluster = database._cluster()
    half = cluster.base / f"{cluster.data.name}.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("")
    (cluster.base / "password.new").write_text("")
    database.ensure()
    assert not half.exists()
    assert not (cluster.base / "password.new").exists()


def test_a_power_cut_before_the_roles(home: Path) -> None:
    database._initdb(database._cluster())
    assert not database._lacking(database.ensure())


def test_what_was_damaged_is_mended(home: Path) -> None:
    with database.connect_superuser(database.ensure(), "fundcenter", autocommit=True) as superuser:
        superuser.execute("drop owned by fc_door")
        superuser.execute("drop role fc_door")
        superuser.execute("alter role fc_app superuser bypassrls password 'changed'")
        superuser.execute("grant create on schema public to public")
    assert len(database._lacking(database.access())) == 4
    assert not database._lacking(database.ensure())


def test_too_deep_a_home_has_its_socket_elsewhere(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("not run: root's sockets never lie in the home")
    with living_in(tmp_path / ("深" * 30) / "home"):
        folder = Path(database.ensure().host)
        assert folder.parent == Path("/tmp")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


# Crashes --------------------------------------------------------------------------------------------------------------


def test_kill_9_loses_nothing(home: Path) -> None:
    remember("二")
    old = kill_server()
    assert remembered() == "二"
    assert database._postmaster(database._cluster()) != old


def test_kill_9_with_a_backend_that_does_not_notice(home: Path) -> None:
    remember("三")
    busy = database.connect_owner(autocommit=True)

    def loop() -> None:
        with pytest.raises(psycopg.Error):
            busy.execute("do 'begin loop end loop; end'")

    thread = threading.Thread(target=loop)
    thread.start()
    deadline = time.monotonic() + 5
    with database.connect_superuser(autocommit=True) as superuser:
        ask = "select from pg_stat_activity where state = 'active' and query like 'do %'"
        while not superuser.execute(ask).rowcount and time.monotonic() < deadline:
            time.sleep(0.01)
    kill_server()
    assert database._processes(database._cluster())
    assert remembered() == "三"
    thread.join(timeout=5)
    assert not thread.is_alive()


@pytest.mark.parametrize("text", ["", "12", "不是数", "{foreign}\n/elsewhere\n", "{foreign}{rest}"])
def test_kill_9_and_a_spoilt_pid_file(home: Path, text: str) -> None:
    remember("四")
    kill_server()
    rest = pid_file().read_text()[len(pid_file().read_text().split("\n")[0]) :]
    pid_file().write_text(text.format(foreign=os.getpid(), rest=rest))
    assert remembered() == "四"


def test_a_spoilt_pid_file_of_a_living_server(home: Path) -> None:
    remember("五")
    pid_file().write_text("")
    assert remembered() == "五"
    # The next one to find it silent replaces it, and is not kept from that by the old processes.
    for socket in database._cluster().socket.glob(".s*"):
        socket.unlink()
    assert remembered() == "五"


# Who gets in ----------------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_are_private(home: Path) -> None:
    found: set[str] = set()
    askers = [threading.Thread(target=lambda: found.add(database.key("pii"))) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 1
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (home / "keys").iterdir()} == {0o600}
    assert [file.name for file in (home / "keys").iterdir()] == ["pii"]


def test_an_emptied_key_is_not_replaced(home: Path) -> None:
    database.key("pii")
    (home / "keys" / "pii").write_text("")
    with pytest.raises(database.DatabaseProblem, match="空文件"):
        database.key("pii")


def test_nobody_is_trusted(city: database.Access) -> None:
    cluster = database._cluster()
    rules = [line.split() for line in (cluster.data / "pg_hba.conf").read_text().splitlines()]
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    with database.connect_superuser(city) as superuser:
        assert superuser.execute("show listen_addresses").fetchone() == ("",)
    for user in ("postgres", "fc_owner", "fc_app", "fc_door"):
        with pytest.raises(psycopg.OperationalError):
            city.connect(user, "wrong")


def test_the_log_keeps_personal_data_out(city: database.Access) -> None:
    with database.connect_owner(city, autocommit=True) as owner:
        owner.execute("create temporary table person (number text primary key)")
        owner.execute("insert into person values ('361101199001011234')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("insert into person values ('361101199001011234')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("insert into person values (%s)", ["361101199001011234"])
    for _ in range(50):  # the log is written by a process of its own
        written = "".join(log.read_text() for log in (database._cluster().base / "log").iterdir())
        if "duplicate key" in written:
            break
        time.sleep(0.1)
    assert "duplicate key" in written
    assert "3611011990" not in written


def test_the_app_may_do_nothing_by_itself(city: database.Access) -> None:
    with city.connect(city.app_user, city.app_password, autocommit=True) as app:
        attributes = "rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        row = app.execute(f"select {attributes} from pg_roles where rolname = current_user").fetchone()
        assert row == (False,) * 5
        for statement in (
            "create table t ()",
            "set role fc_door",
            "set role fc_owner",
            "set session_replication_role = replica",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)


def test_the_owner_hands_a_function_to_the_door(city: database.Access) -> None:
    with database.connect_owner(city) as owner:
        owner.execute("create function handed() returns text language sql security definer return current_user")
        owner.execute("grant execute on function handed() to fc_app")
        owner.execute("grant create on schema public to fc_door")
        owner.execute("alter function handed() owner to fc_door")
        owner.execute("revoke create on schema public from fc_door")
        row = owner.execute("select rolsuper, rolcreaterole from pg_roles where rolname = current_user").fetchone()
        assert row == (False, False)
        assert owner.execute("select pg_has_role('fc_door', 'USAGE')").fetchone() == (False,)
    with city.connect(city.app_user, city.app_password) as app:
        assert app.execute("select handed()").fetchone() == ("fc_door",)


# Versions and users ---------------------------------------------------------------------------------------------------


def test_16_does_as_well(tmp_path: Path) -> None:
    with living_in(tmp_path / "home", FUNDCENTER_PG="pginstall"), database.connect_owner() as owner:
        assert owner.info.server_version // 10000 == 16
        row = owner.execute(
            "select datlocprovider, datcollate from pg_database where datname = 'fundcenter'"
        ).fetchone()
        assert row == ("c", "C")


@as_root
def test_root_acts_as_the_owner_of_the_home() -> None:
    parent = Path(tempfile.mkdtemp())
    os.chown(parent, 65534, 65534)
    with living_in(parent / "home") as home:
        access = database.ensure()
        assert Path(access.host) == home / "socket"
        assert {path.stat().st_uid for path in (home, *home.rglob("*"))} == {65534}
    parent.rmdir()


@as_root
def test_a_copied_home_is_no_second_way_to_the_same_data(home: Path) -> None:
    database.key("pii")
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDCENTER_HOME", str(copy))
        with pytest.raises(database.DatabaseProblem, match="副本"):
            database.ensure()


# A server of the operator's -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[database.Access]:
    """A cluster that knows nothing of us, as an operator has one."""
    with living_in(tmp_path_factory.mktemp("server") / "home"):
        there = database.access()
        database._initdb(database._cluster())
        database._start(database._cluster(), there)
        with database.connect_superuser(there, autocommit=True) as superuser:
            superuser.execute("create role center login createrole password 'a:b/c'")
            superuser.execute("create role weak login password 'weak'")
            superuser.execute("create database books owner center")
            superuser.execute("create database weak owner weak")
            superuser.execute("create database sorted template template0 locale_provider libc locale 'C.UTF-8'")
        yield there


@contextmanager
def reached_by_url(server: database.Access, home: Path, user: str, password: str, dbname: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDCENTER_HOME", str(home))
        host = server.host.replace("/", "%2F")
        patch.setenv("DATABASE_URL", f"postgres://{user}:{password}@{host}:{server.port}/{dbname}?application_name=us")
        yield


def test_an_owner_with_createrole_is_enough(server: database.Access, tmp_path: Path) -> None:
    with reached_by_url(server, tmp_path, "center", "a%3Ab%2Fc", "books"):
        access = database.ensure()
        assert access == database.ensure()
        assert (access.owner_user, access.options) == ("center", {"application_name": "us"})
        assert not database.stop()
        with database.connect_owner() as owner:
            owner.execute("create function f() returns int language sql return 1")
            owner.execute("grant create on schema public to fc_door")
            owner.execute("alter function f() owner to fc_door")
        with access.connect(access.app_user, access.app_password) as app:
            assert app.execute("select f()").fetchone() == (1,)
        with pytest.raises(database.DatabaseProblem):
            database.connect_superuser()
    another = reached_by_url(server, tmp_path / "another", "center", "a%3Ab%2Fc", "books")
    with another, pytest.raises(database.DatabaseProblem, match="共用同一套 keys"):
        database.ensure()


@pytest.mark.parametrize(
    ("user", "password", "dbname", "words"),
    [
        ("weak", "weak", "weak", "CREATEROLE"),
        ("center", "wrong", "books", "无法连接"),
        ("weak", "weak", "sorted", "排序规则是 UTF8 C.UTF-8"),
    ],
)
def test_what_will_not_do_is_refused(
    server: database.Access, tmp_path: Path, user: str, password: str, dbname: str, words: str
) -> None:
    with reached_by_url(server, tmp_path, user, password, dbname), pytest.raises(database.DatabaseProblem, match=words):
        database.ensure()


def test_an_address_that_names_no_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDCENTER_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/books")
    with pytest.raises(database.DatabaseProblem, match="postgres://所有者"):
        database.ensure()
