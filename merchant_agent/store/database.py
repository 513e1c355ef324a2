"""Opening a database: a SQLite file on a terminal, either kind at central."""

from __future__ import annotations

from merchant_agent.store.postgres import PostgresServer, open_postgres
from merchant_agent.store.sqlite import SqliteFile, open_sqlite, open_sqlite_read_only

Database = SqliteFile | PostgresServer

__all__ = [
    "Database",
    "PostgresServer",
    "SqliteFile",
    "open_postgres",
    "open_sqlite",
    "open_sqlite_read_only",
]
