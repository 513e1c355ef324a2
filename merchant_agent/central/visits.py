"""What was said at a visit: a terminal's records about one prompt, up to the one that a slip is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from merchant_agent.central.store.models import Complaint, Disclosure, Rating, Record, Suggestion
from merchant_agent.errors import StoreCorruptError, VerificationError
from merchant_agent.evidence import record as evidence
from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.slip import Slip
from merchant_agent.store.store import Reader

_SPOKEN = (RatingBody, SuggestionBody, ComplaintBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A rating, suggestion or complaint; `words` are its erasable members that still exist, by name."""

    record: evidence.Record
    octets: bytes
    words: Mapping[str, str]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.record.place

    @property
    def query_code(self) -> str:
        """The number that stands for it towards people."""
        return query_code(leaf_hash(self.octets))

    @property
    def claim(self) -> str | None:
        """The hash of the claim that the customer took along."""
        body = self.record.body
        return body.claim if isinstance(body, _SPOKEN) else None

    @property
    def is_erased(self) -> bool:
        """Whether it had words, and none is left."""
        return bool(self.record.sd) and not self.words

    @property
    def level(self) -> int:
        """A rating's level; 0 for the others."""
        body = self.record.body
        return body.level if isinstance(body, RatingBody) else 0


def find_record(reader: Reader, merchant: str, place: Place) -> Said | None:
    """The accepted record at that place; None where there is none.

    Raises:
        StoreCorruptError: what stands there cannot be read.
    """
    here = _at(Record, merchant, place)
    octets = reader.scalar(Record.select(Record.octets).where(here))
    if octets is None:
        return None
    rows = reader.all(Disclosure.select(Disclosure.octets).where(_at(Disclosure, merchant, place)).tuples())
    record = evidence.decode_record(decode_jws(bytes(octets), Typ.RECORD).payload)
    try:
        words = check_disclosures(record, [text for (text,) in rows])
    except VerificationError as error:
        raise StoreCorruptError(f"the words of {place}: {error}") from error
    return Said(record=record, octets=bytes(octets), words=words)


def find_visit(reader: Reader, merchant: str, last: Said) -> list[Said]:
    """What the same issuer signed about the same prompt up to `last`, which is the last of them."""
    prompt, place = last.record.about.prompt, last.place
    if prompt is None:
        return [last]
    seqs: set[int] = set()
    for table in (Rating, Suggestion, Complaint):
        about = (
            (table.merchant == merchant)
            & (table.prompt_issuer == prompt.issuer)
            & (table.prompt_epoch == prompt.epoch)
            & (table.prompt_seq == prompt.seq)
        )
        same = (table.issuer == place.issuer) & (table.epoch == place.epoch) & (table.seq < place.seq)
        seqs.update(seq for (seq,) in reader.all(table.select(table.seq).where(about & same).tuples()))
    places = [Place(issuer=place.issuer, epoch=place.epoch, seq=seq) for seq in sorted(seqs)]
    return [said for each in places if (said := find_record(reader, merchant, each))] + [last]


def agrees(slip: Slip, visit: Sequence[Said]) -> bool:
    """Whether the slip's flags say what was left at the visit; a contact only where its notice was shown.

    Source: PROTOCOL.md, rule V12.
    """
    bodies = [said.record.body for said in visit]
    if not isinstance(bodies[-1], _SPOKEN):
        return False
    complaints = [body for body in bodies if isinstance(body, ComplaintBody)]
    levels = [body.level for body in bodies if isinstance(body, RatingBody)]
    return (
        slip.level == (levels[-1] if levels else 0)
        and slip.complaint == bool(complaints)
        and slip.suggestion == any(isinstance(body, SuggestionBody) for body in bodies)
        and (not slip.contact or any(body.notice is not None for body in complaints))
    )


def _at(table: type[Record | Disclosure], merchant: str, place: Place) -> object:
    return (
        (table.merchant == merchant)
        & (table.issuer == place.issuer)
        & (table.epoch == place.epoch)
        & (table.seq == place.seq)
    )
