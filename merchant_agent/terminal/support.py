"""A support bundle: what somebody who helps a shop needs to see, and nothing that they must not.

No key, no token, no database, no word of a customer's: the log never has any, and the doctor counts.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
import zipfile
from pathlib import Path

import apsw

from merchant_agent import __version__
from merchant_agent.errors import StartError
from merchant_agent.settings import Loaded, TerminalSettings, documented, shown
from merchant_agent.terminal.doctor import examine


def write_bundle(loaded: Loaded[TerminalSettings], out: Path) -> tuple[str, ...]:
    """Writes the ZIP file `out` (mode 0600), which must not be there; the names of what is in it.

    Raises:
        StartError: it is there, or cannot be written.
    """
    parts = {
        "doctor.json": examine(loaded.settings).as_json(),
        "settings.json": _settings(loaded),
        "versions.json": _versions(),
    }
    logs = sorted((loaded.settings.data / "log").glob("terminal.log*"))
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in parts.items():
                bundle.writestr(name, text + "\n")
            for log in logs:
                bundle.write(log, f"log/{log.name}")
    except OSError as error:
        raise StartError(f"{out} cannot be written: {error.strerror or error}.") from error
    return (*parts, *(f"log/{log.name}" for log in logs))


def _settings(loaded: Loaded[TerminalSettings]) -> str:
    """Each setting that has a value of its own; passwords inside addresses are masked."""
    names = [name for name, _, _ in documented(TerminalSettings)]
    told = {
        name: {"value": shown(loaded.settings, name), "origin": Path(loaded.origins[name]).name}
        for name in names
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _versions() -> str:
    packages = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    told = {
        "merchant_agent": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "sqlite": apsw.sqlite_lib_version(),
        "packages": dict(sorted(packages.items())),
    }
    return json.dumps(told, indent=1)
