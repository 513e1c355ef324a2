"""What a verifier believes beforehand: central's root keys and its log's, from a file kept apart.

Source: PROTOCOL.md, "Trust".
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from merchant_agent.errors import FormatError
from merchant_agent.evidence.fields import Wire
from merchant_agent.evidence.grant import NamedKey
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.note import NoteKey, parse_vkey
from merchant_agent.evidence.octets import decode_b64u, decode_with, encode_json

_MAX_BYTES = 65_536


class Trust(Wire, frozen=True, kw_only=True):
    """Root keys by id, and the log's verifier keys, of its signature and of its cosignature; none before a log."""

    root: Annotated[tuple[NamedKey, ...], Meta(min_length=1, max_length=64)]
    log: Annotated[tuple[Annotated[str, Meta(max_length=256)], ...], Meta(max_length=16)]

    def root_keys(self) -> dict[str, VerifyingKey]:
        """The root keys by kid.

        Raises:
            FormatError: one is weak.
        """
        return {named.kid: VerifyingKey(decode_b64u(named.key, length=32)) for named in self.root}

    def log_keys(self) -> tuple[NoteKey, ...]:
        """The keys that may sign checkpoints.

        Raises:
            FormatError: one is no verifier key.
        """
        return tuple(parse_vkey(text) for text in self.log)


_DECODER: msgspec.json.Decoder[Trust] = msgspec.json.Decoder(Trust)


def load_trust(octets: bytes) -> Trust:
    """The trust that a file states; people may have re-indented it.

    Raises:
        FormatError: not a trust file, or one of its keys is weak or unknown.
    """
    if len(octets) > _MAX_BYTES:
        raise FormatError(f"trust: {len(octets)} bytes")
    trust = decode_with(_DECODER, octets)
    trust.root_keys()
    trust.log_keys()
    return trust


def encode_trust(trust: Trust) -> bytes:
    """The file, one line."""
    return encode_json(trust) + b"\n"
