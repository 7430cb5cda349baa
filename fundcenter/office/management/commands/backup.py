"""Back the embedded cluster up: the cluster, the files, and from then on every minute's log."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fundcenter import backup
from fundcenter.database import DatabaseProblem
from fundcenter.office.management.verb import VerbCommand, whole_city
from fundcenter.office.models import Branch
from fundcenter.office.services import audit


class Command(VerbCommand):
    help = "备份内嵌数据库和上传的文件；此后日志连续归档，可恢复到任一时刻"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to", type=Path, required=True, help="备份目录，最好在另一块磁盘上")
        parser.add_argument("--keys-to", type=Path, help="密钥另存的目录，不得与备份放在一起")
        parser.add_argument("--keep", type=int, default=backup.KEPT, help=f"保留的份数（默认 {backup.KEPT}）")
        parser.add_argument("--only-files", action="store_true", help="只把新上传的文件补入最近一份备份")

    def verb(self, to: Path, keys_to: Path | None, keep: int, only_files: bool, **_: Any) -> dict[str, Any]:  # type: ignore[override]
        try:
            done = backup.take_files(to) if only_files else backup.take(to, keys_to=keys_to, keep=keep)
        except DatabaseProblem as problem:
            raise CommandError(str(problem)) from problem
        if Branch.objects.exists():
            with whole_city():
                audit.record("backup", to=done["backup"])
        return done

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        yield f"备份：{result['backup']}；文件 {result['files']} 个"
        if "wal" not in result:
            return
        yield f"可恢复到 {result['ended']} 以后的任一时刻；日志连续归档在 {result['wal']}（至多一分钟一段）"
        if result["same_disk"]:
            yield "注意：备份与数据在同一块磁盘上，磁盘损坏时一起丢失；FUNDCENTER_WAL 可把日志归档到另一块磁盘。"
        if result["keys"]:
            yield f"密钥另存于 {result['keys']}：请移到保险柜，不要与备份放在一起。"
        else:
            yield "密钥不在备份中，没有它备份无法使用：请用 --keys-to 另存一份到别处（轮换密钥后须再存一次）。"
