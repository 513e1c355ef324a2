"""What a customer is thanked with: the query code and the slip, or central's page while none can be signed."""

from __future__ import annotations

from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.evidence.slip import slip_url
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.said import Thanks
from merchant_agent.terminal.services import Terminal, central_address
from merchant_agent.terminal.store.appending import Appended
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.slips import slip_at


def thanks_for(terminal: Terminal, appended: Appended | None) -> Thanks:
    """For what was signed now, None where it was kept; to be said once its transaction is committed."""
    if appended is None:
        return _kept_thanks(terminal, created=True, as_sent=True)
    return _thanks(terminal, appended.record, appended.leaf, appended.slip, created=True, as_sent=True)


def kept_again(terminal: Terminal, *, as_sent: bool) -> Thanks:
    """For what was kept before and is not signed yet."""
    return _kept_thanks(terminal, created=False, as_sent=as_sent)


def thanks_again(terminal: Terminal, reader: Reader, epoch: int, seq: int, *, as_sent: bool) -> Thanks:
    """For what was signed before, the same slip with it.

    Raises:
        NotFoundError: "record", when it was archived.
    """
    entry = find_entry(reader, epoch, seq)
    if entry is None:
        raise NotFoundError("record", "the record is not here any more")
    record = decode_record(decode_jws(entry.octets, Typ.RECORD).payload)
    slip = slip_at(reader, epoch, seq)
    return _thanks(terminal, record, leaf_hash(entry.octets), slip, created=False, as_sent=as_sent)


def _thanks(  # noqa: PLR0913 -- thanks have these parts
    terminal: Terminal, record: Record, leaf: bytes, slip: bytes | None, *, created: bool, as_sent: bool
) -> Thanks:
    body, address = record.body, central_address(terminal)
    return Thanks(
        query_code=query_code(leaf),
        place=record.place,
        slip_url=slip_url(address, slip) if address and slip is not None else None,
        page_url=None,
        claim=body.claim if isinstance(body, RatingBody | SuggestionBody | ComplaintBody) else None,
        created=created,
        as_sent=as_sent,
    )


def _kept_thanks(terminal: Terminal, *, created: bool, as_sent: bool) -> Thanks:
    return Thanks(
        query_code="",
        place=None,
        slip_url=None,
        page_url=shop_page(terminal),
        claim=None,
        created=created,
        as_sent=as_sent,
    )


def shop_page(terminal: Terminal) -> str | None:
    """Central's own page about this shop, where people can say what they have to say; None while unknown."""
    address = central_address(terminal)
    return f"{address}/p/{terminal.journal.identity.grant.merchant}" if address else None
