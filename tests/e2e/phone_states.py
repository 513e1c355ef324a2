"""Phones' pages in every state that takes days, a dishonest shop or an officer to come about."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from merchant_agent.central.calls import call_back
from merchant_agent.central.contacts import look_at_contact
from merchant_agent.central.erasure import erase
from merchant_agent.central.photos import look_at_photos
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Complaint
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import encode_b64u
from tests.central.phone.customers import Visitor, phone
from tests.central.phone.test_cases import complain_on_tablet, file, key_of
from tests.central.phone.test_findings import explain
from tests.central.rows import rows
from tests.central.sender import Sent
from tests.e2e.bureau import Bureau
from tests.e2e.phones import NUMBER, photo

WHO = "officer"
_DAY_H = 24


@dataclass(frozen=True, kw_only=True)
class State:
    """A page under a name; a `claim` stands behind `#` in its address, a `key` is typed in there, a `form` is sent."""

    name: str
    path: str
    claim: bytes = b""
    key: str = ""
    form: str = ""


def states(bureau: Bureau) -> list[State]:
    """All of them; the clock goes on by two days meanwhile."""
    old = _Customer.of(bureau, "示例老面馆")
    lapsed, printed = old.visitor.sender.ask(), old.visitor.sender.ask()
    ended = old.visitor.invitation(lapsed, days=1)
    next_day = old.visitor.invitation(printed)
    old.visitor.upload()
    explained = _Customer.of(bureau, "示例包子铺")
    disputed = explained.rates()
    slow = _Customer.of(bureau, "示例小吃店")
    late = slow.rates()
    slow.visitor.pass_time(_DAY_H + 1)
    slow.visitor.upload()
    explained.shows(disputed)
    explained.visitor.sweep()
    explained.visitor.forget_newest()
    # Its finding is the first thing that central signed for anybody.
    explain(explained.visitor, "停电两天，来电后机器没有启动")
    silent = _Customer.of(bureau, "示例点心店")
    broken = silent.rates()
    silent.visitor.pass_time(_DAY_H + 1)
    silent.shows(broken)
    silent.visitor.sweep()
    return [
        State(name="invitation-ended", path=f"/i/{ended}"),
        State(name="invitation-next-day", path=f"/i/{next_day}"),
        State(name="slip-late", path=f"/s/{late}", claim=slow.visitor.claim),
        State(name="slip-broken", path=f"/s/{broken}", claim=silent.visitor.claim),
        State(name="slip-explained", path=f"/s/{disputed}", claim=explained.visitor.claim),
        *_of_slips(bureau),
        *_of_calls(bureau),
        *_of_cases(bureau),
    ]


@dataclass(frozen=True, kw_only=True)
class _Customer:
    """Somebody at a shop of their own."""

    bureau: Bureau
    merchant: str
    visitor: Visitor

    @classmethod
    def of(cls, bureau: Bureau, shop_name: str) -> _Customer:
        shop = bureau.open_shop(shop_name)
        visitor = Visitor(bureau.central, shop.sender, bureau.clock)
        return cls(bureau=bureau, merchant=shop.merchant, visitor=visitor)

    def rates(self, level: int = 2, prompt: Sent | None = None) -> str:
        """The slip's name."""
        return self.visitor.slip(self.visitor.rate(prompt, level=level, comment="等了四十分钟"), level=level)

    def shows(self, slip: str) -> None:
        """Somebody reads the slip's page, without its claim."""
        phone(self.bureau.central).read(f"/s/{slip}")

    def opens(self, slip: str) -> None:
        """Another device of theirs, or of somebody who saw the code."""
        phone(self.bureau.central).open(slip, self.visitor.claim)

    def state(self, name: str, slip: str) -> State:
        return State(name=name, path=f"/s/{slip}", claim=self.visitor.claim)


def _of_slips(bureau: Bureau) -> Iterator[State]:
    """Slips of this hour."""
    promised = _Customer.of(bureau, "示例早点铺")
    yield promised.state("slip-promised", promised.rates())
    forger = _Customer.of(bureau, "示例酸辣粉店")
    prompt = forger.visitor.sender.ask()
    pressed = forger.rates(1, prompt)
    forger.visitor.forget_newest()
    forger.visitor.rate(prompt, level=5)
    forger.visitor.upload()
    yield forger.state("slip-conflict", pressed)
    ended = _Customer.of(bureau, "示例歇业饭馆")
    slip = ended.rates()
    issuer = ended.visitor.sender.issuer
    revoke(bureau.central, ended.merchant, issuer, 1, reason="lost", who=WHO)
    yield ended.state("slip-revoked", slip)
    seen = _Customer.of(bureau, "示例凉面摊")
    slip = seen.rates()
    seen.visitor.upload()
    seen.opens(slip)
    yield seen.state("slip-contested", slip)
    erased = _Customer.of(bureau, "示例豆花店")
    slip = erased.rates()
    erased.visitor.upload()
    erase(bureau.central, erased.merchant, _newest(erased.visitor), who=WHO)
    yield erased.state("slip-erased", slip)


def _of_calls(bureau: Bureau) -> Iterator[State]:
    """Slips about which their holders say something, and one about which the station did."""
    for form, shop_name in (
        ("confirm", "示例面馆一店"),
        ("correct", "示例面馆二店"),
        ("dispute", "示例面馆三店"),
    ):
        customer = _Customer.of(bureau, shop_name)
        slip = customer.rates()
        customer.visitor.upload()
        yield State(name=f"slip-{form}", path=f"/s/{slip}", claim=customer.visitor.claim, form=form)
    called = _Customer.of(bureau, "示例面馆四店")
    slip = called.rates()
    called.visitor.upload()
    mine = phone(bureau.central)
    mine.open(slip, called.visitor.claim)
    mine.post(f"/s/{slip}", f"/s/{slip}/correct", level="4")
    call_back(bureau.central, called.merchant, _newest(called.visitor), "corrected", level=4, who=WHO)
    yield called.state("slip-called-back", slip)


def _of_cases(bureau: Bureau) -> Iterator[State]:
    """Complaints that the station has looked at, called about, and erased."""
    tablet = _Customer.of(bureau, "示例砂锅店")
    sent = complain_on_tablet(tablet.visitor)
    slip = tablet.visitor.slip(sent, level=0, complaint=True)
    tablet.visitor.upload()
    call_back(bureau.central, tablet.merchant, _newest(tablet.visitor), "not_reached", who=WHO)
    yield tablet.state("slip-called", slip)
    for name, shop_name in (("followed", "示例水果店"), ("erased", "示例炒货店")):
        shop = bureau.open_shop(shop_name)
        mine = phone(bureau.central)
        files = [
            (io.BytesIO(photo(colour, (320, 240))), f"{colour}.jpg", "image/jpeg")
            for colour in ("red", "blue")
        ]
        case = file(
            mine,
            f"/p/{shop.merchant}",
            category=["price"],
            contact=NUMBER,
            consent=["authority"],
            photo=files,
        )
        key = key_of(mine.read(case))
        place = _complained(bureau.central, shop.merchant)
        look_at_contact(bureau.central, shop.merchant, place, who=WHO)
        look_at_photos(bureau.central, shop.merchant, place, who=WHO)
        mine.post(case, f"{case}/add", comment="第二天又去问，没有人理")
        if name == "erased":
            erase(bureau.central, shop.merchant, place, who=WHO)
        yield State(name=f"case-{name}", path=case, key=key)


def _newest(visitor: Visitor) -> Place:
    return Place(issuer=visitor.sender.issuer, epoch=1, seq=visitor.sender.sent[-1].seq)


def _complained(central: Central, merchant: str) -> Place:
    (row,) = [row for row in rows(central, Complaint) if row.merchant == merchant]
    return Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)


def behind(state: State) -> str:
    """What stands behind the address of its page."""
    return f"#{encode_b64u(state.claim)}" if state.claim else ""
