"""Pictures of the screens, made anew by ``make shots``: a demo city of its own, a real Chromium, docs/shots/*.png."""

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

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "shots"
PICTURES = ROOT / "docs" / "shots"
PORT = "8765"
SITE = f"http://127.0.0.1:{PORT}"
SIZE = {"width": 1366, "height": 768}
PROJECTOR = {"width": 1024, "height": 768}


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


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with city() as password, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, locale="zh-CN").new_page()
        page.goto(SITE)
        picture(page, "sign-in")
        page.get_by_label("登录名").fill("poyang.jingban")
        page.get_by_label("口令").fill(password)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="张春波").wait_for()
        picture(page, "home")
        page.get_by_role("link", name="汇缴批次", exact=True).click()
        picture(page, "batches")
        page.get_by_role("link", name="上传清册").click()
        picture(page, "upload")
        page.goto(f"{SITE}/contributions/batch/?state__exact=refused")
        page.locator("tbody a").first.click()
        picture(page, "batch-refused", whole=True)
        page.goto(f"{SITE}/contributions/batch/?state__exact=posted")
        page.locator("tbody a").first.click()
        picture(page, "batch-posted", whole=True)
        page.get_by_role("link", name="批-").first.click()
        picture(page, "voucher")
        for name, path in (
            ("members", "parties/member/"),
            ("employers", "parties/employer/"),
            ("vouchers", "ledger/voucher/"),
        ):
            page.goto(f"{SITE}/{path}")
            picture(page, name)
        page.goto(f"{SITE}/parties/member/")
        page.locator("tbody a").first.click()
        picture(page, "member")
        page.goto(f"{SITE}/parties/employer/")
        page.locator("tbody a").first.click()
        picture(page, "employer")
        page.goto(f"{SITE}/search/?q=鄱阳")
        picture(page, "search")
        page.goto(SITE)
        page.keyboard.press("?")
        picture(page, "keys")
        # In the dark, and on a projector.
        page.emulate_media(color_scheme="dark")
        page.goto(SITE)
        picture(page, "home-dark")
        page.goto(f"{SITE}/contributions/batch/?state__exact=refused")
        page.locator("tbody a").first.click()
        picture(page, "batch-refused-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PROJECTOR)
        page.get_by_text("张春波 · 经办").click()
        page.locator("button[name=username][value=zhuren]").click()
        page.get_by_role("heading", name="蔡小燕").wait_for()
        picture(page, "home-projector")
        browser.close()


if __name__ == "__main__":
    main()
