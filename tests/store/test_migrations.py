from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import peewee
import pytest

import merchant_agent.central.store
import merchant_agent.central.store.models
import merchant_agent.terminal.store
import merchant_agent.terminal.store.models
from merchant_agent.errors import StartError, StoreError
from merchant_agent.store.backup import newest_backup
from merchant_agent.store.database import open_postgres
from merchant_agent.store.migrations import History, _Runner, migrate, require_migrated
from merchant_agent.store.store import Store
from tests.store.shapes import lax_tables, shape_of
from tests.store.things import sqlite_store


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program's scripts and the models that they lead to."""

    migrations: Path
    models: Sequence[type[peewee.Model]]


TERMINAL = Program(
    migrations=Path(merchant_agent.terminal.store.__file__).with_name("migrations"),
    models=merchant_agent.terminal.store.models.MODELS,
)
CENTRAL = Program(
    migrations=Path(merchant_agent.central.store.__file__).with_name("migrations"),
    models=merchant_agent.central.store.models.MODELS,
)


@pytest.fixture
def empty_file(tmp_path: Path) -> Iterator[Store]:
    with sqlite_store(tmp_path / "empty.db") as store:
        yield store


@pytest.fixture
def empty_server(postgres_url: str) -> Iterator[Store]:
    store = Store(open_postgres(postgres_url))
    yield store
    store.close()


@pytest.fixture(params=[("empty_file", TERMINAL), ("empty_file", CENTRAL), ("empty_server", CENTRAL)])
def case(request: pytest.FixtureRequest) -> tuple[Store, Program]:
    store = request.getfixturevalue(request.param[0])
    assert isinstance(store, Store)
    return store, request.param[1]


def test_migrations_lead_to_the_models(case: tuple[Store, Program]) -> None:
    store, program = case
    with store.write() as writer:
        writer.create_tables(program.models)
    expected = shape_of(store)
    assert {row[0] for row in expected["columns"]} == {model._meta.table_name for model in program.models}
    with store.write() as writer:
        writer.drop_tables(program.models)
    assert migrate(store, program.migrations)
    found = shape_of(store)
    # Defaults are peewee's own, in Python; the database knows none.
    assert found == expected


def test_every_migration_can_be_taken_back(case: tuple[Store, Program]) -> None:
    store, program = case
    shapes = [shape_of(store)]
    names: list[str] = []
    with store.database.alone() as handle:
        runner = _Runner(handle, program.migrations)
        names = [migration.name for migration in runner.migrations()]
    for name in names:
        with store.database.alone() as handle:
            _Runner(handle, program.migrations).up(name)
        shapes.append(shape_of(store))
    for name in reversed(names):
        assert shape_of(store) == shapes.pop()
        with store.database.alone() as handle:
            _Runner(handle, program.migrations).down(name)
    assert shape_of(store) == shapes.pop()
    assert migrate(store, program.migrations) == names


@pytest.mark.parametrize("program", [TERMINAL, CENTRAL])
def test_every_table_is_strict_after_every_migration(empty_file: Store, program: Program) -> None:
    for path in sorted(program.migrations.glob("[0-9]*.py")):
        with empty_file.database.alone() as handle:
            _Runner(handle, program.migrations).up(path.stem)
        assert lax_tables(empty_file) == []


def test_a_second_start_migrates_nothing(case: tuple[Store, Program]) -> None:
    store, program = case
    migrate(store, program.migrations)
    assert migrate(store, program.migrations) == []
    require_migrated(store, program.migrations)


def test_data_of_a_newer_version_are_refused_and_untouched(case: tuple[Store, Program]) -> None:
    store, program = case
    migrate(store, program.migrations)
    with store.write() as writer:
        writer.execute(History.insert(name="9999_from_the_future"))
    before = shape_of(store)
    with pytest.raises(StartError):
        migrate(store, program.migrations)
    with pytest.raises(StartError):
        require_migrated(store, program.migrations)
    assert shape_of(store) == before


def test_data_of_an_older_version_must_be_migrated_first(case: tuple[Store, Program]) -> None:
    store, program = case
    with pytest.raises(StartError):
        require_migrated(store, program.migrations)


_HEAD = "import peewee\nfrom merchant_agent.store.migrations import create_tables, drop_tables\n"
_MAKE = (
    _HEAD
    + """
class Shop(peewee.Model):
    name = peewee.TextField(primary_key=True)

def up(migrator, db):
    create_tables(db, (Shop,))

def down(migrator, db):
    drop_tables(db, (Shop,))
"""
)
_FILL = _HEAD + "def up(migrator, db):\n    db.execute_sql(\"INSERT INTO shop (name) VALUES ('one')\")\n"  # noqa: S608
_FAIL = _FILL.replace("'one'", "'two'") + "    db.execute_sql('INSERT INTO nowhere VALUES (1)')\n"  # noqa: S608

Scripts = Callable[..., Path]


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    def write(*bodies: str) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        for number, body in enumerate(bodies, 1):
            (folder / f"{number:04d}_script.py").write_text(body)
        return folder

    return write


def _shops(store: Store) -> list[str]:
    with store.read() as reader:
        return [row[0] for row in reader.all(peewee.RawQuery("SELECT name FROM shop").tuples())]


@pytest.fixture(params=["empty_file", "empty_server"])
def empty(request: pytest.FixtureRequest) -> Store:
    store = request.getfixturevalue(request.param)
    assert isinstance(store, Store)
    return store


def test_only_what_is_missing_is_applied(empty: Store, scripts: Scripts) -> None:
    assert migrate(empty, scripts(_MAKE)) == ["0001_script"]
    assert migrate(empty, scripts(_MAKE, _FILL)) == ["0002_script"]
    assert _shops(empty) == ["one"]


def test_a_script_that_fails_leaves_what_stood_before(empty: Store, scripts: Scripts) -> None:
    with pytest.raises(StoreError):
        migrate(empty, scripts(_MAKE, _FILL, _FAIL))
    assert _shops(empty) == ["one"]
    assert migrate(empty, scripts(_MAKE, _FILL, _FILL.replace("'one'", "'two'"))) == ["0003_script"]
    assert _shops(empty) == ["one", "two"]


def test_a_file_with_content_is_backed_up_first(empty_file: Store, scripts: Scripts, tmp_path: Path) -> None:
    migrate(empty_file, scripts(_MAKE))
    assert newest_backup(tmp_path / "backups", stem="empty") is None
    with pytest.raises(StoreError):
        migrate(empty_file, scripts(_MAKE, _FAIL))
    copy = newest_backup(tmp_path / "backups", stem="empty")
    assert copy is not None
    with sqlite_store(copy) as store:
        assert _shops(store) == []
        require_migrated(store, _only_first(scripts(_MAKE)))


def test_the_file_says_which_script_was_last(empty_file: Store, scripts: Scripts) -> None:
    migrate(empty_file, scripts(_MAKE, _FILL))
    assert _user_version(empty_file) == 2
    with empty_file.database.alone() as handle:
        assert isinstance(handle, peewee.SqliteDatabase)
        handle.pragma("user_version", 1)  # as after a crash between the two
    migrate(empty_file, scripts(_MAKE, _FILL))
    assert _user_version(empty_file) == 2


def _user_version(store: Store) -> object:
    with store.read() as reader:
        return reader.scalar(peewee.RawQuery("PRAGMA user_version"))


def _only_first(folder: Path) -> Path:
    (folder / "0002_script.py").unlink()
    return folder
