"""What a kind of document must have said of itself, and whoever adds one forgets: see docs/add-a-document.md."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

from fundcenter.office.admin.intakes import IntakeAdmin
from fundcenter.office.admin.site import site
from fundcenter.office.models import FileDocument
from fundcenter.office.registry import registry

KINDS: list[type[FileDocument]] = [model for model in apps.get_models() if issubclass(model, FileDocument)]
STYLES = Path(settings.BASE_DIR, "static", "office.css").read_text()
UNCOLOURED = {"withdrawn"}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind._meta.model_name)


def admin_of(kind: type[FileDocument]) -> IntakeAdmin:
    found: Any = site._registry[kind]
    assert isinstance(found, IntakeAdmin)
    return found


def test_no_two_kinds_begin_their_numbers_alike() -> None:
    assert len({kind.prefix for kind in KINDS}) == len(KINDS) > 5


@each_kind
def test_all_that_is_staged_is_kept(kind: type[FileDocument]) -> None:
    """What the model of the rows has no column for would be read, and forgotten without a word."""
    intake = admin_of(kind).process.intake
    columns = {field.column for field in intake.rows._meta.concrete_fields}
    named = {name for name, _ in intake.staged} | {join.column for join in (*intake.joins, *intake.kept_with)}
    assert named | set(intake.values) <= columns
    assert intake.rows._meta.get_field("batch").related_model is kind


@each_kind
def test_a_form_asks_for_every_column(kind: type[FileDocument]) -> None:
    page = admin_of(kind)
    asked = [name for _, names in page.form_groups for name in names]
    assert sorted(asked) == (sorted(column.field for column in page.process.intake.columns) if page.form_groups else [])


@each_kind
def test_it_stands_in_the_menu_and_waits_on_the_desk(kind: type[FileDocument]) -> None:
    address = f"admin:{kind._meta.app_label}_{kind._meta.model_name}_changelist"
    (entry,) = [entry for entry in registry.menu if entry.url_name == address]
    assert entry.queue in registry.queues


@each_kind
def test_what_is_large_is_left_to_jobs(kind: type[FileDocument]) -> None:
    assert {f"{kind._meta.label_lower}:{verb}" for verb in ("check", "post")} <= set(registry.jobs)


@each_kind
def test_every_state_has_its_colour(kind: type[FileDocument]) -> None:
    states = set(kind.machine.labels) - UNCOLOURED
    assert {state for state in states if f'data-state="{state}"' not in STYLES} == set()


@each_kind
def test_it_waits_for_kinds_that_there_are(kind: type[FileDocument]) -> None:
    assert set(kind.waits_for) <= {other._meta.label_lower for other in KINDS}
