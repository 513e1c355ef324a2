"""An enrolled terminal without any network: its store, its journal, and the keys of its central.

with enrolled_journal(tmp_path, clock) as terminal:
    prompt = ask(terminal.journal)
    rating = rate(terminal.journal, prompt, level=2, comment="慢")
    ack = terminal.central.acknowledge(batch_octets, head=terminal.journal.head)
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from merchant_agent.clock import Clock, format_at
from merchant_agent.evidence.bodies import ComplaintBody, Kind, PromptBody, RatingBody
from merchant_agent.evidence.exchange import Ack, Answer, Outcome, decode_batch, sign_ack
from merchant_agent.evidence.fields import Head, Place
from merchant_agent.evidence.grant import Grant, NamedKey, Policy, new_issuer_id, new_nonce, sign_grant
from merchant_agent.evidence.jws import Typ, decode_jws, format_kid
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About, Totals
from merchant_agent.evidence.trust import Trust
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.terminal.store.appending import Appended
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.opening import open_store
from merchant_agent.terminal.store.shop import Shop
from tests.clocks import START

CATALOGUE = "2026-1"


@dataclass(frozen=True, kw_only=True)
class OfflineCentral:
    """The keys with which a central signs grants and acknowledgements, and one merchant."""

    root: SigningKey = field(default_factory=SigningKey.generate)
    ack: SigningKey = field(default_factory=SigningKey.generate)
    issuer: str = field(default_factory=new_issuer_id)
    merchant_id: str = field(default_factory=new_issuer_id)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    @property
    def trust(self) -> Trust:
        """The trust file's content: the root key, as epoch 1 of this central."""
        kid = format_kid(self.issuer, 1)
        return Trust(root=(NamedKey(kid=kid, key=encode_b64u(self.root.public)),), log=())

    @property
    def merchant(self) -> Shop:
        """What central says of the shop at the enrolment."""
        return Shop(
            id=self.merchant_id,
            name="示例餐饮有限公司",
            shop_name="示例面馆",
            credit_code="91310000MA1K000006",
            address="示例路 1 号",
            trade="restaurant",
            phone="021-00000000",
            promises=(),
        )

    def grant(
        self,
        public: bytes,
        *,
        issuer: str,
        epoch: int = 1,
        totals: Totals | None = None,
        closes: Head | None = None,
        at: datetime = START,
    ) -> bytes:
        """The octets of a grant for a terminal's public key."""
        acks = NamedKey(kid=format_kid(self.issuer, 2), key=encode_b64u(self.ack.public))
        grant = Grant(
            issuer=issuer,
            epoch=epoch,
            merchant=self.merchant_id,
            role="terminal",
            key=encode_b64u(public),
            nonce=new_nonce(),
            totals=totals or Totals.zero(),
            deadline_hours=24,
            policy=Policy(ask="tablet"),
            sealing_key=encode_b64u(self.sealing.public_key().public_bytes_raw()),
            central=(acks,),
            closes=closes,
            at=format_at(at),
        )
        return sign_grant(self.root, self.issuer, 1, grant)

    def acknowledge(
        self,
        batch_octets: bytes,
        *,
        head: Head,
        outcome: Outcome = "accepted",
        answers: Iterable[Answer] = (),
        at: datetime = START,
    ) -> bytes:
        """The octets of a signed acknowledgement of this batch, with a new nonce."""
        batch = decode_batch(decode_jws(batch_octets, Typ.BATCH).payload)
        ack = Ack(
            client_nonce=batch.client_nonce,
            issuer=batch.issuer,
            epoch=batch.epoch,
            head=head,
            now=format_at(at),
            nonce=new_nonce(),
            outcome=outcome,
            answers=tuple(answers),
            checkpoint=None,
        )
        return sign_ack(self.ack, self.issuer, 2, ack)


class EnrolledJournal:
    """A terminal's data folder, not locked, with its store and journal; closed by `close` or a with block."""

    store: Store
    journal: Journal

    def __init__(self, path: Path, clock: Clock, central: OfflineCentral) -> None:
        self.folder = DataFolder(path)
        self.clock = clock
        self.central = central
        self.open()

    def open(self) -> None:
        """Opens the store and resumes the journal."""
        self.store = open_store(self.folder, ballast_bytes=0, keep_backups=7)
        try:
            self.journal = Journal(self.store, self.clock, self.folder.keys)
        except BaseException:
            self.store.close()
            raise

    def reopen(self) -> None:
        """Everything as after a restart."""
        self.close()
        self.open()

    def begin_epoch(self, *, epoch: int = 1, issuer: str | None = None, totals: Totals | None = None) -> None:
        """Has a new key granted; an epoch after the first goes on with the issuer and totals of the caller."""
        key = self.journal.enrolment_key()
        octets = self.central.grant(
            key.public, issuer=issuer or new_issuer_id(), epoch=epoch, totals=totals, at=self.clock.now()
        )
        self.journal.enrol(key, octets, self.central.merchant, self.central.trust)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def enrolled_journal(path: Path, clock: Clock, central: OfflineCentral | None = None) -> EnrolledJournal:
    """A terminal in `path`, enrolled with a central of its own unless one is given; nothing in its ledger."""
    terminal = EnrolledJournal(path, clock, central or OfflineCentral())
    terminal.begin_epoch()
    return terminal


def ask(journal: Journal, *, till: str = "till-1", asks: bool = True) -> Appended:
    """A prompt, in a transaction of its own."""
    tag = encode_b64u(secrets.token_bytes(8))
    body = PromptBody(till=till, source="http", sale="counter", asks=asks, tag=tag)
    with journal.write() as writer:
        return writer.append(Kind.PROMPT, body)


def rate(journal: Journal, prompt: Appended | None, *, level: int = 5, comment: str = "") -> Appended:
    """A rating about the prompt, in a transaction of its own."""
    body = RatingBody(
        level=level,
        aspects=(),
        tags=(),
        channel="tablet",
        ended="done",
        dwell_ms=4_000,
        lang="zh",
        catalogue=CATALOGUE,
        claim=None,
    )
    with journal.write() as writer:
        return writer.append(Kind.RATING, body, about=_about(prompt), disclosures={"comment": comment})


def complain(journal: Journal, prompt: Appended | None, **disclosures: str) -> Appended:
    """A complaint, in a transaction of its own; its words, order, time and amount by name."""
    body = ComplaintBody(
        categories=("quality",),
        remedies=("refund",),
        channel="tablet",
        lang="zh",
        catalogue=CATALOGUE,
        claim=None,
        consents=(),
        notice=None,
        first="shop",
    )
    with journal.write() as writer:
        return writer.append(Kind.COMPLAINT, body, about=_about(prompt), disclosures=disclosures)


def _about(prompt: Appended | None) -> About:
    place: Place | None = None if prompt is None else prompt.place
    return About(prompt=place, case=None)
