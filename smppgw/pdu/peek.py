"""What the relay reads of a message PDU without decoding it.

One regular expression, made once, walks the mandatory fields of submit_sm, deliver_sm or data_sm with the bounds of
their declarations and captures what the gateway acts on; everything else is forwarded as it came. A PDU it does not
match is broken: `codec.decode` then says which field. Section 4.4.1, 4.6.1 and 4.7.1 of SMPP v3.4.
"""

from __future__ import annotations

import re
from typing import Final

from smppgw.pdu.constants import HEADER_OCTETS, CommandId

SHORT_MESSAGE: Final = re.compile(
    rb"[^\0]{0,5}\0"  # service_type
    rb"..([^\0]{0,20})\0"  # 1 source_addr, behind its ton and npi
    rb"..([^\0]{0,20})\0"  # 2 destination_addr
    rb"(...)"  # 3 esm_class, protocol_id, priority_flag
    rb"((?:[^\0]{16})?)\0"  # 4 schedule_delivery_time
    rb"((?:[^\0]{16})?)\0"  # 5 validity_period
    rb"(.....)",  # 6 registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length
    re.DOTALL,
)
"""submit_sm and deliver_sm up to and with sm_length; `match(octets, 16)`, the text begins at `match.end()`."""

DATA: Final = re.compile(
    rb"[^\0]{0,5}\0"  # service_type
    rb"..([^\0]{0,64})\0"  # 1 source_addr
    rb"..([^\0]{0,64})\0"  # 2 destination_addr
    rb"(.)(.)(.)",  # 3 esm_class, 4 registered_delivery, 5 data_coding
    re.DOTALL,
)
"""data_sm up to its optional parameters, which begin at `match.end()`."""


def plain_ends(submit_sm: bytes) -> tuple[int, int, int] | None:
    """Return where the NULs stand that end service_type, source_addr and destination_addr of a plain submit_sm.

    Plain is one with a destination, without times, replace_if_present_flag and optional parameters; None for any other.
    The octets are a whole frame. Behind the last NUL follow esm_class, protocol_id, priority_flag, two more NULs,
    registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length and the text.
    """
    find = submit_sm.find
    service = find(b"\0", HEADER_OCTETS)
    source = find(b"\0", service + 3)
    end = find(b"\0", source + 3)
    octets = len(submit_sm)
    if (
        HEADER_OCTETS <= service <= HEADER_OCTETS + 5
        and source <= service + 23
        and source + 3 < end <= source + 23
        and end + 11 <= octets == end + 11 + submit_sm[end + 10]
        and not submit_sm[end + 4]
        and not submit_sm[end + 5]
        and not submit_sm[end + 7]
    ):
        return service, source, end
    return None


PEEKED: Final = frozenset({int(CommandId.SUBMIT_SM), int(CommandId.DELIVER_SM)})


def c_octets_at(octets: bytes, at: int) -> bytes:
    """Return the C-Octet String that begins there; to the end where its NUL is left out (quirk 22)."""
    end = octets.find(b"\0", at)
    return octets[at:] if end < 0 else octets[at:end]
