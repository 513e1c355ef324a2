"""Central put together: what every function of it is handed.

On SQLite one process has the data folder. On PostgreSQL several processes share folder and
database: what they must not do at once, they settle in the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from merchant_agent.central.identity import Identity, load_identity
from merchant_agent.central.log.checkpoints import NewestCheckpoint
from merchant_agent.central.store.issuers import Issuers
from merchant_agent.central.store.models import Installation
from merchant_agent.central.store.opening import open_store
from merchant_agent.clock import Clock
from merchant_agent.domain.catalogue import Catalogue, load_catalogue
from merchant_agent.domain.promises import PromiseKinds, load_promise_kinds
from merchant_agent.errors import SettingsError, StartError
from merchant_agent.evidence.keys import fingerprint
from merchant_agent.evidence.note import format_vkey
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.resources import directory
from merchant_agent.settings import CentralSettings
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store, Writer
from merchant_agent.web.server import local_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """A running central; `identity` holds its private keys.

    `issuers` remembers whose keys were granted, `newest` the log's newest checkpoint for a second.
    """

    settings: CentralSettings
    folder: DataFolder
    clock: Clock
    store: Store
    identity: Identity
    catalogue: Catalogue
    promise_kinds: PromiseKinds
    issuers: Issuers = field(default_factory=Issuers)
    newest: NewestCheckpoint = field(default_factory=NewestCheckpoint)

    @property
    def public_url(self) -> str:
        """The address under which customers and terminals reach it, without a slash at the end.

        Raises:
            SettingsError: nobody told: `public_url` is empty, and the port was left to the system.
        """
        return address_of(self.settings)


def address_of(settings: CentralSettings) -> str:
    """`Central.public_url` of a central with these settings.

    Raises:
        SettingsError: as there.
    """
    if settings.public_url:
        return settings.public_url
    if not settings.port:
        raise SettingsError("Set public_url: with port 0 central does not know its own address beforehand.")
    return local_url(settings.host, settings.port)


def open_central(settings: CentralSettings, clock: Clock) -> Central:
    """Central on its data folder and database, both made where they are missing.

    Raises:
        StartError: the folder is in use or unusable, the database is not to be used, or the
            keys in the folder are not the ones that the database was begun with.
        SettingsError: the catalogue, or what shops may promise, is missing or not consistent.
        StoreError: the database is damaged, or its disk is full.
    """
    catalogue = load_catalogue(directory("config") / "catalogue")
    promise_kinds = load_promise_kinds(directory("config") / "promises")
    folder = DataFolder(settings.data)
    if not settings.database:
        folder.lock()
    try:
        store = open_store(folder, url=settings.database)
        try:
            identity = _identity(folder, store, settings.log_origin)
        except BaseException:
            store.close()
            raise
    except BaseException:
        folder.unlock()
        raise
    return Central(
        settings=settings,
        folder=folder,
        clock=clock,
        store=store,
        identity=identity,
        catalogue=catalogue,
        promise_kinds=promise_kinds,
    )


def close_central(central: Central) -> None:
    """Closes the database and lets the next process in; nobody may be using it."""
    central.store.close()
    central.folder.unlock()


def _identity(folder: DataFolder, store: Store, origin: str) -> Identity:
    """The keys in the folder, if they are this database's; the first ones to come are."""
    # One process alone makes keys: others that start at once read what it made.
    with store.database.alone():
        identity = load_identity(folder.keys, origin=origin)
    with store.write() as writer:
        for name, value in _pins(identity).items():
            _pin(writer, name, value, folder)
    return identity


def _pin(writer: Writer, name: str, value: str, folder: DataFolder) -> None:
    writer.execute(Installation.insert(name=name, value=value).on_conflict_ignore())
    pinned = writer.scalar(Installation.select(Installation.value).where(Installation.name == name))
    if pinned != value:
        raise StartError(
            f"The keys in {folder.keys} are not those of this database, which was begun with others: "
            "restore the folder of keys that belongs to it."
        )


def _pins(identity: Identity) -> dict[str, str]:
    """What the database remembers of each key: its id and the fingerprint of its public part."""
    acknowledging = identity.acknowledging_key
    return {
        "root": f"{identity.root_kid} {fingerprint(identity.root.public)}",
        "acknowledging": f"{acknowledging.kid} {fingerprint(identity.acknowledging.public)}",
        "chains": fingerprint(identity.chain_key(identity.root_issuer, 1).public),
        "sealing": fingerprint(decode_b64u(identity.sealing_key)),
        "log": " ".join(format_vkey(key) for key in identity.log_keys),
    }
