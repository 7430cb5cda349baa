"""审计事件 on screen: every verb has a Chinese name, and the auditor finds by person, branch, day and verb."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fundcenter.office.models import AuditEvent, Document, Role
from fundcenter.office.registry import registry
from fundcenter.office.services import audit
from fundcenter.scope import acting_as
from tests.city import City, come_in

ROOT = Path(settings.BASE_DIR)


def verbs_in_code() -> dict[str, str]:
    """Every verb that is written down, with the file: the first text in a call of audit.record or audit.record_for."""
    found = {}
    for path in (*ROOT.glob("fundcenter/**/*.py"), *ROOT.glob("accounts/**/*.py"), *ROOT.glob("budget/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "audit.record_for"):
                for text in ast.walk(ast.Tuple(node.args, ast.Load())):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found[text.value] = str(path.relative_to(ROOT))
    return found


def test_every_verb_has_a_chinese_name() -> None:
    verbs = verbs_in_code()
    assert "unmask" in verbs
    assert {verb: file for verb, file in verbs.items() if verb not in registry.verbs} == {}
    assert all(re.search(r"[\u4e00-\u9fff]", name) for name in registry.verbs.values())


def test_every_move_of_a_document_can_be_filtered() -> None:
    machines = [model.machine for model in apps.get_models() if issubclass(model, Document)]
    assert {verb for machine in machines for verb in machine.moves} - set(registry.verbs) == set()


@pytest.fixture
def auditor(city: City, client: Client) -> Client:
    employer = city.employer("甲单位")
    city.receive(employer, "1200.00")
    city.members(employer, 张三="5000.00")
    city.submit(city.remit(employer))
    city.employer("丙单位", "01")
    return come_in(client, city.people[""][Role.AUDITOR])


def texts(page) -> list[str]:
    body = page.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>") if row.strip()]


@pytest.mark.django_db(transaction=True)
def test_the_auditor_reads_verbs_in_chinese(city: City, auditor: Client) -> None:
    rows = texts(auditor.get("/office/auditevent/"))
    assert any("鄱阳经办" in row and "提交复核" in row and "汇缴批次" in row for row in rows)
    assert any("登录" in row and "中心稽核" in row for row in rows)
    assert not any(verb in row for row in rows for verb in ("submit", "sign_in", "open_"))


@pytest.mark.django_db(transaction=True)
def test_found_by_person_branch_day_and_verb(city: City, auditor: Client) -> None:
    def found(**query: object) -> list[str]:
        return texts(auditor.get("/office/auditevent/", query))

    everything = found()
    assert all("鄱阳经办" in row for row in found(q="clerk10")) and found(q="clerk10")
    assert found(q="鄱阳经") == found(q="clerk10")
    assert found(q="nobody") == []
    mine = city.branches["10"]
    assert 0 < len(found(branch__id__exact=mine.pk)) < len(everything)
    assert all("鄱阳分中心" in row for row in found(branch__id__exact=mine.pk))
    assert all("提交复核" in row for row in found(verb="submit")) and found(verb="submit")
    assert len(found(at__since="2026-03-16", at__until="2026-03-16")) == len(everything)
    assert found(at__since="2026-03-15", at__until="2026-03-15") == []


@pytest.mark.django_db(transaction=True)
def test_the_filter_asks_no_distinct_of_the_whole_table(auditor: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        auditor.get("/office/auditevent/")
    assert not [q for q in asked if "DISTINCT" in q["sql"] and "auditevent" in q["sql"]]


@pytest.mark.django_db(transaction=True)
def test_a_branch_reads_its_own_and_nobody_writes_it_anew(city: City) -> None:
    for branch in ("01", "10"):
        with acting_as(city.clerk(branch)):
            audit.record("print_voucher")
    with acting_as(city.clerk("10")):
        seen = {event.branch_id for event in AuditEvent.objects.all()}
        assert seen == {city.branches["10"].pk}
        with pytest.raises(ProgrammingError, match="permission denied"):
            AuditEvent.objects.update(verb="x")
        with pytest.raises(ProgrammingError, match="permission denied"):
            AuditEvent.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_only_the_auditor_and_the_manager_read_it(city: City) -> None:
    may = {
        role
        for role, person in (city.people[""] | city.people["10"]).items()
        if come_in(Client(), person).get("/office/auditevent/").status_code == 200
    }
    assert may == {Role.AUDITOR, Role.MANAGER}
