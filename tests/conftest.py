"""One kind of database test: it commits, and afterwards the rows are put back. See snap.sql."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from fundcenter import database
from tests.city import City

SNAP = Path(__file__).with_name("snap.sql").read_text()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: object) -> Iterator[None]:
    """A database of this run's own, made by the same ``migrate`` as everyone's; or the copy of one, for drop_each_wall."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    server = settings.SERVER
    if template := os.environ.get("COPIED_DATABASE"):
        with database.connect_superuser(server, autocommit=True) as postgres:
            postgres.execute(f'create database "{name}" template "{template}" strategy file_copy')
    database.prepare(name, server)
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    if not template:
        with django_db_blocker.unblock():
            call_command("migrate", verbosity=0)
            connection.close()
    superuser = database.connect_superuser(server, name, autocommit=True)
    if dropped := os.environ.get("DROPPED_WALL"):
        superuser.execute(dropped)
    superuser.execute(SNAP)
    TransactionTestCase._fixture_teardown = lambda self: superuser.execute("select snap.restore()")
    yield
    connection.close()
    superuser.close()
    with database.connect_superuser(server, autocommit=True) as postgres:
        postgres.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def owner(transactional_db: None) -> Iterator[object]:
    """A connection of the owner, for what the program itself may not do."""
    with database.connect_owner(settings.SERVER, connection.settings_dict["NAME"], autocommit=True) as connected:
        yield connected


@pytest.fixture
def city(transactional_db: None) -> City:
    return City.found()
