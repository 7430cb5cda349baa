grant select on django_migrations, django_content_type, auth_permission, auth_group, auth_group_permissions to fc_app;
grant select, insert, update, delete on django_session to fc_app;
grant select, insert, update on office_branch, office_user to fc_app;
grant select, insert on office_storedfile, office_opinion, office_auditevent to fc_app;
grant select on office_clock to fc_app;
grant select, insert, update, delete on office_request to fc_app;

-- A token is handed out once and ends; who it is for and what it may do never changes.
grant select, insert, update (last_used_at, revoked_at, revoked_by_id) on office_apitoken to fc_app;
grant select on office_apitoken to fc_door;
call office_wall('office_apitoken');
-- Whose token is this? Asked before anybody acts, by the whole fingerprint of its secret, so by who has it.
create or replace function office_token(fingerprint text) returns setof office_apitoken
language sql stable security definer set search_path = public, pg_temp as $$
  select * from office_apitoken where sha256 = fingerprint
$$;
call office_door('office_token(text)');

grant select, insert, update, delete on office_secondfactor, axes_accessattempt to fc_app;
grant select, delete on axes_accessattemptexpiration to fc_app;  -- empty, and asked all the same when attempts go

-- A paper that was issued stays as it was. Whoever holds one asks by its whole number and need not sign in: what is shown is
-- what the paper shows, without its subject, and nobody learns of one whose number they do not have.
grant select, insert on office_issuedpaper to fc_app;
grant select on office_issuedpaper, office_branch to fc_door;
call office_wall('office_issuedpaper');
create or replace function office_paper(asked text)
returns table (title varchar, branch varchar, issued_at timestamptz, facts jsonb, sha256 varchar)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.title, b.name, p.issued_at, p.facts, p.sha256
    from office_issuedpaper p join office_branch b on b.id = p.branch_id where p.number = asked
$$;
call office_door('office_paper(text)');

grant select, insert, delete on office_rowproblem to fc_app;
grant select, insert, update (state, done, total, note, file_id, attempts, started_at, ended_at) on office_job to fc_app;
call office_wall('office_job');
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
