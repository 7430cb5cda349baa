-- How much somebody has asked for lately: until when their allowance is taken up. Unlogged, because after a crash everybody
-- may begin anew; an expired row means nothing.
create unlogged table if not exists office_request (key text primary key, busy_until timestamptz not null)
  with (fillfactor = 50);
