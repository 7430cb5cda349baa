"""Django's migrate, as the owner, and afterwards the walls: every room's ``sql/`` in the order of its file names."""

from typing import Any

from django.core.management.commands import migrate

from fundcenter.office.management.readiness import as_owner, raise_walls


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
            if not options["plan"] and not options["check_unapplied"]:
                raise_walls()
