"""The terminal put together: what every function of it is handed, opened and closed in order."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from merchant_agent.clock import Clock
from merchant_agent.domain.catalogue import Catalogue, load_catalogue
from merchant_agent.domain.promises import PromiseKinds, load_promise_kinds
from merchant_agent.errors import StartError, StoreCorruptError, StoreError, StoreFullError, StoreLockedError
from merchant_agent.resources import directory
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.folder import DataFolder
from merchant_agent.store.store import Store
from merchant_agent.terminal.collect.bell import Bell, Touches
from merchant_agent.terminal.collect.board import Board
from merchant_agent.terminal.collect.nudges import Nudges
from merchant_agent.terminal.healing import open_sound
from merchant_agent.terminal.store.journal import Journal
from merchant_agent.terminal.store.mark import Mark, default_mark
from merchant_agent.terminal.store.opening import DATABASE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """An open terminal, enrolled or not: `journal.enrolled` tells.

    `bell` rings after every change that a tablet may show; `board` remembers what each
    tablet shows; `touches` are the ages of prompts and drafts by the monotonic clock; `nudges` tell a
    tablet that its pairing changed.
    """

    settings: TerminalSettings
    folder: DataFolder
    clock: Clock
    store: Store
    journal: Journal
    catalogue: Catalogue
    promise_kinds: PromiseKinds
    bell: Bell
    board: Board
    touches: Touches
    nudges: Nudges


def open_terminal(settings: TerminalSettings, clock: Clock) -> Terminal:
    """The terminal of `settings.data`, which no other process may have until `close_terminal`.

    Raises:
        StartError: one sentence for people: the folder is in use or unusable, the database is
            not ours or newer than this program, or the disk is full.
        SettingsError: the catalogue or the promises that ship with the program cannot be used.
    """
    catalogue = load_catalogue(directory("config") / "catalogue")
    promise_kinds = load_promise_kinds(directory("config") / "promises")
    folder = DataFolder(settings.data)
    mark = Mark(Path(settings.mark_file) if settings.mark_file else default_mark(folder.path))
    with ExitStack() as undo:
        folder.lock()
        undo.callback(folder.unlock)
        try:
            store, journal = open_sound(settings, folder, clock, mark)
        except StoreError as error:
            raise StartError(_sentence(error, folder)) from error
        undo.pop_all()
    bell = Bell()
    journal.on_commit(lambda _appended: bell.ring())
    return Terminal(
        settings=settings,
        folder=folder,
        clock=clock,
        store=store,
        journal=journal,
        catalogue=catalogue,
        promise_kinds=promise_kinds,
        bell=bell,
        board=Board(store, bell),
        touches=Touches(clock),
        nudges=Nudges(bell),
    )


def close_terminal(terminal: Terminal) -> None:
    """Ends all long polls, closes the database and lets the next process in; no request may be running."""
    terminal.bell.close()
    terminal.journal.close()
    terminal.store.close()
    terminal.folder.unlock()


def central_address(terminal: Terminal) -> str:
    """Where customers reach central, without a slash at the end; empty where nobody told.

    Raises:
        StartError: the terminal is not enrolled.
    """
    identity = terminal.journal.identity
    address = identity.public_url or terminal.settings.central_url or identity.central_url
    return address.rstrip("/")


def _sentence(error: StoreError, folder: DataFolder) -> str:
    match error:
        case StoreFullError():
            return f"The disk of {folder.path} is full."
        case StoreCorruptError():
            return f"The database {folder.path / DATABASE_NAME} is damaged."
        case StoreLockedError():
            return f"The database {folder.path / DATABASE_NAME} is held by another program."
        case _:
            return f"The database {folder.path / DATABASE_NAME} cannot be used: {error}."
