"""The terminal's first tables."""

# ruff: noqa: D101 -- frozen copies; the models say what they are

from __future__ import annotations

import peewee
from playhouse.migrate import SchemaMigrator

from merchant_agent.store.migrations import create_tables, drop_tables


class Epoch(peewee.Model):
    epoch = peewee.IntegerField(primary_key=True)
    issuer = peewee.TextField()
    grant = peewee.BlobField()
    merchant = peewee.TextField()
    trust = peewee.TextField()
    tag_key = peewee.BlobField()
    central_url = peewee.TextField(default="")
    public_url = peewee.TextField(default="")

    class Meta:
        table_name = "epoch"


class LedgerRecord(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    at = peewee.BigIntegerField()
    octets = peewee.BlobField()
    link = peewee.TextField()

    class Meta:
        table_name = "record"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("kind", "epoch", "seq"), False),)


class LedgerDisclosure(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    name = peewee.TextField()
    text = peewee.TextField()

    class Meta:
        table_name = "disclosure"
        primary_key = peewee.CompositeKey("epoch", "seq", "name")
        constraints = (peewee.SQL('FOREIGN KEY ("epoch", "seq") REFERENCES "record" ("epoch", "seq")'),)


class Slip(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    octets = peewee.BlobField()
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "slip"
        primary_key = peewee.CompositeKey("epoch", "seq")
        constraints = (peewee.SQL('FOREIGN KEY ("epoch", "seq") REFERENCES "record" ("epoch", "seq")'),)
        indexes = ((("prompt_epoch", "prompt_seq"), False),)


class Prompt(peewee.Model):
    prompt_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    till = peewee.TextField()
    source = peewee.TextField()
    sale = peewee.TextField()
    asks = peewee.BooleanField()
    tag = peewee.TextField()
    at = peewee.BigIntegerField()
    outcome = peewee.TextField(null=True)
    reason = peewee.TextField(null=True)
    ended_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "prompt"
        indexes = ((("epoch", "seq"), True), (("outcome", "till"), False))


class Rating(peewee.Model):
    rating_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
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
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "rating"
        indexes = ((("epoch", "seq"), True), (("prompt_epoch", "prompt_seq"), False))


class Suggestion(peewee.Model):
    suggestion_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    comment = peewee.TextField(null=True)
    channel = peewee.TextField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "suggestion"
        indexes = ((("epoch", "seq"), True),)


class Complaint(peewee.Model):
    case_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
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
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "complaint"
        indexes = ((("epoch", "seq"), True),)


class Erasure(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    told_epoch = peewee.IntegerField()
    told_seq = peewee.BigIntegerField()
    members = peewee.TextField()
    reason = peewee.TextField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "erasure"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("told_epoch", "told_seq"), False),)


class Reply(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "reply"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("to_seq",), False),)


class Sale(peewee.Model):
    prompt_id = peewee.TextField(primary_key=True)
    till = peewee.TextField()
    business_day = peewee.TextField()
    order_no = peewee.TextField()
    amount = peewee.TextField(null=True)
    currency = peewee.TextField()
    kind = peewee.TextField()
    at = peewee.BigIntegerField(null=True)
    invitation = peewee.BlobField()
    invited_until = peewee.BigIntegerField()
    replaced_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "sale"
        indexes = ((("till", "business_day", "order_no"), True),)


class Till(peewee.Model):
    name = peewee.TextField(primary_key=True)
    offset_ms = peewee.BigIntegerField()
    samples = peewee.IntegerField()
    claimed_at = peewee.BigIntegerField(null=True)
    received_at = peewee.BigIntegerField()

    class Meta:
        table_name = "till"


class Draft(peewee.Model):
    prompt_id = peewee.TextField(primary_key=True)
    answer_id = peewee.TextField(unique=True)
    device = peewee.TextField()
    level = peewee.IntegerField(null=True)
    aspects = peewee.TextField()
    tags = peewee.TextField()
    comment = peewee.TextField()
    lang = peewee.TextField()
    claim = peewee.TextField(null=True)
    started_at = peewee.BigIntegerField()
    touched_at = peewee.BigIntegerField()

    class Meta:
        table_name = "draft"


class Outage(peewee.Model):
    number = peewee.IntegerField(primary_key=True)
    reason = peewee.TextField()
    since = peewee.BigIntegerField()
    told = peewee.BooleanField()

    class Meta:
        table_name = "outage"


class Kept(peewee.Model):
    number = peewee.AutoField()
    item_id = peewee.TextField(unique=True)
    kind = peewee.TextField()
    prompt_id = peewee.TextField(null=True)
    reason = peewee.TextField()
    at = peewee.BigIntegerField()
    body = peewee.TextField()
    words = peewee.TextField()
    refused = peewee.BooleanField()

    class Meta:
        table_name = "kept"
        indexes = ((("prompt_id",), False),)


class UploadState(peewee.Model):
    epoch = peewee.IntegerField(primary_key=True)
    acked_seq = peewee.BigIntegerField()
    acked_link = peewee.TextField()
    nonce = peewee.TextField()
    batch = peewee.BlobField(null=True)
    client_nonce = peewee.TextField(null=True)
    state = peewee.TextField(default="ready")
    state_detail = peewee.TextField(default="")
    last_success_at = peewee.BigIntegerField(null=True)
    last_attempt_at = peewee.BigIntegerField(null=True)
    last_outcome = peewee.TextField(default="")

    class Meta:
        table_name = "upload_state"


class SentBatch(peewee.Model):
    number = peewee.AutoField()
    client_nonce = peewee.TextField(unique=True)
    octets = peewee.BlobField()
    ack = peewee.BlobField(null=True)

    class Meta:
        table_name = "batch"


class Quarantine(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    rule = peewee.TextField()
    at = peewee.BigIntegerField()
    send_again = peewee.BooleanField()

    class Meta:
        table_name = "quarantine"
        primary_key = peewee.CompositeKey("epoch", "seq")


class Stubbed(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    stub = peewee.BlobField()
    again_at = peewee.BigIntegerField()
    is_offered = peewee.BooleanField()

    class Meta:
        table_name = "stubbed"
        primary_key = peewee.CompositeKey("epoch", "seq")


class Checkpoint(peewee.Model):
    size = peewee.BigIntegerField(primary_key=True)
    root = peewee.TextField()
    time = peewee.BigIntegerField()
    octets = peewee.BlobField()
    proof = peewee.BlobField()

    class Meta:
        table_name = "checkpoint"


class LogIndex(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    number = peewee.BigIntegerField()

    class Meta:
        table_name = "log_index"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("epoch", "number"), False),)


class SplitView(peewee.Model):
    number = peewee.AutoField()
    kept_size = peewee.BigIntegerField()
    kept = peewee.BlobField()
    shown_size = peewee.BigIntegerField()
    shown = peewee.BlobField(unique=True)
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "split_view"


class Hold(peewee.Model):
    number = peewee.IntegerField(primary_key=True)
    reason = peewee.TextField()
    detail = peewee.TextField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "hold"


class InboxChain(peewee.Model):
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    grant = peewee.BlobField()

    class Meta:
        table_name = "inbox_chain"
        primary_key = peewee.CompositeKey("issuer", "epoch")


class InboxRecord(peewee.Model):
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    octets = peewee.BlobField()
    received_at = peewee.BigIntegerField()
    done = peewee.BooleanField()

    class Meta:
        table_name = "inbox_record"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("kind", "done"), False),)


class InboxContradiction(peewee.Model):
    number = peewee.AutoField()
    octets = peewee.BlobField(unique=True)
    rule = peewee.TextField()
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "inbox_contradiction"


class OrderlyStop(peewee.Model):
    number = peewee.IntegerField(primary_key=True)
    at = peewee.BigIntegerField()

    class Meta:
        table_name = "orderly_stop"


class Device(peewee.Model):
    device_id = peewee.TextField(primary_key=True)
    token_hash = peewee.BlobField(unique=True)
    name = peewee.TextField()
    till = peewee.TextField()
    paired_at = peewee.BigIntegerField()
    seen_at = peewee.BigIntegerField(null=True)
    revoked_at = peewee.BigIntegerField(null=True)
    address = peewee.TextField(null=True)
    reached = peewee.TextField(null=True)
    tried_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "device"


class Pairing(peewee.Model):
    token_hash = peewee.BlobField(primary_key=True)
    till = peewee.TextField()
    uses_left = peewee.IntegerField()
    expires_at = peewee.BigIntegerField()
    digits_hash = peewee.BlobField(null=True)
    wrong = peewee.IntegerField(default=0)
    device = peewee.TextField(null=True)

    class Meta:
        table_name = "pairing"


class PosToken(peewee.Model):
    token_hash = peewee.BlobField(primary_key=True)
    till = peewee.TextField()
    created_at = peewee.BigIntegerField()
    revoked_at = peewee.BigIntegerField(null=True)
    dry_run = peewee.IntegerField(default=0)
    secret = peewee.BlobField(null=True)
    former_secret = peewee.BlobField(null=True)

    class Meta:
        table_name = "pos_token"


class PosWay(peewee.Model):
    number = peewee.AutoField()
    kind = peewee.TextField()
    name = peewee.TextField()
    till = peewee.TextField()
    enabled = peewee.IntegerField()
    dry_run = peewee.IntegerField()
    details = peewee.TextField()
    progress = peewee.TextField(null=True)

    class Meta:
        table_name = "pos_way"


class PosFile(peewee.Model):
    way = peewee.IntegerField()
    digest = peewee.BlobField()
    at = peewee.BigIntegerField()
    why = peewee.TextField()

    class Meta:
        table_name = "pos_file"
        primary_key = peewee.CompositeKey("way", "digest")


class ReceiptWord(peewee.Model):
    sort = peewee.TextField()
    word = peewee.TextField()

    class Meta:
        table_name = "receipt_word"
        primary_key = peewee.CompositeKey("sort", "word")


class Alarm(peewee.Model):
    number = peewee.AutoField()
    code = peewee.TextField()
    detail = peewee.TextField()
    at = peewee.BigIntegerField()
    cleared_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "alarm"
        indexes = ((("code", "detail"), False),)


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


_TABLES = (
    Epoch,
    LedgerRecord,
    LedgerDisclosure,
    Slip,
    Prompt,
    Rating,
    Suggestion,
    Complaint,
    Erasure,
    Reply,
    Sale,
    Till,
    Draft,
    Outage,
    Kept,
    UploadState,
    SentBatch,
    Quarantine,
    Stubbed,
    Checkpoint,
    LogIndex,
    SplitView,
    Hold,
    InboxChain,
    InboxRecord,
    InboxContradiction,
    OrderlyStop,
    Device,
    Pairing,
    PosToken,
    PosWay,
    PosFile,
    ReceiptWord,
    Alarm,
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
