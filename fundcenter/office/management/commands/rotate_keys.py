"""Change the keys of this installation; may be cut off at any moment and called again."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

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
        parser.add_argument("--batch", type=int, default=keys.BATCH, help=f"每批行数（默认 {keys.BATCH}）")

    def verb(self, purpose: str, admin: str, batch: int, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        with as_owner(), acting(admin) as by:
            try:
                return keys.rotate(purpose, by=by, say=self._say, batch=batch)
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
        yield "请重新另存密钥（manage.py backup --keys-to …）；轮换以前的备份仍须用旧密钥恢复，旧密钥的存档请一并保管。"
