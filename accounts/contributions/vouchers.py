"""分录 of contributions. Source: 财会字〔1999〕33号; 219 by 财会字〔2000〕12号."""

from accounts.ledger.vouchers import Line, Template

# 错缴退回: what was paid wrongly goes back into the employer's suspense…
REFUND = Template(
    kind="refund",
    name="错缴退回",
    word="批",
    lines=(
        Line("借", "201", holder="member", employer="employer", amount="amount", each="detail"),
        Line("贷", "21901", holder="employer", amount="total"),
    ),
)

# … and from there to the employer's bank.
REFUND_PAYMENT = Template(
    kind="refund_payment",
    name="退款支付",
    word="记",
    lines=(
        Line("借", "21901", holder="employer", amount="total"),
        Line("贷", "10101", holder="bank_account", amount="total"),
    ),
)

# 汇缴: the employer's suspense becomes its members' money, line by line.
REMITTANCE = Template(
    kind="remittance",
    name="汇缴",
    word="批",
    lines=(
        Line("借", "21901", holder="employer", amount="total"),
        Line("贷", "201", holder="member", employer="employer", amount="amount", each="detail"),
    ),
)
