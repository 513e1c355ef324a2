"""Tells what was printed, and reads a sale out of it: only a customer's receipt is one.

In doubt it is no sale: a question too few is mended by the poster, a question about a kitchen ticket
asks nobody or the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from merchant_agent.terminal.pos.printer.patterns import (
    BEGINNINGS,
    PAID_WORDS,
    UNPAID_TITLES,
    JobKind,
    Patterns,
)
from merchant_agent.terminal.pos.printer.reading import (
    Total,
    bounded,
    find_order,
    find_time,
    find_total,
    has_amounts,
    present,
)

_DECORATION: Final = " \t*#=+~-_·.:<>[]()【】《》「」『』|!、,"
_TITLE_CHARS: Final = 24
_TITLE_REST: Final = 10
_AMOUNT: Final = re.compile(r"[0-9][.,][0-9]{2}(?![0-9])")
# Advice and advertising, which name what the paper is not.
_SLOGANS: Final = (
    "请",
    "凭",
    "谢",
    "欢迎",
    "扫码",
    "扫一扫",
    "关注",
    "下载",
    "搜索",
    "登录",
    "天内",
    "日内",
    "无理由",
    "如需",
    "如有",
    "若",
    "可",
    "概不",
    "不予",
    "恕不",
    "谢绝",
    "支持",
    "电话",
    "热线",
    "点评",
    "thank",
    "within",
    "days",
    "policy",
    "please",
    "keep",
    "no refund",
    "happy returns",
    "welcome",
    "visit",
)
_FIRST: Final = (JobKind.SHIFT, JobKind.REFUND, JobKind.DELIVERY, JobKind.REPRINT)
_TAKEAWAY: Final = ("外带", "打包", "自取", "带走", "takeaway", "take away", "to go")
_TABLE: Final = re.compile(r"(?:桌号|台号|桌台|餐台|table)\s*[:#]?\s*[a-z0-9]|堂食")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of paper as it is understood.

    `order` and `total` are None where they were not found; `at` is the local time on it. `why` names
    the word that decided, for whoever wants to know; empty for a receipt.
    """

    kind: JobKind
    order: str | None = None
    total: Total | None = None
    at: datetime | None = None
    form: str = "counter"
    why: str = ""


def understand(
    lines: Sequence[str], *, has_image: bool, patterns: Patterns, own_names: Collection[str] = ()
) -> Job:
    """What the paper with these lines is; `own_names` are the shop's, which say nothing of a paper."""
    if not lines:
        return Job(kind=JobKind.IMAGE if has_image else JobKind.OTHER)
    total = find_total(lines, patterns.total_words())
    kind, why = _kind(lines, total, patterns, {name.lower() for name in own_names if name})
    if kind is not JobKind.RECEIPT:
        return Job(kind=kind, why=why)
    low = bounded(lines)
    return Job(
        kind=kind,
        order=find_order(lines, patterns.order_words()),
        total=total,
        at=find_time(lines),
        form=_form(low),
    )


def _kind(
    lines: Sequence[str], total: Total | None, patterns: Patterns, own_names: Collection[str]
) -> tuple[JobKind, str]:
    low = [line for line in bounded(lines) if not any(name in line for name in own_names)]
    titles = [title for line in low if (title := _title(line)) is not None]
    starts = [line.strip(_DECORATION) for line in low]
    for kind in _FIRST:
        why = _named(kind, titles, starts, patterns)
        if why:
            return kind, why
    if total is not None and total.amount < 0:
        return JobKind.REFUND, str(total.amount)
    why = _named(JobKind.PRE_BILL, titles, starts, patterns) or _unpaid(titles, starts)
    if why:
        return JobKind.PRE_BILL, why
    why = _named(JobKind.KITCHEN, titles, starts, patterns)
    if why and (total is None or _is_own(JobKind.KITCHEN, why, patterns)):
        return JobKind.KITCHEN, why
    if total is None:
        return JobKind.OTHER, "" if has_amounts(lines) else "-"
    return JobKind.RECEIPT, ""


def _named(kind: JobKind, titles: Sequence[str], starts: Sequence[str], patterns: Patterns) -> str:
    """The word by which a line names that kind; empty where none does."""
    for word in present(patterns.title_words(kind), titles):
        for title in titles:
            if _stands(word, title):
                return word
    for word in present(BEGINNINGS.get(kind, ()), starts):
        if any(_begins(line, word) for line in starts):
            return word
    return ""


def _unpaid(titles: Sequence[str], starts: Sequence[str]) -> str:
    """The title of a bill that may be one before payment, where nothing on it was paid."""
    if any(_AMOUNT.search(line) and line.startswith(PAID_WORDS) for line in starts):
        return ""
    return next(
        (word for word in present(UNPAID_TITLES, titles) for title in titles if _stands(word, title)), ""
    )


def _is_own(kind: JobKind, word: str, patterns: Patterns) -> bool:
    """Whether the shop itself named that title."""
    return word in patterns.titles.get(kind, ())


def _title(line: str) -> str | None:
    """The line without its decoration, where it may be a title."""
    text = line.strip(_DECORATION)
    if not text or len(text) > _TITLE_CHARS or _AMOUNT.search(text) or any(word in text for word in _SLOGANS):
        return None
    return text


def _stands(word: str, title: str) -> bool:
    """Whether the title says little more than the word."""
    if word.startswith("="):
        return title == word[1:]
    if len(title) - len(word) > _TITLE_REST:
        return False
    if word.isascii():
        return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", title) is not None
    return word in title


def _begins(line: str, word: str) -> bool:
    return line.startswith(word) and not (word[-1].isascii() and line[len(word) : len(word) + 1].isalpha())


def _form(low: Sequence[str]) -> str:
    text = "\n".join(low)
    if any(word in text for word in _TAKEAWAY):
        return "takeaway"
    return "table" if _TABLE.search(text) else "counter"
