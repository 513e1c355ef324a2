"""Checks an exported ZIP file of a rating terminal against every rule, by itself.

    python verify.py EXPORT.zip --trust TRUST_FILE_OF_THE_BUREAU

Needs Python 3.11 and the package `cryptography`, nothing else. It follows
the specification, PROTOCOL.md, and shares no code with the program whose exports it checks; it must
come to the same verdict. Exit codes: 0 no rule is violated (findings are listed); 1 a rule is
violated, each with its first place; 2 a file cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
Pair = tuple[int, int]
"""Epoch and seq."""

MAX_EPOCH, MAX_SEQ, MAX_INTEGER = 2**16 - 1, 2**32 - 1, 2**53
NEVER: Pair = (MAX_EPOCH + 1, 0)
MAX_PAYLOAD, MAX_JWS, MAX_LINE, MAX_FILE, MAX_KEY_SET = 16_384, 22_200, 32_768, 1 << 18, 1 << 20
SPOKEN = ("rating", "suggestion", "complaint")


class Unreadable(Exception):  # noqa: N818 -- the end of it, not an error of ours
    """A file cannot be read, so that nothing can be said about the rules."""


class Broken(Exception):  # noqa: N818 -- as above
    """What was read breaks a rule."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


# How bytes and values are written (PROTOCOL.md, "Octets")


def b64u(octets: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def unb64u(text: str | bytes) -> bytes:
    """The bytes whose one base64url text this is; ValueError otherwise."""
    ascii_text = text.encode("ascii") if isinstance(text, str) else text
    octets = base64.urlsafe_b64decode(ascii_text + b"=" * (-len(ascii_text) % 4))
    if b64u(octets).encode() != ascii_text:
        raise ValueError("not the one base64url")
    return octets


def unb64(text: str) -> bytes:
    """The bytes whose one base64 text, with padding, this is; ValueError otherwise."""
    octets = base64.b64decode(text, validate=True)
    if base64.b64encode(octets).decode("ascii") != text:
        raise ValueError("not the one base64")
    return octets


def sha256(*parts: bytes) -> bytes:
    """SHA-256 over all parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def require(holds: object, detail: str) -> None:
    """ValueError where it does not hold."""
    if not holds:
        raise ValueError(detail)


def refuse_number(text: str) -> NoReturn:
    """No fraction, exponent or NaN is allowed."""
    raise ValueError(f"{text[:40]} is no integer")


def read_json(octets: bytes) -> object:
    """Any JSON value without fractions; ValueError otherwise."""
    try:
        return json.loads(octets.decode("utf-8"), parse_float=refuse_number, parse_constant=refuse_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def in_order(value: object, form: Json) -> Any:  # noqa: ANN401 -- any JSON value
    """An object of other people's hands with exactly these members, in their order; else None."""
    if not isinstance(value, dict) or set(value) != set(form):
        return None
    return {member: value[member] for member in form}


def read_one(octets: bytes, form: object) -> Any:  # noqa: ANN401 -- as the form has it
    """The value of this form whose one encoding these octets are; ValueError otherwise."""
    value = read_json(octets)
    if json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() != octets:
        raise ValueError("not the one encoding")
    if not fits(value, form):
        raise ValueError("not as specified")
    return value


# The grammar (PROTOCOL.md, "Types", "Record", "Bodies", "Grant", "Upload")


@dataclass(frozen=True)
class Maybe:
    """A value of the form, or null."""

    form: object


@dataclass(frozen=True)
class Many:
    """An array of so many values of one form."""

    form: object
    most: int
    least: int = 0


@dataclass(frozen=True)
class Row:
    """An array of exactly these forms."""

    forms: tuple[object, ...]


def fits(value: object, form: object) -> bool:  # noqa: PLR0911 -- one case for each form
    """Whether a JSON value is of a form: members in their order, all of them and none besides."""
    match form:
        case dict():
            return (
                isinstance(value, dict)
                and list(value) == list(form)
                and all(fits(value[name], member) for name, member in form.items())
            )
        case re.Pattern():
            return isinstance(value, str) and form.fullmatch(value) is not None
        case range():
            return type(value) is int and value in form
        case frozenset():
            return isinstance(value, str) and value in form
        case Maybe():
            return value is None or fits(value, form.form)
        case Many():
            return (
                isinstance(value, list)
                and form.least <= len(value) <= form.most
                and all(fits(item, form.form) for item in value)
            )
        case Row():
            return (
                isinstance(value, list)
                and len(value) == len(form.forms)
                and all(map(fits, value, form.forms))
            )
        case _:
            return type(value) is form


def words(text: str) -> frozenset[str]:
    """One of these."""
    return frozenset(text.split())


ID8 = re.compile(r"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]")
OCTETS16 = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")
OCTETS32 = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
KID = re.compile(r"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]\.[1-9][0-9]{0,4}")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
LABEL = re.compile(r".{0,64}", re.DOTALL)
WORD = re.compile(r".{1,24}", re.DOTALL)
DAY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
RULE = re.compile(r"V(1[0-6]|[1-9])")
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"
    r"(?!-00:00)[+-]([01][0-9]|2[0-3]):[0-5][0-9]"
)
HASH = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
PHOTOS = re.compile(f"{HASH}( {HASH}){{0,2}}")
SEALED_BYTES = {"contact": range(49, 561), "sealed": range(1072, 8241, 1024)}
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})? [A-Z]{3}")
EPOCH, SEQ, COUNT, LEVEL = range(1, MAX_EPOCH + 1), range(MAX_SEQ + 1), range(MAX_INTEGER + 1), range(1, 6)
SIZE = range(1, MAX_INTEGER + 1)
CODES = Many(CODE, 32)
PLACE = {"issuer": ID8, "epoch": EPOCH, "seq": SEQ}
HEAD = {"epoch": EPOCH, "seq": range(-1, MAX_SEQ + 1), "link": OCTETS32}
LOG_HEAD = {"size": SIZE, "root": OCTETS32}
NAMED_KEY = {"kid": KID, "key": OCTETS32}
TOTALS = {
    "prompts": COUNT,
    "lapses": COUNT,
    "ratings": Many(COUNT, 5, 5),
    "suggestions": COUNT,
    "complaints": COUNT,
    "returns": COUNT,
}
CHANNEL = words("tablet phone")
PAPER_SORT = words("order total kitchen pre_bill reprint refund shift delivery")
OUTAGE = words("key epoch damage restored behind frozen")
CONSENTS = Many(words("authority shop"), 2)
SAID = {"channel": CHANNEL, "lang": CODE, "catalogue": CODE, "claim": Maybe(OCTETS32)}
BODIES: dict[str, Json] = {
    "prompt": {
        "till": LABEL,
        "source": words("http printer folder odoo manual"),
        "sale": words("counter table takeaway delivery"),
        "asks": bool,
        "tag": ID8,
    },
    "lapse": {"reason": words("declined timed_out next_sale withdrawn")},
    "rating": {
        "level": LEVEL,
        "aspects": Many({"aspect": CODE, "level": LEVEL}, 16),
        "tags": CODES,
        "channel": CHANNEL,
        "ended": words("done left idle recovered"),
        "dwell_ms": COUNT,
        "lang": CODE,
        "catalogue": CODE,
        "claim": Maybe(OCTETS32),
    },
    "suggestion": SAID,
    "complaint": {
        "categories": CODES,
        "remedies": CODES,
        **SAID,
        "consents": CONSENTS,
        "notice": Maybe(CODE),
        "first": words("shop station"),
    },
    "reply": {"to": PLACE},
    "start": {"software": LABEL, "clean": bool},
    "heartbeat": {"waiting": COUNT},
    "day_close": {"day": DAY, "prompts": COUNT, "sales": Maybe(COUNT)},
    "clock": {"wall_ms": range(-MAX_INTEGER, MAX_INTEGER + 1), "boot_ms": Maybe(COUNT)},
    "settings": {
        "opening": Many({"weekday": range(1, 8), "from": HOUR, "to": HOUR}, 21),
        "closures": Many({"first": DAY, "last": DAY}, 60),
        "words": Many({"sort": PAPER_SORT, "word": WORD}, 128),
    },
    "rotate": {"reason": words("planned suspected")},
    "outage": {"reason": OUTAGE, "since": TIME, "kept": COUNT},
    "recover": {"reason": OUTAGE},
    "erase": {"place": PLACE, "members": Many(CODE, 32, 1), "reason": words("request retention")},
    "end": {"reason": words("closed replaced")},
    "supersede": {"place": PLACE, "level": LEVEL, "confirmed": words("phone call_back")},
    "dispute": {"place": PLACE, "contested": bool},
    "confirm": {"place": PLACE, "by": words("counter phone call_back")},
    "addition": {"place": PLACE, "lang": CODE, "consents": CONSENTS, "notice": Maybe(CODE)},
    "finding": {
        "code": words("broken_promise conflict late disputed split_view silent"),
        "place": Maybe(PLACE),
        "leaf": Maybe(OCTETS32),
        "due_at": Maybe(TIME),
    },
    "revoke": {"issuer": ID8, "epoch": EPOCH, "through": Maybe(SEQ)},
}
SIGNED_BY_CENTRAL_ALONE = words("supersede dispute confirm addition finding revoke")
SIGNED_BY_BOTH = frozenset(SPOKEN) | {"erase"}
ABOUT_NO_PROMPT = words("prompt start heartbeat day_close clock settings rotate outage recover end revoke")
SEALED_WHOLE = words("sealed")
ERASABLE = {kind: frozenset[str]() for kind in BODIES} | {
    "rating": words("comment"),
    "suggestion": words("comment"),
    "complaint": words("comment contact photos order occurred_at amount"),
    "addition": words("comment contact photos"),
    "reply": words("comment"),
}
RECORDS_OF = {
    kind: {
        "issuer": ID8,
        "epoch": EPOCH,
        "seq": SEQ,
        "prev": OCTETS32,
        "kind": frozenset({kind}),
        "id": UUID7,
        "at": TIME,
        "boot": ID8,
        "uptime_ms": COUNT,
        "anchor": Maybe({**LOG_HEAD, "time": COUNT}),
        "totals": TOTALS,
        "about": {"prompt": Maybe(PLACE), "case": Maybe(UUID7)},
        "body": body,
        "_sd": Many(OCTETS32, len(ERASABLE[kind])),
        "_sd_alg": words("sha-256"),
    }
    for kind, body in BODIES.items()
}
GRANT = {
    "issuer": ID8,
    "epoch": EPOCH,
    "merchant": ID8,
    "role": words("terminal central"),
    "key": OCTETS32,
    "nonce": OCTETS16,
    "totals": TOTALS,
    "deadline_hours": range(1, 256),
    "policy": {"ask": words("tablet receipt")},
    "sealing_key": OCTETS32,
    "central": Many(NAMED_KEY, 16, 1),
    "closes": Maybe(HEAD),
    "at": TIME,
}
BATCH = {
    "issuer": ID8,
    "epoch": EPOCH,
    "from": SEQ,
    "to": SEQ,
    "newest": {"seq": SEQ, "link": OCTETS32},
    "lines": OCTETS32,
    "nonce": OCTETS16,
    "client_nonce": OCTETS16,
    "at": TIME,
    "boot": ID8,
    "uptime_ms": COUNT,
    "checkpoint": Maybe(LOG_HEAD),
    "software": LABEL,
}
ACK = {
    "client_nonce": OCTETS16,
    "issuer": ID8,
    "epoch": EPOCH,
    "head": HEAD,
    "now": TIME,
    "nonce": OCTETS16,
    "outcome": words("accepted resend behind frozen refused revoked"),
    "answers": Many({"seq": SEQ, "answer": words("duplicate rejected stub"), "rule": Maybe(RULE)}, 256),
    "checkpoint": Maybe(LOG_HEAD),
}
DISCLOSURE_LINE = {"epoch": EPOCH, "seq": SEQ, "disclosure": re.compile(r"[A-Za-z0-9_-]*")}
SLIP_LINE = {"epoch": EPOCH, "seq": SEQ, "slip": re.compile(r"[A-Za-z0-9_-]*")}


def moment(text: str) -> datetime:
    """The moment of a Time that has the right form; ValueError where there is none."""
    return datetime.fromisoformat(text)


def require_distinct(codes: list[str]) -> None:
    """No code stands twice; ValueError otherwise."""
    if len(set(codes)) != len(codes):
        raise ValueError("a code stands twice")


def read_record(payload: bytes) -> Json:
    """A record's payload; ValueError where it is none (PROTOCOL.md, "Grammar beyond types")."""
    kind = re.search(rb',"kind":"([a-z_]*)"', payload)
    form = RECORDS_OF.get(kind[1].decode()) if kind is not None else None
    if form is None:
        raise ValueError("no known kind")
    record: Json = read_one(payload, form)
    moment(record["at"])
    if any(first >= second for first, second in pairwise(record["_sd"])):
        raise ValueError("digests are not sorted, or repeated")
    if len(record["_sd"]) > len(erasable_of(record)):
        raise ValueError("more digests than it has erasable members")
    require_sense(record["kind"], record["body"])
    prompt = record["about"]["prompt"]
    if record["kind"] == "lapse" and prompt is None:
        raise ValueError("a lapse of no prompt")
    if record["kind"] in ABOUT_NO_PROMPT and prompt is not None:
        raise ValueError("about a prompt")
    for place in (prompt, record["body"].get("place"), record["body"].get("to")):
        if (
            place is not None
            and (place["issuer"], place["epoch"]) == (record["issuer"], record["epoch"])
            and place["seq"] >= record["seq"]
        ):
            raise ValueError("it speaks of what comes after it")
    return record


def is_for_station(kind: str, body: Json) -> bool:
    """Whether it is a complaint that is sealed whole."""
    return kind == "complaint" and body["first"] == "station"


def erasable_of(record: Json) -> frozenset[str]:
    """The names of the erasable members that the record may have."""
    return SEALED_WHOLE if is_for_station(record["kind"], record["body"]) else ERASABLE[record["kind"]]


def require_sense(kind: str, body: Json) -> None:
    """What types cannot express about a body; ValueError where it makes no sense."""
    for codes in ("tags", "categories", "remedies", "consents", "members"):
        require_distinct(body.get(codes, []))
    match kind:
        case "rating":
            require_distinct([aspect["aspect"] for aspect in body["aspects"]])
        case "complaint" | "addition" if body["consents"] and body["notice"] is None:
            raise ValueError("a consent without a notice")
        case "complaint" if is_for_station(kind, body):
            if body["categories"] or body["remedies"] or body["consents"] or body["notice"] is not None:
                raise ValueError("a complaint for the station alone that says something in clear")
        case "day_close":
            date.fromisoformat(body["day"])
        case "outage":
            moment(body["since"])
        case "finding" if body["due_at"] is not None:
            moment(body["due_at"])
        case "settings":
            require_hours(body)
        case _:
            pass


def require_hours(body: Json) -> None:
    """Closures, opening hours and words that can be meant; ValueError otherwise."""
    for closure in body["closures"]:
        if date.fromisoformat(closure["first"]) > date.fromisoformat(closure["last"]):
            raise ValueError("a closure that ends before it begins")
    for hours in body["opening"]:
        if hours["from"] in {"24:00", hours["to"]}:
            raise ValueError("opening hours that are none")
    require_distinct([f"{word['sort']} {word['word']}" for word in body["words"]])


def totals_after(totals: Json, kind: str, body: Json) -> Json:
    """The totals that the next record must state."""
    after = {**totals, "ratings": list(totals["ratings"])}
    counted = {"prompt": "prompts", "lapse": "lapses", "suggestion": "suggestions", "complaint": "complaints"}
    if kind in counted:
        after[counted[kind]] += 1
    elif kind == "rating":
        after["ratings"][body["level"] - 1] += 1
    return after


# What is signed, and by which keys (PROTOCOL.md, "Keys" and "JWS")

PRIME = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, PRIME) % PRIME


class Key:
    """A public key fit to hold somebody to their word; ValueError where it is weak."""

    def __init__(self, octets: bytes) -> None:
        require_strong(octets)
        self.octets = octets
        self._key = Ed25519PublicKey.from_public_bytes(octets)

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature over the message is of this key."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @property
    def fingerprint(self) -> str:
        """For people to compare."""
        return hashlib.sha256(self.octets).hexdigest()


def require_strong(octets: bytes) -> None:
    """A canonical point of the curve whose order is not 1, 2, 4 or 8; ValueError otherwise."""
    y = int.from_bytes(octets, "little") & (2**255 - 1)
    if len(octets) != 32 or y >= PRIME:  # noqa: PLR2004 -- bytes of a key
        raise ValueError("no public key")
    x_squared = (y * y - 1) * pow(CURVE_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(x_squared, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != x_squared:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if x * x % PRIME != x_squared:
        raise ValueError("not a point of the curve")
    for _ in range(3):
        product = CURVE_D * x * x * y * y
        x, y = (
            2 * x * y * pow(1 + product, -1, PRIME) % PRIME,
            (y * y + x * x) * pow(1 - product, -1, PRIME) % PRIME,
        )
    if (x, y) == (0, 1):
        raise ValueError("a key of small order")


HEADER = re.compile(rb'\{"alg":"Ed25519","kid":"(' + KID.pattern.encode() + rb')","typ":"([a-z0-9+]+)"\}')
PEEK = re.compile(
    rb'\{"issuer":"('
    + ID8.pattern.encode()
    + rb')","epoch":([1-9][0-9]{0,4}),"seq":(0|[1-9][0-9]{0,9}),"prev":"('
    + OCTETS32.pattern.encode()
    + rb')",'
)


@dataclass(frozen=True)
class Jws:
    """A JWS of the right form, its signature not yet verified."""

    issuer: str
    epoch: int
    payload: bytes
    signature: bytes
    octets: bytes

    @property
    def kid(self) -> str:
        """The key that it names."""
        return f"{self.issuer}.{self.epoch}"

    def require_signed(self, key: Key) -> None:
        """Broken (V3) where the signature is not the key's."""
        if not key.signed(self.signature, self.octets.rpartition(b".")[0]):
            raise Broken("V3", "the signature is not of this key")


def open_header(segment: bytes, typ: str) -> tuple[str, int]:
    """Issuer and epoch of the pinned header."""
    if len(segment) > 128:  # noqa: PLR2004 -- as specified
        raise Broken("V2", "a long header")
    try:
        header = HEADER.fullmatch(unb64u(segment))
    except ValueError as error:
        raise Broken("V1", "the header is no base64url") from error
    issuer, _, epoch = header[1].decode().partition(".") if header is not None else ("", "", "0")
    if header is None or int(epoch) > MAX_EPOCH or header[2].decode() != typ:
        raise Broken("V2", f"not the pinned header of {typ}")
    return issuer, int(epoch)


def open_jws(octets: bytes, typ: str) -> Jws:
    """The parts of a JWS."""
    segments = octets.split(b".")
    if len(octets) > MAX_JWS or len(segments) != 3:  # noqa: PLR2004 -- header, payload, signature
        raise Broken("V1", "no compact JWS")
    issuer, epoch = open_header(segments[0], typ)
    try:
        payload, signature = unb64u(segments[1]), unb64u(segments[2])
    except ValueError as error:
        raise Broken("V1", "no base64url") from error
    if len(payload) > MAX_PAYLOAD or len(signature) != 64:  # noqa: PLR2004 -- bytes of a signature
        raise Broken("V1", "a payload or a signature of the wrong length")
    return Jws(issuer, epoch, payload, signature, octets)


@dataclass(frozen=True)
class Peek:
    """What a payload claims about its place, although the rest may be malformed."""

    issuer: str
    epoch: int
    seq: int
    prev: str


def peek_at(payload: bytes) -> Peek | None:
    """The place, if the first four members can be read."""
    match = PEEK.match(payload)
    if match is None or int(match[2]) > MAX_EPOCH or int(match[3]) > MAX_SEQ:
        return None
    return Peek(match[1].decode(), int(match[2]), int(match[3]), match[4].decode())


def link_of(octets: bytes) -> str:
    """By what the next record names these octets."""
    return b64u(sha256(octets))


# The export and the verdict (PROTOCOL.md, "Export", "What a verifier does")

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class Export:
    """A ZIP file; each file in it is read from its beginning as often as it is asked for."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
        except DAMAGE as error:
            self.close()
            raise Unreadable(f"{path} cannot be read: {error}") from error
        self.names = self._zip.namelist()
        if len(set(self.names)) != len(self.names):
            self.close()
            raise Unreadable("export: two files of one name")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            listed = self._zip.getinfo(name)
            if listed.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise Unreadable(f"export: {name} is neither stored nor deflated")
            with self._zip.open(listed) as file:
                yield file
        except KeyError as error:
            raise Unreadable(f"export: {name} is missing") from error
        except DAMAGE as error:
            raise Unreadable(f"export: {name} is damaged: {error}") from error

    def lines(self, name: str, *, optional: bool = False) -> Iterator[bytes]:
        """The lines of a file, without what ends them."""
        if optional and name not in self.names:
            return
        with self._open(name) as file:
            while line := file.readline(MAX_LINE + 1):
                ended = line.endswith(b"\n")
                if len(line) - ended >= MAX_LINE:
                    raise Unreadable(f"export: a line of {name} is too long")
                yield line[:-1] if ended else line

    def read(self, name: str, most: int = MAX_FILE) -> bytes:
        """A whole small file."""
        with self._open(name) as file:
            octets = file.read(most + 1)
        if len(octets) > most:
            raise Unreadable(f"export: {name} is too long")
        return octets


FINDINGS = {
    "late": ("V11", "{count} records after the epoch was closed"),
    "unanswered": ("V15", "{count} records not acknowledged"),
    "undisclosed": ("V10", "{count} records with words erased or left out"),
    "unlogged": ("V14", "{count} records not shown to be in the log"),
    "time": ("V8", "{count} records with a time that the log or an acknowledgement contradicts"),
    "clock": ("V9", "{count} records whose wall clock moved otherwise than the boot clock"),
    "deadline": ("V12", "{count} slips whose record was acknowledged after the deadline"),
    "silent": ("V13", "{count} times without any record for over 4 hours of opening"),
    "day_close": ("V13", "{count} day closes missing, out of order or with another count"),
    "unended": ("V16", "{count} prompts without an answer or a lapse in time"),
    "behind": ("V15", "central knew more records than there were ({count} answers)"),
    "refused": ("V15", "central refused {count} batches"),
    "revoked": ("V11", "central says that the key was revoked ({count} answers)"),
    "stubbed": ("V15", "{count} records of which central has the link alone"),
}


@dataclass
class Report:
    """What was seen, in bounded memory."""

    issuer: str = ""
    violations: list[Json] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    found_at: dict[tuple[int, str], Pair] = field(default_factory=dict)
    rejected: dict[tuple[int, int, str], None] = field(default_factory=dict)

    def broken(  # noqa: PLR0913 -- a violation has these parts
        self, rule: str, detail: str, file: str, line: int, place: Pair | None = None, *, issuer: str = ""
    ) -> None:
        """Notes a broken rule; the first 100 of each are kept."""
        self.counts[rule] = self.counts.get(rule, 0) + 1
        if self.counts[rule] <= 100:  # noqa: PLR2004 -- as specified
            where = None if place is None else self.place(place, issuer)
            kept = {"rule": rule, "place": where, "detail": detail, "file": file, "line": line}
            self.violations.append(kept)

    def found(self, code: str, place: Pair, count: int = 1) -> None:
        """Notes so many things to explain; the first place is kept."""
        seq, before = self.found_at.get((place[0], code), (place[1], 0))
        self.found_at[place[0], code] = (seq, before + count)

    def place(self, place: Pair, issuer: str = "") -> Json:
        """A Place of this issuer."""
        return {"issuer": issuer or self.issuer, "epoch": place[0], "seq": place[1]}

    def findings(self) -> list[Json]:
        """What was found, by epoch; then what central rejected."""
        found = [
            {
                "code": code,
                "rule": FINDINGS[code][0],
                "place": self.place((epoch, seq)),
                "detail": FINDINGS[code][1].format(count=count),
            }
            for epoch in sorted({epoch for epoch, _ in self.found_at})
            for code in FINDINGS
            if (epoch, code) in self.found_at
            for seq, count in [self.found_at[epoch, code]]
        ]
        rejected = [
            {
                "code": "rejected",
                "rule": rule,
                "place": self.place((epoch, seq)),
                "detail": f"central rejected what it was sent, by {rule}",
            }
            for epoch, seq, rule in self.rejected
        ]
        return found + rejected


# Step 1: grants


@dataclass(frozen=True)
class Granted:
    """A grant; `link` is None where its signature failed, `root` empty where no key was there to check it."""

    grant: Json
    line: int
    link: str | None
    key: Key
    central: dict[str, Key]
    root: dict[str, Key]

    @property
    def kid(self) -> str:
        """The id of the granted key."""
        return f"{self.grant['issuer']}.{self.grant['epoch']}"


class Grants:
    """The grants of an export by epoch."""

    def __init__(self, export: Export, roots: dict[str, Key] | None, report: Report) -> None:
        self.trusted = roots is not None
        self.by_epoch: dict[int, Granted] = {}
        self.fingerprints: dict[str, str] = {}
        self._roots = roots
        self._report = report
        self._stated = self._read_keys(export)
        self._walk(export)
        self._compare_stated()

    def _read_keys(self, export: Export) -> dict[str, Key]:
        stated: dict[str, Key] = {}
        try:
            listed = read_key_set(b"".join(line + b"\n" for line in bounded(export.lines("keys.jwks"))))
        except ValueError as error:
            raise Unreadable(f"keys: {error}") from error
        for key in listed:
            try:
                stated[key["kid"]] = Key(unb64u(key["x"]))
            except ValueError as error:
                self._report.broken("V3", f"{key['kid']}: {error}", "keys.jwks", 1)
        return stated

    def _walk(self, export: Export) -> None:
        before: Granted | None = None
        for line, octets in enumerate(export.lines("grants.jws"), 1):
            try:
                granted = self._open(line, octets)
            except Broken as error:
                self.trusted = False
                self._report.broken(error.rule, error.detail, "grants.jws", line)
                continue
            for detail in self._breaks(before, granted):
                self._report.broken("V11", detail, "grants.jws", line)
            grant = granted.grant
            if not self.by_epoch:
                self._report.issuer = grant["issuer"]
            if grant["epoch"] not in self.by_epoch and grant["issuer"] == self._report.issuer:
                self.by_epoch[grant["epoch"]] = before = granted
                used = granted.root | {granted.kid: granted.key} | granted.central
                self.fingerprints |= {kid: key.fingerprint for kid, key in used.items()}
        if not self.by_epoch:
            self.trusted = False
            self._report.broken("V11", "there is no grant that can be read", "grants.jws", 0)

    def _open(self, line: int, octets: bytes) -> Granted:
        jws = open_jws(octets, "grant1+jws")
        root, is_known = self._root_of(jws)
        if not is_known:
            self.trusted = False
            self._report.broken("V11", f"{jws.kid} is no known root key", "grants.jws", line)
        link: str | None = link_of(octets)
        try:
            if root is not None:
                jws.require_signed(root)
        except Broken as error:
            self.trusted = False
            self._report.broken(error.rule, error.detail, "grants.jws", line)
            link = None
        grant, key, central = read_grant(jws.payload)
        return Granted(grant, line, link, key, central, {} if root is None else {jws.kid: root})

    def _root_of(self, jws: Jws) -> tuple[Key | None, bool]:
        """The pinned key, else the one that the export states; and whether it is as it must be."""
        own = self._stated.get(jws.kid)
        if self._roots is None:
            return own, own is not None
        pinned = self._roots.get(jws.kid)
        if pinned is not None and (own is None or own.octets == pinned.octets):
            return pinned, True
        return own, False

    def _breaks(self, before: Granted | None, granted: Granted) -> Iterator[str]:
        """How a grant does not continue the one before it."""
        grant, closes = granted.grant, granted.grant["closes"]
        if before is None:
            if grant["epoch"] != 1 or closes is not None:
                yield "the first grant is not of epoch 1"
            return
        last = before.grant
        if (grant["issuer"], grant["merchant"]) != (last["issuer"], last["merchant"]):
            yield "another issuer or merchant than in the grant before"
        if grant["epoch"] != last["epoch"] + 1:
            yield "not the next epoch"
        if any(granted.key.octets == other.key.octets for other in self.by_epoch.values()):
            yield "a key that was granted before"
        if closes is None or closes["epoch"] != last["epoch"]:
            yield "it does not close the epoch before"
        elif closes["seq"] < 0 and before.link is not None:
            if closes["link"] != before.link:
                yield "it closes another grant than the one before"
            if grant["totals"] != last["totals"]:
                yield "its totals do not go on from the epoch before"

    def _compare_stated(self) -> None:
        for epoch, granted in self.by_epoch.items():
            for kid, key in ({granted.kid: granted.key} | granted.central).items():
                if kid not in self._stated or self._stated[kid].octets != key.octets:
                    self._report.broken("V11", f"{kid} is not the granted key", "keys.jwks", 1, (epoch, 0))


def read_key_set(octets: bytes) -> list[Json]:
    """The keys of a JWK set, their members in any order; ValueError where it is none."""
    keys = in_order(read_json(octets), {"keys": None})
    form = {"kty": words("OKP"), "crv": words("Ed25519"), "kid": KID, "x": OCTETS32}
    require(isinstance(keys, dict) and isinstance(keys["keys"], list), "no set of keys")
    listed = [in_order(key, form) for key in keys["keys"]]
    require(fits(listed, Many(form, 4096)), "not keys of Ed25519")
    require(len({key["kid"] for key in listed}) == len(listed), "one kid twice")
    return listed


def bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, as long as a set of keys may be."""
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > MAX_KEY_SET:
            raise Unreadable("keys: more than 1 MiB")
        yield line


def read_grant(payload: bytes) -> tuple[Json, Key, dict[str, Key]]:
    """A grant's payload, the granted key, and the acknowledging keys."""
    try:
        grant: Json = read_one(payload, GRANT)
        moment(grant["at"])
    except ValueError as error:
        raise Broken("V1", f"grant: {error}") from error
    try:
        central = {named["kid"]: Key(unb64u(named["key"])) for named in grant["central"]}
        return grant, Key(unb64u(grant["key"])), central
    except ValueError as error:
        raise Broken("V3", str(error)) from error


# Step 2: the log


@dataclass(frozen=True)
class NoteKey:
    """A verifier key of a signed note."""

    name: str
    is_cosigner: bool
    key: Key

    @property
    def id(self) -> bytes:
        """The 4 bytes by which signatures name it."""
        kind = b"\x04" if self.is_cosigner else b"\x01"
        return sha256(self.name.encode(), b"\n", kind, self.key.octets)[:4]


def read_vkey(text: str) -> NoteKey:
    """A verifier key's line; ValueError where it is none."""
    name, _, rest = text.partition("+")
    stated, _, encoded = rest.partition("+")
    material = unb64(encoded)
    if not re.fullmatch(r"[^\s+]+", name) or material[:1] not in {b"\x01", b"\x04"}:
        raise ValueError("no verifier key")
    key = NoteKey(name, material[:1] == b"\x04", Key(material[1:]))
    if key.id.hex() != stated:
        raise ValueError("the id of another key")
    return key


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint; `time` is its cosignature's."""

    origin: str
    size: int
    root: bytes
    time: int


def open_note(octets: bytes, keys: Iterable[NoteKey]) -> tuple[str, list[tuple[NoteKey, int | None]]]:
    """The text of a signed note, and whose signatures hold; Broken (V14) where a known one does not."""
    if len(octets) > 65_536:  # noqa: PLR2004 -- as specified
        raise Broken("V14", "a long note")
    try:
        whole = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Broken("V14", "a note that is no UTF-8") from error
    head, blank, tail = whole.rpartition("\n\n")
    lines = tail[:-1].split("\n")
    if not blank or not tail.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", whole) or len(lines) > 64:  # noqa: PLR2004 -- as specified
        raise Broken("V14", "no note")
    text = head + "\n"
    known = {(key.name, key.id): key for key in keys}
    verified: dict[tuple[str, bytes], tuple[NoteKey, int | None]] = {}
    for line in lines:
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
        try:
            material = unb64(match[2]) if match is not None else b""
        except ValueError as error:
            raise Broken("V14", "a signature that is no base64") from error
        if match is None or len(material) <= 4:  # noqa: PLR2004 -- bytes of a key id
            raise Broken("V14", "a line that is no signature")
        place = (match[1], material[:4])
        if place in known and place not in verified:
            verified[place] = (known[place], require_noted(text, known[place], material[4:]))
    if not verified:
        raise Broken("V14", "no known key signed it")
    return text, list(verified.values())


def require_noted(text: str, key: NoteKey, signature: bytes) -> int | None:
    """The time of a cosignature; Broken (V14) where the signature is wrong."""
    time, message = None, text.encode()
    if key.is_cosigner:
        time, signature = int.from_bytes(signature[:8]), signature[8:]
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
    if len(signature) != 64 or not key.key.signed(signature, message):  # noqa: PLR2004 -- bytes
        raise Broken("V14", f"a wrong signature of {key.name}")
    return time


def open_checkpoint(octets: bytes, keys: Iterable[NoteKey]) -> Checkpoint:
    """A checkpoint that its log signed and cosigned; Broken (V14) otherwise."""
    text, signatures = open_note(octets, keys)
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n", text)
    try:
        root = unb64(match[3]) if match is not None else b""
    except ValueError as error:
        raise Broken("V14", "a root that is no base64") from error
    if match is None or len(root) != 32:  # noqa: PLR2004 -- bytes of a hash
        raise Broken("V14", "no checkpoint")
    own = [(key, time) for key, time in signatures if key.name == match[1]]
    times = [time for _, time in own if time is not None]
    if not times or all(key.is_cosigner for key, _ in own):
        raise Broken("V14", "not both signed and cosigned by its log")
    return Checkpoint(match[1], int(match[2]), root, max(times))


HASH_LINE = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def read_hashes(lines: Iterable[str]) -> list[bytes]:
    """Lines of base64, at most 128 of them; Broken (V14) otherwise."""
    hashes: list[bytes] = []
    for line in lines:
        if len(hashes) == 128 or not HASH_LINE.fullmatch(line):  # noqa: PLR2004 -- more than any proof has
            raise Broken("V14", "no proof")
        hashes.append(base64.b64decode(line))
    return hashes


def node(left: bytes, right: bytes) -> bytes:
    """An inner node of the tree."""
    return sha256(b"\x01", left, right)


def require_inclusion(leaf: bytes, index: int, size: int, root: bytes, path: list[bytes]) -> None:
    """The leaf stands there in that tree; RFC 9162, section 2.1.3.2."""
    if index >= size:
        raise Broken("V14", "no such leaf")
    fn, sn, made = index, size - 1, leaf
    for p in path:
        if sn == 0:
            raise Broken("V14", "the path is too long")
        if fn & 1 or fn == sn:
            made = node(p, made)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            made = node(made, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or made != root:
        raise Broken("V14", "the path does not lead to the root")


def require_consistency(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    """The larger tree begins with the smaller one; RFC 9162, section 2.1.4.2."""
    if old.size == 0:
        if proof or old.root != sha256():
            raise Broken("V14", "two roots for the empty tree")
        return
    path = [old.root, *proof] if old.size & (old.size - 1) == 0 else proof
    if not path:
        raise Broken("V14", "the proof is empty")
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Broken("V14", "the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or (fr, sr) != (old.root, new.root):
        raise Broken("V14", "the proof does not connect the two roots")


class Log:
    """The checkpoints of an export, by their size."""

    def __init__(self, export: Export, pinned: list[NoteKey] | None, report: Report) -> None:
        self._export = export
        self._report = report
        self.trusted = True
        self.checkpoints = 0
        self.proofs: list[Pair] = sorted(
            (int(match[1]), int(match[2]))
            for name in export.names
            if (match := re.fullmatch(r"proofs/([1-9][0-9]{0,4})-(0|[1-9][0-9]{0,9})\.tlog-proof", name))
            and int(match[1]) <= MAX_EPOCH
            and int(match[2]) <= MAX_SEQ
        )
        self._origin: str | None = None
        self._known: dict[int, Checkpoint] = {}
        self._times: dict[int, set[int]] = {}
        self._keys: list[NoteKey] = []
        sized = self._sized()
        if sized or self.proofs or "log.vkey" in export.names:
            self._keys = self._read_keys(pinned)
        self.fingerprints = {f"{key.name}+{key.id.hex()}": key.key.fingerprint for key in self._keys}
        for size, name in sized:
            self._take(size, name)
        for old, new in pairwise(sorted(self._known)):
            self._connect(self._known[old], self._known[new])

    def _sized(self) -> list[tuple[int, str]]:
        form = re.compile(r"checkpoints/(0|[1-9][0-9]{0,15})(-[1-9][0-9]{0,3})?\.note")
        names = [(int(match[1]), name) for name in self._export.names if (match := form.fullmatch(name))]
        return sorted(names, key=lambda sized: (sized[0], len(sized[1]), sized[1]))

    def _read_keys(self, pinned: list[NoteKey] | None) -> list[NoteKey]:
        stated = []
        known = {(key.name, key.id, key.key.octets) for key in pinned or ()}
        for line, octets in enumerate(self._export.lines("log.vkey", optional=True), 1):
            try:
                key = read_vkey(octets.decode("utf-8", errors="replace"))
            except ValueError as error:
                self._report.broken("V14", str(error), "log.vkey", line)
                continue
            stated.append(key)
            if pinned is not None and (key.name, key.id, key.key.octets) not in known:
                self.trusted = False
                self._report.broken("V14", f"{key.name} is no trusted key of a log", "log.vkey", line)
        return pinned or stated

    def open(self, octets: bytes) -> Checkpoint:
        """A checkpoint of this log."""
        checkpoint = open_checkpoint(octets, self._keys)
        if self._origin not in {None, checkpoint.origin}:
            raise Broken("V14", "a checkpoint of another log")
        return checkpoint

    def _take(self, size: int, name: str) -> None:
        self.checkpoints += 1
        try:
            checkpoint = self.open(self._export.read(name))
        except Broken as error:
            self.trusted = False
            self._report.broken("V14", error.detail, name, 1)
            return
        self._origin = checkpoint.origin
        if checkpoint.size != size:
            self._report.broken("V14", "a checkpoint of another size", name, 1)
        elif self._known.setdefault(size, checkpoint).root != checkpoint.root:
            self._report.broken("V14", "a split view: two roots for one size", name, 1)
        else:
            self._times.setdefault(size, set()).add(checkpoint.time)

    def _connect(self, old: Checkpoint, new: Checkpoint) -> None:
        name = f"consistency/{old.size}-{new.size}"
        try:
            lines = self._export.lines(name) if old.size else iter(())
            require_consistency(
                old, new, read_hashes(line.decode("ascii", errors="replace") for line in lines)
            )
        except Broken as error:
            self._report.broken("V14", error.detail, name, 1)
        except Unreadable as error:
            self._report.broken("V14", str(error), name, 1)

    def has_anchor(self, anchor: Json) -> bool:
        """Whether a checkpoint says what the anchor says."""
        known = self._known.get(anchor["size"])
        return (
            known is not None
            and b64u(known.root) == anchor["root"]
            and anchor["time"] in self._times[known.size]
        )

    def contradicts(self, head: Json | None) -> bool:
        """Whether a checkpoint of that size has another root."""
        known = self._known.get(head["size"]) if head is not None else None
        return head is not None and known is not None and b64u(known.root) != head["root"]

    def open_proof(self, place: Pair) -> tuple[int, list[bytes], Checkpoint]:
        """Index, path and checkpoint of the proof for a place."""
        try:
            octets = self._export.read(f"proofs/{place[0]}-{place[1]}.tlog-proof")
        except Unreadable as error:
            raise Broken("V14", str(error)) from error
        head, blank, note = octets.partition(b"\n\n")
        first, *lines = head.decode("ascii", errors="replace").split("\n")
        index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[0]) if lines else None
        if len(octets) > 131_072 or not blank or first != "c2sp.org/tlog-proof@v1" or index is None:  # noqa: PLR2004 -- as specified
            raise Broken("V14", "no proof")
        if len(lines) > 65:  # noqa: PLR2004 -- the index, and a path as long as any
            raise Broken("V14", "a path that is too long")
        path = read_hashes(lines[1:])
        checkpoint = self.open(note)
        known = self._known.get(checkpoint.size)
        if known is None or known.root != checkpoint.root:
            raise Broken("V14", "its checkpoint is not one of this export")
        return int(index[1]), path, checkpoint


# Step 3: what is said of places, in their order


@dataclass(frozen=True)
class Claim:
    """Somebody's word that this link, with these totals if stated, stands at a place."""

    place: Pair
    link: str
    rule: str
    file: str
    line: int
    totals: Json | None = None


class Claims:
    """Claims of one file, compared as the records pass by."""

    def __init__(self, claims: Iterator[Claim], report: Report) -> None:
        self._claims = claims
        self._report = report
        self._next = next(claims, None)
        self.met: dict[int, int] = {}

    def settle(self, place: Pair, link: str, totals: Json | None) -> None:
        """Compares those about this place; those about places that did not come are refused."""
        while self._next is not None and self._next.place <= place:
            claim = self._next
            if claim.place != place:
                self._refuse(claim, "no record stands there")
            elif claim.link != link:
                self._refuse(claim, "another record stands there")
            else:
                self.met[place[0]] = max(place[1], self.met.get(place[0], -1))
                if claim.totals is not None and totals is not None and claim.totals != totals:
                    self._refuse(claim, "its totals do not go on from there")
            self._next = next(self._claims, None)

    def finish(self) -> None:
        """Refuses those about places that never came."""
        while self._next is not None:
            self._refuse(self._next, "no record stands there")
            self._next = next(self._claims, None)

    def _refuse(self, claim: Claim, detail: str) -> None:
        self._report.broken(claim.rule, detail, claim.file, claim.line, claim.place)


def in_epochs(export: Export, file: str, epochs: int) -> Iterator[tuple[int, bytes]]:
    """Numbered lines by the epoch that they state, each epoch's as they stand; with one epoch, all."""
    if epochs <= 1:
        yield from enumerate(export.lines(file), 1)
        return
    spans: dict[int, Pair] = {}
    for number, octets in enumerate(export.lines(file), 1):
        epoch = stated_epoch(octets)
        if epoch is not None:
            spans[epoch] = (spans.get(epoch, (number, 0))[0], number)
    lines, read = enumerate(export.lines(file), 1), 0
    for epoch in sorted(spans):
        first, last = spans[epoch]
        if first <= read:
            lines, read = enumerate(export.lines(file), 1), 0
        for number, octets in lines:
            read = number
            if number >= first and stated_epoch(octets) == epoch:
                yield number, octets
            if number == last:
                break


def stated_epoch(octets: bytes) -> int | None:
    """The first epoch that a batch or an acknowledgement states, that of its records."""
    start = octets.partition(b".")[2][:120].partition(b".")[0]
    try:
        match = re.search(rb'"epoch":([1-9][0-9]{0,4}),', unb64u(start))
    except ValueError:
        return None
    return None if match is None else int(match[1])


def claims_of_grants(grants: Grants) -> Iterator[Claim]:
    """The heads that grants close."""
    for granted in grants.by_epoch.values():
        head = granted.grant["closes"]
        if head is not None and head["seq"] >= 0:
            place = (head["epoch"], head["seq"])
            yield Claim(place, head["link"], "V11", "grants.jws", granted.line, granted.grant["totals"])


def claims_of_batches(export: Export, grants: Grants) -> Iterator[Claim]:
    """The newest record that each batch names."""
    for line, octets in in_epochs(export, "batches.jws", len(grants.by_epoch)):
        batch = stated(octets, "batch1+jws", read_batch)
        if batch is not None:
            newest = batch["newest"]
            yield Claim((batch["epoch"], newest["seq"]), newest["link"], "V15", "batches.jws", line)


def claims_of_acks(export: Export, grants: Grants, report: Report) -> Iterator[Claim]:
    """The heads that acknowledgements name; before the first record that is the grant's link."""
    for line, octets in in_epochs(export, "acks.jws", len(grants.by_epoch)):
        ack = stated(octets, "ack1+jws", read_ack)
        if ack is None:
            continue
        head = ack["head"]
        granted = grants.by_epoch.get(ack["epoch"])
        if head["seq"] >= 0:
            yield Claim((head["epoch"], head["seq"]), head["link"], "V15", "acks.jws", line)
        elif granted is not None and granted.link not in {None, head["link"]}:
            report.broken("V15", "its head is not the grant", "acks.jws", line)


def stated(octets: bytes, typ: str, read: Callable[[bytes], Json]) -> Json | None:
    """What a payload states, whoever signed it; None where that cannot be read."""
    try:
        return read(open_jws(octets, typ).payload)
    except Broken:
        return None


class Disclosures:
    """Those of an export, handed out as their records pass by."""

    def __init__(self, export: Export, report: Report) -> None:
        self._report = report
        self._lines = self._read(export)
        self.line = 0
        self.given: list[str] = []
        self._step()

    def _read(self, export: Export) -> Iterator[tuple[Pair, int, str]]:
        for line, octets in enumerate(export.lines("disclosures.jsonl"), 1):
            try:
                given = read_one(octets, DISCLOSURE_LINE)
            except ValueError as error:
                self._report.broken("V1", str(error), "disclosures.jsonl", line)
            else:
                yield (given["epoch"], given["seq"]), line, given["disclosure"]

    def _step(self) -> None:
        self._due, self._due_line, self._text = next(self._lines, (NEVER, 0, ""))

    def take(self, place: Pair) -> Iterator[str]:
        """Those of this place, as they are asked for; `given` has them."""
        self.given = []
        while self._due <= place:
            if self._due != place:
                self._refuse()
                continue
            text, self.line = self._text, self._due_line
            self._step()
            self.given.append(text)
            yield text

    def drop(self, place: Pair) -> None:
        """Passes over those of a record that says nothing that could be compared."""
        for _ in self.take(place):
            pass

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while self._due != NEVER:
            self._refuse()

    def _refuse(self) -> None:
        detail = "no record stands there, or the disclosures are out of order"
        self._report.broken("V10", detail, "disclosures.jsonl", self._due_line, self._due)
        self._step()


def require_disclosed(record: Json, disclosures: Iterator[str]) -> None:
    """Each disclosure is one of the record's; Broken (V10) otherwise."""
    names: set[str] = set()
    for text in disclosures:
        try:
            name, value = read_disclosure(text)
        except ValueError as error:
            raise Broken("V10", str(error)) from error
        if b64u(sha256(text.encode())) not in record["_sd"]:
            raise Broken("V10", "the record holds no such digest")
        if name not in erasable_of(record) or name in names:
            raise Broken("V10", "a member not of its kind, or twice")
        if name == "amount" and AMOUNT.fullmatch(value) is None:
            raise Broken("V10", "an amount that is none")
        if name in SEALED_BYTES and not is_sealed(value, SEALED_BYTES[name]):
            raise Broken("V10", f"{name}: not sealed")
        if name == "photos" and PHOTOS.fullmatch(value) is None:
            raise Broken("V10", "photos that are no hashes")
        names.add(name)


def read_disclosure(text: str) -> tuple[str, str]:
    """Name and value; ValueError where it is none."""
    octets = unb64u(text)
    if len(octets) > MAX_PAYLOAD:
        raise ValueError("a long disclosure")
    salt, name, value = read_one(octets, Row((str, str, str)))
    if not 16 <= len(unb64u(salt)) <= 64:  # noqa: PLR2004 -- as specified
        raise ValueError("a salt of the wrong length")
    return name, value


def is_sealed(value: str, lengths: range) -> bool:
    """Whether it has the length of something sealed."""
    try:
        return len(unb64u(value)) in lengths
    except ValueError:
        return False


class Erasures:
    """Records with members missing, until `erase` records tell of as many."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._missing: dict[Pair, tuple[int, set[str], set[str]]] = {}

    def see(self, record: Json, given: list[str]) -> None:
        """Takes in an accepted record and its disclosures."""
        count = len(record["_sd"]) - len(given)
        if count > 0:
            there = {read_disclosure(text)[0] for text in given}
            self._missing[record["epoch"], record["seq"]] = (count, there, set())
        elif record["kind"] == "erase" and record["body"]["place"]["issuer"] == self._issuer:
            place = (record["body"]["place"]["epoch"], record["body"]["place"]["seq"])
            count, there, told = self._missing.get(place, (0, set(), set()))
            told |= set(record["body"]["members"]) - there
            if len(told) >= count:
                self._missing.pop(place, None)

    def unexplained(self, epoch: int) -> list[int]:
        """The seqs of those of an epoch that nothing tells of."""
        return [seq for other, seq in self._missing if other == epoch]


class Receipts:
    """When central acknowledged records."""

    def __init__(self, export: Export, epochs: int) -> None:
        self._accepted = self._read(export, epochs)
        self._due, self._now_s = next(self._accepted, (NEVER, 0))

    def _read(self, export: Export, epochs: int) -> Iterator[tuple[Pair, int]]:
        for _, octets in in_epochs(export, "acks.jws", epochs):
            ack = stated(octets, "ack1+jws", read_ack)
            if ack is not None and ack["outcome"] == "accepted":
                yield (ack["epoch"], ack["head"]["seq"]), milliseconds(moment(ack["now"])) // 1000

    def find(self, place: Pair) -> int | None:
        """The unix second of the first that covers the place, which never goes back."""
        while self._due < place:
            self._due, self._now_s = next(self._accepted, (NEVER, 0))
        return self._now_s if self._due[0] == place[0] else None


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class Proofs:
    """The proofs that records are in the log."""

    def __init__(self, log: Log, report: Report) -> None:
        self._log = log
        self._report = report
        self._places = iter(log.proofs)
        self._proof: tuple[int, list[bytes], Checkpoint] | None = None
        self.due = NEVER
        self.proven: dict[int, int] = {}
        self._step()

    @property
    def by_s(self) -> int | None:
        """By when the next proof's record was in the log."""
        return self._proof[2].time if self._proof is not None else None

    def settle(self, place: Pair, octets: bytes) -> None:
        """Compares the proof of this place."""
        while self.due <= place:
            if self.due != place:
                self._refuse("no record stands there")
            elif self._proof is not None:
                self._check(self._proof, octets)
            self._step()

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while self.due != NEVER:
            self._refuse("no record stands there")
            self._step()

    def _check(self, proof: tuple[int, list[bytes], Checkpoint], octets: bytes) -> None:
        index, path, checkpoint = proof
        try:
            require_inclusion(sha256(b"\x00", octets), index, checkpoint.size, checkpoint.root, path)
        except Broken as error:
            self._refuse(error.detail)
        else:
            self.proven[self.due[0]] = self.due[1]

    def _step(self) -> None:
        self.due, self._proof = next(self._places, NEVER), None
        if self.due != NEVER:
            try:
                self._proof = self._log.open_proof(self.due)
            except Broken as error:
                self._refuse(error.detail)

    def _refuse(self, detail: str) -> None:
        self._report.broken("V14", detail, f"proofs/{self.due[0]}-{self.due[1]}.tlog-proof", 1, self.due)


@dataclass(frozen=True)
class Slip:
    """A promise (PROTOCOL.md, "Slip")."""

    issuer: str
    place: Pair
    time: int
    level: int
    complaint: bool
    contact: bool
    suggestion: bool
    hours: int
    leaf: bytes


def open_slip(octets: bytes, key: Key | None) -> Slip:
    """The promise; without a key its signature is left out. Broken (V12) otherwise."""
    version, issuer, epoch, seq, time, flags, hours, leaf = struct.unpack_from(">B8sHIIBB32s", octets)
    slip = Slip(
        b64u(issuer),
        (epoch, seq),
        time,
        flags >> 4,
        bool(flags & 1),
        bool(flags & 2),
        bool(flags & 4),
        hours,
        leaf,
    )
    says = slip.level or slip.complaint or slip.suggestion
    if version != 1 or flags & 8 or not epoch or slip.level > 5 or not hours or not says:  # noqa: PLR2004 -- levels
        raise Broken("V12", "no slip")
    if key is not None and not key.signed(octets[53:], b"merchant-agent/slip/v1\n" + octets[:53]):
        raise Broken("V12", "the signature is not of this key")
    return slip


class Slips:
    """The slips that were given out."""

    def __init__(self, export: Export, grants: Grants, report: Report, *, signatures: bool) -> None:
        self._grants = grants
        self._report = report
        self._signatures = signatures
        self._lines = self._read(export)
        self._settled = NEVER
        self.line = 0
        self._step()

    def _read(self, export: Export) -> Iterator[tuple[Pair, bytes]]:
        for octets in export.lines("slips.jsonl", optional=True):
            self.line += 1
            try:
                given = read_one(octets, SLIP_LINE)
                slip = unb64u(given["slip"])
                if len(slip) != 117:  # noqa: PLR2004 -- bytes of a slip
                    raise ValueError("no slip")  # noqa: TRY301 -- told like the rest
            except ValueError as error:
                self._report.broken("V1", str(error), "slips.jsonl", self.line)
            else:
                yield (given["epoch"], given["seq"]), slip

    def _step(self) -> None:
        self.due, self._octets = next(self._lines, (NEVER, b""))

    def settle(
        self,
        place: Pair,
        octets: bytes,
        record: Json | None,
        until_s: int | None,
        agrees: Callable[[Slip, Json], bool],
    ) -> None:
        """Compares the slip of this place with the line that has it."""
        while self.due <= place:
            if self.due != place or place == self._settled:
                self._refuse("no record stands there, or the slips are out of order")
            else:
                self._settled = place
                self._compare(place, octets, record, until_s, agrees)
            self._step()

    def _compare(
        self,
        place: Pair,
        octets: bytes,
        record: Json | None,
        until_s: int | None,
        agrees: Callable[[Slip, Json], bool],
    ) -> None:
        granted = self._grants.by_epoch[place[0]]
        try:
            slip = open_slip(self._octets, granted.key if self._signatures else None)
        except Broken as error:
            self._refuse(error.detail)
            return
        if (slip.issuer, slip.place) != (granted.grant["issuer"], place):
            self._refuse("it promises another place")
        elif slip.leaf != sha256(b"\x00", octets):
            self._refuse("another record stands there")
        elif slip.hours != granted.grant["deadline_hours"]:
            self._refuse("another deadline than that of the grant")
        elif record is not None and (record["kind"] not in SPOKEN or not agrees(slip, record)):
            self._refuse("its flags are not what the visit's records say")
        if until_s is not None and until_s > slip.time + 3600 * slip.hours:
            self._report.found("deadline", place)

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while self.due != NEVER:
            self._refuse("no record stands there")
            self._step()

    def _refuse(self, detail: str) -> None:
        self._report.broken("V12", detail, "slips.jsonl", self.line, self.due)


class Clocks:
    """Holds each record's times against the record before and against what others say."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._before: tuple[int, str, int, int] | None = None

    def see(self, record: Json, at_ms: int, until_s: int | None) -> None:
        """Takes one accepted record in; by `until_s` somebody else had it."""
        place = (record["epoch"], record["seq"])
        anchor = record["anchor"]
        if (anchor is not None and at_ms < 1000 * (anchor["time"] - 300)) or (
            until_s is not None and at_ms > 1000 * (until_s + 300)
        ):
            self._report.found("time", place)
        if self._before is not None and self._before[0] == record["epoch"]:
            _, boot, uptime_ms, wall_ms = self._before
            moved_ms = record["uptime_ms"] - uptime_ms if record["boot"] == boot else None
            if not fits_clocks(record, at_ms - wall_ms, moved_ms):
                self._report.found("clock", place)
        self._before = (record["epoch"], record["boot"], record["uptime_ms"], at_ms)


def fits_clocks(record: Json, wall_ms: int, boot_ms: int | None) -> bool:
    """Whether both clocks moved alike, or as a `clock` record says."""
    if record["kind"] == "clock":
        told = record["body"]["boot_ms"]
        if abs(record["body"]["wall_ms"] - wall_ms) > 2000 or (told is None) != (boot_ms is None):  # noqa: PLR2004 -- ms
            return False
        return told is None or boot_ms is None or abs(told - boot_ms) <= 2000  # noqa: PLR2004 -- ms
    return boot_ms is None or (boot_ms >= 0 and abs(wall_ms - boot_ms) <= 2000 + boot_ms // 5000)


SILENCE = timedelta(hours=4, minutes=15)
NONE, ONE_DAY = timedelta(), timedelta(days=1)


class Presence:
    """Silence while the shop was open, and days that were not closed."""

    def __init__(self, report: Report, prompts: int) -> None:
        self._report = report
        self._settings: Json | None = None
        self._before: tuple[datetime, str, int] | None = None
        self._day = ""
        self._prompts = prompts
        self._opened: datetime | None = None

    def see(self, record: Json, at: datetime) -> None:
        """Takes one accepted record in."""
        place, body = (record["epoch"], record["seq"]), record["body"]
        if self._settings is not None:
            if self._was_silent(record, at, self._settings):
                self._report.found("silent", place)
            if record["kind"] == "prompt":
                self._open_day(place, at)
        if record["kind"] == "day_close":
            prompts = record["totals"]["prompts"]
            oversold = body["sales"] is not None and body["sales"] > body["prompts"]
            if body["day"] <= self._day or body["prompts"] != prompts - self._prompts or oversold:
                self._report.found("day_close", place)
            self._day, self._prompts, self._opened = body["day"], prompts, None
        elif record["kind"] == "settings":
            self._settings = body
        self._before = (at, record["boot"], record["uptime_ms"])

    def _was_silent(self, record: Json, at: datetime, settings: Json) -> bool:
        if self._before is None:
            return False
        before, boot, uptime_ms = self._before
        gap = at - before
        if boot == record["boot"]:
            gap = min(gap, timedelta(milliseconds=record["uptime_ms"] - uptime_ms))
        if not SILENCE < gap <= timedelta(days=400):
            return False
        # At the edges of the calendar nothing is judged.
        begin = before.replace(tzinfo=None)
        is_judged = date.min + 2 * ONE_DAY <= begin.date() <= date.max - 402 * ONE_DAY
        return is_judged and opening_time(begin, begin + gap, settings) > SILENCE

    def _open_day(self, place: Pair, at: datetime) -> None:
        if self._opened is None:
            self._opened = at
        elif at - self._opened > timedelta(hours=48):
            self._report.found("day_close", place)
            self._opened = at


def opening_time(begin: datetime, end: datetime, settings: Json) -> timedelta:
    """How long the shop was open between, as far as that matters."""
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0) - ONE_DAY
    opened = NONE
    while midnight <= end and opened <= SILENCE:
        day = midnight.date().isoformat()
        if not any(closure["first"] <= day <= closure["last"] for closure in settings["closures"]):
            for hours in settings["opening"]:
                if hours["weekday"] == midnight.isoweekday():
                    opens, closes = midnight + span(hours["from"]), midnight + span(hours["to"])
                    closes += ONE_DAY if closes <= opens else NONE
                    opened += max(NONE, min(closes, end) - max(opens, begin))
        midnight += ONE_DAY
    return opened


def span(text: str) -> timedelta:
    """From midnight to HH:MM."""
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


@dataclass
class Visit:
    """What was said about a prompt so far; `asked` is (boot, uptime, wall), None where no prompt is known.

    `outages_ms` is how long nothing could be signed before that, all outages together.
    """

    asked: tuple[str, int, int] | None = None
    asks: bool = True
    lapsed: bool = False
    level: int = 0
    suggestion: bool = False
    complaint: bool = False
    contact: bool = False
    outages_ms: int = 0

    def take(self, record: Json) -> None:
        """Adds what the customer left."""
        match record["kind"]:
            case "rating":
                self.level = record["body"]["level"]
            case "suggestion":
                self.suggestion = True
            case "complaint":
                self.complaint = True
                self.contact = self.contact or record["body"]["notice"] is not None
            case _:
                pass

    def agrees(self, slip: Slip) -> bool:
        """Whether the slip's flags say so, too."""
        said = (self.level, self.complaint, self.suggestion)
        return said == (slip.level, slip.complaint, slip.suggestion) and (self.contact or not slip.contact)


class Visits:
    """How prompts end; the newest 4,096 are remembered."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._visits: dict[Pair, Visit] = {}
        self._newest: tuple[str, int, int] | None = None
        self._outages_ms = 0
        self._known_from: Pair = (0, 0)

    def see(self, record: Json, at_ms: int, line: int) -> None:
        """Takes one accepted record in."""
        now = (record["boot"], record["uptime_ms"], at_ms)
        here = (record["epoch"], record["seq"])
        if record["kind"] == "outage" and self._newest is not None:
            signed_ms = max(0, milliseconds(moment(record["body"]["since"])) - self._newest[2])
            self._outages_ms += max(0, elapsed_ms(self._newest, now) - signed_ms)
        self._newest = now
        if record["kind"] == "prompt":
            self._visits[here] = Visit(now, record["body"]["asks"], outages_ms=self._outages_ms)
            if len(self._visits) > 4096:  # noqa: PLR2004 -- as specified
                self._forget()
            return
        place = self._own(record)
        if place is None:
            return
        visit = self._visits.get(place)
        if visit is None:
            if place >= self._known_from and place[0] == record["epoch"]:
                self._report.broken("V16", "it answers what is no prompt", "records.jws", line, here)
        elif record["kind"] == "lapse":
            if visit.asks and not visit.level and not visit.lapsed:
                self._require_ended(visit, place, now)
            visit.lapsed = True
        else:
            if record["kind"] == "rating" and (visit.lapsed or not visit.asks):
                detail = "a rating of a prompt that lapsed before, or that only the receipt asks"
                self._report.broken("V16", detail, "records.jws", line, here)
            visit.take(record)

    def _own(self, record: Json) -> Pair | None:
        """The prompt of this issuer that the record is about."""
        prompt = record["about"]["prompt"]
        if prompt is None or prompt["issuer"] != self._report.issuer:
            return None
        return prompt["epoch"], prompt["seq"]

    def pass_over(self, place: Pair) -> None:
        """A line at this place was not understood."""
        self._known_from = (place[0], place[1] + 1)

    def agrees(self, slip: Slip, record: Json) -> bool:
        """Whether the slip over this record, the newest, says what was left at its visit so far."""
        place = self._own(record)
        if place is None:
            visit = Visit()
            visit.take(record)
            return visit.agrees(slip)
        return place not in self._visits or self._visits[place].agrees(slip)

    def finish(self) -> None:
        """Tells of those that never ended."""
        while self._visits:
            self._forget()

    def _forget(self) -> None:
        place = next(iter(self._visits))
        visit = self._visits.pop(place)
        self._known_from = max(self._known_from, (place[0], place[1] + 1))
        if self._newest is not None and visit.asks and not visit.level and not visit.lapsed:
            self._require_ended(visit, place, self._newest)

    def _require_ended(self, visit: Visit, place: Pair, now: tuple[str, int, int]) -> None:
        if visit.asked is None:
            return
        outages_ms = self._outages_ms - visit.outages_ms
        if elapsed_ms(visit.asked, now) - outages_ms > 600_000:  # noqa: PLR2004 -- ms
            self._report.found("unended", place)


def elapsed_ms(first: tuple[str, int, int], last: tuple[str, int, int]) -> int:
    """Between two of (boot, uptime, wall): by the boot clock where it went on."""
    return last[1] - first[1] if first[0] == last[0] else last[2] - first[2]


class Watch:
    """Everything that is held against the records as they pass by."""

    def __init__(self, export: Export, grants: Grants, log: Log, report: Report, *, signatures: bool) -> None:
        first = grants.by_epoch[min(grants.by_epoch)].grant
        self._log = log
        self._report = report
        self._receipts = Receipts(export, len(grants.by_epoch))
        self._clocks = Clocks(report)
        is_terminal = first["role"] == "terminal"
        self._presence = Presence(report, first["totals"]["prompts"]) if is_terminal else None
        self.visits = Visits(report)
        self.proofs = Proofs(log, report)
        self.slips = Slips(export, grants, report, signatures=signatures)
        self._anchor: Json | None = None

    def see(self, record: Json, line: int) -> None:
        """Takes in a record that its chain accepted."""
        place, anchor = (record["epoch"], record["seq"]), record["anchor"]
        if anchor is not None and anchor != self._anchor:
            self._anchor = anchor
            if not self._log.has_anchor(anchor):
                self._report.broken(
                    "V7", "no checkpoint says what its anchor says", "records.jws", line, place
                )
        at = moment(record["at"])
        at_ms = milliseconds(at)
        times = [self._receipts.find(place), self.proofs.by_s if self.proofs.due[0] == place[0] else None]
        self._clocks.see(record, at_ms, min((time for time in times if time is not None), default=None))
        if self._presence is not None:
            self._presence.see(record, at)
        self.visits.see(record, at_ms, line)

    def settle(self, place: Pair, octets: bytes, record: Json | None) -> None:
        """Compares what is said of this place with its line."""
        self.proofs.settle(place, octets)
        if self.slips.due <= place:
            self.slips.settle(place, octets, record, self._receipts.find(place), self.visits.agrees)

    def finish(self) -> None:
        """Tells of places that never came and of what never ended."""
        self.proofs.finish()
        self.slips.finish()
        self.visits.finish()


# Step 3: the chains


@dataclass
class Chain:
    """Where an epoch's chain stands; `lost` where its link is only guessed."""

    link: str
    totals: Json | None
    seq: int = -1
    anchor: Json | None = None
    lost: bool = False


class Records:
    """Walks the records once, each epoch's chain by its grant."""

    def __init__(self, export: Export, grants: Grants, log: Log, report: Report, *, signatures: bool) -> None:
        self._export = export
        self._grants = grants
        self._report = report
        self._signatures = signatures
        self._chains: dict[int, Chain] = {}
        self._line = 0
        self._accepted: Json | None = None
        self.erasures = Erasures(report.issuer)
        self._turn_to(min(grants.by_epoch))
        self.acks = Claims(claims_of_acks(export, grants, report), report)
        self._claims = (
            Claims(claims_of_grants(grants), report),
            Claims(claims_of_batches(export, grants), report),
            self.acks,
        )
        self._disclosures = Disclosures(export, report)
        self.watch = Watch(export, grants, log, report, signatures=signatures)

    def run(self) -> int:
        """Reports every broken rule; returns how many lines were read."""
        for octets in self._export.lines("records.jws"):
            self._line += 1
            self._accepted = None
            self._take(octets)
            place, chain = (self._epoch, self._chain.seq), self._chain
            for claims in self._claims:
                claims.settle(place, chain.link, chain.totals)
            self.watch.settle(place, octets, self._accepted)
        for claims in self._claims:
            claims.finish()
        self._disclosures.finish()
        self.watch.finish()
        return self._line

    def newest(self, epoch: int) -> int:
        """The newest seq that was read of an epoch."""
        return self._chains[epoch].seq if epoch in self._chains else -1

    def newest_head(self) -> Json | None:
        """Where the last epoch that was granted ends; None where not even its grant has a link."""
        granted = self._grants.by_epoch[max(self._grants.by_epoch)]
        epoch = granted.grant["epoch"]
        chain = self._chains.get(epoch)
        if chain is not None and chain.seq >= 0:
            return {"epoch": epoch, "seq": chain.seq, "link": chain.link}
        return None if granted.link is None else {"epoch": epoch, "seq": -1, "link": granted.link}

    def _turn_to(self, epoch: int) -> None:
        granted = self._grants.by_epoch[epoch]
        self._epoch = epoch
        fresh = Chain(granted.link or "A" * 43, granted.grant["totals"], lost=granted.link is None)
        self._chain = self._chains.setdefault(epoch, fresh)

    def _take(self, octets: bytes) -> None:
        """Verifies one line."""
        try:
            jws = open_jws(octets, "record1+jws")
            peek = peek_at(jws.payload)
            if (jws.issuer, jws.epoch) != (self._report.issuer, self._epoch) and not self._enter(jws, peek):
                return
            if self._signatures:
                jws.require_signed(self._grants.by_epoch[self._epoch].key)
        except Broken as error:
            self._guess_epoch(octets)
            self._broken(error.rule, error.detail, self._chain.seq + 1)
            self._pass_over(octets)
            self._chain.lost = True
            return
        if peek is None or (peek.issuer, peek.epoch) != (self._report.issuer, self._epoch):
            rule = "V1" if peek is None else "V4"
            self._broken(rule, "it states no place in this chain", self._chain.seq + 1)
            self._pass_over(octets)
            return
        self._align(peek)
        try:
            self._accept(jws)
        except Broken as error:
            self._refuse(octets, error)

    def _enter(self, jws: Jws, peek: Peek | None) -> bool:
        """Turns to the chain that header and payload both name; False where nothing grants it."""
        if peek is None or (peek.issuer, peek.epoch) != (jws.issuer, jws.epoch):
            raise Broken("V2", "the key id is of another chain")
        place = (peek.epoch, peek.seq)
        if jws.epoch not in self._grants.by_epoch or jws.issuer != self._report.issuer:
            self._report.broken(
                "V11", f"no grant for {jws.kid}", "records.jws", self._line, place, issuer=jws.issuer
            )
            return False
        if jws.epoch < self._epoch:
            self._report.broken("V4", "an epoch comes again", "records.jws", self._line, place)
        self._turn_to(jws.epoch)
        return True

    def _guess_epoch(self, octets: bytes) -> None:
        """Turns to the later epoch that a broken line names in header or payload, as far as they can be read."""
        segments = octets.split(b".")
        named: list[tuple[str, int]] = []
        with suppress(Broken):
            named.append(open_header(segments[0], "record1+jws"))
        try:
            peek = peek_at(unb64u(segments[1])) if len(segments) > 1 else None
        except ValueError:
            peek = None
        if peek is not None:
            named.append((peek.issuer, peek.epoch))
        if (self._report.issuer, self._epoch) in named:
            return
        for issuer, epoch in named:
            if issuer == self._report.issuer and epoch in self._grants.by_epoch and epoch > self._epoch:
                self._turn_to(epoch)

    def _align(self, peek: Peek) -> None:
        """Names what keeps the record from being the next, and makes it the next all the same."""
        chain, expected = self._chain, self._chain.seq + 1
        if peek.seq != expected:
            detail = f"seq {peek.seq} where {expected} comes next"
            self._broken("V4", detail, min(peek.seq, expected))
            chain.totals = None
        elif peek.prev == chain.link:
            return
        elif not chain.lost:
            self._broken("V5", "prev is not the link of the record before", peek.seq)
        chain.lost, chain.seq, chain.link = False, peek.seq - 1, peek.prev
        self.watch.visits.pass_over((self._epoch, chain.seq))

    def _accept(self, jws: Jws) -> None:
        """Takes in a record at its place; Broken where what it says is wrong."""
        chain = self._chain
        try:
            record = read_record(jws.payload)
        except ValueError as error:
            raise Broken("V1", str(error)) from error
        require_signer(self._grants.by_epoch[self._epoch].grant["role"], record)
        if chain.totals is not None and record["totals"] != totals_after(
            chain.totals, record["kind"], record["body"]
        ):
            raise Broken("V6", "the totals do not add up")
        require_growth(chain.anchor, record["anchor"])
        require_disclosed(record, self._disclosures.take((self._epoch, record["seq"])))
        chain.seq, chain.link, chain.lost = record["seq"], link_of(jws.octets), False
        chain.totals, chain.anchor = record["totals"], record["anchor"]
        self._accepted = record
        self.watch.see(record, self._line)
        self.erasures.see(record, self._disclosures.given)

    def _refuse(self, octets: bytes, error: Broken) -> None:
        """Leaves out what a record says at its place, and goes on by its link."""
        place = (self._epoch, self._chain.seq + 1)
        is_v10 = error.rule == "V10"
        file, line = ("disclosures.jsonl", self._disclosures.line) if is_v10 else ("records.jws", self._line)
        self._report.broken(error.rule, error.detail, file, line, place)
        self._pass_over(octets)
        self._chain.lost = False

    def _pass_over(self, octets: bytes) -> None:
        """Gives the line the next place."""
        chain = self._chain
        chain.seq, chain.link, chain.totals = chain.seq + 1, link_of(octets), None
        self._disclosures.drop((self._epoch, chain.seq))
        self.watch.visits.pass_over((self._epoch, chain.seq))

    def _broken(self, rule: str, detail: str, seq: int) -> None:
        self._report.broken(rule, detail, "records.jws", self._line, (self._epoch, seq))


def require_signer(role: str, record: Json) -> None:
    """A kind and a channel of this role; Broken (V1) otherwise."""
    kind = record["kind"]
    if kind not in SIGNED_BY_BOTH and (kind in SIGNED_BY_CENTRAL_ALONE) != (role == "central"):
        raise Broken("V1", f"a {kind} is not signed by a {role}")
    channel = "phone" if role == "central" else "tablet"
    if record["body"].get("channel", channel) != channel:
        raise Broken("V1", f"not the channel of a {role}")


def require_growth(before: Json | None, anchor: Json | None) -> None:
    """An anchor goes on from the one before; Broken (V7) otherwise."""
    if before is None or anchor == before:
        return
    if anchor is None or anchor["size"] <= before["size"] or anchor["time"] < before["time"]:
        raise Broken("V7", "its anchor does not go on")


# Step 4: the exchange


def read_batch(payload: bytes) -> Json:
    """A batch's payload."""
    try:
        batch: Json = read_one(payload, BATCH)
        moment(batch["at"])
    except ValueError as error:
        raise Broken("V1", f"batch: {error}") from error
    first, last = batch["from"], batch["to"]
    if not first <= last <= batch["newest"]["seq"] or last - first >= 256:  # noqa: PLR2004 -- records in a batch
        raise Broken("V15", "a range that makes no sense")
    return batch


def require_own(jws: Jws, batch: Json) -> None:
    """A batch is signed by its issuer, in its own epoch or a later one; Broken (V15) otherwise."""
    if batch["issuer"] != jws.issuer or batch["epoch"] > jws.epoch:
        raise Broken("V15", "signed by the key of another chain")


def read_ack(payload: bytes) -> Json:
    """An acknowledgement's payload."""
    try:
        ack: Json = read_one(payload, ACK)
        moment(ack["now"])
    except ValueError as error:
        raise Broken("V1", f"acknowledgement: {error}") from error
    if ack["head"]["epoch"] != ack["epoch"] or any(
        (answer["rule"] is None) != (answer["answer"] != "rejected") for answer in ack["answers"]
    ):
        raise Broken("V1", "acknowledgement: it contradicts itself")
    return ack


@dataclass
class Exchange:
    """Where the exchange about an epoch's records stands; `nonce` is None where it is not known."""

    nonce: str | None
    unanswered: bool = False
    acknowledged: int = -1
    frozen: bool = False


class Exchanges:
    """Walks batches and acknowledgements side by side."""

    def __init__(self, export: Export, grants: Grants, log: Log, report: Report) -> None:
        self._grants = grants
        self._log = log
        self._report = report
        self.epochs = {epoch: Exchange(granted.grant["nonce"]) for epoch, granted in grants.by_epoch.items()}
        self._acks = enumerate(export.lines("acks.jws"), 1)
        self._ack = next(self._acks, None)
        self.acknowledged_at: str | None = None
        for line, octets in enumerate(export.lines("batches.jws"), 1):
            self._take(line, octets)
        while self._ack is not None:
            report.broken("V15", "it answers no batch of this export", "acks.jws", self._ack[0])
            self._ack = next(self._acks, None)

    def _take(self, line: int, octets: bytes) -> None:
        try:
            signer = self._granted(*open_header(octets.partition(b".")[0], "batch1+jws"))
        except Broken as error:
            self._report.broken(error.rule, error.detail, "batches.jws", line)
            self._ack = next(self._acks, None)
            return
        batch, state = self._open(line, octets, signer)
        if state.unanswered:
            self._report.broken("V15", "the one before was not answered", "batches.jws", line)
            state.nonce = None
        if batch is not None:
            place = (batch["epoch"], batch["newest"]["seq"])
            if self._log.contradicts(batch["checkpoint"]):
                self._report.broken("V14", "a split view", "batches.jws", line, place)
            if state.nonce not in {None, batch["nonce"]}:
                self._report.broken("V15", "not the nonce that was given", "batches.jws", line, place)
        state.nonce, state.unanswered = None, True
        if self._ack is not None and self._answer(*self._ack, batch, signer, state):
            state.unanswered = False
            self._ack = next(self._acks, None)

    def _granted(self, issuer: str, epoch: int) -> Granted:
        if epoch not in self._grants.by_epoch or issuer != self._report.issuer:
            raise Broken("V11", f"there is no grant for {issuer}.{epoch}")
        return self._grants.by_epoch[epoch]

    def _open(self, line: int, octets: bytes, signer: Granted) -> tuple[Json | None, Exchange]:
        """The batch, None where it is broken, and the exchange about its epoch, else about its signer's."""
        state = self.epochs[signer.grant["epoch"]]
        try:
            jws = open_jws(octets, "batch1+jws")
            jws.require_signed(signer.key)
            batch = read_batch(jws.payload)
            require_own(jws, batch)
            return batch, self.epochs[self._granted(batch["issuer"], batch["epoch"]).grant["epoch"]]
        except Broken as error:
            self._report.broken(error.rule, error.detail, "batches.jws", line)
            return None, state

    def _answer(self, line: int, octets: bytes, batch: Json | None, signer: Granted, state: Exchange) -> bool:
        """Whether the acknowledgement is this batch's; one that is broken counts as its own."""
        try:
            jws = open_jws(octets, "ack1+jws")
            if jws.kid not in signer.central:
                raise Broken("V15", f"the grant does not list {jws.kid}")  # noqa: TRY301 -- told like the rest
            jws.require_signed(signer.central[jws.kid])
            ack = read_ack(jws.payload)
        except Broken as error:
            self._report.broken(error.rule, error.detail, "acks.jws", line)
            return True
        if batch is not None and ack["client_nonce"] != batch["client_nonce"]:
            return False
        place = None if batch is None else (batch["epoch"], batch["newest"]["seq"])
        if self._log.contradicts(ack["checkpoint"]):
            self._report.broken("V14", "a split view", "acks.jws", line, place)
        accepted = ack["outcome"] == "accepted"
        self.acknowledged_at = ack["now"]
        if batch is not None and (ack["issuer"], ack["epoch"]) != (batch["issuer"], batch["epoch"]):
            self._report.broken("V15", "it names another chain than its batch", "acks.jws", line, place)
        elif batch is not None and accepted and ack["head"]["seq"] < batch["to"]:
            self._report.broken("V15", "a head before what it accepted", "acks.jws", line, place)
        told = self.epochs.get(ack["epoch"], state) if batch is None else state
        told.nonce = ack["nonce"]
        if ack["issuer"] == self._report.issuer and self.epochs.get(ack["epoch"]) is told:
            self._hear(line, ack, batch, told)
        return True

    def _hear(self, line: int, ack: Json, batch: Json | None, state: Exchange) -> None:
        """What central says of this chain."""
        epoch, head = ack["epoch"], ack["head"]["seq"]
        state.acknowledged = max(state.acknowledged, head)
        after = min(head + 1, MAX_SEQ)
        match ack["outcome"]:
            case "frozen" if not state.frozen:
                state.frozen = True
                self._report.broken("V4", "central froze the chain", "acks.jws", line, (epoch, after))
            case "refused" | "revoked" as code:
                self._report.found(code, (epoch, after))
            case "behind":
                seq = after if batch is None else min(batch["newest"]["seq"] + 1, MAX_SEQ)
                self._report.found("behind", (epoch, seq))
        for answer in ack["answers"]:
            if answer["answer"] == "stub":
                self._report.found("stubbed", (epoch, answer["seq"]))
            if answer["rule"] is not None and len(self._report.rejected) < 100:  # noqa: PLR2004 -- as specified
                self._report.rejected.setdefault((epoch, answer["seq"], answer["rule"]))


# All together


@dataclass(frozen=True)
class Trust:
    """What a verifier believes beforehand."""

    roots: dict[str, Key]
    log: list[NoteKey]


def read_trust(octets: bytes) -> Trust:
    """What a trust file states."""
    try:
        require(len(octets) <= 65_536, "a long file")  # noqa: PLR2004 -- as specified
        trust = in_order(read_json(octets), {"root": None, "log": None})
        require(isinstance(trust, dict) and isinstance(trust["root"], list), "no trust file")
        roots = [in_order(named, NAMED_KEY) for named in trust["root"]]
        require(fits(roots, Many(NAMED_KEY, 64, 1)), "not root keys")
        require(fits(trust["log"], Many(re.compile(r".{0,256}", re.DOTALL), 16)), "not verifier keys")
        return Trust(
            {named["kid"]: Key(unb64u(named["key"])) for named in roots},
            [read_vkey(text) for text in trust["log"]],
        )
    except ValueError as error:
        raise Unreadable(f"trust: {error}") from error


def verify(export: Export, trust: Trust | None, *, signatures: bool = True) -> Json:
    """The verdict; the same as that of `merchant-agent verify --json`, but for the words of details."""
    report = Report()
    grants = Grants(export, trust.roots if trust is not None else None, report)
    log = Log(export, trust.log if trust is not None else None, report)
    read = slips = 0
    head = acknowledged_at = None
    if grants.by_epoch:
        records = Records(export, grants, log, report, signatures=signatures)
        read = records.run()
        slips = records.watch.slips.line
        exchanges = Exchanges(export, grants, log, report)
        head, acknowledged_at = records.newest_head(), exchanges.acknowledged_at
        explain(grants, log, records, exchanges, report)
    return {
        "trusted": grants.trusted and log.trusted,
        "signatures": signatures,
        "records": read,
        "slips": slips,
        "checkpoints": log.checkpoints,
        "proofs": len(log.proofs),
        "violations": report.violations,
        "counts": report.counts,
        "findings": report.findings(),
        "fingerprints": grants.fingerprints | log.fingerprints,
        "head": head,
        "acknowledged_at": acknowledged_at,
    }


def explain(grants: Grants, log: Log, records: Records, exchanges: Exchanges, report: Report) -> None:
    """Tells of records behind an epoch's end, without an answer, without words or without a proof."""
    closes = [granted.grant["closes"] for granted in grants.by_epoch.values()]
    closed = {head["epoch"]: head["seq"] for head in closes if head is not None}
    for epoch in grants.by_epoch:
        # Signed by central, and with the link of what stands there.
        ends = {"unanswered": min(exchanges.epochs[epoch].acknowledged, records.acks.met.get(epoch, -1))}
        if epoch in closed:
            ends["late"] = closed[epoch]
        if log.checkpoints:
            ends["unlogged"] = records.watch.proofs.proven.get(epoch, -1)
        for code, end in ends.items():
            if records.newest(epoch) > end:
                report.found(code, (epoch, end + 1), records.newest(epoch) - end)
        missing = records.erasures.unexplained(epoch)
        if missing:
            report.found("undisclosed", (epoch, min(missing)), len(missing))


def tell(verdict: Json) -> str:
    """The verdict in words, a line for each thing."""
    lines, told = [], set()
    for violation in verdict["violations"]:
        rule = violation["rule"]
        if rule not in told:
            told.add(rule)
            more = verdict["counts"][rule] - 1
            where = name(violation["place"]) or f"{violation['file']} line {violation['line']}"
            also = f" (and {more} more)" if more else ""
            lines.append(f"VIOLATED {rule} at {where}: {violation['detail']}{also}")
    lines += [
        f"finding {finding['rule']} {finding['code']} at {name(finding['place'])}: {finding['detail']}"
        for finding in verdict["findings"]
    ]
    if not verdict["trusted"]:
        lines.append("not trusted: not every grant and checkpoint is by a pinned key (--trust). Keys used:")
        lines += [f"  {kid}  SHA-256 {fingerprint}" for kid, fingerprint in verdict["fingerprints"].items()]
    if verdict["head"] is not None:
        head, at = verdict["head"], verdict["acknowledged_at"] or "never"
        where = f"epoch {head['epoch']} seq {head['seq']} link {head['link']}"
        lines.append(f"head: {where}; last acknowledged: {at}; compare with central")
    checked = "signatures checked" if verdict["signatures"] else "hashes only"
    outcome = "violations found" if verdict["violations"] else "no rule is violated"
    trusted = "yes" if verdict["trusted"] else "no"
    lines.append(f"{verdict['records']} records, {checked}: {outcome}; trusted: {trusted}")
    return "\n".join(lines)


def name(place: Json | None) -> str:
    """A place in words."""
    return "" if place is None else f"{place['issuer']} epoch {place['epoch']} seq {place['seq']}"


def main() -> int:
    """Verifies the file that the command line names."""
    parser = argparse.ArgumentParser(description="Check an exported ZIP file against every rule.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", type=Path, help="file that pins central's root key and its log's keys")
    parser.add_argument("--hashes-only", action="store_true", help="leave the records' signatures out")
    parser.add_argument("--json", action="store_true", help="the whole verdict as one JSON object")
    options = parser.parse_args()
    try:
        trust = read_trust(options.trust.read_bytes()) if options.trust is not None else None
        with closing(Export(options.file)) as export:
            verdict = verify(export, trust, signatures=not options.hashes_only)
    except (Unreadable, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    told = json.dumps(verdict, ensure_ascii=False, separators=(",", ":")) if options.json else tell(verdict)
    sys.stdout.write(f"{told}\n")
    return 1 if verdict["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
