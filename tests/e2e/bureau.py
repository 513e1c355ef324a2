"""A central with every state that its pages can show: shops in order and out of it, and what their customers did."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from merchant_agent.central.app import create_app
from merchant_agent.central.calls import call_back
from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.own_chain import append_own, own_issuer
from merchant_agent.central.revocations import revoke
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.domain.merchants import Merchant, Programme
from merchant_agent.errors import (
    ConflictError,
    ForbiddenError,
    LockedOutError,
    StoreFullError,
    StoreLockedError,
    TooLargeError,
)
from merchant_agent.evidence.bodies import AspectLevel, FindingBody, Kind, ReplyBody
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.settings import CentralSettings
from merchant_agent.web.sign_in import set_secret
from tests.central.phone.customers import Visitor, phone
from tests.central.private import complain_with, confide
from tests.central.sender import Sender, Sent, enrol_sender, enrol_with
from tests.central.web.office import PASSWORD, credit_code
from tests.clocks import ManualClock
from tests.e2e.phones import photo

OFFICER = "officer"
LOCKED_OUT = "demo"

TROUBLES = {
    "internal": RuntimeError("a defect"),
    "forbidden": ForbiddenError("csrf", "a form of another page"),
    "conflict": ConflictError("code", "used already"),
    "locked-out": LockedOutError(60),
    "too-large": TooLargeError("too-large", "too much"),
    "full": StoreFullError("the disk is full"),
    "busy": StoreLockedError("the database is busy"),
}
_COMMENTS = ("面很筋道，汤也热", "等了二十分钟，号叫过了没人理", "", "少给了一份小菜，问了才补", "")
_MIDDLE = 3
_MINUTE_S, _DAY_S = 60, 86_400


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A registered merchant with its terminal."""

    merchant: str
    sender: Sender

    @property
    def key(self) -> str:
        """The path of the officers' page about its terminal's key."""
        sender = self.sender
        return f"/officer/merchants/{self.merchant}/terminals/{sender.issuer}/{sender.epoch}"


class Bureau:
    """A central of its own, its officers, and `url`, where its pages are."""

    def __init__(self, central: Central, clock: ManualClock) -> None:
        self.central = central
        self.clock = clock
        self.url = central.public_url
        self._registered = 0

    def hire(self, *names: str) -> None:
        """Accounts of officers, all with the same password."""
        for name in names:
            store = self.central.store
            set_secret(store, self.clock, name=name, role="officer", secret=PASSWORD, who="console")

    def register(self, shop_name: str, *, programme: Programme = Programme.NONE) -> str:
        """A merchant without a terminal."""
        self._registered += 1
        number = self._registered
        merchant = Merchant(
            name=f"{shop_name}有限公司",
            shop_name=shop_name,
            credit_code=credit_code(number),
            address=f"示例路 {number} 号",
            trade="catering",
            phone="028-88200000",
            programme=programme,
        )
        return add_merchant(self.central, merchant, who=OFFICER)

    def open_shop(self, shop_name: str, *, programme: Programme = Programme.NONE) -> Shop:
        """A merchant with an enrolled terminal, whose clock is right."""
        merchant = self.register(shop_name, programme=programme)
        sender = enrol_sender(self.central, merchant)
        sender.at = self.clock.now()
        return Shop(merchant=merchant, sender=sender)


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A bureau in which everything has happened; paths are of its pages."""

    bureau: Bureau
    noodles: Shop
    few: Shop
    frozen: Shop
    ended: Shop
    going_on: Shop
    waiting: str
    new: str
    disputed: str
    unreached: str
    called: str
    came: str


@contextmanager
def served(path: Path, *, is_logged: bool = True) -> Iterator[Bureau]:
    """A bureau on loopback; without a merchant, an officer or a record."""
    clock = ManualClock()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    lock = str(path / "lock") if is_logged else ""
    settings = CentralSettings(data=path / "central", port=port, checkpoint_lock=lock)
    central = open_central(settings, clock)
    if is_logged:
        begin_log(central, again=False)
    app = create_app(central)
    _add_trouble(app)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield Bureau(central, clock)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        close_central(central)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- the base's name
        """Nothing: pytest shows what matters."""


def _add_trouble(app: Flask) -> None:
    """Addresses at which central fails as it might at any."""

    @app.get("/trouble/<name>")
    def trouble(name: str) -> str:
        raise TROUBLES[name]


def make_busy(bureau: Bureau) -> Busy:
    """Nine days in a bureau; what was said last, was said today."""
    bureau.hire(OFFICER, LOCKED_OUT)
    central, clock = bureau.central, bureau.clock
    noodles = bureau.open_shop("示例面馆", programme=Programme.MODEL)
    _open_silent_shop(bureau)
    visitor = Visitor(central, noodles.sender, clock)
    _break_promises(visitor)
    clock.advance(6 * _DAY_S)
    visitor.publish()
    few = bureau.open_shop("示例小吃", programme=Programme.SITE)
    for level in (5, 4, 2):
        _rate(few.sender, few.sender.ask(), level)
    few.sender.upload_all(central)
    came = _rate_for_hours(visitor)
    phone(central).post(f"/p/{noodles.merchant}", f"/p/{noodles.merchant}/rating", level="4")
    visitor.release()
    visitor.publish()
    _complain(bureau, visitor, noodles.merchant)
    matters = _matters(bureau, visitor, noodles.merchant)
    visitor.publish()
    frozen, ended, going_on = _frozen(bureau), _ended(bureau), _going_on(bureau)
    waiting = bureau.register("示例茶铺")
    sheet = make_code(central, waiting, CodeKind.SHEET, who=OFFICER)
    enrol_with(central, sheet.code, SigningKey.generate())
    new = bureau.register("示例书店")
    visitor.publish()
    return Busy(
        bureau=bureau,
        noodles=noodles,
        few=few,
        frozen=frozen,
        ended=ended,
        going_on=going_on,
        waiting=waiting,
        new=new,
        disputed=matters[0],
        unreached=matters[1],
        called=matters[2],
        came=came.query_code,
    )


def _open_silent_shop(bureau: Bureau) -> None:
    """Heard of once, with a clock that was wrong."""
    silent = bureau.open_shop("示例理发店")
    _rate(silent.sender, silent.sender.ask(), 5)
    silent.sender.at += bureau.clock.now() - silent.sender.at
    silent.sender.upload_all(bureau.central)


def _break_promises(visitor: Visitor) -> None:
    """Of two slips one is kept late and explained, and the other one's record is thrown away."""
    late, lost = (visitor.slip(visitor.rate(level=level), level=level) for level in (2, 1))
    for slip in (late, lost):
        phone(visitor.central).read(f"/s/{slip}")
    visitor.pass_time(24.1)
    visitor.sweep()
    visitor.forget_newest()
    visitor.upload()
    _explain(visitor, "店里停电两个小时，路由器没有恢复。")
    visitor.sweep()


def _explain(visitor: Visitor, text: str) -> None:
    """The shop explains what stands first in the bureau's chain."""
    sender, central = visitor.sender, visitor.central
    with central.store.write() as tx:
        own = own_issuer(central, tx, sender.grant.merchant)
    sender.at = visitor.clock.now()
    words = make_disclosure("comment", text)
    sender.append(Kind.REPLY, ReplyBody(to=Place(issuer=own, epoch=1, seq=0)), disclosures=[words])
    visitor.upload()


def _rate_for_hours(visitor: Visitor) -> Sent:
    """Ratings of every level and kind; one of those that came."""
    sender, clock = visitor.sender, visitor.clock
    for number in range(56):
        clock.advance(2 * _MINUTE_S)
        sender.at = clock.now()
        level = (5, 5, 4, 5, 3, 4, 5, 2, 5, 1)[number % 10]
        came = _rate(sender, sender.ask(), level, comment=_COMMENTS[number % 5])
    _rate(sender, sender.ask(source="manual"), 5)
    _rate(sender, sender.ask(), 5, dwell_ms=300)
    clock.advance(5 * _MINUTE_S)
    sender.at = clock.now()
    for _ in range(10):
        _rate(sender, sender.ask(), 5)
    sender.suggest("门口加个遮雨棚吧，下雨天排队都淋着。")
    sender.suggest("希望有小份的面")
    visitor.upload()
    return came


def _rate(sender: Sender, prompt: Sent, level: int, *, comment: str = "", dwell_ms: int = 4_000) -> Sent:
    return sender.rate(
        prompt,
        level,
        comment=comment,
        dwell_ms=dwell_ms,
        aspects=(AspectLevel(aspect="service", level=level),) if comment else (),
        tags=("taste_good", "service_warm") if level > _MIDDLE else ("waited_long",),
    )


def _complain(bureau: Bureau, visitor: Visitor, merchant: str) -> None:
    """Complaints of every kind, and that the staff asked for good ratings."""
    sender, central = visitor.sender, bureau.central
    sender.at = bureau.clock.now()
    complain_with(sender)
    confide(sender)
    sender.complain(sender.ask(), comment="面里有头发，要求重做，店员不理")
    visitor.upload()
    base = f"/p/{merchant}"
    mine = phone(central)
    files = [(io.BytesIO(photo(colour, (1200, 900))), f"{colour}.jpg") for colour in ("tan", "gray")]
    path = f"{base}/complain"
    answer = mine.post(
        path, path, category="measure", remedy="refund", comment="少给了两件", amount="64.5", photo=files
    )
    case = answer.headers["Location"]
    mine.post(case, f"{case}/add", comment="第二天又去问，没有人理")
    mine.post(f"{base}/urged", f"{base}/urged", way=["reward", "watched"], comment="给好评送了一瓶水")
    mine.post(f"{base}/urged", f"{base}/urged", way=["asked"])


def _matters(bureau: Bureau, visitor: Visitor, merchant: str) -> list[str]:
    """Paths of answers to call back about: a disputed one, one with nobody reached, and one that is settled."""
    central, paths = bureau.central, []
    for step, level in (("dispute", 5), ("correct", 2), ("correct", 2)):
        bureau.clock.advance(_MINUTE_S)
        sent = visitor.rate(level=level)
        slip = visitor.slip(sent, level=level)
        visitor.upload()
        for _ in range(2 if step == "dispute" else 1):
            mine = phone(central)
            mine.open(slip, visitor.claim)
        mine.post(f"/s/{slip}", f"/s/{slip}/{step}", level="5")
        paths.append(f"/officer/calls/{merchant}/{visitor.sender.issuer}/1/{sent.seq}")
    places = [Place(issuer=visitor.sender.issuer, epoch=1, seq=int(path.split("/")[-1])) for path in paths]
    call_back(central, merchant, places[1], "not_reached", who=OFFICER)
    call_back(central, merchant, places[2], "corrected", level=5, who=OFFICER)
    return paths


def _fork(shop: Shop, central: Central) -> Sender:
    """Sets the terminal back to before its last sale, and lets it go on from there."""
    sender = shop.sender
    sender.sell(2)
    sender.upload_all(central)
    back = sender.back_at(2)
    back.at = sender.at
    back.sell(1, level=1)
    back.upload(central, back.body(2))
    return back


def _frozen(bureau: Bureau) -> Shop:
    """A terminal that contradicts itself, and asks for another key."""
    shop = bureau.open_shop("示例菜市")
    back = _fork(shop, bureau.central)
    ask_epoch(bureau.central, back.issuer, *back.request_epoch(SigningKey.generate(), "frozen"))
    return shop


def _ended(bureau: Bureau) -> Shop:
    """A terminal whose key an officer ended."""
    shop = bureau.open_shop("示例杂货铺")
    shop.sender.sell(3)
    shop.sender.upload_all(bureau.central)
    reason = "店里报失：终端连同钥匙一起被人拿走。"
    revoke(bureau.central, shop.merchant, shop.sender.issuer, 1, reason=reason, who=OFFICER, allow=None)
    return shop


def _going_on(bureau: Bureau) -> Shop:
    """A terminal that was restored from a backup and has its second key."""
    shop = bureau.open_shop("示例理货店")
    shop.sender.sell(2)
    shop.sender.upload_all(bureau.central)
    after = shop.sender.next_epoch("restored")
    after.at = bureau.clock.now()
    after.sell(1)
    after.upload_all(bureau.central)
    finding = FindingBody(code="silent", place=None, leaf=None, due_at=None)
    with bureau.central.store.write() as tx:
        append_own(bureau.central, tx, shop.merchant, Kind.FINDING, finding)
    return shop
