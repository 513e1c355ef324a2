"""Checkpoints: the size and root of the log at one moment, as signed notes.

    central.example.gov.cn/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — central.example.gov.cn/log Az3grlgt…
    — central.example.gov.cn/log jWbPPwAA…

The first signature is the log's, the second its own timestamped cosignature. There are no
extension lines.

Source: C2SP tlog-checkpoint, tlog-cosignature.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.merkle import HASH_BYTES
from merchant_agent.evidence.note import Algorithm, NoteKey, cosign_note, join_note, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """How many leaves a log has, and the root over them; `origin` is the log's name."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A verified checkpoint: `octets` are the whole note, `time` its cosignature's (unix seconds)."""

    head: TreeHead
    time: int
    octets: bytes


def encode_tree_head(head: TreeHead) -> str:
    """The text of a checkpoint.

    Raises:
        FormatError: no reader would take it.
    """
    text = f"{head.origin}\n{head.size}\n{base64.b64encode(head.root).decode('ascii')}\n"
    if decode_tree_head(text) != head:
        raise FormatError("checkpoint: an origin that is not one line")
    return text


def decode_tree_head(text: str) -> TreeHead:
    """What a checkpoint's text states.

    Raises:
        FormatError: not three lines in their one form.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 -- lines
        raise FormatError("checkpoint: not origin, size and root")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"checkpoint: {error}") from error
    if len(root) != HASH_BYTES or base64.b64encode(root).decode("ascii") != lines[2]:
        raise FormatError("checkpoint: no root hash")
    return TreeHead(origin=lines[0], size=int(lines[1]), root=root)


def sign_checkpoint(head: TreeHead, log: SigningKey, cosigner: SigningKey, time: int) -> bytes:
    """The checkpoint's octets, signed by the log and cosigned at `time` (unix seconds), both in its name.

    Raises:
        FormatError: the origin cannot stand in a note.
    """
    text = encode_tree_head(head)
    lines = (sign_note(text, head.origin, log), cosign_note(text, head.origin, cosigner, time))
    return join_note(text, lines).encode()


def open_checkpoint(octets: bytes, keys: Iterable[NoteKey]) -> Checkpoint:
    """The checkpoint, signed and cosigned by the log's own `keys`.

    Raises:
        VerificationError: V14.
    """
    note = open_note(octets, keys)
    try:
        head = decode_tree_head(note.text)
    except FormatError as error:
        raise VerificationError("V14", str(error)) from error
    own = [signature for signature in note.signatures if signature.key.name == head.origin]
    times = [signature.time for signature in own if signature.time is not None]
    if not times or all(signature.key.algorithm is not Algorithm.ED25519 for signature in own):
        raise VerificationError("V14", "checkpoint: not both signed and cosigned by its log")
    return Checkpoint(head=head, time=max(times), octets=octets)
