"""单位各月汇缴: what a clerk reads of an employer's months. 《住房公积金管理条例》第二十条."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from accounts.contributions.models import Batch
from accounts.contributions.reports import employer_months
from accounts.parties.models import Employer
from fundcenter import months
from fundcenter.scope import acting_as
from tests.city import City, come_in

pytestmark = pytest.mark.django_db(transaction=True)


def pay(city: City, employer: Employer, month: str) -> Batch:
    batch = city.remit(employer, city.register(employer, month))
    city.submit(batch)
    city.approve(batch)
    return batch


def seen(city: City, employer: Employer, on: date = date(2026, 3, 16)) -> list[tuple[str, str, int, str]]:
    with acting_as(city.clerk()):
        found = employer_months(Employer.objects.get(pk=employer.pk), on=on)
    return [(months.text(each.month), each.label, each.members, str(each.total)) for each in found]


def test_过了月末还没有入账的清册_即欠缴(city: City) -> None:
    employer = city.employer("甲单位", first_month=date(2026, 1, 1))
    city.members(employer, 张三="5321.00", 李四="3550.00")
    city.receive(employer, "9999.00")
    pay(city, employer, "2026-01")
    assert seen(city, employer) == [
        ("2026-03", "待缴", 2, "2130.00"),
        ("2026-02", "欠缴", 2, "2130.00"),
        ("2026-01", "已缴", 2, "2130.00"),
    ]
    # The last day of a month is not yet after its end.
    assert seen(city, employer, date(2026, 3, 31))[0][1] == "待缴"
    assert seen(city, employer, date(2026, 4, 1))[1][:2] == ("2026-03", "欠缴")


def test_欠缴的人数_照当月清册应列的人(city: City, owner: object) -> None:
    """Whoever is sealed from March on still owes February; whom March's register does not ask for owes nothing in March."""
    employer = city.employer("甲单位", first_month=date(2026, 2, 1))
    city.members(employer, 张三="5321.00", 李四="3550.00")
    sealed = "update parties_member set state = 'sealed', sealed_month = '2026-03-01' where name = '张三'"
    owner.execute(sealed)  # type: ignore[attr-defined]
    assert seen(city, employer) == [("2026-03", "待缴", 1, "852.00"), ("2026-02", "欠缴", 2, "2130.00")]


def test_提交了的_是办理中(city: City) -> None:
    employer = city.employer("甲单位", first_month=date(2026, 2, 1))
    city.members(employer, 张三="5321.00")
    city.receive(employer, "9999.00")
    batch = city.remit(employer, city.register(employer, "2026-02"))
    assert batch.state == "checked"
    assert [each[:2] for each in seen(city, employer)] == [("2026-03", "待缴"), ("2026-02", "办理中")]


def test_缓缴单位不欠缴(city: City, owner: object) -> None:
    employer = city.employer("甲单位", first_month=date(2026, 1, 1))
    city.members(employer, 张三="5321.00")
    for state, label in (("deferred", "缓缴"), ("sealed", "未缴")):
        owner.execute("update parties_employer set state = %s", [state])  # type: ignore[attr-defined]
        assert {each[1] for each in seen(city, employer)} == {label}


def test_上月欠缴的单位_列得出_数得清(city: City) -> None:
    paid, late = (city.employer(name, first_month=date(2026, 2, 1)) for name in ("甲单位", "乙单位"))
    city.employer("丙单位", first_month=date(2026, 3, 1))
    city.members(paid, 张三="5321.00")
    city.receive(paid, "9999.00")
    pay(city, paid, "2026-02")
    clerk = come_in(Client(), city.clerk())
    listed = clerk.get("/parties/employer/?arrears=last_month").context_data["cl"].result_list
    assert [employer.pk for employer in listed] == [late.pk]
    (figure,) = [each for each in clerk.get("/").context_data["figures"] if each.title == "上月欠缴单位"]
    assert (figure.amount, figure.note) == (1, "2026-02 月末仍未入账")
    assert come_in(Client(), city.clerk("01")).get(figure.url).context_data["cl"].result_list == []


def test_单位页_日历与欠缴合计(city: City) -> None:
    employer = city.employer("甲单位", first_month=date(2025, 12, 1))
    city.members(employer, 张三="5321.00")
    page = come_in(Client(), city.clerk()).get(f"/parties/employer/{employer.pk}/change/")
    text = page.content.decode()
    assert page.context_data["late_months"] == 3
    assert page.context_data["late_total"] == Decimal("1278.00") * 3
    assert "欠缴 3 个月，按现有职工应缴 3,834.00 元" in text
    assert [year for year, _ in page.context_data["calendar"]] == [2026, 2025]
