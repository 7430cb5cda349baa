"""What operators' commands have in common: a person in whose name they act, ``--json``, and refusals on exit 1."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fundcenter import money
from fundcenter.office.management.readiness import make_ready
from fundcenter.office.models import User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.scope import acting_as, doing


class VerbCommand(BaseCommand):
    """A thin face on services. ``verb`` does the work and returns what ``--json`` prints; ``told`` says it in words.

    A result that holds ``refused`` ends the command with 1.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="标准输出只有 JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        make_ready()
        with doing(type(self).__module__.rpartition(".")[2]):
            result = self.verb(**options)
        refused = result.pop("refused", False)
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=_plain))
        else:
            for line in self.told(result):
                self.stdout.write(line)
        if refused:
            raise SystemExit(1)

    def verb(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        raise NotImplementedError


def _plain(value: Any) -> str:
    return money.text(value) if isinstance(value, Decimal) else str(value)


def person(username: str) -> User:
    """The person of this name, or a message that says so."""
    found = User.objects.filter(username=username, is_active=True).select_related("branch").first()
    if found is None:
        raise CommandError(f"没有登录名为“{username}”的在岗人员。")
    return found


@contextmanager
def acting(username: str) -> Iterator[User]:
    """Act as this person."""
    user = person(username)
    with acting_as(user):
        yield user


def whole_city() -> Any:
    """Act as the system, over every branch. Without branches there is nothing to work on, and that is an error."""
    system = User.objects.system()
    if not system.branch_ids():
        raise CommandError("尚无任何分支机构：没有可处理的数据。")
    return acting_as(system)


def refusal(refused: Refused) -> dict[str, Any]:
    return {"refused": True, "problems": [problem.as_json() for problem in refused.problems]}


def sentence(problem: Problem | dict[str, Any]) -> str:
    """One problem in one line: where, what, how to mend it."""
    said = problem.as_json() if isinstance(problem, Problem) else problem
    where = f"第 {said['row']} 行" if said["row"] else "全表"
    column = f"“{said['column']}”" if said["column"] else ""
    return f"  {where}{column} [{said['code']}] {said['message']}"
