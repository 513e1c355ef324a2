"""When a terminal must say that its wall clock was set: before the next record, by a `clock` record.

Source: PROTOCOL.md, "What a verifier does", the finding `clock`.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from merchant_agent.clock import Reading
from merchant_agent.evidence.audit_clocks import clocks_agree
from merchant_agent.evidence.bodies import ClockBody

_MS = timedelta(milliseconds=1)


def clock_step(before: Reading, now: Reading) -> ClockBody | None:
    """What a `clock` record says of the two readings; None where both clocks moved alike.

    After a restart of the machine only a wall clock that went back is told of: how long it was
    off, no clock knows.
    """
    # In UTC: two times of one zone are subtracted as if its offset never changed.
    wall_ms = (now.at.astimezone(UTC) - before.at.astimezone(UTC)) // _MS
    if now.boot != before.boot:
        return None if clocks_agree(max(0, -wall_ms), 0) else ClockBody(wall_ms=wall_ms, boot_ms=None)
    boot_ms = now.uptime_ms - before.uptime_ms
    if clocks_agree(wall_ms, boot_ms):
        return None
    return ClockBody(wall_ms=wall_ms, boot_ms=max(0, boot_ms))
