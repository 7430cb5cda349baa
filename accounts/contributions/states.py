"""How the documents of this room move."""

from fundcenter.office.states import intake_machine

BATCH = intake_machine("posted", "已入账", "同意并入账")
