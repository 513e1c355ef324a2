"""The rows beside the chain as damaged files have them: what this machine knows by itself, and slips of keys that are gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import peewee

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.slip import open_slip
from merchant_agent.store.remains import Remains
from merchant_agent.store.store import Writer
from merchant_agent.store.table import Table
from merchant_agent.terminal.store import models
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.ledger import find_entry

_TYPES = {"TEXT": str, "BLOB": bytes, "INT": int, "BIGINT": int, "AUTO": int, "BOOL": int}

# Made anew from the chain, or over with the program that wrote it.
_NOT_COPIED: frozenset[type[Table]] = frozenset(
    {
        *(
            models.Epoch,
            models.LedgerRecord,
            models.LedgerDisclosure,
            models.Slip,
            models.Hold,
            models.Outage,
        ),
        *models.PROJECTIONS,
        models.OrderlyStop,
    }
)
# The new epoch's row is there already; the one of then says more.
_REPLACED: frozenset[type[Table]] = frozenset({models.UploadState})
# What a backup still has of these is over.
_OF_NOW: frozenset[type[Table]] = frozenset({models.Draft, models.Alarm, *_REPLACED})

# What customers and their tills brought since, and how far the upload came with it.
_BROUGHT_OVER = (models.Sale, models.Kept, models.Draft, models.SentBatch, models.UploadState)

_LOST_SALES = (
    "DELETE FROM sale WHERE prompt_id NOT IN (SELECT prompt_id FROM prompt)"
    " AND prompt_id NOT IN (SELECT item_id FROM kept)"
)
_ENDED_DRAFTS = (
    "DELETE FROM draft WHERE prompt_id IN (SELECT prompt_id FROM prompt WHERE outcome IS NOT NULL)"
)
_FORGOTTEN_BATCHES = (
    "DELETE FROM batch WHERE ack IS NULL"
    " AND client_nonce NOT IN (SELECT client_nonce FROM upload_state WHERE client_nonce IS NOT NULL)"
)
_ERASED = (
    "DELETE FROM disclosure WHERE EXISTS (SELECT 1 FROM erasure e, json_each(e.members) m"
    " WHERE e.told_epoch = disclosure.epoch AND e.told_seq = disclosure.seq AND m.value = disclosure.name)"
)
_TIDYING = (_ERASED, _LOST_SALES, _ENDED_DRAFTS, _FORGOTTEN_BATCHES)


def fill_all(writer: Writer, sources: Sequence[Remains], identities: Iterable[Identity]) -> None:
    """Every row that is not made anew from the chain, and the slips of these epochs, the damaged file's before all."""
    for model in models.MODELS:
        if model not in _NOT_COPIED:
            copy_rows(writer, model, sources[:1] if model in _OF_NOW else sources)
    _fill_slips_and_tidy(writer, sources, identities)


def fill_brought(writer: Writer, source: Remains, identities: Iterable[Identity]) -> None:
    """What customers and their tills brought since, with the slips of these epochs."""
    for model in _BROUGHT_OVER:
        copy_rows(writer, model, [source])
    _fill_slips_and_tidy(writer, [source], identities)


def copy_rows(writer: Writer, model: type[Table], sources: Sequence[Remains]) -> None:
    """The rows of this machine's own, from the first source that has each."""
    meta = model._meta  # noqa: SLF001  # peewee's name for it
    for source in sources:
        there = set(source.columns(meta.table_name))
        fields = [field for name, field in meta.columns.items() if name in there]
        if not fields:
            continue
        names = [field.column_name for field in fields]
        quoted, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        which = "REPLACE" if model in _REPLACED else "IGNORE"
        text = f'INSERT OR {which} INTO "{meta.table_name}" ({quoted}) VALUES ({marks})'  # noqa: S608 -- the model's names
        for row in source.rows(meta.table_name, names):
            if all(_holds(field, value) for field, value in zip(fields, row, strict=True)):
                writer.rows(text, *row)


def _holds(field: peewee.Field[object], value: object) -> bool:
    if value is None:
        return bool(field.null)
    return type(value) is _TYPES[field.field_type]


def _fill_slips_and_tidy(writer: Writer, sources: Sequence[Remains], identities: Iterable[Identity]) -> None:
    for identity in identities:
        _fill_slips(writer, sources, identity)
    for text in _TIDYING:
        writer.rows(text)


def _fill_slips(writer: Writer, sources: Sequence[Remains], identity: Identity) -> None:
    """The slips that the key in force cannot make again, as far as they are the records' own."""
    key, columns = identity.grant.verifying_key(), ("epoch", "seq", "octets", "prompt_epoch", "prompt_seq")
    for source in sources:
        for epoch, seq, octets, *visit in source.rows("slip", columns):
            if epoch != identity.epoch or not isinstance(seq, int) or not isinstance(octets, bytes):
                continue
            entry = find_entry(writer, identity.epoch, seq)
            try:
                leaf = open_slip(octets, key).leaf
            except (FormatError, VerificationError):
                continue
            if entry is not None and leaf == leaf_hash(entry.octets):
                row = dict(zip(columns, (epoch, seq, octets, *visit), strict=True))
                writer.execute(models.Slip.insert(row).on_conflict_ignore())
