"""查看全号: one number of one member in clear, once, with a reason that the trail keeps."""

from __future__ import annotations

import re

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.parties.models import Member
from accounts.parties.refusals import UNMASK_NOTHING, UNMASK_REASON, UNMASK_WORDS
from fundcenter import vault
from fundcenter.office.models import Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit
from fundcenter.office.services.moves import require_role

ROLES = (Role.CLERK, Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
NUMBERS = {"id": "证件号码", "phone": "手机", "card": "银行卡号"}
REASONS = {
    "original": "与证件原件核对",
    "bank": "与银行核对户名",
    "court": "协助司法机关查询",
    "audit": "稽核检查",
    "member": "职工本人申请查询",
}
LEAST_WORDS = 4
_LONG_NUMBER = re.compile(r"\d{7,}[Xx]?")


@sensitive_variables()
def unmask(member: Member, what: str, *, by: User, reason: str, words: str) -> str:
    """The number in clear. The trail has it before the number is opened: whoever sees one has left their name.

    The caller shows it once and keeps it nowhere. Words that quote a number are kept with its digits struck out.
    """
    require_role(by, *ROLES)
    said = " ".join(words.split())
    sealed = {"id": member.id_sealed, "phone": member.phone_sealed, "card": member.card_sealed}.get(what, "")
    wrong = [
        *([UNMASK_NOTHING.problem(name=member.name)] if not sealed else []),
        *([UNMASK_REASON.problem()] if reason not in REASONS else []),
        *([UNMASK_WORDS.problem()] if len(said) < LEAST_WORDS else []),
    ]
    if wrong:
        raise Refused(wrong)
    kept = _LONG_NUMBER.sub(lambda number: "*" * len(number[0]), said)[:200]
    with transaction.atomic():
        audit.record("unmask", member, what=NUMBERS[what], reason=REASONS[reason], words=kept)
    return vault.open_text(sealed)
