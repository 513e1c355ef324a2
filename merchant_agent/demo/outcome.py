"""What became of the ratings for which customers were thanked: looked up in both databases.

Both are read beside the running programs, without their help: what is counted here is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from merchant_agent.central.store import models as at_central
from merchant_agent.central.store import opening as central_opening
from merchant_agent.demo.state import DemoFolder
from merchant_agent.store.database import open_sqlite_read_only
from merchant_agent.store.store import Reader, Store
from merchant_agent.terminal.store import models as at_terminal
from merchant_agent.terminal.store import opening as terminal_opening

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of the customers who came: how many ratings there are at each station, none counted twice.

    `sent` customers came and `thanked` ones heard thank you; `stored` are in the terminal's
    ledger, `uploaded` are acknowledged with central's signature, `verified` were accepted by
    central, which checked each one's signature and place.
    """

    sent: int
    thanked: int
    stored: int
    uploaded: int
    verified: int

    @property
    def is_complete(self) -> bool:
        """Whether everybody was thanked and every rating arrived."""
        return self.sent == self.thanked == self.stored == self.uploaded == self.verified


def look_up(folder: DemoFolder, *, sent: int, answer_ids: Sequence[str]) -> Outcome:
    """Where the ratings are now.

    Raises:
        StoreError: a database cannot be read.
    """
    stored = uploaded = verified = 0
    database = folder.terminal / terminal_opening.DATABASE_NAME
    with _reading(database, terminal_opening.APPLICATION_ID) as reader:
        state = at_terminal.UploadState
        acknowledged = dict(reader.all(state.select(state.epoch, state.acked_seq).tuples()))
        for chunk in _chunks(answer_ids):
            places = _places(reader, chunk)
            stored += len(places)
            uploaded += sum(seq <= acknowledged.get(epoch, -1) for epoch, seq in places)
    database = folder.central / central_opening.DATABASE_NAME
    with _reading(database, central_opening.APPLICATION_ID) as reader:
        for chunk in _chunks(answer_ids):
            rating = at_central.Rating
            verified += len(reader.all(rating.select(rating.id).where(rating.id.in_(chunk)).tuples()))
    return Outcome(sent=sent, thanked=len(answer_ids), stored=stored, uploaded=uploaded, verified=verified)


def _places(reader: Reader, answer_ids: Sequence[str]) -> list[tuple[int, int]]:
    """Epoch and seq of each that is there."""
    rating = at_terminal.Rating
    return reader.all(
        rating.select(rating.epoch, rating.seq).where(rating.rating_id.in_(answer_ids)).tuples()
    )


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


@contextmanager
def _reading(path: Path, application_id: int) -> Iterator[Reader]:
    """One snapshot of a database that another process has open."""
    store = Store(open_sqlite_read_only(path, application_id=application_id))
    try:
        with store.read() as reader:
            yield reader
    finally:
        store.close()
