"""How fast one submit_sm is encoded and decoded, against smpplib in the same run.

`python -m bench.bench_codec` prints a table of ratios; BENCH_SECONDS (default 3) is what one row may take. Under
`pytest --benchmark-enable bench/bench_codec.py` the same units run one by one. Both libraries do all there is to
do: from keywords to octets, and from octets to every field. The two take turns in short rounds, and the best round of
each counts, so that a busy machine slows both down or neither.
"""

from __future__ import annotations

import os
import sys
import timeit
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pytest
import smpplib.smpp

from smppgw.pdu._generated import DeliverSm, SubmitSm, SubmitSmResp
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.framing import Frame, FrameBuffer

TEXT: Final = b"Your appointment is at 10:30 tomorrow, reply C to confirm"
FIELDS: Final[Mapping[str, Any]] = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "registered_delivery": 1,
}
BATCH: Final = 500
ROUNDS: Final = 40


class _Client:
    """What smpplib wants of its client to make a PDU."""

    sequence = 77

    def next_sequence(self) -> int:
        return self.sequence


CLIENT: Final = _Client()
OCTETS: Final = encode(
    SubmitSm(
        **FIELDS,
        source_addr=b"12065550100",
        destination_addr=b"12065550199",
        short_message=TEXT,
        sequence_number=77,
    )
)
RECEIPT: Final = encode(
    DeliverSm(
        source_addr=b"12065550199",
        destination_addr=b"12065550100",
        esm_class=4,
        short_message=b"id:5f3a sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000",
        tlvs=((0x001E, b"5f3a\0"), (0x0427, b"\2")),
    )
)
STREAM: Final = OCTETS * BATCH
CONSTRUCT: Final = next(command for command in COMMANDS if command.command_id == SubmitSm.command_id)
VALUES: Final = CONSTRUCT.parse(OCTETS)
RESPONSE: Final = encode(SubmitSmResp(message_id=b"5f3a0c11", sequence_number=77))


def encode_submit_sm() -> bytes:
    """Make a submit_sm from keywords, and its octets."""
    return encode(
        SubmitSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"12065550100",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=b"12065550199",
            registered_delivery=1,
            short_message=TEXT,
            sequence_number=77,
        )
    )


def encode_with_smpplib() -> bytes:
    """The same with smpplib."""
    pdu = smpplib.smpp.make_pdu(
        "submit_sm",
        client=CLIENT,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="12065550100",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="12065550199",
        esm_class=0,
        registered_delivery=1,
        short_message=TEXT,
    )
    octets: bytes = pdu.generate()
    return octets


def decode_submit_sm() -> object:
    """Every field of a submit_sm."""
    return decode(OCTETS)


def decode_with_smpplib() -> object:
    """The same with smpplib."""
    pdu: object = smpplib.smpp.parse_pdu(OCTETS, client=CLIENT, allow_unknown_opt_params=True)
    return pdu


def decode_receipt() -> object:
    """Every field of a deliver_sm with two TLVs."""
    return decode(RECEIPT)


def decode_receipt_with_smpplib() -> object:
    """The same with smpplib."""
    pdu: object = smpplib.smpp.parse_pdu(RECEIPT, client=CLIENT, allow_unknown_opt_params=True)
    return pdu


def decode_response() -> object:
    """A submit_sm_resp."""
    return decode(RESPONSE)


def decode_response_with_smpplib() -> object:
    """The same with smpplib."""
    pdu: object = smpplib.smpp.parse_pdu(RESPONSE, client=CLIENT, allow_unknown_opt_params=True)
    return pdu


def decode_with_construct() -> object:
    """The same as construct does it from the declaration."""
    pdu: object = CONSTRUCT.parse(OCTETS)
    return pdu


def encode_with_construct() -> bytes:
    """The same as construct does it from the declaration."""
    return CONSTRUCT.build(VALUES)


def cut_frames() -> list[Frame]:
    """Cut a read of 500 PDUs."""
    buffer = FrameBuffer(70_000)
    buffer.feed(STREAM)
    return buffer.take()


class Row(NamedTuple):
    """Two ways to do one thing; `goal` is the ratio that the fast one is to reach, 0 where none is set."""

    name: str
    ours: Callable[[], object]
    other: Callable[[], object]
    against: str
    goal: int


ROWS: Final = (
    Row("encode submit_sm", encode_submit_sm, encode_with_smpplib, "smpplib", 25),
    Row("decode submit_sm", decode_submit_sm, decode_with_smpplib, "smpplib", 20),
    Row("decode deliver_sm, 2 TLVs", decode_receipt, decode_receipt_with_smpplib, "smpplib", 0),
    Row("decode submit_sm_resp", decode_response, decode_response_with_smpplib, "smpplib", 0),
    Row("encode submit_sm", encode_submit_sm, encode_with_construct, "construct", 0),
    Row("decode submit_sm", decode_submit_sm, decode_with_construct, "construct", 0),
)


def compare(row: Row, seconds: float) -> tuple[float, float]:
    """Return the best time of each way, in seconds, from rounds in turn."""
    share = seconds / ROUNDS / 2
    best = [float("inf"), float("inf")]
    ways = (row.ours, row.other)
    calls = [max(1, int(share / (timeit.timeit(way, number=20) / 20))) for way in ways]
    for _ in range(ROUNDS):
        for number, way in enumerate(ways):
            best[number] = min(best[number], timeit.timeit(way, number=calls[number]) / calls[number])
    return best[0], best[1]


def main() -> int:
    """Print the table."""
    seconds = float(os.environ.get("BENCH_SECONDS", "3"))
    print(f"{'':28}{'smppgw':>10}{'other':>11}{'ratio':>8}{'goal':>6}")
    for row in ROWS:
        ours, other = compare(row, seconds)
        goal = f"{row.goal}x" if row.goal else ""
        line = f"{row.name:28}{ours * 1e6:7.2f} µs{other * 1e6:8.1f} µs{other / ours:7.1f}x{goal:>6}  {row.against}"
        print(line, flush=True)
    best = min(timeit.repeat(cut_frames, number=20, repeat=ROUNDS)) / 20 / BATCH
    print(f"{'cut one frame of ' + str(BATCH):28}{best * 1e6:7.2f} µs")
    return 0


@pytest.mark.parametrize("row", ROWS[:4], ids=lambda row: row.name)
@pytest.mark.parametrize("way", ["ours", "other"])
def test_one_unit(benchmark: Any, row: Row, way: str) -> None:
    """One way to do one thing, timed by pytest-benchmark."""
    benchmark.group = row.name
    benchmark(getattr(row, way))


def test_both_ways_mean_the_same_octets() -> None:
    """A comparison of two different things would say nothing."""
    assert encode_submit_sm() == encode_with_smpplib() == encode_with_construct() == OCTETS
    pdu, other = decode(OCTETS), decode_with_smpplib()
    for name, value in pdu.fields():
        theirs = getattr(other, name)
        assert value == (theirs if isinstance(theirs, int) else bytes(theirs or b"")), name


def test_cutting_frames(benchmark: Any) -> None:
    """A read of 500 PDUs, timed by pytest-benchmark."""
    assert len(benchmark(cut_frames)) == BATCH


if __name__ == "__main__":
    sys.exit(main())
