"""Times of day at which something is to be done, in a zone whose clocks are set forward and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def latest_slot(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The last moment, in UTC, at which that time of day came in that zone.

    Where the clocks are set back and it comes twice, the first counts; where they are set
    forward over it, the moment as long after the change as it would have been.
    """
    today = now.astimezone(zone).date()
    slot = _slot(today, at, zone)
    return slot if slot <= now else _slot(today - timedelta(days=1), at, zone)


def _slot(day: date, at: time, zone: tzinfo) -> datetime:
    """In UTC: times of one zone are compared without their folds."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
