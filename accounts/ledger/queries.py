"""Set-based SQL of the book: the replay that checks it, and running balances."""

# What an entry adds to its holder's balance, on the account's own side.
SIGNED = "case a.normal_side when 'credit' then e.credit - e.debit else e.debit - e.credit end"

# Each statement yields one sentence a fault; together they replay everything that the books promise.
REPLAY = (
    # 借贷必相等; an amount is the sum of its debits; no entry without its voucher, no voucher without entries
    """
    select format('凭证 %s：借方 %s，贷方 %s，凭证金额 %s', coalesce(v.id, t.voucher_id), t.debit, t.credit, v.amount)
      from (select voucher_id, date, sum(debit) as debit, sum(credit) as credit from ledger_entry group by 1, 2) t
      full join ledger_voucher v on v.id = t.voucher_id and v.date = t.date
     where t.debit is distinct from t.credit or v.amount is distinct from t.debit or v.id is null
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
    # 余额、积数与分录一致
    f"""
    select format('户 %s 科目 %s：余额 %s，分录合计 %s；积数 %s，应为 %s', holder_id, account_id, b.amount, t.amount, b.product,
                  t.amount * (b.counts_to - date '1970-01-01' + 1) - t.weighted)
      from (select e.holder_id, e.account_id, sum({SIGNED}) as amount,
                   sum({SIGNED} * (e.value_date - date '1970-01-01')) as weighted,
                   sum(case a.normal_side when 'credit' then e.debit else e.credit end) as lost
              from ledger_entry e join ledger_account a on a.code = e.account_id and a.is_stored group by 1, 2) t
      full join ledger_balance b using (holder_id, account_id)
     where b.amount is distinct from t.amount or b.withdrawn is distinct from t.lost or b.amount < b.frozen
        or b.product is distinct from t.amount * (b.counts_to - date '1970-01-01' + 1) - t.weighted
    """,
    # 户属于该科目和该机构
    """
    select format('分录 %s：科目 %s 的户 %s 不相符', e.id, e.account_id, e.holder_id)
      from ledger_entry e left join ledger_account a on a.code = e.account_id left join ledger_holder h on h.id = e.holder_id
     where a.code is null or h.kind is distinct from a.holder_kind or h.id is distinct from e.holder_id
    """,
    # 日结累计与分录一致
    """
    select format('%s %s 科目 %s：日结累计 %s/%s，分录合计 %s/%s', branch_id, t.date, account_id, d.debit, d.credit, t.debit, t.credit)
      from (select c.branch_id, c.date, e.account_id, sum(e.debit) as debit, sum(e.credit) as credit
              from ledger_dayclose c join ledger_entry e on e.branch_id = c.branch_id and e.date <= c.date group by 1, 2, 3) t
      full join ledger_daytotal d using (branch_id, date, account_id)
     where d.debit is distinct from t.debit or d.credit is distinct from t.credit
    """,
    # 日结摘要前后相连
    """
    select format('%s %s 的日结摘要与凭证不符', b.name, c.date)
      from (select *, lag(date, 1, '-infinity') over (partition by branch_id order by date) as since from ledger_dayclose) c
      join office_branch b on b.id = c.branch_id
     where c.digest <> ledger_digest(c.branch_id, c.since, c.date)
    """,
    # 冲销凭证与原凭证互为相反
    """
    select format('冲销凭证 %s 与原凭证 %s 不相反', r.id, r.reverses_id)
      from ledger_voucher r join ledger_voucher o on o.id = r.reverses_id where r.amount <> -o.amount
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
