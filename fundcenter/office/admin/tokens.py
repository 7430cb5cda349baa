"""接口令牌 on screen: who holds which, when it was last used, and the button that ends it. They are made by command."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST

from fundcenter import clock
from fundcenter.office.admin.records import RecordAdmin, actor, chip, holds
from fundcenter.office.admin.site import site
from fundcenter.office.models import ApiToken, Role
from fundcenter.office.refusals import Refused
from fundcenter.office.services import tokens


@admin.register(ApiToken, site=site)
class ApiTokenAdmin(RecordAdmin):
    viewers = (Role.ADMIN, Role.AUDITOR, Role.MANAGER)
    page_template = "office/token.html"
    list_display = ("name", "person", "branch", "shown_verbs", "expires_on", "last_used_at", "shown_state")
    list_filter = ("branch",)
    list_select_related = ("person", "branch")
    search_fields = ("name__startswith",)
    search_help_text = "名称开头"
    ordering = ("-id",)
    empty_list = "还没有接口令牌。由系统管理在服务器上以 manage.py api_token 发放。"

    @admin.display(description="权限")
    def shown_verbs(self, token: ApiToken) -> str:
        return token.verb_labels()

    @admin.display(description="状态")
    def shown_state(self, token: ApiToken) -> str:
        return chip(*_state(token))

    def get_urls(self) -> list[URLPattern]:
        revoke = require_POST(self.admin_site.admin_view(self.revoke))
        return [path("<int:object_id>/revoke/", revoke, name="office_apitoken_revoke"), *super().get_urls()]

    def page_context(self, request: HttpRequest, found: ApiToken) -> dict[str, Any]:
        state, label = _state(found)
        return {
            "title": f"接口令牌 {found.name}",
            "state": state,
            "state_label": label,
            "facts": [
                ("代表", found.person.name), ("机构", found.branch.name), ("权限", found.verb_labels()),
                ("发放", f"{found.made_by.name} {localtime(found.made_at):%Y-%m-%d}"), ("有效期至", found.expires_on),
                ("最近使用", found.last_used_at), ("停用", found.revoked_by.name if found.revoked_by else ""),
            ],
            "revoke_url": reverse("admin:office_apitoken_revoke", args=[found.pk])
            if found.revoked_at is None and holds(request, Role.ADMIN)
            else "",
        }  # fmt: skip

    def revoke(self, request: HttpRequest, object_id: int) -> HttpResponse:
        found = self.find(request, str(object_id))
        try:
            tokens.revoke(found, by=actor(request))
        except Refused as refused:
            for problem in refused.problems:
                messages.error(request, problem.message)
        else:
            messages.success(request, f"接口令牌 {found.name} 已停用。")
        return HttpResponseRedirect(reverse("admin:office_apitoken_change", args=[found.pk]))


def _state(token: ApiToken) -> tuple[str, str]:
    if token.revoked_at:
        return "withdrawn", "已停用"
    return ("refused", "已到期") if token.expires_on < clock.today() else ("posted", "有效")
