"""Why an uploaded register is refused: code, article, sentence, and the statement that finds it over the whole file.

A statement yields row, col (title of the column), found and args (jsonb). It reads ``batch_row``, the rows of the file as
they were recognised (queries.RECOGNISE), ``stranger``, the numbers that only other branches know, and the batch's
registers. What the reader itself finds (a cell that is no number) has no statement.
"""

from fundcenter.office.refusals import Refusal, RowRefusal

REGULATION = "《住房公积金管理条例》"
REMIT = f"{REGULATION}第十九条"

REGULATION = "《住房公积金管理条例》"
REMIT = f"{REGULATION}第十九条"


EMPLOYER_UNKNOWN = RowRefusal(
    "employer_unknown", "没有单位账号“{found}”；请核对单位账号。", REMIT,
    find="""
      select r.row, '单位账号', r.employer_number, '{}'::jsonb from batch_row r
       where r.employer_id is null and r.employer_number is not null
         and not exists (select from stranger s where s.kind = 'employer' and s.number = r.employer_number)""",
)  # fmt: skip
EMPLOYER_NOT_YOURS = RowRefusal(
    "employer_not_yours", "单位“{found}”由其他机构管理；请到其所属机构办理，或从本表中移出。", REMIT,
    find="""
      select r.row, '单位账号', r.employer_number, '{}'::jsonb from batch_row r
        join stranger s on s.kind = 'employer' and s.number = r.employer_number
       where r.employer_id is null""",
)  # fmt: skip
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
        left join parties_member m on m.holder_id = r.member_id
       where r.employer_id is not null
         and (m.employer_id <> r.employer_id
              or r.member_id is null and exists (
                select from stranger s where s.kind = 'member' and s.number = r.member_number))""",
)  # fmt: skip
MEMBER_DOUBLED = RowRefusal(
    "member_doubled", "与第 {first} 行重复；请只保留一行。", REMIT,
    find="""
      select row, '个人账号', member_number, jsonb_build_object('first', first) from (
        select r.row, r.member_number, r.member_id,
               min(r.row) over (partition by r.member_id, r.month) as first
          from batch_row r where r.member_id is not null) d
       where row > first""",
)  # fmt: skip
MEMBER_MISSING = RowRefusal(
    "member_missing", "{name}（{found}）在单位“{employer}”名下状态正常，{month}清册缺少；请补行，离职的请先办理封存，确属不缴的请勾选确认。",
    REMIT, confirmable=True, title="在职职工未列入清册",
    find="""
      select null::int, '清册', m.number, jsonb_build_object('name', m.name, 'employer', e.name,
               'month', to_char(g.month, 'YYYY-MM'))
        from contributions_register g
        join parties_employer e on e.holder_id = g.employer_id
        join parties_member m on m.employer_id = g.employer_id and m.state = 'normal' and m.first_month <= g.month
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
        from batch_row r join parties_employer e on e.holder_id = r.employer_id,
        lateral (values
          ('单位月缴存额', r.amount_employer, e.ratio_employer, round(round(r.base * e.ratio_employer, %(digits)s), 2)),
          ('个人月缴存额', r.amount_member, e.ratio_member, round(round(r.base * e.ratio_member, %(digits)s), 2))
        ) side(title, amount, ratio, expected)
       where side.amount <> side.expected""",
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

# In the order in which a clerk reads them.
OVER_ROWS = (
    EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, MONTH_ALREADY_POSTED, MEMBER_UNKNOWN, MEMBER_OF_OTHER_EMPLOYER,
    MEMBER_DOUBLED, MEMBER_MISSING, AMOUNT_WRONG, SUSPENSE_SHORT,
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
MEMBER_CLOSED = RowRefusal(
    "member_closed", "个人账户“{found}”已销户，其款项不能退回；请核对账号。", REFUND,
    find="""
      select r.row, '个人账号', r.member_number, '{}'::jsonb from batch_row r
        join parties_member m on m.holder_id = r.member_id where m.state = 'closed'""",
)  # fmt: skip
REFUND_DOUBLED = RowRefusal(
    "member_doubled", "与第 {first} 行是同一职工的同一月份；请合并为一行。", REFUND,
    find="""
      select row, '个人账号', member_number, jsonb_build_object('first', first) from (
        select r.row, r.member_number, min(r.row) over (partition by r.member_id, r.month) as first
          from batch_row r where r.member_id is not null) d
       where row > first""",
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
    EMPLOYER_UNKNOWN, EMPLOYER_NOT_YOURS, REFUND_ONE_EMPLOYER, MEMBER_UNKNOWN, MEMBER_CLOSED, REFUND_DOUBLED,
    REFUND_NOT_POSITIVE, REFUND_MONTH_NOT_PAID, REFUND_EXCEEDS_PAID, REFUND_BALANCE_SHORT,
)  # fmt: skip
