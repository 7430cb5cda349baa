"""Backup and the way back to a moment, drilled on a city of its own: a voucher before the moment, one after it."""

import json
import shutil
import time
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from fundcenter import backup, clock, database
from tests.office.conftest import python, run, told

FIGURES = (
    "from fundcenter.scope import acting_as; from fundcenter.office.models import User; "
    "from accounts.ledger.models import Balance, Voucher; from django.db.models import Sum; import json\n"
    "with acting_as(User.objects.get(username='zhuren')):\n"
    "    print(json.dumps([Voucher.objects.count(), str(Balance.objects.aggregate(s=Sum('amount'))['s']), "
    "max(v.number for v in Voucher.objects.filter(word='记'))]))"
)
WHO = (
    "from accounts.parties.models import Employer; from fundcenter.office.models import User; from fundcenter.scope import acting_as; import json\n"
    "cashier = User.objects.filter(roles__contains=['cashier'])[0]\n"
    "with acting_as(cashier):\n    print(json.dumps([Employer.objects.order_by('number')[0].number, cashier.username]))"
)


def ended_segment(home: Path) -> None:
    """The log's last segment goes to the archive, as it does by itself within a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDCENTER_HOME", str(home))
        folder = database.archive()
        with database.connect_superuser(autocommit=True) as postgres:
            (name,) = postgres.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
        deadline = time.monotonic() + 30
        while not (folder / f"{name}.gz").exists() and time.monotonic() < deadline:
            time.sleep(0.1)


@pytest.fixture(scope="module")
def drilled(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A backup, a voucher, the moment, another voucher."""
    safe = tmp_path_factory.mktemp("safe")
    employer, cashier = json.loads(python(small_city, WHO))

    def receive(reference: str) -> None:
        words = ("receive", employer, "1234.56", "--on", "2026-03-16", "--reference", reference, "--as", cashier)
        assert told(small_city, *words)["amount"] == "1234.56"

    first = told(small_city, "backup", "--to", safe / "backups", "--keys-to", safe / "keys")
    receive("DRILL-1")
    before = json.loads(python(small_city, FIGURES))
    time.sleep(1.1)
    moment = datetime.now(clock.CHINA)
    time.sleep(1.1)
    receive("DRILL-2")
    after = json.loads(python(small_city, FIGURES))
    ended_segment(small_city)
    return {"first": first, "before": before, "after": after, "moment": moment, "safe": safe, "home": small_city}


def test_to_a_moment_between_two_vouchers(drilled: dict, homes, tmp_path: Path) -> None:
    home = homes(tmp_path / "restored")
    words = ("--from", drilled["safe"] / "backups", "--to", home, "--keys", drilled["safe"] / "keys")
    done = told(drilled["home"], "restore", *words, "--at", drilled["moment"].isoformat())
    assert done["check_ledger"]["ok"], done
    assert done["check_files"]["ok"], done
    assert json.loads(python(home, FIGURES)) == drilled["before"]
    assert drilled["before"][0] == drilled["after"][0] - 1
    # An ordinary city again: it takes the next voucher, and goes on from the number it had.
    employer, cashier = json.loads(python(home, WHO))
    words = ("receive", employer, "1.00", "--on", "2026-03-16", "--reference", "AFTER", "--as", cashier)
    assert told(home, *words)["voucher"] != ""
    assert told(home, "check_ledger")["ok"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDCENTER_HOME", str(home))
        with database.connect_superuser() as postgres:
            assert postgres.execute("show hot_standby").fetchone() is not None
            left = postgres.execute("select name from pg_file_settings where name ~ '^(restore_|recovery_)'").fetchall()
            assert left == []
            assert postgres.execute("show archive_command").fetchone() == ("/bin/true",)
    # A second drill from the same backup ends the same.
    again = homes(tmp_path / "again")
    done = told(
        drilled["home"], "restore", "--from", drilled["safe"] / "backups", "--to", again, "--keys",
        drilled["safe"] / "keys", "--at", drilled["moment"].isoformat(),
    )  # fmt: skip
    assert done["check_ledger"]["ok"]
    assert json.loads(python(again, FIGURES)) == drilled["before"]


def test_without_a_moment_as_late_as_the_log_goes_and_without_django(drilled: dict, homes, tmp_path: Path) -> None:
    home = homes(tmp_path / "restored")
    shutil.copytree(drilled["safe"] / "keys", tmp_path / "carried")
    code = backup.main(
        ["restore", "--from", drilled["first"]["backup"], "--to", str(home), "--keys", str(tmp_path / "carried")]
    )
    assert code == 0
    assert json.loads(python(home, FIGURES)) == drilled["after"]
    assert told(home, "check_ledger")["ok"]


@pytest.mark.parametrize(
    ("at", "says"), [("2020-01-01", "最早只能恢复到"), ("2100-01-01T00:00", "归档的日志到不了 2100-01-01")]
)
def test_to_no_moment_that_the_log_does_not_reach(drilled: dict, homes, tmp_path: Path, at: str, says: str) -> None:
    words = ("--from", drilled["safe"] / "backups", "--to", homes(tmp_path / "to"), "--keys", drilled["safe"] / "keys")
    refused = run(drilled["home"], "restore", *words, "--at", at, check=False)
    assert refused.returncode
    assert says in refused.stderr


def test_without_keys_or_with_other_keys_nothing_is_restored(drilled: dict, homes, tmp_path: Path) -> None:
    words = ["restore", "--from", drilled["first"]["backup"], "--to", str(homes(tmp_path / "to"))]
    assert "备份中没有密钥" in run(drilled["home"], *words, check=False).stderr
    others = tmp_path / "keys"
    shutil.copytree(next((drilled["safe"] / "keys").iterdir()), others)
    (others / "pii").write_text("another")
    refused = run(drilled["home"], *words, "--keys", str(others), check=False)
    assert "没有这份备份的密钥" in refused.stderr
    assert "pii" in refused.stderr
    assert not (tmp_path / "to").exists()


def test_a_damaged_backup_is_told(drilled: dict, tmp_path: Path) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(drilled["first"]["backup"], copy)
    with (copy / backup.CLUSTER).open("r+b") as file:
        file.seek(5000)
        file.write(b"\0" * 16)
    words = ("--from", copy, "--to", tmp_path / "to", "--keys", drilled["safe"] / "keys")
    assert "与备份时的指纹不符" in run(drilled["home"], "restore", *words, check=False).stderr


def test_never_over_a_city_that_is_there(drilled: dict) -> None:
    words = ("--from", drilled["safe"] / "backups", "--to", drilled["home"], "--keys", drilled["safe"] / "keys")
    assert "不是空目录" in run(drilled["home"], "restore", *words, check=False).stderr


def test_a_backup_holds_no_key_and_keys_lie_elsewhere(drilled: dict) -> None:
    secrets = [path.read_text().strip() for path in (drilled["home"] / "keys").iterdir() if path.name[0] != "."]
    for path in Path(drilled["first"]["backup"]).rglob("*"):
        assert not path.is_file() or not [s for s in secrets if s.encode() in path.read_bytes()], path
    safe = drilled["safe"]
    for to, keys in ((safe / "backups", safe / "backups" / "keys"), (safe / "keys" / "x", safe / "keys"), (safe, safe)):
        refused = run(drilled["home"], "backup", "--to", to, "--keys-to", keys, check=False)
        assert "不得与备份" in refused.stderr, (to, keys)
    assert "不得与数据目录" in run(drilled["home"], "backup", "--to", drilled["home"] / "backups", check=False).stderr


def test_files_of_the_last_minutes_and_only_so_many_backups(drilled: dict, tmp_path: Path) -> None:
    home, to = drilled["home"], tmp_path / "backups"
    first = told(home, "backup", "--to", to)
    upload = (
        "from fundcenter.office.models import User; from fundcenter.office.services import files; from fundcenter.scope import acting_as\n"
        "by = User.objects.filter(roles__contains=['clerk'])[0]\n"
        "with acting_as(by): files.store('新文件'.encode(), '新.csv', branch_id=by.branch_id, by=by)"
    )
    python(home, upload)
    assert told(home, "backup", "--to", to, "--only-files")["files"] == first["files"] + 1
    time.sleep(1.1)
    second = told(home, "backup", "--to", to, "--keep", "1")
    assert [str(path) for path in to.iterdir()] == [second["backup"]]
    assert (Path(second["backup"]) / backup.MANIFEST).is_file()
    manifest = json.loads((Path(second["backup"]) / backup.MANIFEST).read_text())
    kept = sorted(p.name[:24] for p in Path(manifest["wal"]).glob("*.gz") if len(p.name) == 27)
    assert kept[0] >= manifest["first_segment"]


def test_across_a_change_of_keys(drilled: dict, homes, tmp_path: Path) -> None:
    """The base was sealed with the old key, the log's end with the new one: both copies together open everything."""
    home, safe = drilled["home"], tmp_path / "safe"
    told(home, "backup", "--to", safe / "backups", "--keys-to", safe / "keys")
    time.sleep(1.1)
    ended = told(home, "rotate_keys", "--purpose", "pii", "--as", "xitong", "--keys-to", safe / "keys")
    assert len(list((safe / "keys").iterdir())) == 2
    ended_segment(home)
    new = homes(tmp_path / "new")
    done = told(home, "restore", "--from", safe / "backups", "--to", new, "--keys", safe / "keys")
    assert (done["unfinished"], done["check_files"]["ok"], done["check_keys"]["ok"]) == (["pii"], True, True)
    readable = (
        "from fundcenter import vault; from fundcenter.scope import acting_as; from fundcenter.office.models import User; "
        "from accounts.parties.models import Member\n"
        "with acting_as(User.objects.get(username='zhuren')):\n"
        "    print(len([vault.open_text(m.id_sealed) for m in Member.objects.all()]))"
    )
    assert python(new, readable) == "130"
    assert told(new, "rotate_keys", "--purpose", "pii", "--as", "xitong")["resumed"]
    assert python(new, readable) == "130"
    assert ended["keys"].startswith(str(safe / "keys"))


def test_files_that_are_the_same_are_linked(tmp_path: Path) -> None:
    source, former = tmp_path / "files", tmp_path / "former"
    (source / "ab").mkdir(parents=True)
    (source / "ab" / "one").write_bytes(b"1")
    assert backup._copy_files(source, former / backup.FILES, None) == 1
    (source / "ab" / "two").write_bytes(b"2")
    assert backup._copy_files(source, tmp_path / "now", former) == 2
    assert (tmp_path / "now" / "ab" / "one").stat().st_nlink == 2
    assert (tmp_path / "now" / "ab" / "two").stat().st_nlink == 1


def test_a_server_of_the_operators_is_the_operators(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://a:b@127.0.0.1:1/c")
    for verb in (lambda: backup.take(tmp_path), lambda: backup.restore(tmp_path, tmp_path / "to")):
        with pytest.raises(database.DatabaseProblem, match="请运维"):
            verb()


def test_the_archive_may_lie_on_another_disk(homes, tmp_path: Path, monkeypatch) -> None:
    home, elsewhere = homes(tmp_path / "home"), tmp_path / "it's 100% elsewhere"
    elsewhere.mkdir()
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)  # PostgreSQL's user must get through
    monkeypatch.setenv("FUNDCENTER_HOME", str(home))
    monkeypatch.setenv("FUNDCENTER_WAL", str(elsewhere))
    database.ensure()
    folder = database.archive_from_now()
    assert folder.parent == elsewhere
    assert list(folder.glob("*.gz"))
    database.stop()
    monkeypatch.setattr(database, "PATIENCE", 2)
    database.ensure()
    shutil.rmtree(folder)
    (elsewhere / folder.name).symlink_to("/nonexistent/disk")
    with pytest.raises((database.DatabaseProblem, OSError, psycopg.Error)):
        database.archive_from_now()
