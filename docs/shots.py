"""Pictures of the screens, made anew by ``make shots``: a demo city of its own, a real Chromium, docs/shots/*.png.

They are of 1366 × 768, or as long as the page, in few colours: small enough to live beside the text that shows them.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "shots"
PICTURES = ROOT / "docs" / "shots"
SHOWN = HOME / "演示"  # what make run leaves there
PORT = "8765"
SITE = f"http://127.0.0.1:{PORT}"
SIZE, PROJECTOR = {"width": 1366, "height": 768}, {"width": 1024, "height": 768}


@contextmanager
def city() -> Iterator[str]:
    """The site of a fresh demo city; yields the password that all its persons share."""
    shutil.rmtree(HOME, ignore_errors=True)
    world = {**os.environ, "DEMO": "1", "PORT": PORT, "FUNDCENTER_HOME": str(HOME), "FUNDCENTER_TODAY": "2026-03-16"}
    server = subprocess.Popen([sys.executable, "manage.py", "run"], cwd=ROOT, env=world, start_new_session=True)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(SITE, timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        yield json.loads((HOME / "demo.json").read_text())[0]["password"]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        subprocess.run([sys.executable, "-m", "fundcenter.database", "stop"], cwd=ROOT, env=world, check=True)


def keep(name: str, png: bytes) -> None:
    """Few colours are enough for a screen, and a quarter of the bytes."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(96, dither=Image.Dither.NONE).save(
        PICTURES / f"{name}.png", optimize=True
    )


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    page.wait_for_load_state("networkidle")
    keep(name, page.screenshot(full_page=whole))


def paper(name: str, pdf: Path) -> None:
    pdftoppm = shutil.which("pdftoppm") or sys.exit("没有 pdftoppm（apt-get install poppler-utils）")
    keep(name, subprocess.check_output([pdftoppm, "-r", "80", "-png", "-singlefile", pdf]))


def come_in(browser: Browser, username: str, password: str, *, shown: str = "") -> Page:
    """Sign in; ``shown`` is the picture of the page on the way there."""
    page = browser.new_context(viewport=SIZE, locale="zh-CN").new_page()
    page.goto(SITE)
    page.get_by_label("登录名").fill(username)
    page.get_by_label("口令").fill(password)
    if shown == "sign-in":
        picture(page, shown)
    page.keyboard.press("Enter")
    code, inside = page.get_by_label("6 位验证码"), page.get_by_role("button", name="退出")
    code.or_(inside).first.wait_for()
    if code.count():
        if shown:
            picture(page, shown)
        code.press("Enter")
    inside.wait_for()
    return page


def hand_in(page: Page, kind: str, sample: str) -> None:
    """Upload one of the demo's sample sheets, named by how its name begins, in the list of its kind."""
    (file,) = (SHOWN / "样表" / kind).glob(f"{sample}*")
    page.get_by_role("link", name=kind, exact=True).first.click()
    page.get_by_role("link", name="上传").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    page.locator("ol.steps").wait_for()


def press(page: Page, button: str, then: str, *, asked: str = "") -> None:
    """A verb of the document. A dangerous one is asked once more, of which ``asked`` is the picture."""
    page.get_by_role("button", name=button, exact=True).click()
    again = page.get_by_role("dialog").get_by_role("button", name=button, exact=True)
    again.or_(page.get_by_text(then)).first.wait_for()
    if again.count():
        if asked:
            picture(page, asked)
        again.click()
    page.get_by_text(then).first.wait_for()


def of_the_clerk(page: Page) -> None:
    picture(page, "home")
    page.get_by_role("link", name="汇缴批次", exact=True).click()
    picture(page, "batches")
    page.get_by_role("link", name="上传清册").click()
    picture(page, "upload")
    page.goto(f"{SITE}/contributions/batch/?state__exact=refused")
    page.locator("tbody a").first.click()
    picture(page, "batch-refused", whole=True)
    hand_in(page, "汇缴批次", "拒绝 member_missing")
    picture(page, "batch-confirm")
    hand_in(page, "汇缴批次", "通过 一个文件两个单位")
    picture(page, "batch-checked")
    page.get_by_label("意见").fill("三月清册，两个单位")
    press(page, "提交复核", "已提交复核")
    page.get_by_label("各单位清册").get_by_role("link").first.click()
    picture(page, "register")
    page.goto(f"{SITE}/parties/employeropening/form/")
    page.get_by_label("单位名称").fill("鄱阳县第三中学")
    page.get_by_label("统一社会信用代码").fill("12361128MB0L00001A")
    page.get_by_role("button", name="检查").click()
    page.locator(".errorlist").first.wait_for()
    picture(page, "opening-form", whole=True)
    hand_in(page, "个人开户", "拒绝 id_checksum")
    picture(page, "opening-refused")
    hand_in(page, "封存启封", "通过")
    picture(page, "sealing")
    hand_in(page, "错缴退回", "通过")
    press(page, "提交复核", "没有办理")
    picture(page, "refund-waits")
    page.goto(f"{SITE}/search/?q=鄱阳")
    picture(page, "search")
    page.goto(SITE)
    page.keyboard.press("?")
    picture(page, "keys")
    page.goto(f"{SITE}/parties/member/")
    picture(page, "members")
    for name in ("member", "employer"):
        page.goto(f"{SITE}/parties/{name}/")
        page.locator("tbody a").first.click()
        picture(page, name)


def in_other_lights(page: Page) -> None:
    """In the dark, and on a projector."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{SITE}/contributions/batch/?state__exact=refused")
    page.locator("tbody a").first.click()
    picture(page, "batch-refused-dark")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PROJECTOR)
    page.goto(SITE)
    picture(page, "home-projector")


def of_the_reviewer(page: Page) -> None:
    picture(page, "home-reviewer")
    page.get_by_role("link", name="汇缴批次 HJ").first.click()
    picture(page, "batch-review", whole=True)
    press(page, "同意并入账", "已入账。", asked="approve")
    picture(page, "batch-posted")
    page.get_by_label("各单位清册").get_by_role("link", name="批-").first.click()
    picture(page, "voucher")
    page.goto(f"{SITE}/ledger/voucher/")
    picture(page, "vouchers")
    page.get_by_role("link", name="月度资料").first.click()
    picture(page, "month")
    page.goto(f"{SITE}/office/issuedpaper/")
    page.locator("tbody a").first.click()
    picture(page, "verify")


def of_a_refund(clerk: Page, reviewer: Page, cashier: Page) -> None:
    for page, button, then in (
        (clerk, "提交复核", "已提交复核"),
        (reviewer, "同意退回", "待付款"),
        (cashier, "", ""),
    ):
        page.goto(f"{SITE}/contributions/refund/")
        page.locator("tbody a").first.click()
        if button:
            press(page, button, then)
    picture(cashier, "refund")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with city() as password, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        clerk = come_in(browser, "poyang.jingban", password, shown="sign-in")
        of_the_clerk(clerk)
        reviewer = come_in(browser, "poyang.fuhe", password, shown="second-factor")
        of_the_reviewer(reviewer)
        cashier = come_in(browser, "poyang.chuna", password)
        cashier.goto(f"{SITE}/banking/receipt/")
        picture(cashier, "receipts")
        of_a_refund(clerk, reviewer, cashier)
        in_other_lights(come_in(browser, "zhuren", password))
        admin = come_in(browser, "xitong", password)
        admin.goto(f"{SITE}/office/user/")
        picture(admin, "persons")
        admin.locator("tbody a").first.click()
        picture(admin, "person")
        browser.close()
    paper("paper-voucher", next(SHOWN.glob("记账凭证*.pdf")))
    paper("paper-statement", next(SHOWN.glob("对账单*.pdf")))


if __name__ == "__main__":
    main()
