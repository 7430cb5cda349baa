"""人员 and 审计事件 on screen."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordMixin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from fundcenter import scope
from fundcenter.office import reports
from fundcenter.office.admin.lists import DayFilter
from fundcenter.office.admin.records import ListAdmin, RecordAdmin, actor, history_page, holds
from fundcenter.office.admin.site import site
from fundcenter.office.models import AuditEvent, Role, SecondFactor, User
from fundcenter.office.refusals import Refused
from fundcenter.office.registry import registry
from fundcenter.office.services import audit, signing_in


class VerbFilter(admin.SimpleListFilter):
    """By verb, of those that have a name: asking the table which there are would read all of it."""

    title, parameter_name = "动作", "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(registry.verbs.items(), key=lambda verb: verb[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(RecordAdmin):
    viewers = (Role.AUDITOR, Role.MANAGER)
    list_display = ("at", "person", "branch", "shown_verb", "shown_subject", "shown_detail", "address")
    list_filter = (("at", DayFilter), "branch", VerbFilter)
    list_display_links = None
    list_select_related = ("person", "branch")
    ordering = ("-id",)
    search_fields = ("person",)
    search_help_text = "人员的登录名或姓名开头"
    empty_list = "没有符合条件的事件。"

    @admin.display(description="动作", ordering="verb")
    def shown_verb(self, event: AuditEvent) -> str:
        return reports.verb_label(event)

    @admin.display(description="对象")
    def shown_subject(self, event: AuditEvent) -> str:
        name, label, key = reports.subject_of(event)
        try:
            url = reverse(f"admin:{label.replace('.', '_')}_change", args=[key])
        except NoReverseMatch:
            return f"{name} {key}" if label else name
        return format_html('<a href="{}">{} {}</a>', url, name, key)

    @admin.display(description="详情")
    def shown_detail(self, event: AuditEvent) -> str:
        return reports.detail_text(event)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of the branches in scope, and for who sees more than one what belongs to none; row security says the same."""
        mine = scope.visible_branches()
        own = Q(branch_id__in=mine) | (Q(branch_id=None) if len(mine) > 1 else Q())
        return admin.ModelAdmin.get_queryset(self, request).filter(own)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = term.strip()
        if not typed:
            return queryset, False
        meant = User.objects.filter(Q(username=typed) | Q(name__startswith=typed)).values_list("pk", flat=True)
        return queryset.filter(person_id__in=list(meant)), False


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


@method_decorator(sensitive_post_parameters("password1", "password2"), name="changeform_view")
@admin.register(User, site=site)
class UserAdmin(ListAdmin):
    """The one list that is edited in place: by 系统管理, who has no business verb."""

    form = UserForm
    fields = ("username", "name", "branch", "roles", "is_active", "password1", "password2")
    list_display = ("username", "name", "branch", "shown_roles", "is_active")
    list_filter = ("branch", "is_active")
    search_fields = ("username__startswith", "name__startswith")
    search_help_text = "登录名或姓名开头"
    change_form_template = "office/person.html"

    def get_urls(self) -> list[URLPattern]:
        def at(route: str, view: Any) -> URLPattern:
            name = f"office_user_{route.replace('-', '_')}"
            return path(f"<int:object_id>/{route}/", require_POST(self.admin_site.admin_view(view)), name=name)

        return [at("unlock", self.unlock), at("reset-second-factor", self.reset_second_factor), *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look sees no fields for a password, and roles by their names."""
        fields: Any = super().get_fields(request, obj)
        if self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request)):
            return fields
        return tuple("shown_roles" if name == "roles" else name for name in fields if not name.startswith("password"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("shown_roles",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if person is not None:
            context = {
                "locked": signing_in.is_locked(person),
                "factor": SecondFactor.objects.filter(user=person, confirmed=True).first(),
                "factor_needed": person.needs_second_factor(),
                "helps": holds(request, Role.ADMIN) and person.pk != actor(request).pk,
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if person is None:
            raise Http404(f"没有找到人员 {object_id}。")
        return history_page(self, request, person)

    def unlock(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._help(request, object_id, signing_in.unlock, "{name}的登录已解锁。")

    def reset_second_factor(self, request: HttpRequest, object_id: int) -> HttpResponse:
        done = "{name}的动态口令已重置，下次登录时重新登记。"
        return self._help(request, object_id, signing_in.reset_second_factor, done)

    def _help(self, request: HttpRequest, object_id: int, service: Callable[..., None], done: str) -> HttpResponse:
        person = User.objects.filter(pk=object_id).first()
        if person is None:
            raise Http404(f"没有找到人员 {object_id}。")
        try:
            service(person, by=actor(request), reason=request.POST.get("reason", ""))
        except Refused as refused:
            for problem in refused.problems:
                messages.error(request, problem.message)
        else:
            messages.success(request, done.format(name=person.name))
        return HttpResponseRedirect(reverse("admin:office_user_change", args=[person.pk]))

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
        audit.record("change_person" if change else "add_person", obj, fields=form.changed_data)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The trail of verbs is AuditEvent; Django's own log is off."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """See log_addition."""
