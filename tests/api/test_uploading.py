"""A register by program: good, bad and hostile files; confirmed, submitted, followed. Never a 500."""

import io
import json
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.contributions.services import remittance
from fundcenter.office.models import ApiToken, AuditEvent, StoredFile
from fundcenter.office.refusals import Refused
from fundcenter.scope import acting_as
from fundcenter.spreadsheets import LIMITS
from tests.api.conftest import FIRST, ROOT, Case, Program, at
from tests.city import HEADER, City, id_number, workbook
from tests.test_commands import run
from tests.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture
def employer(city: City):
    found = city.employer("甲单位")
    city.members(found, 张三="5321.00", 李四="3550.00")
    return found


@pytest.fixture
def caller(city: City, program) -> Program:
    return program(city.clerk())


def rows_of(city: City, employer) -> list[list]:
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(city.register(employer))).active.values]


def test_上传_与命令打印的一致(city: City, employer, caller: Program, tmp_path: Path) -> None:
    city.receive(employer, "2130.00")
    answer = caller.upload(city.register(employer))
    assert answer.status_code == 201
    said = answer.json()
    assert answer["Location"] == f"{ROOT}uploads/{said['upload']}"
    assert caller.get(answer["Location"]).json() == {
        key: said[key] for key in ("upload", "state", "rows", "errors", "total", "confirmed", "progress")
    }
    file = tmp_path / "again.csv"
    file.write_text("\n".join(",".join(map(str, row)) for row in rows_of(city, employer)))
    printed = run("remit", str(file), "--as", "clerk10")[1]
    assert {**said, "upload": printed["upload"]}.items() >= {
        **printed, "registers": [{**one, "voucher_id": None} for one in printed["registers"]],
    }.items()  # fmt: skip
    assert (said["state"], said["total"], said["registers"][0]["total"]) == ("checked", "2130.00", "2130.00")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig"])
def test_csv_各种编码(city: City, employer, caller: Program, encoding: str) -> None:
    city.receive(employer, "2130.00")
    text = "\n".join(",".join(map(str, row)) for row in rows_of(city, employer))
    answer = caller.upload(text.encode(encoding), "清册.csv")
    assert (answer.status_code, answer.json()["state"]) == (201, "checked")


def test_xls(city: City, caller: Program) -> None:
    answer = caller.upload((DATA / "register.xls").read_bytes(), "清册.xls")
    assert (answer.status_code, answer.json()["state"]) == (201, "refused")


def test_所有行的所有问题_分页(city: City, employer, caller: Program) -> None:
    content = city.register(employer, 张三={"单位月缴存额": 1, "个人月缴存额": 2}, 李四={"单位月缴存额": 3})
    said = caller.upload(content).json()
    codes = [(problem["row"], problem["code"]) for problem in said["problems"]]
    assert codes == [(2, "amount_wrong"), (2, "amount_wrong"), (3, "amount_wrong"), (None, "suspense_short")]
    assert (said["state"], said["errors"], said["problems_next"]) == ("refused", 4, None)
    seen, address = [], f"uploads/{said['upload']}/problems?limit=1"
    while address:
        page = caller.get(address).json()
        seen += page["results"]
        address = page["next"]
    assert seen == said["problems"]


def test_问题多于一页_答复给出其余的地址(city: City, employer, caller: Program) -> None:
    rows = [[employer.number, "2026-03", f"36{n:010d}", "某人", 1, 1, 1] for n in range(250)]
    said = caller.upload(workbook(HEADER, rows)).json()
    seen, address = said["problems"], said["problems_next"]
    while address:
        page = caller.get(f"{address}&limit=200").json()
        assert len(page["results"]) <= 200
        seen += page["results"]
        address = page["next"]
    assert len(seen) == said["errors"] > 600
    assert len({json.dumps(problem) for problem in seen}) == len(seen)
    places = [problem["row"] or 10**9 for problem in seen]
    assert places == sorted(places)


def test_原表加错误原因(case: Case, own: Program) -> None:
    answer = own.get(at(case, "uploads/{refused}/annotated"))
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.values)
    assert rows[0][-1] == "错误原因"
    assert rows[1][-1].startswith("应为 639.00")
    with acting_as(case.city.manager):
        assert AuditEvent.objects.filter(verb="download_annotated", document=case.refused.label).exists()


def test_清册分页(case: Case, own: Program) -> None:
    answer = own.get(at(case, "uploads/{posted}/registers")).json()
    assert answer == {
        "results": [
            {
                "employer": case.employer.number, "month": "2025-07", "members": 2, "total": "2130.00",
                "voucher": "批-000001", "voucher_id": case.voucher,
            }
        ],
        "next": None,
    }  # fmt: skip
    assert own.get(at(case, "uploads/{posted}/registers"), after=2**63 - 1).json()["results"] == []


def test_同一文件再传_409_指出原批次(city: City, employer, caller: Program) -> None:
    city.receive(employer, "2130.00")
    content = city.register(employer)
    first = caller.upload(content).json()
    answer = caller.upload(content)
    assert (answer.status_code, answer.json()["code"]) == (409, "file_same")
    assert answer.json()["upload"] == first["upload"]


def test_确认提示_提交_再提交被告知(city: City, employer, caller: Program) -> None:
    city.receive(employer, "1278.00")
    said = caller.upload(city.register(employer, 李四=None)).json()
    assert (said["state"], [p["code"] for p in said["problems"]]) == ("refused", ["member_missing"])
    own = f"uploads/{said['upload']}"
    answer = caller.post(f"{own}/submit")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_moved")
    said = caller.post(f"{own}/confirm", {"codes": ["member_missing"]}).json()
    assert (said["state"], said["confirmed"], [p["severity"] for p in said["problems"]]) == (
        "checked", ["member_missing"], ["warning"],
    )  # fmt: skip
    submitted = caller.post(f"{own}/submit", {"opinion": "三月"})
    assert (submitted.status_code, submitted.json()["state"]) == (200, "submitted")
    answer = caller.post(f"{own}/submit")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_moved")
    answer = caller.post(f"{own}/confirm", {"codes": ["member_missing"]})
    assert answer.status_code == 409
    assert caller.get(own).json()["state"] == "submitted"


def test_上传时一并确认(city: City, employer, caller: Program) -> None:
    city.receive(employer, "1278.00")
    said = caller.upload(city.register(employer, 李四=None), confirm=["member_missing"]).json()
    assert said["state"] == "checked"


def test_不能确认的不能确认_接口和服务都不让(city: City, employer, caller: Program) -> None:
    """A confirmed code blocks no more: if amount_wrong could be confirmed, wrong amounts would be posted."""
    city.receive(employer, "9000.00")
    content = city.register(employer, 张三={"单位月缴存额": 1})
    answer = caller.upload(content, confirm=["amount_wrong"])
    assert (answer.status_code, answer.json()["problems"][0]["column"]) == (400, "confirm")
    batch = city.remit(employer, content, confirm=["amount_wrong", "no_such"])
    assert (batch.state, batch.confirmed) == ("refused", [])
    for codes in (["amount_wrong"], [], "member_missing", None, [1], [["x"]]):
        answer = caller.post(f"uploads/{batch.number}/confirm", {"codes": codes})
        assert answer.status_code == 400, codes


def test_提交时暂存款已不足(city: City, caller: Program) -> None:
    employer = city.employer("甲单位", first_month=FIRST)
    city.members(employer, 张三="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    first, second = (caller.upload(city.register(employer, month)).json() for month in ("2025-07", "2025-08"))
    caller.post(f"uploads/{first['upload']}/submit")
    with acting_as(city.clerk()):
        batch = remittance.Batch.objects.get(pk=remittance.Batch.key_in(first["upload"]))
    city.approve(batch)
    answer = caller.post(f"uploads/{second['upload']}/submit")
    assert (answer.status_code, answer.json()["code"]) == (422, "suspense_short")


def test_大文件由后台任务检查_随时可查进度(city: City, employer, caller: Program, settings) -> None:
    settings.JOB_ROWS = 0
    city.receive(employer, "1278.00")
    said = caller.upload(city.register(employer, 李四=None)).json()
    own = f"uploads/{said['upload']}"
    assert (said["state"], said["problems"], said["progress"]["state"]) == ("staged", [], "waiting")
    assert caller.get(own).json()["progress"].keys() == {"state", "done", "total", "note"}
    assert caller.post(f"{own}/submit").status_code == 409
    connection.close()
    work_off()
    said = caller.get(own).json()
    assert (said["state"], said["errors"], said["progress"]) == ("refused", 1, None)
    (problem,) = caller.get(f"{own}/problems").json()["results"]
    assert problem["code"] == "member_missing"
    assert caller.post(f"{own}/confirm", {"codes": ["member_missing"]}).json()["state"] in ("staged", "checked")
    work_off()
    assert caller.post(f"{own}/submit").json()["state"] == "submitted"
    with acting_as(city.manager):
        assert AuditEvent.objects.get(verb="upload").detail == {"token": ApiToken.objects.get().pk}


def test_他人经办的批次_不能代为提交(city: City, employer, program) -> None:
    city.receive(employer, "2130.00")
    batch = city.remit(employer)
    other = type(city.clerk()).objects.create_user(
        "clerk10b", name="经办乙", roles=["clerk"], branch=city.branches["10"]
    )
    for verb, data in (("submit", {}), ("confirm", {"codes": ["member_missing"]})):
        answer = program(other).post(f"uploads/{batch.number}/{verb}", data)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_maker")


def test_没有复核入账的接口(case: Case, own: Program) -> None:
    for verb in ("approve", "return", "withdraw", "post"):
        assert own.post(at(case, f"uploads/{{refused}}/{verb}")).status_code == 404


def test_模板原样交回(city: City, employer, caller: Program) -> None:
    city.receive(employer, "2130.00")
    template = caller.get(f"employers/{employer.number}/template", month="2026-03")
    assert template["Content-Type"].endswith("spreadsheetml.sheet")
    answer = caller.upload(template.content)
    assert (answer.status_code, answer.json()["state"]) == (201, "checked")


def test_证件号码填错了列_不随问题带出(city: City, employer, caller: Program) -> None:
    """``Program`` looks through every answer for ID numbers and mobiles."""
    number = id_number(7)
    content = city.register(employer, 张三={"个人账号": number}, 李四={"姓名": number, "单位账号": float(number[:17])})
    answer = caller.upload(content, f"{number}.xlsx")
    assert answer.status_code == 201
    assert answer.json()["problems"]
    assert caller.upload(b"\x00", f"{number}.xlsx").status_code == 422


# --- hostile ----------------------------------------------------------------------------------------------------------


def bomb() -> bytes:
    """A sheet that says to unpack to 2 GB of blanks."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(120):
                sheet.write(b" " * 2**20)
    return packed.getvalue()


def far_cell() -> bytes:
    """Two cells that are a million rows apart: calamine would ask for all between them."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "单位账号", "x"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def macro() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/vbaProject.bin", "x")
    return packed.getvalue()


def broken_zip() -> bytes:
    good = workbook(HEADER, [["1"] * 7])
    return good[: len(good) // 2]


NO_SHEETS = {
    "empty": b"",
    "pdf": b"%PDF-1.7 \x00\x01\x02" * 20,
    "html": b"<html><table></table></html>",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "bomb": bomb(),
    "macro": macro(),
    "half": broken_zip(),
    "encrypted": (DATA / "encrypted.xlsx").read_bytes(),
    "compound": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack("<I", 0xFFFFFFFF) * 200,
    "word": b"PK\x03\x04" + bytes(50),
    "not text": bytes(range(128, 256)) * 10,
}


@pytest.mark.parametrize("what", NO_SHEETS)
def test_不是表格的文件_422_不留痕迹(city: City, caller: Program, what: str) -> None:
    answer = caller.upload(NO_SHEETS[what], "清册.xlsx")
    assert answer.status_code == 422, answer.content.decode()
    assert answer.json()["problems"]
    with acting_as(city.manager):
        assert not StoredFile.objects.exists()


def test_数据区以外很远的单元格_不拖垮(city: City, caller: Program) -> None:
    answer = caller.upload(far_cell())
    assert answer.status_code in (413, 422)


def test_超过上限的文件_未读先拒(city: City, caller: Program) -> None:
    answer = caller.client.post(
        f"{ROOT}uploads/registers", b"x", content_type="multipart/form-data; boundary=x",
        headers={**caller.headers, "Content-Length": str(LIMITS.bytes + 2 * 2**20)},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_稍大的文件_读后拒(city: City, caller: Program) -> None:
    answer = caller.upload(b"1,2\n" * (LIMITS.bytes // 4 + 1), "清册.csv")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_别的内容类型_残缺的表单_没有文件(city: City, caller: Program) -> None:
    post, path, headers = caller.client.post, f"{ROOT}uploads/registers", caller.headers
    assert post(path, "{}", content_type="application/json", headers=headers).status_code == 415
    assert post(path, "a=b", content_type="application/x-www-form-urlencoded", headers=headers).status_code == 415
    assert post(path, b"x", content_type="multipart/form-data", headers=headers).status_code == 400
    assert post(path, b"--x\r\n", content_type="multipart/form-data; boundary=x", headers=headers).status_code == 400
    assert post(path, {}, headers=headers).json()["problems"][0]["column"] == "file"
    assert post(path, {"file": "text"}, headers=headers).json()["problems"][0]["column"] == "file"
    assert post(path, {f"f{n}": "x" for n in range(3000)}, headers=headers).status_code == 400
    many = {f"f{n}": SimpleUploadedFile("x", b"x") for n in range(200)}
    assert post(path, many, headers=headers).status_code == 400


NAMES = [
    "../../etc/passwd",
    "a\x00b.xlsx",
    "清" * 300 + ".xlsx",
    "=cmd|x.csv",
    "<b>.xlsx",
    "{0}.xlsx",
    ".",
    "..",
    "",
    " ",
]


def test_文件名不可信(city: City, employer, caller: Program) -> None:
    for name in NAMES:
        for content in (f"单位账号,{name}".encode(), b"\x00\x01"):
            head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
            answer = caller.client.post(
                f"{ROOT}uploads/registers", head.encode() + content + b"\r\n--x--\r\n",
                content_type="multipart/form-data; boundary=x", headers=caller.headers,
            )  # fmt: skip
            assert answer.status_code in (201, 400, 409, 422), name
    with acting_as(city.manager):
        assert all("/" not in name and len(name) <= 200 for name in StoredFile.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "null", '"x"', "[" * 100_000, '{"codes":' * 5000, '{"codes": NaN}', "\ud800", "9" * 5000, " " * 70_000],
)
def test_残缺的_JSON(case: Case, own: Program, body: str) -> None:
    for verb in ("submit", "confirm"):
        answer = own.client.post(
            ROOT + at(case, f"uploads/{{refused}}/{verb}"), body.encode("utf-8", "surrogatepass"),
            content_type="application/json", headers=own.headers,
        )  # fmt: skip
        assert answer.status_code in (400, 409, 413), body[:20]


def test_意见太长(case: Case, own: Program) -> None:
    assert own.post(at(case, "uploads/{refused}/submit"), {"opinion": "长" * 501}).status_code == 400


def test_服务本身也不收(city: City, employer) -> None:
    with pytest.raises(Refused):
        city.remit(employer, b"\x00")
