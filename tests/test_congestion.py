from __future__ import annotations

import pytest

from smppgw import congestion
from smppgw.pdu._generated import DataSm, SmeAddress, SubmitMulti
from smppgw.pdu.constants import CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.settings import GatewaySettings
from smppgw.store.memory import MemoryStore
from smppgw.telling import envelope_of
from tests.desk import MAX_OCTETS, Desk, registered
from tests.peers import client, submit_sm
from tests.support import Tap, a_carrier, an_esme, bodies, running, settings_of


@pytest.mark.parametrize(
    ("queued", "waiting", "octets", "state"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, 10),
        (8, 30, 0, 80),
        (0, 15, 0, 75),
        (1, 1, 500_000, 50),
        (10, 0, 0, 99),
        (0, 0, 2_000_000, 99),
    ],
)
def test_the_fullest_of_what_an_esme_may_fill_is_told_in_percent(
    queued: int, waiting: int, octets: int, state: int
) -> None:
    esme = an_esme(max_queued=10, max_waiting=20 if waiting < 20 else 100)

    class Store(MemoryStore):
        def queued(self, esme: str) -> int:
            return queued

        @property
        def octets(self) -> int:
            return octets

    store = Store(MAX_OCTETS, envelope_of=envelope_of)
    store.waiting_deliveries = lambda _: waiting
    assert congestion.state_of(esme, store, MAX_OCTETS) == state


def test_it_is_one_octet_in_its_tlv() -> None:
    assert congestion.state_tlv(42)[1] == bytes.fromhex("0428 0001 2a")


@pytest.mark.parametrize("version", [0x33, 0x34])
def test_a_peer_of_an_earlier_version_is_told_nothing(version: int) -> None:
    desk = Desk(version=version)
    desk.ask(submit_sm(source_addr=b"12065550100"))
    assert len(desk.octets[0]) == (25 if version == 0x33 else 33)


def test_a_batch_is_told_what_was_there_before_it() -> None:
    desk = Desk(registered(an_esme(max_queued=10)), version=0x50)
    states = []
    for _ in range(3):
        answers = desk.ask(*(submit_sm(source_addr=b"12065550100") for _ in range(4)))
        states.append([each.tlvs[0][1] if each.tlvs else each.command_status for each in answers])
    full = CommandStatus.ESME_RMSGQFUL
    assert states == [[b"\x00"] * 4, [b"\x28"] * 4, [b"\x50"] * 2 + [full] * 2]


async def test_on_the_wire_a_5_0_peer_reads_it_in_each_response_and_an_earlier_one_does_not() -> None:
    settings = settings_of(
        an_esme(max_queued=10), carriers=(a_carrier(1),), gateway=GatewaySettings(drain_timeout=0.1)
    )
    async with running(settings, bound=False) as gateway, Tap(gateway.server.port) as wire:
        async with client(wire.port, interface_version=0x50) as esme:
            for number in range(3):
                await esme.request(submit_sm(number))
            multi = SubmitMulti(dest_address=[SmeAddress(1, 1, b"1666")], short_message=b"x")
            assert (await esme.request(multi)).tlvs == (make_tlv(TlvTag.CONGESTION_STATE, 30),)
            data = DataSm(destination_addr=b"1666")
            assert (await esme.request(data)).tlvs == (make_tlv(TlvTag.CONGESTION_STATE, 40),)
        async with client(wire.port, interface_version=0x34) as esme:
            await esme.request(submit_sm(4))
        tails = [body[17:] for body in bodies(wire.back, CommandId.SUBMIT_SM_RESP)]
        assert tails == [bytes.fromhex(tail) for tail in ("0428 0001 00", "0428 0001 0a", "0428 0001 14", "")]
