"""The scene of the attacks: a city with money in it, days and a month closed, and how an attack on it is carried out.

The attacker is the program's own credential (fc_app), acting for the reviewer of one branch: whoever finds a hole
through which SQL of their own runs. What they may try is written as SQL in the tables of the test files; ``:mine``,
``:their_member`` and the like stand for keys of the scene (``Scene.names``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection

from accounts.banking.models import BankAccount
from accounts.ledger.services.checking import check_ledger
from accounts.ledger.services.closing import close_day, close_month
from fundcenter import database
from fundcenter.office.models import Role, User
from fundcenter.scope import acting_as
from tests.city import City

TODAY = date(2026, 3, 16)
NOTHING = "no rows"


@dataclass(frozen=True)
class Attack:
    """One attempt: what it is, its SQL, and the only answer it may get: an SQLSTATE, or ``no rows`` and no error.

    Where two walls stand behind each other, and which one speaks first is no promise, the answer names both SQLSTATEs.
    """

    what: str
    sql: str
    answer: str
    as_manager: bool = False
    """With every branch of the city in scope, instead of the attacker's own."""

    def __str__(self) -> str:
        return self.what

    @property
    def answers(self) -> tuple[str, ...]:
        return (NOTHING,) if self.answer == NOTHING else tuple(self.answer.split())


# How a call of the door is written ------------------------------------------------------------------------------------


def slip(
    kind: str = "trial", source: str = ":fresh", branch: str = ":mine", reverses: str = "null", **other: str
) -> str:
    summary, attachments = other.get("summary", "'试'"), other.get("attachments", "1")
    return f"row('{kind}', '{source}', {branch}, {summary}, {attachments}, {reverses})::ledger_slip"


def line(
    place: str, account: str, holder: str = "null", debit: str = "0", credit: str = "0",
    branch: str = "null", employer: str = "null", value_date: str = "null",
) -> str:  # fmt: skip
    return f"row({place}, '{account}', {holder}, {debit}, {credit}, {branch}, {employer}, {value_date})::ledger_line"


def receipt(amount: str = "100", at: str = "1", **changed: str) -> tuple[str, str]:
    """借 存款 贷 单位暂存款, of the slip ``at``: the door takes them as they are; ``changed`` spoils the second."""
    spoilt = {"place": at, "account": "21901", "holder": ":employer", "credit": amount, **changed}
    return line(at, "10101", ":bank", debit=amount), line(**spoilt)


def payment(amount: str = "100", at: str = "1", **changed: str) -> tuple[str, str]:
    """借 单位暂存款 贷 住房公积金 of a member; ``changed`` spoils the member's line."""
    own = {"place": at, "account": "201", "holder": ":member", "credit": amount, "employer": ":employer"}
    return line(at, "21901", ":employer", debit=amount), line(**{**own, **changed})


def withdrawal(amount: str, at: str = "1", holder: str = ":member") -> tuple[str, str]:
    """借 住房公积金 贷 存款: money leaves a member."""
    taken = line(at, "201", holder, debit=amount, employer=":employer")
    return taken, line(at, "10101", ":bank", credit=amount)


def post(
    *lines: str, slips: tuple[str, ...] | str | None = None, on: str = "date '2026-03-16'",
    maker: str = ":maker", checker: str = ":checker",
) -> str:  # fmt: skip
    """One call of the door: one slip of kind ``trial`` of the attacker's branch unless told otherwise."""
    slips = (slip(),) if slips is None else slips
    heads = slips if isinstance(slips, str) else f"array[{', '.join(slips)}]::ledger_slip[]"
    return f"select * from ledger_post({heads}, array[{', '.join(lines)}]::ledger_line[], {on}, {maker}, {checker})"


# The city, and what of it must not move -------------------------------------------------------------------------------

# Every row of every table, and every right, function, trigger, policy and setting: one line each.
WITNESS = """
select 'tables', md5(string_agg(concat_ws(' ', oid, relname, relkind, relacl, relrowsecurity, relowner), ',' order by oid))
  from pg_class where relnamespace = 'public'::regnamespace
union all
select 'functions', md5(string_agg(p::text, ',' order by oid)) from pg_proc p where pronamespace = 'public'::regnamespace
union all
select 'triggers', md5(string_agg(t::text, ',' order by oid)) from pg_trigger t
union all
select 'policies', md5(string_agg(p::text, ',' order by oid)) from pg_policy p
union all
select 'constraints', md5(string_agg(c::text, ',' order by oid)) from pg_constraint c where connamespace = 'public'::regnamespace
union all
select 'roles', md5(string_agg(r::text, ',' order by oid)) from pg_authid r where rolname ~ '^fc_'
union all
select 'members', md5(string_agg(m::text, ',' order by oid)) from pg_auth_members m
union all
select 'settings', md5(string_agg(s::text, ',' order by s::text)) from pg_db_role_setting s
"""
TABLES = """
select relname from pg_class where relnamespace = 'public'::regnamespace and (relkind = 'p' or relkind = 'r' and not relispartition)
"""


@dataclass
class Scene:
    city: City
    superuser: psycopg.Connection
    names: dict[str, object] = field(default_factory=dict)
    witness: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def attacker(self) -> User:
        return self.city.reviewer("10")

    def filled(self, sql: str) -> str:
        """The keys of the scene put in the place of their names; ``:fresh`` is a source that was never posted."""
        self.names["fresh"] = f"fresh-{next(self.numbers)}"
        return re.sub(r"(?<![:\w]):([a-z]\w*)", lambda found: str(self.names[found[1]]), sql)

    def attempt(self, sql: str, *, as_manager: bool = False) -> str:
        """Run it as the program does, and say what PostgreSQL answered. It commits if it can."""
        with acting_as(self.city.manager if as_manager else self.attacker):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(self.filled(sql))
                    while cursor.nextset():
                        pass
                    return NOTHING if cursor.rowcount <= 0 else f"{cursor.rowcount} rows"
            except DatabaseError as error:
                cause = error.__cause__
                assert isinstance(cause, psycopg.Error), error
                return cause.sqlstate or str(cause)
            finally:
                # Nobody inherits a temporary table, a setting or a transaction of another attack.
                connection.close()

    @contextmanager
    def raw(self, *branches: object, **options: object) -> Iterator[psycopg.Connection]:
        """A connection of the same credential without Django, with these branches in scope."""
        with open_raw(*branches, **options) as opened:
            yield opened

    def moved(self) -> list[str]:
        """What is no longer as it was at the last look: tables by their name, rights, functions, roles …"""
        now = dict(self.superuser.execute(self.witness).fetchall())
        before, self.seen = self.seen, now
        return sorted(what for what in before.keys() | now.keys() if before.get(what) != now.get(what))

    def verdict(self) -> tuple[int, tuple[str, ...]]:
        with acting_as(self.city.manager):
            found = check_ledger()
        return found.vouchers, found.problems


@contextmanager
def open_raw(*branches: object, **options: object) -> Iterator[psycopg.Connection]:
    server = settings.SERVER
    name = connection.settings_dict["NAME"]
    options = {"autocommit": True, **options}
    with server.connect(server.app_user, server.app_password, name, **options) as opened:
        opened.execute("select set_config('app.branches', %s, false)", [",".join(map(str, branches))])
        if not opened.autocommit:
            opened.commit()
        yield opened


@contextmanager
def build() -> Iterator[Scene]:
    """Two branches with an employer and members each, money received and paid in, days and February closed."""
    with database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"], autocommit=True) as superuser:
        city = City.found()
        # Kinds without documents of their own, so that vouchers of the scene need none; one that crosses branches.
        superuser.execute(
            "insert into ledger_kind (code, name, word, crosses_branches) values "
            "('trial', '试账', '记', false), ('crossing', '调拨', '转', true)"
        )
        superuser.execute("update ledger_account set is_open = false where code = '124'")
        scene = Scene(city, superuser)
        _people_the_city(scene)
        _move_money(scene)
        _damp(scene)
        tables = [name for (name,) in superuser.execute(TABLES)]
        hashes = (f"select '{t}', md5(string_agg(t::text, ',' order by t::text)) from {t} t" for t in tables)
        scene.witness = " union all ".join([WITNESS, *hashes])
        scene.moved()
        vouchers, problems = scene.verdict()
        assert vouchers > 8 and not problems, problems
        connection.close()
        yield scene


def _people_the_city(scene: Scene) -> None:
    city = scene.city
    employer, second = city.employer("鄱阳县第一中学"), city.employer("鄱阳县人民医院")
    theirs, their_second = city.employer("上饶市博物馆", "01"), city.employer("上饶市图书馆", "01")
    member, frozen = city.members(employer, 张三="5000.00", 李四="5000.00")
    (their_member,) = city.members(theirs, 王五="5000.00")
    with acting_as(city.manager):
        bank = BankAccount.objects.get().pk
    (loan,) = scene.superuser.execute(
        "insert into ledger_holder (kind, branch_id) values ('loan', %s) returning id", [city.branches["10"].pk]
    ).fetchone()
    scene.names |= {
        "mine": city.branches["10"].pk, "theirs": city.branches["01"].pk, "bank": bank, "loan": loan,
        "employer": employer.pk, "second_employer": second.pk, "their_employer": theirs.pk, "their_second": their_second.pk,
        "member": member.pk, "frozen": frozen.pk, "their_member": their_member.pk,
        "maker": city.clerk().pk, "checker": city.reviewer().pk, "manager": city.manager.pk, "nobody": 999999,
    }  # fmt: skip


def _move_money(scene: Scene) -> None:
    """February, two weeks of March, and today: received, paid in, reversed, moved across branches."""

    def take(
        name: str,
        *lines: str,
        branch: str = ":mine",
        on: str = "2026-03-16",
        kind: str = "trial",
        reverses: str = "null",
    ) -> None:
        head = slip(kind, name, branch, reverses)
        with scene.raw(scene.names["mine"], scene.names["theirs"]) as books:
            scene.names[name] = books.execute(scene.filled(post(*lines, slips=(head,), on=f"date '{on}'"))).fetchone()[
                0
            ]

    their_receipt = receipt("5000", holder=":their_employer")
    their_payment = (
        line("1", "21901", ":their_employer", debit="1000"),
        line("1", "201", ":their_member", credit="1000", employer=":their_employer"),
    )
    take("old_receipt", *receipt("5000"), on="2026-02-26")
    take("their_old_receipt", *their_receipt, branch=":theirs", on="2026-02-26")
    _close(scene, date(2026, 2, 28), date(2026, 2, 28))
    with acting_as(scene.city.manager):
        close_month(date(2026, 2, 28), by=scene.city.manager)
    take("paid", *payment("1000"), on="2026-03-12")
    take("their_paid", *their_payment, branch=":theirs", on="2026-03-12")
    # The other branch is one day ahead: the 14th is open here and closed there.
    _close(scene, date(2026, 3, 13), date(2026, 3, 14))
    take("frozen_paid", *payment("800", holder=":frozen"))
    take("mistake", *payment("70"))
    take("reversal", kind="reversal", reverses=":mistake")
    take("lent", line("1", "121", ":loan", debit="100"), line("1", "10101", ":bank", credit="100"))
    take("latest", *payment("30"))
    take("their_latest", *their_payment, branch=":theirs")
    # To a holder whose first balance this is: it must lie in the holder's branch, not in the voucher's.
    crossing = (
        line("1", "10101", ":bank", debit="40"),
        line("1", "21901", ":their_second", credit="40", branch=":theirs"),
    )
    take("crossed", *crossing, kind="crossing")
    scene.city.receive(_employer(scene, "employer"), "300.00")
    scene.city.receive(_employer(scene, "their_employer"), "300.00")


def _employer(scene: Scene, name: str) -> object:
    from accounts.parties.models import Employer

    with acting_as(scene.city.manager):
        return Employer.objects.select_related("holder", "branch").get(pk=scene.names[name])


def _close(scene: Scene, mine: date, theirs: date) -> None:
    with acting_as(scene.city.manager):
        for code, day in (("10", mine), ("01", theirs)):
            close_day(scene.city.branches[code], day, by=scene.city.people[""][Role.ACCOUNTANT])


def _damp(scene: Scene) -> None:
    """What no function of the door does yet: part of a balance is frozen by a court."""
    scene.superuser.execute("set session_replication_role = replica")
    scene.superuser.execute(
        "update ledger_balance set frozen = %s where holder_id = %s", [Decimal("500.00"), scene.names["frozen"]]
    )
    scene.superuser.execute("reset session_replication_role")
