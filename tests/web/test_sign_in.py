"""Signing in: secrets, lock-out, sessions, roles."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient

from merchant_agent.errors import InvalidError, LockedOutError, SignInError
from merchant_agent.store.credentials import Account, AuditEntry, Session, SignInOrigin
from merchant_agent.web.lockout import MOST_WRONG_AN_HOUR
from merchant_agent.web.sign_in import check_password, check_pin, next_page, set_secret, sign_in
from tests.web.conftest import Site

SECRET = "correct horse battery"
ORIGIN = {"Origin": "http://localhost"}
# What a clock may be ahead whose battery is dead.
YEARS_S = 70 * 366 * 86_400


def _make(site: Site, name: str = "li.wei", role: str = "officer") -> None:
    set_secret(site.store, site.clock, name=name, role=role, secret=SECRET, who="console")


def _enter(site: Site, secret: str = SECRET, name: str = "li.wei", remote: str = "192.0.2.1") -> str:
    return sign_in(site.store, site.clock, name=name, secret=secret, session_hours=12, remote=remote)


def _guess(site: Site, remote: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(SignInError):
            _enter(site, "wrong", remote=remote)


def _guess_from_everywhere(site: Site) -> None:
    """As many wrong attempts as slow further ones down, none of them enough to lock its address out."""
    for number in range(MOST_WRONG_AN_HOUR):
        _guess(site, f"198.51.100.{number + 1}")


def _post_sign_in(client: FlaskClient, secret: str = SECRET, name: str = "li.wei", target: str = "") -> int:
    page = client.get("/sign-in").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    form = {"csrf_token": found[1], "name": name, "secret": secret, "next": target}
    return client.post("/sign-in", data=form, headers=ORIGIN).status_code


def test_right_secret_opens_a_session_and_only_hashes_are_kept(site: Site) -> None:
    _make(site)
    token = _enter(site)
    with site.store.read() as reader:
        account = reader.first(Account.select())
        session = reader.first(Session.select())
    assert account is not None
    assert account.secret_hash.startswith("$argon2id$")
    assert SECRET not in account.secret_hash
    assert session is not None
    assert token.encode() not in session.token_hash


def test_wrong_secret_and_unknown_name_are_the_same_error(site: Site) -> None:
    _make(site)
    with pytest.raises(SignInError) as wrong:
        _enter(site, "wrong")
    with pytest.raises(SignInError) as unknown:
        _enter(site, SECRET, "nobody")
    assert (wrong.value.code, str(wrong.value)) == (unknown.value.code, str(unknown.value))


def test_fifth_wrong_attempt_locks_even_the_right_secret_out(site: Site) -> None:
    _make(site)
    for _ in range(5):
        with pytest.raises(SignInError):
            _enter(site, "wrong")
    with pytest.raises(LockedOutError) as locked:
        _enter(site)
    assert locked.value.retry_after_s == 60
    site.clock.advance(61)
    assert _enter(site)


def test_lock_grows_with_each_further_attempt_up_to_an_hour(site: Site) -> None:
    _make(site)
    waits: list[int] = []
    for _ in range(14):
        with pytest.raises((SignInError, LockedOutError)) as refused:
            _enter(site, "wrong")
        if isinstance(refused.value, LockedOutError):
            waits.append(refused.value.retry_after_s)
            site.clock.advance(waits[-1])
            with pytest.raises(SignInError):
                _enter(site, "wrong")
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (60, 3600)


def test_wrong_attempts_from_one_address_lock_nobody_else_out(site: Site) -> None:
    _make(site)
    _guess(site, "192.0.2.66", times=5)
    with pytest.raises(LockedOutError):
        _enter(site, remote="192.0.2.66")
    assert _enter(site, remote="192.0.2.1")


def test_address_that_is_locked_out_of_one_account_enters_another(site: Site) -> None:
    _make(site)
    _make(site, "wang.fang")
    _guess(site, "192.0.2.1", times=5)
    assert _enter(site, name="wang.fang")


def test_ipv6_host_gains_no_attempts_by_roaming_in_its_network(site: Site) -> None:
    _make(site)
    for number in range(5):
        _guess(site, f"2001:db8:0:1::{number}")
    with pytest.raises(LockedOutError):
        _enter(site, remote="2001:db8:0:1:ffff::1")
    assert _enter(site, remote="2001:db8:0:2::1")


def test_guesses_from_many_addresses_slow_further_ones_and_lock_nobody_out(site: Site) -> None:
    _make(site)
    _guess_from_everywhere(site)
    _guess(site, "203.0.113.1")
    with pytest.raises(LockedOutError) as slowed:
        _enter(site, remote="203.0.113.2")
    assert slowed.value.retry_after_s == 30
    site.clock.advance(31)
    assert _enter(site, remote="203.0.113.2")


def test_address_that_somebody_signed_in_from_is_not_slowed(site: Site) -> None:
    _make(site)
    _enter(site)
    _guess_from_everywhere(site)
    _guess(site, "203.0.113.1")
    assert _enter(site)


def test_known_address_is_locked_out_like_any_other(site: Site) -> None:
    _make(site)
    _enter(site)
    _guess(site, "192.0.2.1", times=5)
    with pytest.raises(LockedOutError):
        _enter(site)


def test_slowing_ends_with_its_hour(site: Site) -> None:
    _make(site)
    _guess_from_everywhere(site)
    site.clock.advance(3600)
    for number in range(3):
        _guess(site, f"203.0.113.{number}")


def test_lock_of_a_clock_that_was_years_ahead_is_over_once_it_is_set_right(site: Site) -> None:
    _make(site)
    _guess(site, "192.0.2.1", times=5)
    site.clock.step_wall(-YEARS_S)
    assert _enter(site)


def test_slowing_of_a_clock_that_was_years_ahead_is_over_once_it_is_set_right(site: Site) -> None:
    _make(site)
    _guess_from_everywhere(site)
    _guess(site, "203.0.113.1")
    site.clock.step_wall(-YEARS_S)
    for number in range(3):
        _guess(site, f"203.0.113.{number}")


def test_addresses_of_wrong_attempts_are_forgotten_after_a_day(site: Site) -> None:
    _make(site)
    _enter(site, remote="192.0.2.7")
    _guess_from_everywhere(site)
    site.clock.advance(24 * 3600)
    _guess(site, "203.0.113.1")
    with site.store.read() as reader:
        known = reader.all(SignInOrigin.select().order_by(SignInOrigin.origin))
    assert [row.origin for row in known] == ["*", "192.0.2.7", "203.0.113.1"]


def test_right_secret_forgets_wrong_attempts(site: Site) -> None:
    _make(site)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(SignInError):
                _enter(site, "wrong")
        assert _enter(site)


def test_new_secret_ends_sessions_and_the_lock(site: Site) -> None:
    _make(site)
    _enter(site)
    for _ in range(5):
        with pytest.raises(SignInError):
            _enter(site, "wrong")
    _make(site)
    with site.store.read() as reader:
        assert reader.first(Session.select()) is None
    assert _enter(site)


def test_every_attempt_is_written_down_without_the_secret(site: Site) -> None:
    _make(site)
    with pytest.raises(SignInError):
        _enter(site, "hunter2hunter2")
    _enter(site)
    with site.store.read() as reader:
        entries = reader.all(AuditEntry.select().order_by(AuditEntry.number))
    assert [entry.what for entry in entries] == ["secret-set", "sign-in-failed", "signed-in"]
    assert "hunter2" not in str([(entry.who, entry.detail) for entry in entries])


@pytest.mark.parametrize(
    ("role", "admitted"),
    [("staff", {"staff"}), ("manager", {"staff", "manager"}), ("officer", {"officer"})],
)
def test_role_enters_its_own_pages_alone(site: Site, role: str, admitted: set[str]) -> None:
    _make(site, role=role)
    client = site.app.test_client()
    assert _post_sign_in(client) == 303
    entered = {page for page in ("staff", "manager", "officer") if client.get(f"/{page}").status_code == 200}
    assert entered == admitted


def test_nobody_is_sent_to_sign_in_and_programs_get_401(site: Site) -> None:
    client = site.app.test_client()
    answer = client.get("/staff?a=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=%2Fstaff%3Fa%3D1")
    assert client.get("/api/staff").status_code == 401


def test_session_cookie_is_out_of_reach_of_scripts_and_foreign_pages(site: Site) -> None:
    _make(site)
    client = site.app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    form = {"csrf_token": found[1], "name": "li.wei", "secret": SECRET}
    headers = client.post("/sign-in", data=form, headers=ORIGIN).headers.getlist("Set-Cookie")
    cookie = SimpleCookie(next(text for text in headers if text.startswith("tried_session")))
    morsel = cookie["tried_session"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"


def test_session_ends_with_its_hours_and_with_signing_out(site: Site) -> None:
    _make(site)
    client = site.app.test_client()
    _post_sign_in(client)
    assert client.get("/officer").status_code == 200
    site.clock.advance(12 * 3600 + 1)
    assert client.get("/officer").status_code == 302
    _post_sign_in(client)
    stolen = client.get_cookie("tried_session")
    assert stolen is not None
    page = client.get("/sign-in").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    client.post("/sign-out", data={"csrf_token": found[1]}, headers=ORIGIN)
    client.set_cookie("tried_session", stolen.value)
    assert client.get("/officer").status_code == 302


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test", "/\\evil.test", "\\\\evil.test", "javascript:x", "/a\nb"]
)
def test_foreign_place_to_go_on_to_is_ignored(site: Site, target: str) -> None:
    with site.app.test_request_context("/sign-in", query_string={"next": target}):
        assert next_page("/home") == "/home"


@pytest.mark.parametrize(
    "pin", ["", "12345", "1" * 13, "１２３４５６", "12345a", "111111", "123456", "987654"]
)
def test_weak_pin_is_refused(pin: str) -> None:
    with pytest.raises(InvalidError):
        check_pin(pin)


def test_pin_and_password_of_fair_length_are_taken() -> None:
    assert check_pin("290417") == "290417"
    assert check_password("ten chars!") == "ten chars!"
    with pytest.raises(InvalidError):
        check_password("nine char")
