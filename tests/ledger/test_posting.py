"""The one door, by posting.post and posting.reverse alone."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.contributions.vouchers import REMITTANCE
from accounts.ledger.models import Balance, Voucher
from accounts.ledger.services import posting
from accounts.ledger.services.posting import Rows
from fundcenter.office.refusals import Refused
from fundcenter.scope import acting_as
from tests.city import City, assert_voucher

ON = date(2026, 3, 16)


def remit(city: City, employer, amounts, *, key=1, on=ON, prepared_by=None, reviewed_by=None):
    total = sum((Decimal(a) for _, a in amounts), Decimal(0))
    slips = Rows(
        "select %(key)s::bigint as key, %(branch)s::bigint as branch, '汇缴 2026-03' as summary, 1 as attachments, "
        "%(employer)s::bigint as employer, %(total)s::numeric as total",
        {"key": key, "branch": employer.branch_id, "employer": employer.pk, "total": total},
    )
    details = Rows(
        "select %(key)s::bigint as key, m as member, a as amount, %(employer)s::bigint as employer "
        "from unnest(%(members)s::bigint[], %(amounts)s::numeric[]) t(m, a)",
        {"members": [m.pk for m, _ in amounts], "amounts": [Decimal(a) for _, a in amounts]},
    )
    return posting.post(
        REMITTANCE, slips=slips, details=details, on=on,
        prepared_by=prepared_by or city.clerk(), reviewed_by=reviewed_by or city.reviewer(),
    )  # fmt: skip


@pytest.fixture
def employer(city: City):
    return city.employer("鄱阳县第一中学")


@pytest.fixture
def two(city: City, employer):
    return city.members(employer, 张䶮="5321.00", 李四="3550.00")


def test_到账记入单位暂存款(city, employer):
    voucher = city.receive(employer, "2130.00")
    assert_voucher(city, voucher, """
        借 住房公积金存款—活期            2,130.00
        贷 其他应付款—单位暂存款 鄱阳县第一中学 2,130.00""")  # fmt: skip
    assert (voucher.word, voucher.number, voucher.amount) == ("记", 1, Decimal("2130.00"))
    assert voucher.prepared_by.username == "system" and voucher.reviewed_by == city.cashier()


def test_汇缴入账_余额与积数(city, employer, two):
    city.receive(employer, "2130.00")
    with acting_as(city.reviewer()):
        (voucher,) = remit(city, employer, [(two[0], "1278.00"), (two[1], "852.00")])
        balance = Balance.objects.get(holder_id=two[0].pk)
    assert_voucher(city, voucher, """
        借 其他应付款—单位暂存款 鄱阳县第一中学 2,130.00
        贷 住房公积金 张䶮 1,278.00
        贷 住房公积金 李四 852.00""")  # fmt: skip
    assert (voucher.word, voucher.number) == ("批", 1)
    assert city.balance(employer.pk, "21901") == 0
    assert balance.amount == Decimal("1278.00")
    # 2026-03-16 … 2026-06-30, both included: 107 days
    assert (balance.product, balance.counts_to) == (Decimal("1278.00") * 107, date(2026, 6, 30))


def test_暂存款差一分_不入账并说明差额(city, employer, two):
    city.receive(employer, "2129.99")
    with acting_as(city.reviewer()), pytest.raises(Refused) as refused:
        remit(city, employer, [(two[0], "1278.00"), (two[1], "852.00")])
    (problem,) = refused.value.problems
    assert problem.code == "balance_short"
    assert "差 0.01" in problem.message and "鄱阳县第一中学" in problem.message
    with acting_as(city.manager):
        assert Voucher.objects.count() == 1


def test_冲销_一次且恢复原状(city, employer, two):
    city.receive(employer, "2130.00")
    with acting_as(city.reviewer()):
        before = list(Balance.objects.order_by("holder_id").values_list("holder_id", "amount", "product", "withdrawn"))
        (voucher,) = remit(city, employer, [(two[0], "1278.00"), (two[1], "852.00")])
        (red,) = posting.reverse([voucher], on=ON, prepared_by=city.clerk(), reviewed_by=city.reviewer())
        after = {row[0]: row for row in Balance.objects.values_list("holder_id", "amount", "product", "withdrawn")}
        assert [after[row[0]] for row in before] == before
        assert all(row[1:] == (0, 0, 0) for holder, row in after.items() if holder != employer.pk)
        assert_voucher(city, red, """
            借 其他应付款—单位暂存款 鄱阳县第一中学 -2,130.00
            贷 住房公积金 张䶮 -1,278.00
            贷 住房公积金 李四 -852.00""")  # fmt: skip
        with pytest.raises(Refused) as refused:
            posting.reverse([voucher], on=ON, prepared_by=city.clerk(), reviewed_by=city.reviewer())
        assert refused.value.problems[0].code in ("already_reversed", "source_posted")
        with pytest.raises(Refused) as refused:
            posting.reverse([red], on=ON, prepared_by=city.clerk(), reviewed_by=city.reviewer())
        assert refused.value.problems[0].code == "reversal_wrong"


def test_冲销会使余额为负_拒绝并点名(city, employer, two):
    voucher = city.receive(employer, "2130.00")
    with acting_as(city.reviewer()):
        remit(city, employer, [(two[0], "1278.00"), (two[1], "852.00")])
        with pytest.raises(Refused, match="鄱阳县第一中学.*余额 0.00.*差 2130.00"):
            posting.reverse([voucher], on=ON, prepared_by=city.clerk(), reviewed_by=city.reviewer())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"on": date(2026, 3, 17)}, "day_closed"),
        ({"reviewed_by": "maker"}, "two_people"),
        ({"amounts": ["1278.001", "852.00"]}, "unbalanced"),
        ({"amounts": ["0.00", "852.00"]}, "unbalanced"),
    ],
)
def test_门上的规矩(city, employer, two, change, code):
    city.receive(employer, "5000.00")
    amounts = change.pop("amounts", ["1278.00", "852.00"])
    if change.get("reviewed_by"):
        change["reviewed_by"] = city.clerk()
    with acting_as(city.reviewer()), pytest.raises(Refused) as refused:
        remit(city, employer, list(zip(two, amounts, strict=True)), **change)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_同一来源只入账一次(city, employer, two):
    city.receive(employer, "5000.00")
    with acting_as(city.reviewer()):
        remit(city, employer, [(two[0], "1278.00")])
        with pytest.raises(Refused) as refused:
            remit(city, employer, [(two[0], "1278.00")])
    assert refused.value.problems[0].code == "source_posted"


def test_别的机构的户_不入账(city, employer, two):
    other = city.employer("市直单位", "01")
    city.receive(employer, "5000.00")
    with acting_as(city.manager), pytest.raises(Refused) as refused:
        remit(city, employer, [(city.members(other, 王五="5000.00")[0], "1200.00")]) if False else remit(
            city, other, [(two[0], "1278.00")]
        )
    assert refused.value.problems[0].code == "line_wrong"


def test_不在读已提交之下_不入账(city, employer, two):
    city.receive(employer, "5000.00")
    with acting_as(city.reviewer()), transaction.atomic(), pytest.raises(Refused) as refused:
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
        remit(city, employer, [(two[0], "1278.00")])
    assert refused.value.problems[0].code == "isolation_wrong"


def test_凭证号连续无缺(city, employer, two):
    for _ in range(5):
        city.receive(employer, "100.00")
    with acting_as(city.manager):
        assert list(Voucher.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]
