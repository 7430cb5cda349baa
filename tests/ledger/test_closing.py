"""结账: a branch's day, then the city's month. Closed takes nothing; what is fixed at the close adds up and is chained."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from accounts.banking.models import BankAccount
from accounts.ledger.models import DayClose, DayTotal, Entry, Period, Voucher
from accounts.ledger.services import posting
from accounts.ledger.services.checking import check_ledger
from accounts.ledger.services.closing import close_day, close_month
from accounts.ledger.services.posting import Rows
from accounts.ledger.vouchers import Line, Template
from fundcenter.office.models import AuditEvent, Branch, Role, User
from fundcenter.office.refusals import Problem, Refused
from fundcenter.office.registry import registry
from fundcenter.scope import acting_as
from tests.city import City

FRIDAY, SATURDAY, MONDAY = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 16)  # and Monday is today
END_OF_FEBRUARY = date(2026, 2, 28)


@pytest.fixture
def employer(city: City, owner):
    # A kind without a document of its own, so that money may arrive on any day.
    owner.execute("insert into ledger_kind (code, name, word, crosses_branches) values ('trial', '试账', '记', false)")
    return city.employer("鄱阳县第一中学")


@pytest.fixture
def accountant(city: City) -> User:
    return city.people[""][Role.ACCOUNTANT]


TAKEN = Template(
    kind="trial",
    name="试算",
    word="记",
    lines=(Line("借", "10101", holder="bank", amount="amount"), Line("贷", "21901", holder="payer", amount="amount")),
)


def take(city: City, employer, amount: str, on: date) -> Voucher:
    """Money that arrives on this day, which may be an earlier one than today."""
    city.serial += 1
    code = employer.branch.code
    slip = Rows(
        "select %(key)s::bigint as key, %(branch)s::bigint as branch, '到账' as summary, 1 as attachments, "
        "%(bank)s::bigint as bank, %(payer)s::bigint as payer, %(amount)s::numeric as amount",
        {"key": city.serial, "branch": employer.branch_id, "payer": employer.pk, "amount": Decimal(amount),
         "bank": BankAccount.objects.get().pk},
    )  # fmt: skip
    with acting_as(city.cashier(code)):
        (voucher,) = posting.post(
            TAKEN, slips=slip, on=on, prepared_by=city.clerk(code), reviewed_by=city.cashier(code)
        )
    return voucher


def close(city: City, day: date, *branches: str, by: User | None = None) -> list[str]:
    by = by or city.people[""][Role.ACCOUNTANT]
    with acting_as(by):
        return [close_day(city.branches[code], day, by=by) for code in branches or ("10",)]


def totals(city: City, day: date, branch: str = "10") -> dict[str, tuple[Decimal, Decimal]]:
    with acting_as(city.manager):
        rows = DayTotal.objects.filter(date=day, branch=city.branches[branch])
        return {row.account_id: (row.debit, row.credit) for row in rows}


def refused(city: City, *calls, by: User | None = None) -> list[Problem]:
    found: list[Problem] = []
    with acting_as(by or city.manager):
        for call in calls:
            with pytest.raises(Refused) as caught:
                call()
            found += caught.value.problems
    return found


def test_日结累计为开账以来的合计(city, employer):
    take(city, employer, "100.00", FRIDAY)
    close(city, FRIDAY)
    assert totals(city, FRIDAY) == {"10101": (100, 0), "21901": (0, 100)}
    take(city, employer, "30.50", SATURDAY)
    take(city, employer, "0.01", MONDAY)
    close(city, MONDAY)  # and with it Saturday and Sunday
    assert totals(city, MONDAY) == {
        "10101": (Decimal("130.51"), 0),
        "21901": (0, Decimal("130.51")),
    }
    assert totals(city, SATURDAY) == {}


def test_没有发生额的日子也结账_累计不变(city, employer):
    take(city, employer, "100.00", FRIDAY)
    close(city, FRIDAY)
    close(city, SATURDAY)
    assert totals(city, SATURDAY) == totals(city, FRIDAY)
    with acting_as(city.manager):
        assert list(DayClose.objects.order_by("date").values_list("vouchers", flat=True)) == [1, 0]
        assert check_ledger().problems == ()


def test_各机构各自日结(city, employer):
    other = city.employer("市直单位", "01")
    take(city, employer, "100.00", FRIDAY)
    take(city, other, "7.00", FRIDAY)
    close(city, FRIDAY, "10")
    take(city, other, "8.00", FRIDAY)
    close(city, FRIDAY, "01")
    assert totals(city, FRIDAY, "10")["10101"] == (100, 0)
    assert totals(city, FRIDAY, "01")["10101"] == (15, 0)


def test_摘要前后相连_并可由分录重算(city, employer):
    """The digest as anybody can compute it from the rows: SHA-256 over the last one, each voucher and its lines."""
    for day, amount in ((FRIDAY, "100.00"), (SATURDAY, "20.00"), (SATURDAY, "0.03")):
        take(city, employer, amount, day)
    first, second = close(city, FRIDAY) + close(city, SATURDAY)

    def sha256(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def quoted(value: object) -> str:
        text = "" if value is None else str(value)
        return f'"{text}"' if any(mark in text for mark in ' ,()"\\') else text

    def row(*values: object) -> str:
        return "(" + ",".join(map(quoted, values)) + ")"

    with acting_as(city.manager), connection.cursor() as cursor:
        chain, lines = "", []
        for day in (FRIDAY, SATURDAY):
            said = []
            for v in Voucher.objects.filter(date=day).order_by("id"):
                entries = Entry.objects.filter(voucher=v).order_by("id")
                own = "\n".join(
                    row(e.id, e.branch_id, e.account_id, e.holder_id, e.employer_id, e.debit, e.credit, e.value_date)
                    for e in entries
                )
                cursor.execute(
                    "select (posted_at at time zone 'Asia/Shanghai')::text || '+08' from ledger_voucher where id = %s",
                    [v.pk],
                )
                (at,) = cursor.fetchone()
                said.append(
                    row(v.id, v.date, v.word, v.number, v.kind_id, v.source, v.summary, v.attachments, v.amount,
                        v.prepared_by_id, v.reviewed_by_id, v.reverses_id, at, sha256(own))
                )  # fmt: skip
            chain = sha256(chain + "\n".join(said))
            lines.append(chain)
        assert lines == [first, second]


def test_摘要与会话设置无关(city, employer):
    take(city, employer, "100.00", FRIDAY)
    with acting_as(city.manager), connection.cursor() as cursor:
        cursor.execute("set datestyle = 'German'; set timezone = 'America/New_York'; set intervalstyle = iso_8601")
        close_day(city.branches["10"], FRIDAY, by=city.manager)
        connection.close()
        assert check_ledger().problems == ()


def test_日结之后不再入账_并说出机构和日期(city, employer):
    take(city, employer, "100.00", FRIDAY)
    close(city, SATURDAY)
    for day in (FRIDAY, SATURDAY):
        with pytest.raises(Refused) as caught:
            take(city, employer, "1.00", day)
        (problem,) = caught.value.problems
        assert problem.code == "day_closed"
        assert "鄱阳分中心已结账至 2026-03-14（营业日 2026-03-16）" in problem.message
    take(city, employer, "1.00", MONDAY)
    with acting_as(city.manager):
        assert Voucher.objects.count() == 2


def test_冲销已结账日的凭证_记在今天(city, employer):
    voucher = take(city, employer, "100.00", FRIDAY)
    close(city, FRIDAY)
    people = {"prepared_by": city.clerk(), "reviewed_by": city.reviewer()}
    (problem,) = refused(city, lambda: posting.reverse([voucher], on=FRIDAY, **people))
    assert problem.code == "day_closed"
    with acting_as(city.manager):
        (red,) = posting.reverse([voucher], on=MONDAY, **people)
        assert (red.date, red.amount) == (MONDAY, -100)
        # What counts for interest is the day of the original, so that nothing of it remains.
        assert set(Entry.objects.filter(voucher=red).values_list("value_date", flat=True)) == {FRIDAY}
    close(city, MONDAY)
    assert totals(city, MONDAY) == {"10101": (0, 0), "21901": (0, 0)}
    assert totals(city, FRIDAY) == {"10101": (100, 0), "21901": (0, 100)}
    with acting_as(city.manager):
        assert check_ledger().problems == ()


def test_不能冲销在原凭证之前(city, employer):
    voucher = take(city, employer, "100.00", MONDAY)
    (problem,) = refused(
        city, lambda: posting.reverse([voucher], on=SATURDAY, prepared_by=city.clerk(), reviewed_by=city.reviewer())
    )
    assert problem.code == "reversal_wrong"


@pytest.mark.parametrize("day", [FRIDAY, date(2026, 3, 12), date(2026, 3, 17), date(2030, 1, 1)])
def test_已结账的日子和未来的日子不能日结(city, accountant, day):
    close(city, FRIDAY)
    (problem,) = refused(city, lambda: close_day(city.branches["10"], day, by=accountant))
    assert problem.code == "day_not_closable"
    assert "鄱阳分中心" in problem.message


def test_别的机构的日子不能日结(city):
    deputy = User.objects.create_user(
        "deputy10", "passw0rd-for-tests", name="鄱阳会计", roles=[Role.ACCOUNTANT], branch=city.branches["10"]
    )
    (problem,) = refused(city, lambda: close_day(city.branches["01"], FRIDAY, by=deputy), by=deputy)
    assert problem.code == "branch_not_yours"
    with acting_as(deputy):
        close_day(city.branches["10"], FRIDAY, by=deputy)
    (problem,) = refused(city, lambda: close_month(END_OF_FEBRUARY, by=deputy), by=deputy)
    assert problem.code == "branch_not_yours"


def test_有未办完的业务_不能日结(city, accountant, monkeypatch):
    """What must be finished is asked of every room above, each with its own refusal."""
    from fundcenter.office.refusals import Refusal

    asked: list[tuple[int, date]] = []

    def unfinished(branch_id: int, day: date) -> list[Problem]:
        asked.append((branch_id, day))
        return [Refusal("left_over", "还有一张汇缴清册待复核。").problem()]

    monkeypatch.setattr(registry, "closing_checks", [unfinished])
    (problem,) = refused(city, lambda: close_day(city.branches["10"], FRIDAY, by=accountant))
    assert problem.code == "left_over"
    assert asked == [(city.branches["10"].pk, FRIDAY)]
    with acting_as(city.manager):
        assert not DayClose.objects.exists()


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.CASHIER])
def test_只有会计和主任结账(city, role):
    person = city.people["10"][role]
    problems = refused(
        city,
        lambda: close_day(city.branches["10"], FRIDAY, by=person),
        lambda: close_month(END_OF_FEBRUARY, by=person),
        by=person,
    )
    assert [problem.code for problem in problems] == ["role_missing"] * 2
    for lesser in (Role.AUDITOR, Role.APPROVER, Role.ADMIN):
        (problem,) = refused(city, lambda by=city.people[""][lesser]: close_day(city.branches["10"], FRIDAY, by=by))
        assert problem.code == "role_missing"


def test_月结须各机构都已日结到月末(city, employer, accountant):
    take(city, employer, "100.00", date(2026, 2, 20))
    close(city, END_OF_FEBRUARY, "10")
    (problem,) = refused(city, lambda: close_month(END_OF_FEBRUARY, by=accountant))
    assert problem.code == "month_not_closable"
    close(city, date(2026, 2, 27), "01")
    (problem,) = refused(city, lambda: close_month(END_OF_FEBRUARY, by=accountant))
    assert problem.code == "month_not_closable"
    close(city, END_OF_FEBRUARY, "01")
    with acting_as(accountant):
        close_month(END_OF_FEBRUARY, by=accountant)
        assert set(Period.objects.values_list("month_closed", flat=True)) == {END_OF_FEBRUARY}
        assert check_ledger().problems == ()
    problems = refused(
        city,
        lambda: close_month(END_OF_FEBRUARY, by=accountant),
        lambda: close_month(date(2026, 1, 31), by=accountant),
        lambda: close_month(date(2026, 3, 13), by=accountant),
        lambda: close_month(date(2026, 3, 31), by=accountant),
    )
    assert [problem.code for problem in problems] == ["month_not_closable"] * 4
    assert "2026年02月" in problems[0].message


def test_月结之后开设的机构_不得记入已结的月份(city, accountant, employer):
    close(city, END_OF_FEBRUARY, "01", "10")
    with acting_as(accountant):
        close_month(END_OF_FEBRUARY, by=accountant)
    city.branches["99"] = Branch.objects.create(code="99", name="新设分中心", division_code="361199")
    assert Period.objects.get(branch=city.branches["99"]).month_closed == END_OF_FEBRUARY
    city.people["99"] = {
        role: User.objects.create_user(f"{role}99", "passw0rd-for-tests", name="新", roles=[role], branch=city.branches["99"])
        for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER)
    }  # fmt: skip
    new = city.employer("新设单位", "99")
    with pytest.raises(Refused, match="新设分中心已结账至 2026-02-28"):
        take(city, new, "1.00", END_OF_FEBRUARY)
    take(city, new, "1.00", date(2026, 3, 2))
    with acting_as(city.manager):
        assert check_ledger().problems == ()


def test_结账留下痕迹(city, accountant):
    (digest,) = close(city, END_OF_FEBRUARY, "10", by=accountant)
    close(city, END_OF_FEBRUARY, "01")
    with acting_as(accountant):
        close_month(END_OF_FEBRUARY, by=accountant)
        events = {event.verb: event for event in AuditEvent.objects.order_by("-id")}
        row = DayClose.objects.get(branch=city.branches["10"])
    assert events["close_day"].person_id == accountant.pk
    assert events["close_day"].detail == {"day": "2026-02-28", "digest": digest}
    assert events["close_month"].detail == {"month": "2026-02"}
    assert (row.closed_by, row.digest, row.vouchers) == (accountant, digest, 0)


def test_日结时开好下一年的账页(city, owner):
    """Guarded and closed to the program like every other, although nobody ran migrate."""
    owner.execute("drop table ledger_entry_2027")
    owner.execute("alter default privileges grant all on tables to fc_app")  # as some installation may have it
    with connection.cursor() as cursor:
        cursor.execute("create temp table ledger_entry_2027 (x int)")  # a name in the way must not pass for it
    close(city, FRIDAY)
    owner.execute("alter default privileges revoke all on tables from fc_app")
    part = owner.execute(
        "select relispartition, relacl::text, (select count(*) from pg_trigger where tgrelid = c.oid and tgname in "
        "('ledger_keep', 'ledger_only_door')) from pg_class c where c.oid = 'public.ledger_entry_2027'::regclass"
    ).fetchone()
    assert part is not None
    partition, rights, guards = part
    assert (partition, guards) == (True, 2)
    assert "fc_app" not in (rights or "")
    connection.close()
    close(city, SATURDAY)  # it is there already


def test_不能开设更远的年份(owner):
    import psycopg

    for year in (1989, 2028, None):
        with pytest.raises(psycopg.Error):
            owner.execute("select ledger_open_year(%s)", [year])
