import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_program_signs_in_as_fc_app() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("fc_app",)
