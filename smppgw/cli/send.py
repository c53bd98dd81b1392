"""`smppgw send`: submit a message as an ESME, and wait for what becomes of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from collections.abc import Iterator
from typing import Final

from smppgw.cli import arguments
from smppgw.cli.lines import complain, one_line, say
from smppgw.library.delivery import DeliveryReceipt
from smppgw.library.esme import Esme
from smppgw.library.message import compose
from smppgw.library.outcome import SubmitResult
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import MessageState, status_name

_PASSWORD: Final = "SMPPGW_PASSWORD"  # noqa: S105  the name of the variable


def add_send(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `send`."""
    parser.add_argument("--host", type=arguments.host, default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=arguments.port, default=2775, help="default: 2775")
    parser.add_argument("--system-id", type=arguments.system_id, required=True, metavar="S")
    parser.add_argument(
        "--password",
        type=arguments.password,
        default=os.environ.get(_PASSWORD, ""),
        metavar="P",
        help=f"default: the environment's {_PASSWORD}, or none",
    )
    parser.add_argument(
        "--from", dest="source", required=True, metavar="A", help="the sending number or name"
    )
    parser.add_argument("--to", dest="destination", required=True, metavar="B", help="the receiving number")
    parser.add_argument(
        "--count", type=arguments.count, default=1, metavar="N", help="submit it N times; default: 1"
    )
    parser.add_argument(
        "--wait",
        type=arguments.number,
        default=0.0,
        metavar="SECONDS",
        help="ask for receipts, and wait for them as long as this; default: neither",
    )
    parser.add_argument(
        "--data-coding",
        type=arguments.octet,
        metavar="N",
        help="default: 0 where the GSM alphabet has every character, else 8",
    )
    parser.add_argument("text", metavar="TEXT")
    parser.set_defaults(run=lambda args: asyncio.run(_send(args)))


class Tally:
    """Which messages still want their receipt, and whether any failed. Prints as it learns."""

    def __init__(self) -> None:
        self.failed = False
        self.missing: set[str] = set()
        self._early: dict[str, DeliveryReceipt] = {}
        self._submitting = True
        self.complete = asyncio.Event()

    def result(self, result: SubmitResult[SubmitSm], *, wants_receipt: bool) -> None:
        """Take what became of one submit_sm."""
        if result.ok:
            say(one_line(result.message_id))
        else:
            self.failed = True
            status = result.command_status
            say(one_line(str(result.error) if status is None else status_name(status)))
            return
        if wants_receipt:
            receipt = self._early.pop(result.message_id, None)
            if receipt is None:
                self.missing.add(result.message_id)
            else:
                self._print(receipt)

    def receipt(self, receipt: DeliveryReceipt) -> None:
        """Take a receipt; it may come before the answer to the submit_sm, and may be another's."""
        if not receipt.final:
            return
        if receipt.message_id in self.missing:
            self.missing.discard(receipt.message_id)
            self._print(receipt)
        elif self._submitting:
            self._early[receipt.message_id] = receipt
        self._look()

    def all_submitted(self) -> None:
        """No more results will come."""
        self._submitting = False
        self._early.clear()
        self._look()

    def _look(self) -> None:
        if not self._submitting and not self.missing:
            self.complete.set()

    def _print(self, receipt: DeliveryReceipt) -> None:
        delivered = receipt.state is MessageState.DELIVERED
        self.failed = self.failed or not delivered
        code = f" (err {receipt.err})" if receipt.err.strip("0") else ""
        outcome = "delivered" if delivered else f"not delivered: {receipt.state.name.lower()}{code}"
        say(one_line(f"{receipt.message_id} {outcome}"))


async def _send(args: argparse.Namespace) -> int:
    wants_receipt = args.wait > 0
    tally = Tally()
    async with Esme(
        args.host,
        args.port,
        system_id=args.system_id,
        password=args.password,
        bind="trx" if wants_receipt else "tx",
        reconnect=False,
    ) as esme:
        taking = asyncio.ensure_future(_take_receipts(esme, tally)) if wants_receipt else None
        async for result in esme.submit_many(_messages(args, receipt=wants_receipt)):
            tally.result(result, wants_receipt=wants_receipt)
        tally.all_submitted()
        if taking is not None:
            complete = asyncio.ensure_future(tally.complete.wait())
            await asyncio.wait((taking, complete), timeout=args.wait, return_when=asyncio.FIRST_COMPLETED)
            complete.cancel()
            if taking.done():
                await taking  # the bind was lost: say why
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
    if tally.missing:
        complain(f"receipts missing after {args.wait:g} s: {len(tally.missing)}")
    return 1 if tally.failed or tally.missing else 0


def _messages(args: argparse.Namespace, *, receipt: bool) -> Iterator[SubmitSm]:
    """Yield every submit_sm: of a long text each part, with a reference for each time it is sent."""
    first = random.randrange(256)  # noqa: S311  so that two runs seldom mix their parts
    for number in range(args.count):
        yield from compose(
            args.source,
            args.destination,
            args.text,
            receipt=receipt,
            data_coding=args.data_coding,
            reference=(first + number) % 256,
        )


async def _take_receipts(esme: Esme, tally: Tally) -> None:
    async for delivery in esme:
        if isinstance(delivery, DeliveryReceipt):
            tally.receipt(delivery)
