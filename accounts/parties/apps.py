from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "accounts.parties"
    verbose_name = "单位与职工"

    def ready(self) -> None:
        from accounts.parties.reports import employer_labels, member_labels
        from fundcenter.office.registry import MenuEntry, registry

        registry.holders |= {"employer": employer_labels, "member": member_labels}
        registry.menu += [
            MenuEntry("归集", "单位", "admin:parties_employer_changelist", 20),
            MenuEntry("归集", "职工", "admin:parties_member_changelist", 30),
        ]
