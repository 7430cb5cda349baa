"""Laws of the book, over random histories: a small model of it in Python against the door.

Every example opens a branch of its own, receives, pays in, pays out, reverses and closes days there on random days with
random value dates, and says beforehand what the door must answer. Afterwards book and model must agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from string import ascii_letters

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck, event, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.banking.models import BankAccount
from accounts.ledger.services.checking import check_ledger
from fundcenter import database
from fundcenter.scope import acting_as
from tests.attacks.scene import line, open_raw, post, slip
from tests.city import City

TODAY = date(2026, 3, 16)
TAKEN, REVERSAL_WRONG, DAY_CLOSED, SHORT, TWICE = "taken", "FC002", "FC004", "FC007", "23505"

fen = st.integers(1, 100_000)
# From May 2025 on, so that the interest year ends in between.
days = st.integers(0, 320).map(lambda back: TODAY - timedelta(back))
# An entry counts from up to a year before its day, at the latest from the day after.
before = st.one_of(st.sampled_from([-1, 0]), st.integers(1, 400)).map(timedelta)
members = st.integers(0, 2)
histories = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), days, st.integers(1, 1_000_000), before),
        st.tuples(st.just("pay in"), days, st.dictionaries(members, fen, min_size=1), before),
        st.tuples(st.just("pay out"), days, members, fen, before),
        st.tuples(st.just("reverse"), st.integers(-3, 40).map(timedelta), st.integers(0, 30)),
        st.tuples(st.just("close"), st.integers(150, 330).map(lambda back: TODAY - timedelta(back))),
    ),
    min_size=3,
    max_size=16,
)
FIRST = ("receive", TODAY - timedelta(320), 300_000, timedelta(0))


def yuan(amount: int) -> Decimal:
    return Decimal(amount) / 100


def interest_year_end(day: date) -> date:
    return date(day.year if day.month <= 6 else day.year + 1, 6, 30)


@dataclass
class Line:
    account: str
    holder: int
    debit: int
    credit: int
    counts_from: date


@dataclass
class Posted:
    key: int
    day: date
    lines: list[Line]
    reverses: Posted | None = None


@dataclass
class Book:
    """The door, and beside it a model that knows no SQL."""

    program: psycopg.Connection
    branch: int
    bank: int
    maker: int
    checker: int
    employer: int
    members: list[int]
    vouchers: list[Posted] = field(default_factory=list)
    year_ends: dict[int, date] = field(default_factory=dict)
    closed: date = date.min
    sources: Iterator[int] = field(default_factory=itertools.count)

    # The model ---------------------------------------------------------------------------------------------------------

    def lines_of(self, holder: int) -> list[Line]:
        return [one for voucher in self.vouchers for one in voucher.lines if one.holder == holder]

    def balance(self, holder: int) -> int:
        return sum(one.credit - one.debit for one in self.lines_of(holder))

    def expected(self, day: date, lines: list[Line]) -> str:
        if day <= self.closed or day > TODAY:
            return DAY_CLOSED
        for holder in {one.holder for one in lines} - {self.bank}:
            change = sum(one.credit - one.debit for one in lines if one.holder == holder)
            if change < 0 and self.balance(holder) + change < 0:
                return SHORT
        return TAKEN

    def expected_reversal(self, day: date, original: Posted) -> str:
        if original.reverses or day < original.day:
            return REVERSAL_WRONG
        if day <= self.closed:
            return DAY_CLOSED
        if any(voucher.reverses is original for voucher in self.vouchers):
            return TWICE
        return self.expected(day, reversed_lines(original))

    def remember(self, key: int, day: date, lines: list[Line], reverses: Posted | None = None) -> None:
        self.vouchers.append(Posted(key, day, lines, reverses))
        for holder in {one.holder for one in lines} - {self.bank}:
            self.year_ends.setdefault(holder, interest_year_end(day))

    # The door ----------------------------------------------------------------------------------------------------------

    def ask(self, sql: str) -> tuple[str, int]:
        try:
            return TAKEN, self.program.execute(sql).fetchone()[0]
        except psycopg.Error as error:
            return error.sqlstate or str(error), 0

    def post(self, day: date, lines: list[Line]) -> str:
        expected = self.expected(day, lines)
        written = [
            line("1", one.account, str(one.holder), str(yuan(one.debit)), str(yuan(one.credit)),
                 employer=str(self.employer) if one.account == "201" else "null", value_date=f"'{one.counts_from}'")
            for one in lines
        ]  # fmt: skip
        answer, key = self.ask(self.call(*written, on=day, head=slip(source=self.source(), branch=str(self.branch))))
        assert answer == expected
        event(f"post {answer}")
        if answer == TAKEN:
            self.remember(key, day, lines)
        return answer

    def reverse(self, day: date, original: Posted) -> str:
        expected = self.expected_reversal(day, original)
        head = slip("reversal", self.source(), str(self.branch), str(original.key))
        answer, key = self.ask(self.call(on=day, head=head))
        assert answer == expected
        event(f"reverse {answer}")
        if answer == TAKEN:
            self.remember(key, day, reversed_lines(original), original)
        return answer

    def close(self, day: date) -> None:
        expected = TAKEN if day > self.closed else "FC008"
        answer, _ = self.ask(f"select ledger_close_day({self.branch}, '{day}', {self.checker})")
        assert answer == expected
        self.closed = max(self.closed, day)

    def source(self) -> str:
        return f"{self.branch}-{next(self.sources)}"

    def call(self, *lines: str, on: date, head: str) -> str:
        return post(*lines, slips=(head,), on=f"date '{on}'", maker=str(self.maker), checker=str(self.checker))

    # A history ---------------------------------------------------------------------------------------------------------

    def live(self, history: list[tuple]) -> None:
        for what, day, *rest in history:
            if what == "reverse" and self.vouchers:
                original = self.vouchers[-1 - rest[0] % len(self.vouchers)]
                self.reverse(min(original.day + day, TODAY), original)
            elif what == "receive":
                self.post(day, self.receipt(rest[0], day - rest[1]))
            elif what == "pay in":
                amounts, since = rest[0], day - rest[1]
                paid = [Line("201", self.members[who], 0, amount, since) for who, amount in amounts.items()]
                self.post(day, [Line("21901", self.employer, sum(amounts.values()), 0, since), *paid])
            elif what == "pay out":
                who, amount, since = rest[0], rest[1], day - rest[2]
                self.post(
                    day, [Line("201", self.members[who], amount, 0, since), Line("10101", self.bank, 0, amount, since)]
                )
            elif what == "close":
                self.close(day)

    def receipt(self, amount: int, since: date) -> list[Line]:
        return [Line("10101", self.bank, amount, 0, since), Line("21901", self.employer, 0, amount, since)]

    def balances(self) -> dict[int, tuple]:
        found = self.program.execute(
            "select holder_id, amount, product, counts_to, withdrawn, branch_id from ledger_balance where branch_id = %s",
            [self.branch],
        )
        return {holder: tuple(row) for holder, *row in found}


def reversed_lines(voucher: Posted) -> list[Line]:
    return [Line(one.account, one.holder, -one.debit, -one.credit, one.counts_from) for one in voucher.lines]


class Books:
    """Opens a book on a branch of its own for each example."""

    def __init__(self, city: City, superuser: psycopg.Connection):
        self.city, self.superuser = city, superuser
        self.codes = map("".join, itertools.product(ascii_letters, repeat=2))
        superuser.execute(
            "insert into ledger_kind (code, name, word, crosses_branches) values ('trial', '试账', '记', false)"
        )
        with acting_as(city.manager):
            self.bank = BankAccount.objects.get().pk

    def open(self, program: psycopg.Connection) -> Book:
        code = next(self.codes)
        (branch,) = self.superuser.execute(
            "insert into office_branch (code, name, division_code) values (%s, %s, '361100') returning id",
            [code, f"机构{code}"],
        ).fetchone()
        holders = self.superuser.execute(
            "insert into ledger_holder (kind, branch_id) select kind, %s from unnest(array['employer', 'member', 'member', 'member']) "
            "kind returning id",
            [branch],
        ).fetchall()
        employer, *members = (key for (key,) in holders)
        program.execute("select set_config('app.branches', %s, false)", [str(branch)])
        return Book(program, branch, self.bank, self.city.clerk().pk, self.city.reviewer().pk, employer, members)


@pytest.fixture
def books(city: City) -> Iterator[Books]:
    with database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"], autocommit=True) as superuser:
        yield Books(city, superuser)


@pytest.fixture
def program(city: City) -> Iterator[psycopg.Connection]:
    with open_raw() as opened:
        yield opened


few = examples(
    max_examples=80, deadline=None, database=None, print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@few
@given(history=histories, any_day=st.dates(date(2024, 1, 1), date(2028, 12, 31)))
def test_book_and_model_agree(books: Books, program: psycopg.Connection, history: list[tuple], any_day: date) -> None:
    book = books.open(program)
    book.live([FIRST, *history])
    found = book.balances()
    assert found.keys() == book.year_ends.keys()
    for holder, (amount, product, counts_to, withdrawn, _) in found.items():
        lines = book.lines_of(holder)
        assert amount == yuan(book.balance(holder)) >= 0
        assert withdrawn == yuan(sum(one.debit for one in lines))
        assert counts_to == book.year_ends[holder]
        # 积数 of any day: the accumulator minus balance × the days left is Σ amount × days, both days included.
        by_day = sum((one.credit - one.debit) * ((any_day - one.counts_from).days + 1) for one in lines)
        assert product - amount * (counts_to - any_day).days == yuan(by_day)
    every_voucher_balances(book)
    numbers_have_no_gap(book)
    totals_are_the_entries_so_far(book)
    with acting_as(books.city.manager):
        assert check_ledger().problems == ()


def every_voucher_balances(book: Book) -> None:
    rows = book.program.execute(
        "select v.id, v.amount, sum(e.debit), sum(e.credit), count(*) from ledger_voucher v "
        "join ledger_entry e on e.voucher_id = v.id where v.branch_id = %s group by v.id order by v.id",
        [book.branch],
    ).fetchall()
    assert rows == [
        (v.key, *[yuan(sum(one.debit for one in v.lines))] * 3, len(v.lines))
        for v in sorted(book.vouchers, key=lambda v: v.key)
    ]


def numbers_have_no_gap(book: Book) -> None:
    """In the order of posting, whatever the order of the days; each month and word begins with 1."""
    rows = book.program.execute(
        "select month, word, array_agg(number order by id) from ledger_voucher where branch_id = %s group by 1, 2",
        [book.branch],
    )
    for month, word, numbers in rows:
        of_month = [v for v in book.vouchers if v.day.replace(day=1) == month]
        assert numbers == list(range(1, len(of_month) + 1))
        assert word == "记"


def totals_are_the_entries_so_far(book: Book) -> None:
    rows = book.program.execute(
        "select account_id, debit, credit from ledger_daytotal where branch_id = %s and date = %s order by 1",
        [book.branch, book.closed],
    ).fetchall()
    until = [one for voucher in book.vouchers if voucher.day <= book.closed for one in voucher.lines]
    assert rows == [
        (
            account,
            *(yuan(sum(getattr(one, side) for one in until if one.account == account)) for side in ("debit", "credit")),
        )
        for account in sorted({one.account for one in until})
    ]


@few
@given(history=histories, day=days, since=before, amount=st.integers(1, 1_000_000), wait=st.integers(0, 30))
def test_posted_and_reversed_is_as_if_nothing_had_been(
    books: Books, program: psycopg.Connection, history: list[tuple], day: date, since: timedelta, amount: int, wait: int
) -> None:
    """Amount, product and what was withdrawn are as before, on whatever later day the mistake is taken back."""
    book = books.open(program)
    book.live([FIRST, *history])
    earlier = book.balances()
    if book.post(day, book.receipt(amount, day - since)) == TAKEN:
        assert book.reverse(min(day + timedelta(wait), TODAY), book.vouchers[-1]) == TAKEN
    assert book.balances() == earlier


@few
@given(amounts=st.lists(fen, min_size=1, max_size=40))
def test_one_call_of_many_is_many_calls_of_one(books: Books, program: psycopg.Connection, amounts: list[int]) -> None:
    """A run of vouchers leaves the same balances and the same numbers as its vouchers one by one."""
    run, single = books.open(program), books.open(program)

    def call(book: Book, amounts: dict[int, int]) -> int:
        """These vouchers in one call: each by its own number, its slip numbered from 1 within the call."""
        program.execute("select set_config('app.branches', %s, false)", [str(book.branch)])
        heads = tuple(slip(source=f"{book.branch}-{number}", branch=str(book.branch)) for number in amounts)
        lines: list[str] = []
        for at, (number, amount) in enumerate(amounts.items(), start=1):
            member, employer = str(book.members[number % 3]), str(book.employer)
            since, sum_of_it = f"'{TODAY - timedelta(number)}'", str(yuan(amount))
            lines.append(line(str(at), "10101", str(book.bank), sum_of_it, value_date=since))
            lines.append(line(str(at), "201", member, "0", sum_of_it, employer=employer, value_date=since))
        return program.execute(book.call(*lines, on=TODAY, head=", ".join(heads))).rowcount

    numbered = dict(enumerate(amounts, start=1))
    assert call(run, numbered) == len(amounts)
    for number, amount in numbered.items():
        assert call(single, {number: amount}) == 1

    def shape(book: Book) -> list[tuple]:
        program.execute("select set_config('app.branches', %s, false)", [str(book.branch)])
        vouchers = program.execute("select number, amount, word from ledger_voucher order by id").fetchall()
        balances = book.balances()
        return [*vouchers, *(balances[member][:-1] for member in book.members if member in balances)]

    assert shape(run) == shape(single)
