"""The table of legal moves of a document:

    REGISTER = Machine(
        initial="checked",
        moves={"submit": Move(("checked", "returned"), "submitted"), "approve": Move(("submitted",), "posted"), …},
        final=frozenset({"posted"}),
        labels={"checked": "已检查", "submitted": "待复核", …},
    )

It is checked where it is declared, so a dead end is found at start and not by a clerk.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """One verb: where it may start, where it leads, its word on buttons and timelines.

    `by_maker`: only whoever made the document; `checks`: the second pair of eyes, so the maker may not;
    `opinion_required`: it needs a reason in words.
    """

    sources: tuple[str, ...]
    target: str
    label: str = ""
    by_maker: bool = False
    checks: bool = False
    opinion_required: bool = False


@dataclass(frozen=True)
class Machine:
    """`moves` by verb, `labels` (Chinese) by state. ValueError if a state has no label or a label no state,
    if something leaves a final state, or if another state has no way in from `initial` or no way out."""

    initial: str
    moves: Mapping[str, Move]
    final: frozenset[str]
    labels: Mapping[str, str]

    def __post_init__(self) -> None:
        states = {self.initial, *self.final}
        ways: dict[str, set[str]] = {}
        for move in self.moves.values():
            states.update(move.sources, {move.target})
            for source in move.sources:
                ways.setdefault(source, set()).add(move.target)

        reached: set[str] = set()
        waiting = {self.initial}
        while waiting:
            reached |= waiting
            waiting = {target for source in waiting for target in ways.get(source, ())} - reached

        problems = {
            "without a label": states - self.labels.keys(),
            "labelled but unused": self.labels.keys() - states,
            "final but left": self.final & ways.keys(),
            "never reached": states - self.final - reached,
            "without a way out": {state for state in states - self.final if not ways.get(state, set()) - {state}},
        }
        if found := [f"{what}: {', '.join(sorted(which))}" for what, which in problems.items() if which]:
            raise ValueError("; ".join(found))

    def sources(self, verb: str) -> tuple[str, ...]:
        """The states in which `verb` is allowed: the condition of the UPDATE that moves the document."""
        return self.moves[verb].sources

    def target(self, verb: str) -> str:
        return self.moves[verb].target

    def verbs_from(self, state: str) -> tuple[str, ...]:
        """What can be done now, in the order of the table. KeyError for an unknown state."""
        if state not in self.labels:
            raise KeyError(state)
        return tuple(verb for verb, move in self.moves.items() if state in move.sources)

    def choices(self) -> list[tuple[str, str]]:
        """For a model field."""
        return list(self.labels.items())
