"""Through the door with something wrong: each call differs from a good one in one thing."""

import pytest

from tests.attacks.scene import NOTHING, Attack, Scene, line, payment, post, receipt, slip, withdrawal

SCOPE, DAY, FAIR, LINE, SHORT = "FC003", "FC004", "FC005", "FC006", "FC007"
KIND, REVERSAL = "FC001", "FC002"
NOT_NULL, FOREIGN_KEY, UNIQUE, CHECK, TOO_LARGE, TOO_LONG = "23502", "23503", "23505", "23514", "22003", "22001"
NO_INTEGER = "0A000"  # cannot convert infinity to integer
LIMIT = f"{FAIR} {CHECK} {TOO_LARGE}"  # by the door, or by the column behind it


def reversal(of: str, source: str = ":fresh", branch: str = ":mine") -> str:
    return slip("reversal", source, branch, reverses=of)


BRANCHES = [
    Attack("a voucher of another branch", post(*receipt(holder=":their_employer"), slips=(slip(branch=":theirs"),)), SCOPE),
    Attack("one of two vouchers of another branch",
           post(*receipt(), *receipt(at="2", holder=":their_employer"), slips=(slip(), slip(source="b", branch=":theirs"))), SCOPE),
    Attack("a voucher of no branch", post(*receipt(), slips=(slip(branch="null"),)), SCOPE),
    Attack("a voucher of an unknown branch", post(*receipt(), slips=(slip(branch=":nobody"),)), SCOPE),
    Attack("a line in another branch", post(*receipt(holder=":their_employer", branch=":theirs")), LINE),
    Attack("a bank line in another branch", post(line("1", "10101", ":bank", "5"), line("1", "10101", ":bank", "0", "5", ":theirs")), LINE),
    Attack("a line in an unknown branch", post(*receipt(branch=":nobody")), DAY),
    Attack("a holder of another branch", post(*payment(holder=":their_member")), LINE),
    Attack("an employer's suspense of another branch", post(*receipt(holder=":their_employer")), LINE),
    Attack("money of another branch is taken", post(*withdrawal("100", holder=":their_member")), LINE),
    Attack("a kind that crosses, begun from another branch", post(*receipt(), slips=(slip("crossing", branch=":theirs"),)), SCOPE),
    Attack("a kind that crosses, with a holder in the wrong one",
           post(*receipt(holder=":employer", branch=":theirs"), slips=(slip("crossing"),)), LINE),
    Attack("a kind that crosses, into a day that the other branch has closed",
           post(line("1", "10101", ":bank", "5"), line("1", "10101", ":bank", "0", "5", ":theirs"), slips=(slip("crossing"),),
                on="date '2026-03-14'"), DAY),
    Attack("without any scope", "select set_config('app.branches', '', false); " + post(*receipt()), SCOPE),
    Attack("with a scope that is no list", "select set_config('app.branches', 'all', false); " + post(*receipt()), "22P02"),
    Attack("with a scope of nulls", "select set_config('app.branches', 'null', false); " + post(*receipt()), "22P02"),
]  # fmt: skip

HOLDERS = [
    Attack("an unknown holder", post(*payment(holder=":nobody")), LINE),
    Attack("a holder of another kind", post(*payment(holder=":employer")), LINE),
    Attack("a loan as a member", post(*payment(holder=":loan")), LINE),
    Attack("no holder where one is due", post(*payment(holder="null")), LINE),
    Attack("no holder on a bank line", post(line("1", "10101", "null", "100"), receipt()[1]), LINE),
    Attack("a holder where none is due", post(*receipt(account="301", holder=":employer")), LINE),
    Attack("an unknown holder where none is due", post(*receipt(account="301", holder=":nobody")), LINE),
    Attack("a member without employer", post(*payment(employer="null")), LINE),
    Attack("a member whose employer is a member", post(*payment(employer=":frozen")), LINE),
    Attack("a member whose employer is unknown", post(*payment(employer=":nobody")), LINE),
    Attack("a member whose employer is of another branch", post(*payment(employer=":their_employer")), LINE),
    Attack("an employer on a line that has none", post(*receipt(employer=":employer")), LINE),
    Attack("an employer on a line without a holder", post(*receipt(account="301", holder="null", employer=":employer")), LINE),
    Attack("a member of the whole city, made for the purpose",
           "begin; insert into ledger_holder (id, kind, branch_id) values (777, 'member', null); " + post(*payment(holder="777")), LINE),
    Attack("an account that is not a leaf", post(line("1", "101", ":bank", "100"), receipt()[1]), LINE),
    Attack("a closed account", post(*receipt(account="124", holder="null")), LINE),
    Attack("an unknown account", post(*receipt(account="999", holder="null")), LINE),
    Attack("an account with a space behind it", post(*receipt(account="21901 ")), LINE),
    Attack("no account", post(line("1", "10101", ":bank", "100"), "row(1, null, null, 0, 100, null, null, null)::ledger_line"), LINE),
]  # fmt: skip

AMOUNTS = [
    Attack("no lines at all", post(), FAIR),
    Attack("one line only", post(receipt()[0]), FAIR),
    Attack("one voucher of two without lines", post(*receipt(), slips=(slip(), slip(source="b"))), FAIR),
    Attack("out of balance by one fen", post(receipt("100")[0], receipt("100.01")[1]), FAIR),
    Attack("balanced over the call, not in each voucher",
           post(line("1", "10101", ":bank", "100"), line("2", "21901", ":employer", "0", "100"), slips=(slip(), slip(source="b"))), FAIR),
    Attack("a line of nothing", post(*receipt(), line("1", "21901", ":employer")), FAIR),
    Attack("a voucher of nothing", post(*receipt("0")), FAIR),
    Attack("both sides in one line", post(line("1", "10101", ":bank", "100", "100")), FAIR),
    Attack("both sides in one line, netted elsewhere", post(line("1", "10101", ":bank", "150", "50"), receipt()[1]), FAIR),
    Attack("half a fen", post(*receipt("0.005")), FAIR),
    Attack("fractions of fen that sum to a fen",
           post(line("1", "10101", ":bank", "0.01"), receipt("0.004")[1], receipt("0.006")[1]), FAIR),
    Attack("fractions of fen on the debit side",
           post(line("1", "10101", ":bank", "0.004"), line("1", "10101", ":bank", "0.006"), receipt("0.01")[1]), FAIR),
    Attack("a negative half fen", post(*receipt("-0.005")), FAIR),
    Attack("debit null", post(line("1", "10101", ":bank", "null"), receipt()[1]), FAIR),
    Attack("credit null", post(*receipt(credit="null")), FAIR),
    Attack("all amounts null", post(line("1", "10101", ":bank", "null", "null")), FAIR),
    Attack("NaN", post(*receipt("'NaN'")), LIMIT),
    Attack("NaN beside a good line", post(*receipt(), *receipt("'NaN'")), LIMIT),
    Attack("infinity", post(*receipt("'infinity'")), LIMIT),
    Attack("infinity beside a good line", post(*receipt(), *receipt("'infinity'")), LIMIT),
    Attack("minus infinity", post(*receipt("'-infinity'")), LIMIT),
    Attack("ten million million", post(*receipt("1e13")), LIMIT),
    Attack("ten million million beside a good line", post(*receipt(), *receipt("1e13")), LIMIT),
    Attack("minus ten million million", post(*receipt("-1e13")), LIMIT),
    Attack("more than a column holds", post(*receipt("1e40")), LIMIT),
    Attack("a place of no voucher", post(*receipt(place="0")), FAIR),
    Attack("a place beyond the vouchers", post(*receipt(place="99")), FAIR),
    Attack("all lines beyond the vouchers", post(*receipt(at="99")), FAIR),
    Attack("all lines before the vouchers", post(*receipt(at="0")), FAIR),
    Attack("a negative place", post(*receipt(place="-1")), FAIR),
    Attack("a null place", post(*receipt(place="null")), FAIR),
    Attack("good lines and more under no voucher", post(*receipt(), *receipt(at="99")), FAIR),
    Attack("a good voucher and lines out of balance under no voucher", post(*receipt(), receipt(at="99")[0]), f"{FAIR} {LINE}"),
    Attack("good lines and more under a null voucher", post(*receipt(), *receipt(at="null")), FAIR),
]  # fmt: skip

NULLS = [
    Attack("no slips", post(*receipt(), slips=()), KIND),
    Attack("no slips and no lines", post(slips=()), KIND),
    Attack("slips null", post(*receipt(), slips="null::ledger_slip[]"), KIND),
    Attack("one slip null", post(*receipt(), slips=(slip(), "null")), KIND),
    Attack("lines null", f"select * from ledger_post(array[{slip()}], null, '2026-03-16', :maker, :checker)", FAIR),
    Attack("one line null", post(*receipt(), "null"), f"{FAIR} {LINE}"),
    Attack("everything null", "select * from ledger_post(null, null, null, null, null)", KIND),
    Attack("a day null", post(*receipt(), on="null"), DAY),
    Attack("a kind null", post(*receipt(), slips="array[row(null, 'a', :mine, 'x', 1, null)::ledger_slip]"), KIND),
    Attack("a source null", post(*receipt(), slips="array[row('trial', null, :mine, 'x', 1, null)::ledger_slip]"), NOT_NULL),
    Attack("a summary null", post(*receipt(), slips=(slip(summary="null"),)), NOT_NULL),
    Attack("attachments null", post(*receipt(), slips=(slip(attachments="null"),)), NOT_NULL),
    Attack("attachments negative", post(*receipt(), slips=(slip(attachments="-1"),)), CHECK),
    Attack("attachments beyond counting", post(*receipt(), slips=(slip(attachments="99999"),)), TOO_LARGE),
    Attack("a summary without end", post(*receipt(), slips=(slip(summary="repeat('长', 201)"),)), TOO_LONG),
    Attack("a source without end", post(*receipt(), slips=(slip(source="9" * 61),)), TOO_LONG),
    Attack("slips of two dimensions without lines", post(slips=f"array[array[{slip()}]]"), FAIR),
    Attack("lines of two dimensions beside a reversal",
           f"select * from ledger_post(array[{reversal(':latest')}], array[array[{', '.join(receipt())}]], '2026-03-16', :maker, :checker)", REVERSAL),
]  # fmt: skip

DAYS = [
    Attack("a closed day", post(*receipt(), on="date '2026-03-13'"), DAY),
    Attack("a day before a closed day", post(*receipt(), on="date '2026-03-01'"), DAY),
    Attack("a closed month", post(*receipt(), on="date '2026-02-28'"), DAY),
    Attack("a year before the books", post(*receipt(), on="date '2010-01-01'"), DAY),
    Attack("tomorrow", post(*receipt(), on="date '2026-03-17'"), DAY),
    Attack("next year", post(*receipt(), on="date '2027-03-16'"), DAY),
    Attack("tomorrow by a time zone ahead", "set timezone = 'Pacific/Kiritimati'; " + post(*receipt(), on="date '2026-03-17'"), DAY),
    Attack("a day of infinity", post(*receipt(), on="'infinity'"), NO_INTEGER),
    Attack("a day of minus infinity", post(*receipt(), on="'-infinity'"), NO_INTEGER),
    Attack("money that counts from the day after tomorrow", post(*receipt(value_date="'2026-03-18'")), CHECK),
    Attack("money that counts from infinity", post(line("1", "10101", ":bank", "100", value_date="'infinity'"), receipt()[1]), CHECK),
    Attack("money that has counted since the year 1", post(*payment(value_date="'0001-01-01'")), LINE),
    Attack("a bank line that has counted since for ever", post(line("1", "10101", ":bank", "100", value_date="'-infinity'"), receipt()[1]), LINE),
]  # fmt: skip

KINDS = [
    Attack("an unknown kind", post(*receipt(), slips=(slip("tr1al"),)), KIND),
    Attack("a kind with a space", post(*receipt(), slips=(slip("trial "),)), KIND),
    Attack("a reversal of nothing", post(*receipt(), slips=(slip("reversal"),)), KIND),
    Attack("another kind that reverses", post(slips=(slip("trial", reverses=":latest"),)), KIND),
    Attack("a reversal of an unknown voucher", post(slips=(reversal(":nobody"),)), REVERSAL),
    Attack("a reversal of another branch's voucher as one's own", post(slips=(reversal(":their_latest"),)), REVERSAL),
    Attack("a reversal of another branch's voucher", post(slips=(reversal(":their_latest", branch=":theirs"),)), SCOPE),
    Attack("whether another branch has a voucher of this key", post(slips=(reversal(":nobody", branch=":theirs"),)), SCOPE),
    Attack("a reversal of a reversal", post(slips=(reversal(":reversal"),)), REVERSAL),
    Attack("a second reversal", post(slips=(reversal(":mistake"),)), UNIQUE),
    Attack("two reversals of one voucher in one call", post(slips=(reversal(":latest"), reversal(":latest", "b"))), UNIQUE),
    Attack("a reversal with lines of one's own", post(*receipt(), slips=(reversal(":latest"),)), REVERSAL),
    Attack("a reversal with lines of one's own, its slip counted from 0",
           post(*receipt(), slips="'[0:0]={\"(reversal,:fresh,:mine,x,1,:latest)\"}'::ledger_slip[]"), REVERSAL),
    Attack("a reversal with lines of one's own, its slip in two dimensions",
           post(*receipt(), slips=f"array[array[{reversal(':latest')}]]"), REVERSAL),
    Attack("a reversal before its original", post(slips=(reversal(":latest"),), on="date '2026-03-15'"), REVERSAL),
    Attack("a reversal on a closed day", post(slips=(reversal(":paid"),), on="date '2026-03-12'"), DAY),
    Attack("a reversal of money that has been spent", post(slips=(reversal(":old_receipt"),)), SHORT),
    Attack("a reversal beside its own original",
           post(*receipt(), slips=(slip(), reversal("(select max(id) + 1 from ledger_voucher)", "b"))), REVERSAL),
]  # fmt: skip

TWICE_AND_PEOPLE = [
    Attack("the same source again", post(*receipt(), slips=(slip(source="latest"),)), UNIQUE),
    Attack("the same source twice in one call", post(*receipt(), *receipt(at="2"), slips=(slip(), slip())), UNIQUE),
    Attack("another branch's source", post(*receipt(), slips=(slip(source="their_latest"),)), UNIQUE),
    Attack("one person makes and checks", post(*receipt(), maker=":checker"), CHECK),
    Attack("nobody makes", post(*receipt(), maker="null"), NOT_NULL),
    Attack("nobody checks", post(*receipt(), checker="null"), NOT_NULL),
    Attack("an unknown person makes", post(*receipt(), maker=":nobody"), FOREIGN_KEY),
    Attack("an unknown person checks", post(*receipt(), checker=":nobody"), FOREIGN_KEY),
    Attack("an unknown person, checked later", "begin; set constraints all deferred; " + post(*receipt(), maker=":nobody") + "; commit", FOREIGN_KEY),
]  # fmt: skip

MONEY = [
    Attack("more than there is", post(*withdrawal("1030.01")), SHORT),
    Attack("more than there is, in two lines", post(*withdrawal("600"), *withdrawal("600")), SHORT),
    Attack("more than there is, in two vouchers", post(*withdrawal("600"), *withdrawal("600", at="2"), slips=(slip(), slip(source="b"))), SHORT),
    Attack("more than there is, one line giving and one taking",
           post(*withdrawal("5000"), *payment("3000")), SHORT),
    Attack("more than there is, in red", post(line("1", "10101", ":bank", "-1030.01"), line("1", "201", ":member", "0", "-1030.01", employer=":employer")), SHORT),
    Attack("what is frozen", post(*withdrawal("300.01", holder=":frozen")), SHORT),
    Attack("what is frozen, in red", post(line("1", "10101", ":bank", "-300.01"), line("1", "201", ":frozen", "0", "-300.01", employer=":employer")), SHORT),
    Attack("from one who never had anything", post(line("1", "21901", ":second_employer", "0.01"), line("1", "10101", ":bank", "0", "0.01")), SHORT),
    Attack("more repaid than was lent", post(line("1", "10101", ":bank", "100.01"), line("1", "121", ":loan", "0", "100.01")), SHORT),
    Attack("repaid on another account than it was lent", post(line("1", "10101", ":bank", "100"), line("1", "122", ":loan", "0", "100")), SHORT),
    Attack("taken from another account of the same holder", post(line("1", "21903", ":loan", "5"), line("1", "10101", ":bank", "0", "5")), SHORT),
    Attack("taken and given back in one call does not hide what is missing",
           post(line("1", "21901", ":second_employer", "100"), line("1", "10101", ":bank", "0", "100"),
                line("2", "10101", ":bank", "99.99"), line("2", "21901", ":second_employer", "0", "99.99"), slips=(slip(), slip(source="b"))), SHORT),
]  # fmt: skip

TRANSACTIONS = [
    Attack("repeatable read", "begin isolation level repeatable read; " + post(*receipt()), "FC000"),
    Attack("serializable", "begin isolation level serializable; " + post(*receipt()), "FC000"),
    Attack("a read-only transaction", "begin read only; " + post(*receipt()), "25006"),
    Attack("a refusal that is swallowed leaves nothing behind",
           f"do $$ begin perform 1 from ({post(*receipt(), *withdrawal('99999'))}) p; exception when others then null; end $$", NOTHING),
    Attack("a good voucher and a bad one in one transaction", f"{post(*receipt())}; {post(*payment(holder=':their_member'), slips=(slip(source='b'),))}", LINE),
    Attack("a posting after one's own close", "begin; select ledger_close_day(:mine, '2026-03-16', :checker); " + post(*receipt()), DAY),
    Attack("a close and an older day, in one transaction",
           "begin; select ledger_close_day(:mine, '2026-03-16', :checker); select ledger_close_day(:mine, '2026-03-15', :checker)", "FC008"),
    Attack("a good voucher taken back", f"begin; {post(*receipt())}; rollback; select 1 where false", NOTHING),
    Attack("a good voucher taken back to a savepoint", f"begin; savepoint s; {post(*receipt())}; rollback to s; commit; select 1 where false", NOTHING),
]  # fmt: skip

CLOSING = [
    Attack("another branch's day", "select ledger_close_day(:theirs, '2026-03-16', :maker)", SCOPE),
    Attack("no branch's day", "select ledger_close_day(null, '2026-03-16', :maker)", SCOPE),
    Attack("an unknown branch's day", "select ledger_close_day(:nobody, '2026-03-16', :maker)", SCOPE),
    Attack("the day that is closed", "select ledger_close_day(:mine, '2026-03-13', :maker)", "FC008"),
    Attack("backwards", "select ledger_close_day(:mine, '2026-03-01', :maker)", "FC008"),
    Attack("tomorrow", "select ledger_close_day(:mine, '2026-03-17', :maker)", "FC008"),
    Attack("infinity", "select ledger_close_day(:mine, 'infinity', :maker)", "FC008"),
    Attack("minus infinity", "select ledger_close_day(:mine, '-infinity', :maker)", "FC008"),
    Attack("no day", "select ledger_close_day(:mine, null, :maker)", "FC008"),
    Attack("by nobody", "select ledger_close_day(:mine, '2026-03-16', null)", NOT_NULL),
    Attack("by an unknown person", "select ledger_close_day(:mine, '2026-03-16', :nobody)", FOREIGN_KEY),
    Attack("from an old snapshot", "begin isolation level repeatable read; select ledger_close_day(:mine, '2026-03-16', :maker)", "FC000"),
    Attack("the month, by one branch", "select ledger_close_month('2026-02-28')", SCOPE),
    Attack("the month, with days open", "select ledger_close_month('2026-03-31')", "FC009", as_manager=True),
    Attack("the month again", "select ledger_close_month('2026-02-28')", "FC009", as_manager=True),
    Attack("an earlier month", "select ledger_close_month('2026-01-31')", "FC009", as_manager=True),
    Attack("half a month", "select ledger_close_month('2026-03-13')", "FC009", as_manager=True),
    Attack("no month, which would open all of them", "select ledger_close_month(null)", "FC009", as_manager=True),
    Attack("all time", "select ledger_close_month('infinity')", "FC009", as_manager=True),
    Attack("the month, from an old snapshot", "begin isolation level serializable; select ledger_close_month('2026-03-31')", "FC000", as_manager=True),
]  # fmt: skip
CLOSING = [Attack(f"closing: {a.what}", a.sql, a.answer, a.as_manager) for a in CLOSING]

ATTACKS = [
    *BRANCHES, *HOLDERS, *AMOUNTS, *NULLS, *DAYS, *KINDS, *TWICE_AND_PEOPLE, *MONEY, *TRANSACTIONS, *CLOSING,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_refused(scene: Scene, attack: Attack) -> None:
    assert scene.attempt(attack.sql, as_manager=attack.as_manager) in attack.answers
    assert scene.moved() == []


GOOD = {
    "a receipt": post(*receipt()),
    "a payment": post(*payment()),
    "all that there is": post(*withdrawal("1030")),
    "all that is not frozen": post(*withdrawal("300", holder=":frozen")),
    "two vouchers": post(*receipt(), *receipt(at="2"), slips=(slip(), slip(source="b"))),
    "into another branch by a kind that crosses": post(
        line("1", "10101", ":bank", "5"), line("1", "10101", ":bank", "0", "5", ":theirs"), slips=(slip("crossing"),)),
    "a reversal": post(slips=(reversal(":latest"),)),
    "a reversal of what crossed": post(slips=(reversal(":crossed"),)),
    "a reversal and another": post(*receipt(), slips=(slip(), reversal(":latest", "b"))),
    "all that was lent repaid": post(line("1", "10101", ":bank", "100"), line("1", "121", ":loan", "0", "100")),
    "money lent": post(line("1", "121", ":loan", "100"), line("1", "10101", ":bank", "0", "100")),
    "money that counts from tomorrow": post(*receipt(value_date="'2026-03-17'")),
    "money that has counted since the opening of the fund": post(*payment(value_date="'1992-05-01'")),
    "the highest amount": post(*receipt("9999999999999.99")),
    "a branch's day": "select ledger_close_day(:mine, '2026-03-16', :maker)",
}  # fmt: skip


@pytest.mark.parametrize("call", GOOD)
def test_without_its_fault_the_call_is_taken(scene: Scene, call: str) -> None:
    """Else an attack might be refused for a fault it never meant to have."""
    with scene.raw(scene.names["mine"], autocommit=False) as books:
        assert books.execute(scene.filled(GOOD[call])).rowcount >= 1
        books.rollback()


def test_a_call_of_many_words_and_branches_numbers_each_by_itself(scene: Scene) -> None:
    """Six vouchers in one call, two words in two branches: each series goes on where it was, in the order of the slips."""
    heads = [
        slip(kind, f"{kind}-{branch}-{turn}", branch)
        for turn in range(2)
        for kind, branch in (("trial", ":mine"), ("trial", ":theirs"), ("crossing", ":mine"))
    ]
    lines = [
        text
        for at, head in enumerate(heads, start=1)
        for text in receipt(at=str(at), holder=":their_employer" if ":theirs" in head else ":employer")
    ]
    with scene.raw(scene.names["mine"], scene.names["theirs"], autocommit=False) as books:
        call = post(*lines, slips=tuple(heads)).replace("select *", "select branch_id, word, number", 1)
        numbers: dict[tuple[int, str], list[int]] = {}
        for branch, word, number in books.execute(scene.filled(call)):
            numbers.setdefault((branch, word), []).append(number)
        given = books.execute(
            "select branch_id, word, last from ledger_number_series() where month = '2026-03-01'"
        ).fetchall()
        books.rollback()
    assert len(numbers) == 3
    assert numbers == {(branch, word): [last - 1, last] for branch, word, last in given}
    assert scene.moved() == []


@pytest.mark.parametrize("voucher", ["crossed", "latest", "old_receipt"])
def test_a_reversal_goes_back_line_by_line_where_it_came_from(scene: Scene, voucher: str) -> None:
    """Account, holder, employer, branch and the day from which it counts are the original's; the amounts its negative."""
    columns = "account_id, holder_id, employer_id, branch_id, value_date"
    with scene.raw(scene.names["mine"], scene.names["theirs"], autocommit=False) as books:
        if voucher == "old_receipt":  # its money has been spent: more comes in first
            books.execute(scene.filled(post(*receipt("5000"))))
        (red,) = books.execute(
            scene.filled(f"select id from ({post(slips=(reversal(':' + voucher),))}) red")
        ).fetchone()
        original, negative = (
            books.execute(
                f"select {columns}, {sign}debit, {sign}credit from ledger_entry where voucher_id = %s order by id",
                [key],
            ).fetchall()
            for key, sign in ((scene.names[voucher], ""), (red, "-"))
        )
        books.rollback()
    assert len(original) == 2
    assert negative == original
    assert {row[3] for row in original} == {
        scene.names["mine"],
        scene.names["theirs" if voucher == "crossed" else "mine"],
    }
    assert scene.moved() == []


def test_a_new_branch_does_not_reopen_a_closed_month(scene: Scene) -> None:
    """Closed takes nothing, not even from a branch that the program makes afterwards."""
    with scene.raw(scene.names["mine"], autocommit=False) as books:
        (new,) = books.execute(
            "insert into office_branch (code, name, division_code) values ('99', '新设机构', '361100') returning id"
        ).fetchone()
        books.execute("select set_config('app.branches', %s, true)", [str(new)])
        for day, answer in (("2026-02-28", DAY), ("2026-03-02", None)):
            said = None
            try:
                with books.transaction():
                    late = line("1", "10101", ":bank", "5"), line("1", "41102", credit="5")
                    books.execute(scene.filled(post(*late, slips=(slip(branch=str(new)),), on=f"date '{day}'")))
            except Exception as error:
                said = getattr(error, "sqlstate", str(error))
            assert (day, said) == (day, answer)
        books.rollback()
    assert scene.moved() == []
