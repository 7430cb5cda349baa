"""Every reason to refuse a register: one row a code, made by one spoilt file."""

import io
from collections.abc import Callable

import openpyxl
import pytest

from fundcenter.office.refusals import Refused
from tests.city import HEADER, City, workbook

Spoil = Callable[[City, object], bytes]


def cell(name: str, **cells: object) -> Spoil:
    return lambda city, employer: city.register(employer, **{name: cells})


def header(*titles: str) -> Spoil:
    return lambda city, employer: city.register(employer, header=titles)


def other_branch_employer(city: City, employer: object) -> bytes:
    stranger = city.employer("市直单位", "01")
    return city.register(employer, 张三={"单位账号": stranger.number})


def other_branch_member(city: City, employer: object) -> bytes:
    (stranger,) = city.members(city.employer("市直单位", "01"), 赵六="5000.00")
    return city.register(employer, 张三={"个人账号": stranger.number})


def other_employer_member(city: City, employer: object) -> bytes:
    (colleague,) = city.members(city.employer("丙单位"), 孙七="5000.00")
    return city.register(employer, 张三={"个人账号": colleague.number})


def doubled(city: City, employer: object) -> bytes:
    with_number = city.numbers_of(employer)
    return city.register(employer, 李四={"个人账号": with_number["张三"]})


def posted(city: City, employer: object) -> bytes:
    city.receive(employer, "9000.00")
    batch = city.remit(employer, city.register(employer))
    city.submit(batch)
    city.approve(batch)
    return city.register(employer, header=HEADER[::-1])


def short(city: City, employer: object) -> bytes:
    return city.register(employer, "2026-04", 张三={"缴存基数": 50000, "单位月缴存额": 6000, "个人月缴存额": 6000})


# code, row, column, what the message says, how the file is spoilt
TABLE = [
    ("header_missing", 1, "个人账号", "缺少“个人账号”列", header(*(t for t in HEADER if t != "个人账号"))),
    ("header_missing", 1, "单位账号", "缺少“单位账号”列", header(*(t for t in HEADER if t != "单位账号"))),
    ("cell_empty", 2, "缴存基数", "“缴存基数”未填写", cell("张三", 缴存基数=None)),
    ("number_malformed", 2, "单位月缴存额", "“六百”不是数字", cell("张三", 单位月缴存额="六百")),
    ("number_malformed", 2, "缴存基数", "“1.2E+03”不是数字", cell("张三", 缴存基数="1.2E+03")),
    ("account_as_float", 2, "个人账号", "“3.60E+11”已被表格软件改成数字", cell("张三", 个人账号="3.60E+11")),
    ("month_malformed", 2, "缴存月份", "“三月”不是年月", cell("张三", 缴存月份="三月")),
    ("month_already_posted", None, "缴存月份", "2026-03已汇缴（批次 HJ202603-", posted),
    ("employer_unknown", 2, "单位账号", "没有单位账号“100000009999”", cell("张三", 单位账号="100000009999")),
    ("employer_not_yours", 2, "单位账号", "由其他机构管理", other_branch_employer),
    ("member_unknown", 2, "个人账号", "没有个人账号“360000009999”", cell("张三", 个人账号="360000009999")),
    ("member_of_other_employer", 2, "个人账号", "不在本单位名下", other_employer_member),
    ("member_of_other_employer", 2, "个人账号", "不在本单位名下", other_branch_member),
    ("member_doubled", 3, "个人账号", "与第 2 行重复", doubled),
    ("member_missing", None, "清册", "李四", lambda city, employer: city.register(employer, 李四=None)),
    ("amount_wrong", 2, "单位月缴存额", "应为 639.00 = 5321.00 × 12%", cell("张三", 单位月缴存额=638.52)),
    ("amount_wrong", 3, "个人月缴存额", "应为 426.00 = 3550.00 × 12%", cell("李四", 个人月缴存额=425)),
    ("suspense_short", None, "合计", "差", short),
    ("formula_cell", 2, "单位月缴存额", "公式", cell("张三", 单位月缴存额="=600+39")),
]  # fmt: skip


@pytest.fixture
def employer(city: City):
    found = city.employer("甲单位")
    city.members(found, 张三="5321.00", 李四="3550.00")
    return found


@pytest.mark.parametrize(("code", "row", "column", "says", "spoil"), TABLE, ids=[f"{t[0]}-{t[2]}" for t in TABLE])
def test_不受理的理由(city: City, employer, code: str, row: int | None, column: str, says: str, spoil: Spoil) -> None:
    content = spoil(city, employer)
    if code not in ("suspense_short", "month_already_posted"):
        city.receive(employer, "9000.00")
    batch = city.remit(employer, content)
    found = [p for p in city.problems(batch) if p.code == code]
    assert batch.state == "refused"
    assert [(p.row, p.column, p.severity) for p in found] == [(row, column, "error")]
    assert says in found[0].message


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.xlsx", "file_empty"),
        (b"%PDF-1.7 not a sheet \x00\x01\x02" * 20, "a.xlsx", "file_type"),
    ],
)
def test_不是表格的文件_不留痕迹(city: City, employer, content: bytes, name: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        city.remit(employer, content or b"\x00", name)
    assert refused.value.problems[0].code in (code, "file_type")


def test_所有行的所有问题一次说完(city: City, employer) -> None:
    city.receive(employer, "9000.00")
    content = city.register(
        employer, 张三={"单位月缴存额": 1, "个人月缴存额": 2}, 李四={"单位月缴存额": 3, "个人账号": "360000009999"}
    )
    problems = city.problems(city.remit(employer, content))
    assert [(p.row, p.code) for p in problems] == [
        (2, "amount_wrong"), (2, "amount_wrong"), (3, "member_unknown"), (3, "amount_wrong"), (None, "member_missing"),
    ]  # fmt: skip


# --- what the optional columns bring ---------------------------------------------------------------------------------


MORE = [
    ("month_future", 2, "缴存月份", "还没有到", "error", {"缴存月份": "2026-04"}, None),
    ("too_many_decimals", 2, "单位月缴存额", "超过两位小数", "error", {"单位月缴存额": 639.005}, None),
    ("negative_amount", 2, "个人月缴存额", "须大于 0", "error", {"个人月缴存额": -639}, None),
    ("total_wrong", 2, "合计", "不等于", "error", {"合计": 1200}, None),
    ("name_mismatch", 2, "姓名", "“张四”与账户姓名“张三”不符", "error", {"姓名": "张四"}, None),
    ("id_mismatch", 2, "证件号码", "不符", "error", {"证件号码": "11010519491231002X"}, None),
    ("change_unknown", 2, "变更类型", "不是变更类型", "error", {"变更类型": "调走"}, None),
    ("base_changed_without_type", 2, "缴存基数", "与账户的 5321.00 不同", "error",
     {"缴存基数": 6000, "单位月缴存额": 720, "个人月缴存额": 720}, None),
    ("base_below_floor", 2, "缴存基数", "低于缴存基数下限 1850.00", "error",
     {"缴存基数": 1849.99, "单位月缴存额": 222, "个人月缴存额": 222, "变更类型": "基数变更"}, None),
    ("base_above_cap", 2, "缴存基数", "高于缴存基数上限 24333.00", "error",
     {"缴存基数": 24333.01, "单位月缴存额": 2920, "个人月缴存额": 2920, "变更类型": "基数变更"}, None),
    ("member_not_sealed", 2, "个人账号", "未封存，不必启封", "error", {"变更类型": "启封"}, None),
    ("limits_missing", None, "", "2026-03-01 没有生效的缴存基数和比例上下限", "error", {},
     "update parties_contributionlimit set valid_to = '2026-03-01' where valid_to is null"),
    ("ratio_differs_from_employer", 2, "单位比例", "比例 8% 与单位的 12% 不同", "error", {"单位比例": "8%"}, None),
    ("member_sealed", 2, "个人账号", "已封存", "error", {},
     "update parties_member set state = 'sealed', sealed_month = '2026-03-01' where name = '张三'"),
    ("member_closed", 2, "个人账号", "已销户", "error", {}, "update parties_member set state = 'closed' where name = '张三'"),
    ("employer_closed", 2, "单位账号", "状态为销户", "error", {}, "update parties_employer set state = 'closed'"),
    ("employer_deferred", 2, "单位账号", "缓缴", "error", {}, "update parties_employer set state = 'deferred'"),
    ("month_closed", None, "", "已结账至 2026-03-16", "error", {}, "update ledger_period set day_closed = '2026-03-16'"),
    ("month_gap", None, "缴存月份", "2026-01 尚未汇缴", "warning", {},
     "update parties_employer set first_month = '2026-01-01'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "row", "column", "says", "severity", "cells", "sql"), MORE, ids=[f"{t[0]}-{t[2]}" for t in MORE]
)
def test_更多理由(city: City, employer, owner, code, row, column, says, severity, cells, sql) -> None:
    city.receive(employer, "9000.00")
    if sql:
        owner.execute(sql)
    header = (*HEADER, *(title for title in cells if title not in HEADER))
    content = city.register(
        employer, header=header, 张三=cells, 李四={title: None for title in cells if title not in HEADER}
    )
    if code in ("member_sealed", "member_closed"):
        content = with_member(city, employer, header)
    batch = city.remit(employer, content)
    found = [p for p in city.problems(batch) if p.code == code]
    assert [(p.row, p.column, p.severity) for p in found] == [(row, column, severity)]
    assert says in found[0].message
    assert batch.state == ("refused" if severity == "error" else "checked")


def test_末行合计与各行不符_指出是哪一列(city: City, employer) -> None:
    """A row lost on the way: the file's own last row still knows it."""
    city.receive(employer, "9000.00")
    lines = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(city.register(employer))).active]
    good = workbook(HEADER, [*lines[1:], ["合计", None, None, None, None, 1065, 1065]])
    assert city.remit(employer, good).state == "checked"
    batch = city.remit(employer, workbook(HEADER, [*lines[1:], ["合计", None, None, None, None, 1065, 1165.5]]))
    (problem,) = city.problems(batch)
    assert (problem.code, problem.row, problem.column) == ("control_total_wrong", 4, "个人月缴存额")
    assert "合计 1,165.50，各行相加为 1,065.00" in problem.message


def test_公式不遮住别的问题_也不再说一遍(city: City, employer) -> None:
    city.receive(employer, "9000.00")
    content = city.register(employer, 张三={"单位月缴存额": "=600+39"}, 李四={"单位月缴存额": 3})
    assert [(p.row, p.code) for p in city.problems(city.remit(employer, content))] == [
        (2, "formula_cell"), (3, "amount_wrong")
    ]  # fmt: skip


def test_缺列的表_只说缺列(city: City, employer) -> None:
    """Also with a last row of sums: no row of it means anything."""
    lines = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(city.register(employer))).active]
    header = [title if title != "个人账号" else "工号" for title in lines[0]]
    content = workbook(header, [*lines[1:], ["合计", None, None, None, None, 1, 1]])
    assert [p.code for p in city.problems(city.remit(employer, content))] == ["header_missing"]


def with_member(city: City, employer: object, header: tuple[str, ...]) -> bytes:
    """The register with 张三 in it although he is no longer active."""
    number = city.numbers_of(employer)
    line = {"单位账号": employer.number, "缴存月份": "2026-03"}
    rows = [
        line | {"个人账号": number["张三"], "姓名": "张三", "缴存基数": 5321, "单位月缴存额": 639, "个人月缴存额": 639},
        line | {"个人账号": number["李四"], "姓名": "李四", "缴存基数": 3550, "单位月缴存额": 426, "个人月缴存额": 426},
    ]
    return workbook(header, [[row.get(title) for title in header] for row in rows])
