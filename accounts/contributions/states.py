"""How the documents of this room move."""

from dataclasses import replace

from fundcenter.office.states import intake_machine
from fundcenter.states import Move

BATCH = intake_machine("posted", "已入账", "同意并入账")
SEALING = intake_machine("done", "已办理", "同意办理", "办理中")

_REFUND = intake_machine("posted", "已退至暂存款，待付款", "同意退回")
# Approved, the money stands in the employer's suspense; the cashier pays it out.
REFUND = replace(
    _REFUND,
    moves={**_REFUND.moves, "pay": Move(("posted",), "paid", "付款")},
    final=frozenset({"paid", "withdrawn"}),
    labels={**_REFUND.labels, "paid": "已付款"},
)
