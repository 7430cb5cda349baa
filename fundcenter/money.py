"""Money: exact decimals in yuan. The only place of the project that rounds or writes an amount."""

from decimal import ROUND_HALF_UP, Decimal

import cn2an

FEN = Decimal("0.01")


def round_half_up(amount: Decimal | int, unit: Decimal = FEN) -> Decimal:
    """`amount` rounded to whole `unit`s, a half going away from zero as in PostgreSQL's `round(numeric)`.

    `unit` is a power of ten written as such: 0.01 for the fen, 0.1 for the jiao, 1 for the yuan.
    TypeError for a float, ValueError for another unit: `quantize` would silently round Decimal("10") to whole yuan.
    """
    _refuse_float(amount)
    if unit.as_tuple().digits != (1,):
        raise ValueError(f"not a power of ten: {unit}")
    return Decimal(amount).quantize(unit, ROUND_HALF_UP)


def to_fen(amount: Decimal | int) -> int:
    """`amount` (yuan) in fen. ValueError unless it is exact: whoever writes an amount has rounded it before."""
    _refuse_float(amount)
    if not Decimal(amount).is_finite():
        raise ValueError(f"not an amount: {amount}")
    numerator, denominator = amount.as_integer_ratio()
    fen, rest = divmod(numerator * 100, denominator)
    if rest:
        raise ValueError(f"not in whole fen: {amount}")
    return fen


def text(amount: Decimal | int) -> str:
    """1102.04 for JSON, the API and files; ValueError unless in whole fen."""
    sign, yuan, fen = _parts(amount)
    return f"{sign}{yuan}.{fen:02d}"


def grouped(amount: Decimal | int) -> str:
    """1,102.04 for screens and papers; ValueError unless in whole fen."""
    sign, yuan, fen = _parts(amount)
    return f"{sign}{yuan:,}.{fen:02d}"


def capitals(amount: Decimal | int) -> str:
    """壹仟壹佰零贰元零肆分, up to 16 digits of yuan (our numeric(18,2)); ValueError beyond and unless in whole fen.

    《支付结算办法》附一《正确填写票据和结算凭证的基本规定》: 整 after 元, none after 角 or 分; where a 零 is left to
    choice (1680.32, 107000.53) none is written. A negative amount begins with 负, of which the rule says nothing.
    """
    written: str = cn2an.an2cn(text(amount), "rmb")
    return written


def _parts(amount: Decimal | int) -> tuple[str, int, int]:
    fen = to_fen(amount)
    return "-" if fen < 0 else "", *divmod(abs(fen), 100)


def _refuse_float(amount: object) -> None:
    if isinstance(amount, float):
        raise TypeError(f"money is Decimal, not float: {amount}")
