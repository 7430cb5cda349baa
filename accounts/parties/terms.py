"""The limits of contributions in force on a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q

from accounts.parties.models import ContributionLimit


@dataclass(frozen=True)
class ContributionLimits:
    """Bases in yuan a month, ratios as fractions of each side."""

    base_floor: Decimal
    base_cap: Decimal
    ratio_floor: Decimal
    ratio_ceiling: Decimal
    document_number: str


def contribution_limits(on: date, branch_id: int | None) -> ContributionLimits:
    """The branch's own, otherwise the city's. LookupError when none is in force: the centre must enter one first."""
    scope = Q(branch__isnull=True) | Q(branch=branch_id)
    rules = ContributionLimit.objects.filter(ContributionLimit.in_force(on), scope)
    rule = rules.order_by(F("branch").asc(nulls_last=True)).first()
    if rule is None:
        raise LookupError(f"{on} 没有生效的缴存基数和比例上下限，请先由系统管理录入。")
    return ContributionLimits(
        rule.base_floor, rule.base_cap, rule.ratio_floor, rule.ratio_ceiling, rule.document_number
    )
