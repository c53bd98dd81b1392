"""A load of submit_sm from our own ESME: `python -m bench.load_esme --port P --count N`; prints one JSON line.

Messages are numbered, each bind has its window, receipts of all binds are matched to the ids of the responses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

from smppgw import Esme
from smppgw.cli.loops import event_loop_factory
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu._generated import SubmitSm


def messages(first: int, last: int, *, receipts: bool, octets: int, numbers: int) -> Iterator[SubmitSm]:
    """Yield the submit_sm with these serial numbers, from so many numbers in turn."""
    for serial in range(first, last):
        yield SubmitSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"1206%07d" % (serial % numbers),
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=b"1666%07d" % serial,
            registered_delivery=int(receipts),
            short_message=(b"m%010d " % serial).ljust(octets, b"x"),
        )


class Load:
    """What was submitted over every bind, and what came back."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._accepted: set[str] = set()
        self._reported: set[str] = set()
        self._refused = 0
        self._submitted_at = 0.0
        self._complete = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Bind, submit everything, wait for the receipts; return the figures."""
        args = self._args
        share = args.count // args.binds
        esmes = [
            Esme(args.host, args.port, system_id=args.system_id, password=args.password, window=args.window)
            for _ in range(args.binds)
        ]
        await asyncio.gather(*(esme.__aenter__() for esme in esmes))
        listening = [asyncio.create_task(self._listen(esme)) for esme in esmes]
        started = time.perf_counter()
        try:
            await asyncio.gather(
                *(self._submit(esme, n * share, (n + 1) * share) for n, esme in enumerate(esmes))
            )
            submitted = time.perf_counter()
            if args.receipts and not self._accepted <= self._reported:
                async with asyncio.timeout(args.wait):
                    await self._complete.wait()
        except TimeoutError:
            pass  # what is missing is in the figures
        finally:
            finished = time.perf_counter()
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            await asyncio.gather(*(esme.__aexit__() for esme in esmes))
        return {
            "submitted": share * args.binds,
            "accepted": len(self._accepted),
            "refused": self._refused,
            "receipts": len(self._reported & self._accepted),
            "submit_seconds": submitted - started,
            "seconds": finished - started,
        }

    async def _submit(self, esme: Esme, first: int, last: int) -> None:
        args = self._args
        batch = messages(first, last, receipts=args.receipts, octets=args.octets, numbers=args.numbers)
        async for result in esme.submit_many(batch):
            if result.ok:
                self._accepted.add(result.message_id)
            else:
                self._refused += 1

    async def _listen(self, esme: Esme) -> None:
        async for delivery in esme:
            if isinstance(delivery, DeliveryReceipt):
                self._reported.add(delivery.message_id)
                if len(self._reported) >= self._args.count // self._args.binds * self._args.binds:
                    self._complete.set()


def main() -> None:
    """Parse the arguments, run the load, print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.load_esme", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--system-id", default="demo")
    parser.add_argument("--password", default="demo")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--binds", type=int, default=1)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--octets", type=int, default=80, help="of text")
    parser.add_argument("--numbers", type=int, default=1, help="that messages come from")
    parser.add_argument("--receipts", action="store_true")
    parser.add_argument("--wait", type=float, default=20.0, help="seconds for the last receipts")
    args = parser.parse_args()

    async def load() -> dict[str, Any]:
        return await Load(args).run()

    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        print(json.dumps(runner.run(load())))


if __name__ == "__main__":
    main()
