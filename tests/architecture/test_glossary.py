"""Code and glossary say the same: every model of ours stands in docs/glossary.md under its own Chinese name."""

import re
from pathlib import Path

from django.apps import apps
from django.conf import settings

PAGE = Path(settings.BASE_DIR, "docs", "glossary.md").read_text()
TERMS = dict(re.findall(r"^\| ([A-Z]\w+) \| ([^|]+?) \|", PAGE, re.MULTILINE))


def our_models() -> list[type]:
    return [
        model for model in apps.get_models() if model.__module__.split(".")[0] in ("fundcenter", "accounts", "demo")
    ]


def test_every_model_stands_in_the_glossary() -> None:
    names = {model.__name__: str(model._meta.verbose_name) for model in our_models()}
    assert {name: TERMS.get(name) for name in names} == names


def test_the_glossary_names_no_model_that_is_gone() -> None:
    assert set(TERMS) == {model.__name__ for model in our_models()}


def test_every_model_opens_with_its_chinese_term() -> None:
    closed = [model.__name__ for model in our_models() if not re.match(r"[\u4e00-\u9fff]", model.__doc__ or "")]
    assert closed == []
