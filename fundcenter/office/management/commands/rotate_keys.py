"""Change the keys of this installation; may be cut off at any moment and called again."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fundcenter.database import DatabaseProblem
from fundcenter.office.management.readiness import as_owner
from fundcenter.office.management.verb import VerbCommand, acting, refusal
from fundcenter.office.refusals import Refused
from fundcenter.office.services import keys


class Command(VerbCommand):
    help = "轮换密钥：启用新密钥，重新加密全部密文，最后删去旧密钥；中断后再次执行即继续"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--purpose", choices=keys.PURPOSES, default="pii", help="；".join(
            f"{purpose} {name}" for purpose, name in keys.PURPOSES.items()
        ))  # fmt: skip
        parser.add_argument("--as", dest="admin", required=True, help="系统管理员的登录名")
        parser.add_argument("--keys-to", type=Path, help="启用新密钥前，先把新旧密钥另存到这个目录（与备份分开）")
        parser.add_argument("--batch", type=int, default=keys.BATCH, help=f"每批行数（默认 {keys.BATCH}）")

    def verb(self, purpose: str, admin: str, batch: int, keys_to: Path | None, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with as_owner(), acting(admin) as by:
            try:
                return keys.rotate(purpose, by=by, say=self._say, batch=batch, keys_to=keys_to)
            except DatabaseProblem as problem:
                raise CommandError(str(problem)) from problem
            except Refused as refused:
                return refusal(refused)

    def _say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if "problems" in result:
            yield from (problem["message"] for problem in result["problems"])
            return
        yield f"{keys.PURPOSES[result['purpose']]}密钥已轮换{'（接着上次）' if result['resumed'] else ''}：{result['changed']} 项"
        if result["keys"]:
            yield f"新旧密钥已另存于 {result['keys']}：与以前的存档放在一起，恢复跨越轮换的备份时都要用。"
        else:
            yield "注意：新密钥只在本机，此后的备份和日志没有它就读不出号码。请马上用 manage.py backup --keys-to … 另存。"
