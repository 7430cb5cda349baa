from datetime import UTC, date, datetime, timedelta

import pytest

from fundcenter import clock


def test_without_the_setting_it_is_the_real_moment_in_china(monkeypatch):
    monkeypatch.delenv("FUNDCENTER_TODAY", raising=False)
    now = clock.now()
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
    assert now.utcoffset() == timedelta(hours=8)
    assert clock.today() in {now.date(), clock.now().date()}


def test_an_empty_setting_is_none(monkeypatch):
    monkeypatch.setenv("FUNDCENTER_TODAY", " ")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_setting_moves_the_date_and_leaves_the_time(monkeypatch):
    monkeypatch.setenv("FUNDCENTER_TODAY", "2026-03-18")
    real = datetime.now(clock.CHINA)
    moved = clock.now()
    assert clock.today() == moved.date() == date(2026, 3, 18)
    assert moved.utcoffset() == timedelta(hours=8)
    assert (moved.replace(year=real.year, month=real.month, day=real.day) - real) % timedelta(days=1) < timedelta(
        seconds=5
    )


@pytest.mark.parametrize("garbage", ["tomorrow", "2026-02-30", "18/03/2026"])
def test_garbage_is_named_in_chinese(monkeypatch, garbage):
    monkeypatch.setenv("FUNDCENTER_TODAY", garbage)
    with pytest.raises(ValueError, match=f"环境变量 FUNDCENTER_TODAY 的值“{garbage}”不是日期"):
        clock.today()
