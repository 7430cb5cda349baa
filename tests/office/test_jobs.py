"""任务: what is large is checked and posted by the worker, in the name of the person who asked, and twice does no harm."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import Client

from accounts.contributions.models import Batch
from accounts.contributions.services import remittance
from accounts.ledger.models import Voucher
from fundcenter import clock
from fundcenter.office.models import AuditEvent, Job, Opinion
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import intake, jobs
from fundcenter.office.services.intake import checking
from fundcenter.scope import acting_as
from tests.city import City, come_in
from tests.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few_rows(settings: Any) -> None:
    settings.JOB_ROWS = 1


@pytest.fixture
def employer(city: City):
    """甲单位: two members, 2,130.00 a month."""
    found = city.employer("甲单位")
    city.members(found, 张䶮="5321.00", 李四="3550.00")
    return found


@pytest.fixture
def submitted(city: City, employer) -> Batch:
    city.receive(employer, "2130.00")
    batch = city.remit(employer)
    work_off()
    reload(city, batch)
    city.submit(batch)
    return batch


def reload(city: City, batch: Batch) -> Batch:
    with acting_as(city.clerk()):
        batch.refresh_from_db()
    return batch


def job_of(city: City, batch: Batch) -> Job:
    with acting_as(city.manager):
        return Job.objects.filter(document=batch.label).latest("id")


def opinions(city: City, batch: Batch) -> list[tuple[str, str, str]]:
    with acting_as(city.manager):
        return list(Opinion.objects.filter(document=batch.label).values_list("verb", "by__username", "text"))


def test_a_large_file_is_kept_at_once_and_checked_as_its_clerk(city: City, employer) -> None:
    city.receive(employer, "2130.00")
    batch = city.remit(employer, name="三月.xlsx")
    assert (batch.state, batch.state_label, batch.row_count) == ("staged", "检查中", 0)
    job = job_of(city, batch)
    assert (job.title, job.state, job.by, job.branch) == ("校验 三月.xlsx", "waiting", city.clerk(), batch.branch)
    work_off()
    reload(city, batch)
    assert (batch.state, batch.row_count, str(batch.total)) == ("checked", 2, "2130.00")
    job = job_of(city, batch)
    assert (job.state, job.note, job.done, job.attempts) == ("done", "检查通过，待提交", job.total, 1)
    with acting_as(city.manager):
        assert AuditEvent.objects.get(document=batch.label, verb="check").person == city.clerk()


def test_all_problems_of_a_large_file_are_found(city: City, employer) -> None:
    batch = city.remit(employer, city.register(employer, 张䶮={"单位月缴存额": 638.52}))
    work_off()
    assert reload(city, batch).state == "refused"
    assert {problem.code for problem in city.problems(batch)} == {"amount_wrong", "suspense_short"}
    assert job_of(city, batch).note == "发现 2 处问题"


def test_a_file_is_large_by_its_size_before_its_rows_are_known(city: City, employer, settings: Any) -> None:
    settings.JOB_ROWS, settings.JOB_BYTES = 2000, 1000
    assert city.remit(employer).state == "staged"


def test_a_large_file_that_is_no_table_is_refused_at_the_door(city: City, settings: Any) -> None:
    settings.JOB_BYTES = 10
    employer = city.employer("乙单位")
    with pytest.raises(Refused) as refused:
        city.remit(employer, b"<html>" + b" " * 100)
    assert refused.value.problems[0].code == "file_type"


def test_what_only_reading_shows_becomes_a_problem_of_the_file(city: City, settings: Any) -> None:
    settings.JOB_BYTES = 10
    employer = city.employer("乙单位")
    batch = city.remit(employer, "一列\n没有可用的表头\n".encode(), "乱.csv")
    work_off()
    assert reload(city, batch).state == "refused"
    assert "header_missing" in {problem.code for problem in city.problems(batch)}


def test_a_large_batch_is_posted_by_the_job_as_the_reviewer(city: City, employer, submitted: Batch) -> None:
    assert city.approve(submitted) is None
    assert (submitted.state, submitted.state_label, submitted.checker) == ("posting", "入账中", city.reviewer())
    with acting_as(city.manager):
        assert not Voucher.objects.filter(kind="remittance").exists()
    work_off()
    assert reload(city, submitted).state == "posted"
    with acting_as(city.manager):
        voucher = Voucher.objects.get(kind="remittance")
        assert (voucher.prepared_by, voucher.reviewed_by) == (city.clerk(), city.reviewer())
        assert AuditEvent.objects.get(document=submitted.label, verb="post").person == city.reviewer()
    assert [verb for verb, *_ in opinions(city, submitted)] == ["check", "submit", "queue", "post"]
    call_command("check_ledger")


def test_a_refusal_hands_the_batch_in_again_with_the_reason(city: City, employer, submitted: Batch) -> None:
    city.approve(submitted)
    with acting_as(city.manager):
        (receipt,) = Voucher.objects.filter(kind="receipt")
        from accounts.ledger.services import posting

        posting.reverse([receipt], on=clock.today(), prepared_by=city.clerk(), reviewed_by=city.reviewer())
    work_off()
    reload(city, submitted)
    assert (submitted.state, submitted.checker, submitted.checked_at) == ("submitted", None, None)
    verb, by, text = opinions(city, submitted)[-1]
    assert (verb, by) == ("fail", "system")
    assert "暂存款" in text
    assert (job_of(city, submitted).state, job_of(city, submitted).note) == ("refused", text)

    city.receive(employer, "2130.00")
    city.approve(submitted)
    work_off()
    assert reload(city, submitted).state == "posted"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"is_active": False}, "已不在岗"), ({"roles": ["clerk"]}, "须由复核办理"), ({"branch": "01"}, "不属于您的机构")],
)
def test_the_reviewer_must_still_be_one_when_it_runs(city: City, submitted: Batch, change: dict, reason: str) -> None:
    city.approve(submitted)
    reviewer = city.reviewer()
    for name, value in change.items():
        setattr(reviewer, name, city.branches[value] if name == "branch" else value)
    reviewer.save()
    work_off()
    assert reload(city, submitted).state == "submitted"
    assert reason in opinions(city, submitted)[-1][2]


def test_a_clerk_who_has_left_checks_nothing(city: City, employer) -> None:
    batch = city.remit(employer)
    clerk = city.clerk()
    clerk.is_active = False
    clerk.save()
    work_off()
    assert reload(city, batch).state == "refused"
    (problem,) = city.problems(batch)
    assert (problem.code, "已不在岗" in problem.message) == ("check_broken", True)


def test_a_fault_of_ours_hands_it_back_too(city: City, submitted: Batch, monkeypatch: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    kind = registry.jobs["contributions.batch:post"]
    monkeypatch.setitem(registry.jobs, "contributions.batch:post", type(kind)(kind.title, broken, kind.fail))
    city.approve(submitted)
    work_off()
    assert reload(city, submitted).state == "submitted"
    assert "系统出错（ZeroDivisionError）" in opinions(city, submitted)[-1][2]
    assert job_of(city, submitted).state == "broken"


def test_a_job_that_keeps_breaking_off_is_given_up(city: City, submitted: Batch) -> None:
    city.approve(submitted)
    jobs.run(job_of(city, submitted).pk, attempts=jobs.MOST_ATTEMPTS)
    assert reload(city, submitted).state == "submitted"
    assert "不再重试" in opinions(city, submitted)[-1][2]


def test_a_server_that_was_away_is_tried_again(city: City, submitted: Batch, monkeypatch: Any, owner: Any) -> None:
    kind, tries = registry.jobs["contributions.batch:post"], []

    def once_away(document: Batch, **given: Any) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return kind.run(document, **given)

    monkeypatch.setitem(registry.jobs, "contributions.batch:post", type(kind)(kind.title, once_away, kind.fail))
    city.approve(submitted)
    work_off()
    assert (reload(city, submitted).state, job_of(city, submitted).state) == ("posting", "running")
    owner.execute("update procrastinate_jobs set scheduled_at = null where status = 'todo'")
    work_off()
    assert (reload(city, submitted).state, job_of(city, submitted).attempts) == ("posted", 2)


def test_a_rollback_leaves_no_job(city: City, submitted: Batch) -> None:
    with acting_as(city.reviewer()), pytest.raises(ZeroDivisionError), transaction.atomic():
        remittance.REGISTERS.approve(submitted, by=city.reviewer(), on=clock.today())
        raise ZeroDivisionError
    assert job_of(city, submitted).title.startswith("校验")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs where status = 'todo'")
        assert cursor.fetchone() == (0,)


# --- twice without harm -----------------------------------------------------------------------------------------------


def test_the_same_job_twice_posts_once(city: City, submitted: Batch) -> None:
    city.approve(submitted)
    job = job_of(city, submitted)
    jobs.run(job.pk)
    jobs.run(job.pk)
    # And where the job's own row knows nothing of the first run, the document does.
    with acting_as(city.reviewer()):
        kind = registry.jobs[job.kind]
        said = kind.run(submitted, by=city.reviewer(), on=clock.today(), progress=jobs.silent)
        assert said == "单据已另行办理"
        assert Voucher.objects.filter(kind="remittance").count() == 1
    call_command("check_ledger")


def test_even_a_document_set_back_by_hand_is_not_posted_twice(city: City, submitted: Batch, owner: Any) -> None:
    city.approve(submitted)
    job = job_of(city, submitted)
    jobs.run(job.pk)
    owner.execute("update contributions_batch set state = 'posting'")
    owner.execute("update contributions_register set is_posted = false, voucher_id = null")
    owner.execute("update office_job set ended_at = null, state = 'running' where id = %s", [job.pk])
    jobs.run(job.pk)
    with acting_as(city.manager):
        assert Voucher.objects.filter(kind="remittance").count() == 1
    assert reload(city, submitted).state == "submitted"
    assert job_of(city, submitted).state == "refused"


def test_two_workers_at_the_same_job_post_once(city: City, submitted: Batch) -> None:
    city.approve(submitted)
    job, gate, errors = job_of(city, submitted), threading.Barrier(2), []

    def one() -> None:
        try:
            gate.wait()
            jobs.run(job.pk)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with acting_as(city.manager):
        assert Voucher.objects.filter(kind="remittance").count() == 1
    assert (reload(city, submitted).state, job_of(city, submitted).state) == ("posted", "done")


def test_two_workers_share_the_queue(city: City) -> None:
    batches = []
    for name in ("甲单位", "乙单位", "丙单位", "丁单位"):
        employer = city.employer(name)
        city.members(employer, 张三="5000.00", 李四="6000.00")
        city.receive(employer, "2640.00")
        batches.append(city.remit(employer))
    work_off(workers=2)
    assert {reload(city, batch).state for batch in batches} == {"checked"}


def test_a_withdrawn_file_is_not_checked(city: City, employer) -> None:
    batch = city.remit(employer)
    with acting_as(city.clerk()):
        intake.withdraw(batch, by=city.clerk(), on=clock.today())
    work_off()
    assert reload(city, batch).state == "withdrawn"
    assert (job_of(city, batch).state, job_of(city, batch).note) == ("done", "单据已另行办理")


def test_confirmation_of_a_large_file_is_checked_again_by_a_job(city: City, employer) -> None:
    city.receive(employer, "2130.00")
    city.members(employer, 王五="4000.00")
    batch = city.remit(employer, city.register(employer, 王五=None))
    work_off()
    assert reload(city, batch).state == "refused"
    with acting_as(city.clerk()):
        intake.confirm(batch, remittance.REGISTERS.intake, ["member_missing"], by=city.clerk(), on=clock.today())
    assert batch.state == "staged"
    work_off()
    assert (reload(city, batch).state, batch.row_count) == ("checked", 2)


# --- what others see --------------------------------------------------------------------------------------------------


def test_counts_are_seen_while_the_transaction_runs(city: City, employer, monkeypatch: Any) -> None:
    """The job stands still in the middle of its transaction; another connection reads how far it is."""
    monkeypatch.setattr(checking, "ROWS_BETWEEN", 1)
    monkeypatch.setattr(jobs, "EVERY", 0)
    city.receive(employer, "2130.00")
    batch = city.remit(employer)
    seen = []

    def look(cursor: Any, refusal: Any, own: Any) -> int:
        other = connection.copy()
        with acting_as_on(other, city), other.cursor() as elsewhere:
            elsewhere.execute("select done, total, note, state from office_job where document = %s", [batch.label])
            seen.append(elsewhere.fetchone())
            elsewhere.execute("select state, row_count from contributions_batch where id = %s", [batch.pk])
            seen.append(elsewhere.fetchone())
        other.close()
        return find(cursor, refusal, own)

    find = checking.find
    monkeypatch.setattr(checking, "find", look)
    work_off()
    done, total, note, state = seen[0]
    assert (0 < done < total, state) == (True, "running")
    assert "已校验" in note
    assert seen[1] == ("staged", 0)
    assert reload(city, batch).state == "checked"


def acting_as_on(other: Any, city: City) -> Any:
    """The copy of a connection is opened in the scope in force."""
    other.ensure_connection()
    return other.wrap_database_errors


def test_a_branch_sees_its_own_jobs(city: City, employer) -> None:
    batch = city.remit(employer)
    with acting_as(city.clerk()):
        (job,) = jobs.running(5)
        assert jobs.of(batch) == job
        assert "没有运行" in jobs.shown_note(job)
    with acting_as(city.clerk("01")):
        assert jobs.running(5) == []
        assert Job.objects.count() == 0
    with acting_as(city.manager):
        assert jobs.running(5) == [job]
    work_off()
    with acting_as(city.clerk()):
        assert jobs.running(5) == []


def test_a_page_asks_how_far_it_is_and_that_is_nobody_at_work(city: City, employer) -> None:
    batch = city.remit(employer)
    url = f"/office/job/{job_of(city, batch).pk}/progress/"
    client = come_in(Client(), city.clerk())
    session = client.session
    session["seen"] = session["seen"] - 1000
    session.save()
    answer = client.get(url, headers={"X-Polled": "1"})
    assert answer.json() | {"note": ""} == {
        "state": "waiting", "state_label": "排队中", "done": 0, "total": 0, "note": "", "ended": False,
    }  # fmt: skip
    assert client.session["seen"] == session["seen"]
    client.get(url)
    assert client.session["seen"] > session["seen"]
    assert come_in(Client(), city.clerk("01")).get(url).status_code == 404
    work_off()
    assert client.get(url).json()["ended"]
    assert (
        client.get(f"/office/job/{job_of(city, batch).pk}/change/")
        .headers["Location"]
        .endswith(f"/contributions/batch/{batch.pk}/change/")
    )


def test_an_unreadable_large_file_has_no_workbook_to_annotate(city: City, employer, settings: Any) -> None:
    settings.JOB_BYTES = 10
    batch = city.remit(employer, b"\n" * 20, "空.csv")
    work_off()
    assert reload(city, batch).state == "refused"
    (problem,) = city.problems(batch)
    assert (problem.code, problem.message) == ("file_unreadable", "“空.csv”没有数据。")
    client = come_in(Client(), city.clerk())
    assert client.get(f"/contributions/batch/{batch.pk}/annotated/").status_code == 302
    assert client.get(f"/contributions/batch/{batch.pk}/change/").status_code == 200


def test_remit_waits_for_the_result_unless_told_to_queue(city: City, employer, tmp_path: Any) -> None:
    city.receive(employer, "2130.00")
    file = tmp_path / "清册.xlsx"
    file.write_bytes(city.register(employer))

    def remit(*more: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("remit", str(file), "--as", "clerk10", *more, "--json", stdout=out)
        return json.loads(out.getvalue())

    assert remit("--queue")["state"] == "staged"
    work_off()
    with acting_as(city.clerk()):
        intake.withdraw(Batch.objects.get(), by=city.clerk(), on=clock.today())
    settled = remit("--approve-as", "reviewer10")
    assert (settled["state"], len(settled["registers"])) == ("posted", 1)
