"""Reasons to say no. Every room lists its own as ``Refusal`` rows; this page says what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """One reason: its code, the article behind it, and a sentence that says what, where and how to mend it."""

    code: str
    message: str
    article: str = ""
    warning: bool = False
    confirmable: bool = False
    """Whether a clerk may say that it is meant so (``--confirm``); it then no longer blocks."""
    title: str = ""
    """A few words for it in lists and beside the box that confirms it."""

    def problem(self, *, row: int | None = None, column: str = "", found: str = "", **args: Any) -> Problem:
        return Problem(self, row, column, found, args)


@dataclass(frozen=True)
class RowRefusal(Refusal):
    """A reason that is found over a set: ``find`` yields row, col (title), found, args (jsonb) from ``batch_row``."""

    find: str = ""
    volatile: bool = False
    """What may change between checking and deciding; asked again at submission and at approval, without ``batch_row``."""


def doubled(
    code: str, message: str, article: str = "", *, column: str, shown: str, keys: tuple[str, ...]
) -> RowRefusal:
    """Two rows about the same: each but the first is refused, and ``{first}`` in the message is that row. ``keys``, columns of
    ``batch_row``, say what is the same, ``shown`` which of its columns is quoted; a row without the first key is none yet."""
    return RowRefusal(
        code, message, article,
        find=f"""
          select row, '{column}', shown, jsonb_build_object('first', first) from (
            select row, {shown} as shown, min(row) over (partition by {", ".join(keys)}) as first
              from batch_row where {keys[0]} is not null) d
           where row > first""",
    )  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One place where a refusal applies."""

    refusal: Refusal
    row: int | None = None
    column: str = ""
    found: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    confirmed: bool = False

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def severity(self) -> str:
        return "warning" if self.refusal.warning or self.confirmed else "error"

    @property
    def message(self) -> str:
        return self.refusal.message.format(**self.args, found=self.found, column=self.column)

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
        }


class Refused(Exception):
    """Nothing was done; these problems say why."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("；".join(problem.message for problem in self.problems))


ROLE_MISSING = Refusal("role_missing", "此操作须由{roles}办理，您的岗位是{held}。", "内部控制：岗位分离")
OWN_WORK = Refusal("own_work", "{number} 由您经办，须由另一人复核。", "内部控制：经办与复核分离")
NOT_MAKER = Refusal("not_maker", "{number} 由{maker}经办，须由其本人{verb}。")
ALREADY_MOVED = Refusal("already_moved", "{number} 已由{by}于 {at} {verb}，现状态为“{state}”，未重复办理。")
ILLEGAL_MOVE = Refusal("illegal_move", "{number} 现状态为“{state}”，不能{verb}。")
OPINION_MISSING = Refusal("opinion_missing", "{verb}须写明意见。")
NOT_YOURS = Refusal("not_yours", "没有找到 {what}，或它不属于您的机构。")

PAPER_UNPRINTABLE = Refusal("paper_unprintable", "{title}没有打印：{said}")

# --- files and cells, of whatever kind ------------------------------------------------------------------------------

SHEET = "表格格式"
HEADER_MISSING = Refusal("header_missing", "缺少“{column}”列；请使用下载的模板，或把该列改名为“{column}”。", SHEET)
HEADER_DOUBLED = Refusal("header_doubled", "“{column}”出现两次；请删去其中一列。", SHEET)
CELL_EMPTY = Refusal("cell_empty", "“{column}”未填写；请补填。", SHEET)
NUMBER_MALFORMED = Refusal("number_malformed", "“{found}”不是数字；请填写数字，如 5321.00，不要用科学计数法。", SHEET)
ACCOUNT_AS_FLOAT = Refusal(
    "account_as_float", "“{found}”已被表格软件改成数字，原值失真；请把该列设为“文本”格式后重新填写。", SHEET
)
MONTH_MALFORMED = Refusal("month_malformed", "“{found}”不是年月；请写成 2026-03 或 2026年3月。", SHEET)
DATE_MALFORMED = Refusal("date_malformed", "“{found}”不是日期；请写成 2026-03-16。", SHEET)
FORMULA_CELL = Refusal("formula_cell", "单元格是公式；请粘贴为数值后再上传。", SHEET)
TEXT_TOO_LONG = Refusal("text_too_long", "“{column}”太长（“{found}…”）；请缩短后重新填写。", SHEET)
ID_MISPLACED = Refusal(
    "id_misplaced",
    "“{column}”里写了身份证号码 {found}；请移到“证件号码”列，此列按表头填写。",
    "《个人信息保护法》第五十一条",
)
CONTROL_TOTAL_WRONG = Refusal(
    "control_total_wrong", "末行“{column}”合计 {found}，各行相加为 {sum}；请核对是否漏行、多行或改过金额。", SHEET
)
FILE_EMPTY = Refusal("file_empty", "表中没有数据行；请核对后重新上传。", SHEET)
CELL_REFUSALS = (
    HEADER_MISSING, HEADER_DOUBLED, CELL_EMPTY, NUMBER_MALFORMED, ACCOUNT_AS_FLOAT, MONTH_MALFORMED, DATE_MALFORMED,
    FORMULA_CELL, TEXT_TOO_LONG, ID_MISPLACED, CONTROL_TOTAL_WRONG, FILE_EMPTY,
)  # fmt: skip

# Found by a job, when the document stands already: kept as problems of the whole file.
FILE_UNREADABLE = Refusal("file_unreadable", "{said}。", SHEET)
CHECK_BROKEN = Refusal("check_broken", "检查未能完成：{said}；请重新上传，再不成请联系系统管理员。")
JOB_REFUSALS = (FILE_UNREADABLE, CHECK_BROKEN)
PERSON_LEFT = Refusal("person_left", "{name}已不在岗，不能再以其名义办理。")

FILE_SAME = Refusal("file_same", "同一文件已上传为 {number}（{state}），不重复受理；请查看该单据。")
FILE_JUST_UPLOADED = Refusal("file_same", "同一文件刚由另一个窗口上传，未重复受理；请在列表中查看。")
DISK_FULL = Refusal("disk_full", "服务器磁盘已满，文件未能保存，未受理；请告知系统管理员腾出空间，再重新上传。")
NO_BRANCH = Refusal("no_branch", "您不属于任何分支机构，不能代单位办理；请由所属机构的经办办理。")
CENTRE_FOUNDED = Refusal("centre_founded", "已有系统管理{name}；其他人员请由其在“系统 → 人员”中录入。")
BRANCH_MALFORMED = Refusal(
    "branch_malformed", "“{found}”不能设立：代码须为 2 位数字，名称 1 至 30 字，行政区划代码 6 位数字。"
)
BRANCH_KNOWN = Refusal("branch_known", "机构 {found} 已设立，未重复设立；请核对代码和名称。")

# --- programs that act for a person --------------------------------------------------------------------------------

HANDING_OUT = "内部控制：接口令牌"
TOKEN_PERSON = Refusal(
    "token_person", "{name}不能由接口代表：须是某一机构的在岗业务人员，且不兼系统管理。", HANDING_OUT
)
TOKEN_OWN = Refusal("token_own", "不能给自己发放接口令牌，须由另一名系统管理发放。", HANDING_OUT)
TOKEN_VERBS = Refusal("token_verbs", "接口令牌的权限须为 {known} 中的一项或几项。", HANDING_OUT)
TOKEN_NOT_CLERK = Refusal("token_not_clerk", "{name}的岗位是{held}，不能上传；上传的令牌须代表经办。", HANDING_OUT)
TOKEN_DAYS = Refusal("token_days", "接口令牌的有效期须为 1 至 {most} 天。", HANDING_OUT)
TOKEN_GONE = Refusal("token_gone", "接口令牌 {number} 已于 {at} 停用，未重复办理。", HANDING_OUT)

TOKEN_MISSING = Refusal("token_missing", "请在请求头中给出接口令牌：Authorization: Bearer fct_…")
TOKEN_INVALID = Refusal("token_invalid", "没有这个接口令牌；请核对是否完整，或向系统管理重新申领。")
TOKEN_EXPIRED = Refusal("token_expired", "接口令牌已于 {on} 到期；请向系统管理重新申领。")
TOKEN_REVOKED = Refusal("token_revoked", "接口令牌已停用，或所代表的人员已离岗、调离；请向系统管理重新申领。")
TOKEN_VERB_MISSING = Refusal(
    "token_verb_missing", "此接口须有“{verb}”权限，该令牌没有；请向系统管理申领。", HANDING_OUT
)
