from django.apps import AppConfig


class ContributionsConfig(AppConfig):
    name = "accounts.contributions"
    verbose_name = "归集"

    def ready(self) -> None:
        from accounts.contributions import queries, reports, vouchers
        from accounts.contributions.services.refunding import REFUNDS
        from accounts.contributions.services.remittance import REGISTERS
        from accounts.contributions.services.sealing import SEALINGS
        from accounts.ledger.vouchers import TEMPLATES
        from fundcenter.office.models import BUSINESS
        from fundcenter.office.registry import MenuEntry, MonthPaper, Sealed, registry

        # An ID number that a file happened to give was compared when it came; it is not kept, so its index cannot be made anew.
        registry.sealed.append(Sealed("contributions_registerrow", "", index="id_index"))
        registry.queues |= {"batches": reports.BATCHES, "refunds": reports.REFUNDS, "sealings": reports.SEALINGS}
        registry.sources |= {
            "remittance": reports.register_labels,
            "refund": reports.refund_labels,
            "refund_payment": reports.refund_labels,
        }
        registry.figures.append(reports.figures)
        registry.charts.append(reports.contribution_charts)
        registry.jobs |= REGISTERS.jobs() | REFUNDS.jobs() | SEALINGS.jobs()
        TEMPLATES.extend((vouchers.REMITTANCE, vouchers.REFUND, vouchers.REFUND_PAYMENT))
        registry.ledger_checks += (*queries.CHECKS, *queries.REFUND_CHECKS)
        registry.panels.setdefault("parties.member", []).append(reports.member_panel)
        registry.panels.setdefault("parties.employer", []).append(reports.employer_panel)
        registry.verbs |= {"print_remittance": "打印汇缴书", "print_month": "打印机构月报"}
        registry.month_papers["report"] = MonthPaper("机构月报", reports.month_report)
        registry.menu += [
            MenuEntry("归集", "汇缴批次", "admin:contributions_batch_changelist", 10, "batches", BUSINESS),
            MenuEntry("归集", "封存启封", "admin:contributions_sealing_changelist", 11, "sealings", BUSINESS),
            MenuEntry("归集", "错缴退回", "admin:contributions_refund_changelist", 12, "refunds", BUSINESS),
        ]
