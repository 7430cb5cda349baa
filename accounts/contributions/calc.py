"""Arithmetic of contributions, pure."""

from decimal import Decimal

from fundcenter.money import FEN, round_half_up

ROUNDING_UNITS = {"yuan": Decimal(1), "fen": FEN}


def monthly_amount(*, base: Decimal, ratio: Decimal, rounding: str) -> Decimal:
    """One side's monthly contribution (月缴存额), in yuan: base × ratio, half up to the unit that the rule in force names.

    Each side apart; the sum is never rounded. Source: 《住房公积金管理条例》第十六条; rounding by the centre's rule.
    KeyError for a rounding that no rule knows.
    """
    return round_half_up(round_half_up(base * ratio, ROUNDING_UNITS[rounding]), FEN)
