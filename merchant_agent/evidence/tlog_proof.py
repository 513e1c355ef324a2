"""A proof that something is in the log, in one text file that needs nothing else but the log's keys.

Source: C2SP tlog-proof.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.checkpoint import Checkpoint, open_checkpoint
from merchant_agent.evidence.merkle import HASH_BYTES, verify_inclusion
from merchant_agent.evidence.note import NoteKey

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_HASH = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
_MAX_PATH = 64
_MAX_HASHES = 128
MAX_PROOF_BYTES = 131_072


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """The place of a leaf, its path to the root, and the checkpoint that signs the root."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def encode_tlog_proof(index: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The file."""
    lines = [_FIRST_LINE, f"index {index}", *(base64.b64encode(node).decode("ascii") for node in path)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


def encode_hashes(path: Sequence[bytes]) -> list[bytes]:
    """Hashes as lines of base64, without line ends."""
    return [base64.b64encode(node) for node in path]


def decode_hashes(lines: Iterable[bytes]) -> list[bytes]:
    """The hashes of a consistency proof, a line of base64 each.

    Raises:
        FormatError: a line is none, or there are more than any proof has.
    """
    hashes: list[bytes] = []
    for line in lines:
        if not _HASH.fullmatch(line.decode("ascii", errors="replace")):
            raise FormatError("proof: a line that is no hash")
        if len(hashes) == _MAX_HASHES:
            raise FormatError("proof: too many hashes")
        hashes.append(base64.b64decode(line))
    return hashes


def decode_tlog_proof(octets: bytes) -> TlogProof:
    """What the file states, not yet verified; a line `extra` is not taken.

    Raises:
        FormatError: another form.
    """
    if len(octets) > MAX_PROOF_BYTES:
        raise FormatError(f"proof: {len(octets)} bytes")
    head, blank, checkpoint = octets.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("proof: not ASCII") from error
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if not blank or lines[0] != _FIRST_LINE or match is None or len(lines) > _MAX_PATH + 2:
        raise FormatError("proof: not c2sp.org/tlog-proof@v1")
    if not all(_HASH.fullmatch(line) for line in lines[2:]):
        raise FormatError("proof: a line that is no hash")
    path = tuple(base64.b64decode(line) for line in lines[2:])
    return TlogProof(index=int(match[1]), path=path, checkpoint=checkpoint)


def verify_tlog_proof(octets: bytes, leaf: bytes, keys: Iterable[NoteKey]) -> Checkpoint:
    """The checkpoint of the log with these keys that holds the leaf hash (32 bytes).

    Raises:
        VerificationError: V14.
    """
    if len(leaf) != HASH_BYTES:
        raise VerificationError("V14", f"a leaf of {len(leaf)} bytes")
    try:
        proof = decode_tlog_proof(octets)
    except FormatError as error:
        raise VerificationError("V14", str(error)) from error
    checkpoint = open_checkpoint(proof.checkpoint, keys)
    verify_inclusion(leaf, proof.index, checkpoint.head.size, checkpoint.head.root, proof.path)
    return checkpoint
