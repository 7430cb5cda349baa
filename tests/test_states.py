import dataclasses

import pytest

from fundcenter.states import Machine, Move

DOOR = Machine(
    initial="draft",
    moves={
        "submit": Move(("draft", "returned"), "submitted"),
        "return": Move(("submitted",), "returned"),
        "approve": Move(("submitted",), "posted"),
        "withdraw": Move(("draft", "returned", "submitted"), "withdrawn"),
    },
    final=frozenset({"posted", "withdrawn"}),
    labels={"draft": "草稿", "submitted": "待复核", "returned": "已退回", "posted": "已入账", "withdrawn": "已撤回"},
)


def test_what_the_table_says():
    assert DOOR.sources("submit") == ("draft", "returned")
    assert DOOR.target("approve") == "posted"
    assert DOOR.verbs_from("submitted") == ("return", "approve", "withdraw")
    assert DOOR.verbs_from("posted") == ()
    assert DOOR.choices()[0] == ("draft", "草稿")


def test_what_it_does_not_know():
    with pytest.raises(KeyError):
        DOOR.sources("approove")
    with pytest.raises(KeyError):
        DOOR.verbs_from("poosted")


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DOOR.initial = "posted"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"labels": {**DOOR.labels, "typo": "？"}}, "labelled but unused: typo"),
        ({"labels": {"draft": "草稿"}}, "without a label: posted, returned, submitted, withdrawn"),
        ({"final": DOOR.final | {"submitted"}}, "final but left: submitted"),
        ({"moves": {**DOOR.moves, "reverse": Move(("posted",), "withdrawn")}}, "final but left: posted"),
        ({"moves": {verb: move for verb, move in DOOR.moves.items() if verb != "return"}}, "never reached: returned"),
        ({"final": frozenset({"withdrawn"})}, "without a way out: posted"),
        (
            {"final": frozenset({"withdrawn"}), "moves": {**DOOR.moves, "repeat": Move(("posted",), "posted")}},
            "without a way out: posted",
        ),
    ],
)
def test_a_wrong_table_is_refused_where_it_is_declared(change, problem):
    with pytest.raises(ValueError, match=problem):
        dataclasses.replace(DOOR, **change)
