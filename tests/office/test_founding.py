"""From an empty database to money in the books, with commands and screens alone."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from fundcenter.office.models import AuditEvent, Branch, User
from fundcenter.scope import acting_as
from tests.city import come_in

pytestmark = pytest.mark.django_db(transaction=True)
BRANCHES = (["01", "市直分中心", "361100"], ["10", "鄱阳分中心", "361128"])


def run(command: str, *words: str, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    try:
        call_command(command, *words, json=True, stdout=out, **options)
    except SystemExit as left:
        assert left.code == 1
    return json.loads(out.getvalue())


def test_空库开办_系统管理登录后录入主任_主任登记归集户(transactional_db: None) -> None:
    founded = run("found", branch=BRANCHES, admin=["xitong", "祝俊"])
    assert (founded["branches"], founded["problems"]) == (["01", "10"], [])
    assert list(Branch.objects.values_list("code", flat=True)) == ["01", "10"]
    admin = User.objects.get(username="xitong")
    assert admin.check_password(founded["password"])

    client = come_in(Client(), admin)
    answer = client.post("/office/user/add/", {
        "username": "zhuren", "name": "蔡小燕", "branch": "", "roles": ["manager"], "is_active": "on",
        "password1": "sunny-days-in-march", "password2": "sunny-days-in-march",
    })  # fmt: skip
    assert answer.status_code == 302
    opened = run("bank_account", "中国工商银行上饶分行", "1512200009024500001", manager="zhuren")
    assert opened == {"account": "中国工商银行上饶分行 1512200009024500001", "problems": []}
    again = run("bank_account", "中国工商银行上饶分行", "1512200009024500001", manager="zhuren")
    assert [problem["code"] for problem in again["problems"]] == ["bank_account_known"]
    refused = run("bank_account", "中国工商银行上饶分行", "1512200009024500002", manager="xitong")
    assert [problem["code"] for problem in refused["problems"]] == ["role_missing"]
    with acting_as(User.objects.system()):
        verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"open_branch", "add_person", "open_bank_account"} <= verbs


def test_已开办的_只能增设机构(transactional_db: None) -> None:
    run("found", branch=BRANCHES, admin=["xitong", "祝俊"])
    second = run("found", admin=["heike", "某人"])
    assert ([problem["code"] for problem in second["problems"]], second["password"]) == (["centre_founded"], None)
    assert not User.objects.filter(username="heike").exists()
    known = run("found", branch=[["01", "余干分中心", "361127"]])
    assert [problem["code"] for problem in known["problems"]] == ["branch_known"]
    assert run("found", branch=[["09", "余干分中心", "361127"]])["branches"] == ["09"]
    malformed = run("found", branch=[["1x", "万年分中心", "361129"]])
    assert [problem["code"] for problem in malformed["problems"]] == ["branch_malformed"]
