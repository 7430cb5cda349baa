"""The tables as this release has them: who may change them, the walls that are put up anew each time, the clock of a city."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from fundcenter import clock


@contextmanager
def as_owner() -> Iterator[None]:
    """The default connection signs in as the owner; the program's own credential may not change a table."""
    server, before = settings.SERVER, connection.settings_dict
    connection.close()
    connection.settings_dict = {**before, "USER": server.owner_user, "PASSWORD": server.owner_password}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


@transaction.atomic
def raise_walls() -> None:
    """Functions, guards, policies and rights stand in ``sql/`` as they are now, and are put up anew each time."""
    with connection.cursor() as cursor:
        # The door's functions are the door's: only in its role can they make way for new ones.
        cursor.execute("""
            do $$ declare f regprocedure; begin
              for f in select oid from pg_proc where proowner = 'fc_door'::regrole loop
                set local role fc_door;
                execute format('drop function %s', f);
                reset role;
              end loop;
            end $$""")
        for room in apps.get_app_configs():
            for file in sorted(Path(room.path, "sql").glob("*.sql")):
                if Path(room.path).is_relative_to(settings.BASE_DIR):
                    cursor.execute(file.read_text())
        for model in apps.get_models():
            _wall_of(cursor, model)
        set_clock(cursor)


def _wall_of(cursor: CursorWrapper, model: type[Model]) -> None:
    """What a model itself says: the rights on a document's tables, and whose history a table of history is."""
    table = model._meta.db_table
    if rights := getattr(model, "rights", ""):
        cursor.execute(f"grant {rights} on {table} to fc_app")
        cursor.execute("call office_wall(%s)", [table])
    if remembered := getattr(model, "pgh_tracked_model", None):
        cursor.execute("call office_history(%s, %s)", [remembered._meta.db_table, table])


def set_clock(cursor: CursorWrapper) -> None:
    """The day at which a played city stands is written where the door reads it."""
    cursor.execute("delete from office_clock")
    if clock.moved():
        cursor.execute("insert into office_clock (day) values (%s)", [clock.today()])


def make_ready() -> None:
    """What every verb needs: the tables as this release has them, and the day at which the city stands."""
    if _pending():
        if not settings.SERVER.embedded:
            raise CommandError("数据库结构不是本版本的，请先运行 manage.py migrate。")
        call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select (select day from office_clock)")
        (stands,) = cursor.fetchone()
    if stands != (clock.today() if clock.moved() else None):
        with as_owner(), connection.cursor() as cursor:
            set_clock(cursor)


def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
