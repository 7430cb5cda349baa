"""汇缴, as the regulation and the centre's rules have it. The numbers of cases are those of the collection rules, A9."""

import io
import threading
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection

from accounts.contributions.calc import monthly_amount
from accounts.contributions.models import Batch, Register
from accounts.contributions.services import remittance
from accounts.contributions.services.templates import register_template
from accounts.ledger.models import Voucher
from fundcenter import clock
from fundcenter.office.models import AuditEvent, Opinion
from fundcenter.office.refusals import Refused
from fundcenter.office.services import intake
from fundcenter.scope import acting_as
from tests.city import City, assert_voucher


@pytest.mark.parametrize(
    ("base", "ratio", "yuan", "fen"),
    [
        ("5321.00", "0.08", "426.00", "425.68"),
        ("5321.00", "0.12", "639.00", "638.52"),
        ("1850.00", "0.05", "93.00", "92.50"),
        ("24333.00", "0.12", "2920.00", "2919.96"),
        ("6789.50", "0.07", "475.00", "475.27"),
    ],
)
def test_案例1_月缴存额按规定取整(base: str, ratio: str, yuan: str, fen: str) -> None:
    for rounding, expected in (("yuan", yuan), ("fen", fen)):
        assert monthly_amount(base=Decimal(base), ratio=Decimal(ratio), rounding=rounding) == Decimal(expected)


@pytest.fixture
def two_members(city: City):
    """甲单位: 639.00＋639.00 and 426.00＋426.00 a month."""
    employer = city.employer("甲单位")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    return employer


def test_案例8_暂存款足额_复核后入账(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members)
    assert batch.state == "checked", city.problems(batch)
    city.submit(batch)
    (voucher,) = city.approve(batch)
    assert_voucher(city, voucher, """
        借 其他应付款—单位暂存款 甲单位 2,130.00
        贷 住房公积金 张䶮 1,278.00
        贷 住房公积金 李四   852.00""")  # fmt: skip
    assert city.balance(two_members.pk, "21901") == 0
    assert (voucher.prepared_by, voucher.reviewed_by) == (city.clerk(), city.reviewer())
    with acting_as(city.clerk()):
        register = Register.objects.get(batch=batch)
        assert (register.voucher, register.is_posted, register.total) == (voucher, True, Decimal("2130.00"))
        assert [o.verb for o in Opinion.objects.filter(document=batch.label)] == ["check", "submit", "approve"]
        assert AuditEvent.objects.filter(document=batch.label, verb="approve", person=city.reviewer()).exists()
    call_command("check_ledger")


def test_案例8_暂存款差一分_不受理(city: City, two_members) -> None:
    city.receive(two_members, "2129.99")
    batch = city.remit(two_members)
    assert batch.state == "refused"
    (problem,) = city.problems(batch)
    assert problem.code == "suspense_short"
    assert "暂存款 2129.99，清册合计 2130.00，差 0.01" in problem.message


def test_暂存款在复核前被用掉_不入账_单据不动(city: City, two_members, owner) -> None:
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members)
    city.submit(batch)
    with acting_as(city.cashier()):
        receipt_voucher = Voucher.objects.get()
    from accounts.ledger.services import posting

    with acting_as(city.manager):
        posting.reverse([receipt_voucher], on=clock.today(), prepared_by=city.clerk(), reviewed_by=city.reviewer())
    with pytest.raises(Refused) as refused:
        city.approve(batch)
    assert refused.value.problems[0].code == "suspense_short"
    with acting_as(city.clerk()):
        batch.refresh_from_db()
        assert batch.state == "submitted"
        assert not Register.objects.filter(is_posted=True).exists()


def test_案例9_同一文件再传_拒绝并指出原批次(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    content = city.register(two_members)
    batch = city.remit(two_members, content)
    city.submit(batch)
    city.approve(batch)
    with pytest.raises(Refused) as refused:
        city.remit(two_members, content)
    assert refused.value.problems[0].code == "file_same"
    assert batch.number in refused.value.problems[0].message

    # Saved again by a spreadsheet program: other bytes, the same month.
    again = openpyxl.load_workbook(io.BytesIO(content))
    saved = io.BytesIO()
    again.active["A9"] = None
    again.properties.title = "另存"
    again.save(saved)
    resaved = city.remit(two_members, saved.getvalue())
    codes = {problem.code for problem in city.problems(resaved)}
    assert "month_already_posted" in codes
    assert resaved.state == "refused"


def test_被拒或撤回的文件可以再来(city: City, two_members) -> None:
    content = city.register(two_members)
    assert city.remit(two_members, content).state == "refused"
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members, content)
    assert batch.state == "checked"
    with acting_as(city.clerk()):
        intake.withdraw(batch, by=city.clerk(), on=clock.today())
    assert city.remit(two_members, content).state == "checked"


def test_案例20_两名复核同时同意_一人入账_另一人得知(city: City, two_members) -> None:
    other = type(city.reviewer()).objects.create_user(
        "reviewer10b", "passw0rd-for-tests", name="复核乙", roles=["reviewer"], branch=city.branches["10"]
    )
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members)
    city.submit(batch)
    outcomes: list[object] = []
    gate = threading.Barrier(2)

    def approve(user) -> None:
        try:
            with acting_as(user):
                mine = Batch.objects.get(pk=batch.pk)
                gate.wait()
                outcomes.append(remittance.REGISTERS.approve(mine, by=user, on=clock.today()))
        except Refused as refused:
            outcomes.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[user]) for user in (city.reviewer(), other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    (problem,) = loser.problems
    assert problem.code == "already_moved"
    with acting_as(city.manager):
        batch.refresh_from_db()
        assert batch.checker.name in problem.message
        assert Voucher.objects.filter(kind="remittance").count() == 1


def test_经办不能复核自己的批次(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    clerk = city.clerk()
    clerk.roles = ["clerk", "reviewer"]
    clerk.save()
    batch = city.remit(two_members)
    city.submit(batch)
    with pytest.raises(Refused) as refused:
        city.approve(batch, by=clerk)
    assert refused.value.problems[0].code == "own_work"


def test_退回须写明原因_经办可再提交(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members)
    city.submit(batch)
    with acting_as(city.reviewer()):
        with pytest.raises(Refused) as refused:
            intake.give_back(batch, by=city.reviewer(), on=clock.today())
        assert refused.value.problems[0].code == "opinion_missing"
        intake.give_back(batch, by=city.reviewer(), on=clock.today(), opinion="缺附件")
    assert batch.state == "returned"
    city.submit(batch)
    assert len(city.approve(batch)) == 1


def test_一个文件多个单位_各成清册与凭证_一处有错全部不受理(city: City, two_members) -> None:
    second = city.employer("乙单位")
    city.members(second, 王五="5000.00")
    city.receive(two_members, "2130.00")
    city.receive(second, "1200.00")
    both = _joined(city.register(two_members), city.register(second))
    batch = city.remit(two_members, both)
    assert batch.state == "checked", city.problems(batch)
    city.submit(batch)
    vouchers = city.approve(batch)
    assert [voucher.amount for voucher in vouchers] == [Decimal("2130.00"), Decimal("1200.00")]


def _joined(first: bytes, second: bytes) -> bytes:
    book, other = openpyxl.load_workbook(io.BytesIO(first)), openpyxl.load_workbook(io.BytesIO(second))
    for row in list(other.active.iter_rows(values_only=True))[1:]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_模板原样交回即可入账(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    with acting_as(city.clerk()):
        content = register_template(two_members, date(2026, 3, 1), on=clock.today())
    batch = city.remit(two_members, content)
    assert batch.state == "checked", city.problems(batch)
    assert batch.total == Decimal("2130.00")


def test_有问题的批次_原表加一列错误原因(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    batch = city.remit(two_members, city.register(two_members, 张䶮={"单位月缴存额": 638.52}))
    with acting_as(city.clerk()):
        sheet = openpyxl.load_workbook(io.BytesIO(intake.annotated(batch, remittance.REGISTERS.intake))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][-1] == "错误原因"
    assert rows[1][-1] == "应为 639.00 = 5321.00 × 12%（四舍五入到元）；请按此金额更正，基数有变请先办理基数调整。"
    assert rows[2][-1] is None
    assert rows[1][2].startswith("36")  # account numbers stay text


def test_在职职工缺少_须补行或确认(city: City, two_members) -> None:
    city.receive(two_members, "2130.00")
    content = city.register(two_members, 李四=None)
    batch = city.remit(two_members, content)
    (problem,) = city.problems(batch)
    assert (problem.code, problem.severity, batch.state) == ("member_missing", "error", "refused")
    assert "李四" in problem.message
    with acting_as(city.clerk()):
        intake.confirm(batch, remittance.REGISTERS.intake, ["member_missing"], by=city.clerk(), on=clock.today())
    assert batch.state == "checked"
    (problem,) = city.problems(batch)
    assert problem.severity == "warning"
    city.submit(batch)
    (voucher,) = city.approve(batch)
    assert voucher.amount == Decimal("1278.00")
