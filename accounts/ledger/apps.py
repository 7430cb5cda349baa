from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "accounts.ledger"
    verbose_name = "资金核算"

    def ready(self) -> None:
        from accounts.ledger.services.declared import write_declared
        from fundcenter.office.models import BUSINESS
        from fundcenter.office.registry import MenuEntry, registry

        post_migrate.connect(write_declared, sender=self)

        registry.verbs |= {"close_day": "日结", "close_month": "月结", "print_voucher": "打印凭证"}
        registry.menu.append(MenuEntry("资金核算", "记账凭证", "admin:ledger_voucher_changelist", 10, roles=BUSINESS))
