"""A folder into which a POS drops files: each is taken once, when it is complete, whatever happens in between.

A file is complete when neither its size nor its time changed between two looks; one whose name ends
in `.tmp` or `.part` or begins with a dot is left until it is renamed. Files are known by the hash
of their content, over restarts too. What lay there at the first look is old and asks nobody. A
share that vanishes is waited for. Files are only read: the POS cleans up its own folder. One that
cannot be read is told of once, and tried again at each look.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final
from zoneinfo import ZoneInfo

from merchant_agent.errors import InvalidError
from merchant_agent.terminal.pos.file_memory import FileMemory
from merchant_agent.terminal.pos.files import MOST_BYTES, Read, read_file
from merchant_agent.terminal.pos.printer.patterns import Patterns
from merchant_agent.terminal.pos.sightings import Outcome, Sighting, shown_lines
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.taking import Came, amount_of, take
from merchant_agent.terminal.pos.ways import FolderDetails, Way, load_progress, save_progress
from merchant_agent.terminal.pos.words import own_names
from merchant_agent.terminal.services import Terminal

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".crdownload", "~")
_MOST_FILES: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Look:
    """How a file was at a look."""

    size: int
    changed_ns: int


class Folder:
    """Looks into one folder; `look` is called again and again by one thread."""

    def __init__(
        self,
        terminal: Terminal,
        way: Way,
        details: FolderDetails,
        *,
        patterns: Callable[[], Patterns],
        show: Callable[[Sighting], None],
    ) -> None:
        self._terminal = terminal
        self._way = way
        self._path = Path(details.path)
        self._patterns = patterns
        self._show = show
        self._memory = FileMemory(terminal, way.number)
        self._seen: dict[str, _Look] = {}  # not complete yet, by name
        self._done: dict[str, _Look] = {}  # dealt with, by name
        self._digests: dict[str, bytes] = {}  # of what was dealt with, by name
        self._unread: dict[str, _Look] = {}  # told of, by name
        self.state = State(code=StateCode.WAITING)

    def look(self) -> None:
        """Takes what is complete.

        Raises:
            StoreError: it could not be kept what was taken; the same is tried again.
        """
        try:
            files = self._list()
        except OSError as error:
            self.state = State(code=StateCode.AWAY, detail=error.strerror or "")
            return
        with self._terminal.store.read() as reader:
            is_first = load_progress(reader, self._way.number) is None
        if is_first:
            self._begin(files)
        self.state = State(code=StateCode.CONNECTED)
        for name, now in files.items():
            if self._done.get(name) == now:
                continue
            if self._seen.get(name) == now:
                self._deal_with(name, now)
            else:
                self._seen[name] = now
        self._forget_all_but(files)
        if len(files) < _MOST_FILES:
            self._memory.tidy(self._digests.values())

    def _list(self) -> Mapping[str, _Look]:
        """The files that may be complete, oldest first."""
        found: list[tuple[int, str, _Look]] = []
        for path in self._path.iterdir():
            if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED):
                continue
            try:
                stat = path.stat()
            except OSError:
                # Gone meanwhile, or a link in a circle: no reason to leave the others.
                continue
            if S_ISREG(stat.st_mode):
                found.append((stat.st_mtime_ns, path.name, _Look(stat.st_size, stat.st_mtime_ns)))
        return {name: look for _, name, look in sorted(found)[-_MOST_FILES:]}

    def _begin(self, files: Mapping[str, _Look]) -> None:
        """What lies there at the first look is old; what is too large to be taken need not be known again."""
        for name, look in files.items():
            if look.size <= MOST_BYTES and (octets := self._read(name)) is not None:
                self._digests[name] = hashlib.sha256(octets).digest()
        now = self._terminal.clock.now()
        with self._terminal.store.write() as writer:
            self._memory.keep_old(writer, self._digests.values())
            save_progress(writer, self._way, {"since": now.isoformat()})
        self._done.update(files)

    def _read(self, name: str) -> bytes | None:
        """What the file holds; None where it is locked by its writer, not ours to read, or gone."""
        try:
            return (self._path / name).read_bytes()
        except OSError as error:
            _log.info("folder: a file could not be read: %s", error.strerror)
            return None

    def _deal_with(self, name: str, look: _Look) -> None:
        if look.size > MOST_BYTES:
            self._finish(name, look)
            self._tell_bad(name, "file-large")
            return
        octets = self._read(name)
        if octets is None:
            if self._unread.get(name) != look:
                self._unread[name] = look
                self._tell_bad(name, "file-unreadable")
            return
        digest = hashlib.sha256(octets).digest()
        if len(octets) == look.size and (self._memory.knows(digest) or self._take(name, octets, digest)):
            self._finish(name, look)
            self._digests[name] = digest

    def _take(self, name: str, octets: bytes, digest: bytes) -> bool:
        """Whether the file is dealt with; not where the same may work later."""
        try:
            read = read_file(
                name,
                octets,
                till=self._way.till,
                zone=ZoneInfo(self._terminal.settings.zone),
                patterns=self._patterns(),
                own_names=own_names(self._terminal),
            )
        except InvalidError as error:
            self._memory.keep(digest, error.code)
            self._tell_bad(name, error.code)
            return True
        if not read.sales:
            self._tell(name, read, Came(outcome=Outcome.NO_SALE, why=read.job.why if read.job else ""))
        for number, sale in enumerate(read.sales):
            came = take(self._terminal, sale, dry_run=self._way.dry_run)
            self._tell(name, read, came, number)
            if came.again:
                return False
        self._memory.keep(digest, "")
        return True

    def _finish(self, name: str, look: _Look) -> None:
        self._seen.pop(name, None)
        self._done[name] = look

    def _forget_all_but(self, files: Mapping[str, _Look]) -> None:
        for known in (self._seen, self._done, self._digests, self._unread):
            for name in known.keys() - files.keys():
                del known[name]

    def _tell(self, name: str, read: Read, came: Came, number: int = 0) -> None:
        sale = read.sales[number] if read.sales else None
        self._show(
            Sighting(
                at=self._terminal.clock.now(),
                outcome=came.outcome,
                kind=read.job.kind.value if read.job else "",
                order=sale.order if sale else "",
                amount=amount_of(sale) if sale else "",
                why=came.why,
                lines=shown_lines((name, *read.lines)),
            )
        )

    def _tell_bad(self, name: str, code: str) -> None:
        at = self._terminal.clock.now()
        self._show(Sighting(at=at, outcome=Outcome.REFUSED, why=code, lines=(name,)))
