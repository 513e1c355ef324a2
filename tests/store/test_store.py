from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import peewee
import pytest

from merchant_agent.errors import StoreConflictError, StoreError
from merchant_agent.store.store import Store, Writer
from tests.store.things import Thing, add, numbers


class BlockError(Exception):
    """What a block meets that is none of the store's errors."""


def test_what_was_written_is_there_afterwards(store: Store) -> None:
    at = datetime(2026, 5, 20, 4, 0, 0, 123_000, tzinfo=UTC)
    with store.write() as writer:
        writer.execute(Thing.insert(number=1, name="一", data=b"\x00\xff", tags=["慢", 2], at=at))
    with store.read() as reader:
        thing = reader.first(Thing.select())
    assert thing is not None
    assert (thing.number, thing.name, thing.tags, thing.at) == (1, "一", ["慢", 2], at)
    assert bytes(thing.data) == b"\x00\xff"


def test_execute_counts_the_rows_it_changed(store: Store) -> None:
    with store.write() as writer:
        assert writer.execute(Thing.insert(number=1, name="a")) == 1
        add(writer, 2)
        assert writer.execute(Thing.update(data=b"")) == 2
        assert writer.execute(Thing.delete().where(Thing.number == 9)) == 0
        ignored = Thing.insert(number=1, name="a").on_conflict_ignore()
        assert writer.execute(ignored) == 0


def test_an_error_in_the_block_takes_everything_back(store: Store) -> None:
    def write() -> None:
        with store.write() as writer:
            add(writer, 1)
            raise BlockError

    with pytest.raises(BlockError):
        write()
    with store.read() as reader:
        assert numbers(reader) == []
    with store.write() as writer:
        add(writer, 2)
    with store.read() as reader:
        assert numbers(reader) == [2]


def test_a_failure_that_the_block_passed_over_is_not_committed(store: Store) -> None:
    def write() -> None:
        with store.write() as writer:
            add(writer, 1)
            with suppress(StoreConflictError):
                add(writer, 1)

    with pytest.raises(StoreConflictError):
        write()
    with store.read() as reader:
        assert numbers(reader) == []


def test_nothing_can_be_done_after_a_failure(store: Store) -> None:
    def write() -> None:
        with store.write() as writer:
            with suppress(StoreConflictError):
                writer.execute(Thing.insert(number=1, name=None))
            with pytest.raises(StoreConflictError):
                add(writer, 2)
            with pytest.raises(StoreConflictError):
                numbers(writer)

    with pytest.raises(StoreConflictError):
        write()


def test_an_invalid_statement_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as reader:
        reader.all(peewee.RawQuery("SELECT nothing FROM nowhere").tuples())


def test_a_read_sees_one_snapshot(store: Store) -> None:
    def write() -> None:
        with store.write() as writer:
            add(writer, 1)

    with store.read() as reader:
        assert numbers(reader) == []
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        assert numbers(reader) == []
    with store.read() as reader:
        assert numbers(reader) == [1]


def test_what_is_not_committed_is_seen_by_nobody_else(store: Store) -> None:
    def look() -> list[int]:
        with store.read() as reader:
            return numbers(reader)

    with ThreadPoolExecutor(1) as others, store.write() as writer:
        add(writer, 1)
        assert others.submit(look).result() == []
    assert look() == [1]


def test_a_read_inside_a_write_sees_what_was_written(store: Store) -> None:
    with store.write() as writer:
        add(writer, 1)
        with store.read() as reader:
            assert numbers(reader) == [1]


def test_a_read_inside_a_read_is_the_same_snapshot(store: Store) -> None:
    with store.read() as outer, store.read() as inner:
        assert inner is outer


def test_a_write_inside_a_read_is_refused(store: Store) -> None:
    with store.read(), pytest.raises(RuntimeError), store.write():
        pass


def test_a_write_inside_a_write_is_refused_and_harmless(store: Store) -> None:
    with store.write() as writer:
        add(writer, 1)
        with pytest.raises(RuntimeError), store.write():
            pass
        add(writer, 2)
    with store.read() as reader:
        assert numbers(reader) == [1, 2]


def test_iterating_gives_every_row_and_may_stop_early(store: Store) -> None:
    with store.write() as writer:
        writer.copy_rows(Thing, ("number", "name"), [(i, f"n{i}") for i in range(2_500)])
    query = Thing.select(Thing.number).order_by(Thing.number).tuples()
    with store.read() as reader:
        assert [row[0] for row in reader.iterate(query)] == list(range(2_500))
        rows = reader.iterate(query)
        assert next(rows) == (0,)
    with store.write() as writer:
        writer.execute(Thing.delete().where(Thing.number >= 1))
    with store.read() as reader:
        assert numbers(reader) == [0]


def test_rows_that_are_copied_are_all_there_or_none(store: Store) -> None:
    with store.write() as writer:
        add(writer, 3, "three")
    rows = [(1, "one", b"\x00", '["a"]', 1_779_249_600_123), (2, "two", None, None, None)]
    with store.write() as writer:
        writer.copy_rows(Thing, ("number", "name", "data", "tags", "at"), rows)
    with pytest.raises(StoreConflictError), store.write() as writer:
        writer.copy_rows(Thing, ("number", "name"), [(4, "four"), (5, "three")])
    with store.read() as reader:
        assert numbers(reader) == [1, 2, 3]
        one = reader.first(Thing.select().order_by(Thing.number))
    assert one is not None
    assert (one.tags, one.at) == (["a"], datetime(2026, 5, 20, 4, 0, 0, 123_000, tzinfo=UTC))


def test_no_rows_can_be_copied(store: Store) -> None:
    with store.write() as writer:
        writer.copy_rows(Thing, ("number", "name"), [])
    with store.read() as reader:
        assert reader.first(Thing.select()) is None
        assert reader.scalar(Thing.select(Thing.number)) is None


def test_tables_made_in_a_failed_transaction_are_gone(store: Store) -> None:
    class Other(Thing):
        class Meta:
            table_name = "other"

    def write() -> None:
        with store.write() as writer:
            writer.create_tables([Other])
            raise BlockError

    with pytest.raises(BlockError):
        write()
    with store.write() as writer:
        writer.create_tables([Other])
        writer.drop_tables([Other])
        writer.create_tables([Other])


def test_writers_of_many_threads_lose_nothing(store: Store) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 25):
            with store.write() as writer:
                add(writer, number)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(write, 100 * i) for i in range(8)]:
            done.result()
    with store.read() as reader:
        assert len(numbers(reader)) == 200


def test_a_writer_of_the_callers_own_class_is_used(store: Store) -> None:
    class Own(Writer):
        def mark(self) -> None:
            add(self, 7)

    with store.write_as(Own) as writer:
        writer.mark()
    with store.read() as reader:
        assert numbers(reader) == [7]


def test_a_failed_write_leaves_the_thread_free(file_store: Store) -> None:
    file_store.close()
    with pytest.raises(StoreError), file_store.write():
        pass
    with pytest.raises(StoreError), file_store.read():
        pass
    file_store.require_outside()
