"""Sale, tap, comment, thank you, and what central has of it."""

from __future__ import annotations

from itertools import count
from time import monotonic, sleep

import pytest
from playwright.sync_api import expect

from merchant_agent.demo.running import Running
from tests.e2e.conftest import OpenPage
from tests.e2e.people import LANDSCAPE, PORTRAIT, Officer, Tablet, Till, at_shop

_orders = count(101)


def _order() -> str:
    return str(next(_orders))


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rating_is_verified_at_central_within_five_seconds(
    demo: Running, open_page: OpenPage, till: Till, lang: str, size: tuple[int, int]
) -> None:
    tablet, order = Tablet(page=open_page(size)), _order()
    comment = f"面条劲道，汤很鲜，{order} 号"
    tablet.pair(demo.kiosk)
    till.sell(order)
    tablet.is_asked(order)
    tablet.speak("zh" if lang == "zh" else "en")
    tablet.tap(4)
    tablet.write(comment)
    tablet.press("done")
    code = tablet.thanked("rating")
    thanked_at = monotonic()
    public = open_page(size)
    received = public.locator(".verdict-received")
    while not received.count() and monotonic() < thanked_at + 5:
        public.goto(f"{at_shop(demo.central.url)}/check?code={code}&lang={lang}")
        sleep(0.1)
    expect(received).to_be_visible(timeout=1)
    officer = Officer(page=open_page(size), demo=demo)
    officer.sign_in("officer", demo.state.officer)
    voice = officer.reads("ratings").filter(has_text=comment)
    expect(voice).to_have_count(1)
    expect(voice).to_contain_text("满意")
