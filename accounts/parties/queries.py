"""Set-based SQL of the parties."""

from accounts.parties.sheets import PARTICULARS
from fundcenter.office.services.intake import Join

# Whose number was written; row security finds only employers and members of the clerk's branch.
EMPLOYER = Join(
    "employer_id",
    "e.holder_id",
    "left join parties_employer e on e.number = s.employer_number and e.branch_id = %(branch)s",
    {f"e_{name}": f"e.{name}" for name in ("name", "state", "ratio_employer", "ratio_member")},
)
MEMBER = Join(
    "member_id",
    "m.holder_id",
    "left join parties_member m on m.number = s.member_number and m.branch_id = %(branch)s",
    {
        f"m_{name}": f"m.{name}"
        for name in ("employer_id", "name", "state", "sealed_month", "base", "id_index", "id_mask")
    },
)
# One ratio is both sides'.
EMPLOYER_VALUES = {"ratio_member": "coalesce(s.ratio_member, s.ratio_employer)"}
# What a number says of birth and sex only a resident's says.
_RESIDENT = "coalesce(s.id_type, '01') = '01'"
MEMBER_VALUES = {
    "id_type": "coalesce(s.id_type, '01')",
    "id_birth": f"case when {_RESIDENT} then s.id_birth end",
    "id_sex": f"case when {_RESIDENT} then s.id_sex end",
    "id_problem": f"case when {_RESIDENT} then s.id_problem end",
    "id_area_known": f"not {_RESIDENT} or s.id_area_known",
}
# Account numbers that the branch does not know but another does: of employers, or of members too.
STRANGE_EMPLOYERS = """
create temp table stranger on commit drop as
select 'employer' as kind, number from parties_branch_of('employer', array(
  select distinct employer_number from batch_row where employer_id is null and employer_number is not null))
"""
STRANGERS = f"""{STRANGE_EMPLOYERS}
union all
select 'member', number from parties_branch_of('member', array(
  select distinct member_number from batch_row where member_id is null and member_number is not null))
"""
# The limits in force on each of these days (a SELECT of ``day``): the branch's own, otherwise the city's.
_LIMITS = """
create temp table limits on commit drop as
select d.day, l.* from ({days}) d cross join lateral (
  select * from parties_contributionlimit
   where valid_from <= d.day and (valid_to is null or valid_to > d.day) and (branch_id is null or branch_id = %(branch)s)
   order by branch_id nulls last limit 1) l
"""
LIMITS = _LIMITS.format(days="select %(made_on)s::date as day")
LIMITS_OF_MONTHS = _LIMITS.format(days="select distinct month as day from batch_row where month is not null")
# Whether a member owes a month (an expression over m, the member).
DUE = "(m.state <> 'closed' and m.due_from <= {month} and (m.sealed_month is null or {month} < m.sealed_month))"

# 封存, 启封, 基数变更: the last word about each member stands; of several months resumed, contributions are due from the first.
CHANGE_MEMBERS = """
with change as (
  select member, max(month) filter (where change = 'seal') as sealed, min(month) filter (where change = 'unseal') as resumed,
         (array_agg(base order by month desc) filter (where base is not null))[1] as base
    from ({rows}) c group by member)
update parties_member m
   set state = case when c.sealed > coalesce(c.resumed, '-infinity') then 'sealed' when c.resumed is not null then 'normal' else m.state end,
       sealed_month = case when c.sealed > coalesce(c.resumed, '-infinity') then c.sealed when c.resumed is null then m.sealed_month end,
       due_from = coalesce(c.resumed, m.due_from), base = coalesce(c.base, m.base)
  from change c where m.holder_id = c.member
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
  first_month, due_from, state, opened_on, opened_by_id, opening_checked_by_id)
select o.holder_id, o.branch_id, d.id, o.row, o.employer_id, o.number, o.name, o.initials, o.id_type, o.id_sealed,
       o.id_index, o.id_mask, coalesce(o.id_sex, o.sex, ''), coalesce(o.id_birth, o.birth_date),
       coalesce(o.phone_sealed, ''), coalesce(o.phone_mask, ''), coalesce(o.bank, ''), coalesce(o.card_sealed, ''),
       coalesce(o.card_mask, ''), o.hired_on, o.base, o.first_month, o.first_month, 'normal', %(on)s, d.maker_id, d.checker_id
  from opened o join parties_memberopening d on d.id = o.batch_id
 order by o.row
"""
# The employers that a file of members is about.
MEMBER_OPENING_HOLDERS = """
select distinct employer_id as holder from parties_memberopeningrow where batch_id = %(batch)s
"""

# 单位信息变更: what is written as it stands already is no change, and what stood is kept beside what it becomes.
_FIELDS = [column.field for column in PARTICULARS]
EMPLOYER_CHANGE_VALUES = {
    **{field: f"nullif(s.{field}, e.{field})" for field in _FIELDS},
    "before": "jsonb_build_object(" + ", ".join(f"'{field}', e.{field}" for field in _FIELDS) + ")",
}
EMPLOYER_CHANGE_HOLDERS = "select employer_id from parties_employerchangerow where batch_id = %(batch)s"
# Two decisions about one employer pass one after the other, and the later one is asked again what it found.
EMPLOYER_CHANGE_HOLD = f"""
select e.holder_id from parties_employer e where e.holder_id in ({EMPLOYER_CHANGE_HOLDERS})
 order by e.holder_id for no key update
"""
CHANGE_EMPLOYERS = f"""
update parties_employer e
   set initials = coalesce(r.initials, e.initials), {", ".join(f"{field} = coalesce(r.{field}, e.{field})" for field in _FIELDS)}
  from parties_employerchangerow r where r.batch_id = %(batch)s and e.holder_id = r.employer_id
"""
