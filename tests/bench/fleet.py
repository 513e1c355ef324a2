"""Many terminals of many shops, as central sees them: enrolled over HTTP, each with a chain of its own."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import close_central, open_central
from merchant_agent.clock import SystemClock, format_at
from merchant_agent.demo.feed import Review
from merchant_agent.domain.merchants import Merchant
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.bodies import Body, Kind, PromptBody, RatingBody
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import encode_line, make_disclosure
from merchant_agent.evidence.enrolment import sign_enrolment
from merchant_agent.evidence.exchange import (
    Batch,
    Newest,
    decode_ack,
    digest_lines,
    encode_upload,
    sign_batch,
)
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import new_nonce, open_grant
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, About, new_id
from merchant_agent.evidence.trust import Trust
from merchant_agent.settings import CentralSettings

_WHO = "bench"
_CHECK_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_TIMEOUT_S = 60.0
_PROMPT = PromptBody(till="1", source="http", sale="counter", asks=True, tag=encode_b64u(bytes(8)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What central has for the fleet before it runs: a code for each terminal, and its root key."""

    codes: tuple[str, ...]
    trust: Trust


def prepare(settings: CentralSettings, count: int) -> Prepared:
    """Registers so many shops at a central that does not run, and makes each a code."""
    central = open_central(settings, SystemClock())
    try:
        merchants = [add_merchant(central, shop, who=_WHO) for shop in islice(_shops(), count)]
        codes = tuple(make_code(central, merchant, CodeKind.SCREEN, who=_WHO).code for merchant in merchants)
        return Prepared(codes=codes, trust=central.identity.trust())
    finally:
        close_central(central)


class Sender:
    """One enrolled terminal with one connection to central; `lines` are signed and wait to be sent."""

    def __init__(self, central: str, code: str, trust: Trust) -> None:
        parts = urlsplit(central)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_S)
        self._clock = SystemClock()
        self._key = SigningKey.generate()
        octets = self._enrol(code)
        grant = open_grant(octets, trust.root_keys())
        self._chain = Chain.begin(octets, grant)
        self._nonce = grant.nonce
        self._path = f"/api/v1/terminals/{grant.issuer}/records"
        self._links: list[str] = []
        self._sent = 0
        self.lines: list[bytes] = []

    @property
    def left(self) -> int:
        """Records that wait."""
        return len(self.lines) - self._sent

    def sign(self, reviews: Sequence[Review]) -> None:
        """A prompt and a rating for each customer."""
        for review in reviews:
            prompt = self._append(Kind.PROMPT, _PROMPT, ABOUT_NOTHING, ())
            rating = RatingBody(
                level=review.level,
                aspects=(),
                tags=(),
                channel="tablet",
                ended="done",
                dwell_ms=4000,
                lang="zh",
                catalogue="2026-1",
                claim=None,
            )
            words = (make_disclosure("comment", review.comment),) if review.comment else ()
            self._append(Kind.RATING, rating, About(prompt=prompt, case=None), words)

    def send(self, count: int) -> int:
        """Uploads the next records in one batch and takes central's answer; how many they were.

        Raises:
            RuntimeError: central did not accept them all.
        """
        first, last = self._sent, min(self._sent + count, len(self.lines)) - 1
        batch = self._batch(first, last)
        body = encode_upload(sign_batch(self._key, batch), self.lines[first : last + 1])
        packed = gzip.compress(body, mtime=0)
        digest = base64.b64encode(hashlib.sha256(packed).digest()).decode("ascii")
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Content-Digest": f"sha-256=:{digest}:",
        }
        status, answer = self._post(self._path, packed, headers)
        if status != http.client.OK:
            raise RuntimeError(f"central answered {status}: {answer[:300]!r}")
        ack = decode_ack(decode_jws(json.loads(answer)["ack"].encode("ascii"), Typ.ACK).payload)
        if ack.outcome != "accepted" or ack.answers or ack.head.seq != last:
            raise RuntimeError(f"central answered {ack.outcome} at {ack.head.seq} instead of {last}")
        self._nonce, self._sent = ack.nonce, last + 1
        return last + 1 - first

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _batch(self, first: int, last: int) -> Batch:
        reading = self._clock.read()
        return Batch(
            issuer=self._chain.issuer,
            epoch=self._chain.epoch,
            from_=first,
            to=last,
            newest=Newest(seq=len(self._links) - 1, link=self._links[-1]),
            lines=digest_lines(self.lines[first : last + 1]),
            nonce=self._nonce,
            client_nonce=new_nonce(),
            at=format_at(reading.at),
            boot=reading.boot,
            uptime_ms=reading.uptime_ms,
            checkpoint=None,
            software="bench",
        )

    def _append(self, kind: Kind, body: Body, about: About, disclosures: tuple[str, ...]) -> Place:
        chain, reading = self._chain, self._clock.read()
        octets = append_record(chain, self._key, kind, new_id(reading.at), reading, about, body, disclosures)
        # Not `accept`: the signature is central's to check, and here it is this process's own.
        assert chain.totals is not None
        chain.seq, chain.link, chain.totals = chain.seq + 1, link_of(octets), chain.totals.after(kind, body)
        self._links.append(chain.link)
        self.lines.append(encode_line(octets, disclosures))
        return Place(issuer=chain.issuer, epoch=chain.epoch, seq=chain.seq)

    def _enrol(self, code: str) -> bytes:
        claim = {
            "code": code,
            "key": encode_b64u(self._key.public),
            "signature": encode_b64u(sign_enrolment(self._key, code)),
        }
        status, answer = self._post(
            "/api/v1/enrolments", json.dumps(claim).encode(), {"Content-Type": "application/json"}
        )
        if status != http.client.CREATED:
            raise RuntimeError(f"central did not enrol: {status} {answer[:300]!r}")
        grant: str = json.loads(answer)["grant"]
        return grant.encode("ascii")

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _shops() -> Iterator[Merchant]:
    """Shops with credit codes whose last character fits."""
    for number in range(10**8):
        for letter in _CHECK_LETTERS:
            try:
                yield Merchant(
                    name=f"第 {number} 家公司",
                    credit_code=f"92990000{number:09d}{letter}",
                    address=f"测试路 {number} 号",
                    trade="catering",
                )
            except InvalidError:
                continue
            break
