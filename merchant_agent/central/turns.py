"""How often a network address, or a terminal, may do something: so many turns, then the window must pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from merchant_agent.central.intake.attempts import RateLimitedError
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Turn
from merchant_agent.store.store import Writer
from merchant_agent.web.origin import origin

_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that may be done `most` times in ten minutes; a shop's customers share one address."""

    name: str
    most: int


ANSWERS = Topic(name="answer", most=120)
POSTERS = Topic(name="poster", most=30)
ADDITIONS = Topic(name="addition", most=60)
URGINGS = Topic(name="urging", most=30)
CLAIMS = Topic(name="claim", most=240)
EPOCHS = Topic(name="epoch", most=10)


def take_turn(central: Central, topic: Topic, remote: str) -> None:
    """Counts a turn of the network address.

    Raises:
        RateLimitedError: it has none left.
    """
    with central.store.write() as tx:
        count_turn(central, tx, topic, origin(remote))


def count_turn(central: Central, tx: Writer, topic: Topic, who: str) -> None:
    """Counts a turn in the transaction of what is done, and forgets windows that are over.

    `who` is an issuer's id, or the origin of an address.

    Raises:
        RateLimitedError: there is none left; the transaction can only be rolled back.
    """
    now = central.clock.now()
    key = [Turn.topic, Turn.remote]
    one_more = {Turn.taken: Turn.taken + 1}
    # One that began in the future is of a clock that was set back since: it must keep nobody out.
    tx.execute(Turn.delete().where((Turn.since <= now - _WINDOW) | (Turn.since > now)))
    fresh = Turn.insert(topic=topic.name, remote=who, taken=1, since=now)
    tx.execute(fresh.on_conflict(conflict_target=key, update=one_more))
    row: Turn | None = tx.first(Turn.select().where((Turn.topic == topic.name) & (Turn.remote == who)))
    if row is not None and row.taken > topic.most:
        left = row.since + _WINDOW - now
        raise RateLimitedError(max(1, math.ceil(left.total_seconds())))
