"""Changing keys: all under the new one, the old one gone, also when it was killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models

from accounts.parties.models import Member
from fundcenter import database, vault
from fundcenter.office.models import AuditEvent, Role, SecondFactor, StoredFile
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import files, keys, personal, signing_in
from fundcenter.scope import acting_as
from tests.city import City, second_factor
from tests.office.conftest import python, run, told, world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_else_in(transactional_db: None) -> None:
    """What earlier tests' servers left open is closed: an index is changed only while nobody is in."""
    with database.connect_superuser(settings.SERVER, autocommit=True) as postgres:
        postgres.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and usename = 'fc_app'",
            [connection.settings_dict["NAME"]],
        )
    connection.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch, settings) -> Path:
    """Keys and files of this test's own: the other tests' are not changed under them."""
    monkeypatch.setenv("FUNDCENTER_HOME", str(tmp_path))
    settings.VAULT = database.Keyring("pii", "index", "files")
    settings.FILES_DIR = tmp_path / "files"
    return tmp_path


def rotate(city: City, purpose: str, **options: object) -> None:
    call_command("rotate_keys", "--purpose", purpose, "--as", "admin", "--json", **options)


def key_file(home: Path, purpose: str) -> list[str]:
    return (home / "keys" / purpose).read_text().strip().split(",")


# --- what there is to change ------------------------------------------------------------------------------------------


def test_every_sealed_column_is_known_to_the_change_of_keys() -> None:
    """A column that is not registered would be unreadable after the next change of keys."""
    sealed = {
        (m._meta.db_table, f.column)
        for m in apps.get_models()
        for f in m._meta.fields
        if (f.column or "").endswith("_sealed")
    }
    indexed = {
        (m._meta.db_table, f.column)
        for m in apps.get_models()
        for f in m._meta.fields
        if isinstance(f, models.BinaryField) and f.column.endswith("_index")
    }
    assert {(s.table, s.column) for s in registry.sealed if s.column} == sealed
    assert {(s.table, s.index) for s in registry.sealed if s.index} == indexed


# --- personal numbers -------------------------------------------------------------------------------------------------


def test_personal_numbers_go_under_the_new_key(city: City, home: Path) -> None:
    members = city.members(city.employer("甲单位"), **{f"张{chr(0x4E00 + n)}": "5000.00" for n in range(20)})
    code = second_factor(city.reviewer())
    (old,) = key_file(home, "pii")
    clear = {member.pk: vault.open_text(member.id_sealed) for member in members}
    rotate(city, "pii", batch=10)
    (new,) = key_file(home, "pii")
    assert new != old
    first, _ = vault._ciphers(old)
    with acting_as(city.manager):
        for member in Member.objects.all():
            assert vault.open_text(member.id_sealed) == clear[member.pk]
            with pytest.raises(InvalidToken):
                first.decrypt(member.id_sealed.encode())
        assert Member.objects.filter(id_index=personal.id_index(clear[members[0].pk])).count() == 1
    signing_in.verify(city.reviewer(), code)
    with acting_as(city.manager):
        events = AuditEvent.objects.filter(verb="rotate_keys").order_by("id")
        assert [event.detail.get("state") for event in events] == ["开始", "完成"]
        assert {event.person for event in events} == {city.people[""][Role.ADMIN]}


def test_a_change_of_keys_is_no_change_of_master_data(city: City, home: Path) -> None:
    (member,) = city.members(city.employer("甲单位"), 张三="5000.00")
    rotate(city, "pii")
    with acting_as(city.manager):
        assert not member.history.exists()


def test_cut_off_in_the_middle_everything_is_readable_and_the_next_call_ends_it(
    city: City, home: Path, monkeypatch
) -> None:
    members = city.members(city.employer("甲单位"), **{f"张{chr(0x4E00 + n)}": "5000.00" for n in range(20)})
    (old,) = key_file(home, "pii")
    said: list[str] = []

    def cut(_: object, line: str) -> None:
        said.append(line)
        if len(said) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("fundcenter.office.management.commands.rotate_keys.Command._say", cut)
    with pytest.raises(KeyboardInterrupt):
        rotate(city, "pii", batch=5)
    new, still = key_file(home, "pii")
    assert still == old
    with acting_as(city.manager):
        under = [vault.renewed("pii", m.id_sealed.encode()) is None for m in Member.objects.order_by("pk")]
        assert 0 < sum(under) < 20
        assert all(vault.open_text(m.id_sealed) for m in Member.objects.all())
    (newcomer,) = city.members(city.employer("乙单位"), 李四="5000.00")
    assert vault.renewed("pii", newcomer.id_sealed.encode()) is None  # whoever comes meanwhile has the new key
    rotate(city, "pii")
    assert key_file(home, "pii") == [new]
    with acting_as(city.manager):
        assert all(vault.open_text(m.id_sealed) for m in Member.objects.all())
        assert Member.objects.count() == len(members) + 1


def test_it_waits_for_who_sealed_before_and_has_not_committed(city: City, home: Path, owner) -> None:
    (member,) = city.members(city.employer("甲单位"), 张三="5000.00")
    with database.connect_owner(settings.SERVER, connection.settings_dict["NAME"]) as slow:
        slow.execute("update parties_member set phone_sealed = %s", [vault.seal_text("13812345678")])
        command = __import__("threading").Thread(target=lambda: (rotate(city, "pii"), connection.close()))
        command.start()
        time.sleep(1.5)
        assert command.is_alive()
        slow.commit()
    command.join(20)
    assert not command.is_alive()
    assert len(key_file(home, "pii")) == 1
    with acting_as(city.manager):
        assert vault.open_text(Member.objects.get(pk=member.pk).phone_sealed) == "13812345678"


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_go_under_the_new_key(city: City, home: Path) -> None:
    clerk = city.clerk()
    with acting_as(clerk):
        stored = [files.store(f"文件{n}".encode(), f"{n}.csv", branch_id=clerk.branch_id, by=clerk) for n in range(5)]
        names = sorted(p.name for p in (home / "files").glob("*/*"))
        rotate_in = key_file(home, "files")
    rotate(city, "files")
    assert key_file(home, "files") != rotate_in
    with acting_as(clerk):
        assert [files.load(one) for one in StoredFile.objects.order_by("id")] == [f"文件{n}".encode() for n in range(5)]
        assert files.check() == (5, [])
    assert sorted(p.name for p in (home / "files").glob("*/*")) == names
    assert len(stored) == 5


def test_a_missing_or_altered_file_is_named(city: City, home: Path) -> None:
    clerk = city.clerk()
    with acting_as(clerk):
        for n in range(3):
            files.store(f"文件{n}".encode(), f"{n}.csv", branch_id=clerk.branch_id, by=clerk)
        gone, altered, _ = sorted((home / "files").glob("*/*"))
        gone.unlink()
        altered.write_bytes(vault.seal_file(b"other"))
        count, problems = files.check()
    assert (count, len(problems)) == (3, 2)
    assert any("不在磁盘上" in problem for problem in problems)
    assert any("指纹不符" in problem for problem in problems)


# --- the blind index --------------------------------------------------------------------------------------------------


def test_the_index_is_computed_anew(city: City, home: Path) -> None:
    members = city.members(city.employer("甲单位"), **{f"张{chr(0x4E00 + n)}": "5000.00" for n in range(12)})
    clear = vault.open_text(members[0].id_sealed)
    before = personal.id_index(clear)
    rotate(city, "index", batch=5)
    assert personal.id_index(clear) != before
    with acting_as(city.manager):
        assert Member.objects.get(id_index=personal.id_index(clear)).pk == members[0].pk
        assert not Member.objects.filter(id_index=before).exists()


def test_the_index_is_not_changed_while_somebody_is_in(city: City, home: Path) -> None:
    server = settings.SERVER
    admin = city.people[""][Role.ADMIN]
    name = connection.settings_dict["NAME"]
    with (
        server.connect(server.app_user, server.app_password, name),
        acting_as(admin),
        pytest.raises(Refused, match="停止服务"),
    ):
        keys.rotate("index", by=admin, say=print)
    assert len(key_file(home, "index")) == 1


def test_half_an_index_answers_nobody(city: City, home: Path) -> None:
    database.replace_key("index", "new", *key_file(home, "index"))
    with pytest.raises(vault.KeyInChange, match="rotate_keys --purpose index"):
        vault.blind_index("01", "362330197001011234")
    rotate(city, "index")
    assert vault.blind_index("01", "362330197001011234")


def test_the_check_finds_what_does_not_open_and_what_is_not_found(city: City, home: Path, owner) -> None:
    one, other, _ = city.members(city.employer("甲单位"), **{f"张{chr(0x4E00 + n)}": "5000.00" for n in range(3)})
    assert keys.check()[1] == []
    foreign = "gAAAAABn" + "A" * 92
    owner.execute("update parties_member set id_sealed = %s where holder_id = %s", [foreign, one.pk])
    owner.execute("update parties_member set id_index = '\\x00' where holder_id = %s", [other.pk])
    with acting_as(city.manager):
        count, problems = keys.check()
    assert count >= 5
    assert len(problems) == 2
    assert "parties_member.id_sealed：1 项不能解密" in problems[0]
    assert "parties_member.id_index：1 项与密钥不符" in problems[1]


# --- who, and what servers notice -------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", keys.PURPOSES)
def test_only_an_administrator_changes_keys(city: City, home: Path, purpose: str) -> None:
    database.key(purpose)
    before = key_file(home, purpose)
    with pytest.raises(SystemExit):
        call_command("rotate_keys", "--purpose", purpose, "--as", "manager", "--json")
    assert key_file(home, purpose) == before


def test_a_changed_key_file_is_read_by_who_is_running(home: Path) -> None:
    token = vault.seal_text("362330197001011234")
    (old,) = key_file(home, "pii")
    database.replace_key("pii", "fresh", old)
    assert settings.VAULT["pii"] == f"fresh,{old}"
    assert vault.open_text(token) == "362330197001011234"
    database.replace_key("pii", "fresh")
    with pytest.raises(vault.Unreadable):
        vault.open_text(token)
    assert (home / "keys" / "pii").stat().st_mode & 0o777 == 0o600


def test_the_key_of_sessions_ends_them(city: City, home: Path, client) -> None:
    database.key("django")
    client.force_login(city.clerk())
    before = key_file(home, "django")
    rotate(city, "django")
    assert key_file(home, "django") != before
    assert client.get("/")["Location"].startswith("/login/")


# --- a real kill ------------------------------------------------------------------------------------------------------

COUNT = (
    "from fundcenter.scope import acting_as; from fundcenter.office.models import User; from fundcenter import vault; "
    "from accounts.parties.models import Member\n"
    "with acting_as(User.objects.get(username='zhuren')):\n"
    "    tokens = [m.id_sealed for m in Member.objects.all()]\n"
    "print(len({vault.open_text(t) for t in tokens}), sum(vault.renewed('pii', t.encode()) is None for t in tokens))"
)


@pytest.mark.parametrize("purpose", ["pii", "files", "index"])
def test_killed_with_9_it_is_ended_by_the_next_call(small_city: Path, purpose: str) -> None:
    admin = python(
        small_city,
        "from fundcenter.office.models import User; print(User.objects.filter(roles__contains=['admin'])[0].username)",
    )
    (old,) = key_file(small_city, purpose)
    command = [sys.executable, "manage.py", "rotate_keys", "--purpose", purpose, "--as", admin, "--batch", "1"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=world(small_city), stderr=subprocess.PIPE)
    assert process.stderr
    for _ in range(1 if purpose == "files" else 20):
        process.stderr.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(key_file(small_city, purpose)) == 2, "it was too quick to be cut off"
    if purpose == "pii":
        whole, done = map(int, python(small_city, COUNT).split())
        assert whole == 130
        assert 0 < done < 130
    if purpose == "index":
        refused = run(small_city, "shell", "--no-imports", "-c", "from fundcenter import vault; vault.blind_index('01','1')",
                      check=False)  # fmt: skip
        assert "KeyInChange" in refused.stderr
    ended = told(small_city, "rotate_keys", "--purpose", purpose, "--as", admin)
    assert ended["resumed"]
    (new,) = key_file(small_city, purpose)
    assert new != old
    assert python(small_city, COUNT) == "130 130"
    assert told(small_city, "check_files")["ok"]
    assert told(small_city, "rotate_keys", "--purpose", purpose, "--as", admin)["resumed"] is False
    assert SecondFactor._meta.db_table in {sealed.table for sealed in registry.sealed}
