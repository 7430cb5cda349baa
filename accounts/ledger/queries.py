"""Set-based SQL of the book: the replay that checks it, and running balances."""

# What an entry adds to its holder's balance, on the account's own side.
SIGNED = "case a.normal_side when 'credit' then e.credit - e.debit else e.debit - e.credit end"

# Each statement yields one sentence a fault; together they replay everything that the books promise.
REPLAY = (
    # 借贷必相等; an amount is the sum of its debits; no entry without its voucher, none elsewhere than in its voucher's
    # range of the key, none in another branch unless the kind (or what it reverses) crosses
    """
    select format('凭证 %s：%s', coalesce(v.id, t.voucher_id), faults)
      from (select voucher_id, date, sum(debit) as debit, sum(credit) as credit, min(branch_id) as lowest, max(branch_id) as highest,
                   count(*) filter (where id >> 24 <> voucher_id) as strays from ledger_entry group by 1, 2) t
      full join ledger_voucher v on v.id = t.voucher_id and v.date = t.date
      left join ledger_voucher o on o.id = v.reverses_id
      left join ledger_kind k on k.code = coalesce(o.kind_id, v.kind_id),
      lateral concat_ws('；',
        case when v.id is null then '分录没有凭证' end,
        case when t.voucher_id is null then '没有分录' end,
        case when t.debit <> t.credit then format('借方 %s，贷方 %s', t.debit, t.credit) end,
        case when v.amount <> t.debit then format('凭证金额 %s，分录合计 %s', v.amount, t.debit) end,
        case when t.strays > 0 then format('%s 条分录不在凭证的键内', t.strays) end,
        case when not k.crosses_branches and (t.lowest, t.highest) <> (v.branch_id, v.branch_id) then '分录属于别的机构' end,
        case when v.month <> date_trunc('month', v.date) then '月份与日期不符' end) faults
     where faults <> ''
    """,
    # 编号连续
    """
    select format('%s %s 字%s：应有 %s 张，实有 %s 张，末号 %s', b.name, to_char(coalesce(t.month, s.month), 'YYYY-MM'),
                  coalesce(t.word, s.word), s.last, coalesce(t.n, 0), coalesce(t.top, 0))
      from (select branch_id, month, word, count(*) as n, max(number) as top, min(number) as bottom
              from ledger_voucher group by 1, 2, 3) t
      full join ledger_number_series() s using (branch_id, month, word) join office_branch b on b.id = branch_id
     where t.n is distinct from s.last or t.top is distinct from t.n or t.bottom <> 1
    """,
    # 余额、积数、本年支出与分录一致; a balance lies in its holder's branch, and nothing of it was left behind elsewhere
    f"""
    select format('户 %s 科目 %s：%s', holder_id, account_id, faults)
      from (select e.holder_id, e.account_id, sum({SIGNED}) as amount,
                   sum({SIGNED} * (e.value_date - date '1970-01-01')) as weighted,
                   sum(case a.normal_side when 'credit' then e.debit else e.credit end) as lost,
                   coalesce(sum({SIGNED}) filter (where e.branch_id <> h.branch_id), 0) as elsewhere
              from ledger_entry e join ledger_account a on a.code = e.account_id and a.is_stored
              left join ledger_holder h on h.id = e.holder_id group by 1, 2) t
      full join ledger_balance b using (holder_id, account_id)
      left join ledger_holder h on h.id = holder_id,
      lateral (select t.amount * (b.counts_to - date '1970-01-01' + 1) - t.weighted as product) due,
      lateral concat_ws('；',
        case when b.amount is distinct from t.amount then format('余额 %s，分录合计 %s', b.amount, t.amount) end,
        case when b.product is distinct from due.product then format('积数 %s，应为 %s', b.product, due.product) end,
        case when b.withdrawn is distinct from t.lost then format('本年支出 %s，分录合计 %s', b.withdrawn, t.lost) end,
        case when b.frozen < 0 or b.amount < b.frozen then format('余额 %s，冻结 %s', b.amount, b.frozen) end,
        case when b.branch_id is distinct from h.branch_id then '余额的机构与户不符' end,
        case when t.elsewhere <> 0 then format('在别的机构留有 %s', t.elsewhere) end) faults
     where faults <> ''
    """,
    # 户属于该科目; 201 names the employer
    """
    select format('分录 %s：科目 %s 与户 %s、单位 %s 不相符', e.id, e.account_id, e.holder_id, e.employer_id)
      from ledger_entry e left join ledger_account a on a.code = e.account_id
      left join ledger_holder h on h.id = e.holder_id left join ledger_holder m on m.id = e.employer_id
     where a.code is null or h.kind is distinct from a.holder_kind or h.id is distinct from e.holder_id
        or case when a.holder_kind = 'member' then m.kind is distinct from 'employer' else e.employer_id is not null end
    """,
    # 日结累计与分录一致: from an account's first entry on, every close has its total so far. Entries are summed by day
    # first, so that a year of closes does not read them 250 times.
    """
    with moved as (
      select branch_id, c.date, account_id, sum(debit) as debit, sum(credit) as credit
        from (select branch_id, date, account_id, sum(debit) as debit, sum(credit) as credit
                from ledger_entry group by 1, 2, 3) e,
             lateral (select min(c.date) as date from ledger_dayclose c where c.branch_id = e.branch_id and c.date >= e.date) c
       where c.date is not null group by 1, 2, 3),
    due as (
      select c.branch_id, c.date, f.account_id, sum(m.debit) over so_far as debit, sum(m.credit) over so_far as credit
        from (select branch_id, account_id, min(date) as first from moved group by 1, 2) f
        join ledger_dayclose c on c.branch_id = f.branch_id and c.date >= f.first
        left join moved m on m.branch_id = c.branch_id and m.date = c.date and m.account_id = f.account_id
      window so_far as (partition by c.branch_id, f.account_id order by c.date))
    select format('%s %s 科目 %s：日结累计 %s/%s，分录合计 %s/%s', b.name, date, account_id, d.debit, d.credit, due.debit, due.credit)
      from due full join ledger_daytotal d using (branch_id, date, account_id) join office_branch b on b.id = branch_id
     where d.debit is distinct from due.debit or d.credit is distinct from due.credit
    """,
    # 日结摘要前后相连
    """
    select format('%s %s 的日结摘要与凭证不符（%s 张）', b.name, c.date, c.vouchers)
      from (select *, lag(date, 1, '-infinity') over (partition by branch_id order by date) as since from ledger_dayclose) c
      join office_branch b on b.id = c.branch_id
     where c.digest <> ledger_digest(c.branch_id, c.since, c.date)
        or c.vouchers <> (select count(*) from ledger_voucher v
                           where v.branch_id = c.branch_id and v.date > c.since and v.date <= c.date)
    """,
    # 账期与最后一次日结一致; 月结全市同一天
    """
    select format('%s 的账期：日结至 %s，最后一次日结 %s；月结至 %s，全市月结至 %s', b.name, p.day_closed, c.last, p.month_closed, m.last)
      from ledger_period p join office_branch b on b.id = p.branch_id
      left join (select branch_id, max(date) as last from ledger_dayclose group by 1) c on c.branch_id = p.branch_id,
      (select max(month_closed) as last from ledger_period) m
     where p.day_closed is distinct from c.last or p.month_closed is distinct from m.last
    """,
    # 冲销凭证与原凭证逐笔相反, in the same branch, not earlier, once
    """
    select format('冲销凭证 %s 与原凭证 %s 不相反', r.id, r.reverses_id)
      from ledger_voucher r left join ledger_voucher o on o.id = r.reverses_id
     where (r.kind_id = 'reversal') <> (r.reverses_id is not null)
        or r.reverses_id is not null and o.id is null
        or r.date < o.date or r.branch_id <> o.branch_id or o.reverses_id is not null
        or o.id is not null and exists (
             select from (
               select * from ledger_entry e where e.date = r.date and e.id between r.id << 24 and (r.id << 24 | 16777215)
               union all
               select * from ledger_entry e where e.date = o.date and e.id between o.id << 24 and (o.id << 24 | 16777215)) e
              group by account_id, holder_id, employer_id, branch_id, value_date having sum(debit) <> 0 or sum(credit) <> 0)
    """,
)  # fmt: skip
COUNTS = "select (select count(*) from ledger_voucher), (select count(*) from ledger_entry)"

# Newest first. What lies between today's balance and a line is summed over the lines that are newer than the page.
DETAIL_LEDGER = f"""
with newer as (
  select coalesce(sum({SIGNED}), 0) as amount
    from ledger_entry e join ledger_account a on a.code = e.account_id
   where e.holder_id = %(holder)s and e.account_id = %(account)s
     and (e.date > %(until)s or (e.date, e.id) >= (%(before_date)s, %(before_id)s))),
page as (
  select e.id, e.date, e.voucher_id, e.debit, e.credit, {SIGNED} as signed
    from ledger_entry e join ledger_account a on a.code = e.account_id
   where e.holder_id = %(holder)s and e.account_id = %(account)s
     and (%(before_id)s::bigint is null or (e.date, e.id) < (%(before_date)s, %(before_id)s))
     and (%(since)s::date is null or e.date >= %(since)s) and (%(until)s::date is null or e.date <= %(until)s)
   order by e.date desc, e.id desc limit %(most)s)
select p.id, p.date, v.summary, p.voucher_id, v.word || '-' || lpad(v.number::text, 6, '0'), p.debit, p.credit,
       coalesce(b.amount, 0) - n.amount - coalesce(sum(p.signed) over (
         order by p.date desc, p.id desc rows between unbounded preceding and 1 preceding), 0)
  from page p cross join newer n
  join ledger_voucher v on v.id = p.voucher_id
  left join ledger_balance b on b.holder_id = %(holder)s and b.account_id = %(account)s
 order by p.date desc, p.id desc
"""

BEGIN_UNDERWAY = """
insert into ledger_opendocument (holder_id, branch_id, kind, document, number)
select distinct holder, %(branch)s, %(kind)s, %(document)s, %(number)s from ({holders}) h(holder)
on conflict (holder_id, document) do nothing
"""
BLOCKED = """
select h.id, h.kind, o.number
  from ledger_opendocument mine
  join ledger_blocking b on b.kind = %(kind)s
  join ledger_opendocument o on o.holder_id = mine.holder_id and o.kind = b.blocked_by and o.document <> mine.document
  join ledger_holder h on h.id = mine.holder_id
 where mine.document = %(document)s order by o.number limit 50
"""

MONTH_LINES = """
select count(*) from ledger_voucher v
  join ledger_entry e on e.date = v.date and e.id between v.id << 24 and (v.id << 24 | 16777215)
 where v.branch_id = %(branch)s and v.month = %(month)s
"""
# The last close before the month has the totals so far; what came since is read entry by entry.
MONTH_ACCOUNTS = """
with closed as (
  select max(date) as date from ledger_dayclose where branch_id = %(branch)s and date < %(first)s),
moved as (
  select account_id, debit as debit_before, credit as credit_before, 0 as debit, 0 as credit
    from ledger_daytotal where branch_id = %(branch)s and date = (select date from closed)
  union all
  select account_id,
         coalesce(sum(debit) filter (where date < %(first)s), 0), coalesce(sum(credit) filter (where date < %(first)s), 0),
         coalesce(sum(debit) filter (where date >= %(first)s), 0), coalesce(sum(credit) filter (where date >= %(first)s), 0)
    from ledger_entry
   where branch_id = %(branch)s and date > coalesce((select date from closed), '-infinity') and date <= %(last)s
   group by account_id),
summed as (
  select account_id, sum(debit) as debit, sum(credit) as credit, sum(debit_before - credit_before) as before
    from moved group by account_id)
select a.code, a.name, case a.normal_side when 'debit' then '借' else '贷' end as side,
       case a.normal_side when 'debit' then before else -before end as opening, debit, credit,
       case a.normal_side when 'debit' then before + debit - credit else credit - debit - before end as closing
  from summed join ledger_account a on a.code = account_id
 where before <> 0 or debit <> 0 or credit <> 0 order by a.code
"""
