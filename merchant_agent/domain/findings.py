"""Findings about a shop: the shop reads them first, and the public after it had time to explain."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from merchant_agent.domain.working_days import after_working_days

TOLD_FOR_DAYS = 3
MAX_EXPLANATION_CHARS = 500


def public_at(found_at: datetime, zone: ZoneInfo) -> datetime:
    """When the public may know of what was found at that moment: after three working days."""
    return after_working_days(found_at, TOLD_FOR_DAYS, zone)
