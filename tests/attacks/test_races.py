"""Two at once: real connections in real threads."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from tests.attacks import scene as scenes
from tests.attacks.scene import Scene, line, post, receipt, slip

TAKEN = "taken"


@pytest.fixture
def scene(transactional_db: None) -> Iterator[Scene]:
    with scenes.build() as built:
        yield built
        assert built.verdict()[1] == ()


def answer(books: psycopg.Connection, sql: str) -> str:
    try:
        books.execute(sql)
    except psycopg.Error as error:
        return error.sqlstate or str(error)
    return TAKEN


def at_once(scene: Scene, *calls: str) -> list[str]:
    """Every call on a connection of its own, begun at the same moment; their answers, sorted."""
    barrier = Barrier(len(calls))
    calls = tuple(scene.filled(call) for call in calls)

    def run(call: str) -> str:
        with scene.raw(scene.names["mine"], scene.names["theirs"]) as books:
            barrier.wait(10)
            return answer(books, call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def waiting(scene: Scene, future: Future[str]) -> bool:
    """Whether somebody waits for a lock, and so did not answer yet."""
    for _ in range(200):
        (n,) = scene.superuser.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
        if n or future.done():
            break
        time.sleep(0.01)
    return n > 0 and not future.done()


def while_under_way(scene: Scene, first: str, second: str) -> str:
    """``first`` is done but not committed; ``second`` must wait for it; the answer of ``second``."""
    everything = scene.names["mine"], scene.names["theirs"]
    with (
        scene.raw(*everything, autocommit=False) as before,
        scene.raw(*everything) as after,
        ThreadPoolExecutor(1) as pool,
    ):
        before.execute(scene.filled(first))
        future = pool.submit(answer, after, scene.filled(second))
        assert waiting(scene, future)
        before.commit()
        return future.result(20)


def count(scene: Scene, sql: str) -> object:
    return scene.superuser.execute(scene.filled(sql)).fetchone()[0]


def test_the_same_source_at_once_is_one_voucher(scene: Scene) -> None:
    for turn in range(5):
        call = post(*receipt(), slips=(slip(source=f"once-{turn}"),))
        assert at_once(scene, call, call, call) == ["23505", "23505", TAKEN]
    assert count(scene, "select count(*) from ledger_voucher where source like 'once-%'") == 5


def test_the_last_money_is_spent_once(scene: Scene) -> None:
    for turn in range(5):
        at_once(scene, post(*receipt("100", holder=":second_employer"), slips=(slip(source=f"in-{turn}"),)))
        spend = [
            post(
                line("1", "21901", ":second_employer", "100"),
                line("1", "201", ":member", "0", "100", employer=":second_employer"),
                slips=(slip(source=f"out-{turn}-{who}"),),
            )
            for who in range(3)
        ]
        assert at_once(scene, *spend) == ["FC007", "FC007", TAKEN]
    assert count(scene, "select amount from ledger_balance where holder_id = :second_employer") == 0


def test_reversing_a_receipt_while_its_money_is_spent(scene: Scene) -> None:
    for turn in range(6):
        at_once(scene, post(*receipt("100", holder=":second_employer"), slips=(slip(source=f"in-{turn}"),)))
        scene.names["it"] = count(scene, f"select id from ledger_voucher where source = 'in-{turn}'")
        back = post(slips=(slip("reversal", f"back-{turn}", reverses=":it"),))
        out = post(
            line("1", "21901", ":second_employer", "100"),
            line("1", "201", ":member", "0", "100", employer=":second_employer"),
            slips=(slip(source=f"out-{turn}"),),
        )
        assert at_once(scene, back, out) == ["FC007", TAKEN]
    assert count(scene, "select amount from ledger_balance where holder_id = :second_employer") == 0


def test_two_reversals_of_one_voucher(scene: Scene) -> None:
    calls = [post(slips=(slip("reversal", f"back-{who}", reverses=":latest"),)) for who in range(2)]
    assert at_once(scene, *calls) == ["23505", TAKEN]


CLOSE = "select ledger_close_day(:mine, '2026-03-16', :manager)"


def test_a_day_s_close_waits_for_a_posting_under_way_and_holds_it(scene: Scene) -> None:
    assert while_under_way(scene, post(*receipt("12.34"), slips=(slip(source="under way"),)), CLOSE) == TAKEN
    assert count(scene, "select day_closed::text from ledger_period where branch_id = :mine") == "2026-03-16"
    total = "select debit from ledger_daytotal where branch_id = :mine and date = '2026-03-16' and account_id = '10101'"
    entries = "select sum(debit) from ledger_entry where branch_id = :mine and account_id = '10101'"
    assert count(scene, total) == count(scene, entries)
    assert at_once(scene, post(*receipt())) == ["FC004"]


def test_a_posting_waits_for_a_close_under_way_and_is_refused(scene: Scene) -> None:
    assert while_under_way(scene, CLOSE, post(*receipt())) == "FC004"


def test_a_line_in_another_branch_waits_for_that_branch_s_close(scene: Scene) -> None:
    crossing = post(
        line("1", "10101", ":bank", "5"), line("1", "10101", ":bank", "0", "5", ":theirs"), slips=(slip("crossing"),)
    )
    theirs = "select ledger_close_day(:theirs, '2026-03-16', :manager)"
    assert while_under_way(scene, theirs, crossing) == "FC004"


def test_closing_twice_at_once_closes_once(scene: Scene) -> None:
    assert at_once(scene, CLOSE, CLOSE) == ["FC008", TAKEN]


def end_of_march(scene: Scene) -> None:
    scene.superuser.execute("delete from office_clock; insert into office_clock (day) values ('2026-04-01')")
    last = "select ledger_close_day({}, '2026-03-31', :manager)"
    assert at_once(scene, last.format(":mine")) == at_once(scene, last.format(":theirs")) == [TAKEN]


NEW_BRANCH = "insert into office_branch (code, name, division_code) values ('99', '新设机构', '361100')"


def test_a_new_branch_waits_for_a_month_s_close_and_is_closed_too(scene: Scene) -> None:
    end_of_march(scene)
    assert while_under_way(scene, "select ledger_close_month('2026-03-31')", NEW_BRANCH) == TAKEN
    assert count(scene, "select count(*) from ledger_period where month_closed = '2026-03-31'") == 3


def test_a_month_s_close_waits_for_a_new_branch_and_is_refused(scene: Scene) -> None:
    """The new branch has not closed its last day yet."""
    end_of_march(scene)
    assert while_under_way(scene, NEW_BRANCH, "select ledger_close_month('2026-03-31')") == "FC009"


def test_numbers_of_three_counters_have_no_gap(scene: Scene) -> None:
    """3 × 60 postings of one branch and month at once, a tenth of them taken back."""

    def counter(who: int) -> int:
        done = 0
        with scene.raw(scene.names["mine"], autocommit=False) as books:
            for turn in range(60):
                books.execute(calls[who][turn])
                if turn % 10 == 9:
                    books.rollback()
                else:
                    books.commit()
                    done += 1
        return done

    calls = [
        [scene.filled(post(*receipt("0.01"), slips=(slip(source=f"{who}-{turn}"),))) for turn in range(60)]
        for who in range(3)
    ]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(counter, range(3))) == 162
    numbers = scene.superuser.execute(
        scene.filled(
            "select number from ledger_voucher where branch_id = :mine and month = '2026-03-01' and word = '记' order by 1"
        )
    ).fetchall()
    assert [n for (n,) in numbers] == list(range(1, len(numbers) + 1))


CROWD, SOME = 3000, 900


def run_over_members(turn: int, kind: str, order: str, how_many: int) -> str:
    """One voucher that pays so many members one fen each, its lines in this order."""
    head = slip(kind, f"{kind}-{turn}")
    return (
        f"select * from ledger_post(array[{head}], array("
        f"select row(1, '21901', :employer, {how_many}::numeric / 100, 0, null, null, null)::ledger_line union all "
        f"(select row(1, '201', id, 0, 0.01, null, :employer, null)::ledger_line from "
        f"(select id from crowd order by id limit {how_many}) c order by id {order})), "
        f"'2026-03-16', :maker, :checker)"
    )


def test_two_runs_over_the_same_holders_in_opposite_order(scene: Scene) -> None:
    """Balances are taken in the order of their keys, whatever the lines' order and the plan: no deadlock (40P01).

    A call of more than 1,000 lines is planned by itself, a smaller one as the counters': each has its own ways to sort.
    """
    scene.superuser.execute(
        scene.filled(
            f"create table crowd as with h as (insert into ledger_holder (kind, branch_id) select 'member', :mine "
            f"from generate_series(1, {CROWD}) returning id) select id from h; grant select on crowd to fc_app"
        )
    )
    try:
        for turn in range(4):
            # Of two words, so that no number keeps one waiting for the other before their first balance.
            large = run_over_members(turn, "trial", "asc", CROWD)
            small = run_over_members(turn, "crossing", "desc", SOME)
            assert at_once(scene, large, small) == [TAKEN, TAKEN]
    finally:
        scene.superuser.execute("drop table crowd")
