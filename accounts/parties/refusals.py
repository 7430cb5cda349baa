"""Why an account is not opened, or not changed: code, article, sentence, and the statement that finds it over the whole file.

A statement yields row, col (title of the column), found and args (jsonb). It reads ``batch_row``, the rows as they were
recognised (queries.RECOGNISE_…), ``limits``, the limits in force, and ``stranger``, the account numbers that only other
branches know; what may change until the decision (``volatile``) reads the rows kept. What one cell alone shows, its reader
says (services/opening.py, office/services/personal.py). Nobody's number is quoted but by its mask.
"""

from dataclasses import replace

from accounts.parties.sheets import PARTICULARS
from fundcenter.office.refusals import Refusal, RowRefusal, doubled

REGULATION = "《住房公积金管理条例》"
OPENING = f"{REGULATION}第十四条、第十五条"
ONE_ACCOUNT = "GB/T 51271-2017 一人一户"
LIMITS = f"{REGULATION}第十六条、第十八条，建金〔2018〕45号"
ID_NUMBER = "GB 11643-1999"
CREDIT_CODE = "GB 32100-2015"
PERSON = "GB/T 51271-2017 个人账户设立"

# --- what one cell shows ----------------------------------------------------------------------------------------------

CREDIT_CODE_CHECKSUM = Refusal(
    "credit_code_checksum", "“{found}”不是有效的统一社会信用代码（应为 18 位，末位为校验码）；请对照登记证照核对。",
    CREDIT_CODE,
)  # fmt: skip
NATURE_UNKNOWN = Refusal(
    "nature_unknown", "“{found}”不是单位性质；请填写国家机关和事业单位、国有企业、城镇集体企业、外商投资企业、"
    "城镇私营企业及其他城镇企业、民办非企业单位和社会团体、其他之一。", "JGJ/T 320-2014",
)  # fmt: skip
INDUSTRY_UNKNOWN = Refusal(
    "industry_unknown", "“{found}”不是行业门类；请填写门类代码 A 至 T 或其名称，如 P 或 教育。", "GB/T 4754-2017"
)
PAY_DAY_MALFORMED = Refusal(
    "pay_day_malformed", "“{found}”不是发薪日；请填写 1 至 31 的整数。", f"{REGULATION}第十九条"
)
BANK_ACCOUNT_MALFORMED = Refusal(
    "bank_account_malformed", "“{found}”不是银行账号；应为 8 至 32 位数字，可含短横线，请核对后以文本格式填写。"
)
ID_TYPE_UNKNOWN = Refusal(
    "id_type_unknown", "“{found}”不是证件类型；请填写居民身份证、军官证、护照、外国人永久居留身份证、"
    "港澳居民来往内地通行证、台湾居民来往大陆通行证、其他之一。", "JGJ/T 320-2014",
)  # fmt: skip
SEX_UNKNOWN = Refusal("sex_unknown", "“{found}”不是性别；请填写男或女。", "JGJ/T 320-2014")

# --- over all rows of either opening ----------------------------------------------------------------------------------


def base_limits(day: str) -> tuple[RowRefusal, RowRefusal, RowRefusal]:
    """No limits, below the floor, above the cap: by the limits in force on this day of a row (an expression over r)."""
    return (
        RowRefusal(
            "limits_missing", "{found} 没有生效的缴存基数和比例上下限；请先由系统管理录入。", LIMITS,
            find=f"""
              select null::int, '', to_char(d.day, 'YYYY-MM-DD'), '{{}}'::jsonb
                from (select distinct {day} as day from batch_row r) d
               where d.day is not null and not exists (select from limits l where l.day = d.day)""",
        ),
        RowRefusal(
            "base_below_floor", "{found} 低于缴存基数下限 {floor}（{document}）；工资低于下限的按下限填写。", LIMITS,
            find=f"""
              select r.row, '缴存基数', to_char(r.base, 'FM999999999999990.00'),
                     jsonb_build_object('floor', l.base_floor::text, 'document', l.document_number)
                from batch_row r join limits l on l.day = {day} where r.base < l.base_floor and r.base > 0""",
        ),
        RowRefusal(
            "base_above_cap", "{found} 高于缴存基数上限 {cap}（{document}）；工资高于上限的按上限填写。", LIMITS,
            find=f"""
              select r.row, '缴存基数', to_char(r.base, 'FM999999999999990.00'),
                     jsonb_build_object('cap', l.base_cap::text, 'document', l.document_number)
                from batch_row r join limits l on l.day = {day} where r.base > l.base_cap""",
        ),
    )  # fmt: skip


LIMITS_MISSING, BASE_BELOW_FLOOR, BASE_ABOVE_CAP = base_limits("%(made_on)s::date")


def _month_future(column: str) -> RowRefusal:
    return RowRefusal(
        "month_future", "{found} 晚于下月；请核对年月，尚未到的请到时再办理。", OPENING,
        find=f"""
          select r.row, '{column}', to_char(r.first_month, 'YYYY-MM'), '{{}}'::jsonb from batch_row r
           where r.first_month > date_trunc('month', %(made_on)s::date) + interval '1 month'""",
    )  # fmt: skip


# --- 单位开户 ---------------------------------------------------------------------------------------------------------

CREDIT_CODE_DOUBLED = doubled(
    "credit_code_doubled", "与第 {first} 行是同一统一社会信用代码；请只保留一行。", CREDIT_CODE,
    column="统一社会信用代码", shown="credit_code", keys=("credit_code",),
)  # fmt: skip
CREDIT_CODE_IN_USE = RowRefusal(
    "credit_code_in_use", "“{found}”已在{branch}开立单位账户；不重复开户，请到该机构查询单位账号。", CREDIT_CODE,
    volatile=True, find="""
      select r.row, '统一社会信用代码', r.credit_code, jsonb_build_object('branch', b.name)
        from parties_employeropeningrow r
        join parties_credit_codes_in_use(array(
          select credit_code from parties_employeropeningrow where batch_id = %(batch)s)) u using (credit_code)
        join office_branch b on b.id = u.branch_id
       where r.batch_id = %(batch)s""",
)  # fmt: skip
SIDES = "lateral (values ('单位缴存比例', r.ratio_employer), ('个人缴存比例', r.ratio_member)) side(title, ratio)"
RATIO_BELOW_FLOOR = RowRefusal(
    "ratio_below_floor", "{found} 低于下限 {floor}（{document}）；请提高比例，确有困难的开户后申请降低比例或缓缴。", LIMITS,
    find=f"""
      select r.row, side.title, trim_scale(side.ratio * 100) || '%%', jsonb_build_object(
               'floor', trim_scale(l.ratio_floor * 100) || '%%', 'document', l.document_number)
        from limits l, batch_row r, {SIDES} where side.ratio < l.ratio_floor""",
)  # fmt: skip
RATIO_ABOVE_CEILING = RowRefusal(
    "ratio_above_ceiling", "{found} 高于上限 {ceiling}（{document}）；请按不高于上限的比例填写。", LIMITS,
    find=f"""
      select r.row, side.title, trim_scale(side.ratio * 100) || '%%', jsonb_build_object(
               'ceiling', trim_scale(l.ratio_ceiling * 100) || '%%', 'document', l.document_number)
        from limits l, batch_row r, {SIDES} where side.ratio > l.ratio_ceiling""",
)  # fmt: skip

# In the order in which a clerk reads them.
OVER_EMPLOYERS = (
    LIMITS_MISSING, CREDIT_CODE_DOUBLED, CREDIT_CODE_IN_USE, RATIO_BELOW_FLOOR, RATIO_ABOVE_CEILING,
    _month_future("首次汇缴年月"),
)  # fmt: skip

# --- 个人开户 ---------------------------------------------------------------------------------------------------------

EMPLOYER_UNKNOWN = RowRefusal(
    "employer_unknown", "没有单位账号“{found}”；请核对单位账号，新单位请先办理单位开户。", OPENING,
    find="""
      select r.row, '单位账号', r.employer_number, '{}'::jsonb from batch_row r
       where r.employer_id is null and r.employer_number is not null
         and not exists (select from stranger s where s.kind = 'employer' and s.number = r.employer_number)""",
)  # fmt: skip
EMPLOYER_NOT_YOURS = RowRefusal(
    "employer_not_yours", "单位“{found}”由其他机构管理；请到其所属机构办理，或从本表中移出。", OPENING,
    find="""
      select r.row, '单位账号', r.employer_number, '{}'::jsonb from batch_row r
        join stranger s on s.kind = 'employer' and s.number = r.employer_number
       where r.employer_id is null""",
)  # fmt: skip
EMPLOYER_CLOSED = RowRefusal(
    "employer_closed", "单位“{name}”已{state}，不能为其职工开户；请核对单位账号，封存的请先办理启封。", OPENING,
    volatile=True, find="""
      select r.row, '单位账号', r.employer_number, jsonb_build_object('name', e.name,
               'state', case e.state when 'sealed' then '封存' else '销户' end)
        from parties_memberopeningrow r join parties_employer e on e.holder_id = r.employer_id
       where r.batch_id = %(batch)s and e.state in ('sealed', 'closed')""",
)  # fmt: skip
ID_CHECKSUM = RowRefusal(
    "id_checksum", "“{found}”不是有效的居民身份证号码：{what}；请对照证件核对，其他证件请填写证件类型。", ID_NUMBER,
    find="""
      select r.row, '证件号码', r.id_mask, jsonb_build_object('what', case r.id_problem
               when 'id_length' then '应为 18 位数字，末位可为 X' when 'id_birth' then '第 7 至 14 位不是日期'
               else '校验码不符，有一位或几位写错' end)
        from batch_row r where r.id_problem is not null""",
)  # fmt: skip
ID_AREA_UNKNOWN = RowRefusal(
    "id_area_unknown", "“{found}”前 6 位不是已知的行政区划代码；请对照证件核对。", ID_NUMBER, warning=True,
    find="""
      select r.row, '证件号码', r.id_mask, '{}'::jsonb from batch_row r
       where not r.id_area_known and r.id_problem is null""",
)  # fmt: skip
ID_DOUBLED = doubled(
    "id_doubled", "与第 {first} 行是同一证件号码；请只保留一行。", ONE_ACCOUNT,
    column="证件号码", shown="id_mask", keys=("id_index",),
)  # fmt: skip
ID_IN_USE = RowRefusal(
    "id_in_use", "“{found}”已在{branch}有未销户的个人账户；不重复开户，请办理转移或启封。", ONE_ACCOUNT,
    volatile=True, find="""
      select r.row, '证件号码', r.id_mask, jsonb_build_object('branch', b.name)
        from parties_memberopeningrow r
        join parties_ids_in_use(array(
          select id_index from parties_memberopeningrow where batch_id = %(batch)s)) u using (id_index)
        join office_branch b on b.id = u.branch_id
       where r.batch_id = %(batch)s""",
)  # fmt: skip
BIRTH_MISMATCH = RowRefusal(
    "birth_mismatch", "出生日期 {found} 与证件号码所载 {expected} 不符；请对照证件更正。", ID_NUMBER,
    find="""
      select r.row, '出生日期', to_char(r.birth_date, 'YYYY-MM-DD'),
             jsonb_build_object('expected', to_char(r.id_birth, 'YYYY-MM-DD'))
        from batch_row r where r.birth_date <> r.id_birth""",
)  # fmt: skip
SEX_MISMATCH = RowRefusal(
    "sex_mismatch", "性别“{found}”与证件号码所载“{expected}”不符；请对照证件更正。", ID_NUMBER,
    find="""
      select r.row, '性别', r.sex, jsonb_build_object('expected', r.id_sex) from batch_row r where r.sex <> r.id_sex""",
)  # fmt: skip
BIRTH_MISSING = RowRefusal(
    "birth_missing", "证件不是居民身份证的，须填写出生日期；请补填。", PERSON,
    find="""
      select r.row, '出生日期', '', '{}'::jsonb from batch_row r where r.id_type <> '01' and r.birth_date is null""",
)  # fmt: skip
UNDERAGE = RowRefusal(
    "underage", "{found} 出生，未满 16 周岁，不能开户；请核对证件号码和出生日期。", "《劳动法》第十五条",
    find="""
      select r.row, '证件号码', to_char(b.birth, 'YYYY-MM-DD'), '{}'::jsonb
        from batch_row r, lateral (select coalesce(r.id_birth, r.birth_date)) b(birth)
       where b.birth + interval '16 years' > %(made_on)s""",
)  # fmt: skip
OVERAGE = RowRefusal(
    "overage", "{found} 出生，已于 {retires} 到法定退休年龄；请核实是否仍在职。",
    "《国务院关于渐进式延迟法定退休年龄的办法》", warning=True,
    find="""
      select r.row, '证件号码', to_char(b.birth, 'YYYY-MM-DD'),
             jsonb_build_object('retires', to_char(parties_retires_on(b.birth, b.sex), 'YYYY-MM'))
        from batch_row r, lateral (select coalesce(r.id_birth, r.birth_date), coalesce(r.id_sex, r.sex)) b(birth, sex)
       where parties_retires_on(b.birth, b.sex) <= %(made_on)s""",
)  # fmt: skip
TOO_MANY_DECIMALS = RowRefusal(
    "too_many_decimals", "{found} 超过两位小数；金额请写到分。", "《会计基础工作规范》",
    find="""
      select r.row, '缴存基数', trim_scale(r.base)::text, '{}'::jsonb from batch_row r where r.base <> round(r.base, 2)""",
)  # fmt: skip
NEGATIVE_AMOUNT = RowRefusal(
    "negative_amount", "{found} 不是工资；缴存基数须大于 0。", f"{REGULATION}第十六条",
    find="""
      select r.row, '缴存基数', trim_scale(r.base)::text, '{}'::jsonb from batch_row r where r.base <= 0""",
)  # fmt: skip

OVER_MEMBERS = (
    LIMITS_MISSING, EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, EMPLOYER_CLOSED, ID_CHECKSUM, ID_AREA_UNKNOWN, ID_DOUBLED,
    ID_IN_USE, BIRTH_MISMATCH, SEX_MISMATCH, BIRTH_MISSING, UNDERAGE, OVERAGE, TOO_MANY_DECIMALS, NEGATIVE_AMOUNT,
    BASE_BELOW_FLOOR, BASE_ABOVE_CAP, _month_future("起缴年月"),
)  # fmt: skip

# --- 单位信息变更 -----------------------------------------------------------------------------------------------------

CHANGE = f"{REGULATION}第十四条"

CHANGE_EMPLOYER_UNKNOWN, CHANGE_EMPLOYER_NOT_YOURS = (
    replace(refusal, article=CHANGE) for refusal in (EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS)
)
CHANGE_EMPLOYER_CLOSED = RowRefusal(
    "employer_closed", "单位“{name}”已销户，不能再办理信息变更；请核对单位账号。", CHANGE, volatile=True,
    find="""
      select r.row, '单位账号', r.employer_number, jsonb_build_object('name', e.name)
        from parties_employerchangerow r join parties_employer e on e.holder_id = r.employer_id
       where r.batch_id = %(batch)s and e.state = 'closed'""",
)  # fmt: skip
CHANGE_EMPLOYER_DOUBLED = doubled(
    "employer_doubled", "与第 {first} 行是同一单位；请把该单位的变更写在一行里。", CHANGE,
    column="单位账号", shown="employer_number", keys=("employer_id",),
)  # fmt: skip
# Only where every cell was read: what is wrong in one is said, and was meant as a change.
NOTHING_CHANGES = RowRefusal(
    "nothing_changes", "单位“{name}”没有要变更的内容：各栏留空，或与现登记的相同；请填写变更后的内容，或从本表移出。", CHANGE,
    find=f"""
      select r.row, '单位账号', r.employer_number, jsonb_build_object('name', e.name)
        from batch_row r join parties_employer e on e.holder_id = r.employer_id
       where num_nonnulls({", ".join(f"r.{column.field}" for column in PARTICULARS)}) = 0
         and not exists (select from office_rowproblem p where p.document = %(document)s and p.row = r.row)""",
)  # fmt: skip
_SIDES = ", ".join(
    f"('{column.title}', r.{column.field}::text, r.before->>'{column.field}', e.{column.field}::text)"
    for column in PARTICULARS
)
CHANGED_MEANWHILE = RowRefusal(
    "changed_meanwhile", "单位“{name}”的{column}在检查之后已由“{before}”变更为“{now}”；请撤回本单，按现登记的重新办理。", CHANGE,
    volatile=True, find=f"""
      select r.row, side.title, side.becomes, jsonb_build_object('name', e.name, 'before', side.before, 'now', side.now)
        from parties_employerchangerow r join parties_employer e on e.holder_id = r.employer_id,
        lateral (values {_SIDES}) side(title, becomes, before, now)
       where r.batch_id = %(batch)s and side.becomes is not null and side.before <> side.now""",
)  # fmt: skip
OVER_EMPLOYER_CHANGES = (
    CHANGE_EMPLOYER_UNKNOWN, CHANGE_EMPLOYER_NOT_YOURS, CHANGE_EMPLOYER_CLOSED, CHANGE_EMPLOYER_DOUBLED,
    NOTHING_CHANGES, CHANGED_MEANWHILE,
)  # fmt: skip

# --- what only the table sees, when two decide at the same instant ----------------------------------------------------

ID_JUST_OPENED = Refusal("id_in_use", "其中有职工刚由另一份单据开户，未重复开户；请退回经办重新检查。", ONE_ACCOUNT)
CREDIT_CODE_JUST_OPENED = Refusal(
    "credit_code_in_use", "其中有单位刚由另一份单据开户，未重复开户；请退回经办重新检查。", CREDIT_CODE
)
UNMASK_REASON = Refusal("unmask_reason", "请选择查看全号的事由。", "个人信息保护法 第六条")
UNMASK_WORDS = Refusal("unmask_words", "请说明为何要看全号（至少 4 个字）。", "个人信息保护法 第六条")
UNMASK_NOTHING = Refusal("unmask_nothing", "{name}没有登记这个号码。")

BY_CONSTRAINT = {
    "parties_member_person": ID_JUST_OPENED,
    "parties_employer_credit_code": CREDIT_CODE_JUST_OPENED,
}
