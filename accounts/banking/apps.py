from django.apps import AppConfig


class BankingConfig(AppConfig):
    name = "accounts.banking"
    verbose_name = "银行"

    def ready(self) -> None:
        from accounts.banking import queries, vouchers
        from accounts.banking.reports import bank_account_labels, receipt_labels
        from accounts.ledger.vouchers import TEMPLATES
        from fundcenter.office.models import BUSINESS
        from fundcenter.office.registry import MenuEntry, registry

        registry.verbs["print_receipt"] = "打印缴款凭证"
        registry.holders["bank_account"] = bank_account_labels
        registry.sources["receipt"] = receipt_labels
        registry.ledger_checks += queries.CHECKS
        TEMPLATES.append(vouchers.RECEIPT)
        registry.verbs["open_bank_account"] = "登记归集户"
        registry.menu.append(MenuEntry("资金核算", "银行到账", "admin:banking_receipt_changelist", 20, roles=BUSINESS))
