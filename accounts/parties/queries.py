"""Set-based SQL of the parties."""

# What is kept of a row beside document and branch: staged, recognised and opened under these names.
EMPLOYER_ROW = """row, name, initials, credit_code, nature, industry, address, legal_person, contact, phone, bank,
  bank_account, pay_day, ratio_employer, ratio_member, first_month"""
MEMBER_ROW = """row, employer_number, employer_id, name, initials, id_type, id_sealed, id_index, id_mask, id_birth, id_sex,
  id_problem, id_area_known, sex, birth_date, phone_sealed, phone_mask, base, card_sealed, card_mask, bank, hired_on,
  first_month"""

# One ratio is both sides'.
RECOGNISE_EMPLOYERS = """
create temp table batch_row on commit drop as
select row, name, initials, credit_code, nature, industry, address, legal_person, contact, phone, bank, bank_account,
       pay_day, ratio_employer, coalesce(ratio_member, ratio_employer) as ratio_member, first_month
  from staged_row
"""
# Row security finds only employers of the clerk's branch. What a number says of birth and sex only a resident's says.
RECOGNISE_MEMBERS = """
create temp table batch_row on commit drop as
select s.row, left(s.employer_number, 40) as employer_number, e.holder_id as employer_id, s.name, s.initials, t.id_type,
       s.id_sealed, s.id_index, s.id_mask, case when t.id_type = '01' then s.id_birth end as id_birth,
       case when t.id_type = '01' then s.id_sex end as id_sex, case when t.id_type = '01' then s.id_problem end as id_problem,
       t.id_type <> '01' or s.id_area_known as id_area_known, s.sex, s.birth_date, s.phone_sealed, s.phone_mask, s.base,
       s.card_sealed, s.card_mask, s.bank, s.hired_on, s.first_month
  from staged_row s
 cross join lateral (select coalesce(s.id_type, '01') as id_type) t
  left join parties_employer e on e.number = s.employer_number and e.branch_id = %(branch)s
"""
RECALL_EMPLOYERS = """
create temp table batch_row on commit drop as select * from parties_employeropeningrow where batch_id = %(batch)s
"""
RECALL_MEMBERS = """
create temp table batch_row on commit drop as select * from parties_memberopeningrow where batch_id = %(batch)s
"""
KEEP_EMPLOYERS = f"""
insert into parties_employeropeningrow (batch_id, branch_id, {EMPLOYER_ROW})
select %(batch)s, %(branch)s, {EMPLOYER_ROW} from batch_row order by row
"""
KEEP_MEMBERS = f"""
insert into parties_memberopeningrow (batch_id, branch_id, {MEMBER_ROW})
select %(batch)s, %(branch)s, {MEMBER_ROW} from batch_row order by row
"""
# Account numbers that the branch does not know but another does.
STRANGERS = """
create temp table stranger on commit drop as
select 'employer' as kind, number from parties_branch_of('employer', array(
  select distinct employer_number from batch_row where employer_id is null and employer_number is not null))
"""
# The limits in force on the document's day: the branch's own, otherwise the city's. None: refused by LIMITS_MISSING.
LIMITS = """
create temp table limits on commit drop as
select * from parties_contributionlimit
 where valid_from <= %(made_on)s and (valid_to is null or valid_to > %(made_on)s)
   and (branch_id is null or branch_id = %(branch)s)
 order by branch_id nulls last limit 1
"""

# 开户: a holder and an account for every row, numbered in the order of the rows. Who made and who checked the document
# made and checked the accounts.
OPEN_EMPLOYERS = """
with opened as materialized (
  select nextval('ledger_holder_id_seq') as holder_id, r.*,
         parties_with_check((select code from office_branch where id = r.branch_id)
           || lpad(nextval('parties_employer_number_seq')::text, 8, '0')) as number
    from (select * from parties_employeropeningrow where batch_id = %(batch)s order by row) r),
holder as (
  insert into ledger_holder (id, kind, branch_id) select holder_id, 'employer', branch_id from opened)
insert into parties_employer (holder_id, branch_id, opening_id, opening_row, number, name, initials, credit_code, nature,
  industry, address, legal_person, contact, phone, bank, bank_account, pay_day, ratio_employer, ratio_member, first_month,
  state, opened_on, opened_by_id, opening_checked_by_id)
select o.holder_id, o.branch_id, d.id, o.row, o.number, o.name, o.initials, o.credit_code, o.nature, o.industry,
       coalesce(o.address, ''), coalesce(o.legal_person, ''), coalesce(o.contact, ''), coalesce(o.phone, ''),
       coalesce(o.bank, ''), coalesce(o.bank_account, ''), o.pay_day, o.ratio_employer, o.ratio_member, o.first_month,
       'normal', %(on)s, d.maker_id, d.checker_id
  from opened o join parties_employeropening d on d.id = o.batch_id
 order by o.row
"""
OPEN_MEMBERS = """
with opened as materialized (
  select nextval('ledger_holder_id_seq') as holder_id, r.*,
         parties_with_check(%(prefix)s || lpad(nextval('parties_member_number_seq')::text, 8, '0')) as number
    from (select * from parties_memberopeningrow where batch_id = %(batch)s order by row) r),
holder as (
  insert into ledger_holder (id, kind, branch_id) select holder_id, 'member', branch_id from opened)
insert into parties_member (holder_id, branch_id, opening_id, opening_row, employer_id, number, name, initials, id_type,
  id_sealed, id_index, id_mask, sex, birth_date, phone_sealed, phone_mask, bank, card_sealed, card_mask, hired_on, base,
  first_month, state, opened_on, opened_by_id, opening_checked_by_id)
select o.holder_id, o.branch_id, d.id, o.row, o.employer_id, o.number, o.name, o.initials, o.id_type, o.id_sealed,
       o.id_index, o.id_mask, coalesce(o.id_sex, o.sex, ''), coalesce(o.id_birth, o.birth_date),
       coalesce(o.phone_sealed, ''), coalesce(o.phone_mask, ''), coalesce(o.bank, ''), coalesce(o.card_sealed, ''),
       coalesce(o.card_mask, ''), o.hired_on, o.base, o.first_month, 'normal', %(on)s, d.maker_id, d.checker_id
  from opened o join parties_memberopening d on d.id = o.batch_id
 order by o.row
"""
# The employers that a file of members is about.
MEMBER_OPENING_HOLDERS = """
select distinct employer_id as holder from parties_memberopeningrow where batch_id = %(batch)s
"""
