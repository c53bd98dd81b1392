"""Receipts with something wrong with them: texts and whole PDUs, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from smppgw.pdu.constants import CommandId
from tests.pdu.receipt_texts import GUESSED, OF_PEOPLE, TEXTS

SAMPLES: Final = tuple(
    text.encode("latin-1")
    for text in (
        *(case.text for cases in TEXTS.values() for case in cases),
        *(case.text for case in GUESSED),
        *OF_PEOPLE,
    )
)
PIECES: Final = (
    *(b"id:", b" sub:", b" dlvrd:", b" submit date:", b" done date:", b" stat:", b" err:", b" text:"),
    *(b"submitdate:", b"Stat :", b"\0", b"\0\0", b"\xff", b"\xc4\xb0", b" ", b":", b",", b'"', b"\r\n"),
    *(b"DELIVRD", b"2", b"2026-11-22 10:00", b"261122100000004+", b"99999999999999999999"),
)
TLVS: Final = (
    b"",
    b"\x00\x1e\x00\x05abcd\x00",
    b"\x00\x1e\x00\x05abcd\x00\x04\x27\x00\x01\x02",
    b"\x04\x27\x00\x01\x03\x04\x23\x00\x03\x03\x00\x22\x00\x1e\x00\x04abcd",
    b"\x00\x00\x1e\x00\x05abcd\x00\x04\x27\x00\x01\x02",
    b"\x02\x0c\x00\x02\x00\x01\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x01",
    b"\x14\x01\x00\x03abc",
)
ESM_CLASSES: Final = (0, 4, 4, 4, 0x20, 0x44, 0x40, 0x24, 0x43, 0x08)
DATA_CODINGS: Final = (0, 0, 0, 3, 8, 8, 1, 0xF1)


def mutated_texts(rng: Random) -> Iterator[bytes]:
    """Yield texts without end, each with one to three things done to it."""
    while True:
        text = rng.choice(SAMPLES)
        for _ in range(rng.randrange(1, 4)):
            text = _mutated(text, rng)
        yield text


def mutated_pdus(rng: Random) -> Iterator[tuple[int, bytes]]:
    """Yield command_id and body of PDUs without end: most with mutated texts, some with something done to the whole."""
    for text in mutated_texts(rng):
        esm_class, data_coding, tlvs = rng.choice(ESM_CLASSES), rng.choice(DATA_CODINGS), rng.choice(TLVS)
        chance = rng.random()
        if chance < 0.2:
            text = text.decode("latin-1").encode("utf-16-be")
        elif chance < 0.25:
            text = b"\5\0\3\7\1\1" + text
        addresses = b"\0\1\0016665550100\0\1\0012065550100\0"
        if chance > 0.9:
            command_id = CommandId.DATA_SM
            body = b"%b%c\0%c%b" % (addresses, esm_class, data_coding, _payload(text) + tlvs)
        else:
            command_id = CommandId.DELIVER_SM
            if chance > 0.8 or len(text) > 254:
                tlvs += _payload(text)
                text = b""
            body = b"%b%c\0\0\0\0\0\0%c\0%c%b" % (addresses, esm_class, data_coding, len(text), text) + tlvs
        if rng.random() < 0.3:
            body = _mutated(body, rng)
        yield int(command_id), body


def _payload(text: bytes) -> bytes:
    return b"\x04\x24" + len(text).to_bytes(2, "big") + text


def _mutated(octets: bytes, rng: Random) -> bytes:
    size = len(octets)
    at = int(rng.random() * (size + 1))
    length = int(rng.random() * 12)
    match int(rng.random() * 6):
        case 0:
            return octets[:at] + octets[at + length :]
        case 1:
            return octets[:at] + octets[at : at + length] * 2 + octets[at + length :]
        case 2:
            return octets[:at] + rng.choice(PIECES) + octets[at:]
        case 3:
            return octets[:at] + rng.randbytes(1 + length // 4) + octets[at + 1 :]
        case 4:
            other = int(rng.random() * (size + 1))
            return octets[:at] + octets[other : other + length] + octets[at + length :]
        case _:
            return octets[:at] + octets[at:].swapcase()
