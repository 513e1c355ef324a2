"""Signed notes: a text, a blank line, and signatures by keys that the reader must know.

Source: C2SP signed-note; C2SP tlog-cosignature for the timestamped kind.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import SigningKey, VerifyingKey

MAX_NOTE_BYTES = 65_536
_MAX_SIGNATURES = 64
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class Algorithm(IntEnum):
    """What a signature covers: the text, or the text with the time of signing."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A verifier key: whose signatures count, and of which kind."""

    name: str
    algorithm: Algorithm
    key: VerifyingKey

    @property
    def id(self) -> bytes:
        """The 4 bytes by which signatures name it; short, and no proof of anything."""
        return _key_id(self.name, self.algorithm, self.key.octets)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One verified signature; `time` is when it was made (unix seconds), None for the plain kind."""

    key: NoteKey
    time: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNote:
    """A note's text, ending in a newline, and the signatures of keys that were known."""

    text: str
    signatures: tuple[NoteSignature, ...]


def format_vkey(key: NoteKey) -> str:
    """The verifier key as one line of text, `name+id+key`."""
    material = bytes([key.algorithm]) + key.key.octets
    return f"{key.name}+{key.id.hex()}+{_encode(material)}"


def parse_vkey(text: str) -> NoteKey:
    """The verifier key that such a line states.

    Raises:
        FormatError: another form, an algorithm that is not known here, or a weak key.
    """
    name, _, rest = text.partition("+")
    stated_id, _, encoded = rest.partition("+")
    material = _decode(encoded)
    try:
        algorithm = Algorithm(material[0] if material else 0)
    except ValueError as error:
        raise FormatError("verifier key: an unknown algorithm") from error
    if not _NAME.fullmatch(name):
        raise FormatError("verifier key: no name")
    key = NoteKey(name=name, algorithm=algorithm, key=VerifyingKey(material[1:]))
    if key.id.hex() != stated_id:
        raise FormatError("verifier key: its id does not fit")
    return key


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """The signature line of the log itself over a text that ends in a newline.

    Raises:
        FormatError: the text or the name cannot stand in a note.
    """
    _require_text(text)
    return _line(name, Algorithm.ED25519, key, key.sign(text.encode()))


def cosign_note(text: str, name: str, key: SigningKey, time: int) -> str:
    """The signature line of a cosigner that saw the checkpoint `text` as the newest at `time` (unix seconds).

    Raises:
        FormatError: the text or the name cannot stand in a note.
    """
    _require_text(text)
    signature = time.to_bytes(_TIME_BYTES) + key.sign(_timed(text, time))
    return _line(name, Algorithm.COSIGNATURE, key, signature)


def join_note(text: str, lines: Iterable[str]) -> str:
    """The note of a text and its signature lines."""
    return f"{text}\n{''.join(lines)}"


def open_note(octets: bytes, known: Iterable[NoteKey]) -> OpenedNote:
    """The text of a note that at least one known key signed; signatures of others are passed over.

    Raises:
        VerificationError: V14 where it is no note, a known key's signature is wrong, or no known key signed.
    """
    text, lines = _split(octets)
    keys = {(key.name, key.id): key for key in known}
    verified: dict[tuple[str, bytes], NoteSignature] = {}
    for line in lines:
        name, material = _parse_line(line)
        place = (name, material[:_KEY_ID_BYTES])
        if place in keys and place not in verified:
            verified[place] = _verify(text, keys[place], material[_KEY_ID_BYTES:])
    if not verified:
        raise VerificationError("V14", "note: no known key signed it")
    return OpenedNote(text=text, signatures=tuple(verified.values()))


def _verify(text: str, key: NoteKey, signature: bytes) -> NoteSignature:
    time = None
    message = text.encode()
    if key.algorithm is Algorithm.COSIGNATURE:
        time, signature = int.from_bytes(signature[:_TIME_BYTES]), signature[_TIME_BYTES:]
        message = _timed(text, time)
    if len(signature) != _SIGNATURE_BYTES:
        raise VerificationError("V14", f"note: a signature of {len(signature)} bytes")
    try:
        key.key.verify(signature, message)
    except VerificationError as error:
        raise VerificationError("V14", f"note: the signature of {key.name} is wrong") from error
    return NoteSignature(key=key, time=time)


def _split(octets: bytes) -> tuple[str, list[str]]:
    """The text and the signature lines; the last blank line parts them."""
    if len(octets) > MAX_NOTE_BYTES:
        raise VerificationError("V14", f"note: {len(octets)} bytes")
    try:
        whole = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("V14", "note: not UTF-8") from error
    head, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or _CONTROL.search(whole):
        raise VerificationError("V14", "note: no text with signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise VerificationError("V14", f"note: {len(lines)} signatures")
    return head + "\n", lines


def _parse_line(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise VerificationError("V14", "note: a line that is no signature")
    try:
        material = _decode(match[2])
    except FormatError as error:
        raise VerificationError("V14", f"note: {error}") from error
    if len(material) <= _KEY_ID_BYTES:
        raise VerificationError("V14", "note: an empty signature")
    return match[1], material


def _line(name: str, algorithm: Algorithm, key: SigningKey, signature: bytes) -> str:
    if not _NAME.fullmatch(name):
        raise FormatError("note: a name has no blanks and no plus")
    return f"— {name} {_encode(_key_id(name, algorithm, key.public) + signature)}\n"


def _require_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise FormatError("note: a text ends in a newline and holds no control characters")


def _timed(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _key_id(name: str, algorithm: Algorithm, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_KEY_ID_BYTES]


def _encode(material: bytes) -> str:
    return base64.b64encode(material).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        material = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"base64: {error}") from error
    if _encode(material) != text:
        raise FormatError("base64: bits left over")
    return material
