"""出具记录: each printing has a number of its own, and whoever holds the paper can ask whether it is ours, and nothing more."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pdfplumber
import pypdfium2
import pytest
import zxingcpp
from django.db import DatabaseError
from django.test import Client, override_settings

from accounts.banking.models import Receipt
from accounts.contributions.models import Batch, Register
from accounts.ledger import reports as ledger
from accounts.ledger.models import Voucher
from accounts.ledger.reports import voucher_paper
from accounts.parties.models import Employer, Member
from fundcenter import identifiers, months, papers
from fundcenter.office.models import AuditEvent, IssuedPaper, Job
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import issuing
from fundcenter.scope import acting_as
from tests.city import HEADER, City, come_in
from tests.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)
ID_NUMBER = "36233019760418041X"


@pytest.fixture
def employer(city: City) -> Employer:
    """鄱阳县第一中学: three members, 2,130.00 received and paid in for March."""
    employer = city.employer("鄱阳县第一中学")
    city.members(employer, 张䶮="5000.00", 李四="2000.00", 王五="1875.00")
    city.receive(employer, "2130.00")
    batch = city.remit(employer)
    city.submit(batch)
    city.approve(batch)
    return employer


@pytest.fixture
def clerk(city: City) -> Client:
    return come_in(Client(), city.clerk())


def addresses(city: City) -> dict[str, str]:
    """Where each paper of 鄱阳 is printed."""
    with acting_as(city.manager):
        voucher, receipt = Voucher.objects.get(kind="remittance"), Receipt.objects.get()
        register, member = Register.objects.get(), Member.objects.get(name="张䶮")
    branch = city.branches["10"].pk
    return {
        "记账凭证": f"/ledger/voucher/{voucher.pk}/pdf/",
        "住房公积金缴款凭证": f"/banking/receipt/{receipt.pk}/pdf/",
        "住房公积金汇缴书": f"/contributions/batch/{register.batch_id}/register/{register.pk}/pdf/",
        "住房公积金个人明细对账单": f"/parties/member/{member.pk}/statement/",
        "机构月报": f"/office/branch/{branch}/report/2026-03/",
    }


def text(content: bytes) -> str:
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages)


def issued(city: City) -> list[IssuedPaper]:
    with acting_as(city.manager):
        return list(IssuedPaper.objects.order_by("id").select_related("branch", "issued_by"))


def printed(city: City, clerk: Client, title: str = "记账凭证") -> tuple[bytes, IssuedPaper]:
    answer = clerk.get(addresses(city)[title])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf"), answer
    return answer.content, issued(city)[-1]


# --- what is printed --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("employer")
@pytest.mark.parametrize(
    "title", ["记账凭证", "住房公积金缴款凭证", "住房公积金汇缴书", "住房公积金个人明细对账单", "机构月报"]
)
def test_every_paper_has_its_number_and_code_at_the_foot_and_the_public_page_knows_it(
    city: City, clerk: Client, client: Client, title: str
) -> None:
    content, record = printed(city, clerk, title)
    said = text(content)
    assert title in said.replace(" ", "")
    assert f"验证码 {record}" in said
    assert "打印：鄱阳分中心 鄱阳经办 2026-03-16" in said
    assert (record.title, record.branch.name, record.issued_by) == (title, "鄱阳分中心", city.clerk())
    assert f"print_{record.kind}" in registry.verbs
    (code,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(content)[0].render(scale=4).to_pil())
    assert code.text == f"http://testserver/verify/{record}/"
    answer = client.get(f"/verify/{record}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    for shown in ("核验无误", title, "鄱阳分中心", *(value for _, value in record.facts)):
        assert shown in page


@pytest.mark.usefixtures("employer")
def test_the_public_page_shows_no_number_and_no_whole_name_of_a_person(
    city: City, clerk: Client, client: Client
) -> None:
    with acting_as(city.manager):
        member = Member.objects.select_related("employer").get(name="张䶮")
    for title in addresses(city):
        _, record = printed(city, clerk, title)
        page = client.get(f"/verify/{record}/").content.decode()
        hidden = (
            member.name,
            member.number,
            member.id_mask,
            member.employer.name,
            member.employer.number,
            record.subject,
        )
        assert [value for value in hidden if value in page] == []
        assert not identifiers.holds_id(page)
    assert "*䶮" in client.get(f"/verify/{issued(city)[3]}/").content.decode()


@pytest.mark.usefixtures("employer")
def test_an_id_number_is_never_a_fact(city: City) -> None:
    with acting_as(city.clerk()):
        voucher = Voucher.objects.filter(kind="remittance").get()
        paper = voucher_paper(voucher)
        for number in (ID_NUMBER, f"证件 {ID_NUMBER}", "6222021512004567890"):
            spoilt = issuing.Paper(paper.kind, paper.title, paper.subject, (("证件号码", number),), paper.sheets)
            with pytest.raises(ValueError, match="personal number"):
                issuing.issue(spoilt, voucher, by=city.clerk())
    assert issued(city) == []


@pytest.mark.usefixtures("employer")
def test_printing_again_gives_a_new_number_and_each_is_an_event(city: City, clerk: Client) -> None:
    first, second = printed(city, clerk)[1], printed(city, clerk)[1]
    assert first.number != second.number
    assert first.document == second.document
    with acting_as(city.clerk()):
        events = AuditEvent.objects.filter(verb="print_voucher").order_by("id")
        assert [event.detail["paper"] for event in events] == [str(first), str(second)]


@pytest.mark.usefixtures("employer")
def test_the_fingerprint_is_the_file_s(city: City, clerk: Client) -> None:
    from fundcenter.office.services.files import fingerprint

    content, record = printed(city, clerk)
    assert record.sha256 == fingerprint(content)


@pytest.mark.usefixtures("employer")
def test_the_code_names_the_public_address_where_there_is_one(city: City, clerk: Client) -> None:
    with override_settings(PUBLIC_URL="https://gjj.example.gov.cn"):
        content, record = printed(city, clerk)
    (code,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(content)[0].render(scale=4).to_pil())
    assert code.text == f"https://gjj.example.gov.cn/verify/{record}/"
    assert "https://gjj.example.gov.cn/verify/" in text(content)


def test_what_is_not_posted_has_no_paper(city: City, clerk: Client) -> None:
    employer = city.employer("鄱阳县第一中学")
    city.members(employer, 张三="5000.00")
    city.receive(employer, "1200.00")
    batch = city.remit(employer)
    with acting_as(city.manager):
        register = Register.objects.get()
    answer = clerk.get(f"/contributions/batch/{batch.pk}/register/{register.pk}/pdf/")
    assert (answer.status_code, "还没有入账" in answer.content.decode()) == (404, True)
    assert "汇缴书" not in clerk.get(f"/contributions/batch/{batch.pk}/register/{register.pk}/").content.decode()


@pytest.mark.usefixtures("employer")
def test_a_character_without_a_font_is_said_and_nothing_is_issued(city: City, clerk: Client, monkeypatch: Any) -> None:
    def no_font(*_: Any) -> bytes:
        raise papers.FontMissing("字库里没有 “\ue0a3”（U+E0A3），因此不打印。")

    monkeypatch.setattr(papers, "book", no_font)
    answer = clerk.get(addresses(city)["记账凭证"], follow=True)
    assert "记账凭证没有打印：字库里没有" in answer.content.decode()
    assert issued(city) == []


# --- the number -------------------------------------------------------------------------------------------------------


def test_every_mistyped_character_is_told() -> None:
    number = identifiers.paper_number("7K2M9QXD04TVB8H")
    for at in range(16):
        for other in set(identifiers.PAPER_ALPHABET) - {number[at]}:
            assert identifiers.read_paper_number(number[:at] + other + number[at + 1 :]) is None


def test_a_number_is_read_as_people_write_it() -> None:
    number = identifiers.paper_number("01V0000000000AB")
    shown = identifiers.grouped(number)
    for typed in (shown, shown.lower(), shown.replace("-", " "), number, shown.replace("0", "O").replace("1", "l"),
                  shown.replace("V", "u"), "".join(chr(ord(c) + 0xFEE0) for c in shown)):  # fmt: skip
        assert identifiers.read_paper_number(typed) == number
    for typed in ("", "x", number[:-1], number + "0", "é" * 16, ID_NUMBER):
        assert identifiers.read_paper_number(typed) is None


@pytest.mark.usefixtures("employer")
def test_numbers_have_nothing_in_common(city: City, clerk: Client) -> None:
    numbers = [printed(city, clerk, "住房公积金缴款凭证")[1].number for _ in range(4)]
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{16}", number) for number in numbers)
    assert len({number[:4] for number in numbers}) == 4


# --- the public page --------------------------------------------------------------------------------------------------


def test_anybody_may_ask_and_is_told_how(client: Client) -> None:
    page = client.get("/verify/").content.decode()
    assert "16 位验证码" in page
    number = identifiers.grouped(identifiers.paper_number("7K2M9QXD04TVB8H"))
    assert client.get("/verify/", {"number": number.lower().replace("-", " ")})["Location"] == f"/verify/{number}/"
    assert client.post("/verify/").status_code == 405


@pytest.mark.usefixtures("employer")
def test_a_wrong_number_and_another_branch_s_are_answered_alike(city: City, clerk: Client, client: Client) -> None:
    """Nobody signed in, a clerk of the branch and one of another: all read the same of a paper, and of none."""
    _, record = printed(city, clerk)
    never_given = identifiers.grouped(identifiers.paper_number("7K2M9QXD04TVB8H"))
    mistyped = f"{never_given[:-1]}{'0' if never_given[-1] != '0' else '1'}"
    stranger = come_in(Client(), city.clerk("01"))
    for asking in (client, clerk, stranger):
        assert asking.get(f"/verify/{record}/").content == client.get(f"/verify/{record}/").content
        answers = [asking.get(f"/verify/{number}/") for number in (never_given, mistyped, "x")]
        assert {answer.status_code for answer in answers} == {404}
        for answer in answers:
            page = answer.content.decode()
            assert "没有查到" in page
            assert "请勿采信" in page
            assert "机构" not in page


@pytest.mark.usefixtures("employer")
def test_every_look_leaves_a_trail_that_the_centre_reads(city: City, clerk: Client, client: Client) -> None:
    _, record = printed(city, clerk)
    client.get(f"/verify/{record}/", REMOTE_ADDR="203.0.113.7")
    client.get("/verify/x/", REMOTE_ADDR="203.0.113.7")
    with acting_as(city.manager):
        seen = AuditEvent.objects.filter(verb__startswith="verify").order_by("id")
        assert [(e.verb, e.address, e.person_id, e.detail.get("paper")) for e in seen] == [
            ("verify_paper", "203.0.113.7", None, str(record)), ("verify_paper_failed", "203.0.113.7", None, None),
        ]  # fmt: skip
    with acting_as(city.clerk()):
        assert not AuditEvent.objects.filter(verb__startswith="verify").exists()


@pytest.mark.usefixtures("employer")
def test_whoever_tries_numbers_has_to_wait(city: City, clerk: Client, client: Client) -> None:
    _, record = printed(city, clerk)
    with override_settings(VERIFY_ALLOWANCE=(3, 600)):
        for _ in range(3):
            assert client.get("/verify/x/", REMOTE_ADDR="203.0.113.7").status_code == 404
        late = client.get(f"/verify/{record}/", REMOTE_ADDR="203.0.113.7")
        assert (late.status_code, late["Retry-After"].isdigit()) == (429, True)
        assert "秒后再试" in late.content.decode()
        assert client.get(f"/verify/{record}/", REMOTE_ADDR="203.0.113.8").status_code == 200


# --- another branch ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("employer")
def test_another_branch_prints_nothing_and_sees_no_issue(city: City, clerk: Client) -> None:
    printed(city, clerk)
    stranger = come_in(Client(), city.clerk("01"))
    for address in (*addresses(city).values(), f"/office/branch/{city.branches['10'].pk}/change/"):
        assert stranger.get(address).status_code == 404
    assert "没有符合条件的出具记录" in stranger.get("/office/issuedpaper/").content.decode()
    assert str(issued(city)[0]) in clerk.get("/office/issuedpaper/").content.decode()
    assert len(issued(city)) == 1
    with acting_as(city.clerk("01")):
        assert IssuedPaper.objects.count() == 0
        forged = IssuedPaper(
            number="0" * 16, branch=city.branches["10"], kind="voucher", title="记账凭证", document="x", subject="假", facts=[],
            sha256="", issued_by=city.clerk("01"),
        )  # fmt: skip
        with pytest.raises(DatabaseError, match="row-level security"):
            forged.save()


@pytest.mark.usefixtures("employer")
def test_an_issue_stays_as_it_was(city: City, clerk: Client) -> None:
    printed(city, clerk)
    with acting_as(city.clerk()), pytest.raises(DatabaseError, match="permission denied"):
        IssuedPaper.objects.update(facts=[["金额（元）", "9,999,999.00"]])
    with acting_as(city.clerk()), pytest.raises(DatabaseError, match="permission denied"):
        IssuedPaper.objects.all().delete()


# --- what is large ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("employer")
def test_a_long_voucher_is_printed_by_the_worker_and_kept(city: City, clerk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(ledger, "LINES_AT_COUNTER", 2)
    address = addresses(city)["记账凭证"]
    page = address.removesuffix("pdf/") + "change/"
    assert clerk.get(address).status_code == 405
    assert clerk.post(address)["Location"] == page
    assert issued(city) == []
    assert "data-job" in clerk.get(page).content.decode()
    work_off()
    with acting_as(city.clerk()):
        job = Job.objects.get(kind="ledger.voucher:print")
    assert (job.state, job.note) == ("done", f"验证码 {issued(city)[0]}")
    assert f"/office/job/{job.pk}/file/" in clerk.get(page).content.decode()
    answer = clerk.get(f"/office/job/{job.pk}/file/")
    assert answer["Content-Type"] == "application/pdf"
    assert "批字第 000001 号" in text(answer.content)
    assert come_in(Client(), city.clerk("01")).get(f"/office/job/{job.pk}/file/").status_code == 404
    with acting_as(city.clerk()):
        assert AuditEvent.objects.filter(verb="download_paper").count() == 1


@pytest.mark.usefixtures("employer")
def test_a_month_of_vouchers_has_a_cover_and_every_voucher(city: City, clerk: Client) -> None:
    branch = city.branches["10"]
    assert clerk.get("/office/branch/")["Location"] == f"/office/branch/{branch.pk}/change/"
    clerk.post(f"/office/branch/{branch.pk}/vouchers/2026-03/")
    work_off()
    with acting_as(city.clerk()):
        job = Job.objects.get(kind="office.branch:print")
    assert f"/office/job/{job.pk}/file/" in clerk.get(f"/office/branch/{branch.pk}/change/").content.decode()
    content = clerk.get(f"/office/job/{job.pk}/file/").content
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        cover, *vouchers = [page.extract_text() for page in pdf.pages]
    assert "记账凭证（2026 年 3 月）" in cover
    assert "批 000001 000001 1 2,130.00" in cover
    assert "记 000001 000001 1 2,130.00" in cover
    assert [re.search(r"[批记]字第 \d+ 号", page)[0] for page in vouchers] == ["批字第 000001 号", "记字第 000001 号"]
    (record,) = issued(city)
    assert f"print_{record.kind}" in registry.verbs
    assert all(f"验证码 {record}" in page for page in (cover, *vouchers))


@pytest.mark.usefixtures("employer")
def test_a_branch_s_month_is_not_another_s_to_ask_for(city: City) -> None:
    branch = city.branches["10"]
    stranger = come_in(Client(), city.clerk("01"))
    assert stranger.post(f"/office/branch/{branch.pk}/vouchers/2026-03/").status_code == 404
    with acting_as(city.clerk("01")), pytest.raises(Refused):
        ledger.month_vouchers(branch, date(2026, 3, 1))


def test_a_manager_gets_each_branch_s_report_by_one_button(city: City) -> None:
    manager = come_in(Client(), city.manager)
    page = manager.get("/office/branch/").content.decode()
    for branch in city.branches.values():
        for month in ("2026-03", "2026-02"):
            address = f"/office/branch/{branch.pk}/report/{month}/"
            assert address in page
    said = text(manager.get(address).content)
    assert f"机构月报（2026 年 2 月）\n{branch.name}" in said
    assert "打印：中心 中心主任" in said


def test_a_month_without_vouchers_says_so(city: City, clerk: Client) -> None:
    branch = city.branches["10"]
    answer = clerk.post(f"/office/branch/{branch.pk}/vouchers/2025-07/", follow=True)
    assert "鄱阳分中心 2025-07 没有记账凭证" in answer.content.decode()
    assert issued(city) == []


# --- their figures ----------------------------------------------------------------------------------------------------


def test_the_remittance_paper_proves(city: City, clerk: Client) -> None:
    """上月 3 人 2,760.00；增加 1 人 480.00；封存 1 人 960.00；一人基数变更多缴 120.00；本月 3 人 2,400.00。"""
    employer = city.employer("鄱阳县第一中学", first_month=date(2026, 2, 1))
    city.members(employer, 张䶮="5000.00", 李四="4000.00", 王五="2500.00")
    city.receive(employer, "9000.00")
    paid_in(city, city.remit(employer, city.register(employer, "2026-02")))
    city.members(employer, 赵六="2000.00")
    said = {name: {"变更类型": None, "变更原因": None} for name in ("张䶮", "赵六")}
    said["李四"] = {"变更类型": "封存", "变更原因": "离职", "单位月缴存额": 0, "个人月缴存额": 0}
    said["王五"] = {
        "变更类型": "基数变更",
        "变更原因": "调资",
        "缴存基数": 3000,
        "单位月缴存额": 360,
        "个人月缴存额": 360,
    }
    march = paid_in(
        city, city.remit(employer, city.register(employer, header=(*HEADER, "变更类型", "变更原因"), **said))
    )
    with acting_as(city.manager):
        posted = Register.objects.get(batch=march)
    said = text(clerk.get(f"/contributions/batch/{march.pk}/register/{posted.pk}/pdf/").content)
    for line in (
        "上月汇缴 3 1,380.00 1,380.00 2,760.00",
        "本月增加 1 240.00 240.00 480.00",
        "本月减少 1 480.00 480.00 960.00",
        "缴存额调整 — 60.00 60.00 120.00",
        "本月汇缴 3 1,200.00 1,200.00 2,400.00",
        "金额（大写） 贰仟肆佰元整 ¥ 2,400.00",
    ):
        assert line in said


def paid_in(city: City, batch: Batch) -> Batch:
    assert batch.state == "checked", city.problems(batch)
    city.submit(batch)
    city.approve(batch)
    return batch


@pytest.mark.usefixtures("employer")
def test_the_month_s_report_is_the_ledger_s(city: City, clerk: Client) -> None:
    """到账 2,130.00，汇缴 3 人 2,130.00；二月无账，期初为零；三月末已结与未结同数。"""
    from accounts.ledger.services.closing import close_day

    said = [text(clerk.get(addresses(city)["机构月报"]).content)]
    with acting_as(city.manager):
        close_day(city.branches["10"], date(2026, 3, 15), by=city.manager)
        close_day(city.branches["10"], date(2026, 3, 16), by=city.manager)
    said.append(text(clerk.get(addresses(city)["机构月报"]).content))
    for page in said:
        for line in (
            "国家机关和事业单位 1 3 2,130.00",
            "合计 1 3 2,130.00",
            "汇缴 1 2,130.00",
            "10101 住房公积金存款—活期 借 0.00 2,130.00 2,130.00",
            "201 住房公积金 贷 0.00 2,130.00 2,130.00",
            "21901 其他应付款—单位暂存款 贷 0.00 2,130.00 2,130.00 0.00",
        ):
            assert line in page, page
    april = ledger_accounts(city, "2026-04")
    assert april == {"10101": (Decimal("2130.00"), Decimal("2130.00")), "201": (Decimal("2130.00"), Decimal("2130.00"))}


def ledger_accounts(city: City, month: str) -> dict[str, tuple[Decimal, Decimal]]:
    with acting_as(city.manager):
        rows = ledger.month_accounts(city.branches["10"], months.parse(month))
    return {row["code"]: (row["opening"], row["closing"]) for row in rows}
