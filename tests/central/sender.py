"""The sending side of a terminal, as honest or as dishonest as a test wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.intake.enrolment import Enrolled, enrol
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.intake.standing import Answered
from merchant_agent.central.services import Central
from merchant_agent.clock import Reading, format_at
from merchant_agent.evidence.bodies import (
    AspectLevel,
    Body,
    ComplaintBody,
    Kind,
    LapseBody,
    LapseReason,
    PromptBody,
    RatingBody,
    SaleSource,
    SuggestionBody,
)
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import encode_line, make_disclosure
from merchant_agent.evidence.enrolment import sign_enrolment
from merchant_agent.evidence.epochs import (
    EpochReason,
    EpochRequest,
    sign_epoch_request,
    sign_possession,
)
from merchant_agent.evidence.exchange import (
    Ack,
    Batch,
    Newest,
    digest_lines,
    encode_upload,
    open_ack,
    sign_batch,
)
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import Grant, new_issuer_id, new_nonce, open_grant
from merchant_agent.evidence.jws import Typ, leaf_hash, link_of, sign_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import ABOUT_NOTHING, About, new_id
from merchant_agent.evidence.stub import Stub, sign_stub
from tests.clocks import START

CATALOGUE = "2026-1"
SOFTWARE = "merchant-agent 1.0.0"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A signed record, with the disclosures that travel with it."""

    seq: int
    octets: bytes
    disclosures: tuple[str, ...] = ()

    @property
    def line(self) -> bytes:
        return encode_line(self.octets, self.disclosures)

    @property
    def link(self) -> str:
        return link_of(self.octets)

    @property
    def query_code(self) -> str:
        return query_code(leaf_hash(self.octets))


class Sender:
    """A terminal's chain in memory; `central` granted its key."""

    def __init__(self, grant_octets: bytes, key: SigningKey, central: Central) -> None:
        self.key = key
        self.grant_octets = grant_octets
        self.central = central
        self.grant: Grant = open_grant(grant_octets, central.identity.trust().root_keys())
        self.chain = Chain.begin(grant_octets, self.grant)
        self.nonce = self.grant.nonce
        self.sent: list[Sent] = []
        self.at: datetime = START
        self._uptime_ms = 0

    @property
    def issuer(self) -> str:
        return self.grant.issuer

    @property
    def epoch(self) -> int:
        return self.grant.epoch

    def back_at(self, seq: int) -> Sender:
        """The same terminal as if what it signed from `seq` on had never been, as a restored backup is."""
        back = Sender(self.grant_octets, self.key, self.central)
        for record in self.sent[:seq]:
            back.chain.accept(record.octets, record.disclosures)
            back.keep(record.octets, record.disclosures)
        back.nonce = self.nonce
        return back

    def append(
        self, kind: Kind, body: Body, *, about: About = ABOUT_NOTHING, disclosures: Sequence[str] = ()
    ) -> Sent:
        """The next record, signed and accepted by the terminal's own chain."""
        octets = append_record(
            self.chain, self.key, kind, new_id(self.at), self.read(), about, body, disclosures
        )
        self.chain.accept(octets, disclosures)
        return self.keep(octets, disclosures)

    def keep(self, octets: bytes, disclosures: Iterable[str] = ()) -> Sent:
        """Takes octets for the next record, whatever they are."""
        record = Sent(seq=len(self.sent), octets=octets, disclosures=tuple(disclosures))
        self.sent.append(record)
        return record

    def forge(self, payload: bytes) -> bytes:
        """A record over any payload, signed by the terminal's key."""
        return sign_jws(self.key, Typ.RECORD, self.issuer, self.epoch, payload)

    def ask(self, *, source: SaleSource = "http", till: str = "till-1", asks: bool = True) -> Sent:
        body = PromptBody(till=till, source=source, sale="counter", asks=asks, tag=new_issuer_id())
        return self.append(Kind.PROMPT, body)

    def rate(
        self,
        prompt: Sent | None,
        level: int = 5,
        *,
        comment: str = "",
        dwell_ms: int = 4_000,
        aspects: tuple[AspectLevel, ...] = (),
        tags: tuple[str, ...] = ("tasty",),
    ) -> Sent:
        body = RatingBody(
            level=level,
            aspects=aspects,
            tags=tags,
            channel="tablet",
            ended="done",
            dwell_ms=dwell_ms,
            lang="zh",
            catalogue=CATALOGUE,
            claim=None,
        )
        words = [make_disclosure("comment", comment)] if comment else []
        return self.append(Kind.RATING, body, about=self.about(prompt), disclosures=words)

    def lapse(self, prompt: Sent, reason: LapseReason = "timed_out") -> Sent:
        return self.append(Kind.LAPSE, LapseBody(reason=reason), about=self.about(prompt))

    def suggest(self, comment: str) -> Sent:
        body = SuggestionBody(channel="tablet", lang="zh", catalogue=CATALOGUE, claim=None)
        return self.append(Kind.SUGGESTION, body, disclosures=[make_disclosure("comment", comment)])

    def complain(self, prompt: Sent | None = None, **disclosures: str) -> Sent:
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
        texts = [make_disclosure(name, value) for name, value in disclosures.items()]
        return self.append(Kind.COMPLAINT, body, about=self.about(prompt), disclosures=texts)

    def sell(self, count: int, level: int = 5) -> None:
        """So many prompts, each with its rating."""
        for _ in range(count):
            self.rate(self.ask(), level)

    def about(self, prompt: Sent | None) -> About:
        if prompt is None:
            return ABOUT_NOTHING
        return About(prompt=Place(issuer=self.issuer, epoch=self.epoch, seq=prompt.seq), case=None)

    def read(self) -> Reading:
        self._uptime_ms += 1
        return Reading(at=self.at, boot="AAAAAAAAAAA", uptime_ms=self._uptime_ms)

    def batch(
        self,
        first: int,
        last: int,
        *,
        lines: Sequence[bytes] | None = None,
        newest: Newest | None = None,
        nonce: str | None = None,
        clock_ahead: timedelta = timedelta(0),
        software: str = SOFTWARE,
        by: Sender | None = None,
    ) -> bytes:
        """The octets of a batch over these places, which commits to the newest record unless told otherwise.

        `by` is the same terminal in a later epoch, whose key signs.
        """
        head = Newest(seq=len(self.sent) - 1, link=self.sent[-1].link)
        signer = by or self
        return sign_batch(
            signer.key,
            Batch(
                issuer=self.issuer,
                epoch=self.epoch,
                from_=first,
                to=last,
                newest=newest or head,
                lines=digest_lines(lines if lines is not None else self.lines(first, last)),
                nonce=nonce or self.nonce,
                client_nonce=new_nonce(),
                at=format_at(self.at + clock_ahead),
                boot="AAAAAAAAAAA",
                uptime_ms=self._uptime_ms,
                checkpoint=None,
                software=software,
            ),
            signer.epoch,
        )

    def lines(self, first: int, last: int) -> list[bytes]:
        """What was sent of these places, as it travels."""
        return [record.line for record in self.sent[first : last + 1]]

    def body(self, first: int, last: int | None = None, *, by: Sender | None = None) -> bytes:
        """An honest upload of these places; up to the newest unless told otherwise."""
        end = len(self.sent) - 1 if last is None else last
        return encode_upload(self.batch(first, end, by=by), self.lines(first, end))

    def stub(self, seq: int, *, link: str | None = None, by: Sender | None = None) -> bytes:
        """What travels in place of the record there, which is too large."""
        link = link or self.sent[seq].link
        stub = Stub(issuer=self.issuer, epoch=self.epoch, seq=seq, link=link, reason="too_large")
        signer = by or self
        return sign_stub(signer.key, stub, signer.epoch)

    def request_epoch(self, new_key: SigningKey, reason: EpochReason = "planned") -> tuple[str, str]:
        """A request for `new_key` as it travels, and that key's signature over it."""
        request = EpochRequest(
            issuer=self.issuer,
            epoch=self.epoch,
            key=encode_b64u(new_key.public),
            reason=reason,
            newest=self.chain.head,
            client_nonce=new_nonce(),
            at=format_at(self.at),
            boot="AAAAAAAAAAA",
            uptime_ms=self._uptime_ms,
        )
        octets = sign_epoch_request(self.key, request)
        return octets.decode(), encode_b64u(sign_possession(new_key, octets))

    def next_epoch(self, reason: EpochReason = "planned") -> Sender:
        """The same terminal under another key, which central grants."""
        key = SigningKey.generate()
        granted = ask_epoch(self.central, self.issuer, *self.request_epoch(key, reason))
        assert isinstance(granted, Enrolled)
        return Sender(granted.grant, key, self.central)

    def upload(self, central: Central, body: bytes) -> Ack:
        """Central's answer, opened as a terminal opens it; its nonce is the next one's."""
        ack = self.open(accept_upload(central, self.issuer, body))
        self.nonce = ack.nonce
        return ack

    def upload_all(self, central: Central, first: int = 0) -> Ack:
        """Uploads from `first` to the newest."""
        return self.upload(central, self.body(first))

    def open(self, answered: Answered) -> Ack:
        ack = open_ack(answered.ack, self.grant.central_keys())
        assert ack.outcome == answered.outcome
        return ack


def enrol_sender(central: Central, merchant: str, key: SigningKey | None = None) -> Sender:
    """A terminal of the merchant, enrolled by a code on screen."""
    made = make_code(central, merchant, CodeKind.SCREEN, who="officer")
    key = key or SigningKey.generate()
    enrolled = enrol_with(central, made.code, key)
    assert isinstance(enrolled, Enrolled)
    return Sender(enrolled.grant, key, central)


def enrol_with(
    central: Central,
    code: str,
    key: SigningKey,
    *,
    remote: str = "192.0.2.1",
    continues: str | None = None,
) -> object:
    """What central answers to this code and key."""
    signature = encode_b64u(sign_enrolment(key, code, continues))
    public = encode_b64u(key.public)
    return enrol(central, code=code, key=public, signature=signature, remote=remote, continues=continues)


def changed(payload: dict[str, object], **members: object) -> bytes:
    """A record's payload with other members."""
    return encode_json({**payload, **members})
