"""Numbers and names that identify: check digits, masks, and the form in which two of them are compared.

Everything here cleans what it is given first, except `account_valid`: an account number is exact or it is none.
"""

import re
import unicodedata
from datetime import date
from functools import cache

from stdnum import luhn, numdb
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_97_10

# Spaces, controls and formats (zero width, BOM, direction); then what counts as a letter or mark and shows nothing:
# joiner, Hangul and Khmer fillers, variation selectors. Nobody sees or means any of them.
_INVISIBLE_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅.", "·"))  # after NFKC, which turns ．into . and ･ into ・

_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
# GB 32100-2015: registering authority and type may be letters (N251… for rural collectives); stdnum wants digits there.
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_CARD = re.compile(r"[0-9]{12,19}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_TELEPHONE = re.compile(
    r"(?:\(?0[1-9][0-9]{1,2}\)?-?)?[1-9][0-9]{6,7}(?:-[0-9]{1,6})?|[48]00-?[0-9]{3}-?[0-9]{4}|1[3-9][0-9]{9}"
)
# What may be somebody's number inside other text: 15 to 19 digits in a row, the last one perhaps an X.
_PERSONAL = re.compile(r"[0-9]{14,18}[0-9Xx]")


def clean(text: str) -> str:
    """NFKC (full-width to half-width), without any space or invisible character, inside or around."""
    if not text or (text.isascii() and text.isalnum()):
        return text
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    visible = "".join(sign for sign in folded if unicodedata.category(sign) not in _INVISIBLE_CATEGORIES)
    return unicodedata.normalize("NFKC", visible)  # what stood between a letter and its accent may be gone


# --- resident identity numbers, GB 11643-1999 -------------------------------------------------------------------------


def id_number_problem(text: str) -> str | None:
    """What is wrong with an 18-digit 居民身份证号码: id_length (also of wrong characters), id_birth, id_checksum.

    Not `ric.validate`: it demands that the county existed in the year of birth and refuses good numbers.
    """
    number = _id(text)
    if not _ID_NUMBER.fullmatch(number):
        return "id_length"
    try:
        _birth_date(number)
    except ValueError:
        return "id_birth"
    return None if number[-1] == ric.calc_check_digit(number) else "id_checksum"


def id_birth_date(text: str) -> date:
    """ValueError for a number that `id_number_problem` finds wrong."""
    return _birth_date(_valid_id(text))


def id_sex(text: str) -> str:
    """男 or 女, by the parity of the sequence number. ValueError for a number that `id_number_problem` finds wrong."""
    return "男" if int(_valid_id(text)[16]) % 2 else "女"


def id_area_known(text: str) -> bool:
    """Whether the first six digits ever named a county; a No deserves a warning, not a refusal."""
    return _county(_id(text)[:6])


@cache
def _county(area: str) -> bool:
    # 港澳台居民居住证 begin with 810000, 820000, 830000; the last isn't in stdnum's table.
    return area == "830000" or any("county" in found for _, found in numdb.get("cn/loc").info(area))


def mask_id(text: str) -> str:
    """362330********0418; of any other document the first and last two characters."""
    number = _id(text)
    return _mask(number, 6, 4) if len(number) == 18 else _mask(number, 2, 2)


def mask_phone(text: str) -> str:
    """138****5678; of any other number the first and last two digits."""
    number = clean(text)
    return _mask(number, 3, 4) if len(number) == 11 else _mask(number, 2, 2)


def mask_card(text: str) -> str:
    """6222********0018."""
    return _mask(clean(text), 4, 4)


def holds_id(text: str) -> bool:
    """Whether a resident's identity number stands somewhere in the text."""
    return any(id_number_problem(found) is None for found in _PERSONAL.findall(text))


def veiled(text: str) -> str:
    """The text with every long number in it masked: what may be quoted of a cell that holds something else than it should."""
    return _PERSONAL.sub(lambda found: _mask(found[0], 6, 4), text)


# --- telephones and bank cards ----------------------------------------------------------------------------------------


def is_mobile(text: str) -> bool:
    return bool(_MOBILE.fullmatch(clean(text)))


def is_telephone(text: str) -> bool:
    """A mobile, a number of a town with or without its code and extension, or one of 400 and 800."""
    return bool(_TELEPHONE.fullmatch(clean(text)))


def is_card(text: str) -> bool:
    """A bank card: 12 to 19 digits with Luhn's check digit, ISO/IEC 7812. An employer's account has no such digit."""
    number = clean(text)
    return bool(_CARD.fullmatch(number)) and bool(luhn.is_valid(number))


# --- employers, GB 32100-2015 -----------------------------------------------------------------------------------------


def credit_code_problem(text: str) -> str | None:
    """What is wrong with a 统一社会信用代码: credit_code_length (also of wrong characters), credit_code_checksum."""
    code = clean(text).upper()
    if not _CREDIT_CODE.fullmatch(code):
        return "credit_code_length"
    return None if code[-1] == uscc.calc_check_digit(code[:-1]) else "credit_code_checksum"


# --- our own account numbers: prefix(2) sequence(8) check(2), ISO 7064 mod 97-10 -------------------------------------


def employer_account(branch: str, sequence: int) -> str:
    """单位账号: the two digits of the branch that opened it. ValueError if a part doesn't fit."""
    return with_check(f"{branch}{sequence:08d}")


def member_account(prefix: str, sequence: int) -> str:
    """个人账号: the two digits of the province. ValueError if a part doesn't fit."""
    return with_check(f"{prefix}{sequence:08d}")


def with_check(body: str) -> str:
    """Ten digits and their two check digits. ValueError for another body."""
    if not re.fullmatch(r"[0-9]{10}", body):
        raise ValueError(f"not ten digits: {body!r}")
    return body + mod_97_10.calc_check_digits(body)


def account_valid(text: str) -> bool:
    """Whether this is a whole account number of ours, employer's or member's, exactly as written."""
    return bool(_ACCOUNT.fullmatch(text)) and mod_97_10.is_valid(text)


# --- numbers of papers: 15 characters by chance and a check character, Luhn mod 32 --------------------------------------

# Crockford's base 32: none of I, L, O, U, which are read as 1, 1, 0, V.
PAPER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAPER = re.compile(f"[{PAPER_ALPHABET}]{{16}}")
_READ_AS = str.maketrans("ILOU", "110V")


def paper_number(body: str) -> str:
    """验证码: the body and its check character, which tells every single mistyped character."""
    return body + luhn.calc_check_digit(body, PAPER_ALPHABET)


def read_paper_number(text: str) -> str | None:
    """The number that somebody typed, with or without its dashes; None when it can be none."""
    number = clean(text).upper().replace("-", "").translate(_READ_AS)
    return number if _PAPER.fullmatch(number) and luhn.is_valid(number, PAPER_ALPHABET) else None


def grouped(number: str) -> str:
    """7K2M-9QXD-04TV-B8H3, as it is printed and read aloud."""
    return "-".join(number[at : at + 4] for at in range(0, len(number), 4))


# --- names ------------------------------------------------------------------------------------------------------------


def mask_name(text: str) -> str:
    """*䶮, 鄱阳***中学: what a stranger may see of a name, enough to compare it with the one on the paper."""
    return _mask(text, 0, 1) if len(text) <= 4 else _mask(text, 2, 2)


def name_key(text: str) -> str:
    """The form in which names are compared: cleaned, with one middle dot for all its look-alikes."""
    return clean(text).translate(_DOTS)


def same_name(a: str, b: str) -> bool:
    return name_key(a) == name_key(b)


def person_name(text: str) -> str:
    """A person's name as it is kept: half-width, one middle dot for its look-alikes, spaces only between Latin words.

    ValueError unless it has 2 to 50 characters, all of them letters of some script but for dots, hyphens and apostrophes
    within. Rare characters are letters, also where old files have them in the private use area.
    """
    name = " ".join(map(clean, text.split())) if text.isascii() else name_key(text)
    inner = name.strip("·-'")
    if not 2 <= len(name) <= 50 or inner != name or not all(map(_in_names, name)):
        raise ValueError("not a name")
    return name


def _in_names(sign: str) -> bool:
    return (
        sign in " ·-'"
        or unicodedata.category(sign)[0] == "L"
        or unicodedata.category(sign) == "Co"
        or sign > "\U00020000"
    )


def _id(text: str) -> str:
    return clean(text).upper()


def _valid_id(text: str) -> str:
    if problem := id_number_problem(text):
        raise ValueError(problem)
    return _id(text)


def _birth_date(number: str) -> date:
    """ValueError unless it is a day of 1900 to 2099."""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    if not 1900 <= born.year <= 2099:
        raise ValueError(f"nobody of ours is born in {born.year}")
    return born


def _mask(text: str, head: int, tail: int) -> str:
    """Something short shows nothing: of four characters, four shown would be no mask."""
    hidden = len(text) - head - tail
    return text[:head] + "*" * hidden + text[-tail:] if hidden > 0 else "*" * len(text)
