"""Every address of the site that names a row, tried on the rows of another branch. The list is made from the addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.contributions.services import refunding, sealing
from accounts.ledger.models import Voucher
from accounts.ledger.reports import voucher_paper
from accounts.parties.services import changing
from fundcenter import clock
from fundcenter.office.models import Branch, Document, Role
from fundcenter.office.services import issuing, jobs, tokens
from fundcenter.scope import acting_as
from tests.city import City, come_in, workbook

pytestmark = pytest.mark.django_db(transaction=True)

# What their branch's rows are called: no page of another branch may have one of these words.
THEIRS = ("甲乙丙丁单位", "张三丰", "来自甲乙丙丁的表")
# A person's page is the administrators'; everything else that names a row stands in a branch.
NO_BRANCH = {"office.user"}


def routes(patterns: list | None = None, prefix: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


# app/model/…<int:object_id>…
OF_ROWS = [route for route in routes() if re.match(r"\w+/\w+/<\w+:object_id>", route)]
LISTS = [route for route in routes() if re.fullmatch(r"\w+/\w+/(upload/|form/|blank/|template/)?", route)]


def kind_of(route: str) -> type[models.Model]:
    app, model, *_ = route.split("/")
    return apps.get_model(app, model)


@pytest.fixture
def theirs(city: City) -> dict[str, list[int]]:
    """One of everything in branch 10, by model; its keys as the owner sees them."""
    employer = city.employer(THEIRS[0])
    city.members(employer, 张三丰="5321.00", 李四="3550.00")
    city.receive(employer, "5000.00")
    batch = city.remit(employer, name=f"{THEIRS[2]}.xlsx")
    city.submit(batch)
    city.approve(batch)
    city.remit(employer, city.register(employer, 李四=None), f"{THEIRS[2]}（二）.xlsx")
    number, clerk, on = city.numbers_of(employer)[THEIRS[1]], city.clerk(), clock.today()
    with acting_as(clerk):
        refunding.REFUNDS.upload(
            workbook(
                ("单位账号", "个人账号", "姓名", "错缴年月", "退回单位额", "退回个人额", "原因"),
                [(employer.number, number, THEIRS[1], "2026-03", 1, 1, "错缴")],
            ),
            f"{THEIRS[2]}（三）.xlsx", by=clerk, on=on,
        )  # fmt: skip
        sealing.SEALINGS.type_in(
            [{"employer_number": employer.number, "member_number": number, "name": THEIRS[1], "change": "封存",
              "month": "2026-04", "reason": "离职"}],
            by=clerk, on=on,
        )  # fmt: skip
        changing.CHANGES.type_in([{"employer_number": employer.number, "name": f"新{THEIRS[0]}"}], by=clerk, on=on)
        voucher = Voucher.objects.filter(kind="remittance").get()
        issuing.issue(voucher_paper(voucher), voucher, by=clerk)
        jobs.defer(voucher, "print", by=clerk, on=on, subject=THEIRS[0], site="")
    with acting_as(city.people[""][Role.ADMIN]):
        tokens.make(city.clerk(), name="甲乙丙丁单位的接口", verbs=["read"], by=city.people[""][Role.ADMIN], on=on)
    return {}


@pytest.fixture
def keys(theirs: dict, owner) -> dict[type[models.Model], list[int]]:
    """Of every model that an address names, the keys of the rows that are not branch 01's."""
    found = {}
    for kind in {kind_of(route) for route in OF_ROWS} - {apps.get_model(label) for label in NO_BRANCH}:
        key = kind._meta.pk.column
        branch = "id" if kind is Branch else "branch_id"
        rows = owner.execute(
            f"select r.{key} from {kind._meta.db_table} r join office_branch b on b.id = r.{branch} where b.code = '10' "
            f"order by 1 desc limit 3"
        )
        found[kind] = [row[0] for row in rows]
    return found


def addresses(route: str, key: int) -> Iterator[str]:
    """The route with this key; where it takes a verb, with every verb that the kind has."""
    filled = re.sub(r"<\w+:(?:object_id|register_id)>", str(key), route)
    filled = filled.replace("<slug:paper>", "report").replace("<str:month>", "2026-03")
    kind = kind_of(route)
    if "<slug:verb>" in filled:
        assert issubclass(kind, Document)
        yield from (filled.replace("<slug:verb>", verb) for verb in kind.machine.moves)
    else:
        yield filled


def test_every_model_that_an_address_names_has_a_row_to_try(keys: dict) -> None:
    assert [kind._meta.label for kind, found in keys.items() if not found] == []
    assert len(OF_ROWS) > 60


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.CASHIER])
def test_an_address_typed_by_hand_shows_nothing_and_does_nothing(city: City, keys: dict, owner, role: Role) -> None:
    stranger = come_in(Client(), city.people["01"][role])
    before = owner.execute("select count(*), max(id) from office_opinion").fetchone()
    shown = []
    for route in OF_ROWS:
        for key in keys.get(kind_of(route), ()):
            for address in addresses(route, key):
                for ask in (stranger.get, stranger.post):
                    answer = ask(f"/{address}", follow=False)
                    text = answer.getvalue().decode(errors="replace") if answer.status_code == 200 else ""
                    if answer.status_code not in (302, 403, 404, 405) or any(word in text for word in THEIRS):
                        shown.append((address, ask.__name__, answer.status_code))
                    if answer.status_code == 302 and "/login/" not in answer["Location"]:
                        assert (
                            str(key) not in answer["Location"]
                            or answer["Location"].strip("/") == address.strip("/") + "/change"
                        )
    assert shown == []
    assert owner.execute("select count(*), max(id) from office_opinion").fetchone() == before


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.CASHIER])
def test_no_list_search_or_filter_shows_them(city: City, theirs: dict, owner, role: Role) -> None:
    stranger = come_in(Client(), city.people["01"][role])
    (employer,) = owner.execute("select holder_id from parties_employer where name = %s", [THEIRS[0]]).fetchone()
    asked = ["/", *(f"/{route}" for route in LISTS)]
    asked += [
        f"/{route}?{query}"
        for route in LISTS
        for query in ("q=甲乙丙丁", "q=张三丰", f"employer__holder__exact={employer}", f"employer={employer}")
    ]
    shown = []
    for address in asked:
        answer = stranger.get(address)
        text = answer.getvalue().decode(errors="replace") if answer.status_code == 200 else ""
        text = re.sub(r'(?:value|href)="[^"]*"', "", text)  # what was asked for is said back
        shown += [(address, word) for word in THEIRS if word in text]
    assert shown == []


def test_their_own_clerk_sees_them(city: City, theirs: dict) -> None:
    """So that the tests above do not look for what is never shown."""
    own = come_in(Client(), city.clerk())
    pages = [
        own.get(address).content.decode()
        for address in ("/parties/employer/", "/parties/member/", "/contributions/batch/")
    ]
    assert [word in page for word, page in zip(THEIRS, pages, strict=True)] == [True, True, True]
