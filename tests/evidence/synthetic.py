"""A shop whose keys, salts and nonces are all made of names: the same octets in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from merchant_agent.clock import Reading, format_at
from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    KEYS,
    RECORDS,
    SLIPS,
    encode_disclosure_line,
    encode_jwks,
    encode_slip_line,
)
from merchant_agent.evidence.bodies import (
    Body,
    ComplaintBody,
    Kind,
    LapseBody,
    PromptBody,
    RatingBody,
    SuggestionBody,
)
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.exchange import (
    Ack,
    Answer,
    Batch,
    Newest,
    Outcome,
    digest_lines,
    sign_ack,
    sign_batch,
)
from merchant_agent.evidence.fields import Anchor, Head, LogHead, Place
from merchant_agent.evidence.grant import Grant, NamedKey, Policy, open_grant, sign_grant
from merchant_agent.evidence.jws import format_kid, leaf_hash
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.record import ABOUT_NOTHING, About, Totals
from merchant_agent.evidence.slip import Slip, sign_slip
from merchant_agent.evidence.trust import Trust

START = datetime(2026, 5, 20, 12, 0, tzinfo=timezone(timedelta(hours=8)))
START_TEXT = "2026-05-20T12:00:00.000+08:00"
ROOT, ACKNOWLEDGING = "root", "acknowledging"
BOOT = "AAAAAAAAAAA"


def octets_of(name: str, length: int) -> bytes:
    """At most 32 octets that depend on the name alone."""
    return hashlib.sha256(name.encode()).digest()[:length]


def key_of(name: str) -> SigningKey:
    return SigningKey(octets_of(f"key {name}", 32))


def id_of(name: str) -> str:
    return encode_b64u(octets_of(f"id {name}", 8))


def nonce_of(name: str) -> str:
    return encode_b64u(octets_of(f"nonce {name}", 16))


def uuid_of(number: int) -> str:
    return f"019e4358-1a00-7000-8000-{number:012x}"


def disclosure_of(name: str, value: str, *, salt: str = "") -> str:
    """What `make_disclosure` makes, with a salt that depends on the arguments alone."""
    octets = octets_of(f"salt {salt} {name} {value}", 16)
    return encode_b64u(encode_json([encode_b64u(octets), name, value]))


PROMPT = PromptBody(till="1", source="http", sale="counter", asks=True, tag=id_of("tag"))
LAPSE = LapseBody(reason="declined")
SUGGESTION = SuggestionBody(channel="tablet", lang="zh", catalogue="2026-1", claim=None)
COMPLAINT = ComplaintBody(
    categories=("quality",),
    remedies=("refund",),
    channel="tablet",
    lang="zh",
    catalogue="2026-1",
    claim=None,
    consents=(),
    notice=None,
    first="shop",
)


def rating_of(level: int) -> RatingBody:
    return RatingBody(
        level=level,
        aspects=(),
        tags=(),
        channel="tablet",
        ended="done",
        dwell_ms=2100,
        lang="zh",
        catalogue="2026-1",
        claim=None,
    )


def grant_of(name: str, *, epoch: int = 1, totals: Totals | None = None, closes: Head | None = None) -> Grant:
    return Grant(
        issuer=id_of(name),
        epoch=epoch,
        merchant=id_of(f"{name}'s merchant"),
        role="terminal",
        key=encode_b64u(key_of(f"{name} {epoch}").public),
        nonce=nonce_of(f"{name} {epoch}"),
        totals=Totals.zero() if totals is None else totals,
        deadline_hours=24,
        policy=Policy(ask="tablet"),
        sealing_key=encode_b64u(octets_of("sealing", 32)),
        central=(
            NamedKey(kid=format_kid(id_of(ACKNOWLEDGING), 1), key=encode_b64u(key_of(ACKNOWLEDGING).public)),
        ),
        closes=closes,
        at=START_TEXT,
    )


def trust_of(root: str = ROOT) -> Trust:
    named = NamedKey(kid=format_kid(id_of(root), 1), key=encode_b64u(key_of(root).public))
    return Trust(root=(named,), log=())


@dataclass
class Export:
    """An export in memory, which attackers may edit."""

    files: dict[str, list[bytes]]

    def names(self) -> list[str]:
        return list(self.files)

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise FormatError(f"export: {name} is missing")
        return b"".join(line + b"\n" for line in self.files[name])

    def lines(self, name: str) -> Iterator[bytes]:
        if name not in self.files:
            raise FormatError(f"export: {name} is missing")
        yield from self.files[name]

    def copy(self) -> Export:
        return Export({name: list(lines) for name, lines in self.files.items()})


@dataclass
class Shop:
    """A terminal and its central: what they sign, in the order in which they sign it.

    Each record comes a second after the one before, by the boot clock `now_ms`; the wall clock is
    `ahead_ms` of it.
    """

    name: str = "shop"
    root: str = ROOT
    grants: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    disclosures: list[tuple[int, int, str]] = field(default_factory=list)
    batches: list[bytes] = field(default_factory=list)
    acks: list[bytes] = field(default_factory=list)
    slips: list[tuple[int, int, bytes]] = field(default_factory=list)
    seen: LogHead | None = None
    now_ms: int = 0
    ahead_ms: int = 0
    boot: str = BOOT

    def __post_init__(self) -> None:
        self._appended = 0
        self.open_epoch(grant_of(self.name))

    def open_epoch(self, grant: Grant) -> None:
        octets = sign_grant(key_of(self.root), id_of(self.root), 1, grant)
        self.grants.append(octets)
        self.key = key_of(f"{self.name} {grant.epoch}")
        self.chain = Chain.begin(octets, open_grant(octets, trust_of(self.root).root_keys()))
        self.nonce = grant.nonce
        self.uploaded = -1

    def next_epoch(self) -> None:
        """Central closes the epoch at its head and grants the next one."""
        assert self.chain.totals is not None
        epoch = self.chain.epoch + 1
        self.open_epoch(grant_of(self.name, epoch=epoch, totals=self.chain.totals, closes=self.chain.head))

    def append(
        self,
        kind: Kind,
        body: Body,
        about: About = ABOUT_NOTHING,
        disclosures: tuple[str, ...] = (),
        *,
        anchor: Anchor | None = None,
    ) -> Place:
        self._appended += 1
        self.now_ms += 1000
        octets = append_record(
            self.chain,
            self.key,
            kind,
            uuid_of(self._appended),
            Reading(
                at=START + timedelta(milliseconds=self.now_ms + self.ahead_ms),
                boot=self.boot,
                uptime_ms=self.now_ms,
            ),
            about,
            body,
            disclosures,
            anchor=anchor,
        )
        record = self.newest = self.chain.accept(octets, disclosures)
        self.records.append(octets)
        self.disclosures += [(record.epoch, record.seq, text) for text in disclosures]
        return record.place

    def sale(self) -> Place:
        return self.append(Kind.PROMPT, PROMPT)

    def lapse(self, prompt: Place) -> Place:
        return self.append(Kind.LAPSE, LAPSE, About(prompt=prompt, case=None))

    def rate(self, level: int, comment: str | None = None, *, prompt: Place | None = None) -> Place:
        disclosures = () if comment is None else (disclosure_of("comment", comment),)
        about = About(prompt=prompt, case=None)
        return self.append(Kind.RATING, rating_of(level), about, disclosures)

    def suggest(self, comment: str) -> Place:
        return self.append(Kind.SUGGESTION, SUGGESTION, ABOUT_NOTHING, (disclosure_of("comment", comment),))

    def complain(self, comment: str) -> Place:
        case = uuid_of(4096 + self._appended)
        disclosures = (
            disclosure_of("comment", comment),
            disclosure_of("order", "A-17"),
            disclosure_of("amount", "64.00 CNY"),
        )
        return self.append(Kind.COMPLAINT, COMPLAINT, About(prompt=None, case=case), disclosures)

    def batch(self, first: int, last: int) -> Batch:
        number = len(self.batches)
        return Batch(
            issuer=self.chain.issuer,
            epoch=self.chain.epoch,
            from_=first,
            to=last,
            newest=Newest(seq=self.chain.seq, link=self.chain.link),
            lines=digest_lines([]),
            nonce=self.nonce,
            client_nonce=nonce_of(f"{self.name} batch {number}"),
            at=START_TEXT,
            boot=BOOT,
            uptime_ms=1000,
            checkpoint=self.seen,
            software="merchant-agent 0.1.0",
        )

    def upload(self) -> None:
        """Hands over all that is not yet acknowledged; central accepts it."""
        batch = self.batch(self.uploaded + 1, self.chain.seq)
        self.send(batch)
        self.answer(batch, "accepted", self.chain.head)
        self.uploaded = self.chain.seq

    def send(self, batch: Batch) -> None:
        self.batches.append(sign_batch(self.key, batch))

    def answer(self, batch: Batch, outcome: Outcome, head: Head, answers: tuple[Answer, ...] = ()) -> Ack:
        self.nonce = nonce_of(f"{self.name} answer {len(self.acks)}")
        ack = Ack(
            client_nonce=batch.client_nonce,
            issuer=batch.issuer,
            epoch=batch.epoch,
            head=head,
            now=format_at(START + timedelta(milliseconds=self.now_ms)),
            nonce=self.nonce,
            outcome=outcome,
            answers=answers,
            checkpoint=None,
        )
        self.acks.append(sign_ack(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, ack))
        return ack

    def keys(self) -> dict[str, bytes]:
        epochs = range(1, self.chain.epoch + 1)
        return {
            format_kid(id_of(self.root), 1): key_of(self.root).public,
            format_kid(id_of(ACKNOWLEDGING), 1): key_of(ACKNOWLEDGING).public,
            **{
                format_kid(self.chain.issuer, epoch): key_of(f"{self.name} {epoch}").public
                for epoch in epochs
            },
        }

    def verifying_key(self) -> VerifyingKey:
        return VerifyingKey(self.key.public)

    def slip(
        self, *, level: int = 0, complaint: bool = False, contact: bool = False, suggestion: bool = False
    ) -> bytes:
        """The promise over the newest record."""
        slip = Slip(
            place=Place(issuer=self.chain.issuer, epoch=self.chain.epoch, seq=self.chain.seq),
            time=int(START.timestamp()) + (self.now_ms + self.ahead_ms) // 1000,
            level=level,
            complaint=complaint,
            contact=contact,
            suggestion=suggestion,
            deadline_hours=24,
            leaf=leaf_hash(self.records[-1]),
        )
        octets = sign_slip(self.key, slip)
        self.slips.append((self.chain.epoch, self.chain.seq, octets))
        return octets

    def export(self) -> Export:
        return Export(
            {
                RECORDS: list(self.records),
                GRANTS: list(self.grants),
                BATCHES: list(self.batches),
                ACKS: list(self.acks),
                DISCLOSURES: [encode_disclosure_line(*stated) for stated in self.disclosures],
                KEYS: encode_jwks(self.keys()).split(b"\n"),
                **({SLIPS: [encode_slip_line(*slip) for slip in self.slips]} if self.slips else {}),
            }
        )


def busy_shop() -> Shop:
    """Two epochs with every kind of record, words, and an upload now and then."""
    shop = Shop()
    for comment in ("好吃", "汤凉了 \N{BOWL WITH SPOON}", None):
        shop.rate(3, comment, prompt=shop.sale())
    shop.upload()
    shop.lapse(shop.sale())
    shop.complain("少找了钱")
    shop.suggest("添把椅子")
    shop.upload()
    shop.next_epoch()
    shop.rate(5, "很好", prompt=shop.sale())
    shop.upload()
    shop.rate(1, "一般", prompt=shop.sale())
    shop.upload()
    return shop
