"""The believable city: people, employers, staff, and the initials that their names are found by."""

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import islice
from random import Random
from statistics import median

import pytest
from stdnum.cn import uscc

from accounts.parties.calc import pinyin_initials
from demo.organisations import (
    BASE_CAP,
    BASE_FLOOR,
    BRANCHES,
    COUNTY_CODES,
    INDUSTRIES,
    NATURES,
    Organisation,
    base,
    organisations,
    staff,
)
from demo.people import Person, people

ON = date(2026, 3, 2)
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, printed


def draw(count: int, seed: int = 1, on: date = ON) -> list[Person]:
    return list(people(count, seed=seed, on=on, area_codes=COUNTY_CODES))


@pytest.fixture(scope="module")
def many() -> list[Person]:
    return draw(50_000)


@pytest.fixture(scope="module")
def city() -> list[Organisation]:
    return organisations(6_000, 350_000, seed=1)


class TestPeople:
    def test_same_seed_same_people_other_seed_others(self) -> None:
        assert draw(300) == draw(300)
        assert draw(300) != draw(300, seed=2)

    def test_a_larger_city_begins_with_the_people_of_the_smaller(self, many: list[Person]) -> None:
        assert draw(5_000) == many[:5_000]

    def test_drawn_one_by_one(self) -> None:
        everybody = people(1_000_000, seed=1, on=ON, area_codes=COUNTY_CODES)
        assert list(islice(everybody, 3)) == draw(3)

    def test_id_numbers_are_unique(self, many: list[Person]) -> None:
        assert len({person.id_number for person in many}) == len(many)

    def test_id_numbers_are_unique_in_one_county(self) -> None:
        crowd = list(people(100_000, seed=1, on=ON, area_codes=["361128"]))
        assert len({person.id_number for person in crowd}) == len(crowd)

    def test_a_county_without_numbers_left_repeats_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("demo.people._NUMBERS_OF_ONE_SEX", 1)
        with pytest.raises(ValueError, match="no sequence number left"):
            list(people(5_000, seed=1, on=ON, area_codes=["361128"]))

    def test_area_codes_are_a_set(self) -> None:
        twice = list(people(500, seed=1, on=ON, area_codes=[*COUNTY_CODES, *COUNTY_CODES]))
        assert twice == draw(500)

    def test_id_numbers_hold(self, many: list[Person]) -> None:
        for person in many:
            number = person.id_number
            total = sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=False))
            assert len(number) == 18
            assert number[17] == "10X98765432"[total % 11], person
            assert number[:6] in COUNTY_CODES
            assert number[6:14] == f"{person.birth_date:%Y%m%d}"
            assert person.sex == ("男" if int(number[16]) % 2 else "女")

    @pytest.mark.parametrize("on", [ON, date(2028, 2, 29), date(2027, 2, 28)])
    def test_of_working_age(self, on: date) -> None:
        born = [person.birth_date for person in draw(20_000, on=on)]
        ages = [on.year - b.year - ((on.month, on.day) < (b.month, b.day)) for b in born]
        assert min(ages) == 18
        assert max(ages) == 59

    def test_telephones(self, many: list[Person]) -> None:
        for person in many:
            assert len(person.phone) == 11 and person.phone.isdigit()
            assert "13" <= person.phone[:2] <= "19"

    @pytest.mark.parametrize("seed", range(5))
    def test_even_sixty_people_have_the_difficult_names(self, seed: int) -> None:
        names = [person.name for person in draw(60, seed)]
        assert set("㼆䶮𬭚喆堃赟") <= set("".join(names))
        assert {"单", "查", "解", "曾"} <= {name[0] for name in names}
        assert {"欧阳", "尉迟"} <= {name[:2] for name in names}
        assert any("·" in name for name in names)

    def test_names_are_believable(self, many: list[Person]) -> None:
        assert all(2 <= len(person.name) <= 50 for person in many)
        surnames = Counter(person.name[0] for person in many)
        assert 0.05 < surnames["王"] / len(many) < 0.09
        assert set("单仇解查翟曾区朴覃缪") <= surnames.keys()
        assert {"欧阳", "上官", "诸葛", "司马", "尉迟"} <= {person.name[:2] for person in many}
        assert set("㼆䶮𬭚喆堃赟镕璟翀犇祎頔玥燊") <= set("".join(person.name for person in many))


class TestOrganisations:
    def test_same_seed_same_employers_other_seed_others(self) -> None:
        assert organisations(60, 2_000, seed=1) == organisations(60, 2_000, seed=1)
        assert organisations(60, 2_000, seed=1) != organisations(60, 2_000, seed=2)

    @pytest.mark.parametrize(
        ("count", "members"), [(13, 13), (13, 14), (13, 26), (13, 60), (20, 120), (60, 2_000), (900, 50_000)]
    )
    @pytest.mark.parametrize("seed", range(3))
    def test_sizes_sum_and_every_branch_is_served(self, count: int, members: int, seed: int) -> None:
        employers = organisations(count, members, seed=seed)
        assert len(employers) == count
        assert sum(employer.size for employer in employers) == members
        assert min(employer.size for employer in employers) >= 1
        assert {employer.branch for employer in employers} == {branch.code for branch in BRANCHES}
        assert members == count or any(employer.size in (2, 3) for employer in employers)

    @pytest.mark.parametrize(("count", "members"), [(0, 10), (12, 100), (20, 19)])
    def test_refuses_what_cannot_be(self, count: int, members: int) -> None:
        with pytest.raises(ValueError, match="employers"):
            organisations(count, members, seed=1)

    def test_one_branch_alone(self) -> None:
        employers = organisations(5, 40, seed=1, branches=BRANCHES[9:10])
        assert {employer.branch for employer in employers} == {"10"}
        assert sum(employer.size for employer in employers) == 40

    def test_credit_codes(self, city: list[Organisation]) -> None:
        divisions = {branch.code: branch.division_code for branch in BRANCHES}
        assert len({employer.credit_code for employer in city}) == len(city)
        for employer in city:
            code = employer.credit_code
            assert uscc.is_valid(code)
            assert code[2:8] == divisions[employer.branch]
            # GB 11714: the organisation code inside has a check character of its own.
            total = sum(int(c, 36) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
            assert code[16] == {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))

    def test_names(self, city: list[Organisation]) -> None:
        for employers in (city, organisations(13, 60, seed=1)):
            names = [employer.name for employer in employers]
            assert len(set(names)) == len(names)
            assert max(map(len, names)) == 50
            assert any("（集团）" in name for name in names)
            assert not any("{" in name for name in names)

    def test_sizes_have_a_heavy_tail(self, city: list[Organisation]) -> None:
        sizes = sorted(employer.size for employer in city)
        assert 3 <= sum(size > 1_000 for size in sizes) <= 60
        assert sizes[-1] > 3_000
        assert sum(3 <= size <= 30 for size in sizes) > 0.4 * len(sizes)

    def test_branches_have_their_shares(self, city: list[Organisation]) -> None:
        members: Counter[str] = Counter()
        for employer in city:
            members[employer.branch] += employer.size
        small = max(members[code] for code in ("06", "07", "08"))
        assert all(members[code] > small for code in ("01", "02", "03", "09", "10"))

    def test_codes_and_ratios(self, city: list[Organisation]) -> None:
        assert {employer.nature for employer in city} == NATURES.keys()
        assert {employer.industry for employer in city} <= INDUSTRIES.keys()
        assert {employer.ratio for employer in city} == {Decimal(percent) / 100 for percent in range(5, 13)}
        assert {employer.ratio for employer in city if employer.nature == "public"} == {Decimal("0.12")}
        assert all(1 <= employer.pay_day <= 28 for employer in city)


class TestBase:
    def test_within_floor_and_cap_in_fen_around_5600(self, city: list[Organisation]) -> None:
        rng = Random(1)
        bases = [base(rng, employer) for employer in city for _ in range(max(1, employer.size // 10))]
        assert min(bases) == BASE_FLOOR == Decimal("1850.00")
        assert max(bases) == BASE_CAP == Decimal("24333.00")
        assert all(amount.as_tuple().exponent == -2 for amount in bases)
        assert 5_300 < median(bases) < 5_900

    def test_takes_the_row_in_force(self, city: list[Organisation]) -> None:
        assert base(Random(1), city[0], floor=Decimal("3000.00"), cap=Decimal("3000.00")) == Decimal("3000.00")


class TestStaff:
    def test_every_post_once(self) -> None:
        posts = Counter((person.branch, person.role) for person in staff(seed=1))
        of_branches = {(branch.code, role): 1 for branch in BRANCHES for role in ("clerk", "reviewer", "cashier")}
        of_centre = {(None, role): 1 for role in ("approver", "accountant", "auditor", "manager", "admin")}
        assert posts == of_branches | of_centre

    def test_names_and_usernames(self) -> None:
        everybody = staff(seed=1)
        assert everybody == staff(seed=1)
        assert len({person.name for person in everybody}) == len({person.username for person in everybody}) == 44
        assert all(person.username.isascii() and person.username.islower() for person in everybody)
        assert {"poyang.jingban", "yanshan.fuhe", "kuaiji"} <= {person.username for person in everybody}


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("张三", "ZS"),
        ("欧阳修", "OYX"),
        ("上官婉", "SGW"),
        ("单田芳", "STF DTF"),
        ("仇英", "QY CY"),
        ("解珍", "XZ JZ"),
        ("查英", "ZY CY"),
        ("翟让", "ZR DR"),
        ("曾巩", "ZG CG"),
        ("区适子", "OSZ QSZ"),
        ("朴树", "PS"),
        ("覃勇", "QY TY"),
        ("缪斯", "MS"),
        ("尉迟恭", "YCG WCG"),
        ("长孙明", "ZSM CSM"),
        ("吴长青", "WCQ"),
        ("李单", "LD"),
        ("买买提·阿不都", "MMTABD"),
        ("王㼆䶮𬭚", "WYYC"),
        ("刘\ue863", "LY"),
        ("喆堃赟镕璟翀犇祎頔玥燊", "ZKYRJCBYDYS"),
        ("上饶A１公司（集团）", "SRA1GSJT"),
        ("José 李", "JOSEL"),
        ("查", "Z C"),
        ("𠂀", ""),
        ("", ""),
    ],
)
def test_pinyin_initials(name: str, initials: str) -> None:
    assert pinyin_initials(name) == initials
