-- Opens a year's part of the entries: migrate calls it through next year, and closing a day keeps next year open.
-- Made apart and attached, because CREATE … PARTITION OF waits for every reader of the table.
create or replace function ledger_open_year(year int) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare part constant text := 'ledger_entry_' || year;
begin
  if year not between 1990 and extract(year from office_today()) + 1 then raise exception '不能开设%年的账页', year; end if;
  if to_regclass('public.' || part) is not null then return; end if;
  execute format('create table %I (like ledger_entry including defaults including constraints including indexes)', part);
  execute format('revoke all on %I from public, fc_app', part);
  execute format('alter table ledger_entry attach partition %I for values from (%L) to (%L)',
                 part, make_date(year, 1, 1), make_date(year + 1, 1, 1));
  call ledger_guard(part::regclass);
end $$;
select ledger_open_year(year) from generate_series(extract(year from office_today())::int - 2,
                                                   extract(year from office_today())::int + 1) year;
