"""One translation of what databases raise into this package's own errors.

peewee wraps most errors of APSW and psycopg and keeps the cause as `orig`;
errors during iteration and COPY come out unwrapped. Both ways end here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import peewee

from merchant_agent.errors import (
    StoreConflictError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
)

_SQLITE: tuple[tuple[type[apsw.Error], type[StoreError]], ...] = (
    (apsw.FullError, StoreFullError),
    (apsw.CorruptError, StoreCorruptError),
    (apsw.NotADBError, StoreCorruptError),
    (apsw.BusyError, StoreLockedError),
    (apsw.LockedError, StoreLockedError),
    (apsw.ConstraintError, StoreConflictError),
)

# A full disk shows in the shared-memory file as an input/output error.
_SQLITE_EXTENDED: dict[int, type[StoreError]] = {
    apsw.SQLITE_IOERR_SHMSIZE: StoreFullError,
    apsw.SQLITE_IOERR_CORRUPTFS: StoreCorruptError,
}

# Source: PostgreSQL 15, appendix A, error codes; prefixes of SQLSTATE.
_SQLSTATE: tuple[tuple[str, type[StoreError]], ...] = (
    ("23", StoreConflictError),
    ("53100", StoreFullError),
    ("XX001", StoreCorruptError),
    ("XX002", StoreCorruptError),
    ("55P03", StoreLockedError),
    ("40001", StoreLockedError),
    ("40P01", StoreLockedError),
)


def _driver_errors() -> tuple[type[Exception], ...]:
    """The base classes that drivers raise; psycopg is absent on terminals."""
    known: tuple[type[Exception], ...] = (peewee.PeeweeException, apsw.Error)
    try:
        import psycopg  # noqa: PLC0415  # only where it is installed
    except ImportError:
        return known
    return (*known, psycopg.Error)


_DRIVER_ERRORS = _driver_errors()


@contextmanager
def translated() -> Iterator[None]:
    """Raises a `StoreError` for each error of a database driver; others pass.

    Raises:
        StoreError: or the subclass that fits; the cause is chained.
    """
    try:
        yield
    except _DRIVER_ERRORS as error:
        raise store_error(error) from error


def store_error(error: BaseException) -> StoreError:
    """The `StoreError` that says what `error` means for the caller."""
    cause = _cause(error)
    return _class_of(cause)(f"{type(cause).__name__}: {cause}")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error inside peewee's."""
    while isinstance(error, peewee.PeeweeException):
        inner = getattr(error, "orig", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def _class_of(cause: BaseException) -> type[StoreError]:
    if isinstance(cause, apsw.Error):
        extended = _SQLITE_EXTENDED.get(getattr(cause, "extendedresult", 0))
        if extended is not None:
            return extended
        return next((ours for theirs, ours in _SQLITE if isinstance(cause, theirs)), StoreError)
    if isinstance(cause, peewee.IntegrityError):
        return StoreConflictError
    state = getattr(cause, "sqlstate", None) or ""
    return next((ours for prefix, ours in _SQLSTATE if state.startswith(prefix)), StoreError)
