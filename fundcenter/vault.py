"""Encryption at rest and blind indexes.

Keys lie outside the database (``settings.VAULT``, read from ``$FUNDCENTER_HOME/keys``). Personal numbers and stored files are Fernet tokens
(AES-128-CBC with HMAC-SHA256); the first key of the list encrypts, all of them decrypt, so that keys can be rotated.
An encrypted number cannot be searched: beside it stands a keyed hash of its normal form, found by equality alone.
A key that is being changed reads ``new,old`` (``manage.py rotate_keys``). Ciphers then read both; an index can be of one key
alone, so it is refused until all of them have been computed anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

BLIND_INDEX_BYTES = 16


@lru_cache(maxsize=16)
def _ciphers(secrets: str) -> tuple[Fernet, MultiFernet]:
    """Of a list of secrets: the first one's cipher, and that of all."""
    ciphers = [Fernet(base64.urlsafe_b64encode(hashlib.sha256(s.encode()).digest())) for s in secrets.split(",")]
    return ciphers[0], MultiFernet(ciphers)


def _cipher(purpose: str) -> MultiFernet:
    return _ciphers(settings.VAULT[purpose])[1]


class Unreadable(ValueError):
    """The token was not made with any key of this installation, or was altered."""


class KeyInChange(RuntimeError):
    """The index key is being changed, and numbers can neither be found nor entered until that is done."""


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
    secret = settings.VAULT["index"]
    if "," in secret:
        raise KeyInChange("盲索引密钥轮换尚未完成：请先执行 manage.py rotate_keys --purpose index --as 系统管理员")
    return index_under(secret, kind, number)


def index_under(secret: str, kind: str, number: str) -> bytes:
    """The blind index with this key; only the change of keys names one."""
    message = f"{kind}|{number.upper()}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()[:BLIND_INDEX_BYTES]


def renewed(purpose: str, token: bytes) -> bytes | None:
    """The token under the first key; None if it is already. Unreadable if no key opens it."""
    first, _ = _ciphers(settings.VAULT[purpose])
    try:
        first.decrypt(token)
    except InvalidToken:
        return first.encrypt(_open(purpose, token))
    return None


def seal_file(content: bytes) -> bytes:
    return _cipher("files").encrypt(content)


def open_file(token: bytes) -> bytes:
    return _open("files", token)
