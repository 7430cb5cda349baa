"""A voucher's number as people write it."""

from datetime import date

import pytest

from accounts.ledger.calc import VoucherNumber, voucher_number

MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("记-000123", VoucherNumber("记", 123, None)),
        ("记123", VoucherNumber("记", 123, None)),
        ("记字第123号", VoucherNumber("记", 123, None)),
        ("批－０００１２３", VoucherNumber("批", 123, None)),
        ("2026-03 记-000123", VoucherNumber("记", 123, MARCH)),
        ("2026年3月记字第123号", VoucherNumber("记", 123, MARCH)),
        ("202603记123", VoucherNumber("记", 123, MARCH)),
        ("记-000123 2026-03", VoucherNumber("记", 123, MARCH)),
        ("记-000123，2026年3月", VoucherNumber("记", 123, MARCH)),
        ("2026-13 记-1", None),
        ("张三", None),
        ("123", None),
        ("HJ202603-000012", None),
        ("", None),
    ],
)
def test_voucher_number(text: str, found: VoucherNumber | None) -> None:
    assert voucher_number(text) == found
