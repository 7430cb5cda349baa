"""单位信息变更: what an employer said of itself is said anew, decided by a second person, and what was stays in its history."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from stdnum.cn import ric

from accounts.ledger.models import OpenDocument
from accounts.parties.models import Employer, EmployerChange
from accounts.parties.services import changing
from fundcenter import clock
from fundcenter.office.models import User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.reports import history_of
from fundcenter.office.services import intake
from fundcenter.scope import acting_as
from tests.city import City, come_in, workbook

# The refusals, one row a code: code, column, what the message says, the cells of 甲单位's row.
REFUSALS = [
    ("employer_unknown", "单位账号", "没有单位账号“100000009999”", {"单位账号": "100000009999", "地址": "东门"}),
    ("account_as_float", "单位账号", "已被表格软件改成数字", {"单位账号": "1.00E+11", "地址": "东门"}),
    ("cell_empty", "单位账号", "未填写", {"单位账号": None, "地址": "东门"}),
    ("nothing_changes", "单位账号", "单位“甲单位”没有要变更的内容", {}),
    ("nothing_changes", "单位账号", "与现登记的相同", {"单位名称": "甲单位", "发薪日": 15}),
    ("text_too_long", "单位名称", "太长", {"单位名称": "很" * 101}),
    ("text_too_long", "地址", "太长", {"地址": "很" * 121}),
    ("text_too_long", "开户银行", "太长", {"开户银行": "很" * 61}),
    ("name_malformed", "法定代表人", "不像姓名", {"法定代表人": "李"}),
    ("name_malformed", "经办人", "不像姓名", {"经办人": "王3"}),
    ("phone_malformed", "联系电话", "带区号的座机", {"联系电话": "8220"}),
    ("phone_malformed", "联系电话", "带区号的座机", {"联系电话": "(0793)-82200001-123456"}),
    ("pay_day_malformed", "发薪日", "1 至 31", {"发薪日": 32}),
    ("pay_day_malformed", "发薪日", "1 至 31", {"发薪日": 1.5}),
    ("bank_account_malformed", "银行账号", "8 至 32 位", {"银行账号": "工行 1512"}),
    ("account_as_float", "银行账号", "已被表格软件改成数字", {"银行账号": 1512200009024500018}),
    ("id_misplaced", "银行账号", "362330********0411", {"银行账号": "36233019900101041" + ric.calc_check_digit("362330199001010410")}),
]  # fmt: skip
ALL = ("单位账号", "单位名称", "地址", "法定代表人", "经办人", "联系电话", "发薪日", "开户银行", "银行账号")
ACCOUNT, NEW_ACCOUNT = "01512200009024500018", "1512-2000-0902-4500-999"


@pytest.fixture
def employer(city: City) -> Employer:
    return city.employer("甲单位")


def sheet(*rows: dict[str, Any], above: tuple[tuple[Any, ...], ...] = ()) -> bytes:
    return workbook(ALL, [[row.get(title) for title in ALL] for row in rows], above)


def of(employer: Employer, **cells: Any) -> dict[str, Any]:
    return {"单位账号": employer.number} | cells


def take_in(city: City, content: bytes, branch: str = "10") -> EmployerChange:
    with acting_as(city.clerk(branch)):
        return changing.CHANGES.upload(content, "变更.xlsx", by=city.clerk(branch), on=clock.today())


def submit(city: City, change: EmployerChange) -> None:
    with acting_as(change.maker):
        changing.CHANGES.submit(change, by=change.maker, on=clock.today())


def approve(city: City, change: EmployerChange, by: User | None = None) -> int | None:
    reviewer = by or city.reviewer()
    with acting_as(reviewer):
        return changing.CHANGES.approve(change, by=reviewer, on=clock.today())


def done(city: City, *rows: dict[str, Any]) -> EmployerChange:
    change = take_in(city, sheet(*rows))
    assert change.state == "checked", problems(city, change)
    submit(city, change)
    assert approve(city, change) == len(rows)
    return change


def problems(city: City, change: EmployerChange) -> list[Problem]:
    with acting_as(city.clerk()):
        return intake.problems_of(change, changing.CHANGES.intake)


def now(city: City, employer: Employer) -> Employer:
    with acting_as(city.manager):
        return Employer.objects.get(pk=employer.pk)


def refused(city: City, verb: Any, change: EmployerChange) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as said:
        verb(city, change)
    return [(problem.code, problem.message) for problem in said.value.problems]


# --- one employer, by the form ----------------------------------------------------------------------------------------


def test_从单位页面填表_两人办理_变更历史有前有后(city: City, employer: Employer) -> None:
    done(city, of(employer, 地址="东门路 1 号", 开户银行="工行鄱阳支行", 银行账号=ACCOUNT))
    clerk, reviewer = come_in(Client(), city.clerk()), come_in(Client(), city.reviewer())
    form_url = f"/parties/employerchange/form/?employer_number={employer.number}"
    assert form_url in clerk.get(f"/parties/employer/{employer.pk}/change/").content.decode()
    # The form is filled with what stands now; whom it is about cannot be typed over.
    form = clerk.get(form_url).context["form"]
    standing = {field.name: str(field.value() or "") for field in form}
    assert standing == {
        "employer_number": employer.number, "name": "甲单位", "address": "东门路 1 号", "legal_person": "", "contact": "",
        "phone": "", "pay_day": "15", "bank": "工行鄱阳支行", "bank_account": ACCOUNT,
    }  # fmt: skip
    assert "readonly" in str(form["employer_number"])

    answer = clerk.post(form_url, {**standing, "contact": "王会计", "bank_account": NEW_ACCOUNT})
    with acting_as(city.clerk()):
        change = EmployerChange.objects.get(state="checked")
        assert answer.headers["Location"] == f"/parties/employerchange/{change.pk}/change/"
        assert change.number.startswith("BG202603-")
        (row,) = change.rows.all()
        assert (row.contact, row.bank_account) == ("王会计", NEW_ACCOUNT)
        assert (row.name, row.address, row.bank, row.pay_day) == (None, None, None, None)  # typed as they stand
    submit(city, change)
    assert now(city, employer).bank_account == ACCOUNT  # nothing before the second person

    page = reviewer.get(f"/parties/employerchange/{change.pk}/change/").content.decode()
    assert f'<td class="changed">{ACCOUNT}</td>' in page
    assert f'<td class="changed">{NEW_ACCOUNT}</td>' in page
    assert "其中 1 户改了银行账户：以后的退款付至新账户" in page
    assert "东门路" not in page  # what stays is not shown
    assert f"单位信息变更 {change.number}" in reviewer.get("/").content.decode()  # it waits on the 工作台
    reviewer.post(f"/parties/employerchange/{change.pk}/approve/do/")

    found = now(city, employer)
    assert (found.contact, found.bank_account) == ("王会计", NEW_ACCOUNT)
    assert (found.name, found.address, found.bank, found.pay_day) == ("甲单位", "东门路 1 号", "工行鄱阳支行", 15)
    with acting_as(city.clerk()):
        told = history_of(found)[0]
    assert (told.by, told.verb) == (city.reviewer().name, "同意")
    assert sorted(told.lines) == [("经办人", "（空）", "王会计"), ("银行账号", ACCOUNT, NEW_ACCOUNT)]
    # The document goes on saying what was and what became of it.
    page = clerk.get(f"/parties/employerchange/{change.pk}/change/").content.decode()
    assert f'<td class="changed">{ACCOUNT}</td>' in page


def test_填表有误_说在各栏旁_不留单据(city: City, employer: Employer) -> None:
    clerk = come_in(Client(), city.clerk())
    typed = {"employer_number": employer.number, "phone": "12", "pay_day": "40", "bank_account": "工行"}
    form = clerk.post("/parties/employerchange/form/", typed).context["form"]
    assert {name: len(said) for name, said in form.errors.items()} == {"phone": 1, "pay_day": 1, "bank_account": 1}
    same = clerk.post("/parties/employerchange/form/", {"employer_number": employer.number, "name": "甲单位"})
    assert "没有要变更的内容" in same.context["form"].errors["employer_number"][0]
    with acting_as(city.clerk()):
        assert not EmployerChange.objects.exists()


def test_填表时别人改了_没动过的栏不改回去(city: City, employer: Employer) -> None:
    done(city, of(employer, 地址="东门", 联系电话="0793-8220000"))
    clerk = come_in(Client(), city.clerk())
    form_url = f"/parties/employerchange/form/?employer_number={employer.number}"
    form = clerk.get(form_url).context["form"]
    shown = {field.html_name: field.value() for field in form}
    shown |= {field.html_initial_name: field.value() for field in form if field.field.show_hidden_initial}
    done(city, of(employer, 联系电话="0793-8220001"))
    assert clerk.post(form_url, {**shown, "address": "西门"}).status_code == 302
    with acting_as(city.clerk()):
        (row,) = EmployerChange.objects.get(state="checked").rows.all()
    assert (row.address, row.phone, row.before["address"]) == ("西门", None, "东门")


def test_从别的机构的单位打开_表是空的(city: City, employer: Employer) -> None:
    theirs = city.employer("市直单位", "01")
    clerk = come_in(Client(), city.clerk())
    form = clerk.get(f"/parties/employerchange/form/?employer_number={theirs.number}").context["form"]
    assert [field.name for field in form if field.value()] == ["employer_number"]


# --- many, by a spreadsheet -------------------------------------------------------------------------------------------


def test_来表_一行一户_空格不动_账号是文本(city: City, employer: Employer) -> None:
    other = city.employer("乙单位")
    done(city, of(employer, 联系电话="0793-8220000", 法定代表人="李局长"))
    done(
        city,
        of(employer, 单位名称="鄱阳湖文旅有限公司", 发薪日=10, 银行账号=ACCOUNT),
        of(other, 经办人="赵六", 联系电话=13879312345),
    )
    found = now(city, employer)
    assert (found.name, found.pay_day, found.bank_account) == ("鄱阳湖文旅有限公司", 10, ACCOUNT)
    assert (found.phone, found.legal_person) == ("0793-8220000", "李局长")
    assert (now(city, other).contact, now(city, other).phone, now(city, other).name) == (
        "赵六",
        "13879312345",
        "乙单位",
    )
    assert found.credit_code == employer.credit_code
    assert (found.ratio_employer, found.ratio_member) == (employer.ratio_employer, employer.ratio_member)


def test_更名后按新名的首字母查得到_按旧名的查不到(city: City, employer: Employer) -> None:
    done(city, of(employer, 单位名称="乐平大药房"))
    assert now(city, employer).initials == "YPDYF LPDYF"
    clerk = come_in(Client(), city.clerk())
    assert "乐平大药房" in clerk.get("/parties/employer/?q=ypd").content.decode()
    assert "乐平大药房" not in clerk.get("/parties/employer/?q=jdw").content.decode()
    done(city, of(employer, 发薪日=3))
    assert now(city, employer).initials == "YPDYF LPDYF"


def test_最长的名称_两种读音_也办得成(city: City, employer: Employer) -> None:
    done(city, of(employer, 单位名称="长孙" + "某" * 98))
    assert now(city, employer).initials.startswith("ZSMMM")


def test_表头上方的经办人和单位名称_不是各行的(city: City, employer: Employer) -> None:
    content = workbook(("单位账号", "地址"), [(employer.number, "西门")], (("单位名称：市财政局", "经办人：王会计"),))
    change = take_in(city, content)
    submit(city, change)
    approve(city, change)
    found = now(city, employer)
    assert (found.address, found.name, found.contact) == ("西门", "甲单位", "")


def test_下载的空白表_账号列是文本(city: City) -> None:
    content = come_in(Client(), city.clerk()).get("/parties/employerchange/blank/").content
    blank = openpyxl.load_workbook(io.BytesIO(content)).active
    columns = {cell.value: cell.column_letter for cell in blank[2]}
    assert set(columns) == set(ALL)
    assert {
        blank.column_dimensions[columns[title]].number_format for title in ("单位账号", "银行账号", "联系电话")
    } == {"@"}


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "column", "says", "cells"), REFUSALS, ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSALS)]
)
def test_不能办的(city: City, employer: Employer, code: str, column: str, says: str, cells: dict[str, Any]) -> None:
    change = take_in(city, sheet(of(employer, **cells)))
    assert change.state == "refused"
    (problem,) = problems(city, change)  # this one, and none that only follows from it
    assert (problem.row, problem.code, problem.column, problem.severity) == (2, code, column, "error")
    assert says in problem.message


def test_一表两行同一单位_不受理(city: City, employer: Employer) -> None:
    change = take_in(city, sheet(of(employer, 地址="东门"), of(employer, 发薪日=5)))
    (problem,) = problems(city, change)
    assert (problem.row, problem.code) == (3, "employer_doubled")
    assert "与第 2 行是同一单位" in problem.message


def test_别的机构的单位_说由其他机构管理(city: City, employer: Employer) -> None:
    theirs = city.employer("市直单位", "01")
    change = take_in(city, sheet(of(employer, 地址="东门"), of(theirs, 地址="东门")))
    assert [(p.row, p.code) for p in problems(city, change)] == [(3, "employer_not_yours")]
    assert now(city, theirs).address == now(city, employer).address == ""


def test_已销户的不能变更_封存和缓缴的可以(city: City, employer: Employer, owner) -> None:
    for state, refusals in (("sealed", []), ("deferred", []), ("closed", ["employer_closed"])):
        owner.execute("update parties_employer set state = %s where holder_id = %s", [state, employer.pk])
        change = take_in(city, sheet(of(employer, 地址=f"{state} 东门")))
        assert [p.code for p in problems(city, change)] == refusals
    assert (
        "变更信息"
        not in come_in(Client(), city.clerk()).get(f"/parties/employer/{employer.pk}/change/").content.decode()
    )


def test_经办不能复核自己的变更(city: City, employer: Employer) -> None:
    clerk = city.clerk()
    clerk.roles = ["clerk", "reviewer"]
    clerk.save()
    change = take_in(city, sheet(of(employer, 银行账号=ACCOUNT)))
    submit(city, change)
    with pytest.raises(Refused) as said:
        approve(city, change, by=clerk)
    assert [problem.code for problem in said.value.problems] == ["own_work"]
    assert now(city, employer).bank_account == ""


# --- what may come between --------------------------------------------------------------------------------------------


def test_同一单位的另一张变更未办结_后一张等它(city: City, employer: Employer) -> None:
    first = take_in(city, sheet(of(employer, 地址="东门")))
    second = take_in(city, sheet(of(employer, 发薪日=5)))
    submit(city, first)
    ((code, message),) = refused(city, submit, second)
    assert (code, first.number in message, "甲单位" in message) == ("underway", True, True)
    approve(city, first)
    with acting_as(city.clerk()):
        assert not OpenDocument.objects.exists()
        second.refresh_from_db()
    submit(city, second)  # another field: what it found still stands
    approve(city, second)
    assert (now(city, employer).address, now(city, employer).pay_day) == ("东门", 5)


def test_检查之后同一栏已变_按旧值的不再受理(city: City, employer: Employer) -> None:
    done(city, of(employer, 银行账号=ACCOUNT))
    late = take_in(city, sheet(of(employer, 银行账号="62220000000000001")))
    done(city, of(employer, 银行账号=NEW_ACCOUNT))
    assert refused(city, submit, late) == [
        ("changed_meanwhile", f"单位“甲单位”的银行账号在检查之后已由“{ACCOUNT}”变更为“{NEW_ACCOUNT}”；请撤回本单，按现登记的重新办理。")
    ]  # fmt: skip
    with acting_as(city.clerk()):
        late.refresh_from_db()
    assert late.state == "checked"


def test_提交之后销户的_复核时被拒_单据不动(city: City, employer: Employer, owner) -> None:
    change = take_in(city, sheet(of(employer, 地址="东门")))
    submit(city, change)
    owner.execute("update parties_employer set state = 'closed' where holder_id = %s", [employer.pk])
    assert [code for code, _ in refused(city, approve, change)] == ["employer_closed"]
    with acting_as(city.clerk()):
        change.refresh_from_db()
    assert (change.state, now(city, employer).address) == ("submitted", "")


def test_别处正在改同一单位_复核等它办完再问(city: City, employer: Employer, owner) -> None:
    change = take_in(city, sheet(of(employer, 地址="东门")))
    submit(city, change)
    owner.execute("begin")
    owner.execute("update parties_employer set address = '西门' where holder_id = %s", [employer.pk])

    def decide() -> list[tuple[str, str]]:
        try:
            return refused(city, approve, change)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(decide)
        while not owner.execute("select from pg_locks where not granted").fetchall() and not answer.done():
            time.sleep(0.01)
        owner.execute("commit")
        assert [code for code, _ in answer.result()] == ["changed_meanwhile"]
    assert now(city, employer).address == "西门"


def test_撤回的不再阻止别的(city: City, employer: Employer) -> None:
    first, second = (take_in(city, sheet(of(employer, 地址=where))) for where in ("东门", "西门"))
    submit(city, first)
    with acting_as(city.clerk()):
        changing.CHANGES.withdraw(first, by=city.clerk(), on=clock.today())
    submit(city, second)
    assert approve(city, second) == 1


def test_在途的清册和变更互不等待(city: City, employer: Employer) -> None:
    city.members(employer, 张三="5321.00")
    city.receive(employer, "1278.00")
    batch = city.remit(employer)
    city.submit(batch)
    done(city, of(employer, 单位名称="新甲单位"))
    change = take_in(city, sheet(of(employer, 发薪日=8)))
    submit(city, change)
    (voucher,) = city.approve(batch)
    assert voucher.summary == "汇缴 2026-03 新甲单位"


def test_已变更的单据不能再办一次(city: City, employer: Employer) -> None:
    change = done(city, of(employer, 地址="东门"))
    assert [code for code, _ in refused(city, approve, change)] == ["already_moved"]


def test_别的机构看不到变更单(city: City, employer: Employer) -> None:
    change = done(city, of(employer, 银行账号=ACCOUNT))
    stranger = come_in(Client(), city.clerk("01"))
    assert stranger.get(f"/parties/employerchange/{change.pk}/change/").status_code == 404
    assert change.number not in stranger.get("/parties/employerchange/").content.decode()
    with acting_as(city.clerk("01")):
        assert not EmployerChange.objects.exists()
        assert not type(change).rows.rel.related_model.objects.exists()
