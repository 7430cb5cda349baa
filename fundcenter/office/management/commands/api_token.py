"""接口令牌: hand one out, which shows its secret this once, or revoke one."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from fundcenter import clock
from fundcenter.office.management.verb import VerbCommand, acting, person, refusal, sentence
from fundcenter.office.models import ApiToken
from fundcenter.office.refusals import NOT_YOURS, Refused
from fundcenter.office.services import tokens


class Command(VerbCommand):
    help = "发放接口令牌（令牌只显示这一次），或以 --revoke 停用"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", nargs="?", help="令牌所代表人员的登录名")
        parser.add_argument("--name", help="令牌的名称，说明给谁用")
        parser.add_argument(
            "--verbs", nargs="+", default=["read"], choices=ApiToken.Verb.values, help="权限（默认 read）"
        )
        parser.add_argument("--days", type=int, default=tokens.DAYS, help=f"有效天数（默认 {tokens.DAYS}）")
        parser.add_argument("--revoke", type=int, metavar="ID", help="停用这个令牌")
        parser.add_argument("--as", dest="admin", required=True, help="系统管理的登录名")

    def verb(  # type: ignore[override]
        self, user: str | None, name: str | None, verbs: list[str], days: int, revoke: int | None, admin: str, **_: Any
    ) -> dict[str, Any]:
        with acting(admin) as by:
            try:
                if revoke is not None:
                    return self._revoked(revoke, by)
                if not user or not name:
                    raise CommandError("请给出令牌所代表人员的登录名和 --name。")
                token, secret = tokens.make(person(user), name=name, verbs=verbs, by=by, on=clock.today(), days=days)
            except Refused as refused:
                return {"id": None, "token": None, **refusal(refused)}
        return {**self._shown(token), "token": secret, "problems": []}

    def _revoked(self, pk: int, by: Any) -> dict[str, Any]:
        token = ApiToken.objects.visible().select_related("person", "branch").filter(pk=pk).first()
        if token is None:
            raise Refused([NOT_YOURS.problem(what=f"接口令牌 {pk}")])
        tokens.revoke(token, by=by)
        return {**self._shown(token), "token": None, "problems": []}

    def _shown(self, token: ApiToken) -> dict[str, Any]:
        return {
            "id": token.pk,
            "name": token.name,
            "person": token.person.username,
            "branch": token.branch.code,
            "verbs": token.verbs,
            "expires_on": token.expires_on.isoformat(),
            "revoked": token.revoked_at is not None,
        }

    def told(self, result: dict[str, Any]) -> Iterator[str]:
        if result["id"]:
            state = "已停用" if result["revoked"] else f"有效至 {result['expires_on']}"
            yield f"接口令牌 {result['id']}（{result['name']}）：代表 {result['person']}，机构 {result['branch']}，{state}"
        if result["token"]:
            yield f"令牌，只显示这一次：{result['token']}"
        yield from map(sentence, result["problems"])
