"""Sample spreadsheets of every kind, good and bad, with the account numbers of the demo city at hand.

A file's name promises what comes of it: ``通过``, ``提示 code``, ``拒绝 code …``, ``不收 code``, then what was done to it. Its
folder is the list where it is uploaded. The same city in the same month has the same cells.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from stdnum.cn import ric
from xlsxwriter import Workbook

from accounts.contributions.calc import monthly_amount
from accounts.contributions.models import Batch, Refund, Sealing
from accounts.contributions.services.templates import register_rows_of, write_register
from accounts.contributions.terms import contribution_terms
from accounts.parties.models import Employer, EmployerChange, EmployerOpening, Member, MemberOpening
from accounts.parties.services import unmasking
from demo import oldexcel, organisations
from demo.city import EMPLOYER_HEADER, HEADER, MEMBER_HEADER, fund
from demo.people import people
from fundcenter import months
from fundcenter.office.models import Branch, Role, User
from fundcenter.scope import acting_as

Row = dict[str, Any]
Rows = list[Row]
Spoil = Callable[[Rows], object]
GUIDE = "说明.txt"
SEED = 365  # not the city's own: people and employers whom it does not know yet
SEALING_HEADER = ("单位账号", "个人账号", "姓名", "变更类型", "生效年月", "变更原因")
REFUND_HEADER = ("单位账号", "个人账号", "姓名", "错缴年月", "退回单位额", "退回个人额", "原因")
NO_EMPLOYER, NO_MEMBER = "999999999999", "360000000099"
MACRO = "xl/vbaProject.bin"


class TooSmall(Exception):
    """The branch has too few employers with contributions paid."""


@dataclass(frozen=True)
class Sample:
    kind: type[Any]
    promise: str
    words: str
    suffix: str
    content: bytes

    @property
    def path(self) -> Path:
        return Path(str(self.kind._meta.verbose_name), f"{self.promise} {self.words}.{self.suffix}")


def write(folder: Path, *, branch: Branch, on: date) -> list[Path]:
    """Write all of them. The money that the good registers need arrives, once a month. TooSmall: nothing to show them on."""
    found = list(_all(branch, on))
    paths = []
    for sample in found:
        path = folder / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.content)
        paths.append(path)
    (folder / GUIDE).write_text(_guide(branch, on))
    return paths


def _guide(branch: Branch, on: date) -> str:
    return f"""{branch.name} {months.chinese(on)}的样表：文件夹是要上传到的单据，文件名是上传后的结果。

  通过      没有问题，可提交复核
  提示 代码  有提示，不妨碍提交
  拒绝 代码  有问题，未受理；页面逐行列出，可下载错误原因表
  不收 代码  不是能读的表格，不留单据

所需款项已登记到账。通过的清册多是同一单位的同一月份：入账一份以后，其余的会因“month_already_posted 当月已汇缴”被拒，
这是对的。账号随演示城市而定，换一座城市或换一个月请重新生成：manage.py samples --out 文件夹
代码的意思和改法见 docs/manual.zh-CN.md。
"""


def _all(branch: Branch, on: date) -> Iterator[Sample]:
    clerk, cashier = (User.objects.get(branch=branch, roles__contains=[role]) for role in (Role.CLERK, Role.CASHIER))
    month, last_month = months.first(on), months.shift(months.first(on), -1)
    with acting_as(clerk):
        due = register_rows_of(branch, month, on=on)
        employers = {e.number: e for e in Employer.objects.visible().filter(state="normal")}
        posted = Batch.objects.visible().filter(state="posted")
        paid = set(posted.filter(registers__month=month).values_list("registers__employer__number", flat=True))
        before = register_rows_of(branch, last_month, on=on)
    by_employer: dict[str, Rows] = {}
    for line in due:
        row = dict(zip(HEADER, (line[0], months.text(month), *line[1:]), strict=True))
        by_employer.setdefault(line[0], []).append(row)
    free = sorted((number for number in by_employer if number not in paid), key=lambda n: (len(by_employer[n]), n))
    if len(free) < 3:
        raise TooSmall(f"{branch.name}当月未汇缴的单位不足 3 个，不能生成样表")
    poor, small, *_, large = free  # without money, the one that everything happens to, and a second one in one file
    with acting_as(User.objects.system()):
        stranger = Employer.objects.exclude(branch=branch).order_by("number")[0]
    # Twice for the one whose files bring rows too many: only what a name promises may be wrong with them.
    needed = [line for number in (small, small, large) for line in due if line[0] == number]
    fund(month, needed, on=on, cashier=cashier)
    rows = by_employer[small]
    yield from _registers(rows, by_employer[large], by_employer[poor], stranger, employers[small], month, on)
    yield from _sealings(rows, months.text(month), months.text(last_month))
    yield from _refunds([line for line in before if line[0] == small], by_employer[large][0], last_month)
    yield from _employer_changes(small, stranger)
    yield from _employer_openings(branch, employers[small], months.text(month))
    with acting_as(clerk):
        somebody = Member.objects.visible().filter(number=rows[0]["个人账号"]).get()
        known = unmasking.unmask(somebody, "id", by=clerk, reason="original", words="演示样表：已开户的证件号码")
    yield from _member_openings(small, stranger, known, months.text(month), on)


# --- 汇缴 -------------------------------------------------------------------------------------------------------------


def _registers(
    rows: Rows, others: Rows, poor: Rows, stranger: Employer, employer: Employer, month: date, on: date
) -> Iterator[Sample]:
    def sample(promise: str, words: str, content: bytes, suffix: str = "xlsx") -> Sample:
        return Sample(Batch, promise, words, suffix, content)

    number, when = employer.number, months.text(month)
    grid = _grid(HEADER, rows)
    above = [["住房公积金汇缴清册"], [f"单位账号：{number}　单位名称：{employer.name}"], ["缴存月份", when]]
    narrow = [line[2:] for line in grid]
    sums = [sum(row[title] for row in rows) for title in HEADER[-2:]]
    control = ["合计", None, None, None, None, *sums]
    due = [(number, row["个人账号"], row["姓名"], *(row[title] for title in HEADER[-3:])) for row in rows]

    yield sample("通过", "下载的模板原样交回", write_register(employer, month, due))
    yield sample("通过", "一个单位", _xlsx(grid))
    yield sample("通过", "一个文件两个单位", _xlsx(_grid(HEADER, rows + others)))
    yield sample("通过", "表头上方有合并的标题和单位", _xlsx([*above, *narrow], merged=(0, 0, 0, len(narrow[0]) - 1)))
    yield sample("通过", "末行合计", _xlsx([*grid, control]))
    yield sample("通过", "列序颠倒用别名", _xlsx([_renamed(line) for line in grid]))
    yield sample("通过", "GBK编码", _csv(grid, "gb18030"), "csv")
    yield sample("通过", "UTF-8编码", _csv(grid, "utf-8-sig"), "csv")
    yield sample("通过", "Excel 97-2003 旧格式", oldexcel.workbook(grid, sheet="清册"), "xls")

    lone, other = rows[0], others[0]
    as_ours = monthly_amount(
        base=other["缴存基数"], ratio=employer.ratio_employer, rounding=contribution_terms(on).amount_rounding
    )
    colleague = {**other, "单位账号": number, "单位月缴存额": as_ours, "个人月缴存额": as_ours}
    last = _grid(HEADER, [{**row, "缴存月份": months.text(months.shift(month, -1))} for row in rows])
    for promise, words, spoil in (
        ("拒绝 amount_wrong", "应缴额算错", _cell("单位月缴存额", lone["单位月缴存额"] - 1)),
        ("拒绝 base_changed_without_type", "基数改了没写变更类型", _another_base(employer)),
        ("拒绝 cell_empty", "缴存基数未填", _cell("缴存基数", None)),
        ("拒绝 change_unknown", "变更类型写成调走", _cell("变更类型", "调走")),
        ("拒绝 employer_not_yours", "夹了别的分中心的单位", _more(other, 单位账号=stranger.number)),
        ("拒绝 employer_unknown", "单位账号不存在", _more(other, 单位账号=NO_EMPLOYER)),
        ("拒绝 formula_cell", "金额是公式", _cell("个人月缴存额", "=E2*0.05")),
        ("拒绝 id_mismatch", "证件号码不是本人的", _cell("证件号码", "11010519491231002X")),
        ("拒绝 id_misplaced", "身份证号写进姓名", _cell("姓名", "11010519491231002X")),
        ("拒绝 member_doubled", "同一职工两行", _more(lone)),
        ("拒绝 member_missing", "缺一名在职职工（可勾选确认）", lambda spoilt: spoilt.pop()),
        ("拒绝 member_not_sealed", "未封存的写了启封", _cell("变更类型", "启封")),
        ("拒绝 member_of_other_employer", "别的单位的职工", _more(colleague)),
        ("拒绝 member_unknown", "个人账号不存在", _more(lone, 个人账号=NO_MEMBER)),
        ("拒绝 month_future", "下月的清册", _every("缴存月份", months.text(months.shift(month, 1)))),
        ("拒绝 month_malformed", "月份写成三月", _more(lone, 缴存月份="三月")),
        ("拒绝 name_mismatch", "姓名与账户不符", _cell("姓名", "查无此人")),
        ("拒绝 number_malformed", "金额写成汉字", _cell("单位月缴存额", "六百")),
        ("拒绝 ratio_differs_from_employer", "比例与单位的不同", _cell("单位比例", "11.5%")),
        ("拒绝 too_many_decimals amount_wrong", "金额到厘", _cell("单位月缴存额", lone["单位月缴存额"] - Decimal("0.995"))),
        ("拒绝 negative_amount amount_wrong", "金额是负数", _cell("个人月缴存额", -lone["个人月缴存额"])),
        ("拒绝 total_wrong", "合计不等于两项之和", _cell("合计", lone["单位月缴存额"])),
    ):  # fmt: skip
        yield sample(promise, words, _spoilt(HEADER, rows, spoil))
    yield sample("拒绝 month_already_posted", "上月的清册再交一次", _xlsx(last))
    yield sample("拒绝 suspense_short", "款项未到", _xlsx(_grid(HEADER, poor)))
    yield sample("拒绝 control_total_wrong", "末行合计与各行不符", _xlsx([*grid, [*control[:-1], sums[1] + 100]]))
    yield sample("拒绝 header_missing", "缺姓名列", _xlsx([[*line[:3], *line[4:]] for line in grid]))
    yield sample("拒绝 header_doubled", "姓名列出现两次", _xlsx([[*line, line[3]] for line in grid]))
    floated = [*rows, {**lone, "个人账号": "3.60E+11"}]
    yield sample("拒绝 account_as_float", "账号被改成科学计数法", _csv(_grid(HEADER, floated), "gb18030"), "csv")
    yield sample("不收 file_type", "网页改名成表格", "<html><table><tr><td>个人账号</td></tr></table>".encode(), "xls")
    yield sample("不收 file_macro", "带宏的工作簿", _with_macro(_xlsx(grid)))
    yield sample("不收 file_empty", "空白工作簿", _xlsx([[None]]))


def _another_base(employer: Employer) -> Spoil:
    """A base that is not the account's, with the amounts that follow from it."""
    base = Decimal(2000)
    own, theirs = base * employer.ratio_employer, base * employer.ratio_member
    return lambda rows: rows[0].update({"缴存基数": base, "单位月缴存额": own, "个人月缴存额": theirs})


def _renamed(line: Sequence[Any]) -> list[Any]:
    names = {"单位账号": "单位编号", "缴存月份": "汇缴年月", "个人账号": "职工账号", "单位月缴存额": "单位缴存额（元）"}
    return [names.get(value, value) for value in reversed(line)]


def _with_macro(workbook: bytes) -> bytes:
    content = io.BytesIO(workbook)
    with zipfile.ZipFile(content, "a") as package:
        package.writestr(MACRO, b"")
    return content.getvalue()


# --- 封存启封, 错缴退回 -------------------------------------------------------------------------------------------------


def _sealings(members: Rows, month: str, last_month: str) -> Iterator[Sample]:
    rows = [
        {"单位账号": m["单位账号"], "个人账号": m["个人账号"], "姓名": m["姓名"], "变更类型": "封存", "生效年月": month, "变更原因": "离职"}
        for m in members[:2]
    ]  # fmt: skip
    yield Sample(Sealing, "通过", "封存两名离职职工", "xlsx", _xlsx(_grid(SEALING_HEADER, rows)))
    for promise, words, spoil in (
        ("拒绝 change_unknown", "变更类型写成调出", _cell("变更类型", "调出")),
        ("拒绝 member_not_sealed", "未封存的办启封", _cell("变更类型", "启封")),
        ("拒绝 member_doubled", "同一职工两行", _more(rows[0])),
        ("拒绝 member_unknown", "个人账号不存在", _cell("个人账号", NO_MEMBER)),
        ("拒绝 name_mismatch", "姓名与账户不符", _cell("姓名", "查无此人")),
        ("拒绝 sealed_month_paid", "封存年月已汇缴", _cell("生效年月", last_month)),
        ("拒绝 text_too_long", "变更原因写得太长", _cell("变更原因", "因个人原因离职" * 20)),
    ):
        yield Sample(Sealing, promise, words, "xlsx", _spoilt(SEALING_HEADER, rows, spoil))


def _refunds(paid: Sequence[Any], other: Row, month: date) -> Iterator[Sample]:
    when = months.text(month)
    rows: Rows = [
        dict(zip(REFUND_HEADER, (number, member, name, when, own, theirs, "重复缴存"), strict=True))
        for number, member, name, _, own, theirs in paid[:1]
    ]
    foreign = {**rows[0], "单位账号": other["单位账号"], "个人账号": other["个人账号"], "姓名": other["姓名"],
               "退回单位额": 1, "退回个人额": 1}  # fmt: skip
    yield Sample(Refund, "通过", "退回上月一名职工的汇缴", "xlsx", _xlsx(_grid(REFUND_HEADER, rows)))
    for promise, words, spoil in (
        ("拒绝 refund_exceeds_paid", "退回超过已缴", _cell("退回单位额", rows[0]["退回单位额"] + 1)),
        ("拒绝 refund_month_not_paid", "该月没有汇缴", _cell("错缴年月", "2015-01")),
        ("拒绝 refund_one_employer", "一张单两个单位", _more(foreign)),
        ("拒绝 negative_amount", "退回金额为零", _both_zero),
    ):
        yield Sample(Refund, promise, words, "xlsx", _spoilt(REFUND_HEADER, rows, spoil))


def _both_zero(rows: Rows) -> None:
    rows[0] |= {"退回单位额": 0, "退回个人额": 0}


# --- 开户 -------------------------------------------------------------------------------------------------------------


def _employer_openings(branch: Branch, known: Employer, month: str) -> Iterator[Sample]:
    new = [one for one in organisations.organisations(26, 260, seed=SEED) if one.branch == branch.code]
    rows: Rows = [
        dict(zip(EMPLOYER_HEADER, (
            one.name, one.credit_code, one.nature, one.industry, f"{one.ratio:%}", one.pay_day, month, one.address,
            one.legal_person, one.contact, one.phone,
        ), strict=True))
        for one in new
    ]  # fmt: skip
    first = rows[0]
    wrong = first["统一社会信用代码"][:-1] + ("1" if first["统一社会信用代码"][-1] != "1" else "2")
    yield Sample(EmployerOpening, "通过", "新单位", "xlsx", _xlsx(_grid(EMPLOYER_HEADER, rows)))
    for promise, words, spoil in (
        ("拒绝 credit_code_checksum", "信用代码写错一位", _cell("统一社会信用代码", wrong)),
        ("拒绝 credit_code_doubled", "同一单位两行", _more(first)),
        ("拒绝 credit_code_in_use", "已开户的单位", _cell("统一社会信用代码", known.credit_code)),
        ("拒绝 industry_unknown", "行业不是门类", _cell("所属行业", "电商")),
        ("拒绝 nature_unknown", "单位性质不认识", _cell("单位性质", "个体")),
        ("拒绝 pay_day_malformed", "发薪日写成 32", _cell("发薪日", 32)),
        ("拒绝 phone_malformed", "电话少一位", _cell("联系电话", "1390793123")),
        ("拒绝 ratio_above_ceiling", "比例高于上限", _cell("比例", "13%")),
        ("拒绝 ratio_below_floor", "比例低于下限", _cell("比例", "4%")),
    ):
        yield Sample(EmployerOpening, promise, words, "xlsx", _spoilt(EMPLOYER_HEADER, rows, spoil))


def _employer_changes(employer: str, stranger: Employer) -> Iterator[Sample]:
    rows: Rows = [{"单位账号": employer, "联系电话": "0793-6210000", "发薪日": 10, "开户银行": "中国农业银行鄱阳支行"}]
    header = tuple(rows[0])
    yield Sample(EmployerChange, "通过", "电话、发薪日和开户银行", "xlsx", _xlsx(_grid(header, rows)))
    for promise, words, spoil in (
        ("拒绝 bank_account_malformed", "银行账号是汉字", _cell("银行账号", "农行账号")),
        ("拒绝 employer_doubled", "同一单位两行", _more(rows[0])),
        ("拒绝 employer_not_yours", "别的分中心的单位", _cell("单位账号", stranger.number)),
        ("拒绝 nothing_changes", "什么也没填", _nothing),
    ):
        yield Sample(EmployerChange, promise, words, "xlsx", _spoilt(header, rows, spoil))


def _nothing(rows: Rows) -> None:
    rows[0] |= dict.fromkeys(list(rows[0])[1:])


def _member_openings(employer: str, stranger: Employer, known: str, month: str, on: date) -> Iterator[Sample]:
    drawn = islice(people(200, seed=SEED, on=on, area_codes=organisations.COUNTY_CODES), 200)
    young = [one for one in drawn if on.year - one.birth_date.year < 40][:3]
    rows: Rows = [
        dict(zip(MEMBER_HEADER, (employer, month, one.name, one.id_number, Decimal("5321.00"), one.phone), strict=True))
        for one in young
    ]
    first = rows[0]
    wrong = first["证件号码"][:-1] + ("1" if first["证件号码"][-1] != "1" else "2")
    yield Sample(MemberOpening, "通过", "三名新职工", "xlsx", _xlsx(_grid(MEMBER_HEADER, rows)))
    for promise, words, spoil in (
        (
            "提示 id_area_unknown overage",
            "证件前六位不认识、已到退休年龄",
            _cell("证件号码", _numbered("99010119550315001")),
        ),
        ("拒绝 base_above_cap", "基数高于上限", _cell("缴存基数", Decimal(99999))),
        ("拒绝 base_below_floor", "基数低于下限", _cell("缴存基数", Decimal(1000))),
        ("拒绝 birth_missing", "护照没写出生日期", _passport),
        ("拒绝 birth_mismatch", "出生日期与证件不符", _cell("出生日期", "1990-02-28")),
        ("拒绝 card_checksum", "银行卡号写错一位", _cell("银行卡号", "6222021512001234567")),
        ("拒绝 date_malformed", "出生日期写成汉字", _cell("出生日期", "春天")),
        ("拒绝 employer_not_yours", "别的分中心的单位", _cell("单位账号", stranger.number)),
        ("拒绝 employer_unknown", "单位账号不存在", _cell("单位账号", NO_EMPLOYER)),
        ("拒绝 id_checksum", "证件号码写错一位", _cell("证件号码", wrong)),
        ("拒绝 id_doubled", "同一证件号码两行", _more(first)),
        ("拒绝 id_in_use", "已开户的职工", _cell("证件号码", known)),
        ("拒绝 id_type_unknown", "证件类型不认识", _cell("证件类型", "学生证")),
        ("拒绝 name_malformed", "姓名里有数字", _cell("姓名", "张3")),
        ("拒绝 sex_mismatch", "性别与证件不符", _cell("性别", "女" if young[0].sex == "男" else "男")),
        ("拒绝 sex_unknown", "性别写成未知", _cell("性别", "未知")),
        ("拒绝 underage", "未满十六周岁", _cell("证件号码", _numbered(f"110101{on.year - 15}0315001"))),
    ):
        yield Sample(MemberOpening, promise, words, "xlsx", _spoilt(MEMBER_HEADER, rows, spoil))


def _passport(rows: Rows) -> None:
    rows[0] |= {"证件类型": "护照", "证件号码": "E12345678"}


def _numbered(body: str) -> str:
    return body + ric.calc_check_digit(body + "0")


# --- files ------------------------------------------------------------------------------------------------------------


def _cell(title: str, value: Any) -> Spoil:
    """Another value in the first row; a column that the good file lacks stands there in this one."""
    return lambda rows: rows[0].update({title: value})


def _every(title: str, value: Any) -> Spoil:
    return lambda rows: [row.update({title: value}) for row in rows]


def _more(row: Row, **changed: Any) -> Spoil:
    return lambda rows: rows.append(row | changed)


def _spoilt(header: Sequence[str], rows: Rows, spoil: Spoil) -> bytes:
    spoilt = deepcopy(rows)
    spoil(spoilt)
    more = [title for row in spoilt for title in row if title not in header]
    return _xlsx(_grid((*header, *more), spoilt))


def _grid(header: Sequence[str], rows: Rows) -> list[list[Any]]:
    return [list(header), *([row.get(title) for title in header] for row in rows)]


def _xlsx(grid: Sequence[Sequence[Any]], *, merged: tuple[int, int, int, int] | None = None) -> bytes:
    """As employers' own workbooks are: account numbers as text, amounts as numbers, a formula where = begins one."""
    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("清册")
        text = book.add_format({"num_format": "@"})
        for at, line in enumerate(grid):
            for column, value in enumerate(line):
                if isinstance(value, str) and not value.startswith("="):
                    sheet.write_string(at, column, value, text)
                elif value is not None:
                    sheet.write(at, column, value)
        if merged:
            sheet.merge_range(*merged, grid[0][0], book.add_format({"bold": True, "align": "center"}))
        sheet.set_column(0, 20, 16)
    return content.getvalue()


def _csv(grid: Sequence[Sequence[Any]], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(grid)
    return text.getvalue().encode(encoding)
