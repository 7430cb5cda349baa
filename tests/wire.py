"""Requests through fundcenter.wsgi, as gunicorn hands them over: Django's test client begins behind it."""

from __future__ import annotations

import io
from wsgiref.util import setup_testing_defaults

from fundcenter.wsgi import application

# What a request may say of its characters: no codec, codecs that are no text, that refuse everything, that are not UTF-8.
CHARSETS = [
    "charset=hex", "charset=zip", "charset=rot13", "charset=undefined", "charset=idna", "charset=punycode", "charset=utf-16",
    "charset=gb18030", "charset=no-such", "charset=", 'charset="', "charset*=no-such''%41", "charset*=undefined''%41",
    "x*=no-such''%41", "charset=\xe9",
]  # fmt: skip


def over_the_wire(
    method: str, path: str, body: bytes = b"", *, query: str = "", content_type: str = "", **more: str
) -> tuple[int, str]:
    """(status, text of the answer)"""
    environ: dict[str, object] = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1", **more,
    }  # fmt: skip
    setup_testing_defaults(environ)
    said: list[str] = []
    answer = application(environ, lambda status, headers, error=None: said.append(status))
    try:
        text = b"".join(answer).decode()
    finally:
        answer.close()
    return int(said[0].split()[0]), text
