"""What central says about a shop reaches its terminal once, verified, or is refused and told of."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from merchant_agent.central.erasure import erase as erase_at_central
from merchant_agent.central.merchants import change_merchant
from merchant_agent.central.own_chain import append_own
from merchant_agent.central.rebuild import rebuild as rebuild_central
from merchant_agent.central.store.models import Reply as CentralReply
from merchant_agent.clock import Reading, format_at
from merchant_agent.domain.merchants import Merchant
from merchant_agent.domain.promises import Promise
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.bodies import (
    Body,
    ConfirmBody,
    DisputeBody,
    EraseBody,
    FindingBody,
    FindingCode,
    Kind,
    RatingBody,
    SuggestionBody,
    SupersedeBody,
)
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import (
    Grant,
    NamedKey,
    Policy,
    decode_grant,
    new_issuer_id,
    new_nonce,
    sign_grant,
)
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import ABOUT_NOTHING, Totals, decode_record, new_id
from merchant_agent.evidence.requests import verify_request
from merchant_agent.evidence.verify import verify_export
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.sqlite import SqliteFile
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.erasure import find_by_code
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.inbox import Inbox, Seen
from merchant_agent.terminal.messages import Message, count_open, explain, list_messages
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.models import InboxContradiction, InboxRecord, Reply
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Code
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.enrolled import CATALOGUE, OfflineCentral, ask, complain, enrolled_journal, rate
from tests.live_central import SHOP, LiveCentral
from tests.upstream import Reply as Answer
from tests.upstream import Request, Upstream

LEAF = "A" * 43
MINUTE_S = 60
RATING = RatingBody(
    level=1,
    aspects=(),
    tags=(),
    channel="phone",
    ended="done",
    dwell_ms=0,
    lang="zh",
    catalogue=CATALOGUE,
    claim=None,
)


def finding(
    place: Place | None = None, code: FindingCode = "broken_promise", leaf: str = LEAF
) -> FindingBody:
    return FindingBody(code=code, place=place, leaf=leaf, due_at="2026-05-21T11:00:00.000+08:00")


class Reader:
    """A terminal whose uploads look into the inbox."""

    def __init__(self, path: Path, clock: ManualClock, client: Client) -> None:
        self.path, self.clock, self.client = path, clock, client

    def open(self, url: str) -> None:
        settings = TerminalSettings(data=self.path, central_url=url, ballast_bytes=0)
        self.terminal: Terminal = open_terminal(settings, self.clock)
        self.inbox = Inbox(self.terminal, self.client)
        chance = random.Random(7)  # noqa: S311 -- the same every time
        self.uploader = Uploader(self.terminal, self.client, rng=chance, inbox=self.inbox)

    def close(self) -> None:
        close_terminal(self.terminal)

    def run(self) -> None:
        """A minute later everything is sent, and the inbox read."""
        self.clock.advance(MINUTE_S)
        assert self.uploader.run_once().code in {Code.ACCEPTED, Code.NOTHING}

    def alarms(self) -> list[str]:
        with self.terminal.store.read() as reader:
            return [alarm.code for alarm in open_alarms(reader)]

    def told(self) -> list[tuple[int, str]]:
        with self.terminal.store.read() as reader:
            rows = reader.all(InboxRecord.select().order_by(InboxRecord.seq))
        return [(row.seq, row.kind) for row in rows]

    def messages(self) -> list[Message]:
        with self.terminal.store.read() as reader:
            return list_messages(self.terminal, reader)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(read_timeout_s=10, deadline_s=20)
    yield client
    client.close()
    client.release()


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock, client: Client, live_central: LiveCentral) -> Iterator[Reader]:
    """A terminal enrolled at a real central."""
    reader = Reader(tmp_path / "terminal", clock, client)
    reader.open(live_central.url)
    assert isinstance(enrol(reader.terminal, live_central.url, live_central.code()), Enrolled)
    yield reader
    reader.close()


def say(central: LiveCentral, kind: Kind, body: Body) -> int:
    """Central's own chain says it; at which seq."""
    with central.central.store.write() as tx:
        return append_own(central.central, tx, central.merchant, kind, body).place.seq


def test_what_is_for_the_shop_comes_once_and_levels_never(shop: Reader, live_central: LiveCentral) -> None:
    shop.run()
    assert shop.told() == []
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    shop.run()
    for kind, body in (
        (Kind.RATING, RATING),
        (Kind.SUPERSEDE, SupersedeBody(place=rating.place, level=1, confirmed="phone")),
        (Kind.FINDING, finding(rating.place)),
        (Kind.RATING, RATING),
        (Kind.DISPUTE, DisputeBody(place=rating.place, contested=False)),
        (Kind.CONFIRM, ConfirmBody(place=rating.place, by="call_back")),
        (Kind.RATING, RATING),
    ):
        say(live_central, kind, body)
    shop.run()
    assert shop.told() == [(2, "finding"), (4, "dispute"), (5, "confirm")]
    say(live_central, Kind.FINDING, finding(rating.place, "late"))
    shop.run()
    shop.run()
    assert [seq for seq, _ in shop.told()] == [2, 4, 5, 7]
    assert shop.alarms() == ["finding"]


def test_a_long_silence_comes_in_pages(shop: Reader, live_central: LiveCentral) -> None:
    """Hundreds of answers by phone, of which the shop may know the links alone, and findings between them."""
    shop.run()
    with live_central.central.store.write() as tx:
        for number in range(1300):
            body = finding(None, "silent") if number in {700, 1299} else RATING
            kind = Kind.FINDING if isinstance(body, FindingBody) else Kind.RATING
            append_own(live_central.central, tx, live_central.merchant, kind, body)
    shop.run()
    assert shop.told() == [(700, "finding"), (1299, "finding")]


def test_it_is_read_at_most_once_a_minute(
    shop: Reader, live_central: LiveCentral, clock: ManualClock
) -> None:
    shop.run()
    say(live_central, Kind.FINDING, finding())
    shop.uploader.run_once()
    clock.advance(MINUTE_S - 1)
    shop.uploader.run_once()
    assert shop.told() == []
    clock.advance(1)
    shop.uploader.run_once()
    assert shop.told() == [(0, "finding")]


def test_after_a_restart_it_goes_on_where_it_was(shop: Reader, live_central: LiveCentral) -> None:
    say(live_central, Kind.FINDING, finding())
    shop.run()
    shop.close()
    shop.open(live_central.url)
    say(live_central, Kind.RATING, RATING)
    say(live_central, Kind.FINDING, finding(None, "silent"))
    shop.run()
    assert shop.told() == [(0, "finding"), (2, "finding")]


def test_the_shop_explains_a_finding_once(shop: Reader, live_central: LiveCentral) -> None:
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    shop.run()
    seq = say(live_central, Kind.FINDING, finding(rating.place, leaf=encode_b64u(rating.leaf)))
    shop.run()
    message = shop.messages()[0]
    assert (message.query_code, message.is_open) == (rating.query_code, True)
    # Found on a Wednesday: public once the Monday after is over.
    assert format_at(message.public_at or shop.clock.now())[:10] == "2026-05-26"
    for wrong in ("", " \n ", "很" * 501):
        with pytest.raises(InvalidError):
            explain(shop.terminal, seq, wrong, who="manager")
    with pytest.raises(NotFoundError):
        explain(shop.terminal, seq + 1, "停电", who="manager")
    explain(shop.terminal, seq, "  停电了\r\n两小时 ", who="manager")
    explanation = shop.messages()[0].explanation
    assert explanation is not None
    assert (explanation.text, explanation.received) == ("停电了\n两小时", False)
    with pytest.raises(ConflictError):
        explain(shop.terminal, seq, "又停电", who="manager")
    assert shop.alarms() == []
    shop.run()
    explanation = shop.messages()[0].explanation
    assert explanation is not None
    assert explanation.received
    with live_central.central.store.read() as reader:
        row = reader.first(CentralReply.select())
    assert row is not None
    assert (row.comment, row.to_seq) == ("停电了\n两小时", seq)
    assert rebuild_central(live_central.central.store).count == 0
    assert rebuild(shop.terminal.store).count == 0
    with shop.terminal.store.read() as reader:
        assert count_open(shop.terminal, reader) == 0


def test_what_came_late_is_told_with_its_finding(shop: Reader, live_central: LiveCentral) -> None:
    shop.run()
    say(live_central, Kind.FINDING, finding())
    say(live_central, Kind.FINDING, finding(code="late"))
    say(live_central, Kind.FINDING, finding(code="late", leaf="B" * 42 + "A"))
    shop.run()
    assert [(one.code, one.arrived_at is None) for one in shop.messages()] == [
        ("late", False),
        ("broken_promise", False),
    ]
    assert shop.alarms() == ["finding"]


@pytest.mark.parametrize("explained", ["explanation", "complaint"])
def test_what_an_officer_erased_is_erased_here_too(
    shop: Reader, live_central: LiveCentral, tmp_path: Path, explained: str
) -> None:
    """And the shop's export says so."""
    complaint = complain(shop.terminal.journal, None, comment="短斤少两", order="A1", amount="64.00 CNY")
    shop.run()
    seq = say(live_central, Kind.FINDING, finding(complaint.place))
    shop.run()
    place = complaint.place
    if explained == "explanation":
        explain(shop.terminal, seq, "张先生弄错了", who="manager")
        shop.run()
        with shop.terminal.store.read() as reader:
            row = reader.first(Reply.select())
        assert row is not None
        place = Place(issuer=place.issuer, epoch=row.epoch, seq=row.seq)
    erase_at_central(live_central.central, live_central.merchant, place, who="officer")
    shop.run()
    shop.run()
    if explained == "complaint":
        with pytest.raises(NotFoundError):
            find_by_code(shop.terminal, complaint.query_code)
    else:
        explanation = shop.messages()[0].explanation
        assert explanation is not None
        assert explanation.text is None
    out = tmp_path / "export.zip"
    trust = live_central.central.identity.trust()
    export_terminal(shop.path, out)
    with ExportZip(out) as source:
        verdict = verify_export(source, trust)
    assert not verdict.violations
    assert "undisclosed" not in {found.code for found in verdict.findings}
    # Central carries the terminal's own word out too, and finds nothing left.
    shop.run()
    assert [kind for _, kind in shop.told()] == ["finding", "erase"]


def test_what_central_erased_for_its_age_is_left_to_the_terminals_own_setting(
    shop: Reader, live_central: LiveCentral
) -> None:
    complaint = complain(shop.terminal.journal, None, comment="短斤少两")
    shop.run()
    say(
        live_central,
        Kind.ERASE,
        EraseBody(place=complaint.place, members=("comment",), reason="retention"),
    )
    shop.run()
    assert shop.told() == [(0, "erase")]
    assert find_by_code(shop.terminal, complaint.query_code) == complaint.place


class Word:
    """Central's own chain about a shop, as a central signs it that may lie."""

    def __init__(self, central: OfflineCentral, clock: ManualClock, **changed: object) -> None:
        self.clock = clock
        self.key = SigningKey.generate()
        issuer, root = new_issuer_id(), changed.pop("root", central.root)
        members = {
            "issuer": issuer,
            "epoch": 1,
            "merchant": central.merchant_id,
            "role": "central",
            "key": encode_b64u(self.key.public),
            "nonce": new_nonce(),
            "totals": Totals.zero(),
            "deadline_hours": 24,
            "policy": Policy(ask="receipt"),
            "sealing_key": encode_b64u(central.sealing.public_key().public_bytes_raw()),
            "central": (NamedKey(kid=f"{central.issuer}.2", key=encode_b64u(central.ack.public)),),
            "closes": None,
            "at": format_at(clock.now()),
        } | changed
        grant = Grant(**members)  # type: ignore[arg-type]
        self.grant = sign_grant(root, central.issuer, 1, grant)  # type: ignore[arg-type]
        self.chain = Chain.begin(self.grant, grant)
        self.records: list[bytes] = []

    def fork(self) -> Word:
        """The same chain, begun again."""
        other = copy.copy(self)
        other.chain = Chain.begin(self.grant, decode_grant(decode_jws(self.grant, Typ.GRANT).payload))
        other.records = []
        return other

    def say(self, body: Body | None = None) -> bytes:
        body = body or finding()
        kinds = {FindingBody: Kind.FINDING, DisputeBody: Kind.DISPUTE, SuggestionBody: Kind.SUGGESTION}
        kind = kinds[type(body)]
        now = self.clock.now()
        reading = Reading(at=now, boot="AAAAAAAAAAA", uptime_ms=len(self.records))
        octets = append_record(self.chain, self.key, kind, new_id(now), reading, ABOUT_NOTHING, body)
        self.chain.accept(octets)
        self.records.append(octets)
        return octets

    def page(self, after: int = -1, **changed: object) -> Answer:
        """An honest answer, unless told otherwise."""
        entries = [octets.decode() for octets in self.records[after + 1 :]]
        last = len(self.records) - 1
        told = {"grant": self.grant.decode(), "records": entries, "next": last, "last": last} | changed
        return Answer(status=200, body=encode_json(told), headers={"Content-Type": "application/json"})


class Lied:
    """A terminal that reads from a scripted server."""

    def __init__(self, reader: Reader, upstream: Upstream, central: OfflineCentral) -> None:
        self.reader, self.upstream, self.central = reader, upstream, central

    def look(self, *answers: Answer) -> Seen | None:
        self.upstream.script(*answers)
        self.reader.clock.advance(MINUTE_S)
        return self.reader.inbox.look(self.upstream.url)

    def contradictions(self) -> list[str]:
        with self.reader.terminal.store.read() as reader:
            return [row.rule for row in reader.all(InboxContradiction.select())]


@pytest.fixture
def lied(tmp_path: Path, clock: ManualClock, client: Client) -> Iterator[Lied]:
    central = OfflineCentral()
    enrolled_journal(tmp_path / "terminal", clock, central).close()
    reader = Reader(tmp_path / "terminal", clock, client)
    with Upstream() as upstream:
        reader.open(upstream.url)
        yield Lied(reader, upstream, central)
        reader.close()


def test_the_request_is_signed_over_what_is_asked(lied: Lied, clock: ManualClock) -> None:
    word = Word(lied.central, clock)
    word.say()
    assert lied.look(word.page()) is Seen.READ
    assert lied.look(word.page(0)) is Seen.READ
    request: Request = lied.upstream.requests[1]
    identity = lied.reader.terminal.journal.identity
    assert request.path == f"/api/v1/terminals/{identity.issuer}/inbox?after=0"
    header, key = request.headers["authorization"], identity.grant.verifying_key()
    verify_request(header, key, "inbox", identity.issuer, identity.grant.nonce, "0")


def _foreign_root(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock, root=SigningKey.generate())
    word.say()
    return word.page()


def _of_a_terminal(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock, role="terminal")
    word.say(SuggestionBody(channel="tablet", lang="zh", catalogue=CATALOGUE, claim=None))
    return word.page()


def _of_another_shop(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock, merchant=new_issuer_id())
    word.say()
    return word.page()


def _left_out(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock)
    word.say()
    word.say()
    return word.page(0)


def _cut(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock)
    word.say()
    word.say()
    return word.page(records=[word.records[0].decode()])


def _other_link(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock)
    word.say()
    word.say()
    return word.page(records=[LEAF, word.records[1].decode()])


def _changed(central: OfflineCentral, clock: ManualClock) -> Answer:
    word = Word(central, clock)
    octets = word.say()
    changed = octets[:-9] + (b"A" if octets[-9:-8] != b"A" else b"B") + octets[-8:]
    return word.page(records=[changed.decode()])


def _of_another_key(central: OfflineCentral, clock: ManualClock) -> Answer:
    word, other = Word(central, clock), Word(central, clock)
    other.say()
    return word.page(records=[other.records[0].decode()], next=0, last=0)


@pytest.mark.parametrize(
    "attack",
    [
        *(_foreign_root, _of_a_terminal, _of_another_shop),
        *(_left_out, _cut, _other_link, _changed, _of_another_key),
    ],
)
def test_what_is_not_centrals_whole_word_is_refused(
    lied: Lied, clock: ManualClock, attack: Callable[[OfflineCentral, ManualClock], Answer]
) -> None:
    assert lied.look(attack(lied.central, clock)) is Seen.REFUSED
    assert lied.reader.told() == []
    assert lied.reader.alarms() == ["inbox-contradiction"]
    word = Word(lied.central, clock)
    word.say()
    assert lied.look(word.page()) is Seen.READ
    assert lied.reader.alarms() == ["finding"]


def test_a_fork_is_refused_and_kept(lied: Lied, clock: ManualClock) -> None:
    """Central signs another second record than its first one goes on to."""
    word = Word(lied.central, clock)
    word.say()
    assert lied.look(word.page()) is Seen.READ
    fork = word.fork()
    clock.advance(1)
    fork.say(finding(code="silent"))
    fork.say()
    assert lied.look(fork.page(0)) is Seen.REFUSED
    assert lied.contradictions() == ["V5"]
    assert lied.reader.told() == [(0, "finding")]
    assert "inbox-contradiction" in lied.reader.alarms()
    word.say()
    assert lied.look(word.page(0)) is Seen.READ
    assert lied.reader.told() == [(0, "finding"), (1, "finding")]


def test_central_from_yesterday_is_refused(lied: Lied, clock: ManualClock) -> None:
    word = Word(lied.central, clock)
    word.say()
    word.say()
    assert lied.look(word.page()) is Seen.READ
    assert lied.look(word.page(1, last=0)) is Seen.REFUSED
    assert lied.look(word.page(1, grant=None, last=-1)) is Seen.REFUSED
    assert "inbox-contradiction" in lied.reader.alarms()


def test_another_chain_than_before_is_refused(lied: Lied, clock: ManualClock) -> None:
    word, other = Word(lied.central, clock), Word(lied.central, clock)
    word.say()
    other.say()
    other.say()
    assert lied.look(word.page()) is Seen.READ
    assert lied.look(other.page(0)) is Seen.REFUSED
    assert lied.reader.told() == [(0, "finding")]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200, body=b"<html>Welcome to the hotel</html>"),
        Answer(status=200, body=b'{"grant":null}'),
        Answer(status=401),
        Answer(status=500),
    ],
)
def test_what_is_no_answer_changes_nothing(lied: Lied, answer: Answer) -> None:
    assert lied.look(answer) is Seen.UNREACHABLE
    assert lied.reader.alarms() == []


def test_names_in_an_alarm_are_query_codes(lied: Lied, clock: ManualClock) -> None:
    word = Word(lied.central, clock)
    octets = word.say(finding(leaf=encode_b64u(leaf_hash(b"x"))))
    word.say(FindingBody(code="silent", place=None, leaf=None, due_at=None))
    assert lied.look(word.page()) is Seen.READ
    with lied.reader.terminal.store.read() as reader:
        names = {alarm.detail for alarm in open_alarms(reader)}
    assert names == {query_code(leaf_hash(b"x")), "#1"}
    assert link_of(octets) == decode_record(decode_jws(word.records[1], Typ.RECORD).payload).prev


# ---------------------------------------------------------------- what is registered of the shop

PROMISED = replace(
    SHOP,
    shop_name="示例面馆（总店）",
    promises=(Promise(code="no_reason_return", days=7, goods="未拆封的商品", terms="凭小票"),),
)


def register(central: LiveCentral, merchant: Merchant) -> None:
    """An officer changes what is registered of the shop."""
    change_merchant(central.central, central.merchant, merchant, who="officer")


def shown(reader: Reader) -> tuple[str, tuple[Promise, ...]]:
    merchant = reader.terminal.journal.identity.merchant
    return merchant.shop_name, merchant.promises


def test_a_corrected_name_and_a_new_promise_reach_the_terminal_and_stay(
    shop: Reader, live_central: LiveCentral
) -> None:
    assert shown(shop) == (SHOP.shop_name, ())
    register(live_central, PROMISED)
    shop.run()
    assert shown(shop) == (PROMISED.shop_name, PROMISED.promises)
    rating = rate(shop.terminal.journal, ask(shop.terminal.journal))
    shop.close()
    shop.open(live_central.url)
    assert shown(shop) == (PROMISED.shop_name, PROMISED.promises)
    assert rate(shop.terminal.journal, None).place.seq == rating.place.seq + 1
    register(live_central, SHOP)
    shop.run()
    assert shown(shop) == (SHOP.shop_name, ())


def test_a_change_whose_answer_was_lost_comes_with_the_next(shop: Reader, live_central: LiveCentral) -> None:
    shop.run()
    register(live_central, PROMISED)
    live_central.answers_to_lose = 1
    shop.clock.advance(MINUTE_S)
    assert shop.inbox.look(live_central.url) is Seen.UNREACHABLE
    assert shown(shop)[0] == SHOP.shop_name
    shop.clock.advance(MINUTE_S)
    assert shop.inbox.look(live_central.url) is Seen.READ
    assert shown(shop)[0] == PROMISED.shop_name


def test_a_change_that_the_disk_refuses_is_taken_the_next_time(
    shop: Reader, live_central: LiveCentral
) -> None:
    shop.run()
    register(live_central, PROMISED)
    database = shop.terminal.store.database
    assert isinstance(database, SqliteFile)
    database.writer.execute_sql(
        "CREATE TRIGGER refuse BEFORE UPDATE ON epoch BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    shop.run()
    assert shown(shop)[0] == SHOP.shop_name
    database.writer.execute_sql("DROP TRIGGER refuse")
    shop.run()
    assert shown(shop)[0] == PROMISED.shop_name


def _told(central: OfflineCentral, **changed: object) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(central.merchant)
    return told | changed


@pytest.mark.parametrize(
    "changed",
    [
        {"shop_name": "\u202egnp"},
        {"shop_name": 7},
        {"credit_code": "91310000MA1K000007"},
        {"address": ""},
        {"id": "AAAAAAAAAAA"},
        {"promises": None},
        {"promises": [{"code": "full_weight"}, {"code": "full_weight"}]},
        {"promises": [{"code": "full_weight", "days": 91}]},
        {"promises": [{"code": "full_weight", "goods": "x" * 61}]},
        {"promises": [{"code": "Full weight"}]},
    ],
)
def test_details_that_central_would_not_register_change_nothing_and_cost_nothing_else(
    lied: Lied, clock: ManualClock, changed: dict[str, object]
) -> None:
    before = lied.reader.terminal.journal.identity
    word = Word(lied.central, clock)
    word.say()
    assert (
        lied.look(word.page(merchant=_told(lied.central, **({"shop_name": "新店名"} | changed)))) is Seen.READ
    )
    assert lied.reader.terminal.journal.identity == before
    assert lied.reader.told() == [(0, "finding")]
    lied.look(word.page(0, merchant=_told(lied.central, shop_name="新店名")))
    assert shown(lied.reader)[0] == "新店名"


def test_a_promise_of_a_later_version_and_members_unknown_here_are_no_hindrance(
    lied: Lied, clock: ManualClock
) -> None:
    promise = {"code": "of_later", "days": None, "goods": "", "terms": "", "more": 1}
    word = Word(lied.central, clock)
    lied.look(word.page(merchant=_told(lied.central, promises=[promise], more="x")))
    assert shown(lied.reader)[1] == (Promise(code="of_later"),)


def test_details_beside_a_chain_that_is_refused_are_not_believed(lied: Lied, clock: ManualClock) -> None:
    word = Word(lied.central, clock)
    word.say()
    word.say()
    page = word.page(0, merchant=_told(lied.central, shop_name="新店名"))
    assert lied.look(page) is Seen.REFUSED
    assert shown(lied.reader)[0] == lied.central.merchant.shop_name
