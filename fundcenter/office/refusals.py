"""Reasons to say no. Every room lists its own as ``Refusal`` rows; this page says what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """One reason: its code, the article behind it, and a sentence that says what, where and how to mend it."""

    code: str
    message: str
    article: str = ""
    warning: bool = False
    confirmable: bool = False
    """Whether a clerk may say that it is meant so (``--confirm``); it then no longer blocks."""
    title: str = ""
    """A few words for it in lists and beside the box that confirms it."""

    def problem(self, *, row: int | None = None, column: str = "", found: str = "", **args: Any) -> Problem:
        return Problem(self, row, column, found, args)


@dataclass(frozen=True)
class Problem:
    """One place where a refusal applies."""

    refusal: Refusal
    row: int | None = None
    column: str = ""
    found: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    confirmed: bool = False

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def severity(self) -> str:
        return "warning" if self.refusal.warning or self.confirmed else "error"

    @property
    def message(self) -> str:
        return self.refusal.message.format(**self.args, found=self.found, column=self.column)

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
        }


class Refused(Exception):
    """Nothing was done; these problems say why."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("；".join(problem.message for problem in self.problems))


ROLE_MISSING = Refusal("role_missing", "此操作须由{roles}办理，您的岗位是{held}。", "内部控制：岗位分离")
OWN_WORK = Refusal("own_work", "{number} 由您经办，须由另一人复核。", "内部控制：经办与复核分离")
NOT_MAKER = Refusal("not_maker", "{number} 由{maker}经办，须由其本人{verb}。")
ALREADY_MOVED = Refusal("already_moved", "{number} 已由{by}于 {at} {verb}，现状态为“{state}”，未重复办理。")
ILLEGAL_MOVE = Refusal("illegal_move", "{number} 现状态为“{state}”，不能{verb}。")
OPINION_MISSING = Refusal("opinion_missing", "{verb}须写明意见。")
NOT_YOURS = Refusal("not_yours", "没有找到 {what}，或它不属于您的机构。")
