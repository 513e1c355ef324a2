"""What a customer leaves the tablet with: a code that any phone reads and nobody else can open."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, Request, expect

from merchant_agent.demo.running import Running
from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import Record, decode_record
from merchant_agent.evidence.slip import (
    CLAIM_BYTES,
    MAX_CENTRAL_CHARS,
    Slip,
    claim_hash,
    open_slip,
    parse_slip,
    slip_url,
)
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import find_entry
from merchant_agent.terminal.store.opening import open_existing
from tests.e2e.conftest import OpenPage
from tests.e2e.people import LANDSCAPE, PORTRAIT, Tablet, Till, read_code

_LOSE_THE_FIRST = """() => {
    const real = window.fetch;
    window.told = [];
    window.fetch = async (...request) => {
        const answer = await real(...request);
        if (!String(request[0]).endsWith("/done")) return answer;
        window.told.push(await answer.clone().json());
        if (window.told.length === 1) throw new TypeError("lost");
        return answer;
    };
}"""
_VERSION_10 = 57
_QUIET = 4


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a phone reads off the tablet, and the record that it is over."""

    address: str
    slip: Slip
    claim: bytes
    record: Record
    code: str


def _paired(demo: Running, page: Page) -> Tablet:
    tablet = Tablet(page=page)
    tablet.pair(demo.kiosk)
    return tablet


def _take(demo: Running, tablet: Tablet, kind: str) -> Taken:
    shown = tablet.thanked(kind)
    address = read_code(tablet.screen(f"thanks-{kind}").locator("[data-qr]"))
    public, _, claim = address.partition("#")
    place, _, text = public.rpartition("/")
    assert place == f"{demo.central.url}/s"
    store = open_existing(demo.folder.terminal, read_only=True)
    try:
        with store.read() as reader:
            (identity,) = load_identities(reader)
            slip = open_slip(parse_slip(text), identity.grant.verifying_key())
            entry = find_entry(reader, slip.place.epoch, slip.place.seq)
    finally:
        store.close()
    assert entry is not None
    assert slip.leaf == leaf_hash(entry.octets)
    assert query_code(slip.leaf) == shown
    return Taken(
        address=address,
        slip=slip,
        claim=decode_b64u(claim, length=CLAIM_BYTES),
        record=decode_record(decode_jws(entry.octets, Typ.RECORD).payload),
        code=shown,
    )


def _require_owned(taken: Taken) -> None:
    body = taken.record.body
    assert isinstance(body, RatingBody | SuggestionBody | ComplaintBody)
    assert body.claim == claim_hash(taken.claim)


def _says(slip: Slip) -> tuple[int, bool, bool]:
    return slip.level, slip.complaint, slip.suggestion


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_phone_reads_the_slip_off_the_tablet(
    demo: Running, open_page: OpenPage, till: Till, size: tuple[int, int], lang: str
) -> None:
    tablet = _paired(demo, open_page(size))
    till.sell(f"S-{lang}-{size[0]}")
    tablet.is_asked(f"S-{lang}-{size[0]}")
    tablet.speak("en" if lang == "en" else "zh")
    tablet.tap(2)
    tablet.press("done")
    taken = _take(demo, tablet, "rating")
    assert _says(taken.slip) == (2, False, False)
    _require_owned(taken)
    tablet.press("leave")


def test_slips_of_one_visit_tell_all_of_it_and_open_by_different_claims(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page())
    till.sell("S-2")
    tablet.is_asked("S-2")
    tablet.tap(1)
    tablet.press("done")
    rated = _take(demo, tablet, "rating")
    tablet.complain(category="food_safety", remedy="refund", comment="少了一两", amount="12.5")
    complained = _take(demo, tablet, "complaint")
    assert (_says(rated.slip), _says(complained.slip)) == ((1, False, False), (1, True, False))
    assert rated.record.about.prompt == complained.record.about.prompt
    assert rated.claim != complained.claim
    _require_owned(rated)
    _require_owned(complained)
    expect(tablet.page.locator("[data-do=stay]:visible")).to_have_count(1)
    tablet.press("leave")


def test_suggestion_without_a_sale_has_a_slip(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    tablet.press("suggest")
    tablet.screen("suggest").locator("[data-field=comment]").fill("早点开门")
    tablet.press("send")
    taken = _take(demo, tablet, "suggestion")
    assert _says(taken.slip) == (0, False, True)
    _require_owned(taken)
    tablet.press("leave")


def test_lost_answer_gives_the_same_slip(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _paired(demo, open_page())
    tablet.page.evaluate(_LOSE_THE_FIRST)
    till.sell("S-3")
    tablet.is_asked("S-3")
    tablet.tap(4)
    tablet.press("done")
    taken = _take(demo, tablet, "rating")
    told = tablet.page.evaluate("window.told")
    assert len(told) == 2
    assert told[0]["slip"] == told[1]["slip"] == taken.address.partition("#")[0]
    _require_owned(taken)
    tablet.press("leave")


def test_slip_comes_late_to_a_customer_who_is_still_there(
    demo: Running, open_page: OpenPage, till: Till
) -> None:
    tablet = _paired(demo, open_page(may_lose=True))
    till.sell("S-5")
    tablet.is_asked("S-5")
    tablet.tap(3)
    tablet.page.route("**/done", lambda route: route.abort())
    tablet.press("done")
    thanks = tablet.screen("thanks-rating")
    expect(thanks).to_have_attribute("data-kept", "", timeout=8000)
    expect(thanks.locator("[data-qr]")).to_be_hidden()
    tablet.page.unroute("**/done")
    taken = _take(demo, tablet, "rating")
    assert _says(taken.slip) == (3, False, False)
    _require_owned(taken)
    tablet.press("leave")


@contextmanager
def _heard(page: Page) -> Iterator[list[str]]:
    """All that the page sends meanwhile."""
    heard: list[str] = []

    def hear(request: Request) -> None:
        heard.append(f"{request.url} {json.dumps(request.headers)} {request.post_data or ''}")

    page.on("request", hear)
    yield heard
    page.remove_listener("request", hear)


def test_claim_leaves_the_tablet_by_its_screen_alone(demo: Running, open_page: OpenPage, till: Till) -> None:
    tablet = _paired(demo, open_page())
    with _heard(tablet.page) as heard:
        till.sell("S-4")
        tablet.is_asked("S-4")
        tablet.tap(5)
        tablet.press("done")
        taken = _take(demo, tablet, "rating")
        claim = taken.address.partition("#")[2]
        storage = (
            "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), location.href])"
        )
        assert claim not in tablet.page.content()
        assert claim not in tablet.page.evaluate(storage)
        tablet.press("leave")
    assert any(claim_hash(taken.claim) in each for each in heard)
    assert not any(claim in each for each in heard)
    for file in demo.folder.terminal.rglob("*"):
        if file.is_file():
            assert claim.encode() not in file.read_bytes(), file
            assert taken.claim not in file.read_bytes(), file


def test_longest_address_of_a_slip_fits_version_10_at_level_m(demo: Running, open_page: OpenPage) -> None:
    tablet = _paired(demo, open_page())
    central = "https://" + "z" * (MAX_CENTRAL_CHARS - len("https://"))
    address = slip_url(central, bytes(range(117)), bytes(range(10)))
    width = tablet.page.evaluate(
        """async (text) => {
            const { drawQr } = await import("/static/js/kiosk/qr.js");
            const slot = document.createElement("div");
            slot.id = "drawn";
            slot.style.cssText = "position:fixed;inset:0 auto auto 0;width:400px;height:400px;background:#fff";
            document.body.append(slot);
            drawQr(slot, text);
            return slot.querySelector("svg").viewBox.baseVal.width;
        }""",
        address,
    )
    assert width <= _VERSION_10 + 2 * _QUIET
    picture = Image.open(io.BytesIO(tablet.page.locator("#drawn").screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, found.ec_level) == (address, "M")
