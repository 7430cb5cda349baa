-- What the door takes. A slip is a voucher to be; a line names its slip by place in the array (1, 2, …).
do $$ begin
  create type ledger_slip as (kind text, source text, branch bigint, summary text, attachments int, reverses bigint);
  create type ledger_line as (slip int, account text, holder bigint, debit numeric, credit numeric,
                              branch bigint, employer bigint, value_date date);
exception when duplicate_object then null; end $$;

-- The book opens with the branch: one row says up to where its days and months are closed. What the city has closed is
-- closed for a new branch too; FOR SHARE waits for a close of the month under way, and makes the next one wait.
create or replace function ledger_open_period() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into ledger_period (branch_id, month_closed)
  select new.id, max(month_closed) from (select month_closed from ledger_period order by branch_id for share) p;
  return null;
end $$;
create or replace trigger ledger_open_period after insert on office_branch
  for each row execute function ledger_open_period();

-- Posted is posted: not even the owner changes or removes it; corrections are added.
create or replace function ledger_keep() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception '已入账的%不得修改或删除，请用红字冲销', tg_table_name using errcode = 'FC020';
end $$;
create or replace function ledger_only_door() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception '% 只能经由记账函数写入', tg_table_name using errcode = 'FC021';
end $$;

create or replace procedure ledger_guard(t regclass)
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format('create or replace trigger ledger_keep before update or delete or truncate on %s '
                 'for each statement execute function ledger_keep()', t);
  execute format('create or replace trigger ledger_only_door before insert on %s '
                 'for each statement when (current_user <> ''fc_door'') execute function ledger_only_door()', t);
end $$;
call ledger_guard('ledger_voucher');
call ledger_guard('ledger_entry');
call ledger_guard('ledger_daytotal');
call ledger_guard('ledger_dayclose');

create or replace trigger ledger_only_door before insert or update or delete or truncate on ledger_balance
  for each statement when (current_user <> 'fc_door') execute function ledger_only_door();
create or replace trigger ledger_only_door before insert or update or delete or truncate on ledger_series
  for each statement when (current_user <> 'fc_door') execute function ledger_only_door();
