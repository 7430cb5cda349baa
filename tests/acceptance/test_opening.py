"""单位开户 and 个人开户, as a centre does it: typed in or from a file, checked, decided by a second person, and never a number
of anybody's in clear."""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from stdnum import luhn
from stdnum.cn import ric

from accounts.contributions.services.templates import register_template
from accounts.ledger.models import OpenDocument
from accounts.parties.models import Employer, EmployerOpening, Member, MemberOpening
from accounts.parties.services import opening
from fundcenter import clock, database, months, vault
from fundcenter.office.models import AuditEvent, Opinion, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import intake
from fundcenter.scope import acting_as
from tests.city import City, come_in, credit_code, workbook

HEADER = ("单位账号", "起缴年月", "姓名", "证件号码", "缴存基数", "手机", "银行卡号", "开户行")
PHONE = "13879312345"
CARD = "622202151200000001" + luhn.calc_check_digit("622202151200000001")
EMPLOYER = {
    "name": "鄱阳湖文旅有限公司", "credit_code": credit_code(700), "nature": "国有企业", "industry": "文化、体育和娱乐业",
    "ratio_employer": "12", "ratio_member": "8%", "first_month": "2026年3月", "pay_day": "10", "legal_person": "阿依古丽•买买提",
}  # fmt: skip


def id_number(serial: int) -> str:
    body = f"3623301985040{serial % 9 + 1}{serial:03d}"
    return body + ric.calc_check_digit(body + "0")


ZHANG, LI = id_number(11), id_number(21)


def members(employer: Employer, *rows: tuple[Any, ...]) -> bytes:
    return workbook(HEADER, [(employer.number, "2026-03", *row) for row in rows])


def two(employer: Employer) -> bytes:
    return members(
        employer, ("张䶮", ZHANG, 5321, PHONE, CARD, "工行鄱阳支行"), ("李四", LI.lower(), 3550, None, None, None)
    )


def upload(city: City, content: bytes, branch: str = "10") -> MemberOpening:
    with acting_as(city.clerk(branch)):
        return opening.MEMBERS.upload(content, "开户清册.xlsx", by=city.clerk(branch), on=clock.today())


def process_of(document: Any) -> Any:
    return opening.MEMBERS if isinstance(document, MemberOpening) else opening.EMPLOYERS


def submit(city: City, document: Any) -> None:
    with acting_as(document.maker):
        process_of(document).submit(document, by=document.maker, on=clock.today())


def approve(city: City, document: Any, by: User | None = None) -> int | None:
    reviewer = by or city.reviewer(document.branch.code)
    with acting_as(reviewer):
        return process_of(document).approve(document, by=reviewer, on=clock.today())


@pytest.fixture
def employer(city: City) -> Employer:
    return city.employer("甲单位")


def page_of(city: City, user: User) -> Client:
    return come_in(Client(), user)


def test_单位开户_填表登记_两人办理(city: City) -> None:
    clerk = page_of(city, city.clerk())
    answer = clerk.post("/parties/employeropening/form/", EMPLOYER)
    with acting_as(city.clerk()):
        document = EmployerOpening.objects.get()
        assert answer.headers["Location"] == f"/parties/employeropening/{document.pk}/change/"
        assert (document.state, document.row_count, document.file) == ("checked", 1, None)
        assert not Employer.objects.exists()
    submit(city, document)
    with pytest.raises(Refused) as refused:
        approve(city, document, by=city.clerk())
    assert refused.value.problems[0].code == "role_missing"
    assert approve(city, document) == 1
    with acting_as(city.clerk()):
        opened = Employer.objects.get()
        assert (opened.name, opened.number[:2], opened.ratio_member * 100) == ("鄱阳湖文旅有限公司", "10", 8)
        assert (opened.legal_person, opened.initials, opened.pay_day) == ("阿依古丽·买买提", "PYHWLYXGS", 10)
        assert (opened.opened_by, opened.opening_checked_by) == (city.clerk(), city.reviewer())
        assert (opened.opened_on, opened.opening, opened.opening_row) == (clock.today(), document, 1)
        assert [o.verb for o in Opinion.objects.filter(document=document.label)] == ["check", "submit", "approve"]
        assert AuditEvent.objects.filter(document=document.label, verb="approve", person=city.reviewer()).exists()
    # A link from the account to its document, and back.
    account, paper = f"/parties/employer/{opened.pk}/change/", f"/parties/employeropening/{document.pk}/change/"
    assert paper in clerk.get(account).content.decode()
    assert account in clerk.get(paper).content.decode()


def test_填表有误_说在各栏旁_已填的都还在(city: City, employer: Employer) -> None:
    clerk = page_of(city, city.clerk())
    typed = {"employer_number": employer.number, "first_month": "2026-03", "name": "张䶮", "id_type": "居民身份证",
             "id": ZHANG[:-1] + ("1" if ZHANG[-1] != "1" else "2"), "base": "1000", "phone": "12345"}  # fmt: skip
    answer = clerk.post("/parties/memberopening/form/", typed)
    form = answer.context["form"]
    assert set(form.errors) == {"id", "base", "phone"}
    assert "校验码不符" in form.errors["id"][0]
    assert "低于缴存基数下限 1850.00" in form.errors["base"][0]
    html = answer.content.decode()
    assert all(f'value="{value}"' in html for value in typed.values())
    with acting_as(city.clerk()):
        assert not MemberOpening.objects.exists()
    assert (
        clerk.post(
            "/parties/memberopening/form/", {**typed, "id": ZHANG, "base": "5321.00", "phone": PHONE}
        ).status_code
        == 302
    )
    with acting_as(city.clerk()):
        assert MemberOpening.objects.get().state == "checked"


def test_个人开户_来表登记_复核后进入汇缴清册(city: City, employer: Employer) -> None:
    document = upload(city, two(employer))
    assert (document.state, document.row_count) == ("checked", 2)
    submit(city, document)
    with acting_as(city.clerk()):
        assert OpenDocument.objects.get().holder_id == employer.pk
    assert approve(city, document) == 2
    with acting_as(city.clerk()):
        assert not OpenDocument.objects.exists()
        zhang, li = Member.objects.order_by("opening_row")
        assert (zhang.name, zhang.employer, zhang.number[:2], zhang.initials) == ("张䶮", employer, "36", "ZY")
        assert (zhang.sex, str(zhang.birth_date), zhang.opening_row) == ("男", "1985-04-03", 2)
        assert (zhang.id_mask, zhang.phone_mask, zhang.card_mask) == (
            f"362330********{ZHANG[-4:]}", "138****2345", f"6222***********{CARD[-4:]}",
        )  # fmt: skip
        assert [vault.open_text(t) for t in (zhang.id_sealed, zhang.phone_sealed, zhang.card_sealed)] == [
            ZHANG,
            PHONE,
            CARD,
        ]
        assert (vault.open_text(li.id_sealed), li.phone_sealed, li.card_mask, li.bank) == (LI, "", "", "")
        content = register_template(employer, months.parse("2026-03"), on=clock.today())
    rows = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
    assert [(row[0], row[1]) for row in rows if row[1] in ("张䶮", "李四")] == [
        (zhang.number, "张䶮"),
        (li.number, "李四"),
    ]


def test_下载的开户清册_填好交回即可(city: City, employer: Employer) -> None:
    clerk = page_of(city, city.clerk())
    answer = clerk.get(f"/parties/memberopening/blank/?employer={employer.number}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.active
    (header,) = [row for row in sheet.iter_rows() if row[0].value == "姓名"]
    columns = {cell.value: cell.column for cell in header}
    assert "单位账号" not in columns  # it stands above
    letter = openpyxl.utils.get_column_letter(columns["证件号码"])
    assert sheet.column_dimensions[letter].number_format == "@"  # what is typed there stays text
    assert any("居民身份证" in rule.formula1 for rule in sheet.data_validations.dataValidation)
    for title, value in {"姓名": "张䶮", "证件号码": ZHANG, "缴存基数": 5321}.items():
        sheet.cell(header[0].row + 1, columns[title], value)
    filled = io.BytesIO()
    book.save(filled)
    assert upload(city, filled.getvalue()).state == "checked"
    blank = openpyxl.load_workbook(io.BytesIO(clerk.get("/parties/employeropening/blank/").content)).active
    assert [cell.value for cell in blank[2]][:3] == ["单位名称", "统一社会信用代码", "单位性质"]


def test_经办不能复核自己的开户(city: City, employer: Employer) -> None:
    clerk = city.clerk()
    clerk.roles = ["clerk", "reviewer"]
    clerk.save()
    document = upload(city, two(employer))
    submit(city, document)
    with pytest.raises(Refused) as refused:
        approve(city, document, by=clerk)
    assert refused.value.problems[0].code == "own_work"


def test_检查后被别处先开户_不再开户_单据不动(city: City, employer: Employer) -> None:
    late = upload(city, two(employer))
    submit(city, late)
    other = city.employer("市直单位", "01")
    first = upload(city, members(other, ("张䶮", ZHANG, 5000, None, None, None)), "01")
    submit(city, first)
    assert approve(city, first) == 1
    with pytest.raises(Refused) as refused:
        approve(city, late)
    (problem,) = refused.value.problems
    assert (problem.code, problem.row) == ("id_in_use", 2)
    assert "已在市直分中心有未销户的个人账户" in problem.message
    with acting_as(city.clerk()):
        late.refresh_from_db()
        assert late.state == "submitted"
        assert not Member.objects.visible().exists()


def test_同一人两份单据同时复核_只开一户(city: City, employer: Employer) -> None:
    documents = [upload(city, members(employer, ("张䶮", ZHANG, base, None, None, None))) for base in (5000, 6000)]
    for document in documents:
        submit(city, document)
    outcomes: list[Any] = []
    gate = threading.Barrier(2)

    def decide(pk: int) -> None:
        try:
            with acting_as(city.reviewer()):
                document = MemberOpening.objects.get(pk=pk)
                gate.wait()
                outcomes.append(opening.MEMBERS.approve(document, by=city.reviewer(), on=clock.today()))
        except Refused as refused:
            outcomes.append(refused.problems[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[document.pk]) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", "id_in_use"]
    with acting_as(city.clerk()):
        assert Member.objects.count() == 1


def test_已开户的单据不能再开一次(city: City, employer: Employer) -> None:
    document = upload(city, two(employer))
    submit(city, document)
    approve(city, document)
    with pytest.raises(Refused) as refused:
        approve(city, document)
    assert refused.value.problems[0].code == "already_moved"
    with acting_as(city.clerk()):
        assert Member.objects.count() == 2


def test_撤回的单据不开户_文件可再来(city: City, employer: Employer) -> None:
    content = two(employer)
    document = upload(city, content)
    submit(city, document)
    with acting_as(city.clerk()):
        opening.MEMBERS.withdraw(document, by=city.clerk(), on=clock.today())
        assert not OpenDocument.objects.exists()
    assert upload(city, content).state == "checked"


def test_复核页_逐人可核_只见掩码(city: City, employer: Employer) -> None:
    document = upload(city, two(employer))
    submit(city, document)
    page = page_of(city, city.reviewer())
    html = page.get(f"/parties/memberopening/{document.pk}/change/").content.decode()
    assert f"362330********{ZHANG[-4:]}" in html
    assert "同意并开户" in html
    assert "个人开户 GK202603-" in page.get("/").content.decode()  # it waits on the 工作台
    stranger = page_of(city, city.clerk("01")).get(f"/parties/memberopening/{document.pk}/change/")
    assert stranger.status_code == 404


@contextmanager
def all_logs() -> Iterator[io.StringIO]:
    """Everything that anybody logs, however detailed."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def test_号码从不以明文留下(city: City, employer: Employer) -> None:
    """Neither right nor wrong, neither in its own column nor in another: not in a table, a log, a page or a workbook."""
    wrong = ZHANG[:-1] + ("1" if ZHANG[-1] != "1" else "2")
    secrets = [ZHANG, LI, wrong, PHONE, CARD]
    with all_logs() as logs:
        refused = upload(city, members(
            employer, ("张䶮", wrong, 5321, PHONE, CARD + "9", ZHANG), (ZHANG, LI, LI, "1" + PHONE, CARD, "工行"),
            ("王五", None, ZHANG, None, None, None),
        ))  # fmt: skip
        assert refused.state == "refused"
        good = upload(city, two(employer))
        submit(city, good)
        approve(city, good)
        clerk = page_of(city, city.clerk())
        pages = [clerk.get(f"/parties/memberopening/{d.pk}/change/").content.decode() for d in (refused, good)]
        pages += [clerk.get(url).content.decode() for url in ("/parties/memberopening/", "/parties/member/", "/")]
        with acting_as(city.clerk()):
            reasons = openpyxl.load_workbook(io.BytesIO(intake.annotated(refused, opening.MEMBERS.intake))).active
            template = register_template(employer, months.parse("2026-03"), on=clock.today())
    said = [str(row[-1]) for row in reasons.iter_rows(values_only=True)]
    sheets = [str(row) for row in openpyxl.load_workbook(io.BytesIO(template)).active.iter_rows(values_only=True)]
    for secret in secrets:
        assert not [text for text in (*pages, *said, *sheets, logs.getvalue()) if secret in text]
    with database.connect_superuser(settings.SERVER, connection.settings_dict["NAME"], autocommit=True) as superuser:
        tables = superuser.execute(
            "select oid::regclass::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        ).fetchall()
        assert len(tables) > 30
        for (table,) in tables:
            kept = superuser.execute(f"select t::text from {table} t").fetchall()
            assert not [row for (row,) in kept for secret in secrets if secret in row or secret.lower() in row]
        (server_log,) = superuser.execute("select pg_read_file(pg_current_logfile())").fetchone()
        assert not [secret for secret in secrets if secret in server_log]
