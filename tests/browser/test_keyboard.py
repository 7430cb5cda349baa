"""从登录到入账，不碰鼠标: every step by the keyboard, and where the focus is can always be seen. WCAG 2.1.1, 2.4.7."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fundcenter.office.models import User
from tests.browser.conftest import PASSWORD
from tests.city import City, second_factor

pytestmark = pytest.mark.django_db(transaction=True)

FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const label = here.labels?.[0]?.innerText ?? here.getAttribute("aria-label");
  const ring = here.closest(".drop-here")?.querySelector(".button") ?? here;
  const style = getComputedStyle(ring);
  return { name: (label ?? here.innerText ?? "").trim(), ring: style.outlineStyle !== "none" && style.outlineWidth !== "0px" };
}"""


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until it is reached; wherever the focus stops on the way, it shows."""
    for _ in range(80):
        page.keyboard.press(key)
        here = page.evaluate(FOCUS)
        if here is None:
            continue
        assert here["ring"], f"看不出焦点在“{here['name']}”"
        if name in here["name"]:
            return
    pytest.fail(f"按 {key} 到不了“{name}”")


def arrived(at: Locator) -> None:
    """On the page that shows this, and its script and focus in place: keys pressed earlier go nowhere."""
    at.wait_for()
    at.page.wait_for_load_state()


@pytest.fixture
def keyboard(browser: Browser, live_server: Any) -> Any:
    contexts = []

    def as_(user: User) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url)
        page.wait_for_function("document.activeElement?.name === 'username'")  # by itself, with the first frame drawn
        page.keyboard.type(user.username)
        page.keyboard.press("Enter")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        if user.needs_second_factor():
            arrived(page.get_by_text("6 位验证码"))
            page.keyboard.type(second_factor(user))
            page.keyboard.press("Enter")
        arrived(page.get_by_role("navigation", name="业务"))
        return page

    yield as_
    for context in contexts:
        context.close()


def test_从登录到入账_只用键盘(city: City, keyboard: Callable[[User], Page], tmp_path: Path) -> None:
    employer = city.employer("甲单位")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    file = tmp_path / "甲单位三月.xlsx"
    file.write_bytes(city.register(employer))

    clerk = keyboard(city.clerk())
    tab_to(clerk, "跳到正文")
    clerk.keyboard.press("g")
    tab_to(clerk, "汇缴批次")
    clerk.keyboard.press("Enter")
    arrived(clerk.get_by_role("heading", name="汇缴批次"))
    clerk.keyboard.press("m")
    assert clerk.evaluate(FOCUS)["name"] == "上传清册"
    clerk.keyboard.press("Enter")
    arrived(clerk.get_by_role("heading", name="上传清册"))
    tab_to(clerk, "汇缴清册")
    with clerk.expect_file_chooser() as chooser:
        clerk.keyboard.press("Space")
    chooser.value.set_files(file)
    tab_to(clerk, "上传并检查")
    clerk.keyboard.press("Enter")
    arrived(clerk.get_by_text("检查通过，待提交").first)
    tab_to(clerk, "意见")
    clerk.keyboard.type("三月清册")
    tab_to(clerk, "提交复核")
    clerk.keyboard.press("Enter")
    arrived(clerk.get_by_text("已提交复核").first)

    reviewer = keyboard(city.reviewer())
    reviewer.keyboard.press("j")
    assert "汇缴批次 HJ" in reviewer.evaluate(FOCUS)["name"]
    reviewer.keyboard.press("Enter")
    arrived(reviewer.get_by_text("三月清册").first)
    reviewer.keyboard.press("m")
    assert reviewer.evaluate(FOCUS)["name"] == "同意并入账"
    reviewer.keyboard.press("Enter")
    dialog = reviewer.get_by_role("dialog")
    dialog.wait_for()
    reviewer.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert reviewer.evaluate(FOCUS)["name"] == "同意并入账"  # back where it was
    reviewer.keyboard.press("Enter")
    tab_to(reviewer, "同意并入账")
    reviewer.keyboard.press("Enter")
    arrived(reviewer.get_by_text("已入账").first)
    tab_to(reviewer, "批-000001")
    reviewer.keyboard.press("Enter")
    arrived(reviewer.get_by_role("heading", name="记账凭证").first)


def test_快捷键面板_可关掉单键(city: City, keyboard: Callable[[User], Page]) -> None:
    page = keyboard(city.clerk())
    page.keyboard.press("?")
    panel = page.get_by_role("dialog", name="快捷键")
    panel.wait_for()
    for words in ("查找职工、单位、凭证、单据", "到本页的主要按钮", "到左侧菜单"):
        assert panel.get_by_text(words).is_visible()
    # 一个字母的快捷键可以关掉 (WCAG 2.1.4).
    tab_to(page, "启用单键快捷键", "Shift+Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.reload()
    page.wait_for_load_state()
    page.keyboard.press("/")
    assert page.evaluate(FOCUS) is None
    page.keyboard.press("?")
    expect(panel).to_be_hidden()


def test_输入法的标点也认(city: City, keyboard: Callable[[User], Page]) -> None:
    page = keyboard(city.clerk())
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '、', bubbles: true }))")
    assert page.evaluate(FOCUS)["name"] == "查找职工、单位、凭证、单据"
    page.keyboard.type("/")
    assert page.locator(".find input[type=search]").input_value() == "/"
