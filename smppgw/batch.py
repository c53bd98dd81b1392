"""What has been decided about the requests of an ESME that arrived together, and how it is told."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from smppgw.accounts import Link
from smppgw.congestion import state_tlv
from smppgw.message_ids import id_of
from smppgw.metrics import Metrics, status_label
from smppgw.pdu import codec
from smppgw.pdu._generated import SubmitMultiResp, UnsuccessSme
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandStatus, InterfaceVersion
from smppgw.pdu.tlv import Tlv
from smppgw.store.entries import Message
from smppgw.submission import Refusal

LONG_RESPONSE: Final = struct.Struct(">IIII16sx")
"""A header and our message_id of 16 characters with its NUL: submit_sm_resp or data_sm_resp."""
SHORT_RESPONSE: Final = struct.Struct(">IIII8sx")
_HEADER: Final = struct.Struct(">IIII")


class Batch:
    """Messages to be taken in, and the answers: those that promise something wait until that is durable."""

    __slots__ = (
        "account",
        "faults",
        "link",
        "long_ids",
        "messages",
        "refusals",
        "refused",
        "replacing",
        "response",
        "responses",
        "started_ns",
        "tail",
        "tlvs",
        "why",
    )

    def __init__(self, link: Link, started_ns: int, congestion_state: int | None) -> None:
        """`congestion_state` is said in each response that is no error; None: it is not."""
        self.link = link
        self.account = link.account
        self.started_ns = started_ns
        self.long_ids = link.connection.session.peer_version >= InterfaceVersion.V3_4
        self.response = LONG_RESPONSE if self.long_ids else SHORT_RESPONSE
        self.tlvs: tuple[Tlv, ...] = ()
        self.tail = b""
        """`tlvs` as octets."""
        if congestion_state is not None:
            self.tlvs, self.tail = state_tlv(congestion_state)
        self.messages: list[Message] = []
        self.replacing: list[tuple[int, Message]] = []
        """Those that are to replace what is queued, if there is something, with their sequence_number."""
        self.responses: list[bytes] = []
        self.refusals: list[bytes] = []
        self.refused: dict[int, int] = {}
        """How many requests, by command_status."""
        self.why: dict[tuple[int, str], int] = {}
        """How many messages, by command_status and what it was that did not let them in."""
        self.faults = 0

    def refuse(self, command_id: int, sequence_number: int, refusal: Refusal) -> None:
        """Answer one with an error, header only."""
        status = refusal.command_status
        self.refusals.append(_HEADER.pack(HEADER_OCTETS, command_id | RESPONSE_BIT, status, sequence_number))
        self.refused[status] = self.refused.get(status, 0) + 1
        self.faults += refusal.broken
        self.note(refusal)

    def note(self, refusal: Refusal) -> None:
        """Count one message that is not taken in."""
        if refusal.why:
            key = refusal.command_status, refusal.why
            self.why[key] = self.why.get(key, 0) + 1

    def answer(self, command_id: int, sequence_number: int, message_id: bytes) -> None:
        """Answer one with its message_id."""
        size = self.response.size + len(self.tail)
        self.responses.append(
            self.response.pack(size, command_id | RESPONSE_BIT, 0, sequence_number, message_id) + self.tail
        )

    def answer_multi(
        self, sequence_number: int, message_id: bytes, unsuccess: Sequence[UnsuccessSme]
    ) -> None:
        """Answer a submit_multi with its message_id, and with the destinations that get nothing."""
        self.responses.append(
            codec.encode(
                SubmitMultiResp(
                    message_id=message_id,
                    unsuccess_sme=unsuccess,
                    tlvs=self.tlvs,
                    sequence_number=sequence_number,
                )
            )
        )

    def take_in(self, key: int, message: Message, message_id: bytes = b"") -> bytes:
        """Give a message its key, and its id unless it shares one; return the id."""
        message.key = key
        message.message_id = message_id or id_of(key, long=self.long_ids)
        self.messages.append(message)
        return message.message_id

    def count(self, metrics: Metrics) -> None:
        """Let the metrics know what was refused, and why."""
        for status, count in self.refused.items():
            metrics.messages_rejected(self.account.name, status_label(status)).add(count)
        for (status, why), count in self.why.items():
            family = metrics.throttled if status == CommandStatus.ESME_RTHROTTLED else metrics.senders_refused
            family(why).add(count)
