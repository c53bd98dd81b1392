"""Any octets give frames or a CommandLengthError, never another exception, never more memory than was fed.

However the octets arrive, the same frames come out: whole, one by one, or with more behind them.
"""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.errors import CommandLengthError
from smppgw.pdu.framing import Frame, FrameBuffer

LIMIT = 1024


def frame(sequence_number: int = 1, body: bytes = b"", command_id: int = 0x15, status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, status, sequence_number) + body


def whole(octets: bytes) -> list[bytes]:
    return [octets]


def one_by_one(octets: bytes) -> list[bytes]:
    return [octets[at : at + 1] for at in range(len(octets))]


def with_trailing(octets: bytes, more: bytes) -> list[bytes]:
    return [octets + more]


def frames_from(buffer: FrameBuffer, chunks: Iterable[bytes]) -> list[Frame]:
    frames = []
    for chunk in chunks:
        buffer.feed(chunk)
        frames += buffer.take()
    return frames


def test_a_frame_is_found_however_the_octets_arrive() -> None:
    octets = frame(7, b"body", 0x80000004, 0x58)
    for chunks in (whole(octets), one_by_one(octets), with_trailing(octets, b"\0\0")):
        assert frames_from(FrameBuffer(LIMIT), chunks) == [(0x80000004, 0x58, 7, octets)]


def test_many_frames_of_one_read_come_in_order() -> None:
    buffer = FrameBuffer(LIMIT)
    octets = [frame(number, b"x" * number) for number in range(50)]
    buffer.feed(b"".join(octets))
    assert [taken[3] for taken in buffer.take()] == octets
    assert buffer.pending == 0


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_header_split_over_reads_is_put_together(cut: int) -> None:
    octets = frame(1, b"four") + frame(2, b"five")
    buffer = FrameBuffer(LIMIT)
    assert [f[2] for f in frames_from(buffer, [octets[:cut], octets[cut:]])] == [1, 2]


def test_take_hands_out_at_most_what_is_asked_for() -> None:
    buffer = FrameBuffer(LIMIT)
    buffer.feed(b"".join(frame(number) for number in range(5)) + b"\0\0")
    assert [len(buffer.take(most)) for most in (2, 0, 1, 10)] == [2, 0, 1, 2]
    assert buffer.pending == 2


def test_octets_fed_between_short_takes_are_not_lost() -> None:
    buffer = FrameBuffer(LIMIT)
    buffer.feed(frame(1) + frame(2))
    assert [f[2] for f in buffer.take(1)] == [1]
    buffer.feed(frame(3) + frame(4)[:9])
    assert [f[2] for f in buffer.take(1)] == [2]
    buffer.feed(frame(4)[9:])
    assert [f[2] for f in buffer.take()] == [3, 4]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """Frames, and the chunks in which their octets arrive."""
    frames = [frame(n, draw(st.binary(max_size=40))) for n in range(draw(st.integers(0, 8)))]
    octets = b"".join(frames)
    cuts = sorted(draw(st.lists(st.integers(0, len(octets)), max_size=10)))
    return frames, [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


@given(streams(), st.lists(st.integers(0, 3), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_cutting_and_any_taking_gives_the_frames(
    stream: tuple[list[bytes], list[bytes]], mosts: list[int]
) -> None:
    frames, chunks = stream
    buffer = FrameBuffer(LIMIT)
    taken: list[bytes] = []
    for number, chunk in enumerate(chunks):
        buffer.feed(chunk)
        taken += [f[3] for f in buffer.take(mosts[number % len(mosts)])]
        assert buffer.pending == sum(map(len, chunks[: number + 1])) - sum(map(len, taken))
    assert taken + [f[3] for f in buffer.take()] == frames


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(16, 64))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_octets_give_frames_or_a_command_length_error(chunks: list[bytes], limit: int) -> None:
    buffer = FrameBuffer(limit)
    fed = out = b""
    fault: CommandLengthError | None = None
    for chunk in chunks:
        fed += chunk
        buffer.feed(chunk)
        try:
            frames = buffer.take()
        except CommandLengthError as raised:
            fault = raised
            break
        assert all(16 <= len(octets) <= limit for _, _, _, octets in frames)
        out += b"".join(octets for _, _, _, octets in frames)
        assert fed.startswith(out)
        assert buffer.pending == len(fed) - len(out)
    assert fault is None or not 16 <= fault.command_length <= limit


@pytest.mark.parametrize("command_length", [0, 15, LIMIT + 1, 0xFFFFFFFF])
def test_a_command_length_out_of_bounds_is_judged_by_its_four_octets(command_length: int) -> None:
    buffer = FrameBuffer(LIMIT)
    octets = struct.pack(">I", command_length)
    buffer.feed(octets[:3])
    assert buffer.take() == []
    buffer.feed(octets[3:])
    with pytest.raises(CommandLengthError) as caught:
        buffer.take()
    assert (caught.value.command_length, caught.value.limit) == (command_length, LIMIT)
    assert (caught.value.sequence_number, caught.value.recoverable) == (0, False)


def test_the_sequence_number_to_answer_with_is_that_of_a_whole_header() -> None:
    octets = struct.pack(">IIII", 2000, 4, 0, 99)
    for end, expected in ((15, 0), (16, 99)):
        buffer = FrameBuffer(LIMIT)
        buffer.feed(octets[:end])
        with pytest.raises(CommandLengthError) as caught:
            buffer.take()
        assert caught.value.sequence_number == expected


def test_frames_before_a_fault_come_first_and_the_fault_stays() -> None:
    buffer = FrameBuffer(LIMIT)
    buffer.feed(frame(1) + frame(2) + b"\0\0\0\1")
    assert [f[2] for f in buffer.take()] == [1, 2]
    for _ in range(3):
        with pytest.raises(CommandLengthError):
            buffer.take()


def test_both_bounds_of_command_length_are_accepted() -> None:
    octets = frame(1) + frame(2, b"x" * (LIMIT - 16))
    assert [len(f[3]) for f in frames_from(FrameBuffer(LIMIT), [octets])] == [16, LIMIT]


def test_a_limit_raised_between_takes_lets_a_longer_frame_pass() -> None:
    buffer = FrameBuffer(20)
    buffer.feed(frame(1) + frame(2, b"longer"))
    assert [f[2] for f in buffer.take()] == [1]
    buffer.limit = LIMIT
    assert [f[2] for f in buffer.take()] == [2]


def test_a_limit_lowered_between_takes_is_judged_again() -> None:
    buffer = FrameBuffer(LIMIT)
    buffer.feed(frame(1, b"x" * 100)[:40])
    assert buffer.take() == []
    buffer.limit = 50
    with pytest.raises(CommandLengthError):
        buffer.take()


def dribble(octets: bytes, size: int) -> Iterator[bytes]:
    return (octets[at : at + size] for at in range(0, len(octets), size))


def test_64_kib_octet_by_octet_cost_memory_of_their_own_size() -> None:
    octets = frame(1, bytes(65_520))
    buffer = FrameBuffer(70_000)
    tracemalloc.start()
    try:
        for chunk in dribble(octets[:-1], 1):
            buffer.feed(chunk)
            assert buffer.take() == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * len(octets)
    buffer.feed(octets[-1:])
    assert [f[3] for f in buffer.take()] == [octets]


def test_an_announced_length_reserves_nothing() -> None:
    buffer = FrameBuffer(1 << 30)
    tracemalloc.start()
    try:
        buffer.feed(struct.pack(">IIII", 1 << 30, 4, 0, 1))
        assert buffer.take() == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000
