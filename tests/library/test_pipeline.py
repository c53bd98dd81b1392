from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from smppgw import LATER, BoundEsme, CommandStatus, ConnectionFailed, Esme, Smsc, SubmitSm, Unanswered
from smppgw.pdu.errors import EncodeError


def an_esme(port: int, **settings: Any) -> Esme:
    """One that comes back to its SMSC quickly."""
    quick = {"reconnect_min": 0.01, "reconnect_max": 0.05, "bind_timeout": 5.0}
    return Esme(port=port, **{"system_id": "app", "window": 10, **quick, **settings})


def numbered(count: int) -> list[SubmitSm]:
    return [SubmitSm(short_message=b"%d" % n) for n in range(count)]


def echo(esme: BoundEsme, pdu: SubmitSm) -> str:
    """An id that tells which message it is."""
    return f"id-{pdu.short_message.decode()}"


async def test_every_message_has_one_result_in_the_order_of_the_answers() -> None:
    messages = numbered(250)
    async with Smsc(port=0, on_submit=echo) as smsc, an_esme(smsc.port) as esme:
        results = [result async for result in esme.submit_many(messages)]
    assert [result.message for result in results] == messages
    assert [result.message_id for result in results] == [f"id-{n}" for n in range(250)]
    assert all(result.ok for result in results)


async def test_answers_out_of_order_come_as_they_are_answered() -> None:
    waiting: list[tuple[BoundEsme, SubmitSm]] = []

    def answer_backwards(esme: BoundEsme, pdu: SubmitSm) -> Any:
        waiting.append((esme, pdu))
        if len(waiting) == 10:
            while waiting:
                there, held = waiting.pop()
                there.answer(held, echo(there, held))
        return LATER

    async with Smsc(port=0, on_submit=answer_backwards) as smsc, an_esme(smsc.port) as esme:
        results = [result async for result in esme.submit_many(numbered(10))]
    assert [result.message_id for result in results] == [f"id-{n}" for n in reversed(range(10))]
    assert all(result.message_id == f"id-{result.message.short_message.decode()}" for result in results)


async def test_never_more_than_the_window_is_taken_from_the_source_ahead_of_the_answers() -> None:
    taken = answered = 0

    def source() -> Iterator[SubmitSm]:
        nonlocal taken
        while True:
            taken += 1
            assert taken - answered <= 10
            yield SubmitSm()

    def count(esme: BoundEsme, pdu: SubmitSm) -> str:
        nonlocal answered
        answered += 1
        return "1"

    async with Smsc(port=0, on_submit=count) as smsc, an_esme(smsc.port) as esme:
        results = esme.submit_many(source())
        for _ in range(100):
            await anext(results)
        await results.aclose()
    assert taken <= 110


async def test_a_source_may_be_waited_for_and_results_come_meanwhile() -> None:
    queue: asyncio.Queue[SubmitSm | None] = asyncio.Queue()

    async def source() -> AsyncIterator[SubmitSm]:
        while (message := await queue.get()) is not None:
            yield message

    async with Smsc(port=0, on_submit=echo) as smsc, an_esme(smsc.port) as esme:
        results = esme.submit_many(source())
        for n in range(30):
            queue.put_nowait(SubmitSm(short_message=b"%d" % n))
            assert (await anext(results)).message_id == f"id-{n}"
        for message in numbered(50):
            queue.put_nowait(message)
        queue.put_nowait(None)
        assert [result.message_id async for result in results] == [f"id-{n}" for n in range(50)]


async def test_texts_are_composed_and_a_long_one_is_one_result() -> None:
    ids = iter(range(1000))
    texts = [("12345", "+12065550199", "short"), ("12345", "+12065550199", "x" * 1000)]
    async with (
        Smsc(port=0, on_submit=lambda *_: f"{next(ids)}") as smsc,
        an_esme(smsc.port, window=3) as esme,
    ):
        results = [result async for result in esme.submit_many(texts, receipt=False)]
    assert [result.message for result in results] == texts
    assert [result.message_ids for result in results] == [("0",), tuple(f"{n}" for n in range(1, 8))]


async def test_a_long_text_of_which_a_part_is_refused_is_not_well() -> None:
    answers: Iterator[str | int] = iter(["a", CommandStatus.ESME_RTHROTTLED, "c"])
    async with Smsc(port=0, on_submit=lambda *_: next(answers)) as smsc, an_esme(smsc.port) as esme:
        (result,) = [result async for result in esme.submit_many([("1", "2", "x" * 400)])]
    assert (result.command_status, result.message_ids) == (CommandStatus.ESME_RTHROTTLED, ("a", "c"))


async def test_refusals_are_results() -> None:
    def every_third(esme: BoundEsme, pdu: SubmitSm) -> str | int:
        return CommandStatus.ESME_RTHROTTLED if int(pdu.short_message) % 3 == 0 else "1"

    async with Smsc(port=0, on_submit=every_third) as smsc, an_esme(smsc.port) as esme:
        statuses = Counter([result.command_status async for result in esme.submit_many(numbered(90))])
    assert statuses == {0: 60, CommandStatus.ESME_RTHROTTLED: 30}


async def test_a_message_that_cannot_be_encoded_is_a_result_and_the_others_go_on() -> None:
    messages = [SubmitSm(), SubmitSm(source_addr=b"x" * 30), SubmitSm()]
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        results = {id(result.message): result async for result in esme.submit_many(messages)}
    well, broken, also_well = (results[id(message)] for message in messages)
    assert well.ok
    assert also_well.ok
    assert broken.command_status is None
    assert isinstance(broken.error, EncodeError)


async def test_an_empty_source_has_no_results() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        assert [result async for result in esme.submit_many([])] == []


async def test_what_the_source_raises_comes_behind_the_results() -> None:
    def source() -> Iterator[SubmitSm]:
        yield from numbered(15)
        raise LookupError("no more")

    async def waited_for() -> AsyncIterator[SubmitSm]:
        for message in source():
            yield message

    async with Smsc(port=0, on_submit=echo) as smsc, an_esme(smsc.port) as esme:
        for messages in (source(), waited_for()):
            results = esme.submit_many(messages)
            ids = [(await anext(results)).message_id for _ in range(15)]
            assert ids == [f"id-{n}" for n in range(15)]
            with pytest.raises(LookupError):
                await anext(results)


async def test_a_lost_bind_is_results_without_an_answer_and_the_rest_goes_over_the_next_one() -> None:
    got: list[bytes] = []

    def drop_once(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(pdu.short_message)
        if len(got) == 25:
            esme.drop()
            return LATER
        return "1"

    async with Smsc(port=0, on_submit=drop_once) as smsc, an_esme(smsc.port) as esme:
        results = [result async for result in esme.submit_many(numbered(60))]
    assert {result.message.short_message for result in results} == {b"%d" % n for n in range(60)}
    unanswered = [result for result in results if result.command_status is None]
    assert 1 <= len(unanswered) <= 10
    assert all(isinstance(result.error, Unanswered) for result in unanswered)


async def test_without_a_bind_in_time_it_ends_and_says_so() -> None:
    async with (
        Smsc(port=0) as smsc,
        an_esme(smsc.port, bind_timeout=0.05, reconnect_min=60, reconnect_max=60) as esme,
    ):
        results = esme.submit_many(numbered(1000))
        await anext(results)
        smsc.bound[0].drop()
        with pytest.raises(ConnectionFailed):
            [result async for result in results]


async def test_two_at_once_and_single_requests_share_the_window() -> None:
    async with Smsc(port=0, on_submit=echo) as smsc, an_esme(smsc.port, window=3) as esme:

        async def ids(count: int) -> list[str]:
            return [result.message_id async for result in esme.submit_many(numbered(count))]

        singles = asyncio.gather(*(esme.request(message) for message in numbered(40)))
        first, second, responses = await asyncio.gather(ids(70), ids(90), singles)
    assert first == [f"id-{n}" for n in range(70)]
    assert second == [f"id-{n}" for n in range(90)]
    assert [response.message_id for response in responses] == [b"id-%d" % n for n in range(40)]


async def test_a_source_that_is_waited_for_is_left_alone_once_nobody_asks() -> None:
    async def endless() -> AsyncIterator[SubmitSm]:
        while True:
            yield SubmitSm()

    got: list[SubmitSm] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return "1"

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port) as esme:
        results = esme.submit_many(endless())
        await anext(results)
        await results.aclose()
        sent = len(got)
        await esme.request(SubmitSm())
    assert len(got) <= sent + 10 + 1
