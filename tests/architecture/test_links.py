"""Whoever follows a link in our pages arrives: files, pictures, headings, addresses of files between backticks."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(page for folder in ("docs", "bench", "demo", "tests") for page in sorted((ROOT / folder).rglob("*.md"))),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:docs|tests|bench|demo|fundcenter|accounts|templates|static|requirements)/[\w./-]*\w)/?`")


def anchors(page: Path) -> set[str]:
    """As the usual sites make them of headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_local_link_arrives(page: Path) -> None:
    text = FENCED.sub("", page.read_text())
    lost = []
    for target in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            lost.append(target)
    lost += [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    assert lost == []


def test_every_picture_is_shown_somewhere() -> None:
    shown = {name for page in PAGES for name in re.findall(r"shots/([\w-]+\.png)", page.read_text())}
    assert {file.name for file in (ROOT / "docs" / "shots").glob("*.png")} - shown == set()
