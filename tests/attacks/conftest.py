"""One scene for all attacks of a file: no attack may move anything in it, so none needs it fresh."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.attacks import scene as scenes


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: object) -> Iterator[scenes.Scene]:
    """The city under attack. Afterwards the books are replayed, and no voucher may have come or gone."""
    with django_db_blocker.unblock(), scenes.build() as built:
        try:
            vouchers, _ = built.verdict()
            yield built
            assert built.verdict() == (vouchers, ())
        finally:
            connection.close()
            built.superuser.execute("select snap.restore()")
