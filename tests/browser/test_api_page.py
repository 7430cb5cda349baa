"""接口说明 in a real Chromium, under the policy: read, signed in with a token, tried."""

import re

import pytest
from playwright.sync_api import expect

from tests.api.conftest import token_of
from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)

# What the page says in its own words: no address, code, name of a field or type, or quoted text.
SPOKEN = """root => {
  const quoted = "pre, code, textarea, select, .opblock-summary-path, .opblock-summary-method, .parameter__name, "
    + ".parameter__type, .parameter__in, .prop-type, .prop-format, .url, .version-stamp, .microlight, .scheme-container h4";
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), found = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (text.nodeValue.trim() && !text.parentElement.closest(quoted)) found.push(text.nodeValue.trim());
  }
  return found;
}"""


def test_接口说明_可读可试(city: City, sign_in, tmp_path) -> None:
    city.employer("甲单位")
    _, secret = token_of(city, city.clerk())
    page = sign_in(city.clerk())
    page.get_by_role("link", name="接口说明").click()
    page.get_by_text("本机构的单位", exact=True).wait_for()
    page.screenshot(path="/tmp/api1.png", full_page=True)
    page.locator(".authorize").first.click()
    page.locator(".auth-container input").fill(secret)
    page.screenshot(path="/tmp/api2.png")
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    page.get_by_text("本机构的单位", exact=True).click()
    page.locator(".try-out__btn").click()
    page.locator(".execute").click()
    page.locator(".live-responses-table").wait_for()
    page.screenshot(path="/tmp/api3.png")
    expect(page.locator(".live-responses-table")).to_contain_text("甲单位")
    spoken = page.locator("#swagger-ui").evaluate(SPOKEN)
    assert [word for word in spoken if re.search("^[ -~]*[A-Za-z]{4}[ -~]*$", word)] == []
