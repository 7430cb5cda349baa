"""查账: every kind of damage that a superuser could do to the books is found and named; a clean book is clean."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.ledger.services.checking import check_ledger
from fundcenter.scope import NoScope, acting_as
from tests.attacks import scene as scenes
from tests.attacks.scene import Scene

TABLES = ("voucher", "entry", "balance", "series", "period", "daytotal", "dayclose", "holder")


@pytest.fixture(scope="module")
def book(django_db_setup: None, django_db_blocker: object) -> Iterator[Scene]:
    with django_db_blocker.unblock(), scenes.build() as built:
        for table in TABLES:
            built.superuser.execute(f"create temp table kept_{table} as table ledger_{table}")
        built.superuser.execute("set session_replication_role = replica")  # no guard, no foreign key
        try:
            yield built
        finally:
            connection.close()
            built.superuser.execute("select snap.restore()")


@pytest.fixture
def damage(book: Scene) -> Iterator[Scene]:
    """Whatever is done to the books in the test is undone afterwards."""
    yield book
    for table in TABLES:
        book.superuser.execute(f"delete from ledger_{table}")
        book.superuser.execute(f"insert into ledger_{table} table kept_{table}")


LINES = "id between :{0}::bigint << 24 and (:{0}::bigint << 24 | 16777215)"
LATEST, PAID, MISTAKE, REVERSAL = (LINES.format(name) for name in ("latest", "paid", "mistake", "reversal"))
MEMBER = "holder_id = :member and account_id = '201'"
CLOSED = "branch_id = :mine and date = '2026-03-13'"

DAMAGE = [
    # (what was done, how, what the check says)
    ("an amount of an entry", f"update ledger_entry set debit = debit + 0.01 where debit > 0 and {LATEST}", "借方 30.01，贷方 30.00"),
    ("the amount of a voucher", "update ledger_voucher set amount = 31 where id = :latest", "凭证金额 31.00，分录合计 30.00"),
    ("both sides and the voucher alike",
     f"update ledger_entry set debit = debit * 2, credit = credit * 2 where {LATEST}; update ledger_voucher set amount = 60 where id = :latest",
     "余额 1030.00，分录合计 1060.00"),
    ("an entry deleted", f"delete from ledger_entry where credit > 0 and {LATEST}", "借方 30.00，贷方 0.00"),
    ("all entries of a voucher deleted", f"delete from ledger_entry where {LATEST}", "没有分录"),
    ("a voucher deleted", "delete from ledger_voucher where id = :latest", "分录没有凭证"),
    ("a voucher and its entries deleted", f"delete from ledger_voucher where id = :mistake; delete from ledger_entry where {MISTAKE}",
     "鄱阳分中心 2026-03 字记：应有"),
    ("the last number skipped", "update ledger_voucher set number = number + 1 where id = "
     "(select id from ledger_voucher where branch_id = :mine and word = '记' order by month desc, number desc limit 1)", "应有 7 张，实有 7 张，末号 8"),
    ("the first number skipped", "update ledger_voucher set number = -number where number = 1 and branch_id = :theirs", "市直分中心 2026-02 字记：应有 1 张，实有 1 张，末号 -1"),
    ("the series moved on", "update ledger_series set last = last + 1 where branch_id = :mine and word = '记' and month = '2026-03-01'", "应有 8 张"),
    ("the series deleted", "delete from ledger_series where branch_id = :mine", "应有  张"),
    ("an entry put under another voucher", f"update ledger_entry set voucher_id = :paid where {LATEST}", "分录没有凭证"),
    ("an entry outside its voucher's key", f"update ledger_entry set id = id + (1::bigint << 24) * 99999 where {LATEST}", "2 条分录不在凭证的键内"),
    ("the day of an entry", f"update ledger_entry set date = '2026-03-15' where {LATEST}", "分录没有凭证"),
    ("the branch of an entry", f"update ledger_entry set branch_id = :theirs where {LATEST}", "分录属于别的机构"),
    ("the branch of a voucher", "update ledger_voucher set branch_id = :theirs, number = 99 where id = :latest", "分录属于别的机构"),
    ("the month of a voucher", "update ledger_voucher set month = '2026-02-01', number = 99 where id = :latest", "月份与日期不符"),
    ("the holder of an entry", f"update ledger_entry set holder_id = :frozen where credit > 0 and {LATEST}", "余额 1030.00，分录合计 1000.00"),
    ("an unknown holder of an entry", f"update ledger_entry set holder_id = :nobody where credit > 0 and {LATEST}", "户 999999"),
    ("no holder of a bank line", f"update ledger_entry set holder_id = null where account_id = '10101' and {LINES.format('old_receipt')}", "科目 10101 与户 、单位  不相符"),
    ("the account of an entry", f"update ledger_entry set account_id = '301' where credit > 0 and {LATEST}", "科目 301 与户"),
    ("an unknown account of an entry", f"update ledger_entry set account_id = '999' where credit > 0 and {LATEST}", "科目 999 与户"),
    ("the employer of an entry forgotten", f"update ledger_entry set employer_id = null where {LATEST}", "不相符"),
    ("the employer of an entry a member", f"update ledger_entry set employer_id = :frozen where employer_id is not null and {LATEST}", "不相符"),
    ("the day from which an entry counts", f"update ledger_entry set value_date = '2026-03-01' where holder_id = :member and {LATEST}", "积数"),
    ("a balance", f"update ledger_balance set amount = amount - 1 where {MEMBER}", "余额 1029.00，分录合计 1030.00"),
    ("a balance's product", f"update ledger_balance set product = product + 1 where {MEMBER}", "积数"),
    ("the day to which a balance counts", f"update ledger_balance set counts_to = '2027-06-30' where {MEMBER}", "积数"),
    ("what was withdrawn", f"update ledger_balance set withdrawn = 5 where {MEMBER}", "本年支出 5.00，分录合计"),
    ("more frozen than there is", f"update ledger_balance set frozen = 1030.01 where {MEMBER}", "余额 1030.00，冻结 1030.01"),
    ("less than nothing frozen", f"update ledger_balance set frozen = -1 where {MEMBER}", "冻结 -1.00"),
    ("the branch of a balance", f"update ledger_balance set branch_id = :theirs where {MEMBER}", "余额的机构与户不符"),
    ("a balance deleted", f"delete from ledger_balance where {MEMBER}", "余额 ，分录合计 1030.00"),
    ("a balance invented",
     "insert into ledger_balance (holder_id, account_id, branch_id, amount, frozen, product, counts_to, opening, withdrawn) "
     "values (:loan, '122', :mine, 5, 0, 0, '2026-06-30', 0, 0)", "余额 5.00，分录合计 ；"),
    ("a holder moved", "update ledger_holder set branch_id = :theirs where id = :member", "在别的机构留有 1030.00"),
    ("a holder moved with its balance",
     f"update ledger_holder set branch_id = :theirs where id = :member; update ledger_balance set branch_id = :theirs where {MEMBER}",
     "在别的机构留有 1030.00"),
    ("the kind of a holder", "update ledger_holder set kind = 'loan' where id = :member", "不相符"),
    ("a day's total", f"update ledger_daytotal set debit = debit + 1 where account_id = '10101' and {CLOSED}", "日结累计 5001.00/0.00，分录合计 5000.00/0.00"),
    ("a day's total deleted", f"delete from ledger_daytotal where account_id = '10101' and {CLOSED}", "日结累计 /，分录合计 5000.00/0.00"),
    ("a day's total of an account that did not move", "delete from ledger_daytotal where branch_id = :mine and account_id = '10101' and date > '2026-03-01'",
     "鄱阳分中心 2026-03-13 科目 10101"),
    ("a day's total invented", "insert into ledger_daytotal (branch_id, date, account_id, debit, credit) values (:mine, '2026-03-13', '301', 1, 1)", "科目 301：日结累计"),
    ("an entry of a closed day, between accounts without balances", f"update ledger_entry set account_id = '301', holder_id = null where account_id = '10101' and {LINES.format('old_receipt')}",
     "日结累计"),
    ("a voucher moved into a closed day", f"update ledger_voucher set date = '2026-03-12' where id = :latest; update ledger_entry set date = '2026-03-12', value_date = '2026-03-12' where {LATEST}",
     "鄱阳分中心 2026-03-13 的日结摘要与凭证不符"),
    ("a digest", f"update ledger_dayclose set digest = repeat('0', 64) where {CLOSED}", "2026-03-13 的日结摘要与凭证不符"),
    ("an earlier digest, which the next is chained to", "update ledger_dayclose set digest = repeat('0', 64) where branch_id = :mine and date = '2026-02-28'",
     "2026-03-13 的日结摘要与凭证不符"),
    ("the count of a day's vouchers", f"update ledger_dayclose set vouchers = 0 where {CLOSED}", "2026-03-13 的日结摘要与凭证不符（0 张）"),
    ("the wording of a closed voucher", "update ledger_voucher set summary = '改' where id = :paid", "日结摘要"),
    ("who prepared a closed voucher", "update ledger_voucher set prepared_by_id = :manager where id = :paid", "日结摘要"),
    ("what a closed voucher comes from", "update ledger_voucher set source = 'other' where id = :paid", "日结摘要"),
    ("the employer of a closed entry", f"update ledger_entry set employer_id = :second_employer where employer_id is not null and {PAID}", "日结摘要"),
    ("a close deleted", f"delete from ledger_dayclose where {CLOSED}; delete from ledger_daytotal where {CLOSED}", "最后一次日结 2026-02-28"),
    ("a day opened again", "update ledger_period set day_closed = '2026-03-01' where branch_id = :mine", "鄱阳分中心 的账期：日结至 2026-03-01"),
    ("a month opened again in one branch", "update ledger_period set month_closed = null where branch_id = :mine", "月结至 ，全市月结至 2026-02-28"),
    ("a reversal's entries", f"update ledger_entry set debit = debit * 2, credit = credit * 2 where {REVERSAL}", "不相反"),
    ("a reversed voucher's entries", f"update ledger_entry set debit = debit * 2, credit = credit * 2 where {MISTAKE}", "不相反"),
    ("a reversed voucher's day of counting", f"update ledger_entry set value_date = '2026-03-01' where {MISTAKE}", "不相反"),
    ("a reversed voucher's bank line", f"update ledger_entry set holder_id = :second_employer where holder_id = :employer and {MISTAKE}", "不相反"),
    ("a reversal before its original", f"update ledger_voucher set date = '2026-03-15' where id = :reversal; update ledger_entry set date = '2026-03-15' where {REVERSAL}",
     "不相反"),
    ("a reversal that reverses nothing any more", "update ledger_voucher set reverses_id = null where id = :reversal", "不相反"),
    ("a reversal of something else", "update ledger_voucher set reverses_id = :latest where id = :reversal", "不相反"),
    ("a reversal of a voucher that is gone", "update ledger_voucher set reverses_id = :nobody where id = :reversal", "不相反"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "how", "said"), DAMAGE, ids=[what for what, _, _ in DAMAGE])
def test_damage_is_named(damage: Scene, what: str, how: str, said: str) -> None:
    assert damage.superuser.execute(damage.filled(how)).rowcount >= 1, "nothing was damaged"
    _, problems = damage.verdict()
    assert any(said in problem for problem in problems), problems


def test_a_clean_book_is_clean(book: Scene) -> None:
    out = StringIO()
    call_command("check_ledger", stdout=out)
    assert "账实相符" in out.getvalue()
    with acting_as(book.city.manager):
        verdict = check_ledger()
    assert (verdict.problems, verdict.vouchers, verdict.entries) == ((), 13, 26)


def test_the_command_fails_and_says_why(damage: Scene) -> None:
    damage.superuser.execute(damage.filled(f"update ledger_balance set amount = 7 where {MEMBER}"))
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("check_ledger", "--json", stdout=out)
    assert left.value.code == 1
    assert '"ok": false' in out.getvalue()
    assert "余额 7.00，分录合计 1030.00" in out.getvalue()


def test_a_part_of_the_city_is_not_checked(book: Scene) -> None:
    """Row security would hide the other branches' faults, and all would seem well."""
    with acting_as(book.city.clerk()), pytest.raises(ValueError, match="全市"):
        check_ledger()
    with pytest.raises(NoScope):
        check_ledger()


@pytest.mark.django_db(transaction=True)
def test_without_branches_there_is_nothing_to_check() -> None:
    with pytest.raises(CommandError, match="尚无任何分支机构"):
        call_command("check_ledger")
