"""What paired tablets remember of this terminal's chain.

A database that was set back to an older state would sign another history. It does not know what
came after it; the tablets do. Each remembers the furthest head it was told, as
`issuer.epoch.seq.link.mac`; the last is a MAC under a key of this machine's own, so that nobody at a
tablet can make up a head. Where one remembers more than the ledger knows, or something else,
nothing is signed until that is settled.

Source: protocol.md, "Enrolment, epochs, keys".
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from pathlib import Path

from merchant_agent.errors import StartError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Head
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.terminal.store.journal import Journal

_log = logging.getLogger(__name__)

_KEY_NAME = "heads.key"
_KEY_BYTES = 32
_HEAD = re.compile(r"([\w-]{11})\.([0-9]{1,5})\.(-1|[0-9]{1,10})\.([\w-]{43})\.([\w-]{43})", re.ASCII)


class Memory:
    """Tells a journal's head and hears what others remember of it; `keys` is the folder of private keys.

    Any thread may use it.

    Raises:
        StartError: the folder of keys cannot be used.
    """

    def __init__(self, journal: Journal, keys: Path) -> None:
        self._journal = journal
        self._key = _load_key(keys / _KEY_NAME)

    def head(self) -> str:
        """The journal's head, to be remembered; empty before the enrolment."""
        head = self._journal.head
        if head is None:
            return ""
        text = f"{self._journal.identity.issuer}.{head.epoch}.{head.seq}.{head.link}"
        return f"{text}.{self._mac(text)}"

    def hear(self, text: str) -> bool:
        """Compares what somebody remembers with the ledger, and puts the journal on hold where it knows less.

        Whether they agree. What this terminal never told, or an epoch that is over, says nothing.

        Raises:
            StoreError: the ledger could not be read, or the hold not be stored.
        """
        told = self._read(text)
        newest = self._journal.head
        if told is None or newest is None or self._journal.hold is not None or told.epoch < newest.epoch:
            return True
        if told == newest:
            return True
        compared = self._journal.compare(told.epoch, told.seq, told.link)
        if compared == "known":
            return True
        _log.error("the chain was known to reach %d.%d: %s", told.epoch, told.seq, compared)
        self._journal.put_on_hold("restored", f"{compared} at {told.epoch}.{told.seq}")
        return False

    def _read(self, text: str) -> Head | None:
        """None for what this terminal never told."""
        match = _HEAD.fullmatch(text)
        if match is None or not hmac.compare_digest(match[5], self._mac(text.rpartition(".")[0])):
            return None
        epoch, seq = int(match[2]), int(match[3])
        if match[1] != self._journal.identity.issuer or epoch > MAX_EPOCH or seq > MAX_SEQ:
            return None
        return Head(epoch=epoch, seq=seq, link=match[4])

    def _mac(self, text: str) -> str:
        return encode_b64u(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def _load_key(path: Path) -> bytes:
    """Made where it is missing or cut short: then what was remembered before says nothing any more."""
    try:
        key = path.read_bytes() if path.exists() else b""
        if len(key) != _KEY_BYTES:
            key = secrets.token_bytes(_KEY_BYTES)
            write_file_atomic(path, key)
    except OSError as error:
        raise StartError(f"The file {path} cannot be used: {error.strerror}.") from error
    return key
