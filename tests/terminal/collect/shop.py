"""A shop for tests: its terminal, what its till and its customers do, and what stands in its chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from msgspec.structs import replace

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, parse_amount
from merchant_agent.evidence.bodies import ComplaintBody, LapseBody, PromptBody, RatingBody, SuggestionBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import Policy, decode_grant, new_issuer_id, sign_grant
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Record, new_id
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.sqlite import SqliteFile
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.collect.answers import EndedByTablet, finish, keep_draft
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import SaleTaken, sale_state, take_sale
from merchant_agent.terminal.collect.said import Answer, Thanks
from merchant_agent.terminal.collect.screen import Question, Tablet
from merchant_agent.terminal.collect.sweep import REPLACED_LAPSES_AFTER_S, sweep
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.ledger import read_ledger
from tests.clocks import ManualClock
from tests.enrolled import OfflineCentral

CENTRAL = "https://central.example.gov.cn"
TILL = "till-1"
Asks = Literal["tablet", "receipt"]


def signed_place(told: SaleTaken | Thanks) -> Place:
    """Where it stands in the chain: it was signed, not kept."""
    assert told.place is not None
    return told.place


class Shop:
    """A terminal that is enrolled at a central of its own; `one` and `two` are tablets of `TILL`."""

    def __init__(self, path: Path, clock: ManualClock, *, ask: Asks = "tablet") -> None:
        self.clock = clock
        self.settings = TerminalSettings(data=path, ballast_bytes=0)
        self.central = OfflineCentral()
        self.one = Tablet(id=new_id(clock.now()), till=TILL)
        self.two = Tablet(id=new_id(clock.now()), till=TILL)
        self.terminal: Terminal = open_terminal(self.settings, clock)
        if not self.terminal.journal.enrolled:
            self._enrol(ask)

    def sell(
        self,
        order: str = "087",
        *,
        till: str = TILL,
        amount: str | None = "64.00",
        kind: SaleKind = SaleKind.COUNTER,
        source: SaleSource = SaleSource.HTTP,
        at: datetime | None = None,
    ) -> SaleTaken:
        """The till reports a sale that is no refund."""
        parsed = None if amount is None else parse_amount(amount)
        taken = take_sale(
            self.terminal, Sale(order=order, till=till, kind=kind, amount=parsed, source=source, at=at)
        )
        assert taken is not None
        return taken

    def type_in(self, order: str) -> SaleTaken:
        """Staff report a sale at the counter."""
        return self.sell(order, source=SaleSource.MANUAL, amount=None)

    def tap(
        self,
        sale: SaleTaken,
        level: int | None,
        *,
        tablet: Tablet | None = None,
        answer_id: str | None = None,
        comment: str = "",
    ) -> str:
        """A customer taps a face, or takes it back; the answer's id."""
        answer_id = answer_id or new_id(self.clock.now())
        answer = Answer(prompt_id=sale.prompt_id, level=level, comment=comment)
        keep_draft(self.terminal, tablet or self.one, answer_id, answer)
        return answer_id

    def done(
        self,
        sale: SaleTaken,
        level: int,
        *,
        tablet: Tablet | None = None,
        answer_id: str | None = None,
        comment: str = "",
        ended: EndedByTablet = "done",
        dwell_ms: int = 4000,
    ) -> Thanks:
        """A customer taps "done"."""
        answer_id = answer_id or new_id(self.clock.now())
        answer = Answer(prompt_id=sale.prompt_id, level=level, comment=comment)
        tablet = tablet or self.one
        return finish(self.terminal, tablet, answer_id, answer, ended=ended, dwell_ms=dwell_ms)

    def state(self, sale: SaleTaken) -> PromptState:
        """How the sale's prompt stands."""
        return sale_state(self.terminal, sale.prompt_id).state

    def let_replaced_lapse(self) -> None:
        """The moment for which a question that the next sale replaced may still be touched is over."""
        self.clock.advance(REPLACED_LAPSES_AFTER_S)
        assert sweep(self.terminal) > 0

    def shown(self, tablet: Tablet | None = None) -> str | None:
        """The order number that a tablet shows; None at rest."""
        question = self.question(tablet)
        return None if question is None else question.order

    def question(self, tablet: Tablet | None = None) -> Question | None:
        """The question that a tablet shows."""
        return self.terminal.board.screen(tablet or self.one).question

    def alarms(self) -> list[tuple[str, str]]:
        """Code and detail of each open alarm."""
        with self.terminal.store.read() as reader:
            return [(alarm.code, alarm.detail) for alarm in open_alarms(reader)]

    def records(self) -> list[Record]:
        """The whole chain, verified from the grant on as a stranger would."""
        identity = self.terminal.journal.identity
        chain = Chain.begin(identity.grant_octets, identity.grant)
        with self.terminal.store.read() as reader:
            return [chain.accept(entry.octets, entry.disclosures) for entry in read_ledger(reader)]

    def story(self) -> list[str]:
        """The chain in words, as `prompt`, `lapse next_sale`, `rating 2 done`."""
        return [_in_words(record) for record in self.records()]

    def restart(self) -> None:
        """Everything as after a power cut: nothing but the disk is left."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Nobody has the data folder, until `start`."""
        close_terminal(self.terminal)

    def start(self) -> None:
        """The terminal as its disk has it."""
        self.terminal = open_terminal(self.settings, self.clock)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """The database can take no further page."""
        database = self.terminal.store.database
        assert isinstance(database, SqliteFile)
        most = database.writer.pragma("max_page_count")
        database.writer.pragma("max_page_count", database.writer.pragma("page_count"))
        try:
            yield
        finally:
            database.writer.pragma("max_page_count", most)

    @contextmanager
    def failing(self, write: str) -> Iterator[None]:
        """The database refuses one kind of write, as `INSERT ON record`, and no other."""
        database = self.terminal.store.database
        assert isinstance(database, SqliteFile)
        database.writer.execute_sql(
            f"CREATE TRIGGER refuse BEFORE {write} BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        try:
            yield
        finally:
            database.writer.execute_sql("DROP TRIGGER refuse")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_terminal(self.terminal)

    def _enrol(self, ask: Asks) -> None:
        journal, central = self.terminal.journal, self.central
        key = journal.enrolment_key()
        plain = decode_jws(central.grant(key.public, issuer=new_issuer_id()), Typ.GRANT)
        grant = replace(decode_grant(plain.payload), policy=Policy(ask=ask))
        octets = sign_grant(central.root, central.issuer, 1, grant)
        journal.enrol(key, octets, central.merchant, central.trust, public_url=CENTRAL)


def _in_words(record: Record) -> str:
    match record.body:
        case PromptBody() as body:
            return "prompt" if body.asks else "prompt not asked"
        case LapseBody() as body:
            return f"lapse {body.reason}"
        case RatingBody() as body:
            return f"rating {body.level} {body.ended}"
        case SuggestionBody():
            return "suggestion"
        case ComplaintBody():
            return "complaint"
        case _:
            return record.kind
