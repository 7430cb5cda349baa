-- The two check digits of an account number, ISO 7064 MOD 97-10; the same as fundcenter.identifiers.with_check.
create or replace function parties_with_check(body text) returns text
language sql immutable strict set search_path = public, pg_temp as $$
  select body || lpad((98 - body::numeric * 100 % 97)::int::text, 2, '0')
$$;
