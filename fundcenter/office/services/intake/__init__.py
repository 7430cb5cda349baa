"""How rows come in, from a file or a form: read, staged, recognised, judged, kept. One and many are the same.

A kind of document declares an ``Intake``: its columns, the model of its rows and its refusals. Everything is checked before
anything is decided, and all problems of all rows are said at once.

The walk: cells become values or problems (``Reading``); COPY brings them into ``staged_row``, a table of the session's own,
because COPY refuses tables under row security; ``recognise`` makes ``batch_row`` of it, with names and numbers turned into
holders, again the session's own so that its statistics are exact; each refusal is one statement over ``batch_row``; ``keep``
stores the rows, under row security, with the document.

Where: ``declaring`` and ``readers`` say what a kind is made of; ``reading``, ``checking`` and ``problems`` do the walk;
``taking`` has what people do, ``large`` the same by a job.
"""

from fundcenter.office.services.intake.checking import ask_again
from fundcenter.office.services.intake.declaring import Intake, Join
from fundcenter.office.services.intake.large import jobs_of
from fundcenter.office.services.intake.problems import (
    annotated,
    problem_counts,
    problem_row_count,
    problems_after,
    problems_of,
)
from fundcenter.office.services.intake.readers import Reader, choice, text
from fundcenter.office.services.intake.taking import approve, confirm, give_back, type_in, upload, withdraw

__all__ = [
    "Intake", "Join", "Reader", "annotated", "approve", "ask_again", "choice", "confirm", "give_back", "jobs_of",
    "problem_counts", "problem_row_count", "problems_after", "problems_of", "text", "type_in", "upload", "withdraw",
]  # fmt: skip
