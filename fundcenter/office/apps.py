from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register

from fundcenter import papers

VERBS = {
    "sign_in": "登录", "sign_in_failed": "登录失败", "sign_out": "退出", "lock_out": "登录锁定", "second_factor": "动态口令",
    "second_factor_failed": "动态口令错误", "enrol_second_factor": "登记动态口令", "change_password": "修改口令",
    "add_person": "新增人员", "change_person": "修改人员", "unlock_person": "解锁登录", "reset_second_factor": "重置动态口令",
    "upload": "上传", "type_in": "录入", "confirm": "确认提示", "download_source": "下载原表",
    "download_annotated": "下载错误原因表", "submit": "提交复核", "approve": "同意", "return": "退回", "withdraw": "撤回",
    "check": "检查通过", "refuse": "检查未通过", "recheck": "确认并重新检查", "queue": "同意（排队）", "post": "入账", "pay": "付款",
    "fail": "未能办成", "rotate_keys": "轮换密钥", "backup": "备份", "switch": "演示：换人",
    "make_token": "发放接口令牌", "revoke_token": "停用接口令牌", "token_refused": "接口令牌被拒",
    "download_paper": "下载打印件", "verify_paper": "核验纸件", "verify_paper_failed": "核验未查到",
    "change": "修改", "add": "新增", "open_branch": "设立机构",
}  # fmt: skip


class OfficeConfig(AppConfig):
    name = "fundcenter.office"
    verbose_name = "系统"

    def ready(self) -> None:
        from fundcenter.office.models import BUSINESS, Role
        from fundcenter.office.registry import MenuEntry, Sealed, registry
        from fundcenter.office.services import issuing, signing_in

        signing_in.listen()
        register(check_font)
        register(check_second_factor_roles)
        registry.sealed += [Sealed("office_secondfactor", "secret_sealed")]
        registry.verbs |= VERBS
        registry.jobs["office.branch:print"] = issuing.print_job("生成", issuing.month_paper)
        registry.menu += [
            MenuEntry(
                "系统", "人员", "admin:office_user_changelist", 10, roles=(Role.ADMIN, Role.AUDITOR, Role.MANAGER)
            ),
            MenuEntry("系统", "任务", "admin:office_job_changelist", 20, roles=BUSINESS),
            MenuEntry(
                "系统",
                "接口令牌",
                "admin:office_apitoken_changelist",
                30,
                roles=(Role.ADMIN, Role.AUDITOR, Role.MANAGER),
            ),
            MenuEntry("系统", "接口说明", "api-reference", 90),
            MenuEntry("报表", "月度资料", "admin:office_branch_changelist", 10, roles=BUSINESS),
            MenuEntry("稽核", "出具记录", "admin:office_issuedpaper_changelist", 20, roles=BUSINESS),
            MenuEntry("稽核", "审计事件", "admin:office_auditevent_changelist", 10, roles=(Role.AUDITOR, Role.MANAGER)),
        ]


def check_second_factor_roles(**_: Any) -> list[Error]:
    """A role written wrong would let its holders in with a password alone."""
    from fundcenter.office.models import Role

    unknown = sorted(set(settings.SECOND_FACTOR_ROLES) - set(Role.values))
    return [Error(f"FUNDCENTER_SECOND_FACTOR 中没有岗位 {'、'.join(unknown)}", id="office.E002")] if unknown else []


def check_font(**_: Any) -> list[Error]:
    """Without the font every paper would print boxes, silently: refuse to start."""
    try:
        papers.check_font()
    except papers.FontMissing as missing:
        return [Error(str(missing), id="office.E001")]
    return []
