"""A log and a shop that is anchored in it, made of names like the rest: the same octets in every run."""

from __future__ import annotations

from itertools import pairwise

from merchant_agent.evidence.archive import (
    LOG_KEYS,
    checkpoint_name,
    consistency_name,
    proof_name,
)
from merchant_agent.evidence.bodies import DayCloseBody, HeartbeatBody, Kind, Opening, SettingsBody, StartBody
from merchant_agent.evidence.checkpoint import TreeHead, sign_checkpoint
from merchant_agent.evidence.fields import Anchor
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.merkle import Frontier, prove_consistency, prove_inclusion
from merchant_agent.evidence.note import Algorithm, NoteKey, format_vkey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About
from merchant_agent.evidence.tlog_proof import encode_hashes, encode_tlog_proof
from merchant_agent.evidence.trust import Trust
from tests.evidence.synthetic import START, SUGGESTION, Export, Shop, disclosure_of, key_of, trust_of

ORIGIN = "central.example/log"
START_S = int(START.timestamp())
LOG, COSIGNER = key_of("log"), key_of("cosigner")
VKEYS = tuple(
    format_vkey(NoteKey(name=ORIGIN, algorithm=algorithm, key=VerifyingKey(key.public)))
    for algorithm, key in ((Algorithm.ED25519, LOG), (Algorithm.COSIGNATURE, COSIGNER))
)
OPEN = SettingsBody(
    opening=tuple(Opening(weekday=day, from_="08:00", to="22:00") for day in range(1, 8)),
    closures=(),
    words=(),
)


def logged_trust() -> Trust:
    return Trust(root=trust_of().root, log=VKEYS)


class GrownLog:
    """All leaves in memory, and every checkpoint that was published."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._places: dict[bytes, int] = {}
        self.checkpoints: dict[int, bytes] = {}

    def append(self, octets: bytes) -> None:
        leaf = leaf_hash(octets)
        self._places[leaf] = self._frontier.size
        for level, number, node in self._frontier.append(leaf):
            self._nodes[level, number] = node

    def publish(self, time: int) -> Anchor:
        size, root = self._frontier.size, self._frontier.root()
        head = TreeHead(origin=ORIGIN, size=size, root=root)
        self.checkpoints[size] = sign_checkpoint(head, LOG, COSIGNER, time)
        return Anchor(size=size, root=encode_b64u(root), time=time)

    def prove(self, octets: bytes, size: int) -> bytes:
        place = self._places[leaf_hash(octets)]
        path = prove_inclusion(self._read, place, size)
        return encode_tlog_proof(place, path, self.checkpoints[size])

    def connect(self, old: int, new: int) -> list[bytes]:
        return encode_hashes(prove_consistency(self._read, old, new))

    def _read(self, level: int, number: int) -> bytes:
        return self._nodes[level, number]


class LoggedShop(Shop):
    """A shop whose records are taken up by a log."""

    def __post_init__(self) -> None:
        self.log = GrownLog()
        self.anchor: Anchor | None = None
        self._logged = 0
        super().__post_init__()
        self.log.append(self.grants[0])

    def take_up(self) -> Anchor:
        """Everything that was uploaded is in the log, and a checkpoint is published."""
        for octets in self.records[self._logged :]:
            self.log.append(octets)
        self._logged = len(self.records)
        return self.log.publish(START_S + (self.now_ms + 999) // 1000)

    def export(self) -> Export:
        """With proofs for every slip and for the newest record, by the newest checkpoint."""
        export = super().export()
        sizes = sorted(self.log.checkpoints)
        for size in sizes:
            export.files[checkpoint_name(size)] = _lines(self.log.checkpoints[size])
        for old, new in pairwise(sizes):
            export.files[consistency_name(old, new)] = self.log.connect(old, new)
        places = {(epoch, seq) for epoch, seq, _ in self.slips} | {(self.chain.epoch, self.chain.seq)}
        for epoch, seq in sorted(places):
            octets = self.records[seq]
            export.files[proof_name(epoch, seq)] = _lines(self.log.prove(octets, sizes[-1]))
        export.files[LOG_KEYS] = [vkey.encode() for vkey in VKEYS]
        return export


def logged_shop() -> LoggedShop:
    """One epoch with slips, anchors and administrative records, all of it in the log."""
    shop = LoggedShop()
    shop.append(Kind.START, StartBody(software="merchant-agent 0.1.0", clean=True))
    shop.append(Kind.SETTINGS, OPEN)
    prompt = shop.sale()
    shop.rate(3, "汤凉了", prompt=prompt)
    shop.slip(level=3)
    shop.upload()
    anchor = shop.take_up()
    shop.append(Kind.HEARTBEAT, HeartbeatBody(waiting=0), anchor=anchor)
    about = About(prompt=prompt, case=None)
    shop.append(Kind.SUGGESTION, SUGGESTION, about, (disclosure_of("comment", "添把椅子"),))
    shop.slip(level=3, suggestion=True)
    shop.append(Kind.DAY_CLOSE, DayCloseBody(day="2026-05-20", prompts=1, sales=1))
    shop.upload()
    shop.append(Kind.HEARTBEAT, HeartbeatBody(waiting=0), anchor=shop.take_up())
    shop.lapse(shop.sale())
    shop.upload()
    shop.take_up()
    return shop


def _lines(octets: bytes) -> list[bytes]:
    return octets.split(b"\n")[:-1]
