"""Work that is cut off at a statement: by whom, and what must then be so.

A point is before a statement that Django sends, before and after each COMMIT, or in the middle of a COPY. Afterwards either
nothing has happened or all of it; the same work done again brings exactly one; and the books are whole.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django.test import Client

from accounts.contributions.models import Batch
from accounts.ledger.services.checking import check_ledger
from fundcenter import database
from fundcenter.office.models import Job, StoredFile, User
from fundcenter.office.services import files, jobs
from fundcenter.office.services.intake.reading import Reading
from fundcenter.scope import acting_as
from tests.city import City, come_in
from tests.test_database import kill_server

TABLES = """select relname from pg_class where relnamespace = 'public'::regnamespace
            and (relkind = 'p' or relkind = 'r' and not relispartition)"""
# An upload: batches of this file and their state, rows, registers, problems, files, opinions, the trail, waiting jobs.
TAKEN_IN = """
select (select array_agg(state::text) from contributions_batch where id = any(own)),
       (select count(*) from contributions_registerrow where batch_id = any(own)),
       (select count(*) from contributions_register where batch_id = any(own)),
       (select count(*) from office_rowproblem where document = any(labels)),
       (select count(distinct file_id) from contributions_batch where id = any(own)),
       (select array_agg(verb::text order by id) from office_opinion where document = any(labels)),
       (select array_agg(verb::text order by id) from office_auditevent where document = any(labels))
  from (select array_agg(id) as own, array_agg('contributions.batch:' || id) as labels
          from contributions_batch where sha256 = %(sha256)s) b
"""
# A posting: the batch's state, vouchers, posted registers, suspense, members' money, opinions, and whom it still blocks.
POSTED = """
select (select state::text from contributions_batch where id = %(batch)s),
       (select count(*) from ledger_voucher v join contributions_register r on r.voucher_id = v.id
         where r.batch_id = %(batch)s and v.kind_id = 'remittance'),
       (select bool_and(is_posted) from contributions_register where batch_id = %(batch)s),
       (select amount from ledger_balance where holder_id = %(employer)s and account_id = '21901'),
       (select sum(b.amount) from ledger_balance b join parties_member m on m.holder_id = b.holder_id
         where m.employer_id = %(employer)s and b.account_id = '201'),
       (select array_agg(verb::text order by id) from office_opinion where document = 'contributions.batch:' || %(batch)s
          and verb in ('approve', 'queue', 'post', 'fail')),
       (select count(*) from ledger_opendocument where document = 'contributions.batch:' || %(batch)s)
"""
BESIDE = {"office_job", "django_session"}  # written by themselves: a job's counts, when a page was last asked for
NOBODY = "select not exists (select from pg_stat_activity where datname = %s and pid <> pg_backend_pid())"


@dataclass(frozen=True)
class Work:
    """Something that a person or the worker does: ``do`` it, ``look`` what is there of it, and what ``whole`` looks like."""

    name: str
    do: Callable[[], Any]
    look: str
    names: dict[str, Any]
    whole: tuple[Any, ...]
    again: str = ""
    """What a page says to whoever does it again although it was done."""
    job: int = 0


@dataclass
class Town:
    """A database in which each work waits to be done, copied anew for each cut."""

    name: str
    postgres: psycopg.Connection
    works: dict[str, Work] = field(default_factory=dict)
    came: dict[str, list[str]] = field(default_factory=dict)
    content: bytes = b""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def copy(self) -> Iterator[psycopg.Connection]:
        """Django's database is a copy of the town; gives a superuser's connection to it."""
        name = f"{self.name}_{next(self.numbers)}"
        connection.close()
        self.postgres.execute(f'create database "{name}" template "{self.name}" strategy file_copy')
        use(name)
        try:
            with database.connect_superuser(settings.SERVER, name, autocommit=True) as superuser:
                yield superuser
        finally:
            self.stand_again()
            use(self.name)
            self.postgres.execute(f'drop database "{name}" with (force)')

    def stand_again(self) -> None:
        """After a cut: whoever was cut off is gone, and so is what they had begun."""
        with suppress(DatabaseError, InterfaceError):
            connection.close()
        self.postgres = anew(self.postgres, "postgres")


def anew(postgres: psycopg.Connection, name: str) -> psycopg.Connection:
    """Another connection: whoever asks for the database starts it again. The old one's server process may have outlived its server."""
    postgres.close()
    return database.connect_superuser(database.ensure(), name, autocommit=True)


def use(name: str) -> None:
    with suppress(DatabaseError, InterfaceError):
        connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def town() -> Iterator[Town]:
    """Four employers: a register to upload, one to approve, and the same two for the worker."""
    before, name = connection.settings_dict["NAME"], f"cuts_{os.getpid()}"
    server = database.ensure()
    database.prepare(name, server)
    use(name)
    with database.connect_superuser(server, autocommit=True) as postgres:
        built = Town(name, postgres)
        try:
            call_command("migrate", verbosity=0)
            _people(built)
            connection.close()
            yield built
        finally:
            built.stand_again()
            use(before)
            built.postgres.execute(f'drop database "{name}" with (force)')


def _people(built: Town) -> None:
    city = City.found()
    employers = [city.employer(name) for name in ("甲单位", "乙单位", "丙单位", "丁单位")]
    for employer in employers:
        city.members(employer, 张䶮="5321.00", 李四="3550.00")
        city.receive(employer, "2130.00")
    first, second, third, fourth = employers
    clerk, reviewer = (come_in(Client(raise_request_exception=False), who) for who in (city.clerk(), city.reviewer()))
    for client in (clerk, reviewer):
        assert client.get("/").status_code == 200
        session = client.session
        session["seen"] -= 120  # so that each request keeps anew when a page was last asked for
        session.save()
    built.content = city.register(first)
    submitted, posting = city.remit(second), city.remit(fourth)
    city.submit(submitted)
    city.submit(posting)
    rows, settings.JOB_ROWS = settings.JOB_ROWS, 1
    try:
        staged = city.remit(third)
        city.approve(posting)
    finally:
        settings.JOB_ROWS = rows
    with acting_as(city.manager):
        checking, posting_job = (Job.objects.get(document=batch.label).pk for batch in (staged, posting))

    def upload() -> Any:
        return clerk.post("/contributions/batch/upload/", {"file": SimpleUploadedFile("清册.xlsx", built.content)})

    def approve() -> Any:
        return reviewer.post(f"/contributions/batch/{submitted.pk}/approve/do/", {"opinion": ""})

    one, checked = (2, 1, 0, 1, ["check"]), ["upload", "check"]
    posted = (1, True, Decimal("0.00"), Decimal("2130.00"))
    works = [
        Work("upload", upload, TAKEN_IN, {"sha256": files.fingerprint(built.content)}, (["checked"], *one, checked), "不重复受理"),
        Work("approve", approve, POSTED, {"batch": submitted.pk, "employer": second.pk}, ("posted", *posted, ["approve"], 0), "未重复办理"),
        Work("check by the worker", lambda: jobs.run(checking), TAKEN_IN, {"sha256": staged.sha256}, (["checked"], *one, checked), job=checking),
        Work("post by the worker", lambda: jobs.run(posting_job), POSTED, {"batch": posting.pk, "employer": fourth.pk},
             ("posted", *posted, ["queue", "post"], 0), job=posting_job),
    ]  # fmt: skip
    built.works = {work.name: work for work in works}


# Points ---------------------------------------------------------------------------------------------------------------


@contextmanager
def watched(at: Callable[[int, str], None]) -> Iterator[list[str]]:
    """Calls ``at`` with each point's number and what comes next; gives the list of what came."""
    came: list[str] = []

    def point(what: str) -> None:
        came.append(what)
        at(len(came), what)

    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        point(" ".join(str(sql).split())[:70])
        return execute(sql, params, many, context)

    commit, rows = connection._commit, Reading.rows

    def committing() -> None:
        point("COMMIT")
        commit()
        point("after COMMIT")

    def reading(self: Reading) -> Iterator[Any]:
        for place, row in enumerate(rows(self)):
            if place == 1:
                point("in the middle of COPY")
            yield row

    connection._commit, Reading.rows = committing, reading
    try:
        with connection.execute_wrapper(statement):
            yield came
    finally:
        del connection._commit
        Reading.rows = rows


def points(town: Town, work: Work) -> list[str]:
    """What the work sends, in order. It is done whole meanwhile, and looked at."""
    if work.name not in town.came:
        with town.copy() as superuser:
            with watched(lambda number, what: None) as came:
                work.do()
            assert look(superuser, work) == work.whole
            assert_clean(superuser, work)
        town.came[work.name] = came
    return town.came[work.name]


def sample(came: list[str], most: int) -> list[int]:
    """So many points: before and after the COMMIT of the business, in the middle of a COPY, and others evenly spread.

    The last COMMIT keeps the session of a page, or the end of a job; the one before it is the business's.
    """
    before = [at for at, what in enumerate(came, 1) if what == "COMMIT"][-2]
    copying = [at for at, what in enumerate(came, 1) if "COPY" in what]
    chosen = [before, before + 1, *copying][:most]
    rest = [at for at in range(1, len(came) + 1) if at not in chosen]
    more = most - len(chosen)
    return sorted(chosen + [rest[len(rest) * (2 * place + 1) // (2 * more)] for place in range(more)])


# Cutting --------------------------------------------------------------------------------------------------------------


def end_of_connection(town: Town) -> None:
    """The server ends this session, as an administrator or a lack of memory does."""
    pid = connection.connection.info.backend_pid
    assert town.postgres.execute("select pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def end_of_server(town: Town) -> None:
    kill_server()


def cut_here(town: Town, work: Work, number: int, kill: Callable[[Town], None]) -> Any:
    """The work's answer, if it gives one; what breaks it off is the database's error."""

    def at(reached: int, what: str) -> None:
        if reached == number:
            kill(town)

    answer = None
    with suppress(DatabaseError, InterfaceError, psycopg.Error), watched(at):
        answer = work.do()
    with suppress(DatabaseError, InterfaceError):
        connection.close()
    return answer


def cut_in_a_process(town: Town, work: Work, number: int) -> None:
    """The program itself is killed with 9 at this point: a process of its own does the work."""
    connection.close()
    child = os.fork()
    if not child:

        def at(reached: int, what: str) -> None:
            if reached == number:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with watched(at):
                work.do()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{work.name} never came to point {number}"


def try_at(town: Town, work: Work, number: int, cut: Callable[[Town, Work, int], Any]) -> str:
    """Cut, look, do it again, look. Says what the cut left: nothing, or all."""
    with town.copy() as superuser:
        before = tables(superuser)
        name = connection.settings_dict["NAME"]
        answer = cut(town, work, number)
        town.stand_again()
        superuser = anew(superuser, name)
        _wait_for_nobody(superuser, name)
        moved = {table for table, rows in tables(superuser).items() if rows != before[table]} - BESIDE
        left = "all" if moved else "nothing"
        if moved:
            assert look(superuser, work) == work.whole, (number, moved)
        assert_told(answer)
        again = work.do()
        assert look(superuser, work) == work.whole, number
        if not work.job:
            assert again.status_code == 302 or (left == "all" and work.again in again.content.decode()), again
        assert_clean(superuser, work)
        superuser.close()
    return left


def assert_told(answer: Any) -> None:
    """Whoever waited in front of a page reads that it may not have been done, and how to go on."""
    if answer is not None and answer.status_code != 302:
        assert answer.status_code in (400, 500)
        assert "请先查看这笔业务现在的状态，没有办成的再办一次" in answer.content.decode()


def assert_clean(superuser: psycopg.Connection, work: Work) -> None:
    """The books hold, every file that a row names opens, and no job is left over."""
    with acting_as(User.objects.get(username="manager")):
        assert check_ledger().problems == ()
        assert files.check()[1] == []
        assert StoredFile.objects.exists() and Batch.objects.exists()
    if work.job:
        assert superuser.execute("select state from office_job where id = %s", [work.job]).fetchone() == ("done",)


def look(superuser: psycopg.Connection, work: Work) -> tuple[Any, ...]:
    found = superuser.execute(work.look, work.names).fetchone()
    assert found
    return tuple(found)


def tables(superuser: psycopg.Connection) -> dict[str, str | None]:
    """Every row of every table, as one fingerprint a table."""
    names = [name for (name,) in superuser.execute(TABLES)]
    ask = " union all ".join(f"select '{t}', md5(string_agg(t::text, ',' order by t::text)) from {t} t" for t in names)
    return dict(superuser.execute(ask).fetchall())


def _wait_for_nobody(superuser: psycopg.Connection, name: str) -> None:
    """A server process notices that its client is gone when it next reads from it, not in the same instant."""
    deadline = time.monotonic() + 10
    while superuser.execute(NOBODY, [name]).fetchone() != (True,):
        assert time.monotonic() < deadline, "somebody is still in there"
        time.sleep(0.01)


def main() -> None:
    """kill -9 of PostgreSQL under an upload and a posting, at a few points of each: in a process with a city of its own."""
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with town() as built:
        for work in built.works.values():
            if work.job:
                continue
            came = points(built, work)
            for number in sample(came, int(os.environ.get("CUTS", "3"))):
                left = try_at(built, work, number, lambda t, w, n: cut_here(t, w, n, end_of_server))
                print(
                    f"{work.name}: killed at {number} of {len(came)} ({came[number - 1]}): {left} was left", flush=True
                )
