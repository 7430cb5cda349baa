"""样表: good and bad spreadsheets for the demo city at hand."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from demo import samples, tour
from demo.city import persons_file
from fundcenter import clock
from fundcenter.office.management.verb import VerbCommand
from fundcenter.office.models import Branch


class Command(VerbCommand):
    help = "为演示城市写出样表：文件名就是上传后的结果（并登记其所需的到账）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="写到哪个文件夹")
        parser.add_argument("--branch", default=tour.BRANCH, help=f"机构代码（默认 {tour.BRANCH}）")

    def verb(self, out: Path, branch: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        found = Branch.objects.filter(code=branch).first()
        if found is None or not persons_file().exists():
            raise CommandError("样表只为演示城市而写：此处没有演示城市，或没有这个机构。")
        try:
            paths = samples.write(out, branch=found, on=clock.today())
        except samples.TooSmall as small:
            raise CommandError(str(small)) from small
        return {"folder": str(out), "files": [str(path.relative_to(out)) for path in paths]}

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield from result["files"]
        yield f"{len(result['files'])} 份样表在 {result['folder']}，用法见其中的 {samples.GUIDE}"
