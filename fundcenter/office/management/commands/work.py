"""The worker: checks and posts what is too large for a request."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from fundcenter.office.management import worker
from fundcenter.office.management.readiness import make_ready
from fundcenter.office.management.supervisor import Program, Supervisor


def program(*, start_after: int = 0) -> Program:
    """The worker as a supervisor starts it, after so many seconds."""
    command = [sys.executable, str(Path(settings.BASE_DIR, "manage.py")), "work", "--bare", "--skip-checks"]
    return Program("后台任务", command, on_database=True, start_after=start_after)


class Command(BaseCommand):
    help = "办理后台任务（大批量的检查和入账）；数据库或自身中断后自动恢复"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bare", action="store_true", help="只运行任务本身，不看护（由看护者启动）")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["bare"]:
            worker.run(concurrency=settings.JOB_CONCURRENCY)
            return
        make_ready()
        connections.close_all()
        sys.exit(Supervisor(program(), say=self.say).run())

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
