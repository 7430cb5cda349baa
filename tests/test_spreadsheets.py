import math
import struct
import zipfile
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from fundcenter import spreadsheets
from fundcenter.spreadsheets import CellProblem, Column, FileRefused, Limits

DATA = Path(__file__).with_name("data")

REGISTER = (
    Column("employer", "单位账号", ("单位公积金账号", "单位编号"), "account", repeats=True),
    Column("month", "缴存月份", ("汇缴年月", "所属年月"), "month", repeats=True),
    Column("account", "个人账号", ("职工账号", "公积金账号"), "account"),
    Column("name", "姓名", ("职工姓名",)),
    Column("base", "缴存基数", ("月缴存基数",), "money"),
    Column("ratio", "单位比例", (), "ratio", required=False),
    Column("total", "合计", ("月缴存额",), "money", required=False),
)
HEADER = ["单位账号", "缴存月份", "个人账号", "姓名", "缴存基数", "单位比例", "合计"]
ROW = ["010000000146", "2026-03", "360012345658", "张三", 5321, 0.12, 1278]
UPLOAD = [
    ["汇缴清册"],
    ["单位账号：010000000146"],
    HEADER[1:],
    ROW[1:],
    ["2026-03", 360012345658, "=1+1", 5321.5, 0.12, 1],
    [],
]


def xlsx(*sheets: list[list[object]], change=lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    change(book)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def csv(*lines: str, encoding="utf-8") -> bytes:
    return "\r\n".join(lines).encode(encoding)


def read(content: bytes, columns=REGISTER, limits=spreadsheets.LIMITS) -> spreadsheets.Table:
    return spreadsheets.read(content, "清册.xlsx", columns, limits)


# --- the table in a file ----------------------------------------------------------------------------------------------


def test_columns_are_found_by_header_in_any_order_and_by_synonym():
    table = read(
        xlsx(
            [
                ["序号", "职工姓名", " 月缴存基数（元）", "*公积金账号", "单位 编号", "汇缴年月", "备注"],
                [1, "张三", 5321, 360012345658, "010000000146", "2026年3月", "x"],
            ]
        )
    )
    assert table.rows == [(2, ("010000000146", "2026年3月", 360012345658.0, "张三", 5321.0, None, None))]
    assert table.columns["account"] == spreadsheets.Found(3, "*公积金账号")
    assert (table.header_row, table.missing, table.duplicated, table.control) == (1, (), (), None)


def merged_title(book: openpyxl.Workbook) -> None:
    sheet = book.worksheets[0]
    sheet.merge_cells("A1:G1")
    sheet["A1"].font = Font(bold=True)
    sheet["G1048576"].font = Font(bold=True)  # formatted to the last row, as when someone formats columns by hand


def test_rows_are_numbered_as_excel_shows_them():
    table = read(
        xlsx([["汇缴清册"], [], [None, "打印"], HEADER, ROW, [], [None, "  "], ROW, [], []], change=merged_title)
    )
    assert table.header_row == 4
    assert [number for number, _ in table.rows] == [5, 8]


def test_a_table_that_begins_in_another_column():
    table = read(xlsx([[], [None, None, *HEADER], [None, None, *ROW]]))
    assert table.rows == [(3, ("010000000146", "2026-03", "360012345658", "张三", 5321.0, 0.12, 1278.0))]
    assert table.columns["employer"].index == 2


def test_the_last_row_is_a_control_if_it_says_so():
    table = read(xlsx([["序号", *HEADER], [1, *ROW], [2, *ROW], ["合 计", *[None] * 6, 2556]]))
    assert [number for number, _ in table.rows] == [2, 3]
    assert table.control == (4, ("", "", "", "", "", "", 2556.0))


def test_a_row_that_only_has_a_serial_number_is_blank():
    assert len(read(xlsx([["序号", *HEADER], [1, *ROW], [2], [3]])).rows) == 1


def test_dates_numbers_and_truth_stay_what_they_are():
    columns = (Column("a", "甲"), Column("b", "乙"), Column("c", "丙"), Column("d", "丁"))
    table = read(
        xlsx([["甲", "乙", "丙", "丁"], [date(2026, 3, 1), 639.1, True, datetime(2026, 3, 1, 8, 30)]]), columns=columns
    )
    assert table.rows == [(2, (date(2026, 3, 1), 639.1, True, datetime(2026, 3, 1, 8, 30)))]


@pytest.mark.parametrize(
    "above",
    [
        [["单位账号：010000000146 缴存月份: 2026年3月"]],
        [["单位账号：010000000146　单位名称：甲 公司　缴存月份：2026年3月　打印时间：08:30"]],
        [["单位账号：", "010000000146", None, "缴存月份：", "2026年3月"]],
        [["单位账号", "010000000146", "缴存月份", "2026年3月"]],
        [["单位编号", None, "010000000146"], ["所属年月", None, "2026年3月"]],
        [["汇缴清册"], ["单位账号：010000000146", "缴存月份：", "2026年3月"]],
    ],
)
def test_employer_and_month_above_the_header_stand_in_for_their_columns(above):
    table = read(xlsx([["2026年汇缴清册"], *above, [], HEADER[2:], ROW[2:]]))
    assert [values[:3] for _, values in table.rows] == [("010000000146", "2026年3月", "360012345658")]
    assert table.missing == ()
    assert "employer" not in table.columns


def test_what_no_column_repeats_is_no_value_because_it_stands_above():
    """经办人 above is whoever filled the sheet in, and 单位名称 whose sheet it is: no row says so."""
    table = read(xlsx([["单位账号：010000000146", "姓名：王会计", "月缴存额：639"], HEADER[1:3], ROW[1:3]]))
    assert [values for _, values in table.rows] == [("010000000146", *ROW[1:3], None, None, None, None)]
    assert [(one.code, one.field) for one in table.missing] == [("header_missing", "name"), ("header_missing", "base")]


def test_what_stands_above_is_kept_by_its_label():
    table = read(xlsx([["单位名称：甲 公司　单位账号：010000000146"], ["缴存月份", 202603], HEADER, ROW]))
    assert table.title_cells == {"单位名称": "甲 公司", "单位账号": "010000000146", "缴存月份": 202603}


def test_headers_missing_and_doubled_are_told_all_at_once():
    table = read(
        xlsx([["单位账号", "姓名", "职工姓名", "个人账号 "], ["010000000146", "张三", "李四", "360012345658"]])
    )
    assert [(p.code, p.field, p.title) for p in table.missing] == [
        ("header_missing", "month", "缴存月份"),
        ("header_missing", "base", "缴存基数"),
    ]
    assert [(p.code, p.field, p.title) for p in table.duplicated] == [("header_doubled", "name", "职工姓名")]
    assert table.rows[0][1][3] == "张三"


@pytest.mark.parametrize("rows", [[["这不是清册"], ["姓名"], ["张三"]], [*[["说明"]] * 15, HEADER, ROW]])
def test_without_a_header_in_the_first_15_rows_all_required_columns_are_missing(rows):
    table = read(xlsx(rows))
    assert (table.header_row, table.rows, len(table.missing)) == (None, (), 5)


def test_the_sheet_is_the_first_visible_one_with_data():
    def hide(book: openpyxl.Workbook) -> None:
        book.worksheets[1].sheet_state = "hidden"

    assert len(read(xlsx([], [["字典"], ["汇缴"]], [HEADER, ROW], [["说明"]], change=hide)).rows) == 1


def test_two_columns_may_not_claim_one_heading():
    with pytest.raises(ValueError, match="合计"):
        read(csv("a"), columns=(Column("a", "合计"), Column("b", "总额", ("合计（元）",))))


def test_an_xls():
    columns = (*REGISTER[:5], Column("amount", "单位月缴存额"), Column("hired", "参加工作日期", kind="date"))
    table = read((DATA / "register.xls").read_bytes(), columns=columns)
    assert table.header_row == 4
    assert table.rows == [
        (5, ("010000000146", "2026年3月", 360012345658.0, "张三", 5321, 639.1, date(2019, 7, 1))),
        (6, ("010000000146", "2026年3月", "360000000109", "阿依古丽·买买提", 3550, 426, date(2020, 1, 15))),
    ]
    assert table.control == (8, ("010000000146", "2026年3月", "", "", "", 1065.1, ""))
    assert table.formulas == {(5, 5), (8, 5)}


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_formula_cells_are_known_by_row_and_column():
    table = read(xlsx([["标题"], HEADER, [*ROW[:6], "=E3*0.24"], ROW, ["合计", *[None] * 5, "=SUM(G3:G4)"]]))
    assert table.formulas == {(3, 6), (5, 6)}
    assert table.columns["total"].index == 6


def test_text_that_begins_like_a_formula_is_text():
    table = read(csv("个人账号,姓名", "360012345658,=1+1"))
    assert (table.rows[0][1][3], table.formulas) == ("=1+1", frozenset())


@pytest.mark.parametrize(
    ("cells", "formulas"),
    [
        ('<x:row r="2"><x:c r="B2"><x:f>1+1</x:f><x:v>2</x:v></x:c></x:row>', {(2, 1)}),
        ('<x:row><x:c><x:v>1</x:v></x:c><x:c><x:f>1+1</x:f><x:v>2</x:v></x:c></x:row>', {(1, 1)}),
        ('<x:row r="7"><x:c r="C7"/><x:c><x:f t="shared" si="0"/><x:v>2</x:v></x:c></x:row>', {(7, 3)}),
        ('<x:row r="1"><x:c r="A1"><x:f t="array" ref="A1:B2">C1:D2</x:f><x:v>2</x:v></x:c></x:row>',
         {(1, 0), (1, 1), (2, 0), (2, 1)}),
    ],
)  # fmt: skip
def test_formulas_however_the_file_writes_them(cells, formulas):
    """Prefixed names, cells without a place, shared and array formulas: all of them legal, none from openpyxl."""
    assert read(package(cells)).formulas == formulas


def package(cells: str, **more: str | bytes) -> bytes:
    """An .xlsx put together by hand around the rows of its sheet."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rel = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'{rel} Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'{rel} Type="{office}/worksheet" Target="/xl/worksheets/s.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="清册" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/s.xml": f'<x:worksheet xmlns:x="{main}"><x:sheetData>{cells}</x:sheetData></x:worksheet>',
        **more,
    }
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


# --- .csv -------------------------------------------------------------------------------------------------------------

LINES = ("汇缴清册", "单位账号：010000000146{0}缴存月份：2026-03", "个人账号{0}姓名{0}缴存基数{0}",
         '="360012345658"{0}"喆,;\n\t堃"{0}"5,321.00"{0}', "{0}{0}{0}", "36000000010{0}李四{0}3550{0}")  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_of_any_usual_encoding_and_delimiter(encoding, delimiter):
    table = read(csv(*(line.format(delimiter) for line in LINES), encoding=encoding))
    assert table.rows == [
        (4, ("010000000146", "2026-03", '="360012345658"', "喆,;\n\t堃", "5,321.00", None, None)),
        (6, ("010000000146", "2026-03", "36000000010", "李四", "3550", None, None)),
    ]


def test_a_rare_character_of_gb18030():
    assert read(csv("个人账号,姓名", "1,㼆䶮𬭚", encoding="gb18030")).rows[0][1][3] == "㼆䶮𬭚"


# --- refusals ---------------------------------------------------------------------------------------------------------


def refused(content: bytes, **limits) -> str:
    with pytest.raises(FileRefused, match=r"[一-龥]") as refusal:
        read(content, limits=Limits(**limits))
    return refusal.value.code


def compound(**streams: bytes) -> bytes:
    """A compound file put together by hand: header, allocation table, directory, then the streams."""
    free, end, own = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    table, body, entries = [own, end], b"", [("Root Entry", 5, end, 0)]
    for name, stream in streams.items():
        sectors = max(8, -(-len(stream) // 512))  # at least the 4096 bytes that make it no small stream
        first = len(table)
        table += [*range(first + 1, first + sectors), end]
        body += stream.ljust(sectors * 512, b"\0")
        entries.append((name, 2, first, sectors * 512))
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HB49xII4x", len(name) * 2 + 2, kind, first, size)
        for name, kind, first, size in entries
    )
    header = struct.pack("<8s16xHHHHH10xIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, 1, 1, 0, 4096,
                         end, 0, end, 0)  # fmt: skip
    assert len(directory) <= 512
    assert len(table) <= 128
    return (
        header
        + struct.pack("<109I", 0, *[free] * 108)
        + struct.pack("<128I", *table, *[free] * (128 - len(table)))
        + directory.ljust(512, b"\0")
        + body
    )


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def book(*globals_: bytes, cells: bytes = b"", sheet_type: int = 0) -> bytes:
    """The stream of an .xls with one sheet."""
    bof, eof = record(0x0809, struct.pack("<HH12x", 0x0600, 5)), record(0x000A)
    before = bof + b"".join(globals_)
    sheet = struct.pack("<IBBBB", len(before) + 13 + len(eof), 0, sheet_type, 1, 0) + b"S"
    return before + record(0x0085, sheet) + eof + bof + cells + eof


def number(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def bomb(size: int) -> bytes:
    return package("", **{"xl/media/image1.bmp": bytes(size)})


def lying(content: bytes, part: str, size: int) -> bytes:
    """Says in both headers of the archive that an entry unpacks to `size` bytes."""
    changed = bytearray(content)
    for signature, at_size, at_name in ((b"PK\3\4", 22, 30), (b"PK\1\2", 24, 46)):
        at = changed.index(part.encode(), 0 if signature == b"PK\3\4" else changed.index(b"PK\1\2")) - at_name
        assert changed[at : at + 4] == signature
        changed[at + at_size : at + at_size + 4] = struct.pack("<I", size)
    return bytes(changed)


def test_the_handmade_files_are_good_but_for_what_is_wrong_with_them():
    """So each is refused for that and nothing else."""
    assert read(compound(Workbook=book(cells=number(0, 0, 1)))).header_row is None
    assert read(package("<x:row><x:c><x:v>1</x:v></x:c></x:row>")).header_row is None


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("file_empty", b""),
        ("file_empty", xlsx([], [[None]])),
        ("file_empty", csv("", ",,", "")),
        ("file_empty", compound(Workbook=book())),
        ("file_type", b"%PDF-1.7\n\x00\x01\x02"),
        ("file_type", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("file_type", "<html><table><tr><td>个人账号</td></tr></table>".encode()),  # a web page called .xls
        ("file_type", "个人账号,姓名".encode("utf-16")),
        ("file_type", b"\xff\xfe\xfd\xfc"),
        ("file_type", b"PK\x03\x04 and nothing more"),
        ("file_type", xlsx([HEADER, ROW])[:-200]),
        ("file_type", package("<x:row><x:c><x:v>1</x:c>")),
        ("file_type", package("", **{"xl/workbook.xml": "<workbook>"})),
        ("file_type", lying(package("<x:row><x:c><x:v>1</x:v></x:c></x:row>"), "xl/worksheets/s.xml", 150)),
        ("file_type", compound(WordDocument=b"")),
        ("file_type", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)),
        ("file_type", compound(Workbook=book(cells=record(0x0203, b"\0")))),
        ("file_encrypted", (DATA / "encrypted.xlsx").read_bytes()),
        ("file_encrypted", compound(Workbook=book(record(0x002F, bytes(54))))),
        ("file_macro", package("", **{"xl/vbaProject.bin": b"Attribute VB_Name"})),
        ("file_macro", compound(Workbook=book(), _VBA_PROJECT_CUR=b"")),
        ("file_macro", compound(Workbook=book(sheet_type=1))),  # Excel 4
        ("ratio_zip_bomb", bomb(60 * 1024 * 1024)),
        ("ratio_zip_bomb", lying(package("", **{"x.bin": b"x"}), "x.bin", 2_000_000_000)),
        ("sheet_too_wide", xlsx([["个人账号", "姓名", *range(58), "x"]])),
        ("sheet_too_wide", csv("个人账号,姓名" + ",x" * 59)),
        ("sheet_too_wide", compound(Workbook=book(cells=number(0, 60, 1)))),
    ],
)  # fmt: skip
def test_refusals(code, content):
    assert refused(content) == code


def test_an_encrypted_entry():
    content = bytearray(package(""))
    content[content.index(b"PK\1\2") + 8] |= 1
    assert refused(bytes(content)) == "file_encrypted"


def test_limits_are_given():
    content = xlsx([HEADER, ROW, ROW, ROW])
    assert len(read(content, limits=Limits(rows=3, columns=7, bytes=len(content))).rows) == 3
    assert refused(content, rows=2) == "rows_too_many"
    assert refused(content, columns=6) == "sheet_too_wide"
    assert refused(content, bytes=len(content) - 1) == "file_too_large"
    assert refused(content, unpacked=1000) == "ratio_zip_bomb"


def test_a_refusal_carries_its_figures():
    with pytest.raises(FileRefused) as refusal:
        read(csv("个人账号,姓名,x"), limits=Limits(columns=2))
    assert refusal.value.details == {"columns": 3, "most": 2}


@pytest.mark.parametrize(
    "content",
    [
        xlsx([HEADER, ROW], change=lambda book: book.worksheets[0].cell(1048576, 16384, "x")),
        package(
            "<x:row><x:c><x:v>1</x:v></x:c></x:row>", **{"xl/sharedStrings.xml": '<sst uniqueCount="99999999999"/>'}
        ),
        compound(Workbook=book(cells=number(0, 0, 1) + number(65535, 65535, 1))),
        compound(Workbook=book(cells=record(0x0200, struct.pack("<IIHHH", 0, 2**31, 0, 250, 0)) + number(0, 0, 1))),
    ],
    ids=["far cell", "uniqueCount", "far cell of an xls", "dimensions of an xls"],
)
def test_what_would_abort_the_process_only_ends_the_child(content):
    """calamine reserves what these files claim, up to hundreds of GB, and aborts where it gets none."""
    assert refused(content) == "file_too_large"


def test_the_child_has_its_time():
    assert refused(xlsx([HEADER, *[ROW] * 20_000]), seconds=0) == "file_too_large"


def test_a_chain_of_sectors_that_never_ends():
    content = bytearray(compound(Workbook=book(cells=number(0, 0, 1))))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)  # the directory follows itself
    assert refused(bytes(content)) == "file_type"


@given(st.binary(max_size=600), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]))
def test_noise_is_text_or_refused(noise, start):
    with suppress(FileRefused):
        assert spreadsheets.sniff(start + noise, "x") == "csv"


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([xlsx(UPLOAD), (DATA / "register.xls").read_bytes()]), st.data())
def test_a_damaged_file_is_read_or_refused(content, data):
    damaged = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    with suppress(FileRefused):
        read(bytes(damaged))


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" 张三　", "张三"), ("\ufeff甲 公司\u200b", "甲 公司"), (13812345678.0, "13812345678"), (639.1, "639.1"), (-5.0, "-5"),
        (True, "TRUE"), (date(2026, 3, 1), "2026-03-01"), (datetime(2026, 3, 1, 8), "2026-03-01 08:00:00"), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_as_text(value, text):
    assert spreadsheets.as_text(value) == text


@pytest.mark.parametrize(
    ("value", "account"),
    [
        ("010000000146", "010000000146"),
        (10000000146.0, "010000000146"),
        (10000000146, "010000000146"),
        ("10000000146", "010000000146"),  # a .csv saved by Excel
        ("'010000000146 ", "010000000146"),
        ("０１００ ００００ ０１４６\u200b", "010000000146"),
        (999999999999999.0, "999999999999999"),
        ("E12345678", "E12345678"),
        (1e15, CellProblem("account_as_float", "1e+15")),
        (362330199001010411.0, CellProblem("account_as_float", "3.6233019900101e+17")),
        (360012345658.5, CellProblem("account_as_float", "360012345658.5")),
        (-1.0, CellProblem("account_as_float", "-1")),
        (math.nan, CellProblem("account_as_float", "nan")),
        ("1.23E+11", CellProblem("account_as_float", "1.23E+11")),
        ("3.6E17", CellProblem("account_as_float", "3.6E17")),
        (" ", CellProblem("cell_empty")),
        (None, CellProblem("cell_empty")),
    ],
)
def test_as_account(value, account):
    assert spreadsheets.as_account(value, 12) == account


@given(st.integers(0, 10**15 - 1))
def test_an_account_of_15_digits_survives_as_a_number(number):
    assert spreadsheets.as_account(float(number), 15) == f"{number:015d}"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (639.1, "639.1"), (0.1 + 0.2, "0.3"), (5321, "5321"), (-5.0, "-5"), ("1,234.50", "1234.50"), ("￥1,234.50", "1234.50"),
        ("¥ 1 234.5", "1234.5"), ("1234.5元", "1234.5"), ("１，２３４．５０", "1234.50"), ("-0.05", "-0.05"), (0.0, "0"),
    ],
)  # fmt: skip
def test_as_number(value, number):
    assert spreadsheets.as_number(value) == Decimal(number)


@given(st.decimals(-(10**12), 10**12, places=2))
def test_an_amount_survives_as_a_float(amount):
    assert spreadsheets.as_number(float(amount)) == amount


@pytest.mark.parametrize(
    "value",
    [
        "1.2E+03",
        "12,34.5",
        "1.234.5",
        "五百",
        "=1+1",
        "1234.",
        "NaN",
        "٣",
        math.nan,
        math.inf,
        True,
        date(2026, 3, 1),
        "1" * 50 + "x",
    ],
)
def test_what_is_no_number(value):
    problem = spreadsheets.as_number(value)
    assert isinstance(problem, CellProblem)
    assert problem.code == "number_malformed"
    assert len(problem.found) <= 40


@pytest.mark.parametrize(
    ("value", "ratio"),
    [(12.0, "0.12"), (0.12, "0.12"), ("12%", "0.12"), ("１２％", "0.12"), ("0.12", "0.12"), ("5.5", "0.055"), (1.0, "1"),
     ("1%", "0.01"), ("0.5%", "0.005"), (0, "0")],
)  # fmt: skip
def test_as_ratio(value, ratio):
    assert spreadsheets.as_ratio(value) == Decimal(ratio)


@pytest.mark.parametrize(
    ("converter", "value", "result"),
    [
        (spreadsheets.as_ratio, "%", CellProblem("number_malformed", "%")),
        (spreadsheets.as_ratio, "十二%", CellProblem("number_malformed", "十二%")),
        (spreadsheets.as_ratio, "", CellProblem("cell_empty")),
        (spreadsheets.as_number, "　", CellProblem("cell_empty")),
        (spreadsheets.as_month, "2026年03月份", date(2026, 3, 1)),
        (spreadsheets.as_month, 202603.0, date(2026, 3, 1)),
        (spreadsheets.as_month, datetime(2026, 3, 18), date(2026, 3, 1)),
        (spreadsheets.as_month, "2026/3/1", date(2026, 3, 1)),
        (spreadsheets.as_month, "2026-13", CellProblem("month_malformed", "2026-13")),
        (spreadsheets.as_month, 46082.0, CellProblem("month_malformed", "46082")),
        (spreadsheets.as_month, None, CellProblem("cell_empty")),
        (spreadsheets.as_date, date(2026, 3, 18), date(2026, 3, 18)),
        (spreadsheets.as_date, datetime(2026, 3, 18, 9), date(2026, 3, 18)),
        (spreadsheets.as_date, "2026-03-18", date(2026, 3, 18)),
        (spreadsheets.as_date, "2026/3/18", date(2026, 3, 18)),
        (spreadsheets.as_date, "2026.3.18", date(2026, 3, 18)),
        (spreadsheets.as_date, "２０２６年３月１８日", date(2026, 3, 18)),
        (spreadsheets.as_date, "20260318", date(2026, 3, 18)),
        (spreadsheets.as_date, 20260318.0, date(2026, 3, 18)),
        (spreadsheets.as_date, "2026-02-30", CellProblem("date_malformed", "2026-02-30")),
        (spreadsheets.as_date, "明天", CellProblem("date_malformed", "明天")),
        (spreadsheets.as_date, "", CellProblem("cell_empty")),
    ],
)
def test_ratios_months_and_dates(converter, value, result):
    assert converter(value) == result


# --- writing ----------------------------------------------------------------------------------------------------------

LEDGER = (
    Column("account", "个人账号", kind="account"),
    Column("name", "姓名"),
    Column("amount", "金额", kind="money"),
    Column("ratio", "比例", kind="ratio"),
    Column("month", "月份", kind="month"),
    Column("day", "日期", kind="date"),
)


def written(rows, **more) -> bytes:
    target = BytesIO()
    spreadsheets.write_table(target, title="明细", columns=LEDGER, rows=rows, **more)
    return target.getvalue()


def loaded(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(content))


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(spreadsheets.as_text)
lines = st.tuples(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    names,
    st.decimals(-(10**12), 10**12, places=2),
    st.decimals(0, 1, places=4),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: day.replace(day=1)),
    st.dates(date(1900, 3, 1), date(2099, 12, 31)),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(lines, min_size=5, max_size=20))
def test_what_is_written_is_read(rows):
    table = spreadsheets.read(written(rows, head=[("单位账号", "010000000146")]), "x", LEDGER)
    assert table.title_cells["单位账号"] == "010000000146"
    assert [
        (
            spreadsheets.as_account(account, 12),
            spreadsheets.as_text(name),
            spreadsheets.as_number(amount),
            spreadsheets.as_ratio(ratio),
            spreadsheets.as_month(month),
            spreadsheets.as_date(day),
        )
        for _, (account, name, amount, ratio, month, day) in table.rows
    ] == rows


LINE = ("010000000146", "张三", Decimal("1102.04"), Decimal("0.12"), date(2026, 3, 1), date(2026, 3, 18))


@pytest.mark.parametrize("evil", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "http://x.cn", '=HYPERLINK("http://x.cn")'])
def test_text_is_never_a_formula_nor_a_link(evil):
    cell = loaded(written([("010000000146", evil, *LINE[2:])])).active.cell(3, 2)
    assert (cell.data_type, cell.value, cell.number_format, cell.hyperlink) == ("s", evil, "@", None)
    assert cell.quotePrefix is not evil.startswith("http")


def test_a_table_is_fit_for_work_and_print():
    sheet = loaded(
        written(
            [LINE, (*LINE[:2], None, *LINE[3:])],
            head=[("单位", "甲")],
            total=(None, None, Decimal("1102.04"), *[None] * 3),
        )
    ).active
    assert [cell.value for cell in sheet[3]] == [column.title for column in LEDGER]
    assert sheet.freeze_panes == "A4"
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToHeight, sheet.print_title_rows) == (9, 0, "$3:$3")
    assert (sheet["C4"].number_format, sheet["C4"].value, sheet["C5"].value) == ("#,##0.00", 1102.04, None)
    assert (sheet["A6"].value, sheet["C6"].value, sheet["C6"].font.bold) == ("合计", 1102.04, True)
    assert sheet.column_dimensions["A"].width > sheet.column_dimensions["B"].width


def test_the_total_is_read_back_as_control():
    total = (None, None, Decimal("1102.04"), None, None, None)
    table = spreadsheets.read(written([LINE], total=total), "x", LEDGER)
    assert table.control == (4, ("合计", "", 1102.04, "", "", ""))


def test_what_is_typed_below_has_the_kind_of_its_column_and_may_be_chosen():
    sheet = loaded(written([], choices={"name": ["张三", "李四"]})).active
    assert [sheet.column_dimensions[letter].number_format for letter in "ABC"] == ["@", "@", "#,##0.00"]
    (rule,) = sheet.data_validations.dataValidation
    assert (rule.type, rule.formula1, str(rule.sqref)) == ("list", '"张三,李四"', "B3:B2002")


def test_widths_and_a_path(tmp_path):
    path = tmp_path / "x.xlsx"
    spreadsheets.write_table(path, title="明细", columns=LEDGER, rows=[LINE], widths={"name": 33})
    assert round(loaded(path.read_bytes()).active.column_dimensions["B"].width) in {33, 34}


def test_a_float_is_no_money_on_paper_either_and_a_failure_leaves_no_file(tmp_path):
    with pytest.raises(TypeError, match=r"0\.1"):
        spreadsheets.write_table(tmp_path / "x.xlsx", title="明细", columns=LEDGER, rows=[(*LINE[:2], 0.1, *LINE[3:])])
    assert not any(tmp_path.iterdir())


# --- the clerk's file with its errors ---------------------------------------------------------------------------------


def annotated(content: bytes, problems, header_row=3) -> openpyxl.Workbook:
    return loaded(spreadsheets.annotate(content, "清册.xlsx", problems, header_row=header_row))


def test_annotated_file():
    def as_text(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["C5"].data_type = "s"

    book = annotated(
        xlsx(UPLOAD, change=as_text),
        {5: [("姓名", "姓名不符"), (None, "重复"), ("合计", "应为 1278.00")], None: [(None, "暂存款不足")]},
    )
    sheet = book.worksheets[0]
    assert sheet["G3"].value == "错误原因"
    assert sheet["G5"].value == "姓名不符；重复；应为 1278.00"
    assert sheet["G4"].value is None
    assert [cell.fill.bgColor.rgb == "FFFFC7CE" or cell.fill.fgColor.rgb == "FFFFC7CE" for cell in sheet[5]] == [
        False, False, True, False, False, True, False,
    ]  # fmt: skip
    assert (sheet["A1"].value, sheet["A2"].value) == ("汇缴清册", "单位账号：010000000146")
    assert (sheet["B4"].value, sheet["B4"].data_type) == ("360012345658", "s")
    assert (sheet["B5"].value, sheet["B5"].number_format) == (360012345658, "0")
    assert (sheet["C5"].value, sheet["C5"].data_type) == ("=1+1", "s")
    assert sheet.auto_filter.ref == "A3:G5"
    assert [sheet.row_dimensions[row].hidden for row in (1, 3, 4, 5)] == [False, False, True, False]
    assert [cell.value for cell in book["文件问题"]["A"]] == ["文件问题", "暂存款不足"]


def test_an_annotated_file_can_go_round():
    first = spreadsheets.annotate(xlsx(UPLOAD), "x", {4: [(None, "甲")]}, header_row=3)
    second = annotated(first, {5: [(None, "乙")]}).worksheets[0]
    assert [cell.value for cell in second["G"]] == [None, None, "错误原因", None, "乙"]
    assert second["H3"].value is None
    before, after = read(xlsx(UPLOAD)), read(first)
    assert (before.rows, before.title_cells) == (after.rows, after.title_cells)


def test_a_file_with_only_problems_of_its_own_hides_no_row():
    sheet = annotated(xlsx(UPLOAD), {None: [(None, "暂存款不足")]}).worksheets[0]
    assert not any(dimension.hidden for dimension in sheet.row_dimensions.values())


def test_a_file_without_header_is_annotated_too():
    book = annotated(csv("姓名", "张三"), {None: [(None, "缺少“个人账号”列")]}, header_row=None)
    assert [row[0].value for row in book.worksheets[0]] == ["姓名", "张三"]
    assert book.sheetnames[1] == "文件问题"


def test_an_annotated_xls_becomes_an_xlsx_with_its_dates():
    sheet = annotated((DATA / "register.xls").read_bytes(), {6: [("姓名", "姓名不符")]}, header_row=4).worksheets[0]
    assert sheet["G5"].value == datetime(2019, 7, 1)
    assert sheet["H6"].value == "姓名不符"
