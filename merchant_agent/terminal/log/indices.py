"""Asking central where this terminal's records stand in the log, page by page, from where the last look ended."""

from __future__ import annotations

import logging
import math
from typing import Annotated

import msgspec
from msgspec import Meta

from merchant_agent.errors import FormatError, OnHoldError, StoreError
from merchant_agent.evidence.fields import MAX_SEQ
from merchant_agent.evidence.octets import decode_with
from merchant_agent.evidence.requests import sign_request
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.log_indices import keep_indices, newest_index, newest_seq
from merchant_agent.terminal.upload.client import Client, NoAnswer
from merchant_agent.terminal.upload.progress import load_progress

_log = logging.getLogger(__name__)

_OK = 200
_LOOK_EVERY_S = 600.0
# Of 1,000 records each.
_MOST_PAGES = 20
_Number = Annotated[int, Meta(ge=0, le=2**53)]
_SeqNumber = tuple[Annotated[int, Meta(ge=0, le=MAX_SEQ)], _Number]


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: pairs of seq and number in order."""

    leaves: Annotated[tuple[_SeqNumber, ...], Meta(max_length=1000)]
    next: int


_PAGES: msgspec.json.Decoder[_Page] = msgspec.json.Decoder(_Page)


class Indices:
    """Reads them over the uploads' own connection and in their thread."""

    def __init__(self, terminal: Terminal, client: Client) -> None:
        self._terminal = terminal
        self._client = client
        self._next_mono = -math.inf

    def look(self, base: str) -> int:
        """How many more numbers are kept after asking the central of address `base`; 0 where it is not time yet.

        Every ten minutes, at most 20,000 at once. Nothing is raised: what did not come is asked for the
        next time.
        """
        now_mono = self._terminal.clock.mono()
        if not base or self._client.closed or now_mono < self._next_mono:
            return 0
        self._next_mono = now_mono + _LOOK_EVERY_S
        try:
            return self._read(base)
        except (StoreError, OnHoldError) as error:
            _log.warning("log: %s", error)
            return 0

    def _read(self, base: str) -> int:
        """Goes through the epochs, the oldest first."""
        taken, pages = 0, _MOST_PAGES
        for epoch in range(1, self._terminal.journal.identity.epoch + 1):
            while pages > 0 and self._waits(epoch):
                page = self._ask(base, epoch)
                if page is None:
                    return taken
                if not page.leaves:
                    break
                with self._terminal.store.write() as writer:
                    keep_indices(writer, epoch, page.leaves)
                taken += len(page.leaves)
                pages -= 1
        return taken

    def _waits(self, epoch: int) -> bool:
        """Whether the ledger goes on behind the newest number that is kept of the epoch."""
        with self._terminal.store.read() as reader:
            return newest_seq(reader, epoch) > newest_index(reader, epoch)

    def _ask(self, base: str, epoch: int) -> _Page | None:
        """The next page of an epoch; None where none came, or none that goes on."""
        identity = self._terminal.journal.identity
        with self._terminal.store.read() as reader:
            progress = load_progress(reader, identity.epoch)
            after = newest_index(reader, epoch)
        if progress is None:
            return None
        issuer, detail = identity.issuer, f"{epoch}.{after}"
        key = self._terminal.journal.key
        signed = sign_request(key, "leaves", issuer, identity.epoch, progress.nonce, detail)
        url = f"{base}/api/v1/terminals/{issuer}/leaves?epoch={epoch}&after={after}"
        answer = self._client.get(url, {"Authorization": signed, "Accept": "application/json"})
        if isinstance(answer, NoAnswer) or answer.status != _OK:
            return None
        try:
            page = decode_with(_PAGES, answer.body)
        except FormatError:
            # A hotel's sign-in page says 200 too.
            return None
        seqs = [seq for seq, _ in page.leaves]
        goes_on = all(a < b for a, b in zip([after, *seqs], seqs, strict=False))
        return page if goes_on else None
