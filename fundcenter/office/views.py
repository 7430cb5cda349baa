"""What anybody may ask without signing in: whether a paper is ours."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fundcenter.identifiers import grouped, read_paper_number
from fundcenter.office.services import audit, issuing, throttling
from fundcenter.office.services.signing_in import client_address


@never_cache
@require_safe
def verify(request: HttpRequest, number: str = "") -> HttpResponse:
    """核验: what the paper of this number says. A mistyped number and one that was never given are answered alike."""
    typed = number or request.GET.get("number", "")
    if not typed:
        return _page(request)
    asked = read_paper_number(typed)
    if asked and not number:
        return HttpResponseRedirect(reverse("verify", args=[grouped(asked)]))
    address = client_address(request)
    if wait := throttling.take(f"verify {throttling.neighbourhood(address)}", settings.VERIFY_ALLOWANCE):
        answer = _page(request, status=429, wait=wait)
        answer["Retry-After"] = str(wait)
        return answer
    found = issuing.look_up(asked) if asked else None
    audit.record_for(None, "verify_paper" if found else "verify_paper_failed", address=address,
                     **({"paper": grouped(asked)} if asked else {}))  # fmt: skip
    return _page(
        request, status=200 if found else 404, asked=grouped(asked) if asked else "", found=found, missed=not found
    )


def _page(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "office/verify.html", {"centre": settings.CENTRE_NAME, **context}, status=status)
