"""开办: the branches of a centre and its first administrator, who enters everybody else on screen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from django.db import transaction

from fundcenter.office.models import Branch, Role, User
from fundcenter.office.refusals import BRANCH_KNOWN, BRANCH_MALFORMED, CENTRE_FOUNDED, Refused
from fundcenter.office.services import audit


def open_branches(branches: Iterable[Branch]) -> None:
    """Add these branches, all of them or none. Refused: a code, name or division that is none, or known."""
    wanted = list(branches)
    if problems := [
        BRANCH_MALFORMED.problem(found=f"{b.code} {b.name} {b.division_code}") for b in wanted if not _good(b)
    ]:
        raise Refused(problems)
    known = Branch.objects.filter(code__in=[b.code for b in wanted]) | Branch.objects.filter(
        name__in=[b.name for b in wanted]
    )
    if problems := [BRANCH_KNOWN.problem(found=f"{branch.code} {branch.name}") for branch in known]:
        raise Refused(problems)
    with transaction.atomic():
        for branch in wanted:
            branch.save(force_insert=True)
            audit.record_for(User.objects.system(), "open_branch", code=branch.code, name=branch.name)


def _good(branch: Branch) -> bool:
    """The code begins the account numbers of its employers."""
    digits = re.fullmatch(r"[0-9]{2} [0-9]{6}", f"{branch.code} {branch.division_code}")
    return bool(digits) and 0 < len(branch.name) <= 30


def first_administrator(username: str, name: str) -> str:
    """Enter the first administrator and return the password, which is kept nowhere. Refused: there is one already."""
    if somebody := User.objects.filter(roles__contains=[Role.ADMIN]).first():
        raise Refused([CENTRE_FOUNDED.problem(name=somebody.name)])
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        person = User.objects.create_user(username, password, name=name, roles=[Role.ADMIN])
        audit.record_for(User.objects.system(), "add_person", username=person.username)
    return password
