"""Keeps programs running beside each other, and PostgreSQL under them: what dies is brought back.

The supervisor itself does no work. It waits for the end of a child, for a signal, or for its one idle connection to break,
which is how it learns at once that PostgreSQL is gone. When it ends, so do its programs; when it is killed, too, because the
kernel tells them (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fundcenter import database

GRACE = 15  # seconds in which a program may finish what it has begun
PAUSE_MOST, LIVED = 30, 30  # seconds: a program that does not live so long waits longer each time, at most so long
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _now() -> int:
    return time.monotonic_ns() // 10**9


@dataclass
class Program:
    """``leading``: when it ends by itself, everything ends; any other is started anew. ``on_database``: what it is doing
    is lost with the server, so it starts anew with a new one."""

    name: str
    command: Sequence[str]
    leading: bool = False
    on_database: bool = False
    start_after: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: int = field(default=0, init=False)
    due: int = field(default=0, init=False)
    pause: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.due = _now() + self.start_after

    def start(self) -> None:
        parent = os.getpid()

        def dies_with_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        self.process = subprocess.Popen(list(self.command), preexec_fn=dies_with_parent)
        self.started = _now()

    def drop(self) -> None:
        """At once, for what it holds is lost anyway."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process, self.due = None, 0

    def left(self) -> int | None:
        """Its exit code, once it has ended; the next start is then due after a pause."""
        code = self.process.poll() if self.process is not None else None
        if code is not None:
            self.pause = 1 if _now() - self.started >= LIVED else min(max(1, 2 * self.pause), PAUSE_MOST)
            self.process, self.due = None, _now() + self.pause
        return code


class Supervisor:
    def __init__(self, *programs: Program, say: Callable[[str], Any]):
        self.programs, self._say, self.said = programs, say, ""
        self.stopping = self.stopped_by_somebody = False
        self.watched: psycopg.Connection[Any] | None = None
        self.woken, waker = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)

    def run(self) -> int:
        """Until a signal says so, or a leading program ends; then 0, or 1."""
        try:
            while not self.stopping:
                for program in self.programs:
                    if (code := program.left()) is not None:
                        if program.leading:
                            self.say(f"{program.name}已退出（{code}）")
                            return 1
                        self.say(f"{program.name}中断（{code}），{program.pause} 秒后重新启动")
                if self._database_is_there():
                    for program in self.programs:
                        if program.process is None and _now() >= program.due:
                            program.start()
                self._wait()
            return 0
        finally:
            self._end_all()

    def say(self, line: str) -> None:
        """Each thing once, however often it is tried."""
        if line != self.said:
            self._say(line)
        self.said = line

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _wait(self) -> None:
        watched = [self.watched.fileno()] if self.watched else []
        ready, _, _ = select.select([self.woken, *watched], [], [], 1)
        if self.woken in ready:
            os.read(self.woken, 4096)

    def _database_is_there(self) -> bool:
        if self.watched is not None:
            if _alive(self.watched):
                return True
            self.say("数据库已被停止，待其重新启动后继续" if self.stopped_by_somebody else "数据库中断，正在恢复")
            self.watched = None
            for program in self.programs:
                if program.on_database:
                    program.drop()
        try:
            # What died is brought back; what somebody stopped is theirs to start.
            there = database.access() if self.stopped_by_somebody else database.ensure()
            self.watched = there.connect(there.app_user, there.app_password, autocommit=True)
        except (database.DatabaseProblem, psycopg.OperationalError) as error:
            if not self.stopped_by_somebody:
                self.say(f"数据库：{error}")
            return False
        if self.said.startswith("数据库"):
            self.say("数据库已恢复")
        if there.embedded:
            self.watched.add_notice_handler(self._heard)
        self.stopped_by_somebody = False
        return True

    def _heard(self, notice: psycopg.errors.Diagnostic) -> None:
        """The last word of a server: by the same code, but in other words, it says that its postmaster is lost."""
        self.stopped_by_somebody |= str(notice.message_primary).endswith(
            (" administrator command", " shutdown command")
        )

    def _end_all(self) -> None:
        living = [program.process for program in self.programs if program.process is not None]
        for process in living:
            process.terminate()
        until = _now() + GRACE + 5
        for process in living:
            try:
                process.wait(max(1, until - _now()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _alive(connection: psycopg.Connection[Any]) -> bool:
    if not select.select([connection.fileno()], [], [], 0)[0]:
        return True
    try:
        connection.pgconn.consume_input()
        connection.pgconn.is_busy()  # reads what came, and so tells the notice handler
    except psycopg.OperationalError:
        return False
    return connection.pgconn.status == psycopg.pq.ConnStatus.OK
