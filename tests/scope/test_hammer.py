"""Thirteen people of thirteen branches over a few connections, with errors and killed backends in between: nobody ever sees
a row of another branch, and nobody finds their own rows gone."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter

import pytest
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection
from django.test import Client

from accounts.parties.models import Employer
from fundcenter import database
from fundcenter.office.models import Branch, Role, User
from fundcenter.scope import NoScope, acting_as, current
from tests.city import City

BRANCHES, THREADS, REQUESTS = 13, 6, 60
NUMERALS = "甲乙丙丁戊己庚辛壬癸子丑寅"
MARK = re.compile(r"甲(\d\d)号单位")


@pytest.fixture
def thirteen(city: City) -> dict[str, tuple[User, Employer]]:
    """A clerk and an employer in each of thirteen branches; the employer's name tells the branch."""
    people: dict[str, tuple[User, Employer]] = {}
    for n in range(1, BRANCHES + 1):
        code = f"{n:02d}"
        if code not in city.branches:
            city.branches[code] = Branch.objects.create(code=code, name=f"第{code}分中心", division_code="361100")
            city.people[code] = {
                role: User.objects.create_user(f"{role}{code}", None, name=f"{code}{role}", roles=[role],
                                               branch=city.branches[code])
                for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER)
            }  # fmt: skip
        employer = city.employer(f"甲{code}号单位", code)
        city.members(employer, **{f"王{NUMERALS[n - 1]}": "5000.00"})
        people[code] = (city.clerk(code), employer)
    return people


def test_nobody_sees_another_branch(thirteen: dict[str, tuple[User, Employer]]) -> None:
    foreign: list[str] = []
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def signed_in(user: User) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    def work(seed: int, clients: dict[str, Client]) -> None:
        chance = random.Random(seed)
        for _ in range(REQUESTS):
            code = chance.choice(list(thirteen))
            other = chance.choice(list(thirteen))
            kind = chance.choice(("list", "own", "other", "error", "anonymous"))
            if kind == "list":
                answer = clients[code].get("/parties/employer/")
            elif kind == "own":
                answer = clients[code].get(f"/parties/employer/{thirteen[code][1].pk}/change/")
            elif kind == "other":
                answer = clients[code].get(f"/parties/employer/{thirteen[other][1].pk}/change/")
            elif kind == "error":
                answer = clients[code].get("/parties/employer/?state__exact=" + "x" * 9000)
            else:
                answer = Client(raise_request_exception=False).get("/parties/employer/")
            names = set(MARK.findall(answer.content.decode()))
            if names - ({code} if kind != "anonymous" else set()):
                foreign.append(f"{kind} {code}: {names}")
            if kind in ("list", "own") and answer.status_code == 200:
                seen["full" if code in names else "empty"] += 1
            seen[str(answer.status_code)] += 1
        connection.close()

    def kill() -> None:
        name = connection.settings_dict["NAME"]
        with database.connect_superuser(settings.SERVER, autocommit=True) as postgres:
            while not stop.wait(0.4):
                postgres.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = 'fc_app' "
                    "order by random() limit 1",
                    [name],
                )

    killer = threading.Thread(target=kill)
    workers = [
        threading.Thread(target=work, args=[seed, {code: signed_in(user) for code, (user, _) in thirteen.items()}])
        for seed in range(THREADS)
    ]
    for thread in (killer, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    killer.join()
    connection.close()
    assert foreign == []
    assert seen["empty"] == 0
    assert seen["full"] > THREADS * REQUESTS / 8


def test_a_scope_ends_with_its_block_and_never_begins_inside_a_transaction(city: City) -> None:
    employer = city.employer("甲单位")
    with acting_as(city.clerk()):
        assert Employer.objects.filter(pk=employer.pk).exists()
        with acting_as(city.clerk("01")):
            assert not Employer.objects.filter(pk=employer.pk).exists()
        assert Employer.objects.filter(pk=employer.pk).exists()
        connection.close()  # a new connection inside a scope has it too
        assert Employer.objects.filter(pk=employer.pk).exists()
    assert not Employer.objects.filter(pk=employer.pk).exists()
    with pytest.raises(NoScope):
        current()
    from django.db import transaction

    with transaction.atomic(), pytest.raises(RuntimeError, match="outside a transaction"):
        acting_as(city.clerk()).__enter__()


def test_a_thread_of_its_own_has_no_scope(city: City) -> None:
    employer = city.employer("甲单位")
    found: list[bool] = []

    def look() -> None:
        found.append(Employer.objects.filter(pk=employer.pk).exists())
        connection.close()

    with acting_as(city.clerk()):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert found == [False]


def test_a_killed_connection_comes_back_with_its_scope(city: City, owner) -> None:
    employer = city.employer("甲单位")
    with acting_as(city.clerk()):
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with database.connect_superuser(settings.SERVER, autocommit=True) as postgres:
            postgres.execute("select pg_terminate_backend(%s)", [pid])
        with pytest.raises(OperationalError):
            Employer.objects.get(pk=employer.pk)
        connection.close()
        assert Employer.objects.get(pk=employer.pk) == employer
    with acting_as(city.clerk("01")), pytest.raises(ObjectDoesNotExist):
        Employer.objects.get(pk=employer.pk)
