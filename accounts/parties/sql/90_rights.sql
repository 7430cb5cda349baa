grant select on parties_contributionlimit to fc_app;
grant usage on sequence parties_employer_number_seq, parties_member_number_seq to fc_app;
call office_wall('parties_contributionlimit', everyone_sees_null => true);

-- The one question across branches that a register asks: whose number is this? By full number, and only the branch.
create or replace function parties_branch_of(kind text, numbers text[])
returns table (number text, branch_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select e.number, e.branch_id from parties_employer e where kind = 'employer' and e.number = any(numbers)
  union all
  select m.number, m.branch_id from parties_member m where kind = 'member' and m.number = any(numbers)
$$;
grant select on parties_employer, parties_member to fc_door;
call office_door('parties_branch_of(text, text[])');

-- And those that an opening asks: which of these are in use, and where? By blind index or full code, and only the branch.
create or replace function parties_ids_in_use(indexes bytea[])
returns table (id_index bytea, branch_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select m.id_index, m.branch_id from unnest(indexes) i(id_index) join parties_member m using (id_index)
   where m.state <> 'closed'
$$;
call office_door('parties_ids_in_use(bytea[])');
create or replace function parties_credit_codes_in_use(codes text[])
returns table (credit_code text, branch_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
  select e.credit_code, e.branch_id from unnest(codes) c(credit_code) join parties_employer e using (credit_code)
   where e.state <> 'closed'
$$;
call office_door('parties_credit_codes_in_use(text[])');
