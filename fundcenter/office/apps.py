from typing import Any

from django.apps import AppConfig
from django.core.checks import Error, register

from fundcenter import papers


class OfficeConfig(AppConfig):
    name = "fundcenter.office"
    verbose_name = "系统"

    def ready(self) -> None:
        from fundcenter.office.models import Role
        from fundcenter.office.registry import MenuEntry, registry

        register(check_font)
        registry.menu += [
            MenuEntry(
                "系统", "人员", "admin:office_user_changelist", 10, roles=(Role.ADMIN, Role.AUDITOR, Role.MANAGER)
            ),
            MenuEntry("稽核", "审计事件", "admin:office_auditevent_changelist", 10, roles=(Role.AUDITOR, Role.MANAGER)),
        ]


def check_font(**_: Any) -> list[Error]:
    """Without the font every paper would print boxes, silently: refuse to start."""
    try:
        papers.check_font()
    except papers.FontMissing as missing:
        return [Error(str(missing), id="office.E001")]
    return []
