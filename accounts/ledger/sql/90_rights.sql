-- Who may do what with the books. The program reads; the door writes; tests/attacks compare this with the catalogue.
grant select on ledger_account, ledger_kind, ledger_holder, ledger_period, ledger_voucher, ledger_entry, ledger_balance,
  ledger_daytotal, ledger_dayclose to fc_app, fc_door;
grant insert on ledger_holder to fc_app;
grant usage on sequence ledger_holder_id_seq to fc_app;
grant select, insert, update on ledger_series, ledger_balance to fc_door;
grant insert on ledger_voucher, ledger_entry, ledger_daytotal, ledger_dayclose to fc_door;
grant update on ledger_period to fc_door;
grant usage on sequence ledger_voucher_id_seq to fc_door;
grant select on office_branch to fc_door;

grant select, insert, delete on ledger_opendocument to fc_app;
grant select on ledger_blocking to fc_app;
call office_wall('ledger_opendocument');
call office_wall('ledger_voucher');
call office_wall('ledger_entry');
call office_wall('ledger_balance');
call office_wall('ledger_daytotal');
call office_wall('ledger_dayclose');
call office_wall('ledger_holder', everyone_sees_null => true);
-- Every clerk sees up to where each branch is closed.

call office_door('ledger_post(ledger_slip[], ledger_line[], date, bigint, bigint)');
call office_door('ledger_close_day(bigint, date, bigint)');
call office_door('ledger_close_month(date)');
revoke all on function ledger_open_year(int), ledger_digest(bigint, date, date), ledger_open_period() from public;
grant execute on function ledger_open_year(int), ledger_digest(bigint, date, date) to fc_door;
grant execute on function ledger_digest(bigint, date, date) to fc_app;
revoke all on procedure ledger_guard(regclass) from public;

-- check_ledger compares the numbers given with the vouchers that have them.
create or replace function ledger_number_series()
returns table (branch_id bigint, month date, word varchar, last bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select s.branch_id, s.month, s.word, s.last from ledger_series s where s.branch_id = any(office_scope())
$$;
call office_door('ledger_number_series()');
