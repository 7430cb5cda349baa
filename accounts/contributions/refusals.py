"""Why an uploaded register is refused: code, article, sentence, and the statement that finds it over the whole file.

A statement yields row, col (title of the column), found and args (jsonb). It reads ``batch_row``, the rows of the file as
they were recognised, with what stands of employer and member beside them (``e_…``, ``m_…``), ``stranger``, the numbers that
only other branches know, ``limits``, those of each month, and the batch's registers. What the reader itself finds (a cell
that is no number) has no statement.
"""

from dataclasses import replace

from accounts.parties import refusals as parties
from accounts.parties.queries import DUE
from fundcenter.office.refusals import Refusal, RowRefusal, doubled

REGULATION = "《住房公积金管理条例》"
REMIT = f"{REGULATION}第十九条"

EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS = (
    replace(refusal, article=REMIT) for refusal in (parties.EMPLOYER_UNKNOWN, parties.EMPLOYER_NOT_YOURS)
)
LIMITS_MISSING, BASE_BELOW_FLOOR, BASE_ABOVE_CAP = parties.base_limits("r.month")
MEMBER_UNKNOWN = RowRefusal(
    "member_unknown", "没有个人账号“{found}”；请核对账号，新职工请先办理个人开户。", REMIT,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.member_id is null and r.member_number is not null
         and not exists (select from stranger s where s.kind = 'member' and s.number = r.member_number)""",
)  # fmt: skip
MEMBER_OF_OTHER_EMPLOYER = RowRefusal(
    "member_of_other_employer", "个人账号“{found}”不在本单位名下；请核对账号，调入职工请先办理转移。", REMIT,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.employer_id is not null
         and (r.m_employer_id <> r.employer_id
              or r.member_id is null and exists (
                select from stranger s where s.kind = 'member' and s.number = r.member_number))""",
)  # fmt: skip
MEMBER_DOUBLED = doubled(
    "member_doubled", "与第 {first} 行重复；请只保留一行。", REMIT,
    column="个人账号", shown="member_number", keys=("member_id", "month"),
)  # fmt: skip
MEMBER_MISSING = RowRefusal(
    "member_missing", "{name}（{found}）在单位“{employer}”名下状态正常，{month}清册缺少；请补行，离职的请先办理封存，确属不缴的请勾选确认。",
    REMIT, confirmable=True, title="在职职工未列入清册",
    find=f"""
      select null::int, '清册', m.number, jsonb_build_object('name', m.name, 'employer', e.name,
               'month', to_char(g.month, 'YYYY-MM'))
        from contributions_register g
        join parties_employer e on e.holder_id = g.employer_id
        join parties_member m on m.employer_id = g.employer_id and {DUE.format(month="g.month")}
        left join batch_row r on r.member_id = m.holder_id and r.month = g.month
       where g.batch_id = %(batch)s and r.row is null""",
)  # fmt: skip
AMOUNT_WRONG = RowRefusal(
    "amount_wrong", "应为 {expected} = {base} × {percent}%（{rounding}）；请按此金额更正，基数有变请先办理基数调整。",
    f"{REGULATION}第十六条",
    find="""
      select r.row, side.title, case when side.amount = round(side.amount, 2) then round(side.amount, 2) else trim_scale(side.amount) end::text,
             jsonb_build_object('expected', to_char(side.expected, 'FM999999999999990.00'),
               'base', to_char(r.base, 'FM999999999999990.00'), 'percent', trim_scale(side.ratio * 100)::text,
               'rounding', %(rounding_label)s)
        from batch_row r,
        lateral (values
          ('单位月缴存额', r.amount_employer, r.e_ratio_employer, round(round(r.base * r.e_ratio_employer, %(digits)s), 2)),
          ('个人月缴存额', r.amount_member, r.e_ratio_member, round(round(r.base * r.e_ratio_member, %(digits)s), 2))
        ) side(title, amount, ratio, expected)
       where side.amount <> side.expected and r.change <> 'seal'""",
)  # fmt: skip
MONTH_ALREADY_POSTED = RowRefusal(
    "month_already_posted", "单位“{employer}”{month}已汇缴（批次 {batch}），不能重复；请核对月份，补差请用补缴清册。", REMIT,
    volatile=True, find="""
      select null::int, '缴存月份', to_char(p.month, 'YYYY-MM'), jsonb_build_object('employer', e.name,
               'month', to_char(p.month, 'YYYY-MM'), 'batch', 'HJ' || to_char(b.made_on, 'YYYYMM') || '-' || lpad(b.id::text, 6, '0'))
        from contributions_register g
        join contributions_register p on p.employer_id = g.employer_id and p.month = g.month and p.is_posted
        join contributions_batch b on b.id = p.batch_id
        join parties_employer e on e.holder_id = p.employer_id
       where g.batch_id = %(batch)s""",
)  # fmt: skip
SUSPENSE_SHORT = RowRefusal(
    "suspense_short", "单位“{employer}”暂存款 {suspense}，清册合计 {total}，差 {short}；请待款项到账后再办理。", REMIT,
    volatile=True, find="""
      select null::int, '合计', g.total::text, jsonb_build_object('employer', e.name, 'suspense', coalesce(b.amount, 0)::text,
               'total', g.total::text, 'short', (g.total - coalesce(b.amount, 0))::text)
        from (select r.employer_id, sum(r.total) as total from contributions_register r
               where r.batch_id = %(batch)s group by r.employer_id) g
        join parties_employer e on e.holder_id = g.employer_id
        left join ledger_balance b on b.holder_id = g.employer_id and b.account_id = '21901'
       where g.total > coalesce(b.amount - b.frozen, 0)""",
)  # fmt: skip

EMPLOYER_CLOSED = RowRefusal(
    "employer_closed", "单位“{name}”状态为{state}，不能汇缴；请先办理启封，已销户的请核对单位账号。", REMIT,
    find="""
      select min(r.row), '单位账号', r.employer_number, jsonb_build_object('name', r.e_name,
               'state', case r.e_state when 'closed' then '销户' else '封存' end)
        from batch_row r
       where r.e_state in ('closed', 'sealed') group by r.employer_number, r.e_name, r.e_state""",
)  # fmt: skip
EMPLOYER_DEFERRED = RowRefusal(
    "employer_deferred", "单位“{name}”在缓缴期内；提前恢复缴存请先办理恢复。", f"{REGULATION}第二十条",
    find="""
      select min(r.row), '单位账号', r.employer_number, jsonb_build_object('name', r.e_name)
        from batch_row r
       where r.e_state = 'deferred' group by r.employer_number, r.e_name""",
)  # fmt: skip
MONTH_FUTURE = RowRefusal(
    "month_future", "{found} 还没有到，不能汇缴；预缴款请先存入单位暂存款。", REMIT,
    find="""
      select min(r.row), '缴存月份', to_char(r.month, 'YYYY-MM'), '{}'::jsonb from batch_row r
       where r.month > %(made_on)s group by r.month""",
)  # fmt: skip
MONTH_CLOSED = RowRefusal(
    "month_closed", "本机构已结账至 {found}，今天不能再入账；请在下一个营业日办理。", "日结月结规则", volatile=True,
    find="""
      select null::int, '', greatest(p.day_closed, p.month_closed)::text, '{}'::jsonb from ledger_period p
       where p.branch_id = %(branch)s and greatest(p.day_closed, p.month_closed) >= %(on)s""",
)  # fmt: skip
MONTH_GAP = RowRefusal(
    "month_gap", "单位“{name}”{found} 尚未汇缴，本次先缴了后面的月份；请核对是否漏缴。", REMIT, warning=True,
    find="""
      select null::int, '缴存月份', to_char(min(m.month), 'YYYY-MM'), jsonb_build_object('name', e.name)
        from (select employer_id, min(month) as first from contributions_register
               where batch_id = %(batch)s group by employer_id) g
        join parties_employer e on e.holder_id = g.employer_id,
        lateral (select d::date as month from generate_series(e.first_month, g.first - interval '1 month', interval '1 month') d
                 except select p.month from contributions_register p where p.employer_id = e.holder_id and p.is_posted) m
       group by e.name""",
)  # fmt: skip
MEMBER_SEALED = RowRefusal(
    "member_sealed", "个人账户“{found}”已封存；若恢复缴存，请在“变更类型”填“启封”。", REMIT,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.m_state = 'sealed' and r.m_sealed_month <= r.month and r.change <> 'unseal'""",
)  # fmt: skip
MEMBER_CLOSED = RowRefusal(
    "member_closed", "个人账户“{found}”已销户，不能再缴；请核对账号。", REMIT,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.m_state = 'closed'""",
)  # fmt: skip
MEMBER_FROZEN_NOTE = RowRefusal(
    "member_frozen_note", "个人账户“{found}”有司法冻结 {frozen}；缴存照常入账。", REMIT, warning=True,
    find="""
      select r.row, '个人账号', r.member_number, jsonb_build_object('frozen', b.frozen::text) from batch_row r
        join ledger_balance b on b.holder_id = r.member_id and b.account_id = '201' where b.frozen > 0""",
)  # fmt: skip
NAME_MISMATCH = RowRefusal(
    "name_mismatch", "姓名“{found}”与账户姓名“{name}”不符；请核对是否填错了账号，更名请先办理信息变更。", REMIT,
    find="""
      select r.row, '姓名', r.name, jsonb_build_object('name', r.m_name) from batch_row r
       where r.name <> r.m_name and parties_name_key(r.name) <> parties_name_key(r.m_name)""",
)  # fmt: skip
ID_MISMATCH = RowRefusal(
    "id_mismatch", "证件号码 {found} 与账户登记的 {mask} 不符；身份证号码不正确或填错了账号，请核对。", REMIT,
    find="""
      select r.row, '证件号码', r.id_mask, jsonb_build_object('mask', r.m_id_mask) from batch_row r
       where r.id_mask <> r.m_id_mask or r.id_index is not null and r.id_index <> r.m_id_index""",
)  # fmt: skip
CHANGE_UNKNOWN = Refusal("change_unknown", "“{found}”不是变更类型；可填新增、启封、封存、基数变更，或留空。", REMIT)
MEMBER_NOT_SEALED = RowRefusal(
    "member_not_sealed", "个人账户“{found}”未封存，不必启封；请把“变更类型”留空。", REMIT,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.m_state = 'normal' and r.change = 'unseal'""",
)  # fmt: skip
BASE_CHANGED_WITHOUT_TYPE = RowRefusal(
    "base_changed_without_type", "缴存基数 {found} 与账户的 {base} 不同；确有变更请在“变更类型”填“基数变更”。",
    f"{REGULATION}第十六条",
    find="""
      select r.row, '缴存基数', trim_scale(r.base)::text, jsonb_build_object('base', r.m_base::text) from batch_row r
       where r.base <> r.m_base and r.change not in ('base', 'unseal', 'new')""",
)  # fmt: skip
TOO_MANY_DECIMALS = RowRefusal(
    "too_many_decimals", "{found} 超过两位小数；金额到分为止。", "会计基础工作规范",
    find="""
      select r.row, side.title, trim_scale(side.amount)::text, '{}'::jsonb from batch_row r,
        lateral (values ('缴存基数', r.base), ('单位月缴存额', r.amount_employer), ('个人月缴存额', r.amount_member),
                        ('合计', r.total)) side(title, amount)
       where greatest(scale(r.base), scale(r.amount_employer), scale(r.amount_member), scale(r.total)) > 2
         and side.amount <> round(side.amount, 2)""",
)  # fmt: skip
NEGATIVE_AMOUNT = RowRefusal(
    "negative_amount", "{found} 须大于 0；退款请办理错缴退回，停缴请在“变更类型”填“封存”并把金额填 0。", REMIT,
    find="""
      select r.row, side.title, trim_scale(side.amount)::text, '{}'::jsonb from batch_row r,
        lateral (values ('缴存基数', r.base, false), ('单位月缴存额', r.amount_employer, r.change = 'seal'),
                        ('个人月缴存额', r.amount_member, r.change = 'seal')) side(title, amount, none)
       where side.amount < 0 or side.amount = 0 and not side.none or side.amount <> 0 and side.none""",
)  # fmt: skip
TOTAL_WRONG = RowRefusal(
    "total_wrong", "合计 {found} 不等于单位与个人月缴存额之和 {sum}。", REMIT,
    find="""
      select r.row, '合计', trim_scale(r.total)::text, jsonb_build_object('sum', trim_scale(r.amount_employer + r.amount_member)::text)
        from batch_row r where r.total <> r.amount_employer + r.amount_member""",
)  # fmt: skip
RATIO_DIFFERS = RowRefusal(
    "ratio_differs_from_employer", "比例 {found} 与单位的 {ratio}% 不同；单位比例有变请先办理比例变更。", f"{REGULATION}第十八条",
    find="""
      select r.row, side.title, trim_scale(side.given * 100) || '%%', jsonb_build_object('ratio', trim_scale(side.ratio * 100)::text)
        from batch_row r,
        lateral (values ('单位比例', r.ratio_employer, r.e_ratio_employer), ('个人比例', r.ratio_member, r.e_ratio_member))
          side(title, given, ratio)
       where num_nonnulls(r.ratio_employer, r.ratio_member) > 0 and side.given <> side.ratio""",
)  # fmt: skip

# In the order in which a clerk reads them.
OVER_ROWS = (
    EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, EMPLOYER_CLOSED, EMPLOYER_DEFERRED, MONTH_FUTURE, MONTH_CLOSED,
    MONTH_ALREADY_POSTED, MONTH_GAP, MEMBER_UNKNOWN, MEMBER_OF_OTHER_EMPLOYER, MEMBER_SEALED, MEMBER_CLOSED,
    MEMBER_FROZEN_NOTE, MEMBER_NOT_SEALED, MEMBER_DOUBLED, NAME_MISMATCH, ID_MISMATCH, MEMBER_MISSING,
    LIMITS_MISSING, BASE_BELOW_FLOOR, BASE_ABOVE_CAP, BASE_CHANGED_WITHOUT_TYPE, TOO_MANY_DECIMALS, NEGATIVE_AMOUNT, RATIO_DIFFERS, AMOUNT_WRONG, TOTAL_WRONG,
    SUSPENSE_SHORT,
)  # fmt: skip
MONTH_JUST_POSTED = Refusal(
    "month_already_posted", "本批次中有单位的当月汇缴已由另一批次入账，未重复入账；请退回经办核对。", REMIT
)
BY_CONSTRAINT = {"contributions_register_month": MONTH_JUST_POSTED}


# --- 错缴退回 ---------------------------------------------------------------------------------------------------------

REFUND = "GB/T 51271-2017 错缴更正"

REFUND_NOT_POSITIVE = RowRefusal(
    "negative_amount", "退回金额须不小于 0，且两项不能都是 0，并不超过两位小数。", REFUND,
    find="""
      select r.row, '退回单位额', concat_ws(' / ', trim_scale(r.amount_employer), trim_scale(r.amount_member)), '{}'::jsonb
        from batch_row r
       where r.amount_employer < 0 or r.amount_member < 0 or r.amount_employer + r.amount_member = 0
          or r.amount_employer <> round(r.amount_employer, 2) or r.amount_member <> round(r.amount_member, 2)""",
)  # fmt: skip
REFUND_ONE_EMPLOYER = RowRefusal(
    "refund_one_employer", "一张退回单只办一个单位；本表另有单位“{found}”，请分开上传。", REFUND,
    find="""
      select min(r.row), '单位账号', r.employer_number, '{}'::jsonb from batch_row r
       where r.employer_id <> (select min(employer_id) from batch_row) group by r.employer_number""",
)  # fmt: skip
REFUND_MEMBER_CLOSED = RowRefusal(
    "member_closed", "个人账户“{found}”已销户，其款项不能退回；请核对账号。", REFUND,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
       where r.m_state = 'closed'""",
)  # fmt: skip
REFUND_DOUBLED = doubled(
    "member_doubled", "与第 {first} 行是同一职工的同一月份；请合并为一行。", REFUND,
    column="个人账号", shown="member_number", keys=("member_id", "month"),
)  # fmt: skip
REFUND_MONTH_NOT_PAID = RowRefusal(
    "refund_month_not_paid", "该职工在本单位 {found} 没有已入账的汇缴，无款可退；请核对月份和账号。", REFUND,
    find="""
      select r.row, '错缴年月', to_char(r.month, 'YYYY-MM'), '{}'::jsonb from batch_row r left join paid_row p using (row)
       where p.row is null and r.member_id is not null and r.employer_id is not null and r.month is not null""",
)  # fmt: skip
REFUND_EXCEEDS_PAID = RowRefusal(
    "refund_exceeds_paid", "退回 {found} 超过该月{side}已缴 {paid} 减已退 {back}；最多可退 {most}。", REFUND,
    find="""
      select r.row, side.title, side.amount::text, jsonb_build_object('side', side.name, 'paid', round(side.paid, 2)::text,
               'back', round(side.back, 2)::text, 'most', round(side.paid - side.back, 2)::text)
        from batch_row r join paid_row p using (row),
        lateral (values ('退回单位额', '单位', r.amount_employer, p.paid_employer, p.back_employer),
                        ('退回个人额', '个人', r.amount_member, p.paid_member, p.back_member)) side(title, name, amount, paid, back)
       where side.amount > side.paid - side.back""",
)  # fmt: skip
REFUND_BALANCE_SHORT = RowRefusal(
    "balance_short", "“{name}”余额 {balance}（冻结 {frozen}），不足退回 {found}；已支取的款项不能退回。", REFUND,
    find="""
      select t.row, '个人账号', t.amount::text, jsonb_build_object('name', m.name, 'balance', coalesce(b.amount, 0)::text,
               'frozen', coalesce(b.frozen, 0)::text)
        from (select min(r.row) as row, r.member_id, round(sum(r.amount_employer + r.amount_member), 2) as amount
                from batch_row r where r.member_id is not null group by r.member_id) t
        join parties_member m on m.holder_id = t.member_id
        left join ledger_balance b on b.holder_id = t.member_id and b.account_id = '201'
       where t.amount > coalesce(b.amount - b.frozen, 0)""",
)  # fmt: skip
OVER_REFUND = (
    EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, REFUND_ONE_EMPLOYER, MEMBER_UNKNOWN, REFUND_MEMBER_CLOSED, REFUND_DOUBLED,
    REFUND_NOT_POSITIVE, REFUND_MONTH_NOT_PAID, REFUND_EXCEEDS_PAID, REFUND_BALANCE_SHORT,
)  # fmt: skip


# --- 封存启封 ---------------------------------------------------------------------------------------------------------

SEALING = f"{REGULATION}第十五条"

SEALING_UNKNOWN = Refusal("change_unknown", "“{found}”不是此处的变更类型；请填写封存或启封。", SEALING)
SEALING_DOUBLED = doubled(
    "member_doubled", "与第 {first} 行是同一职工；一张单每名职工只办一次，请只保留一行。", SEALING,
    column="个人账号", shown="member_number", keys=("member_id",),
)  # fmt: skip
SEALING_MONTH_FUTURE = RowRefusal(
    "month_future", "{found} 晚于下月；请核对生效年月，尚未到的请到时再办理。", SEALING,
    find="""
      select r.row, '生效年月', to_char(r.month, 'YYYY-MM'), '{}'::jsonb from batch_row r
       where r.month > date_trunc('month', %(made_on)s::date) + interval '1 month'""",
)  # fmt: skip
SEALING_MEMBER_CLOSED = RowRefusal(
    "member_closed", "个人账户“{found}”已销户，不能再办理封存或启封；请核对账号。", SEALING, volatile=True,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb
        from contributions_sealingrow r join parties_member m on m.holder_id = r.member_id
       where r.batch_id = %(batch)s and m.state = 'closed'""",
)  # fmt: skip
ALREADY_SEALED = RowRefusal(
    "member_sealed", "个人账户“{found}”自 {since} 起已封存，不重复封存；请核对账号或从本表移出。", SEALING, volatile=True,
    find="""
      select r.row, '个人账号', r.member_number, jsonb_build_object('since', to_char(m.sealed_month, 'YYYY-MM'))
        from contributions_sealingrow r join parties_member m on m.holder_id = r.member_id
       where r.batch_id = %(batch)s and r.change = 'seal' and m.state = 'sealed'""",
)  # fmt: skip
NOT_SEALED = RowRefusal(
    "member_not_sealed", "个人账户“{found}”状态正常，不必启封；请核对账号或从本表移出。", SEALING, volatile=True,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb
        from contributions_sealingrow r join parties_member m on m.holder_id = r.member_id
       where r.batch_id = %(batch)s and r.change = 'unseal' and m.state = 'normal'""",
)  # fmt: skip
UNSEALED_BEFORE = RowRefusal(
    "unsealed_before", "启封年月 {found} 早于封存年月 {since}；封存前的月份本应缴存，请核对生效年月。", SEALING, volatile=True,
    find="""
      select r.row, '生效年月', to_char(r.month, 'YYYY-MM'), jsonb_build_object('since', to_char(m.sealed_month, 'YYYY-MM'))
        from contributions_sealingrow r join parties_member m on m.holder_id = r.member_id
       where r.batch_id = %(batch)s and r.change = 'unseal' and m.state = 'sealed' and r.month < m.sealed_month""",
)  # fmt: skip
SEALED_MONTH_PAID = RowRefusal(
    "sealed_month_paid", "该职工 {paid} 已汇缴，封存年月 {found} 须在其后；月份写错的请更正，错缴的请办理错缴退回。", SEALING,
    volatile=True, find="""
      select r.row, '生效年月', to_char(r.month, 'YYYY-MM'), jsonb_build_object('paid', to_char(max(g.month), 'YYYY-MM'))
        from contributions_sealingrow r
        join contributions_register g on g.employer_id = r.employer_id and g.month >= r.month and g.is_posted
        join contributions_registerrow p on p.batch_id = g.batch_id and p.register_id = g.id and p.member_id = r.member_id
       where r.batch_id = %(batch)s and r.change = 'seal' and p.change <> 'seal' group by r.row, r.month""",
)  # fmt: skip
OVER_SEALING = (
    EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, EMPLOYER_CLOSED, MEMBER_UNKNOWN, MEMBER_OF_OTHER_EMPLOYER,
    SEALING_MEMBER_CLOSED, SEALING_DOUBLED, NAME_MISMATCH, SEALING_MONTH_FUTURE, ALREADY_SEALED, NOT_SEALED,
    UNSEALED_BEFORE, SEALED_MONTH_PAID,
)  # fmt: skip
