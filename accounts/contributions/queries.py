"""Set-based SQL of contributions."""

from accounts.parties.queries import DUE
from fundcenter.office.services.intake import Join

# A member sealed by the register is listed and pays nothing.
MAKE_REGISTERS = """
insert into contributions_register (batch_id, branch_id, employer_id, month, member_count, total, is_posted)
select %(batch)s, %(branch)s, employer_id, month, count(*) filter (where change <> 'seal'),
       coalesce(round(sum(amount_employer + amount_member), 2), 0), false
  from batch_row where employer_id is not null and month is not null group by employer_id, month order by min(row)
"""
REGISTER = Join(
    "register_id",
    "g.id",
    "left join contributions_register g on g.batch_id = %(batch)s and g.employer_id = r.employer_id and g.month = r.month",
)
TOTAL = """
update contributions_batch b
   set total = coalesce((select sum(total) from contributions_register where batch_id = b.id), 0)
 where id = %(batch)s
"""
REMITTANCE_SLIPS = """
select g.id as key, g.branch_id as branch, '汇缴 ' || to_char(g.month, 'YYYY-MM') || ' ' || e.name as summary,
       1 as attachments, g.employer_id as employer, g.total as total
  from contributions_register g join parties_employer e on e.holder_id = g.employer_id
 where g.batch_id = %(batch)s
"""
REMITTANCE_DETAILS = """
select r.register_id as key, r.member_id as member, r.employer_id as employer, r.amount_employer + r.amount_member as amount
  from contributions_registerrow r where r.batch_id = %(batch)s and r.change <> 'seal'
 order by r.register_id, r.row
"""
# What the register says of its members beside the money.
REGISTER_CHANGES = """
select r.member_id as member, r.change, r.month, case when r.change <> 'seal' then r.base end as base
  from contributions_registerrow r where r.batch_id = %(batch)s and r.change <> ''
"""
REGISTERS_POSTED = """
update contributions_register g set is_posted = true, voucher_id = v.id
  from ledger_voucher v where g.batch_id = %(batch)s and v.kind_id = 'remittance' and v.source = g.id::text
"""
# What a member owes of each side a month, by the rounding in force; the same as calc.monthly_amount.
_OWN = "round(round(m.base * e.ratio_employer, %(digits)s), 2)"
_THEIRS = "round(round(m.base * e.ratio_member, %(digits)s), 2)"
REGISTER_DUE = f"""
select e.number, m.number, m.name, m.base, {_OWN}, {_THEIRS}
  from parties_member m join parties_employer e on e.holder_id = m.employer_id
 where m.branch_id = %(branch)s and (%(employer)s::bigint is null or m.employer_id = %(employer)s)
   and {DUE.format(month="%(month)s")}
 order by e.number, m.number
"""
# What the register of each of these months would ask of an employer's members, at today's bases and ratios.
MONTHS_DUE = f"""
select d.month, count(m.holder_id), coalesce(sum({_OWN} + {_THEIRS}), 0)
  from unnest(%(months)s::date[]) d(month)
  left join parties_member m on m.employer_id = %(employer)s and {DUE.format(month="d.month")}
  left join parties_employer e on e.holder_id = m.employer_id
 group by d.month
"""
# The newest register of each month that is neither posted nor dead: it is on its way.
REGISTERS_UNDERWAY = """
select distinct on (g.month) g.month, g.member_count, g.total, b.id
  from contributions_register g join contributions_batch b on b.id = g.batch_id
 where g.employer_id = %(employer)s and g.month = any(%(months)s) and b.state in ('checked', 'submitted', 'returned', 'posting')
 order by g.month, g.id desc
"""
REGISTERS_SHOWN = """
select g.id, g.employer_id, e.name as employer, e.number as employer_number, g.month, g.member_count as members, g.total,
       g.voucher_id, v.word || '-' || lpad(v.number::text, 6, '0') as voucher,
       coalesce(b.amount, 0) as suspense, greatest(g.total - coalesce(b.amount, 0), 0) as short,
       p.member_count as last_members, p.total as last_total,
       g.member_count - p.member_count as members_change, g.total - p.total as total_change
  from contributions_register g
  join parties_employer e on e.holder_id = g.employer_id
  left join ledger_voucher v on v.id = g.voucher_id
  left join ledger_balance b on b.holder_id = g.employer_id and b.account_id = '21901'
  left join contributions_register p
    on p.employer_id = g.employer_id and p.month = (g.month - interval '1 month')::date and p.is_posted
 where g.batch_id = %(batch)s order by g.id
"""
REGISTER_ROWS = """
select r.row, r.member_number, coalesce(m.name, r.name) as name, r.member_id, r.change as type, r.base, r.amount_employer, r.amount_member,
       r.amount_employer + r.amount_member as total, p.amount_employer + p.amount_member as last_total
  from contributions_registerrow r
  left join parties_member m on m.holder_id = r.member_id
  left join contributions_register g on g.id = r.register_id
  left join contributions_register pg
    on pg.employer_id = g.employer_id and pg.month = (g.month - interval '1 month')::date and pg.is_posted
  left join contributions_registerrow p on p.batch_id = pg.batch_id and p.register_id = pg.id and p.member_id = r.member_id
 where r.batch_id = %(batch)s and r.register_id = %(register)s and r.row > %(after)s order by r.row limit %(most)s
"""
CHECKS = (
    """
    select format('清册 %s 已入账而无凭证', g.id) from contributions_register g
      left join ledger_voucher v on v.id = g.voucher_id and v.kind_id = 'remittance' and v.source = g.id::text
     where g.is_posted and (v.id is null or v.amount <> g.total)
    """,
    """
    select format('凭证 %s 的清册 %s 不存在或未入账', v.id, v.source) from ledger_voucher v
      left join contributions_register g on g.id::text = v.source and g.voucher_id = v.id and g.is_posted
     where v.kind_id = 'remittance' and g.id is null
    """,
    """
    select format('批次 %s 已入账而清册未入账', b.id) from contributions_batch b
      join contributions_register g on g.batch_id = b.id where (b.state = 'posted') <> g.is_posted
    """,
)


# --- 错缴退回 ---------------------------------------------------------------------------------------------------------

REFUND_HEAD = """
update contributions_refund f
   set employer_id = (select min(employer_id) from batch_row),
       total = coalesce((select round(sum(amount_employer + amount_member), 2) from batch_row), 0)
 where id = %(batch)s
"""
# What each row's member paid in that month through that employer, and what of it has gone back or is going.
REFUND_PAID = """
create temp table paid_row on commit drop as
select b.row, rr.amount_employer as paid_employer, rr.amount_member as paid_member,
       coalesce(sum(fr.amount_employer), 0) as back_employer, coalesce(sum(fr.amount_member), 0) as back_member
  from batch_row b
  join contributions_register g on g.employer_id = b.employer_id and g.month = b.month and g.is_posted
  join contributions_registerrow rr on rr.batch_id = g.batch_id and rr.register_id = g.id and rr.member_id = b.member_id
  left join contributions_refundrow fr on fr.member_id = b.member_id and fr.month = b.month and fr.employer_id = b.employer_id
       and fr.batch_id in (select id from contributions_refund where state in ('posted', 'paid'))
 group by b.row, rr.amount_employer, rr.amount_member
"""
REFUND_SLIPS = """
select f.id as key, f.branch_id as branch, '错缴退回 ' || e.name as summary, 1 as attachments, f.employer_id as employer,
       f.total as total, (select min(holder_id) from banking_bankaccount where purpose = 'collection') as bank_account
  from contributions_refund f join parties_employer e on e.holder_id = f.employer_id where f.id = %(batch)s
"""
REFUND_DETAILS = """
select r.batch_id as key, r.member_id as member, r.employer_id as employer, r.amount_employer + r.amount_member as amount
  from contributions_refundrow r where r.batch_id = %(batch)s order by r.row
"""
SEALING_HOLDERS = "select distinct employer_id from contributions_sealingrow where batch_id = %(batch)s"
SEALING_CHANGES = """
select r.member_id as member, r.change, r.month, null::numeric as base
  from contributions_sealingrow r where r.batch_id = %(batch)s
"""
# Two documents about one member pass one after the other, and the later one is asked again what it may.
SEALING_HOLD = """
select m.holder_id from parties_member m
 where m.holder_id in (select member_id from contributions_sealingrow where batch_id = %(batch)s)
 order by m.holder_id for no key update
"""
REFUND_HOLDERS = """
select employer_id from contributions_refundrow where batch_id = %(batch)s
union select member_id from contributions_refundrow where batch_id = %(batch)s
"""
REGISTER_HOLDERS = "select employer_id from contributions_register where batch_id = %(batch)s"
REFUND_CHECKS = (
    """
    select format('错缴退回 %s 状态 %s 与凭证不符', f.id, f.state) from contributions_refund f
      left join ledger_voucher v on v.id = f.voucher_id and v.kind_id = 'refund' and v.source = f.id::text
      left join ledger_voucher p on p.id = f.payment_id and p.kind_id = 'refund_payment' and p.source = f.id::text
     where (f.state in ('posted', 'paid')) <> (v.id is not null) or (f.state = 'paid') <> (p.id is not null)
        or v.amount <> f.total or p.amount <> f.total
    """,
    """
    select format('凭证 %s 的错缴退回 %s 不存在', v.id, v.source) from ledger_voucher v
      left join contributions_refund f on f.id::text = v.source and v.id in (f.voucher_id, f.payment_id)
     where v.kind_id in ('refund', 'refund_payment') and f.id is null
    """,
)
# The months for which a member's money stands: paid, and not gone back whole. Newest first.
PAID_MONTHS = """
select g.month from ledger_entry e
  join contributions_register g on g.voucher_id = e.voucher_id and g.is_posted
 where e.holder_id = %(member)s and e.account_id = '201'
   and e.credit > coalesce((
     select sum(r.amount_employer + r.amount_member) from contributions_refundrow r
       join contributions_refund f on f.id = r.batch_id and f.state in ('posted', 'paid')
      where r.member_id = e.holder_id and r.month = g.month and r.employer_id = g.employer_id), 0)
 order by g.month desc limit %(most)s
"""
# 汇缴书: the month before, what came, went and changed, this month; by member, so that counts and sums prove. A member that the
# register seals pays nothing and is gone.
REMITTANCE_PROOF = """
with mine as (
  select member_id, amount_employer as own, amount_member as theirs from contributions_registerrow
   where batch_id = %(batch)s and register_id = %(register)s and change <> 'seal'),
last as (
  select r.member_id, r.amount_employer as own, r.amount_member as theirs
    from contributions_register p join contributions_registerrow r on r.batch_id = p.batch_id and r.register_id = p.id
   where p.employer_id = %(employer)s and p.month = (%(month)s::date - interval '1 month')::date and p.is_posted
     and r.change <> 'seal'),
both_sides as (
  select l.member_id as was, m.member_id as listed, coalesce(l.own, 0) as own_before, coalesce(l.theirs, 0) as theirs_before,
         coalesce(m.own, 0) as own, coalesce(m.theirs, 0) as theirs
    from mine m full join last l on l.member_id = m.member_id)
select title, count(*) filter (where counted), round(coalesce(sum(line.own), 0), 2), round(coalesce(sum(line.theirs), 0), 2)
  from (values (1, '上月汇缴'), (2, '本月增加'), (3, '本月减少'), (4, '缴存额调整'), (5, '本月汇缴')) t(place, title)
  left join lateral (
    select case place when 1 then was is not null when 5 then b.listed is not null when 4 then false else true end as counted,
           case place when 1 then own_before when 3 then own_before when 4 then b.own - own_before else b.own end as own,
           case place when 1 then theirs_before when 3 then theirs_before when 4 then b.theirs - theirs_before else b.theirs end as theirs
      from both_sides b
     where case place when 2 then was is null when 3 then b.listed is null when 4 then was is not null and b.listed is not null else true end
    ) line on true
 group by place, title order by place
"""
# 机构月报: what was posted in a branch's month, less what was reversed in it, by the employers' nature.
MONTH_BY_NATURE = """
with posted as materialized (
  select v.amount, case when o.id is null then 1 else -1 end as sign, coalesce(o.source, v.source) as source
    from ledger_voucher v left join ledger_voucher o on o.id = v.reverses_id
   where v.branch_id = %(branch)s and v.month = %(month)s and coalesce(o.kind_id, v.kind_id) = 'remittance')
select e.nature, count(distinct e.holder_id) filter (where p.sign > 0), sum(p.sign * g.member_count), sum(p.amount)
  from posted p join contributions_register g on g.id = p.source::bigint
  join parties_employer e on e.holder_id = g.employer_id
 group by e.nature
"""
