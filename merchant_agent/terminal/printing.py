"""Slips on paper: which printer, and whose slip. Whoever was thanked on a tablet may have theirs printed there.

Where a POS prints through us the slip goes the same way, so that it never stands in the middle of a receipt.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, Protocol

from flask_babel import force_locale, gettext

from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.terminal.collect.said import Thanks
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.pos.printer.targets import open_target
from merchant_agent.terminal.services import Terminal

_log = logging.getLogger(__name__)

_REMEMBERED: Final = 200


class Prints(Protocol):
    """A printer."""

    def print(self, octets: bytes) -> None:
        """Prints a job of its own.

        Raises:
            OSError: the printer is off, gone, or busy for long.
            InvalidError: "printer-address".
        """
        ...


class SlipPrinting:
    """`tapped` finds the printer that the POS of a till prints through; any thread may use this."""

    def __init__(self, terminal: Terminal, tapped: Callable[[str], Prints | None]) -> None:
        self._terminal = terminal
        self._tapped = tapped
        self._is_installed = find_spec("escpos") is not None
        self._lock = threading.Lock()
        self._slips: OrderedDict[tuple[str, str], str] = OrderedDict()  # under _lock

    def offer(self, tablet: Tablet, thanks: Thanks) -> bool:
        """Whether these thanks can have their slip printed; remembers it then."""
        if thanks.slip_url is None or self._printer(tablet) is None:
            return False
        with self._lock:
            self._slips[tablet.id, thanks.query_code] = thanks.slip_url
            if len(self._slips) > _REMEMBERED:
                self._slips.popitem(last=False)
        return True

    def print(self, tablet: Tablet, query_code: str, lang: str) -> bool:
        """Prints the slip, once; False where the printer did not take it: then it may be tried again.

        Raises:
            NotFoundError: "slip", when it was not offered to this tablet, or was printed.
        """
        printer, key = self._printer(tablet), (tablet.id, query_code)
        with self._lock:
            url = self._slips.pop(key, None)
        if url is None or printer is None:
            raise NotFoundError("slip", "no such slip was offered for printing here")
        try:
            printer.print(self._paper(query_code, url, lang))
        except (OSError, InvalidError) as error:
            _log.warning("a slip could not be printed: %s", error)
            with self._lock:
                self._slips[key] = url
            return False
        return True

    def _printer(self, tablet: Tablet) -> Prints | None:
        if not self._is_installed:
            return None
        tapped = self._tapped(tablet.till)
        address = self._terminal.settings.slip_printer
        return tapped or (_Alone(address) if address else None)

    def _paper(self, query_code: str, url: str, lang: str) -> bytes:
        # 3 MiB of a terminal that runs all day, most without a printer.
        from merchant_agent.terminal.slip_paper import SlipWords, print_slip  # noqa: PLC0415 -- as said

        with force_locale(lang):
            words = SlipWords(
                shop=self._terminal.journal.identity.merchant.shop_name,
                title=gettext("Slip for what you said here"),
                code_label=gettext("Query code"),
                code=query_code,
                url=url,
                advice=(
                    gettext(
                        "Scan: has it arrived at the market supervision authority? Nobody can change it."
                    ),
                    gettext("No agreement with the shop? Call 12315."),
                ),
            )
        return print_slip(words)


class _Alone:
    """A printer that no POS shares with us."""

    def __init__(self, address: str) -> None:
        self._address = address

    def print(self, octets: bytes) -> None:
        """As `Prints`."""
        target = open_target(self._address)
        try:
            target.send(octets)
            target.finish()
        finally:
            target.close()
