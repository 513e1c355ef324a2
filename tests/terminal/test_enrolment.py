"""Enrolling at a real central; and at what is none, or is not to be believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from merchant_agent.central.codes import CodeKind, confirm_code, list_codes, make_code
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError, RequestError
from merchant_agent.evidence.enrolment import format_code, new_code
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.enrolment import Enrolled, Waiting, enrol
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from tests.clocks import ManualClock
from tests.enrolled import OfflineCentral, rate
from tests.live_central import SHOP, LiveCentral
from tests.upstream import Cut, Reply, Request, Upstream


@pytest.fixture
def terminal(tmp_path: Path, clock: ManualClock) -> Iterator[Terminal]:
    """A terminal fresh out of its box."""
    opened = open_terminal(TerminalSettings(data=tmp_path / "terminal", ballast_bytes=0), clock)
    yield opened
    close_terminal(opened)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def test_a_code_from_the_screen_enrols_at_once(terminal: Terminal, live_central: LiveCentral) -> None:
    enrolled = enrol(terminal, live_central.url + "/", format_code(live_central.code()).lower())
    assert isinstance(enrolled, Enrolled)
    identity = terminal.journal.identity
    assert identity == enrolled.identity
    assert identity.merchant.shop_name == SHOP.shop_name
    assert identity.trust == live_central.central.identity.trust()
    assert (identity.central_url, identity.public_url) == (live_central.url, live_central.url)
    assert rate(terminal.journal, None).record.seq == 0


def test_central_stays_known_after_a_restart(
    terminal: Terminal, live_central: LiveCentral, clock: ManualClock
) -> None:
    enrol(terminal, live_central.url, live_central.code())
    identity = terminal.journal.identity
    terminal.store.close()
    terminal.folder.unlock()
    again = open_terminal(terminal.settings, clock)
    assert again.journal.identity == identity
    close_terminal(again)


def test_a_printed_sheet_waits_for_an_officer(terminal: Terminal, live_central: LiveCentral) -> None:
    central = live_central.central
    code = make_code(central, live_central.merchant, CodeKind.SHEET, who="officer").code
    assert isinstance(enrol(terminal, live_central.url, code), Waiting)
    assert isinstance(enrol(terminal, live_central.url, code), Waiting)
    assert not terminal.journal.enrolled
    (entry,) = list_codes(central)
    confirm_code(central, entry.id, who="officer")
    assert isinstance(enrol(terminal, live_central.url, code), Enrolled)


def test_an_answer_that_was_lost_is_given_again(
    terminal: Terminal, live_central: LiveCentral, upstream: Upstream
) -> None:
    code = live_central.code()
    bodies: list[bytes] = []

    def lose(request: Request) -> Cut:
        bodies.append(request.body)
        return Cut()

    upstream.script(lose)
    assert _refused(terminal, upstream.url, code).code == "central-unreachable"
    key = json.loads(bodies[0])["key"]
    assert isinstance(enrol(terminal, live_central.url, code), Enrolled)
    assert encode_b64u(terminal.journal.key.public) == key


def test_an_enrolled_terminal_is_not_enrolled_again(terminal: Terminal, live_central: LiveCentral) -> None:
    enrol(terminal, live_central.url, live_central.code())
    with pytest.raises(ConflictError) as refused:
        enrol(terminal, live_central.url, live_central.code())
    assert refused.value.code == "enrolled"


@pytest.mark.parametrize("code", ["", "7K4M", "U" * 13, "好" * 13, "Z" * 13])
def test_a_code_that_was_mistyped_is_not_sent(terminal: Terminal, upstream: Upstream, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        enrol(terminal, upstream.url, code)
    assert refused.value.code == "enrolment-code-form"


@pytest.mark.parametrize(
    "url",
    ["", "central", "ftp://central", "http://", "http://[::1", "http://c/?a=b", "http://c/#x", "file:///etc"],
)
def test_an_address_that_was_mistyped_is_told(terminal: Terminal, url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        enrol(terminal, url, new_code())
    assert refused.value.code == "central-url"


def test_a_wrong_code_is_told_and_too_many_are_stopped(terminal: Terminal, live_central: LiveCentral) -> None:
    codes = {_refused(terminal, live_central.url, new_code()).code for _ in range(30)}
    assert codes == {"enrolment-code", "rate-limited"}
    assert not terminal.journal.enrolled


def test_a_used_code_enrols_no_second_terminal(
    terminal: Terminal, live_central: LiveCentral, tmp_path: Path, clock: ManualClock
) -> None:
    code = live_central.code()
    enrol(terminal, live_central.url, code)
    other = open_terminal(TerminalSettings(data=tmp_path / "other", ballast_bytes=0), clock)
    try:
        with pytest.raises(NotFoundError) as refused:
            enrol(other, live_central.url, code)
        assert refused.value.code == "enrolment-code"
    finally:
        close_terminal(other)


def test_a_central_other_than_the_expected_one_is_refused(
    terminal: Terminal, live_central: LiveCentral
) -> None:
    with pytest.raises(RequestError) as refused:
        enrol(terminal, live_central.url, live_central.code(), trust=OfflineCentral().trust)
    assert refused.value.code == "wrong-central"
    assert not terminal.journal.enrolled


def test_the_expected_central_is_believed(terminal: Terminal, live_central: LiveCentral) -> None:
    trust = live_central.central.identity.trust()
    assert isinstance(enrol(terminal, live_central.url, live_central.code(), trust=trust), Enrolled)


def _answer(central: OfflineCentral, request: Request, **changes: Any) -> Reply:
    """What a true central would answer, with members changed or, where None, left out."""
    key = json.loads(request.body)["key"]
    grant = central.grant(decode_b64u(key), issuer=central.merchant_id)
    told = {
        "grant": grant.decode(),
        "merchant": msgspec.to_builtins(central.merchant),
        "trust": json.loads(encode_trust(central.trust)),
        "central_url": "https://central.example",
    }
    members = {name: value for name, value in (told | changes).items() if value is not None}
    return Reply(status=201, body=json.dumps(members).encode())


def test_an_address_for_customers_that_is_none_is_not_kept(terminal: Terminal, upstream: Upstream) -> None:
    central = OfflineCentral()
    upstream.script(lambda request: _answer(central, request, central_url="javascript:alert(1)"))
    enrol(terminal, upstream.url, new_code())
    assert terminal.journal.identity.public_url == ""


def _foreign_key(request: Request) -> Reply:
    central = OfflineCentral()
    grant = central.grant(OfflineCentral().root.public, issuer=central.merchant_id).decode()
    return _answer(central, request, grant=grant)


def _foreign_root(request: Request) -> Reply:
    trust = json.loads(encode_trust(OfflineCentral().trust))
    return _answer(OfflineCentral(), request, trust=trust)


def _no_merchant(request: Request) -> Reply:
    return _answer(OfflineCentral(), request, merchant={"id": "x"})


def _no_trust(request: Request) -> Reply:
    return _answer(OfflineCentral(), request, trust=None)


@pytest.mark.parametrize(
    "step",
    [
        _foreign_key,
        _foreign_root,
        _no_merchant,
        _no_trust,
        Reply(status=200, body=b"<html>Wi-Fi</html>"),
        Reply(status=200, body=b"{}"),
        Reply(status=202, body=b"<html>Wi-Fi</html>"),
        Reply(status=202, body=b'{"state":"else"}'),
        Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Reply(status=404, body=b"nginx"),
        Reply(status=405),
        Reply(status=404, body=b'{"code":"not-found"}'),
    ],
)
def test_what_is_not_central_enrols_nobody(
    terminal: Terminal, upstream: Upstream, step: Reply | Callable[[Request], Reply]
) -> None:
    upstream.script(step)
    assert _refused(terminal, upstream.url, new_code()).code == "wrong-central"
    assert not terminal.journal.enrolled


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=503), "central-busy"),
        (Reply(status=429, headers={"Retry-After": "30"}), "rate-limited"),
        (Reply(status=422, body=b'{"code":"enrolment-key"}'), "enrolment-key"),
    ],
)
def test_a_central_that_cannot_now_says_why(
    terminal: Terminal, upstream: Upstream, reply: Reply, code: str
) -> None:
    upstream.script(reply)
    error = _refused(terminal, upstream.url, new_code())
    assert error.code == code
    assert error.detail.endswith(".")


def test_a_central_that_is_down_is_one_sentence(terminal: Terminal, live_central: LiveCentral) -> None:
    live_central.stop()
    error = _refused(terminal, live_central.url, new_code())
    assert error.code == "central-unreachable"
    assert "\n" not in error.detail


def _refused(terminal: Terminal, url: str, code: str) -> RequestError:
    with pytest.raises(RequestError) as refused:
        enrol(terminal, url, code)
    return refused.value
