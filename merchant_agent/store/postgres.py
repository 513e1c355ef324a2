"""PostgreSQL through psycopg 3: a pool of connections, plain transactions.

There is no process lock: several processes write, and callers lock the rows they mean.
A connection goes back to peewee's pool after each use, which rolls back what is still
open there. One that was lost while it lay there is passed over when the next transaction begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from merchant_agent.errors import StartError, StoreError, StoreLockedError
from merchant_agent.store.rows import Rows
from merchant_agent.store.translate import translated

_MAX_CONNECTIONS = 20
_POOL_TIMEOUT_S = 10
_CONNECT_TIMEOUT_S = 10
_SERVER_OPTIONS = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
_FETCH_ROWS = 1000
_FEW_ROWS = 8

# Held while migrating, so that of several processes that start at once one does it.
_MIGRATION_LOCK = 0x6D61_6D69

# Source: peewee's field types; binary COPY takes each value in its column's exact type.
_COPY_TYPES = {
    "AUTO": "int4",
    "BIGAUTO": "int8",
    "BIGINT": "int8",
    "BLOB": "bytea",
    "BOOL": "bool",
    "DOUBLE": "float8",
    "FLOAT": "float4",
    "INT": "int4",
    "SMALLINT": "int2",
    "TEXT": "text",
}

_cursor_numbers = itertools.count()


class PostgresServer(PooledPostgresqlDatabase):  # type: ignore[misc]  # peewee's extensions have no types
    """One database on a server; see the module."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=_POOL_TIMEOUT_S,
            prefer_psycopg3=True,
            autoconnect=False,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name="merchant-agent",
            options=_SERVER_OPTIONS,
        )

    @contextmanager
    def reading(self) -> Iterator[peewee.Database]:
        """A connection that sees one snapshot."""
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield self

    @contextmanager
    def writing(self) -> Iterator[peewee.Database]:
        """One transaction; committed after it, rolled back on any error."""
        with self._transaction("BEGIN"):
            yield self
            self.connection().execute("COMMIT")

    def rows(
        self, database: peewee.Database, text: str, parameters: tuple[object, ...]
    ) -> list[tuple[Any, ...]]:
        """Every row of a written statement."""
        rows: list[tuple[Any, ...]] = database.connection().execute(_marked(text), parameters).fetchall()
        return rows

    def iterate(self, database: peewee.Database, query: peewee.BaseQuery) -> Iterator[Any]:
        """Rows through a cursor on the server, a thousand at a time."""
        sql, parameters = database.get_sql_context().sql(query).query()
        name = f"rows_{next(_cursor_numbers)}"
        with self.connection().cursor(name=name) as cursor:
            cursor.itersize = _FETCH_ROWS
            cursor.execute(sql, parameters)
            wrap = query._get_cursor_wrapper  # type: ignore[attr-defined]  # noqa: SLF001  # peewee's way to rows
            yield from wrap(cursor).iterator()

    def copy_rows(
        self, model: type[peewee.Model], columns: tuple[str, ...], rows: Iterable[Sequence[object]]
    ) -> None:
        """One binary COPY.

        Source: PostgreSQL 15, COPY, binary format.
        """
        statement, types = _copy_statement(model, columns)
        with self.connection().cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def copy_tables(self, tables: Sequence[Rows]) -> None:
        """`copy_rows` for each; a few rows in all go in one statement and one round trip."""
        rows = [(table.model, table.columns, row) for table in tables for row in table.rows]
        if not rows:
            return
        if len(rows) > _FEW_ROWS:
            for table in tables:
                if table.rows:
                    self.copy_rows(table.model, table.columns, table.rows)
            return
        statement = _insert_statement(tuple((model, columns) for model, columns, _ in rows))
        values = [value for *_, row in rows for value in row]
        with self.connection().cursor() as cursor:
            cursor.execute(statement, values)

    def try_lock(self, number: int) -> bool:
        """Whether the present transaction has, or now gets, the advisory lock of that number."""
        row = self.connection().execute("SELECT pg_try_advisory_xact_lock(%s)", (number,)).fetchone()
        return bool(row[0])

    @contextmanager
    def alone(self) -> Iterator[peewee.Database]:
        """A connection without a transaction, while no other process migrates."""
        with self._connected(), translated():
            self.connection().execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
            try:
                yield self
            finally:
                self.connection().execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._connected(), translated():
            self._begin(begin)
            yield

    def _begin(self, statement: str) -> None:
        """Begins on the first connection of the pool that was not lost while it lay there.

        So the pool need not ask the server about a connection each time that it hands it out.
        """
        for _ in range(_MAX_CONNECTIONS):
            try:
                with translated():
                    self.connection().execute(statement)
            except StoreError:
                if not self.connection().broken:
                    raise
                self.close()
                self.connect()
            else:
                return
        self.connection().execute(statement)

    def _is_closed(self, connection: Any) -> bool:  # noqa: ANN401 -- psycopg is not installed everywhere
        """Whether a connection is known to be lost, without a word to the server; peewee's pool asks."""
        return bool(connection.closed)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            with translated():
                self.connect()
        except MaxConnectionsExceeded as error:
            raise StoreLockedError("all connections are in use") from error
        try:
            yield
        finally:
            self.close()


def open_postgres(url: str) -> PostgresServer:
    """The database that `url` (postgresql://...) names; tried once.

    Raises:
        StartError: psycopg is not installed, or the server does not let us in.
    """
    url = url.replace("postgres://", "postgresql://", 1)
    try:
        database = PostgresServer(url)
        with database.reading():
            pass
    except peewee.ImproperlyConfigured as error:
        raise StartError("PostgreSQL needs psycopg: install merchant_agent[central].") from error
    except StoreError as error:
        raise StartError(f"The PostgreSQL server cannot be used: {error}") from error
    return database


@cache
def _marked(text: str) -> str:
    """A written statement with psycopg's marks for parameters; it holds no other question marks."""
    return text.replace("?", "%s")


@lru_cache(maxsize=256)
def _insert_statement(targets: tuple[tuple[type[peewee.Model], tuple[str, ...]], ...]) -> str:
    """One row into each target. Names are the models' own, never anybody's input."""
    inserts = [
        f"INSERT INTO {_target(model, columns)} VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608  # as said
        for model, columns in targets
    ]
    *others, last = inserts
    named = ", ".join(f"i{number} AS ({insert})" for number, insert in enumerate(others))
    return f"WITH {named} {last}" if named else last


@cache
def _copy_statement(model: type[peewee.Model], columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The statement, and the types that its values are sent as."""
    known = model._meta.columns  # noqa: SLF001  # peewee's name for it
    types = tuple(_COPY_TYPES[known[column].field_type] for column in columns)
    return f"COPY {_target(model, columns)} FROM STDIN (FORMAT BINARY)", types


def _target(model: type[peewee.Model], columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'"{model._meta.table_name}" ({names})'  # noqa: SLF001  # peewee's name for it
