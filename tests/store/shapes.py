"""What a database looks like from outside: tables, columns, indexes; and whether all is STRICT."""

from __future__ import annotations

import peewee

from merchant_agent.store.store import Reader, Store

Shape = dict[str, set[tuple[object, ...]]]

_SQLITE_COLUMNS = """
    SELECT t.name, c.name, c.type, c."notnull", c.pk, c.dflt_value
    FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
"""
_SQLITE_INDEXES = """
    SELECT t.name, i.name, i."unique", group_concat(c.name)
    FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
    WHERE t.type = 'table' GROUP BY t.name, i.name
"""
_SQLITE_FOREIGN = """
    SELECT t.name, f."table", f."from", f."to" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
    WHERE t.type = 'table'
"""
_POSTGRES_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public'
"""
_POSTGRES_INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
_POSTGRES_FOREIGN = """
    SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""


def shape_of(store: Store) -> Shape:
    """Columns, indexes and constraints, in no order; the history of migrations left out."""
    if store.is_file:
        queries = (_SQLITE_COLUMNS, _SQLITE_INDEXES, _SQLITE_FOREIGN)
    else:
        queries = (_POSTGRES_COLUMNS, _POSTGRES_INDEXES, _POSTGRES_FOREIGN)
    names = ("columns", "indexes", "constraints")
    with store.read() as reader:
        return {name: _rows(reader, sql) for name, sql in zip(names, queries, strict=True)}


def lax_tables(store: Store) -> list[str]:
    """Tables of a SQLite file that are not STRICT."""
    sql = (
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'"
    )
    with store.read() as reader:
        return [row[0] for row in reader.all(peewee.RawQuery(sql).tuples())]


def _rows(reader: Reader, sql: str) -> set[tuple[object, ...]]:
    return {row for row in reader.all(peewee.RawQuery(sql).tuples()) if row[0] != "schema_migration"}
