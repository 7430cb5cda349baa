"""Every file that a row names lies on the disk, opens with our keys and has its fingerprint."""

from collections.abc import Iterator
from typing import Any

from fundcenter.office.management.verb import VerbCommand, whole_city
from fundcenter.office.services import files


class Command(VerbCommand):
    help = "核对上传的文件：都在、能解密、与登记的指纹相符"

    def verb(self, **_: Any) -> dict[str, Any]:
        with whole_city():
            count, problems = files.check()
        return {"ok": not problems, "files": count, "problems": problems, "refused": bool(problems)}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        wrong = len(result["problems"])
        yield f"文件 {result['files']} 个，{f'{wrong} 个有问题' if wrong else '全部无误'}"
        yield from result["problems"]
