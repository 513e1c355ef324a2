"""The marks of `domain.suspicion` over central's tables: which ratings are left out of the score, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import peewee

from merchant_agent.central.store.models import Prompt, Rating
from merchant_agent.domain.suspicion import (
    BURST_MS,
    LEAST_DWELL_MS,
    MEASURED,
    MOST_IN_BURST,
    Mark,
    Tapped,
    marks_of,
)
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader

_Place = tuple[str, str, int, int]
_PLACE = (Rating.merchant, Rating.issuer, Rating.epoch, Rating.seq)


def is_fast() -> peewee.Expression:
    """The rating has `Mark.FAST`."""
    fast: peewee.Expression = (
        (Rating.channel == "tablet") & Rating.ended.in_(MEASURED) & (Rating.dwell_ms < LEAST_DWELL_MS)
    )
    return fast


def in_bursts(merchants: Sequence[str], until: datetime) -> peewee.Select:
    """Places of the ratings behind the eighth of a minute, for a join; it says of them what `marks_of` says."""
    within = peewee.fn.COUNT(Rating.seq).over(
        partition_by=[Rating.merchant, Rating.issuer, Prompt.till],
        order_by=[Rating.at],
        frame_type=peewee.Window.RANGE,
        start=peewee.Window.preceding(BURST_MS),
        end=peewee.Window.CURRENT_ROW,
    )
    counted = (
        with_till(Rating.select(*_PLACE, within.alias("within")))
        .where(Rating.merchant.in_(list(merchants)) & (Rating.received_at < until))
        .alias("counted")
    )
    place = (counted.c.merchant, counted.c.issuer, counted.c.epoch, counted.c.seq)
    return peewee.Select([counted], place).where(counted.c.within > MOST_IN_BURST).alias("burst")


def with_till(select: peewee.ModelSelect[Rating]) -> peewee.ModelSelect[Rating]:
    """Tablets' ratings alone, each with its prompt."""
    asked = (
        (Prompt.merchant == Rating.merchant)
        & (Prompt.issuer == Rating.prompt_issuer)
        & (Prompt.epoch == Rating.prompt_epoch)
        & (Prompt.seq == Rating.prompt_seq)
    )
    return select.join(Prompt, on=asked).where(Rating.channel == "tablet")


def marks_among(reader: Reader, ratings: Sequence[Rating]) -> Mapping[_Place, Mark]:
    """Which of these ratings are left out of the score and why, by merchant, issuer, epoch and seq."""
    if not ratings:
        return {}
    first = min(row.at for row in ratings) - timedelta(milliseconds=BURST_MS)
    last = max(row.at for row in ratings)
    tills = {(row.merchant, row.issuer) for row in ratings}
    near = (
        Rating.merchant.in_([merchant for merchant, _ in tills])
        & Rating.issuer.in_([issuer for _, issuer in tills])
        & Rating.at.between(first, last)
    )
    query = with_till(Rating.select(*_PLACE, Rating.at, Rating.dwell_ms, Rating.ended, Prompt.till)).where(
        near
    )
    tapped = [
        Tapped(
            key=(merchant, issuer, epoch, seq),
            till=f"{merchant} {issuer} {till}",
            at_ms=to_ms(at),
            dwell_ms=dwell_ms,
            ended=ended,
        )
        for merchant, issuer, epoch, seq, at, dwell_ms, ended, till in reader.all(query.tuples())
    ]
    return marks_of(tapped)  # type: ignore[return-value]  # the keys given
