"""登记动态口令, 登录锁定, 查看全号, 变更历史 and 解锁, as people meet them, under the policy of the real pages."""

import base64

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import Error

from accounts.parties.models import Member
from fundcenter import vault
from fundcenter.office.models import Role
from fundcenter.scope import acting_as
from tests.browser.conftest import PASSWORD
from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)


def test_查看全号_一次可见_离开即隐去(city: City, sign_in) -> None:
    (member,) = city.members(city.employer("甲单位"), 张䶮="5321.00")
    number = vault.open_text(member.id_sealed)
    clerk = sign_in(city.clerk())
    page_url = clerk.url.rstrip("/") + f"/parties/member/{member.pk}/change/"
    clerk.goto(page_url)
    assert clerk.get_by_text(member.id_mask).first.is_visible()
    clerk.get_by_label("事由").select_option(label="与银行核对户名")
    clerk.get_by_label("说明（留痕）").fill("工行退回，核对户名")
    clerk.get_by_role("button", name="查看全号").click()
    clerk.get_by_text(number).wait_for()
    assert number not in clerk.url
    assert number not in clerk.content().split("<main")[0]
    clerk.get_by_role("link", name="工作台").first.click()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # no browser keeps the page
        clerk.go_back()
    assert clerk.get_by_text(number).count() == 0

    auditor = sign_in(city.people[""][Role.AUDITOR])
    auditor.get_by_role("link", name="审计事件").click()
    row = auditor.get_by_role("row").filter(has_text="查看全号").first.inner_text()
    for words in (city.clerk().name, "职工", "与银行核对户名", "工行退回，核对户名"):
        assert words in row
    assert number not in auditor.content()


def test_首次登录登记动态口令(city: City, browser, live_server) -> None:
    complaints: list[str] = []
    page = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.goto(live_server.url)
    page.get_by_label("登录名").fill(city.reviewer().username)
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("登记动态口令").wait_for()
    picture = page.locator(".qr svg")
    assert picture.bounding_box()["width"] > 100
    assert page.locator(".qr svg [style], .qr svg style").count() == 0
    secret = page.locator(".secret").inner_text()
    page.get_by_label("6 位验证码").fill(f"{TOTP(base64.b32decode(secret)).token():06d}")
    page.keyboard.press("Enter")
    page.get_by_text("工作台").first.wait_for()
    assert complaints == []


def test_五次输错即锁定_系统管理解锁后可登录(city: City, sign_in, browser, live_server) -> None:
    clerk = city.clerk()
    page = browser.new_context(locale="zh-CN").new_page()

    def try_(password: str) -> None:
        page.goto(live_server.url)
        page.get_by_label("登录名").fill(clerk.username)
        page.get_by_label("口令").fill(password)
        page.keyboard.press("Enter")

    for n in range(5):
        try_(f"wrong {n}")
        page.get_by_text("口令不对" if n < 4 else "登录已锁定 15 分钟").wait_for()
    try_(PASSWORD)
    page.get_by_text("登录已锁定 15 分钟").wait_for()

    admin = sign_in(city.people[""][Role.ADMIN])
    admin.get_by_role("link", name="人员").first.click()
    admin.get_by_role("link", name=clerk.username).click()
    admin.get_by_text("口令连续输错，已锁定").wait_for()
    admin.get_by_label("原因（留痕）").fill("本人到场核实")
    admin.get_by_role("button", name="解锁登录").click()
    admin.get_by_text("的登录已解锁").wait_for()
    try_(PASSWORD)
    page.get_by_text("工作台").first.wait_for()


def test_变更历史一目了然(city: City, sign_in) -> None:
    (member,) = city.members(city.employer("甲单位"), 张䶮="5321.00")
    with acting_as(city.clerk(), verb="change"):
        Member.objects.filter(pk=member.pk).update(base="6000.00", state="sealed", sealed_month="2026-04-01")
    clerk = sign_in(city.clerk())
    clerk.goto(clerk.url.rstrip("/") + f"/parties/member/{member.pk}/change/")
    clerk.get_by_role("link", name="变更历史").click()
    table = clerk.get_by_role("table", name="变更历史")
    table.wait_for()
    for words in ("缴存基数", "5,321.00", "6,000.00", "状态", "正常", "封存", city.clerk().name, "修改"):
        assert table.get_by_text(words).first.is_visible(), words
