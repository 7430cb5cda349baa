"""The worker's one task; what it does stands in services/jobs.py, and what is to be done in registry.jobs."""

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from fundcenter.office.services import jobs


# What comes out of it will pass: a server that was away, a release that does not know this kind of job yet.
@app.task(name=jobs.TASK, pass_context=True, retry=RetryStrategy(wait=2, linear_wait=2))
def run_job(context: JobContext, job: int) -> None:
    jobs.run(job, attempts=context.job.attempts)
