"""smpplib as an ESME: its blocking client in one thread, which sends and reads in turn."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, Final

from smpplib import consts, gsm, smpp
from smpplib.client import Client
from smpplib.pdu import PDU

from tests.support import WAIT_SECONDS

WINDOW: Final = 50
"""submit_sm in flight."""
SOURCE: Final = "12065550100"


class SmpplibEsme(Client):
    """A client that keeps every PDU it reads, as smpplib has parsed it. Use it in a thread, as a context manager."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=WAIT_SECONDS, allow_unknown_opt_params=True)
        self.received: defaultdict[str, list[PDU]] = defaultdict(list)
        """What has come, by command."""
        self.responses: dict[int, PDU] = {}
        """By sequence_number."""
        self.sent: list[PDU] = []
        """The submit_sm of `submit_texts`."""
        self.unbound = False
        """Whether the gateway has asked to end the session."""
        self.set_error_pdu_handler(lambda pdu: None)
        self.set_message_sent_handler(lambda pdu: None)
        self.set_message_received_handler(lambda pdu: None)  # which answers ESME_ROK

    def bind(self, mode: str = "transceiver", **fields: Any) -> PDU:
        """Connect and bind as "app"."""
        self.connect()
        return getattr(self, f"bind_{mode}")(**{"system_id": "app", "password": "secret", **fields})

    def bind_3_3(self, mode: str) -> None:
        """Connect and bind with version 3.3, for which smpplib's own bind has no word."""
        self.connect()
        bind = smpp.make_pdu(f"bind_{mode}", client=self, system_id="app", password="secret")
        bind.interface_version = consts.SMPP_VERSION_33
        self.send_pdu(bind)
        assert self.read_pdu().status == consts.SMPP_ESME_ROK

    def read_pdu(self) -> PDU:
        pdu = super().read_pdu()
        self.received[pdu.command].append(pdu)
        if pdu.is_response():
            self.responses[pdu.sequence] = pdu
        return pdu

    def read_until(self, condition: Callable[[], object]) -> None:
        """Read, and answer, until something is so. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError
            self.read_once(auto_send_enquire_link=False)
            if self.received["unbind"] and not self.unbound:
                self.unbound = True
                answer = smpp.make_pdu("unbind_resp", client=self)  # which smpplib leaves to its user
                answer.sequence = self.received["unbind"][0].sequence
                self.send_pdu(answer)

    def request(self, command: str, **fields: Any) -> PDU:
        """Send a request and return its response."""
        pdu = smpp.make_pdu(command, client=self, **fields)
        self.send_pdu(pdu)
        self.read_until(lambda: pdu.sequence in self.responses)
        return self.responses[pdu.sequence]

    def submit(self, **fields: Any) -> PDU:
        """Submit one message and return its response."""
        return self.request("submit_sm", **addressed(**fields))

    def submit_texts(self, texts: list[str]) -> None:
        """Submit texts, long ones in the parts that smpplib makes, and wait until each has its response."""
        responses = self.received["submit_sm_resp"]
        for serial, text in enumerate(texts):
            parts, data_coding, esm_class = gsm.make_parts(text)
            for part in parts:
                self.read_until(lambda: len(self.sent) - len(responses) < WINDOW)
                fields = addressed(
                    destination_addr=f"1666{serial:07}",
                    data_coding=data_coding,
                    esm_class=esm_class,
                    short_message=part,
                )
                self.sent.append(self.send_message(**fields))
        self.read_until(lambda: len(responses) == len(self.sent))

    def expected_receipts(self) -> Counter[tuple[bytes, bytes]]:
        """Of each text that was accepted, the message_id and where it went."""
        return Counter(
            (response.message_id, pdu.destination_addr.encode())
            for pdu in self.sent
            if not (response := self.responses[pdu.sequence]).status
        )

    def receipts(self) -> Counter[tuple[bytes, bytes]]:
        """Of each receipt, the message_id and whom the message went to."""
        return Counter((pdu.receipted_message_id, pdu.source_addr) for pdu in self.received["deliver_sm"])


def addressed(**fields: Any) -> dict[str, Any]:
    """The fields of a message that asks for a receipt, over the usual ones."""
    return {
        "source_addr_ton": consts.SMPP_TON_INTL,
        "source_addr_npi": consts.SMPP_NPI_ISDN,
        "source_addr": SOURCE,
        "dest_addr_ton": consts.SMPP_TON_INTL,
        "dest_addr_npi": consts.SMPP_NPI_ISDN,
        "destination_addr": "16665550199",
        "registered_delivery": consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
        **fields,
    }
