"""A load of submit_sm from our own ESME: `python -m bench.load_esme --port P --count N`; prints one JSON line.

Messages are numbered, each bind has its window, receipts are matched to the message ids of the responses.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator

from smppgw.esme import Receipt

from smppgw import Esme
from smppgw.pdu._generated import SubmitSm


def messages(first: int, last: int, *, receipts: bool, octets: int) -> Iterator[SubmitSm]:
    """Yield the submit_sm with these serial numbers."""
    for serial in range(first, last):
        yield SubmitSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"12065550100",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=b"1666%07d" % serial,
            registered_delivery=int(receipts),
            short_message=(b"m%010d " % serial).ljust(octets, b"x"),
        )


async def one_bind(args: argparse.Namespace, first: int, last: int) -> tuple[int, int]:
    """Submit these on one bind; return how many were accepted, and how many of those had a receipt."""
    accepted: set[str] = set()
    got: set[str] = set()
    async with Esme(
        args.host, args.port, system_id=args.system_id, password=args.password, window=args.window
    ) as esme:

        async def take_receipts() -> None:
            async for delivery in esme:
                if isinstance(delivery, Receipt):
                    got.add(delivery.message_id)

        taking = asyncio.create_task(take_receipts())
        async for result in esme.submit_many(
            messages(first, last, receipts=args.receipts, octets=args.octets)
        ):
            if result.command_status == 0:
                accepted.add(result.message_id)
        deadline = time.monotonic() + args.wait
        while args.receipts and not accepted <= got and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
    return len(accepted), len(got)  # a receipt may come on any bind of the account


async def run(args: argparse.Namespace) -> dict[str, float]:
    """Submit everything."""
    share = args.count // args.binds
    started = time.perf_counter()
    results = await asyncio.gather(
        *(one_bind(args, number * share, (number + 1) * share) for number in range(args.binds))
    )
    return {
        "submitted": share * args.binds,
        "accepted": sum(accepted for accepted, _ in results),
        "receipts": sum(receipts for _, receipts in results),
        "seconds": time.perf_counter() - started,
    }
