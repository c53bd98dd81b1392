"""An application and a carrier for tests of a running gateway, made of our own `Esme` and `Smsc`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from smppgw import Esme
from smppgw.library.bound import BoundEsme
from smppgw.pdu._generated import (
    DeliverSm,
    DeliverSmResp,
    SubmitSm,
)
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.pdu.receipt import format_receipt
from smppgw.session import events as ev
from smppgw.session.client import Client, bind_octets, binding
from smppgw.session.connection import Connection
from smppgw.session.settings import SessionSettings

OK = CommandStatus.ESME_ROK


def submit_sm(number: int = 0, **fields: Any) -> SubmitSm:
    usual: dict[str, Any] = {
        "source_addr": b"12065550100",
        "destination_addr": b"1666%07d" % number,
        "registered_delivery": 1,
        "short_message": b"message %d" % number,
    }
    return SubmitSm(**{**usual, **fields})


def receipt_for(pdu: SubmitSm, message_id: bytes, state: MessageState = MessageState.DELIVERED) -> DeliverSm:
    text = format_receipt(message_id, submit_date=b"2611221000", done_date=b"2611221001", state=state)
    return DeliverSm(
        source_addr=pdu.destination_addr,
        destination_addr=pdu.source_addr,
        esm_class=4,
        short_message=text,
    )


class Recorder:
    """An SMSC's memory: what it got, in order; what it answers; and receipts, if it sends them."""

    def __init__(self, *, receipts: bool = True, answers: Callable[[SubmitSm], int] = lambda _: OK) -> None:
        self.got: list[bytes] = []
        self._receipts = receipts
        self._answers = answers

    def __call__(self, esme: BoundEsme, pdu: SubmitSm) -> str | int:
        status = self._answers(pdu)
        if status:
            return status
        self.got.append(pdu.short_message)
        message_id = f"id-{len(self.got)}"
        if self._receipts and pdu.registered_delivery:
            receipt = receipt_for(pdu, message_id.encode())
            asyncio.get_running_loop().call_soon(esme.deliver_nowait, receipt)
        return message_id


def client(port: int, system_id: str = "app", **settings: Any) -> Esme:
    return Esme("127.0.0.1", port, system_id=system_id, password="secret", **settings)


class PickyEsme:
    """An ESME that answers each deliver_sm as `answers` says, or not at all for None; it remembers what it got."""

    def __init__(self, port: int, answers: Callable[[DeliverSm], int | None], **bind: Any) -> None:
        self.got: list[DeliverSm] = []
        self._answers = answers
        octets = bind_octets(bind.pop("mode", "trx"), system_id="app", password="secret", **bind)
        settings = SessionSettings(window=100, inbound_window=1000)
        self.client = Client(self, host="127.0.0.1", port=port, introduce=binding(octets), settings=settings)

    async def __aenter__(self) -> Self:
        await self.client.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.close()

    def on_connected(self, connection: Connection) -> None:
        """Nothing to do before the bind."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        if not isinstance(event, ev.Requests):
            return
        responses = []
        for _, _, sequence_number, octets in event.frames:
            pdu = decode(octets)
            assert isinstance(pdu, DeliverSm)
            self.got.append(pdu)
            status = self._answers(pdu)
            if status is not None:
                responses.append(
                    encode(DeliverSmResp(command_status=status, sequence_number=sequence_number))
                )
        if responses:
            connection.session.send_responses(responses)
