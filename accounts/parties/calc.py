"""Pure functions over names."""

import unicodedata

from pypinyin import Style, lazy_pinyin

# Surnames whose initial pypinyin misses or that are read both ways: the surname's reading first, then the one a clerk
# may type who doesn't know it. 朴 缪 盖 薄 员 葛 任 and their like are misread too, but begin with the same letter.
_SURNAME_READINGS = {
    "单": "shan dan",
    "仇": "qiu chou",
    "解": "xie jie",
    "查": "zha cha",
    "翟": "zhai di",
    "曾": "zeng ceng",
    "区": "ou qu",
    "覃": "qin tan",
    "乐": "yue le",
    "阚": "kan han",
    "种": "chong zhong",
    "折": "she zhe",
    "召": "shao zhao",
    "祭": "zhai ji",
    "谌": "chen shen",
    "隗": "wei kui",
    "繁": "po fan",
    "能": "nai neng",
    "郇": "xun huan",
    "郗": "chi xi",
    "郄": "qie xi",
    "粘": "nian zhan",
    "秘": "bi mi",
    "句": "gou ju",
    "佴": "nai er",
    "乜": "nie mie",
    "尉": "wei yu",
    "尉迟": "yu-chi wei-chi",
    "万俟": "mo-qi wan-qi wan-si",
    "长孙": "zhang-sun chang-sun",
    "澹台": "tan-tai dan-tai",
    "单于": "chan-yu shan-yu dan-yu",  # also 单 with a given name that begins with 于
}
_SURNAMES = {
    surname: tuple("".join(syllable[0] for syllable in reading.split("-")).upper() for reading in readings.split())
    for surname, readings in _SURNAME_READINGS.items()
}


class _Initials(dict[int, str]):
    """A table for `str.translate` that learns each character once: asking pypinyin is slow, and names have few."""

    def __missing__(self, code: int) -> str:
        found = lazy_pinyin(chr(code), style=Style.FIRST_LETTER, errors="ignore")
        latin = unicodedata.normalize("NFKD", found[0] if found else chr(code))
        initial = self[code] = "".join(c for c in latin if c.isascii() and c.isalnum()).upper()
        return initial


_INITIALS = _Initials(
    {
        ord("长"): "C",  # pypinyin reads zhǎng (to grow), names mean cháng (long)
        ord("晟"): "S",
        0xE863: "Y",  # 䶮 where GB18030-2000 had it, in the private use area; old bank and employer files still do
    }
)


def pinyin_initials(name: str) -> str:
    """ZS for 张三; both for a surname with two readings, its own first: "ZX CX" for 查 and a given name on X.

    Upper case. Latin letters and digits stay, dots, brackets and spaces go, and so does a character without a reading
    in pypinyin, so that the result may be empty. At most three readings: 50 characters give up to 152.
    """
    for length in (2, 1):
        if readings := _SURNAMES.get(name[:length]):
            rest = name[length:].translate(_INITIALS)
            return " ".join(reading + rest for reading in readings)
    return name.translate(_INITIALS)
