"""What a program reads: its own branch's employers, members, ledgers and vouchers, page by page."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import Case, Program, at
from tests.city import City
from tests.wire import CHARSETS, over_the_wire

pytestmark = pytest.mark.django_db(transaction=True)


def test_单位_列表_一页一页_金额为字符串(case: Case, own: Program) -> None:
    for name in ("乙单位", "丁单位"):
        case.city.employer(name)
    first = own.get("employers", limit=2)
    assert first.status_code == 200
    assert [line["name"] for line in first.json()["results"]] == ["丁单位", "乙单位"]
    rest = own.get(first.json()["next"]).json()
    assert rest == {
        "results": [
            {
                "number": case.employer.number, "name": "甲单位", "state": "normal", "ratio_employer": "0.12",
                "ratio_member": "0.12", "suspense": "0.00",
            }
        ],
        "next": None,
    }  # fmt: skip


def test_同名者也逐一列出(city: City, program) -> None:
    for _ in range(5):
        city.employer("同名单位")
    caller, seen, at = program(city.clerk()), [], "employers?limit=2"
    while at:
        page = caller.get(at).json()
        seen += [line["number"] for line in page["results"]]
        at = page["next"]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "甲"}, 1), ({"name": "单位"}, 0), ({"name": "%"}, 0), ({"number": "10"}, 1), ({"number": "01"}, 0),
        ({}, 1),
    ],
)  # fmt: skip
def test_单位_按账号或名称开头查找(case: Case, own: Program, asked: dict[str, str], found: int) -> None:
    assert len(own.get("employers", **asked).json()["results"]) == found


def test_一个单位(case: Case, own: Program) -> None:
    answer = own.get(f"employers/{case.employer.number}").json()
    assert answer["credit_code"] == case.employer.credit_code
    assert (answer["suspense"], answer["first_month"], answer["opened_on"]) == ("0.00", "2025-07", "2026-03-16")


def test_职工_只有证件号码的头尾(case: Case, own: Program) -> None:
    answer = own.get("members", employer=case.employer.number, name="张").json()
    (line,) = answer["results"]
    assert line["number"] == case.members[0].number
    assert line["id_mask"].startswith("362330****")
    assert (line["base"], line["balance"], line["employer"]) == ("5321.00", "1278.00", case.employer.number)


def test_一名职工(case: Case, own: Program) -> None:
    answer = own.get(f"members/{case.members[0].number}").json()
    assert {key: answer[key] for key in ("balance", "frozen", "available", "paid_up_to", "first_month")} == {
        "balance": "1278.00", "frozen": "0.00", "available": "1278.00", "paid_up_to": "2025-07", "first_month": "2025-07",
    }  # fmt: skip
    assert not {"id_sealed", "id_index", "phone", "phone_mask", "birth_date", "sex"} & answer.keys()


def test_明细账_按键翻页_每行带余额(case: Case, own: Program) -> None:
    for month in ("2026-01", "2026-02"):
        case.city.receive(case.employer, "2130.00")
        batch = case.city.remit(case.employer, case.city.register(case.employer, month))
        case.city.submit(batch)
        case.city.approve(batch)
    path = f"members/{case.members[0].number}/ledger"
    first = own.get(path, limit=2).json()
    rest = own.get(first["next"]).json()
    assert [line["balance"] for line in first["results"] + rest["results"]] == ["3834.00", "2556.00", "1278.00"]
    assert rest["next"] is None
    assert rest["results"][0]["credit"] == "1278.00"
    assert rest["results"][0]["voucher_number"] == "批-000001"


def test_凭证及其分录(case: Case, own: Program) -> None:
    answer = own.get(f"vouchers/{case.voucher}", limit=2).json()
    assert (answer["number"], answer["amount"], answer["branch"], answer["source"]) == (
        "批-000001", "2130.00", "10", case.posted.number,
    )  # fmt: skip
    assert [(line["account_code"], line["debit"], line["credit"]) for line in answer["lines"]] == [
        ("21901", "2130.00", "0.00"), ("201", "0.00", "1278.00"),
    ]  # fmt: skip
    assert answer["lines"][1]["holder"] == f"{case.members[0].number} 张三"
    rest = own.get(answer["next"]).json()
    assert ([line["credit"] for line in rest["lines"]], rest["next"]) == (["852.00"], None)


WRONG = [
    ("employers", {"limit": 201}, "limit"),
    ("employers", {"limit": 0}, "limit"),
    ("employers", {"limit": "many"}, "limit"),
    ("employers", {"number": "甲"}, "number"),
    ("employers", {"number": "1234567890123"}, "number"),
    ("employers", {"name": "x" * 101}, "name"),
    ("employers", {"name": "甲\x00"}, "name"),
    ("members", {"after": "360000009999"}, "after"),
    ("members", {"after": "x360000009999"}, "after"),
    ("members", {"employer": "1"}, "employer"),
    ("members/{member}/ledger", {"before": "yesterday"}, "before"),
    ("members/{member}/ledger", {"before": "2026-13-01.1"}, "before"),
    ("vouchers/{voucher}", {"after": 2**63}, "after"),
    ("employers/{employer}/template", {}, "month"),
    ("employers/{employer}/template", {"month": "三月"}, "month"),
    ("uploads/{refused}/problems", {"after": "x"}, "after"),
    ("uploads/{refused}/problems", {"after": "1"}, "after"),
]


def test_参数不对_说明是哪一个(case: Case, own: Program) -> None:
    for path, query, column in WRONG:
        answer = own.get(at(case, path), **query)
        assert (answer.status_code, answer.json()["code"]) == (400, "parameter_wrong"), (path, query)
        assert [problem["column"] for problem in answer.json()["problems"]] == [column]


def test_极端的键没有结果也不出错(case: Case, own: Program) -> None:
    for before in (f"9999-12-31.{10**19 - 1}", "0001-01-01.0"):
        assert own.get(at(case, "members/{member}/ledger"), before=before).status_code == 200


NOWHERE = [
    "employers/100000009999", "employers/甲", "employers/%00", "employers/" + "1" * 5000, "members/360000009999",
    "members/362330199001011234", "members/360000009999/ledger", "vouchers/999999", "vouchers/" + "9" * 30,
    "vouchers/" + "9" * 5000, "uploads/HJ202603-999999", "uploads/HJ202603-" + "9" * 5000, "uploads/DZ202603-000001",
    "uploads/HJ", "uploads/HJ202603--1", "uploads/-", "nothing", "employers/", "", "uploads/HJ209912-{batch:06}",
]  # fmt: skip


def test_没有的一律是_JSON_的_404(case: Case, own: Program) -> None:
    for path in NOWHERE:
        answer = own.get(path.format(batch=case.posted.pk))
        assert answer.status_code == 404, path
        assert answer.json()["code"] in ("not_yours", "not_found")


def test_只有_GET_POST(own: Program) -> None:
    for method in ("put", "patch", "delete", "options", "trace"):
        answer = getattr(own.client, method)("/api/v1/employers", headers=own.headers)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert own.client.head("/api/v1/employers", headers=own.headers).status_code == 200


def test_要_HTML_也是_JSON_且不缓存(own: Program) -> None:
    answer = own.client.get("/api/v1/employers", headers={**own.headers, "Accept": "text/html;q=1, x/y"})
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "application/json",
        "no-store",
    )


def test_任何字符集声明都按_UTF8_读(case: Case, own: Program) -> None:
    headers = {"HTTP_AUTHORIZATION": own.headers["Authorization"]}
    for said in CHARSETS:
        for kind in ("application/json", "multipart/form-data"):
            asked = {**headers, "content_type": f"{kind}; {said}"}
            status, answer = over_the_wire("GET", "/api/v1/employers", query="name=%E7%94%B2", **asked)
            assert (status, [one["name"] for one in json.loads(answer)["results"]]) == (200, ["甲单位"]), said
            status, answer = over_the_wire("POST", "/api/v1/uploads/HJ202603-999999/submit", b"{}", **asked)
            assert (status, "message" in json.loads(answer)) == (404, True), said


def test_翻页不数也不跳(case: Case, own: Program) -> None:
    with CaptureQueriesContext(connection) as asked:
        for path in (
            "employers",
            "members",
            at(case, "members/{member}/ledger"),
            at(case, "uploads/{refused}/problems"),
        ):
            assert own.get(path, limit=1).status_code == 200
    said = " ".join(query["sql"].lower() for query in asked)
    assert "count(" not in said
    assert "offset" not in said
