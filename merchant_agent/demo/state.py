"""What a demo keeps in its folder from one start to the next: the secrets of its made-up people.

The folder is the terminal's data folder; central's lies inside it. So `--data` means the same
folder to `demo` and to `export`, `doctor` and every command of the terminal.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from merchant_agent.errors import InvalidError, StartError
from merchant_agent.store.folder import write_file_atomic
from merchant_agent.web.sign_in import check_pin

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS = 3
_GROUP_CHARS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """Where everything of one demo lies."""

    path: Path

    @property
    def terminal(self) -> Path:
        """The terminal's data folder."""
        return self.path

    @property
    def central(self) -> Path:
        """Central's data folder."""
        return self.path / "central"

    @property
    def trust(self) -> Path:
        """The file that pins central's root key and its log's."""
        return self.path / "trust.json"

    @property
    def checkpoint_lock(self) -> Path:
        """The file that remembers the newest checkpoint of central's log, apart from its data."""
        return self.path / "central-checkpoint"

    @property
    def state(self) -> Path:
        """The file of `DemoState`."""
        return self.path / "demo.json"


class DemoState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets of the demo's people and tills.

    `pos_token` is empty until both programs know all of it. `tablets` are the cookies of the
    feed's own tablets, that of till 1 first.
    """

    pin: str
    manager: str
    officer: str
    pos_token: str = ""
    tablets: tuple[str, ...] = ()


def load_state(folder: DemoFolder) -> DemoState:
    """What an earlier start left, or new secrets, which are on disk (mode 0600) before they are used.

    Raises:
        StartError: the folder or the file cannot be used.
    """
    try:
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.central.mkdir(mode=0o700, exist_ok=True)
        if folder.state.exists():
            return msgspec.json.decode(folder.state.read_bytes(), type=DemoState)
    except OSError as error:
        raise StartError(f"The folder {folder.path} cannot be used: {error.strerror or error}.") from error
    except msgspec.MsgspecError as error:
        raise StartError(
            f"The file {folder.state} is damaged ({error}); choose another folder with --data."
        ) from error
    state = DemoState(pin=_new_pin(), manager=_new_password(), officer=_new_password())
    save_state(folder, state)
    return state


def save_state(folder: DemoFolder, state: DemoState) -> None:
    """Keeps the secrets, durable on return.

    Raises:
        StartError: they could not be written; what was there before stays.
    """
    try:
        write_file_atomic(folder.state, msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    except OSError as error:
        raise StartError(f"The folder {folder.path} cannot be used: {error.strerror or error}.") from error


def _new_pin() -> str:
    while True:
        pin = f"{secrets.randbelow(1_000_000):06d}"
        try:
            return check_pin(pin)
        except InvalidError:
            continue


def _new_password() -> str:
    """Easy to type: 12 characters in groups of four, none of which is mistaken for another."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)
