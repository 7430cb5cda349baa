"""Encryption at rest and blind indexes.

Keys lie outside the database (``settings.VAULT``, read from ``$FUNDCENTER_HOME/keys``). Personal numbers and stored files are Fernet tokens
(AES-128-CBC with HMAC-SHA256); the first key of the list encrypts, all of them decrypt, so that keys can be rotated.
An encrypted number cannot be searched: beside it stands a keyed hash of its normal form, found by equality alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

BLIND_INDEX_BYTES = 16


@cache
def _cipher(purpose: str) -> MultiFernet:
    secrets = settings.VAULT[purpose].split(",")
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(s.encode()).digest())) for s in secrets])


@cache
def _index_key() -> bytes:
    return settings.VAULT["index"].encode()


class Unreadable(ValueError):
    """The token was not made with any key of this installation, or was altered."""


def _open(purpose: str, token: bytes) -> bytes:
    try:
        return _cipher(purpose).decrypt(token)
    except InvalidToken as broken:
        raise Unreadable("密文无法解密：密钥不符或内容被改动") from broken


def seal_text(text: str) -> str:
    """Encrypt a personal number."""
    return _cipher("pii").encrypt(text.encode()).decode()


def open_text(token: str) -> str:
    """Decrypt a personal number. The caller records the unmasking."""
    return _open("pii", token.encode()).decode()


def blind_index(kind: str, number: str) -> bytes:
    """Keyed hash of a normalised number (upper case, no blanks) and its kind; 16 bytes."""
    message = f"{kind}|{number.upper()}".encode()
    return hmac.new(_index_key(), message, hashlib.sha256).digest()[:BLIND_INDEX_BYTES]


def seal_file(content: bytes) -> bytes:
    return _cipher("files").encrypt(content)


def open_file(token: bytes) -> bytes:
    return _open("files", token)
