"""What stays open, said openly: whoever runs any SQL as the program can do this. Each line asserts that it is still so.

Row security protects from a forgotten filter, not from somebody who may set the session's scope; the door keeps the
books whole, and believes who prepared, reviewed and closed, what the source is and which accounts a kind may touch.
SECURITY.md says the same. When one of these is closed, its line moves to the attacks.
"""

import psycopg
import pytest

from accounts.banking import queries as banking
from fundcenter.scope import acting_as
from tests.attacks.scene import Scene, line, payment, post, receipt, slip, withdrawal

OPEN = [
    ("the scope is a session setting, and whoever runs SQL can widen it",
     "select set_config('app.branches', '1,:theirs', false); select * from ledger_voucher where branch_id = :theirs"),
    ("and then posts for another branch",
     f"select set_config('app.branches', ':theirs', false); {post(*receipt(holder=':their_employer'), slips=(slip(branch=':theirs'),))}"),
    ("persons are believed: maker and checker need no role, and need not have been there", post(*receipt(), maker=":manager")),
    ("a day is closed in anybody's name", "select ledger_close_day(:mine, '2026-03-16', :manager)"),
    ("the source is believed: the same business under another name is posted again", post(*receipt(), slips=(slip(source="latest "),))),
    ("a kind may touch every open account", post(*withdrawal("10"), slips=(slip("receipt"),))),
    ("lines may be red in every kind", post(*payment("-10"))),
    ("one side alone may balance itself", post(line("1", "21901", ":employer", "10"), line("1", "21901", ":second_employer", "-10"))),
    ("a kind that crosses may take from another branch's holder: none exists yet, the first one needs an answer",
     post(line("1", "201", ":their_member", "10", branch=":theirs", employer=":their_employer"),
          line("1", "10101", ":bank", "0", "10"), slips=(slip("crossing"),))),
    ("a holder may be made that no person stands behind",
     "insert into ledger_holder (id, kind, branch_id) values (888, 'member', :mine); " + post(*payment(holder="888"))),
    ("the program keeps the list of persons, and so may promote one", "update office_user set roles = '{manager}' where id = :maker"),
    ("a token may be handed out in anybody's name",
     "insert into office_apitoken (person_id, branch_id, name, sha256, verbs, made_by_id, made_at, expires_on) "
     "values (:maker, :mine, 'x', repeat('0', 64), '{upload}', :manager, now(), '2099-12-31')"),
    ("requests of tokens are counted by the program, which may forget them", "insert into office_request values ('token 1', now())"),
    ("a job may be asked for in anybody's name",
     "insert into office_job (branch_id, kind, document, title, by_id, \"on\", state, done, total, note, args, attempts, asked_at) "
     "values (:mine, 'x', 'x', 'x', :manager, '2026-03-16', 'waiting', 0, 0, '', '{}', 0, now())"),
    ("a paper may be issued in anybody's name, with any facts: the public page believes what the program has written",
     "insert into office_issuedpaper (number, branch_id, kind, title, document, subject, facts, sha256, issued_by_id, issued_at) "
     "values ('0', :mine, 'x', 'x', 'x', 'x', '[]', '', :manager, now())"),
    ("the program keeps the list of branches", "update office_branch set name = name || '。' where id = :theirs"),
    ("a trail may be left in another's name",
     "insert into office_auditevent (at, person_id, verb, document, address, detail) values (now(), :manager, 'x', '', '', '{}')"),
    ("a key of another branch is told from none: foreign keys see every row",
     "update banking_receipt set holder_id = :their_member; set constraints all immediate; select 1"),
    ("EXPLAIN tells how much there is behind the wall", "explain analyze select * from ledger_voucher"),
    ("other sessions of the program show their SQL", "select query from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"),
    ("temporary tables and large objects take up disk", "create temp table t as select 1; select lo_from_bytea(0, 'x')"),
    ("the program may end its own sessions", "select pg_cancel_backend(pid) from pg_stat_activity where usename = current_user and datname = current_database() and pid <> pg_backend_pid()"),
    ("a role may change its own password", "alter role fc_app password 'x'; select 1"),
    ("a role may give itself settings for its next sign-in", "alter role fc_app set search_path = pg_temp; select 1"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "sql"), OPEN, ids=[what for what, _ in OPEN])
def test_still_open(scene: Scene, what: str, sql: str) -> None:
    with scene.raw(scene.names["theirs"]), scene.raw(scene.names["mine"], autocommit=False) as program:
        cursor = program.execute(scene.filled(sql))
        while cursor.nextset():
            pass
        assert cursor.rowcount >= 1
        program.rollback()
    assert scene.moved() == []


def test_a_person_s_scope_ends_with_their_work_whatever_was_set_meanwhile(scene: Scene) -> None:
    from django.db import connection

    with acting_as(scene.attacker), connection.cursor() as cursor:
        cursor.execute(scene.filled("select set_config('app.branches', ':theirs', false)"))
    with connection.cursor() as cursor:
        cursor.execute("select office_scope()")
        assert cursor.fetchone() == ([],)
    connection.close()


def test_an_invented_source_is_found_by_the_check(scene: Scene) -> None:
    """The door cannot know the documents; check_ledger asks each room for the document behind each voucher."""
    with scene.raw(scene.names["mine"], scene.names["theirs"], autocommit=False) as program:
        program.execute(scene.filled(post(*receipt(), slips=(slip("receipt", "invented"),))))
        found = [sentence for check in banking.CHECKS for (sentence,) in program.execute(check)]
        program.rollback()
    assert len(found) == 1
    assert "invented" in found[0]


def test_a_posting_left_open_keeps_its_branch_waiting(scene: Scene) -> None:
    """Numbers are gapless, so the next one waits for the one before; the server ends an idle transaction in 10 minutes."""
    with (
        scene.raw(scene.names["mine"], autocommit=False) as idle,
        scene.raw(scene.names["mine"], scene.names["theirs"]) as next_one,
    ):
        idle.execute(scene.filled(post(*receipt())))
        next_one.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            next_one.execute(scene.filled(post(*receipt())))
        elsewhere = post(*receipt(holder=":their_employer"), slips=(slip(branch=":theirs"),))
        next_one.execute(f"begin; {scene.filled(elsewhere)}; rollback")
        idle.rollback()
        assert idle.execute("show idle_in_transaction_session_timeout").fetchone() == ("10min",)
        idle.rollback()
