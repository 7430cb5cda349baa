"""docs/manual.zh-CN.md explains every reason to say no that stands in the code, and none that is gone."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from accounts.contributions import refusals as contributions
from accounts.parties import refusals as parties
from fundcenter.office.admin.site import SECTIONS, site
from fundcenter.office.refusals import Refusal
from fundcenter.office.registry import registry

DOCS = Path(settings.BASE_DIR, "docs")
# The code of a refusal is the first thing it is made of, whoever makes it.
MADE = re.compile(r"(?:Refusal|FileRefused|doubled)\(\s*\"([a-z_]+)\"")
LINE = re.compile(r"^\| `([a-z_]+)` \| (拒绝|可确认|提示) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
MANUAL = dict(LINE.findall((DOCS / "manual.zh-CN.md").read_text()))


def codes_made() -> set[str]:
    rooms = (Path(settings.BASE_DIR, name) for name in ("fundcenter", "accounts"))
    return {code for room in rooms for file in room.rglob("*.py") for code in MADE.findall(file.read_text())}


def test_每个拒绝理由都有改法() -> None:
    """What only a program meets, its own page names."""
    of_programs = set(re.findall(r"`([a-z_]+)`", (DOCS / "api.md").read_text()))
    assert sorted(codes_made() - set(MANUAL) - of_programs - {"not_found"}) == []


def test_手册不说已经没有的理由() -> None:
    assert sorted(set(MANUAL) - codes_made()) == []


def test_提示和可确认的_手册照实说() -> None:
    kinds: dict[str, str] = {}
    for refusal in (*vars(contributions).values(), *vars(parties).values()):
        if isinstance(refusal, Refusal):
            kinds[refusal.code] = "提示" if refusal.warning else "可确认" if refusal.confirmable else "拒绝"
    assert {code: MANUAL[code] for code in kinds} == kinds


# **归集 → 汇缴批次 → 上传清册**: section, line of the menu, button of its list.
WAYS = [
    tuple(step.strip() for step in way.split("→"))
    for page in (DOCS / "manual.zh-CN.md", DOCS.parent / "README.zh-CN.md")
    for way in re.findall(rf"(?:{'|'.join(SECTIONS)}) → [^*。“”：|\n]+", page.read_text())
]


@pytest.mark.parametrize("way", WAYS, ids=" → ".join)
def test_手册所说的菜单和按钮都在(way: tuple[str, ...]) -> None:
    section, names, *buttons = way
    lines = {entry.name for entry in registry.menu if entry.section == section}
    assert {name.strip() for name in names.split("/")} <= lines
    labels = {getattr(page, label, "") for page in site._registry.values() for label in ("upload_label", "form_label")}
    assert set(buttons) <= labels
