-- The queue is procrastinate's; its functions run with the rights of whoever calls them. The program defers, takes, ends and
-- requeues jobs and keeps its workers' heartbeats; it deletes none, and has no part in periodic jobs, of which there are none.
do $$ declare f regprocedure; begin
  for f in select oid from pg_proc where pronamespace = 'public'::regnamespace and proname ^@ 'procrastinate_' loop
    execute format('revoke all on function %s from public', f);
    execute format('alter function %s set search_path = public, pg_temp', f);
  end loop;
end $$;
grant execute on function procrastinate_defer_jobs_v1, procrastinate_fetch_job_v2, procrastinate_finish_job_v1,
  procrastinate_retry_job_v2, procrastinate_register_worker_v1, procrastinate_unregister_worker_v1,
  procrastinate_update_heartbeat_v1, procrastinate_prune_stalled_workers_v1 to fc_app;
grant select, insert (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at),
  update (queue_name, priority, lock, status, scheduled_at, attempts, abort_requested, worker_id) on procrastinate_jobs to fc_app;
grant insert (job_id, type, at) on procrastinate_events to fc_app;
grant usage on sequence procrastinate_jobs_id_seq, procrastinate_events_id_seq to fc_app;
grant select, insert, update (last_heartbeat), delete on procrastinate_workers to fc_app;
