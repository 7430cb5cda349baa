"""Every sealed number opens with our keys, and is found by its index."""

from collections.abc import Iterator
from typing import Any

from fundcenter.office.management.readiness import as_owner
from fundcenter.office.management.verb import VerbCommand
from fundcenter.office.services import keys


class Command(VerbCommand):
    help = "核对密钥：全部密文都能解密，盲索引都与密钥相符"

    def verb(self, **_: Any) -> dict[str, Any]:
        with as_owner():
            count, problems = keys.check()
        return {"ok": not problems, "sealed": count, "problems": problems, "refused": bool(problems)}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"密文 {result['sealed']} 项{'' if result['problems'] else '，都能解密，索引相符'}"
        yield from result["problems"]
