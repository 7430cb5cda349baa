"""Uploaded files: kept encrypted on disk under the hash of their content."""

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from fundcenter import vault
from fundcenter.office.models import StoredFile, User
from fundcenter.office.refusals import DISK_FULL, Refused


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _path(sha256: str) -> Path:
    return Path(settings.FILES_DIR, sha256[:2], sha256)


def store(content: bytes, name: str, *, branch_id: int, by: User) -> StoredFile:
    """Keep a file. It is whole on the disk before its row is written; the same content is kept once.

    Refused: the disk has no room for it.
    """
    sha256 = fingerprint(content)
    path = _path(sha256)
    if not path.exists():
        try:
            _write(path, vault.seal_file(content))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Refused([DISK_FULL.problem()]) from error
    return StoredFile.objects.create(
        branch_id=branch_id, sha256=sha256, name=Path(name).name[-200:], size=len(content), uploaded_by=by
    )


def _write(path: Path, sealed: bytes) -> None:
    """Whole under its name, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(stored: StoredFile) -> bytes:
    """The content, checked against its fingerprint. Unreadable when the key is another or the file was altered."""
    content = vault.open_file(_path(stored.sha256).read_bytes())
    if fingerprint(content) != stored.sha256:
        raise vault.Unreadable(f"文件 {stored.name} 与登记的指纹不符")
    return content


def check() -> tuple[int, list[str]]:
    """How many files the rows in scope name, and what is wrong with which: missing, not ours to open, altered."""
    problems, seen = [], set()
    for stored in StoredFile.objects.order_by("id").iterator():
        if stored.sha256 in seen:
            continue
        seen.add(stored.sha256)
        try:
            load(stored)
        except FileNotFoundError:
            problems.append(
                f"文件 {stored.name}（{stored.sha256[:12]}，{stored.uploaded_at:%Y-%m-%d %H:%M}）不在磁盘上"
            )
        except vault.Unreadable as broken:
            problems.append(f"文件 {stored.name}（{stored.sha256[:12]}）：{broken}")
    return len(seen), problems
