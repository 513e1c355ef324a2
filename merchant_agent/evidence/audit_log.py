"""Auditing the log: checkpoints of one history, and records that stand in it (V14, V7).

What is remembered grows with the checkpoints that an export has, not with its records.
Source: PROTOCOL.md, "What a verifier does", steps 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import (
    LOG_KEYS,
    Source,
    consistency_name,
    parse_checkpoint_name,
    parse_proof_name,
    proof_name,
)
from merchant_agent.evidence.checkpoint import Checkpoint, open_checkpoint
from merchant_agent.evidence.fields import MAX_EPOCH, Anchor, LogHead, Place
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import fingerprint
from merchant_agent.evidence.merkle import verify_consistency, verify_inclusion
from merchant_agent.evidence.note import NoteKey, parse_vkey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.tlog_proof import TlogProof, decode_hashes, decode_tlog_proof
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Report

_NEVER = (MAX_EPOCH + 1, 0)


@dataclass(slots=True)
class _Known:
    """One size of the log: its root, and when it was cosigned."""

    root: bytes
    times: set[int]


@dataclass(slots=True, kw_only=True)
class Log:
    """The checkpoints of an export by their size, which are of one history unless it was reported."""

    keys: tuple[NoteKey, ...]
    trusted: bool
    origin: str | None = None
    checkpoints: int = 0
    known: dict[int, _Known] = field(default_factory=dict)
    proofs: list[tuple[int, int]] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    # Proofs of one export mostly end in the same note.
    _opened: Checkpoint | None = None

    def has_anchor(self, anchor: Anchor) -> bool:
        """Whether a checkpoint says exactly what the anchor says."""
        known = self.known.get(anchor.size)
        return known is not None and encode_b64u(known.root) == anchor.root and anchor.time in known.times

    def contradicts(self, head: LogHead) -> bool:
        """Whether a checkpoint of that size has another root."""
        known = self.known.get(head.size)
        return known is not None and encode_b64u(known.root) != head.root

    def open(self, octets: bytes) -> Checkpoint:
        """A checkpoint signed by this log.

        Raises:
            VerificationError: V14.
        """
        if self._opened is not None and self._opened.octets == octets:
            return self._opened
        checkpoint = open_checkpoint(octets, self.keys)
        if self.origin not in {None, checkpoint.head.origin}:
            raise VerificationError("V14", f"a checkpoint of another log, {checkpoint.head.origin}")
        self._opened = checkpoint
        return checkpoint


def audit_log(source: Source, trust: Trust | None, report: Report) -> Log:
    """The log of an export; without trust its own `log.vkey` has the keys.

    Raises:
        FormatError: the export cannot be read.
    """
    names = list(source.names())
    sized = [(size, name) for name in names if (size := parse_checkpoint_name(name)) is not None]
    proofs = sorted(place for name in names if (place := parse_proof_name(name)) is not None)
    log = Log(keys=(), trusted=True, proofs=proofs)
    if sized or proofs or LOG_KEYS in names:
        log.keys = _keys(source, trust, report, log, has_keys=LOG_KEYS in names)
        log.fingerprints = {f"{key.name}+{key.id.hex()}": fingerprint(key.key.octets) for key in log.keys}
    # Of two of one size, the one without a further number first.
    for size, name in sorted(sized, key=lambda note: (note[0], len(note[1]), note[1])):
        _take(source, size, name, log, report)
    for old, new in pairwise(sorted(log.known)):
        _connect(source, old, new, log, report)
    return log


def _keys(
    source: Source, trust: Trust | None, report: Report, log: Log, *, has_keys: bool
) -> tuple[NoteKey, ...]:
    """The pinned keys, else those that the export states for itself."""
    stated: dict[int, NoteKey] = {}
    for line, text in enumerate(source.lines(LOG_KEYS) if has_keys else (), 1):
        try:
            stated[line] = parse_vkey(text.decode("utf-8", errors="replace"))
        except FormatError as error:
            report.violation("V14", str(error), file=LOG_KEYS, line=line)
    if trust is None:
        return tuple(stated.values())
    pinned = trust.log_keys()
    known = {(key.name, key.id, key.key.octets) for key in pinned}
    for line, key in stated.items():
        if (key.name, key.id, key.key.octets) not in known:
            log.trusted = False
            report.violation("V14", f"{key.name} is no trusted key of a log", file=LOG_KEYS, line=line)
    return pinned or tuple(stated.values())


def _take(source: Source, size: int, name: str, log: Log, report: Report) -> None:
    log.checkpoints += 1
    try:
        checkpoint = log.open(source.read(name))
    except VerificationError as error:
        log.trusted = False
        report.violation("V14", error.detail, file=name, line=1)
        return
    head = checkpoint.head
    log.origin = head.origin
    if head.size != size:
        report.violation("V14", f"the checkpoint of {head.size} leaves", file=name, line=1)
        return
    known = log.known.setdefault(size, _Known(head.root, set()))
    if known.root != head.root:
        report.violation("V14", "a split view: two roots for one size", file=name, line=1)
        return
    known.times.add(checkpoint.time)


def _connect(source: Source, old: int, new: int, log: Log, report: Report) -> None:
    """Proves that of two neighbours the larger log begins with the smaller one."""
    name = consistency_name(old, new)
    try:
        proof = decode_hashes(source.lines(name)) if old else []
        verify_consistency(old, log.known[old].root, new, log.known[new].root, proof)
    except (FormatError, VerificationError) as error:
        detail = error.detail if isinstance(error, VerificationError) else str(error)
        report.violation("V14", detail, file=name, line=1)


class Proofs:
    """The proofs of an export, read alongside its records.

    `due` is the (epoch, seq) of the next one, `by_s` the unix second by which its record was in the
    log, None where it does not hold; `proven` the newest seq of each epoch that is in the log.
    """

    def __init__(self, issuer: str, source: Source, log: Log, report: Report) -> None:
        self._issuer = issuer
        self._source = source
        self._log = log
        self._report = report
        self._places: Iterable[tuple[int, int]] = iter(log.proofs)
        self._proof: TlogProof | None = None
        self._checkpoint: Checkpoint | None = None
        self.proven: dict[int, int] = {}
        self.due = _NEVER
        self._step()

    @property
    def by_s(self) -> int | None:
        """See the class."""
        return self._checkpoint.time if self._checkpoint is not None else None

    def settle(self, epoch: int, seq: int, octets: bytes) -> None:
        """Compares the proof of this place's record and refuses those of places that did not come."""
        while self.due <= (epoch, seq):
            if self.due != (epoch, seq):
                self._refuse("no record stands there")
            elif self._proof is not None and self._checkpoint is not None:
                self._verify(self._proof, self._checkpoint, octets)
            self._step()

    def finish(self) -> None:
        """Refuses the proofs of places that never came."""
        while self.due != _NEVER:
            self._refuse("no record stands there")
            self._step()

    def _verify(self, proof: TlogProof, checkpoint: Checkpoint, octets: bytes) -> None:
        head = checkpoint.head
        try:
            verify_inclusion(leaf_hash(octets), proof.index, head.size, head.root, proof.path)
        except VerificationError as error:
            self._refuse(error.detail)
        else:
            epoch, seq = self.due
            self.proven[epoch] = seq

    def _step(self) -> None:
        self.due = next(iter(self._places), _NEVER)
        self._proof = self._checkpoint = None
        if self.due == _NEVER:
            return
        try:
            self._proof = decode_tlog_proof(self._source.read(proof_name(*self.due)))
            checkpoint = self._log.open(self._proof.checkpoint)
        except FormatError as error:
            self._refuse(str(error))
        except VerificationError as error:
            self._refuse(error.detail)
        else:
            known = self._log.known.get(checkpoint.head.size)
            if known is None or known.root != checkpoint.head.root:
                self._refuse("its checkpoint is not one of this export")
            else:
                self._checkpoint = checkpoint

    def _refuse(self, detail: str) -> None:
        epoch, seq = self.due
        place = Place(issuer=self._issuer, epoch=epoch, seq=seq)
        self._report.violation("V14", detail, file=proof_name(epoch, seq), line=1, place=place)
