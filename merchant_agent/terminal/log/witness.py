"""Taking central's checkpoints: verified, proven to go on from the kept one, kept, and stated from then on.

What is not signed by the log, smaller or not proven changes nothing. What contradicts the
kept one is evidence against central: both notes are kept, and the shop is told.
"""

from __future__ import annotations

import logging
from enum import StrEnum

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.checkpoint import Checkpoint, open_checkpoint
from merchant_agent.evidence.note import NoteKey
from merchant_agent.evidence.tiles import Tile, tile_path
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.log.comparison import ContradictionError, Tree, UnprovenError, prove_growth
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.checkpoints import Kept, keep_checkpoint, keep_split_view, newest_kept
from merchant_agent.terminal.upload.client import Client, NoAnswer

_log = logging.getLogger(__name__)

SPLIT_VIEW_ALARM = "split-view"
UNPROVEN_ALARM = "log-unproven"

_OK = 200


class Look(StrEnum):
    """What became of a checkpoint that central showed.

    `unreachable` and `unproven` may be otherwise the next time; `foreign` is signed by no key of
    this log's, or not well-formed.
    """

    KEPT = "kept"
    KNOWN = "known"
    OLDER = "older"
    FOREIGN = "foreign"
    UNREACHABLE = "unreachable"
    UNPROVEN = "unproven"
    SPLIT_VIEW = "split-view"


class _UnreachableError(Exception):
    """A tile did not come."""


class Witness:
    """Looks at what central shows of its log, over the uploads' own connection and in their thread."""

    def __init__(self, terminal: Terminal, client: Client) -> None:
        self._terminal = terminal
        self._client = client

    def look(self, note: bytes, base: str) -> Look:
        """What became of the note that an answer of the central at address `base` brought.

        Raises:
            StoreError: nothing was kept.
        """
        try:
            keys = self._terminal.journal.identity.trust.log_keys()
            shown = open_checkpoint(note, keys)
        except (FormatError, VerificationError) as error:
            _log.warning("log: a checkpoint is not believed: %s", error)
            return Look.FOREIGN
        with self._terminal.store.read() as reader:
            kept = newest_kept(reader)
        if shown.head.size == 0:
            return Look.OLDER
        if kept is None:
            return self._keep(shown, [])
        return self._compare(kept, shown, keys, base)

    def _compare(self, kept: Kept, shown: Checkpoint, keys: tuple[NoteKey, ...], base: str) -> Look:
        head = shown.head
        if open_checkpoint(kept.octets, keys).head.origin != head.origin:
            return Look.FOREIGN
        first, second = sorted(
            (Tree(size=kept.size, root=kept.root), Tree(size=head.size, root=head.root)),
            key=lambda tree: tree.size,
        )
        try:
            proof = prove_growth(first, second, lambda tile: self._fetch(base, tile))
        except _UnreachableError:
            return Look.UNREACHABLE
        except UnprovenError as error:
            return self._doubt(kept, shown, error)
        except ContradictionError as error:
            return self._tell(kept, shown, error)
        if head.size == kept.size:
            return Look.KNOWN
        return self._keep(shown, proof) if head.size > kept.size else Look.OLDER

    def _keep(self, shown: Checkpoint, proof: list[bytes]) -> Look:
        with self._terminal.store.write() as writer:
            kept = keep_checkpoint(writer, shown, proof)
            clear_alarms(writer, at=self._terminal.clock.now(), code=UNPROVEN_ALARM)
        self._terminal.journal.take_anchor(kept.anchor)
        return Look.KEPT

    def _doubt(self, kept: Kept, shown: Checkpoint, error: UnprovenError) -> Look:
        _log.warning("log: from %d to %d is not proven: %s", kept.size, shown.head.size, error)
        with self._terminal.store.write() as writer:
            raise_alarm(writer, at=self._terminal.clock.now(), code=UNPROVEN_ALARM)
        return Look.UNPROVEN

    def _tell(self, kept: Kept, shown: Checkpoint, error: ContradictionError) -> Look:
        _log.error("log: central shows another log than before: %s", error)
        now = self._terminal.clock.now()
        with self._terminal.store.write() as writer:
            keep_split_view(writer, kept, shown, now)
            raise_alarm(writer, at=now, code=SPLIT_VIEW_ALARM)
        return Look.SPLIT_VIEW

    def _fetch(self, base: str, tile: Tile) -> bytes:
        answer = self._client.get(f"{base}/log/tile/{tile_path(tile)}")
        if isinstance(answer, NoAnswer) or answer.status != _OK:
            raise _UnreachableError
        return answer.body
