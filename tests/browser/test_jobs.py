"""A large file, as its clerk sees it: a bar that moves by itself, leaving, coming back, done; then the same for its posting."""

import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.city import City
from tests.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_大文件_进度可见_离开再回来_办完自动更新(city: City, sign_in: Any, settings: Any, tmp_path: Path) -> None:
    settings.JOB_ROWS = 1
    employer = city.employer("甲单位")
    city.members(employer, 张䶮="5321.00", 李四="3550.00")
    city.receive(employer, "2130.00")
    file = tmp_path / "全县三月.xlsx"
    file.write_bytes(city.register(employer))

    clerk = sign_in(city.clerk())
    home = clerk.url
    clerk.get_by_role("link", name="汇缴批次").click()
    clerk.get_by_role("link", name="上传清册").click()
    clerk.get_by_label("汇缴清册").set_input_files(file)
    clerk.get_by_role("button", name="上传并检查").click()
    bar = clerk.get_by_role("progressbar", name="校验 全县三月.xlsx")
    bar.wait_for()
    expect(clerk.get_by_text("检查中").first).to_be_visible()
    page = clerk.url

    # Left and come back by the home page's card.
    clerk.goto(home)
    card = clerk.locator("section", has_text="运行中的任务")
    expect(card.get_by_role("progressbar")).to_be_visible()
    card.get_by_role("link", name="校验 全县三月.xlsx").click()
    assert clerk.url == page

    # Done: the page says so without being asked.
    worker = threading.Thread(target=work_off)
    worker.start()
    clerk.get_by_role("button", name="提交复核").wait_for()
    worker.join()
    expect(clerk.get_by_text("检查通过，待提交").first).to_be_visible()
    clerk.get_by_role("button", name="提交复核").click()
    clerk.get_by_text("已提交复核").first.wait_for()

    reviewer = sign_in(city.reviewer())
    reviewer.goto(page)
    reviewer.get_by_role("button", name="同意并入账").click()
    reviewer.get_by_role("dialog").get_by_role("button", name="同意并入账").click()
    reviewer.get_by_text("已交后台办理").first.wait_for()
    expect(reviewer.get_by_role("progressbar")).to_be_visible()
    expect(reviewer.get_by_text("入账中").first).to_be_visible()
    reviewer.get_by_role("link", name="任务", exact=True).click()
    row = reviewer.get_by_role("row").filter(has_text="入账 HJ202603-")
    expect(row.get_by_text("排队中")).to_be_visible()
    row.get_by_role("link").click()
    worker = threading.Thread(target=work_off)
    worker.start()
    reviewer.get_by_role("link", name="批-000001").first.wait_for()
    worker.join()
    expect(reviewer.get_by_text("已入账").first).to_be_visible()
    reviewer.get_by_role("link", name="任务", exact=True).click()
    expect(reviewer.get_by_role("row").filter(has_text="入账 HJ202603-").get_by_text("已完成")).to_be_visible()
