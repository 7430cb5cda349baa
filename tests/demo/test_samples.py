"""Every sample spreadsheet does what its name promises, in a city such as ``make run`` founds."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.contributions.services import refunding, remittance, sealing
from accounts.parties.services import changing, opening
from demo import samples
from fundcenter import clock
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services.intake import problems_of
from fundcenter.scope import acting_as

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = {
    str(process.kind._meta.verbose_name): process
    for process in (
        remittance.REGISTERS, sealing.SEALINGS, refunding.REFUNDS,
        changing.CHANGES, opening.EMPLOYERS, opening.MEMBERS,
    )
}  # fmt: skip


def promised(path: Path) -> tuple[str, set[str]]:
    promise, *words = path.stem.split(" ")
    return promise, {word for word in words if re.fullmatch(r"[a-z_]+", word)}


def cells(path: Path) -> Any:
    """All that is in it but when it was written."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist() if name != "docProps/core.xml"}


def outcome(path: Path, clerk: User) -> tuple[str, set[str]]:
    """What comes of it, in the words of a name: what blocks, or where nothing does what is remarked."""
    process = PROCESSES[path.parent.name]
    try:
        document = process.upload(path.read_bytes(), path.name, by=clerk, on=clock.today())
    except Refused as refused:
        return "不收", {problem.code for problem in refused.problems}
    problems = problems_of(document, process.intake)
    if document.state == "refused":
        return "拒绝", {problem.code for problem in problems if problem.severity == "error"}
    assert document.state == "checked"
    return ("提示" if problems else "通过"), {problem.code for problem in problems}


def test_样表的结果就是文件名所说的(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    call_command("demo", members=120, employers=30, months=2, stdout=io.StringIO())
    out = tmp_path / "样表"
    call_command("samples", out=out, stdout=io.StringIO())
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != samples.GUIDE)
    assert {path.parent.name for path in files} == set(PROCESSES)
    assert {path.suffix for path in files} == {".xlsx", ".xls", ".csv"}
    clerk = User.objects.get(branch__code="10", roles__contains=[Role.CLERK])
    with acting_as(clerk):
        found = {str(path.relative_to(out)): outcome(path, clerk) for path in files}
    wanted = {str(path.relative_to(out)): promised(path) for path in files}
    assert {name: found[name] for name in found if found[name] != wanted[name]} == {}

    before = {path: cells(path) for path in files}
    call_command("samples", out=out, stdout=io.StringIO())
    assert [path.name for path in files if cells(path) != before[path]] == []


def test_样表只为演示城市而写(city: Any, settings: Any, tmp_path: Path) -> None:
    """No money is made to arrive in a city where it would be counted."""
    settings.HOME = tmp_path
    with pytest.raises(CommandError, match="只为演示城市"):
        call_command("samples", out=tmp_path / "样表", stdout=io.StringIO())
