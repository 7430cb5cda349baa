"""The employers of that city, what they pay, its branches and the people who work at the centre.

Public bodies bear the names such bodies bear everywhere (第一中学, 财政局); companies are put together by lot from
characters that companies like, so that a likeness is chance, as it is with their credit codes. No Django, no database.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import NamedTuple

from stdnum.cn import uscc

from demo.people import full_name, phone


@dataclass(frozen=True, slots=True)
class Branch:
    code: str
    name: str
    pinyin: str
    division_code: str  # GB/T 2260; 市直 has the city's, which no ID number begins with
    place: str  # as employers' names begin
    share: int  # of the city's employers, in per cent


BRANCHES = (
    Branch("01", "市直", "shizhi", "361100", "上饶市", 19),
    Branch("02", "信州", "xinzhou", "361102", "上饶市信州区", 13),
    Branch("03", "广丰", "guangfeng", "361103", "上饶市广丰区", 11),
    Branch("04", "广信", "guangxin", "361104", "上饶市广信区", 7),
    Branch("05", "玉山", "yushan", "361123", "玉山县", 7),
    Branch("06", "铅山", "yanshan", "361124", "铅山县", 4),
    Branch("07", "横峰", "hengfeng", "361125", "横峰县", 3),
    Branch("08", "弋阳", "yiyang", "361126", "弋阳县", 4),
    Branch("09", "余干", "yugan", "361127", "余干县", 9),
    Branch("10", "鄱阳", "poyang", "361128", "鄱阳县", 10),
    Branch("11", "万年", "wannian", "361129", "万年县", 4),
    Branch("12", "婺源", "wuyuan", "361130", "婺源县", 4),
    Branch("13", "德兴", "dexing", "361181", "德兴市", 5),
)
_AVERAGE_SHARE = 100 / 13
COUNTY_CODES = tuple(branch.division_code for branch in BRANCHES if not branch.division_code.endswith("00"))

NATURES = {
    "public": "国家机关和事业单位",
    "state_owned": "国有企业",
    "collective": "城镇集体",
    "foreign": "外商投资",
    "private": "城镇私营及其他",
    "civil": "民办非企业和社会团体",
    "other": "其他",
}
INDUSTRIES = {  # GB/T 4754-2017, 门类
    "A": "农、林、牧、渔业",
    "B": "采矿业",
    "C": "制造业",
    "D": "电力、热力、燃气及水生产和供应业",
    "E": "建筑业",
    "F": "批发和零售业",
    "G": "交通运输、仓储和邮政业",
    "H": "住宿和餐饮业",
    "I": "信息传输、软件和信息技术服务业",
    "J": "金融业",
    "K": "房地产业",
    "L": "租赁和商务服务业",
    "M": "科学研究和技术服务业",
    "N": "水利、环境和公共设施管理业",
    "O": "居民服务、修理和其他服务业",
    "P": "教育",
    "Q": "卫生和社会工作",
    "R": "文化、体育和娱乐业",
    "S": "公共管理、社会保障和社会组织",
    "T": "国际组织",
}


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    credit_code: str
    nature: str  # of NATURES
    industry: str  # of INDUSTRIES
    branch: str  # its code
    size: int  # members
    ratio: Decimal  # of either side, 0.05 to 0.12
    pay_day: int  # of the month
    address: str
    legal_person: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class Staff:
    username: str
    name: str
    role: str  # of office.models.Role
    branch: str | None  # its code; None for the centre


class _Kind(NamedTuple):
    nature: str
    industry: str
    registrar: str  # GB 32100: who registers it, and as what (11 机关, 12 事业单位, 52 民办非企业, 91 企业 …)
    typical: int  # members, in a city of average employers
    name: str  # {locality} is filled in first, {place} and {brand} later


def _kinds(nature: str, table: str) -> tuple[_Kind, ...]:
    rows = (line.split() for line in table.strip().splitlines())
    return tuple(_Kind(nature, industry, registrar, int(size), name) for industry, registrar, size, name in rows)


# Each branch has each of these once, the first ones first.
_PUBLIC = _kinds(
    "public",
    """
    P 12 3200 {place}教育系统会计核算中心
    Q 12 900 {place}人民医院
    P 12 380 {place}第一中学
    S 11 420 {place}公安局
    S 11 90 {place}卫生健康委员会
    Q 12 380 {place}中医院
    S 11 90 {place}财政局
    S 11 140 国家税务总局{place}税务局
    P 12 260 {place}第二中学
    S 11 120 {place}人民法院
    S 11 70 {place}人民政府办公室
    S 11 110 {place}自然资源局
    Q 12 220 {place}妇幼保健院
    S 11 160 {place}市场监督管理局
    P 12 140 {place}实验小学
    S 11 90 {place}人民检察院
    S 11 80 {place}人力资源和社会保障局
    S 11 90 {place}住房和城乡建设局
    S 11 120 {place}农业农村局
    P 12 160 {place}职业中等专业学校
    S 11 90 {place}交通运输局
    Q 12 70 {place}疾病预防控制中心
    S 11 80 {place}水利局
    N 12 60 {place}公路事业发展中心
    S 11 100 {place}林业局
    N 12 80 {place}城市管理综合行政执法大队
    S 11 45 {place}民政局
    S 11 50 {place}文化广电旅游局
    R 12 55 {place}融媒体中心
    S 11 40 {place}应急管理局
    S 11 35 {place}司法局
    S 11 40 {place}发展和改革委员会
    S 11 30 {place}审计局
    S 11 28 {place}统计局
    S 11 35 {place}商务局
    S 11 30 {place}医疗保障局
    M 12 18 {place}气象局
    R 12 14 {place}图书馆
    R 12 12 {place}博物馆
    S 12 10 {place}档案馆
    S 13 12 {place}总工会
    S 13 8 {place}妇女联合会
    S 13 9 {place}残疾人联合会
    S 13 4 {place}红十字会
    S 12 3 {place}地方志研究室
    """,
)
# … and then these, of one township after the other; the city itself has none and founds schools.
_OF_TOWNSHIPS = _kinds(
    "public",
    """
    S 11 65 {place}{locality}镇人民政府
    P 12 60 {place}{locality}镇中心小学
    P 12 55 {place}{locality}镇中学
    Q 12 38 {place}{locality}镇中心卫生院
    """,
)
_OF_THE_CITY = _kinds(
    "public",
    """
    P 12 90 {place}{locality}小学
    P 12 130 {place}{locality}中学
    P 12 30 {place}{locality}幼儿园
    Q 12 45 {place}{locality}社区卫生服务中心
    """,
)
_OTHERS = {
    "state_owned": _kinds(
        "state_owned",
        """
        J 91 260 {place}{brand}农村商业银行股份有限公司
        L 91 150 {place}{brand}城市建设投资集团有限公司
        D 91 130 {place}{brand}供水有限责任公司
        D 91 160 {place}{brand}电力供应有限公司
        G 91 170 {place}{brand}公共交通有限公司
        F 91 50 {place}{brand}粮食收储有限公司
        R 91 70 {place}{brand}旅游开发投资有限公司
        E 91 140 {place}{brand}路桥工程有限公司
        K 91 35 {place}{brand}国有资产运营有限公司
        N 91 60 {place}{brand}水务环境有限公司
        """,
    ),
    "collective": _kinds(
        "collective",
        """
        F 91 12 {place}{brand}供销合作社
        E 91 40 {place}{brand}建筑工程公司
        C 91 25 {place}{brand}工艺美术厂
        G 91 18 {place}{brand}搬运装卸公司
        """,
    ),
    "foreign": _kinds(
        "foreign",
        """
        C 91 160 {brand}光学（江西）有限公司
        C 91 190 {brand}电子科技（江西）有限公司
        C 91 110 {brand}服饰（上饶）有限公司
        C 91 90 {brand}食品（江西）有限公司
        F 91 40 {brand}商业管理（上饶）有限公司
        """,
    ),
    "private": _kinds(
        "private",
        """
        E 91 22 {place}{brand}建筑工程有限公司
        E 91 9 {place}{brand}装饰工程有限公司
        F 91 6 {place}{brand}贸易有限公司
        F 91 7 {place}{brand}商贸有限公司
        F 91 12 {place}{brand}大药房连锁有限公司
        G 91 14 {place}{brand}物流有限公司
        H 91 18 {place}{brand}酒店管理有限公司
        H 91 9 {place}{brand}餐饮管理有限公司
        I 91 8 {place}{brand}网络科技有限公司
        I 91 10 江西{brand}信息技术有限公司
        K 91 15 {place}{brand}房地产开发有限公司
        K 91 20 {place}{brand}物业服务有限公司
        L 91 30 {place}{brand}人力资源服务有限公司
        L 91 4 {place}{brand}财务咨询有限公司
        M 91 11 江西{brand}工程设计有限公司
        M 91 9 {place}{brand}检测技术有限公司
        N 91 10 {place}{brand}园林绿化有限公司
        O 91 7 {place}{brand}汽车维修有限公司
        O 91 6 {place}{brand}家政服务有限公司
        P 91 10 {place}{brand}教育咨询有限公司
        Q 91 12 {place}{brand}口腔门诊部有限公司
        R 91 7 {place}{brand}文化传媒有限公司
        A 91 8 {place}{brand}农业开发有限公司
        B 91 35 {place}{brand}矿业有限责任公司
        C 91 14 {place}{brand}茶业有限公司
        C 91 40 江西{brand}光学科技有限公司
        C 91 55 江西{brand}电子有限公司
        C 91 180 江西{brand}新能源材料股份有限公司
        C 91 22 {place}{brand}食品有限公司
        C 91 35 {place}{brand}服饰有限公司
        C 91 18 {place}{brand}石材有限公司
        C 91 25 {place}{brand}机械制造有限公司
        D 91 12 {place}{brand}水电开发有限公司
        """,
    ),
    "civil": _kinds(
        "civil",
        """
        P 52 12 {place}{brand}幼儿园
        P 52 50 {place}{brand}学校
        Q 52 6 {place}{brand}社会工作服务中心
        Q 52 14 {place}{brand}养老服务中心
        S 51 4 {place}{brand}商会
        """,
    ),
    "other": _kinds(
        "other",
        """
        L 31 9 江西{brand}（{place}）律师事务所
        A 93 5 {place}{brand}种养殖农民专业合作社
        """,
    ),
}
# What an import, a list and a paper must bear: a name of 50 characters, and brackets in a name (thousands of members).
_FIRST_OF_ALL = _Kind(
    "private",
    "G",
    "91",
    30,
    "{place}信江河谷城镇群农产品冷链仓储物流与电子商务综合服务供应链管理及技术研发示范推广中心有限责任公司",
)
_LAST_OF_ALL = _Kind("state_owned", "B", "91", 4200, "{place}铜云矿业（集团）有限责任公司")

_NATURE_WEIGHTS = {
    "public": 37,
    "state_owned": 6,
    "collective": 2,
    "foreign": 2,
    "private": 46,
    "civil": 5,
    "other": 2,
}
# Public bodies of a kind are alike, companies aren't: the sigma of the log-normal spread round the typical size.
_SPREADS = {"public": 0.18, "state_owned": 0.5}
_SPREAD_OF_COMPANIES = 0.9

_BRAND_FIRST = "鸿瑞恒泰华盛远嘉宏天金丰景润信赣灵怀玉明创锦德盈卓旭"
_BRAND_SECOND = "达诚图佑穗源和泽通腾辉隆昌宇洋益鑫峰美科邦安"
_LOCALITY_FIRST = "石青大莲枫湖梅云古清田上双金桐"
_LOCALITY_SECOND = "塘山源溪桥港岭坊坑畈"
_NUMERALS = "一二三四五六七八九十"
_ROADS = ("人民路", "解放路", "中山路", "滨江大道", "凤凰大道", "紫阳路", "庆丰路", "建设路", "广场北路", "工业大道")
_PAY_DAYS = (5, 8, 10, 10, 10, 12, 15, 15, 15, 20, 25)
# Ratios in per cent, and how often each is chosen; public bodies pay what the budget gives, the ceiling.
_RATIOS = {
    "public": {12: 1},
    "state_owned": {8: 10, 10: 20, 12: 70},
    "foreign": {5: 40, 6: 5, 8: 30, 10: 15, 12: 10},
}
_RATIOS_OF_COMPANIES = {5: 48, 6: 8, 7: 6, 8: 20, 9: 2, 10: 9, 11: 1, 12: 6}


# The average at which the typical sizes above hold, so that a city of 6,000 employers and 350,000 members has them.
_AVERAGE_SIZE = 58
_SERIALS = 1_000_000
_ORGANISATION_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714

# [illustrative] the dated row of 2025-07-01 (collection.md, A4); whoever has the row in force passes it.
BASE_FLOOR = Decimal("1850.00")
BASE_CAP = Decimal("24333.00")
_AT_FLOOR = {"private": 0.04, "collective": 0.04, "civil": 0.05, "other": 0.04}  # shares who declare just the floor …
_AT_CAP = 0.003  # … and who earn more than the cap
_MEDIAN_BASES = {"public": 5900, "state_owned": 5900, "foreign": 5300}  # yuan a month
_MEDIAN_BASE_OF_COMPANIES = 4600
_INDUSTRY_PAYS = {"B": 1.15, "D": 1.15, "I": 1.15, "J": 1.3, "O": 0.85, "H": 0.85}
_BASE_SPREAD = 0.38

_BRANCH_POSTS = (("jingban", "clerk"), ("fuhe", "reviewer"), ("chuna", "cashier"))
_CENTRE_POSTS = (
    ("shenpi", "approver"),
    ("kuaiji", "accountant"),
    ("jihe", "auditor"),
    ("zhuren", "manager"),
    ("xitong", "admin"),
)


class _Draft(NamedTuple):
    kind: _Kind
    branch: Branch
    name: str


def organisations(count: int, members: int, *, seed: int, branches: Sequence[Branch] = BRANCHES) -> list[Organisation]:
    """`count` employers with `members` members together, at least one in each branch, in the order of the branches.

    Sizes are heavy-tailed, and one employer has only two or three people, wherever the two counts allow it.
    ValueError for fewer employers than branches, for fewer members than employers, for more than a million employers.
    """
    if not 0 < len(branches) <= count <= min(members, _SERIALS):
        raise ValueError(f"{count} employers for {len(branches)} branches and {members} members")
    rng = Random(f"organisations {seed}")
    drafts = list(_drafts(rng, count, branches))
    sizes = _sizes(rng, [draft.kind for draft in drafts], members)
    first_serial = rng.randrange(_SERIALS)
    return [
        Organisation(
            name=draft.name,
            # 7919 has no factor in common with a million: no serial comes twice.
            credit_code=_credit_code(draft.kind, draft.branch, (first_serial + nth * 7919) % _SERIALS),
            nature=draft.kind.nature,
            industry=draft.kind.industry,
            branch=draft.branch.code,
            size=size,
            ratio=_ratio(rng, draft.kind.nature),
            pay_day=rng.choice(_PAY_DAYS),
            address=_address(rng, draft.branch),
            legal_person=full_name(rng),
            contact=full_name(rng),
            phone=phone(rng),
        )
        for nth, (draft, size) in enumerate(zip(drafts, sizes, strict=True))
    ]


def base(rng: Random, organisation: Organisation, *, floor: Decimal = BASE_FLOOR, cap: Decimal = BASE_CAP) -> Decimal:
    """缴存基数 of one who works there: yuan with fen, log-normal, within floor and cap, some exactly at either."""
    lot = rng.random()
    if lot < _AT_FLOOR.get(organisation.nature, 0):
        return floor
    if lot > 1 - _AT_CAP:
        return cap
    median = _MEDIAN_BASES.get(organisation.nature, _MEDIAN_BASE_OF_COMPANIES)
    centre = math.log(100 * median * _INDUSTRY_PAYS.get(organisation.industry, 1))
    # The lot is drawn in whole fen; from there on it is a Decimal.
    wage = Decimal(int(rng.lognormvariate(centre, _BASE_SPREAD))).scaleb(-2)
    return min(max(wage, floor), cap)


def staff(branches: Sequence[Branch] = BRANCHES, *, seed: int) -> list[Staff]:
    """经办, 复核 and 出纳 of each branch (poyang.jingban), 审批, 会计, 稽核, 主任 and 系统管理 of the centre (kuaiji).

    One role each, and no two of the same name: whoever changes roles in the demo reads who they are.
    """
    rng = Random(f"staff {seed}")
    posts: list[tuple[str, str, str | None]] = [
        *((f"{branch.pinyin}.{post}", role, branch.code) for branch in branches for post, role in _BRANCH_POSTS),
        *((post, role, None) for post, role in _CENTRE_POSTS),
    ]
    names: dict[str, None] = {}
    while len(names) < len(posts):
        names[full_name(rng)] = None
    return [Staff(username, name, role, code) for (username, role, code), name in zip(posts, names, strict=True)]


def _drafts(rng: Random, count: int, branches: Sequence[Branch]) -> Iterator[_Draft]:
    """Who there is, branch by branch."""
    taken: set[str] = set()
    counts = _apportion(count - len(branches), [branch.share for branch in branches])
    for branch, others in zip(branches, counts, strict=True):
        public = _public_bodies(branch)
        for nth in range(1 + others):
            if branch is branches[0] and nth == 0:
                kind = _FIRST_OF_ALL
            elif branch is branches[-1] and nth == others:
                kind = _LAST_OF_ALL
            else:
                kind = _kind(rng, public)
            name = _name(rng, kind, branch, taken)
            taken.add(name)
            yield _Draft(kind, branch, name)


def _kind(rng: Random, public: Iterator[_Kind]) -> _Kind:
    """One more employer of a branch; a company when the lot falls on a public body and it has them all."""
    (nature,) = rng.choices([*_NATURE_WEIGHTS], [*_NATURE_WEIGHTS.values()])
    body = next(public, None) if nature == "public" else None
    return body or rng.choice(_OTHERS.get(nature, _OTHERS["private"]))


def _public_bodies(branch: Branch) -> Iterator[_Kind]:
    """Those of one branch, the great ones first; those are the greater the more people live there."""
    growth = math.sqrt(branch.share / _AVERAGE_SHARE)
    yield from (kind._replace(typical=max(3, round(kind.typical * growth))) for kind in _PUBLIC)
    if branch.division_code in COUNTY_CODES:
        kinds = _OF_TOWNSHIPS
        localities = [first + second for second in _LOCALITY_SECOND for first in _LOCALITY_FIRST]
    else:
        kinds = _OF_THE_CITY
        localities = [f"第{ten}十{one}" for ten in ("", *"二三四五六七八九") for one in _NUMERALS[:9]]
    for locality in localities:
        yield from (kind._replace(name=kind.name.replace("{locality}", locality)) for kind in kinds)


def _name(rng: Random, kind: _Kind, branch: Branch, taken: set[str]) -> str:
    """A public body's name is its own; two companies may draw the same brand, and the second makes it longer."""
    brand = ""
    while True:
        brand += rng.choice(_BRAND_FIRST) + rng.choice(_BRAND_SECOND)
        name = kind.name.format(place=branch.place, brand=brand)
        if name not in taken:
            return name


def _sizes(rng: Random, kinds: Sequence[_Kind], members: int) -> list[int]:
    # In a small city 3,200 against 6 would leave everybody else with two people: the tail shrinks with the average.
    tail = min(1.0, math.log(members / len(kinds)) / math.log(_AVERAGE_SIZE))
    weights = [
        1 + int(1000 * (kind.typical * rng.lognormvariate(0, _SPREADS.get(kind.nature, _SPREAD_OF_COMPANIES))) ** tail)
        for kind in kinds
    ]
    least = 2 if members >= 2 * len(kinds) else 1
    sizes = [least + more for more in _apportion(members - least * len(kinds), weights)]
    if not {2, 3} & set(sizes):
        by_size = sorted(range(len(sizes)), key=sizes.__getitem__)
        smallest, largest = by_size[0], by_size[-1]
        moved = sizes[smallest] - (3 if sizes[smallest] > 3 else 2)
        if sizes[largest] + moved > 1:
            sizes[smallest] -= moved
            sizes[largest] += moved
    return sizes


def _apportion(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts by weight, by the largest remainder; the parts sum to it exactly."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda nth: total * weights[nth] % whole, reverse=True)
    for nth in by_remainder[: total - sum(parts)]:
        parts[nth] += 1
    return parts


def _credit_code(kind: _Kind, branch: Branch, serial: int) -> str:
    """统一社会信用代码: registrar, division, the nine characters of GB 11714 with their own check character, check."""
    organisation = f"{'MA' if kind.registrar.startswith('9') else '01'}{serial:06d}"
    total = sum(
        int(character, 36) * weight for character, weight in zip(organisation, _ORGANISATION_CODE_WEIGHTS, strict=True)
    )
    body = f"{kind.registrar}{branch.division_code}{organisation}{'0123456789X'[-total % 11]}"
    return body + uscc.calc_check_digit(body)


def _ratio(rng: Random, nature: str) -> Decimal:
    ratios = _RATIOS.get(nature, _RATIOS_OF_COMPANIES)
    return Decimal(rng.choices([*ratios], [*ratios.values()])[0]).scaleb(-2)


def _address(rng: Random, branch: Branch) -> str:
    # A county is named behind its city, a district has it in its name, and 德兴 is a city itself.
    city = "" if branch.place.startswith("上饶市") or branch.place.endswith("市") else "上饶市"
    return f"江西省{city}{branch.place}{rng.choice(_ROADS)}{rng.randrange(1, 400)}号"
