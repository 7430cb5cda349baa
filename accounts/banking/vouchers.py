"""分录 of the bank. Source: accounting practice of 财会字〔1999〕33号; 219 by 财会字〔2000〕12号."""

from accounts.ledger.vouchers import Line, Template

# Money of an employer arrives: it is the employer's until a register says whose wages it is.
RECEIPT = Template(
    kind="receipt",
    name="银行到账",
    word="记",
    lines=(
        Line("借", "10101", holder="bank_account", amount="amount"),
        Line("贷", "21901", holder="payer", amount="amount"),
    ),
)
