"""How an upload of contribution registers (汇缴批次) moves. collection.md A3."""

from fundcenter.states import Machine, Move

BATCH = Machine(
    initial="staged",
    moves={
        "refuse": Move(("staged", "checked"), "refused", "检查未通过"),
        "check": Move(("staged", "refused"), "checked", "检查通过"),
        "submit": Move(("checked", "returned"), "submitted", "提交复核", by_maker=True),
        "approve": Move(("submitted",), "posted", "同意并入账", checks=True),
        "return": Move(("submitted",), "returned", "退回", checks=True, opinion_required=True),
        "withdraw": Move(("staged", "refused", "checked", "returned", "submitted"), "withdrawn", "撤回", by_maker=True),
    },
    final=frozenset({"posted", "withdrawn"}),
    labels={
        "staged": "检查中",
        "refused": "有问题，未受理",
        "checked": "检查通过，待提交",
        "submitted": "待复核",
        "returned": "已退回",
        "posted": "已入账",
        "withdrawn": "已撤回",
    },
)

# While it lives, the same file is not taken again, and nobody else may bring the same employer's month.
LIVING = ("staged", "checked", "submitted", "returned", "posted")
