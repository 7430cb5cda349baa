"""The page of a business document: what it is, how it got here, the evidence, and the verbs that this person has now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from fundcenter import clock, identifiers
from fundcenter.office.admin.lists import Hit
from fundcenter.office.admin.records import RecordAdmin, actor
from fundcenter.office.models import Document, Opinion, Role
from fundcenter.office.refusals import Refused
from fundcenter.office.services import jobs
from fundcenter.office.states import UNDER_WAY


@dataclass(frozen=True)
class Verb:
    """One button: the service behind it (document, by, on, opinion), and the roles that have it.

    ``danger``: the browser asks once more, with the amount in figures and capitals.
    """

    run: Callable[..., Any]
    roles: tuple[Role, ...]
    done: str
    primary: bool = False
    danger: bool = False


class DocumentAdmin(RecordAdmin):
    """A list and a page of documents that move by ``model.machine``; ``verbs`` names the buttons by verb."""

    verbs: ClassVar[Mapping[str, Verb]] = {}

    def get_urls(self) -> list[URLPattern]:
        run = require_POST(self.admin_site.admin_view(self.run_verb))
        name = f"{self.opts.app_label}_{self.opts.model_name}_verb"
        return [path("<int:object_id>/<slug:verb>/do/", run, name=name), *super().get_urls()]

    def hits(self, request: HttpRequest, typed: str, most: int) -> list[Hit]:
        """By its printed number: HJ202603-000012."""
        named = re.fullmatch(rf"{self.model.prefix}([0-9]{{6}})-?0*([0-9]{{1,15}})", identifiers.clean(typed).upper())
        found = self.get_queryset(request).filter(pk=int(named[2])).first() if named else None
        if named is None or found is None or f"{found.made_on:%Y%m}" != named[1]:
            return []
        note = f"{found.maker.name}经办 · {found.state_label}"
        return [Hit(str(self.opts.verbose_name), found.number, "", note, self.url_of(found))]

    def verbs_now(self, request: HttpRequest, document: Document) -> list[dict[str, Any]]:
        """The buttons that this person has on this document now: by its state, by role, never on one's own work."""
        found = []
        for name in document.machine.verbs_from(document.state):
            verb, move = self.verbs.get(name), document.machine.moves[name]
            if verb is None or not actor(request).holds(*verb.roles):
                continue
            if move.checks and document.maker_id == actor(request).pk:
                continue
            found.append({"name": name, "label": move.label, "verb": verb, "opinion_required": move.opinion_required})
        return found

    def page_context(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        return {
            "opinions": list(Opinion.objects.filter(document=found.label).select_related("by")),
            "verbs": self.verbs_now(request, found),
            **self.job_context(found),
            **super().page_context(request, found),
        }

    def job_context(self, found: Document) -> dict[str, Any]:
        """The bar of a document that a job works on."""
        job = jobs.of(found) if found.state in UNDER_WAY else None
        return {"job": job, "job_note": jobs.shown_note(job), "shows_end": True} if job else {}

    def run_verb(self, request: HttpRequest, object_id: int, verb: str) -> HttpResponse:
        """Carry out a verb. Whatever was typed stays when it is refused: the page shows it again with the reason."""
        document = self.find(request, str(object_id))
        rule = self.verbs.get(verb)
        if rule is None or not actor(request).holds(*rule.roles):
            messages.error(request, "您的岗位不能办理此项。")
            return HttpResponseRedirect(self.url_of(document))
        opinion = request.POST.get("opinion", "")
        try:
            rule.run(document, by=actor(request), on=clock.today(), opinion=opinion)
        except Refused as refused:
            document.refresh_from_db()
            return self.page(request, document, refused=refused.problems, opinion=opinion)
        done = "{number} 已交后台办理，可离开本页。" if document.state in UNDER_WAY else rule.done
        messages.success(request, done.format(number=document.number))
        return HttpResponseRedirect(self.url_of(document))
