"""kill -9 of the worker, of PostgreSQL, of whoever looks after them: everything comes back, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.contributions.models import Batch, RegisterRow
from accounts.ledger.models import Voucher
from fundcenter import database
from fundcenter.office.models import Job
from fundcenter.office.services import jobs
from fundcenter.scope import acting_as
from tests.city import City
from tests.test_database import CHECKOUT, kill_server, living_in

# The worker of this run's database, whose name no setting tells.
WORKER = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from fundcenter.office.management import worker
from fundcenter.office.services import jobs
jobs.HEARTBEAT, jobs.STALLED = 1, 3
worker.run(concurrency=2)
"""


# Jobs that a lock keeps in the middle of their transaction.
WAITING = """select count(*) from pg_locks l join pg_database d on d.oid = l.database
             where not granted and datname = current_database()"""


def soon(what: Callable[[], Any], seconds: int = 40) -> Any:
    """What is true before long."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found


class Program(subprocess.Popen[str]):
    """A program in a session of its own; what it says is kept."""

    def __init__(self, log: IO[str], *command: str, **environment: str):
        world = {**os.environ, "DJANGO_SETTINGS_MODULE": "fundcenter.settings", **environment}
        said: dict[str, Any] = {"stdout": log, "stderr": log, "text": True}
        super().__init__([sys.executable, *command], cwd=CHECKOUT, env=world, start_new_session=True, **said)
        self.file = log

    def log(self) -> str:
        self.file.seek(0)
        return self.file.read()


@contextmanager
def running(*command: str, **environment: str) -> Iterator[Program]:
    """While it runs; nothing of its session is left afterwards."""
    with tempfile.TemporaryFile("w+") as log, Program(log, *command, **environment) as process:
        try:
            yield process
        finally:
            for pid in [process.pid, *members_of(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def members_of(session: int, word: str = "") -> list[int]:
    """The living processes of a session, those whose command line holds a word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if int(status[3]) == session and status[0] != "Z" and word in command and int(entry.name) != session:
            found.append(int(entry.name))
    return found


# --- the worker alone, in the tests' own database ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_both_kinds_of_job(
    city: City, settings: Any, owner: Any, monkeypatch: Any
) -> None:
    """One job stands in the middle of its check, the other of its posting, when the worker dies; another ends both."""
    settings.JOB_ROWS = 100
    monkeypatch.setattr(jobs, "STALLED", 3)
    batches = []
    for name in ("甲单位", "乙单位"):
        employer = city.employer(name)
        city.members(employer, 张三="5321.00", 李四="3550.00")
        city.receive(employer, "2130.00")
        batches.append((employer, city.register(employer)))
    posted = city.remit(*batches[0])
    city.submit(posted)
    settings.JOB_ROWS = 1
    city.approve(posted)
    checked = city.remit(*batches[1])

    def states() -> list[tuple[str, str, int]]:
        with acting_as(city.manager):
            found = Job.objects.order_by("id")
            states = {batch.label: batch.state for batch in Batch.objects.all()}
            return [(states[job.document], job.state, job.attempts) for job in found]

    name = connection.settings_dict["NAME"]
    with owner.transaction():
        owner.execute("lock table contributions_registerrow, ledger_voucher in share mode")
        with running("-c", WORKER, name) as worker:
            soon(lambda: [state for _, state, _ in states()] == ["running", "running"])
            soon(lambda: owner.execute(WAITING).fetchone() == (2,))
            worker.kill()
            killed = time.monotonic()
        with acting_as(city.clerk()):
            soon(lambda: not jobs.worker_is_there())
            assert "恢复后自动办理" in jobs.shown_note(Job.objects.earliest("id"))
        # Its statements end although the lock that they wait for does not: the server looks whether anybody is there.
        soon(lambda: owner.execute(WAITING).fetchone() == (0,))
    with running("-c", WORKER, name) as worker:
        soon(lambda: [state for _, state, _ in states()] == ["done", "done"])
        print(f"done {time.monotonic() - killed:.1f} s after the kill")
        worker.terminate()
        assert worker.wait(10) == 0
    assert states() == [("posted", "done", 2), ("checked", "done", 2)]
    with acting_as(city.manager):
        assert Voucher.objects.filter(kind="remittance").count() == 1
        assert RegisterRow.objects.filter(batch=checked).count() == 2
        assert checked.registers.count() == 1
        assert not jobs.worker_is_there()
    call_command("check_ledger")


@pytest.mark.django_db(transaction=True)
def test_a_job_begins_soon_after_it_was_asked_for(city: City, settings: Any) -> None:
    settings.JOB_ROWS = 1
    employer = city.employer("甲单位")
    city.members(employer, 张三="5321.00", 李四="3550.00")
    content = city.register(employer)
    with running("-c", WORKER, connection.settings_dict["NAME"]):
        soon(lambda: worker_of(connection.settings_dict["NAME"]))
        time.sleep(0.5)
        batch = city.remit(employer, content)
        asked = time.monotonic()

        def ended() -> bool:
            with acting_as(city.clerk()):
                return Job.objects.get(document=batch.label).ended_at is not None

        soon(ended)
        print(f"begun and done within {time.monotonic() - asked:.2f} s")
        assert time.monotonic() - asked < 5


def worker_of(dbname: str) -> bool:
    with database.connect_owner(settings.SERVER, dbname) as owner:
        return owner.execute("select exists (select from procrastinate_workers)").fetchone() == (True,)


# --- with PostgreSQL under it, in a home of its own -------------------------------------------------------------------

FOUND = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.city import City
city = City.found()
employer = city.employer("甲单位")
city.members(employer, 张三="5321.00", 李四="3550.00")
city.receive(employer, "2130.00")
batch = city.remit(employer)
city.submit(batch)
settings.JOB_ROWS = 1
city.approve(batch)
print(batch.state)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A city in which a posting waits for the worker."""
    with living_in(tmp_path_factory.mktemp("worker") / "home") as home:
        with running("-c", FOUND) as founding:
            assert founding.wait(90) == 0, founding.log()
        yield home


def asked(statement: str) -> Any:
    """What the database answers, and None while it does not."""
    try:
        there = database.access()
        with there.connect(there.owner_user, there.owner_password) as owner:
            return owner.execute(statement).fetchone()[0]
    except psycopg.OperationalError:
        return None


def batch_state() -> str:
    return asked("select state from contributions_batch")


def test_postgres_killed_under_a_posting(home: Path) -> None:
    with running("manage.py", "work") as supervisor:
        lock = database.connect_owner(autocommit=False)
        lock.execute("lock table ledger_voucher in share mode")
        soon(lambda: asked("select state from office_job") == "running")
        soon(lambda: asked(WAITING) == 1)
        assert batch_state() == "posting"
        kill_server()
        killed = time.monotonic()
        soon(batch_state)
        back = time.monotonic() - killed
        soon(lambda: batch_state() == "posted")
        print(f"PostgreSQL back after {back:.1f} s, posted {time.monotonic() - killed:.1f} s after the kill")
        soon(lambda: asked("select state from office_job") == "done")
        assert asked("select attempts from office_job") == 2
        assert asked("select count(*) from ledger_voucher where kind_id = 'remittance'") == 1
        assert "数据库已恢复" in supervisor.log()

        # The worker dies: another one comes.
        (first,) = members_of(supervisor.pid, "--bare")
        os.kill(first, signal.SIGKILL)
        soon(lambda: [pid for pid in members_of(supervisor.pid, "--bare") if pid != first])

        # Somebody stops the server: it stays so until they start it.
        assert database.stop()
        soon(lambda: "已被停止" in supervisor.log())
        time.sleep(1)
        assert asked("select 1") is None
        database.ensure()
        soon(lambda: members_of(supervisor.pid, "--bare"))

        # The supervisor dies: the kernel tells what it looked after.
        supervisor.kill()
        supervisor.wait()
        soon(lambda: not members_of(supervisor.pid))


def test_the_site_and_its_worker_live_and_end_together(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def page() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
                return "住房公积金" in answer.read().decode()
        except OSError:
            return False

    def whole(site: Program) -> bool:
        return page() and bool(members_of(site.pid, "--bare"))

    with running("manage.py", "run", PORT=port) as site:
        soon(lambda: whole(site))
        kill_server()
        soon(page)  # the supervisor brings the server back, requests find it
        (gunicorn,) = [pid for pid in members_of(site.pid, "gunicorn") if parent(pid) == site.pid]
        os.kill(gunicorn, signal.SIGKILL)
        assert site.wait(30) == 1
        assert "网站已退出" in site.log()
        soon(lambda: not members_of(site.pid))


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
