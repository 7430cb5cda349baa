"""查看全号, and that a number in clear is nowhere else: not in logs, error reports, problems, workbooks or the trail."""

import io
import logging

import openpyxl
import psycopg
import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.test import Client
from django.utils.log import AdminEmailHandler

from accounts.contributions.services.templates import register_rows_of, write_register
from accounts.parties.admin import MemberAdmin
from accounts.parties.models import Member
from accounts.parties.services import unmasking
from fundcenter import clock, months, vault
from fundcenter.office.models import AuditEvent, Role
from fundcenter.office.refusals import Refused
from fundcenter.scope import acting_as
from tests.city import City, come_in

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = {"what": "id", "reason": "bank", "words": "工行退回，核对户名"}


@pytest.fixture
def member(city: City) -> Member:
    (found,) = city.members(city.employer("甲单位"), 张䶮="5321.00")
    return found


def number_of(member: Member) -> str:
    return vault.open_text(member.id_sealed)


def test_the_number_is_shown_once_and_recorded(city: City, client: Client, member: Member) -> None:
    come_in(client, city.clerk())
    url = f"/parties/member/{member.pk}/"
    assert number_of(member) not in client.get(f"{url}change/").content.decode()
    shown = client.post(f"{url}unmask/", GOOD, REMOTE_ADDR="10.1.2.3")
    assert shown.status_code == 200
    assert number_of(member) in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert shown["Referrer-Policy"] == "same-origin"
    assert number_of(member) not in client.get(f"{url}change/").content.decode()
    with acting_as(city.manager):
        event = AuditEvent.objects.get(verb="unmask")
    assert (event.person, event.document, event.address) == (city.clerk(), f"parties.member:{member.pk}", "10.1.2.3")
    assert event.detail == {"what": "证件号码", "reason": "与银行核对户名", "words": "工行退回，核对户名"}


def test_there_is_no_other_way_to_ask(city: City, client: Client, member: Member) -> None:
    come_in(client, city.clerk())
    assert client.get(f"/parties/member/{member.pk}/unmask/", GOOD).status_code == 405


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"reason": ""}, ["unmask_reason"]),
        ({"reason": "curiosity"}, ["unmask_reason"]),
        ({"words": " 看 "}, ["unmask_words"]),
        ({"what": "name"}, ["unmask_nothing"]),
        ({"what": "phone"}, ["unmask_nothing"]),
        ({"what": "", "reason": "", "words": ""}, ["unmask_nothing", "unmask_reason", "unmask_words"]),
    ],
)
def test_without_a_reason_nothing_is_shown(city: City, client: Client, member: Member, said, codes) -> None:
    come_in(client, city.clerk())
    page = client.post(f"/parties/member/{member.pk}/unmask/", GOOD | said)
    assert number_of(member) not in page.content.decode()
    assert [problem.code for problem in page.context["refused"]] == codes
    if said.get("words") != "":
        assert 'value="bank" selected' in page.content.decode() or said.get("reason") is not None
    with acting_as(city.manager):
        assert not AuditEvent.objects.filter(verb="unmask").exists()


@pytest.mark.parametrize("role", [role for role in Role if role not in unmasking.ROLES])
def test_other_roles_do_not_see_it(city: City, client: Client, member: Member, role: Role) -> None:
    by = city.cashier() if role is Role.CASHIER else city.people[""][role]
    come_in(client, by)
    answer = client.post(f"/parties/member/{member.pk}/unmask/", GOOD)
    assert number_of(member) not in answer.content.decode()
    if answer.status_code == 200:
        assert [problem.code for problem in answer.context["refused"]] == ["role_missing"]
        assert "查看全号" not in client.get(f"/parties/member/{member.pk}/change/").content.decode()


def test_another_branch_does_not_see_it(city: City, client: Client, member: Member) -> None:
    come_in(client, city.clerk("01"))
    answer = client.post(f"/parties/member/{member.pk}/unmask/", GOOD)
    assert answer.status_code == 404
    assert number_of(member) not in answer.content.decode()


def test_without_its_trail_no_number_is_opened(city: City, member: Member, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("disk full")

    opened = []
    monkeypatch.setattr(unmasking.audit, "record", broken)
    monkeypatch.setattr(unmasking.vault, "open_text", opened.append)
    with acting_as(city.clerk()), pytest.raises(psycopg.OperationalError):
        unmasking.unmask(member, by=city.clerk(), **GOOD)
    assert opened == []


# --- nowhere else -----------------------------------------------------------------------------------------------------


def rows_of_all_tables(owner) -> str:
    tables = owner.execute("select c.oid::regclass::text from pg_class c where relnamespace = 'public'::regnamespace "
                           "and relkind in ('r', 'p') and not relispartition")  # fmt: skip
    return "\n".join(
        row for (table,) in tables.fetchall() for (row,) in owner.execute(f"select t::text from {table} t")
    )


def test_a_number_in_clear_stands_in_no_table(city: City, client: Client, member: Member, owner) -> None:
    """Opened, unmasked, searched for, and quoted by the clerk in the reason and as a login name."""
    number = number_of(member)
    come_in(client, city.clerk())
    client.get("/parties/member/", {"q": number})
    client.post(f"/parties/member/{member.pk}/unmask/", GOOD | {"words": f"证件上是 {number}，手机 13812345678"})
    Client().post("/login/", {"username": number, "password": number})
    everything = rows_of_all_tables(owner)
    assert member.id_mask in everything
    assert number not in everything
    assert number[6:14] not in everything.replace(f"{member.birth_date}", "")
    assert "13812345678" not in everything


def test_workbooks_have_no_number(city: City, member: Member) -> None:
    with acting_as(city.clerk()):
        rows = register_rows_of(member.branch, months.first(clock.today()), on=clock.today(), employer=member.employer)
        book = write_register(member.employer, months.first(clock.today()), rows)
    cells = [str(c.value) for row in openpyxl.load_workbook(io.BytesIO(book)).active for c in row]
    assert member.number in cells
    assert number_of(member) not in " ".join(cells)


@pytest.fixture
def reports(settings, caplog):
    """All that is logged, and the mail that an administrator would get of an error."""
    settings.ADMINS = [("运维", "ops@example.cn")]
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    caplog.set_level(logging.DEBUG)

    def read() -> str:
        letters = [text for m in mail.outbox for text in (m.subject, m.body, *(a[0] for a in m.alternatives))]
        return "\n".join([caplog.text, *(str(r.__dict__) for r in caplog.records), *letters])

    yield read
    logger.removeHandler(handler)


@pytest.mark.parametrize("where", ["service", "page"])
def test_an_error_while_a_number_is_in_hand_reports_none(
    city: City, member: Member, reports, monkeypatch, where: str
) -> None:
    """Both before and after it was opened: the frames hold it, the report does not."""
    number = number_of(member)

    def breaks(*args: object, **kw: object) -> None:
        in_hand = (number, args, kw)
        raise RuntimeError(f"breaks with {len(in_hand)} things in hand")

    if where == "service":
        monkeypatch.setattr(unmasking.audit, "record", breaks)
    else:
        monkeypatch.setattr(MemberAdmin, "page", breaks)
    client = Client(raise_request_exception=False)
    come_in(client, city.clerk())
    said = GOOD | {"words": f"证件上是 {number}"}
    assert client.post(f"/parties/member/{member.pk}/unmask/", said).status_code == 500
    told = reports()
    assert mail.outbox
    assert "breaks with 3 things in hand" in told
    assert "breaks" in mail.outbox[0].body
    assert number not in told
    assert "工行" not in told


def test_no_page_of_ours_reports_what_was_posted(city: City, reports, monkeypatch) -> None:
    """Also where nobody thought of a decorator."""

    def breaks(*args: object, **kw: object) -> None:
        raise RuntimeError("breaks")

    monkeypatch.setattr("fundcenter.office.admin.site.FundSite.each_context", breaks)
    client = Client(raise_request_exception=False)
    come_in(client, city.clerk())
    client.post("/", {"anything": "362330197001011234"})
    assert mail.outbox
    assert "362330197001011234" not in reports()


def test_a_refused_opening_says_no_number(city: City, member: Member, reports, owner) -> None:
    """The same person a second time: the constraint's message, the refusal and what PostgreSQL logs stay masked."""
    number, columns = number_of(member), [field.column for field in Member._meta.fields if not field.generated]
    others = {"holder_id": "999999", "number": "'9'"}
    with acting_as(city.clerk()), pytest.raises(IntegrityError) as refused, connection.cursor() as cursor:
        cursor.execute(
            f"insert into parties_member ({', '.join(columns)}) select {', '.join(others.get(c, c) for c in columns)} "
            "from parties_member where holder_id = %s", [member.pk],
        )  # fmt: skip
    assert number not in str(refused.value)
    assert number not in reports()


def test_the_refusal_names_no_number(city: City, member: Member) -> None:
    with acting_as(city.clerk()), pytest.raises(Refused) as refused:
        unmasking.unmask(member, by=city.clerk(), what="id", reason="", words=number_of(member))
    assert number_of(member) not in str(refused.value)
