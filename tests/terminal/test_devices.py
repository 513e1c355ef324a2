"""Pairing links, tablets and POS tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.terminal.devices import (
    find_pos_token,
    find_tablet,
    find_tablet_seen,
    is_seen_lately,
    list_pos_tokens,
    list_tablets,
    make_pairing_link,
    make_pos_token,
    note_seen,
    pair,
    revoke_pos_token,
    revoke_tablet,
)
from merchant_agent.terminal.store.opening import DATABASE_NAME, open_store
from tests.clocks import START


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(DataFolder(tmp_path), ballast_bytes=0, keep_backups=1)
    yield opened
    opened.close()


def _paired(store: Store, till: str = "") -> str:
    with store.write() as writer:
        return pair(writer, make_pairing_link(writer, at=START, till=till), at=START)


def test_link_pairs_a_tablet_with_its_till(store: Store) -> None:
    token = _paired(store, till="2")
    with store.read() as reader:
        tablet = find_tablet(reader, token)
        assert tablet is not None
        assert tablet.till == "2"
        assert [paired.id for paired in list_tablets(reader)] == [tablet.id]


def test_link_used_twice_is_refused(store: Store) -> None:
    with store.write() as writer:
        secret = make_pairing_link(writer, at=START)
        pair(writer, secret, at=START)
    with pytest.raises(NotFoundError) as refused, store.write() as writer:
        pair(writer, secret, at=START)
    assert refused.value.code == "pairing-link"


def test_link_over_is_refused(store: Store) -> None:
    with store.write() as writer:
        secret = make_pairing_link(writer, at=START, valid_s=300)
    with pytest.raises(NotFoundError), store.write() as writer:
        pair(writer, secret, at=START + timedelta(seconds=300))


def test_link_for_several_tablets_counts_down(store: Store) -> None:
    with store.write() as writer:
        secret = make_pairing_link(writer, at=START, uses=2)
        tokens = {pair(writer, secret, at=START) for _ in range(2)}
    assert len(tokens) == 2
    with pytest.raises(NotFoundError), store.write() as writer:
        pair(writer, secret, at=START)


def test_link_typed_in_capitals_works(store: Store) -> None:
    with store.write() as writer:
        assert pair(writer, make_pairing_link(writer, at=START).upper(), at=START)


def test_unknown_link_and_cookie_are_nobody(store: Store) -> None:
    with pytest.raises(NotFoundError), store.write() as writer:
        pair(writer, "", at=START)
    with store.read() as reader:
        assert find_tablet(reader, "") is None


def test_revoked_tablet_is_nobody_and_not_revoked_twice(store: Store) -> None:
    token = _paired(store)
    with store.read() as reader:
        tablet = find_tablet(reader, token)
    assert tablet is not None
    with store.write() as writer:
        revoke_tablet(writer, tablet.id, at=START)
    with store.read() as reader:
        assert find_tablet(reader, token) is None
        assert list_tablets(reader) == ()
    with pytest.raises(NotFoundError), store.write() as writer:
        revoke_tablet(writer, tablet.id, at=START)


def test_numbers_of_revoked_tablets_are_not_given_again(store: Store) -> None:
    _paired(store)
    with store.read() as reader:
        first = list_tablets(reader)[0]
    with store.write() as writer:
        revoke_tablet(writer, first.id, at=START)
    _paired(store)
    with store.read() as reader:
        assert [paired.number for paired in list_tablets(reader)] == [2]


def test_seen_is_noted_now_and_then_only(store: Store) -> None:
    token = _paired(store)
    with store.write() as writer:
        assert not is_seen_lately(find_tablet_seen(writer, token)[1], at=START)
        note_seen(writer, token, at=START)
        seen_at = find_tablet_seen(writer, token)[1]
    assert is_seen_lately(seen_at, at=START + timedelta(seconds=29))
    assert not is_seen_lately(seen_at, at=START + timedelta(seconds=30))
    assert not is_seen_lately(seen_at, at=START - timedelta(hours=1))


def test_pos_token_names_its_till_until_revoked(store: Store) -> None:
    with store.write() as writer:
        token = make_pos_token(writer, "1", at=START)
        other = make_pos_token(writer, "", at=START)
    with store.read() as reader:
        found = find_pos_token(reader, token)
        assert found is not None
        assert found.till == "1"
        assert len(list_pos_tokens(reader)) == 2
    with store.write() as writer:
        revoke_pos_token(writer, found.id, at=START)
    with store.read() as reader:
        assert find_pos_token(reader, token) is None
        assert find_pos_token(reader, other) is not None
    with pytest.raises(NotFoundError), store.write() as writer:
        revoke_pos_token(writer, found.id, at=START)


@pytest.mark.parametrize("till", ["x" * 33, "a\nb"])
def test_till_of_a_wrong_form_is_refused(store: Store, till: str) -> None:
    with pytest.raises(InvalidError), store.write() as writer:
        make_pairing_link(writer, at=START, till=till)
    with pytest.raises(InvalidError), store.write() as writer:
        make_pos_token(writer, till, at=START)


def test_no_secret_is_on_the_disk(store: Store, tmp_path: Path) -> None:
    with store.write() as writer:
        link = make_pairing_link(writer, at=START)
        secrets = [link, pair(writer, link, at=START), make_pos_token(writer, "1", at=START)]
    store.checkpoint(truncate=True)
    octets = (tmp_path / DATABASE_NAME).read_bytes()
    assert not [secret for secret in secrets if secret.encode() in octets]
