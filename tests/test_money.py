from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundcenter import money

amounts = st.decimals(min_value=Decimal("-1e16"), max_value=Decimal("1e16"), places=2).filter(lambda a: abs(a) < 10**16)


@pytest.mark.parametrize(
    ("base", "percent", "to_yuan", "to_fen"),
    [  # collection.md A9 case 1
        ("5321.00", 8, "426.00", "425.68"),
        ("5321.00", 12, "639.00", "638.52"),
        ("1850.00", 5, "93.00", "92.50"),
        ("24333.00", 12, "2920.00", "2919.96"),
        ("6789.50", 7, "475.00", "475.27"),
    ],
)
def test_contribution_rounds_half_up(base, percent, to_yuan, to_fen):
    due = Decimal(base) * percent / 100
    assert money.text(money.round_half_up(due, Decimal("1"))) == to_yuan
    assert money.text(money.round_half_up(due)) == to_fen


def test_a_half_goes_away_from_zero():
    assert money.round_half_up(Decimal("0.005")) == Decimal("0.01")
    assert money.round_half_up(Decimal("-0.005")) == Decimal("-0.01")
    assert money.round_half_up(Decimal("2.5"), Decimal("1")) == 3


@pytest.mark.parametrize("function", [money.round_half_up, money.to_fen, money.text, money.grouped, money.capitals])
def test_a_float_is_no_money(function):
    with pytest.raises(TypeError):
        function(0.1)


@pytest.mark.parametrize("unit", ["10", "0.05", "2"])
def test_a_unit_that_quantize_would_misread_is_refused(unit):
    with pytest.raises(ValueError, match="power of ten"):
        money.round_half_up(Decimal("11"), Decimal(unit))


@pytest.mark.parametrize("amount", ["0.001", "1102.0400000000000000000000000000000001", "NaN", "Infinity"])
def test_what_is_not_in_whole_fen_is_not_written(amount):
    for function in (money.to_fen, money.text, money.grouped, money.capitals):
        with pytest.raises(ValueError, match="not"):
            function(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "text", "grouped"),
    [
        ("1102.04", "1102.04", "1,102.04"),
        ("1102.0400", "1102.04", "1,102.04"),
        ("1E+5", "100000.00", "100,000.00"),
        ("-0.05", "-0.05", "-0.05"),
        ("-1234567.8", "-1234567.80", "-1,234,567.80"),
        ("-0.00", "0.00", "0.00"),
        (0, "0.00", "0.00"),  # the sum of nothing
    ],
)
def test_writing(amount, text, grouped):
    assert money.text(Decimal(amount)) == text
    assert money.grouped(Decimal(amount)) == grouped


@given(amounts)
def test_what_is_written_is_the_amount(amount):
    assert Decimal(money.text(amount)) == amount
    assert Decimal(money.grouped(amount).replace(",", "")) == amount
    assert Decimal(money.to_fen(amount)).scaleb(-2) == amount


@pytest.mark.parametrize(
    ("amount", "capitals"),
    [
        # the examples of the rule itself; where it allows a 零 or none, we write none
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        # ours
        ("1102.04", "壹仟壹佰零贰元零肆分"),
        ("2130.00", "贰仟壹佰叁拾元整"),
        ("1005.50", "壹仟零伍元伍角"),
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角"),
        ("10", "壹拾元整"),
        ("100000", "壹拾万元整"),
        ("100000000", "壹亿元整"),
        ("100010000.01", "壹亿零壹万元零壹分"),
        ("20000001", "贰仟万零壹元整"),
        ("1000000000000", "壹万亿元整"),
        ("-2130.00", "负贰仟壹佰叁拾元整"),
        ("-0.05", "负伍分"),
        ("-0.00", "零元整"),
    ],
)
def test_capitals(amount, capitals):
    assert money.capitals(Decimal(amount)) == capitals


@given(amounts)
def test_capitals_say_the_amount(amount):
    capitals = money.capitals(amount)
    assert _read(capitals) == amount
    assert capitals.endswith("整") == (amount == amount.to_integral_value())
    assert not any(wrong in capitals for wrong in ("零零", "零万", "零亿", "亿万", "零角", "零分"))


def test_seventeen_digits_of_yuan_are_refused():
    with pytest.raises(ValueError, match="16"):
        money.capitals(Decimal(10**16))


def _read(capitals: str) -> Decimal:
    """The amount that capitals say, read from left to right."""
    total = section = myriads = digit = fen = 0
    for character in capitals.removeprefix("负"):
        if character in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(character)
        elif character in "拾佰仟":
            section, digit = section + digit * 10 ** ("拾佰仟".index(character) + 1), 0
        elif character == "万":
            myriads, section, digit = (section + digit) * 10**4, 0, 0
        elif character == "亿":
            total, myriads, section, digit = (myriads + section + digit) * 10**8, 0, 0, 0
        elif character == "元":
            total, digit = total + myriads + section + digit, 0
        elif character in "角分":
            fen, digit = fen + digit * (10 if character == "角" else 1), 0
    amount = Decimal(total * 100 + fen).scaleb(-2)
    return -amount if capitals.startswith("负") else amount
