"""Programs that call the API: each with a token of its own, as others have it, by header alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.contributions.models import Batch
from accounts.parties.models import Employer, Member
from fundcenter import clock
from fundcenter.office.models import ApiToken, Role, User
from fundcenter.office.services import tokens
from fundcenter.scope import acting_as
from tests.city import City

ROOT = "/api/v1/"
FIRST = date(2025, 7, 1)
# 18 digits of an ID number, or the 15 of an old one, or a mobile; account numbers have 12.
PERSONAL = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|[0-9]{15}|1[3-9][0-9]{9})(?![0-9])")


@dataclass
class Program:
    """``get`` and ``post`` with the token; every answer is looked at for what none may have."""

    secret: str
    client: Client

    def get(self, path: str, **query: Any) -> Any:
        return self._looked_at(self.client.get(self._at(path), query, headers=self.headers))

    def post(self, path: str, data: Any = None, **options: Any) -> Any:
        options.setdefault("content_type", "application/json")
        return self._looked_at(self.client.post(self._at(path), data or {}, headers=self.headers, **options))

    def upload(self, content: bytes, name: str = "清册.xlsx", **fields: Any) -> Any:
        from django.core.files.uploadedfile import SimpleUploadedFile

        data = {"file": SimpleUploadedFile(name, content), **fields}
        return self._looked_at(self.client.post(f"{ROOT}uploads/registers", data, headers=self.headers))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}

    def _at(self, path: str) -> str:
        return path if path.startswith("/") else ROOT + path

    def _looked_at(self, response: Any) -> Any:
        assert scope_in_session() == "", "the connection still shows a branch"
        if response.headers.get("Content-Type", "").startswith("application/json"):
            text = response.content.decode()
            assert not PERSONAL.search(text), text
            if response.status_code >= 400:
                assert (
                    {"code", "message", "problems"}
                    <= response.json().keys()
                    <= {"code", "message", "problems", "upload"}
                )
        return response


def scope_in_session() -> str:
    """What row security would let through now, on the connection that the request has used."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(current_setting('app.branches', true), '')")
        return str(cursor.fetchone()[0])


Programs = Callable[..., Program]


@pytest.fixture
def program(city: City) -> Programs:
    """``program(user, "read", "upload")`` hands out a token as 系统管理 does."""

    def make(user: User, *verbs: str, **given: Any) -> Program:
        return Program(token_of(city, user, *verbs, **given)[1], Client(raise_request_exception=False))

    return make


def token_of(city: City, user: User, *verbs: str, **given: Any) -> tuple[ApiToken, str]:
    admin = city.people[""][Role.ADMIN]
    with acting_as(admin):
        return tokens.make(
            user, name="单位人事系统", verbs=verbs or ("read", "upload"), by=admin, on=clock.today(), **given
        )


@dataclass
class Case:
    """A branch with an employer, two members, money, a batch that is posted and one that has problems."""

    city: City
    employer: Employer
    members: list[Member]
    posted: Batch
    refused: Batch

    @property
    def voucher(self) -> int:
        with acting_as(self.city.manager):
            return int(self.posted.registers.get().voucher_id)


def case_of(city: City, branch: str) -> Case:
    employer = city.employer("甲单位" if branch == "10" else "丙单位", branch, first_month=FIRST)
    members = city.members(employer, 张三="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    posted = city.remit(employer, city.register(employer, "2025-07"))
    city.submit(posted)
    city.approve(posted)
    refused = city.remit(employer, city.register(employer, "2025-08", 张三={"单位月缴存额": 1}))
    return Case(city, employer, members, posted, refused)


@pytest.fixture
def case(city: City) -> Case:
    return case_of(city, "10")


@pytest.fixture
def own(case: Case, program: Programs) -> Program:
    """The program of branch 10, which may read and upload."""
    return program(case.city.clerk())


def at(case: Case, path: str) -> str:
    """``path`` with the numbers of the case in it."""
    return path.format(
        member=case.members[0].number, employer=case.employer.number, voucher=case.voucher, refused=case.refused.number,
        posted=case.posted.number,
    )  # fmt: skip
