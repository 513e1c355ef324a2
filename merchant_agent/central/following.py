"""A complaint as its customer follows it: what was said and added since, and who looked at what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.complaints import MOST_ADDITIONS, added_to
from merchant_agent.central.matters import NOT_REACHED, calls_about
from merchant_agent.central.photos import count_photos
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Addition, Record
from merchant_agent.central.visits import Said, find_record
from merchant_agent.errors import FormatError, InvalidError, NotFoundError
from merchant_agent.evidence.bodies import AdditionBody, ComplaintBody, Consent
from merchant_agent.evidence.crockford import read_values, values_of, write_values
from merchant_agent.evidence.fields import Place, parse_at
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.evidence.slip import CLAIM_BYTES, claim_hash
from merchant_agent.store.credentials import find_audited
from merchant_agent.store.store import Reader

_KEY_CHARACTERS = 16
_LOOKS = ("complaint-looked-at", "contact-looked-at", "photos-looked-at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The complaint itself, or something that was added to it, as far as it still exists.

    `at` is when the issuer says that it was signed. `photos` counts those that are kept; `consents` are who may call the number in it, None without one.
    """

    said: Said
    at: datetime
    received_at: datetime
    photos: int
    consents: tuple[Consent, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An officer opened something or called.

    `what` is `complaint` (sealed for the station), `contact`, `photos`, `missed` or `reached`.
    """

    at: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A complaint and everything since, oldest first."""

    complaint: Part
    added: tuple[Part, ...]
    looks: tuple[Look, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The complaint, then what was added."""
        return (self.complaint, *self.added)

    @property
    def may_add(self) -> bool:
        """Whether the case takes more."""
        return len(self.added) < MOST_ADDITIONS

    @property
    def callers(self) -> frozenset[Consent]:
        """Who may call the customer, on any number that is kept."""
        return frozenset(who for part in self.parts for who in part.consents or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A complaint that a phone made, found by its query code."""

    merchant: str
    complaint: Said

    def is_claimed_by(self, claim: str) -> bool:
        """Whether this is the claim that its customer took along."""
        try:
            hashed = claim_hash(decode_b64u(claim, length=CLAIM_BYTES))
        except FormatError:
            return False
        return self.complaint.claim == hashed


def write_key(claim: str) -> str:
    """A claim as people copy it by hand: 16 Crockford characters in groups of four.

    Raises:
        FormatError: it is no claim.
    """
    number = int.from_bytes(decode_b64u(claim, length=CLAIM_BYTES))
    text = write_values(values_of(number, _KEY_CHARACTERS))
    return "-".join(text[start : start + 4] for start in range(0, _KEY_CHARACTERS, 4))


def read_key(text: str) -> str:
    """The claim that `write_key` wrote, in any case and grouping.

    Raises:
        FormatError: another length or character.
    """
    number = 0
    for value in read_values(text, _KEY_CHARACTERS):
        number = number << 5 | value
    return encode_b64u(number.to_bytes(CLAIM_BYTES))


def find_case(central: Central, code: str) -> Case:
    """The complaint that a phone made under this query code.

    Raises:
        InvalidError: "query-code".
        NotFoundError: "case".
    """
    wanted = parse_query_code(code)
    with central.store.read() as reader:
        for row in reader.all(Record.select().where(Record.query_code == wanted)):
            place = Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)
            said = find_record(reader, row.merchant, place)
            if said is not None and _is_phones(said):
                return Case(merchant=row.merchant, complaint=said)
    raise NotFoundError("case", "no complaint of a phone has this code")


def read_course(reader: Reader, merchant: str, complaint: Said, visit: Sequence[Said] = ()) -> Course:
    """Where the complaint stands; `visit` is everything that was said with it, where the station may call about it."""
    rows = reader.all(Addition.select().where(added_to(merchant, complaint)).order_by(Addition.seq))
    places = [Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq) for row in rows]
    added = [said for place in places if (said := find_record(reader, merchant, place)) is not None]
    parts = [_part(reader, merchant, said) for said in (complaint, *added)]
    looks = [*_looks(reader, merchant, parts), *_calls(reader, merchant, visit)]
    return Course(
        complaint=parts[0], added=tuple(parts[1:]), looks=tuple(sorted(looks, key=lambda look: look.at))
    )


def find_part(course: Course, number: int) -> Part:
    """The complaint for 0, then what was added, in order.

    Raises:
        NotFoundError: "part".
    """
    parts = course.parts
    if not 0 <= number < len(parts):
        raise NotFoundError("part", "the case has no such part")
    return parts[number]


def complaint_of(visit: tuple[Said, ...]) -> Said | None:
    """The visit's complaint; None where it has none."""
    made = [said for said in visit if isinstance(said.record.body, ComplaintBody)]
    return made[-1] if made else None


def require_complaint(visit: tuple[Said, ...]) -> Said:
    """The visit's complaint.

    Raises:
        InvalidError: "complaint", where it has none.
    """
    complaint = complaint_of(visit)
    if complaint is None:
        raise InvalidError("complaint", "nothing was complained of at this visit")
    return complaint


def _part(reader: Reader, merchant: str, said: Said) -> Part:
    place, body = said.place, said.record.body
    here = (
        (Record.merchant == merchant)
        & (Record.issuer == place.issuer)
        & (Record.epoch == place.epoch)
        & (Record.seq == place.seq)
    )
    ((received_at,),) = reader.all(Record.select(Record.received_at).where(here).tuples())
    consents = body.consents if isinstance(body, ComplaintBody | AdditionBody) else None
    return Part(
        said=said,
        at=parse_at(said.record.at),
        received_at=received_at,
        photos=count_photos(reader, merchant, place),
        consents=consents if "contact" in said.words else None,
    )


def _looks(reader: Reader, merchant: str, parts: list[Part]) -> list[Look]:
    details = [
        f"{merchant} {place.issuer}.{place.epoch} {place.seq}"
        for place in (part.said.place for part in parts)
    ]
    return [Look(at=row.at, what=row.what.partition("-")[0]) for row in find_audited(reader, _LOOKS, details)]


def _calls(reader: Reader, merchant: str, visit: Sequence[Said]) -> list[Look]:
    """The station's calls about what one issuer signed."""
    if not visit:
        return []
    seqs = [said.place.seq for said in visit]
    rows = calls_about(reader, merchant, visit[-1].place, seqs)
    return [Look(at=row.at, what="missed" if row.outcome == NOT_REACHED else "reached") for row in rows]


def _is_phones(said: Said) -> bool:
    body = said.record.body
    return isinstance(body, ComplaintBody) and body.channel == "phone"
