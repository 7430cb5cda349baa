"""What a voucher template is. Each room's own ``vouchers.py`` is written in these words: the accountant's page.

A template names, for each line, side, account, and which columns of the document hold the holder and the amount.
The document's rows are given at posting, as two sets: ``slip`` (one row a voucher) and ``detail`` (rows of a voucher).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Line:
    """One line: columns named here are columns of the set ``each``; amounts in yuan, negative in a red letter."""

    side: Literal["借", "贷"]
    account: str
    amount: str
    holder: str | None = None
    employer: str | None = None
    each: Literal["slip", "detail"] = "slip"


@dataclass(frozen=True)
class Template:
    """分录模板 of one kind of voucher. ``word`` is what its numbers run under: 批 for kinds born of files and jobs, 记 for
    the counters, so that nobody waits for a run's numbers."""

    kind: str
    name: str
    word: Literal["记", "批"]
    lines: tuple[Line, ...]


TEMPLATES: list[Template] = []
"""Every room's, added in its ``ready()``; migrate writes their kinds into ledger_kind."""
