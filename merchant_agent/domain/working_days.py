"""Working days of the People's Republic: weekends, public holidays and the days worked instead.

Source: the State Council's yearly notices, as chinese_calendar has them. For years that were not
announced yet to it, Monday to Friday.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

_SATURDAY = 5


def is_working_day(day: date) -> bool:
    """Whether offices work on that day."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < _SATURDAY


def after_working_days(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """When so many working days after the day of `moment` have passed: the midnight that ends the last one."""
    day = moment.astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
