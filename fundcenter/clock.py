"""What day it is. Only faces and jobs ask; a calculation is given its day (`on=`).

FUNDCENTER_TODAY=2026-03-18 moves the date, not the time of day, so that a city can be played day by day.
"""

import os
from datetime import date, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The date in China. ValueError if FUNDCENTER_TODAY is no date."""
    return now().date()


def moved() -> bool:
    """Whether a city is being played: its date is not the real one."""
    return bool(os.environ.get("FUNDCENTER_TODAY", "").strip())


def now() -> datetime:
    """The moment, aware, in Asia/Shanghai; on a moved date with the real time of day."""
    real = datetime.now(CHINA)
    return datetime.combine(_date(os.environ["FUNDCENTER_TODAY"].strip()), real.timetz()) if moved() else real


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"环境变量 FUNDCENTER_TODAY 的值“{text}”不是日期，应写成 2026-03-18 的样子") from None
