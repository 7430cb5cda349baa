"""Killed at every statement: an upload and a posting, by a page and by the worker, happen once or not at all.

By default a sample of the points, so that nobody waits; ``CUTS=all`` tries each of them (some minutes).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import cuts
from tests.office.test_worker import running
from tests.test_database import living_in

ALL = os.environ.get("CUTS") == "all"
WORKS = ("upload", "approve", "check by the worker", "post by the worker")
MAIN = "import django; django.setup(); from tests.faults import cuts; cuts.main()"


@pytest.fixture(scope="module")
def town(
    django_db_setup: None, django_db_blocker: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[cuts.Town]:
    from django.conf import settings

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "FILES_DIR", tmp_path_factory.mktemp("files"))
        with cuts.town() as built:
            yield built


def tried(town: cuts.Town, name: str, most: int, cut: object) -> list[str]:
    work = town.works[name]
    came = cuts.points(town, work)
    assert len(came) > 15
    numbers = range(1, len(came) + 1) if ALL else cuts.sample(came, most)
    left = [cuts.try_at(town, work, number, cut) for number in numbers]
    print(f"{name}: {len(left)} of {len(came)} points, {left.count('nothing')} left nothing, {left.count('all')} all")
    return left


@pytest.mark.parametrize("name", WORKS)
def test_the_server_ends_the_session(town: cuts.Town, name: str) -> None:
    left = tried(town, name, 4, lambda town, work, n: cuts.cut_here(town, work, n, cuts.end_of_connection))
    assert set(left) == {"nothing", "all"}


@pytest.mark.parametrize("name", WORKS)
def test_the_program_is_killed_with_9(town: cuts.Town, name: str) -> None:
    left = tried(town, name, 4, cuts.cut_in_a_process)
    assert set(left) == {"nothing", "all"}


def test_postgres_is_killed_with_9(tmp_path: Path) -> None:
    """In a city of its own: the server comes back by itself, replays its log, and the same holds."""
    with living_in(tmp_path / "home"), running("-c", MAIN, CUTS="40" if ALL else "3") as process:
        assert process.wait(900 if ALL else 120) == 0, process.log()
        print(process.log())
        assert process.log().count("killed at") >= 6
