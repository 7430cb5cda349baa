"""Why money that arrived is not taken."""

from fundcenter.office.refusals import Refusal

RECEIPT_KNOWN = Refusal(
    "receipt_known", "银行流水号 {found} 的到账已登记为 {number}，未重复入账；请核对流水号。", "JGJ/T 474-2019"
)
RECEIPT_JUST_TAKEN = Refusal("receipt_known", "该银行流水号的到账刚由另一个窗口登记，未重复入账。", "JGJ/T 474-2019")
AMOUNT_NOT_POSITIVE = Refusal("negative_amount", "到账金额 {found} 须大于 0，且不超过两位小数。")
NO_ACCOUNT = Refusal("bank_account_missing", "尚未登记归集户，无法入账；请先登记受委托银行的归集户。")
BANK_ACCOUNT_KNOWN = Refusal("bank_account_known", "归集户 {found} 已登记，未重复登记；请核对账号。")

BY_CONSTRAINT = {"banking_receipt_reference": RECEIPT_JUST_TAKEN}
