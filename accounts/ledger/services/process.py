"""A kind of document from the sheet or the form to what approval does, with what is under way: said once for all rooms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Generic, TypeVar

from django.db import transaction

from accounts.ledger.services import underway
from accounts.ledger.services.posting import Rows
from fundcenter.office.models import FileDocument, Role, User
from fundcenter.office.registry import JobKind
from fundcenter.office.services import intake as intakes
from fundcenter.office.services.intake import Intake
from fundcenter.office.services.moves import move, require_role

Document = TypeVar("Document", bound=FileDocument)


class Process(Generic[Document]):
    """The verbs of one kind of document. Every one of them may raise Refused, and then nothing was done.

    ``holders`` is a SELECT of ``holder`` (parameter: batch): whom a submitted document is about; documents that wait for its
    kind (``waits_for``) are refused about them until it has ended. Empty: nobody waits.
    """

    def __init__(self, kind: type[Document], intake: Intake, *, holders: str = ""):
        self.kind, self.holders = kind, holders
        self.intake = replace(intake, post=self._carry_out(intake.post))

    def upload(
        self, content: bytes, name: str, *, by: User, on: date, confirm: Iterable[str] = (), at_once: bool = False
    ) -> Document:
        """Take a file in and check all of it; see office.services.intake.upload."""
        document = intakes.upload(self.kind, self.intake, content, name, by=by, on=on, confirm=confirm, at_once=at_once)
        document.refresh_from_db()  # what the intake's statements wrote: sums, whom it is about
        return document

    def type_in(self, values: Sequence[Mapping[str, Any]], *, by: User, on: date) -> Document:
        """The same for rows typed into a form; see office.services.intake.type_in."""
        return intakes.type_in(self.kind, self.intake, values, by=by, on=on)

    def submit(self, document: Document, *, by: User, on: date, opinion: str = "") -> None:
        """Hand it to the reviewer. Refused: what was checked is no longer so, or an unfinished document keeps it waiting."""
        require_role(by, Role.CLERK)
        with transaction.atomic():
            move(document, verb="submit", by=by, opinion=opinion)
            intakes.ask_again(document, self.intake, on)
            if self.holders:
                underway.begin(document, Rows(self.holders, {"batch": document.pk}))

    def approve(self, document: Document, *, by: User, on: date, opinion: str = "", at_once: bool = False) -> Any:
        """Approve, and do what follows from it, once, dated ``on``; returns what came of it.

        Many rows are left to a job, the document meanwhile ``posting``, and None is returned; ``at_once``: the caller waits.
        """
        return intakes.approve(document, self.intake, by=by, on=on, opinion=opinion, at_once=at_once)

    def withdraw(self, document: Document, *, by: User, on: date, opinion: str = "") -> None:
        """The clerk takes it back; its file may be uploaded again, and nobody waits for it any more."""
        with transaction.atomic():
            intakes.withdraw(document, by=by, on=on, opinion=opinion)
            underway.end(document)

    def jobs(self) -> dict[str, JobKind]:
        """For ``registry.jobs``."""
        return intakes.jobs_of(self.kind, self.intake)

    def _carry_out(self, post: Callable[..., Any]) -> Callable[..., Any]:
        def carry_out(document: Document, *, by: User, on: date) -> Any:
            underway.ask(document)
            result = post(document, by=by, on=on)
            underway.end(document)
            return result

        return carry_out
