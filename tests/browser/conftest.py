"""A real Chromium against the real site. Where Chromium is missing these tests say so; in CI they must run."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from fundcenter.office.models import User
from tests.city import second_factor

CHROMIUM = shutil.which("chromium")
PASSWORD = "passw0rd-for-tests"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("没有 Chromium：CI 中浏览器测试必须运行")
        pytest.skip("没有 Chromium，浏览器测试未运行（apt-get install chromium）")
    # Playwright's loop lives in this thread, Django's own check takes it for an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def complains(message: ConsoleMessage) -> bool:
    """Errors and warnings of the page itself; that a page is not found is some tests' very point."""
    return message.type in ("error", "warning") and "404 (Not Found)" not in message.text


@pytest.fixture
def sign_in(browser: Browser, live_server: object) -> Iterator[Callable[[User], Page]]:
    """Each person in a browser of their own; whatever a page complains of, or asks of outside, fails the test."""
    complaints: list[str] = []
    contexts = []

    def as_(user: User) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if complains(m) else None)
        page.on("request", lambda r: None if r.url.startswith((live_server.url, "data:")) else complaints.append(r.url))
        page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 500 else None)
        page.goto(live_server.url)
        page.get_by_label("登录名").fill(user.username)
        page.get_by_label("口令").fill(PASSWORD)
        page.keyboard.press("Enter")
        if user.needs_second_factor():
            page.get_by_label("6 位验证码").fill(second_factor(user))
            page.keyboard.press("Enter")
        page.get_by_text("工作台").first.wait_for()
        return page

    yield as_
    for context in contexts:
        context.close()
    assert complaints == []
