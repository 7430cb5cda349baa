"""Set-based SQL of the office."""

# One request of ``key`` is ``cost`` × seconds / most of its allowance, which refills evenly: it is taken up until
# ``busy_until``, and never further ahead than ``seconds``. One statement, so that of two at once neither is lost.
TAKE_REQUEST = """
insert into office_request as r (key, busy_until)
values (%(key)s, clock_timestamp() + %(cost)s * interval '1 second' * %(seconds)s / %(most)s)
on conflict (key) do update
   set busy_until = greatest(r.busy_until, clock_timestamp()) + %(cost)s * interval '1 second' * %(seconds)s / %(most)s
 where greatest(r.busy_until, clock_timestamp()) + %(cost)s * interval '1 second' * %(seconds)s / %(most)s
       <= clock_timestamp() + interval '1 second' * %(seconds)s
returning 0
"""
WAIT_FOR_REQUEST = """
select greatest(ceil(extract(epoch from busy_until - clock_timestamp() + %(cost)s * interval '1 second' * %(seconds)s / %(most)s)
                     - %(seconds)s), 1)::int
  from office_request where key = %(key)s
"""
TOKEN_OF = "select * from office_token(%s)"  # noqa: S105  a statement, no secret
PAPER_OF = "select * from office_paper(%s)"
FORGET_REQUESTS = "delete from office_request where busy_until < clock_timestamp()"
