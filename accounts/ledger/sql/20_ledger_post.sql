-- The one door to the books. It works by counting: every step does only what is right and compares how many it did with
-- how many were asked; a mismatch refuses the whole call under the SQLSTATE of the rule that was broken.
-- posting.py is its only caller and asks refusals.py, over the same set, who it was.
create or replace function ledger_post(slips ledger_slip[], lines ledger_line[], posted_on date,
                                       prepared_by bigint, reviewed_by bigint)
returns setof ledger_voucher
language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  asked    constant bigint := cardinality(slips);
  in_month constant date := date_trunc('month', posted_on);
  year_end constant date := make_date(extract(year from posted_on - interval '6 months')::int + 1, 6, 30);
  branches bigint[];  -- by place of the slip, as are the arrays below it: plain arrays are read in one step, and counted
  words    text[];    -- from 1 also when the caller counts from elsewhere or in two dimensions
  crosses  boolean[];
  reversed bigint[];
  touched  bigint[];
  ids      bigint[];
  fen      bigint[];
  done     bigint;
begin
  -- A snapshot taken earlier would not see what others have posted or closed meanwhile.
  if current_setting('transaction_isolation') <> 'read committed' then raise sqlstate 'FC000'; end if;

  select count(k.code), array_agg(s.branch order by place), array_agg(k.word order by place),
         array_agg(k.crosses_branches order by place), array_agg(s.reverses order by place)
    into done, branches, words, crosses, reversed
    from unnest(slips) with ordinality s(kind, source, branch, summary, attachments, reverses, place)
    left join ledger_kind k on k.code = s.kind and (k.code = 'reversal') = (s.reverses is not null);
  if done is distinct from asked or asked = 0 then raise sqlstate 'FC001'; end if;

  if not branches <@ office_scope() then raise sqlstate 'FC003'; end if;

  -- A reversal (红字冲销) takes its lines from its original, negated; the caller has no say in them.
  if cardinality(array_remove(reversed, null)) > 0 then
    select count(*) into done
      from unnest(branches, reversed) s(branch, original) join ledger_voucher v on v.id = s.original
     where v.reverses_id is null and v.branch_id = s.branch and v.date <= posted_on;
    if done <> cardinality(array_remove(reversed, null))
       or exists (select from unnest(lines) l where reversed[l.slip] is not null) then raise sqlstate 'FC002'; end if;
    lines := lines || array(
      select row(s.place, e.account_id, e.holder_id, -e.debit, -e.credit, e.branch_id, e.employer_id, e.value_date)::ledger_line
        from unnest(reversed) with ordinality s(original, place)
        join ledger_voucher v on v.id = s.original
        join ledger_entry e on e.date = v.date and e.id between v.id << 24 and (v.id << 24 | 16777215)
       order by e.id);
    crosses := array(select coalesce(k.crosses_branches, s.crosses)
      from unnest(crosses, reversed) with ordinality s(crosses, original, place)
      left join ledger_voucher v on v.id = s.original left join ledger_kind k on k.code = v.kind_id order by place);
  end if;

  touched := array(select unnest(branches) union select l.branch from unnest(lines) l where l.branch is not null);
  -- Closing waits for postings under way, and whoever comes later finds the day closed.
  select count(*) into done from (
    select from ledger_period p
     where p.branch_id = any(touched) and posted_on <= office_today()
       and posted_on > greatest(p.day_closed, p.month_closed, '-infinity')
     order by p.branch_id for share) open;
  if done <> cardinality(touched) then raise sqlstate 'FC004'; end if;

  select count(*) filter (where fair and slip between 1 and asked), array_agg(total order by slip) into done, fen from (
    select l.slip, (sum(l.debit) filter (where abs(l.debit) < 1e13) * 100)::bigint as total,
           sum(l.debit) = sum(l.credit) and count(*) = count(*) filter (
             where l.debit = trunc(l.debit, 2) and l.credit = trunc(l.credit, 2) and (l.debit = 0) <> (l.credit = 0)) as fair
      from unnest(lines) l group by l.slip) v;
  if done <> asked or cardinality(fen) is distinct from asked then raise sqlstate 'FC005'; end if;

  ids := array(select nextval('ledger_voucher_id_seq') from unnest(slips));
  -- What the call returns, if all that follows is right as well.
  return query with taken as (
    insert into ledger_series as t (branch_id, month, word, last)
    select branch, in_month, word, count(*) from unnest(branches, words) s(branch, word) group by branch, word order by branch, word
    on conflict (branch_id, month, word) do update set last = t.last + excluded.last
    returning branch_id, word, last)
  insert into ledger_voucher (id, branch_id, date, month, word, number, kind_id, source, summary, attachments, amount,
                              prepared_by_id, reviewed_by_id, reverses_id)
  select ids[s.place], s.branch, posted_on, in_month, t.word,
         t.last + 1 - row_number() over (partition by s.branch, t.word order by s.place desc),
         s.kind, s.source, s.summary, s.attachments, fen[s.place] / 100.0, prepared_by, reviewed_by, s.reverses
    from unnest(slips) with ordinality s(kind, source, branch, summary, attachments, reverses, place)
    join taken t on t.branch_id = s.branch and t.word = words[s.place]
   order by s.place
  returning *;

  -- The plans kept for the counters visit each line's account alone; those made for many lines read whole tables.
  if cardinality(lines) > 1000 then set local plan_cache_mode = force_custom_plan; end if;

  insert into ledger_entry (id, date, voucher_id, branch_id, account_id, holder_id, employer_id, debit, credit, value_date)
  select ids[l.slip] << 24 | l.place, posted_on, ids[l.slip], coalesce(l.branch, branches[l.slip]), l.account, l.holder,
         l.employer, l.debit, l.credit, coalesce(l.value_date, posted_on)
    from unnest(lines) with ordinality l(slip, account, holder, debit, credit, branch, employer, value_date, place)
    join ledger_account a on a.code = l.account and a.is_leaf and a.is_open
    left join ledger_holder h on h.id = l.holder
    left join ledger_holder e on e.id = l.employer and e.kind = 'employer'
     -- One condition over all joins: the planner takes several for so rare that it would visit every line's holder alone.
   where case when l.branch <> branches[l.slip] and not crosses[l.slip] or l.value_date < '1990-01-01' then false
              when a.holder_kind is null then l.holder is null and l.employer is null
              when h.branch_id <> coalesce(l.branch, branches[l.slip]) or h.branch_id is null and a.is_stored then false
              when a.holder_kind = 'member' then h.kind = 'member' and e.branch_id = coalesce(l.branch, branches[l.slip])
              else h.kind = a.holder_kind and l.employer is null end;
  get diagnostics done = row_count;
  if done <> cardinality(lines) then raise sqlstate 'FC006'; end if;

  -- In key order, so that two runs over the same holders wait for each other instead of locking each other out.
  with wanted as materialized (
    select holder, account, min(branch) as branch, sum(gain) as amount, coalesce(sum(loss) filter (where loss <> 0), 0) as loss,
           coalesce(sum(gain * (posted_on - value_date)) filter (where value_date <> posted_on), 0) as earlier
      from (
        select l.holder, l.account, coalesce(l.branch, branches[l.slip]) as branch, l.value_date,
               case a.normal_side when 'credit' then l.credit - l.debit else l.debit - l.credit end as gain,
               case a.normal_side when 'credit' then l.debit else l.credit end as loss
          from unnest(lines) l join ledger_account a on a.code = l.account and a.is_stored order by l.holder, l.account) l
     group by holder, account),
  kept as (
    insert into ledger_balance as b (holder_id, account_id, branch_id, amount, frozen, product, counts_to, opening, withdrawn)
    select holder, account, branch, amount, 0, amount * (year_end - posted_on + 1) + earlier, year_end, 0, loss from wanted
     where amount >= 0 or (select true from ledger_balance o where o.holder_id = holder and o.account_id = account)
     order by holder, account
    on conflict (holder_id, account_id) do update
       set amount = b.amount + excluded.amount,
           product = b.product + excluded.product + excluded.amount * (b.counts_to - excluded.counts_to),
           withdrawn = b.withdrawn + excluded.withdrawn
     where excluded.amount >= 0 or b.amount + excluded.amount >= b.frozen
    returning 1)
  select (select count(*) from wanted) - (select count(*) from kept) into done;
  if done <> 0 then raise sqlstate 'FC007'; end if;
end $$;
