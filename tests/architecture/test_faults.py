"""docs/faults.md names tests that are there, each in the file that it says."""

import re
from pathlib import Path

from django.conf import settings

TESTS = Path(settings.BASE_DIR, "tests")
ROWS = [line for line in Path(settings.BASE_DIR, "docs", "faults.md").read_text().splitlines() if line.startswith("| ")]
NAMED = re.compile(r"`((?:\w+/)*test_\w+\.py)::(test_\w+)`")


def test_every_test_that_is_named_is_there() -> None:
    said = {found for row in ROWS for found in NAMED.findall(row)}
    assert len(said) > 40
    assert [(file, name) for file, name in sorted(said) if f"def {name}(" not in _text(file)] == []


def _text(file: str) -> str:
    return (TESTS / file).read_text() if (TESTS / file).is_file() else ""


def test_every_fault_is_held_by_a_test() -> None:
    faults = [row for row in ROWS if not row.startswith("| fault |")]
    assert len(faults) > 35
    assert [row for row in faults if not NAMED.search(row.rpartition(" | ")[2])] == []
