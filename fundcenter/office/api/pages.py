"""接口说明: the page that describes the API, for whoever is signed in; its files lie here, none comes from outside."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response


class DescriptionView(SpectacularJSONAPIView):
    """The description itself, as OpenAPI has it."""


# Its stylesheet carries its arrows within itself.
@method_decorator(csp_update({"img-src": ["data:"]}), name="dispatch")
class ReferenceView(SpectacularSwaggerSplitView):
    """The description to read and to try. ``frame``: the context of the site's own frame around it."""

    url_name = "api-schema"
    template_name = "office/api.html"
    title = "接口说明"
    frame: Any = staticmethod(lambda request: {})

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().get(request, *args, **kwargs)
        if "script" not in request.GET:
            response.data |= {**self.frame(request._request), "title": self.title}
        return response
