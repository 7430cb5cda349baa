"""The people of a city that doesn't exist: pure, fast, and the same again for the same seed.

Nobody here is anybody: names, birth dates, sequence numbers and telephones are drawn by lot. As the form is the real
one (the check digit holds, the county exists), a number may by chance be somebody's: send nothing to these telephones
and ask no register about these ID numbers.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from stdnum.cn import ric


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    id_number: str
    sex: str  # 男 or 女, as the sequence number says
    birth_date: date
    phone: str


# The country's frequencies by 10,000 people; 徐 余 程 汪 江 祝 洪 俞 饶 毛 詹 占 查 weigh more, as they do in 上饶.
_SURNAME_TABLE = """
王 725 李 719 张 683 刘 538 陈 453 杨 308 徐 290 黄 245 周 240 吴 230 赵 180 孙 154 胡 131 朱 126 林 118 何 117 郭 115
余 110 马 105 高 100 程 95 罗 90 郑 85 汪 85 梁 84 谢 80 江 75 许 73 宋 70 叶 70 唐 69 韩 68 冯 64 彭 64 曹 63 邓 62
于 62 董 61 曾 60 方 60 潘 59 肖 57 田 57 袁 55 蔡 53 蒋 51 邹 50 毛 50 洪 50 杜 48 卢 48 苏 47 吕 47 魏 46 祝 45 丁 43
任 42 姚 42 沈 41 钟 41 姜 41 万 40 俞 40 饶 40 詹 40 崔 38 谭 38 陆 36 范 36 廖 36 石 35 金 35 贾 33 夏 33 付 33 孟 32
熊 32 秦 31 邱 31 侯 31 白 30 占 30 尹 26 薛 26 闫 25 段 24 雷 23 龙 22 黎 22 史 21 陶 21 贺 21 郝 20 顾 20 龚 20 韦 20
欧阳 20 章 20 邵 19 覃 18 武 18 钱 17 戴 16 严 15 莫 15 孔 14 向 14 常 13 汤 13 查 12 乐 9 上官 8 温 8 康 8 施 8 牛 7
樊 7 葛 7 邢 7 安 7 齐 7 倪 7 翟 6 诸葛 6 揭 6 单 5 解 5 仇 4 缪 4 司马 3 区 2 朴 2 尉迟 1
"""
_SURNAMES = _SURNAME_TABLE.split()[::2]
_SURNAMES_CUMULATED = [*accumulate(map(int, _SURNAME_TABLE.split()[1::2]))]


class _Era(NamedTuple):
    """What children were called from a year on: first and second characters, and those that make a name alone."""

    since: int
    singles: float  # share of given names of one character
    men: tuple[str, str, str]
    women: tuple[str, str, str]


_ERAS = (
    _Era(
        1900,
        0.15,
        ("建国志文永金德庆长春新立光忠明卫水", "国华军平明生林强民忠祥根福荣发清良", "军平勇明强华林"),
        ("秀桂玉春红美小丽金爱凤月秋冬腊", "兰英珍华梅芳红萍莲珠花霞香琴娥", "萍芳霞红英梅"),
    ),
    _Era(
        1975,
        0.30,
        ("志建晓海小文国伟俊永春剑卫", "伟军强勇斌峰辉刚涛平华明波飞兵", "伟军勇强斌涛刚磊辉峰"),
        ("丽晓小艳海红春文雪慧冬", "丽敏静艳娟霞燕芳萍玲琴", "静丽敏艳燕娟霞"),
    ),
    _Era(
        1985,
        0.35,
        ("志俊晓文嘉建海明小世", "鹏超杰浩磊龙凯亮宇飞杨威", "超鹏浩杰磊凯宇俊帅"),
        ("晓雪佳丽文思梦海小美", "婷雪倩玲丹洁娟莹瑶芬燕", "婷倩雪莹丹颖慧洁"),
    ),
    _Era(
        1995,
        0.25,
        ("子浩宇俊嘉泽文天一志家", "轩豪杰宇涵洋航辰阳博鑫", "杰浩宇轩昊洋航鑫"),
        ("雨欣梦思佳诗子雅语嘉", "怡涵琪婷妍萱彤欣瑶雯", "欣悦雯琪怡颖"),
    ),
    _Era(
        2003,
        0.12,
        ("梓浩子俊宇奕沐皓睿", "轩涵泽晨睿宸霖熙阳", "睿宸熙昊轩"),
        ("梓雨欣诗子思若语可", "涵萱怡琪彤妍汐瑶桐", "悦玥彤汐"),
    ),
)


def _given_names(characters: tuple[str, str, str], singles: float) -> list[str]:
    """Each pair of a first and a second character once, the single ones as often as their share demands."""
    firsts, seconds, alone = characters
    pairs = [first + second for first in firsts for second in seconds if first != second]
    return pairs + list(alone) * round(singles / (1 - singles) * len(pairs) / len(alone))


_GIVEN_NAMES = [(_given_names(era.men, era.singles), _given_names(era.women, era.singles)) for era in _ERAS]

_RARE = "㼆䶮𬭚喆堃赟镕璟翀犇祎頔玥燊"  # the first two lie in Extension A, the third beyond the BMP
_RARE_SHARE = 0.012
_MINORITY_SHARE = 0.003
_MINORITY_MEN = ("买买提", "阿不都", "艾力", "吐尔逊", "玉素甫", "库尔班", "艾山", "卡德尔", "热合曼", "阿不都热依木")
_MINORITY_WOMEN = ("古丽", "阿依古丽", "帕提古丽", "热依汗", "玛依拉", "阿米娜", "古丽巴哈尔")
# Even a city of 60 has the names that break systems, and not all of them with one employer.
_GIVEN_OF_FEW = dict(zip(range(4, 58, 9), "㼆䶮𬭚喆堃赟", strict=True))
_SURNAMES_OF_FEW = dict(zip(range(8, 60, 9), ("单", "查", "欧阳", "尉迟", "解", "曾"), strict=True))
_MINORITY_OF_FEW = 30

_PHONE_RANGES = (
    *range(130, 140),
    *range(150, 154),
    *range(155, 160),
    *range(175, 179),
    *range(180, 192),
    *(166, 173, 193, 195, 198, 199),
)

_AGES = range(18, 60)  # one who is 60 on the day has retired
# How many of each age contribute (few before 22; many between 30 and 45), as weights from an age on.
_AGE_WEIGHTS = {18: 1, 22: 6, 26: 14, 30: 18, 45: 15, 50: 11, 55: 6}
_MEN_SHARES = {18: 0.53, 50: 0.62, 55: 0.92}  # women retire at 50 or 55

# One day and county has the sequence numbers 000 to 999: odd ones for men, even ones for women.
_NUMBERS_OF_ONE_SEX = 500
_DRAWN_AT_ONCE = 4096  # always whole, so that the first people are the same whatever the count


class _Day(NamedTuple):
    """A birthday, and what of its children follows from it."""

    born: date
    digits: str
    men_share: float
    men: list[str]
    women: list[str]


def people(count: int, *, seed: int, on: date, area_codes: Sequence[str]) -> Iterator[Person]:
    """`count` people of working age on the day `on`, born in the counties of `area_codes` (six digits each).

    No ID number comes twice within one call; two calls may meet, so draw a city at once. The first n of a larger count
    are the people of count n. ValueError when a county runs out of sequence numbers (one alone: past 5 million people).
    """
    rng = Random(f"people {seed}")
    random = rng.random
    areas = sorted(set(area_codes))
    days, days_cumulated = _birthdays(on)
    # How many were born of one county, day and sex: 700 kB for the city, and all that uniqueness needs to remember.
    born = array("H", bytes(2 * len(areas) * len(days) * 2))
    for start in range(0, count, _DRAWN_AT_ONCE):
        surnames = rng.choices(_SURNAMES, cum_weights=_SURNAMES_CUMULATED, k=_DRAWN_AT_ONCE)
        birthdays = rng.choices(range(len(days)), cum_weights=days_cumulated, k=_DRAWN_AT_ONCE)
        for number, surname, day in zip(range(start, count), surnames, birthdays, strict=False):
            birth_date, digits, men_share, men, women = days[day]
            male = random() < men_share
            given = men if male else women
            name = surname + given[int(random() * len(given))]
            lot = random()
            if lot < _RARE_SHARE:
                name = name[: len(surname) + rng.randrange(2)] + rng.choice(_RARE)
            elif lot > 1 - _MINORITY_SHARE:
                name = _minority_name(rng, male)
            if number < 60:
                name = _name_of_few(number, name, surname, rng, male)

            area = int(random() * len(areas))
            cell = (area * len(days) + day) * 2 + male
            nth = born[cell]
            if nth >= _NUMBERS_OF_ONE_SEX:
                raise ValueError(f"no sequence number left for {digits} in {areas[area]}")
            born[cell] = nth + 1
            # 37 has no factor in common with 500, so a cell meets each of its numbers once before it runs out.
            sequence = (cell * 7919 + nth * 37) % _NUMBERS_OF_ONE_SEX * 2 + male
            body = f"{areas[area]}{digits}{sequence:03d}"
            id_number = body + ric.calc_check_digit(body + "0")  # stdnum leaves out the last character itself
            yield Person(name, id_number, "男" if male else "女", birth_date, phone(rng))


def full_name(rng: Random) -> str:
    """One name in characters every font has, of somebody born before 1995."""
    (surname,) = rng.choices(_SURNAMES, cum_weights=_SURNAMES_CUMULATED)
    return surname + rng.choice(rng.choice(_GIVEN_NAMES[rng.randrange(3)]))


def phone(rng: Random) -> str:
    """A mobile number in one of the ranges in use."""
    return f"{_PHONE_RANGES[int(rng.random() * len(_PHONE_RANGES))]}{int(rng.random() * 100_000_000):08d}"


def _name_of_few(number: int, name: str, surname: str, rng: Random, male: bool) -> str:
    """The names that must not be missing: one of the first 60 people keeps or exchanges the drawn name."""
    if number == _MINORITY_OF_FEW:
        return _minority_name(rng, male)
    if given := _GIVEN_OF_FEW.get(number):
        return surname + given
    if other := _SURNAMES_OF_FEW.get(number):
        return other + name[-1]
    return name


def _minority_name(rng: Random, male: bool) -> str:
    """Own name, middle dot, father's name."""
    return f"{rng.choice(_MINORITY_MEN if male else _MINORITY_WOMEN)}·{rng.choice(_MINORITY_MEN)}"


def _birthdays(on: date) -> tuple[list[_Day], list[float]]:
    """Every birthday of someone of working age on the day `on`, and the cumulated weights to draw them by."""
    sinces = [era.since for era in _ERAS]
    days, weights = [], []
    for age in _AGES:
        weight, men_share = _from(_AGE_WEIGHTS, age), _from(_MEN_SHARES, age)
        day, last = _years_before(on, age + 1) + timedelta(days=1), _years_before(on, age)
        while day <= last:
            men, women = _GIVEN_NAMES[bisect_right(sinces, day.year) - 1]
            days.append(_Day(day, f"{day:%Y%m%d}", men_share, men, women))
            weights.append(weight)
            day += timedelta(days=1)
    return days, [*accumulate(weights)]


def _from(table: Mapping[int, float], age: int) -> float:
    return table[max(since for since in table if since <= age)]


def _years_before(day: date, years: int) -> date:
    """The same day that many years earlier, 28 February for a 29th that the year lacks."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
