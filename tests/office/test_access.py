"""Nobody comes past the doors: not unsigned, not with a password alone, not by another site, not by an address typed in."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from fundcenter.office.models import Role, User
from tests.city import City, come_in

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "passw0rd-for-tests"
OPEN = {"/login/", "/jsi18n/", "/verify/"}
ARGUMENTS = {"int": "1", "str": "x", "slug": "approve", "path": "1"}


def addresses(patterns=None, prefix: str = "/") -> Iterator[str]:
    """Every address that the site knows, with something in the place of its parameters."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = str(pattern.pattern)
        if route.startswith("^") or route == "":
            route = ""
        for kind, filled in ARGUMENTS.items():
            while f"<{kind}:" in route:
                before, _, rest = route.partition(f"<{kind}:")
                route = f"{before}{filled}{rest.partition('>')[2]}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, prefix + route)
        elif isinstance(pattern, URLPattern) and "<" not in route and "(?P" not in route:
            yield prefix + route


def test_all_addresses_are_known_to_these_tests() -> None:
    found = set(addresses())
    assert {"/", "/login/", "/parties/member/", "/parties/member/1/unmask/", "/office/user/1/unlock/"} <= found
    assert len(found) > 60


def test_no_page_is_open_to_nobody(city: City, client: Client) -> None:
    opened = {}
    for address in set(addresses()) - OPEN:
        for method in (client.get, client.post):
            answer = method(address)
            shut = answer.status_code in (400, 401, 403, 404, 405)
            away = answer.status_code in (301, 302) and answer["Location"].startswith(("/login/", address))
            if not shut and not away:
                opened[address] = answer.status_code
    assert opened == {"/logout/": 302} or opened == {}


def test_no_page_is_open_before_the_second_factor(city: City, client: Client) -> None:
    client.post("/login/", {"username": city.reviewer().username, "password": PASSWORD})
    opened = {}
    for address in set(addresses()) - {"/second-factor/", "/logout/"}:
        for method in (client.get, client.post):
            answer = method(address)
            if answer.status_code not in (302, 403) or not answer.get("Location", "/second-factor/").startswith(
                "/second-factor/"
            ):
                opened[address] = answer.status_code
    assert opened == {}


@pytest.mark.parametrize("address", ["/", "/login/", "/parties/member/", "/nowhere/"])
def test_every_page_says_what_the_browser_must_not_do(city: City, client: Client, address: str) -> None:
    come_in(client, city.clerk())
    answer = client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_of_the_business_are_kept_by_no_browser(city: City, client: Client) -> None:
    come_in(client, city.clerk())
    for address in ("/", "/parties/member/", "/contributions/batch/"):
        assert "no-store" in client.get(address)["Cache-Control"], address


def test_no_form_of_another_site_is_taken(city: City) -> None:
    client = Client(enforce_csrf_checks=True)
    come_in(client, city.clerk())
    for address in ("/logout/", "/contributions/batch/upload/", "/password_change/", "/login/"):
        assert client.post(address, {"a": "b"}).status_code == 403, address


def test_the_demos_switcher_is_not_there(city: City, client: Client) -> None:
    come_in(client, city.people[""][Role.ADMIN])
    assert not settings.DEMO
    assert client.post("/switch/", {"username": city.manager.username}).status_code == 404


def test_who_may_open_which_list(city: City) -> None:
    lists = [name for name in sorted(set(addresses())) if name.count("/") == 3 and not name.startswith("/api")]
    people = city.people[""] | city.people["10"]
    seen = {
        str(role): {address for address in lists if come_in(Client(), person).get(address).status_code == 200}
        for role, person in people.items()
    }
    business = seen["clerk"]
    assert {"/parties/member/", "/parties/employer/", "/contributions/batch/", "/ledger/voucher/"} <= business
    # The system's administrators set up people and parameters and see none of the business.
    assert "/office/user/" in seen["admin"]
    assert not {
        address
        for address in seen["admin"]
        if address.startswith(("/parties", "/contributions", "/ledger", "/banking"))
    }
    assert {role for role, open_ in seen.items() if "/office/auditevent/" in open_} == {"auditor", "manager"}
    assert {role for role, open_ in seen.items() if "/office/user/" in open_} == {"admin", "auditor", "manager"}


def test_only_an_administrator_makes_persons_and_the_looker_sees_no_password_field(city: City, client: Client) -> None:
    form = {
        "username": "xinren", "name": "新人", "branch": city.branches["10"].pk, "roles": ["clerk"], "is_active": "on",
        "password1": "a-long-passw0rd", "password2": "a-long-passw0rd",
    }  # fmt: skip
    for person in (city.manager, city.clerk(), city.reviewer()):
        assert come_in(Client(), person).post("/office/user/add/", form).status_code == 403
    come_in(client, city.people[""][Role.ADMIN])
    assert client.post("/office/user/add/", form).status_code == 302
    new = User.objects.get(username="xinren")
    assert new.check_password("a-long-passw0rd")
    page = come_in(Client(), city.manager).get(reverse("admin:office_user_change", args=[new.pk])).content.decode()
    assert "经办" in page
    assert "口令（再输一次）" not in page
    assert "assword" not in page.partition("<main")[2]
