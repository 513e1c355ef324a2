"""Logs: a file of limited size beside the data, warnings on standard error. Never personal data."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from merchant_agent.errors import StartError

_KEPT = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_logging(folder: Path, program: str, max_bytes: int) -> None:
    """Sends this process's log to `<folder>/log/<program>.log`, rotated at `max_bytes`.

    Raises:
        StartError: the file cannot be opened.
    """
    path = folder / "log" / f"{program}.log"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            path, maxBytes=max_bytes, backupCount=_KEPT, encoding="utf-8"
        )
    except OSError as error:
        raise StartError(f"The log {path} cannot be written: {error.strerror}.") from error
    errors = logging.StreamHandler()
    errors.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=[file, errors], force=True)
    # Both tell of every request, or of every job, at INFO.
    for name in ("waitress.queue", "apscheduler"):
        logging.getLogger(name).setLevel(logging.ERROR)
