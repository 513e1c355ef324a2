"""One printer that is tapped: receipts become sales, and get their invitation before the cut.

Called from the relay's threads. Whatever takes long here costs the paper its code and nothing else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, format_amount
from merchant_agent.errors import InvalidError
from merchant_agent.terminal.collect.lookup import find_prompt
from merchant_agent.terminal.collect.prompts import SaleTaken
from merchant_agent.terminal.pos.printer.invitation import print_invitation, print_test
from merchant_agent.terminal.pos.printer.jobs import Job, understand
from merchant_agent.terminal.pos.printer.patterns import JobKind, Patterns
from merchant_agent.terminal.pos.printer.relay import Relay
from merchant_agent.terminal.pos.printer.stream import Finished
from merchant_agent.terminal.pos.sightings import Outcome, Sighting, shown_lines
from merchant_agent.terminal.pos.taking import Came, own_order, take
from merchant_agent.terminal.pos.ways import PrinterDetails, Way
from merchant_agent.terminal.pos.words import own_names
from merchant_agent.terminal.services import Terminal

_REMEMBERED: Final = 500
_NOT_UNDERSTOOD: Final = frozenset({JobKind.OTHER, JobKind.IMAGE})


class PrinterTap:
    """Listens from here on. `patterns` are asked for at each paper; `show` is told of each.

    Raises:
        StartError: the port is taken.
    """

    def __init__(
        self,
        terminal: Terminal,
        way: Way,
        details: PrinterDetails,
        *,
        patterns: Callable[[], Patterns],
        show: Callable[[Sighting], None],
    ) -> None:
        self._terminal = terminal
        self._way = way
        self._details = details
        self._patterns = patterns
        self._show = show
        self._lock = threading.Lock()  # guards the one below
        self._printed: OrderedDict[str, None] = OrderedDict()  # prompts whose invitation went onto paper
        self.relay = Relay(
            host=details.host,
            port=details.port,
            address=details.address,
            adds=self._adds,
            clock=terminal.clock,
        )

    def close(self) -> None:
        """Listens no more, and ends what is under way."""
        self.relay.close()

    def print_test(self) -> None:
        """Prints a page that people recognise, with a code on it.

        Raises:
            OSError: the printer cannot be reached, or is busy for long.
        """
        self.relay.print(print_test(self._terminal.clock.now(), lang=self._details.lang))

    def _adds(self, finished: Finished) -> bytes | None:
        paper = finished.paper
        lines = paper.lines
        names = own_names(self._terminal)
        job = understand(lines, has_image=paper.has_image, patterns=self._patterns(), own_names=names)
        if not finished.final and not _is_whole(job):
            return None
        try:
            sale = self._sale(job, finished, lines)
        except InvalidError as error:
            self._tell(job, Came(outcome=Outcome.REFUSED, why=error.code), lines, "")
            return b""
        if sale is None:
            self._tell(job, Came(outcome=Outcome.NO_SALE, why=job.why), lines, "")
            return b""
        came = take(self._terminal, sale, dry_run=self._way.dry_run)
        self._tell(job, came, lines, sale.order)
        if came.taken is None or not self._is_first_print(came.taken):
            return b""
        url = came.taken.invitation_url
        if url is None:  # nothing can be signed at the moment, or nobody told where central is
            return b""
        return print_invitation(url, paper, lang=self._details.lang, feeds=finished.feeds)

    def _sale(self, job: Job, finished: Finished, lines: tuple[str, ...]) -> Sale | None:
        """The sale that a paper tells of, or None.

        Raises:
            InvalidError: its number or amount is none.
        """
        if job.kind is JobKind.IMAGE and self._details.images:
            return Sale(order=own_order(finished.digest), till=self._way.till, source=SaleSource.PRINTER)
        if job.kind is not JobKind.RECEIPT:
            return None
        order = job.order or own_order("\n".join(lines).encode())
        return Sale(
            order=order,
            till=self._way.till,
            kind=SaleKind(job.form),
            amount=None if job.total is None else job.total.amount,
            currency="CNY" if job.total is None else job.total.currency,
            at=self._local(job.at),
            source=SaleSource.PRINTER,
        )

    def _is_first_print(self, taken: SaleTaken) -> bool:
        """Copies carry no code; a sale that came otherwise before is printed for the first time once."""
        with self._lock:
            if taken.prompt_id in self._printed:
                return False
            self._printed[taken.prompt_id] = None
            if len(self._printed) > _REMEMBERED:
                self._printed.popitem(last=False)
        if taken.created:
            return True
        with self._terminal.store.read() as reader:
            return find_prompt(reader, taken.prompt_id).source != SaleSource.PRINTER.value

    def _local(self, at: datetime | None) -> datetime | None:
        return None if at is None else at.replace(tzinfo=ZoneInfo(self._terminal.settings.zone))

    def _tell(self, job: Job, came: Came, lines: tuple[str, ...], order: str) -> None:
        self._show(
            Sighting(
                at=self._terminal.clock.now(),
                outcome=came.outcome,
                kind=job.kind.value,
                order=order or job.order or "",
                amount="" if job.total is None else format_amount(job.total.amount, job.total.currency),
                why=came.why,
                lines=shown_lines(lines),
            )
        )


def _is_whole(job: Job) -> bool:
    """Whether nothing more is to be expected: a receipt with its number, or what is no sale by its title."""
    if job.kind is JobKind.RECEIPT:
        return job.order is not None
    return job.kind not in _NOT_UNDERSTOOD
