grant select on django_migrations, django_content_type, auth_permission, auth_group, auth_group_permissions to fc_app;
grant select, insert, update, delete on django_session to fc_app;
grant select, insert, update on office_branch, office_user to fc_app;
grant select, insert on office_storedfile, office_opinion, office_auditevent to fc_app;
grant select on office_clock to fc_app;

grant select, insert, delete on office_rowproblem to fc_app;
call office_wall('office_rowproblem');
call office_wall('office_storedfile');
call office_wall('office_opinion');
-- Anybody may leave a trail, also before signing in; a branch reads its own.
alter table office_auditevent enable row level security;
drop policy if exists leave on office_auditevent;
create policy leave on office_auditevent for insert to fc_app with check (true);
drop policy if exists read on office_auditevent;
create policy read on office_auditevent for select to fc_app
  using (branch_id = any((select string_to_array(current_setting('app.branches', true), ',')::bigint[])::bigint[])
         or branch_id is null and (select cardinality(office_scope()) > 1));
