"""Signing what was said, or keeping it where nothing can be signed.

From the moment at which the journal is on hold until everything that was kept is signed, what
comes next is kept behind it: nobody's word overtakes another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from merchant_agent.errors import NotFoundError, OutOfServiceError
from merchant_agent.evidence.bodies import Body, Kind, LapseBody, LapseReason
from merchant_agent.evidence.record import ABOUT_NOTHING, About, new_id
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.kept import (
    KEPT_EPOCH,
    KeptKind,
    begin_outage,
    find_outage,
    keep,
    lost_prompt,
)
from merchant_agent.terminal.collect.lookup import find_prompt, place_of
from merchant_agent.terminal.collect.screen import Question
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import Appended, JournalWriter
from merchant_agent.terminal.store.models import Prompt


@contextmanager
def writing(terminal: Terminal) -> Iterator[JournalWriter]:
    """The journal's transaction; after it tablets look again, also where nothing was signed.

    Raises:
        StoreError: as `Journal.write`.
    """
    with terminal.journal.write() as writer:
        yield writer
    if not writer.appended:
        terminal.bell.ring()


def why_unsigned(terminal: Terminal, reader: Reader) -> str | None:
    """The reason for which nothing is signed at the moment, or None."""
    hold = reader.hold if isinstance(reader, JournalWriter) else terminal.journal.held
    if hold is not None:
        return hold.reason
    outage = find_outage(reader)
    return None if outage is None else outage.reason


def require_in_service(terminal: Terminal, reader: Reader) -> None:
    """Lets nothing be kept that nobody will ever sign.

    Raises:
        OutOfServiceError: the terminal has ended.
    """
    if why_unsigned(terminal, reader) == "ended":
        raise OutOfServiceError("this terminal was taken out of service; nothing was kept")


def find_or_lost(terminal: Terminal, reader: Reader, prompt_id: str, till: str) -> Prompt:
    """The prompt of that id; while nothing can be signed, one that got lost with the ledger's tail too.

    Its customer may still stand before it, at a tablet of `till`.

    Raises:
        NotFoundError: "prompt".
    """
    try:
        return find_prompt(reader, prompt_id)
    except NotFoundError:
        if why_unsigned(terminal, reader) is None:
            raise
        return lost_prompt(prompt_id, till, terminal.clock.now())


def sign_or_keep(  # noqa: PLR0913 -- a record has these parts
    terminal: Terminal,
    writer: JournalWriter,
    kind: KeptKind,
    body: Body,
    *,
    item_id: str | None = None,
    prompt: Prompt | Question | None = None,
    words: Mapping[str, str] | None = None,
) -> Appended | None:
    """The signed record; None where it is kept instead. Either is durable with the writer's transaction.

    `words` are its erasable members by name; those that are empty are left out.

    Raises:
        OnHoldError: the journal went on hold this moment; the same again is kept.
        OutOfServiceError: the terminal has ended.
        StoreError: it could not be written.
    """
    require_in_service(terminal, writer)
    now = terminal.clock.now()
    reason = why_unsigned(terminal, writer)
    if reason is None:
        issuer = terminal.journal.identity.issuer
        is_signed = prompt is not None and prompt.epoch != KEPT_EPOCH
        about = About(prompt=place_of(prompt, issuer), case=None) if prompt and is_signed else ABOUT_NOTHING
        return writer.append(kind, body, id=item_id, about=about, disclosures=words)
    if writer.hold is not None:
        begin_outage(writer, reason, writer.hold.at)
    keep(
        writer,
        kind,
        body,
        item_id=item_id or new_id(now),
        prompt_id=None if prompt is None else prompt.prompt_id,
        words=words or {},
        reason=reason,
        at=now,
    )
    return None


def lapse(terminal: Terminal, writer: JournalWriter, prompt: Prompt | Question, reason: LapseReason) -> None:
    """Says that nobody answered the prompt on the tablet; never where somebody's level stands.

    Raises:
        OutOfServiceError: as `sign_or_keep`.
        StoreError: it could not be written.
    """
    sign_or_keep(terminal, writer, Kind.LAPSE, LapseBody(reason=reason), prompt=prompt)
