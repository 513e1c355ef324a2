"""What signs the records of an epoch, and the chain that goes on from the newest one stored."""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.clock import Reading
from merchant_agent.errors import FormatError, StoreCorruptError, VerificationError
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Head, Place, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws, link_of, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.record import decode_record
from merchant_agent.store.store import Reader
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.slips import SlipSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An epoch and what signs for it; `verifying` checks what that key signed.

    `key` and `slips` are None where the private key cannot be used.
    """

    identity: Identity
    verifying: VerifyingKey
    key: SigningKey | None
    slips: SlipSigner | None


def make_signer(identity: Identity, key: SigningKey | None) -> Signer:
    """The signer of the identity's epoch.

    Raises:
        VerificationError: V3 where the grant's key is weak.
    """
    verifying = identity.grant.verifying_key()
    slips = None
    if key is not None:
        slips = SlipSigner(key=key, verifying=verifying, deadline_hours=identity.grant.deadline_hours)
    return Signer(identity=identity, verifying=verifying, key=key, slips=slips)


def resume_chain(reader: Reader, signer: Signer) -> tuple[Chain, Reading | None]:
    """The chain at its newest stored record, whose signature and link are checked once more, and its clocks.

    Raises:
        StoreCorruptError: it is not what this terminal signed.
    """
    identity = signer.identity
    newest = newest_record(reader, identity.epoch)
    if newest is None:
        return Chain.begin(identity.grant_octets, identity.grant), None
    try:
        jws = decode_jws(newest.octets, Typ.RECORD)
        verify_jws(jws, signer.verifying)
        record = decode_record(jws.payload)
    except (FormatError, VerificationError) as error:
        raise StoreCorruptError(f"the newest record, seq {newest.seq}: {error}") from error
    link = link_of(newest.octets)
    place = Place(issuer=identity.issuer, epoch=newest.epoch, seq=newest.seq)
    if record.place != place or link != newest.link:
        raise StoreCorruptError(f"the newest record, seq {newest.seq}, stands at another place")
    head = Head(epoch=newest.epoch, seq=newest.seq, link=link)
    chain = Chain.resume(
        identity.issuer,
        identity.epoch,
        signer.verifying,
        head,
        record.totals,
        role=identity.grant.role,
        anchor=record.anchor,
    )
    return chain, Reading(at=parse_at(record.at), boot=record.boot, uptime_ms=record.uptime_ms)


def copy_chain(chain: Chain, signer: Signer) -> Chain:
    """The chain as it is now, which goes on by itself."""
    return Chain.resume(
        chain.issuer,
        chain.epoch,
        signer.verifying,
        chain.head,
        chain.totals,
        role=chain.role,
        anchor=chain.anchor,
    )
