"""No float anywhere near money: neither a literal nor a call, outside the few files that meet a spreadsheet's cells."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

# Cells of a spreadsheet are floats until they become Decimals; a font's metrics and a chart's geometry are no money.
MEETS_FLOATS = {
    "fundcenter/spreadsheets",
    "fundcenter/papers.py",
    "fundcenter/months.py",
    "fundcenter/database.py",
    "fundcenter/office/services/intake",
    "demo/people.py",
    "demo/organisations.py",
}
ROOT = Path(settings.BASE_DIR)
FILES = [
    path
    for room in ("fundcenter", "accounts", "demo")
    for path in sorted(ROOT.joinpath(room).rglob("*.py"))
    if not any(str(path.relative_to(ROOT)).startswith(allowed) for allowed in MEETS_FLOATS)
]


def floats(source: str) -> list[int]:
    """Lines on which a float stands, is made or is named as a type; asking isinstance, to refuse one, is no use of it."""
    tree = ast.parse(source)
    asked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for inner in ast.walk(node)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float" and id(node) not in asked)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float(path: Path) -> None:
    assert floats(path.read_text()) == []


def test_the_search_finds_a_float() -> None:
    assert floats("a = 0.1\nb = float('1')") == [1, 2]


def test_money_is_numeric_in_every_table() -> None:
    from django.apps import apps

    wrong = [
        f"{m.__name__}.{f.name}"
        for m in apps.get_models()
        for f in m._meta.fields
        if f.get_internal_type() == "FloatField"
    ]
    assert wrong == []
