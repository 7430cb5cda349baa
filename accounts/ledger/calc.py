"""Pure functions over what people write of vouchers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from fundcenter import months

_MONTH = r"(?:[0-9]{4}[-/.年][0-9]{1,2}月?份?|[0-9]{6})"
_NUMBER = re.compile(
    rf"(?P<before>{_MONTH})?[ ,，]*(?P<word>[\u4e00-\u9fff])字?第?[ -]*(?P<number>[0-9]{{1,12}})号?"
    rf"(?:[ ,，]+(?P<after>{_MONTH}))?"
)


@dataclass(frozen=True)
class VoucherNumber:
    """A voucher's number as somebody wrote it; without a month it may mean one in every month."""

    word: str
    number: int
    month: date | None


def voucher_number(text: str) -> VoucherNumber | None:
    """记-000123, 记123, 记字第123号, with its month before or after: 2026-03 记-123. None for anything else.

    Numbers begin anew every month and in every branch, so that only with the month is it one voucher of a branch.
    """
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    written = found["before"] or found["after"]
    try:
        month = months.parse(written) if written else None
    except ValueError:
        return None
    return VoucherNumber(found["word"], int(found["number"]), month)
