"""make run: a small city once, the main job shown on files, then the admin and the worker beside it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from demo import city, samples, tour
from fundcenter import clock, papers
from fundcenter.office.management.commands import work
from fundcenter.office.management.supervisor import Program, Supervisor
from fundcenter.office.models import Branch

MEMBERS, EMPLOYERS, MONTHS = 600, 40, 3


class Command(BaseCommand):
    help = "建库、演示主业务，然后启动后台"

    def handle(self, *args: Any, **options: Any) -> None:
        papers.check_font()
        call_command("migrate", verbosity=0)
        told = Path(settings.HOME, "tour.txt")
        if settings.DEMO and not told.exists():
            self._show(told)
        elif settings.DEMO:
            self.stdout.write(f"演示已做过一遍（{told}）：")
            self.stdout.write(told.read_text())
        self._serve()

    def _show(self, told: Path) -> None:
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            self.stdout.write(line)
            self.stdout.flush()

        if Branch.objects.exists() and not city.persons_file().exists():
            raise CommandError("此处的城市不是演示所建；请以 DEMO=0 启动。")
        say(f"建立演示城市：职工 {MEMBERS} 人，单位 {EMPLOYERS} 个，{MONTHS} 个月")
        city.build(members=MEMBERS, employers=EMPLOYERS, months_paid=MONTHS, seed=1, today=clock.today(), say=say)
        folder = Path(settings.HOME, "演示")
        tour.show(folder, on=clock.today(), say=say)
        written = samples.write(folder / "样表", branch=Branch.objects.get(code=tour.BRANCH), on=clock.today())
        say(f"⑥ {len(written)} 份样表在 {folder / '样表'}：文件名就是上传后的结果")
        partial = told.with_suffix(".new")
        partial.write_text("\n".join(lines) + "\n")
        partial.rename(told)

    def _serve(self) -> None:
        port = os.environ.get("PORT", "8000")
        self.stdout.write(f"\n后台地址：http://127.0.0.1:{port}/")
        if settings.DEMO:
            persons = json.loads(city.persons_file().read_text())
            shown = [p for p in persons if p["branch"] in ("", tour.BRANCH)]
            for person in shown:
                self.stdout.write(f"  {person['username']:<18} {person['name']}")
            self.stdout.write(
                f"口令（演示用，各人相同）：{persons[0]['password']}；动态口令在登录页显示；登录后右上角可切换人员"
            )
        self.stdout.flush()
        site = [
            str(Path(sys.executable).with_name("gunicorn")), "fundcenter.wsgi", "--bind", f"127.0.0.1:{port}",
            "--workers", "2", "--threads", "4", "--worker-class", "gthread", "--graceful-timeout", "10",
            "--log-level", "warning", "--no-control-socket",
        ]  # fmt: skip
        connections.close_all()
        # The first page comes first: a worker's start costs a second of a core.
        worker = work.program(start_after=3)
        sys.exit(Supervisor(Program("网站", site, leading=True), worker, say=self._say).run())

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
