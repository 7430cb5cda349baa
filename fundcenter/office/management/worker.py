"""One worker: takes jobs as they come, says that it lives, and requeues those of workers that no longer do."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from typing import Any

from procrastinate.contrib.django import DjangoApp, app, connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from fundcenter.office.management.supervisor import GRACE
from fundcenter.office.services import jobs

POLL, SWEEP = 2, 1  # seconds


def worker_app() -> DjangoApp:
    """The tasks on a pool of connections of their own. What a task defers still goes through its own transaction."""
    pool: dict[str, Any] = {"min_size": 1, "max_size": 4, "timeout": 5}
    own = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), **pool))
    own.tasks = app.tasks
    return own


async def work(*, concurrency: int, wait: bool = True) -> None:
    """Until cancelled; without ``wait``, until there is nothing to do. A lost server ends it with an exception."""
    own = worker_app()
    async with own.open_async():
        working = asyncio.create_task(
            own.run_worker_async(
                wait=wait, concurrency=concurrency, install_signal_handlers=False, fetch_job_polling_interval=POLL,
                update_heartbeat_interval=jobs.HEARTBEAT, stalled_worker_timeout=jobs.STALLED,
            )
        )  # fmt: skip
        sweeping = asyncio.create_task(_sweep(own))
        try:
            await asyncio.wait({working, sweeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sweeping, working):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            with contextlib.suppress(asyncio.CancelledError):
                await sweeping


async def _sweep(own: DjangoApp) -> None:
    """Beside the jobs and not as one of them: a worker whose every place is taken still sweeps."""
    while True:
        await own.connector.execute_query_async(jobs.REQUEUE, stalled=jobs.STALLED)
        await asyncio.sleep(SWEEP)


def run(*, concurrency: int) -> None:
    """Until a signal; then jobs that are running may end within the grace, and what does not is requeued by the next."""
    # The boxes of a long paper are looked at again and again by the collector: a sixth of the time that it takes.
    gc.set_threshold(20_000)

    async def until_told() -> None:
        working = asyncio.create_task(work(concurrency=concurrency))
        told: list[int] = []

        def leave() -> None:
            if not told:
                told.append(1)
                working.cancel()
                last = threading.Timer(GRACE, os._exit, [0])
                last.daemon = True
                last.start()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, leave)
        with contextlib.suppress(asyncio.CancelledError):
            await working

    asyncio.run(until_told())
