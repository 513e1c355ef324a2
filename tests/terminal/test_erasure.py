"""Erased words are gone, from every table and file; what was signed stays and verifies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from merchant_agent.cli import main
from merchant_agent.clock import format_at
from merchant_agent.errors import InvalidError, NotFoundError, OnHoldError
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.bodies import EndBody, EraseBody, HeartbeatBody, Kind
from merchant_agent.evidence.exchange import Batch, Newest, digest_lines, sign_batch
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.verify import verify_export
from merchant_agent.store.credentials import AuditEntry
from merchant_agent.terminal.collect.said import Thanks
from merchant_agent.terminal.collect.words import Words, complain, suggest
from merchant_agent.terminal.erasure import erase, erase_old, find_by_code
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.store.models import Complaint, LedgerDisclosure, SentBatch
from merchant_agent.terminal.upload.batching import make_batch, next_span, record_lines, upload_body
from merchant_agent.web.sign_in import set_secret
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop, signed_place
from tests.terminal.test_contact import files_with, grievance
from tests.terminal.web.doors import make_app_of

DAY_S = 86_400
WORDS = "柜台前的秤不准已经三次了"


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


def complaint_of(shop: Shop, comment: str = WORDS) -> Thanks:
    said = grievance(comment=comment, order="ZX-087", amount="64")
    return complain(shop.terminal, shop.one, new_id(shop.clock.now()), said)


def hear_from_central(shop: Shop) -> None:
    """Central acknowledges the whole ledger, by its own clock, which is the shop's."""
    journal, reading = shop.terminal.journal, shop.clock.read()
    assert journal.head is not None
    batch = Batch(
        issuer=journal.identity.issuer,
        epoch=1,
        from_=0,
        to=journal.head.seq,
        newest=Newest(seq=journal.head.seq, link=journal.head.link),
        lines=digest_lines([]),
        nonce=new_nonce(),
        client_nonce=new_nonce(),
        at=format_at(reading.at),
        boot=reading.boot,
        uptime_ms=reading.uptime_ms,
        checkpoint=None,
        software="merchant-agent test",
    )
    octets = sign_batch(journal.key, batch)
    ack = shop.central.acknowledge(octets, head=journal.head, at=reading.at)
    with shop.terminal.store.write() as writer:
        writer.execute(SentBatch.insert(client_nonce=batch.client_nonce, octets=octets, ack=ack))


def test_erased_words_are_in_no_file_of_the_data_folder(shop: Shop) -> None:
    thanks = complaint_of(shop)
    assert files_with(shop.settings.data, WORDS)
    erased = erase(shop.terminal, find_by_code(shop.terminal, thanks.query_code), who="manager")
    assert erased.members == ("amount", "comment", "contact", "order")
    assert erased.query_code == thanks.query_code
    assert files_with(shop.settings.data, WORDS) == []
    assert files_with(shop.settings.data, "ZX-087") == []
    with shop.terminal.store.read() as reader:
        assert reader.all(LedgerDisclosure.select()) == []
        (row,) = reader.all(Complaint.select())
        (entry,) = reader.all(AuditEntry.select().where(AuditEntry.what == "erased"))
    assert (row.comment, row.order_no, row.occurred_at, row.amount) == (None, None, None, None)
    assert (entry.who, WORDS in entry.detail) == ("manager", False)


def test_the_chain_tells_of_it_and_a_stranger_finds_nothing_missing(shop: Shop, tmp_path: Path) -> None:
    sale = shop.sell()
    shop.done(sale, 1, comment="慢")
    thanks = complaint_of(shop)
    erase(shop.terminal, signed_place(thanks), who="manager", members=["contact"])
    erase(shop.terminal, signed_place(thanks), who="manager")
    erasures = [record.body for record in shop.records() if isinstance(record.body, EraseBody)]
    assert [body.members for body in erasures] == [("contact",), ("amount", "comment", "order")]
    assert {(body.place, body.reason) for body in erasures} == {(thanks.place, "request")}
    out = tmp_path / "out.zip"
    export_terminal(shop.settings.data, out)
    with ExportZip(out) as source:
        verdict = verify_export(source, shop.central.trust)
    assert verdict.violations == ()
    assert "undisclosed" not in [finding.code for finding in verdict.findings]


def test_words_that_go_without_a_record_are_found_out(shop: Shop, tmp_path: Path) -> None:
    thanks = complaint_of(shop)
    erase(shop.terminal, signed_place(thanks), who="manager", members=["contact"])
    with shop.terminal.store.write() as writer:
        writer.execute(LedgerDisclosure.delete().where(LedgerDisclosure.name == "comment"))
    out = tmp_path / "out.zip"
    export_terminal(shop.settings.data, out)
    with ExportZip(out) as source:
        verdict = verify_export(source, shop.central.trust)
    assert [(each.code, each.place) for each in verdict.findings if each.code == "undisclosed"] == [
        ("undisclosed", thanks.place)
    ]


def test_an_upload_carries_nothing_that_was_erased_before_it(shop: Shop) -> None:
    thanks = complaint_of(shop)
    journal = shop.terminal.journal
    with shop.terminal.store.read() as reader:
        assert journal.head is not None
        span = next_span(
            *(reader, 1),
            head=journal.head,
            acked_seq=-1,
            now=shop.clock.now(),
            max_bytes=1 << 20,
            max_records=100,
        )
        assert span is not None
        before = record_lines(reader, span.epoch, span.first, span.last)
    batch, octets = make_batch(
        *(journal.key, 1, journal.identity.issuer),
        span,
        before,
        nonce=new_nonce(),
        reading=shop.clock.read(),
        checkpoint=None,
    )
    erase(shop.terminal, signed_place(thanks), who="manager")
    with shop.terminal.store.read() as reader:
        after = record_lines(reader, span.epoch, span.first, span.last)
    assert [line.count(b"~") - 1 for line in before] == [4]
    assert [line.count(b"~") - 1 for line in after] == [0]
    assert upload_body(batch, octets, after) is None


def test_words_sent_again_after_their_erasure_are_not_kept(shop: Shop) -> None:
    said, id_ = grievance(comment=WORDS), new_id(shop.clock.now())
    thanks = complain(shop.terminal, shop.one, id_, said)
    other = new_id(shop.clock.now())
    hint = suggest(shop.terminal, shop.one, other, Words(prompt_id=None, comment=WORDS))
    for each in (thanks, hint):
        erase(shop.terminal, signed_place(each), who="manager")
    assert complain(shop.terminal, shop.one, id_, said).query_code == thanks.query_code
    again = suggest(shop.terminal, shop.one, other, Words(prompt_id=None, comment=WORDS))
    assert (again.query_code, again.created) == (hint.query_code, False)
    assert files_with(shop.settings.data, WORDS) == []


def test_rebuilt_tables_are_the_same_after_an_erasure(shop: Shop) -> None:
    erase(shop.terminal, signed_place(complaint_of(shop)), who="manager")
    complaint_of(shop)
    assert rebuild(shop.terminal.store).count == 0


def test_words_are_erased_where_the_shop_has_closed(shop: Shop, tmp_path: Path) -> None:
    thanks = complaint_of(shop)
    shop.terminal.journal.close_epoch(Kind.END, EndBody(reason="closed"), "ended")
    erase(shop.terminal, signed_place(thanks), who="manager")
    assert files_with(shop.settings.data, WORDS) == []
    target = tmp_path / "export.zip"
    export_terminal(shop.settings.data, target)
    with ExportZip(target) as archive:
        verdict = verify_export(archive, shop.central.trust)
    assert verdict.violations == ()
    assert "undisclosed" not in {finding.code for finding in verdict.findings}
    with pytest.raises(OnHoldError), shop.terminal.journal.write() as writer:
        writer.append(Kind.HEARTBEAT, HeartbeatBody(waiting=0))


def test_a_failed_erasure_erases_nothing(shop: Shop) -> None:
    thanks = complaint_of(shop)
    erase(shop.terminal, signed_place(thanks), who="manager")
    with pytest.raises(NotFoundError):
        erase(shop.terminal, signed_place(thanks), who="manager")
    with pytest.raises(NotFoundError):
        find_by_code(shop.terminal, thanks.query_code)
    with pytest.raises(InvalidError):
        find_by_code(shop.terminal, "7K4M-2QPX-9RX")
    assert shop.story() == ["complaint", "erase"]


def test_old_words_are_erased_and_young_ones_stay(shop: Shop) -> None:
    old = complaint_of(shop)
    shop.clock.advance(300 * DAY_S)
    young = complaint_of(shop)
    hear_from_central(shop)
    assert erase_old(shop.terminal) == 0
    shop.clock.advance(101 * DAY_S)
    hear_from_central(shop)
    assert erase_old(shop.terminal) == 1
    body = shop.records()[-1].body
    assert isinstance(body, EraseBody)
    assert (body.place, body.reason) == (old.place, "retention")
    with shop.terminal.store.read() as reader:
        assert {row.seq for row in reader.all(LedgerDisclosure.select())} == {signed_place(young).seq}
    assert erase_old(shop.terminal) == 0


@pytest.mark.parametrize("years", [-50, 73])
def test_a_clock_that_jumps_erases_nothing(shop: Shop, years: int) -> None:
    complaint_of(shop)
    hear_from_central(shop)
    shop.clock.step_wall(timedelta(days=365 * years).total_seconds())
    complaint_of(shop)
    assert erase_old(shop.terminal) == 0


def test_words_signed_under_a_wrong_clock_are_erased_after_their_time(shop: Shop) -> None:
    shop.clock.step_wall(50 * 365 * DAY_S)
    complaint_of(shop)
    shop.clock.step_wall(-50 * 365 * DAY_S)
    shop.clock.advance(402 * DAY_S)
    complaint_of(shop)
    hear_from_central(shop)
    assert erase_old(shop.terminal) == 1


def test_nothing_is_old_for_who_never_heard_from_central(shop: Shop) -> None:
    complaint_of(shop)
    shop.clock.advance(500 * DAY_S)
    assert erase_old(shop.terminal) == 0


def test_the_command_erases_by_code_or_place(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = complaint_of(shop), complaint_of(shop, "另一句")
    close_terminal(shop.terminal)

    def run(*arguments: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(["terminal", "erase", "--data", str(shop.settings.data), *arguments])
        return ended.value.code, capsys.readouterr().out

    by_code = run("--query-code", first.query_code)
    assert by_code == (0, f"{first.query_code}: erased amount, comment, contact, order\n")
    at = signed_place(second)
    place = f"{at.epoch}.{at.seq}"
    by_place = run("--place", place, "--member", "contact", "--reason", "retention")
    assert by_place == (0, f"{second.query_code}: erased contact\n")
    for wrong in ((), ("--place", "x"), ("--place", "0.1"), ("--query-code", "7K4M")):
        assert run(*wrong) == (2, "")
    assert run("--query-code", first.query_code) == (1, "")
    shop.terminal = open_terminal(shop.settings, shop.clock)
    assert shop.story() == ["complaint", "complaint", "erase", "erase"]


def test_the_manager_erases_while_the_terminal_runs(shop: Shop) -> None:
    thanks = complaint_of(shop)
    set_secret(
        shop.terminal.store, shop.clock, name="manager", role="manager", secret="a long password", who="c"
    )
    browser = make_app_of(shop).test_client()
    headers = {"Origin": "http://localhost", "Accept-Language": "en"}

    def send(page: str, action: str, **form: str) -> str:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).get_data(as_text=True))
        assert token is not None
        data = {"csrf_token": token[1], **form}
        answer = browser.post(action, data=data, headers=headers, follow_redirects=True)
        return answer.get_data(as_text=True)

    send("/manager/sign-in", "/manager/sign-in", secret="a long password")
    assert thanks.query_code in send("/manager", "/manager/erase", code=thanks.query_code.lower())
    assert shop.story() == ["complaint", "erase"]
    send("/manager", "/manager/erase", code=thanks.query_code)
    send("/manager", "/manager/erase", code="7K4M-2QPX-9RX")
    assert shop.story() == ["complaint", "erase"]
