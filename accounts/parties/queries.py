"""Set-based SQL of the parties."""

STAGE_EMPLOYERS = """
create temp table opening_employer (
  place int, branch_id bigint, holder_id bigint, number text, name text, initials text, credit_code text, nature text,
  industry text, address text, legal_person text, contact text, phone text, pay_day int,
  ratio_employer numeric, ratio_member numeric, first_month date) on commit drop
"""
STAGE_MEMBERS = """
create temp table opening_member (
  place int, employer_number text, holder_id bigint, branch_id bigint, employer_id bigint, number text, name text,
  initials text, id_type text, id_sealed text, id_index bytea, id_mask text, sex text, birth_date date,
  phone_sealed text, phone_mask text, base numeric, first_month date) on commit drop
"""

NUMBER_EMPLOYERS = """
update opening_employer o
   set holder_id = nextval('ledger_holder_id_seq'),
       number = parties_with_check(b.code || lpad(nextval('parties_employer_number_seq')::text, 8, '0'))
  from office_branch b where b.id = o.branch_id
"""
NUMBER_MEMBERS = """
update opening_member o
   set holder_id = nextval('ledger_holder_id_seq'), branch_id = e.branch_id, employer_id = e.holder_id,
       number = parties_with_check(%(prefix)s || lpad(nextval('parties_member_number_seq')::text, 8, '0'))
  from parties_employer e where e.number = o.employer_number
"""
EMPLOYERS_NOT_FOUND = """
select distinct employer_number from opening_member where holder_id is null order by 1
"""

OPEN_EMPLOYERS = """
with holder as (
  insert into ledger_holder (id, kind, branch_id) select holder_id, 'employer', branch_id from opening_employer)
insert into parties_employer (holder_id, branch_id, number, name, initials, credit_code, nature, industry, address,
  legal_person, contact, phone, pay_day, ratio_employer, ratio_member, first_month, state, opened_on, opened_by_id,
  opening_checked_by_id)
select holder_id, branch_id, number, name, initials, credit_code, nature, industry, address, legal_person, contact,
       phone, pay_day, ratio_employer, ratio_member, first_month, 'normal', %(on)s, %(maker)s, %(checker)s
  from opening_employer order by place
"""
OPEN_MEMBERS = """
with holder as (
  insert into ledger_holder (id, kind, branch_id) select holder_id, 'member', branch_id from opening_member)
insert into parties_member (holder_id, branch_id, employer_id, number, name, initials, id_type, id_sealed, id_index,
  id_mask, sex, birth_date, phone_sealed, phone_mask, base, first_month, state, opened_on, opened_by_id,
  opening_checked_by_id)
select holder_id, branch_id, employer_id, number, name, initials, id_type, id_sealed, id_index, id_mask, sex,
       birth_date, phone_sealed, phone_mask, base, first_month, 'normal', %(on)s, %(maker)s, %(checker)s
  from opening_member order by place
"""

BRANCH_OF = "select number, branch_id from parties_branch_of(%(kind)s, %(numbers)s)"
