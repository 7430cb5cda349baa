"""What is too large for a request: the same, done by a job."""

from __future__ import annotations

from datetime import date

from fundcenter.office import refusals
from fundcenter.office.models import FileDocument, Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import JobKind
from fundcenter.office.services import files, jobs
from fundcenter.office.services.intake.checking import Way, check, recall, stage
from fundcenter.office.services.intake.declaring import Intake
from fundcenter.office.services.intake.problems import keep_problems
from fundcenter.office.services.intake.reading import Reading, read_file
from fundcenter.office.services.intake.taking import post
from fundcenter.office.services.moves import move, require_role
from fundcenter.office.services.refusing import constraints_refuse


def jobs_of(kind: type[FileDocument], intake: Intake) -> dict[str, JobKind]:
    """For ``registry.jobs``: with them, large files and large approvals of this kind of document are left to the worker."""
    return {
        jobs.kind_of(kind, "check"): JobKind(
            title="校验", run=lambda document, **given: _check_by_job(document, intake, **given), fail=_check_failed
        ),
        jobs.kind_of(kind, "post"): JobKind(
            title=kind.machine.labels["posting"].removesuffix("中"),
            run=lambda document, **given: _post_by_job(document, intake, **given),
            fail=_post_failed,
        ),
    }


def _check_by_job(document: FileDocument, intake: Intake, *, by: User, on: date, progress: jobs.Progress) -> str:
    """Stage and check a document as its clerk. A second run finds it checked."""
    require_role(by, Role.CLERK)
    reading = None
    if not document.row_count and document.file is not None:
        progress(0, 0, "正在读取表格")
        try:
            reading = read_file(intake, files.load(document.file), document.file.name)[0]
        except Refused as refused:
            said = "；".join(problem.message for problem in refused.problems)
            reading = Reading(intake, (), [refusals.FILE_UNREADABLE.problem(said=said)])
    with constraints_refuse(intake.by_constraint):
        if not jobs.hold(document, "staged"):
            return "单据已另行办理"
        way = Way(intake, len(reading.source) if reading else document.row_count, progress)
        if reading is None:
            recall(document, intake)
        else:
            stage(document, intake, reading, way)
        check(document, intake, on, way)
    return document.state_label if document.state == "checked" else f"发现 {document.error_count:,} 处问题"


def _check_failed(document: FileDocument, reason: str, *, by: User) -> None:
    keep_problems(document, [refusals.CHECK_BROKEN.problem(said=reason)])
    move(document, verb="refuse", by=by, error_count=document.error_count + 1)


def _post_by_job(document: FileDocument, intake: Intake, *, by: User, on: date, progress: jobs.Progress) -> str:
    """Do what was approved, as the reviewer who approved it. A second run finds it done; the ledger takes no source twice."""
    require_role(by, Role.REVIEWER)
    progress(0, 0, f"正在办理 {document.row_count:,} 行")
    with constraints_refuse(intake.by_constraint):
        if not jobs.hold(document, "posting"):
            return "单据已另行办理"
        move(document, verb="post", by=User.objects.system())
        post(document, intake, by=by, on=on)
    return document.state_label


def _post_failed(document: FileDocument, reason: str, *, by: User) -> None:
    move(document, verb="fail", by=by, opinion=reason[:500], checker=None, checked_at=None)
