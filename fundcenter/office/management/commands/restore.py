"""Bring a city back from a backup into a new home, to a moment. The home of this command is not touched."""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from fundcenter import backup
from fundcenter.database import DatabaseProblem
from fundcenter.office.management.verb import VerbCommand

CHECKS = ("check_ledger", "check_files", "check_keys")


class Command(VerbCommand):
    help = "把备份恢复到新的数据目录，可指定时刻；恢复后核对账簿和文件"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        backup.add_restore_arguments(parser)

    def verb(self, source: Any, to: Any, keys: Any, at: Any, wal: Any, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        try:
            done = backup.restore(source, to, keys=keys, at=at, wal=wal)
        except DatabaseProblem as problem:
            raise CommandError(str(problem)) from problem
        for check in CHECKS:
            done[check] = self._asked(check, done["home"])
        done["refused"] = not all(done[check].get("ok") for check in CHECKS)
        return done

    def _asked(self, check: str, home: str) -> dict[str, Any]:
        """The restored city is another process's: settings know one home."""
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), check, "--json"]
        world = {**os.environ, "FUNDCENTER_HOME": home}
        done = subprocess.run(command, env=world, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            return {"ok": False, "problems": [done.stderr.strip()[-500:]]}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"已恢复到 {result['home']}（取自 {result['backup']}），最后一笔操作在 {result['reached'] or '—'}"
        for check, name in zip(CHECKS, ("账簿", "文件", "密钥"), strict=True):
            problems = result[check].get("problems", [])
            yield f"{name}核对：{'无误' if result[check].get('ok') else '；'.join(map(str, problems[:5]))}"
        for purpose in result["unfinished"]:
            yield f"恢复跨越了密钥轮换：请在新目录执行 manage.py rotate_keys --purpose {purpose} --as 系统管理员 完成它。"
        yield f"以 FUNDCENTER_HOME={result['home']} 启动即用新目录；旧目录没有改动。"
