"""Who comes in: the lock after wrong passwords, the second factor, and the trail of both."""

from __future__ import annotations

import base64
import ipaddress
import secrets
import time
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django_otp.oath import TOTP

from fundcenter import clock, vault
from fundcenter.office import refusals
from fundcenter.office.models import Role, SecondFactor, User
from fundcenter.office.refusals import Refusal, Refused
from fundcenter.office.services import audit
from fundcenter.office.services.moves import require_role

SECRET_BYTES = 20  # RFC 4226 section 4: at least 128 bits, 160 recommended
DIGITS = 6
STEPS_OF_GRACE = 1  # a clock may be 30 seconds off; a code is good once

OWN_PERSON = Refusal("own_person", "不能{verb}自己的登录：请另一位系统管理员办理。", "内部控制：系统管理员互相监督")
REASON_MISSING = Refusal("reason_missing", "{verb}须写明原因（至少 4 个字）。")
CODE_WRONG = Refusal("code_wrong", "验证码不对，请看最新的 6 位数字；若一直不对，请校准手机时间。")
CODE_USED = Refusal("code_used", "这个验证码已用过，请等下一个（每 30 秒换一次）。")
CODE_WAIT = Refusal("code_wait", "验证码连续输错，请 {seconds} 秒后再试。")


# --- where from -------------------------------------------------------------------------------------------------------


def client_address(request: HttpRequest) -> str | None:
    """The client's address. Of what proxies say only what our own (FUNDCENTER_PROXIES of them) have added is believed."""
    said = request.META.get("REMOTE_ADDR") or ""
    if settings.PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        said = hops[-settings.PROXIES] if len(hops) >= settings.PROXIES else said
    try:
        return str(ipaddress.ip_address(said))
    except ValueError:
        return None


# --- the lock after wrong passwords -----------------------------------------------------------------------------------


def login_key(request: HttpRequest | None, credentials: Any = None) -> str | None:
    """What django-axes keeps of a login name: a keyed hash, since people type their password in the wrong field."""
    said = (credentials or {}).get("username") or (request.POST.get("username") if request else None)
    return _login_key(said) if said else None


def _login_key(username: str) -> str:
    return vault.blind_index("login", username).hex()


class Lockout(AxesDatabaseHandler):
    """Five wrong passwords lock a name, fifty an address; both for a quarter of an hour (settings)."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        by_name, by_address = (
            attempts.aggregate(n=Sum("failures_since_start"))["n"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        if by_address >= settings.LOCKOUT_ADDRESS_LIMIT:
            return max(by_name, settings.AXES_FAILURE_LIMIT)
        return int(by_name)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A good password forgives the name, not the address: else whoever has one could try the others' for ever."""
        by_name, _ = self.filter_user_attempts(request, credentials)
        return int(by_name.delete()[0])


def locked_page(request: HttpRequest, _: Any = None, credentials: Any = None) -> HttpResponse:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    response = render(request, "office/locked.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def is_locked(person: User) -> bool:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    wrong = AccessAttempt.objects.filter(username=_login_key(person.username), attempt_time__gte=since)
    return bool((wrong.aggregate(n=Sum("failures_since_start"))["n"] or 0) >= settings.AXES_FAILURE_LIMIT)


def unlock(person: User, *, by: User, reason: str) -> None:
    """Forgive the wrong passwords and codes of a person who cannot come in."""
    _may_help(person, by, "解锁", reason)
    with transaction.atomic():
        AccessAttempt.objects.filter(username=_login_key(person.username)).delete()
        SecondFactor.objects.filter(user=person).update(throttling_failure_count=0, throttling_failure_timestamp=None)
        audit.record("unlock_person", person, reason=reason.strip())


def _may_help(person: User, by: User, verb: str, reason: str) -> None:
    require_role(by, Role.ADMIN)
    if person.pk == by.pk:
        raise Refused([OWN_PERSON.problem(verb=verb)])
    if len(reason.strip()) < 4:
        raise Refused([REASON_MISSING.problem(verb=verb)])


# --- the second factor ------------------------------------------------------------------------------------------------


def factor_of(person: User) -> SecondFactor:
    """The person's device; a new one, not yet confirmed, for who has none."""
    fresh = {
        "secret_sealed": vault.seal_text(secrets.token_hex(SECRET_BYTES)),
        "confirmed": False,
        "name": person.username,
    }
    return SecondFactor.objects.get_or_create(user=person, defaults=fresh)[0]


@sensitive_variables()
def shown_secret(factor: SecondFactor) -> str:
    """The secret as an app takes it typed: base32. Shown while it is being enrolled, never again."""
    if factor.confirmed:
        raise ValueError("已登记的动态口令不再显示")
    return base64.b32encode(_secret(factor)).decode()


@sensitive_variables()
def _secret(factor: SecondFactor) -> bytes:
    return bytes.fromhex(vault.open_text(factor.secret_sealed))


@sensitive_variables()
def verify(person: User, code: str) -> SecondFactor:
    """The device whose code this is. Each code is good once; the first good one confirms a new device."""
    said = "".join(code.split())
    refused: Refused | None = None
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(user=person)
        allowed, why = factor.verify_is_allowed()
        if not allowed:
            seconds = (why["locked_until"] - timezone.now()).total_seconds()
            raise Refused([CODE_WAIT.problem(seconds=max(1, round(seconds)))])
        step = _step_of(factor, said)
        if step is None:
            factor.throttle_increment()
            refused = Refused([CODE_WRONG.problem()])
        elif step <= factor.last_step:
            refused = Refused([CODE_USED.problem()])
        else:
            factor.throttle_reset(commit=False)
            factor.last_step, enrolled = step, not factor.confirmed
            if enrolled:
                factor.confirmed, factor.enrolled_at = True, clock.now()
            factor.save()
            audit.record_for(person, "enrol_second_factor" if enrolled else "second_factor")
    if refused:
        if refused.problems[0].refusal is CODE_WRONG:
            audit.record_for(person, "second_factor_failed")
        raise refused
    return factor


@sensitive_variables()
def _step_of(factor: SecondFactor, said: str) -> int | None:
    """Which step of time this code belongs to, or None."""
    if len(said) != DIGITS or not said.isascii() or not said.isdigit():
        return None
    totp = TOTP(_secret(factor), digits=DIGITS)
    now = totp.t()
    for step in range(now - STEPS_OF_GRACE, now + STEPS_OF_GRACE + 1):
        totp.time = step * totp.step
        if secrets.compare_digest(f"{totp.token():0{DIGITS}d}", said):
            return step
    return None


def demo_code(person: User) -> str:
    """DEMO only: the code that this person's device shows now, or the next one if it is used up."""
    if not settings.DEMO:
        raise ValueError("只有演示才显示验证码")
    factor = demo_factor(person)
    totp = TOTP(_secret(factor), digits=DIGITS)
    totp.time = max(int(time.time()), (factor.last_step + 1) * totp.step)
    return f"{totp.token():0{DIGITS}d}"


def demo_factor(person: User) -> SecondFactor:
    """DEMO only: everybody's device is enrolled, since nobody has a telephone for each person of the city."""
    factor = factor_of(person)
    if settings.DEMO and not factor.confirmed:
        factor.confirmed, factor.enrolled_at = True, clock.now()
        factor.save(update_fields=["confirmed", "enrolled_at"])
    return factor


def reset_second_factor(person: User, *, by: User, reason: str) -> None:
    """Forget the device of a person who has lost it: they enrol anew when they next come in, and open sessions end."""
    _may_help(person, by, "重置动态口令", reason)
    with transaction.atomic():
        if not SecondFactor.objects.filter(user=person).delete()[0]:
            raise Refused([refusals.NOT_YOURS.problem(what=f"{person.name}的动态口令")])
        audit.record("reset_second_factor", person, reason=reason.strip())


# --- the trail --------------------------------------------------------------------------------------------------------


def on_sign_in(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    request.session["began"] = request.session["seen"] = int(time.time())
    audit.record_for(user, "sign_in", address=client_address(request))


def on_sign_out(sender: object, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record_for(user, "sign_out", address=client_address(request))


def on_failed(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is None or getattr(request, "axes_locked_out", False):
        return
    audit.record_for(_typed(credentials), "sign_in_failed", address=client_address(request))


def on_locked(sender: object, request: HttpRequest, **_: Any) -> None:
    # django-axes, which hears of a failure first, says so again at every try during the lock; the trail keeps its beginning.
    if getattr(request, "axes_failures_since_start", None):
        for verb in ("sign_in_failed", "lock_out"):
            audit.record_for(_typed(request.POST), verb, address=client_address(request))


def _typed(credentials: Any) -> User | None:
    """Whoever has the name that was typed. The name itself is not kept: it may be a password."""
    return User.objects.filter(username=credentials.get("username", "")).first()


def listen() -> None:
    user_logged_in.connect(on_sign_in, dispatch_uid="office.sign_in")
    user_logged_out.connect(on_sign_out, dispatch_uid="office.sign_out")
    user_login_failed.connect(on_failed, dispatch_uid="office.failed")
    user_locked_out.connect(on_locked, dispatch_uid="office.locked")
