"""How a bank receipt moves."""

from fundcenter.states import Machine, Move

RECEIPT = Machine(
    initial="arrived",
    moves={"post": Move(("arrived",), "posted", "入账", checks=True)},
    final=frozenset({"posted"}),
    labels={"arrived": "已到账", "posted": "已入账"},
)
