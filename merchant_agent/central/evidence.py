"""The files that prove a record to others: itself as it was signed, and that it is in the log. Without words."""

from __future__ import annotations

from merchant_agent.central.log.proofs import inclusion_proof
from merchant_agent.central.services import Central
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import leaf_hash


def record_file(central: Central, merchant: str, place: Place) -> tuple[str, bytes]:
    """The record's query code and its octets.

    Raises:
        NotFoundError: "record".
    """
    said = _find(central, merchant, place)
    return said.query_code, said.octets


def proof_file(central: Central, merchant: str, place: Place) -> tuple[str, bytes]:
    """The record's query code and the proof that it is in the log.

    Raises:
        NotFoundError: "record"; "log" or "leaf", while no checkpoint holds it.
    """
    said = _find(central, merchant, place)
    return said.query_code, inclusion_proof(central, leaf_hash(said.octets))


def _find(central: Central, merchant: str, place: Place) -> Said:
    with central.store.read() as reader:
        said = find_record(reader, merchant, place)
    if said is None:
        raise NotFoundError("record", "nothing stands there")
    return said
