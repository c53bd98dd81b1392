from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from smppgw.store.entries import Lane
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.page_codec import messages_of
from smppgw.store.shelf import Shelf
from smppgw.store.startup import LEDGER
from tests.store.lanes import queue_in, take_from
from tests.store.restarts import accept_each, first_run, shrink, take_checkpoint
from tests.store.test_contract import Told, fail
from tests.support import until


async def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        answers: list[int] = []
        told = Told()
        for number in range(20):
            store._shelf.ask(lambda reader, number=number: number, answers.append)  # type: ignore[misc]
        store._shelf.ask(lambda reader: 20, told)
        assert answers == []
        await told.told()
        assert answers == list(range(20))


async def test_pages_are_read_in_the_order_asked_from_memory_and_from_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 80))
        await take_checkpoint(store)
        await accept_each(store, range(80, 120))
        pages = list(queue_in(store, "lane").pages)
        assert {page.chunks is None for page in pages} == {True, False}
        told = Told()
        store._shelf.read(pages[::-1], told)
        await told.told()
        firsts = [messages_of(chunks, Lane, 0)[0].key for chunks in told.answers[0]]
        assert firsts == [page.first_key for page in pages[::-1]]


async def test_a_damaged_page_is_a_failure_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    failures: list[BaseException] = []
    async with first_run(tmp_path / "data", on_failed=failures.append) as store:
        await accept_each(store, range(1, 101))
        await take_checkpoint(store)
        connection = sqlite3.connect(tmp_path / "data" / LEDGER)
        with connection:
            connection.execute("UPDATE page_body SET body = CAST(body || x'00' AS BLOB)")
        connection.close()
        take_from(store, "lane", 99)
        await until(lambda: failures)
        assert not store.healthy
        assert "a page of it is not as it was written; restore the directory" in str(failures[0])


async def test_a_page_that_died_before_it_was_read_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await take_checkpoint(store)
        page = queue_in(store, "lane").pages[0]
        keys = range(page.first_key, page.last_key + 1)
        picked = Told()
        store.pick(keys, picked)
        await picked.told()
        await fail(store, *picked.answers[0])
        await take_checkpoint(store)
        told = Told()
        store._shelf.read([page], told)
        await told.told()
        assert told.answers == [[[]]]


async def test_nothing_is_answered_after_the_end(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data"):
        pass
    answers: list[object] = []
    shelf = Shelf(LedgerReader(tmp_path / "data" / LEDGER), answers.append)
    shelf.ask(lambda reader: reader.sent_counts(), answers.append)
    await shelf.close()
    shelf.ask(lambda reader: reader.sent_counts(), answers.append)
    told = Told()
    asyncio.get_running_loop().call_soon(told)
    await told.told()
    assert answers == []


async def test_an_error_of_a_question_is_a_failure_of_the_store(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    async with first_run(tmp_path / "data", on_failed=failures.append) as store:
        store._shelf.ask(lambda reader: reader.pages([99]), lambda bodies: None)
        await until(lambda: failures)
        assert "page 99 of the ledger is not there" in str(failures[0])
