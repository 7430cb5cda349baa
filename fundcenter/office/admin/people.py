"""人员 and 审计事件 on screen."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import SetPasswordMixin
from django.http import HttpRequest

from fundcenter.office.admin.records import DayFilter, RecordAdmin, holds
from fundcenter.office.admin.site import site
from fundcenter.office.models import AuditEvent, Role, User
from fundcenter.office.services import audit


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(RecordAdmin):
    viewers = (Role.AUDITOR, Role.MANAGER)
    list_display = ("at", "person", "branch", "verb", "document", "address")
    list_filter = (("at", DayFilter), "verb")
    list_display_links = None
    list_select_related = ("person", "branch")
    ordering = ("-id",)
    empty_list = "没有符合条件的事件。"


class UserForm(SetPasswordMixin, forms.ModelForm):
    """A person with roles; a password is set with the person and may be set anew."""

    roles = forms.MultipleChoiceField(label="岗位", choices=Role, widget=forms.CheckboxSelectMultiple)
    password1, password2 = SetPasswordMixin.create_password_fields(label1="口令", label2="口令（再输一次）")

    class Meta:
        model = User
        fields = ("username", "name", "branch", "roles", "is_active")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["password1"].required = self.fields["password2"].required = not self.instance.pk

    def clean(self) -> dict[str, Any]:
        self.validate_passwords()
        self.validate_password_for_user(self.instance)
        return super().clean() or self.cleaned_data

    def save(self, commit: bool = True) -> User:
        if self.cleaned_data.get("password1"):
            self.instance.set_password(self.cleaned_data["password1"])
        return super().save(commit)


@admin.register(User, site=site)
class UserAdmin(admin.ModelAdmin):
    """The one list that is edited in place: by 系统管理, who has no business verb."""

    form = UserForm
    fields = ("username", "name", "branch", "roles", "is_active", "password1", "password2")
    list_display = ("username", "name", "branch", "shown_roles", "is_active")
    list_filter = ("branch", "is_active")
    search_fields = ("username__startswith", "name__startswith")
    actions = None
    change_list_template = "office/list.html"

    @admin.display(description="岗位")
    def shown_roles(self, user: User) -> str:
        return user.role_labels()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, Role.ADMIN, Role.AUDITOR, Role.MANAGER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return holds(request, Role.ADMIN)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and (obj is None or obj.username != "system")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record("change_person" if change else "add_person", person=obj.username, fields=form.changed_data)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The trail of verbs is AuditEvent; Django's own log is off."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """See log_addition."""
