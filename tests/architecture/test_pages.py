"""What the Content-Security-Policy would refuse in the browser, refused here: inline script and style, outside addresses."""

import re
from pathlib import Path

import pytest
from django.conf import settings

PAGES = [p for p in sorted(Path(settings.BASE_DIR, "templates").rglob("*.html")) if p.parent.name != "papers"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_inline_and_nothing_from_outside(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", text)


def test_the_policy_allows_nothing_inline() -> None:
    said = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert not [value for values in said.values() for value in values if "unsafe" in value or "*" in value]
    assert said["default-src"] == ["'none'"]
