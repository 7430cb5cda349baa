-- 法定退休之日. 《国务院关于渐进式延迟法定退休年龄的办法》, in force from 2025-01-01: men born before 1965 retire at 60, of those born
-- later every four months a month later, up to 63; women in the same steps from 1970 on, from 55 up to 58. Women whose age
-- was 50 retire earlier; no sheet says who they are, so that the later age stands.
create or replace function parties_retires_on(birth date, sex text) returns date
language sql immutable strict set search_path = public, pg_temp as $$
  select (birth + make_interval(years => age, months => case when late < 0 then 0 else least(36, late / 4 + 1) end))::date
    from (select case sex when '女' then 55 else 60 end as age,
                 (extract(year from birth)::int - case sex when '女' then 1970 else 1965 end) * 12
                   + extract(month from birth)::int - 1 as late) law
$$;
