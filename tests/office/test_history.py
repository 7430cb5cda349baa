"""变更历史: before and after of master data, whoever changed it and however; readable, walled, and never rewritten."""

import time
from datetime import date

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from accounts.parties.models import Member
from fundcenter.office.models import Role, User
from fundcenter.office.reports import history_of
from fundcenter.scope import acting_as, doing
from tests.city import City, come_in

pytestmark = pytest.mark.django_db(transaction=True)
HISTORIES = ("office_branchhistory", "office_userhistory", "parties_employerhistory", "parties_memberhistory",
             "contributions_contributionrulehistory")  # fmt: skip


@pytest.fixture
def member(city: City) -> Member:
    (found,) = city.members(city.employer("甲单位"), 张三="5321.00")
    return found


def test_opening_accounts_writes_no_history(city: City, member: Member, owner) -> None:
    for table in HISTORIES:
        assert owner.execute(f"select count(*) from {table}").fetchone() == (0,), table


def test_a_change_says_what_it_was_who_and_which_verb(city: City, member: Member) -> None:
    clerk, other = city.clerk(), city.employer("乙单位")
    with doing("change_base"), acting_as(clerk):
        Member.objects.filter(pk=member.pk).update(base="6000.00")  # without save(), without signals
    with acting_as(clerk):
        member.refresh_from_db()
        member.employer, member.state, member.sealed_month = other, "sealed", date(2026, 4, 1)
        member.save()
        told = history_of(member)
    assert [(c.by, c.verb, c.lines) for c in told] == [
        (
            clerk.name,
            "",
            (("单位", "甲单位", "乙单位"), ("封存年月", "（空）", "2026-04-01"), ("状态", "正常", "封存")),
        ),
        (clerk.name, "change_base", (("缴存基数", "5,321.00", "6,000.00"),)),
    ]


def test_what_changes_nothing_or_only_ciphertext_is_no_change(city: City, member: Member) -> None:
    with acting_as(city.clerk()):
        Member.objects.filter(pk=member.pk).update(base="5321.00", id_sealed="another token")
        assert history_of(member) == []


def test_what_is_rolled_back_has_not_happened(city: City, member: Member) -> None:
    with acting_as(city.clerk()):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Member.objects.filter(pk=member.pk).update(base="1.00")
            raise ZeroDivisionError
        assert history_of(member) == []


def test_raw_sql_is_seen_too_and_no_setting_turns_it_off(city: City, member: Member) -> None:
    with acting_as(city.clerk()), connection.cursor() as cursor:
        cursor.execute(
            "set pgtrigger.ignore = '{parties_member:change_update,change_update,pgtrigger_change_update_1ec79}'"
        )
        cursor.execute("update parties_member set base = 1 where holder_id = %s", [member.pk])
        assert len(history_of(member)) == 1
    connection.close()


def test_a_persons_roles_branch_and_leaving(city: City, client: Client) -> None:
    admin, clerk = city.people[""][Role.ADMIN], city.clerk()
    come_in(client, admin)
    form = {
        "username": clerk.username,
        "name": "张经办",
        "branch": city.branches["01"].pk,
        "roles": ["clerk", "reviewer"],
    }
    assert client.post(f"/office/user/{clerk.pk}/change/", form).status_code == 302
    page = client.get(f"/office/user/{clerk.pk}/history/").content.decode()
    for words in ("姓名", "张经办", "鄱阳分中心", "市直分中心", "经办、复核", "在岗", "是", "否", admin.name, "修改"):
        assert words in page, words
    with acting_as(admin):
        (change,) = history_of(User.objects.get(pk=clerk.pk))
    assert (change.by, change.verb) == (admin.name, "修改")
    assert ("岗位", "经办", "经办、复核") in change.lines
    assert ("在岗", "是", "否") in change.lines


def test_signing_in_and_a_new_password_are_no_change_of_master_data(city: City) -> None:
    clerk = city.clerk()
    with acting_as(clerk):
        clerk.set_password("another-passw0rd")
        clerk.save()
        assert history_of(clerk) == []


def test_the_pages_read_in_chinese(city: City, client: Client, member: Member) -> None:
    come_in(client, city.clerk())
    assert "登记以来没有变更" in client.get(f"/parties/member/{member.pk}/history/").content.decode()
    with acting_as(city.clerk()):
        Member.objects.filter(pk=member.pk).update(base="6000.00")
        type(member.employer).objects.filter(pk=member.employer_id).update(ratio_member="0.075", pay_day=20)
    page = client.get(f"/parties/member/{member.pk}/history/").content.decode()
    assert "缴存基数" in page
    assert "5,321.00" in page
    page = client.get(f"/parties/employer/{member.employer_id}/history/").content.decode()
    assert "个人缴存比例" in page
    assert "12%" in page
    assert "7.5%" in page
    assert "变更历史" in client.get(f"/parties/member/{member.pk}/change/").content.decode()


def test_another_branch_has_neither_page_nor_rows(city: City, client: Client, member: Member) -> None:
    with acting_as(city.clerk()):
        Member.objects.filter(pk=member.pk).update(base="6000.00")
    come_in(client, city.clerk("01"))
    assert client.get(f"/parties/member/{member.pk}/history/").status_code == 404
    with acting_as(city.clerk("01")), connection.cursor() as cursor:
        cursor.execute("select count(*) from parties_memberhistory")
        assert cursor.fetchone() == (0,)


def test_the_centres_people_have_their_history_for_the_centre_alone(city: City) -> None:
    manager = city.manager
    with acting_as(city.people[""][Role.ADMIN]):
        User.objects.filter(pk=manager.pk).update(name="新主任")
        assert len(history_of(manager)) == 1
    with acting_as(city.clerk()):
        assert history_of(manager) == []


@pytest.mark.parametrize("table", HISTORIES)
@pytest.mark.parametrize(
    "sql",
    ["insert into {} (pgh_created_at, pgh_label) values (now(), 'x')", "update {} set pgh_label = 'x'", "delete from {}",
     "truncate {}"],
    ids=lambda sql: sql.split()[0],
)  # fmt: skip
def test_the_program_writes_no_history(city: City, table: str, sql: str) -> None:
    with acting_as(city.manager), connection.cursor() as cursor, pytest.raises(ProgrammingError) as refused:
        cursor.execute(sql.format(table))
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_not_even_the_owner_rewrites_it(city: City, member: Member, owner) -> None:
    with acting_as(city.clerk()):
        Member.objects.filter(pk=member.pk).update(base="6000.00")
    for sql in ("update parties_memberhistory set base = 1", "delete from parties_memberhistory"):
        with pytest.raises(psycopg.Error, match="append_only"):
            owner.execute(sql)


def test_a_change_by_many_rows_in_one_statement(city: City) -> None:
    members = city.members(city.employer("甲单位"), **{f"张{chr(0x4E00 + n)}": "5000.00" for n in range(20)})
    begun = time.monotonic()
    with acting_as(city.clerk()):
        Member.objects.filter(pk__in=[m.pk for m in members]).update(base="5500.00")
        assert all(history_of(m)[0].lines == (("缴存基数", "5,000.00", "5,500.00"),) for m in Member.objects.visible())
    assert time.monotonic() - begun < 5


def test_a_scope_ends_and_so_does_its_name(city: City, member: Member, owner) -> None:
    with acting_as(city.clerk()):
        pass
    owner.execute("update parties_member set base = 1 where holder_id = %s", [member.pk])
    with acting_as(city.clerk()):
        assert history_of(member)[0].by == "数据库所有者"
