"""Operators' commands: JSON alone on stdout, amounts as strings, exit 1 when refused."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> tuple[int, dict[str, Any]]:
    """A command's exit code and what it printed, which must be JSON and nothing else."""
    out = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()) as leaked:
            call_command(*words, "--json", stdout=out)
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    assert leaked.getvalue() == ""
    return code, json.loads(out.getvalue())


@pytest.fixture
def employer(city: City):
    found = city.employer("甲单位")
    city.members(found, 张三="5321.00", 李四="3550.00")
    return found


def test_receive_then_template_then_remit(city: City, employer, tmp_path: Path) -> None:
    code, received = run(
        "receive", employer.number, "2130.00", "--on", "2026-03-16", "--reference", "GH001", "--as", "cashier10"
    )
    assert (code, received["amount"], received["voucher"]) == (0, "2130.00", "记-000001")
    file = tmp_path / "清册.xlsx"
    assert run("register_template", employer.number, "2026-03", "--out", str(file))[0] == 0
    code, remitted = run("remit", str(file), "--as", "clerk10", "--approve-as", "reviewer10")
    assert code == 0
    assert remitted == {
        "upload": remitted["upload"],
        "state": "posted",
        "rows": 2,
        "problems": [],
        "registers": [
            {"employer": employer.number, "month": "2026-03", "members": 2, "total": "2130.00", "voucher": "批-000001"}
        ],
    }
    code, verdict = run("check_ledger")
    assert (code, verdict) == (0, {"ok": True, "vouchers": 2, "entries": 5, "problems": []})


def test_remit_refused_says_every_problem_and_ends_with_1(city: City, employer, tmp_path: Path) -> None:
    file = tmp_path / "清册.xlsx"
    file.write_bytes(city.register(employer, 张三={"单位月缴存额": 638.52}))
    code, result = run("remit", str(file), "--as", "clerk10", "--approve-as", "reviewer10")
    assert (code, result["state"]) == (1, "refused")
    assert [(p["row"], p["column"], p["code"], p["severity"]) for p in result["problems"]] == [
        (2, "单位月缴存额", "amount_wrong", "error"),
        (None, "合计", "suspense_short", "error"),
    ]
    assert result["problems"][0]["message"].startswith("应为 639.00")


def test_remit_without_reviewer_stays_checked_and_confirm_unblocks(city: City, employer, tmp_path: Path) -> None:
    city.receive(employer, "1278.00")
    file = tmp_path / "清册.xlsx"
    file.write_bytes(city.register(employer, 李四=None))
    assert run("remit", str(file), "--as", "clerk10")[0] == 1
    code, result = run("remit", str(file), "--as", "clerk10", "--confirm", "member_missing")
    assert (code, result["state"], [p["severity"] for p in result["problems"]]) == (0, "checked", ["warning"])


def test_remit_approved_by_its_maker_is_refused(city: City, employer, tmp_path: Path) -> None:
    city.receive(employer, "2130.00")
    clerk = city.clerk()
    clerk.roles = ["clerk", "reviewer"]
    clerk.save()
    file = tmp_path / "清册.xlsx"
    file.write_bytes(city.register(employer))
    code, result = run("remit", str(file), "--as", "clerk10", "--approve-as", "clerk10")
    assert (code, result["state"], result["problems"][0]["code"]) == (1, "submitted", "own_work")


def test_receive_twice_is_refused(city: City, employer) -> None:
    words = ("receive", employer.number, "10.00", "--on", "2026-03-16", "--reference", "GH001", "--as", "cashier10")
    assert run(*words)[0] == 0
    code, result = run(*words)
    assert (code, result["problems"][0]["code"]) == (1, "receipt_known")


def test_statement_is_a_pdf(city: City, employer, tmp_path: Path) -> None:
    number = city.numbers_of(employer)["张三"]
    code, _ = run("statement", number, "--out", str(tmp_path / "对账单.pdf"))
    assert code == 0
    assert (tmp_path / "对账单.pdf").read_bytes().startswith(b"%PDF-")


def test_check_ledger_over_no_branch_is_an_error(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="没有可处理的数据"):
        call_command("check_ledger", "--json")


def test_demo_builds_a_city_that_holds(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    code, made = run("demo", "--members", "90", "--employers", "13", "--months", "1")
    assert code == 0
    assert {person["branch"] for person in made["persons"]} == {"", *(f"{n:02d}" for n in range(1, 14))}
    assert {(p["role"]) for p in made["persons"] if p["branch"] == "10"} == {"clerk", "reviewer", "cashier"}
    assert sum(employer["members"] for employer in made["employers"]) == 90
    assert made["month"] == "2026-03"
    code, verdict = run("check_ledger")
    assert (code, verdict["ok"]) == (0, True)
    assert verdict["vouchers"] == 2 * 13
