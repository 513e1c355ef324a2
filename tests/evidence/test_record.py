"""Records: one encoding, the body of their kind, and totals that count exactly one thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.clock import format_at
from merchant_agent.errors import FormatError
from merchant_agent.evidence.bodies import (
    BODY_TYPES,
    ERASABLE,
    AspectLevel,
    Body,
    ClockBody,
    Closure,
    ComplaintBody,
    DayCloseBody,
    HeartbeatBody,
    Kind,
    LapseBody,
    Opening,
    PromptBody,
    RatingBody,
    ReceiptWord,
    SettingsBody,
    SuggestionBody,
    erasable_of,
)
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Anchor, Place, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import MAX_INTEGER, encode_b64u
from merchant_agent.evidence.record import (
    ABOUT_NOTHING,
    SD_ALG,
    About,
    Record,
    Totals,
    decode_record,
    encode_record,
    is_id,
    new_id,
    peek_record,
)
from tests.evidence.synthetic import (
    LAPSE,
    PROMPT,
    START,
    busy_shop,
    id_of,
    rating_of,
    uuid_of,
)
from tests.vectors.kinds import BODIES as KINDS

CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True)
LABELS = st.text(max_size=64)
LEVELS = st.integers(1, 5)
COUNTS = st.integers(0, MAX_INTEGER)
IDS = st.binary(min_size=8, max_size=8).map(encode_b64u)
LINKS = st.binary(min_size=32, max_size=32).map(encode_b64u)
DAYS = st.dates().map(lambda day: day.isoformat())
CLAIMS = st.none() | LINKS
CHANNELS = st.sampled_from(["tablet", "phone"])
TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001 -- aware below
    lambda moment: format_at(moment.replace(tzinfo=UTC))
)
BODIES: dict[Kind, st.SearchStrategy[Body]] = {
    Kind.PROMPT: st.builds(
        PromptBody,
        till=LABELS,
        source=st.sampled_from(["http", "printer", "folder", "odoo", "manual"]),
        sale=st.sampled_from(["counter", "table", "takeaway", "delivery"]),
        asks=st.booleans(),
        tag=IDS,
    ),
    Kind.LAPSE: st.builds(
        LapseBody, reason=st.sampled_from(["declined", "timed_out", "next_sale", "withdrawn"])
    ),
    Kind.RATING: st.builds(
        RatingBody,
        level=LEVELS,
        aspects=st.lists(
            st.builds(AspectLevel, aspect=CODES, level=LEVELS),
            max_size=16,
            unique_by=lambda aspect: aspect.aspect,
        ).map(tuple),
        tags=st.lists(CODES, max_size=32, unique=True).map(tuple),
        channel=CHANNELS,
        ended=st.sampled_from(["done", "left", "idle", "recovered"]),
        dwell_ms=COUNTS,
        lang=CODES,
        catalogue=CODES,
        claim=CLAIMS,
    ),
    Kind.SUGGESTION: st.builds(SuggestionBody, channel=CHANNELS, lang=CODES, catalogue=CODES, claim=CLAIMS),
    Kind.COMPLAINT: st.builds(
        ComplaintBody,
        categories=st.lists(CODES, max_size=32, unique=True).map(tuple),
        remedies=st.lists(CODES, max_size=32, unique=True).map(tuple),
        channel=CHANNELS,
        lang=CODES,
        catalogue=CODES,
        claim=CLAIMS,
        consents=st.lists(st.sampled_from(["authority", "shop"]), unique=True).map(tuple),
        notice=CODES,
        first=st.just("shop"),
    )
    | st.builds(
        ComplaintBody,
        categories=st.just(()),
        remedies=st.just(()),
        channel=CHANNELS,
        lang=CODES,
        catalogue=CODES,
        claim=CLAIMS,
        consents=st.just(()),
        notice=st.none(),
        first=st.just("station"),
    ),
    Kind.HEARTBEAT: st.builds(HeartbeatBody, waiting=COUNTS),
    Kind.DAY_CLOSE: st.builds(DayCloseBody, day=DAYS, prompts=COUNTS, sales=st.none() | COUNTS),
    Kind.CLOCK: st.builds(
        ClockBody, wall_ms=st.integers(-MAX_INTEGER, MAX_INTEGER), boot_ms=st.none() | COUNTS
    ),
    Kind.SETTINGS: st.builds(
        SettingsBody,
        opening=st.lists(
            st.builds(
                Opening,
                weekday=st.integers(1, 7),
                from_=st.sampled_from(["00:00", "09:30"]),
                to=st.sampled_from(["02:00", "24:00"]),
            ),
            max_size=21,
        ).map(tuple),
        closures=st.lists(DAYS.map(lambda day: Closure(first=day, last=day)), max_size=60).map(tuple),
        words=st.lists(
            st.builds(
                ReceiptWord,
                sort=st.sampled_from(["order", "kitchen"]),
                word=st.text("桌号a", min_size=1, max_size=24),
            ),
            max_size=8,
            unique=True,
        ).map(tuple),
    ),
}
SAMPLES: dict[Kind, Body] = {**KINDS, Kind.LAPSE: LAPSE}
OF_NO_PROMPT = {
    Kind.PROMPT,
    Kind.START,
    Kind.HEARTBEAT,
    Kind.DAY_CLOSE,
    Kind.CLOCK,
    Kind.SETTINGS,
    Kind.ROTATE,
    Kind.OUTAGE,
    Kind.RECOVER,
    Kind.END,
    Kind.REVOKE,
}
COUNTED = {Kind.PROMPT, Kind.LAPSE, Kind.RATING, Kind.SUGGESTION, Kind.COMPLAINT}
PAYLOADS = [decode_jws(octets, Typ.RECORD).payload for octets in busy_shop().records]


ANCHORS = st.builds(Anchor, size=st.integers(1, MAX_INTEGER), root=LINKS, time=COUNTS)


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(Kind))
    seq = draw(st.integers(1, MAX_SEQ))
    prompt = Place(issuer=draw(IDS), epoch=draw(st.integers(1, MAX_EPOCH)), seq=draw(st.integers(0, seq - 1)))
    body = draw(BODIES.get(kind, st.just(SAMPLES[kind])))
    answers = kind is Kind.LAPSE or (kind not in OF_NO_PROMPT and draw(st.booleans()))
    return Record(
        issuer=draw(IDS),
        epoch=draw(st.integers(1, MAX_EPOCH)),
        seq=seq,
        prev=draw(LINKS),
        kind=kind,
        id=uuid_of(draw(st.integers(0, 2**48 - 1))),
        at=draw(TIMES),
        boot=draw(IDS),
        uptime_ms=draw(COUNTS),
        anchor=draw(st.none() | ANCHORS),
        totals=Totals(
            prompts=draw(COUNTS),
            lapses=draw(COUNTS),
            ratings=draw(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)),
            suggestions=draw(COUNTS),
            complaints=draw(COUNTS),
            returns=draw(COUNTS),
        ),
        about=About(prompt=prompt if answers else None, case=draw(st.none() | st.just(uuid_of(7)))),
        body=body,
        sd=tuple(sorted(draw(st.sets(LINKS, max_size=len(erasable_of(kind, body)))))),
        sd_alg=SD_ALG,
    )


@given(records())
def test_records_survive(record: Record) -> None:
    payload = encode_record(record)
    assert encode_record(decode_record(payload)) == payload
    assert msgspec.to_builtins(decode_record(payload)) == msgspec.to_builtins(record)
    assert peek_record(payload).seq == record.place.seq


def test_every_proper_prefix_is_refused() -> None:
    for payload in PAYLOADS[:9]:
        for length in range(len(payload)):
            with pytest.raises(FormatError):
                decode_record(payload[:length])


@given(st.sampled_from(PAYLOADS), st.data())
def test_whatever_is_taken_is_the_one_encoding(payload: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(payload)))
    cut = data.draw(st.integers(position, min(len(payload), position + 3)))
    changed = payload[:position] + data.draw(st.binary(max_size=3)) + payload[cut:]
    try:
        record = decode_record(changed)
    except FormatError:
        return
    assert encode_record(record) == changed


@given(st.binary())
def test_no_octets_crash_the_reader(payload: bytes) -> None:
    for reader in (decode_record, peek_record):
        with pytest.raises(FormatError):
            reader(payload)


def test_a_place_is_read_although_the_rest_is_malformed() -> None:
    peek = peek_record(PAYLOADS[1].split(b'"kind"')[0])
    assert (peek.issuer, peek.epoch, peek.seq) == (id_of("shop"), 1, 1)


@pytest.mark.parametrize(
    ("old", "new"), [(b'"epoch":1', b'"epoch":65536'), (b'"seq":0', b'"seq":4294967296')]
)
def test_a_place_beyond_the_bounds_is_not_read(old: bytes, new: bytes) -> None:
    with pytest.raises(FormatError):
        peek_record(PAYLOADS[0].replace(old, new))


def test_a_record_that_no_reader_would_take_is_not_written() -> None:
    record = decode_record(PAYLOADS[1])
    for body in (rating_of(0), rating_of(6), PROMPT):
        members = {name: getattr(record, name) for name in record.__struct_fields__}
        with pytest.raises(FormatError):
            encode_record(Record(**{**members, "body": body}))


@pytest.mark.parametrize("kind", Kind)
def test_a_body_of_another_kind_is_refused(kind: Kind) -> None:
    record = decode_record(PAYLOADS[0])
    members = {name: getattr(record, name) for name in record.__struct_fields__}
    about = About(prompt=Place(issuer=id_of("other"), epoch=1, seq=0), case=None)
    for other in Kind:
        made = Record(
            **{
                **members,
                "seq": 9,
                "kind": kind,
                "body": SAMPLES[other],
                "about": ABOUT_NOTHING if kind in OF_NO_PROMPT else about,
            }
        )
        if other is kind:
            encode_record(made)
        else:
            with pytest.raises(FormatError):
                encode_record(made)


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_a_kind_counts_itself_alone(kind: Kind) -> None:
    before = Totals.zero()
    after = before.after(kind, SAMPLES[kind])
    counts = [after.prompts, after.lapses, *after.ratings, after.suggestions, after.complaints, after.returns]
    assert sum(counts) == 1


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in COUNTED])
def test_other_kinds_count_nowhere(kind: Kind) -> None:
    assert Totals.zero().after(kind, SAMPLES[kind]) == Totals.zero()


@pytest.mark.parametrize("level", range(1, 6))
def test_a_rating_counts_at_its_level(level: int) -> None:
    ratings = Totals.zero().after(Kind.RATING, rating_of(level)).ratings
    assert ratings[level - 1] == 1


def test_every_kind_has_a_body_and_erasable_members() -> None:
    assert set(BODY_TYPES) == set(ERASABLE) == set(Kind)


def test_new_ids_are_uuids_of_version_7_in_the_order_of_their_moments() -> None:
    ids = [new_id(START + timedelta(milliseconds=number)) for number in range(50)]
    assert all(is_id(text) for text in ids)
    assert all(one < two for one, two in pairwise(ids))
    assert new_id(START) != new_id(START)


@pytest.mark.parametrize(
    "text", ["", uuid_of(1).upper(), uuid_of(1) + "\n", uuid_of(1).replace("-7", "-4", 1)]
)
def test_other_ids_are_refused(text: str) -> None:
    assert not is_id(text)


def test_a_moment_before_1970_still_makes_an_id() -> None:
    assert is_id(new_id(datetime(1960, 1, 1, tzinfo=UTC)))


@given(TIMES)
def test_times_survive(text: str) -> None:
    assert format_at(parse_at(text)) == text


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", fullmatch=True))
def test_no_text_crashes_the_reader_of_times(text: str) -> None:
    try:
        moment = parse_at(text)
    except FormatError:
        return
    assert format_at(moment) == text
