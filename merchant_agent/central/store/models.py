"""Central's tables, the same on SQLite and PostgreSQL.

Every table is keyed by merchant and can be distributed by it; `MerchantEntry`, `Issuer`,
`Installation`, `Code` and `Attempt` are small and have a copy everywhere. Records, grants,
batches and acknowledgements are kept as the exact octets that were signed. `PROJECTIONS` are
made of them and can be made again.
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
    """A registered merchant; `id` has 11 characters and stands in addresses of pages."""

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    shop_name = peewee.TextField()
    credit_code = peewee.TextField(unique=True)
    address = peewee.TextField()
    trade = peewee.TextField()
    phone = peewee.TextField()
    programme = peewee.TextField()
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
    committed to. `state` is `active` or `frozen`. `seen_at` is when the last signed batch came,
    `accepted_at` when one was last accepted; `clock_ms` is how far the terminal's clock was
    ahead of central's then.
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
    a batch. Otherwise it is the line's own.
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
    than ours) or `newest` (a batch that committed to another record than the one that came).
    `held` are the octets that central had, `received` those that contradict them.
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


class Release(Table):
    """A merchant's public figures of one day; never changed afterwards.

    `day` is the local date of the release, `until` the moment up to which records count.
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
    """A complaint, which opens the case `id`; `amount` is text such as `64.00 CNY`."""

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
    undisclosed = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("merchant", "issuer", "epoch", "seq")
        indexes = ((("received_at",), False),)


PROJECTIONS: tuple[type[Table], ...] = (Prompt, Lapse, Rating, Suggestion, Complaint)

MODELS: tuple[type[Table], ...] = (
    *(Installation, MerchantEntry, Issuer, Code, Attempt),
    *(Grant, ChainHead, Record, Disclosure, Batch, Quarantine, Conflict),
    Release,
    *PROJECTIONS,
    *CREDENTIAL_MODELS,
)
