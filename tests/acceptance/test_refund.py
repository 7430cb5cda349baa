"""错缴退回: out of the member's account into the employer's suspense, and from there to its bank."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from accounts.contributions.models import Refund
from accounts.contributions.reports import member_panel
from accounts.contributions.services import refunding, remittance
from accounts.ledger.models import OpenDocument
from fundcenter import clock
from fundcenter.office.refusals import Refused
from fundcenter.office.services import intake
from fundcenter.scope import acting_as
from tests.city import City, assert_voucher, workbook

HEADER = ("单位账号", "个人账号", "姓名", "错缴年月", "退回单位额", "退回个人额", "原因")


@pytest.fixture
def employer(city: City):
    """甲单位 has paid March for 张三 (639＋639) and 李四 (426＋426)."""
    found = city.employer("甲单位", first_month=date(2026, 1, 1))
    city.members(found, 张三="5321.00", 李四="3550.00")
    city.receive(found, "2130.00")
    batch = city.remit(found)
    city.submit(batch)
    city.approve(batch)
    return found


def sheet(city: City, employer, *rows: tuple[str, Any, Any], month: str = "2026-03", **change: Any) -> bytes:
    numbers = city.numbers_of(employer)
    lines = [
        {"单位账号": employer.number, "个人账号": numbers.get(name, name), "姓名": name, "错缴年月": month,
         "退回单位额": own, "退回个人额": theirs, "原因": "离职后误缴"} | change
        for name, own, theirs in rows
    ]  # fmt: skip
    return workbook(HEADER, [[line[title] for title in HEADER] for line in lines])


def take_in(city: City, content: bytes) -> Refund:
    with acting_as(city.clerk()):
        return refunding.REFUNDS.upload(content, "退回.xlsx", by=city.clerk(), on=clock.today())


def submit(city: City, refund: Refund) -> None:
    with acting_as(city.clerk()):
        refunding.REFUNDS.submit(refund, by=city.clerk(), on=clock.today())


def problems(city: City, refund: Refund) -> list[str]:
    with acting_as(city.clerk()):
        return [problem.code for problem in intake.problems_of(refund, refunding.REFUNDS.intake)]


def test_错缴退回_先退至暂存款_再付给单位(city: City, employer) -> None:
    refund = take_in(city, sheet(city, employer, ("张三", 639, 639)))
    assert refund.state == "checked", problems(city, refund)
    submit(city, refund)
    with acting_as(city.reviewer()):
        voucher = refunding.REFUNDS.approve(refund, by=city.reviewer(), on=clock.today())
    assert_voucher(city, voucher, """
        借 住房公积金 张三 1,278.00
        贷 其他应付款—单位暂存款 甲单位 1,278.00""")  # fmt: skip
    assert city.balance(employer.pk, "21901") == Decimal("1278.00")
    with acting_as(city.cashier()):
        payment = refunding.pay(refund, by=city.cashier(), on=clock.today())
    assert_voucher(city, payment, """
        借 其他应付款—单位暂存款 甲单位 1,278.00
        贷 住房公积金存款—活期 1,278.00""")  # fmt: skip
    assert (voucher.word, payment.word, refund.state) == ("批", "记", "paid")
    assert city.balance(employer.pk, "21901") == 0
    call_command("check_ledger")


def test_全额退回后_缴至年月随之退回(city: City, employer) -> None:
    with acting_as(city.clerk()):
        member = employer.members.get(name="张三")
        assert str(member_panel(member)["paid_up_to"]) == "2026-03-01"
    refund = take_in(city, sheet(city, employer, ("张三", 639, 639)))
    submit(city, refund)
    with acting_as(city.reviewer()):
        refunding.REFUNDS.approve(refund, by=city.reviewer(), on=clock.today())
        assert member_panel(member)["paid_up_to"] is None


@pytest.mark.parametrize(
    ("rows", "month", "code"),
    [
        ([("张三", 640, 639)], "2026-03", "refund_exceeds_paid"),
        ([("张三", 639, 639)], "2026-02", "refund_month_not_paid"),
        ([("张三", 1, 0), ("张三", 2, 0)], "2026-03", "member_doubled"),
        ([("张三", 0, 0)], "2026-03", "negative_amount"),
        ([("张三", -1, 0)], "2026-03", "negative_amount"),
        ([("张三", "1.005", 0)], "2026-03", "negative_amount"),
        ([("360000009999", 1, 0)], "2026-03", "member_unknown"),
    ],
)
def test_不能退的(city: City, employer, rows, month: str, code: str) -> None:
    refund = take_in(city, sheet(city, employer, *rows, month=month))
    assert refund.state == "refused"
    assert code in problems(city, refund)


def test_已退过的不能再退(city: City, employer) -> None:
    first = take_in(city, sheet(city, employer, ("张三", 600, 600)))
    submit(city, first)
    with acting_as(city.reviewer()):
        refunding.REFUNDS.approve(first, by=city.reviewer(), on=clock.today())
    again = take_in(city, sheet(city, employer, ("张三", 40, 0)))
    assert problems(city, again) == ["refund_exceeds_paid"]


def test_已销户的职工_不能退(city: City, employer, owner) -> None:
    owner.execute("update parties_member set state = 'closed' where name = '张三'")
    refund = take_in(city, sheet(city, employer, ("张三", 1, 1)))
    assert problems(city, refund) == ["member_closed"]


def test_同一职工的两张退回_后一张须等前一张(city: City, employer) -> None:
    refund = take_in(city, sheet(city, employer, ("张三", 639, 639)))
    submit(city, refund)
    second = take_in(city, sheet(city, employer, ("张三", 1, 1)))
    with acting_as(city.clerk()), pytest.raises(Refused) as refused:
        refunding.REFUNDS.submit(second, by=city.clerk(), on=clock.today())
    assert {p.code for p in refused.value.problems} == {"underway"}


def test_在途的清册阻止退回_退回也阻止清册_并指名(city: City, employer) -> None:
    city.receive(employer, "2130.00")
    january = city.remit(employer, city.register(employer, "2026-01"))
    refund = take_in(city, sheet(city, employer, ("张三", 1, 1)))
    city.submit(january)
    with acting_as(city.clerk()), pytest.raises(Refused) as refused:
        refunding.REFUNDS.submit(refund, by=city.clerk(), on=clock.today())
    assert [(p.code, p.found) for p in refused.value.problems] == [("underway", january.number)]
    assert "甲单位" in refused.value.problems[0].message
    with acting_as(city.clerk()):
        refund.refresh_from_db()
        assert refund.state == "checked"
        remittance.REGISTERS.withdraw(january, by=city.clerk(), on=clock.today())
    submit(city, refund)
    february = city.remit(employer, city.register(employer, "2026-02"))
    with pytest.raises(Refused) as refused:
        city.submit(february)
    assert refused.value.problems[0].found == refund.number
    with acting_as(city.reviewer()):
        refunding.REFUNDS.approve(refund, by=city.reviewer(), on=clock.today())
        assert not OpenDocument.objects.filter(document=refund.label).exists()
    city.submit(february)
