"""The requests of ours that keep the session itself: bind, enquire_link and unbind, and what they wait for."""

from __future__ import annotations

from typing import Final

from smppgw.pdu.constants import CommandId

BIND_RESPONSES: Final = frozenset(
    {
        int(CommandId.BIND_TRANSMITTER_RESP),
        int(CommandId.BIND_RECEIVER_RESP),
        int(CommandId.BIND_TRANSCEIVER_RESP),
    }
)
_UNBIND_RESPONSES: Final = frozenset({int(CommandId.UNBIND_RESP)})


class Control:
    """Outstanding control requests by sequence_number: they do not count in the window."""

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def __contains__(self, sequence_number: object) -> bool:
        return sequence_number in self._sent

    def add(self, sequence_number: int, response_id: int, now_ns: int) -> None:
        """A request was sent; `response_id` is the command_id of the response it waits for."""
        self._sent[sequence_number] = (response_id, now_ns)

    def answers(self, sequence_number: int, command_id: int) -> bool:
        """Return whether a response with that number and command_id, or a generic_nack, is waited for."""
        awaited = self._sent.get(sequence_number)
        return awaited is not None and command_id in (awaited[0], CommandId.GENERIC_NACK)

    def take(self, sequence_number: int) -> int:
        """Take out a request that was answered; return the command_id of the response it waited for."""
        return self._sent.pop(sequence_number)[0]

    @property
    def binding(self) -> bool:
        """Whether a bind is outstanding."""
        return self._awaits(BIND_RESPONSES)

    @property
    def unbinding(self) -> bool:
        """Whether an unbind is outstanding."""
        return self._awaits(_UNBIND_RESPONSES)

    def _awaits(self, responses: frozenset[int]) -> bool:
        return bool(self._sent) and any(response_id in responses for response_id, _ in self._sent.values())

    def oldest_sent_ns(self) -> int | None:
        """When the oldest outstanding request was sent; None when there is none."""
        return min(sent_ns for _, sent_ns in self._sent.values()) if self._sent else None

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._sent.clear()
