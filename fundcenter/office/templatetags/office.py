"""Filters for every page and paper: amounts, amounts in capitals, months, rates. Nothing is written for None."""

from typing import Any

from django import template

from fundcenter import money as _money
from fundcenter import months

register = template.Library()


@register.filter
def money(value: Any) -> str:
    """1102.04 → 1,102.04"""
    return "" if _nothing(value) else _money.grouped(value)


@register.filter
def money_blank(value: Any) -> str:
    """As `money`, and nothing for zero: a column of debits beside a column of credits."""
    return money(value) if value else ""


@register.filter
def capitals(value: Any) -> str:
    """1102.04 → 壹仟壹佰零贰元零肆分"""
    return "" if _nothing(value) else _money.capitals(value)


@register.filter
def month(value: Any) -> str:
    """The date of a month's first day → 2026-03"""
    return "" if _nothing(value) else months.text(value)


@register.filter
def percent(value: Any) -> str:
    """0.12 → 12%, 0.075 → 7.5%"""
    return "" if _nothing(value) else f"{(value * 100).normalize():f}%"


def _nothing(value: Any) -> bool:
    return value is None or value == ""  # a template gives "" for a name that it does not know
