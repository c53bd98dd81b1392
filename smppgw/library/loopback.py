"""An SMSC to try things with: it takes everything, or refuses as told, and makes receipts and replies.

`smppgw smsc`, `make run`, the tests and the benches run it.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import count
from time import monotonic
from typing import Final, Self

from smppgw.library.bound import LATER, Answer, BoundEsme
from smppgw.library.delay_line import DelayLine
from smppgw.library.handsets import Handsets, mo_body
from smppgw.library.loopback_receipts import Kind, Receipts
from smppgw.library.smsc import BindPdu, Smsc
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import CommandStatus

_COUNTED: Final = (
    "binds",
    "binds_refused",
    "submits",
    "accepted",
    "throttled",
    "errors",
    "queue_full",
    "drops",
)


@dataclass(frozen=True, slots=True)
class LoopbackSettings:
    """How the SMSC behaves; each is an option of `smppgw smsc`."""

    host: str = "127.0.0.1"
    port: int = 2776
    system_id: str = "loopback"
    password: str = field(default="", repr=False)
    """Empty: any will do."""
    receipts: Kind = "success"
    """Where registered_delivery asks for them. mixed: 90 % DELIVRD, 5 % UNDELIV, 3 % EXPIRED, 2 % REJECTD."""
    receipt_delay_ms: float = 0.0
    """From the response to the receipt."""
    latency_ms: float = 0.0
    """From a submit_sm to its response."""
    rate: int = 0
    """Never more submit_sm than this accepted within any one second, the others ESME_RTHROTTLED; 0: no limit."""
    error_percent: float = 0.0
    """This many of the rest are refused,"""
    error_status: int = CommandStatus.ESME_RSYSERR
    """with this."""
    mo_rate: float = 0.0
    """Messages of a handset a second, to whoever receives, in turn."""
    mo_count: int = 0
    """As many in all; 0: no end."""
    mo_source: str = "+16665550000"
    mo_destination: str = "+12065550100"
    mo_text: str = "Hello from a handset"
    drop_after: int = 0
    """Reset a connection at its Nth submit_sm, unanswered; 0: never."""
    window: int = 200
    """Unanswered deliver_sm of one bind."""
    seed: int | None = None
    """Of chance, in errors and mixed receipts; None: different each time."""


class LoopbackSmsc:
    """An SMSC that behaves as its settings say.

        async with LoopbackSmsc(LoopbackSettings(port=0, receipts="mixed")) as smsc:
            async with Esme(port=smsc.port, system_id="demo", password="demo") as esme:
                submitted = await esme.submit("+12065550100", "+12065550199", "Hello")
                receipt = await anext(esme)
                print(receipt.message_id in submitted.message_ids, receipt.state.name)
        print(smsc.summary())

    Receipts and messages of handsets wait where nobody who receives is bound; at 100,000 receipts without an answer
    messages are answered with ESME_RMSGQFUL.
    """

    def __init__(self, settings: LoopbackSettings, *, tls: ssl.SSLContext | None = None) -> None:
        """Raises EncodeError when the message of a handset cannot be encoded."""
        self._settings = settings
        self._rng = random.Random(settings.seed)  # noqa: S311 - chance that can be repeated, not a secret
        self._receipts = Receipts(settings.receipts, settings.receipt_delay_ms / 1000, self._rng)
        self._late: DelayLine[tuple[BoundEsme, SubmitSm, str | int]] = DelayLine(
            settings.latency_ms / 1000, self._answer
        )
        self._handsets = Handsets(
            settings.mo_rate,
            settings.mo_count,
            message=mo_body(settings.mo_source, settings.mo_destination, settings.mo_text),
            at_once=settings.window,
        )
        self._accepted_at: deque[float] = deque(maxlen=settings.rate or None)
        self._submits_of: dict[BoundEsme, int] = {}
        self._ids = count(1)
        self._counts: Counter[str] = Counter()
        self._smsc = Smsc(
            settings.host,
            settings.port,
            system_id=settings.system_id,
            authenticate=self._authenticate,
            on_submit=self._on_submit,
            on_bound=self._on_bound,
            on_closed=self._on_closed,
            window=settings.window,
            tls=tls,
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._smsc.port

    @property
    def bound(self) -> list[BoundEsme]:
        """Everyone who is bound."""
        return self._smsc.bound

    def summary(self) -> dict[str, int]:
        """Return what has happened so far, by name."""
        counts = self._counts
        return {
            **{name: counts[name] for name in _COUNTED},
            "receipts_made": self._receipts.made,
            "receipts_answered": self._receipts.answered_ok,
            "receipts_refused": self._receipts.refused,
            "mo_sent": self._handsets.sent,
            "mo_answered": self._handsets.answered_ok,
        }

    async def __aenter__(self) -> Self:
        """Listen. Raises ConnectionFailed when that cannot be done."""
        await self._smsc.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Unbind everyone and close."""
        self._handsets.stop()
        self._late.clear()
        self._receipts.clear()
        await self._smsc.__aexit__(*exc_info)

    def _authenticate(self, bind: BindPdu, _peer_host: str) -> int:
        password = self._settings.password
        if password and not compare_digest(bind.password, password.encode("latin-1")):
            self._counts["binds_refused"] += 1
            return CommandStatus.ESME_RINVPASWD
        self._counts["binds"] += 1
        return CommandStatus.ESME_ROK

    def _on_bound(self, esme: BoundEsme) -> None:
        self._submits_of[esme] = 0
        self._receipts.on_bound(esme)
        self._handsets.on_bound(esme)

    def _on_closed(self, esme: BoundEsme, _reason: str) -> None:
        del self._submits_of[esme]
        self._receipts.on_closed(esme)
        self._handsets.on_closed(esme)

    def _on_submit(self, esme: BoundEsme, submit: SubmitSm) -> Answer:
        self._counts["submits"] += 1
        self._submits_of[esme] += 1
        if self._submits_of[esme] == self._settings.drop_after:
            self._counts["drops"] += 1
            esme.drop()
            return LATER
        answer = self._verdict()
        if self._settings.latency_ms:
            self._late.put((esme, submit, answer))
            return LATER
        if isinstance(answer, str):
            self._receipts.make(esme, submit, answer)
        return answer

    def _verdict(self) -> str | int:
        """Return the message_id of a message that is accepted, or the command_status of one that is not."""
        settings = self._settings
        if settings.rate:
            now = monotonic()
            if len(self._accepted_at) == settings.rate and now - self._accepted_at[0] < 1.0:
                self._counts["throttled"] += 1
                return CommandStatus.ESME_RTHROTTLED
        if settings.error_percent and self._rng.random() * 100 < settings.error_percent:
            self._counts["errors"] += 1
            return settings.error_status
        if self._receipts.full:
            self._counts["queue_full"] += 1
            return CommandStatus.ESME_RMSGQFUL
        if settings.rate:
            self._accepted_at.append(now)
        self._counts["accepted"] += 1
        return f"{next(self._ids):010}"

    def _answer(self, late: tuple[BoundEsme, SubmitSm, str | int]) -> None:
        esme, submit, answer = late
        esme.answer(submit, answer)
        if isinstance(answer, str):
            self._receipts.make(esme, submit, answer)


async def run(
    settings: LoopbackSettings,
    *,
    stop: asyncio.Event,
    on_listening: Callable[[LoopbackSmsc], None] | None = None,
) -> dict[str, int]:
    """Run one until `stop` is set; return its summary. `on_listening` is called once it listens.

    Raises: ConnectionFailed when it cannot listen, EncodeError for settings that no PDU can carry.
    """
    async with LoopbackSmsc(settings) as smsc:
        if on_listening is not None:
            on_listening(smsc)
        await stop.wait()
    return smsc.summary()
