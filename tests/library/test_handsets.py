from __future__ import annotations

from typing import Any

from smppgw import Esme, MoMessage
from smppgw.library.handsets import mo_body
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc
from tests.support import until


def a_loopback(**settings: Any) -> LoopbackSmsc:
    return LoopbackSmsc(LoopbackSettings(port=0, **{"mo_rate": 1000, **settings}))


def an_esme(port: int, **settings: Any) -> Esme:
    return Esme(port=port, **{"system_id": "app", "reconnect_min": 0.01, **settings})


def test_a_text_that_the_default_alphabet_cannot_write_goes_as_ucs_2() -> None:
    assert mo_body("1", "2", "诊").endswith(b"\x08\0\x02\x8b\xca")


async def test_everyone_who_receives_gets_their_turn() -> None:
    async with (
        a_loopback() as smsc,
        an_esme(smsc.port) as one,
        an_esme(smsc.port, bind="rx", system_id="other") as other,
        an_esme(smsc.port, bind="tx"),
    ):
        for _ in range(20):
            assert isinstance(await anext(one), MoMessage)
            assert isinstance(await anext(other), MoMessage)


async def test_without_anyone_who_receives_handsets_wait() -> None:
    async with a_loopback(mo_count=3) as smsc:
        async with an_esme(smsc.port, bind="tx") as esme:
            await esme.submit("1", "2", "Hi", receipt=False)
            assert smsc.summary()["mo_sent"] == 0
        async with an_esme(smsc.port) as esme:
            for _ in range(3):
                await anext(esme)
            await until(lambda: smsc.summary()["mo_answered"] == 3)
    assert smsc.summary()["mo_sent"] == 3


async def test_no_more_are_on_their_way_than_the_window_takes() -> None:
    async with a_loopback(window=5) as smsc, an_esme(smsc.port) as esme:
        await until(lambda: smsc.summary()["mo_sent"] == 5)
        await esme.submit("1", "2", "Hi", receipt=False)
        assert smsc.summary()["mo_sent"] == 5
        for _ in range(30):
            await anext(esme)


async def test_what_had_no_answer_when_a_bind_was_lost_comes_again() -> None:
    async with a_loopback(mo_count=5) as smsc, an_esme(smsc.port) as esme:
        await until(lambda: smsc.summary()["mo_sent"] == 5)
        there = smsc.bound[0]
        there.drop()
        await until(lambda: smsc.bound and smsc.bound[0] is not there)
        for _ in range(5):
            await anext(esme)
        await until(lambda: smsc.summary()["mo_answered"] == 5)
    assert smsc.summary()["mo_sent"] == 5
