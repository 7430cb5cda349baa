"""封存 and 启封: whom the register asks for, and what keeps whom waiting."""

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command

from accounts.contributions.models import Sealing
from accounts.contributions.services import remittance, sealing
from accounts.contributions.services.templates import register_rows_of
from accounts.ledger.models import OpenDocument
from accounts.parties.models import Member
from fundcenter import clock
from fundcenter.office.refusals import Refused
from fundcenter.office.services import intake
from fundcenter.scope import acting_as
from tests.city import HEADER, City, workbook

SHEET = ("单位账号", "个人账号", "姓名", "变更类型", "生效年月", "变更原因")


@pytest.fixture
def employer(city: City):
    found = city.employer("甲单位")
    city.members(found, 张三="5321.00", 李四="3550.00")
    return found


def sheet(city: City, employer, *rows: tuple[str, str, str], **change: Any) -> bytes:
    numbers = city.numbers_of(employer)
    lines = [
        {"单位账号": employer.number, "个人账号": numbers.get(name, name), "姓名": name, "变更类型": what,
         "生效年月": month, "变更原因": "离职"} | change
        for name, what, month in rows
    ]  # fmt: skip
    return workbook(SHEET, [[line[title] for title in SHEET] for line in lines])


def take_in(city: City, content: bytes) -> Sealing:
    with acting_as(city.clerk()):
        return sealing.SEALINGS.upload(content, "封存.xlsx", by=city.clerk(), on=clock.today())


def submit(city: City, document: Sealing) -> None:
    with acting_as(city.clerk()):
        sealing.SEALINGS.submit(document, by=city.clerk(), on=clock.today())


def approve(city: City, document: Sealing) -> None:
    with acting_as(city.reviewer()):
        sealing.SEALINGS.approve(document, by=city.reviewer(), on=clock.today())


def done(city: City, employer, *rows: tuple[str, str, str]) -> Sealing:
    document = take_in(city, sheet(city, employer, *rows))
    assert document.state == "checked", problems(city, document)
    submit(city, document)
    approve(city, document)
    return document


def problems(city: City, document: Sealing) -> list[tuple[int | None, str]]:
    with acting_as(city.clerk()):
        return [(problem.row, problem.code) for problem in intake.problems_of(document, sealing.SEALINGS.intake)]


def member(city: City, name: str) -> Member:
    with acting_as(city.clerk()):
        return Member.objects.get(name=name)


def paid(city: City, employer, month: str, content: bytes | None = None, amount: str = "2130.00"):
    city.receive(employer, amount)
    batch = city.remit(employer, content or city.register(employer, month))
    assert batch.state == "checked", city.problems(batch)
    city.submit(batch)
    return city.approve(batch)


def test_封存之月起清册不再要他_以前的月份仍要(city: City, employer) -> None:
    done(city, employer, ("张三", "封存", "2026-04"))
    found = member(city, "张三")
    assert (found.state, found.sealed_month, found.due_from) == ("sealed", date(2026, 4, 1), date(2026, 3, 1))
    with acting_as(city.clerk()):
        due = {
            month: [row[2] for row in remittance_rows(employer, month)]
            for month in (date(2026, 3, 1), date(2026, 4, 1))
        }
    assert due == {date(2026, 3, 1): ["张三", "李四"], date(2026, 4, 1): ["李四"]}
    paid(city, employer, "2026-03")  # 三月他还在册
    call_command("check_ledger")


def remittance_rows(employer, month: date) -> list[Any]:
    return register_rows_of(employer.branch, month, on=clock.today(), employer=employer)


def test_启封之月起应缴_中间的月份不欠(city: City, employer) -> None:
    done(city, employer, ("张三", "封存", "2026-03"))
    done(city, employer, ("张三", "启封", "2026-04"))
    found = member(city, "张三")
    assert (found.state, found.sealed_month, found.due_from) == ("normal", None, date(2026, 4, 1))
    with acting_as(city.clerk()):
        assert [row[2] for row in remittance_rows(employer, date(2026, 3, 1))] == ["李四"]
        assert [row[2] for row in remittance_rows(employer, date(2026, 4, 1))] == ["张三", "李四"]
        changes = [(old.state, str(old.sealed_month)) for old in found.history.order_by("pgh_id")]
    assert changes == [("normal", "None"), ("sealed", "2026-03-01")]


@pytest.mark.parametrize(
    ("rows", "change", "expected"),
    [
        ([("张三", "启封", "2026-03")], {}, (2, "member_not_sealed")),
        ([("张三", "封存", "2026-03"), ("张三", "封存", "2026-04")], {}, (3, "member_doubled")),
        ([("张三", "封存", "2026-06")], {}, (2, "month_future")),
        ([("张三", "调走", "2026-03")], {}, (2, "change_unknown")),
        ([("张三", "封存", "2026-03")], {"姓名": "张四"}, (2, "name_mismatch")),
        ([("张三", "封存", "2026-03")], {"变更原因": None}, (2, "cell_empty")),
        ([("360000009999", "封存", "2026-03")], {}, (2, "member_unknown")),
        ([("张三", "封存", "2026-03")], {"单位账号": "100000009999"}, (2, "employer_unknown")),
    ],
)
def test_不能办的(city: City, employer, rows, change, expected) -> None:
    document = take_in(city, sheet(city, employer, *rows, **change))
    assert document.state == "refused"
    assert expected in problems(city, document)


def test_已缴的月份不能封存(city: City, employer) -> None:
    paid(city, employer, "2026-03")
    document = take_in(city, sheet(city, employer, ("张三", "封存", "2026-03")))
    assert problems(city, document) == [(2, "sealed_month_paid")]
    done(city, employer, ("张三", "封存", "2026-04"))


def test_启封不早于封存(city: City, employer) -> None:
    done(city, employer, ("张三", "封存", "2026-04"))
    document = take_in(city, sheet(city, employer, ("张三", "启封", "2026-03")))
    assert problems(city, document) == [(2, "unsealed_before")]


def test_别的机构的职工和单位_说不是本机构的(city: City, employer) -> None:
    elsewhere = city.employer("市直单位", "01")
    (stranger,) = city.members(elsewhere, 赵六="5000.00")
    theirs = take_in(city, sheet(city, employer, ("张三", "封存", "2026-03"), 单位账号=elsewhere.number))
    assert problems(city, theirs) == [(2, "employer_not_yours")]
    his = take_in(city, sheet(city, employer, (stranger.number, "封存", "2026-03")))
    assert problems(city, his) == [(2, "member_of_other_employer")]
    assert member_of(city, "01", "赵六").state == "normal"


def member_of(city: City, branch: str, name: str) -> Member:
    with acting_as(city.clerk(branch)):
        return Member.objects.get(name=name)


def test_在途的清册阻止封存_封存也阻止清册(city: City, employer) -> None:
    city.receive(employer, "2130.00")
    register = city.remit(employer)
    document = take_in(city, sheet(city, employer, ("张三", "封存", "2026-03")))
    city.submit(register)
    with pytest.raises(Refused) as refused:
        submit(city, document)
    assert [(p.code, p.found) for p in refused.value.problems] == [("underway", register.number)]
    with acting_as(city.clerk()):
        document.refresh_from_db()
        remittance.REGISTERS.withdraw(register, by=city.clerk(), on=clock.today())
    submit(city, document)
    again = city.remit(employer, city.register(employer, header=HEADER[::-1]))
    with pytest.raises(Refused) as refused:
        city.submit(again)
    assert refused.value.problems[0].found == document.number
    approve(city, document)
    with acting_as(city.clerk()):
        assert not OpenDocument.objects.filter(document=document.label).exists()


def test_两张单都封存同一人_后一张在审批时被拒(city: City, employer) -> None:
    first = take_in(city, sheet(city, employer, ("张三", "封存", "2026-03")))
    second = take_in(city, sheet(city, employer, ("张三", "封存", "2026-04")))
    submit(city, first)
    submit(city, second)
    approve(city, first)
    with pytest.raises(Refused) as refused:
        approve(city, second)
    assert [p.code for p in refused.value.problems] == ["member_sealed"]
    assert member(city, "张三").sealed_month == date(2026, 3, 1)
    with acting_as(city.clerk()):
        second.refresh_from_db()
    assert second.state == "submitted"


# --- the same by the register -----------------------------------------------------------------------------------------


def test_清册里封存_入账后生效(city: City, employer) -> None:
    content = city.register(
        employer, header=(*HEADER, "变更类型"),
        张三={"变更类型": "封存", "单位月缴存额": 0, "个人月缴存额": 0}, 李四={"变更类型": None},
    )  # fmt: skip
    (voucher,) = paid(city, employer, "2026-03", content, "852.00")
    assert city.balance(member(city, "张三").pk, "201") == 0
    assert (voucher.amount, member(city, "张三").state, member(city, "张三").sealed_month) == (
        852, "sealed", date(2026, 3, 1)
    )  # fmt: skip
    april = city.remit(employer, city.register(employer, "2026-04"))
    assert "member_missing" not in {p.code for p in city.problems(april)}


def test_清册里启封并调整基数_入账后生效(city: City, employer) -> None:
    done(city, employer, ("张三", "封存", "2026-03"))
    numbers = city.numbers_of(employer)
    rows = [
        [employer.number, "2026-03", numbers["张三"], "张三", 6000, 720, 720, "启封"],
        [employer.number, "2026-03", numbers["李四"], "李四", 4000, 480, 480, "基数变更"],
    ]
    paid(city, employer, "2026-03", workbook((*HEADER, "变更类型"), rows), "2400.00")
    found = member(city, "张三")
    assert (found.state, found.base, found.due_from) == ("normal", 6000, date(2026, 3, 1))
    assert member(city, "李四").base == 4000


def test_清册里启封未封存的_不受理(city: City, employer) -> None:
    city.receive(employer, "2130.00")
    content = city.register(employer, header=(*HEADER, "变更类型"), 张三={"变更类型": "启封"}, 李四={"变更类型": None})
    assert [p.code for p in city.problems(city.remit(employer, content))] == ["member_not_sealed"]
