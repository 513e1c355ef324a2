"""What was said while nothing could be signed: kept with the reason, durable, to be signed in its order.

A prompt that is kept stands before tablets as any other, and one that was signed before ends by
what is kept of it: `with_kept` and `open_kept` say so to whoever reads prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from merchant_agent.domain.projections import PromptOutcome
from merchant_agent.evidence.bodies import BODY_TYPES, Body, Kind, LapseBody, PromptBody
from merchant_agent.evidence.octets import encode_json
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import Kept, Outage, Prompt

# No epoch has it: what is kept stands behind everything that is signed.
KEPT_EPOCH = 1 << 16
_LOST_SEQ = -1

ENDED = "EXISTS (SELECT 1 FROM kept e WHERE e.kind IN ('rating', 'lapse') AND e.prompt_id = {})"

_ITEM = Lookup(Kept, "item_id = ?")
_ABOUT = Lookup(Kept, "(item_id = ? AND kind = 'prompt') OR prompt_id = ? ORDER BY number")
_OUTAGE = Lookup(Outage, "number = 1")
_ANY = "SELECT 1 FROM kept WHERE NOT refused LIMIT 1"
_UNHELD = "item_id NOT IN (SELECT prompt_id FROM draft)"
_OPEN = Lookup(Kept, f"kind = 'prompt' AND {_UNHELD} AND NOT {ENDED.format('kept.item_id')} ORDER BY number")

KeptKind = Literal[Kind.PROMPT, Kind.LAPSE, Kind.RATING, Kind.SUGGESTION, Kind.COMPLAINT]


def find_outage(reader: Reader) -> Outage | None:
    """The time without signatures that is not told of completely yet, or None."""
    return _OUTAGE.first(reader)


def begin_outage(writer: Writer, reason: str, at: datetime) -> None:
    """Remembers that from then on nothing could be signed, unless one is remembered already."""
    row = {"number": 1, "reason": reason, "since": at, "told": False}
    writer.execute(Outage.insert(row).on_conflict_ignore())


def keep(  # noqa: PLR0913 -- what is kept has these parts
    writer: Writer,
    kind: KeptKind,
    body: Body,
    *,
    item_id: str,
    prompt_id: str | None,
    words: Mapping[str, str],
    reason: str,
    at: datetime,
) -> None:
    """Keeps it in the writer's transaction.

    Raises:
        StoreConflictError: its id is kept already.
        StoreError: it could not be written.
    """
    writer.execute(
        Kept.insert(
            item_id=item_id,
            kind=kind.value,
            prompt_id=prompt_id,
            reason=reason,
            at=at,
            body=encode_json(body).decode(),
            words={name: value for name, value in words.items() if value},
        )
    )


def find_kept(reader: Reader, item_id: str) -> Kept | None:
    """What is kept under that id, or None."""
    return _ITEM.first(reader, item_id)


def is_any_kept(reader: Reader) -> bool:
    """Whether something waits to be signed."""
    return bool(reader.rows(_ANY))


def body_of(kept: Kept) -> Body:
    """The body that the record will have."""
    return msgspec.json.decode(kept.body, type=BODY_TYPES[Kind(kept.kind)])


def with_kept(reader: Reader, signed: Prompt | None, prompt_id: str) -> Prompt | None:
    """The prompt as what is kept leaves it; `signed` is the ledger's, None where that has none of that id."""
    prompt = signed
    for kept in _ABOUT.all(reader, prompt_id, prompt_id):
        match Kind(kept.kind), body_of(kept):
            case Kind.PROMPT, PromptBody():
                prompt = prompt or kept_prompt(kept)
            case Kind.RATING, _ if prompt is not None:
                prompt.outcome, prompt.reason, prompt.ended_at = PromptOutcome.RATED, None, kept.at
            case Kind.LAPSE, LapseBody(reason=reason) if prompt is not None and prompt.outcome is None:
                prompt.outcome, prompt.reason, prompt.ended_at = PromptOutcome.LAPSED, reason, kept.at
            case _:
                pass
    return prompt


def open_kept(reader: Reader) -> list[Prompt]:
    """The kept prompts that nobody answered or holds, oldest first."""
    return [kept_prompt(kept) for kept in _OPEN.all(reader)]


def kept_prompt(kept: Kept) -> Prompt:
    """A kept prompt, open; the row stands in no table."""
    body = body_of(kept)
    if not isinstance(body, PromptBody):
        raise TypeError(f"a {kept.kind} is no prompt")
    return Prompt(
        prompt_id=kept.item_id,
        epoch=KEPT_EPOCH,
        seq=kept.number,
        till=body.till,
        source=body.source,
        sale=body.sale,
        asks=body.asks,
        tag=body.tag,
        at=kept.at,
    )


def lost_prompt(prompt_id: str, till: str, at: datetime) -> Prompt:
    """A prompt that a tablet still shows and the ledger does not know, open; the row stands in no table."""
    return Prompt(
        prompt_id=prompt_id,
        epoch=KEPT_EPOCH,
        seq=_LOST_SEQ,
        till=till,
        source="http",
        sale="counter",
        asks=True,
        tag="",
        at=at,
    )


def is_lost(prompt: Prompt) -> bool:
    """Whether `lost_prompt` made it."""
    return (prompt.epoch, prompt.seq) == (KEPT_EPOCH, _LOST_SEQ)
