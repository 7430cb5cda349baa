"""What people do who should not: somebody else's session, another branch's address, a day that was closed meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.test import Client

from accounts.contributions.models import Batch
from accounts.ledger.models import Voucher
from fundcenter.scope import acting_as
from tests.city import City, come_in
from tests.wire import CHARSETS, over_the_wire

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "passw0rd-for-tests"


@pytest.fixture
def submitted(city: City) -> Batch:
    employer = city.employer("甲单位")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    batch = city.remit(employer)
    city.submit(batch)
    return batch


def test_a_stolen_session_ends_with_its_owners(city: City, client: Client) -> None:
    """A copy of the cookie is good as long as the session is, and no longer; an invented one never was."""
    client.post("/login/", {"username": city.clerk().username, "password": PASSWORD})
    thief, guesser = Client(), Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    guesser.cookies["sessionid"] = "a" * 32
    assert thief.get("/").status_code == 200
    client.post("/logout/")
    for stranger in (thief, guesser):
        answer = stranger.get("/", follow=True)
        assert answer.redirect_chain[0][0].startswith("/login/")
        assert "登录" in answer.content.decode()


def test_another_branchs_addresses_typed_by_hand(city: City, submitted: Batch) -> None:
    """Every page and verb of another branch's things: as if they were not there, and nothing happens."""
    with acting_as(city.manager):
        employer, member = submitted.registers.get().employer, submitted.registers.get().employer.members.first()
        voucher, register = Voucher.objects.get(), submitted.registers.get()
    pages = [
        *(f"/contributions/batch/{submitted.pk}/{page}" for page in (
            "change/", "history/", "source/", "annotated/", "confirm/", f"register/{register.pk}/", "submit/do/", "approve/do/",
            "return/do/", "withdraw/do/")),
        *(f"/parties/{kind}/{one.pk}/{page}" for kind, one in (("employer", employer), ("member", member)) for page in (
            "change/", "history/", "ledger/")),
        f"/parties/member/{member.pk}/unmask/", f"/parties/member/{member.pk}/statement/", f"/ledger/voucher/{voucher.pk}/change/",
        f"/ledger/voucher/{voucher.pk}/pdf/",
    ]  # fmt: skip
    for who in (city.clerk("01"), city.reviewer("01"), city.cashier("01")):
        browser = come_in(Client(raise_request_exception=False), who)
        for page in pages:
            for ask in (browser.get, browser.post):
                answer = ask(page, {"opinion": "同意", "confirm": "x"}, follow=True)
                text = answer.content.decode()
                assert answer.status_code < 500, page
                assert "甲单位" not in text and "张䶮" not in text, page
                assert answer.status_code in (403, 404, 405) or answer.redirect_chain, (page, answer.status_code)
    with acting_as(city.manager):
        submitted.refresh_from_db()
        assert (submitted.state, Voucher.objects.count()) == ("submitted", 1)


@pytest.mark.parametrize(
    "closed", ["day_closed = '2026-03-16'", "month_closed = '2026-03-31', day_closed = '2026-03-16'"]
)
def test_what_was_closed_meanwhile_takes_no_posting(city: City, submitted: Batch, owner: Any, closed: str) -> None:
    owner.execute(f"update ledger_period set {closed}")
    reviewer = come_in(Client(raise_request_exception=False), city.reviewer())
    answer = reviewer.post(f"/contributions/batch/{submitted.pk}/approve/do/", {"opinion": ""}, follow=True)
    assert answer.status_code == 200
    assert "已结账至 2026-03-" in answer.content.decode()
    with acting_as(city.manager):
        submitted.refresh_from_db()
        assert (submitted.state, submitted.checker, Voucher.objects.count()) == ("submitted", None, 1)


def test_whatever_a_request_says_of_its_characters(city: City) -> None:
    """An unknown charset, or a codec that is none of text, is no error of ours."""
    bodies = {
        "application/x-www-form-urlencoded": b"username=%E7%BB%8F&password=x", "multipart/form-data": b"", "text/plain": b"x",
    }  # fmt: skip
    asked = (("GET", "/login/"), ("POST", "/login/"), ("POST", "/nowhere/"), ("GET", "/?q=%E7%94%B2"))
    for said, (kind, body), (method, path) in itertools.product(CHARSETS, bodies.items(), asked):
        path, _, query = path.partition("?")
        status, answer = over_the_wire(method, path, body, query=query, content_type=f"{kind}; {said}")
        assert status in (200, 302, 400, 403, 404), (said, status, answer)
