"""How full an ESME's room is, as a peer of SMPP v5.0 is told: congestion_state (section 4.8.4.18).

0 is idle, 1 to 29 low, 30 to 49 medium, 50 to 79 high, 80 to 89 the most that should be aimed at, 90 to 99 close to
congestion, 100 congested. Who has no room left is not told 100: it gets an error, ESME_RMSGQFUL, and an error is
answered with a header only. A header alone could not say it: a peer that reads a body where the status is an error
takes what follows for message_id, which is mandatory in the responses to submit_sm, data_sm and submit_multi; with a
body of an empty message_id and the TLV, peers that go by v3.4, where an error has no body, are at a loss.
"""

from __future__ import annotations

from typing import Final

from smppgw.pdu.constants import TlvTag
from smppgw.pdu.tlv import Tlv, make_tlv, write_tlvs
from smppgw.settings import EsmeSettings
from smppgw.store.api import Store

HIGHEST_STATE: Final = 99
"""Where something is still taken in."""


def state_of(esme: EsmeSettings, store: Store, max_octets: int) -> int:
    """Return how full, in percent, the fullest is: its queue, what waits for it, or the store of so many octets."""
    return min(
        HIGHEST_STATE,
        max(
            100 * store.queued(esme.system_id) // esme.max_queued,
            100 * store.waiting_deliveries(esme.system_id) // esme.max_waiting,
            100 * store.octets // max_octets,
        ),
    )


def state_tlv(state: int) -> tuple[tuple[Tlv, ...], bytes]:
    """Return the optional parameter that says it, and its octets."""
    tlvs = (make_tlv(TlvTag.CONGESTION_STATE, state),)
    return tlvs, write_tlvs(tlvs, "submit_sm_resp")
