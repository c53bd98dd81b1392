"""What a message has come to, and what its ESME is told of it: once, in the words and the form it asked for.

Hot path: nearly every receipt is the last word on a message, and right as its carrier writes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from smppgw import notice as notices
from smppgw import telling
from smppgw.accounts import Account
from smppgw.carriers import Carrier
from smppgw.handsets import Taken
from smppgw.metrics import Metrics
from smppgw.notice import DLVRD_AT, Notice
from smppgw.parts import End, Parts, are_known, speaks_for_all
from smppgw.pdu.constants import CommandId
from smppgw.session.timers import NS
from smppgw.store.entries import Delivery, Message, Outcome
from smppgw.verdicts import Verdict

DELIVER_SM: Final = int(CommandId.DELIVER_SM)


class Settled(Taken):
    """What has been read out of requests of a carrier that arrived together."""

    __slots__ = ("accepted_ns", "finished", "outcomes", "repeated")

    def __init__(self, carrier: str, now_ns: int) -> None:
        super().__init__(carrier, now_ns)
        self.finished: dict[bytes, Outcome] = {}
        """The ids of which nothing more is expected, in their order, with what their messages have come to."""
        self.outcomes: list[Outcome] = []
        """Of each receipt that has found its message."""
        self.accepted_ns: list[int] = []
        """Of each final one of them, when its message was accepted."""
        self.repeated = 0
        """Receipts that had come before."""


class Settling:
    """Settles messages by what carriers say of them, or by what has become of them here."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        parts: Parts,
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self.parts = parts
        self._metrics = metrics
        self._clock = clock
        self._wall_clock = wall_clock
        self._in_default = frozenset(
            name for name, account in accounts.items() if account.settings.receipt_data_coding == "default"
        )
        """The ESMEs whose receipts are all in data_coding 0."""

    def settle(self, batch: Settled, carrier: Carrier, key: bytes, message: Message, said: Notice) -> None:
        """A receipt has found its message, which the carrier knows by `key`."""
        if key in batch.finished:
            batch.repeated += 1
            return
        state = said.state
        outcome = carrier.meanings.receipt(state, said.stat, said.err)
        if state in notices.FINAL and not said.intermediate:
            batch.finished[key] = outcome
            batch.accepted_ns.append(message.accepted_ns)
        elif message.told == outcome:
            batch.repeated += 1
            return
        else:
            message.told = outcome
        batch.outcomes.append(outcome)
        if message.parts > 1:
            self._settle_part(batch, message, outcome, said)
        elif telling.wanted(message.registered_delivery, state, intermediate=said.intermediate):
            esme = message.esme
            told = telling.passed_on(message, said, in_default=esme in self._in_default)
            if told is None:
                told = self._written(message, End(outcome, said.network_error_code), said, batch.now_ns)
            command_id, body, tlv_at = told
            batch.deliveries.append(Delivery(esme, "receipt", command_id, body, tlv_at, batch.now_ns))

    def settle_usual(
        self, batch: Settled, key: bytes, message: Message, straight: bytes, verdict: Verdict
    ) -> bool:
        """As `settle`, where there is nothing out of the ordinary; else do nothing, and return False. Hot path.

        `straight` is the text behind the id, as of `notice.Usual`.
        """
        envelope, esme = message.envelope, message.esme
        if (
            straight[DLVRD_AT] != verdict.dlvrd
            or batch.overfull.get(esme) is not False
            or message.parts > 1
            or key in batch.finished
            or not envelope.endswith(b"\0\0")  # data_coding and sm_default_msg_id
        ):
            return False
        outcome = verdict.outcome
        batch.finished[key] = outcome
        batch.outcomes.append(outcome)
        batch.accepted_ns.append(message.accepted_ns)
        asked = message.registered_delivery
        if asked == 1 or telling.wanted(asked, outcome.state, intermediate=False):
            body, tlv_at = telling.in_full(envelope, message.message_id, straight, verdict.tail)
            batch.deliveries.append(Delivery(esme, "receipt", DELIVER_SM, body, tlv_at, batch.now_ns))
        return True

    def _settle_part(self, batch: Settled, message: Message, outcome: Outcome, said: Notice) -> None:
        """One of several that we made of a message: its ESME hears when the last one has come to its end."""
        end, tally = End(outcome, said.network_error_code), None
        if outcome.state in notices.FINAL and not said.intermediate:
            whole = self.parts.note(message, end)
            if whole is None:
                return
            end, tally = whole
        elif not speaks_for_all(message):
            return
        if telling.wanted(message.registered_delivery, end.outcome.state, intermediate=said.intermediate):
            told = self._written(message, end, said, batch.now_ns, tally)
            batch.deliveries.append(Delivery(message.esme, "receipt", *told, batch.now_ns))

    def count(self, batch: Settled) -> None:
        """Count the receipts of a batch that have found their messages, and those that had come before."""
        name = batch.carrier
        if batch.repeated:
            self._metrics.receipts_repeated(name).add(batch.repeated)
        outcomes = batch.outcomes
        if not outcomes:
            return
        first = outcomes[0]
        counts: Iterable[tuple[Outcome, int]] = ((first, len(outcomes)),)
        if outcomes.count(first) < len(outcomes):
            counts = Counter(outcomes).items()
        for outcome, count in counts:
            self._metrics.receipts(name, notices.STATES[outcome.state], outcome.error_class).add(count)
        observe = self._metrics.delivery_duration(name).observe
        for accepted_ns, group in groupby(batch.accepted_ns):
            observe((batch.now_ns - accepted_ns) / NS, sum(1 for _ in group))

    def own(self, ended: Sequence[tuple[Message, Outcome]], then: Callable[[list[Delivery]], None]) -> None:
        """Call `then` with receipts, for those who asked, of messages that have come to their end here.

        SMPP v3.4 section 5.2.17. The store may have to be asked about the other parts of a message that we split.
        """
        messages = [message for message, _ in ended]
        if are_known(self.parts, messages):
            then(self._own(ended))
        else:
            self.parts.learn([each for each in messages if each.parts > 1], lambda: then(self._own(ended)))

    def _own(self, ended: Sequence[tuple[Message, Outcome]]) -> list[Delivery]:
        now_ns = self._clock()
        deliveries = []
        for message, outcome in ended:
            end, tally = End(outcome, telling.code_of_own(outcome.err)), None
            if message.parts > 1:
                whole = self.parts.note(message, end)
                if whole is None:
                    continue
                end, tally = whole
            if telling.wanted(message.registered_delivery, end.outcome.state, intermediate=False):
                told = self._written(message, end, None, now_ns, tally)
                deliveries.append(Delivery(message.esme, "receipt", *told, now_ns))
        return deliveries

    def _written(
        self,
        message: Message,
        end: End,
        said: Notice | None,
        now_ns: int,
        tally: telling.Tally | None = None,
    ) -> telling.Told:
        now = self._wall_clock().astimezone(UTC)
        ago = timedelta(microseconds=(now_ns - message.accepted_ns) // 1000)
        return telling.written(
            message,
            end.outcome,
            said,
            network_error_code=end.network_error_code,
            accepted=now - ago,
            now=now,
            in_default=message.esme in self._in_default,
            tally=tally,
        )
