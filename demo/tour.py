"""The main job, shown on files: a register with mistakes, its problems, the mended one, review, voucher, paper."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.contributions.services import remittance
from accounts.contributions.services.templates import register_rows_of, write_register
from accounts.ledger.models import Voucher
from accounts.ledger.reports import voucher_paper
from accounts.parties.models import Employer, Member
from accounts.parties.reports import statement_paper
from demo.city import Say, fund, settle, take_in
from fundcenter import months
from fundcenter.office.models import Branch, Role, User
from fundcenter.office.services.intake import problems_of
from fundcenter.office.services.issuing import issue
from fundcenter.scope import acting_as

BRANCH = "10"


def show(folder: Path, *, on: date, say: Say) -> None:
    """Walk the main job once and say what happens; files and papers are left in ``folder``. May be cut off and repeated."""
    folder.mkdir(parents=True, exist_ok=True)
    branch = Branch.objects.get(code=BRANCH)
    clerk, reviewer, cashier = (
        User.objects.get(branch=branch, roles__contains=[role]) for role in (Role.CLERK, Role.REVIEWER, Role.CASHIER)
    )
    month = months.first(on)
    with acting_as(clerk):
        employer = min(
            (e for e in Employer.objects.visible() if 5 <= e.members.count() <= 60), key=lambda e: e.members.count()
        )
        rows = register_rows_of(branch, month, on=on, employer=employer)
        bad = folder / f"汇缴清册 {employer.name} {months.text(month)} 有误.xlsx"
        bad.write_bytes(write_register(employer, month, _spoilt(rows)))
        good = folder / f"汇缴清册 {employer.name} {months.text(month)}.xlsx"
        if not good.exists():
            good.write_bytes(write_register(employer, month, rows))

    say(f"① {branch.name}经办 {clerk.name} 上传 {bad.name}")
    with acting_as(clerk):
        refused = remittance.REGISTERS.upload(bad.read_bytes(), bad.name, by=clerk, on=on, at_once=True)
        say(f"   批次 {refused.number}：{refused.state_label}，{refused.error_count} 处问题")
        for problem in problems_of(refused, remittance.REGISTERS.intake):
            say(f"     {f'第 {problem.row} 行' if problem.row else '全表'} {problem.column}：{problem.message}")

    fund(month, rows, on=on, cashier=cashier)
    total = sum((own + theirs for *_, own, theirs in rows), Decimal(0))
    say(f"② 出纳 {cashier.name} 登记到账 {total:,.2f} 元，记入单位暂存款")
    batch = take_in(good.read_bytes(), good.name, clerk=clerk, on=on)
    say(f"③ 经办改正后上传 {good.name}：批次 {batch.number}，{batch.state_label}")
    settle(batch, clerk=clerk, reviewer=reviewer, on=on, said="已按问题清单更正", answered="核对无误")
    with acting_as(reviewer):
        voucher = Voucher.objects.get(kind="remittance", source=str(batch.registers.get().pk))
        say(f"④ 复核 {reviewer.name} 同意并入账：凭证 {voucher}，{voucher.amount:,.2f} 元")
        member = Member.objects.visible().filter(employer=employer).order_by("number")[0]
        papers = (
            (folder / f"记账凭证 {voucher}.pdf", voucher_paper(voucher), voucher),
            (folder / f"对账单 {member.name}.pdf", statement_paper(member, until=on), member),
        )
        for path, paper, about in papers:
            path.write_bytes(issue(paper, about, by=reviewer).content)
            say(f"⑤ {path}")


def _spoilt(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The mistakes that employers make: a wrong amount, a doubled line, a foreign account, a missing colleague."""
    spoilt = [list(row) for row in rows]
    spoilt[0][4] += Decimal("0.48")
    spoilt[1][1] = "360000000099"
    spoilt[2] = list(spoilt[3])
    return [tuple(row) for row in spoilt[:-1]]
