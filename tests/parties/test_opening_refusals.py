"""Every reason not to open an account: one row a code, made by one spoilt file."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from stdnum import luhn
from stdnum.cn import ric

from accounts.parties.models import ContributionLimit, Employer
from accounts.parties.services import opening
from accounts.parties.terms import contribution_limits
from fundcenter import clock
from fundcenter.office.refusals import Problem
from fundcenter.office.services.intake import problems_of
from fundcenter.scope import acting_as
from tests.city import City, credit_code, workbook

EMPLOYER = {
    "单位名称": "乙单位", "统一社会信用代码": credit_code(900), "单位性质": "国有企业", "所属行业": "P 教育", "单位缴存比例": "12%",
    "发薪日": 15, "首次汇缴年月": "2026-03",
}  # fmt: skip
CARD = "622202151200000001" + luhn.calc_check_digit("622202151200000001")


def resident(born: str = "19900101", sex: str = "男", area: str = "362330") -> str:
    body = f"{area}{born}{'041' if sex == '男' else '042'}"
    return body + ric.calc_check_digit(body + "0")


def member(employer: Employer, **cells: Any) -> dict[str, Any]:
    usual = {
        "单位账号": employer.number,
        "起缴年月": "2026-03",
        "姓名": "张三",
        "证件号码": resident(),
        "缴存基数": 5321,
    }
    return usual | cells


def sheet(rows: Sequence[dict[str, Any]]) -> bytes:
    header = list(dict.fromkeys(title for row in rows for title in row))
    return workbook(header, [[row.get(title) for title in header] for row in rows])


def problems(
    city: City, intake: Any, upload: Callable[..., Any], rows: Sequence[dict[str, Any]]
) -> tuple[str, list[Problem]]:
    clerk = city.clerk()
    with acting_as(clerk):
        document = upload(sheet(rows), "开户.xlsx", by=clerk, on=clock.today())
        return document.state, problems_of(document, intake)


def of_employers(city: City, *rows: dict[str, Any]) -> tuple[str, list[Problem]]:
    return problems(city, opening.EMPLOYERS.intake, opening.EMPLOYERS.upload, rows)


def of_members(city: City, *rows: dict[str, Any]) -> tuple[str, list[Problem]]:
    return problems(city, opening.MEMBERS.intake, opening.MEMBERS.upload, rows)


# code, row, column, severity, what the message says, the cells of each row
EMPLOYERS = [
    ("credit_code_checksum", 2, "统一社会信用代码", "不是有效的统一社会信用代码", [{"统一社会信用代码": "91361100MA0000001X"}]),
    ("credit_code_checksum", 2, "统一社会信用代码", "应为 18 位", [{"统一社会信用代码": "9136110"}]),
    ("credit_code_doubled", 3, "统一社会信用代码", "与第 2 行是同一", [{}, {"单位名称": "丙单位"}]),
    ("cell_empty", 2, "单位名称", "“单位名称”未填写", [{"单位名称": None}]),
    ("text_too_long", 2, "单位名称", "太长", [{"单位名称": "很" * 101}]),
    ("nature_unknown", 2, "单位性质", "请填写国家机关和事业单位", [{"单位性质": "国营"}]),
    ("industry_unknown", 2, "所属行业", "A 至 T", [{"所属行业": "Z"}]),
    ("ratio_below_floor", 2, "单位缴存比例", "4% 低于下限 5%（建金〔2018〕45号）", [{"单位缴存比例": "4%", "个人缴存比例": "5%"}]),
    ("ratio_above_ceiling", 2, "个人缴存比例", "13% 高于上限 12%", [{"个人缴存比例": 13}]),
    ("number_malformed", 2, "单位缴存比例", "不是数字", [{"单位缴存比例": "百分之八"}]),
    ("number_malformed", 2, "单位缴存比例", "不是数字", [{"单位缴存比例": "9" * 30}]),
    ("pay_day_malformed", 2, "发薪日", "1 至 31", [{"发薪日": 32}]),
    ("month_malformed", 2, "首次汇缴年月", "“三月”不是年月", [{"首次汇缴年月": "三月"}]),
    ("month_future", 2, "首次汇缴年月", "2026-05 晚于下月", [{"首次汇缴年月": "2026-05"}]),
    ("name_malformed", 2, "法定代表人", "不像姓名", [{"法定代表人": "李"}]),
    ("phone_malformed", 2, "联系电话", "带区号的座机", [{"联系电话": "8220"}]),
    ("phone_malformed", 2, "联系电话", "带区号的座机", [{"联系电话": "(0793)-82200001-123456"}]),
    ("id_misplaced", 2, "银行账号", "362330********0411", [{"银行账号": resident()}]),
    ("bank_account_malformed", 2, "银行账号", "8 至 32 位", [{"银行账号": "工行账号"}]),
    ("account_as_float", 2, "银行账号", "已被表格软件改成数字", [{"银行账号": 1512200009024500018}]),
    ("id_misplaced", 2, "地址", "362330********0411", [{"地址": f"东门 {resident()}"}]),
]  # fmt: skip
MEMBERS = [
    ("employer_unknown", 2, "单位账号", "error", "没有单位账号“100000009999”", [{"单位账号": "100000009999"}]),
    ("account_as_float", 2, "单位账号", "error", "已被表格软件改成数字", [{"单位账号": "1.00E+11"}]),
    ("id_checksum", 2, "证件号码", "error", "校验码不符", [{"证件号码": resident()[:-1] + ("1" if resident()[-1] != "1" else "2")}]),
    ("id_checksum", 2, "证件号码", "error", "应为 18 位", [{"证件号码": "362330900101041"}]),
    ("id_checksum", 2, "证件号码", "error", "第 7 至 14 位不是日期", [{"证件号码": "362330199013010410"}]),
    ("account_as_float", 2, "证件号码", "error", "已被表格软件改成数字", [{"证件号码": 362330199001010410}]),
    ("id_area_unknown", 2, "证件号码", "warning", "前 6 位不是已知的行政区划代码", [{"证件号码": resident(area="999999")}]),
    ("id_doubled", 3, "证件号码", "error", "与第 2 行是同一证件号码", [{}, {"姓名": "李四"}]),
    ("birth_mismatch", 2, "出生日期", "error", "1990-01-02 与证件号码所载 1990-01-01 不符", [{"出生日期": "1990-01-02"}]),
    ("sex_mismatch", 2, "性别", "error", "性别“女”与证件号码所载“男”不符", [{"性别": "女"}]),
    ("sex_unknown", 2, "性别", "error", "请填写男或女", [{"性别": "先生"}]),
    ("birth_missing", 2, "出生日期", "error", "须填写出生日期", [{"证件类型": "护照", "证件号码": "E12345678"}]),
    ("id_type_unknown", 2, "证件类型", "error", "请填写居民身份证", [{"证件类型": "驾照"}]),
    ("name_malformed", 2, "姓名", "error", "不像姓名", [{"姓名": "张3"}]),
    ("name_malformed", 2, "姓名", "error", "362330********0411", [{"姓名": resident()}]),
    ("phone_malformed", 2, "手机", "error", "“123****8901”不是手机号码", [{"手机": "12345678901"}]),
    ("card_checksum", 2, "银行卡号", "error", "“6222***********0019”不正确", [{"银行卡号": "6222021512000000019"}]),
    ("underage", 2, "证件号码", "error", "2010-03-17 出生，未满 16 周岁", [{"证件号码": resident("20100317")}]),
    ("underage", 2, "证件号码", "error", "未满 16 周岁", [{"证件类型": "护照", "证件号码": "E12345678", "出生日期": "2015-01-01"}]),
    ("overage", 2, "证件号码", "warning", "已于 2025-02 到法定退休年龄", [{"证件号码": resident("19650131")}]),
    ("too_many_decimals", 2, "缴存基数", "error", "5321.125 超过两位小数", [{"缴存基数": "5321.125"}]),
    ("negative_amount", 2, "缴存基数", "error", "须大于 0", [{"缴存基数": -5321}]),
    ("number_malformed", 2, "缴存基数", "error", "“五千”不是数字", [{"缴存基数": "五千"}]),
    ("number_malformed", 2, "缴存基数", "error", "“362330********0411”不是数字", [{"缴存基数": resident()}]),
    ("base_below_floor", 2, "缴存基数", "error", "1849.99 低于缴存基数下限 1850.00（建金〔2018〕45号）", [{"缴存基数": "1849.99"}]),
    ("base_above_cap", 2, "缴存基数", "error", "24333.01 高于缴存基数上限 24333.00", [{"缴存基数": "24333.01"}]),
    ("month_malformed", 2, "起缴年月", "error", "“三月”不是年月", [{"起缴年月": "三月"}]),
    ("month_future", 2, "起缴年月", "error", "2026-05 晚于下月", [{"起缴年月": "2026-05"}]),
    ("date_malformed", 2, "参加工作日期", "error", "不是日期", [{"参加工作日期": "去年"}]),
    ("cell_empty", 2, "证件号码", "error", "“证件号码”未填写", [{"证件号码": None}]),
    ("id_misplaced", 2, "开户行", "error", "里写了身份证号码 362330********0411", [{"开户行": resident()}]),
    ("formula_cell", 2, "缴存基数", "error", "公式", [{"缴存基数": "=5000+321"}]),
]  # fmt: skip


def ids(table: list[Any]) -> list[str]:
    return [f"{row[0]}-{row[2]}-{n}" for n, row in enumerate(table)]


@pytest.fixture
def employer(city: City) -> Employer:
    return city.employer("甲单位")


@pytest.mark.parametrize(("code", "row", "column", "says", "rows"), EMPLOYERS, ids=ids(EMPLOYERS))
def test_单位不予开户(city: City, code: str, row: int, column: str, says: str, rows: list[dict[str, Any]]) -> None:
    state, found = of_employers(city, *(EMPLOYER | cells for cells in rows))
    assert state == "refused"
    assert [(p.code, p.row, p.column, p.severity) for p in found] == [(code, row, column, "error")]
    assert says in found[0].message


@pytest.mark.parametrize(("code", "row", "column", "severity", "says", "rows"), MEMBERS, ids=ids(MEMBERS))
def test_职工不予开户(
    city: City,
    employer: Employer,
    code: str,
    row: int,
    column: str,
    severity: str,
    says: str,
    rows: list[dict[str, Any]],
) -> None:
    state, found = of_members(city, *(member(employer, **cells) for cells in rows))
    assert [(p.code, p.row, p.column, p.severity) for p in found] == [(code, row, column, severity)]
    assert says in found[0].message
    assert state == ("refused" if severity == "error" else "checked")


def test_无误的表没有问题(city: City, employer: Employer) -> None:
    whole = EMPLOYER | {
        "个人缴存比例": "8%",
        "法定代表人": "阿依古丽•买买提",
        "联系电话": "0793-8220000",
        "银行账号": "1512-2000 0902",
    }
    assert of_employers(city, whole) == ("checked", [])
    assert of_members(
        city,
        member(
            employer,
            证件类型="身份证",
            性别="男",
            出生日期="1990/1/1",
            手机="138 1234 5678",
            银行卡号=CARD,
            开户行="工行",
        ),
        member(employer, 姓名="SMITH JOHN", 证件类型="03", 证件号码="E12345678", 出生日期="1980-01-01"),
    ) == ("checked", [])


def test_信用代码已开户_别的机构也算(city: City) -> None:
    city.employer("市直单位", "01")
    state, (problem,) = of_employers(city, EMPLOYER | {"统一社会信用代码": credit_code(city.serial)})
    assert (state, problem.code, problem.row) == ("refused", "credit_code_in_use", 2)
    assert "已在市直分中心开立单位账户" in problem.message


def test_证件号码已开户_别的机构也算_只说机构(city: City, employer: Employer) -> None:
    elsewhere = city.employer("市直单位", "01")
    city.open("01", opening.MEMBERS, [
        {"employer_number": elsewhere.number, "first_month": "2026-03", "name": "张三", "id": resident(), "base": "5000"}
    ])  # fmt: skip
    state, (problem,) = of_members(city, member(employer))
    assert (state, problem.code, problem.found) == ("refused", "id_in_use", "362330********0411")
    assert "已在市直分中心有未销户的个人账户" in problem.message
    assert "市直单位" not in problem.message


def test_单位属别的机构(city: City) -> None:
    state, (problem,) = of_members(city, member(city.employer("市直单位", "01")))
    assert (state, problem.code, problem.row, problem.column) == ("refused", "employer_not_yours", 2, "单位账号")


@pytest.mark.parametrize(("state", "word"), [("sealed", "封存"), ("closed", "销户")])
def test_单位封存或销户(city: City, employer: Employer, state: str, word: str) -> None:
    with acting_as(city.clerk()):
        Employer.objects.filter(pk=employer.pk).update(state=state)
    outcome, (problem,) = of_members(city, member(employer))
    assert (outcome, problem.code) == ("refused", "employer_closed")
    assert f"单位“甲单位”已{word}" in problem.message


def test_没有生效的上下限_不予开户(city: City, owner: Any) -> None:
    owner.execute("update parties_contributionlimit set valid_to = '2026-03-01' where valid_to is null")
    state, found = of_employers(city, EMPLOYER)
    assert (state, [p.code for p in found]) == ("refused", ["limits_missing"])


def test_机构有自己的上下限(city: City, owner: Any, employer: Employer) -> None:
    branch = city.branches["10"].pk
    owner.execute(
        "insert into parties_contributionlimit (branch_id, valid_from, document_number, article, base_floor, base_cap, "
        "ratio_floor, ratio_ceiling) values (%s, '2026-01-01', '鄱公积金〔2026〕1号', '', 2000, 20000, 0.06, 0.1)",
        [branch],
    )
    _, (low,) = of_members(city, member(employer, 缴存基数=1999))
    assert "低于缴存基数下限 2000.00（鄱公积金〔2026〕1号）" in low.message
    with acting_as(city.clerk()):
        assert contribution_limits(date(2026, 3, 16), branch).base_cap == Decimal(20000)
        assert contribution_limits(date(2026, 3, 16), city.branches["01"].pk).base_cap == Decimal(24333)
        assert ContributionLimit.objects.count() == 3


# 《国务院关于渐进式延迟法定退休年龄的办法》, the tables that came with it.
@pytest.mark.parametrize(
    ("born", "sex", "retires"),
    [
        ("1964-12-31", "男", "2024-12"), ("1965-01-01", "男", "2025-02"), ("1965-04-30", "男", "2025-05"),
        ("1965-05-01", "男", "2025-07"), ("1976-08-01", "男", "2039-07"), ("1976-09-01", "男", "2039-09"),
        ("1990-01-01", "男", "2053-01"), ("1969-12-31", "女", "2024-12"), ("1970-01-01", "女", "2025-02"),
        ("1981-08-01", "女", "2039-07"), ("1981-09-01", "女", "2039-09"),
    ],
)  # fmt: skip
def test_法定退休时间_照国务院的表(transactional_db: None, born: str, sex: str, retires: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select to_char(parties_retires_on(%s, %s), 'YYYY-MM')", [born, sex])
        assert cursor.fetchone() == (retires,)
