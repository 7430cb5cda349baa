"""分录 of contributions. Source: 财会字〔1999〕33号; 219 by 财会字〔2000〕12号."""

from accounts.ledger.vouchers import Line, Template

# 汇缴: the employer's suspense becomes its members' money, line by line.
REMITTANCE = Template(
    kind="remittance",
    lines=(
        Line("借", "21901", holder="employer", amount="total"),
        Line("贷", "201", holder="member", employer="employer", amount="amount", each="detail"),
    ),
)
