"""Central's first tables."""

# ruff: noqa: D101 -- frozen copies; the models say what they are

from __future__ import annotations

import peewee
from playhouse.migrate import SchemaMigrator

from merchant_agent.store.migrations import create_tables, drop_tables


class Installation(peewee.Model):
    name = peewee.TextField(primary_key=True)
    value = peewee.TextField()

    class Meta:
        table_name = "installation"


class MerchantEntry(peewee.Model):
    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    shop_name = peewee.TextField()
    credit_code = peewee.TextField(unique=True)
    address = peewee.TextField()
    trade = peewee.TextField()
    phone = peewee.TextField()
    programme = peewee.TextField()
    promises = peewee.TextField()
    created_at = peewee.BigIntegerField()
    changed_at = peewee.BigIntegerField()

    class Meta:
        table_name = "merchant"


class Issuer(peewee.Model):
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    merchant = peewee.TextField(index=True)
    key = peewee.BlobField(unique=True)

    class Meta:
        table_name = "issuer"
        primary_key = peewee.CompositeKey("issuer", "epoch")


class Code(peewee.Model):
    code_hash = peewee.BlobField(primary_key=True)
    merchant = peewee.TextField(index=True)
    kind = peewee.TextField()
    made_at = peewee.BigIntegerField()
    made_by = peewee.TextField()
    expires_at = peewee.BigIntegerField()
    claimed_key = peewee.BlobField(null=True)
    claimed_at = peewee.BigIntegerField(null=True)
    claimed_from = peewee.TextField(default="")
    confirmed_at = peewee.BigIntegerField(null=True)
    confirmed_by = peewee.TextField(default="")
    refused_at = peewee.BigIntegerField(null=True)
    used_at = peewee.BigIntegerField(null=True)
    issuer = peewee.TextField(null=True)

    class Meta:
        table_name = "code"


class Attempt(peewee.Model):
    remote = peewee.TextField(primary_key=True)
    failed = peewee.IntegerField()
    since = peewee.BigIntegerField()

    class Meta:
        table_name = "attempt"


class Grant(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    octets = peewee.BlobField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "grant"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class ChainHead(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    link = peewee.TextField()
    totals = peewee.TextField(null=True)
    nonce = peewee.TextField()
    claimed_seq = peewee.BigIntegerField()
    state = peewee.TextField()
    role = peewee.TextField(default="terminal")
    closed_seq = peewee.BigIntegerField(null=True)
    outcome = peewee.TextField(default="")
    software = peewee.TextField(default="")
    clock_ms = peewee.BigIntegerField(default=0)
    granted_at = peewee.BigIntegerField()
    seen_at = peewee.BigIntegerField(null=True)
    accepted_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "chain_head"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class Record(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    query_code = peewee.TextField(index=True)
    octets = peewee.BlobField()

    class Meta:
        table_name = "record"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Disclosure(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    name = peewee.TextField()
    octets = peewee.TextField()

    class Meta:
        table_name = "disclosure"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "name")


class Batch(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    digest = peewee.BlobField()
    octets = peewee.BlobField()
    ack = peewee.BlobField()
    outcome = peewee.TextField()
    from_seq = peewee.BigIntegerField()
    to_seq = peewee.BigIntegerField()
    newest_seq = peewee.BigIntegerField()
    newest_link = peewee.TextField()
    stale = peewee.IntegerField()
    received_at = peewee.BigIntegerField()

    class Meta:
        table_name = "batch"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "digest")
        indexes = ((("merchant", "issuer", "epoch", "newest_seq"), False),)


class Quarantine(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    link = peewee.TextField()
    placed = peewee.IntegerField()
    vouched = peewee.IntegerField()
    rule = peewee.TextField()
    detail = peewee.TextField()
    line = peewee.BlobField()
    received_at = peewee.BigIntegerField()

    class Meta:
        table_name = "quarantine"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "link")


class Conflict(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    held = peewee.BlobField()
    received = peewee.BlobField()
    batch_digest = peewee.BlobField()
    received_at = peewee.BigIntegerField()

    class Meta:
        table_name = "conflict"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "batch_digest")


class EpochAsked(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    key = peewee.BlobField()
    reason = peewee.TextField()
    newest_seq = peewee.BigIntegerField()
    newest_link = peewee.TextField()
    head_seq = peewee.BigIntegerField()
    octets = peewee.BlobField()
    at = peewee.BigIntegerField()
    outcome = peewee.TextField()
    settled_at = peewee.BigIntegerField(null=True)
    settled_by = peewee.TextField(default="")

    class Meta:
        table_name = "epoch_request"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "key")


class Revocation(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    through = peewee.BigIntegerField()
    reason = peewee.TextField()
    who = peewee.TextField()
    at = peewee.BigIntegerField()
    own_issuer = peewee.TextField()
    own_epoch = peewee.IntegerField()
    own_seq = peewee.BigIntegerField()

    class Meta:
        table_name = "revocation"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class Release(peewee.Model):
    merchant = peewee.TextField()
    day = peewee.TextField()
    until = peewee.BigIntegerField()
    level_1 = peewee.BigIntegerField()
    level_2 = peewee.BigIntegerField()
    level_3 = peewee.BigIntegerField()
    level_4 = peewee.BigIntegerField()
    level_5 = peewee.BigIntegerField()
    answer_band = peewee.TextField()
    fast = peewee.BigIntegerField()
    burst = peewee.BigIntegerField()

    class Meta:
        table_name = "release"
        primary_key = peewee.CompositeKey("merchant", "day")


class Prompt(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    id = peewee.TextField()
    till = peewee.TextField()
    source = peewee.TextField()
    sale = peewee.TextField()
    asks = peewee.BooleanField()
    tag = peewee.TextField()

    class Meta:
        table_name = "prompt"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Lapse(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    prompt_issuer = peewee.TextField()
    prompt_epoch = peewee.IntegerField()
    prompt_seq = peewee.BigIntegerField()
    reason = peewee.TextField()

    class Meta:
        table_name = "lapse"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Rating(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    id = peewee.TextField()
    prompt_issuer = peewee.TextField(null=True)
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    level = peewee.IntegerField()
    aspects = peewee.TextField()
    tags = peewee.TextField()
    comment = peewee.TextField(null=True)
    channel = peewee.TextField()
    ended = peewee.TextField()
    dwell_ms = peewee.BigIntegerField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    undisclosed = peewee.IntegerField()

    class Meta:
        table_name = "rating"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Suggestion(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    id = peewee.TextField()
    prompt_issuer = peewee.TextField(null=True)
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    comment = peewee.TextField(null=True)
    channel = peewee.TextField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    undisclosed = peewee.IntegerField()

    class Meta:
        table_name = "suggestion"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Complaint(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    id = peewee.TextField()
    prompt_issuer = peewee.TextField(null=True)
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    categories = peewee.TextField()
    remedies = peewee.TextField()
    comment = peewee.TextField(null=True)
    order_no = peewee.TextField(null=True)
    occurred_at = peewee.TextField(null=True)
    amount = peewee.TextField(null=True)
    channel = peewee.TextField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    first = peewee.TextField()
    undisclosed = peewee.IntegerField()

    class Meta:
        table_name = "complaint"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Remark(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    kind = peewee.TextField()
    code = peewee.TextField()
    told_issuer = peewee.TextField(null=True)
    told_epoch = peewee.IntegerField(null=True)
    told_seq = peewee.BigIntegerField(null=True)
    level = peewee.IntegerField(null=True)
    leaf = peewee.TextField(null=True)
    due_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "remark"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "told_issuer", "told_epoch", "told_seq"), False),)


class Erasure(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    told_issuer = peewee.TextField()
    told_epoch = peewee.IntegerField()
    told_seq = peewee.BigIntegerField()
    members = peewee.TextField()
    reason = peewee.TextField()

    class Meta:
        table_name = "erasure"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "told_issuer", "told_epoch", "told_seq"), False),)


class Reply(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    undisclosed = peewee.IntegerField()

    class Meta:
        table_name = "reply"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "to_issuer", "to_epoch", "to_seq"), False),)


class Addition(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    undisclosed = peewee.IntegerField()

    class Meta:
        table_name = "addition"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "to_issuer", "to_epoch", "to_seq"), False),)


class Hours(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    opening = peewee.TextField()
    closures = peewee.TextField()

    class Meta:
        table_name = "opening_hours"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Photo(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    number = peewee.IntegerField()
    digest = peewee.BlobField()
    sealed = peewee.BlobField()

    class Meta:
        table_name = "photo"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "number")


class Urging(peewee.Model):
    merchant = peewee.TextField()
    id = peewee.TextField()
    at = peewee.BigIntegerField()
    ways = peewee.TextField()
    comment = peewee.TextField(null=True)

    class Meta:
        table_name = "urging"
        primary_key = peewee.CompositeKey("merchant", "id")
        indexes = ((("at",), False),)


class CallBack(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    at = peewee.BigIntegerField()
    who = peewee.TextField()
    outcome = peewee.TextField()
    level = peewee.IntegerField(null=True)

    class Meta:
        table_name = "call_back"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "at")


class Slip(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    digest = peewee.BlobField()
    leaf = peewee.BlobField()
    octets = peewee.BlobField()
    issued_at = peewee.BigIntegerField()
    opened_at = peewee.BigIntegerField()
    due_at = peewee.BigIntegerField(null=True)
    state = peewee.TextField()
    arrived_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "slip"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "digest")
        indexes = ((("state", "due_at"), False),)


class SlipOpening(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    digest = peewee.BlobField()
    device = peewee.TextField()
    claim = peewee.TextField()
    key = peewee.BlobField(null=True)
    token_hash = peewee.BlobField()
    opened_at = peewee.BigIntegerField()

    class Meta:
        table_name = "slip_opening"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "digest", "device")


class InvitedAnswer(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    invitation = peewee.BlobField()
    tag = peewee.TextField()
    own_issuer = peewee.TextField()
    own_epoch = peewee.IntegerField()
    own_seq = peewee.BigIntegerField()
    answered_at = peewee.BigIntegerField()

    class Meta:
        table_name = "invited_answer"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "kind")


class Turn(peewee.Model):
    topic = peewee.TextField()
    remote = peewee.TextField()
    taken = peewee.IntegerField()
    since = peewee.BigIntegerField()

    class Meta:
        table_name = "turn"
        primary_key = peewee.CompositeKey("topic", "remote")


class LogWaiting(peewee.Model):
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    leaf = peewee.BlobField()
    kind = peewee.TextField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "log_waiting"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "leaf")


class LogLeaf(peewee.Model):
    number = peewee.BigIntegerField(primary_key=True)
    leaf = peewee.BlobField(index=True)
    kind = peewee.TextField()
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()

    class Meta:
        table_name = "log_leaf"


class LogTile(peewee.Model):
    level = peewee.IntegerField()
    number = peewee.BigIntegerField()
    octets = peewee.BlobField()

    class Meta:
        table_name = "log_tile"
        primary_key = peewee.CompositeKey("level", "number")


class LogCheckpoint(peewee.Model):
    size = peewee.BigIntegerField(primary_key=True)
    octets = peewee.BlobField()
    time = peewee.BigIntegerField()
    renewed = peewee.BlobField(null=True)
    renewed_time = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "log_checkpoint"


class LogSilence(peewee.Model):
    since = peewee.BigIntegerField(primary_key=True)
    until = peewee.BigIntegerField()

    class Meta:
        table_name = "log_silence"


class Account(peewee.Model):
    name = peewee.TextField(primary_key=True)
    role = peewee.TextField()
    secret_hash = peewee.TextField()

    class Meta:
        table_name = "account"


class SignInOrigin(peewee.Model):
    account = peewee.TextField()
    origin = peewee.TextField()
    failed = peewee.IntegerField()
    since = peewee.BigIntegerField()
    locked_until = peewee.BigIntegerField(null=True)
    known = peewee.IntegerField()

    class Meta:
        table_name = "sign_in_origin"
        primary_key = peewee.CompositeKey("account", "origin")


class Session(peewee.Model):
    token_hash = peewee.BlobField(primary_key=True)
    account = peewee.TextField()
    role = peewee.TextField()
    created_at = peewee.BigIntegerField()
    expires_at = peewee.BigIntegerField()

    class Meta:
        table_name = "session"


class AuditEntry(peewee.Model):
    number = peewee.AutoField()
    at = peewee.BigIntegerField()
    who = peewee.TextField()
    what = peewee.TextField()
    detail = peewee.TextField(default="")

    class Meta:
        table_name = "audit_entry"
        indexes = ((("detail",), False),)


_TABLES: tuple[type[peewee.Model], ...] = (
    Installation,
    MerchantEntry,
    Issuer,
    Code,
    Attempt,
    Grant,
    ChainHead,
    Record,
    Disclosure,
    Batch,
    Quarantine,
    Conflict,
    EpochAsked,
    Revocation,
    Release,
    LogWaiting,
    LogLeaf,
    LogTile,
    LogCheckpoint,
    LogSilence,
    Slip,
    SlipOpening,
    InvitedAnswer,
    Turn,
    Prompt,
    Lapse,
    Rating,
    Suggestion,
    Complaint,
    Remark,
    Erasure,
    Reply,
    Addition,
    Hours,
    CallBack,
    Photo,
    Urging,
    Account,
    SignInOrigin,
    Session,
    AuditEntry,
)


def up(_migrator: SchemaMigrator, db: peewee.Database) -> None:
    """Makes the tables."""
    create_tables(db, _TABLES)


def down(_migrator: SchemaMigrator, db: peewee.Database) -> None:
    """Drops them."""
    drop_tables(db, _TABLES)
