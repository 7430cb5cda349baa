"""Columns of the spreadsheets of this room, and of its forms. collection.md A5."""

from dataclasses import replace

from fundcenter.spreadsheets import Column

# An employer's account and a month stand in every row, or once above the header.
EMPLOYER = Column("employer_number", "单位账号", ("单位公积金账号", "单位编号"), kind="account", repeats=True)

EMPLOYER_OPENING = (
    Column("name", "单位名称", ("名称",)),
    Column("credit_code", "统一社会信用代码", ("信用代码", "社会信用代码"), kind="account"),
    Column("nature", "单位性质", ("经济类型",), repeats=True),
    Column("industry", "所属行业", ("行业",), repeats=True),
    Column(
        "ratio_employer", "单位缴存比例", ("单位比例", "缴存比例", "比例", "缴存比例(单位)"), kind="ratio", repeats=True
    ),
    Column("ratio_member", "个人缴存比例", ("个人比例", "缴存比例(个人)"), kind="ratio", required=False, repeats=True),
    Column("pay_day", "发薪日", kind="number", repeats=True),
    Column("first_month", "首次汇缴年月", ("起缴年月",), kind="month", repeats=True),
    Column("address", "地址", ("单位地址",), required=False),
    Column("legal_person", "法定代表人", ("法定代表人姓名",), required=False),
    Column("contact", "经办人", ("经办人姓名", "联系人"), required=False),
    Column("phone", "联系电话", ("经办人手机", "电话"), kind="account", required=False),
    Column("bank", "开户银行", ("开户行",), required=False, repeats=True),
    Column("bank_account", "银行账号", ("单位银行账号",), kind="account", required=False),
)

# What an employer may change of what it said when its account was opened. Each row says its own, and what it leaves empty stays.
PARTICULARS = tuple(
    replace(column, required=False, repeats=False)
    for column in EMPLOYER_OPENING
    if column.field in ("name", "address", "legal_person", "contact", "phone", "pay_day", "bank", "bank_account")
)
EMPLOYER_CHANGE = (EMPLOYER, *PARTICULARS)

MEMBER_OPENING = (
    EMPLOYER,
    Column("first_month", "起缴年月", ("首次汇缴年月", "开始缴存年月"), kind="month", repeats=True),
    Column("name", "姓名", ("职工姓名",)),
    Column("id_type", "证件类型", required=False, repeats=True),
    Column("id", "证件号码", ("身份证号", "身份证号码"), kind="account"),
    Column("sex", "性别", required=False, repeats=True),
    Column("birth_date", "出生日期", ("出生年月日",), kind="date", required=False),
    Column("phone", "手机", ("手机号", "手机号码", "联系电话"), kind="account", required=False),
    Column("base", "缴存基数", ("月缴存基数", "工资基数", "个人缴存基数"), kind="money"),
    Column("card", "银行卡号", ("工资卡号",), kind="account", required=False),
    Column("bank", "开户行", ("开户银行",), required=False, repeats=True),
    Column("hired_on", "参加工作日期", ("参加工作时间",), kind="date", required=False),
)
