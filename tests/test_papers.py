"""The PDFs are opened again: what a printer gets is what is tested."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pdfplumber
import pytest

from fundcenter import papers

CENTRE = "上饶市住房公积金管理中心"
LONG_EMPLOYER = "江西省上饶市鄱阳县芦田街道鄱阳湖渔具制造与水产品冷链物流股份有限责任公司第三分公司（清算组）（东区）"
LONG_NAME = "阿卜杜拉·买买提·阿不都热合曼"
TWO_LINES = [
    ("汇缴 2026-03", "21901", "其他应付款—单位暂存款", "100000001296 鄱阳县第一中学", Decimal("2130.00"), Decimal(0)),
    ("汇缴 2026-03", "20101", "住房公积金", "361100041827 张䶮", None, Decimal("2130.00")),
]
PRINTED = {"printed_by": "鄱阳分中心 李玥", "printed_at": datetime(2026, 3, 16, 10, 22)}


def voucher(lines, **fields):
    facts = {
        "branch_name": "鄱阳分中心",
        "word": "批",
        "number": 431,
        "date": date(2026, 3, 16),
        "summary": "汇缴 2026-03",
        "attachments": 3,
        "total": sum((debit or 0 for *_, debit, _ in lines), Decimal(0)),
        "reverses": None,
        "prepared_by": "王喆",
        "reviewed_by": "李玥",
        "source": "汇缴清册 HJ202603160017",
    }
    sheet = papers.Sheet("papers/voucher.html", {"centre": CENTRE, "voucher": facts | fields, **PRINTED}, lines)
    return pdfplumber.open(io.BytesIO(papers.book([sheet])))


def statement(count, **member):
    balance = opening = Decimal("55864.41")
    lines = []
    for n in range(count):
        amount = Decimal("-1278.00") if n % 11 == 5 else Decimal("1111.11")
        balance += amount
        summary = "红字冲销 汇缴 2025-09（批-003015）错缴退回至单位暂存款" if amount < 0 else "汇缴 2025-09"
        lines.append((date(2025, 7, 15) + timedelta(n), f"批-{n:06d}", summary, None, amount, balance))
    facts = {
        "name": "张䶮",
        "number": "361100041827",
        "id_mask": "362330********0418",
        "state": "正常",
        "employer_name": "鄱阳县第一中学",
        "employer_number": "100000001296",
        "base": Decimal("5321.00"),
        "ratio_employer": Decimal("0.12"),
        "ratio_member": Decimal("0.075"),
        "paid_up_to": date(2026, 3, 1),
    }
    context = {
        "centre": CENTRE,
        "member": facts | member,
        "period_from": date(2025, 7, 1),
        "period_to": date(2026, 3, 16),
        "opening": opening,
        "lines": lines,
        "totals": {"count": count, "debit": Decimal(0), "credit": balance - opening, "closing": balance},
        **PRINTED,
    }
    return opened("statement", context)


def opened(template, context):
    return pdfplumber.open(io.BytesIO(papers.render(f"papers/{template}.html", context)))


def text(pdf):
    return "\n".join(page.extract_text() for page in pdf.pages)


def right_edges(page, pattern):
    return {round(word["x1"], 1) for word in page.extract_words() if re.fullmatch(pattern, word["text"])}


def assert_within(pdf, *, left, right):
    """No character outside the frame (mm), none over another column's rule: what wraps, wraps; money never overflows."""
    for page in pdf.pages:
        assert min(char["x0"] for char in page.chars) > left * 72 / 25.4
        assert max(char["x1"] for char in page.chars) < page.width - right * 72 / 25.4
        rules = [edge for edge in page.edges if edge["orientation"] == "v"]
        for word in page.extract_words():
            across = [rule for rule in rules if word["x0"] < rule["x0"] < word["x1"]]
            assert not [rule for rule in across if rule["top"] < word["bottom"] and word["top"] < rule["bottom"]], word


def test_a_voucher_says_what_a_voucher_must():
    said = text(voucher(TWO_LINES))
    for wanted in (
        f"{CENTRE}\n记 账 凭 证",
        "鄱阳分中心 2026 年 3 月 16 日 批字第 000431 号",
        "摘要 会计科目 明细（户） 借方金额 贷方金额",
        "汇缴 2026-03 20101 住房公积金 361100041827 张䶮 2,130.00",
        "合计 贰仟壹佰叁拾元整 2,130.00 2,130.00",
        "来源：汇缴清册 HJ202603160017 附件 3 张",
        "会计主管 记账 复核 李玥 制单 王喆",
        "打印：鄱阳分中心 李玥 2026-03-16 10:22 第 1 页 共 1 页",
    ):
        assert wanted in said or wanted.replace("记 账 凭 证", "记账凭证") in said


def test_a_short_voucher_is_a_sheet_of_six_rows():
    def rows(pdf):
        return len(pdf.pages[0].extract_table()) - 3  # names of the columns, total, signatures

    assert rows(voucher(TWO_LINES)) == rows(voucher(TWO_LINES * 3)) == 6
    assert rows(voucher(TWO_LINES * 4)) == 8


def test_red_letters_are_red_and_have_their_minus():
    lines = [
        ("冲销", "21901", "其他应付款", LONG_EMPLOYER, Decimal("-123456789012.34"), None),
        ("冲销", "20101", "住房公积金", f"361100041827 {LONG_NAME}", None, Decimal("-123456789012.34")),
    ]
    pdf = voucher(lines, reverses="红字冲销：原凭证 批-000417（2026-02-13）")
    said = text(pdf)
    assert "红字冲销：原凭证 批-000417（2026-02-13）" in said
    assert "负壹仟贰佰叁拾肆亿伍仟陆佰柒拾捌万玖仟零壹拾贰元叁角肆分" in said
    assert said.count("-123,456,789,012.34") == 4
    colours = {word["non_stroking_color"] for word in pdf.pages[0].extract_words(extra_attrs=["non_stroking_color"])
               if word["text"] == "-123,456,789,012.34"}  # fmt: skip
    assert len(colours) == 1
    red, green, blue = colours.pop()
    assert red > 4 * max(green, blue)
    assert_within(pdf, left=22, right=12)


def long_voucher(count):
    """One debit and its credits, some of them six lines high."""
    holders = ("欧阳㼆", "王堃", LONG_EMPLOYER, LONG_NAME)
    credits_ = [(f"3611{n:08d} {holders[n % 4]}", None, Decimal(n)) for n in range(1, count)]
    return voucher([TWO_LINES[0], *(("汇缴 2026-03", "20101", "住房公积金", *line) for line in credits_)])


def test_a_long_voucher_repeats_its_head_and_signatures_and_splits_no_row():
    pdf = long_voucher(120)
    last = len(pdf.pages)
    assert last >= 4
    for number, page in enumerate(pdf.pages, start=1):
        said = page.extract_text()
        assert "批字第 000431 号" in said
        assert "摘要 会计科目 明细（户） 借方金额 贷方金额" in said
        assert "复核 李玥 制单 王喆" in said
        assert f"第 {number} 页 共 {last} 页" in said
        assert said.count("合计") == (number == last)
        whole = page.extract_text().replace("\n", "")
        assert whole.count("江西省") == whole.count("东区")  # the first and the last line of a high row
    assert_within(pdf, left=22, right=12)


def test_a_voucher_in_pieces_reads_like_one(monkeypatch):
    """Its pages are full, each line stands once, the total at the end, and its pages are counted over all pieces."""
    whole = long_voucher(120)
    monkeypatch.setattr(papers, "LINES_AT_ONCE", 40)
    monkeypatch.setattr(papers, "PAGES_AT_ONCE", 2)
    pieces = long_voucher(120)
    assert [page.extract_text() for page in pieces.pages] == [page.extract_text() for page in whole.pages]
    assert pieces.metadata["Title"] == whole.metadata["Title"]
    assert_within(pieces, left=22, right=12)


def test_each_paper_of_a_book_counts_its_own_pages(monkeypatch):
    monkeypatch.setattr(papers, "LINES_AT_ONCE", 40)
    context = {"voucher": {"word": "批", "number": 1, "total": Decimal(0), "date": date(2026, 3, 16)}, **PRINTED}
    line = ("汇缴", "201", "住房公积金", "361100041827 张䶮", None, Decimal(1))
    told = []
    sheets = [papers.Sheet("papers/voucher.html", context, [line] * count) for count in (2, 90, 2)]
    pdf = pdfplumber.open(io.BytesIO(papers.book(sheets, lambda *far: told.append(far))))
    counted = [re.findall(r"第 (\d+) 页 共 (\d+) 页", page.extract_text()) for page in pdf.pages]
    assert counted == [[("1", "1")], [("1", "3")], [("2", "3")], [("3", "3")], [("1", "1")]]
    assert told[-1] == (94, 5)


@pytest.mark.parametrize("count", range(15, 19))
def test_the_total_of_a_voucher_never_stands_alone(count):
    *_, last = long_voucher(count).pages
    said = last.extract_text()
    assert "合计" in said
    assert "20101 住房公积金" in said


def test_a_statement_says_what_a_statement_must():
    said = text(statement(12))
    for wanted in (
        f"{CENTRE}\n住房公积金个人明细对账单",
        "姓名 张䶮 个人账号 361100041827",
        "缴存基数 5,321.00 元 缴存比例 单位 12% 个人 7.5%",
        "对账期间 2025-07-01 至 2026-03-16 缴至年月 2026-03",
        "日期 凭证号 摘要 支出（元） 收入（元） 余额（元）",
        "承前余额 55,864.41",
        "2025-07-15 批-000000 汇缴 2025-09 1,111.11 56,975.52",
        "合计（12 笔） 余额大写：陆万陆仟捌佰零捌元陆角贰分 0.00 10,944.21 66,808.62",
    ):
        assert wanted in said


@pytest.mark.parametrize("count", [0, 1, *range(20, 28), 60])
def test_the_total_of_a_statement_never_stands_alone(count):
    pdf = statement(count, name=LONG_NAME, employer_name=LONG_EMPLOYER)
    *_, last = pdf.pages
    said = last.extract_text()
    assert f"合计（{count} 笔）" in said
    assert "承前余额" in said or re.search(r"^20\d\d-\d\d-\d\d 批", said, re.MULTILINE)
    for page in pdf.pages[1:]:
        assert page.extract_text().startswith(f"{CENTRE} 住房公积金个人明细对账单 {LONG_NAME} 361100041827\n日期")
    assert_within(pdf, left=15, right=15)


def test_figures_stand_under_figures():
    page = statement(12).pages[0]
    lines = page.crop((0, page.search("承前余额")[0]["top"], page.width, page.height))
    assert len(right_edges(lines, r"-?\d,\d{3}\.\d\d")) == 1  # 收入
    assert len(right_edges(lines, r"\d\d,\d{3}\.\d\d")) == 2  # 余额, and the bold total of 收入
    regular = [char for char in page.chars if char["fontname"].endswith("Figures")]
    widths = {round(char["width"] / char["size"], 3) for char in regular if char["text"].isdigit()}
    assert len(widths) == 1
    assert {char["text"] for char in page.chars if char["text"].isdigit()} <= {char["text"] for char in regular}


def test_nothing_is_a_box_and_every_font_is_noto():
    pdf = opened("sample", {"centre": CENTRE, **PRINTED})
    assert text(pdf).count(papers.RARE) == 3  # serif, bold, sans
    for char in pdf.pages[0].chars:
        assert re.search(r"\+Noto-(Serif|Sans)-CJK-SC", char["fontname"]), char


def test_a_character_that_no_font_has_is_refused_by_name():
    with pytest.raises(papers.FontMissing, match=r"U\+E0A3"):
        voucher(TWO_LINES, prepared_by="王\ue0a3")


def test_markup_in_a_name_stays_text():
    assert "<b>&\"'</b>" in text(statement(1, name="<b>&\"'</b>"))


def test_title_and_language():
    pdf = voucher(TWO_LINES)
    assert pdf.metadata["Title"] == "记账凭证 批-000431"
    assert pdf.doc.catalog["Lang"] == b"zh-CN"


def test_the_same_paper_is_the_same_bytes_in_any_thread():
    def paper(_):
        return papers.render("papers/sample.html", {"centre": CENTRE, **PRINTED})

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(paper, range(8)))) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/logo.png",
        "http://169.254.169.254/latest/meta-data",
        "ftp://example.com/a.png",
        "file:///etc/passwd",
        "../../manage.py",
        "..%2f..%2fmanage.py",
        "papers.css/../../../manage.py",
        "missing.png",
    ],
)
def test_a_paper_asks_nobody(monkeypatch, url):
    monkeypatch.setattr(papers, "render_to_string", lambda *_: f'<img src="{url}">')
    with pytest.raises(ValueError, match="not a file of static/papers"):
        papers.render("any", {})


def test_data_urls_and_own_files_are_taken(monkeypatch):
    pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    page = f'<link rel="stylesheet" href="papers.css"><img src="{pixel}">好'
    monkeypatch.setattr(papers, "render_to_string", lambda *_: page)
    assert papers.render("any", {}).startswith(b"%PDF")


@pytest.fixture
def unchecked():
    """Whatever a test changes about fonts, it doesn't stay in the process."""
    papers.check_font.cache_clear()
    yield
    papers.check_font.cache_clear()


@pytest.mark.usefixtures("unchecked")
def test_without_the_font_nothing_is_printed(monkeypatch, tmp_path):
    monkeypatch.setenv("FUNDCENTER_FONTS", str(tmp_path))
    monkeypatch.setattr(papers, "SERIF", "Noto Serif CJK XX")
    with pytest.raises(papers.FontMissing) as refusal:
        papers.render("papers/sample.html", {"centre": CENTRE})
    for said in ("缺少字体 Noto Serif CJK XX", "/usr/share/fonts", str(tmp_path), "apt-get install fonts-noto-cjk"):
        assert said in str(refusal.value)


@pytest.mark.usefixtures("unchecked")
def test_an_old_font_is_told_by_what_it_lacks(monkeypatch):
    monkeypatch.setattr(papers, "RARE", "上饶\ue0a3")
    with pytest.raises(papers.FontMissing, match="版本过旧，缺少 \ue0a3"):
        papers.check_font()


def test_fonts_of_ones_own_folder_are_used(monkeypatch, tmp_path):
    """A machine whose fontconfig knows no font, and a folder of them."""
    (tmp_path / "fonts.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    with pytest.raises(papers.FontMissing, match=r"U\+"):
        opened("sample", {"centre": CENTRE})
    installed = next(Path("/usr/share/fonts").rglob("NotoSerifCJK-Regular.ttc")).parent
    monkeypatch.setenv("FUNDCENTER_FONTS", str(installed))
    assert text(opened("sample", {"centre": CENTRE})).count(papers.RARE) == 3
