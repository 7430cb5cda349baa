"""接口令牌: handed out by 系统管理, kept as a fingerprint, refused when it has ended; throttled; no way in beside it."""

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from fundcenter import clock
from fundcenter.office.models import ApiToken, AuditEvent, Role
from fundcenter.office.refusals import Refused
from fundcenter.office.services import throttling, tokens
from fundcenter.scope import acting_as
from tests.api.conftest import Program, scope_in_session
from tests.city import City, come_in
from tests.test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def allowances(settings) -> Iterator[dict]:
    settings.API_ALLOWANCES = {"requests": (600, 60), "failures": (20, 600)}
    return settings.API_ALLOWANCES


def the_token(city: City) -> ApiToken:
    with acting_as(city.manager):
        return ApiToken.objects.get()


# --- handing out ------------------------------------------------------------------------------------------------------


def test_命令发放_令牌只显示一次_库里只有指纹(city: City) -> None:
    code, made = run(
        "api_token", "clerk10", "--name", "一中人事系统", "--verbs", "read", "upload", "--days", "30", "--as", "admin"
    )
    assert code == 0
    assert {**made, "token": None, "id": None} == {
        "id": None, "name": "一中人事系统", "person": "clerk10", "branch": "10", "verbs": ["read", "upload"],
        "expires_on": "2026-04-15", "revoked": False, "token": None, "problems": [],
    }  # fmt: skip
    kept = the_token(city)
    assert kept.sha256 == hashlib.sha256(made["token"].encode()).hexdigest()
    assert tokens.SECRET.fullmatch(made["token"])
    with acting_as(city.manager):
        assert made["token"] not in repr(ApiToken.objects.values())
        event = AuditEvent.objects.get(verb="make_token")
    assert (event.person, event.branch) == (city.people[""][Role.ADMIN], city.branches["10"])
    assert made["token"] not in repr(event.detail)


def test_命令不带_json_也只在标准输出上显示一次(city: City) -> None:
    out = io.StringIO()
    call_command("api_token", "clerk10", "--name", "一中人事系统", "--as", "admin", stdout=out)
    assert len(tokens.SECRET.findall(out.getvalue())) == 1
    assert "有效至 2026-06-14" in out.getvalue()


def test_命令停用_再停用一次被拒(city: City, program) -> None:
    caller = program(city.clerk())
    pk = str(the_token(city).pk)
    assert caller.get("employers").status_code == 200
    code, revoked = run("api_token", "--revoke", pk, "--as", "admin")
    assert (code, revoked["revoked"]) == (0, True)
    assert (caller.get("employers").status_code, caller.get("employers").json()["code"]) == (401, "token_revoked")
    code, again = run("api_token", "--revoke", pk, "--as", "admin")
    assert (code, again["problems"][0]["code"]) == (1, "token_gone")
    assert run("api_token", "--revoke", "999999", "--as", "admin")[1]["problems"][0]["code"] == "not_yours"


@pytest.mark.parametrize(
    ("who", "given", "code"),
    [
        ("manager", {}, "token_person"),
        ("admin2", {}, "token_person"),
        ("system", {}, "token_person"),
        ("admin", {}, "token_own"),
        ("reviewer10", {"verbs": ["upload"]}, "token_not_clerk"),
        ("clerk10", {"verbs": []}, "token_verbs"),
        ("clerk10", {"verbs": ["approve"]}, "token_verbs"),
        ("clerk10", {"days": 0}, "token_days"),
        ("clerk10", {"days": 367}, "token_days"),
        ("clerk10", {"by": "clerk10"}, "role_missing"),
        ("clerk10", {"by": "manager"}, "role_missing"),
    ],
)
def test_不发放的理由(city: City, who: str, given: dict, code: str) -> None:
    users = type(city.clerk()).objects
    users.create_user("admin2", name="系统管理乙", roles=["admin", "clerk"], branch=city.branches["10"])
    by = users.get(username=given.pop("by", "admin"))
    with acting_as(by), pytest.raises(Refused) as refused:
        tokens.make(users.get(username=who), **{"name": "x", "verbs": ["read"], "by": by, "on": clock.today(), **given})
    assert refused.value.problems[0].code == code
    with acting_as(city.manager):
        assert not ApiToken.objects.exists()


def test_命令缺了登录名或名称(city: City) -> None:
    with pytest.raises(CommandError, match="--name"):
        call_command("api_token", "clerk10", "--as", "admin", stdout=io.StringIO())


def test_程序不能改令牌的权限和期限(city: City, program) -> None:
    from django.db import ProgrammingError

    program(city.clerk())
    for change in (
        {"verbs": ["read"]},
        {"expires_on": "2099-01-01"},
        {"sha256": "0" * 64},
        {"person": city.reviewer()},
    ):
        with acting_as(city.manager), pytest.raises(ProgrammingError, match="permission denied"):
            ApiToken.objects.update(**change)
    with acting_as(city.manager), pytest.raises(ProgrammingError, match="permission denied"):
        ApiToken.objects.all().delete()


def test_没有操作人_看不见任何令牌_只能以全部指纹相问(city: City, program) -> None:
    program(city.clerk("10"))
    assert not ApiToken.objects.exists()
    with acting_as(city.clerk("01")):
        assert not ApiToken.objects.exists()
    with connection.cursor() as cursor:
        for fingerprint in ("", "%", None, "0" * 64):
            cursor.execute("select * from office_token(%s)", [fingerprint])
            assert cursor.fetchall() == []


# --- recognising ------------------------------------------------------------------------------------------------------


def refused_as(caller: Program) -> tuple[int, str]:
    answer = caller.get("employers")
    assert answer.status_code != 401 or answer["WWW-Authenticate"] == "Bearer"
    return answer.status_code, answer.json().get("code", "")


def test_没有令牌_残缺的令牌_别的方式(city: City, program, allowances) -> None:
    allowances["failures"] = (1000, 600)
    good = program(city.clerk()).secret
    for header in ("", "Bearer", "Basic YTpi", good, f"Token {good}", "bearer"):
        answer = Client().get("/api/v1/employers", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401, header
        assert answer.json()["code"] in ("token_missing", "token_invalid")
    for secret in (
        "x",
        good[:-1],
        good + "x",
        good.swapcase(),
        "fct_" + "A" * 43,
        "密",
        "\x00",
        "x" * 100_000,
        f"{good},{good}",
    ):
        answer = Client().get("/api/v1/employers", headers={"Authorization": f"Bearer {secret}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), secret[:60]
    assert Client().get("/api/v1/employers", headers={"Authorization": f"bEARER   {good} "}).status_code == 200


def test_令牌不从地址或表单里读(city: City, program) -> None:
    good = program(city.clerk()).secret
    assert Client().get(f"/api/v1/employers?token={good}&access_token={good}").status_code == 401
    assert Client().post("/api/v1/uploads/HJ202603-000001/submit", {"access_token": good}).status_code == 401


def test_到期的次日起不认(city: City, program, monkeypatch) -> None:
    caller = program(city.clerk(), days=1)
    monkeypatch.setenv("FUNDCENTER_TODAY", "2026-03-17")
    assert refused_as(caller)[0] == 200
    monkeypatch.setenv("FUNDCENTER_TODAY", "2026-03-18")
    assert refused_as(caller) == (401, "token_expired")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"is_active": False}, (401, "token_revoked")),
        ({"branch": "01"}, (401, "token_revoked")),
        ({"branch": None}, (401, "token_revoked")),
        ({"roles": []}, (403, "token_person")),
        ({"roles": ["admin"]}, (403, "token_person")),
    ],
)
def test_人员离岗_调离_不再有岗位_令牌随之失效(city: City, program, change: dict, answer: tuple[int, str]) -> None:
    clerk, caller = city.clerk(), program(city.clerk())
    if "branch" in change:
        change = {"branch": city.branches.get(change["branch"])}
    for field, value in change.items():
        setattr(clerk, field, value)
    clerk.save()
    assert refused_as(caller) == answer


def test_查询的令牌不能上传(city: City, program) -> None:
    caller = program(city.clerk(), "read")
    answer = caller.upload(b"x")
    assert (answer.status_code, answer.json()["code"]) == (403, "token_verb_missing")
    writer = program(city.clerk(), "upload")
    assert writer.get("employers").status_code == 403


def test_岗位变了_服务照样再问(city: City, program) -> None:
    caller, clerk = program(city.clerk()), city.clerk()
    clerk.roles = ["reviewer"]
    clerk.save()
    answer = caller.upload(b"x")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


def test_最近使用_一分钟记一次(city: City, program) -> None:
    caller = program(city.clerk())
    caller.get("employers")
    first = the_token(city).last_used_at
    caller.get("employers")
    assert first is not None
    assert the_token(city).last_used_at == first
    with acting_as(city.manager):
        ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    caller.get("employers")
    assert the_token(city).last_used_at >= first


# --- no other way in --------------------------------------------------------------------------------------------------


def test_浏览器的登录不能用于接口_无跨站之虞(city: City) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(city.clerk())
    for path in ("employers", "members", "uploads/HJ202603-000001"):
        assert browser.get(f"/api/v1/{path}").status_code == 401
    for path in ("uploads/registers", "uploads/HJ202603-000001/submit"):
        assert browser.post(f"/api/v1/{path}", {"x": "y"}).status_code == 401


def test_同时带着登录和令牌_以令牌为准(city: City, program) -> None:
    city.employer("甲单位", "10")
    city.employer("丙单位", "01")
    browser = Client()
    browser.force_login(city.clerk("01"))
    secret = program(city.clerk("10")).secret
    shown = browser.get("/api/v1/employers", headers={"Authorization": f"Bearer {secret}"}).json()["results"]
    assert [line["name"] for line in shown] == ["甲单位"]
    assert scope_in_session() == ""


def test_出错之后连接上不留机构(city: City, program, monkeypatch) -> None:
    """A defect in an endpoint, in writing the answer, or in the database: 500 in JSON that says nothing of it."""
    caller = program(city.clerk())

    def broken(*_: object, **__: object) -> object:
        with connection.cursor() as cursor:
            cursor.execute("select 1/0")
        raise AssertionError

    monkeypatch.setattr("accounts.parties.api.listed", broken)
    answer = caller.get("employers")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "division" not in answer.content.decode()
    assert scope_in_session() == ""

    monkeypatch.setattr("accounts.parties.api.listed", lambda *_: [])
    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", broken)
    assert Client(raise_request_exception=False).get("/api/v1/employers", headers=caller.headers).status_code == 500
    assert scope_in_session() == ""


def test_数据库连接断了_下一次请求照常(city: City, program) -> None:
    city.employer("甲单位")
    caller = program(city.clerk())
    assert len(caller.get("employers").json()["results"]) == 1
    connection.close()
    assert len(caller.get("employers").json()["results"]) == 1


def test_审计里写明是哪个令牌(city: City, program) -> None:
    employer = city.employer("甲单位")
    city.members(employer, 张三="5321.00")
    program(city.clerk()).upload(city.register(employer))
    with acting_as(city.manager):
        event = AuditEvent.objects.get(verb="upload")
    assert (event.person, event.address) == (city.clerk(), "127.0.0.1")
    assert event.detail["token"] == the_token(city).pk


# --- how often --------------------------------------------------------------------------------------------------------


def test_每个令牌有限额_各算各的_过后恢复(city: City, program, allowances, owner) -> None:
    allowances["requests"] = (3, 60)
    first, second = program(city.clerk()), program(city.reviewer(), "read")
    assert [first.get("employers").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = first.get("employers")
    assert answer.json()["code"] == "throttled"
    assert 15 <= int(answer["Retry-After"]) <= 20
    assert second.get("employers").status_code == 200
    owner.execute("update office_request set busy_until = busy_until - interval '20 s'")
    assert [first.get("employers").status_code for _ in range(2)] == [200, 429]


def test_上传算十次(city: City, program, allowances) -> None:
    allowances["requests"] = (15, 60)
    caller = program(city.clerk())
    assert [caller.upload(b"\x00").status_code for _ in range(2)] == [422, 429]
    assert caller.get("employers").status_code == 200


def test_无权的请求也计数(city: City, program, allowances) -> None:
    allowances["requests"] = (2, 60)
    caller = program(city.clerk(), "read")
    assert [caller.post("uploads/HJ202603-000001/submit").status_code for _ in range(3)] == [403, 403, 429]


def test_同一地址失败太多_不再查对_别人的令牌照常(city: City, program, allowances) -> None:
    allowances["failures"] = (3, 600)
    good, bad = program(city.clerk()), Client(REMOTE_ADDR="10.1.2.3")
    headers = {"Authorization": "Bearer fct_" + "A" * 43}
    assert [bad.get("/api/v1/employers", headers=headers).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert Client(REMOTE_ADDR="10.1.2.4").get("/api/v1/employers", headers=headers).status_code == 401
    with acting_as(city.manager):
        events = list(AuditEvent.objects.filter(verb="token_refused").order_by("id").values_list("address", "detail"))
    assert events == [("10.1.2.3", {"code": "token_invalid"})] * 3 + [("10.1.2.4", {"code": "token_invalid"})]
    assert bad.get("/api/v1/employers", headers=good.headers).status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("", None, True),
        ("not an address", "", True),
    ],
)
def test_地址怎样归并(one: str, other: str | None, same: bool) -> None:
    assert (throttling.neighbourhood(one) == throttling.neighbourhood(other)) is same


def test_同时的请求一个也不漏计(city: City) -> None:
    """Across threads and connections, as across gunicorn's workers: with a cache of get and set some would be lost."""
    taken: list[int] = []

    def ask() -> None:
        try:
            taken.extend(throttling.take("token x", (20, 3600)) for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), taken.count(0)) == (60, 20)
    assert all(0 <= wait <= 180 for wait in taken)


def test_过了的计数会清掉(city: City, owner, monkeypatch) -> None:
    owner.execute("insert into office_request values ('old', now() - interval '1 day')")
    monkeypatch.setattr("fundcenter.office.services.throttling.SWEEP_ONE_IN", 1)
    throttling.take("new", (1, 60))
    assert [key for (key,) in owner.execute("select key from office_request")] == ["new"]


# --- on screen --------------------------------------------------------------------------------------------------------


def test_系统管理在页面上看见并停用(city: City, program) -> None:
    caller = program(city.clerk())
    pk = the_token(city).pk
    browser = come_in(Client(), city.people[""][Role.ADMIN])
    shown = browser.get("/office/apitoken/").content.decode()
    assert "单位人事系统" in shown
    page = browser.get(f"/office/apitoken/{pk}/change/").content.decode()
    assert "鄱阳经办" in page
    assert caller.secret not in shown + page
    assert browser.post(f"/office/apitoken/{pk}/revoke/").status_code == 302
    assert caller.get("employers").status_code == 401
    assert "已停用" in browser.get(f"/office/apitoken/{pk}/change/").content.decode()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MANAGER])
def test_稽核和主任只看(city: City, program, role: Role) -> None:
    caller = program(city.clerk())
    pk = the_token(city).pk
    browser = come_in(Client(), city.people[""][role])
    assert browser.get(f"/office/apitoken/{pk}/change/").status_code == 200
    assert "revoke" not in browser.get(f"/office/apitoken/{pk}/change/").content.decode()
    browser.post(f"/office/apitoken/{pk}/revoke/")
    assert caller.get("employers").status_code == 200


def test_业务人员看不见令牌(city: City, program) -> None:
    program(city.clerk())
    browser = Client()
    browser.force_login(city.clerk())
    pk = the_token(city).pk
    assert browser.get("/office/apitoken/").status_code == 403
    assert browser.get(f"/office/apitoken/{pk}/change/").status_code == 404
    assert browser.post(f"/office/apitoken/{pk}/revoke/").status_code == 404
