"""A database that was set back: its tablets know."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.store.mark import default_mark
from merchant_agent.terminal.store.opening import DATABASE_NAME
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.collect.test_kept import all_records, begin_epoch
from tests.terminal.web.doors import Kiosk, make_app_of

HEADER = "Merchant-Agent-Head"


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


def look(kiosk: Kiosk, head: str = "") -> str:
    """The tablet looks at its screen and is told the head."""
    return kiosk.client.get("/kiosk/api/screen", query_string={"head": head}).headers[HEADER]


def hold_of(shop: Shop) -> str | None:
    return shop.terminal.journal.hold


@contextmanager
def set_back(shop: Shop) -> Iterator[None]:
    """What happens in the block is gone after it: the database is the copy from before, and there is no mark."""
    close_terminal(shop.terminal)
    path = shop.settings.data / DATABASE_NAME
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    shop.terminal = open_terminal(shop.settings, shop.clock)
    yield
    close_terminal(shop.terminal)
    copy.replace(path)
    default_mark(shop.settings.data).unlink()
    shop.terminal = open_terminal(shop.settings, shop.clock)


def app_again(shop: Shop, kiosk: Kiosk) -> Kiosk:
    """The same tablet, with its cookie, before the program that was started anew."""
    client = make_app_of(shop).test_client()
    cookie = kiosk.client.get_cookie("tablet", path="/kiosk")
    assert cookie is not None
    client.set_cookie("tablet", cookie.value, path="/kiosk")
    return Kiosk(client=client, shop=shop)


def test_every_answer_to_a_tablet_tells_the_head(shop: Shop) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    before = look(kiosk)
    answer = kiosk.done(kiosk.new_id(), shop.sell().prompt_id, 5)
    newest = shop.terminal.journal.head
    assert newest is not None
    issuer = shop.terminal.journal.identity.issuer
    assert answer.headers[HEADER].startswith(f"{issuer}.1.1.{newest.link}.")
    assert look(kiosk, before) == answer.headers[HEADER]
    assert hold_of(shop) is None


def test_a_tablet_that_knows_more_than_a_restored_database_stops_all_signing(shop: Shop) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    shop.sell("001")
    with set_back(shop):
        kiosk = app_again(shop, kiosk)
        shop.done(shop.sell("002"), 1)
        known = look(kiosk)
    kiosk = app_again(shop, kiosk)
    assert hold_of(shop) is None
    look(kiosk, known)
    assert hold_of(shop) == "restored"
    assert shop.done(shop.sell("003"), 5).query_code == ""
    assert shop.story() == ["prompt"]


def test_a_tablet_that_knows_another_record_at_a_place_stops_all_signing(shop: Shop) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    with set_back(shop):
        kiosk = app_again(shop, kiosk)
        shop.sell("002")
        known = look(kiosk)
    kiosk = app_again(shop, kiosk)
    shop.sell("other")
    shop.sell("more")
    look(kiosk, known)
    assert hold_of(shop) == "restored"


def test_what_a_lost_tail_left_with_tablets_is_over_with_the_new_epoch(shop: Shop) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    with set_back(shop):
        kiosk = app_again(shop, kiosk)
        shop.sell("002")
        known = look(kiosk)
    kiosk = app_again(shop, kiosk)
    look(kiosk, known)
    begin_epoch(shop)
    look(kiosk, known)
    assert hold_of(shop) is None
    shop.sell("003")
    assert all_records(shop)[-1].epoch == 2


@pytest.mark.parametrize("change", [0, 12, 14, 40, -1])
def test_a_head_that_somebody_made_up_stops_nothing(shop: Shop, change: int) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    told = look(kiosk)
    letters = list(told)
    letters[change] = "7" if letters[change] != "7" else "8"
    for text in ("".join(letters), "", "x", told + "A", told.replace(".1.-1.", ".1.99.")):
        look(kiosk, text)
    assert hold_of(shop) is None


def test_whoever_is_no_tablet_is_told_no_head(shop: Shop) -> None:
    app: Flask = make_app_of(shop)
    assert HEADER not in app.test_client().get("/kiosk/api/screen").headers
