"""接口说明: valid, complete, in Chinese; its page runs from local files alone, under the policy, for who is signed in."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.api.test_scope import EVERY
from tests.city import City


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def test_说明有效_没有警告(schema: dict[str, Any]) -> None:
    validate_schema(schema)
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_每个接口都有说明(schema: dict[str, Any]) -> None:
    described = {f"{method} {path}" for path, methods in schema["paths"].items() for method in methods}
    braced = re.compile(r"<(?:int|str):(\w+)>")
    assert described == {f"{method} /" + braced.sub(r"{\1}", route) for method, route, _ in EVERY}


def test_说明是中文的_每个参数每个字段都有(schema: dict[str, Any]) -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    silent = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            said = [
                operation.get("summary"),
                *(answer["description"] for answer in operation["responses"].values() if "Error" in str(answer)),
            ]
            said += [parameter.get("description") for parameter in operation.get("parameters", ())]
            silent += [f"{method} {path}"] * (not all(chinese.search(text or "") for text in said))
            assert operation["security"] == [{"token": []}]
            assert {"400", "401", "403", "404", "429"} <= operation["responses"].keys()
    for name, component in schema["components"]["schemas"].items():
        for field, shown in component.get("properties", {}).items():
            if "$ref" not in str(shown) and not chinese.search(shown.get("description", "")):
                silent.append(f"{name}.{field}")
    assert silent == []
    assert not re.search(r'"description": "[A-Z][a-z]+ [a-z]+', str(schema).replace("'", '"'))


@pytest.mark.django_db(transaction=True)
def test_页面只给登录的人_文件都在本机(city: City) -> None:
    for path in ("/api/", "/api/schema/"):
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")
    browser = Client()
    browser.force_login(city.clerk())
    page = browser.get("/api/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "接口说明" in text
    assert "退出" in text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert all(address.startswith(("/", "#", "?")) for address in addresses), addresses
    for address in addresses:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address
    script = browser.get("/api/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert not re.search("https?://", script.content.decode())
    described = browser.get("/api/schema/")
    assert described.json()["info"]["title"].endswith("接口")
