"""What a helper reads of a run of records, so that the audit need not play each of them.

A run is plain where every record is the issuer's own, well-formed and the next one after the record
before it, whatever stands before the first. Most of its records change nothing that the audit could
tell of; those that may do so are its stops, which the audit plays by itself, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.audit_clocks import clocks_agree, is_before_anchor
from merchant_agent.evidence.audit_presence import LONGEST_SILENCE
from merchant_agent.evidence.audit_visits import Said, say
from merchant_agent.evidence.bodies import ClockBody, DayCloseBody, EraseBody, Role, SettingsBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Typ, decode_jws, verify_jws
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.record import Record, decode_record

_LONGEST_SILENCE_MS = 1000 * LONGEST_SILENCE.total_seconds()
_PLAYED = frozenset({SettingsBody, DayCloseBody, EraseBody, ClockBody})


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """What a helper must know of a grant: the epoch's key (32 octets) and whose chain it is."""

    key: bytes
    role: Role


class Plain(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A plain run: `seq` is its first record's, `stops` are offsets into it in order, 0 the first.

    `said` has one entry for each record.
    """

    epoch: int
    seq: int
    stops: list[int]
    said: list[Said]


_DECODER: msgspec.msgpack.Decoder[Plain] = msgspec.msgpack.Decoder(Plain)


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What a helper says of a run: whether every signature is the granted key's, and its `Plain` if it is plain."""

    vouched: bool
    plain: bytes | None

    def open(self, count: int) -> Plain | None:
        """The plain run, if it is one of so many lines."""
        plain = None if self.plain is None else _DECODER.decode(self.plain)
        # What came as one line may hold two records.
        return plain if plain is not None and len(plain.said) == count else None


NOTHING = Word(vouched=False, plain=None)


def look(issuer: str, signers: Mapping[int, Signer], joined: bytes, *, signatures: bool) -> Word:
    r"""A helper's word on consecutive lines, joined by `\n`; without `signatures` it vouches for none.

    Whatever is not as it should be makes the run not plain, so that the audit itself sees to it.
    """
    lines = joined.split(b"\n")
    try:
        plain = _read(issuer, signers, lines, signatures=signatures)
    except (VerificationError, FormatError, KeyError):
        return Word(vouched=signatures and _are_signed(signers, lines), plain=None)
    return Word(vouched=signatures, plain=msgspec.msgpack.encode(plain))


def _are_signed(signers: Mapping[int, Signer], lines: list[bytes]) -> bool:
    """Whether each line is signed by the key of the epoch that its header names."""
    try:
        for octets in lines:
            jws = decode_jws(octets, Typ.RECORD)
            verify_jws(jws, _key(signers[jws.epoch].key))
    except (VerificationError, KeyError):
        return False
    return True


def _read(issuer: str, signers: Mapping[int, Signer], lines: list[bytes], *, signatures: bool) -> Plain:
    first = decode_jws(lines[0], Typ.RECORD)
    if first.issuer != issuer:
        raise VerificationError("V2", "of another issuer")
    signer = signers[first.epoch]
    key = _key(signer.key)
    stated = decode_record(first.payload)
    before = Head(epoch=first.epoch, seq=stated.seq - 1, link=stated.prev)
    chain = Chain.resume(issuer, first.epoch, key, before, None, role=signer.role, anchor=stated.anchor)
    stops = Stops()
    said: list[Said] = []
    for offset, octets in enumerate(lines):
        jws = decode_jws(octets, Typ.RECORD)
        if jws.epoch != first.epoch or jws.issuer != first.issuer:
            raise VerificationError("V2", "of another chain")
        if signatures:
            verify_jws(jws, key)
        record = chain.advance(jws)
        said.append(stops.see(record, offset))
    return Plain(epoch=first.epoch, seq=stated.seq, stops=stops.offsets, said=said)


class Stops:
    """Finds the records of a run that must be played."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self._before: Record | None = None
        self._at_ms = 0
        self._minute = self._offset = ""
        self._minute_ms = 0

    def see(self, record: Record, offset: int) -> Said:
        """Takes in the next record, which stands at this offset."""
        at_ms = self._read_at(record.at)
        if self._before is None or self._must_play(self._before, record, at_ms):
            self.offsets.append(offset)
        self._before, self._at_ms = record, at_ms
        return say(record, at_ms)

    def _read_at(self, text: str) -> int:
        """Milliseconds since 1970; most records are of the minute of the one before."""
        minute, offset = text[:17], text[23:]
        if minute != self._minute or offset != self._offset:
            self._minute, self._offset = minute, offset
            self._minute_ms = round(1000 * datetime.fromisoformat(f"{minute}00.000{offset}").timestamp())
        return self._minute_ms + 1000 * int(text[17:19]) + int(text[20:23])

    def _must_play(self, before: Record, record: Record, at_ms: int) -> bool:
        wall_ms = at_ms - self._at_ms
        if wall_ms > _LONGEST_SILENCE_MS or record.anchor != before.anchor:
            return True
        if record.sd or type(record.body) in _PLAYED or is_before_anchor(record, at_ms):
            return True
        return record.boot == before.boot and not clocks_agree(wall_ms, record.uptime_ms - before.uptime_ms)


@lru_cache(maxsize=64)
def _key(octets: bytes) -> VerifyingKey:
    return VerifyingKey(octets)
