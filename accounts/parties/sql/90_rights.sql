grant select, insert, update on parties_employer, parties_member to fc_app;
grant usage on sequence parties_employer_number_seq, parties_member_number_seq to fc_app;
call office_wall('parties_employer');
call office_wall('parties_member');

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
