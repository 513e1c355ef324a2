"""Vectors of every kind of record, each with what types alone would let pass."""

from __future__ import annotations

from collections.abc import Mapping

from merchant_agent.evidence.bodies import (
    AdditionBody,
    Body,
    ClockBody,
    Closure,
    ComplaintBody,
    ConfirmBody,
    DayCloseBody,
    DisputeBody,
    EndBody,
    EraseBody,
    FindingBody,
    HeartbeatBody,
    Kind,
    Opening,
    OutageBody,
    ReceiptWord,
    RecoverBody,
    ReplyBody,
    RevokeBody,
    RotateBody,
    SettingsBody,
    StartBody,
    SupersedeBody,
)
from merchant_agent.evidence.fields import Anchor, Place
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, SD_ALG, Record, Totals, encode_record
from tests.evidence.synthetic import (
    BOOT,
    COMPLAINT,
    PROMPT,
    START_TEXT,
    SUGGESTION,
    id_of,
    octets_of,
    rating_of,
    uuid_of,
)
from tests.vectors.forms import Vector, octets_vector

_SEQ = 8
_PLACE = Place(issuer=id_of("shop"), epoch=1, seq=3)
_REPLIED = f'{{"issuer":"{id_of("shop")}","epoch":1,"seq":3}}'
_LINK = encode_b64u(octets_of("some link", 32))
BODIES: Mapping[Kind, Body] = {
    Kind.PROMPT: PROMPT,
    Kind.RATING: rating_of(1),
    Kind.SUGGESTION: SUGGESTION,
    Kind.COMPLAINT: ComplaintBody(
        categories=COMPLAINT.categories,
        remedies=COMPLAINT.remedies,
        channel="phone",
        lang="zh",
        catalogue="2026-1",
        claim=_LINK,
        consents=("authority", "shop"),
        notice="2026-1",
        first="shop",
    ),
    Kind.REPLY: ReplyBody(to=_PLACE),
    Kind.START: StartBody(software="merchant-agent 0.1.0", clean=False),
    Kind.HEARTBEAT: HeartbeatBody(waiting=3),
    Kind.DAY_CLOSE: DayCloseBody(day="2026-05-20", prompts=412, sales=None),
    Kind.CLOCK: ClockBody(wall_ms=-3_600_000, boot_ms=None),
    Kind.SETTINGS: SettingsBody(
        opening=(
            Opening(weekday=1, from_="08:00", to="24:00"),
            Opening(weekday=5, from_="18:00", to="02:00"),
        ),
        closures=(Closure(first="2026-10-01", last="2026-10-07"),),
        words=(ReceiptWord(sort="order", word="桌牌"), ReceiptWord(sort="kitchen", word="出菜")),
    ),
    Kind.ROTATE: RotateBody(reason="planned"),
    Kind.OUTAGE: OutageBody(reason="key", since=START_TEXT, kept=2),
    Kind.RECOVER: RecoverBody(reason="restored"),
    Kind.ERASE: EraseBody(place=_PLACE, members=("comment", "contact"), reason="request"),
    Kind.END: EndBody(reason="replaced"),
    Kind.SUPERSEDE: SupersedeBody(place=_PLACE, level=4, confirmed="call_back"),
    Kind.DISPUTE: DisputeBody(place=_PLACE, contested=True),
    Kind.CONFIRM: ConfirmBody(place=_PLACE, by="counter"),
    Kind.ADDITION: AdditionBody(place=_PLACE, lang="zh", consents=("shop",), notice="2026-1"),
    Kind.FINDING: FindingBody(code="broken_promise", place=_PLACE, leaf=_LINK, due_at=START_TEXT),
    Kind.REVOKE: RevokeBody(issuer=id_of("shop"), epoch=1, through=None),
}


def kinds() -> Vector:
    good = {kind.value: _payload(kind, body) for kind, body in BODIES.items()}
    return {
        "good": [{"kind": kind, **octets_vector(payload)} for kind, payload in good.items()],
        "bad": [
            {"name": name, "rule": "V1", **octets_vector(payload)}
            for name, payload in (_bad(good) | _bad_anchors(good["heartbeat"])).items()
        ],
    }


def _payload(kind: Kind, body: Body) -> bytes:
    record = Record(
        issuer=id_of("shop"),
        epoch=1,
        seq=_SEQ,
        prev=_LINK,
        kind=kind,
        id=uuid_of(1),
        at=START_TEXT,
        boot=BOOT,
        uptime_ms=1000,
        anchor=Anchor(size=41, root=_LINK, time=1_779_249_600),
        totals=Totals.zero(),
        about=ABOUT_NOTHING,
        body=body,
        sd=(),
        sd_alg=SD_ALG,
    )
    return encode_record(record)


def _bad(good: Mapping[str, bytes]) -> dict[str, bytes]:
    about = b'"prompt":{"issuer":"%s","epoch":1,"seq":3}' % id_of("shop").encode()
    cases = {
        "a consent twice": ("complaint", b'["authority","shop"]', b'["shop","shop"]'),
        "a consent without a notice": ("complaint", b'"notice":"2026-1"', b'"notice":null'),
        "a consent to be called later without a notice": ("addition", b'"notice":"2026-1"', b'"notice":null'),
        "a complaint for the station alone in clear": ("complaint", b'"first":"shop"', b'"first":"station"'),
        "a complaint for nobody": ("complaint", b'"first":"shop"', b'"first":"nobody"'),
        "a complaint that does not say for whom": ("complaint", b',"first":"shop"', b""),
        "a consent for others": ("complaint", b'"shop"', b'"anybody"'),
        "no claim": ("rating", b',"claim":null', b""),
        "a claim of 42 characters": ("complaint", _LINK.encode(), _LINK[:-1].encode()),
        "a heartbeat about a prompt": ("heartbeat", b'"prompt":null', about),
        "a revocation about a prompt": ("revoke", b'"prompt":null', about),
        "a negative count waiting": ("heartbeat", b'"waiting":3', b'"waiting":-1'),
        "30 February": ("day_close", b"2026-05-20", b"2026-02-30"),
        "a day in another form": ("day_close", b'"day":"2026-05-20"', b'"day":"20260520"'),
        "a wall clock beyond 2^53": ("clock", b"-3600000", b"-9007199254740993"),
        "an eighth weekday": ("settings", b'"weekday":5', b'"weekday":8'),
        "hours from 24:00": ("settings", b'"from":"08:00"', b'"from":"24:00"'),
        "hours that are none": ("settings", b'"to":"02:00"', b'"to":"18:00"'),
        "a time of day that is none": ("settings", b'"to":"02:00"', b'"to":"25:00"'),
        "a closure that ends before it begins": ("settings", b"2026-10-07", b"2026-09-30"),
        "a word that stands twice": (
            "settings",
            '"sort":"kitchen","word":"出菜"'.encode(),
            '"sort":"order","word":"桌牌"'.encode(),
        ),
        "a word for what nobody prints": ("settings", b'"sort":"kitchen"', b'"sort":"receipt"'),
        "a word without letters": ("settings", '"word":"桌牌"'.encode(), b'"word":""'),
        "a closure to a day that is none": ("settings", b"2026-10-07", b"2026-11-31"),
        "an outage since no time": ("outage", START_TEXT.encode() + b'","kept', b'noon","kept'),
        "a finding due at no time": ("finding", b'"due_at":"%s"' % START_TEXT.encode(), b'"due_at":""'),
        "an unknown outage": ("outage", b'"key"', b'"whim"'),
        "an unknown recovery": ("recover", b'"restored"', b'"whim"'),
        "a reply to nothing": ("reply", _REPLIED.encode(), b"null"),
        "nothing erased": ("erase", b'["comment","contact"]', b"[]"),
        "a member erased twice": ("erase", b'["comment","contact"]', b'["comment","comment"]'),
        "an unknown reason": ("rotate", b'"planned"', b'"because"'),
        "an unknown finding": ("finding", b'"broken_promise"', b'"bad_mood"'),
        "a revoked seq of -1": ("revoke", b'"through":null', b'"through":-1'),
    }
    later = {
        f"a {kind} of a later place": good[kind].replace(
            b'"seq":3}', b'"seq":%d}' % _SEQ if kind == "erase" else b'"seq":99}'
        )
        for kind in ("erase", "supersede", "dispute", "confirm", "addition", "finding", "reply")
    }
    return {name: good[kind].replace(old, new) for name, (kind, old, new) in cases.items()} | later


def _bad_anchors(heartbeat: bytes) -> dict[str, bytes]:
    return {
        "an anchor of an empty log": heartbeat.replace(b'"size":41', b'"size":0'),
        "an anchor before 1970": heartbeat.replace(b'"time":1779249600', b'"time":-1'),
        "an anchor without a time": heartbeat.replace(b',"time":1779249600', b""),
        "an anchor with a root of 42 characters": heartbeat.replace(
            b'"root":"%s"' % _LINK.encode(), b'"root":"%s"' % _LINK[:-1].encode()
        ),
    }
