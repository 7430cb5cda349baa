"""How a document moves that brings rows in, from a file or a form, and is decided by a second person."""

from fundcenter.states import Machine, Move


def intake_machine(done: str, done_label: str, approve_label: str, posting_label: str = "入账中") -> Machine:
    """The usual way: staged, checked or refused, submitted, decided. ``done`` is its final state.

    What is large waits for a job in ``staged`` and in ``posting``; what is small passes through both in one transaction.
    """
    return Machine(
        initial="staged",
        moves={
            "refuse": Move(("staged", "refused"), "refused", "检查未通过"),
            "check": Move(("staged", "refused"), "checked", "检查通过"),
            "recheck": Move(("refused",), "staged", "确认并重新检查", by_maker=True),
            "submit": Move(("checked", "returned"), "submitted", "提交复核", by_maker=True),
            "approve": Move(("submitted",), done, approve_label, checks=True),
            "queue": Move(("submitted",), "posting", approve_label, checks=True),
            "post": Move(("posting",), done, done_label),
            "fail": Move(("posting",), "submitted", "未能办成"),
            "return": Move(("submitted",), "returned", "退回", checks=True, opinion_required=True),
            "withdraw": Move(
                ("staged", "refused", "checked", "returned", "submitted"), "withdrawn", "撤回", by_maker=True
            ),
        },
        final=frozenset({done, "withdrawn"}),
        labels={
            "staged": "检查中",
            "refused": "有问题，未受理",
            "checked": "检查通过，待提交",
            "submitted": "待复核",
            "posting": posting_label,
            "returned": "已退回",
            done: done_label,
            "withdrawn": "已撤回",
        },
    )


# What a job works on.
UNDER_WAY = ("staged", "posting")
# What has ended without effect: the same file may come back.
DEAD = ("refused", "withdrawn")
