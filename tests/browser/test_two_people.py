"""经办 and 复核, as they would: upload, read the problems, mend, submit; look, approve; voucher, paper, ledger."""

import io
from pathlib import Path

import openpyxl
import pdfplumber
import pytest

from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)


def test_两人办一笔汇缴(city: City, sign_in, tmp_path: Path) -> None:
    employer = city.employer("甲单位")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    file = tmp_path / "甲单位 三月.xlsx"
    file.write_bytes(city.register(employer, 张䶮={"单位月缴存额": 638.52}, 李四={"个人账号": "3.60E+11"}))

    # 经办: every problem of every row at once, and the same workbook back with the reasons.
    clerk = sign_in(city.clerk())
    clerk.get_by_role("link", name="汇缴批次").click()
    clerk.get_by_role("link", name="上传清册").click()
    clerk.get_by_label("汇缴清册").set_input_files(file)
    clerk.get_by_role("button", name="上传并检查").click()
    clerk.get_by_text("有问题，未受理").first.wait_for()
    assert clerk.get_by_text("应为 639.00 = 5321.00 × 12%").is_visible()
    assert clerk.get_by_text("已被表格软件改成数字").is_visible()
    with clerk.expect_download() as download:
        clerk.get_by_role("link", name="错误原因").click()
    sheet = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).active
    assert "应为 639.00" in str(sheet.cell(2, sheet.max_column).value)

    # Mended, checked, submitted.
    file.write_bytes(city.register(employer))
    clerk.get_by_role("link", name="重新上传").click()
    clerk.get_by_label("汇缴清册").set_input_files(file)
    clerk.get_by_role("button", name="上传并检查").click()
    clerk.get_by_text("检查通过，待提交").first.wait_for()
    clerk.get_by_label("意见").fill("三月清册")
    clerk.get_by_role("button", name="提交复核").click()
    clerk.get_by_text("已提交复核").first.wait_for()
    assert clerk.get_by_role("button", name="同意并入账").count() == 0
    batch_url = clerk.url

    # 复核: it waits on the 工作台; one page of evidence; the amount is asked once more in figures and capitals.
    reviewer = sign_in(city.reviewer())
    reviewer.get_by_role("link", name="汇缴批次 HJ").first.click()
    assert reviewer.get_by_text("三月清册").first.is_visible()
    assert reviewer.get_by_text("贰仟壹佰叁拾元整").first.is_visible()
    reviewer.get_by_role("button", name="同意并入账").click()
    dialog = reviewer.get_by_role("dialog")
    assert "2,130.00" in dialog.inner_text()
    assert "贰仟壹佰叁拾元整" in dialog.inner_text()
    dialog.get_by_role("button", name="同意并入账").click()
    reviewer.get_by_text("已入账").first.wait_for()

    # The voucher, its paper, and the way back.
    reviewer.get_by_role("link", name="批-000001").first.click()
    reviewer.get_by_role("heading", name="记账凭证").first.wait_for()
    assert reviewer.get_by_text("张䶮").first.is_visible()
    assert _text_of(reviewer, reviewer.get_by_role("link", name="PDF").get_attribute("href")).count("1,278.00") == 1
    reviewer.get_by_role("link", name="HJ202603-").first.click()
    assert reviewer.url == batch_url

    # The member's ledger and statement.
    reviewer.goto(batch_url)
    reviewer.get_by_role("link", name="批-000001").first.click()
    reviewer.get_by_role("link", name="张䶮").first.click()
    reviewer.get_by_text("个人明细账").wait_for()
    row = reviewer.get_by_role("row").filter(has_text="批-000001")
    assert "1,278.00" in row.inner_text()
    statement = _text_of(reviewer, reviewer.get_by_role("link", name="对账单").get_attribute("href"))
    assert "张䶮" in statement
    assert "壹仟贰佰柒拾捌元整" in statement
    row.get_by_role("link", name="批-000001").click()
    reviewer.get_by_role("heading", name="记账凭证").first.wait_for()


def _text_of(page, href: str) -> str:
    answer = page.request.get(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + href)
    assert answer.headers["content-type"] == "application/pdf"
    with pdfplumber.open(io.BytesIO(answer.body())) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages)


def test_别的机构的经办_看不见也打不开(city: City, sign_in) -> None:
    employer = city.employer("甲单位")
    (member,) = city.members(employer, 张䶮="5321.00")
    stranger = sign_in(city.clerk("01"))
    stranger.goto(stranger.url.rstrip("/") + f"/parties/member/{member.pk}/change/")
    assert stranger.get_by_text("没有找到").first.is_visible()
    assert stranger.get_by_text("张䶮").count() == 0
