"""What comes in by the upload page and is wrong: the sentence that the clerk reads, and that nothing of it stays or moves."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.contributions.models import Batch
from accounts.ledger.models import Voucher
from accounts.parties.models import Employer
from fundcenter.office.models import StoredFile
from fundcenter.office.services import files
from fundcenter.scope import acting_as
from tests.api.test_uploading import NO_SHEETS
from tests.city import HEADER, City, come_in, workbook

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "/contributions/batch/upload/"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


@pytest.fixture
def employer(city: City) -> Employer:
    """甲单位: two members, 2,130.00 a month, and the money is there."""
    found = city.employer("甲单位")
    city.members(found, 张䶮="5321.00", 李四="3550.00")
    city.receive(found, "2130.00")
    return found


@pytest.fixture
def clerk(city: City) -> Client:
    return come_in(Client(raise_request_exception=False), city.clerk())


def hand_in(clerk: Client, content: bytes, name: str = "清册.xlsx") -> str:
    answer = clerk.post(UPLOAD, {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def batches(city: City) -> list[str]:
    with acting_as(city.manager):
        return list(Batch.objects.order_by("id").values_list("state", flat=True))


def assert_nothing_kept(city: City, folder: Path) -> None:
    with acting_as(city.manager):
        assert (batches(city), StoredFile.objects.count(), Voucher.objects.count()) == ([], 0, 1)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def zeros(size: int) -> bytes:
    return b"1,2\n" * (size // 4)


CANNOT_BE_TAKEN = {
    "nothing in it": (NO_SHEETS["empty"], "这个文件是空的。"),
    "a PDF": (NO_SHEETS["pdf"], "不是完好的 .xlsx、.xls 或 .csv 表格，请用 Excel 或 WPS 另存为 .xlsx 后重新上传"),
    "half of a file": (NO_SHEETS["half"], "不是完好的 .xlsx、.xls 或 .csv 表格"),
    "200 MB": (zeros(200 * 2**20), "文件 200.0 MB，上限 60 MB"),
    "a zip bomb": (NO_SHEETS["bomb"], "与内容不相称，不予打开"),
    "a macro": (NO_SHEETS["macro"], "文件带有宏，请另存为“Excel 工作簿 (*.xlsx)”后重新上传"),
    "a password": (NO_SHEETS["encrypted"], "文件设有打开密码，请取消密码后重新上传"),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT_BE_TAKEN)
def test_a_file_that_cannot_be_taken(city: City, employer, clerk: Client, folder: Path, what: str) -> None:
    content, sentence = CANNOT_BE_TAKEN[what]
    assert sentence in hand_in(clerk, content)
    assert_nothing_kept(city, folder)


# Cells ----------------------------------------------------------------------------------------------------------------


def without_rows(city: City, employer: Employer) -> bytes:
    return workbook(HEADER, [])


def cells(name: str, **changes: object) -> Callable[[City, Employer], bytes]:
    return lambda city, employer: city.register(employer, **{name: changes})


def twice(city: City, employer: Employer) -> bytes:
    return city.register(employer, 李四={"个人账号": city.numbers_of(employer)["张䶮"]})


def foreign_employer(city: City, employer: Employer) -> bytes:
    return city.register(employer, 张䶮={"单位账号": city.employer("市直单位", "01").number})


def foreign_member(city: City, employer: Employer) -> bytes:
    (stranger,) = city.members(city.employer("市直单位", "01"), 赵六="5000.00")
    return city.register(employer, 张䶮={"个人账号": stranger.number})


def grouped_header(city: City, employer: Employer) -> bytes:
    """月缴存额 merged over 单位 and 个人, which stand in the row below it."""
    book = openpyxl.load_workbook(io.BytesIO(city.register(employer)))
    sheet = book.active
    sheet.insert_rows(2)
    for column, title in ((6, "单位"), (7, "个人")):
        sheet.cell(1, column).value, sheet.cell(2, column).value = "月缴存额", title
    sheet.merge_cells("F1:G1")
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


IS_WRONG = {
    "no rows": (without_rows, "表中没有数据行；请核对后重新上传。"),
    "merged headers": (grouped_header, "缺少“单位月缴存额”列；请使用下载的模板，或把该列改名为“单位月缴存额”。"),
    "a formula": (cells("张䶮", 单位月缴存额="=1+1"), "单元格是公式；请粘贴为数值后再上传。"),
    "a formula that calls a program": (cells("张䶮", 姓名="=cmd|'/C calc'!A0"), "单元格是公式；请粘贴为数值后再上传。"),
    "an account number as a number": (cells("张䶮", 个人账号="1.23E+11"), "“1.23E+11”已被表格软件改成数字，原值失真"),
    "a member twice": (twice, "与第 2 行重复"),
    "another branch's employer": (foreign_employer, "由其他机构管理"),
    "another branch's member": (foreign_member, "不在本单位名下"),
}  # fmt: skip


@pytest.mark.parametrize("what", IS_WRONG)
def test_a_sheet_that_is_wrong(city: City, employer, clerk: Client, what: str) -> None:
    """The batch is kept as refused, with the reason at its row; it blocks nobody and moves nothing."""
    spoil, sentence = IS_WRONG[what]
    assert sentence in hand_in(clerk, spoil(city, employer))
    assert batches(city) == ["refused"]
    assert_moves_nothing(city, employer)
    assert "已校验" in hand_in(clerk, city.register(employer)) or batches(city) == ["refused", "checked"]


def assert_moves_nothing(city: City, employer: Employer) -> None:
    with acting_as(city.manager):
        assert Voucher.objects.count() == 1
    assert str(city.balance(employer.pk, "21901")) == "2130.00"


def test_text_that_looks_like_a_formula_stays_text(city: City, employer, clerk: Client) -> None:
    """A .csv has no formulas: the text is a wrong name, and is given back as text."""
    evil = "=cmd|'/C calc'!A0"
    rows = openpyxl.load_workbook(io.BytesIO(city.register(employer, 张䶮={"姓名": "x"}))).active.values
    text = io.StringIO()
    csv.writer(text).writerows([[evil if cell == "x" else cell for cell in row] for row in rows])
    assert "与账户姓名“张䶮”不符" in hand_in(clerk, text.getvalue().encode(), "清册.csv")
    with acting_as(city.manager):
        batch = Batch.objects.get()
    annotated = openpyxl.load_workbook(io.BytesIO(clerk.get(f"/contributions/batch/{batch.pk}/annotated/").content))
    (cell,) = [cell for row in annotated.active.iter_rows() for cell in row if cell.value == evil]
    assert cell.data_type == "s"


def test_blanks_full_width_digits_and_invisible_characters_do_no_harm(city: City, employer, clerk: Client) -> None:
    number = city.numbers_of(employer)["张䶮"]
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    content = city.register(
        employer,
        张䶮={"个人账号": f" {wide[:6]}　{wide[6:]}\u200b", "单位月缴存额": "６３９．００", "姓名": "张\u200b䶮 "},
    )
    hand_in(clerk, content)
    assert batches(city) == ["checked"]


def test_merged_titles_and_headings_of_two_rows_are_read(city: City, employer, clerk: Client) -> None:
    book = openpyxl.load_workbook(io.BytesIO(city.register(employer)))
    sheet = book.active
    sheet.insert_rows(1)
    sheet.insert_rows(3)
    sheet["A1"] = "二〇二六年三月汇缴清册"
    sheet.merge_cells("A1:G1")
    for column in "ABCDEFG":
        sheet.merge_cells(f"{column}2:{column}3")
    hand_in(clerk, saved(book))
    assert batches(city) == ["checked"]


# Twice, at once, and without room -------------------------------------------------------------------------------------


def test_the_same_file_again_is_told(city: City, employer, clerk: Client) -> None:
    content = city.register(employer)
    hand_in(clerk, content)
    assert "同一文件已上传为 HJ202603-" in hand_in(clerk, content)
    assert batches(city) == ["checked"]


def test_the_same_file_at_once_from_two_browsers(city: City, employer, clerk: Client, monkeypatch: Any) -> None:
    """Both have looked, neither has found it; the table takes one of them."""
    content, both, answers = city.register(employer), threading.Barrier(2, timeout=10), []
    look = files.fingerprint
    monkeypatch.setattr(files, "store", _after(both, files.store))
    browsers = [clerk, come_in(Client(raise_request_exception=False), city.clerk())]

    def one(browser: Client) -> None:
        try:
            answers.append(hand_in(browser, content))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    told = ["同一文件刚由另一个窗口上传，未重复受理；请在列表中查看。" in answer for answer in answers]
    assert sorted(told) == [False, True]
    assert batches(city) == ["checked"]
    with acting_as(city.manager):
        assert StoredFile.objects.count() == 1
        assert look(files.load(StoredFile.objects.get())) == look(content)


def _after(barrier: threading.Barrier, store: Any) -> Any:
    def waiting(*args: Any, **given: Any) -> Any:
        barrier.wait()
        return store(*args, **given)

    return waiting


def test_a_full_disk(city: City, employer, clerk: Client, folder: Path, monkeypatch: Any) -> None:
    """/dev/full answers as a disk without room does; with room again the same file is taken."""
    make = files.tempfile.mkstemp

    def full(**given: Any) -> tuple[int, str]:
        descriptor, path = make(**given)
        os.close(descriptor)
        return os.open("/dev/full", os.O_WRONLY), path

    content = city.register(employer)
    with monkeypatch.context() as patch:
        patch.setattr(files.tempfile, "mkstemp", full)
        assert "服务器磁盘已满，文件未能保存，未受理；请告知系统管理员腾出空间，再重新上传。" in hand_in(clerk, content)
        assert_nothing_kept(city, folder)
    hand_in(clerk, content)
    assert batches(city) == ["checked"]
    call_command("check_ledger")
