"""接口令牌: handed out and revoked by 系统管理, recognised at every request.

The secret is 32 random bytes and is shown once. What is kept is its SHA-256: a slow hash protects what people can guess,
and nobody guesses 256 bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from fundcenter import clock
from fundcenter.office import queries, refusals
from fundcenter.office.models import BUSINESS, ApiToken, Role, User
from fundcenter.office.refusals import Refused
from fundcenter.office.services import audit
from fundcenter.office.services.moves import require_role

DAYS, DAYS_MOST = 90, 366
# Letters in front, so that a search through files and logs finds a secret that lies where none should.
PREFIX = "fct_"
SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
# How exactly "last used" is known; a write at every request would buy nothing.
NOTED_EVERY = timedelta(minutes=1)


def make(
    person: User, *, name: str, verbs: Iterable[str], by: User, on: date, days: int = DAYS
) -> tuple[ApiToken, str]:
    """Hand out a token that acts as this person, valid through ``on`` + ``days``. Returns it and its secret, this once.

    Refused: the person does no business of one branch, is the administrator themselves, or could not upload.
    """
    require_role(by, Role.ADMIN)
    verbs = sorted(set(verbs))
    if not verbs or not set(verbs) <= set(ApiToken.Verb.values):
        raise Refused([refusals.TOKEN_VERBS.problem(known="、".join(ApiToken.Verb.values))])
    if not 1 <= days <= DAYS_MOST:
        raise Refused([refusals.TOKEN_DAYS.problem(most=DAYS_MOST)])
    if person.pk == by.pk:
        raise Refused([refusals.TOKEN_OWN.problem()])
    if person.branch_id is None or not person.holds(*BUSINESS) or person.holds(Role.ADMIN):
        raise Refused([refusals.TOKEN_PERSON.problem(name=person.name)])
    if ApiToken.Verb.UPLOAD in verbs and not person.holds(Role.CLERK):
        raise Refused([refusals.TOKEN_NOT_CLERK.problem(name=person.name, held=person.role_labels())])
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person, branch_id=person.branch_id, name=name, sha256=_fingerprint(secret), verbs=verbs, made_by=by,
            expires_on=on + timedelta(days=days),
        )  # fmt: skip
        audit.record("make_token", token, person=person.username, verbs=verbs, expires_on=token.expires_on.isoformat())
    return token, secret


def revoke(token: ApiToken, *, by: User) -> None:
    """End a token at once. Refused: somebody has done so before."""
    require_role(by, Role.ADMIN)
    with transaction.atomic():
        alive = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        if not alive.update(revoked_at=clock.now(), revoked_by=by):
            token.refresh_from_db()
            at = timezone.localtime(token.revoked_at)
            raise Refused([refusals.TOKEN_GONE.problem(number=token.pk, at=f"{at:%Y-%m-%d %H:%M:%S}")])
        audit.record("revoke_token", token, person=token.person.username)
    token.refresh_from_db()


def recognise(secret: str, *, on: date) -> ApiToken:
    """The token of this secret. Refused: there is none, it has expired, was revoked, or its person is no longer there.

    Says which only to who has the secret. Asked before anybody acts, so through the door, by the whole fingerprint.
    """
    if not SECRET.fullmatch(secret):
        raise Refused([refusals.TOKEN_INVALID.problem()])
    token = next(iter(ApiToken.objects.raw(queries.TOKEN_OF, [_fingerprint(secret)])), None)
    if token is None:
        raise Refused([refusals.TOKEN_INVALID.problem()])
    token.person = User.objects.select_related("branch").get(pk=token.person_id)
    if token.revoked_at or not token.person.is_active or token.person.branch_id != token.branch_id:
        raise Refused([refusals.TOKEN_REVOKED.problem()])
    if token.expires_on < on:
        raise Refused([refusals.TOKEN_EXPIRED.problem(on=token.expires_on)])
    return token


def note_use(token: ApiToken) -> None:
    """Keep when it was last used, to the minute. For who acts already: the row is behind the wall."""
    now = clock.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
        ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
