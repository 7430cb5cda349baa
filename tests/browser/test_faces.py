"""Every kind of page by axe-core, in light and dark: WCAG 2 A and AA and the good practice that it knows; nothing is found.

And at the sizes that people sit before: no page is wider than its window, and nothing on it is in another language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.contributions.models import Batch
from accounts.ledger.models import Voucher
from accounts.parties.models import Employer, Member, MemberOpening
from fundcenter.office.models import Role
from fundcenter.scope import acting_as
from tests.browser.conftest import PASSWORD
from tests.city import City

pytestmark = pytest.mark.django_db(transaction=True)

# Everything in one scheme; in the other what colours decide.
RULES: dict[str, dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
SIZES = ((1366, 768), (1024, 768))
# What a page shows in words of its own: neither what people typed nor file names, codes and keys.
WORDS = """() => {
  const quoted = "input, textarea, code, kbd, dt, dd, td, th, .persons, .switch, .secret, .hints, .breadcrumbs, h1, summary, svg";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const box = text.parentElement;
    if (text.nodeValue.trim() && box.checkVisibility() && !box.closest(quoted)) found.push(text.nodeValue.trim());
  }
  return found;
}"""


@pytest.fixture
def world(city: City) -> dict[str, Any]:
    """甲单位 with a posted month, a refused, a checked and a submitted batch; pages by name."""
    employer = city.employer("鄱阳县第一人民医院")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    city.receive(employer, "9130.00")
    posted = city.remit(employer)
    city.submit(posted)
    (voucher,) = city.approve(posted)
    refused = city.remit(employer, city.register(employer, "2026-04", 李四={"个人账号": "3.60E+11"}), "四月.xlsx")
    other = city.employer("鄱阳湖渔业有限责任公司")
    city.members(other, 王五="4000.00")
    city.receive(other, "960.00")
    submitted = city.remit(other, name="渔业三月.xlsx")
    city.submit(submitted)
    with acting_as(city.clerk()):
        member = Member.objects.get(name="张䶮")
        register = posted.registers.get()
        opened = MemberOpening.objects.latest("id")
    assert (refused.state, submitted.state) == ("refused", "submitted")
    return {
        "home": "/", "upload": "/contributions/batch/upload/", "refused": f"/contributions/batch/{refused.pk}/change/",
        "posted": f"/contributions/batch/{posted.pk}/change/", "submitted": f"/contributions/batch/{submitted.pk}/change/",
        "register": f"/contributions/batch/{posted.pk}/register/{register.pk}/",
        "voucher": f"/ledger/voucher/{voucher.pk}/change/", "member": f"/parties/member/{member.pk}/change/",
        "member history": f"/parties/member/{member.pk}/history/", "employer": f"/parties/employer/{employer.pk}/change/",
        "form": "/parties/memberopening/form/", "employer form": "/parties/employeropening/form/",
        "opening upload": "/parties/memberopening/upload/", "opening": f"/parties/memberopening/{opened.pk}/change/",
        "refund upload": "/contributions/refund/upload/", "search": "/search/?q=鄱阳", "nothing found": "/search/?q=没有",
        "filtered": "/contributions/batch/?employer=鄱阳&made_on__since=2026-03-01", "empty": "/contributions/refund/",
        "password": "/password_change/", "receipt": f"/banking/receipt/{_receipt(city)}/change/",
    }  # fmt: skip


def _receipt(city: City) -> int:
    with acting_as(city.clerk()):
        return int(Voucher.objects.filter(kind="receipt").earliest("id").source)


def faults(page: Page, name: str) -> list[str]:
    """What axe finds on this page, in both schemes."""
    found = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        results = Axe().run(page, options={"resultTypes": ["violations"], "preload": False, **rules})
        for violation in results.response["violations"]:
            places = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:3])
            found.append(f"{name}（{scheme}）{violation['id']}：{places}")
    page.emulate_media(color_scheme="light")
    return found


def too_wide(page: Page, name: str) -> list[str]:
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{name} 宽 {wide}，窗口 {width}")
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    return found


def foreign(page: Page, name: str) -> list[str]:
    return [f"{name}：{text}" for text in page.evaluate(WORDS) if re.fullmatch(r"[ -~]*[A-Za-z]{4}[ -~]*", text)]


def test_每一页都合乎_WCAG_AA(city: City, world: dict[str, str], sign_in: Callable[..., Page]) -> None:
    page = sign_in(city.clerk())
    site = page.url.rstrip("/")
    lists = page.locator(".menu a").evaluate_all(
        "links => links.map(a => [a.textContent.trim(), a.getAttribute('href')])"
    )
    found: list[str] = []
    for name, path in (*world.items(), *((name, path) for name, path in lists if path != "/api/")):
        page.goto(site + path)
        found += faults(page, name) + too_wide(page, name) + foreign(page, name)
    # Drop-downs and dialogs open, and a form with errors.
    page.goto(site + "/contributions/batch/")
    for drop in page.locator(".bar details").all():
        drop.locator("summary").click()
        found += faults(page, f"筛选 {drop.inner_text()[:8]}") + foreign(page, "筛选")
    page.get_by_role("button", name="快捷键").click()
    found += faults(page, "快捷键")
    page.goto(site + world["form"])
    page.get_by_role("button", name="检查并登记").click()
    page.get_by_text("没有受理").first.wait_for()
    found += faults(page, "表单有误") + foreign(page, "表单有误")

    reviewer = sign_in(city.reviewer())
    for name in ("home", "submitted"):
        reviewer.goto(site + world[name])
        found += faults(reviewer, f"复核 {name}") + too_wide(reviewer, f"复核 {name}")
    reviewer.get_by_role("button", name="同意并入账").click()
    found += faults(reviewer, "复核确认")
    assert found == []


def test_其他岗位的页面也合乎_WCAG_AA(city: City, world: dict[str, str], sign_in: Callable[..., Page]) -> None:
    found: list[str] = []
    for role in (Role.MANAGER, Role.ADMIN):
        page = sign_in(city.people[""][role])
        site = page.url.rstrip("/")
        lists = page.locator(".menu a").evaluate_all(
            "links => links.map(a => [a.textContent.trim(), a.getAttribute('href')])"
        )
        for name, path in lists:
            if path != "/api/":
                page.goto(site + path)
                found += (
                    faults(page, f"{role} {name}") + too_wide(page, f"{role} {name}") + foreign(page, f"{role} {name}")
                )
    page.goto(f"{site}/office/user/{city.clerk().pk}/change/")
    found += faults(page, "人员") + too_wide(page, "人员") + foreign(page, "人员")
    page.goto(f"{site}/office/user/add/")
    found += faults(page, "新增人员") + foreign(page, "新增人员")
    assert found == []


def test_登录页合乎_WCAG_AA(city: City, browser: Any, live_server: Any) -> None:
    page = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    page.goto(live_server.url)
    found = faults(page, "登录") + too_wide(page, "登录")
    page.get_by_label("登录名").fill(city.reviewer().username)
    page.get_by_label("口令").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("口令不对").wait_for()
    found += faults(page, "口令不对")
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("登记动态口令").wait_for()
    found += faults(page, "登记动态口令") + too_wide(page, "登记动态口令")
    page.goto(f"{live_server.url}/nowhere/")
    found += faults(page, "没有此页")
    page.context.close()
    assert found == []


def test_选文件的按钮说中文_可拖放(city: City, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    page = sign_in(city.clerk())
    page.goto(page.url.rstrip("/") + "/contributions/batch/upload/")
    area = page.locator(".drop-here")
    expect(area.get_by_text("还没有选择文件")).to_be_visible()
    drop = """(area, [name, text]) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name));
      area.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    area.evaluate(drop, ["照片.png", "x"])
    expect(area.get_by_text("只收 .xlsx、.xls、.csv 文件。")).to_be_visible()
    area.evaluate(drop, ["三月清册.csv", "单位账号,缴存月份\n"])
    expect(area.get_by_text("已选择：三月清册.csv（1 KB）")).to_be_visible()
    page.get_by_role("button", name="上传并检查").click()
    page.wait_for_url(re.compile("/change/|upload/"))
    assert Batch.objects.count() == 0 or page.get_by_text("三月清册.csv").first.is_visible()


def test_没有选文件_用中文说(city: City, sign_in: Callable[..., Page]) -> None:
    page = sign_in(city.clerk())
    page.goto(page.url.rstrip("/") + "/contributions/batch/upload/")
    page.get_by_role("button", name="上传并检查").click()
    field = page.locator("input[type=file]")
    assert field.evaluate("field => field.validationMessage") == "请选择要上传的表格文件。"


def test_打印时只有内容_黑白可读(city: City, world: dict[str, str], sign_in: Callable[..., Page]) -> None:
    page = sign_in(city.clerk())
    site = page.url.rstrip("/")
    page.emulate_media(media="print", color_scheme="dark")
    for name in ("posted", "employer", "voucher"):
        page.goto(site + world[name])
        for chrome in (".top", ".menu", ".breadcrumbs", ".tools"):
            assert not page.locator(chrome).first.is_visible(), chrome
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_全局查找_斜杠键直达(city: City, world: dict[str, str], sign_in: Callable[..., Page]) -> None:
    page = sign_in(city.clerk())
    with acting_as(city.clerk()):
        employer = Employer.objects.get(name="鄱阳县第一人民医院")
    page.keyboard.press("/")
    page.keyboard.type("第一人民")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=employer.name).wait_for()
    assert page.url.endswith(f"/parties/employer/{employer.pk}/change/")
