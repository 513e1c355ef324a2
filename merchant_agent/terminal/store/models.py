"""The terminal's tables: the ledger, its projections, and what is this machine's own.

`MODELS` lists them all; migrations declare them again as they were at their time.
"""

from __future__ import annotations

import peewee

from merchant_agent.store.credentials import CREDENTIAL_MODELS
from merchant_agent.store.fields import InstantField, JsonField
from merchant_agent.store.table import Table

# The ledger


class Epoch(Table):
    """A grant of central's: one key, one chain. The row with the highest number is in force.

    `merchant` is what central said of the shop; `trust` the trust file's octets as text;
    `tag_key` keys the tags of order numbers and never leaves this machine. `central_url` is the
    address at which this terminal was enrolled, `public_url` the one that central gives customers.
    """

    epoch = peewee.IntegerField(primary_key=True)
    issuer = peewee.TextField()
    grant = peewee.BlobField()
    merchant = JsonField()
    trust = peewee.TextField()
    tag_key = peewee.BlobField()
    central_url = peewee.TextField(default="")
    public_url = peewee.TextField(default="")

    class Meta:
        table_name = "epoch"


class LedgerRecord(Table):
    """A signed record, exactly the octets that were signed; `link` is their SHA-256 in base64url."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    at = InstantField()
    octets = peewee.BlobField()
    link = peewee.TextField()

    class Meta:
        table_name = "record"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("kind", "epoch", "seq"), False),)


class LedgerDisclosure(Table):
    """An erasable member of a record as it travels, base64url text; deleting the row erases it."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    name = peewee.TextField()
    text = peewee.TextField()

    class Meta:
        table_name = "disclosure"
        primary_key = peewee.CompositeKey("epoch", "seq", "name")
        constraints = (peewee.SQL('FOREIGN KEY ("epoch", "seq") REFERENCES "record" ("epoch", "seq")'),)


class Slip(Table):
    """The slip over a record, 117 octets; `prompt_epoch` and `prompt_seq` are the prompt of its visit, or None."""

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


# Projections: made of the ledger alone, see `projections`


class Prompt(Table):
    """A sale for which a customer may be asked; `outcome` is `rated`, `lapsed` or None while open."""

    prompt_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    till = peewee.TextField()
    source = peewee.TextField()
    sale = peewee.TextField()
    asks = peewee.BooleanField()
    tag = peewee.TextField()
    at = InstantField()
    outcome = peewee.TextField(null=True)
    reason = peewee.TextField(null=True)
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "prompt"
        indexes = ((("epoch", "seq"), True), (("outcome", "till"), False))


class Rating(Table):
    """A rating; `prompt_epoch` and `prompt_seq` are the place of the prompt it answers, or None."""

    rating_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    level = peewee.IntegerField()
    aspects = JsonField()
    tags = JsonField()
    comment = peewee.TextField(null=True)
    channel = peewee.TextField()
    ended = peewee.TextField()
    dwell_ms = peewee.BigIntegerField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "rating"
        indexes = ((("epoch", "seq"), True), (("prompt_epoch", "prompt_seq"), False))


class Suggestion(Table):
    """A suggestion to the shop."""

    suggestion_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    comment = peewee.TextField(null=True)
    channel = peewee.TextField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "suggestion"
        indexes = ((("epoch", "seq"), True),)


class Complaint(Table):
    """A complaint, which opens a case; `amount` is text such as `64.00 CNY`.

    `first` is `shop`, or `station` where the shop can read nothing of it.
    """

    case_id = peewee.TextField(primary_key=True)
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    prompt_epoch = peewee.IntegerField(null=True)
    prompt_seq = peewee.BigIntegerField(null=True)
    categories = JsonField()
    remedies = JsonField()
    comment = peewee.TextField(null=True)
    order_no = peewee.TextField(null=True)
    occurred_at = peewee.TextField(null=True)
    amount = peewee.TextField(null=True)
    channel = peewee.TextField()
    lang = peewee.TextField()
    catalogue = peewee.TextField()
    first = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "complaint"
        indexes = ((("epoch", "seq"), True),)


class Erasure(Table):
    """Erasable members that were deleted: which `erase` record tells of it, and of what record."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    told_epoch = peewee.IntegerField()
    told_seq = peewee.BigIntegerField()
    members = JsonField()
    reason = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "erasure"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("told_epoch", "told_seq"), False),)


class Reply(Table):
    """The shop's explanation of what stands at `to_*` in central's chain; `comment` is None once erased."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    at = InstantField()

    class Meta:
        table_name = "reply"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("to_seq",), False),)


# Sales and what a tablet is in the middle of


class Sale(Table):
    """What the till said of a prompt's sale; never signed, never uploaded. `business_day` is an ISO date.

    `at` is the till's own time; `invitation` are the 92 octets that were handed out with the
    sale, valid until `invited_until`. `replaced_at` is when the next sale took the place of its
    question, which ends soon after, unless a tap was on its way.
    """

    prompt_id = peewee.TextField(primary_key=True)
    till = peewee.TextField()
    business_day = peewee.TextField()
    order_no = peewee.TextField()
    amount = peewee.TextField(null=True)
    currency = peewee.TextField()
    kind = peewee.TextField()
    at = InstantField(null=True)
    invitation = peewee.BlobField()
    invited_until = InstantField()
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "sale"
        indexes = ((("till", "business_day", "order_no"), True),)


class Till(Table):
    """The usual delay of a till's sales by its own clock, and its newest sale: the till's time and ours.

    `claimed_at` is None while no sale told the till's time.
    """

    name = peewee.TextField(primary_key=True)
    offset_ms = peewee.BigIntegerField()
    samples = peewee.IntegerField()
    claimed_at = InstantField(null=True)
    received_at = InstantField()

    class Meta:
        table_name = "till"


class Draft(Table):
    """A customer's unfinished answer; `level` is None where it was taken back and the prompt is theirs still.

    `claim` is the hash of what the customer's slip will carry, None where it will carry nothing.
    """

    prompt_id = peewee.TextField(primary_key=True)
    answer_id = peewee.TextField(unique=True)
    device = peewee.TextField()
    level = peewee.IntegerField(null=True)
    aspects = JsonField()
    tags = JsonField()
    comment = peewee.TextField()
    lang = peewee.TextField()
    claim = peewee.TextField(null=True)
    started_at = InstantField()
    touched_at = InstantField()

    class Meta:
        table_name = "draft"


# What could not be signed


class Outage(Table):
    """One row, with `number` 1, from when nothing could be signed until all that was kept is signed.

    `reason` is the journal's of then; `told` once the chain tells of it.
    """

    number = peewee.IntegerField(primary_key=True)
    reason = peewee.TextField()
    since = InstantField()
    told = peewee.BooleanField(default=False)

    class Meta:
        table_name = "outage"


class Kept(Table):
    """What a till or a customer said while nothing could be signed; `item_id` will be the record's.

    `prompt_id` is the prompt that it is about, None where that is none; `reason` and `at` say why and
    when it was kept; `body` is the record's, as JSON; `words` are its erasable members by name, a
    contact only sealed. `refused` once no reader would take it.
    """

    number = peewee.AutoField()
    item_id = peewee.TextField(unique=True)
    kind = peewee.TextField()
    prompt_id = peewee.TextField(null=True)
    reason = peewee.TextField()
    at = InstantField()
    body = peewee.TextField()
    words = JsonField()
    refused = peewee.BooleanField(default=False)

    class Meta:
        table_name = "kept"
        indexes = ((("prompt_id",), False),)


# Uploading


class UploadState(Table):
    """How far central has confirmed the records of an epoch: one row for each that was ever in force.

    `acked_seq` is -1 and `acked_link` the grant's before the first record is acknowledged;
    `nonce` is what the next batch must carry. `batch` and `client_nonce` are of the batch
    that waits for its answer, sent again unchanged until it has one.
    """

    epoch = peewee.IntegerField(primary_key=True)
    acked_seq = peewee.BigIntegerField()
    acked_link = peewee.TextField()
    nonce = peewee.TextField()
    batch = peewee.BlobField(null=True)
    client_nonce = peewee.TextField(null=True)
    state = peewee.TextField(default="ready")
    state_detail = peewee.TextField(default="")
    last_success_at = InstantField(null=True)
    last_attempt_at = InstantField(null=True)
    last_outcome = peewee.TextField(default="")

    class Meta:
        table_name = "upload_state"


class SentBatch(Table):
    """A batch's octets and central's acknowledgement of it, None until there is one."""

    number = peewee.AutoField()
    client_nonce = peewee.TextField(unique=True)
    octets = peewee.BlobField()
    ack = peewee.BlobField(null=True)

    class Meta:
        table_name = "batch"


class Quarantine(Table):
    """A record that central rejected, and the rule that it named; `send_again` where it is sound all the same."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    rule = peewee.TextField()
    at = InstantField()
    send_again = peewee.BooleanField(default=False)

    class Meta:
        table_name = "quarantine"
        primary_key = peewee.CompositeKey("epoch", "seq")


class Stubbed(Table):
    """A record that was too large to be sent, and the stub that goes in its place.

    The record itself is offered once more when `again_at` is over; `is_offered` from then on.
    """

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    stub = peewee.BlobField()
    again_at = InstantField()
    is_offered = peewee.BooleanField(default=False)

    class Meta:
        table_name = "stubbed"
        primary_key = peewee.CompositeKey("epoch", "seq")


# Central's log, as this terminal saw it


class Checkpoint(Table):
    """A verified checkpoint: its note, and the proof that the log went on from the kept one before.

    `root` is base64url, `time` unix seconds; `proof` are hashes of 32 octets, none for the first.
    """

    size = peewee.BigIntegerField(primary_key=True)
    root = peewee.TextField()
    time = peewee.BigIntegerField()
    octets = peewee.BlobField()
    proof = peewee.BlobField()

    class Meta:
        table_name = "checkpoint"


class LogIndex(Table):
    """Where central says that a record stands in its log: the number of its leaf, which a proof then shows."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    number = peewee.BigIntegerField()

    class Meta:
        table_name = "log_index"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("epoch", "number"), False),)


class SplitView(Table):
    """Two notes of central's log that cannot both be true: the `kept` one was verified, the other `shown` later."""

    number = peewee.AutoField()
    kept_size = peewee.BigIntegerField()
    kept = peewee.BlobField()
    shown_size = peewee.BigIntegerField()
    shown = peewee.BlobField(unique=True)
    at = InstantField()

    class Meta:
        table_name = "split_view"


# What central says about the shop, see `inbox`


class InboxChain(Table):
    """Central's own chain about this shop: the grant that begins it, as the root key signed it; one row."""

    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    grant = peewee.BlobField()

    class Meta:
        table_name = "inbox_chain"
        primary_key = peewee.CompositeKey("issuer", "epoch")


class InboxRecord(Table):
    """A verified record of that chain; `done` once what it asks this machine to do was done."""

    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    octets = peewee.BlobField()
    received_at = InstantField()
    done = peewee.BooleanField()

    class Meta:
        table_name = "inbox_record"
        primary_key = peewee.CompositeKey("epoch", "seq")
        indexes = ((("kind", "done"), False),)


class InboxContradiction(Table):
    """A record that central signed and that cannot stand behind those that are kept; `rule` is what it breaks."""

    number = peewee.AutoField()
    octets = peewee.BlobField(unique=True)
    rule = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "inbox_contradiction"


# This machine's own life


class Hold(Table):
    """One row, with `number` 1, while nothing may be signed: why, and since when."""

    number = peewee.IntegerField(primary_key=True)
    reason = peewee.TextField()
    detail = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "hold"


class OrderlyStop(Table):
    """One row, with `number` 1, from an orderly stop of the program to its next start."""

    number = peewee.IntegerField(primary_key=True)
    at = InstantField()

    class Meta:
        table_name = "orderly_stop"


# Who may talk to this machine


class Device(Table):
    """A paired tablet; it shows the prompts of `till`, those of all tills where that is empty.

    `address` is its own in the network, `reached` the host name or address under which it knows this
    terminal; `tried_at` is when somebody saw it wake and tapped.
    """

    device_id = peewee.TextField(primary_key=True)
    token_hash = peewee.BlobField(unique=True)
    name = peewee.TextField()
    till = peewee.TextField()
    paired_at = InstantField()
    seen_at = InstantField(null=True)
    revoked_at = InstantField(null=True)
    address = peewee.TextField(null=True)
    reached = peewee.TextField(null=True)
    tried_at = InstantField(null=True)

    class Meta:
        table_name = "device"


class Pairing(Table):
    """A link that pairs tablets, `uses_left` times until `expires_at`.

    `digits_hash` is of six digits that do the same, null where there are none; `wrong` counts the
    guesses at them. Where there is a `device`, that tablet is paired again.
    """

    token_hash = peewee.BlobField(primary_key=True)
    till = peewee.TextField()
    uses_left = peewee.IntegerField()
    expires_at = InstantField()
    digits_hash = peewee.BlobField(null=True)
    wrong = peewee.IntegerField(default=0)
    device = peewee.TextField(null=True)

    class Meta:
        table_name = "pairing"


class PosToken(Table):
    """A token with which the POS of `till` reports sales; of any till where that is empty.

    With a `secret` its requests must be signed; `former_secret` is still taken while it is changed.
    """

    token_hash = peewee.BlobField(primary_key=True)
    till = peewee.TextField()
    created_at = InstantField()
    revoked_at = InstantField(null=True)
    dry_run = peewee.IntegerField(default=0)
    secret = peewee.BlobField(null=True)
    former_secret = peewee.BlobField(null=True)

    class Meta:
        table_name = "pos_token"


class PosWay(Table):
    """A printer, folder or Odoo from which sales come; `details` are of its kind, `progress` its own."""

    number = peewee.AutoField()
    kind = peewee.TextField()
    name = peewee.TextField()
    till = peewee.TextField()
    enabled = peewee.IntegerField()
    dry_run = peewee.IntegerField()
    details = JsonField()
    progress = JsonField(null=True)

    class Meta:
        table_name = "pos_way"


class PosFile(Table):
    """A file of a folder that was dealt with, by SHA-256 of its octets; `why` is empty for one that was taken.

    `at` is when it was last noted that it lies there.
    """

    way = peewee.IntegerField()
    digest = peewee.BlobField()
    at = InstantField()
    why = peewee.TextField()

    class Meta:
        table_name = "pos_file"
        primary_key = peewee.CompositeKey("way", "digest")


class ReceiptWord(Table):
    """A word that the shop adds to those by which receipts are read."""

    sort = peewee.TextField()
    word = peewee.TextField()

    class Meta:
        table_name = "receipt_word"
        primary_key = peewee.CompositeKey("sort", "word")


class Alarm(Table):
    """Something that somebody in the shop should look at, until `cleared_at`."""

    number = peewee.AutoField()
    code = peewee.TextField()
    detail = peewee.TextField()
    at = InstantField()
    cleared_at = InstantField(null=True)

    class Meta:
        table_name = "alarm"
        indexes = ((("code", "detail"), False),)


PROJECTIONS: tuple[type[Table], ...] = (Prompt, Rating, Suggestion, Complaint, Erasure, Reply)

MODELS: tuple[type[Table], ...] = (
    *(Epoch, LedgerRecord, LedgerDisclosure, Slip),
    *PROJECTIONS,
    *(Sale, Till, Draft),
    *(Outage, Kept),
    *(UploadState, SentBatch, Quarantine, Stubbed),
    *(Checkpoint, LogIndex, SplitView, Hold, OrderlyStop),
    *(InboxChain, InboxRecord, InboxContradiction),
    *(Device, Pairing, PosToken, PosWay, PosFile, ReceiptWord, Alarm),
    *CREDENTIAL_MODELS,
)
