"""Long messages of handsets across a kill -9: whole at the ESME when their other parts come, and never lost."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import pytest

from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.constants import EsmClass, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.pdu.udh import build_concat
from tests.crash.outstanding import STORE, Outstanding, outstanding
from tests.event_loop import run_test

COUNT: Final = 200
"""Long messages, unless `--receipts` says otherwise."""
MOST_PARTS: Final = 5
PART_OCTETS: Final = 100
HELD: Final = "[inbound]\nmax_held = 1000000"
HELD_SHORTLY: Final = "[inbound]\nhold_parts = 1.0\nmax_held = 1000000"


@pytest.fixture
def count(receipts: int | None) -> int:
    """How many long messages there are."""
    return receipts or COUNT


def parts_of(number: int) -> list[DeliverSm]:
    """The parts of a long message, 2 to `MOST_PARTS`: by one of the three ways to tell their places."""
    total = 2 + number % (MOST_PARTS - 1)
    text = text_of(number)
    parts = []
    for place in range(1, total + 1):
        own = text[(place - 1) * PART_OCTETS : place * PART_OCTETS]
        if number % 3 == 2:
            sar = (
                make_tlv(TlvTag.SAR_MSG_REF_NUM, number % 0x10000),
                make_tlv(TlvTag.SAR_TOTAL_SEGMENTS, total),
                make_tlv(TlvTag.SAR_SEGMENT_SEQNUM, place),
            )
            parts.append(_from(number, own, tlvs=sar))
        else:
            header = build_concat(number % 0x100, total, place, reference_bits=16 if number % 3 else 8)
            parts.append(_from(number, header + own, esm_class=EsmClass.UDHI))
    return parts


def text_of(number: int) -> bytes:
    """The whole text."""
    word = b"long message %d; " % number
    octets = (2 + number % (MOST_PARTS - 1)) * PART_OCTETS - number % 50
    return (word * (octets // len(word) + 1))[:octets]


def _from(number: int, text: bytes, **fields: object) -> DeliverSm:
    return DeliverSm(
        source_addr=b"1777%09d" % number,
        destination_addr=b"12065550100",
        short_message=text,
        **fields,  # type: ignore[arg-type]
    )


def halved(messages: Sequence[list[DeliverSm]], rng: Random) -> tuple[list[DeliverSm], list[DeliverSm]]:
    """Return the parts that come before, of each message some and not all, and those that come after; shuffled."""
    before, after = [], []
    for parts in messages:
        rng.shuffle(parts)
        cut = rng.randrange(1, len(parts))
        before += parts[:cut]
        after += parts[cut:]
    rng.shuffle(before)
    rng.shuffle(after)
    return before, after


async def kept(gateways: Outstanding, number: int) -> None:
    """Wait until so many parts have been answered in all."""
    left = number - gateways.book.counted("kept")
    if left:
        await gateways.until("kept", left, seconds=gateways.seconds)


async def come(gateways: Outstanding, number: int) -> None:
    """Wait until the ESME has so many messages of handsets, and nothing more is on its way."""
    left = number - len(gateways.esme.messages)
    if left > 0:
        await gateways.until("replied", left, seconds=gateways.seconds)
    await gateways.while_any(lambda esme, _: (esme["waiting_deliveries"], esme["unanswered_deliveries"]))
    assert not gateways.book.oddities, gateways.told(str(gateways.book.oddities[:5]))


async def killed(gateways: Outstanding) -> None:
    """Wait for the end that was asked for, and start the next one."""
    await gateways.ended(-signal.SIGKILL)
    await gateways.start()


def test_long_messages_are_whole_when_it_is_killed_between_their_parts(
    tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed, tables=f"{HELD}\n{STORE}") as gateways:
            before, after = halved([parts_of(number) for number in range(count)], gateways.rng)
            gateways.count = len(before) + len(after)
            await gateways.start()
            gateways.kill_when("kept", gateways.rng.randrange(1, len(before)))
            gateways.carrier.bring(before)
            await killed(gateways)
            await kept(gateways, len(before))  # with those that were not answered before
            gateways.kill()
            await killed(gateways)
            assert not gateways.esme.messages
            gateways.carrier.bring(after)
            await kept(gateways, len(before) + len(after))
            await come(gateways, count)
            texts = Counter(tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD) for pdu in gateways.esme.messages)
            assert texts == Counter(text_of(number) for number in range(count))
            assert (await gateways.metrics())["smppgw_mo_joined_total"] == count
            await gateways.stop()

    run_test(test(), seconds=60 + count / 20)


def test_parts_that_wait_for_others_in_vain_are_passed_on_in_the_next_life(
    tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed, tables=f"{HELD}\n{STORE}") as gateways:
            parts, _ = halved([parts_of(number) for number in range(count)], gateways.rng)
            gateways.count = len(parts)
            gateways.esme.leave()
            await gateways.start()
            gateways.carrier.bring(parts)
            await kept(gateways, len(parts))
            gateways.kill()
            gateways.more = f"{HELD_SHORTLY}\n{STORE}"
            await killed(gateways)
            gateways.esme.come_back()
            await come(gateways, len(parts))
            assert Counter(map(_said, gateways.esme.messages)) == Counter(map(_said, parts))
            assert (await gateways.metrics())["smppgw_mo_incomplete_total"] == len(parts)
            await gateways.stop()

    run_test(test(), seconds=60 + count / 20)


def _said(pdu: DeliverSm) -> tuple[bytes, int, bytes, object]:
    return pdu.source_addr, pdu.esm_class, pdu.short_message, pdu.tlvs
