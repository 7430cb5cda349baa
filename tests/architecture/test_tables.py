"""docs/tables.md draws every model of ours and every foreign key between them. After a change: UPDATE_TABLES=1."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import ForeignKey, Model, OneToOneField

from tests.architecture.test_glossary import our_models

PAGE = Path(settings.BASE_DIR, "docs", "tables.md")
OPENING = """# Tables

One picture a room, lowest first, drawn from the models by `tests/architecture/test_tables.py` (`UPDATE_TABLES=1` draws anew).
`||--o{` reads: one has many. Left out, because nearly all have them: the branch that a row belongs to (`Branch`), and the
persons who made, checked, uploaded or asked for it (`User`). `OpenDocument`, `Opinion`, `RowProblem`, `Job` and `AuditEvent` name their
document by its label (`contributions.batch:17`), as they belong to every kind; a history's row is of the row that it tells of.
"""
EVERYWHERE = {"Branch", "User"}


def drawn() -> str:
    rooms: dict[str, list[type[Model]]] = {}
    for model in our_models():
        rooms.setdefault(model._meta.app_label, []).append(model)
    return OPENING + "".join(
        f"\n## {room}\n\n```mermaid\nerDiagram\n{_room(models)}```\n" for room, models in rooms.items()
    )


def _room(models: list[type[Model]]) -> str:
    names = sorted(models, key=lambda model: model.__name__)
    boxes = [f'  {model.__name__}["{model.__name__} {model._meta.verbose_name}"]' for model in names]
    return "\n".join([*boxes, *(line for model in names for line in _ties(model))]) + "\n"


def _ties(model: type[Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if not isinstance(field, ForeignKey):
            continue
        other = field.related_model.__name__
        if other in EVERYWHERE and model.__name__ not in EVERYWHERE and field.name != "pgh_obj":
            continue
        many = "||--o|" if isinstance(field, OneToOneField) else "||--o{"
        yield f'  {other} {many} {model.__name__} : "{field.name.removeprefix("pgh_")}"'


def test_the_picture_of_the_tables_is_the_models() -> None:
    if os.environ.get("UPDATE_TABLES"):
        PAGE.write_text(drawn())
    assert PAGE.read_text() == drawn()
    assert [model.__name__ for model in our_models() if f'{model.__name__}["' not in PAGE.read_text()] == []
