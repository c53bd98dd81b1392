"""`smppgw send`: submit a message as an ESME, and wait for what becomes of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Final, NamedTuple

from smppgw.cli import arguments
from smppgw.cli.lines import complain, one_line, say
from smppgw.library.delivery import DeliveryReceipt
from smppgw.library.esme import Esme
from smppgw.library.message import compose
from smppgw.library.outcome import SubmitResult
from smppgw.pdu._generated import QuerySm, QuerySmResp, SubmitSm
from smppgw.pdu.constants import CommandStatus, MessageState, RegisteredDelivery, status_name
from smppgw.pdu.errors import PduError
from smppgw.pdu.receipt_dates import read_date
from smppgw.pdu.times import parse_time

_PASSWORD: Final = "SMPPGW_PASSWORD"  # noqa: S105  the name of the variable

ASKED_AT_MOST: Final = 20
ASKED_SECONDS: Final = 3.0
"""How long the answers to query_sm may take, beyond `--wait`."""

_ENDS: Final[Mapping[MessageState, str]] = {
    MessageState.EXPIRED: "nobody took it within its validity",
    MessageState.DELETED: "it was cancelled",
    MessageState.UNDELIVERABLE: "it could not be brought to the handset",
    MessageState.REJECTED: "it was refused",
    MessageState.SKIPPED: "it was passed over",
}
"""Why a message was not delivered, by the words of SMPP v3.4 section 5.2.28."""
_STATES: Final = {int(state): state for state in MessageState}
_SILENT: Final = "the peer does not answer query_sm"
_WITH_ZONE: Final = 16
"""Octets of a final_date that says how far from UTC it is (SMPP v3.4 section 7.1.1)."""


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


class _Accepted(NamedTuple):
    """A message that the peer has taken."""

    submit: SubmitSm
    at: datetime
    clock: float
    """Then, by the clock that spans are measured with."""


class Tally:
    """Which messages still want their receipt, and whether any failed. Prints as it learns."""

    def __init__(
        self,
        *,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failed = False
        self.missing: dict[str, _Accepted] = {}
        """By their message_id, in the order of the answers."""
        self._wall_clock = wall_clock
        self._clock = clock
        self._early: defaultdict[str, list[DeliveryReceipt]] = defaultdict(list)
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
            self.missing[result.message_id] = _Accepted(result.message, self._wall_clock(), self._clock())
            for receipt in self._early.pop(result.message_id, ()):
                self.receipt(receipt)

    def receipt(self, receipt: DeliveryReceipt) -> None:
        """Take a receipt; it may come before the answer to the submit_sm, and may be another's."""
        message_id = receipt.message_id
        accepted = self.missing.get(message_id)
        if accepted is not None:
            if receipt.final:
                del self.missing[message_id]
                self.failed = self.failed or receipt.state is not MessageState.DELIVERED
            self._print(receipt, accepted)
        elif self._submitting:
            self._early[message_id].append(receipt)
        self._look()

    def all_submitted(self) -> None:
        """No more results will come."""
        self._submitting = False
        self._early.clear()
        self._look()

    def _look(self) -> None:
        if not self._submitting and not self.missing:
            self.complete.set()

    def _print(self, receipt: DeliveryReceipt, accepted: _Accepted) -> None:
        code = f" (err {receipt.err})" if receipt.err.strip("0") else ""
        words = [_outcome(receipt.state, code)]
        if receipt.final:
            words.append(f"accepted at {_utc(accepted.at)}")
            done = self._done(receipt)
            if done:
                words.append(f"done at {done}")
        words.append(f"receipt after {self._clock() - accepted.clock:.1f} s")
        say(one_line(f"{receipt.message_id} {', '.join(words)}"))

    def _done(self, receipt: DeliveryReceipt) -> str:
        """Return when the receipt says it ended; empty where that cannot be read."""
        written = receipt.fields.done_date if receipt.fields is not None else ""
        done = read_date(written, self._wall_clock())
        if done is None:
            return ""
        if done.tzinfo is not None:
            return _utc(done)
        # Appendix B has no seconds: none are shown that were not said.
        return f"{done.isoformat(timespec='seconds' if done.second else 'minutes')} carrier's time"


def _outcome(state: MessageState, code: str) -> str:
    """Say what a state means for a message, and why."""
    if state is MessageState.DELIVERED:
        return "delivered"
    why = _ENDS.get(state)
    word = f"{state.name.lower()}{code}"
    return f"on its way: {word}" if why is None else f"not delivered: {word}, {why}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


async def _send(args: argparse.Namespace) -> int:
    wants_receipt = args.wait > 0
    stands: dict[str, str] = {}
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
            stands = await _ask(esme, tally)
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
    if tally.missing:
        for message_id in tally.missing:
            if message_id in stands:
                say(one_line(f"{message_id} no receipt within {args.wait:g} s: {stands[message_id]}"))
        unasked = f"; asked about {ASKED_AT_MOST} of them" if len(tally.missing) > ASKED_AT_MOST else ""
        complain(f"receipts missing after {args.wait:g} s: {len(tally.missing)}{unasked}")
    return 1 if tally.failed or tally.missing else 0


def _messages(args: argparse.Namespace, *, receipt: bool) -> Iterator[SubmitSm]:
    """Yield every submit_sm: of a long text each part, with a reference for each time it is sent."""
    first = random.randrange(256)  # noqa: S311  so that two runs seldom mix their parts
    for number in range(args.count):
        submits = compose(
            args.source,
            args.destination,
            args.text,
            receipt=receipt,
            data_coding=args.data_coding,
            reference=(first + number) % 256,
        )
        if receipt:
            for submit in submits:
                submit.registered_delivery |= RegisteredDelivery.INTERMEDIATE
        yield from submits


async def _take_receipts(esme: Esme, tally: Tally) -> None:
    async for delivery in esme:
        if isinstance(delivery, DeliveryReceipt):
            tally.receipt(delivery)


async def _ask(esme: Esme, tally: Tally) -> dict[str, str]:
    """Ask where the messages without a receipt stand, some of them and not for long; return that in words."""
    asked = {
        message_id: esme.request(
            QuerySm(
                message_id=message_id.encode("latin-1"),
                source_addr_ton=accepted.submit.source_addr_ton,
                source_addr_npi=accepted.submit.source_addr_npi,
                source_addr=accepted.submit.source_addr,
            )
        )
        for message_id, accepted in islice(tally.missing.items(), ASKED_AT_MOST)
    }
    if asked:
        await asyncio.wait(asked.values(), timeout=ASKED_SECONDS)
    stands = {}
    for message_id, answer in asked.items():
        if answer.cancel():
            stands[message_id] = _SILENT
        else:
            error = answer.exception()
            stands[message_id] = stand_of(answer.result()) if error is None else str(error)
    return stands


def stand_of(answer: QuerySmResp) -> str:
    """Say where a message stands by the answer to query_sm."""
    status = answer.command_status
    if status:
        name = status_name(status)
        return (
            f"{_SILENT} ({name})"
            if status == CommandStatus.ESME_RINVCMDID
            else f"the peer cannot say ({name})"
        )
    state = _STATES.get(answer.message_state)
    code = f" (error_code {answer.error_code})" if answer.error_code else ""
    if state is None:
        return f"message_state {answer.message_state}{code}"
    if state is MessageState.SCHEDULED:
        return "scheduled"
    if state is MessageState.ENROUTE:
        return f"on its way{code}"
    words = _outcome(state, code)
    if len(answer.final_date) == _WITH_ZONE:
        with suppress(PduError):
            final = parse_time(answer.final_date, now=datetime.now(UTC), field="final_date")
            words += f", at {_utc(final)}" if final is not None else ""
    return words
