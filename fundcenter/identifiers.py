"""Numbers and names that identify: check digits, masks, and the form in which two of them are compared.

Everything here cleans what it is given first, except `account_valid`: an account number is exact or it is none.
"""

import re
import unicodedata
from datetime import date

from stdnum import numdb
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


def clean(text: str) -> str:
    """NFKC (full-width to half-width), without any space or invisible character, inside or around."""
    if text.isascii() and text.isalnum():
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
    area = _id(text)[:6]
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


# --- names ------------------------------------------------------------------------------------------------------------


def name_key(text: str) -> str:
    """The form in which names are compared: cleaned, with one middle dot for all its look-alikes."""
    return clean(text).translate(_DOTS)


def same_name(a: str, b: str) -> bool:
    return name_key(a) == name_key(b)


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
