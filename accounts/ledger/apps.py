from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "accounts.ledger"
    verbose_name = "资金核算"

    def ready(self) -> None:
        from accounts.ledger import reports
        from accounts.ledger.services.declared import write_declared
        from fundcenter.office.models import BUSINESS
        from fundcenter.office.registry import MenuEntry, MonthPaper, registry
        from fundcenter.office.services.issuing import print_job

        post_migrate.connect(write_declared, sender=self)

        registry.verbs |= {
            "close_day": "日结",
            "close_month": "月结",
            "print_voucher": "打印凭证",
            "print_vouchers": "打印全月凭证",
        }
        registry.jobs["ledger.voucher:print"] = print_job("打印记账凭证", reports.voucher_paper)
        registry.month_papers["vouchers"] = MonthPaper("全月记账凭证", reports.month_vouchers, large=True)
        registry.menu.append(MenuEntry("资金核算", "记账凭证", "admin:ledger_voucher_changelist", 10, roles=BUSINESS))
