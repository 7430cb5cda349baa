"""任务 on screen: the list, and what a page's bar asks while a job runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from fundcenter.office.admin.lists import BranchFilter, DayFilter, PersonFilter
from fundcenter.office.admin.records import RecordAdmin, chip, download
from fundcenter.office.admin.site import site
from fundcenter.office.models import Job
from fundcenter.office.services import issuing, jobs


def document_url(job: Job) -> str:
    """The page of the job's document."""
    model, _, key = job.document.partition(":")
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[key])


@admin.register(Job, site=site)
class JobAdmin(RecordAdmin):
    list_display = (
        "shown_title", "shown_state", "shown_note", "shown_took", "attempts", "by", "branch", "asked_at",
    )  # fmt: skip
    list_display_links = None
    list_filter = ("state", ("asked_at", DayFilter), ("by", PersonFilter), ("branch", BranchFilter))
    list_select_related = ("by", "branch")
    ordering = ("-id",)
    empty_list = "还没有任务。大批量的检查和入账会在这里办理，可随时离开页面。"

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress)
        file = self.admin_site.admin_view(self.file)
        return [
            path("<int:object_id>/progress/", progress, name="office_job_progress"),
            path("<int:object_id>/file/", file, name="office_job_file"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A job is shown where its document is."""
        return HttpResponseRedirect(document_url(self.find(request, object_id)))

    def progress(self, request: HttpRequest, object_id: int) -> JsonResponse:
        return JsonResponse(jobs.as_json(self.find(request, str(object_id))))

    def file(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The paper that a job has made."""
        job = self.find(request, str(object_id))
        if job.file is None:
            raise Http404("这项任务没有生成文件。")
        return download(issuing.open_file(job.file), job.file.name, "application/pdf")

    @admin.display(description="任务", ordering="id")
    def shown_title(self, job: Job) -> str:
        return format_html('<a href="{}">{}</a>', document_url(job), job.title)

    @admin.display(description="状态", ordering="state")
    def shown_state(self, job: Job) -> str:
        return chip(job.state, job.get_state_display())

    @admin.display(description="进度与结果")
    def shown_note(self, job: Job) -> str:
        note = jobs.shown_note(job)
        if job.file_id is None:
            return note
        return format_html('{} <a href="{}">下载</a>', note, reverse("admin:office_job_file", args=[job.pk]))

    @admin.display(description="用时（秒）")
    def shown_took(self, job: Job) -> str:
        if job.started_at is None or job.ended_at is None:
            return self.admin_site.empty_value_display
        return format_html('<span class="num">{}</span>', (job.ended_at - job.started_at).seconds)
