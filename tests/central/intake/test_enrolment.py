"""Enrolment: one code, one strong key, one grant; and those who try otherwise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from merchant_agent.central.codes import CodeKind, CodeState, confirm_code, list_codes, make_code, refuse_code
from merchant_agent.central.intake.attempts import MAX_WRONG_CODES, RateLimitedError
from merchant_agent.central.intake.enrolment import Enrolled, Waiting, enrol
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central
from merchant_agent.central.store.models import ChainHead, Code, Grant, Issuer
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.evidence.enrolment import format_code, new_code, sign_enrolment
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey, fingerprint
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import Totals
from tests.central.conftest import NOODLES, Site
from tests.central.rows import count, head_of, rows
from tests.central.sender import enrol_sender, enrol_with
from tests.clocks import ManualClock

# Of order 8; whoever holds "its" private key can disown every signature.
WEAK_KEY = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


@pytest.fixture
def code(central: Central, merchant: str) -> str:
    """A code shown on screen."""
    return make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code


@pytest.fixture
def sheet(central: Central, merchant: str) -> str:
    """A code on a printed sheet."""
    return make_code(central, merchant, CodeKind.SHEET, who="li.wei").code


def refused(central: Central, code: str, key: SigningKey) -> str:
    """The code of the refusal."""
    with pytest.raises((NotFoundError, InvalidError)) as error:
        enrol_with(central, code, key)
    return error.value.code


def test_a_code_and_a_key_make_a_terminal(central: Central, merchant: str, code: str) -> None:
    key = SigningKey.generate()
    answer = enrol_with(central, code, key)
    assert isinstance(answer, Enrolled)
    grant = open_grant(answer.grant, central.identity.trust().root_keys())
    assert (grant.merchant, grant.epoch, grant.key) == (merchant, 1, encode_b64u(key.public))
    assert (grant.totals, grant.closes, grant.policy.ask) == (Totals.zero(), None, "tablet")
    assert grant.deadline_hours == central.settings.deadline_hours
    assert grant.sealing_key == central.identity.sealing_key
    assert answer.merchant["shop_name"] == "示例面馆"
    head = head_of(central, grant.issuer)
    assert (head.seq, head.link, head.nonce) == (-1, link_of(answer.grant), grant.nonce)


def test_people_may_type_a_code_as_they_like(central: Central, code: str) -> None:
    key = SigningKey.generate()
    typed = f" {format_code(code).lower()} "
    signature = encode_b64u(sign_enrolment(key, code))
    answer = enrol(central, code=typed, key=encode_b64u(key.public), signature=signature, remote="192.0.2.1")
    assert isinstance(answer, Enrolled)


def test_a_lost_answer_is_given_again(central: Central, code: str, clock: ManualClock) -> None:
    key = SigningKey.generate()
    first = enrol_with(central, code, key)
    clock.advance(86_400 * 30)
    again = enrol_with(central, code, key)
    assert isinstance(first, Enrolled)
    assert isinstance(again, Enrolled)
    assert (first.created, again.created) == (True, False)
    assert (again.grant, again.merchant) == (first.grant, first.merchant)
    assert (count(central, Grant), count(central, ChainHead)) == (1, 1)


def test_a_used_code_is_worth_nothing_to_another_key(central: Central, code: str) -> None:
    enrol_with(central, code, SigningKey.generate())
    assert refused(central, code, SigningKey.generate()) == "enrolment-code"
    assert count(central, Issuer) == 1


def test_a_key_is_granted_once(central: Central, merchant: str, code: str) -> None:
    key = SigningKey.generate()
    enrol_sender(central, merchant, key)
    assert refused(central, code, key) == "enrolment-key"
    assert list_codes(central)[0].state is CodeState.READY


def test_a_key_that_claims_a_sheet_cannot_be_granted_elsewhere_first(
    central: Central, merchant: str, sheet: str
) -> None:
    key = SigningKey.generate()
    assert isinstance(enrol_with(central, sheet, key), Waiting)
    enrol_sender(central, merchant, key)
    confirm_code(central, list_codes(central)[0].id, who="li.wei")
    assert refused(central, sheet, key) == "enrolment-key"


@pytest.mark.parametrize("key", [WEAK_KEY, bytes(32), b"\xff" * 32, b"short"])
def test_a_weak_key_is_refused(central: Central, code: str, key: bytes) -> None:
    signature = encode_b64u(bytes(64))
    with pytest.raises(InvalidError) as error:
        enrol(central, code=code, key=encode_b64u(key), signature=signature, remote="192.0.2.1")
    assert error.value.code == "enrolment-key"
    assert count(central, Issuer) == 0


@pytest.mark.parametrize("spoil", ["code", "key", "text"])
def test_a_key_that_did_not_sign_for_this_code_is_refused(central: Central, code: str, spoil: str) -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = encode_b64u(
        sign_enrolment(other if spoil == "key" else key, new_code() if spoil == "code" else code)
    )
    with pytest.raises(InvalidError) as error:
        enrol(
            central,
            code=code,
            key=encode_b64u(key.public),
            signature="=" if spoil == "text" else signature,
            remote="192.0.2.1",
        )
    assert error.value.code == "enrolment-signature"


def test_an_expired_code_is_refused(central: Central, code: str, clock: ManualClock) -> None:
    clock.advance(central.settings.code_minutes * 60)
    assert refused(central, code, SigningKey.generate()) == "enrolment-code"


@pytest.mark.parametrize("code", ["", "guess", "U" * 13, "Z" * 13, "7" * 40])
def test_a_guess_is_refused(central: Central, code: str) -> None:
    with pytest.raises(NotFoundError) as error:
        enrol(central, code=code, key=encode_b64u(SigningKey.generate().public), signature="", remote="::1")
    assert error.value.code == "enrolment-code"


def test_a_sheet_waits_for_an_officer(central: Central, sheet: str) -> None:
    key = SigningKey.generate()
    assert isinstance(enrol_with(central, sheet, key, remote="198.51.100.7"), Waiting)
    [entry] = list_codes(central)
    assert (entry.state, entry.claimed_from) == (CodeState.WAITING, "198.51.100.7")
    assert entry.fingerprint == fingerprint(key.public)
    assert isinstance(enrol_with(central, sheet, key), Waiting)
    confirm_code(central, entry.id, who="li.wei")
    answer = enrol_with(central, sheet, key)
    assert isinstance(answer, Enrolled)
    assert answer.created
    assert list_codes(central)[0].state is CodeState.USED


def test_a_sheet_claimed_in_time_may_be_confirmed_later(
    central: Central, sheet: str, clock: ManualClock
) -> None:
    key = SigningKey.generate()
    clock.advance(86_400 * central.settings.sheet_days - 1)
    enrol_with(central, sheet, key)
    clock.advance(86_400)
    confirm_code(central, list_codes(central)[0].id, who="li.wei")
    assert isinstance(enrol_with(central, sheet, key), Enrolled)


def test_a_claimed_sheet_is_worth_nothing_to_another_key(central: Central, sheet: str) -> None:
    enrol_with(central, sheet, SigningKey.generate())
    assert refused(central, sheet, SigningKey.generate()) == "enrolment-code"


def test_a_refused_claim_gets_no_grant(central: Central, sheet: str) -> None:
    key = SigningKey.generate()
    enrol_with(central, sheet, key)
    refuse_code(central, list_codes(central)[0].id, who="li.wei")
    assert refused(central, sheet, key) == "enrolment-code"
    assert count(central, Issuer) == 0


def test_two_keys_at_once_cannot_share_a_code(central: Central, code: str) -> None:
    keys = [SigningKey.generate() for _ in range(6)]

    def attempt(key: SigningKey) -> bool:
        try:
            return isinstance(enrol_with(central, code, key), Enrolled)
        except NotFoundError:
            return False

    with ThreadPoolExecutor(len(keys)) as threads:
        assert sum(threads.map(attempt, keys)) == 1
    assert (count(central, Issuer), count(central, Grant)) == (1, 1)


def test_two_codes_at_once_cannot_share_a_key(central: Central, merchant: str) -> None:
    codes = [make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code for _ in range(6)]
    key = SigningKey.generate()

    def attempt(code: str) -> bool:
        try:
            return isinstance(enrol_with(central, code, key), Enrolled)
        except InvalidError:
            return False

    with ThreadPoolExecutor(len(codes)) as threads:
        assert sum(threads.map(attempt, codes)) == 1
    assert count(central, Issuer) == 1


def test_wrong_codes_are_counted_by_address(central: Central, code: str, clock: ManualClock) -> None:
    for _ in range(MAX_WRONG_CODES):
        assert refused(central, new_code(), SigningKey.generate()) == "enrolment-code"
    clock.advance(60)
    with pytest.raises(RateLimitedError) as error:
        enrol_with(central, code, SigningKey.generate())
    assert (error.value.code, error.value.retry_after_s) == ("rate-limited", 14 * 60)
    assert isinstance(enrol_with(central, code, SigningKey.generate(), remote="192.0.2.2"), Enrolled)


def test_the_count_of_wrong_codes_begins_anew_after_its_window(
    central: Central, sheet: str, clock: ManualClock
) -> None:
    for _ in range(MAX_WRONG_CODES):
        refused(central, new_code(), SigningKey.generate())
    clock.advance(15 * 60)
    assert refused(central, new_code(), SigningKey.generate()) == "enrolment-code"
    assert isinstance(enrol_with(central, sheet, SigningKey.generate()), Waiting)


def test_a_host_cannot_roam_its_network_to_guess_on(central: Central) -> None:
    for number in range(MAX_WRONG_CODES):
        with pytest.raises(NotFoundError):
            enrol_with(central, new_code(), SigningKey.generate(), remote=f"2001:db8:0:1::{number}")
    with pytest.raises(RateLimitedError):
        enrol_with(central, new_code(), SigningKey.generate(), remote="2001:db8:0:1:ffff::1")
    with pytest.raises(NotFoundError):
        enrol_with(central, new_code(), SigningKey.generate(), remote="2001:db8:0:2::1")


def test_codes_are_kept_as_hashes_only(site: Site, central: Central, merchant: str) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    [row] = rows(central, Code)
    assert made.code not in repr(row.__data__)
    if not site.is_postgres:
        central.store.checkpoint()
        files = [path.read_bytes() for path in site.settings.data.glob("central.db*")]
        assert not any(made.code.encode() in octets for octets in files)


def test_a_new_terminal_goes_on_from_the_totals_of_the_last_one(
    central: Central, merchant: str, clock: ManualClock
) -> None:
    first = enrol_sender(central, merchant)
    first.sell(2, level=4)
    first.lapse(first.ask())
    first.upload_all(central)
    clock.advance(86_400)
    second = enrol_sender(central, merchant)
    assert second.grant.totals == first.chain.totals
    clock.advance(1)
    assert enrol_sender(central, merchant).grant.totals == first.chain.totals
    assert second.issuer != first.issuer


def test_an_enrolment_survives_a_restart(site: Site) -> None:
    central = site.open()
    sender = enrol_sender(central, add_merchant(central, NOODLES, who="li.wei"))
    close_central(central)
    central = site.open()
    sender.sell(1)
    assert sender.upload_all(central).outcome == "accepted"
    close_central(central)
