"""Columns of the spreadsheets of this room. collection.md A5 calls the register 汇缴清册."""

from fundcenter.spreadsheets import Column

# These two may stand above the header instead of in columns, once for the whole sheet.
EMPLOYER = Column("employer_number", "单位账号", ("单位公积金账号", "单位编号"), kind="account", repeats=True)
MONTH = Column("month", "缴存月份", ("汇缴年月", "年月", "所属年月", "清册年月"), kind="month", repeats=True)

MEMBER = Column("member_number", "个人账号", ("职工账号", "公积金账号"), kind="account")
NAME = Column("name", "姓名", ("职工姓名",), kind="text")
BASE = Column("base", "缴存基数", ("月缴存基数", "工资基数", "个人缴存基数"), kind="money")
AMOUNT_EMPLOYER = Column("amount_employer", "单位月缴存额", ("单位缴存额",), kind="money")
AMOUNT_MEMBER = Column("amount_member", "个人月缴存额", ("个人缴存额",), kind="money")

SEALING = (
    EMPLOYER,
    MEMBER,
    NAME,
    Column("change", "变更类型", ("类型", "业务类型"), repeats=True),
    Column("month", "生效年月", ("变更年月", "封存年月", "启封年月"), kind="month", repeats=True),
    Column("reason", "变更原因", ("原因", "封存原因", "启封原因"), repeats=True),
)

WRONG_MONTH = Column("month", "错缴年月", ("缴存月份", "所属年月"), kind="month", repeats=True)
BACK_EMPLOYER = Column("amount_employer", "退回单位额", ("单位退回额",), kind="money")
BACK_MEMBER = Column("amount_member", "退回个人额", ("个人退回额",), kind="money")
REASON = Column("reason", "原因", ("退回原因", "错缴原因"), kind="text", repeats=True)
REFUND = (EMPLOYER, MEMBER, NAME, WRONG_MONTH, BACK_EMPLOYER, BACK_MEMBER, REASON)

ID_NUMBER = Column("id_number", "证件号码", ("身份证号", "身份证号码"), kind="text", required=False)
RATIO_EMPLOYER = Column("ratio_employer", "单位比例", ("单位缴存比例",), kind="ratio", required=False, repeats=True)
RATIO_MEMBER = Column("ratio_member", "个人比例", ("个人缴存比例",), kind="ratio", required=False, repeats=True)
TOTAL = Column("total", "合计", ("月缴存额合计", "月缴存额"), kind="money", required=False)
CHANGE = Column("change", "变更类型", required=False, repeats=True)
CHANGE_REASON = Column("change_reason", "变更原因", kind="text", required=False, repeats=True)

REGISTER = (
    EMPLOYER, MONTH, MEMBER, NAME, ID_NUMBER, BASE, RATIO_EMPLOYER, RATIO_MEMBER, AMOUNT_EMPLOYER, AMOUNT_MEMBER, TOTAL,
    CHANGE, CHANGE_REASON,
)  # fmt: skip
# What the pre-filled register shows; the rest may be added.
REGISTER_SHOWN = (MEMBER, NAME, BASE, AMOUNT_EMPLOYER, AMOUNT_MEMBER, TOTAL, CHANGE)
