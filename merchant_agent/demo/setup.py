"""Making the demo's central and terminal what they would be in a county: registered, enrolled, with secrets.

All of it may be interrupted anywhere and done again. It uses both programs' own functions
while neither of them runs; only the enrolment goes over the network, as in a shop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.clock import Clock
from merchant_agent.demo.state import DemoFolder, DemoState, save_state
from merchant_agent.domain.merchants import Merchant, Programme
from merchant_agent.domain.promises import Promise
from merchant_agent.errors import StartError
from merchant_agent.evidence.trust import Trust, encode_trust
from merchant_agent.settings import CentralSettings, TerminalSettings
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.terminal.accounts import set_password, set_pin
from merchant_agent.terminal.devices import make_pairing_link, make_pos_token, pair
from merchant_agent.terminal.enrolment import enrol
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.web.sign_in import set_secret

OFFICER = "officer"
WHO = "demo"

# Nobody's: 990000 is no county.
SHOP = Merchant(
    name="示例餐饮有限公司",
    shop_name="北街面馆",
    credit_code="92990000MA0DEM000T",
    address="示例市示例区北街 8 号",
    trade="catering",
    phone="021-00000000",
    programme=Programme.SITE,
    promises=(
        Promise(code="no_reason_return", days=7, goods="未拆封的预包装食品", terms="凭小票到店办理"),
        Promise(code="clear_prices"),
    ),
)
_KIOSK_OPENINGS = 1000
_KIOSK_VALID = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralReady:
    """What central's side has for the terminal: its merchant's id, a fresh code, and what to believe."""

    merchant: str
    code: str
    trust: Trust


@contextmanager
def opened_terminal(settings: TerminalSettings, clock: Clock) -> Iterator[Terminal]:
    """The terminal of the demo, which nobody else can have meanwhile.

    Raises:
        StartError: another process has it, or it cannot be used.
    """
    terminal = open_terminal(settings, clock)
    try:
        yield terminal
    finally:
        close_terminal(terminal)


def prepare_central(
    settings: CentralSettings, clock: Clock, folder: DemoFolder, state: DemoState
) -> CentralReady:
    """Begins the log, registers the shop, makes an officer's account and writes the trust file.

    Raises:
        StartError: central's folder is in use or cannot be used, or the log's lock was taken away.
        StoreError: its database cannot.
    """
    central = open_central(settings, clock)
    try:
        if not state.pos_token:
            secret = state.officer
            set_secret(central.store, clock, name=OFFICER, role="officer", secret=secret, who=WHO)
        if not folder.checkpoint_lock.exists():
            begin_log(central, again=False)
        trust = central.identity.trust()
        write_file_atomic(folder.trust, encode_trust(trust))
        merchant = _registered(central)
        code = make_code(central, merchant, CodeKind.SCREEN, who=WHO).code
        return CentralReady(merchant=merchant, code=code, trust=trust)
    except OSError as error:
        raise StartError(f"The file {folder.trust} cannot be written: {error.strerror or error}.") from error
    finally:
        close_central(central)


def enrol_where_needed(terminal: Terminal, central_url: str, ready: CentralReady) -> None:
    """Enrols the terminal at the running central, unless it is.

    Raises:
        MerchantAgentError: central did not answer, or refused.
    """
    if not terminal.journal.enrolled:
        enrol(terminal, central_url, ready.code, trust=ready.trust)


def prepare_terminal(terminal: Terminal, folder: DemoFolder, state: DemoState, *, tablets: int) -> DemoState:
    """Gives the shop's people their secrets and the tills a token, and pairs a tablet for each till of the feed.

    The tills are called 1, 2, 3 and so on.

    Raises:
        StartError: the secrets could not be kept.
        StoreError: the terminal could not store them.
    """
    now = terminal.clock.now()
    if not state.pos_token:
        set_pin(terminal.store, terminal.clock, state.pin, who=WHO)
        set_password(terminal.store, terminal.clock, state.manager, who=WHO)
        with terminal.store.write() as writer:
            token = make_pos_token(writer, "", at=now)
        state = msgspec.structs.replace(state, pos_token=token)
    tills = [str(number) for number in range(len(state.tablets) + 1, tablets + 1)]
    if tills:
        with terminal.store.write() as writer:
            links = [make_pairing_link(writer, at=now, till=till) for till in tills]
            fresh = tuple(pair(writer, link, at=now) for link in links)
        state = msgspec.structs.replace(state, tablets=state.tablets + fresh)
    save_state(folder, state)
    return state


def new_kiosk_link(terminal: Terminal) -> str:
    """The secret part of an address that opens as a paired tablet, for whoever looks at the demo."""
    valid_s = int(_KIOSK_VALID.total_seconds())
    with terminal.store.write() as writer:
        return make_pairing_link(writer, at=terminal.clock.now(), uses=_KIOSK_OPENINGS, valid_s=valid_s)


def _registered(central: Central) -> str:
    """The id of the demo's shop."""
    known = MerchantEntry.select(MerchantEntry.id).where(MerchantEntry.credit_code == SHOP.credit_code)
    with central.store.read() as reader:
        merchant: str | None = reader.scalar(known)
    return merchant or add_merchant(central, SHOP, who=WHO)
