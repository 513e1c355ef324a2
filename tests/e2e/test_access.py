"""axe-core finds nothing on any page that people use, in either language and either way up."""

from __future__ import annotations

import pytest

from merchant_agent.demo.running import Running
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import Tablet, Till
from tests.e2e.test_sizes import dress, walk

_both_ways = pytest.mark.looks("landscape-zh", "portrait-en")


@_both_ways
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_every_screen_of_the_tablet(
    demo: Running,
    open_page: OpenPage,
    examine: Examine,
    *,
    till: Till,
    size: tuple[int, int],
    lang: str,
    large: bool,
) -> None:
    tablet = Tablet(page=open_page(size))
    tablet.pair(demo.kiosk)
    dress(tablet, lang, large=large)
    examine(tablet.page)
    order = f"A-{lang}-{size[0]}-{large:d}"
    till.sell(order, amount="64.00")
    tablet.is_asked(order)
    dress(tablet, lang, large=large)
    walk(tablet, examine)
