"""What is shown of a PDU that a store has: its telephone numbers masked and its text only counted, or all of it."""

from __future__ import annotations

import secrets
from typing import Any, Final

from smppgw.logs import Redactor
from smppgw.pdu import peek
from smppgw.pdu.codec import decode
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, EsmClass, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.text import decode_text
from smppgw.pdu.tlv import tlv_value
from smppgw.pdu.udh import parse_udh

ADDRESSES: Final = ("source_addr", "destination_addr")


class Contents:
    """Shows one PDU after the other; a number looks the same in all of them."""

    def __init__(self, *, clear: bool) -> None:
        """`clear`: show numbers and texts."""
        self._clear = clear
        self._mask = Redactor(secrets.token_bytes(16))

    def of(self, command_id: int, body: bytes) -> dict[str, Any]:
        """Return what is in a submit_sm, deliver_sm or data_sm without its header. Raises: nothing."""
        try:
            pdu: Any = decode(frame_of(command_id, body))
        except PduError as error:
            match = (peek.DATA if command_id == CommandId.DATA_SM else peek.SHORT_MESSAGE).match(body)
            found = self._addresses(match[1], match[2]) if match is not None else {}
            return {**found, "unreadable": f"{len(body)} octets: {error}"}
        octets: Any = getattr(pdu, "short_message", b"") or tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD) or b""
        content = self._addresses(pdu.source_addr, pdu.destination_addr)
        content |= {"data_coding": pdu.data_coding, "text_octets": len(octets)}
        if self._clear:
            content["text"] = decode_text(_without_udh(octets, pdu.esm_class), pdu.data_coding)
        return content

    def of_envelope(self, envelope: bytes) -> dict[str, Any]:
        """Return what an envelope still says of a message, which has its addresses swapped; see `telling`."""
        match = peek.DATA.match(envelope)
        if match is None:
            return {}
        return {**self._addresses(match[2], match[1]), "data_coding": envelope[-2]}

    def _addresses(self, *octets: bytes) -> dict[str, Any]:
        found = dict(zip(ADDRESSES, (each.decode("latin-1") for each in octets), strict=True))
        return found if self._clear else dict(self._mask(None, "", found))


def frame_of(command_id: int, body: bytes) -> bytes:
    """Return the whole PDU of a body, with a header."""
    header = (HEADER_OCTETS + len(body), command_id, 0, 1)
    return b"".join(number.to_bytes(4, "big") for number in header) + body


def _without_udh(octets: bytes, esm_class: int) -> bytes:
    if esm_class & EsmClass.UDHI:
        try:
            return octets[parse_udh(octets).octets :]
        except PduError:
            pass
    return octets
