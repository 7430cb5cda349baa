"""The contribution rule in force on a day."""

from dataclasses import dataclass
from datetime import date

from accounts.contributions.models import ContributionRule


@dataclass(frozen=True)
class ContributionTerms:
    amount_rounding: str
    document_number: str


def contribution_terms(on: date) -> ContributionTerms:
    """LookupError when no rule is in force: the centre must enter one first."""
    rule = ContributionRule.objects.filter(ContributionRule.in_force(on)).first()
    if rule is None:
        raise LookupError(f"{on} 没有生效的缴存规定，请先由系统管理录入。")
    return ContributionTerms(rule.amount_rounding, rule.document_number)
