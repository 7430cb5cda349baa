import os
from collections.abc import Iterable
from email.message import Message
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fundcenter.settings")


def in_utf8(application: Any) -> Any:
    """Reads whatever comes as UTF-8, the only thing that browsers and callers of the API send.

    Of a request's Content-Type only the kind and the boundary are kept: Django would look up any charset or RFC 2231
    parameter among Python's codecs, some of which are no text (hex, undefined) and end in an error of ours.
    """

    def read(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = _kind(environ.get("CONTENT_TYPE", ""))
        response: Iterable[bytes] = application(environ, start_response)
        return response

    return read


def _kind(content_type: str) -> str:
    said = Message()
    said["content-type"] = content_type
    kind, boundary = content_type.partition(";")[0].strip(), said.get_param("boundary")
    quoted = str(boundary).replace("\\", "\\\\").replace('"', '\\"')
    return f'{kind}; boundary="{quoted}"' if isinstance(boundary, str) and boundary else kind


application = in_utf8(get_wsgi_application())
