"""How often one network address may do something: so many turns, then the rest of the window must pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from merchant_agent.central.intake.attempts import RateLimitedError
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Turn
from merchant_agent.web.origin import origin

_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that an address may do `most` times in ten minutes; a shop's customers share one."""

    name: str
    most: int


ANSWERS = Topic(name="answer", most=120)
POSTERS = Topic(name="poster", most=30)
ADDITIONS = Topic(name="addition", most=60)
URGINGS = Topic(name="urging", most=30)
CLAIMS = Topic(name="claim", most=240)


def take_turn(central: Central, topic: Topic, remote: str) -> None:
    """Counts a turn of the address, and forgets windows that are over.

    Raises:
        RateLimitedError: it has none left.
    """
    now = central.clock.now()
    key = [Turn.topic, Turn.remote]
    one_more = {Turn.taken: Turn.taken + 1}
    mine = (Turn.topic == topic.name) & (Turn.remote == origin(remote))
    with central.store.write() as tx:
        # One that began in the future is of a clock that was set back since: it must keep nobody out.
        tx.execute(Turn.delete().where((Turn.since <= now - _WINDOW) | (Turn.since > now)))
        fresh = Turn.insert(topic=topic.name, remote=origin(remote), taken=1, since=now)
        tx.execute(fresh.on_conflict(conflict_target=key, update=one_more))
        row: Turn | None = tx.first(Turn.select().where(mine))
    if row is not None and row.taken > topic.most:
        left = row.since + _WINDOW - now
        raise RateLimitedError(max(1, math.ceil(left.total_seconds())))
