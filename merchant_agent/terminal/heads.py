"""What central knows of this terminal: its head, and the records that this ledger lacks.

Only central's signed word counts. Source: PROTOCOL.md, "Central's head".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.epochs import HeadAnswer, open_head
from merchant_agent.evidence.fields import MAX_SEQ
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.octets import decode_with
from merchant_agent.evidence.requests import sign_request
from merchant_agent.evidence.stub import is_stub
from merchant_agent.store.store import Reader
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.comparing import compare_place
from merchant_agent.terminal.store.holds import Reason
from merchant_agent.terminal.store.identity import Identity, load_identities
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.upload.client import Answered, Client, NoAnswer
from merchant_agent.terminal.upload.progress import reopen, take_head

_log = logging.getLogger(__name__)

_OK = 200
# 256 KiB of lines, and the quotes and commas of their list.
_MOST_BYTES = 1 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody vouches for an answer; `detail` is for the log. `is_away` where none came at all."""

    detail: str
    is_away: bool


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    head: str


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    records: list[str]
    next: Annotated[int, Meta(ge=-1, le=MAX_SEQ)]


_HEADS: msgspec.json.Decoder[_Head] = msgspec.json.Decoder(_Head)
_PAGES: msgspec.json.Decoder[_Page] = msgspec.json.Decoder(_Page)


def ask_head(terminal: Terminal, client: Client, base: str) -> HeadAnswer | Unknown:
    """How far the central of address `base` knows the epoch in force.

    Raises:
        OnHoldError: "key", it cannot be asked without one.
    """
    identity, key = terminal.journal.identity, terminal.journal.key
    nonce = new_nonce()
    signed = sign_request(key, "head", identity.issuer, identity.epoch, nonce, "")
    url = f"{base}/api/v1/terminals/{identity.issuer}/head?nonce={nonce}"
    answer = client.get(url, {"Authorization": signed})
    if isinstance(answer, NoAnswer):
        return Unknown(detail=answer.detail, is_away=True)
    if answer.status != _OK:
        return Unknown(detail=f"HTTP {answer.status}", is_away=False)
    try:
        told = decode_with(_HEADS, answer.body)
        head = open_head(told.head.encode(), identity.grant.central_keys())
    except (FormatError, VerificationError) as error:
        return Unknown(detail=str(error), is_away=False)
    if (head.client_nonce, head.issuer, head.epoch) != (nonce, identity.issuer, identity.epoch):
        return Unknown(detail="the head is an answer to somebody else", is_away=False)
    return head


def judge_head(terminal: Terminal, answer: HeadAnswer) -> Reason | None:
    """The hold that central's head calls for; None where this ledger has all that central knows of.

    Raises:
        StoreError: the database cannot be read.
    """
    if answer.state == "frozen":
        return "frozen"
    if answer.newest_epoch > answer.epoch:
        return "restored"
    head, own = answer.head, terminal.journal.head
    if own is not None and answer.claimed > own.seq:
        return "restored"
    if terminal.journal.compare(head.epoch, head.seq, head.link) != "known":
        return "restored"
    return "epoch" if answer.state == "revoked" else None


def take_back_lacking(terminal: Terminal, client: Client, base: str, answer: HeadAnswer) -> Unknown | None:
    """Fetches what central has and this ledger lacks, of all epochs; None once all that can be is here.

    What central keeps there otherwise than it was signed, or has only a stub of, ends what can be.

    Raises:
        OnHoldError: "key".
        StoreError: it could not be stored; what was taken before stays.
    """
    with terminal.store.read() as reader:
        identities = load_identities(reader)
    for identity in identities:
        missed = _take_back_epoch(terminal, client, base, answer.nonce, identity)
        if missed is not None:
            return missed
    with terminal.store.write() as writer:
        head = answer.head
        if compare_place(writer, head.epoch, head.seq, head.link) == "known":
            take_head(writer, head, answer.nonce)
    return None


def lacking_epochs(reader: Reader) -> tuple[Identity, ...]:
    """The epochs that are over of which this ledger lacks what central had when it granted the next one.

    Whoever enrolled with a code, since the key was lost, could not ask for it before.
    """
    identities = load_identities(reader)
    closed = {
        each.grant.closes.epoch: each.grant.closes for each in identities if each.grant.closes is not None
    }
    return tuple(
        each
        for each in identities[:-1]
        if (head := closed.get(each.epoch)) is not None
        and compare_place(reader, head.epoch, head.seq, head.link) != "known"
    )


def complete(terminal: Terminal, client: Client, base: str, lacking: Iterable[Identity]) -> Unknown | None:
    """Fetches what central has of those epochs with the key in force; None once all that can be is here.

    Raises:
        OnHoldError: "key".
        StoreError: it could not be stored; what was taken before stays.
    """
    answer = ask_head(terminal, client, base)
    if isinstance(answer, Unknown):
        return answer
    for identity in lacking:
        missed = _take_back_epoch(terminal, client, base, answer.nonce, identity)
        if missed is not None:
            return missed
        with terminal.store.write() as writer:
            reopen(writer, identity.epoch, terminal.clock.now())
    return None


def _take_back_epoch(
    terminal: Terminal, client: Client, base: str, nonce: str, identity: Identity
) -> Unknown | None:
    while True:
        with terminal.store.read() as reader:
            newest = newest_record(reader, identity.epoch)
        after = -1 if newest is None else newest.seq
        page = _ask_records(terminal, client, base, nonce, identity.epoch, after)
        if isinstance(page, Unknown):
            return page
        lines = [_split(line) for line in page]
        if not lines or not _take_back_page(terminal, identity, lines):
            return None


def _ask_records(  # noqa: PLR0913, PLR0917 -- what is asked, of whom
    terminal: Terminal, client: Client, base: str, nonce: str, epoch: int, after: int
) -> list[str] | Unknown:
    issuer = terminal.journal.identity.issuer
    signed = sign_request(
        terminal.journal.key, "records", issuer, terminal.journal.identity.epoch, nonce, f"{epoch}.{after}"
    )
    url = f"{base}/api/v1/terminals/{issuer}/records?epoch={epoch}&after={after}"
    answer = client.get(url, {"Authorization": signed}, max_bytes=_MOST_BYTES)
    if isinstance(answer, Answered) and answer.status == _OK:
        try:
            return decode_with(_PAGES, answer.body).records
        except FormatError as error:
            return Unknown(detail=str(error), is_away=False)
    if isinstance(answer, Answered):
        return Unknown(detail=f"HTTP {answer.status}", is_away=False)
    return Unknown(detail=answer.detail, is_away=True)


def _take_back_page(
    terminal: Terminal, identity: Identity, lines: Sequence[tuple[bytes, Sequence[str]]]
) -> bool:
    """Whether the whole page stands here now."""
    try:
        terminal.journal.take_back(identity, lines)
    except (FormatError, VerificationError):
        return all(_take_back_one(terminal, identity, *line) for line in lines)
    return True


def _take_back_one(terminal: Terminal, identity: Identity, octets: bytes, words: Sequence[str]) -> bool:
    """Without its words where they are no longer those that it was signed with."""
    for disclosures in (words, ()):
        try:
            terminal.journal.take_back(identity, [(octets, disclosures)])
        except (FormatError, VerificationError) as error:
            if isinstance(error, VerificationError) and error.rule != "V10":
                what = "a stub" if is_stub(octets) else str(error)
                _log.warning("epoch %s cannot be taken back further: %s", identity.epoch, what)
                return False
        else:
            return True
    return False


def _split(line: str) -> tuple[bytes, Sequence[str]]:
    """Octets and disclosures of a record as it travels."""
    octets, *disclosures = line.rstrip("~").split("~")
    return octets.encode("latin-1", "replace"), disclosures
