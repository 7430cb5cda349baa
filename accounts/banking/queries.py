"""Set-based SQL of the bank."""

RECEIPT_SLIPS = """
select r.id as key, r.branch_id as branch, '银行到账 ' || r.reference as summary, 1 as attachments,
       r.bank_account_id as bank_account, r.holder_id as payer, r.amount as amount
  from banking_receipt r where r.id = any(%(receipts)s)
"""
RECEIPTS_POSTED = """
update banking_receipt r set voucher_id = v.id
  from ledger_voucher v where r.id = any(%(receipts)s) and v.kind_id = 'receipt' and v.source = r.id::text
"""

CHECKS = (
    """
    select format('到账 %s 已入账而无凭证', r.id) from banking_receipt r
      left join ledger_voucher v on v.id = r.voucher_id and v.kind_id = 'receipt' and v.source = r.id::text
     where (r.state = 'posted') <> (v.id is not null) or v.amount <> r.amount
    """,
    """
    select format('凭证 %s 的到账 %s 不存在', v.id, v.source) from ledger_voucher v
      left join banking_receipt r on r.voucher_id = v.id and r.id::text = v.source
     where v.kind_id = 'receipt' and r.id is null
    """,
)
