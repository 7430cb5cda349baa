from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "accounts.parties"
    verbose_name = "单位与职工"

    def ready(self) -> None:
        from accounts.parties import reports
        from accounts.parties.reports import (
            EMPLOYER_CHANGES,
            EMPLOYER_OPENINGS,
            MEMBER_OPENINGS,
            employer_labels,
            member_labels,
        )
        from accounts.parties.services.changing import CHANGES
        from accounts.parties.services.opening import EMPLOYERS, MEMBERS
        from fundcenter.office.models import BUSINESS
        from fundcenter.office.registry import MenuEntry, Sealed, registry

        registry.holders |= {"employer": employer_labels, "member": member_labels}
        registry.seekers["employer"] = reports.employers_meant
        registry.queues |= {
            "employer_openings": EMPLOYER_OPENINGS,
            "employer_changes": EMPLOYER_CHANGES,
            "member_openings": MEMBER_OPENINGS,
        }
        registry.jobs |= EMPLOYERS.jobs() | MEMBERS.jobs() | CHANGES.jobs()
        registry.sealed += [
            Sealed("parties_member", "id_sealed", key="holder_id", index="id_index"),
            Sealed("parties_member", "phone_sealed", key="holder_id"),
            Sealed("parties_member", "card_sealed", key="holder_id"),
            Sealed("parties_memberopeningrow", "id_sealed", index="id_index"),
            Sealed("parties_memberopeningrow", "phone_sealed"),
            Sealed("parties_memberopeningrow", "card_sealed"),
        ]
        registry.verbs |= {"print_statement": "打印对账单", "unmask": "查看全号"}
        registry.menu += [
            MenuEntry(
                "归集", "单位开户", "admin:parties_employeropening_changelist", 15, "employer_openings", BUSINESS
            ),
            MenuEntry(
                "归集", "单位信息变更", "admin:parties_employerchange_changelist", 16, "employer_changes", BUSINESS
            ),
            MenuEntry("归集", "单位", "admin:parties_employer_changelist", 20, roles=BUSINESS),
            MenuEntry("归集", "个人开户", "admin:parties_memberopening_changelist", 25, "member_openings", BUSINESS),
            MenuEntry("归集", "职工", "admin:parties_member_changelist", 30, roles=BUSINESS),
        ]
