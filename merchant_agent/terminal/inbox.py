"""Reading what central says about this shop: fetched, verified, kept, and carried out where it asks for that.

Central's own chain about the shop begins with a grant that a trusted root key signed. Of each place
the answer has the record or, where it is not for the shop, its link; the last is always a record.
So nothing can be left out, exchanged or taken back: what does not join what is kept is
refused, and the shop is told. Beside it comes what is registered of the shop, which pages show:
nobody signs it, and what is no such thing changes nothing.

Source: PROTOCOL.md, "Inbox".
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from merchant_agent.errors import (
    FormatError,
    MerchantAgentError,
    NotFoundError,
    OnHoldError,
    StoreError,
    VerificationError,
)
from merchant_agent.evidence.bodies import EraseBody, FindingBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.octets import decode_b64u, decode_with
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.requests import sign_request
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.erasure import erase
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.inbox import (
    Told,
    keep_contradiction,
    keep_told,
    kept_grant,
    mark_done,
    resume_chain,
    to_do,
)
from merchant_agent.terminal.store.shop import read_shop
from merchant_agent.terminal.upload.client import Client, NoAnswer
from merchant_agent.terminal.upload.progress import load_progress

_log = logging.getLogger(__name__)

FINDING_ALARM = "finding"
INBOX_ALARM = "inbox-contradiction"

_OK = 200
_READ_EVERY_S = 60.0
_MOST_PAGES = 50
_LINK_CHARS = 43


class Seen(StrEnum):
    """What became of one look into the inbox.

    `refused`: what central answered contradicts what it said before, or is not its own word.
    """

    READ = "read"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; `records` are records and links, `merchant` is read apart from them."""

    grant: str | None
    records: Annotated[tuple[str, ...], Meta(max_length=1024)]
    next: int
    last: int
    merchant: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How far a look has come: the chain, None before central has begun one, and its grant."""

    grant: bytes | None
    chain: Chain | None

    @property
    def after(self) -> int:
        return -1 if self.chain is None else self.chain.seq


class _UnreachableError(Exception):
    """No page came."""


_PAGES: msgspec.json.Decoder[_Page] = msgspec.json.Decoder(_Page)


class Inbox:
    """Reads central's word over the uploads' own connection and in their thread."""

    def __init__(self, terminal: Terminal, client: Client) -> None:
        self._terminal = terminal
        self._client = client
        self._next_mono = -math.inf

    def look(self, base: str) -> Seen | None:
        """What became of a look at the central of address `base`; None where it is not time yet.

        Nothing is raised: whatever goes wrong is tried again the next time.
        """
        now_mono = self._terminal.clock.mono()
        if not base or self._client.closed or now_mono < self._next_mono:
            return None
        if not self._terminal.journal.enrolled:
            return None
        self._next_mono = now_mono + _READ_EVERY_S
        try:
            seen = self._read(base)
            carry_out(self._terminal)
        except (StoreError, OnHoldError) as error:
            _log.warning("inbox: %r", error)
            return Seen.UNREACHABLE
        return seen

    def _read(self, base: str) -> Seen:
        identity = self._terminal.journal.identity
        with self._terminal.store.read() as reader:
            grant = kept_grant(reader)
            chain = None if grant is None else resume_chain(reader, grant)
        reading = _Reading(grant=grant, chain=chain)
        try:
            for _ in range(_MOST_PAGES):
                page = self._ask(identity, base, reading.after)
                reading = self._take(identity, reading, page)
                if reading.after >= page.last:
                    break
        except _UnreachableError:
            return Seen.UNREACHABLE
        except (FormatError, VerificationError) as error:
            self._tell(error)
            return Seen.REFUSED
        self._settle()
        self._hear_of_shop(page.merchant)
        return Seen.READ

    def _ask(self, identity: Identity, base: str, after: int) -> _Page:
        with self._terminal.store.read() as reader:
            progress = load_progress(reader)
        if progress is None or progress.epoch != identity.epoch:
            raise _UnreachableError
        key, issuer = self._terminal.journal.key, identity.issuer
        signed = sign_request(key, "inbox", issuer, identity.epoch, progress.nonce, str(after))
        url = f"{base}/api/v1/terminals/{issuer}/inbox?after={after}"
        answer = self._client.get(url, {"Authorization": signed, "Accept": "application/json"})
        if isinstance(answer, NoAnswer) or answer.status != _OK:
            raise _UnreachableError
        try:
            return decode_with(_PAGES, answer.body)
        except FormatError as error:
            # A hotel's sign-in page says 200 too.
            raise _UnreachableError from error

    def _take(self, identity: Identity, before: _Reading, page: _Page) -> _Reading:
        """Verifies a page and keeps what it tells.

        Raises:
            FormatError: an entry is no entry.
            VerificationError: it is not central's word, or does not join what is kept.
        """
        if page.last < before.after:
            raise VerificationError("V14", f"central's chain ends at {page.last}", seq=before.after)
        if page.grant is None:
            return before
        grant = page.grant.encode("ascii", "replace")
        chain = before.chain or _begin(identity, grant)
        if before.grant not in {None, grant}:
            raise VerificationError("V11", "another grant than before")
        told = self._told(chain, page.records)
        if chain.seq != page.next or (page.last > chain.seq and not page.records):
            raise VerificationError("V4", f"the answer leaves out what comes before {page.next}")
        if told:
            with self._terminal.store.write() as writer:
                now = self._terminal.clock.now()
                keep_told(writer, grant, told, now)
                for detail in filter(None, map(_alarm_of, told)):
                    raise_alarm(writer, at=now, code=FINDING_ALARM, detail=detail)
        return replace(before, grant=grant, chain=chain)

    def _told(self, chain: Chain, entries: Sequence[str]) -> list[Told]:
        told: list[Told] = []
        for entry in entries:
            if len(entry) == _LINK_CHARS:
                decode_b64u(entry, length=32)
                chain.skip(entry)
                continue
            octets = entry.encode("ascii", "replace")
            jws = chain.open(octets)
            try:
                told.append(Told(record=chain.advance(jws), octets=octets))
            except VerificationError as error:
                self._keep_contradiction(octets, error.rule)
                raise
        return told

    def _hear_of_shop(self, told: object) -> None:
        """Keeps what is registered of the shop now; what is no shop, or another one, is passed over."""
        identity = self._terminal.journal.identity
        try:
            shop = read_shop(told)
        except FormatError as error:
            _log.warning("inbox: what central says of the shop cannot be used: %s", error)
            return
        if shop.id != identity.grant.merchant:
            _log.warning("inbox: central speaks of another shop, %s", shop.id)
        elif shop != identity.merchant:
            self._terminal.journal.change_shop(shop)
            self._terminal.nudges.nudge_all()
            _log.info("inbox: what is registered of the shop has changed")

    def _keep_contradiction(self, octets: bytes, rule: str) -> None:
        with self._terminal.store.write() as writer:
            keep_contradiction(writer, octets, rule, self._terminal.clock.now())

    def _tell(self, error: MerchantAgentError) -> None:
        _log.error("inbox: central's word is refused: %s", error)
        with self._terminal.store.write() as writer:
            raise_alarm(writer, at=self._terminal.clock.now(), code=INBOX_ALARM)

    def _settle(self) -> None:
        with self._terminal.store.write() as writer:
            clear_alarms(writer, at=self._terminal.clock.now(), code=INBOX_ALARM)


def carry_out(terminal: Terminal) -> int:
    """Erases here what central erased on a customer's request; how many records were worked off.

    Raises:
        OnHoldError: nothing may be signed at the moment; the rest is left for the next time.
        StoreError: likewise.
    """
    with terminal.store.read() as reader:
        waiting = to_do(reader)
    for told in waiting:
        body = told.record.body
        if isinstance(body, EraseBody) and _is_ours(terminal, body):
            try:
                erase(terminal, body.place, who="central", members=body.members)
            except NotFoundError:
                _log.info("inbox: what central erased is not here any more")
        with terminal.store.write() as writer:
            mark_done(writer, told.record.place)
    return len(waiting)


def _is_ours(terminal: Terminal, body: EraseBody) -> bool:
    """What is old goes by this terminal's own setting."""
    return body.place.issuer == terminal.journal.identity.issuer and body.reason == "request"


def _begin(identity: Identity, octets: bytes) -> Chain:
    """The empty chain of a grant to central itself, about this shop.

    Raises:
        VerificationError: it is none, or not signed by a trusted root key.
    """
    grant = open_grant(octets, identity.trust.root_keys())
    if grant.role != "central" or grant.merchant != identity.grant.merchant:
        raise VerificationError("V11", "a grant that is not central's own for this shop")
    return Chain.begin(octets, grant)


def _alarm_of(told: Told) -> str | None:
    """What an alarm names a finding by; None where there is nothing to explain."""
    body = told.record.body
    if not isinstance(body, FindingBody) or body.code == "late":
        return None
    return finding_name(body, told.record.seq)


def finding_name(body: FindingBody, seq: int) -> str:
    """The query code of what a finding is about, or else its number."""
    return f"#{seq}" if body.leaf is None else query_code(decode_b64u(body.leaf, length=32))
