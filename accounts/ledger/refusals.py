"""Why the door refuses. The door names the rule that was broken; the statement here finds, over the same set, who broke it.

Each statement reads two sets: ``slip`` (place, kind, source, branch, summary, reverses) and ``line`` (place, slip,
account, holder, debit, credit, branch, employer), and returns ``found`` and the arguments of the message.
"""

from dataclasses import dataclass

from fundcenter.office.refusals import Refusal


@dataclass(frozen=True)
class DoorRefusal:
    refusal: Refusal
    find: str


MONTH_EMPTY = Refusal("month_empty", "{branch} {month} 没有记账凭证，没有可打印的；请核对机构和月份。")

BOOK = "财会字〔1999〕33号 《住房公积金会计核算办法》"

ISOLATION = DoorRefusal(
    Refusal("isolation_wrong", "记账须在“读已提交”隔离级别下进行，请联系系统管理员。"),
    "select 'isolation' as found",
)
KIND_UNKNOWN = DoorRefusal(
    Refusal("kind_unknown", "没有名为“{found}”的凭证种类，未入账。", BOOK),
    "select distinct s.kind as found from slip s left join ledger_kind k on k.code = s.kind where k.code is null",
)
REVERSAL_WRONG = DoorRefusal(
    Refusal("reversal_wrong", "凭证 {found} 不能冲销：它不存在、不属于您的机构，或本身就是冲销凭证。", BOOK),
    """select coalesce(v.word || '-' || lpad(v.number::text, 6, '0'), s.reverses::text) as found
         from slip s left join ledger_voucher v on v.id = s.reverses where s.reverses is not null""",
)
BRANCH_NOT_YOURS = DoorRefusal(
    Refusal("branch_not_yours", "{found}的账不在您的机构范围内，未入账。"),
    "select distinct b.name as found from slip s join office_branch b on b.id = s.branch where not s.branch = any(office_scope())",
)
DAY_CLOSED = DoorRefusal(
    Refusal(
        "day_closed", "{found}已结账至 {closed}（营业日 {today}），不能记入 {on}；请以开放的日期办理。", "日结月结规则"
    ),
    """select distinct b.name as found, coalesce(greatest(p.day_closed, p.month_closed)::text, '未结账') as closed,
              office_today()::text as today
         from (select branch from slip union select branch from line where branch is not null) t
         join office_branch b on b.id = t.branch join ledger_period p on p.branch_id = b.id
        where %(on)s <= greatest(p.day_closed, p.month_closed, '-infinity') or %(on)s > office_today()""",
)
UNBALANCED = DoorRefusal(
    Refusal("unbalanced", "第 {found} 张凭证借方 {debit}、贷方 {credit}，借贷不平或金额不足到分，未入账。", BOOK),
    """select s.place::text as found, coalesce(sum(l.debit), 0)::text as debit, coalesce(sum(l.credit), 0)::text as credit
         from slip s left join line l on l.slip = s.place group by s.place
       having sum(l.debit) is distinct from sum(l.credit) or bool_or(l.debit <> trunc(l.debit, 2) or l.credit <> trunc(l.credit, 2))
           or bool_or((l.debit = 0) = (l.credit = 0)) or count(l.slip) = 0""",
)
LINE_WRONG = DoorRefusal(
    Refusal(
        "line_wrong", "科目 {found} 的一行不能入账：科目须为启用的末级科目，户 {holder} 须属于该科目和该机构。", BOOK
    ),
    """select distinct l.account as found, coalesce(l.holder::text, '（空）') as holder
         from line l join slip s on s.place = l.slip left join ledger_account a on a.code = l.account and a.is_leaf and a.is_open
         left join ledger_holder h on h.id = l.holder left join ledger_holder e on e.id = l.employer
        where a.code is null or h.kind is distinct from a.holder_kind or h.id is distinct from l.holder
           or h.branch_id <> coalesce(l.branch, s.branch)
           or case when a.holder_kind = 'member' then e.kind is distinct from 'employer' else l.employer is not null end""",
)
BALANCE_SHORT = DoorRefusal(
    Refusal(
        "balance_short", "{holder}的{account}余额 {balance}（冻结 {frozen}），不足支出 {found}，差 {short}。", BOOK
    ),
    """select t.taken::text as found, coalesce(b.amount, 0)::text as balance, coalesce(b.frozen, 0)::text as frozen,
              (t.taken - coalesce(b.amount - b.frozen, 0))::text as short, a.name as account,
              a.holder_kind as holder_kind, t.holder as holder
         from (select l.holder, l.account, sum(case x.normal_side when 'credit' then l.debit - l.credit else l.credit - l.debit end) as taken
                 from line l join ledger_account x on x.code = l.account and x.is_stored group by 1, 2) t
         join ledger_account a on a.code = t.account
         left join ledger_balance b on b.holder_id = t.holder and b.account_id = t.account
        where t.taken > 0 and t.taken > coalesce(b.amount - b.frozen, 0)""",
)
DAY_NOT_CLOSABLE = DoorRefusal(
    Refusal("day_not_closable", "{found}不能日结：日期须晚于上次日结，且不晚于今天。", "日结月结规则"), "select 1"
)
MONTH_NOT_CLOSABLE = DoorRefusal(
    Refusal("month_not_closable", "{found}不能月结：须是月末日，全市各机构均已日结，且该月未曾月结。", "日结月结规则"),
    "select 1",
)

BY_SQLSTATE = {
    "FC000": ISOLATION, "FC001": KIND_UNKNOWN, "FC002": REVERSAL_WRONG, "FC003": BRANCH_NOT_YOURS, "FC004": DAY_CLOSED,
    "FC005": UNBALANCED, "FC006": LINE_WRONG, "FC007": BALANCE_SHORT,
    "FC008": DAY_NOT_CLOSABLE, "FC009": MONTH_NOT_CLOSABLE,
}  # fmt: skip

UNDERWAY = Refusal(
    "underway", "{holder}有在途的 {found}，{number} 须待其办结后再办理；请先办结、退回或撤回该单据。", "在途业务规则"
)
SOURCE_POSTED = Refusal("source_posted", "该笔业务已入账，未重复记账。", BOOK)
TWO_PEOPLE = Refusal("two_people", "制单与复核须为两人。", "会计基础工作规范")
ALREADY_REVERSED = Refusal("already_reversed", "该凭证已冲销过一次，不能再冲销。", BOOK)
BY_CONSTRAINT = {
    "ledger_voucher_source": SOURCE_POSTED,
    "ledger_voucher_two_people": TWO_PEOPLE,
    "ledger_voucher_reverses_id_key": ALREADY_REVERSED,
}
