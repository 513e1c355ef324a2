"""Central's tables, the same on SQLite and PostgreSQL.

Every table is keyed by merchant and can be distributed by it; `MerchantEntry`, `Issuer`,
`Installation`, `Code`, `Attempt` and `Turn` are small and have a copy everywhere. Records, grants,
batches and acknowledgements are kept as the exact octets that were signed. `PROJECTIONS` are
made of them and can be made again.

The log's own tables, `LogLeaf`, `LogTile`, `LogCheckpoint` and `LogSilence`, are the exception: they are
one sequence over all merchants, written by one sequencer, and stay in one place. What waits for
the log is written with each merchant's rows, so `LogWaiting` is distributed like these.
"""

from __future__ import annotations

import peewee

from merchant_agent.store.credentials import CREDENTIAL_MODELS
from merchant_agent.store.fields import InstantField, JsonField
from merchant_agent.store.table import Table


class Installation(Table):
    """Facts about this central, such as the root key that its grants are signed with."""

    name = peewee.TextField(primary_key=True)
    value = peewee.TextField()


class MerchantEntry(Table):
    """A registered merchant; `id` has 11 characters and stands in addresses of pages.

    `promises` are objects with the members of `Promise`.
    """

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    shop_name = peewee.TextField()
    credit_code = peewee.TextField(unique=True)
    address = peewee.TextField()
    trade = peewee.TextField()
    phone = peewee.TextField()
    programme = peewee.TextField()
    promises = JsonField(default=list)
    created_at = InstantField()
    changed_at = InstantField()

    class Meta:
        table_name = "merchant"


class Issuer(Table):
    """Whose an issuer's epoch is, and its key; one key for one epoch, anywhere."""

    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    merchant = peewee.TextField(index=True)
    key = peewee.BlobField(unique=True)

    class Meta:
        primary_key = peewee.CompositeKey("issuer", "epoch")


class Code(Table):
    """An enrolment code, of which only the hash is kept.

    A code of a printed sheet is first `claimed` by a key and then confirmed by an officer;
    `issuer` is set once it was used, `refused_at` when an officer turned the claim down.
    """

    code_hash = peewee.BlobField(primary_key=True)
    merchant = peewee.TextField(index=True)
    kind = peewee.TextField()
    made_at = InstantField()
    made_by = peewee.TextField()
    expires_at = InstantField()
    claimed_key = peewee.BlobField(null=True)
    claimed_at = InstantField(null=True)
    claimed_from = peewee.TextField(default="")
    confirmed_at = InstantField(null=True)
    confirmed_by = peewee.TextField(default="")
    refused_at = InstantField(null=True)
    used_at = InstantField(null=True)
    issuer = peewee.TextField(null=True)


class Attempt(Table):
    """Wrong enrolment codes from one address in its present window."""

    remote = peewee.TextField(primary_key=True)
    failed = peewee.IntegerField()
    since = InstantField()


class Grant(Table):
    """A grant as it was signed."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    octets = peewee.BlobField()
    at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class ChainHead(Table):
    """Where central stands in a chain; moved by compare-and-swap on `nonce` and `claimed_seq`.

    `seq` is -1 and `link` the grant's before the first record. `totals` is JSON text, null
    after a record that was passed over. `claimed_seq` is the largest `newest` that a batch
    or an epoch request committed to. `state` is `active`, `frozen` or `revoked`, `role` `terminal` or,
    for central's own chain of records about this merchant, `central`. `closed_seq` is `seq` as it was
    when the next epoch was granted, null before: what stands behind it came late. `outcome` is what the
    last batch was answered. `seen_at` is when the last signed batch came, `accepted_at` when one was
    last accepted; `clock_ms` is how far the terminal's clock was ahead of central's then.
    """

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
    granted_at = InstantField()
    seen_at = InstantField(null=True)
    accepted_at = InstantField(null=True)

    class Meta:
        table_name = "chain_head"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class Record(Table):
    """An accepted record as it was signed; `query_code` is the number that people know it by."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    query_code = peewee.TextField(index=True)
    octets = peewee.BlobField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Disclosure(Table):
    """The erasable members of an accepted record, as they travelled."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    name = peewee.TextField()
    octets = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "name")


class Batch(Table):
    """A signed batch and the acknowledgement that answered it; `digest` is SHA-256 of its octets.

    `stale` is 1 when its nonce was not the one that central expected.
    """

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
    received_at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "digest")
        indexes = ((("merchant", "issuer", "epoch", "newest_seq"), False),)


class Quarantine(Table):
    """Octets that were rejected, with the rule that they break.

    `placed` is 1 where the chain went on past them. `link` is then what the next record names,
    if `vouched` is 1: by the issuer's signature over the line itself, over a later record or over
    a batch. Otherwise it is the line's own. `rule` is `stub` for one that stands in for a record that
    was too large to come.
    """

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
    received_at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "link")


class Conflict(Table):
    """Two things signed by one key that cannot both be true; the chain is frozen.

    `kind` is `fork` (two records for one place), `prev` (a record that follows another one
    than ours) or `newest` (a batch or an epoch request that committed to another record than the one
    that came). `held` are the octets that central had, `received` those that contradict them;
    `batch_digest` is of the batch or request that brought them.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    kind = peewee.TextField()
    held = peewee.BlobField()
    received = peewee.BlobField()
    batch_digest = peewee.BlobField()
    received_at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "batch_digest")


class EpochAsked(Table):
    """A terminal's request for another key, at its last time; `epoch` is the one that signed it.

    `octets` are the request's, `head_seq` is where central stood then. `outcome` is `granted`,
    `waiting` (for an officer), `allowed` (by one, and not asked again yet), `dismissed` (by one),
    `replaced` (another one had got the next epoch before) or `revoked`. `settled_at` is when an officer
    looked into it.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    key = peewee.BlobField()
    reason = peewee.TextField()
    newest_seq = peewee.BigIntegerField()
    newest_link = peewee.TextField()
    head_seq = peewee.BigIntegerField()
    octets = peewee.BlobField()
    at = InstantField()
    outcome = peewee.TextField()
    settled_at = InstantField(null=True)
    settled_by = peewee.TextField(default="")

    class Meta:
        table_name = "epoch_request"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "key")


class Revocation(Table):
    """A key that counts no longer, as the `revoke` record at `own_seq` of central's own chain says.

    `through` is the last seq that it counts for, -1 for none. `reason` is the officer's, in words.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    through = peewee.BigIntegerField()
    reason = peewee.TextField()
    who = peewee.TextField()
    at = InstantField()
    own_issuer = peewee.TextField()
    own_epoch = peewee.IntegerField()
    own_seq = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch")


class Release(Table):
    """A merchant's public figures of one day; never changed afterwards.

    `day` is the local date of the release, `until` the moment up to which records count. `fast` and
    `burst` are how many ratings were left out for these marks.
    """

    merchant = peewee.TextField()
    day = peewee.TextField()
    until = InstantField()
    level_1 = peewee.BigIntegerField()
    level_2 = peewee.BigIntegerField()
    level_3 = peewee.BigIntegerField()
    level_4 = peewee.BigIntegerField()
    level_5 = peewee.BigIntegerField()
    answer_band = peewee.TextField()
    fast = peewee.BigIntegerField()
    burst = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "day")


class Prompt(Table):
    """A sale for which a customer may be asked; whether it was answered stands with the answer."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    id = peewee.TextField()
    till = peewee.TextField()
    source = peewee.TextField()
    sale = peewee.TextField()
    asks = peewee.BooleanField()
    tag = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Lapse(Table):
    """The end of a prompt that nobody answered on the tablet."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    prompt_issuer = peewee.TextField()
    prompt_epoch = peewee.IntegerField()
    prompt_seq = peewee.BigIntegerField()
    reason = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Rating(Table):
    """A rating with its words; the place of the prompt that it answers is null without a sale."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    id = peewee.TextField()
    prompt_issuer = peewee.TextField(null=True)
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
    undisclosed = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Suggestion(Table):
    """A suggestion with its words."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
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
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Complaint(Table):
    """A complaint, which opens the case `id`; `amount` is text such as `64.00 CNY`.

    Where `first` is `station`, all of it is sealed; it stands nowhere in clear.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    id = peewee.TextField()
    prompt_issuer = peewee.TextField(null=True)
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
    undisclosed = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


class Remark(Table):
    """What central's own chain says of another record, whose place is `told_*`.

    `kind` is `supersede`, `dispute`, `confirm` or `finding`; `code` is what the first three say of
    how (`phone`, `call_back`, `counter`, `contested`, `uncontested`), and a finding's code. `level`
    is a correction's; `leaf` and `due_at` are a finding's.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    kind = peewee.TextField()
    code = peewee.TextField()
    told_issuer = peewee.TextField(null=True)
    told_epoch = peewee.IntegerField(null=True)
    told_seq = peewee.BigIntegerField(null=True)
    level = peewee.IntegerField(null=True)
    leaf = peewee.TextField(null=True)
    due_at = InstantField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "told_issuer", "told_epoch", "told_seq"), False),)


class Erasure(Table):
    """Erasable members of the record at `told_*` that were deleted, as the `erase` record at this place says."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    told_issuer = peewee.TextField()
    told_epoch = peewee.IntegerField()
    told_seq = peewee.BigIntegerField()
    members = JsonField()
    reason = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "told_issuer", "told_epoch", "told_seq"), False),)


class Reply(Table):
    """A shop's explanation of what stands at `to_*` in central's chain; `comment` is null once erased."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    undisclosed = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "to_issuer", "to_epoch", "to_seq"), False),)


class Addition(Table):
    """What a customer added to the complaint at `to_*`; `comment` is null where there is none, or none any more."""

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    to_issuer = peewee.TextField()
    to_epoch = peewee.IntegerField()
    to_seq = peewee.BigIntegerField()
    comment = peewee.TextField(null=True)
    undisclosed = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("merchant", "to_issuer", "to_epoch", "to_seq"), False),)


class Hours(Table):
    """When a terminal's shop is open, as the `settings` record at this place says; the newest counts.

    `opening` and `closures` are as in the record's body.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    received_at = InstantField()
    at = InstantField()
    opening = JsonField()
    closures = JsonField()

    class Meta:
        table_name = "opening_hours"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")


class Photo(Table):
    """A picture of the complaint or addition at this place, the `number`th from 0.

    `digest` is its SHA-256, which the record's `photos` hold; `sealed` can be opened by central's
    sealing key alone.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    number = peewee.IntegerField()
    digest = peewee.BlobField()
    sealed = peewee.BlobField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "number")


class Urging(Table):
    """A customer told the authority alone that the staff asked for a good rating; in no chain and no log.

    `ways` are codes of how; `comment` is null once its time is over.
    """

    merchant = peewee.TextField()
    id = peewee.TextField()
    at = InstantField()
    ways = JsonField()
    comment = peewee.TextField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "id")
        indexes = ((("at",), False),)


class CallBack(Table):
    """An officer's call about the visit that the record at this place belongs to.

    `outcome` is `confirmed`, `corrected`, `not_given` or `not_reached`; `level` is a correction's.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    at = InstantField()
    who = peewee.TextField()
    outcome = peewee.TextField()
    level = peewee.IntegerField(null=True)

    class Meta:
        table_name = "call_back"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "at")


class Slip(Table):
    """A slip from its first opening on; a shop can sign several for one place, so `digest` is SHA-256 of it.

    `issued_at` is when the terminal says that it signed it. `due_at` is null while the log has
    published nothing, and moves on while it is silent. `state` is `promised`, `kept`, `late`, `broken`
    or `conflict`; `arrived_at` is when a record came to stand at its place.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    digest = peewee.BlobField()
    leaf = peewee.BlobField()
    octets = peewee.BlobField()
    issued_at = InstantField()
    opened_at = InstantField()
    due_at = InstantField(null=True)
    state = peewee.TextField()
    arrived_at = InstantField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "digest")
        indexes = ((("state", "due_at"), False),)


class SlipOpening(Table):
    """A device that came with a slip and a claim, at its first time.

    `device` is what the device calls itself, or the fingerprint of its `key`. `claim` is the claim's
    hash: right where the record has the same one. `token_hash` is of the cookie that it got.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    digest = peewee.BlobField()
    device = peewee.TextField()
    claim = peewee.TextField()
    key = peewee.BlobField(null=True)
    token_hash = peewee.BlobField()
    opened_at = InstantField()

    class Meta:
        table_name = "slip_opening"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "digest", "device")


class InvitedAnswer(Table):
    """An answer by invitation: once of each `kind` for the prompt at this place.

    `invitation` are its octets, `tag` the order tag in it; `own_*` is where the answer stands in
    central's own chain.
    """

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
    answered_at = InstantField()

    class Meta:
        table_name = "invited_answer"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "kind")


class Turn(Table):
    """How often somebody did something in its present window: `remote` is an address, or a terminal's issuer id."""

    topic = peewee.TextField()
    remote = peewee.TextField()
    taken = peewee.IntegerField()
    since = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("topic", "remote")


class LogWaiting(Table):
    """A leaf that the log has yet to take up, in the transaction of what it stands for.

    `leaf` is the leaf hash. `kind` is `record`, `grant` or `slip`, `seq` -1 for a grant.
    """

    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()
    leaf = peewee.BlobField()
    kind = peewee.TextField()
    at = InstantField()

    class Meta:
        table_name = "log_waiting"
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq", "leaf")


class LogLeaf(Table):
    """A leaf of the log by its number from 0; otherwise as in `LogWaiting`."""

    number = peewee.BigIntegerField(primary_key=True)
    leaf = peewee.BlobField(index=True)
    kind = peewee.TextField()
    merchant = peewee.TextField()
    issuer = peewee.TextField()
    epoch = peewee.IntegerField()
    seq = peewee.BigIntegerField()

    class Meta:
        table_name = "log_leaf"


class LogTile(Table):
    """The tile `(level, number)` as far as it is filled, of all leaves that were taken up."""

    level = peewee.IntegerField()
    number = peewee.BigIntegerField()
    octets = peewee.BlobField()

    class Meta:
        table_name = "log_tile"
        primary_key = peewee.CompositeKey("level", "number")


class LogCheckpoint(Table):
    """The first checkpoint that was published for a size of the log, and the newest one of that size.

    `time` and `renewed_time` are unix seconds, of the cosignatures in `octets` and `renewed`;
    `renewed` is null where there is only the first.
    """

    size = peewee.BigIntegerField(primary_key=True)
    octets = peewee.BlobField()
    time = peewee.BigIntegerField()
    renewed = peewee.BlobField(null=True)
    renewed_time = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "log_checkpoint"


class LogSilence(Table):
    """A time in which the log published nothing, in unix seconds: promises were not due then."""

    since = peewee.BigIntegerField(primary_key=True)
    until = peewee.BigIntegerField()

    class Meta:
        table_name = "log_silence"


PROJECTIONS: tuple[type[Table], ...] = (
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
)

MODELS: tuple[type[Table], ...] = (
    *(Installation, MerchantEntry, Issuer, Code, Attempt),
    *(Grant, ChainHead, Record, Disclosure, Batch, Quarantine, Conflict, EpochAsked, Revocation),
    Release,
    *(LogWaiting, LogLeaf, LogTile, LogCheckpoint, LogSilence),
    *(Slip, SlipOpening, InvitedAnswer, CallBack, Photo, Urging, Turn),
    *PROJECTIONS,
    *CREDENTIAL_MODELS,
)
