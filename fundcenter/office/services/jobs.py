"""What is too large for a request: deferred in the caller's transaction, done by the worker in the caller's name.

``defer`` writes a ``Job``, the row that pages show, and procrastinate's own beside it: both are there once the transaction
commits, or neither is. ``run`` may come twice, when a worker died after its commit or was taken for dead: the second finds
the document moved on and leaves it. Counts are written on a connection of their own, which commits at once, so that others
see them while the one large transaction runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date
from types import TracebackType
from typing import Any

import psycopg
from django.apps import apps
from django.db import InterfaceError, OperationalError, connection, connections, models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from procrastinate.contrib.django import app

from fundcenter import clock
from fundcenter.office.models import Branch, Document, Job, User, document_label
from fundcenter.office.refusals import NOT_YOURS, PERSON_LEFT, Refused
from fundcenter.office.registry import registry
from fundcenter.scope import acting_as

TASK = "office.run_job"
# A worker says every HEARTBEAT seconds that it lives; after STALLED seconds without, its jobs are another's.
HEARTBEAT, STALLED = 2, 6
# A job that broke off so often is given up: it may be what kills the worker.
MOST_ATTEMPTS = 5
EVERY = 500_000_000  # nanoseconds between two writings of the counts
REASONS_SHOWN = 3
# The server went away, or two transactions were in each other's way: the same job again, later.
PASSING = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

logger = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]
"""``progress(done, total, note)``: how far it has come; a total of 0 is not known."""


def silent(done: int, total: int, note: str) -> None:
    """For whoever waits for the result itself."""


def kind_of(document: models.Model | type[models.Model], verb: str) -> str:
    return f"{document._meta.label_lower}:{verb}"


def known(document: Document | type[Document], verb: str) -> bool:
    """Whether this kind of document has such a job."""
    return kind_of(document, verb) in registry.jobs


def defer(document: Any, verb: str, *, by: User, on: date, subject: str = "", **args: Any) -> Job:
    """Have the worker do this with the document as this person, dated ``on``: once the caller's transaction commits.

    The document may be any row of a branch, or a branch itself, that has a job of this verb.
    """
    kind, label = kind_of(document, verb), document_label(document)
    branch_id = document.pk if isinstance(document, Branch) else document.branch_id
    job = Job.objects.create(
        branch_id=branch_id, kind=kind, document=label, by=by, on=on, args=args,
        title=f"{registry.jobs[kind].title} {subject or document.number}"[:200],
    )  # fmt: skip
    # Of two jobs of one document the second waits for the first.
    app.configure_task(TASK, lock=label).defer(job=job.pk)
    return job


def run(pk: int, *, attempts: int = 0) -> None:
    """Do a job. What goes wrong ends in the document's way back; only what will pass by itself is raised."""
    system = User.objects.system()
    with acting_as(system):
        job = _begin(pk)
    if job is None:
        return
    kind = registry.jobs[job.kind]
    state, said, file = Job.State.DONE, "", None
    try:
        if attempts >= MOST_ATTEMPTS:
            raise _GivenUp
        by = User.objects.select_related("branch").get(pk=job.by_id)
        with acting_as(by, verb=job.kind.partition(":")[2]), _Counts(job) as progress:
            made = kind.run(_document_for(job, by), by=by, on=job.on, progress=progress, **job.args)
            said, file = made if isinstance(made, tuple) else (made, None)
    except Refused as refused:
        state, said = Job.State.REFUSED, _reason(refused)
    except PASSING:
        raise
    except _GivenUp:
        state, said = Job.State.BROKEN, f"办理中断 {attempts} 次，不再重试，请联系系统管理员"
    except Exception as error:
        logger.exception("job %s of %s", job.pk, job.document)
        state, said = Job.State.BROKEN, f"系统出错（{type(error).__name__}），请联系系统管理员"
    with acting_as(system), transaction.atomic():
        if state != Job.State.DONE and not _brought_back(job, said, system):
            state, said = Job.State.DONE, "单据已另行办理"
        whole = {"done": F("total")} if state == Job.State.DONE else {}
        ended = Job.objects.filter(pk=pk, ended_at=None)
        ended.update(state=state, note=said[:200], file=file, ended_at=clock.now(), **whole)


class _GivenUp(Exception):
    pass


def _begin(pk: int) -> Job | None:
    """The job, now running; None when another run has ended it."""
    waiting = Job.objects.filter(pk=pk, ended_at=None)
    now = Coalesce(F("started_at"), clock.now())
    if not waiting.update(
        state=Job.State.RUNNING, attempts=F("attempts") + 1, started_at=now, done=0, total=0, note=""
    ):
        return None
    return Job.objects.get(pk=pk)


def _document_for(job: Job, by: User) -> Any:
    """The job's document as this person sees it today. Refused: who has left, or whose branch it no longer is."""
    if not by.is_active:
        raise Refused([PERSON_LEFT.problem(name=by.name)])
    document = _document(job.document)
    # Of branches everybody knows that they are there.
    if document is None or (isinstance(document, Branch) and document.pk not in by.branch_ids()):
        raise Refused([NOT_YOURS.problem(what=job.title)])
    return document


def _document(label: str) -> Any:
    model, _, key = label.partition(":")
    return apps.get_model(model)._default_manager.filter(pk=key).first()


def _brought_back(job: Job, reason: str, system: User) -> bool:
    """False when the document has moved on meanwhile: then there is nothing to bring back."""
    try:
        with transaction.atomic():
            registry.jobs[job.kind].fail(_document(job.document), reason, by=system)
    except Refused:
        return False
    return True


def _reason(refused: Refused) -> str:
    first = "；".join(problem.message.rstrip("。") for problem in refused.problems[:REASONS_SHOWN])
    more = len(refused.problems) - REASONS_SHOWN
    return f"{first}；等 {len(refused.problems)} 处" if more > 0 else first


def hold(document: Document, state: str) -> bool:
    """Keep the document as it is until the transaction ends; False when it has already left this state.

    A worker that was killed may still have a statement running: the server looks every second whether it is alone.
    """
    with connection.cursor() as cursor:
        cursor.execute("set local client_connection_check_interval = '1s'")
    rows = type(document)._default_manager.select_for_update(no_key=True)
    document.refresh_from_db(from_queryset=rows)
    return document.state == state


class _Counts:
    """The counts of a running job, on a connection of its own that commits at once; not more often than anybody looks."""

    def __init__(self, job: Job):
        self.job, self.next = job, 0
        self.connection: Any = connections["default"].copy()

    def __enter__(self) -> Progress:
        return self.write

    def write(self, done: int, total: int, note: str) -> None:
        if (now := time.monotonic_ns()) < self.next:
            return
        self.next = now + EVERY
        with self.connection.cursor() as cursor:
            cursor.execute(
                "update office_job set done = %s, total = %s, note = %s where id = %s and ended_at is null",
                [done, total, note[:200], self.job.pk],
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()


# --- the worker -------------------------------------------------------------------------------------------------------

REQUEUE = """
select procrastinate_retry_job_v2(j.id, null, null, null, null)
  from (select id from procrastinate_jobs j
         where status = 'doing' and not exists (
           select from procrastinate_workers w
            where w.id = j.worker_id and w.last_heartbeat > now() - %(stalled)s * interval '1 s')
           for update skip locked) j
"""


def worker_is_there() -> bool:
    """Whether any worker has lately said that it lives."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from procrastinate_workers where last_heartbeat > now() - %s * interval '1 s')",
            [STALLED],
        )
        return bool(cursor.fetchone()[0])


# --- what pages show --------------------------------------------------------------------------------------------------


def running(most: int) -> list[Job]:
    """The jobs of the branches in scope that have not ended, oldest first."""
    return list(Job.objects.visible().filter(ended_at=None).select_related("by").order_by("id")[:most])


def of(document: Document) -> Job | None:
    """The document's job that has not ended."""
    return Job.objects.filter(document=document.label, ended_at=None).order_by("-id").first()


def asked(document: models.Model, verb: str, most: int) -> list[Job]:
    """The last jobs of this verb, ended or not, newest first: what a page shows of the papers that were asked for."""
    found = Job.objects.filter(document=document_label(document), kind=kind_of(document, verb))
    return list(found.order_by("-id")[:most])


def shown_note(job: Job) -> str:
    """How it stands, in a sentence."""
    if job.ended_at:
        return job.note
    if not worker_is_there():
        return "后台任务程序没有运行，恢复后自动办理；如长时间不动请联系系统管理员"
    if job.state == Job.State.WAITING:
        return "已排队，可离开本页"
    again = f"中断后第 {job.attempts} 次 · " if job.attempts > 1 else ""
    return f"{again}{job.note or '正在开始'} · 可离开本页"


def as_json(job: Job) -> dict[str, Any]:
    return {
        "state": job.state, "state_label": job.get_state_display(), "done": job.done, "total": job.total,
        "note": shown_note(job), "ended": job.ended_at is not None,
    }  # fmt: skip
