"""Papers that leave the house: printed, numbered, and remembered, so that whoever holds one can ask whether it is ours.

Each printing is an ``IssuedPaper`` of its own with a number of its own: two sheets with one number are a copy of each other.
The number (验证码) is 75 bits by chance, so none can be guessed, and a check character, so a mistyped one is told at once. What
the public page shows are the paper's ``facts``; a paper with an ID number among them is not printed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import segno
from django.conf import settings
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils.safestring import mark_safe

from fundcenter import clock, months, papers
from fundcenter.identifiers import PAPER_ALPHABET, grouped, paper_number, veiled
from fundcenter.office import queries
from fundcenter.office.models import Branch, IssuedPaper, StoredFile, User, document_label
from fundcenter.office.refusals import PAPER_UNPRINTABLE, Refused
from fundcenter.office.registry import JobKind, registry
from fundcenter.office.services import audit, files, jobs

BODY = 15


@dataclass(frozen=True)
class Paper:
    """What is to be printed about a document. ``facts`` is what a stranger may see of it, in the order shown.

    ``subject`` tells clerks which it is; ``sheets`` is what the printer gets; ``size`` is about how many lines they have,
    for a job's bar.
    """

    kind: str
    title: str
    subject: str
    facts: tuple[tuple[str, str], ...]
    sheets: Callable[[], Any]
    size: int = 0

    @property
    def verb(self) -> str:
        """What the audit calls its printing."""
        return f"print_{self.kind}"

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.title} {self.subject}.pdf"


@dataclass(frozen=True)
class Issued:
    record: IssuedPaper
    content: bytes


@dataclass(frozen=True)
class Answer:
    """What the public page may say of a paper."""

    title: str
    branch: str
    issued_at: datetime
    facts: list[tuple[str, str]]
    sha256: str


def issue(
    paper: Paper, document: models.Model, *, by: User, site: str = "", progress: jobs.Progress = jobs.silent
) -> Issued:
    """Print it under a new number, in the name of this person. ``site``: the address whose /verify/ answers for it."""
    if any(veiled(value) != value for _, value in paper.facts):
        raise ValueError(f"a personal number among the facts of {document_label(document)}")
    number = paper_number("".join(secrets.choice(PAPER_ALPHABET) for _ in range(BODY)))
    branch = document if isinstance(document, Branch) else getattr(document, "branch")  # noqa: B009  of whatever kind
    now = clock.now()
    stamp = {
        "centre": settings.CENTRE_NAME, "issued": _stamp(number, site or settings.PUBLIC_URL), "printed_at": now,
        "printed_by": f"{branch.name if by.branch_id else '中心'} {by.name}",
    }  # fmt: skip

    def told(lines: int, pages: int) -> None:
        progress(lines, max(lines, paper.size), f"已排 {pages} 页")

    try:
        content = papers.book((sheet.stamped(stamp) for sheet in paper.sheets()), told)
    except papers.FontMissing as missing:
        raise Refused([PAPER_UNPRINTABLE.problem(title=paper.title, said=missing)]) from missing
    with transaction.atomic():
        record = IssuedPaper.objects.create(
            number=number, branch=branch, kind=paper.kind, title=paper.title, document=document_label(document),
            subject=paper.subject[:200], facts=paper.facts, sha256=hashlib.sha256(content).hexdigest(), issued_by=by,
            issued_at=now,
        )  # fmt: skip
        audit.record(paper.verb, record if document == branch else document, paper=grouped(number))
    return Issued(record, content)


def look_up(number: str) -> Answer | None:
    """What a paper of this whole number says; asked by anybody, so through the door."""
    with connection.cursor() as cursor:
        cursor.execute(queries.PAPER_OF, [number])
        found = cursor.fetchone()
    if found is None:
        return None
    title, branch, issued_at, facts, sha256 = found
    return Answer(title, branch, issued_at, json.loads(facts), sha256)


def print_job(title: str, paper_of: Callable[..., Paper]) -> JobKind:
    """The job that prints what ``paper_of`` says of a document, and keeps it as a file to download."""

    def run(document: Any, *, by: User, on: date, progress: jobs.Progress, site: str, **args: Any) -> Any:
        paper = paper_of(document, **args)
        issued = issue(paper, document, by=by, site=site, progress=progress)
        file = files.store(issued.content, paper.name, branch_id=issued.record.branch_id, by=by)
        return f"验证码 {issued.record}", file

    return JobKind(title, run, _nothing_to_bring_back)


def month_paper(branch: Branch, *, paper: str, month: str) -> Paper:
    """A paper of a branch's month, as the room that has it says (registry.month_papers)."""
    found: Paper = registry.month_papers[paper].paper(branch, months.parse(month))
    return found


def open_file(stored: StoredFile) -> bytes:
    """A printed file as it was made; that somebody took it is remembered."""
    content = files.load(stored)
    audit.record("download_paper", stored)
    return content


def _nothing_to_bring_back(document: Any, reason: str, *, by: User) -> None:
    """A printing that failed has changed nothing."""


def _stamp(number: str, site: str) -> Mapping[str, str]:
    """What stands at the foot of each sheet. Without an address the code is the number alone."""
    address = f"{site.rstrip('/')}{reverse('verify', args=[grouped(number)])}" if site else grouped(number)
    code = segno.make(address, error="m", micro=False)
    picture = code.svg_inline(border=0, svgclass=None, lineclass=None, omitsize=True)
    return {
        "number": grouped(number),
        "address": f"{site.rstrip('/')}{reverse('verify')}" if site else "",
        "qr": mark_safe(picture),  # noqa: S308 - made here, of modules alone
    }
