"""No endpoint shows another branch anything, nor even that there is something. The list is made from the addresses."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from fundcenter.office.api.views import ApiView, Nothing
from tests.api.conftest import Case, Program, case_of
from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)

# What stands in an address, by the word before it: of our own branch, and as nobody has it.
OWN = {
    "employers": lambda case: case.employer.number,
    "members": lambda case: case.members[0].number,
    "uploads": lambda case: case.refused.number,
    "vouchers": lambda case: case.voucher,
}
NOBODYS = {
    "employers": "100000009999", "members": "360000009999", "uploads": "HJ202603-999999", "vouchers": 999_999_999,
}  # fmt: skip
QUERY = {"template": "?month=2026-03"}


def endpoints() -> Iterator[tuple[str, str, type[ApiView]]]:
    """(method, route, view) of everything under /api/v1/."""

    def walk(patterns: list, prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield route, pattern

    for route, pattern in walk(get_resolver().url_patterns, ""):
        if route.startswith("api/v1/"):
            view = pattern.callback.cls
            for method in ("get", "post", "put", "patch", "delete"):
                if view is not Nothing and method in view.http_method_names and hasattr(view, method):
                    yield method, route, view


EVERY = list(endpoints())
NAMES = [f"{method} {route}" for method, route, _ in EVERY]


def addressed(route: str, values: dict) -> str:
    """The route with its parameters filled in; a new kind of parameter needs a line above."""
    parts = route.split("/")
    filled = [str(values[parts[n - 1]]) if part.startswith("<") else part for n, part in enumerate(parts)]
    return "/" + "/".join(filled) + QUERY.get(parts[-1], "")


def test_地址一个不漏() -> None:
    assert len(EVERY) >= 14
    assert {view.authentication_classes for _, _, view in EVERY} == {ApiView.authentication_classes}
    assert {view.permission_classes for _, _, view in EVERY} == {ApiView.permission_classes}
    assert all(issubclass(view, ApiView) for _, _, view in EVERY)


@pytest.fixture
def theirs(city: City) -> Case:
    return case_of(city, "01")


def asked(caller: Program, method: str, address: str) -> tuple[int, dict]:
    data = {"codes": ["member_missing"]} if address.endswith("/confirm") else {}
    answer = caller.get(address) if method == "get" else caller.post(address, data)
    kind = answer.headers["Content-Type"]
    return answer.status_code, answer.json() if kind == "application/json" else {}


def test_本机构的_每个接口都看得见(case: Case, theirs: Case, own: Program) -> None:
    values = {word: value(case) for word, value in OWN.items()}
    for method, route, _ in EVERY:
        if "<" in route:
            assert asked(own, method, addressed(route, values))[0] != 404, route


def test_别的机构的_每个接口都与没有一样(case: Case, theirs: Case, own: Program) -> None:
    values = {word: value(theirs) for word, value in OWN.items()}
    for method, route, _ in EVERY:
        if "<" in route:
            foreign, nobodys = addressed(route, values), addressed(route, NOBODYS)
            there, nowhere = asked(own, method, foreign), asked(own, method, nobodys)
            assert there[0] == 404, route
            shown = json.dumps(there[1]).replace(part_of(foreign), part_of(nobodys))
            assert (there[0], json.loads(shown)) == nowhere, route


def part_of(address: str) -> str:
    """The number in an address."""
    return address.split("/")[4].partition("?")[0]


def test_列表里没有别的机构的(case: Case, theirs: Case, own: Program) -> None:
    lists = [route for method, route, _ in EVERY if "<" not in route and method == "get"]
    assert len(lists) == 2
    for route in lists:
        for query in ("", "?limit=200", f"?name={theirs.employer.name}", f"?number={theirs.employer.number}"):
            _, shown = asked(own, "get", f"/{route}{query}")
            assert theirs.employer.number not in json.dumps(shown)
    for query, status in ((f"?employer={theirs.employer.number}", 404), (f"?after={theirs.members[0].number}", 400)):
        assert asked(own, "get", f"/api/v1/members{query}")[0] == status


def test_在问题里也不提别的机构的名称(case: Case, theirs: Case, own: Program) -> None:
    answer = own.upload(case.city.register(theirs.employer, "2026-05"))
    said = answer.json()
    assert {problem["code"] for problem in said["problems"]} >= {"employer_not_yours"}
    assert "丙单位" not in answer.content.decode()


def test_没有令牌_每个接口都是_401(case: Case) -> None:
    values = {word: value(case) for word, value in OWN.items()}
    for method, route, _ in EVERY:
        answer = getattr(Client(), method)(addressed(route, values))
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), route


def test_答复的每一处金额都是两位小数的字符串(case: Case, own: Program) -> None:
    def numbers(value: object) -> Iterator[object]:
        if isinstance(value, dict):
            for inner in value.values():
                yield from numbers(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from numbers(inner)
        else:
            yield value

    values = {word: value(case) for word, value in OWN.items()}
    for method, route, _ in EVERY:
        _, shown = asked(own, method, addressed(route, values) if "<" in route else f"/{route}")
        assert not [value for value in numbers(shown) if isinstance(value, float)], route
