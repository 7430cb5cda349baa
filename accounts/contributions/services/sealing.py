"""封存 and 启封: whom an employer stops paying for, and whom it pays for again. No money moves.

封存 from month M: the register of M no longer asks for the member, who stays with the employer; the balance stays and bears
interest. 启封 from month M: M is due again, and the months between are not. Source: 《住房公积金管理条例》第十五条.
"""

from __future__ import annotations

from datetime import date

from accounts.contributions import queries, refusals, sheets
from accounts.contributions.models import SEALING_CHANGES, Sealing, SealingRow
from accounts.ledger.services import posting
from accounts.ledger.services.process import Process
from accounts.parties.queries import EMPLOYER, MEMBER, STRANGERS
from accounts.parties.services import members
from fundcenter.office.models import User
from fundcenter.office.services import intake


def _carry_out(sealing: Sealing, *, by: User, on: date) -> int:
    members.change(posting.Rows(queries.SEALING_CHANGES, {"batch": sealing.pk}))
    return sealing.row_count


SEALINGS = Process(
    Sealing,
    intake.Intake(
        columns=sheets.SEALING,
        readers={
            "change": intake.choice("change", dict(SEALING_CHANGES), refusals.SEALING_UNKNOWN),
            "reason": intake.text("reason", 100),
        },
        rows=SealingRow,
        joins=(EMPLOYER, MEMBER),
        lookups=(STRANGERS,),
        refusals=refusals.OVER_SEALING,
        hold=queries.SEALING_HOLD,
        post=_carry_out,
    ),
    holders=queries.SEALING_HOLDERS,
)
