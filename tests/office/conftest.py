"""A small city of its own, with its own server and keys: for what no test may do to the others' city."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from fundcenter import database

# What these commands print, and their exit code; ``_check=False`` for those that must fail.
Run = Callable[..., Any]


def world(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "FUNDCENTER_HOME": str(home), "FUNDCENTER_TODAY": "2026-03-16", **more}


def run(home: Path, *words: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *map(str, words)]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=world(home, **more), capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def told(home: Path, *words: str, **more: Any) -> Any:
    return json.loads(run(home, *words, "--json", **more).stdout)


def python(home: Path, code: str) -> str:
    """A piece of the program's own, in that city."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=world(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tear_down(home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDCENTER_HOME", str(home))
        if not (home / "city").exists():
            return
        cluster = database._cluster()
        database.stop()
        for folder in (cluster.base, cluster.socket, home):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def homes() -> Iterator[Callable[[Path], Path]]:
    """Homes that tests make; their servers are gone afterwards."""
    made: list[Path] = []
    yield lambda home: made.append(home) or home
    for home in made:
        tear_down(home)


@pytest.fixture(scope="module")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("city") / "home"
    try:
        run(home, "demo", "--members", "130", "--employers", "13", "--months", "1")
        yield home
    finally:
        tear_down(home)
