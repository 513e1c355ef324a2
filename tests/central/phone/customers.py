"""Customers at a terminal and with their phones; also a shop that signs what it likes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from flask import Flask
from werkzeug.test import Client, TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.promises import sweep_promises
from merchant_agent.central.releases import make_releases
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Record, Release, Remark
from merchant_agent.evidence.bodies import Kind, PromptBody, RatingBody
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Anchor, Place
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.invitation import sign_invitation
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, decode_record, new_id
from merchant_agent.evidence.slip import Slip, claim_hash, new_claim, sign_slip
from tests.central.sender import CATALOGUE, Sender, Sent
from tests.clocks import ManualClock

HOUR_S = 3600


class Visitor:
    """Somebody who rates at the terminal; `claim` is what their slip carries behind #."""

    def __init__(self, central: Central, sender: Sender, clock: ManualClock) -> None:
        self.central = central
        self.sender = sender
        self.clock = clock
        self.claim = new_claim()
        self.uploaded = 0
        self._sequencer = Sequencer(central)

    def rate(self, prompt: Sent | None = None, level: int = 5, comment: str = "很好吃") -> Sent:
        """A rating as the terminal signs it, with the claim's hash; it stays on the terminal."""
        sender = self.sender
        sender.at = self.clock.now()
        body = RatingBody(
            level=level,
            aspects=(),
            tags=("taste_good",),
            channel="tablet",
            ended="done",
            dwell_ms=4_000,
            lang="zh",
            catalogue=CATALOGUE,
            claim=claim_hash(self.claim),
        )
        words = [make_disclosure("comment", comment)] if comment else []
        about = sender.about(prompt or sender.ask())
        return sender.append(Kind.RATING, body, about=about, disclosures=words)

    def slip(self, sent: Sent, level: int = 5, **changed: object) -> str:
        """The last part of the slip's address, honest unless told otherwise."""
        slip = Slip(
            place=Place(issuer=self.sender.issuer, epoch=1, seq=sent.seq),
            time=int(self.clock.now().timestamp()),
            level=level,
            complaint=False,
            contact=False,
            suggestion=False,
            deadline_hours=24,
            leaf=leaf_hash(sent.octets),
        )
        return encode_b64u(sign_slip(self.sender.key, replace(slip, **changed)))  # type: ignore[arg-type]

    def invitation(self, prompt: Sent, *, days: int = 14, tag: bytes | None = None) -> str:
        """The last part of an invitation's address, with the prompt's own tag unless told otherwise."""
        body = decode_record(decode_jws(prompt.octets, Typ.RECORD).payload).body
        own = decode_b64u(body.tag)  # type: ignore[union-attr]
        place = Place(issuer=self.sender.issuer, epoch=1, seq=prompt.seq)
        return encode_b64u(sign_invitation(self.sender.key, place, self.clock.now(), days, tag or own))

    def forget_newest(self) -> None:
        """The shop forgets its newest record, as if it had never been signed."""
        sender = self.sender
        sender.sent.pop()
        sender.chain = Chain.begin(sender.grant_octets, sender.grant)
        for sent in sender.sent:
            sender.chain.accept(sent.octets, sent.disclosures)

    def anchor_to_newest(self) -> None:
        """Another prompt, by a terminal that has verified the newest checkpoint."""
        with self.central.store.read() as reader:
            newest = newest_checkpoint(reader)
        assert newest is not None
        anchor = Anchor(size=newest.size, root=encode_b64u(newest.root), time=newest.time)
        sender = self.sender
        sender.at = self.clock.now()
        body = PromptBody(till="till-1", source="http", sale="counter", asks=True, tag=new_issuer_id())
        octets = append_record(
            sender.chain,
            sender.key,
            Kind.PROMPT,
            new_id(sender.at),
            sender.read(),
            ABOUT_NOTHING,
            body,
            anchor=anchor,
        )
        sender.chain.accept(octets)
        sender.keep(octets)

    def upload(self) -> None:
        """Brings what the terminal has to central."""
        if self.uploaded < len(self.sender.sent):
            ack = self.sender.upload_all(self.central, self.uploaded)
            assert ack.outcome == "accepted"
            self.uploaded = len(self.sender.sent)

    def pass_time(self, hours: float, *, log: bool = True) -> None:
        """Lets hours go by; the log lives in them unless told otherwise."""
        left_s = hours * HOUR_S
        while left_s > 0:
            step_s = min(left_s, 60 if hours < 1 else 240)
            self.clock.advance(step_s)
            left_s -= step_s
            if log:
                self._sequencer.run()

    def publish(self) -> None:
        """A checkpoint over all that waits."""
        self.clock.advance(1)
        self._sequencer.run()

    def sweep(self) -> list[str]:
        """What the chain says after a sweep: the codes of all findings so far."""
        sweep_promises(self.central)
        with self.central.store.read() as reader:
            rows = reader.all(Remark.select().where(Remark.kind == "finding").order_by(Remark.seq))
        return [row.code for row in rows]

    def release(self) -> Release:
        """The figures of the next morning."""
        self.clock.advance(24 * HOUR_S)
        make_releases(self.central)
        with self.central.store.read() as reader:
            found: Release | None = reader.first(Release.select().order_by(Release.day.desc()))
        assert found is not None
        return found

    def said(self, kind: Kind) -> list[object]:
        """The bodies of that kind in central's own chain."""
        with self.central.store.read() as reader:
            mine = Record.select().where(Record.issuer != self.sender.issuer).order_by(Record.seq)
            rows = [
                decode_record(decode_jws(bytes(row.octets), Typ.RECORD).payload) for row in reader.all(mine)
            ]
        return [record.body for record in rows if record.kind is kind]


class Phone:
    """A phone's browser without scripts; `remote` is its network address."""

    def __init__(self, app: Flask, *, lang: str = "zh", remote: str = "192.0.2.7") -> None:
        self._client: Client = app.test_client()
        self._client.set_cookie("lang", lang)
        self._remote = {"REMOTE_ADDR": remote}

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, environ_overrides=self._remote)

    def read(self, path: str) -> str:
        """The page's text; it must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.get_data(as_text=True)

    def post(self, page: str, path: str, **fields: object) -> TestResponse:
        """Sends a form that stands on `page`."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).get_data(as_text=True))
        assert token is not None, page
        data = {"csrf_token": token[1], **fields}
        headers = {"Origin": "http://localhost"}
        answer = self._client.post(path, data=data, headers=headers, environ_overrides=self._remote)
        # The client puts a large form into a file.
        answer.request.environ["wsgi.input"].close()
        return answer

    def open(self, slip: str, claim: bytes) -> TestResponse:
        """Types the claim on the slip's page."""
        return self.post(f"/s/{slip}", f"/s/{slip}/open", claim=encode_b64u(claim))


def later(clock: ManualClock, hours: float) -> int:
    """A moment from now, in unix seconds."""
    return int((clock.now() + timedelta(hours=hours)).timestamp())


def phone(central: Central, **parts: str) -> Phone:
    """A phone that knows no page yet."""
    return Phone(create_app(central), **parts)
