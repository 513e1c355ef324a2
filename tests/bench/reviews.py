"""What real customers wrote: the shared file where it lies beside the project, else made-up words as long."""

from __future__ import annotations

import random
from itertools import cycle, islice
from pathlib import Path

from merchant_agent.demo.feed import Review, read_reviews

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reviews.csv"
_WORDS = [
    "味道很好",
    "分量足",
    "送得慢",
    "服务态度好",
    "汤是凉的",
    "价格有点贵",
    "下次还来",
    "包装不错",
    "等了很久",
    "米饭太硬",
]


def real_reviews(count: int) -> list[Review]:
    """So many customers, the file's over again where it has fewer."""
    reviews = (
        list(read_reviews(SHARED, seed=1, most=count)) if SHARED.exists() else _made_up(min(count, 1000))
    )
    return list(islice(cycle(reviews), count))


def where_from() -> str:
    """What to say of the words that were used."""
    return "real comments" if SHARED.exists() else "made-up comments"


def _made_up(count: int) -> list[Review]:
    chance = random.Random(1)  # noqa: S311 -- no key
    return [
        Review(
            level=chance.choice((1, 2, 4, 5)),
            comment="，".join(chance.choices(_WORDS, k=chance.randint(1, 8))),
        )
        for _ in range(count)
    ]
