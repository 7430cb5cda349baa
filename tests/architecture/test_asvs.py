"""docs/asvs.md names tests that are there."""

import re
from pathlib import Path

from django.conf import settings

TESTS = Path(settings.BASE_DIR, "tests")
PAGE = Path(settings.BASE_DIR, "docs", "asvs.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    names = set(re.findall(r"def (test_\w+)", "\n".join(path.read_text() for path in TESTS.rglob("*.py"))))
    said = set(re.findall(r"\b(test_\w+)(?![\w.])", re.sub(r"test_\w+\.py", "", PAGE)))
    assert len(said) > 30
    assert said - names == set()


def test_every_file_that_is_named_is_there() -> None:
    said = set(re.findall(r"`((?:\w+/)*test_\w+\.py)", PAGE))
    assert {path for path in said if not (TESTS / path).is_file()} == set()


def test_what_is_held_names_what_holds_it() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ") and "| held |" in line]
    assert len(rows) > 40
    assert [row[1] for row in rows if not row[4].strip()] == []
