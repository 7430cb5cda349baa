"""Turns a violated constraint into its refusal. What is unique across branches no form can see beforehand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.db import IntegrityError, transaction

from fundcenter.office.refusals import Refusal, Refused


@contextmanager
def constraints_refuse(by_constraint: Mapping[str, Refusal]) -> Iterator[None]:
    """Everything inside happens or nothing does; a constraint named here says no in its own words."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        name = (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""
        if name not in by_constraint:
            raise
        raise Refused([by_constraint[name].problem()]) from error
