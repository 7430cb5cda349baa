"""The box in the header and the lists: what they find, by which index, and how their pages and sums are read."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.contributions.models import Batch
from accounts.ledger.models import Voucher
from accounts.parties.models import Employer, Member
from accounts.parties.reports import employer_question, member_question
from fundcenter import vault
from fundcenter.office.admin.lists import KeyedList
from fundcenter.scope import acting_as
from tests.city import City, come_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(city: City) -> City:
    """甲单位 of 鄱阳 with three members, its March posted."""
    employer = city.employer("鄱阳县甲单位")
    city.members(employer, 查晓明="5321.00", 万俟春="3550.00", 张三="3000.00")
    city.receive(employer, "2850.00")
    batch = city.remit(employer)
    city.submit(batch)
    city.approve(batch)
    return city


@pytest.fixture
def clerk(paid: City) -> Client:
    return come_in(Client(), paid.clerk())


def asked(client: Client, typed: str) -> tuple[str, str]:
    """Where the box leads, and the page that it shows when it leads nowhere by itself."""
    answer = client.post("/search/", {"q": typed})
    address = ""
    while answer.status_code == 302:
        address = unquote(answer["Location"])
        answer = client.get(answer["Location"])
    assert answer.status_code == 200
    return address, answer.content.decode()


def member(city: City, name: str) -> Member:
    with acting_as(city.clerk()):
        return Member.objects.get(name=name)


def test_一个框_直达唯一的一件(paid: City, clerk: Client) -> None:
    with acting_as(paid.clerk()):
        employer, voucher = Employer.objects.get(), Voucher.objects.get(word="批")
        batch = Batch.objects.get().number
    cha = member(paid, "查晓明")
    person, company = f"/parties/member/{cha.pk}/change/", f"/parties/employer/{employer.pk}/change/"
    for typed, page in {
        cha.number: person, "查晓明": person, "查晓": person, "ZXM": person, "cxm": person, "ＣＸＭ": person,
        vault.open_text(cha.id_sealed): person, employer.number: company, employer.credit_code: company,
        "甲单": company, "PYXJDW": company, "批-000001": f"/ledger/voucher/{voucher.pk}/change/",
        "2026-03 批-1": f"/ledger/voucher/{voucher.pk}/change/", "批字第1号 202603": f"/ledger/voucher/{voucher.pk}/change/",
    }.items():  # fmt: skip
        assert asked(clerk, typed)[0] == page, typed
    assert asked(clerk, batch)[0].startswith("/contributions/batch/")
    assert asked(clerk, batch.lower().replace("-0000", "-"))[0].startswith("/contributions/batch/")


def test_每种读音都查得到(paid: City, clerk: Client) -> None:
    for typed in ("MQC", "WQC", "WSC"):
        assert asked(clerk, typed)[0] == f"/parties/member/{member(paid, '万俟春').pk}/change/"


def test_多于一件_列出几件(paid: City, clerk: Client) -> None:
    with acting_as(paid.clerk()):
        paid.members(Employer.objects.get(), 查晓光="3000.00")
    address, page = asked(clerk, "查晓")
    assert address == "/search/?q=查晓"
    assert "查晓明" in page and "查晓光" in page and "张三" not in page


def test_找不到_说怎么查(clerk: Client) -> None:
    for typed in (
        "没有此人",
        "批-000009",
        "2025-01 批-1",
        "HJ202602-000001",
        "999999999999",
        "%",
        "'",
        "记-99999999999999",
    ):
        assert "没有找到" in asked(clerk, typed)[1], typed


def test_证件号码不进地址_也不回显(paid: City, clerk: Client) -> None:
    number = vault.open_text(member(paid, "张三").id_sealed)
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    for typed in (number, wrong, "E12345678", f"张三{number}"):
        address, page = asked(clerk, typed)
        assert typed not in address and typed not in page, typed


def test_别的机构的_什么也查不到(paid: City) -> None:
    stranger = come_in(Client(), paid.clerk("01"))
    cha = member(paid, "查晓明")
    for typed in (
        cha.number,
        "查晓明",
        "CXM",
        vault.open_text(cha.id_sealed),
        "批-000001",
        "甲单位",
        "HJ202603-000001",
    ):
        assert "没有找到" in asked(stranger, typed)[1], typed


def test_系统管理没有查找框(paid: City) -> None:
    admin = come_in(Client(), paid.people[""]["admin"])
    assert 'class="find"' not in admin.get("/").content.decode()
    assert "没有找到" in asked(admin, "查晓明")[1]


@pytest.mark.parametrize(
    ("model", "question", "typed", "indexes"),
    [
        (Member, member_question, "CXM", ("initials", "second", "third")),
        (Member, member_question, "查晓", ("name",)),
        (Employer, employer_question, "CXM", ("initials", "second", "third")),
    ],
)
def test_查找走索引(paid: City, owner: Any, model: Any, question: Any, typed: str, indexes: tuple[str, ...]) -> None:
    """Under row security, and for the second reading too: no scan of the table."""
    table, columns = model._meta.db_table, [field.column for field in model._meta.fields if not field.generated]
    others = {"holder_id": "-n", "number": "n::text", "initials": "'Q' || n", "name": "'钱' || n", "opening_row": "n + 9",
              "id_index": "n::text::bytea", "credit_code": "n::text"}  # fmt: skip
    values = ", ".join(others.get(column, column) for column in columns)
    owner.execute(
        "insert into ledger_holder (id, kind, branch_id) select -n, kind, branch_id from generate_series(1, 5000) n,"
        f" (select h.* from ledger_holder h join {table} on holder_id = h.id limit 1) one"
    )
    owner.execute(
        f"insert into {table} ({', '.join(columns)}) select {values} from generate_series(1, 5000) n,"
        f" (select * from {table} limit 1) one"
    )
    owner.execute(f"analyze {table}")
    with acting_as(paid.clerk()):
        plan = model.objects.visible().filter(question(typed)).explain()
    assert set(re.findall(rf"{table}_(\w+)", plan)) == set(indexes), plan
    assert "Seq Scan" not in plan, plan


def test_列表按键翻页_不跳不重(paid: City, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fundcenter.office.admin.records.ListAdmin.list_per_page", 2)
    with acting_as(paid.clerk()):
        paid.members(Employer.objects.get(), 王一="3000.00", 王二="3000.00")
        everyone = list(Member.objects.order_by("-holder").values_list("pk", flat=True))
    pages, url = [], "/parties/member/"
    with CaptureQueriesContext(connection) as queries:
        while url:
            listed = clerk.get(url).context_data["cl"]
            assert isinstance(listed, KeyedList)
            pages.append([row.pk for row in listed.result_list])
            url = f"/parties/member/?after={listed.next_key}" if listed.next_key else ""
    assert [pk for page in pages for pk in page] == everyone and len(pages) == 3
    assert not [q["sql"] for q in queries if "OFFSET" in q["sql"]]
    # And back.
    back = clerk.get(f"/parties/member/?before={pages[2][0]}").context_data["cl"]
    assert [row.pk for row in back.result_list] == pages[1] and back.previous_key and back.next_key
    first = clerk.get(f"/parties/member/?before={pages[1][0]}").context_data["cl"]
    assert [row.pk for row in first.result_list] == pages[0] and not first.previous_key
    # A page of a row that is gone is the first one; so is nonsense.
    for key in ("999999", "x", "٣"):
        assert [row.pk for row in clerk.get(f"/parties/member/?after={key}").context_data["cl"].result_list] == pages[0]


def test_凭证列表按日期和键翻页(paid: City, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fundcenter.office.admin.records.ListAdmin.list_per_page", 1)
    first = clerk.get("/ledger/voucher/").context_data["cl"]
    second = clerk.get(f"/ledger/voucher/?after={first.next_key}").context_data["cl"]
    assert first.result_list[0].pk > second.result_list[0].pk and second.next_key is None
    by_amount = clerk.get("/ledger/voucher/?o=4").context_data["cl"]
    assert by_amount.next_key and by_amount.result_list


def test_本页合计与总合计(paid: City, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = clerk.get("/parties/member/").content.decode()
    assert "本页合计（3）" in page and "2,850.00" in page and "总合计" not in page
    monkeypatch.setattr("fundcenter.office.admin.records.ListAdmin.list_per_page", 2)
    page = clerk.get("/parties/member/").content.decode()
    assert "本页合计（2）" in page and "总合计" in page and "2,850.00" in page
    # A list without an end in sight has no sum of all.
    monkeypatch.setattr("fundcenter.office.admin.lists.COUNT_LIMIT", 3)
    page = clerk.get("/parties/member/").content.decode()
    assert "总合计" not in page


@pytest.mark.parametrize(
    ("url", "rows"),
    [
        ("/contributions/batch/?employer=甲单位", 1), ("/contributions/batch/?employer=PYX", 1),
        ("/contributions/batch/?employer=乙单位", 0), ("/contributions/batch/?state__exact=posted", 1),
        ("/contributions/batch/?made_on__since=2026-03-16&made_on__until=20260316", 1),
        ("/contributions/batch/?made_on__since=2026-03-17", 0), ("/contributions/batch/?made_on__until=2026-03-15", 0),
        ("/ledger/voucher/?employer=甲单位", 2), ("/ledger/voucher/?date__until=2026-03-16", 2),
        ("/ledger/voucher/?q=批-1", 1), ("/ledger/voucher/?q=汇缴 2026-03", 1), ("/banking/receipt/?employer=甲单位", 1),
        ("/banking/receipt/?q=2,850.00", 1), ("/banking/receipt/?q=2850.01", 0), ("/banking/receipt/?q=LS", 1),
        ("/parties/member/?employer=甲单位", 3), ("/parties/member/?employer=乙", 0),
    ],
)  # fmt: skip
def test_经办常用的筛选(clerk: Client, url: str, rows: int) -> None:
    answer = clerk.get(url, follow=True)
    assert answer.status_code == 200
    assert len(answer.context_data["cl"].result_list) == rows


def test_按状态筛选_用业务的话_不问遍全表(clerk: Client) -> None:
    for url in ("/contributions/batch/", "/contributions/refund/", "/banking/receipt/", "/parties/memberopening/"):
        with CaptureQueriesContext(connection) as queries:
            page = clerk.get(url).content.decode()
        assert not [q["sql"] for q in queries if "DISTINCT" in q["sql"]], url
        assert not re.search(r">\s*(posted|refused|submitted|opened|checked)\s*<", page), url
    chosen = clerk.get("/contributions/batch/?state__exact=posted").content.decode()
    assert "状态：已入账" in chosen


def test_按经办筛选_本人在先(paid: City, clerk: Client) -> None:
    page = clerk.get("/contributions/batch/").content.decode()
    assert "鄱阳经办（本人）" in page
    assert page.index("鄱阳经办（本人）") < page.index(">鄱阳复核")
    assert (
        len(clerk.get(f"/contributions/batch/?maker__id__exact={paid.reviewer().pk}").context_data["cl"].result_list)
        == 0
    )


def test_日期写错_说怎么写(clerk: Client) -> None:
    page = clerk.get("/contributions/batch/?made_on__since=三月一日").content.decode()
    assert "“三月一日”不是日期，请写成 2026-03-01。" in page
