"""The log's own time: promises run while the log publishes, and stand still while it is silent.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.store.models import LogSilence
from merchant_agent.store.store import Reader, Writer

SILENT_S = 300
"""Without a checkpoint for so long the log is silent; it renews its newest one each minute."""

_NEWEST = "SELECT MAX(COALESCE(renewed_time, time)) FROM log_checkpoint"
_FIRST = "SELECT MIN(time) FROM log_checkpoint"
_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTime:
    """When the log published, in milliseconds since 1970: from `first_ms` to `newest_ms`, without `silences`.

    Both are None before its first checkpoint. Each silence is a pair of beginning and end, in order.
    """

    first_ms: int | None
    newest_ms: int | None
    silences: tuple[tuple[int, int], ...]

    def after(self, start_ms: int, hours: int) -> int | None:
        """When the log has published for so many hours since `start_ms`, as far as is known now.

        None before its first checkpoint.
        """
        if self.first_ms is None:
            return None
        at, left = max(start_ms, self.first_ms), hours * 3600 * _MS
        for since, until in self.silences:
            if until <= at:
                continue
            if since - at >= left:
                break
            left -= max(0, since - at)
            at = until
        return at + left

    def stands_still(self, at_ms: int, now_ms: int) -> bool:
        """Whether the log has been silent since before `at_ms`, so that nothing can be due then."""
        if self.newest_ms is None:
            return True
        return at_ms > self.newest_ms and now_ms - self.newest_ms > SILENT_S * _MS


def read_log_time(reader: Reader) -> LogTime:
    """The log's time as far as it is known."""
    [(first,)], [(newest,)] = reader.rows(_FIRST), reader.rows(_NEWEST)
    rows = reader.all(LogSilence.select().order_by(LogSilence.since))
    return LogTime(
        first_ms=None if first is None else first * _MS,
        newest_ms=None if newest is None else newest * _MS,
        silences=tuple((row.since * _MS, row.until * _MS) for row in rows),
    )


def note_silence(tx: Writer, time: int) -> None:
    """Keeps the silence that ends with a checkpoint of `time`, which is about to be published, if it was one."""
    [(newest,)] = tx.rows(_NEWEST)
    if newest is not None and time - newest > SILENT_S:
        tx.execute(LogSilence.insert(since=newest, until=time).on_conflict_ignore())
