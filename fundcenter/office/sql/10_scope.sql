-- Rights and walls are put up anew each time: what an earlier version granted, or somebody by hand, falls here.
revoke all on all tables in schema public from public, fc_app, fc_door;
revoke all on all sequences in schema public from public, fc_app, fc_door;
revoke all on all functions in schema public from fc_app, fc_door;
do $$ declare p record; begin
  for p in select polname, polrelid::regclass as t from pg_policy join pg_class c on c.oid = polrelid
            where relnamespace = 'public'::regnamespace loop
    execute format('drop policy %I on %s', p.polname, p.t);
  end loop;
end $$;

-- The branches of the person acting, as fundcenter/scope.py put them into the session; none when nobody is.
create or replace function office_scope() returns bigint[]
language sql stable set search_path = public, pg_temp as $$
  select coalesce(string_to_array(current_setting('app.branches', true), ',')::bigint[], '{}')
$$;

-- The business day at which the city stands. The clock is a row that only the owner writes (FUNDCENTER_TODAY), so that
-- a demo city can be played day by day; without it, Beijing time.
create table if not exists office_clock (day date not null, one boolean primary key default true check (one));
create or replace function office_today() returns date
language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce((select day from office_clock), (now() at time zone 'Asia/Shanghai')::date)
$$;

-- Row security of one table: the program sees and writes rows of the branches in scope, the door every row, because its
-- functions check the scope themselves. The subselect makes PostgreSQL read the setting once per query, not per row.
create or replace procedure office_wall(t regclass, everyone_sees_null boolean default false)
language plpgsql set search_path = public, pg_temp as $$
declare
  mine constant text := 'branch_id = any((select string_to_array(current_setting(''app.branches'', true), '','')::bigint[])::bigint[])';
begin
  execute format('alter table %s enable row level security', t);
  execute format('drop policy if exists branch on %s', t);
  execute format('create policy branch on %s to fc_app using (%s%s) with check (%s%s)', t,
                 mine, case when everyone_sees_null then ' or branch_id is null' else '' end,
                 mine, case when everyone_sees_null then ' or branch_id is null' else '' end);
  execute format('drop policy if exists door on %s', t);
  execute format('create policy door on %s to fc_door using (true) with check (true)', t);
end $$;

-- Hands a function to the door: it runs with the door's rights, and only the program may call it.
create or replace procedure office_door(signature text)
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format('revoke all on function %s from public', signature);
  execute format('grant execute on function %s to fc_app', signature);
  grant create on schema public to fc_door;  -- PostgreSQL asks for it at the moment of the change of owner
  execute format('alter function %s owner to fc_door', signature);
  revoke create on schema public from fc_door;
end $$;

-- pgtrigger's triggers ask this first, and it would believe a setting that any session can make: nobody turns history off.
create or replace function _pgtrigger_should_ignore(trigger_name name) returns boolean
language sql immutable set search_path = public, pg_temp as $$ select false $$;

-- 变更历史 of table t: its triggers write with the owner's rights, so that the program can read the history of its branches
-- and write none. What belongs to no branch (the centre's people) shows where more than one is in scope.
create or replace procedure office_history(t regclass, history regclass)
language plpgsql set search_path = public, pg_temp as $$
declare
  f regprocedure;
  writes boolean;  -- the history, or guards it
begin
  for f, writes in select tgfoid, tgrelid = t from pg_trigger where tgrelid in (t, history) and tgname ~ '^pgtrigger_' loop
    execute format('alter function %s %s set search_path = public, pg_temp', f, case when writes then 'security definer' end);
    execute format('revoke all on function %s from public', f);
  end loop;
  execute format('grant select on %s to fc_app', history);
  if exists (select from pg_attribute where attrelid = history and attname = 'branch_id') then
    execute format('alter table %s enable row level security', history);
    execute format('create policy branch on %s for select to fc_app using (
      branch_id = any((select string_to_array(current_setting(''app.branches'', true), '','')::bigint[])::bigint[])
      or branch_id is null and (select cardinality(office_scope()) > 1))', history);
  end if;
end $$;
revoke all on procedure office_wall(regclass, boolean), office_door(text), office_history(regclass, regclass) from public;
