-- The form in which names are compared: full width folded, no blanks or invisible marks, one middle dot for its look-alikes.
-- The same as fundcenter.identifiers.name_key for the characters that names are written with.
create or replace function parties_name_key(name text) returns text
language sql immutable strict set search_path = public, pg_temp as $$
  select regexp_replace(translate(normalize(name, NFKC), '•・‧∙⋅.', '······'), '[\s\u200b-\u200f\u2060\ufeff]', '', 'g')
$$;
