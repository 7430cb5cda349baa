"""Behind the door: what still holds when its function were wrong, or the owner careless.

The owner migrates and may do anything with DDL; but no statement of theirs changes, removes or adds what is posted. And the
door's own role, should a function of it ever be mistaken, meets the constraints of the tables.
"""

import psycopg
import pytest

from tests.attacks.scene import Attack, Scene

KEPT, ONLY_DOOR, REFUSED = "FC020", "FC021", "42501"
UNIQUE, CHECK, NOT_NULL, FOREIGN_KEY, TOO_LARGE, NO_PART = "23505", "23514", "23502", "23503", "22003", "23514"
POSTED = {
    "ledger_voucher": "amount", "ledger_entry": "debit", "ledger_entry_2024": "debit", "ledger_entry_2025": "debit",
    "ledger_entry_2026": "debit", "ledger_entry_2027": "debit", "ledger_daytotal": "debit", "ledger_dayclose": "digest",
}  # fmt: skip
STANDING = {"ledger_balance": "amount", "ledger_series": "last"}

OWNER = [
    *(
        Attack(f"{what} of {table}", sql.format(table, column), answer)
        for table, column in POSTED.items()
        for what, sql, answer in (
            ("UPDATE", "update {0} set {1} = {1}", KEPT),
            ("UPDATE of no row", "update {0} set {1} = {1} where false", KEPT),
            ("DELETE", "delete from {0}", KEPT),
            ("TRUNCATE", "truncate {0} cascade", KEPT),
            ("INSERT", "insert into {0} select * from {0} where false", ONLY_DOOR),
            ("MERGE", "merge into {0} t using (select 1) s on true when matched then delete", KEPT),
        )
    ),
    *(
        Attack(f"{what} of {table}", sql.format(table, column), ONLY_DOOR)
        for table, column in STANDING.items()
        for what, sql in (
            ("UPDATE", "update {0} set {1} = {1}"),
            ("DELETE", "delete from {0}"),
            ("TRUNCATE", "truncate {0}"),
            ("INSERT", "insert into {0} select * from {0} where false"),
        )
    ),
    Attack("TRUNCATE of the chart, and with it of what hangs on it", "truncate ledger_account cascade", KEPT),
    Attack("a branch with vouchers deleted", "delete from office_branch where id = :mine; set constraints all immediate", FOREIGN_KEY),
    Attack("a kind with vouchers deleted", "delete from ledger_kind where code = 'trial'; set constraints all immediate", FOREIGN_KEY),
    Attack("a person on a voucher deleted", "delete from office_user where id = :maker; set constraints all immediate", FOREIGN_KEY),
    Attack("a holder that a member is", "delete from ledger_holder where id = :member", FOREIGN_KEY),
]  # fmt: skip

VOUCHER = """insert into ledger_voucher (branch_id, date, month, word, number, kind_id, source, summary, attachments, amount,
                                         prepared_by_id, reviewed_by_id, reverses_id)
             select branch_id, date, month, word, {number}, kind_id, {source}, summary, {attachments}, {amount},
                    {maker}, reviewed_by_id, {reverses} from ledger_voucher where id = :mistake"""
ENTRY = """insert into ledger_entry (id, date, voucher_id, branch_id, account_id, holder_id, employer_id, debit, credit, value_date)
           select {id}, {date}, voucher_id, branch_id, account_id, holder_id, employer_id, {debit}, {credit}, {value_date}
             from ledger_entry e where voucher_id = :mistake and debit > 0"""


def voucher(**changed: str) -> str:
    given = {
        "number": "99",
        "source": "'belt'",
        "attachments": "1",
        "amount": "1",
        "maker": "prepared_by_id",
        "reverses": "null",
    }
    return VOUCHER.format(**{**given, **changed})


def entry(**changed: str) -> str:
    given = {"id": "1", "date": "date", "debit": "5", "credit": "0", "value_date": "date"}
    return ENTRY.format(**{**given, **changed})


DOOR = [
    Attack("the same number twice", voucher(number="number"), UNIQUE),
    Attack("the same source twice", voucher(source="source"), UNIQUE),
    Attack("one voucher reversed twice", voucher(reverses="id"), UNIQUE),
    Attack("one person makes and checks", voucher(maker="reviewed_by_id"), CHECK),
    Attack("nobody makes", voucher(maker="null"), NOT_NULL),
    Attack("an unknown person makes", voucher(maker=":nobody") + "; set constraints all immediate", FOREIGN_KEY),
    Attack("an unknown voucher reversed", voucher(reverses=":nobody") + "; set constraints all immediate", FOREIGN_KEY),
    Attack("negative attachments", voucher(attachments="-1"), CHECK),
    Attack("an entry twice", entry(id="id"), UNIQUE),
    Attack("both sides in one entry", entry(credit="5"), CHECK),
    Attack("no side in an entry", entry(debit="0"), CHECK),
    Attack("NaN in an entry", entry(debit="'NaN'"), CHECK),
    Attack("infinity in an entry", entry(debit="'infinity'"), TOO_LARGE),
    Attack("ten million million in an entry", entry(debit="1e13"), CHECK),
    Attack("minus ten million million in an entry", entry(credit="-1e13", debit="0"), CHECK),
    Attack("an entry that counts from the day after tomorrow", entry(value_date="date + 2"), CHECK),
    Attack("an entry of a year that is not open", entry(date="date '2031-01-01'"), NO_PART),
    Attack("a posted voucher changed", "update ledger_voucher set amount = 0", REFUSED),
    Attack("a posted entry deleted", "delete from ledger_entry", REFUSED),
    Attack("a part emptied", "truncate ledger_entry_2026", REFUSED),
    Attack("a close taken back", "delete from ledger_dayclose", REFUSED),
    Attack("a total rewritten", "update ledger_daytotal set debit = 0", REFUSED),
    Attack("a balance deleted", "delete from ledger_balance", REFUSED),
    Attack("a series deleted", "delete from ledger_series", REFUSED),
    Attack("a holder moved", "update ledger_holder set branch_id = :theirs", REFUSED),
    Attack("an account opened", "update ledger_account set is_open = true", REFUSED),
    Attack("a kind made", "insert into ledger_kind select * from ledger_kind where false", REFUSED),
    Attack("the clock moved", "update office_clock set day = '2030-01-01'", REFUSED),
    Attack("a person promoted", "update office_user set roles = '{manager}'", REFUSED),
    Attack("a table made", "create table public.mine (id int)", REFUSED),
    Attack("a function made", "create function public.f() returns int language sql as 'select 1'", REFUSED),
]  # fmt: skip


def said(scene: Scene, role: str, sql: str) -> str:
    with scene.superuser.transaction(force_rollback=True):
        scene.superuser.execute(f"set local role {role}")
        try:
            with scene.superuser.transaction():
                scene.superuser.execute(scene.filled(sql))
        except psycopg.Error as error:
            return error.sqlstate or str(error)
    return "done"


@pytest.mark.parametrize("attack", OWNER, ids=str)
def test_not_even_the_owner(scene: Scene, attack: Attack) -> None:
    assert said(scene, "fc_owner", attack.sql) in attack.answers


@pytest.mark.parametrize("attack", DOOR, ids=str)
def test_not_even_the_door(scene: Scene, attack: Attack) -> None:
    assert said(scene, "fc_door", attack.sql) in attack.answers


@pytest.mark.parametrize("sql", [voucher(), entry()])
def test_without_its_fault_the_door_s_role_may(scene: Scene, sql: str) -> None:
    assert said(scene, "fc_door", sql) == "done"
    assert scene.moved() == []
