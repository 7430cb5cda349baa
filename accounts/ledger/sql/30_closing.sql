-- Closes a branch's day and every day before it: fixes the totals, and chains a digest of the vouchers to the last one.
create or replace function ledger_close_day(branch bigint, day date, closed_by bigint) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  since date;
  chain text;
begin
  -- A snapshot taken earlier would not see the last postings, and their totals would be missing for ever.
  if current_setting('transaction_isolation') <> 'read committed' then raise sqlstate 'FC000'; end if;
  if not array[branch] <@ office_scope() then raise sqlstate 'FC003'; end if;
  select coalesce(day_closed, '-infinity') into since from ledger_period where branch_id = branch for update;
  if not found or (day > since and day <= office_today()) is not true then raise sqlstate 'FC008'; end if;
  update ledger_period set day_closed = day where branch_id = branch;

  insert into ledger_daytotal (branch_id, date, account_id, debit, credit)
  select branch, day, account_id, sum(debit), sum(credit) from (
    select account_id, debit, credit from ledger_daytotal where branch_id = branch and date = since
    union all
    select account_id, debit, credit from ledger_entry
     where branch_id = branch and date > since and date <= day) t
   group by account_id;

  insert into ledger_dayclose (branch_id, date, vouchers, digest, closed_by_id)
  select branch, day, count(*), ledger_digest(branch, since, day), closed_by
    from ledger_voucher where branch_id = branch and date > since and date <= day
  returning digest into chain;
  perform ledger_open_year(extract(year from day)::int + 1) where extract(year from day) <= extract(year from office_today());
  return chain;
end $$;

-- SHA-256 over the digest of the close at `since` and every voucher of the branch after it up to `day`, each with a
-- SHA-256 of its lines. A row as text is unambiguous, nulls included; dates are written the same in every session.
create or replace function ledger_digest(branch bigint, since date, day date) returns text
language sql stable set search_path = public, pg_temp set datestyle = iso set timezone = 'Asia/Shanghai' as $$
  select encode(sha256(convert_to(
    coalesce((select digest from ledger_dayclose where branch_id = branch and date = since), '') ||
    coalesce(string_agg(row(v.id, v.date, v.word, v.number, v.kind_id, v.source, v.summary, v.attachments, v.amount,
                            v.prepared_by_id, v.reviewed_by_id, v.reverses_id, v.posted_at, l.digest)::text, E'\n' order by v.id), ''),
    'utf8')), 'hex')
    from ledger_voucher v
    left join lateral (
      select encode(sha256(convert_to(string_agg(
               row(e.id, e.branch_id, e.account_id, e.holder_id, e.employer_id, e.debit, e.credit, e.value_date)::text,
               E'\n' order by e.id), 'utf8')), 'hex') as digest
        from ledger_entry e where e.date = v.date and e.id between v.id << 24 and (v.id << 24 | 16777215)) l on true
   where v.branch_id = branch and v.date > since and v.date <= day
$$;

-- Closes a month of the whole city, once every branch has closed its last day.
create or replace function ledger_close_month(last_day date) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then raise sqlstate 'FC000'; end if;
  if not array(select id from office_branch) <@ office_scope() then raise sqlstate 'FC003'; end if;
  perform from ledger_period order by branch_id for update;
  if (last_day = (date_trunc('month', last_day) + interval '1 month - 1 day')::date) is not true
     or exists (select from ledger_period
                 where (day_closed >= last_day and coalesce(month_closed, '-infinity') < last_day) is not true)
  then raise sqlstate 'FC009'; end if;
  update ledger_period set month_closed = last_day;
end $$;
