"""States of the parties' accounts. Source: JGJ/T 320-2014 表 A.4 (单位账户状态), 表 A.6 (个人账户状态)."""

from fundcenter.office.states import intake_machine

EMPLOYER_STATES = {"normal": "正常", "deferred": "缓缴", "sealed": "封存", "closed": "销户"}
MEMBER_STATES = {"normal": "正常", "sealed": "封存", "closed": "销户"}

EMPLOYER_CHANGE = intake_machine("done", "已变更", "同意变更", "变更中")
OPENING = intake_machine("opened", "已开户", "同意并开户", "开户中")
